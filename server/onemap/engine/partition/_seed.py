"""First plans by METIS, in its own words: integer weights, connected graphs only."""

import numpy as np
import pymetis

from onemap.engine._jit import kernel
from onemap.engine.geometry.types import F64, I32, I64
from onemap.engine.partition._metis import part_graph
from onemap.engine.partition.graph import Graph

#: More parts than this are made in steps, first parts that hold about so many each.
_MOST_AT_ONCE, _PARTS_OF_A_PART = 64, 40
_MEND_ROUNDS = 20


def metis(graph: Graph, atoms: I32, n_part: int, seed: int, *, recursive: bool = False, ballast: float = 0.0) -> I32:
    """
    (len(atoms),) parts of about equal weight; ``ballast`` is added to the weight of every atom.

    ``atoms`` must be joined to one another. Parts are connected except where METIS gives up; some may be empty. Many
    parts are made in two or more steps, parts of parts, which METIS does ten times as fast.
    """
    if n_part <= 1 or len(atoms) <= 1:
        return np.zeros(len(atoms), dtype=np.int32)
    if n_part >= len(atoms):
        return np.arange(len(atoms), dtype=np.int32)
    if n_part > _MOST_AT_ONCE and not recursive:
        return _nested(graph, atoms, n_part, seed, ballast)
    first, to, edge = subgraph(graph, atoms)
    weight = np.maximum(np.rint(graph.weight[atoms, 0] + ballast), 0).astype(np.int64)
    if not weight.any():
        weight[:] = 1
    cost = np.maximum(np.rint(graph.cost_m[edge]), 1).astype(np.int64)
    options = pymetis.Options(seed=int(seed) & 0x7FFFFFFF, ncuts=1)
    if not recursive:
        options.contig = 1
    return part_graph(n_part, first, to, weight, cost, options, recursive)


def _nested(graph: Graph, atoms: I32, n_part: int, seed: int, ballast: float) -> I32:
    """Parts of parts: few large ones first, each then parted by itself, connected piece by connected piece."""
    outer = metis(graph, atoms, min(_MOST_AT_ONCE, -(-n_part // _PARTS_OF_A_PART)), seed, ballast=ballast)
    share = (graph.weight[atoms, 0].sum() + ballast * len(atoms)) / n_part
    part = np.zeros(len(atoms), dtype=np.int32)
    count = 0
    for piece in _pieces(graph, atoms, outer):
        weight = float(graph.weight[atoms[piece], 0].sum() + ballast * len(piece))
        inner = metis(graph, atoms[piece], max(1, round(weight / share)), seed + len(piece), ballast=ballast)
        _, dense = np.unique(inner, return_inverse=True)
        part[piece] = dense + count
        count += int(dense.max()) + 1
    return part


def _pieces(graph: Graph, atoms: I32, part: I32) -> list[I64]:
    """The positions in ``atoms`` of every connected piece of every part."""
    of_atom = np.full(graph.n_atom, -1, dtype=np.int32)
    of_atom[atoms] = part
    head = _parts_within(of_atom, graph.first, graph.to, graph.joins)[atoms]
    order = np.argsort(head, kind="stable")
    ends = np.flatnonzero(np.diff(head[order])) + 1
    return np.split(order, ends)


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
    for _ in range(_MEND_ROUNDS):
        part = _parts_within(zone, graph.first, graph.to, graph.joins)
        heads, size = np.unique(part[atoms], return_inverse=True)
        weight = np.bincount(size, graph.weight[atoms, 0] + 1e-6, len(heads))
        order = np.argsort(-weight, kind="stable")
        _, best = np.unique(zone[heads[order]], return_index=True)
        is_best = np.zeros(len(heads), dtype=np.bool_)
        is_best[order[best]] = True
        stray = heads[~is_best].astype(np.int32)
        if not len(stray):
            return zone
        shared = np.zeros(int(zone.max()) + 1)
        _hand_over(stray, part, zone, chosen, graph.first, graph.to, graph.joins, graph.length_m, shared)
    return zone


@kernel
def _hand_over(stray, part, zone, chosen, first, to, joins, length, shared):  # type: ignore[no-untyped-def]
    """Give each stray piece, in place, to the grid beside it that it shares the most metres with."""
    queue = np.empty(len(zone) + 1, dtype=np.int32)
    seen = np.zeros(len(zone), dtype=np.bool_)
    for head in stray:
        queue[0] = head
        seen[head] = True
        n, i = 1, 0
        target = -1
        while i < n:
            a = queue[i]
            i += 1
            for e in range(first[a], first[a + 1]):
                b = to[e]
                if not joins[e]:
                    continue
                if part[b] == head:
                    if not seen[b]:
                        seen[b] = True
                        queue[n] = b
                        n += 1
                elif chosen[b] and zone[b] >= 0:
                    z = zone[b]
                    shared[z] += length[e]
                    if target < 0 or shared[z] > shared[target] or (shared[z] == shared[target] and z < target):
                        target = z
        for i in range(n):
            a = queue[i]
            for e in range(first[a], first[a + 1]):
                if zone[to[e]] >= 0:
                    shared[zone[to[e]]] = 0.0
        if target >= 0:
            for i in range(n):
                zone[queue[i]] = target


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
