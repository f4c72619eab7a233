"""Who could walk to which candidate: one bounded search per candidate, kept as a sparse table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64
from onemap.engine.network.heap import pop, push
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.engine.network.reach import as_sources
from onemap.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Travel:
    """
    Walks from demand to candidates, candidate by candidate.

    Attributes
    ----------
    n_demand
        How many demand points there are.
    first : (n_candidate + 1,)
        Where each candidate's walks begin.
    demand, seconds : (n_walk,)
        Demand row and seconds; walks that do not exist are beyond the budget.
    """

    n_demand: int
    first: I64
    demand: I32
    seconds: F64

    @property
    def n_candidate(self) -> int:
        """How many candidates there are."""
        return len(self.first) - 1

    @classmethod
    def from_matrix(cls, seconds: F64) -> Travel:
        """From a full table (n_candidate, n_demand); ``inf`` where there is no walk."""
        candidate, demand = np.nonzero(np.isfinite(seconds))
        first = np.searchsorted(candidate, np.arange(len(seconds) + 1)).astype(np.int64)
        return cls(seconds.shape[1], first, demand.astype(np.int32), seconds[candidate, demand])


def travel(
    network: Network, candidates: Places, demand: Places, *, budget_s: float = np.inf, threads: int = 2
) -> Travel:
    """
    Seconds from every demand point to every candidate within the budget, both walks to the street included.

    Parameters
    ----------
    candidates, demand
        Snapped points; those without a street have no walks.
    """
    if not budget_s > 0.0:
        raise InvalidValue(f"A budget of {budget_s:g} seconds cannot be used: it must be more than 0.")
    order = np.argsort(demand.edge, kind="stable")
    order = order[demand.edge[order] >= 0]
    on_edge = demand.take(order)
    demand_first = np.searchsorted(on_edge.edge, np.arange(network.n_edge + 1)).astype(np.int64)
    lead = on_edge.snap_m / network.access_ms
    sources = as_sources(network, candidates)
    where = np.argsort(sources.row)
    rows = sources.row[where]

    def work(part: I64) -> tuple[I64, I32, F64]:
        into = network.into
        count, who, seconds = _walks(
            into.first, into.head, into.cost_s, into.edge, network.edge_from, network.edge_to, network.edge_forward_s,
            network.edge_backward_s, sources.edge[part], sources.fraction[part], sources.lead_s[part], demand_first,
            order.astype(np.int32), on_edge.fraction, lead, budget_s,
        )  # fmt: skip
        return count, who, seconds

    parts = np.array_split(where, max(1, min(threads * 4, len(where))))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        pieces = list(pool.map(work, parts))
    per_candidate = np.zeros(len(candidates), dtype=np.int64)
    per_candidate[rows] = np.concatenate([piece[0] for piece in pieces])
    first = np.concatenate([[0], np.cumsum(per_candidate)]).astype(np.int64)
    return Travel(
        len(demand), first, np.concatenate([piece[1] for piece in pieces]), np.concatenate([piece[2] for piece in pieces])
    )


@kernel
def _walks(
    first: I32, head: I32, cost: F64, arc_edge: I32, edge_from: I32, edge_to: I32, forward_s: F64, backward_s: F64,
    source_edge: I32, source_fraction: F64, source_lead_s: F64, demand_first: I64, demand_row: I32,
    demand_fraction: F64, demand_lead_s: F64, budget: float,
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
            if s <= budget and s < np.inf and (stamp[node] != turn or s < label[node]):
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
                if there <= budget and (stamp[onto] != turn or there < label[onto]):
                    if stamp[onto] != turn:
                        touched[n_touched] = onto
                        n_touched += 1
                    stamp[onto], label[onto] = turn, there
                    if n_heap == len(heap_s):
                        wider_s = np.empty(2 * n_heap, dtype=np.float64)
                        wider_node = np.empty(2 * n_heap, dtype=np.int32)
                        wider_s[:n_heap] = heap_s
                        wider_node[:n_heap] = heap_node
                        heap_s, heap_node = wider_s, wider_node
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
