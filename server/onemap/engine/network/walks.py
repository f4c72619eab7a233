"""Bounded searches one source at a time, with the demand that each meets: for siting and dragged facilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onemap.engine._heap import pop, push, widened
from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.engine.network.reach import Sources


@dataclass(frozen=True, slots=True)
class Demand:
    """
    Snapped points in the order of their edges.

    Attributes
    ----------
    first : (n_edge + 1,)
        Where each edge's points begin.
    row : (n_found,)
        Which of the caller's points it is.
    fraction, lead_s : (n_found,)
        Position on the edge and the walk to the street.
    """

    first: I64
    row: I32
    fraction: F64
    lead_s: F64

    @classmethod
    def on(cls, network: Network, places: Places) -> Demand:
        """Points that have a street, filed by edge."""
        order = np.argsort(places.edge, kind="stable")
        order = order[places.edge[order] >= 0]
        first = np.searchsorted(places.edge[order], np.arange(network.n_edge + 1)).astype(np.int64)
        return cls(first, order.astype(np.int32), places.fraction[order], places.snap_m[order] / network.access_ms)


def walks_from(
    network: Network, sources: Sources, part: I64, demand: Demand, budget_s: float, known_s: F64 | None = None
) -> tuple[I64, I32, F64]:
    """
    Walks towards some of the sources, one search each.

    Parameters
    ----------
    part : (n,)
        Which sources.
    known_s : (n_node,)
        Seconds that every node has already: a search goes on only where it beats them.

    Returns
    -------
    count : (n,)
        How many walks each source has.
    row, seconds : (n_walk,)
        Demand and seconds, source by source.
    """
    into = network.into
    known = np.full(network.n_node, np.inf) if known_s is None else known_s
    count, row, seconds = _walks(
        into.first, into.head, into.cost_s, into.edge, network.edge_from, network.edge_to, network.edge_forward_s,
        network.edge_backward_s, sources.edge[part], sources.fraction[part], sources.lead_s[part], demand.first,
        demand.row, demand.fraction, demand.lead_s, budget_s, known,
    )  # fmt: skip
    return count, row, seconds


@kernel
def _walks(
    first: I32, head: I32, cost: F64, arc_edge: I32, edge_from: I32, edge_to: I32, forward_s: F64, backward_s: F64,
    source_edge: I32, source_fraction: F64, source_lead_s: F64, demand_first: I64, demand_row: I32,
    demand_fraction: F64, demand_lead_s: F64, budget: float, known_s: F64,
) -> tuple[I64, I32, F64]:  # fmt: skip
    n_node = len(first) - 1
    stamp = np.zeros(n_node, dtype=np.int32)
    label = np.empty(n_node, dtype=np.float64)
    seen = np.zeros(len(edge_from), dtype=np.int32)
    touched = np.empty(n_node, dtype=np.int32)
    heap_s = np.empty(1024, dtype=np.float64)
    heap_node = np.empty(1024, dtype=np.int32)
    count = np.zeros(len(source_edge), dtype=np.int64)
    capacity = 1 << 16
    who = np.empty(capacity, dtype=np.int32)
    seconds = np.empty(capacity, dtype=np.float64)
    n = 0
    for i in range(len(source_edge)):
        turn = i + 1
        e0, t0, lead0 = source_edge[i], source_fraction[i], source_lead_s[i]
        n_heap, n_touched = 0, 0
        for end in range(2):
            if end == 0:
                node, s = edge_from[e0], lead0 + (t0 * forward_s[e0] if forward_s[e0] < np.inf else np.inf)
            else:
                node, s = edge_to[e0], lead0 + ((1.0 - t0) * backward_s[e0] if backward_s[e0] < np.inf else np.inf)
            if s <= budget and s < known_s[node] and (stamp[node] != turn or s < label[node]):
                if stamp[node] != turn:
                    touched[n_touched] = node
                    n_touched += 1
                stamp[node], label[node] = turn, s
                n_heap = push(heap_s, heap_node, n_heap, s, node)
        while n_heap > 0:
            here, node = heap_s[0], heap_node[0]
            n_heap = pop(heap_s, heap_node, n_heap)
            if here > label[node]:
                continue
            for a in range(first[node], first[node + 1]):
                onto, there = head[a], here + cost[a]
                if there <= budget and there < known_s[onto] and (stamp[onto] != turn or there < label[onto]):
                    if stamp[onto] != turn:
                        touched[n_touched] = onto
                        n_touched += 1
                    stamp[onto], label[onto] = turn, there
                    if n_heap == len(heap_s):
                        heap_s, heap_node = widened(heap_s, heap_node)
                    n_heap = push(heap_s, heap_node, n_heap, there, onto)
        begin = n
        # Every edge that a reached node ends, and the candidate's own, once: the demand on it may walk to either end.
        for k in range(-1, n_touched):
            low = 0 if k < 0 else first[touched[k]]
            high = 1 if k < 0 else first[touched[k] + 1]
            for a in range(low, high):
                way = e0 if k < 0 else arc_edge[a]
                e = way if way >= 0 else ~way
                if seen[e] == turn:
                    continue
                seen[e] = turn
                u, v = edge_from[e], edge_to[e]
                at_u = label[u] if stamp[u] == turn else np.inf
                at_v = label[v] if stamp[v] == turn else np.inf
                ahead, back = forward_s[e], backward_s[e]
                for d in range(demand_first[e], demand_first[e + 1]):
                    t = demand_fraction[d]
                    best = np.inf
                    if back < np.inf:
                        best = t * back + at_u
                    if ahead < np.inf:
                        best = min(best, (1.0 - t) * ahead + at_v)
                    if e == e0:
                        gap = t0 - t
                        if gap >= 0.0 and ahead < np.inf:
                            best = min(best, gap * ahead + lead0)
                        if gap <= 0.0 and back < np.inf:
                            best = min(best, -gap * back + lead0)
                    best += demand_lead_s[d]
                    if best <= budget and best < np.inf:
                        if n == capacity:
                            capacity *= 2
                            wider_who = np.empty(capacity, dtype=np.int32)
                            wider_seconds = np.empty(capacity, dtype=np.float64)
                            wider_who[:n] = who
                            wider_seconds[:n] = seconds
                            who, seconds = wider_who, wider_seconds
                        who[n], seconds[n] = demand_row[d], best
                        n += 1
        count[i] = n - begin
    return count, who[:n].copy(), seconds[:n].copy()
