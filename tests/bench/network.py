"""
The road network engine beside its peers, in one run: a table for people, JSON for machines.

    python tests/bench/network.py [--side 790] [--only nearest,isochrones] [--out build/network.json]

Everything runs on one invented city (620,000 nodes), which Valhalla reads as an OpenStreetMap extract and pgRouting as
a table; ``--osm`` adds a real extract for isochrones. Peers that are not there are named with what would install them.
Each row of the table has the goal of its issue beside it; nothing is asserted about time.
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from pyproj import CRS
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

sys.path.insert(0, str(Path(__file__).parent))
import network_peers as peers
from invented import city, scattered

from onemap.engine.coverage.isochrone import isochrones, lay_ground
from onemap.engine.coverage.life_circle import covered, life_circle
from onemap.engine.coverage.visibility import Cameras, Walls, cameras_seeing, seen_ground
from onemap.engine.coverage.what_if import Drag, covered_weight
from onemap.engine.network.build import build
from onemap.engine.network.index import snap
from onemap.engine.network.reach import as_sources, reach, times
from onemap.engine.network.responders import ResponderIndex, Workspace, nearest
from onemap.engine.siting.models import cover_savings, median_savings, most_saved
from onemap.engine.siting.travel import Travel
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.osm_network import read_osm_streets

RULES = read_network_rules()
SIDE = 790
LIMIT_S = 900.0


BANDS = [5.0, 10.0, 15.0]


@dataclass(frozen=True)
class Row:
    """One line of the table: ours, the peer's in the same run, and what was asked for."""

    what: str
    ours: str
    peer: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None


def main() -> None:
    """Run everything, print one table, write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=SIDE, help="crossings along one side of the city")
    parser.add_argument("--out", type=Path, help="write the table as JSON")
    parser.add_argument("--osm", type=Path, help="a real extract for isochrones beside Valhalla")
    parser.add_argument("--only", default="", help="comma-separated parts")
    parser.add_argument("--cases", type=int, default=10_000, help="random cases of nearest")
    args = parser.parse_args()
    parts: dict[str, Callable[[], list[Row]]] = {
        "life_circle": lambda: bench_life_circle(network, args.side, share),
        "memory": lambda: bench_memory(args.side),
        "drag": lambda: bench_drag(network, args.side, share),
        "nearest": lambda: bench_nearest(network, args.side, args.cases),
        "peers": lambda: bench_network_peers(streets, network, args.side),
        "isochrones": lambda: bench_isochrones(network, args.side),
        "extract": lambda: bench_extract(args.osm),
        "siting": bench_siting,
        "cameras": lambda: bench_cameras(share),
        "pandana": lambda: bench_pandana(network, args.side, share),
    }
    wanted = [name for name in args.only.split(",") if name] or [
        name for name in parts if name != "extract" or args.osm
    ]
    unknown = [name for name in wanted if name not in parts]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}: they are {', '.join(parts)}")
    note(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {platform.platform()}")
    warm_up()
    streets = city(args.side)
    network, build_s = timed(lambda: build(streets, "foot", RULES))
    share = args.side**2 / SIDE**2
    rows = [Row(f"build the walking network: {network.n_node:,} nodes, {network.n_arc:,} arcs", f"{build_s:.1f} s")]
    for name in wanted:
        part = parts[name]()
        rows += part
        note(f"{name} done, load {os.getloadavg()[0]:.1f}\n{table(part)}")
    sys.stdout.write(table(rows))
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        document = {"machine": platform.platform(), "rows": [asdict(row) for row in rows]}
        args.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def bench_memory(side: int) -> list[Row]:
    """The life circle alone in a process of its own: what it takes at most."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import network, resource; network.life_circle_alone(int(sys.argv[2]));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(side)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    gb = float(done.stdout)
    return [Row("  its memory, the whole process", f"{gb:.2f} GB", goal="<= 1 GB", met=gb <= 1.0)]


