"""Rings around the inside of a lattice, for several nested levels at once: marching squares and who encloses whom."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64

I8 = NDArray[np.int8]
U8 = NDArray[np.uint8]

# Well-known binary: types, and the order of bytes that this machine has.
_POLYGON, _MULTIPOLYGON = 3, 6
_ORDER = 1 if sys.byteorder == "little" else 0


@kernel
def follow(band: I8, n_column: int, n_row: int, n_level: int) -> tuple[I32, I32, I64, I32, I32, I32]:
    """
    Where the rings of every level cross the lattice: polygon after polygon, a shell before its holes.

    A lattice point is inside level ``l`` where its band is at most ``l``; those on the border are outside all. Points
    inside hang together along rows and columns, not across corners. Rings run with the inside on their left.

    Returns
    -------
    inside, outside : (n,)
        The two neighbouring lattice points (row * n_column + column) between which each vertex lies, ring after ring.
    ring_start : (n_ring + 1,)
        Where each ring begins.
    ring_level, ring_polygon : (n_ring,)
        The level and the polygon that a ring belongs to.
    polygon_level : (n_polygon,)
        The level of each polygon, ascending.
    """
    # A crossing is named by its lattice edge: 2 * corner for the edge rightwards, 2 * corner + 1 for the edge upwards,
    # after those of the levels below. What follows it, or, once it is visited, -2 - ring.
    n_edge = 2 * n_column * n_row
    onward = np.full(n_level * n_edge, -1, dtype=np.int32)
    begins = _link(band, n_column, n_row, onward)
    n = len(begins)
    inside, outside = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    ring_start = np.zeros(n // 3 + 2, dtype=np.int64)
    ring_level, ring_shell = np.empty(n // 3 + 1, dtype=np.int32), np.empty(n // 3 + 1, dtype=np.int32)
    n_ring = _walk(band, begins, onward, n_column, n_edge, inside, outside, ring_start, ring_level, ring_shell)
    _enclose(band, onward, n_edge, ring_level, n_ring, ring_shell)
    return _in_order(inside, outside, ring_start, ring_level, ring_shell, n_ring, n_level)


def polygons(text: U8, ends: I64) -> tuple[Any, ...]:
    """What ``write`` wrote: one (Multi)Polygon for each level, empty where it has none."""
    whole = text.tobytes()
    begin, several = 0, []
    for end in ends.tolist():
        several.append(whole[begin:end])
        begin = end
    return tuple(shapely.from_wkb(several))


@kernel
def write(xy: F64, ring_start: I64, ring_polygon: I32, polygon_level: I32, n_level: int) -> tuple[U8, I64]:
    """
    Rings as well-known binary, whose parsing takes a third of the time of building ring by ring.

    Parameters
    ----------
    xy : (n, 2)
        Where the vertices of ``follow`` lie.

    Returns
    -------
    text, ends : (n_level,)
        The levels' polygons one after the other, and where each ends.
    """
    out = np.empty(9 * n_level + 9 * len(polygon_level) + 20 * len(ring_polygon) + 16 * len(xy), dtype=np.uint8)
    ends = np.empty(n_level, dtype=np.int64)
    number = xy.ravel().view(np.uint8)
    at, ring, polygon = 0, 0, 0
    for level in range(n_level):
        end = polygon
        while end < len(polygon_level) and polygon_level[end] == level:
            end += 1
        if end != polygon + 1:
            out[at] = _ORDER
            at = _number(out, _number(out, at + 1, _MULTIPOLYGON), end - polygon)
        while polygon < end:
            last = ring
            while last < len(ring_polygon) and ring_polygon[last] == polygon:
                last += 1
            out[at] = _ORDER
            at = _number(out, _number(out, at + 1, _POLYGON), last - ring)
            while ring < last:
                begin, beyond = 16 * ring_start[ring], 16 * ring_start[ring + 1]
                at = _number(out, at, (beyond - begin) // 16 + 1)
                out[at : at + beyond - begin] = number[begin:beyond]
                at += beyond - begin
                out[at : at + 16] = number[begin : begin + 16]
                at += 16
                ring += 1
            polygon += 1
        ends[level] = at
    return out, ends


@kernel
def _number(out: U8, at: int, value: int) -> int:
    for i in range(4):
        out[at + i] = (value >> (8 * i if _ORDER == 1 else 24 - 8 * i)) & 0xFF
    return at + 4


@kernel
def _link(band: I8, n_column: int, n_row: int, onward: I32) -> I32:
    n_edge = 2 * n_column * n_row
    begins = np.empty(1024, dtype=np.int32)
    n = 0
    # Most cells lie within one band: their corners are compared many at once, and eight at a time are passed over.
    mixed = np.zeros((n_column + 7) // 8 * 8, dtype=np.uint8)
    eight = mixed.view(np.uint64)
    for r in range(n_row - 1):
        lower, upper = band[r * n_column : (r + 1) * n_column], band[(r + 1) * n_column : (r + 2) * n_column]
        for c in range(n_column - 1):
            mixed[c] = (lower[c] ^ lower[c + 1]) | (lower[c] ^ upper[c]) | (lower[c] ^ upper[c + 1])
        c = -1
        while c + 1 < n_column - 1:
            c += 1
            if mixed[c] == 0:
                if c & 7 == 0 and eight[c >> 3] == 0:
                    c += 7
                continue
            corner = r * n_column + c
            a, b, d, e = lower[c], lower[c + 1], upper[c], upper[c + 1]
            for level in range(min(a, b, d, e), max(a, b, d, e)):
                at = level * n_edge
                bottom, left = at + 2 * corner, at + 2 * corner + 1
                top, right = at + 2 * (corner + n_column), at + 2 * (corner + 1) + 1
                case = (1 if a <= level else 0) + (2 if b <= level else 0)
                case += (4 if e <= level else 0) + (8 if d <= level else 0)
                if n + 2 > len(begins):
                    begins = np.append(begins, np.empty(len(begins), dtype=np.int32))
                start, stop = bottom, left
                if case == 2:
                    start, stop = right, bottom
                elif case == 3:
                    start, stop = right, left
                elif case == 4:
                    start, stop = top, right
                elif case == 5:
                    onward[top] = right
                    begins[n] = top
                    n += 1
                elif case == 6:
                    start, stop = top, bottom
                elif case == 7:
                    start, stop = top, left
                elif case == 8:
                    start, stop = left, top
                elif case == 9:
                    start, stop = bottom, top
                elif case == 10:
                    onward[right] = bottom
                    begins[n] = right
                    n += 1
                    start, stop = left, top
                elif case == 11:
                    start, stop = right, top
                elif case == 12:
                    start, stop = left, right
                elif case == 13:
                    start, stop = bottom, right
                elif case == 14:
                    start, stop = left, bottom
                onward[start] = stop
                begins[n] = start
                n += 1
    return begins[:n]


@kernel
def row_of(point: int, each: float) -> int:
    """The row of a lattice point, ``each`` being one over the columns: a product is quicker than a division."""
    return int((point + 0.5) * each)


@kernel
def _walk(
    band: I8, begins: I32, onward: I32, n_column: int, n_edge: int, inside: I32, outside: I32, ring_start: I64,
    ring_level: I32, ring_hole: I32,
) -> int:  # fmt: skip
    # Ring after ring. A hole is known by its leftmost crossing, left of which the ground is inside: that point is noted
    # in ``ring_hole``; -1 for shells.
    n, n_ring, each = 0, 0, 1.0 / n_column
    for begin in begins:
        if onward[begin] < 0:
            continue
        level = begin // n_edge
        at = begin
        leftmost, hole = n_column, -1
        while onward[at] >= 0:
            edge = at - level * n_edge
            corner = edge >> 1
            sideways = edge & 1 == 0
            other = corner + 1 if sideways else corner + n_column
            is_inside = band[corner] <= level
            if is_inside:
                inside[n], outside[n] = corner, other
            else:
                inside[n], outside[n] = other, corner
            n += 1
            if sideways:
                column = corner - row_of(corner, each) * n_column
                if column < leftmost:
                    leftmost, hole = column, corner if is_inside else -1
            following = onward[at]
            onward[at] = -2 - n_ring
            at = following
        ring_level[n_ring], ring_hole[n_ring] = level, hole
        n_ring += 1
        ring_start[n_ring] = n
    return n_ring


@kernel
def _enclose(band: I8, onward: I32, n_edge: int, ring_level: I32, n_ring: int, ring_shell: I32) -> None:
    # A hole's leftmost crossing looks left along its row, over ground inside: the first ring it meets is the shell or
    # another hole of the same shell, farther left.
    for ring in range(n_ring):
        from_corner = ring_shell[ring]
        if from_corner < 0:
            ring_shell[ring] = ring
            continue
        level = ring_level[ring]
        while band[from_corner - 1] <= level:
            from_corner -= 1
        ring_shell[ring] = -2 - onward[level * n_edge + 2 * (from_corner - 1)]
    for ring in range(n_ring):
        shell = ring_shell[ring]
        while ring_shell[shell] != shell:
            shell = ring_shell[shell]
        ring_shell[ring] = shell


@kernel
def _in_order(
    inside: I32, outside: I32, ring_start: I64, ring_level: I32, ring_shell: I32, n_ring: int, n_level: int
) -> tuple[I32, I32, I64, I32, I32, I32]:  # fmt: skip
    # Shells by level, each followed by its holes.
    n_hole = np.zeros(n_ring, dtype=np.int32)
    n_polygon = 0
    for ring in range(n_ring):
        if ring_shell[ring] == ring:
            n_polygon += 1
        else:
            n_hole[ring_shell[ring]] += 1
    place, polygon = np.empty(n_ring, dtype=np.int32), np.empty(n_ring, dtype=np.int32)
    polygon_level = np.empty(n_polygon, dtype=np.int32)
    at, n_polygon = 0, 0
    for level in range(n_level):
        for ring in range(n_ring):
            if ring_shell[ring] == ring and ring_level[ring] == level:
                place[ring], polygon[ring], polygon_level[n_polygon] = at, n_polygon, level
                at += 1 + n_hole[ring]
                n_polygon += 1
    order = np.empty(n_ring, dtype=np.int32)
    for ring in range(n_ring - 1, -1, -1):
        shell = ring_shell[ring]
        if shell != ring:
            order[place[shell] + n_hole[shell]] = ring
            n_hole[shell] -= 1
        else:
            order[place[ring]] = ring
    n = ring_start[n_ring]
    sorted_inside, sorted_outside = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    start = np.zeros(n_ring + 1, dtype=np.int64)
    level_of, polygon_of = np.empty(n_ring, dtype=np.int32), np.empty(n_ring, dtype=np.int32)
    n = 0
    for i in range(n_ring):
        ring = order[i]
        level_of[i], polygon_of[i] = ring_level[ring], polygon[ring_shell[ring]]
        for k in range(ring_start[ring], ring_start[ring + 1]):
            sorted_inside[n], sorted_outside[n] = inside[k], outside[k]
            n += 1
        start[i + 1] = n
    return sorted_inside, sorted_outside, start, level_of, polygon_of, polygon_level
