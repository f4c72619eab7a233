"""
The ground between the streets as a lattice whose points belong to their nearest street, exactly as buildings do.

What belongs to which street does not depend on where a walk begins: ``lay`` it once for a network, or for a box when
only one answer is wanted, and ``outlines`` draws what is reached from the edges that a search has reached. A cell that
a reached piece of street touches is taken whole, so that no reached point of a street is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onemap.engine._jit import kernel
from onemap.engine.coverage.contours import I8, U8, follow, polygons, row_of, write
from onemap.engine.coverage.nearby import search_near, slot_of, uniform_ms
from onemap.engine.network.arrays import F32, F64, I32, I64
from onemap.engine.network.index import snap_lattice
from onemap.engine.network.network import Arcs, Network
from onemap.engine.network.reach import Sources

I16 = NDArray[np.int16]
U16 = NDArray[np.uint16]
Box = tuple[float, float, float, float]

_MARGIN = 0.01
_MAX_POINTS = 16_000_000
_MAX_SIDE = 32_000
# Fractions and times are kept in 32 bits: a street that ends on a limit is still taken.
_ROUNDING_S, _ROUNDING = 1e-3, 1.0 - 1.3e-7
_NO_STREET = 65_535


@dataclass(frozen=True, slots=True)
class Ground:
    """
    A lattice over the ground, filed by edge.

    Attributes
    ----------
    west, south, step_m, n_column, n_row
        Point (column, row) lies at ``(west + column * step_m, south + row * step_m)``.
    gap_dm : (n_row * n_column,)
        From each point to its street, decimetres; 65,535 where none is near enough.
    point_first : (n_edge + 1,)
        Where the points of each edge begin in the next four.
    point_column, point_row, point_fraction, point_m : (n_point,)
        Lattice points, the position along their edge and the distance from it.
    cell_first : (n_edge + 1,)
        Where the cells of each edge begin in the next three, in drawn direction.
    cell_column, cell_row, cell_fraction : (n_cell,)
        Cells that an edge passes and the position where it enters.
    """

    west: float
    south: float
    step_m: float
    n_column: int
    n_row: int
    gap_dm: U16
    point_first: I64
    point_column: I16
    point_row: I16
    point_fraction: F32
    point_m: F32
    cell_first: I64
    cell_column: I16
    cell_row: I16
    cell_fraction: F32


def lay(network: Network, step_m: float, box: Box | None = None) -> Ground:
    """
    The ground of a network, or of a box (west, south, east, north) of it; coarser than asked where it would not fit.

    Notes
    -----
    A point may miss its very nearest street by a hair, never by more than a step.
    """
    if box is None:
        far = network.max_snap_m
        used = network.segment_edge >= 0
        x, y = network.x[:-1][used[:-1]], network.y[:-1][used[:-1]]
        xe, ye = network.x[1:][used[:-1]], network.y[1:][used[:-1]]
        box = (
            float(min(x.min(), xe.min())) - far,
            float(min(y.min(), ye.min())) - far,
            float(max(x.max(), xe.max())) + far,
            float(max(y.max(), ye.max())) + far,
        )
        edges = np.arange(network.n_edge, dtype=np.int32)
    else:
        edges = _edges_in(network, box)
    width, height = box[2] - box[0], box[3] - box[1]
    step = max(step_m, float(np.sqrt((width + 1.0) * (height + 1.0) / _MAX_POINTS)), max(width, height) / _MAX_SIDE)
    west, south = box[0] - 2.0 * step, box[1] - 2.0 * step
    n_column, n_row = int((box[2] - west) / step) + 4, int((box[3] - south) / step) + 4
    places = snap_lattice(network, west, south, step, n_column, n_row, network.max_snap_m)
    points = _file_points(places.edge, places.fraction, places.snap_m, n_column, network.n_edge)
    cells = _file_cells(
        edges, network.n_edge, network.edge_first, network.edge_last, network.edge_length_m, network.x, network.y,
        network.along_m, west, south, step, n_column, n_row,
    )  # fmt: skip
    gap_dm = np.minimum(10.0 * places.snap_m, _NO_STREET).astype(np.uint16)
    return Ground(west, south, step, n_column, n_row, gap_dm, *points, *cells)


def outlines(network: Network, ground: Ground, sources: Sources, toward: bool, levels_s: F64) -> tuple[Any, ...]:
    """
    The ground within each of some limits, one (Multi)Polygon each.

    Parameters
    ----------
    levels_s : (n_level,)
        Limits in seconds, ascending.
    """
    arcs: Arcs = network.into if toward else network.out
    ahead, back = network.edge_forward_s, network.edge_backward_s
    if not toward:
        ahead, back = back, ahead
    text, ends = _outlines(
        arcs.first, arcs.head, arcs.cost_s, arcs.edge, network.node_x, network.node_y, network.edge_from,
        network.edge_to, network.edge_first, network.edge_length_m, ahead, back, network.x, network.y, network.along_m,
        sources.edge, sources.fraction, sources.lead_s, network.access_ms, uniform_ms(network), network.max_snap_m,
        ground.west, ground.south, ground.step_m, ground.n_column, ground.n_row, ground.gap_dm, ground.point_first,
        ground.point_column, ground.point_row, ground.point_fraction, ground.point_m, ground.cell_first,
        ground.cell_column, ground.cell_row, ground.cell_fraction, levels_s,
    )  # fmt: skip
    return polygons(text, ends)


def _edges_in(network: Network, box: Box) -> I32:
    index = network.index
    c0, c1 = (np.clip(int((v - index.west) // index.cell_m), 0, index.n_column - 1) for v in (box[0], box[2]))
    r0, r1 = (np.clip(int((v - index.south) // index.cell_m), 0, index.n_row - 1) for v in (box[1], box[3]))
    rows = np.arange(r0, r1 + 1) * index.n_column
    parts = [index.segment[index.first[row + c0] : index.first[row + c1 + 1]] for row in rows]
    return np.unique(network.segment_edge[np.concatenate(parts)])


@kernel
def _file_points(edge: I32, fraction: F64, metres: F64, n_column: int, n_edge: int) -> tuple[I64, I16, I16, F32, F32]:
    first = np.zeros(n_edge + 1, dtype=np.int64)
    for e in edge:
        if e >= 0:
            first[e + 1] += 1
    for e in range(n_edge):
        first[e + 1] += first[e]
    n = first[n_edge]
    column, row = np.empty(n, dtype=np.int16), np.empty(n, dtype=np.int16)
    part, far = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
    for at in range(len(edge)):
        e = edge[at]
        if e >= 0:
            i = first[e]
            column[i], row[i], part[i], far[i] = at % n_column, at // n_column, fraction[at], metres[at]
            first[e] += 1
    for e in range(n_edge, 0, -1):
        first[e] = first[e - 1]
    first[0] = 0
    return first, column, row, part, far


@kernel
def _file_cells(
    edges: I32, n_edge: int, edge_first: I64, edge_last: I64, length_m: F64, x: F64, y: F64, along: F64, west: float,
    south: float, step: float, n_column: int, n_row: int,
) -> tuple[I64, I16, I16, F32]:  # fmt: skip
    # Two passes over the same walk along each edge, from cell to cell: count, then write.
    first = np.zeros(n_edge + 1, dtype=np.int64)
    column, row = np.empty(0, dtype=np.int16), np.empty(0, dtype=np.int16)
    part = np.empty(0, dtype=np.float32)
    for writing in range(2):
        n, last_edge = 0, 0
        for e in edges:
            while last_edge < e:
                last_edge += 1
                if writing == 0:
                    first[last_edge] = n
            total, start = length_m[e], along[edge_first[e]]
            here_c, here_r = -9, -9
            for i in range(edge_first[e], edge_last[e]):
                t0 = (along[i] - start) / total if total > 0.0 else 0.0
                t1 = (along[i + 1] - start) / total if total > 0.0 else 0.0
                ax, ay = (x[i] - west) / step, (y[i] - south) / step
                bx, by = (x[i + 1] - west) / step, (y[i + 1] - south) / step
                dx, dy = bx - ax, by - ay
                c, r = int(np.floor(ax)), int(np.floor(ay))
                last_c, last_r = int(np.floor(bx)), int(np.floor(by))
                u = 0.0
                for _ in range(abs(last_c - c) + abs(last_r - r) + 1):
                    # A cell that the edge is in already is entered once.
                    if c != here_c or r != here_r:
                        here_c, here_r = c, r
                        if writing == 1:
                            column[n] = c if 0 <= c < n_column - 1 else -1
                            row[n], part[n] = r if 0 <= r < n_row - 1 else -1, t0 + u * (t1 - t0)
                        n += 1
                    to_x = ((c + (1 if dx > 0.0 else 0)) - ax) / dx if c != last_c else np.inf
                    to_y = ((r + (1 if dy > 0.0 else 0)) - ay) / dy if r != last_r else np.inf
                    u = min(max(min(to_x, to_y), u), 1.0)
                    if to_x <= to_y:
                        c += 1 if dx > 0.0 else -1
                    else:
                        r += 1 if dy > 0.0 else -1
        if writing == 0:
            while last_edge < n_edge:
                last_edge += 1
                first[last_edge] = n
            column, row = np.empty(n, dtype=np.int16), np.empty(n, dtype=np.int16)
            part = np.empty(n, dtype=np.float32)
    return first, column, row, part


@kernel
def _spread(
    edges: I32, from_s: F64, to_s: F64, ahead: F64, back: F64, c0: int, r0: int, width: int, height: int,
    point_first: I64, point_column: I16, point_row: I16, point_fraction: F32, point_m: F32, cell_first: I64,
    cell_column: I16, cell_row: I16, cell_fraction: F32, slowness: float, longest_s: float, own_s: F32, cell_s: F32,
) -> None:  # fmt: skip
    # Times at the points of edges, and the least time in each of their cells, within the window.
    for j in range(len(edges)):
        e = edges[j]
        a, b = from_s[j], to_s[j]
        back_s, ahead_s = (back[e] if a < np.inf else 0.0), (ahead[e] if b < np.inf else 0.0)
        for i in range(point_first[e], point_first[e + 1]):
            c, r = point_column[i] - c0, point_row[i] - r0
            if 0 <= c < width and 0 <= r < height:
                # A lattice point has one street, so nothing is written twice here.
                t = point_fraction[i]
                own_s[r * width + c] = min(a + t * back_s, b + (1.0 - t) * ahead_s) + slowness * point_m[i]
        end = cell_first[e + 1]
        s = min(a, b + ahead_s)
        for i in range(cell_first[e], end):
            leaves = cell_fraction[i + 1] if i + 1 < end else np.float32(1.0)
            # A roof over the piece: least at an end.
            s_next = min(a + leaves * back_s, b + (1.0 - leaves) * ahead_s)
            least = min(s, s_next) * _ROUNDING - _ROUNDING_S
            s = s_next
            c, r = cell_column[i], cell_row[i]
            if least <= longest_s and c >= 0 and r >= 0:
                c, r = c - c0, r - r0
                if 0 <= c < width - 1 and 0 <= r < height - 1 and least < cell_s[r * width + c]:
                    cell_s[r * width + c] = least


@kernel
def _spread_from_sources(
    source_edge: I32, source_fraction: F64, source_lead_s: F64, ahead: F64, back: F64, c0: int, r0: int, width: int,
    height: int, point_first: I64, point_column: I16, point_row: I16, point_fraction: F32, point_m: F32,
    cell_first: I64, cell_column: I16, cell_row: I16, cell_fraction: F32, slowness: float, longest_s: float,
    own_s: F32, cell_s: F32,
) -> None:  # fmt: skip
    # The same for what a source reaches along its own edge.
    for k in range(len(source_edge)):
        e, at, lead = source_edge[k], source_fraction[k], source_lead_s[k]
        for i in range(point_first[e], point_first[e + 1]):
            c, r, gap = int(point_column[i]), int(point_row[i]), at - float(point_fraction[i])
            s = lead + slowness * point_m[i]
            s += abs(gap) * (ahead[e] if gap > 0.0 else back[e]) if gap != 0.0 else 0.0
            c, r = c - c0, r - r0
            if 0 <= c < width and 0 <= r < height and s < own_s[r * width + c]:
                own_s[r * width + c] = s
        end = cell_first[e + 1]
        for i in range(cell_first[e], end):
            enters = float(cell_fraction[i])
            leaves = float(cell_fraction[i + 1]) if i + 1 < end else 1.0
            least = lead - _ROUNDING_S
            if leaves < at - 1e-6:
                least += (at - leaves) * ahead[e]
            elif enters > at + 1e-6:
                least += (enters - at) * back[e]
            least *= _ROUNDING
            if least <= longest_s and cell_column[i] >= 0 and cell_row[i] >= 0:
                c, r = cell_column[i] - c0, cell_row[i] - r0
                if 0 <= c < width - 1 and 0 <= r < height - 1 and least < cell_s[r * width + c]:
                    cell_s[r * width + c] = least


@kernel
def _reached_edges(
    node: I32, node_s: F64, slot: I32, slot_node: I32, first: I32, arc_edge: I32, edge_from: I32, edge_to: I32,
    ahead: F64, back: F64,
) -> tuple[I32, F64, F64]:  # fmt: skip
    # Edges with a reached end, once each, and the seconds at the ends that one may come from.
    n = 0
    for i in range(len(node)):
        n += first[node[i] + 1] - first[node[i]]
    edges, from_s, to_s = np.empty(n, dtype=np.int32), np.empty(n), np.empty(n)
    n = 0
    for i in range(len(node)):
        here = node[i]
        for arc in range(first[here], first[here + 1]):
            e = arc_edge[arc]
            if e < 0:
                e = ~e
            a, b = np.inf, np.inf
            if edge_from[e] == here:
                a = node_s[i] if back[e] < np.inf else np.inf
                if ahead[e] < np.inf:
                    at = slot_of(slot_node, edge_to[e])
                    b = node_s[slot[at]] if slot_node[at] >= 0 else np.inf
            else:
                b = node_s[i] if ahead[e] < np.inf else np.inf
                # From both ends: taken once, from where it is drawn.
                if back[e] < np.inf and slot_node[slot_of(slot_node, edge_from[e])] >= 0:
                    continue
            edges[n], from_s[n], to_s[n] = e, a, b
            n += 1
    return edges[:n], from_s[:n], to_s[:n]


@kernel
def _outlines(
    first: I32, head: I32, cost: F64, arc_edge: I32, node_x: F64, node_y: F64, edge_from: I32, edge_to: I32,
    edge_first: I64, length_m: F64, ahead: F64, back: F64, x: F64, y: F64, along: F64, source_edge: I32,
    source_fraction: F64, source_lead_s: F64, access_ms: float, street_ms: float, max_snap_m: float, west: float,
    south: float, step: float, n_column: int, n_row: int, gap_dm: U16, point_first: I64, point_column: I16,
    point_row: I16, point_fraction: F32, point_m: F32, cell_first: I64, cell_column: I16, cell_row: I16,
    cell_fraction: F32, levels_s: F64,
) -> tuple[U8, I64]:  # fmt: skip
    node, node_s, slot, slot_node, near_west, near_south, near_east, near_north = search_near(
        first, head, cost, arc_edge, node_x, node_y, edge_from, edge_to, edge_first, length_m, ahead, back, x, y, along,
        source_edge, source_fraction, source_lead_s, levels_s[-1], access_ms, street_ms, max_snap_m,
    )  # fmt: skip
    if not near_west <= near_east:
        near_west, near_south, near_east, near_north = west, south, west, south
    slowness = 1.0 / access_ms
    # The part of the lattice where anything can be reached, with a border where nothing can.
    c0 = min(max(int(np.floor((near_west - west) / step)) - 1, 0), n_column - 1)
    r0 = min(max(int(np.floor((near_south - south) / step)) - 1, 0), n_row - 1)
    width = min(int(np.floor((near_east - west) / step)) + 3, n_column) - c0
    height = min(int(np.floor((near_north - south) / step)) + 3, n_row) - r0
    longest_s = levels_s[-1]
    own_s = np.full(width * height, np.float32(np.inf), dtype=np.float32)
    cell_s = np.full(width * height, np.float32(np.inf), dtype=np.float32)
    edges, from_s, to_s = _reached_edges(
        node, node_s, slot, slot_node, first, arc_edge, edge_from, edge_to, ahead, back
    )
    _spread(
        edges, from_s, to_s, ahead, back, c0, r0, width, height, point_first, point_column, point_row, point_fraction,
        point_m, cell_first, cell_column, cell_row, cell_fraction, slowness, longest_s, own_s, cell_s,
    )  # fmt: skip
    _spread_from_sources(
        source_edge, source_fraction, source_lead_s, ahead, back, c0, r0, width, height, point_first, point_column,
        point_row, point_fraction, point_m, cell_first, cell_column, cell_row, cell_fraction, slowness, longest_s,
        own_s, cell_s,
    )  # fmt: skip
    band = np.empty(width * height, dtype=np.int8)
    _band(own_s, cell_s, width, height, levels_s, band)
    inside, outside, ring_start, ring_level, ring_polygon, polygon_level = follow(band, width, height, len(levels_s))
    each = 1.0 / width
    xy = np.empty((len(inside), 2))
    for ring in range(len(ring_level)):
        level_s = levels_s[ring_level[ring]]
        for n in range(ring_start[ring], ring_start[ring + 1]):
            p, q = inside[n], outside[n]
            row = row_of(p, each)
            column = p - row * width
            up = 0 if abs(q - p) == 1 else (1 if q > p else -1)
            right = q - p if up == 0 else 0
            at = (row + r0) * n_column + column + c0
            t = _crossing(own_s[p], own_s[q], gap_dm, at, at + up * n_column + right, step, slowness, level_s)
            xy[n, 0] = west + (c0 + column + t * right) * step
            xy[n, 1] = south + (r0 + row + t * up) * step
    return write(xy, ring_start, ring_polygon, polygon_level, len(levels_s))


@kernel
def _band(own_s: F32, cell_s: F32, width: int, height: int, levels_s: F64, band: I8) -> None:
    # How many limits a lattice point lies beyond, by its own time or because a cell beside it is taken.
    # The border is outside whatever happens, so that every ring closes.
    band[:] = len(levels_s)
    least = np.empty(width - 2, dtype=np.float32)
    beyond = np.empty(width - 2, dtype=np.int8)
    for row in range(1, height - 1):
        at = row * width
        own, below, here = own_s[at + 1 :], cell_s[at - width :], cell_s[at:]
        # Plain loops over slices: the compiler takes several points at a time.
        for i in range(len(least)):
            s = own[i]
            s = min(s, below[i])
            s = min(s, below[i + 1])
            s = min(s, here[i])
            least[i] = min(s, here[i + 1])
        beyond[:] = 0
        for level_s in levels_s:
            limit = np.float32(level_s)
            for i in range(len(least)):
                beyond[i] += np.int8(1) if least[i] > limit else np.int8(0)
        band[at + 1 : at + width - 1] = beyond


@kernel
def _crossing(
    here_s: float, there_s: float, gap_dm: U16, here: int, there: int, step: float, slowness: float, level_s: float
) -> float:
    # How far from an inside point to its outside neighbour the ground lies within the level. The ground between belongs
    # first to the one's street and then to the other's.
    if here_s > level_s:
        return _MARGIN
    step_s = step * slowness
    if there_s - here_s <= 1.5 * step_s:
        t = (level_s - here_s) / (there_s - here_s)
    else:
        # Two streets: away from either the distance grows by at most a step for a step.
        gap = 0.1 * (float(gap_dm[there]) - float(gap_dm[here])) / step
        t = min(max(0.5 + 0.5 * gap, 0.0), 1.0, (level_s - here_s) / step_s)
    return min(max(t, _MARGIN), 1.0 - _MARGIN)
