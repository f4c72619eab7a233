"""
The road network engine beside its peers, in one run: a table for people, JSON for machines.

    python tests/bench/network.py [--side 790] [--out bench/results/network.json]

Peers run where they can be imported (requirements-bench.txt); scipy always can. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

sys.path.insert(0, str(Path(__file__).parent))
from invented import city, scattered

from onemap.engine.coverage.isochrone import isochrones
from onemap.engine.coverage.life_circle import covered, life_circle
from onemap.engine.coverage.visibility import Cameras, Walls, cameras_seeing, seen_ground
from onemap.engine.coverage.what_if import Drag, covered_weight
from onemap.engine.network.build import build
from onemap.engine.network.index import snap
from onemap.engine.network.reach import as_sources, reach, search, times
from onemap.engine.network.responders import ResponderIndex, Workspace, nearest
from onemap.engine.siting.models import cover_savings, median_savings, most_saved, worst_walk
from onemap.engine.siting.travel import Travel
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.osm_network import read_osm_streets

RULES = read_network_rules()
SIDE = 790
LIMIT_S = 900.0


def main() -> None:
    """Run everything and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=SIDE, help="crossings along one side of the city")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--osm", type=Path, help="an extract to compare with Valhalla on")
    parser.add_argument("--only", default="", help="comma-separated parts")
    args = parser.parse_args()
    warm_up()
    streets = city(args.side)
    network, build_s = timed(lambda: build(streets, "foot", RULES))
    results: dict[str, Any] = {
        "machine": platform.platform(),
        "nodes": network.n_node,
        "arcs": network.n_arc,
        "build_s": build_s,
    }
    share = args.side**2 / SIDE**2
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "life_circle": lambda: bench_life_circle(network, args.side, share),
        "drag": lambda: bench_drag(network, args.side, share),
        "nearest": lambda: bench_nearest(network, args.side),
        "isochrones": lambda: bench_isochrones(network, args.side),
        "siting": bench_siting,
        "cameras": lambda: bench_cameras(share),
    }
    if args.osm is not None and importlib.util.find_spec("valhalla"):
        parts["valhalla"] = lambda: bench_valhalla(args.osm)
    wanted = [name for name in args.only.split(",") if name] or list(parts)
    for name in wanted:
        results[name] = parts[name]()
        say(name, results[name])
    results["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    say("peak memory", {"gb": results["peak_gb"]})
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def warm_up() -> None:
    """Compile every kernel on a village, so that compilation is not measured."""
    village = build(city(24), "foot", RULES)
    places = snap(village, *scattered(200, 24, np.random.default_rng(0)), threads=2)
    life_circle(village, places, {"a": places.take(np.arange(3))})
    isochrones(village, places.take(np.arange(1)), [5, 10])
    Drag(village, places, places.take(np.arange(3))).at(places.take(np.arange(1)))
    index = ResponderIndex(village)
    index.place(np.arange(50), places.take(np.arange(50)))
    nearest(index, places.take(np.arange(1)), 3)
    cameras, walls = camera_town(4, 30, np.random.default_rng(0))
    seen_ground(cameras, walls)
    cameras_seeing(cameras, walls, float(cameras.x[0]) + 1.0, float(cameras.y[0]) + 1.0)
    table = Travel.from_matrix(np.random.default_rng(0).random((6, 30)))
    most_saved(cover_savings(table, np.ones(30), 0.3), 2)


def bench_life_circle(network: Any, side: int, share: float) -> dict[str, Any]:
    """1,000,000 buildings and 20 categories; scipy's Dijkstra from a super-source in the same run."""
    rng = np.random.default_rng(1)
    x, y = scattered(int(1_000_000 * share), side, rng)
    where = [scattered(max(2, int(n * share)), side, rng) for n in np.geomspace(150, 9000, 20)]
    (homes, services), snap_s = timed(
        lambda: (snap(network, x, y, threads=2), {str(i): snap(network, *xy) for i, xy in enumerate(where)})
    )
    circle, two_s = timed(lambda: life_circle(network, homes, services, budget_s=LIMIT_S, threads=2))
    _, one_s = timed(lambda: life_circle(network, homes, services, budget_s=LIMIT_S, threads=1))
    _, whole_s = timed(lambda: life_circle(network, homes, services, threads=2))
    ours_s, scipy_s, worst, verdicts = 0.0, 0.0, 0.0, 0
    for name, places in services.items():
        sources = as_sources(network, places)
        _, spent = timed(lambda sources=sources: search(network, sources, budget_s=LIMIT_S, toward=True))
        ours_s += spent
        graph = super_source(network, sources)
        node_s, spent = timed(lambda graph=graph: dijkstra(graph, indices=network.n_node, limit=LIMIT_S + 1.0))
        scipy_s += spent
        found = reach(network, places, budget_s=LIMIT_S + 1.0)
        theirs = times(network, type(found)(node_s[:-1], found.sources, True, LIMIT_S), homes)
        ours = circle.of(name)
        both = np.isfinite(ours) & np.isfinite(theirs)
        worst = max(worst, float(np.abs(ours[both] - theirs[both]).max(initial=0.0)))
        verdicts += int((covered(ours, LIMIT_S - 1e-6) != covered(theirs, LIMIT_S - 1e-6)).sum())
    answer = {
        "buildings": len(homes), "snap_s": snap_s, "two_threads_s": two_s, "one_thread_s": one_s,
        "without_limit_two_threads_s": whole_s, "search_only_s": ours_s, "scipy_search_only_s": scipy_s,
        "times_scipy": scipy_s / ours_s, "largest_difference_s": worst, "verdicts_that_differ": verdicts,
    }  # fmt: skip
    if importlib.util.find_spec("pandana"):
        answer |= peer_pandana(network, x, y, where)
    return answer


def peer_pandana(network: Any, x: Any, y: Any, where: Any) -> dict[str, Any]:
    """pandana on the same graph; queries by CPU seconds, its building of hierarchies apart."""
    import pandana
    import pandas as pd

    nodes = np.arange(network.n_node)
    edges = pd.DataFrame({"a": network.edge_from, "b": network.edge_to, "s": network.edge_forward_s})
    begun = time.process_time()
    theirs = pandana.Network(
        pd.Series(network.node_x, nodes), pd.Series(network.node_y, nodes), edges["a"], edges["b"], edges[["s"]]
    )
    theirs.precompute(LIMIT_S)
    built, begun = time.process_time() - begun, time.process_time()
    ids = theirs.get_node_ids(pd.Series(x), pd.Series(y))
    for i, (fx, fy) in enumerate(where):
        theirs.set_pois(str(i), LIMIT_S, 1, pd.Series(fx), pd.Series(fy))
        theirs.nearest_pois(LIMIT_S, str(i), num_pois=1).iloc[:, 0].reindex(ids)
    return {"pandana_build_cpu_s": built, "pandana_query_cpu_s": time.process_time() - begun}


def bench_drag(network: Any, side: int, share: float) -> dict[str, Any]:
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
    return {"pick_up_s": begin_s, **quantiles(spent)}


def bench_nearest(network: Any, side: int) -> dict[str, Any]:
    """k = 5 of 10,000 that move; every answer checked against scipy; what a straight line would cost."""
    rng = np.random.default_rng(3)
    n, k, n_case = 10_000, 5, 10_000
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
    for i in range(300):
        flush += 1.0
        begun = time.perf_counter()
        nearest(index, events.take(np.array([i])), k, workspace=work)
        cold.append(1000.0 * (time.perf_counter() - begun))
    return {
        "cases": n_case, "mismatches": mismatches, **quantiles(spent),
        "cold_p50_ms": float(np.median(cold)), "cold_p99_ms": float(np.quantile(cold, 0.99)),
        "moving_10000_ms": 1000.0 * moves_s, "straight_line_wrong_share": wrong / 1000.0,
        "straight_line_costs_median_s": float(np.median(lost_s)) if lost_s else 0.0,
        "straight_line_costs_p95_s": float(np.quantile(lost_s, 0.95)) if lost_s else 0.0,
    }  # fmt: skip


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


def bench_isochrones(network: Any, side: int) -> dict[str, Any]:
    """5, 10 and 15 minutes from random places; recall and precision against per-building truth."""
    rng = np.random.default_rng(4)
    spent, counts = [], np.zeros(3)
    for _ in range(200):
        place = snap(network, *scattered(1, side, rng))
        if not place.found[0]:
            continue
        found, s = timed(lambda place=place: isochrones(network, place, [5, 10, 15]))
        spent.append(1000.0 * s)
        px, py = network.position(place.edge, place.fraction)
        x, y = px[0] + rng.uniform(-1100, 1100, 4000), py[0] + rng.uniform(-1100, 1100, 4000)
        homes = snap(network, x, y)
        seconds = times(network, reach(network, place, toward=False, budget_s=1200.0), homes)
        for minutes, polygon in zip(found.minutes, found.polygons, strict=True):
            shapely.prepare(polygon)
            inside, reached = shapely.contains_xy(polygon, x, y), seconds <= 60 * minutes
            counts += [(inside & reached).sum(), reached.sum(), inside.sum()]
    return {**quantiles(spent), "recall": counts[0] / counts[1], "precision": counts[0] / counts[2]}


def bench_valhalla(osm: Path) -> dict[str, Any]:
    """Isochrones and the nearest of 50 by line on one real extract: ours and Valhalla's in turn."""
    import valhalla
    from valhalla.config import get_config

    source = read_osm_streets(osm, RULES)
    network = build(source.streets, "foot", RULES)
    rng = np.random.default_rng(7)
    main_part = np.flatnonzero(network.components.of_node == 0)
    chosen = rng.choice(main_part, 1060)
    x, y = network.node_x[chosen], network.node_y[chosen]
    lon, lat = source.plane.lonlat(x, y)
    where = [{"lon": float(a), "lat": float(b)} for a, b in zip(lon, lat, strict=True)]
    index, work = ResponderIndex(network), Workspace(network)
    index.place(np.arange(1000), snap(network, x[:1000], y[:1000]))
    spent: dict[str, list[float]] = {name: [] for name in ("iso", "valhalla_iso", "nearest", "valhalla_matrix")}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tiles").mkdir()
        (Path(folder) / "none.tar").touch()
        config = get_config(tile_extract=f"{folder}/none.tar", tile_dir=f"{folder}/tiles", verbose=False)
        del config["mjolnir"]["tile_extract"]
        (Path(folder) / "valhalla.json").write_text(json.dumps(config), encoding="utf-8")
        tool = Path(str(valhalla.__file__)).parent / "bin" / "valhalla_build_tiles"
        make = [str(tool), "-c", f"{folder}/valhalla.json", str(osm)]
        subprocess.run(make, check=True, capture_output=True)
        actor = valhalla.Actor(config)
        contours = [{"time": 5}, {"time": 10}, {"time": 15}]
        for i in range(1000, 1060):
            place = snap(network, x[[i]], y[[i]])
            _, s = timed(lambda place=place: isochrones(network, place, [5, 10, 15]))
            spent["iso"].append(1000.0 * s)
            ask = {"locations": [where[i]], "costing": "pedestrian", "contours": contours, "polygons": True}
            _, s = timed(lambda ask=ask: actor.isochrone(ask))
            spent["valhalla_iso"].append(1000.0 * s)
            _, s = timed(lambda place=place: nearest(index, place, 5, workspace=work))
            spent["nearest"].append(1000.0 * s)
            near = np.argsort(np.hypot(x[:1000] - x[i], y[:1000] - y[i]))[:50]
            ask = {"sources": [where[j] for j in near], "targets": [where[i]], "costing": "pedestrian"}
            _, s = timed(lambda ask=ask: matrix_or_nothing(actor, ask))
            spent["valhalla_matrix"].append(1000.0 * s)
    p50 = {f"{name}_p50_ms": float(np.median(values)) for name, values in spent.items()}
    return {
        **p50,
        "isochrones_times_faster": p50["valhalla_iso_p50_ms"] / p50["iso_p50_ms"],
        "nearest_times_faster": p50["valhalla_matrix_p50_ms"] / p50["nearest_p50_ms"],
    }


def matrix_or_nothing(actor: Any, ask: dict[str, Any]) -> Any:
    """Valhalla's matrix; it refuses as a whole where one place lies in a part of its own."""
    import valhalla

    try:
        return actor.matrix(ask)
    except valhalla.ValhallaError:
        return None


def bench_siting() -> dict[str, Any]:
    """Exact on small cases (spopt beside it where importable), swaps with a bound at city size."""
    rng = np.random.default_rng(5)
    answer: dict[str, Any] = {}
    for n_demand, n_candidate, p in ((200, 50, 5), (2000, 500, 20)):
        seconds, weight = plane(rng, n_demand, n_candidate)
        table = Travel.from_matrix(seconds)
        choice, s = timed(lambda t=table, w=weight, p=p: most_saved(cover_savings(t, w, 0.08), p))
        entry = {"s": s, "objective": choice.value, "gap": choice.gap, "method": choice.method}
        if importlib.util.find_spec("spopt"):
            entry |= peer_spopt(seconds, weight, p)
        answer[f"mclp_{n_demand}x{n_candidate}"] = entry
    for name, limit in (("sparse", 0.03), ("dense", 0.12)):
        seconds, weight = plane(rng, 100_000, 2000)
        table = near_only(seconds, limit)
        del seconds
        savings = cover_savings(table, weight, limit)
        choice, s = timed(lambda v=savings: most_saved(v, 50, exact=False, time_limit_s=12.0))
        answer[f"mclp_100000x2000_{name}"] = {
            "pairs": len(savings.demand), "s": s, "objective": choice.value, "bound": choice.bound, "gap": choice.gap,
        }  # fmt: skip
        savings = median_savings(table, weight, np.full(100_000, limit))
        choice, s = timed(lambda v=savings: most_saved(v, 50, exact=False, time_limit_s=12.0))
        answer[f"pmedian_100000x2000_{name}"] = {
            "s": s,
            "saves": choice.value,
            "bound": choice.bound,
            "gap": choice.gap,
        }
    seconds, weight = plane(rng, 2000, 500)
    table = Travel.from_matrix(seconds)
    choice, s = timed(lambda: most_saved(median_savings(table, weight, worst_walk(table)), 20, exact=False))
    answer["pmedian_2000x500"] = {"s": s, "gap": choice.gap}
    return answer


def peer_spopt(seconds: Any, weight: Any, p: int) -> dict[str, Any]:
    """spopt.locate's MCLP on the same table."""
    import pulp
    from spopt.locate import MCLP

    def solve() -> Any:
        model = MCLP.from_cost_matrix(seconds.T, weight, 0.08, p_facilities=p)
        return model.solve(pulp.PULP_CBC_CMD(msg=False))

    model, s = timed(solve)
    return {"spopt_s": s, "spopt_objective": float(model.problem.objective.value())}


def bench_cameras(share: float) -> dict[str, Any]:
    """20,000 cameras among 1,000,000 buildings."""
    rng = np.random.default_rng(6)
    n_building = int(1_000_000 * share)
    cameras, walls = camera_town(int(20_000 * share), n_building, rng)
    ground, s = timed(lambda: seen_ground(cameras, walls))
    spent = []
    for _ in range(50):
        i = rng.integers(len(cameras))
        _, one = timed(lambda i=i: cameras_seeing(cameras, walls, float(cameras.x[i]) + 9.0, float(cameras.y[i]) + 9.0))
        spent.append(1000.0 * one)
    return {
        "cameras": len(cameras), "buildings": n_building, "s": s, "us_a_camera": 1e6 * s / max(len(cameras), 1),
        "mean_area_m2": float(shapely.area(ground).mean()), "which_see_p99_ms": float(np.quantile(spent, 0.99)),
    }  # fmt: skip


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


def quantiles(spent_ms: list[float]) -> dict[str, float]:
    """p50 and p99 of milliseconds."""
    return {"p50_ms": float(np.median(spent_ms)), "p99_ms": float(np.quantile(spent_ms, 0.99))}


def say(name: str, values: dict[str, Any]) -> None:
    """One part as lines of a table."""
    lines = [name]
    for key, value in values.items():
        if isinstance(value, dict):
            text = ", ".join(f"{k} {v:.6g}" if isinstance(v, float) else f"{k} {v}" for k, v in value.items())
            lines.append(f"  {key}: {text}")
            continue
        lines.append(f"  {key:32} {value:.6g}" if isinstance(value, float) else f"  {key:32} {value}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
