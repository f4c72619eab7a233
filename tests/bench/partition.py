"""
The partition engine beside its peers on the same atom graph, in one run: a table, JSON, and pictures side by side.

    python tests/bench/partition.py [FILE.osm.pbf ...] [--households 150000] [--out bench/results/partition.json]

Without files the town is invented. ONEMAP_BENCH_DATA may name a folder of extracts instead. Peers run where they can be
imported (requirements-bench.txt); METIS always can. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pymetis
import shapely
from scipy.cluster.vq import kmeans2

from onemap.cli.partition import _from_osm
from onemap.engine.partition import Effort, Goal, _anneal
from onemap.engine.partition import frames as engine
from onemap.engine.partition._seed import subgraph
from onemap.engine.partition.atoms import Atoms, cut_atoms, weigh
from onemap.engine.partition.zoning import make_zones

GOAL = Goal.of(300, 400, 500)
SEEDS = 10
LIMIT_S = 60.0


def main() -> None:
    """Run everything and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--households", type=int, help="scale the estimated households to this many in all")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("bench/results/partition.json"))
    parser.add_argument("--pictures", type=Path, default=Path("bench/results"))
    args = parser.parse_args()
    folder = os.environ.get("ONEMAP_BENCH_DATA")
    files = args.files or (sorted(Path(folder).glob("*.osm.*")) if folder else [])
    results: dict[str, Any] = {"machine": platform.platform(), "cores": args.workers, "places": {}}
    for path in files or [None]:
        name = path.name.split(".")[0] if path else "invented"
        town = town_of(path) if path else invented()
        results["places"][name] = compare(name, *town, args)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(results, indent=1))


def town_of(path: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None, gpd.GeoDataFrame | None]:
    """Buildings with estimated households, streets and water of an extract."""
    found = _from_osm(
        {"osm": path, "bbox": None, "boundary": None, "estates": None, "households_rule": "households-by-floors"}
    )
    return found.buildings, found.streets, found.water


def invented(side: int = 24) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, None]:
    """Blocks of low houses, a tower in some of them."""
    rng = np.random.default_rng(5)
    step, houses, households = 110.0, [], []
    for i in range(side):
        for j in range(side):
            for _ in range(16):
                x, y = (i + rng.uniform(0.12, 0.88)) * step, (j + rng.uniform(0.12, 0.88)) * step
                half = rng.uniform(3, 7, 2)
                houses.append(shapely.box(x - half[0], y - half[1], x + half[0], y + half[1]))
                households.append(int(rng.integers(1, 9)) if rng.random() < 0.985 else int(rng.integers(80, 420)))
    lines = [shapely.LineString([(i * step, 0), (i * step, side * step)]) for i in range(1, side)]
    lines += [shapely.LineString([(0, j * step), (side * step, j * step)]) for j in range(1, side)]
    shift = (500_000, 3_500_000)
    buildings = gpd.GeoDataFrame({"households": households}, geometry=houses, crs="EPSG:4547").translate(*shift)
    frame = gpd.GeoDataFrame({"households": households}, geometry=buildings, crs="EPSG:4547")
    streets = gpd.GeoDataFrame(geometry=gpd.GeoSeries(lines, crs="EPSG:4547").translate(*shift))
    return frame, streets.assign(kind="secondary"), None