def life_circle_alone(side: int) -> None:
    """Streets to times, and nothing else."""
    share = side**2 / SIDE**2
    network = build(city(side), "foot", RULES)
    homes, services = homes_and_services(network, side, share)
    life_circle(network, homes, services, budget_s=LIMIT_S, threads=2)


def homes_and_services(network: Any, side: int, share: float) -> tuple[Any, dict[str, Any]]:
    """1,000,000 buildings and 20 categories of 150 to 9,000 facilities, snapped."""
    x, y, where = homes_and_places(side, share)
    homes = snap(network, x, y, threads=2)
    return homes, {str(i): snap(network, *xy) for i, xy in enumerate(where)}


def homes_and_places(side: int, share: float) -> tuple[Any, Any, list[Any]]:
    """Where they stand."""
    rng = np.random.default_rng(1)
    x, y = scattered(int(1_000_000 * share), side, rng)
    return x, y, [scattered(max(2, int(n * share)), side, rng) for n in np.geomspace(150, 9000, 20)]


def table(rows: list[Row]) -> str:
    """The rows for people."""
    heads = ("what", "ours", "peer in the same run", "times", "goal", "met")
    cells = [
        (
            row.what,
            row.ours,
            row.peer,
            "" if row.ratio is None else f"{row.ratio:.3g}x",
            row.goal,
            "" if row.met is None else "yes" if row.met else "NO",
        )
        for row in rows
    ]
    width = [max(len(line[i]) for line in [heads, *cells]) for i in range(len(heads))]
    lines = ["  ".join(text.ljust(width[i]) for i, text in enumerate(line)).rstrip() for line in [heads, *cells]]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]]) + "\n"


def note(text: str) -> None:
    """Progress, on the side."""
    sys.stderr.write(f"bench-network: {text}\n")
    sys.stderr.flush()


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
    table = Travel.from_matrix(np.random.default_rng(0).random((6, 30)))
    most_saved(cover_savings(table, np.ones(30), 0.3), 2)


def bench_life_circle(network: Any, side: int, share: float) -> list[Row]:
    """1,000,000 buildings and 20 categories; scipy's Dijkstra from a super-source in the same run."""
    (homes, services), snap_s = timed(lambda: homes_and_services(network, side, share))
    circle, two_s = timed(lambda: life_circle(network, homes, services, budget_s=LIMIT_S, threads=2))
    begun = time.process_time()
    life_circle(network, homes, services, budget_s=LIMIT_S, threads=1)
    one_cpu_s = time.process_time() - begun
    scipy_s, worst, verdicts = 0.0, 0.0, 0
    for name, places in services.items():
        sources = as_sources(network, places)
        graph = super_source(network, sources)
        begun = time.process_time()
        node_s = dijkstra(graph, indices=network.n_node, limit=LIMIT_S + 1.0)
        found = reach(network, places, budget_s=0.0)
        theirs = times(network, type(found)(node_s[:-1], found.sources, True, LIMIT_S), homes)
        scipy_s += time.process_time() - begun
        ours = circle.of(name)
        both = np.isfinite(ours) & np.isfinite(theirs)
        worst = max(worst, float(np.abs(ours[both] - theirs[both]).max(initial=0.0)))
        verdicts += int((covered(ours, LIMIT_S - 1e-6) != covered(theirs, LIMIT_S - 1e-6)).sum())
    n = f"{len(homes):,} x {len(services)}"
    return [
        Row(f"life circle {n}, 15 min, snapping included", f"{snap_s + two_s:.2f} s", "", None, "<= 10 s",
            snap_s + two_s <= 10.0),
        Row("  without snapping, two threads", f"{two_s:.2f} s", "", None, "<= 3 s", two_s <= 3.0),
        Row("  one thread, CPU, beside scipy's dijkstra and the same gather", f"{one_cpu_s:.2f} s", f"scipy {scipy_s:.2f} s",
            scipy_s / one_cpu_s, ">= 1.3x", scipy_s / one_cpu_s >= 1.3),
        Row("  largest difference from scipy; verdicts that differ", f"{worst:.1e} s; {verdicts}", "", None, "rounding",
            worst < 1e-6 and verdicts == 0),
    ]  # fmt: skip


