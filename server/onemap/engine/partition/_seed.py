"""First plans by METIS, in its own words: integer weights, connected graphs only."""

import numpy as np
import pymetis

from onemap.engine._jit import kernel
from onemap.engine.geometry.types import F64, I32, I64
from onemap.engine.partition.graph import Graph


def metis(graph: Graph, atoms: I32, n_part: int, seed: int, *, recursive: bool = False, ballast: float = 0.0) -> I32:
    """
    (len(atoms),) parts of about equal weight; ``ballast`` is added to the weight of every atom.

    ``atoms`` must be joined to one another. Parts are connected except where METIS gives up; some may be empty.
    """
    if n_part <= 1 or len(atoms) <= 1:
        return np.zeros(len(atoms), dtype=np.int32)
    if n_part >= len(atoms):
        return np.arange(len(atoms), dtype=np.int32)
    first, to, edge = subgraph(graph, atoms)
    weight = np.maximum(np.rint(graph.weight[atoms, 0] + ballast), 0).astype(np.int64)
    cost = np.maximum(np.rint(graph.cost_m[edge]), 1).astype(np.int64)
    options = pymetis.Options(seed=int(seed) & 0x7FFFFFFF, ncuts=1)
    if not recursive:
        options.contig = 1
    _, part = pymetis.part_graph(
        n_part, pymetis.CSRAdjacency(first, to), vweights=weight, eweights=cost, recursive=recursive, options=options
    )
    return np.asarray(part, dtype=np.int32)


def subgraph(graph: Graph, atoms: I32) -> tuple[I64, I64, I64]:
    """The joined edges among these atoms in CSR form, and which edge of the graph each is."""
    number = np.full(graph.n_atom, -1, dtype=np.int64)
    number[atoms] = np.arange(len(atoms))
    first, to, edge = _subgraph(atoms, number, graph.first, graph.to, graph.joins)
    return first, to, edge


@kernel
def _subgraph(atoms, number, first, to, joins):  # type: ignore[no-untyped-def]
    n = len(atoms)
    begin = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        count = 0
        for e in range(first[atoms[i]], first[atoms[i] + 1]):
            if joins[e] and number[to[e]] >= 0:
                count += 1
        begin[i + 1] = begin[i] + count
    other = np.empty(begin[n], dtype=np.int64)
    edge = np.empty(begin[n], dtype=np.int64)
    k = 0
    for i in range(n):
        for e in range(first[atoms[i]], first[atoms[i] + 1]):
            if joins[e] and number[to[e]] >= 0:
                other[k], edge[k] = number[to[e]], e
                k += 1
    return begin, other, edge


def zone_graph(graph: Graph, zone: I32, n_zone: int) -> tuple[I64, I64, F64]:
    """Which grids are joined, in CSR form, with the metres they share."""
    row, to = zone[graph.row()].astype(np.int64), zone[graph.to].astype(np.int64)
    kept = (row != to) & graph.joins & (row >= 0) & (to >= 0)
    pair, edge = np.unique(row[kept] * n_zone + to[kept], return_inverse=True)
    metres = np.bincount(edge, graph.length_m[kept], len(pair))
    first = np.concatenate([[0], np.cumsum(np.bincount(pair // n_zone, minlength=n_zone))])
    return first.astype(np.int64), (pair % n_zone).astype(np.int64), metres


def mend(graph: Graph, zone: I32, atoms: I32) -> I32:
    """The same plan with every grid in one piece: stray pieces go to the neighbour they share the most with."""
    zone = zone.copy()
    chosen = np.zeros(graph.n_atom, dtype=np.bool_)
    chosen[atoms] = True
    for _ in range(20):
        row = graph.row()
        part = _parts_within(zone, graph.first, graph.to, graph.joins)
        heads, size = np.unique(part[atoms], return_inverse=True)
        weight = np.bincount(size, graph.weight[atoms, 0] + 1e-6, len(heads))
        best: dict[int, int] = {}
        for i in np.argsort(-weight, kind="stable"):
            best.setdefault(int(zone[heads[i]]), int(heads[i]))
        stray = heads[[best[int(zone[h])] != h for h in heads]]
        if not len(stray):
            return zone
        for head in stray:
            piece = np.flatnonzero(part == head)
            inside = np.zeros(graph.n_atom, dtype=np.bool_)
            inside[piece] = True
            leaving = inside[row] & ~inside[graph.to] & graph.joins & chosen[graph.to]
            around = zone[graph.to[leaving]]
            if len(around):
                shared = np.bincount(around, graph.length_m[leaving])
                zone[piece] = int(np.argmax(shared))
    return zone


@kernel
def _parts_within(zone, first, to, joins):  # type: ignore[no-untyped-def]
    n = len(zone)
    head = np.full(n, -1, dtype=np.int32)
    queue = np.empty(n + 1, dtype=np.int32)
    for a in range(n):
        if head[a] >= 0:
            continue
        head[a] = a
        queue[0] = a
        h, tail = 0, 1
        while h < tail:
            b = queue[h]
            h += 1
            for e in range(first[b], first[b + 1]):
                c = to[e]
                if joins[e] and head[c] < 0 and zone[c] == zone[a]:
                    head[c] = a
                    queue[tail] = c
                    tail += 1
    return head