def compare(
    name: str,
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None,
    water: gpd.GeoDataFrame | None,
    args: argparse.Namespace,
) -> dict[str, Any]:
    """All methods on one place."""
    households = buildings["households"].to_numpy(dtype=np.float64)
    if args.households:
        households = np.rint(households * args.households / households.sum())
    town = engine._Town.of(buildings, streets, water, None, None, None, every_street_bridges=False)
    (arcs, building_atom), atoms_s = timed(lambda: cut_atoms(town.land))
    atoms, _ = weigh(arcs, building_atom, np.stack([households, households], axis=1), town.estate)
    make_zones(atoms.graph, GOAL, effort=Effort(steps_per_atom=1, rounds=1, repair_tries=1))  # compile
    rows: dict[str, dict[str, Any]] = {}
    plans: dict[str, np.ndarray[Any, Any]] = {}
    for method, solve in methods(atoms, args.workers).items():
        try:
            zone, seconds = timed(solve)
        except (MemoryError, RuntimeError, ValueError, TimeoutError) as wrong:
            rows[method] = {"failed": str(wrong)[:200]}
            continue
        rows[method] = measure(atoms, zone) | {"seconds": round(seconds, 3)}
        plans[method] = zone
    n_households = int(households.sum())
    print(f"\n{name}: {n_households} households, {atoms.graph.n_atom} atoms cut in {atoms_s:.1f} s")
    print(f"{'method':24} grids  in band  out  parts   PP    cut km  off km  seconds")
    for method, row in rows.items():
        if "failed" in row:
            print(f"{method:24} failed: {row['failed']}")
            continue
        print(
            f"{method:24} {row['grids']:5} {row['in_band']:7.1%} {row['out']:4} {row['discontiguous']:6} "
            f"{row['polsby_popper']:6.3f} {row['cut_km']:8.1f} {row['off_barrier_km']:7.1f} {row['seconds']:8.2f}"
        )
    draw(args.pictures / f"partition-{name}.svg", atoms, plans)
    ratios = against(rows["onemap"], rows["METIS best of 10"])
    print("onemap / METIS:", ", ".join(f"{key} {value:.2f}" for key, value in ratios.items()))
    return {"households": n_households, "atoms": atoms.graph.n_atom, "seconds_atoms": atoms_s, "ratios": ratios} | rows


def timed[T](work: Callable[[], T]) -> tuple[T, float]:
    """The outcome and how long it took."""
    started = time.perf_counter()
    outcome = work()
    return outcome, time.perf_counter() - started


def methods(atoms: Atoms, workers: int) -> dict[str, Callable[[], np.ndarray[Any, Any]]]:
    """Every method that can run here."""
    found: dict[str, Callable[[], np.ndarray[Any, Any]]] = {
        "onemap": lambda: make_zones(atoms.graph, GOAL, seed=1, effort=Effort(workers=workers)),
        "METIS best of 10": lambda: best_metis(atoms),
        "METIS recursive": lambda: metis(atoms, 1, contiguous=False),
        "k-means": lambda: k_means(atoms),
        "hexagons (as H3)": lambda: h3_cells(atoms),
    }
    if importlib.util.find_spec("kahip"):
        found["KaHIP eco"] = lambda: kahip(atoms)
    if importlib.util.find_spec("gerrychain"):
        found["GerryChain ReCom"] = lambda: recom(atoms)
    if importlib.util.find_spec("spopt"):
        found["spopt MaxP"] = lambda: max_p(atoms)
    return found


def metis(atoms: Atoms, seed: int, *, contiguous: bool, parts: float = 1.0) -> np.ndarray[Any, Any]:
    """METIS on shared metres for every connected piece of ground."""
    graph = atoms.graph
    zone = np.zeros(graph.n_atom, dtype=np.int32)
    count = 0
    part = graph.parts()
    for head in np.unique(part):
        members = np.flatnonzero(part == head).astype(np.int32)
        total = graph.weight[members, 0].sum()
        k = min(max(1, round(parts * total / GOAL.band[0, 1])), len(members))
        labels = np.zeros(len(members), dtype=np.int32)
        if k > 1:
            first, to, edge = subgraph(graph, members)
            options = pymetis.Options(seed=seed)
            if contiguous:
                options.contig = 1
            _, found = pymetis.part_graph(
                k,
                pymetis.CSRAdjacency(first, to),
                vweights=np.rint(graph.weight[members, 0]).astype(np.int64),
                eweights=np.maximum(np.rint(graph.length_m[edge]), 1).astype(np.int64),
                recursive=not contiguous,
                options=options,
            )
            _, labels = np.unique(np.asarray(found), return_inverse=True)
        zone[members] = labels + count
        count += int(labels.max()) + 1
    return zone


