"""Polygons from directed pieces of boundary, coordinates bit for bit as they were."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from onemap.engine._jit import kernel
from onemap.engine.geometry.types import F64, I32


def polygons_of(face: I32, start: I32, end: I32, xy: F64, n_face: int) -> NDArray[Any]:
    """
    The polygon of every face from its boundary pieces.

    Parameters
    ----------
    face : (n_piece,)
        The face on the left of each piece.
    start, end : (n_piece,)
        Point numbers. The pieces of a face close up to rings.
    xy : (n_point, 2)
    n_face
        Faces are numbered 0 .. n_face - 1.

    Returns
    -------
    polygons : (n_face,)
        Polygon, MultiPolygon where a face has several parts, an empty polygon where it has none.

    Notes
    -----
    Rings that meet themselves in a point are parted there, so every ring is simple and the result is valid.
    """
    order = np.argsort(face, kind="stable")
    bounds = np.searchsorted(face[order], np.arange(n_face + 1))
    points, ring_start, ring_face = _trace(start[order], end[order], bounds, xy)
    if len(ring_start) <= 1:
        return np.array([shapely.Polygon()] * n_face, dtype=object)
    closed = xy[points]
    ring = np.repeat(np.arange(len(ring_face)), np.diff(ring_start))
    rings = shapely.linearrings(closed, indices=ring)
    area = _signed_area(closed, ring_start)
    shells, holes = np.flatnonzero(area > 0), np.flatnonzero(area < 0)
    shell_of_hole = _enclosing(shells, holes, ring_face, rings)
    parts = shapely.polygons(rings[shells])
    order = np.argsort(shell_of_hole, kind="stable")
    order = order[shell_of_hole[order] >= 0]
    owners, first = np.unique(shell_of_hole[order], return_index=True)
    for shell, inner in zip(owners, np.split(order, first[1:]) if len(owners) else [], strict=True):
        parts[shell] = shapely.polygons(rings[shells[shell]], list(rings[holes[inner]]))
    return _gathered(parts, ring_face[shells], n_face)


def _gathered(parts: NDArray[Any], face: I32, n_face: int) -> NDArray[Any]:
    result = np.array([shapely.Polygon()] * n_face, dtype=object)
    count = np.bincount(face, minlength=n_face)
    single = count[face] == 1
    result[face[single]] = parts[single]
    for several in np.flatnonzero(count > 1):
        result[several] = shapely.multipolygons(list(parts[face == several]))
    return result


def _signed_area(closed: F64, ring_start: NDArray[Any]) -> F64:
    origin = np.repeat(closed[ring_start[:-1]], np.diff(ring_start), axis=0)
    near = closed - origin
    cross = near[:-1, 0] * near[1:, 1] - near[1:, 0] * near[:-1, 1]
    cross = np.append(cross, 0.0)
    cross[ring_start[1:] - 1] = 0.0
    return np.asarray(np.add.reduceat(cross, ring_start[:-1]) / 2)


def _enclosing(shells: NDArray[Any], holes: NDArray[Any], ring_face: I32, rings: NDArray[Any]) -> NDArray[Any]:
    """The shell that each hole lies in, by face; where a face has several shells, by a test of the geometry."""
    order = np.argsort(ring_face[shells], kind="stable")
    sorted_face = ring_face[shells][order]
    found = np.full(len(holes), -1, dtype=np.int64)
    low = np.searchsorted(sorted_face, ring_face[holes], "left")
    high = np.searchsorted(sorted_face, ring_face[holes], "right")
    for k in range(len(holes)):
        candidates = order[low[k] : high[k]]
        if len(candidates) == 1:
            found[k] = candidates[0]
        elif len(candidates):
            spot = shapely.point_on_surface(shapely.polygons(rings[holes[k]]))
            faces = shapely.polygons(rings[shells[candidates]])
            around = candidates[shapely.contains(faces, spot)]
            sizes = shapely.area(shapely.polygons(rings[shells[around]]))
            if len(around):
                found[k] = around[np.argmin(sizes)]
    return found


@kernel
def _trace(start, end, bounds, xy):  # type: ignore[no-untyped-def]
    """Rings of point numbers, closed, one after the other; where each starts; the face of each."""
    n = len(start)
    points = np.empty(2 * n + 8, dtype=np.int64)
    ring_start = np.zeros(n + 1, dtype=np.int64)
    ring_face = np.empty(n, dtype=np.int32)
    n_ring, n_point = 0, 0
    used = np.zeros(n, dtype=np.bool_)
    path = np.empty(n + 1, dtype=np.int64)
    seen = np.full(len(xy), -1, dtype=np.int64)
    for f in range(len(bounds) - 1):
        low, high = bounds[f], bounds[f + 1]
        if low == high:
            continue
        order = low + np.argsort(start[low:high])
        from_point = start[order]
        for first in range(low, high):
            if used[first]:
                continue
            top = 0
            piece = first
            path[0] = start[first]
            seen[path[0]] = 0
            while True:
                used[piece] = True
                q = end[piece]
                if seen[q] >= 0:  # a ring closes: part it from the path
                    at = seen[q]
                    for k in range(at, top + 1):
                        points[n_point] = path[k]
                        n_point += 1
                        if k > at:
                            seen[path[k]] = -1
                    points[n_point] = q
                    n_point += 1
                    ring_face[n_ring] = f
                    n_ring += 1
                    ring_start[n_ring] = n_point
                    top = at
                    if at == 0:
                        more = False
                        k = np.searchsorted(from_point, q)
                        while k < len(from_point) and from_point[k] == q:
                            if not used[order[k]]:
                                more = True
                            k += 1
                        if not more:
                            seen[q] = -1
                            break
                else:
                    top += 1
                    path[top] = q
                    seen[q] = top
                # The next piece of this face: the first one clockwise from where we came.
                back_x, back_y = xy[start[piece], 0] - xy[q, 0], xy[start[piece], 1] - xy[q, 1]
                base = np.arctan2(back_y, back_x)
                best, best_turn = -1, 100.0
                k = np.searchsorted(from_point, q)
                while k < len(from_point) and from_point[k] == q:
                    s = order[k]
                    if not used[s]:
                        angle = np.arctan2(xy[end[s], 1] - xy[q, 1], xy[end[s], 0] - xy[q, 0])
                        turn = base - angle
                        if turn <= 0:
                            turn += 2 * np.pi
                        if turn < best_turn:
                            best, best_turn = s, turn
                    k += 1
                if best < 0:  # an open chain: its points close no ring
                    for k in range(top + 1):
                        seen[path[k]] = -1
                    break
                piece = best
    return points[:n_point], ring_start[: n_ring + 1], ring_face[:n_ring]