def bench_pandana(network: Any, side: int, share: float) -> list[Row]:
    """pandana's queries by CPU, its contraction apart (minutes), beside ours on one thread."""
    why = peers.absent("pandana")
    if why:
        return [Row("life circle beside pandana", "", why)]
    x, y, where = homes_and_places(side, share)
    homes, services = homes_and_services(network, side, share)
    begun = time.process_time()
    life_circle(network, homes, services, budget_s=LIMIT_S, threads=1)
    ours = time.process_time() - begun
    theirs = peers.pandana(network, x, y, where, LIMIT_S)
    ratio = theirs["query_cpu_s"] / ours
    return [
        Row("life circle, CPU of the queries alone", f"{ours:.2f} s", f"pandana {theirs['query_cpu_s']:.1f} s", ratio,
            ">= 25x", ratio >= 25.0),
        Row("  what pandana builds first, CPU", "0 s", f"pandana {theirs['build_cpu_s']:.0f} s"),
    ]  # fmt: skip


def bench_drag(network: Any, side: int, share: float) -> list[Row]:
    """One facility of a category moved about the city: new covered households at every position."""
    rng = np.random.default_rng(2)
    homes = snap(network, *scattered(int(1_000_000 * share), side, rng), threads=2)
    weight = rng.integers(1, 30, len(homes)).astype(float)
    others = snap(network, *scattered(max(2, int(900 * share)), side, rng))
    drag, begin_s = timed(lambda: Drag(network, homes, others, budget_s=LIMIT_S))
    base = float(weight[covered(drag.seconds, LIMIT_S)].sum())
    spent = []
    for _ in range(50):
        place = snap(network, *scattered(1, side, rng))
        _, s = timed(lambda place=place: covered_weight(base, drag.seconds, drag.at(place), weight, LIMIT_S))
        spent.append(1000.0 * s)
    worst = max(spent)
    return [
        Row(f"one facility dragged over {len(homes):,} buildings", milliseconds(spent), "", None, "each <= 1 s",
            worst <= 1000.0),
        Row("  picking it up (once)", f"{begin_s:.2f} s", "", None, "<= 1 s", begin_s <= 1.0),
    ]  # fmt: skip


def bench_nearest(network: Any, side: int, n_case: int) -> list[Row]:
    """k = 5 of 10,000 that move; every answer checked against scipy; what a straight line would cost."""
    rng = np.random.default_rng(3)
    n, k = 10_000, 5
    index, work = ResponderIndex(network, capacity=n), Workspace(network)
    x, y = scattered(n, side, rng)
    index.place(np.arange(n), snap(network, x, y))
    tail = np.repeat(np.arange(network.n_node), np.diff(network.into.first))
    graph = least(tail, network.into.head, network.into.cost_s, network.n_node)
    events = snap(network, *scattered(n_case, side, rng))
    ex, ey = network.position(events.edge, events.fraction)
    spent, mismatches, wrong, lost_s = [], 0, 0, []
    moves_s = 0.0
    for i in range(n_case):
        if i % 1000 == 0:
            x, y = x + rng.normal(0, 30, n), y + rng.normal(0, 30, n)
            _, moves_s = timed(lambda x=x, y=y: index.place(np.arange(n), snap(network, x, y)))
            places = index.places()
        event = events.take(np.array([i]))
        begun = time.perf_counter()
        found = nearest(index, event, k, workspace=work)
        spent.append(1000.0 * (time.perf_counter() - begun))
        mismatches += not agrees(network, graph, event, places, found.seconds)
        if i < 1000:
            first = int(np.argmin(np.hypot(x - ex[i], y - ey[i])))
            by_line = nearest(index, event, 1, eligible=np.arange(n) == first, workspace=work).seconds
            if first != found.row[0] and len(by_line) and by_line[0] > found.seconds[0] + 1e-6:
                wrong += 1
                lost_s.append(by_line[0] - found.seconds[0])
    flush = np.zeros(16_000_000)
    cold = []
    for i in range(min(n_case, 500)):
        flush += 1.0
        begun = time.perf_counter()
        nearest(index, events.take(np.array([i])), k, workspace=work)
        cold.append(1000.0 * (time.perf_counter() - begun))
    asked = min(n_case, 1000)
    return [
        Row("nearest 5 of 10,000 that move", milliseconds(spent)),
        Row("  with cold caches (128 MB written before each)", milliseconds(cold), "", None, "p99 <= 1 ms",
            float(np.quantile(cold, 0.99)) <= 1.0),
        Row(f"  mismatches with scipy in {n_case:,} random cases", str(mismatches), "", None, "0", mismatches == 0),
        Row("  all 10,000 move, snapping included", f"{1000.0 * moves_s:.0f} ms"),
        Row("  the straight line picks another responder", f"{100.0 * wrong / asked:.0f} % of events", "", None, ""),
        Row("  which costs",
            f"{np.median(lost_s) / 60.0:.1f} min median, {np.quantile(lost_s, 0.95) / 60.0:.1f} min p95" if lost_s else "0"),
    ]  # fmt: skip


