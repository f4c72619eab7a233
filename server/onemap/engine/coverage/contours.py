"""Polygons where a lattice of values stays at or below a level: marching squares with rings that never touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64

_MARGIN = 0.01


@dataclass(frozen=True, slots=True)
class Lattice:
    """Values on a square lattice: ``value[row, column]`` at ``(west + column * step_m, south + row * step_m)``."""

    west: float
    south: float
    step_m: float
    value: F64


def polygon_below(lattice: Lattice, level: float) -> Any:
    """
    The ground where the value is at most the level, as one (Multi)Polygon; empty where there is none.

    Notes
    -----
    Crossings are interpolated linearly and kept off the lattice points, so rings are simple and holes lie inside their
    shells. A cell with all four corners at or below the level lies inside entirely.
    """
    rows, columns = lattice.value.shape
    # A frame of outside values closes every ring.
    value = np.full((rows + 2, columns + 2), np.inf)
    value[1:-1, 1:-1] = lattice.value
    xy, ring_start, part = _trace(value, level)
    if len(ring_start) < 2:
        return shapely.MultiPolygon()
    xy = np.column_stack(
        [lattice.west + (xy[:, 0] - 1.0) * lattice.step_m, lattice.south + (xy[:, 1] - 1.0) * lattice.step_m]
    )
    return _assemble(xy, ring_start, part)


def _assemble(xy: F64, ring_start: I64, part: I32) -> Any:
    """Rings to polygons: every connected part has one shell (counter-clockwise) and any number of holes."""
    ring_of = np.repeat(np.arange(len(ring_start) - 1), np.diff(ring_start))
    rings: NDArray[Any] = shapely.linearrings(xy, indices=ring_of)
    is_hole = ~shapely.is_ccw(rings)
    polygons = []
    order = np.lexsort((is_hole, part))
    bounds = np.flatnonzero(np.append(True, np.diff(part[order]) != 0))
    for begin, end in zip(bounds, np.append(bounds[1:], len(order)), strict=True):
        polygons.append(shapely.polygons(rings[order[begin]], holes=rings[order[begin + 1 : end]]))
    return polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)


def _trace(value: F64, level: float) -> tuple[F64, I64, I32]:
    """Vertices in lattice units, where each ring begins, and the connected part each ring bounds."""
    rows, columns = value.shape
    onward = np.full(2 * rows * columns, -1, dtype=np.int32)
    n = _link(value, level, onward)
    if n == 0:
        return np.empty((0, 2)), np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int32)
    label = np.arange(rows * columns, dtype=np.int32)
    _label(value, level, label)
    xy = np.empty((n, 2))
    ring_start = np.empty(n // 3 + 2, dtype=np.int64)
    part = np.empty(n // 3 + 2, dtype=np.int32)
    n_ring = _walk(value, level, onward, label, xy, ring_start, part)
    return xy, ring_start[: n_ring + 1], part[:n_ring]


@kernel
def _link(value: F64, level: float, onward: I32) -> int:
    # A crossing is named by its lattice edge: 2 * corner for the edge rightwards, 2 * corner + 1 for the edge upwards.
    # Segments run with the inside on their left.
    rows, columns = value.shape
    n = 0
    for r in range(rows - 1):
        for c in range(columns - 1):
            a = value[r, c] <= level
            b = value[r, c + 1] <= level
            d = value[r + 1, c] <= level
            e = value[r + 1, c + 1] <= level
            if a == b and b == d and d == e:
                continue
            corner = r * columns + c
            bottom, left = 2 * corner, 2 * corner + 1
            top, right = 2 * (corner + columns), 2 * (corner + 1) + 1
            case = (1 if a else 0) + (2 if b else 0) + (4 if e else 0) + (8 if d else 0)
            n += 1
            if case == 1:
                onward[bottom] = left
            elif case == 2:
                onward[right] = bottom
            elif case == 3:
                onward[right] = left
            elif case == 4:
                onward[top] = right
            elif case == 5:
                onward[bottom] = left
                onward[top] = right
                n += 1
            elif case == 6:
                onward[top] = bottom
            elif case == 7:
                onward[top] = left
            elif case == 8:
                onward[left] = top
            elif case == 9:
                onward[bottom] = top
            elif case == 10:
                onward[right] = bottom
                onward[left] = top
                n += 1
            elif case == 11:
                onward[right] = top
            elif case == 12:
                onward[left] = right
            elif case == 13:
                onward[bottom] = right
            elif case == 14:
                onward[left] = bottom
    return n


@kernel
def _root(label: I32, i: int) -> int:
    while label[i] != i:
        label[i] = label[label[i]]
        i = label[i]
    return i


@kernel
def _label(value: F64, level: float, label: I32) -> None:
    rows, columns = value.shape
    for r in range(rows):
        for c in range(columns):
            if value[r, c] <= level:
                here = r * columns + c
                if c > 0 and value[r, c - 1] <= level:
                    label[_root(label, here)] = _root(label, here - 1)
                if r > 0 and value[r - 1, c] <= level:
                    label[_root(label, here)] = _root(label, here - columns)


@kernel
def _walk(value: F64, level: float, onward: I32, label: I32, xy: F64, ring_start: I64, part: I32) -> int:
    columns = value.shape[1]
    n, n_ring = 0, 0
    for start in range(len(onward)):
        if onward[start] < 0:
            continue
        ring_start[n_ring] = n
        at = start
        while onward[at] >= 0:
            corner = at // 2
            other = corner + 1 if at % 2 == 0 else corner + columns
            v0, v1 = value[corner // columns, corner % columns], value[other // columns, other % columns]
            if v0 <= level:
                inside = corner
                t = (level - v0) / (v1 - v0) if v1 < np.inf else 0.0
            else:
                inside = other
                t = 1.0 - ((level - v1) / (v0 - v1) if v0 < np.inf else 0.0)
            t = min(max(t, _MARGIN), 1.0 - _MARGIN)
            xy[n, 0] = corner % columns + (t if at % 2 == 0 else 0.0)
            xy[n, 1] = corner // columns + (0.0 if at % 2 == 0 else t)
            if n == ring_start[n_ring]:
                part[n_ring] = _root(label, inside)
            n += 1
            following = onward[at]
            onward[at] = -1
            at = following
        n_ring += 1
    ring_start[n_ring] = n
    return n_ring
