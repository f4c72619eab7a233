"""The peers that ``partition.py`` runs on our atom graph: each a function from atoms to a grid for every atom."""

from __future__ import annotations

import importlib.util
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import geopandas as gpd
import numpy as np
import pymetis
import shapely
from scipy.cluster.vq import kmeans2

from onemap.engine.partition import Goal
from onemap.engine.partition._seed import subgraph
from onemap.engine.partition.atoms import Atoms

GOAL = Goal.of(300, 400, 500)
SEEDS = 10
#: A peer that needs longer than this for one plan is stopped.
LIMIT_S = 60.0

type Zone = np.ndarray[Any, Any]


def peers(measure: Callable[[Atoms, Zone], dict[str, Any]]) -> dict[str, Callable[[Atoms], Zone]]:
    """Every peer that can be imported here, METIS first."""
    found: dict[str, Callable[[Atoms], Zone]] = {
        "METIS best of 10": lambda atoms: best_metis(atoms, measure),
        "METIS recursive": lambda atoms: metis(atoms, 1, contiguous=False),
    }
    if importlib.util.find_spec("kahip"):
        found["KaHIP eco"] = kahip
    if importlib.util.find_spec("gerrychain"):
        found["GerryChain ReCom"] = recom
    if importlib.util.find_spec("spopt"):
        found |= {"spopt MaxP": max_p, "spopt Skater": skater, "spopt AZP": azp, "spopt RegionKMeans": region_k_means}
    return found | {"k-means": k_means, "H3" if importlib.util.find_spec("h3") else "hexagons": h3_cells}


def limited(solve: Callable[[Atoms], Zone], atoms: Atoms, limit_s: float) -> tuple[Zone, float]:
    """The plan and its seconds, made in a process of its own that ends with the limit."""
    here, there = multiprocessing.get_context("fork").Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_send, args=(solve, atoms, there), daemon=True)
    process.start()
    there.close()
    try:
        if not here.poll(limit_s):
            raise TimeoutError(f"> {limit_s:.0f} s")
        answer = here.recv()
    except EOFError as wrong:
        raise RuntimeError("the process died") from wrong
    finally:
        process.kill()
        process.join()
    if isinstance(answer, RuntimeError):
        raise answer
    return answer


def _send(solve: Callable[[Atoms], Zone], atoms: Atoms, there: Connection) -> None:
    started = time.perf_counter()
    try:
        there.send((solve(atoms), time.perf_counter() - started))
    except Exception as wrong:  # noqa: BLE001 - whatever a peer does is its result
        there.send(RuntimeError(f"{type(wrong).__name__}: {wrong}"[:160]))


def dense(labels: Any) -> Zone:
    """Labels counted from 0 without gaps."""
    return np.unique(np.asarray(labels), return_inverse=True)[1].ravel().astype(np.int32)


def n_ideal(atoms: Atoms) -> int:
    """The number of grids at the target."""
    return max(1, round(atoms.graph.weight[:, 0].sum() / GOAL.band[0, 1]))


def metis(atoms: Atoms, seed: int, *, contiguous: bool, parts: float = 1.0) -> Zone:
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
            labels = dense(found)
        zone[members] = labels + count
        count += int(labels.max()) + 1
    return zone


def best_metis(atoms: Atoms, measure: Callable[[Atoms, Zone], dict[str, Any]]) -> Zone:
    """The best of ten seeds, each with its own number of grids about the ideal one."""
    tries = [metis(atoms, seed, contiguous=True, parts=0.92 + 0.02 * (seed % 9)) for seed in range(1, SEEDS + 1)]

    def worth(zone: Zone) -> tuple[int, float]:
        row = measure(atoms, zone)
        return row["out"], -row["polsby_popper"]

    return min(tries, key=worth)


def middles(atoms: Atoms) -> Zone:
    """(n_atom, 2) a point on each atom, metres."""
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(atoms.arcs.polygons())))


def k_means(atoms: Atoms) -> Zone:
    """Clusters of atoms by place."""
    _, labels = kmeans2(middles(atoms), n_ideal(atoms), seed=1, minit="points", missing="warn")
    return dense(labels)