def agrees(network: Any, graph: Any, event: Any, places: Any, seconds: Any) -> bool:
    """Whether scipy, searching as far as the last candidate and a little farther, finds the same five times."""
    sources = as_sources(network, event)
    edge, t, lead = sources.edge[0], sources.fraction[0], sources.lead_s[0]
    limit = float(seconds[-1]) + 1.0
    ends = np.array([network.edge_from[edge], network.edge_to[edge]])
    starts = np.array([t * network.edge_forward_s[edge], (1 - t) * network.edge_backward_s[edge]]) + lead
    near = dijkstra(graph, indices=ends, limit=limit)
    node_s = np.minimum(near[0] + starts[0], near[1] + starts[1])
    found = reach(network, event, budget_s=0.0)
    everybody = times(network, type(found)(node_s, sources, True, limit), places)
    return bool(np.allclose(np.sort(everybody)[: len(seconds)], seconds, atol=1e-6))


def bench_isochrones(network: Any, side: int) -> list[Row]:
    """5, 10 and 15 minutes from random places; recall and precision against per-building truth."""
    rng = np.random.default_rng(4)
    ground, lay_s = timed(lambda: lay_ground(network))
    counts = np.zeros(3)
    spent: list[float] = []
    alone: list[float] = []
    for _ in range(200):
        xy = scattered(1, side, rng)
        place = snap(network, *xy)
        if not place.found[0]:
            continue
        found, s = timed(lambda xy=xy: isochrones(network, snap(network, *xy), BANDS, ground=ground))
        spent.append(1000.0 * s)
        _, s = timed(lambda place=place: isochrones(network, place, BANDS))
        alone.append(1000.0 * s)
        px, py = network.position(place.edge, place.fraction)
        x, y = px[0] + rng.uniform(-1100, 1100, 4000), py[0] + rng.uniform(-1100, 1100, 4000)
        counts += judged(network, place, found, x, y)
    recall, precision = counts[0] / counts[1], counts[0] / counts[2]
    p99 = float(np.quantile(spent, 0.99))
    return [
        Row("isochrones 5/10/15 on foot, ground laid before", milliseconds(spent), "", None, "p99 <= 30 ms", p99 <= 30.0),
        Row("  recall, precision of homes", f"{recall:.4f}, {precision:.4f}", "", None, ">= .99, >= .95",
            recall >= 0.99 and precision >= 0.95),
        Row("  laying the ground of the whole city (once)", f"{lay_s:.1f} s"),
        Row("  a single one without laying it", milliseconds(alone)),
    ]  # fmt: skip


