"""
Travel times from, or towards, the nearest of many places: one bounded search and a look at both ends of each edge.

The search is a label-correcting bucket queue: nodes wait in buckets a few seconds wide, and a node that improves within
its bucket is simply looked at again. The result is that of Dijkstra's algorithm, without the price of a sorted heap.
Method: Cherkassky, Goldberg, Radzik (1996), Shortest paths algorithms: theory and experimental evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64
from onemap.engine.network.index import Places
from onemap.engine.network.network import Arcs, Network
from onemap.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Sources:
    """
    Places as the beginnings of a search, in the order of their edges.

    Attributes
    ----------
    edge, fraction, lead_s : (n_source,)
        Where each stands and the seconds already spent to get onto the street.
    row : (n_source,)
        Which of the caller's places it is.
    """

    edge: I32
    fraction: F64
    lead_s: F64
    row: I64


@dataclass(frozen=True, slots=True)
class Reach:
    """
    Seconds at every node, with what is needed to ask at any place.

    Attributes
    ----------
    node_s : (n_node,)
        Seconds between the node and its nearest source; ``inf`` beyond the budget.
    sources
        Where the search began.
    toward
        True for times from everywhere to the nearest source, False for times from the sources to everywhere.
    budget_s
        Where the search stopped.
    """

    node_s: F64
    sources: Sources
    toward: bool
    budget_s: float


def reach(network: Network, places: Places, *, budget_s: float = np.inf, toward: bool = True) -> Reach:
    """
    Travel time between every node and the nearest of the places.

    Parameters
    ----------
    places
        Snapped points; those without a street take no part.
    budget_s
        Search stops here, seconds; the walk to the street counts.
    toward
        Whether travel runs to the places (a clinic) or from them (a responder).

    Notes
    -----
    Equals the minimum over places of single-source shortest paths with the partial edges at both ends.
    """
    if not budget_s >= 0.0:
        raise InvalidValue(f"A budget of {budget_s:g} seconds cannot be used: it must be 0 or more.")
    sources = as_sources(network, places)
    node_s = search(network, sources, budget_s=budget_s, toward=toward)
    return Reach(node_s, sources, toward, budget_s)


def as_sources(network: Network, places: Places) -> Sources:
    """The places that have a street, sorted by edge."""
    rows = np.flatnonzero(places.found)
    if len(rows) > 1:
        rows = rows[np.argsort(places.edge[rows], kind="stable")]
    return Sources(
        edge=places.edge[rows],
        fraction=places.fraction[rows],
        lead_s=places.snap_m[rows] / network.access_ms,
        row=rows,
    )


def search(network: Network, sources: Sources, *, budget_s: float, toward: bool) -> F64:
    """Seconds at every node: (n_node,); ``inf`` beyond the budget."""
    arcs = network.into if toward else network.out
    seed_node, seed_s = _seeds(network, sources, toward)
    node_s = np.full(network.n_node, np.inf)
    bucket_s, n_bucket = bucket_plan(arcs, seed_s)
    _settle(arcs.first, arcs.head, arcs.cost_s, seed_node, seed_s, budget_s, bucket_s, n_bucket, node_s)
    return node_s


def times(network: Network, found: Reach, places: Places) -> F64:
    """
    Seconds between each place and its nearest source: (n,), ``inf`` where there is none within the budget.

    Both ends of the place's edge are tried, and the sources on the same edge directly; the walk to the street counts.
    """
    seconds = np.full(len(places), np.inf)
    source_at = first_source(network.n_edge, found.sources)
    _gather(
        places.edge, places.fraction, places.snap_m, network.access_ms, network.edge_from, network.edge_to,
        network.edge_forward_s, network.edge_backward_s, found.node_s, source_at, found.sources.edge,
        found.sources.fraction, found.sources.lead_s, found.toward, found.budget_s, seconds,
    )  # fmt: skip
    return seconds


def metres(network: Network, seconds: F64) -> F64:
    """Metres of the same journeys; only a network with one speed can tell them from the seconds alone."""
    if network.uniform_kmh is None or network.access_kmh != network.uniform_kmh:
        raise InvalidValue("Metres follow from seconds only where every street has the same speed.")
    return seconds * (network.uniform_kmh / 3.6)


def bucket_plan(arcs: Arcs, seed_s: F64) -> tuple[float, int]:
    """Width of a bucket in seconds, and how many are needed for everything that can wait at once."""
    longest = max(arcs.longest_s, float(seed_s.max(initial=0.0)))
    width = max(arcs.mean_s / 4.0, longest / 1_000_000.0, 1e-3)
    return width, int(longest / width) + 3


def _seeds(network: Network, sources: Sources, toward: bool) -> tuple[I32, F64]:
    """The ends of the sources' edges with the seconds to or from the source: (2 n_source,) each."""
    ahead, back = network.edge_forward_s[sources.edge], network.edge_backward_s[sources.edge]
    if not toward:
        ahead, back = back, ahead
    with np.errstate(invalid="ignore"):
        from_s = np.where(np.isfinite(ahead), sources.fraction * ahead, np.inf) + sources.lead_s
        to_s = np.where(np.isfinite(back), (1.0 - sources.fraction) * back, np.inf) + sources.lead_s
    node = np.concatenate([network.edge_from[sources.edge], network.edge_to[sources.edge]])
    seconds = np.concatenate([from_s, to_s])
    usable = np.isfinite(seconds)
    return node[usable], seconds[usable]


