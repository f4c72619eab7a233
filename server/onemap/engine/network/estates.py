"""Enclosed estates: where gates are known they are the only doors, and every other street through the wall is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from onemap.engine.network.access import MODES
from onemap.engine.network.arrays import F64, I64
from onemap.engine.network.streets import Streets

GATE_M = 15.0


def close_estates(
    streets: Streets,
    estates: Any,
    gate_x: F64,
    gate_y: F64,
    *,
    gate_m: float = GATE_M,
    modes: Sequence[str] = MODES,
) -> tuple[Streets, int]:
    """
    The streets with every crossing of an estate's wall blocked, unless a gate is near; and how many were blocked.

    Parameters
    ----------
    estates : (n,)
        Polygons of enclosed estates in the streets' plane. One without any gate near its wall is left open: nothing is
        known about its doors.
    gate_x, gate_y : (n_gate,)
        Gates.
    gate_m
        A crossing within this distance of a gate is the gate.
    """
    walls = shapely.boundary(np.asarray(estates, dtype=object))
    gates = shapely.points(gate_x, gate_y)
    if len(walls) == 0 or len(gates) == 0:
        return streets, 0
    known = np.unique(shapely.STRtree(walls).query(gates, predicate="dwithin", distance=gate_m)[1])
    if len(known) == 0:
        return streets, 0
    at, x, y = _crossings(streets, walls[known])
    if len(at) == 0:
        return streets, 0
    near, _ = shapely.STRtree(gates).query_nearest(shapely.points(x, y), max_distance=gate_m, all_matches=False)
    closed = np.ones(len(at), dtype=np.bool_)
    closed[near] = False
    return _with_blocks(streets, at[closed], x[closed], y[closed], modes), int(closed.sum())


def _crossings(streets: Streets, walls: Any) -> tuple[I64, F64, F64]:
    """Segments (by first vertex) that cross a wall, and where."""
    begin = np.flatnonzero(_has_next(streets))
    x, y = streets.point_x[streets.vertex], streets.point_y[streets.vertex]
    ends = np.stack([np.column_stack([x[begin], y[begin]]), np.column_stack([x[begin + 1], y[begin + 1]])], axis=1)
    lines = shapely.linestrings(ends)
    line, wall = shapely.STRtree(walls).query(lines, predicate="intersects")
    points, of = shapely.get_parts(shapely.intersection(lines[line], walls[wall]), return_index=True)
    # A street that runs along the wall does not cross it.
    is_point = shapely.get_type_id(points) == 0
    points, of = points[is_point], of[is_point]
    return begin[line[of]], shapely.get_x(points), shapely.get_y(points)


def _has_next(streets: Streets) -> Any:
    flags = np.ones(len(streets.vertex), dtype=np.bool_)
    flags[streets.way_start[1:] - 1] = False
    return flags


def _with_blocks(streets: Streets, at: I64, x: F64, y: F64, modes: Sequence[str]) -> Streets:
    """A blocked point inside each of the segments."""
    start = streets.vertex[at]
    gone_m = np.hypot(x - streets.point_x[start], y - streets.point_y[start])
    order = np.lexsort((gone_m, at))
    at, x, y, gone_m = at[order], x[order], y[order], gone_m[order]
    stop = streets.vertex[at + 1]
    plane_m = np.hypot(
        streets.point_x[stop] - streets.point_x[streets.vertex[at]],
        streets.point_y[stop] - streets.point_y[streets.vertex[at]],
    )
    along_m = streets.segment_m[at] * np.divide(gone_m, plane_m, out=np.zeros(len(at)), where=plane_m > 0.0)
    n_point, n_new = len(streets.point_x), len(at)
    vertex = np.insert(streets.vertex, at + 1, np.arange(n_point, n_point + n_new))
    # Lengths from the segment's beginning turn into lengths from vertex to vertex.
    ends = np.insert(streets.segment_m, at + 1, streets.segment_m[at])
    moved = at + 1 + np.arange(n_new)
    begins = np.zeros(len(ends))
    begins[moved] = along_m
    ends[moved - 1] = along_m
    segment_m = np.maximum(ends - begins, 0.0)
    blocked = {
        mode: np.append(flags, np.full(n_new, mode in modes, dtype=np.bool_)) for mode, flags in streets.blocked.items()
    }
    return replace(
        streets,
        point_x=np.append(streets.point_x, x),
        point_y=np.append(streets.point_y, y),
        point_id=np.append(streets.point_id, np.full(n_new, -1, dtype=np.int64)),
        way_start=streets.way_start + np.searchsorted(at + 1, streets.way_start, side="left"),
        vertex=vertex,
        segment_m=segment_m,
        blocked=blocked,
    )
