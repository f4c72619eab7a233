"""Vector tiles beside tipg: cold, warm and not modified; the same database, the same run, one table.

    .venv-bench/bin/python tests/bench/tiles.py [--buildings 1000000] [--seconds 6] [--database URL]

Eight clients ask two worker processes each. Cold tiles are asked once only, so no cache helps. ``--sizes`` cuts the most
crowded tile of every zoom of every layer instead and prints milliseconds and kilobytes. Results go to
``bench/results/tiles.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import math
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from load import Rate, measure
from servers import CLIENTS, ROOT, SIDE, SOUTH, STEP, WEST, Server, asked, filled, ours, tipg, write

COLD, DEEP_COLD, WARM, NOT_MODIFIED = "z16 cold", "z13 cold", "z16 warm", "z16 not modified"
#: What the issue asks for.
AT_LEAST_PER_S = {WARM: 5_000, NOT_MODIFIED: 8_000}
AT_LEAST_RATIO = {COLD: 1.3}
PATHS = {
    "onemap": "/tiles/buildings/{z}/{x}/{y}.mvt",
    "tipg": "/collections/layer.buildings/tiles/WebMercatorQuad/{z}/{x}/{y}",
}
ZIPPED = ("Accept-Encoding: gzip",)


def main() -> None:
    """Measure and print."""
    parser = asked(__doc__, seconds=6.0, names=tuple(PATHS))
    parser.add_argument("--sizes", action="store_true", help="cut one tile of every zoom and layer")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = options.database or stack.enter_context(filled(options.buildings))
        if options.sizes:
            asyncio.run(_sizes(url))
            return
        rates: dict[str, dict[str, Rate]] = {}
        for server in (ours(url, options.python), tipg(url)):
            if server.name in options.only:
                with server.running(folder / f"{server.name}.log"):
                    rates[server.name] = _measured(server, options.seconds)
    _print(rates)
    _write(rates, options)


def _measured(server: Server, seconds: float) -> dict[str, Rate]:
    rng = np.random.default_rng(7)
    near = [PATHS[server.name].format(z=z, x=x, y=y) for z, x, y in rng.permutation(list(_tiles(16)))]
    far = [PATHS[server.name].format(z=z, x=x, y=y) for z, x, y in rng.permutation(list(_tiles(13)))]
    hundred, rest = near[:100], near[100:]
    found = {COLD: measure(server.address, rest, clients=CLIENTS, seconds=seconds, headers=ZIPPED)}
    found[DEEP_COLD] = measure(server.address, far, clients=CLIENTS, seconds=2, headers=ZIPPED)
    measure(server.address, hundred, clients=CLIENTS, seconds=2, headers=ZIPPED)
    found[WARM] = measure(server.address, hundred, clients=CLIENTS, seconds=seconds, headers=ZIPPED)
    if etag := _etag(server.address + hundred[0]):
        told = (*ZIPPED, f"If-None-Match: {etag}")
        found[NOT_MODIFIED] = measure(server.address, hundred[:1], clients=CLIENTS, seconds=seconds, headers=told)
    for question, rate in found.items():
        print(f"{server.name:8s} {question:18s} {rate.per_s:10.1f}/s  errors {rate.n_errors}", file=sys.stderr)
    return found


def _tiles(z: int) -> Iterator[tuple[int, int, int]]:
    """All tiles of a zoom that lie in the city."""
    side = SIDE * STEP
    west, north = _tile_of(WEST, SOUTH + side, z)
    east, south = _tile_of(WEST + side, SOUTH, z)
    yield from ((z, x, y) for x in range(west + 1, east) for y in range(north + 1, south))


def _tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    n = 1 << z
    return int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)


def _etag(address: str) -> str | None:
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        etag: str | None = answer.headers.get("ETag")
    return etag


async def _sizes(url: str) -> None:
    """The tile in the middle of each layer at each zoom: how long, how large."""
    from onemap.catalog.read import read_catalog
    from onemap.domain.scope import EVERYTHING
    from onemap.store.db import AsyncDb
    from onemap.store.tiles import TileCache, TileStore

    catalog = read_catalog(ROOT / "layers")
    adb = await AsyncDb(url, max_size=2).open()
    print(f"{'layer':18s} {'zoom':>4s} {'ms':>8s} {'kB':>8s} {'kB gzip':>8s}")
    for layer in catalog:
        store = TileStore(catalog, adb, TileCache())
        bounds = await store.bounds(layer, EVERYTHING)
        for z in range(layer.tiling.min_zoom, layer.tiling.max_zoom + 1) if bounds else ():
            west, south, east, north = bounds
            x, y = _tile_of((west + east) / 2, (south + north) / 2, z)
            start = time.perf_counter()
            tile = await store.tile(layer, EVERYTHING, z, x, y)
            ms = (time.perf_counter() - start) * 1000
            raw = len(gzip.decompress(tile.body)) if tile.body else 0
            print(f"{layer.name:18s} {z:4d} {ms:8.1f} {raw / 1000:8.1f} {len(tile.body) / 1000:8.1f}")
    await adb.close()


def _print(rates: dict[str, dict[str, Rate]]) -> None:
    print(f"\n{'tiles in a second':20s}{'onemap':>12s}{'tipg':>12s}{'ratio':>8s}")
    for question in (COLD, DEEP_COLD, WARM, NOT_MODIFIED):
        cells = "".join(
            f"{rates[name][question].per_s:12.1f}" if question in rates.get(name, {}) else f"{'-':>12s}"
            for name in PATHS
        )
        print(f"{question:20s}{cells}{_ratio(rates, question) or 0:8.1f}")


def _ratio(rates: dict[str, dict[str, Rate]], question: str) -> float | None:
    found = [rates.get(name, {}).get(question) for name in PATHS]
    return round(found[0].per_s / found[1].per_s, 2) if found[0] and found[1] and found[1].per_s else None


def _write(rates: dict[str, dict[str, Rate]], options: argparse.Namespace) -> None:
    per_s = {
        name: {question: round(rate.per_s, 1) for question, rate in found.items()} for name, found in rates.items()
    }
    mine = per_s.get("onemap", {})
    goals: list[dict[str, Any]] = [
        *({"question": q, "at_least_per_s": goal, "per_s": mine.get(q)} for q, goal in AT_LEAST_PER_S.items()),
        *(
            {"question": q, "peer": "tipg", "at_least": goal, "ratio": _ratio(rates, q)}
            for q, goal in AT_LEAST_RATIO.items()
        ),
    ]
    write("tiles.json", options, {"per_s": per_s, "goals": goals})


if __name__ == "__main__":
    main()
