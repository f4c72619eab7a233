"""A coarser graph of the same ground: annealing moves whole blocks before it moves houses."""

import numpy as np

from onemap.engine.geometry.types import I32
from onemap.engine.partition._seed import mend, metis
from onemap.engine.partition.graph import Graph


def clusters(graph: Graph, zone: I32, per_zone: int, seed: int, alone: I32) -> I32:
    """
    (n_atom,) about ``per_zone`` connected clusters of atoms for every grid.

    Clusters follow the ground rather than the grids of ``zone``, which only says how many grids each connected part
    holds. Atoms in ``alone`` stay by themselves.
    """
    solitary = np.zeros(graph.n_atom, dtype=np.bool_)
    solitary[alone] = True
    part = graph.parts(~solitary)
    cluster = np.empty(graph.n_atom, dtype=np.int32)
    cluster[alone] = np.arange(len(alone))
    count = len(alone)
    order = np.argsort(part, kind="stable").astype(np.int32)
    heads = np.unique(part[~solitary])
    low, high = np.searchsorted(part[order], heads, "left"), np.searchsorted(part[order], heads, "right")
    for a, b in zip(low, high, strict=True):
        atoms = order[a:b]
        atoms = atoms[~solitary[atoms]]
        n_zone = len(np.unique(zone[atoms]))
        ballast = max(1.0, float(np.ceil(graph.weight[atoms, 0].mean())))
        n_part = max(1, min(n_zone * per_zone, len(atoms) // 2))
        piece = metis(graph, atoms, n_part, seed, ballast=ballast)
        cluster[atoms] = piece + count
        count += int(piece.max()) + 1
    mended = mend(graph, cluster, np.arange(graph.n_atom, dtype=np.int32))
    _, dense = np.unique(mended, return_inverse=True)
    return dense.astype(np.int32)


def coarsened(graph: Graph, cluster: I32) -> Graph:
    """The graph whose atoms are the clusters."""
    n = int(cluster.max()) + 1
    row, to = cluster[graph.row()].astype(np.int64), cluster[graph.to].astype(np.int64)
    across = row != to
    pair, edge = np.unique(row[across] * n + to[across], return_inverse=True)
    inner = np.bincount(row[~across], graph.length_m[~across], n)
    joined = np.bincount(edge, graph.joins[across], len(pair)) > 0
    return Graph(
        weight=np.stack([np.bincount(cluster, graph.weight[:, c], n) for c in range(2)], axis=1),
        area_m2=np.bincount(cluster, graph.area_m2, n),
        perimeter_m=np.bincount(cluster, graph.perimeter_m, n) - inner,
        estate=np.full(n, -1, dtype=np.int32),
        first=np.concatenate([[0], np.cumsum(np.bincount(pair // n, minlength=n))]).astype(np.int64),
        to=(pair % n).astype(np.int32),
        length_m=np.bincount(edge, graph.length_m[across], len(pair)).astype(np.float64),
        cost_m=np.bincount(edge, graph.cost_m[across], len(pair)).astype(np.float64),
        barrier_m=np.bincount(edge, graph.barrier_m[across], len(pair)).astype(np.float64),
        joins=joined,
    )
