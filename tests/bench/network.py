"""
The road network engine beside its peers, in one run: a table for people, JSON for machines.

    python tests/bench/network.py [--side 790] [--only nearest,isochrones] [--limit 540] [--out FILE] [--docs]

Everything runs on one invented city (620,000 nodes), which Valhalla reads as an OpenStreetMap extract and pgRouting as
a table; ``--osm`` adds a real extract for isochrones. Peers that are not there are named with what would install them,
and those that take longer than the limit with the limit. Each row has the goal of its issue beside it; nothing is
asserted about time. ``--docs`` writes the table into docs/network.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import network_circle as circle
import network_isochrones as outlines
import network_nearest as responders
import network_peers as peers
import network_siting as siting
from invented import city, scattered
from network_cameras import bench_cameras, camera_town
from network_table import Row, markdown, note, table, timed
from network_town import BANDS, RULES, SIDE, Town, town

from onemap.engine.coverage.isochrone import isochrones, lay_ground
from onemap.engine.coverage.life_circle import life_circle
from onemap.engine.coverage.visibility import cameras_seeing, seen_ground
from onemap.engine.coverage.what_if import Drag
from onemap.engine.network.build import build
from onemap.engine.network.index import snap
from onemap.engine.network.responders import ResponderIndex, nearest
from onemap.engine.siting.models import cover_savings, most_saved
from onemap.engine.siting.travel import Travel

PAGE = Path(__file__).parents[2] / "docs/network.md"
BEGIN, END = "<!-- figures: tests/bench/network.py --docs -->", "<!-- end of figures -->"


def main() -> None:
    """Run everything, print one table, write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=SIDE, help="crossings along one side of the city")
    parser.add_argument("--out", type=Path, help="write the table as JSON")
    parser.add_argument("--osm", type=Path, help="a real extract for isochrones beside Valhalla")
    parser.add_argument("--only", default="", help="comma-separated parts")
    parser.add_argument("--cases", type=int, default=10_000, help="random cases of nearest")
    parser.add_argument("--limit", type=float, default=540.0, help="seconds that any one peer may take")
    parser.add_argument("--docs", action="store_true", help="put the table into docs/network.md")
    args = parser.parse_args()
    parts: dict[str, Callable[[Town], list[Row]]] = {
        "life_circle": circle.bench_life_circle,
        "memory": circle.bench_memory,
        "drag": circle.bench_drag,
        "nearest": lambda here: responders.bench_nearest(here, args.cases),
        "isochrones": outlines.bench_isochrones,
        "valhalla": lambda here: beside_valhalla(here, args.limit),
        "pgrouting": lambda here: responders.beside_pgrouting(here, args.limit),
        "extract": lambda _: outlines.beside_valhalla_on(args.osm),
        "siting": lambda _: [*siting.bench_exact(args.limit), *siting.bench_city()],
        "cameras": lambda here: bench_cameras(here.share),
        "pandana": lambda here: circle.bench_pandana(here, args.limit),
    }
    wanted = [name for name in args.only.split(",") if name] or [
        name for name in parts if name != "extract" or args.osm
    ]
    unknown = [name for name in wanted if name not in parts]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}: they are {', '.join(parts)}")
    if "extract" in wanted and args.osm is None:
        parser.error("the part extract needs --osm FILE")
    load = os.getloadavg()[0]
    note(f"load {load:.1f}, {os.cpu_count()} cores, {platform.platform()}")
    warm_up()
    here, built_s = timed(lambda: town(args.side))
    _, build_s = timed(lambda: build(here.streets, "foot", RULES))
    n = f"{here.network.n_node:,} nodes, {here.network.n_arc:,} arcs"
    note(f"the city stands after {built_s:.0f} s: {n}")
    rows = [Row(f"build the walking network: {n}", f"{build_s:.1f} s")]
    begun = time.monotonic()
    for number, name in enumerate(wanted):
        note(f"{name}: part {number + 1} of {len(wanted)}")
        part, s = timed(lambda name=name: parts[name](here))
        rows += part
        note(f"{name} took {s:.0f} s, load {os.getloadavg()[0]:.1f}\n{table(part)}")
    note(f"all parts took {(time.monotonic() - begun) / 60.0:.1f} min")
    sys.stdout.write(table(rows))
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        document = {"machine": platform.platform(), "load": load, "rows": [asdict(row) for row in rows]}
        args.out.write_text(
            json.dumps(document, indent=2, default=lambda number: number.item()) + "\n", encoding="utf-8"
        )
    if args.docs:
        into_docs(rows, load)


def beside_valhalla(here: Town, limit_s: float) -> list[Row]:
    """Nearest and isochrones beside Valhalla, which reads the city as an extract."""
    why = peers.absent("valhalla")
    if why:
        return [Row("nearest and isochrones beside Valhalla", "", why)]
    with tempfile.TemporaryDirectory() as folder:
        osm = Path(folder) / "city.osm.pbf"
        note("valhalla: writing the city as an extract and building tiles")
        peers.write_extract(here.streets, osm)
        try:
            with peers.valhalla_of(osm, limit_s) as theirs:
                return [*responders.beside_valhalla(here, theirs), *outlines.beside_valhalla(here, theirs)]
        except subprocess.TimeoutExpired:
            return [Row("nearest and isochrones beside Valhalla", "", f"Valhalla's tiles > {limit_s:.0f} s")]


def into_docs(rows: list[Row], load: float) -> None:
    """Replace what stands between the marks in docs/network.md."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    head = f"One run of `tests/bench/network.py`, {os.cpu_count()} cores, load {load:.1f} when it began:"
    PAGE.write_text(f"{before}{BEGIN}\n{head}\n\n{markdown(rows)}{END}{after}", encoding="utf-8")


def warm_up() -> None:
    """Compile every kernel on a village, so that compilation is not measured."""
    village = build(city(24), "foot", RULES)
    places = snap(village, *scattered(200, 24, np.random.default_rng(0)), threads=2)
    life_circle(village, places, {"a": places.take(np.arange(3))})
    ground = lay_ground(village)
    isochrones(village, places.take(np.arange(1)), BANDS)
    isochrones(village, places.take(np.arange(1)), BANDS, ground=ground)
    Drag(village, places, places.take(np.arange(3))).at(places.take(np.arange(1)))
    index = ResponderIndex(village)
    index.place(np.arange(50), places.take(np.arange(50)))
    nearest(index, places.take(np.arange(1)), 3)
    cameras, walls = camera_town(4, 30, np.random.default_rng(0))
    seen_ground(cameras, walls)
    cameras_seeing(cameras, walls, float(cameras.x[0]) + 1.0, float(cameras.y[0]) + 1.0)
    savings = cover_savings(Travel.from_matrix(np.random.default_rng(0).random((6, 30))), np.ones(30), 0.3)
    most_saved(savings, 2)


if __name__ == "__main__":
    main()