def best_metis(atoms: Atoms) -> np.ndarray[Any, Any]:
    """The best of ten seeds, each with its own number of grids about the ideal one."""
    tries = [metis(atoms, seed, contiguous=True, parts=0.92 + 0.02 * (seed % 9)) for seed in range(1, SEEDS + 1)]
    return min(tries, key=lambda zone: (measure(atoms, zone)["out"], -measure(atoms, zone)["polsby_popper"]))


def middles(atoms: Atoms) -> np.ndarray[Any, Any]:
    """(n_atom, 2) a point on each atom, metres."""
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(atoms.arcs.polygons())))


def k_means(atoms: Atoms) -> np.ndarray[Any, Any]:
    """Clusters of atoms with households by place."""
    spots = middles(atoms)
    k = max(1, round(atoms.graph.weight[:, 0].sum() / GOAL.band[0, 1]))
    _, labels = kmeans2(spots, k, seed=1, minit="points", missing="warn")
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)


def h3_cells(atoms: Atoms) -> np.ndarray[Any, Any]:
    """Hexagons of about the mean size of a grid, as H3 would lay them."""
    spots = middles(atoms)
    k = max(1.0, atoms.graph.weight[:, 0].sum() / GOAL.band[0, 1])
    side = np.sqrt(atoms.graph.area_m2.sum() / k * 2 / (3 * np.sqrt(3)))
    q = (np.sqrt(3) / 3 * spots[:, 0] - spots[:, 1] / 3) / side
    r = 2 / 3 * spots[:, 1] / side
    cell = np.stack([np.rint(q), np.rint(r)], axis=1)
    return np.unique(cell, axis=0, return_inverse=True)[1].ravel().astype(np.int32)


def kahip(atoms: Atoms) -> np.ndarray[Any, Any]:
    """KaHIP in its eco mode."""
    import kahip as peer

    graph = atoms.graph
    weight = np.rint(graph.weight[:, 0]).astype(int).tolist()
    metres = np.maximum(np.rint(graph.length_m), 1).astype(int).tolist()
    k = max(1, round(graph.weight[:, 0].sum() / GOAL.band[0, 1]))
    _, found = peer.kaffpa(weight, graph.first.tolist(), metres, graph.to.tolist(), k, 0.2, 1, 1, 1)
    return np.unique(np.asarray(found), return_inverse=True)[1].astype(np.int32)


def recom(atoms: Atoms) -> np.ndarray[Any, Any]:
    """GerryChain: a recursive tree plan and recombinations until time is over."""
    import networkx as nx
    from gerrychain import Graph, Partition, updaters
    from gerrychain.proposals import recom as propose
    from gerrychain.tree import recursive_tree_part

    graph = atoms.graph
    net = nx.Graph()
    for a in range(graph.n_atom):
        net.add_node(a, households=float(graph.weight[a, 0]))
    row = graph.row()
    net.add_edges_from(zip(row[graph.joins].tolist(), graph.to[graph.joins].tolist(), strict=True))
    net = net.subgraph(max(nx.connected_components(net), key=len)).copy()
    total = sum(data for _, data in net.nodes(data="households"))
    k = max(1, round(total / GOAL.band[0, 1]))
    peer = Graph.from_networkx(net)
    plan = recursive_tree_part(peer, range(k), total / k, "households", 0.2)
    part = Partition(peer, plan, {"households": updaters.Tally("households")})
    started = time.perf_counter()
    for _ in range(20):
        if time.perf_counter() - started > LIMIT_S:
            break
        part = propose(part, "households", total / k, 0.2, 1)
    zone = np.full(graph.n_atom, k, dtype=np.int32)
    for a, z in part.assignment.items():
        zone[a] = z
    return np.unique(zone, return_inverse=True)[1].astype(np.int32)