def judged(network: Any, place: Any, found: Any, x: Any, y: Any) -> Any:
    """Homes reached and inside, reached, inside: summed over the bands."""
    seconds = times(network, reach(network, place, toward=False, budget_s=1200.0), snap(network, x, y))
    counts = np.zeros(3)
    for minutes, polygon in zip(found.minutes, found.polygons, strict=True):
        shapely.prepare(polygon)
        inside, reached = shapely.contains_xy(polygon, x, y), seconds <= 60 * minutes
        counts += [(inside & reached).sum(), reached.sum(), inside.sum()]
    return counts


def bench_network_peers(streets: Any, network: Any, side: int) -> list[Row]:
    """Valhalla and pgRouting on the same city, the same questions in turn with ours."""
    rng = np.random.default_rng(8)
    n, n_event = 10_000, 200
    x, y = scattered(n, side, rng)
    index, work = ResponderIndex(network, capacity=n), Workspace(network)
    index.place(np.arange(n), snap(network, x, y))
    ex, ey = scattered(n_event, side, rng)
    ours_ms: list[float] = []
    first: list[int] = []
    for i in range(n_event):
        found, s = timed(lambda i=i: nearest(index, snap(network, ex[[i]], ey[[i]]), 5, workspace=work))
        ours_ms.append(1000.0 * s)
        first.append(int(found.row[0]))
    return [
        *beside_pgrouting(network, x, y, ex, ey, ours_ms, first),
        *beside_valhalla(streets, network, x, y, ex, ey, ours_ms, first),
    ]


def beside_pgrouting(
    network: Any, x: Any, y: Any, ex: Any, ey: Any, ours_ms: list[float], first: list[int]
) -> list[Row]:
    """Nearest by pgr_dijkstraCost over the 50 nearest by line."""
    what = "nearest, snapping the event included, beside pgRouting over the 50 nearest by line"
    try:
        with peers.pgrouting() as theirs:
            of = snap(network, x, y)
            theirs.fill(network, x, y, nearer_end(network, of))
            at = nearer_end(network, snap(network, ex, ey))
            theirs.nearest(float(ex[0]), float(ey[0]), int(at[0]))
            spent, right = [], 0
            for i in range(len(ex)):
                found, s = timed(lambda i=i: theirs.nearest(float(ex[i]), float(ey[i]), int(at[i])))
                spent.append(1000.0 * s)
                right += found == first[i]
    except LookupError as why:
        return [Row(what, milliseconds(ours_ms), str(why))]
    ratio = float(np.median(spent) / np.median(ours_ms))
    return [
        Row(what, milliseconds(ours_ms), milliseconds(spent), ratio, ">= 100x", ratio >= 100.0),
        Row("  its first choice is the right one", "100 %", f"{100.0 * right / len(ex):.0f} %"),
    ]


def nearer_end(network: Any, places: Any) -> Any:
    """The node that a peer without positions on edges would use."""
    return np.where(places.fraction < 0.5, network.edge_from[places.edge], network.edge_to[places.edge])


