"""Items, filters and deep pages beside tipg and stock pygeoapi: the same database, the same run, one table.

    .venv-bench/bin/python tests/bench/ogc.py [--buildings 1000000] [--seconds 4] [--database URL]

Eight clients ask two worker processes each; the servers take turns in three rounds, and each one's best counts. Without
``--database`` a throw-away cluster is filled first, rows in spatial order as imports leave them. Results go to
``bench/results/ogc.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from psycopg.conninfo import conninfo_to_dict

sys.path.insert(0, str(Path(__file__).parent))
from load import Rate, measure
from servers import CLIENTS, SIDE, SOUTH, WEST, Server, asked, filled, ours, tipg, uvicorn, write

N_PATHS = 2_000
#: Every question is asked so often, the servers taking turns; the best round counts, since others may use the machine.
ROUNDS = 3

#: What the issue asks for: ``ours / peer`` at least.
GOALS = {
    ("item by id", "tipg"): 4.0,
    ("10 of a street", "tipg"): 2.5,
    ("10 of a street", "pygeoapi"): 12.0,
    ("1,000 of a quarter", "tipg"): 2.5,
    ("10 deep in the layer", "tipg"): 100.0,
    ("CQL2, 10 of a quarter", "tipg"): 2.0,
}

#: pygeoapi's own provider finds nothing in EPSG:4490, whose axes it swaps: it gets the same rows in EPSG:4326.
COPY = """
CREATE SCHEMA IF NOT EXISTS bench;
DROP TABLE IF EXISTS bench.buildings;
CREATE TABLE bench.buildings AS SELECT * FROM layer.buildings ORDER BY fid;
ALTER TABLE bench.buildings ALTER COLUMN geom TYPE geometry (MultiPolygon, 4326) USING ST_SetSRID(geom, 4326);
ALTER TABLE bench.buildings ADD PRIMARY KEY (fid);
CREATE INDEX ON bench.buildings USING gist (geom);
"""

type Ask = Callable[[np.random.Generator], str]


def main() -> None:
    """Measure and print."""
    options = asked(__doc__, seconds=4.0, names=tuple(ASKS)).parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = options.database or stack.enter_context(filled(options.buildings, COPY))
        servers = [
            one for one in (ours(url, options.python), tipg(url), pygeoapi(url, folder)) if one.name in options.only
        ]
        for server in servers:
            stack.enter_context(server.running(folder / f"{server.name}.log"))
        rates: dict[str, dict[str, Rate]] = {question: {} for question in ASKS["onemap"]}
        for question, found in rates.items():
            for round_ in range(ROUNDS):
                for server in servers:
                    rate = _measured(server, question, options.seconds, round_)
                    found[server.name] = max(rate, found.get(server.name, rate), key=lambda r: r.per_s)
    _print(rates)
    _write(rates, options)


def questions(
    items: str, *, form: str = "", deep: str = "offset", cql2: str = "filter", geometry: str = "geom"
) -> dict[str, Ask]:
    """What is asked of the buildings at an address, and the words a server has for it."""
    return {
        "item by id": lambda rng: f"{items}/{rng.integers(1, SIDE * SIDE)}{form and '?'}{form}",
        "10 of a street": lambda rng: f"{items}?{form}limit=10&bbox={box(rng, 0.005)}",
        "1,000 of a quarter": lambda rng: f"{items}?{form}limit=1000&bbox={box(rng, 0.02)}",
        "10 deep in the layer": lambda rng: f"{items}?{form}limit=10&{deep}={rng.integers(500_000, 990_000)}",
        "CQL2, 10 of a quarter": lambda rng: f"{items}?{form}limit=10&{cql2}={quote(cql(rng, geometry))}",
    }


def box(rng: np.random.Generator, size: float) -> str:
    """Somewhere in the city: 0.005 degrees is a street of 150 buildings, 0.02 a quarter of 2,500."""
    west, south = WEST + rng.random() * (0.4 - size), SOUTH + rng.random() * (0.4 - size)
    return f"{west:.5f},{south:.5f},{west + size:.5f},{south + size:.5f}"


def cql(rng: np.random.Generator, geometry: str) -> str:
    """Tall houses in a quarter."""
    west, south, east, north = box(rng, 0.02).split(",")
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"use = 'residential' AND floors > {rng.integers(5, 25)} AND S_INTERSECTS({geometry}, POLYGON(({ring})))"


ASKS = {
    "onemap": questions("/ogc/collections/buildings/items", deep="after", geometry="geometry"),
    "tipg": questions("/collections/layer.buildings/items", cql2="filter-lang=cql2-text&filter"),
    "pygeoapi": questions("/collections/buildings/items", form="f=json&"),
}


def pygeoapi(url: str, folder: Path) -> Server:
    """pygeoapi with its own PostgreSQL provider, as its manual starts it."""
    parts = conninfo_to_dict(url)
    config = {
        "server": {
            "bind": {"host": "127.0.0.1", "port": 18_203}, "url": "http://127.0.0.1:18203", "mimetype": "application/json",
            "encoding": "utf-8", "languages": ["en-US"], "gzip": False, "limits": {"default_items": 10, "max_items": 10_000},
            "map": {"url": "", "attribution": ""}, "templates": {},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {"title": "x", "description": "x", "keywords": ["x"], "terms_of_service": "x", "url": "http://x"},
            "license": {"name": "x", "url": "http://x"}, "provider": {"name": "x", "url": "http://x"}, "contact": {"name": "x"},
        },
        "resources": {
            "buildings": {
                "type": "collection", "title": "x", "description": "x", "keywords": ["x"], "links": [],
                "extents": {"spatial": {"bbox": [117, 31, 118, 32], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}},
                "providers": [{
                    "type": "feature", "name": "PostgreSQL", "id_field": "fid", "table": "buildings", "geom_field": "geom",
                    "data": {
                        "host": str(parts.get("host", "localhost")), "port": int(parts.get("port") or 5432),
                        "dbname": parts["dbname"], "user": parts.get("user", "postgres"), "password": "",
                        "search_path": ["bench", "public"],
                    },
                }],
            }
        },
    }  # fmt: skip
    for name in ("config.yml", "openapi.yml"):
        (folder / name).write_text(json.dumps(config if name == "config.yml" else {"openapi": "3.0.2", "paths": {}}))
    environment = {"PYGEOAPI_CONFIG": str(folder / "config.yml"), "PYGEOAPI_OPENAPI": str(folder / "openapi.yml")}
    command = uvicorn(sys.executable, "pygeoapi.starlette_app:APP", 18_203)
    return Server("pygeoapi", 18_203, command, environment, "/collections/buildings/items/1?f=json")


def _measured(server: Server, question: str, seconds: float, round_: int) -> Rate:
    """One round; slow answers get more time, so that there is at least one."""
    rng = np.random.default_rng(11 + round_)
    paths = [ASKS[server.name][question](rng) for _ in range(N_PATHS)]
    try:
        answer = _sample(server, question, np.random.default_rng(5))
    except urllib.error.HTTPError as refused:
        said = refused.read()[:200]
        print(f"{server.name:10s} {question:24s} is not answered: {refused.code} {said!r}", file=sys.stderr)
        return Rate(0.0, 1)
    measure(server.address, paths, clients=CLIENTS, seconds=1)
    rate = measure(server.address, paths, clients=CLIENTS, seconds=seconds)
    if not rate.per_s:
        rate = measure(server.address, paths, clients=CLIENTS, seconds=8 * seconds)
    seen = {name: answer.get(name) for name in ("numberMatched", "numberReturned")}
    print(f"{server.name:10s} {question:24s} {rate.per_s:10.2f}/s  errors {rate.n_errors}  {seen}", file=sys.stderr)
    return rate


def _sample(server: Server, question: str, rng: np.random.Generator) -> dict[str, Any]:
    """One answer, to see that all are asked the same."""
    with urllib.request.urlopen(server.address + ASKS[server.name][question](rng), timeout=120) as answer:
        document: dict[str, Any] = json.load(answer)
    return document


def _print(rates: dict[str, dict[str, Rate]]) -> None:
    print(
        f"\n{'answers in a second':24s}"
        + "".join(f"{name:>12s}" for name in ASKS)
        + f"{'/ tipg':>10s}{'/ pygeoapi':>12s}"
    )
    for question, by_name in rates.items():
        cells = "".join(f"{by_name[n].per_s:12.1f}" if n in by_name else f"{'-':>12s}" for n in ASKS)
        print(
            f"{question:24s}{cells}"
            + "".join(f"{_ratio(by_name, n):>{w}s}" for n, w in (("tipg", 10), ("pygeoapi", 12)))
        )


def _ratio(by_name: dict[str, Rate], peer: str) -> str:
    if "onemap" not in by_name or peer not in by_name or not by_name[peer].per_s:
        return "-"
    return f"{by_name['onemap'].per_s / by_name[peer].per_s:.1f}x"


def _write(rates: dict[str, dict[str, Rate]], options: argparse.Namespace) -> None:
    found = {
        "per_s": {q: {name: round(rate.per_s, 1) for name, rate in found.items()} for q, found in rates.items()},
        "goals": [
            {"question": q, "peer": peer, "at_least": goal, "ratio": _ratio(rates.get(q, {}), peer)}
            for (q, peer), goal in GOALS.items()
        ],
    }
    write("ogc.json", options, found)


if __name__ == "__main__":
    main()