def max_p(atoms: Atoms) -> np.ndarray[Any, Any]:
    """Spopt's MaxP heuristic, on places small enough for it."""
    import libpysal
    from spopt.region import MaxPHeuristic

    graph = atoms.graph
    if graph.n_atom > 3000:
        raise TimeoutError("more atoms than it takes in a minute")
    row = graph.row()
    near = {a: graph.to[(row == a) & graph.joins].tolist() for a in range(graph.n_atom)}
    frame = gpd.GeoDataFrame({"households": graph.weight[:, 0]}, geometry=list(atoms.arcs.polygons()))
    model = MaxPHeuristic(frame, libpysal.weights.W(near), ["households"], "households", 300, top_n=2)
    model.solve()
    return np.unique(np.asarray(model.labels_), return_inverse=True)[1].astype(np.int32)


def measure(atoms: Atoms, zone: np.ndarray[Any, Any]) -> dict[str, Any]:
    """What a plan is worth; a building above the maximum is in nobody's power and left out of ``out``."""
    g = atoms.graph
    n = int(zone.max()) + 1
    sums = _anneal.totals(zone, n, g.weight, g.area_m2, g.perimeter_m, g.first, g.to, g.length_m)
    miss = GOAL.miss(sums) > 0
    hopeless = np.zeros(n, dtype=bool)
    hopeless[zone[GOAL.too_big(g.weight)]] = True
    cut = zone[g.row()] != zone[g.to]
    return {
        "grids": n,
        "in_band": float((~miss).sum() / max((~hopeless).sum(), 1)),
        "out": int((miss & ~hopeless).sum()),
        "discontiguous": int((_anneal.parts_of(zone, n, g.first, g.to, g.joins) != 1).sum()),
        "polsby_popper": float((4 * np.pi * sums[:, 2] / np.maximum(sums[:, 3], 1e-9) ** 2).mean()),
        "cut_km": float(g.length_m[cut].sum() / 2000),
        "off_barrier_km": float((g.length_m - g.barrier_m)[cut].sum() / 2000),
    }


def against(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float]:
    """Our figures as shares of theirs."""
    keys = ("out", "polsby_popper", "cut_km", "off_barrier_km", "seconds")
    return {key: ours[key] / theirs[key] if theirs[key] else float(ours[key] > 0) for key in keys}


def draw(path: Path, atoms: Atoms, plans: dict[str, np.ndarray[Any, Any]]) -> None:
    """The plans side by side as one SVG, grids out of band in red."""
    wanted = [name for name in ("onemap", "METIS best of 10", "k-means", "hexagons (as H3)") if name in plans]
    west, south, east, north = atoms.arcs.xy[:, 0].min(), atoms.arcs.xy[:, 1].min(), *atoms.arcs.xy.max(axis=0)
    scale = 480 / (east - west)
    height = (north - south) * scale
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{500 * len(wanted)}" height="{height + 30:.0f}">']
    for column, name in enumerate(wanted):
        zone = plans[name]
        n = int(zone.max()) + 1
        weight = np.bincount(zone, atoms.graph.weight[:, 0], n)
        parts.append(f'<text x="{500 * column + 8}" y="20" font-family="sans-serif" font-size="16">{name}</text>')
        for z, shape in enumerate(atoms.arcs.relabelled(zone).polygons()):
            good = 300 <= weight[z] <= 500
            colour = f"hsl({(z * 137) % 360},45%,80%)" if good else "#d7301f"
            rings = shapely.get_rings(shapely.get_parts(shapely.simplify(shape, 0.7 / scale)))
            pen = "".join(
                "M" + "L".join(f"{(x - west) * scale:.1f} {(north - y) * scale:.1f}" for x, y in ring.coords) + "Z"
                for ring in rings
            )
            parts.append(
                f'<path transform="translate({500 * column + 8},30)" d="{pen}" fill="{colour}" fill-rule="evenodd" '
                'stroke="#444" stroke-width=".5"/>'
            )
    parts.append("</svg>")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