def beside_valhalla(
    streets: Any, network: Any, x: Any, y: Any, ex: Any, ey: Any, ours_ms: list[float], first: list[int]
) -> list[Row]:
    """Its matrix over the 50 nearest by line, and its isochrones, from the same places."""
    why = peers.absent("valhalla")
    if why:
        return [Row("nearest and isochrones beside Valhalla", "", why)]
    ground = lay_ground(network)
    lon, lat = peers.degrees(x, y)
    elon, elat = peers.degrees(ex, ey)
    spent, right, asked = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        osm = Path(folder) / "city.osm.pbf"
        note("writing the city as an extract and building Valhalla's tiles")
        peers.write_extract(streets, osm)
        with peers.valhalla_of(osm) as theirs:
            for i in range(len(ex)):
                near = np.argsort(np.hypot(x - ex[i], y - ey[i]))[:50]
                where = [(float(lon[j]), float(lat[j])) for j in near]
                found, s = timed(lambda where=where, i=i: theirs.matrix(where, (float(elon[i]), float(elat[i]))))
                if found is None:
                    continue
                asked += 1
                spent.append(1000.0 * s)
                known = [np.inf if one is None else one for one in found]
                right += int(near[int(np.argmin(known))]) == first[i]
            iso = isochrones_in_turn(network, ground, theirs, ex, ey, elon, elat, rng_box(ex, ey))
    ratio = float(np.median(spent) / np.median(ours_ms))
    return [
        Row("nearest beside Valhalla's matrix over the 50 nearest by line", milliseconds(ours_ms), milliseconds(spent),
            ratio, ">= 100x", ratio >= 100.0),
        Row("  its first choice is the right one", "100 %", f"{100.0 * right / max(asked, 1):.0f} %"),
        *iso,
    ]  # fmt: skip


def rng_box(ex: Any, ey: Any) -> Any:
    """Homes around each event, by which outlines are judged: (n_event, 2, 1000)."""
    rng = np.random.default_rng(9)
    return np.stack([ex[:, None] + rng.uniform(-1100, 1100, (len(ex), 1000)),
                     ey[:, None] + rng.uniform(-1100, 1100, (len(ey), 1000))], axis=1)  # fmt: skip


def isochrones_in_turn(
    network: Any, ground: Any, theirs: Any, ex: Any, ey: Any, elon: Any, elat: Any, homes: Any, onto: Any = None
) -> list[Row]:
    """The same place and bands to either, one after the other; a walk of 4 km/h, all parts and holes kept."""
    ours_ms, theirs_ms, text_ms = [], [], []
    counts, their_counts = np.zeros(3), np.zeros(3)
    to_plane = onto or peers.plane
    for i in range(len(ex)):
        place = snap(network, ex[[i]], ey[[i]])
        if not place.found[0]:
            continue
        found, s = timed(lambda i=i: isochrones(network, snap(network, ex[[i]], ey[[i]]), BANDS, ground=ground))
        ours_ms.append(1000.0 * s)
        answer, s = timed(lambda i=i: theirs.isochrones(float(elon[i]), float(elat[i]), BANDS))
        theirs_ms.append(1000.0 * s)
        ask = theirs.isochrones_text(float(elon[i]), float(elat[i]), BANDS)
        _, s = timed(ask)
        text_ms.append(1000.0 * s)
        counts += judged(network, place, found, homes[i, 0], homes[i, 1])
        their_counts += judged(network, place, as_ours(answer, to_plane), homes[i, 0], homes[i, 1])
    ratio = float(np.median(theirs_ms) / np.median(ours_ms))
    return [
        Row("isochrones 5/10/15: a point in, Python polygons out, snapping included", milliseconds(ours_ms),
            f"Valhalla {milliseconds(theirs_ms)}", ratio, ">= 5x", ratio >= 5.0),
        Row("  Valhalla with text in and text out", "", f"Valhalla {milliseconds(text_ms)}",
            float(np.median(text_ms) / np.median(ours_ms))),
        Row("  recall, precision of homes", f"{counts[0] / counts[1]:.4f}, {counts[0] / counts[2]:.4f}",
            f"Valhalla {their_counts[0] / their_counts[1]:.4f}, {their_counts[0] / max(their_counts[2], 1):.4f}"),
    ]  # fmt: skip