def h3_cells(atoms: Atoms) -> Zone:
    """H3 cells of the resolution whose cells are nearest to the mean grid; without h3, hexagons of that size."""
    spots = middles(atoms)
    area = atoms.graph.area_m2.sum() / n_ideal(atoms)
    if importlib.util.find_spec("h3"):
        import h3

        resolution = min(range(6, 13), key=lambda r: abs(np.log(h3.average_hexagon_area(r, unit="m^2") / area)))
        degree = 111_320.0  # the ground laid down near the equator, where H3 cells are as good as anywhere
        cells = [h3.latlng_to_cell(y / degree, 20 + x / degree, resolution) for x, y in spots]
        return dense(cells)
    side = np.sqrt(area * 2 / (3 * np.sqrt(3)))
    q = (np.sqrt(3) / 3 * spots[:, 0] - spots[:, 1] / 3) / side
    r = 2 / 3 * spots[:, 1] / side
    return (
        np.unique(np.stack([np.rint(q), np.rint(r)], axis=1), axis=0, return_inverse=True)[1].ravel().astype(np.int32)
    )


def kahip(atoms: Atoms) -> Zone:
    """KaHIP in its eco mode, a fifth of imbalance."""
    import kahip as peer

    graph = atoms.graph
    weight = np.rint(graph.weight[:, 0]).astype(int).tolist()
    metres = np.maximum(np.rint(graph.length_m), 1).astype(int).tolist()
    arguments = (weight, graph.first.tolist(), metres, graph.to.tolist(), n_ideal(atoms), 0.2, True, 1, peer.ECO)
    _, found = peer.kaffpa(*arguments)
    return dense(found)


def recom(atoms: Atoms) -> Zone:
    """GerryChain: a recursive tree plan and as many recombinations as there are grids, on the largest piece."""
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
    for _ in range(k):
        part = propose(part, "households", total / k, 0.2, 1)
    zone = np.full(graph.n_atom, k, dtype=np.int32)
    for a, z in part.assignment.items():
        zone[a] = z
    return dense(zone)


def _neighbours(atoms: Atoms) -> Any:
    import libpysal

    graph = atoms.graph
    row = graph.row()
    near: dict[int, list[int]] = {a: [] for a in range(graph.n_atom)}
    for a, b in zip(row[graph.joins].tolist(), graph.to[graph.joins].tolist(), strict=True):
        near[a].append(b)
    return libpysal.weights.W(near, silence_warnings=True)


def _frame(atoms: Atoms) -> gpd.GeoDataFrame:
    spots = middles(atoms)
    columns = {"households": atoms.graph.weight[:, 0], "x": spots[:, 0], "y": spots[:, 1]}
    return gpd.GeoDataFrame(columns, geometry=list(atoms.arcs.polygons()))


def max_p(atoms: Atoms) -> Zone:
    """MaxP: as many grids of at least 300 households as there can be."""
    from spopt.region import MaxPHeuristic

    model = MaxPHeuristic(_frame(atoms), _neighbours(atoms), ["x", "y"], "households", 300, top_n=2)
    model.solve()
    return dense(model.labels_)


def skater(atoms: Atoms) -> Zone:
    """Skater: a spanning tree cut into pieces by place."""
    from spopt.region import Skater

    model = Skater(_frame(atoms), _neighbours(atoms), ["x", "y"], n_clusters=n_ideal(atoms), floor=1)
    model.solve()
    return dense(model.labels_)


def azp(atoms: Atoms) -> Zone:
    """AZP: exchanges that make grids alike in place."""
    from spopt.region import AZP

    model = AZP(_frame(atoms), _neighbours(atoms), ["x", "y"], n_clusters=n_ideal(atoms), random_state=1)
    model.solve()
    return dense(model.labels_)


def region_k_means(atoms: Atoms) -> Zone:
    """RegionKMeans: k-means whose clusters stay connected."""
    from spopt.region import RegionKMeansHeuristic

    model = RegionKMeansHeuristic(middles(atoms), n_ideal(atoms), _neighbours(atoms))
    model.solve()
    return dense(model.labels_)