def first_source(n_edge: int, sources: Sources) -> I32:
    """Position of the first source on each edge: (n_edge,), -1 where there is none."""
    first = np.full(n_edge, -1, dtype=np.int32)
    first[sources.edge[::-1]] = np.arange(len(sources.edge), dtype=np.int32)[::-1]
    return first


@kernel
def _settle(
    first: I32, head: I32, cost: F64, seed_node: I32, seed_s: F64, budget: float, width: float, n_bucket: int, dist: F64
) -> int:
    """Fill ``dist`` with the least seconds from any seed, up to the budget; how many looks at nodes it took."""
    bucket = np.full(n_bucket, -1, dtype=np.int32)
    capacity = max(1024, 2 * len(seed_node))
    entry_node = np.empty(capacity, dtype=np.int32)
    entry_s = np.empty(capacity, dtype=np.float64)
    entry_next = np.empty(capacity, dtype=np.int32)
    free = np.int32(-1)
    n_entry = 0
    waiting = 0
    n_look = 0
    for i in range(len(seed_node)):
        node, s = seed_node[i], seed_s[i]
        if s <= budget and s < dist[node]:
            dist[node] = s
            slot = int(s / width) % n_bucket
            entry_node[n_entry], entry_s[n_entry], entry_next[n_entry] = node, s, bucket[slot]
            bucket[slot] = n_entry
            n_entry += 1
            waiting += 1
    current = 0
    while waiting > 0:
        slot = current % n_bucket
        entry = bucket[slot]
        if entry < 0:
            current += 1
            continue
        bucket[slot] = entry_next[entry]
        node, here = entry_node[entry], entry_s[entry]
        entry_next[entry] = free
        free = entry
        waiting -= 1
        if here != dist[node]:
            continue
        n_look += 1
        for arc in range(first[node], first[node + 1]):
            there = here + cost[arc]
            onto = head[arc]
            if there < dist[onto] and there <= budget:
                dist[onto] = there
                if free >= 0:
                    fresh = free
                    free = entry_next[fresh]
                else:
                    if n_entry == capacity:
                        capacity *= 2
                        wider_node = np.empty(capacity, dtype=np.int32)
                        wider_s = np.empty(capacity, dtype=np.float64)
                        wider_next = np.empty(capacity, dtype=np.int32)
                        wider_node[:n_entry] = entry_node
                        wider_s[:n_entry] = entry_s
                        wider_next[:n_entry] = entry_next
                        entry_node, entry_s, entry_next = wider_node, wider_s, wider_next
                    fresh = np.int32(n_entry)
                    n_entry += 1
                target = int(there / width) % n_bucket
                entry_node[fresh], entry_s[fresh], entry_next[fresh] = onto, there, bucket[target]
                bucket[target] = fresh
                waiting += 1
    return n_look


@kernel
def _gather(
    edge: I32, fraction: F64, snap_m: F64, access_ms: float, edge_from: I32, edge_to: I32, forward_s: F64,
    backward_s: F64, node_s: F64, source_at: I32, source_edge: I32, source_fraction: F64, source_lead_s: F64,
    toward: bool, budget: float, seconds: F64,
) -> None:  # fmt: skip
    for i in range(len(edge)):
        e = edge[i]
        if e < 0:
            continue
        t = fraction[i]
        # Towards a source one leaves the edge; from a source one arrives on it: the directions exchange.
        ahead, back = forward_s[e], backward_s[e]
        if not toward:
            ahead, back = back, ahead
        best = np.inf
        if back < np.inf:
            best = t * back + node_s[edge_from[e]]
        if ahead < np.inf:
            best = min(best, (1.0 - t) * ahead + node_s[edge_to[e]])
        k = source_at[e]
        if k >= 0:
            while k < len(source_edge) and source_edge[k] == e:
                gap = source_fraction[k] - t
                if gap >= 0.0 and ahead < np.inf:
                    best = min(best, gap * ahead + source_lead_s[k])
                if gap <= 0.0 and back < np.inf:
                    best = min(best, -gap * back + source_lead_s[k])
                k += 1
        total = best + snap_m[i] / access_ms
        if total <= budget:
            seconds[i] = total