def as_ours(answer: Any, to_plane: Any) -> Any:
    """Valhalla's GeoJSON as minutes and polygons in the plane."""
    several: dict[float, list[Any]] = {minutes: [] for minutes in BANDS}
    for feature in answer["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        flat = shapely.transform(shape, lambda lonlat: np.column_stack(to_plane(lonlat[:, 0], lonlat[:, 1])))
        several[float(feature["properties"]["contour"])].append(shapely.make_valid(flat))
    return argparse.Namespace(minutes=tuple(BANDS), polygons=[shapely.union_all(several[m]) for m in BANDS])


def bench_extract(osm: Path) -> list[Row]:
    """Isochrones on a real extract, ours and Valhalla's in turn."""
    why = peers.absent("valhalla")
    if why:
        return [Row(f"isochrones on {osm.name} beside Valhalla", "", why)]
    source = read_osm_streets(osm, RULES)
    network = build(source.streets, "foot", RULES, speed_kmh=peers.WALKING_KMH)
    rng = np.random.default_rng(7)
    chosen = rng.choice(np.flatnonzero(network.components.of_node == 0), 200)
    ex, ey = network.node_x[chosen], network.node_y[chosen]
    lon, lat = source.plane.lonlat(ex, ey)
    across = source.plane.xy
    with peers.valhalla_of(osm) as theirs:
        rows = isochrones_in_turn(
            network, lay_ground(network), theirs, ex, ey, lon, lat, rng_box(ex, ey),
            lambda a, b: across(np.asarray(a), np.asarray(b), CRS.from_epsg(4326)),
        )  # fmt: skip
    return [Row(f"on {osm.name}: {network.n_node:,} nodes", ""), *rows]


def bench_siting() -> list[Row]:
    """Exact on small cases beside spopt, swaps with a bound at city size."""
    rng = np.random.default_rng(5)
    rows = []
    why = peers.absent("spopt")
    for n_demand, n_candidate, p, goal in ((200, 50, 5, 0.0), (2000, 500, 20, 15.0)):
        seconds, weight = plane(rng, n_demand, n_candidate)

        def ours(seconds: Any = seconds, weight: Any = weight, p: int = p) -> Any:
            return most_saved(cover_savings(Travel.from_matrix(seconds), weight, 0.08), p)

        choice, s = timed(ours)
        what = f"siting: MCLP {n_demand:,} x {n_candidate}, {p} sites, exact, model building included"
        if why:
            rows.append(Row(what, f"{s:.3f} s", why))
            continue
        theirs = peers.spopt_mclp(seconds, weight, 0.08, p)
        equal = abs(theirs["objective"] - choice.value) < 1e-6
        asked = "equal" + (f", >= {goal:g}x" if goal else "")
        rows.append(
            Row(what, f"{s:.3f} s, {choice.value:.0f}", f"spopt {theirs['s']:.2f} s, {theirs['objective']:.0f}",
                theirs["s"] / s, asked, equal and theirs["s"] / s >= goal)
        )  # fmt: skip
    for name, limit, most in (("sparse", 0.03, 0.01), ("dense", 0.12, 0.03)):
        seconds, weight = plane(rng, 100_000, 2000)
        walks = near_only(seconds, limit)
        del seconds
        for model, savings in (
            ("MCLP", cover_savings(walks, weight, limit)),
            ("p-median", median_savings(walks, weight, np.full(100_000, limit))),
        ):
            choice, s = timed(lambda v=savings: most_saved(v, 50, exact=False, time_limit_s=12.0))
            rows.append(
                Row(f"  {model} 100,000 x 2,000 {name}, 50 sites", f"{s:.1f} s, {choice.value:.8g} <= {choice.bound:.8g}",
                    f"gap {100.0 * choice.gap:.2f} %", None, f"<= {100.0 * most:g} % in <= 15 s",
                    choice.gap <= most and s <= 15.0)
            )  # fmt: skip
    return rows


def bench_cameras(share: float) -> list[Row]:
    """20,000 cameras among 1,000,000 buildings."""
    rng = np.random.default_rng(6)
    n_building = int(1_000_000 * share)
    cameras, walls = camera_town(int(20_000 * share), n_building, rng)
    _, s = timed(lambda: seen_ground(cameras, walls))
    spent = []
    for _ in range(50):
        i = rng.integers(len(cameras))
        _, one = timed(lambda i=i: cameras_seeing(cameras, walls, float(cameras.x[i]) + 9.0, float(cameras.y[i]) + 9.0))
        spent.append(1000.0 * one)
    sees = float(np.quantile(spent, 0.99))
    return [
        Row(f"{len(cameras):,} cameras among {n_building:,} buildings",
            f"{s:.1f} s, {1e6 * s / max(len(cameras), 1):.0f} us each", "", None, "<= 60 s", s <= 60.0),
        Row("  which cameras see a point", f"p99 {sees:.2f} ms", "", None, "< 50 ms", sees < 50.0),
    ]  # fmt: skip


def camera_town(n_camera: int, n_building: int, rng: np.random.Generator) -> tuple[Cameras, Walls]:
    """Houses on a jittered lattice of 40 m, cameras between them."""
    side = int(np.sqrt(n_building)) + 1
    number = np.arange(n_building)
    cx, cy = (
        40.0 * (number % side) + rng.uniform(0, 12, n_building),
        40.0 * (number // side) + rng.uniform(0, 12, n_building),
    )
    w, h = rng.uniform(8, 24, n_building), rng.uniform(8, 18, n_building)
    walls = Walls.of(shapely.box(cx, cy, cx + w, cy + h))
    x, y = 40.0 * rng.integers(0, side, n_camera) - 4.0, 40.0 * rng.integers(0, side, n_camera) - 4.0
    return (
        Cameras(
            x,
            y,
            rng.uniform(0, 360, n_camera),
            rng.choice([60.0, 90.0, 360.0], n_camera),
            rng.uniform(40, 100, n_camera),
        ),
        walls,
    )


def plane(rng: np.random.Generator, n_demand: int, n_candidate: int) -> tuple[Any, Any]:
    """Straight distances in the unit square (n_candidate, n_demand), and households."""
    demand, candidate = rng.random((n_demand, 2)), rng.random((n_candidate, 2))
    seconds = np.empty((n_candidate, n_demand))
    for j in range(n_candidate):
        seconds[j] = np.hypot(candidate[j, 0] - demand[:, 0], candidate[j, 1] - demand[:, 1])
    return seconds, rng.integers(1, 50, n_demand).astype(float)


def near_only(seconds: Any, limit: float) -> Travel:
    """The table without walks beyond the limit."""
    seconds[seconds > limit] = np.inf
    return Travel.from_matrix(seconds)


def super_source(network: Any, sources: Any) -> Any:
    """The reversed graph with one more node that leads to every seed; parallel arcs reduced to the least first."""
    arcs = network.into
    tail = np.repeat(np.arange(network.n_node), np.diff(arcs.first))
    t = sources.fraction
    seeds = np.concatenate([network.edge_from[sources.edge], network.edge_to[sources.edge]])
    seconds = np.concatenate(
        [
            sources.lead_s + t * network.edge_forward_s[sources.edge],
            sources.lead_s + (1 - t) * network.edge_backward_s[sources.edge],
        ]
    )
    tails = np.append(tail, np.full(len(seeds), network.n_node))
    # scipy takes a stored 0 for no arc.
    costs = np.maximum(np.append(arcs.cost_s, seconds), 1e-12)
    return least(tails, np.append(arcs.head, seeds), costs, network.n_node + 1)


def least(tail: Any, head: Any, cost: Any, n: int) -> Any:
    """A CSR graph that keeps the least of parallel arcs (scipy's own conversion adds them up)."""
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    keep = np.append(True, (np.diff(tail) != 0) | (np.diff(head) != 0))
    return csr_array(coo_array((cost[keep], (tail[keep], head[keep])), shape=(n, n)))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result and the seconds it took."""
    begun = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begun


def milliseconds(spent_ms: list[float]) -> str:
    """p50 and p99."""
    return f"p50 {np.median(spent_ms):.3g} ms, p99 {np.quantile(spent_ms, 0.99):.3g} ms"


if __name__ == "__main__":
    main()
