"""
What can be reached within minutes, and no more: a search that costs what it visits, whatever the size of the network.

Nodes are known by a hash table, not by arrays as long as the network: a walk of 15 minutes meets a thousand nodes of a
million.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onemap.engine._heap import pop, push
from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64
from onemap.engine.network.network import Network
from onemap.engine.network.reach import Sources

_SCATTER = 2654435769
# The plane is true to scale within 2 per mille.
_SLACK = 1.005


@dataclass(frozen=True, slots=True)
class Nearby:
    """
    Reached nodes and how to find them.

    Attributes
    ----------
    node, node_s : (n,)
        Reached nodes, and the seconds between each and its nearest source.
    slot, slot_node : (2^k,)
        Hash table: the node in a slot (-1 where it is free) and its place in ``node_s``.
    west, south, east, north
        The box of all ground that may be reached; west > east where there is none.
    """

    node: I32
    node_s: F64
    slot: I32
    slot_node: I32
    west: float
    south: float
    east: float
    north: float


def nearby(network: Network, sources: Sources, *, budget_s: float, toward: bool) -> Nearby:
    """
    Seconds at the nodes within the budget of the nearest source, equal to those of ``reach``.

    Parameters
    ----------
    budget_s
        Search stops here, seconds.
    toward
        Whether travel runs to the sources or from them.
    """
    arcs = network.into if toward else network.out
    ahead, back = network.edge_forward_s, network.edge_backward_s
    if not toward:
        ahead, back = back, ahead
    return Nearby(
        *search_near(
            arcs.first, arcs.head, arcs.cost_s, arcs.edge, network.node_x, network.node_y, network.edge_from,
            network.edge_to, network.edge_first, network.edge_length_m, ahead, back, network.x, network.y,
            network.along_m, sources.edge, sources.fraction, sources.lead_s, budget_s, network.access_ms,
            uniform_ms(network), network.max_snap_m,
        )
    )  # fmt: skip


def uniform_ms(network: Network) -> float:
    """The one speed of every street, metres per second; 0 where they differ."""
    return 0.0 if network.uniform_kmh is None else network.uniform_kmh / 3.6


@kernel
def slot_of(slot_node: I32, node: int) -> int:
    """The slot that holds a node, or the free one where it belongs."""
    mask = len(slot_node) - 1
    at = ((node * _SCATTER) >> 8) & mask
    while slot_node[at] >= 0 and slot_node[at] != node:
        at = (at + 1) & mask
    return at


@kernel
def place_on(
    edge: int, fraction: float, edge_first: I64, x: F64, y: F64, along: F64, length: float
) -> tuple[float, float]:
    """Plane coordinates of a position on an edge."""
    i = edge_first[edge]
    at, end = along[i] + fraction * length, along[i] + length
    while along[i + 1] < at and along[i + 1] < end:
        i += 1
    gap = along[i + 1] - along[i]
    t = min(max((at - along[i]) / gap, 0.0), 1.0) if gap > 0.0 else 0.0
    return x[i] + t * (x[i + 1] - x[i]), y[i] + t * (y[i + 1] - y[i])


@kernel
def _wider(slot: I32, slot_node: I32) -> tuple[I32, I32]:
    n = 2 * len(slot)
    wide, wide_node = np.empty(n, dtype=np.int32), np.full(n, -1, dtype=np.int32)
    for at in range(len(slot)):
        if slot_node[at] >= 0:
            to = slot_of(wide_node, slot_node[at])
            wide[to], wide_node[to] = slot[at], slot_node[at]
    return wide, wide_node


@kernel
def _offer(
    onto: int, s: float, slot: I32, slot_node: I32, node: I32, dist: F64, n: int, heap_s: F64, heap_at: I32, n_heap: int
) -> tuple[int, int]:
    # A node learns of a way to it; how many nodes are known and how many entries wait.
    at = slot_of(slot_node, onto)
    if slot_node[at] < 0:
        slot_node[at], slot[at] = onto, n
        node[n], dist[n] = onto, s
        return n + 1, push(heap_s, heap_at, n_heap, s, n)
    i = slot[at]
    if s < dist[i]:
        dist[i] = s
        return n, push(heap_s, heap_at, n_heap, s, i)
    return n, n_heap


@kernel
def search_near(
    first: I32, head: I32, cost: F64, arc_edge: I32, node_x: F64, node_y: F64, edge_from: I32, edge_to: I32,
    edge_first: I64, length_m: F64, ahead: F64, back: F64, x: F64, y: F64, along: F64, source_edge: I32,
    source_fraction: F64, source_lead_s: F64, budget: float, access_ms: float, street_ms: float, max_snap_m: float,
) -> tuple[I32, F64, I32, I32, float, float, float, float]:  # fmt: skip
    """What ``Nearby`` holds, for callers that are compiled themselves."""
    n_slot = 1024
    while n_slot < 8 * len(source_edge):
        n_slot *= 2
    slot, slot_node = np.empty(n_slot, dtype=np.int32), np.full(n_slot, -1, dtype=np.int32)
    node, dist = np.empty(n_slot, dtype=np.int32), np.empty(n_slot)
    heap_s, heap_at = np.empty(n_slot), np.empty(n_slot, dtype=np.int32)
    n, n_heap = 0, 0
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for k in range(len(source_edge)):
        e, t, spare = source_edge[k], source_fraction[k], budget - source_lead_s[k]
        if spare < 0.0:
            continue
        px, py = place_on(e, t, edge_first, x, y, along, length_m[e])
        fastest = min(ahead[e], back[e])
        along_m = length_m[e] * min(1.0, spare / fastest) if fastest > 0.0 else length_m[e]
        far = _SLACK * (along_m + min(max_snap_m, spare * access_ms))
        west, east = min(west, px - far), max(east, px + far)
        south, north = min(south, py - far), max(north, py + far)
        if t * ahead[e] <= spare:
            n, n_heap = _offer(
                edge_from[e], source_lead_s[k] + t * ahead[e], slot, slot_node, node, dist, n, heap_s, heap_at, n_heap
            )
        if (1.0 - t) * back[e] <= spare:
            s = source_lead_s[k] + (1.0 - t) * back[e]
            n, n_heap = _offer(edge_to[e], s, slot, slot_node, node, dist, n, heap_s, heap_at, n_heap)
    while n_heap > 0:
        here, i = heap_s[0], heap_at[0]
        n_heap = pop(heap_s, heap_at, n_heap)
        if here != dist[i]:
            continue
        begin, end = first[node[i]], first[node[i] + 1]
        if 2 * (n + end - begin) > len(slot):
            slot, slot_node = _wider(slot, slot_node)
            node = np.append(node, np.empty(len(node), dtype=np.int32))
            dist = np.append(dist, np.empty(len(dist)))
        if n_heap + end - begin > len(heap_s):
            heap_s = np.append(heap_s, np.empty(len(heap_s)))
            heap_at = np.append(heap_at, np.empty(len(heap_at), dtype=np.int32))
        spare = budget - here
        off_m, far = min(max_snap_m, spare * access_ms), spare * max(street_ms, access_ms)
        if street_ms == 0.0 or far > max_snap_m:
            # Some way along a street, then off it.
            along_m = 0.0
            for arc in range(begin, end):
                e = arc_edge[arc]
                total = length_m[e if e >= 0 else ~e]
                along_m = max(along_m, total * min(1.0, spare / cost[arc]) if cost[arc] > 0.0 else total)
            far = along_m + off_m if street_ms == 0.0 else min(far, along_m + off_m)
        far *= _SLACK
        west, east = min(west, node_x[node[i]] - far), max(east, node_x[node[i]] + far)
        south, north = min(south, node_y[node[i]] - far), max(north, node_y[node[i]] + far)
        for arc in range(begin, end):
            there = here + cost[arc]
            if there <= budget:
                n, n_heap = _offer(head[arc], there, slot, slot_node, node, dist, n, heap_s, heap_at, n_heap)
    return node[:n], dist[:n], slot, slot_node, west, south, east, north
