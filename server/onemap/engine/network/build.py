"""
From streets to a network: noding at shared points only, costs, components, index.

The rule is written in docs/network.md; ``tests/engine/network/test_rule.py`` rebuilds networks from that page alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from onemap.engine._jit import kernel
from onemap.engine.network.access import NetworkRules
from onemap.engine.network.arrays import F64, I32, I64, Bool
from onemap.engine.network.index import segment_index
from onemap.engine.network.network import Arcs, Components, Network
from onemap.engine.network.streets import Streets
from onemap.errors import InputRefused, InvalidValue


def build(streets: Streets, mode: str, rules: NetworkRules, *, speed_kmh: float | None = None) -> Network:
    """
    The network of one mode.

    Parameters
    ----------
    streets
        Ways over shared points.
    mode
        ``foot``, ``ebike`` or ``car``.
    rules
        Numbers of the written rule.
    speed_kmh
        One speed for every street instead of the rule's own (walking presets).

    Notes
    -----
    A point becomes a node where a way begins or ends, where ways of the mode share it, where a way passes it twice, or
    where a barrier stops the mode; behind a barrier every piece has a node of its own. Cost is length / speed.
    """
    if mode not in rules.modes:
        raise InvalidValue(f"There is no mode '{mode}': it is one of {', '.join(rules.modes)}.")
    if speed_kmh is not None and not 0.0 < speed_kmh <= 200.0:
        raise InvalidValue(f"A speed of {speed_kmh:g} km/h cannot be used: it must lie above 0 and not above 200.")
    forward, backward = _speeds(streets, mode, speed_kmh)
    used = (forward > 0.0) | (backward > 0.0)
    if not used.any():
        raise InputRefused(f"None of the {streets.n_way} streets may be used in mode '{mode}'.")
    pieces = _split(streets.way_start, streets.vertex, used, streets.blocked[mode], len(streets.point_x))
    node_point, edge_from, edge_to, edge_way, edge_first, edge_last = pieces
    along = _along(streets.way_start, streets.segment_m)
    length = along[edge_last] - along[edge_first]
    keep = (edge_from != edge_to) | (length > 0.0)
    node_order = _spatial_order(streets.point_x[node_point], streets.point_y[node_point])
    rank = np.empty(len(node_order), dtype=np.int32)
    rank[node_order] = np.arange(len(node_order), dtype=np.int32)
    node_point = node_point[node_order]
    edge_from, edge_to = rank[edge_from[keep]], rank[edge_to[keep]]
    edge_way, edge_first, edge_last, length = edge_way[keep], edge_first[keep], edge_last[keep], length[keep]
    order = np.lexsort((edge_first, np.minimum(edge_from, edge_to)))
    edge_from, edge_to, edge_way = edge_from[order], edge_to[order], edge_way[order]
    edge_first, edge_last, length = edge_first[order], edge_last[order], length[order]
    forward_s = _seconds(length, forward[edge_way])
    backward_s = _seconds(length, backward[edge_way])
    n_node = len(node_point)
    out = _arcs(n_node, edge_from, edge_to, forward_s, backward_s)
    symmetric = bool(np.array_equal(forward_s, backward_s))
    # Where all streets run both ways alike, the reversed graph differs only in the direction that its arcs name.
    into = replace(out, edge=~out.edge) if symmetric else _arcs(n_node, edge_to, edge_from, forward_s, backward_s)
    components = _components(n_node, edge_from, edge_to, length, rules)
    segment_edge = np.full(len(streets.vertex), -1, dtype=np.int32)
    _name_segments(edge_first, edge_last, segment_edge)
    x, y = streets.point_x[streets.vertex], streets.point_y[streets.vertex]
    speeds = np.unique(np.concatenate([forward[used], backward[used]]))
    speeds = speeds[speeds > 0.0]
    uniform = float(speeds[0]) if len(speeds) == 1 else None
    return Network(
        mode=mode,
        access_kmh=(uniform or rules.access_kmh) if mode == "foot" else rules.access_kmh,
        uniform_kmh=uniform,
        max_snap_m=rules.max_snap_m,
        node_x=streets.point_x[node_point],
        node_y=streets.point_y[node_point],
        node_point=node_point,
        edge_from=edge_from,
        edge_to=edge_to,
        edge_length_m=length,
        edge_forward_s=forward_s,
        edge_backward_s=backward_s,
        edge_way=edge_way,
        edge_first=edge_first,
        edge_last=edge_last,
        x=x,
        y=y,
        along_m=along,
        segment_edge=segment_edge,
        out=out,
        into=into,
        components=components,
        snappable=~components.islet[components.of_node[edge_from]],
        index=segment_index(x, y, segment_edge),
        notes=streets.notes,
    )


def _speeds(streets: Streets, mode: str, speed_kmh: float | None) -> tuple[F64, F64]:
    forward, backward = streets.forward_kmh[mode], streets.backward_kmh[mode]
    if speed_kmh is None:
        return forward, backward
    return np.where(forward > 0.0, speed_kmh, 0.0), np.where(backward > 0.0, speed_kmh, 0.0)


def _seconds(length_m: F64, kmh: F64) -> F64:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(kmh > 0.0, length_m / (kmh / 3.6), np.inf)


def _along(way_start: I64, segment_m: F64) -> F64:
    """True length from the beginning of each way to each of its vertices: (n_vertex,)."""
    along = np.empty(len(segment_m))
    _accumulate(way_start, segment_m, along)
    return along


def _arcs(n_node: int, tail: I32, head: I32, forward_s: F64, backward_s: F64) -> Arcs:
    """CSR of both directions of every edge; called with the ends exchanged it gives the reversed graph."""
    n_edge = len(tail)
    edges = np.arange(n_edge, dtype=np.int32)
    ahead, back = np.isfinite(forward_s), np.isfinite(backward_s)
    tails = np.concatenate([tail[ahead], head[back]])
    order = np.argsort(tails, kind="stable")
    first = np.zeros(n_node + 1, dtype=np.int32)
    np.cumsum(np.bincount(tails, minlength=n_node), out=first[1:])
    cost_s = np.concatenate([forward_s[ahead], backward_s[back]])[order]
    return Arcs(
        first=first,
        head=np.concatenate([head[ahead], tail[back]])[order],
        cost_s=cost_s,
        edge=np.concatenate([edges[ahead], ~edges[back]])[order],
        longest_s=float(cost_s.max(initial=0.0)),
        mean_s=float(cost_s.mean()) if len(cost_s) else 1.0,
    )


def _components(n_node: int, edge_from: I32, edge_to: I32, length_m: F64, rules: NetworkRules) -> Components:
    graph = csr_array((np.ones(len(edge_from), dtype=np.int8), (edge_from, edge_to)), shape=(n_node, n_node))
    n_part, label = connected_components(graph, directed=False)
    metres = np.bincount(label[edge_from], weights=length_m, minlength=n_part)
    order = np.argsort(-metres, kind="stable")
    rank = np.empty(n_part, dtype=np.int32)
    rank[order] = np.arange(n_part, dtype=np.int32)
    metres = metres[order]
    islet = (metres < rules.islet_max_share * metres[0]) & (metres < 1000.0 * rules.islet_max_km)
    return Components(
        of_node=rank[label],
        n_node=np.bincount(rank[label], minlength=n_part).astype(np.int64),
        length_m=metres,
        islet=islet,
    )


def _spatial_order(x: F64, y: F64) -> I64:
    """An order in which neighbours in the plane are mostly neighbours in memory (Morton)."""
    span = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    column = ((x - x.min()) / span * 65535.0).astype(np.uint64)
    row = ((y - y.min()) / span * 65535.0).astype(np.uint64)
    return np.argsort(_spread(column) | (_spread(row) << np.uint64(1)), kind="stable")


def _spread(value: np.ndarray) -> np.ndarray:
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        value = (value | (value << np.uint64(shift))) & np.uint64(mask)
    return value


def _split(way_start: I64, vertex: I64, used: Bool, blocked: Bool, n_point: int) -> tuple[I64, I32, I32, I32, I64, I64]:
    """Nodes and edges: (n_node,) points; (n_edge,) from, to, way, first and last vertex."""
    n_use = np.zeros(n_point, dtype=np.int32)
    _count_uses(way_start, vertex, used, n_use)
    n_edge, n_extra = _count_edges(way_start, vertex, used, blocked, n_use)
    edges = (
        np.empty(n_edge, dtype=np.int32),
        np.empty(n_edge, dtype=np.int32),
        np.empty(n_edge, dtype=np.int32),
        np.empty(n_edge, dtype=np.int64),
        np.empty(n_edge, dtype=np.int64),
    )
    node_point = np.empty(int((n_use >= 2).sum()) + n_extra, dtype=np.int64)
    node_of = np.full(n_point, -1, dtype=np.int32)
    n_node = _emit(way_start, vertex, used, blocked, n_use, node_of, node_point, *edges)
    return node_point[:n_node], *edges


@kernel
def _count_uses(way_start: I64, vertex: I64, used: Bool, n_use: I32) -> None:
    # An end counts twice: it is a node even where nothing else meets it.
    for way in range(len(way_start) - 1):
        if used[way]:
            for i in range(way_start[way], way_start[way + 1]):
                end = i == way_start[way] or i == way_start[way + 1] - 1
                n_use[vertex[i]] += 2 if end else 1


@kernel
def _count_edges(way_start: I64, vertex: I64, used: Bool, blocked: Bool, n_use: I32) -> tuple[int, int]:
    n_edge = 0
    n_extra = 0
    for way in range(len(way_start) - 1):
        if used[way]:
            last = way_start[way + 1] - 1
            for i in range(way_start[way], last + 1):
                if blocked[vertex[i]]:
                    n_extra += 2
                if i > way_start[way] and (i == last or n_use[vertex[i]] >= 2 or blocked[vertex[i]]):
                    n_edge += 1
    return n_edge, n_extra


@kernel
def _emit(
    way_start: I64,
    vertex: I64,
    used: Bool,
    blocked: Bool,
    n_use: I32,
    node_of: I32,
    node_point: I64,
    edge_from: I32,
    edge_to: I32,
    edge_way: I32,
    edge_first: I64,
    edge_last: I64,
) -> int:
    n_node = 0
    n_edge = 0
    for way in range(len(way_start) - 1):
        if not used[way]:
            continue
        start, last = way_start[way], way_start[way + 1] - 1
        here = -1
        begun = start
        for i in range(start, last + 1):
            point = vertex[i]
            if start < i < last and n_use[point] < 2 and not blocked[point]:
                continue
            if blocked[point]:
                # The piece before the barrier ends on a node of its own.
                if i > start:
                    node_point[n_node] = point
                    edge_from[n_edge], edge_to[n_edge] = here, n_node
                    edge_way[n_edge], edge_first[n_edge], edge_last[n_edge] = way, begun, i
                    n_node += 1
                    n_edge += 1
                if i < last:
                    node_point[n_node] = point
                    here = n_node
                    n_node += 1
            else:
                if node_of[point] < 0:
                    node_of[point] = n_node
                    node_point[n_node] = point
                    n_node += 1
                if i > start:
                    edge_from[n_edge], edge_to[n_edge] = here, node_of[point]
                    edge_way[n_edge], edge_first[n_edge], edge_last[n_edge] = way, begun, i
                    n_edge += 1
                here = node_of[point]
            begun = i
    return n_node


@kernel
def _accumulate(way_start: I64, segment_m: F64, along: F64) -> None:
    for way in range(len(way_start) - 1):
        total = 0.0
        for i in range(way_start[way], way_start[way + 1]):
            along[i] = total
            total += segment_m[i]


@kernel
def _name_segments(edge_first: I64, edge_last: I64, segment_edge: I32) -> None:
    for edge in range(len(edge_first)):
        for i in range(edge_first[edge], edge_last[edge]):
            segment_edge[i] = edge
