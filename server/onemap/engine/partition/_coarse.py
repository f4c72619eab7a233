"""A coarser graph of the same ground: annealing moves whole blocks before it moves houses."""

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.geometry.types import I32
from onemap.engine.partition._ground import components
from onemap.engine.partition._seed import metis
from onemap.engine.partition.graph import Graph

_ROUNDS = 12
#: Blocks of more than this share of the usual grid are parted.
_LARGEST_BLOCK = 0.34
#: A cluster may be so many times as heavy as the mean one.
_HEAVIEST = 1.7


def clusters(graph: Graph, n_zone: int, per_zone: int, seed: int, alone: I32) -> I32:
    """
    (n_atom,) connected clusters of atoms, about ``per_zone`` for each of ``n_zone`` grids.

    Neighbours are matched in rounds, those first that share much of their outline on no barrier. Atoms in ``alone``
    stay by themselves.
    """
    n_part = n_zone * per_zone
    ballast = max(float(graph.weight[:, 0].mean()), 1e-9)
    size = graph.weight[:, 0] + ballast
    heaviest = _HEAVIEST * float(size.sum()) / n_part
    size[alone] = np.inf
    rng = np.random.default_rng(seed)
    cluster = np.arange(graph.n_atom, dtype=np.int32)
    level = graph
    for _ in range(_ROUNDS):
        n = level.n_atom
        order = rng.permutation(n).astype(np.int32)
        match = _matched(
            order, size, heaviest, level.perimeter_m, level.first, level.to, level.length_m, level.cost_m, level.joins
        )
        _, inverse = np.unique(match, return_inverse=True)
        dense: I32 = inverse.astype(np.int32)
        size = np.bincount(dense, size)
        cluster = np.asarray(dense[cluster], dtype=np.int32)
        if len(size) > 0.97 * n:
            break
        level = coarsened(level, dense)
        if level.n_atom <= n_part:
            break
    return cluster


def whole_blocks(graph: Graph, n_zone: int, per_zone: int, seed: int, alone: I32) -> I32:
    """
    (n_atom,) blocks: what no barrier divides.

    Large blocks are parted and small ones joined, so that about ``per_zone`` at most make one of ``n_zone`` grids.
    Atoms in ``alone`` stay by themselves.
    """
    row = graph.row()
    single = np.zeros(graph.n_atom, dtype=np.bool_)
    single[alone] = True
    inner = graph.joins & (2 * graph.barrier_m < graph.length_m) & ~single[row] & ~single[graph.to]
    root = components(graph.n_atom, row[inner], graph.to[inner])
    _, inverse = np.unique(root, return_inverse=True)
    block = inverse.astype(np.int32)
    weight = np.bincount(block, np.where(single, 0.0, graph.weight[:, 0]))
    largest = _LARGEST_BLOCK * float(graph.weight[~single, 0].sum()) / n_zone
    count = len(weight)
    order = np.argsort(block, kind="stable").astype(np.int32)
    ends = np.searchsorted(block[order], np.arange(count + 1))
    for b in np.flatnonzero(weight > largest):
        atoms = order[ends[b] : ends[b + 1]]
        part = metis(graph, atoms, min(int(np.ceil(weight[b] / largest)), len(atoms)), seed)
        block[atoms] = np.where(part > 0, count + part - 1, b)
        count += int(part.max())
    inner = graph.joins & (block[row] == block[graph.to])
    root = components(graph.n_atom, row[inner], graph.to[inner])
    _, inverse = np.unique(root, return_inverse=True)
    block = inverse.astype(np.int32)
    if int(block.max()) + 1 > per_zone * n_zone:
        block = clusters(coarsened(graph, block), n_zone, per_zone, seed, np.unique(block[alone]))[block]
    return block


@kernel
def _matched(order, size, heaviest, perimeter, first, to, length, cost, joins):  # type: ignore[no-untyped-def]
    """(n,) the smaller number of the pair that each is matched in; its own where it stays single."""
    match = np.full(len(order), -1, dtype=np.int32)
    for a in order:
        if match[a] >= 0:
            continue
        best, best_gain = -1, 0.0
        for e in range(first[a], first[a + 1]):
            b = to[e]
            if not joins[e] or match[b] >= 0 or size[a] + size[b] > heaviest:
                continue
            gain = cost[e] / max(perimeter[a] + perimeter[b] - 2 * length[e], 1e-9)
            if gain > best_gain:
                best, best_gain = b, gain
        if best < 0:
            match[a] = a
        else:
            match[a] = match[best] = min(a, best)
    return match


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
