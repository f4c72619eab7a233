"""
The ground a camera sees: its sector less the shadows of the buildings in between.

Rays to the ends of walls, and to where walls cross, cut the sector into wedges; within a wedge one wall is nearest from
end to end, so the wedge's far side is a chord of that wall or an arc of the range. Exact up to the arc, which is
drawn with chords. A camera that stands inside a building, or on its wall, is mounted on it and sees past it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64
from onemap.errors import InputRefused, InvalidValue

MOUNT_M = 0.05
_ARC_DEG = 3.0


@dataclass(frozen=True, slots=True)
class Cameras:
    """
    Cameras in a metric plane.

    Attributes
    ----------
    x, y : (n,)
        Metres.
    bearing_deg : (n,)
        Clockwise from north.
    fov_deg : (n,)
        Width of the view, above 0, 360 for a dome.
    range_m : (n,)
        Above 0.
    """

    x: F64
    y: F64
    bearing_deg: F64
    fov_deg: F64
    range_m: F64

    def __post_init__(self) -> None:
        columns = (self.x, self.y, self.bearing_deg, self.fov_deg, self.range_m)
        if not all(np.isfinite(column).all() for column in columns):
            raise InputRefused("Some cameras have a position, bearing, angle or range that is not a number.")
        if not ((self.fov_deg > 0.0).all() and (self.fov_deg <= 360.0).all()):
            raise InvalidValue("A camera's field of view lies above 0 and not above 360 degrees.")
        if not ((self.range_m > 0.0).all() and (self.range_m <= 5000.0).all()):
            raise InvalidValue("A camera's range lies above 0 and not above 5,000 m.")

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class Walls:
    """
    Building outlines as segments, filed in a lattice.

    Attributes
    ----------
    ax, ay, bx, by : (n_wall,)
        Ends of every wall.
    building : (n_wall,)
        Whose wall it is; walls of a building are contiguous.
    """

    ax: F64
    ay: F64
    bx: F64
    by: F64
    building: I32
    west: float
    south: float
    cell_m: float
    n_column: int
    n_row: int
    first: I64
    filed: I32

    @classmethod
    def of(cls, polygons: Any) -> Walls:
        """The walls of (Multi)Polygons, holes included; empty and missing ones have none."""
        polygons = np.asarray(polygons, dtype=object)
        parts, part_of = shapely.get_parts(polygons, return_index=True)
        is_polygon = shapely.get_type_id(parts) == 3
        rings, ring_of = shapely.get_rings(parts[is_polygon], return_index=True)
        xy, at = shapely.get_coordinates(rings, return_index=True)
        if not np.isfinite(xy).all():
            raise InputRefused("Some buildings have coordinates that are not numbers (NaN or infinite).")
        inner = np.flatnonzero(at[1:] == at[:-1]) if len(at) else np.empty(0, dtype=np.int64)
        building = part_of[is_polygon][ring_of][at[inner]].astype(np.int32)
        return _file(xy[inner, 0], xy[inner, 1], xy[inner + 1, 0], xy[inner + 1, 1], building)


def seen_ground(cameras: Cameras, walls: Walls, *, threads: int = 2) -> Any:
    """
    The polygon that each camera sees: (n_camera,) shapely polygons.

    Parameters
    ----------
    cameras
        Restricted classes are the caller's to leave out.
    walls
        What blocks the view.
    threads
        How many threads share the cameras.
    """

    def work(rows: I64) -> tuple[F64, I64]:
        xy, count = _see(
            rows, cameras.x, cameras.y, cameras.bearing_deg, cameras.fov_deg, cameras.range_m, walls.ax, walls.ay,
            walls.bx, walls.by, walls.building, walls.west, walls.south, walls.cell_m,
            walls.n_column, walls.n_row, walls.first, walls.filed, MOUNT_M, np.radians(_ARC_DEG),
        )  # fmt: skip
        return xy, count

    if len(cameras) == 0:
        return np.empty(0, dtype=object)
    parts = np.array_split(np.arange(len(cameras)), max(1, min(4 * threads, len(cameras))))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        pieces = list(pool.map(work, parts))
    xy = np.concatenate([piece[0] for piece in pieces])
    count = np.concatenate([piece[1] for piece in pieces])
    rings = shapely.linearrings(xy, indices=np.repeat(np.arange(len(count)), count))
    return shapely.polygons(rings)


def cameras_seeing(cameras: Cameras, walls: Walls, x: float, y: float) -> I64:
    """Rows of the cameras that see a point, the nearest first."""
    if not (np.isfinite(x) and np.isfinite(y)):
        raise InputRefused("The point has coordinates that are not numbers.")
    distance = np.hypot(cameras.x - x, cameras.y - y)
    rows = np.flatnonzero(distance <= cameras.range_m)
    rows = rows[np.argsort(distance[rows], kind="stable")]
    bearing = np.degrees(np.arctan2(x - cameras.x[rows], y - cameras.y[rows]))
    off = np.abs((bearing - cameras.bearing_deg[rows] + 180.0) % 360.0 - 180.0)
    rows = rows[(off <= cameras.fov_deg[rows] / 2.0) | (distance[rows] == 0.0)]
    clear = np.array(
        [
            _is_clear(
                cameras.x[row], cameras.y[row], x, y, walls.ax, walls.ay, walls.bx, walls.by, walls.building,
                walls.west, walls.south, walls.cell_m, walls.n_column, walls.n_row, walls.first,
                walls.filed, MOUNT_M,
            )
            for row in rows
        ],
        dtype=np.bool_,
    )  # fmt: skip
    return np.asarray(rows[clear], dtype=np.int64)


def _file(ax: F64, ay: F64, bx: F64, by: F64, building: I32) -> Walls:
    n = len(ax)
    if n == 0:
        return Walls(ax, ay, bx, by, building, 0.0, 0.0, 1.0, 1, 1, np.zeros(2, np.int64), np.empty(0, np.int32))
    west, south = float(min(ax.min(), bx.min())), float(min(ay.min(), by.min()))
    width, height = float(max(ax.max(), bx.max())) - west, float(max(ay.max(), by.max())) - south
    cell = float(max(np.sqrt(max(width, 1.0) * max(height, 1.0) / (n / 8.0 + 1.0)), 10.0))
    n_column, n_row = int(width / cell) + 1, int(height / cell) + 1
    count = np.zeros(n_column * n_row + 1, dtype=np.int64)
    _file_boxes(ax, ay, bx, by, west, south, cell, n_column, n_row, count, np.empty(0, dtype=np.int32), False)
    first = np.zeros(n_column * n_row + 1, dtype=np.int64)
    np.cumsum(count[:-1], out=first[1:])
    filed = np.empty(int(first[-1]), dtype=np.int32)
    _file_boxes(ax, ay, bx, by, west, south, cell, n_column, n_row, first[:-1].copy(), filed, True)
    return Walls(ax, ay, bx, by, building, west, south, cell, n_column, n_row, first, filed)


@kernel
def _file_boxes(
    ax: F64, ay: F64, bx: F64, by: F64, west: float, south: float, cell: float, n_column: int, n_row: int, fill: I64,
    filed: I32, write: bool,
) -> None:  # fmt: skip
    for s in range(len(ax)):
        c0, c1 = int((min(ax[s], bx[s]) - west) / cell), int((max(ax[s], bx[s]) - west) / cell)
        r0, r1 = int((min(ay[s], by[s]) - south) / cell), int((max(ay[s], by[s]) - south) / cell)
        for r in range(r0, min(r1, n_row - 1) + 1):
            for c in range(c0, min(c1, n_column - 1) + 1):
                if write:
                    filed[fill[r * n_column + c]] = s
                fill[r * n_column + c] += 1


@kernel
def _near_walls(
    west: float, south: float, east: float, north: float, ax: F64, ay: F64, bx: F64, by: F64, lattice_west: float,
    lattice_south: float, cell: float, n_column: int, n_row: int, first: I64, filed: I32,
) -> I32:  # fmt: skip
    # The walls that touch a box, each once.
    c0, c1 = int(np.floor((west - lattice_west) / cell)), int(np.floor((east - lattice_west) / cell))
    r0, r1 = int(np.floor((south - lattice_south) / cell)), int(np.floor((north - lattice_south) / cell))
    c0, r0, c1, r1 = max(c0, 0), max(r0, 0), min(c1, n_column - 1), min(r1, n_row - 1)
    n = 0
    for r in range(r0, r1 + 1):
        for c in range(c0, c1 + 1):
            n += first[r * n_column + c + 1] - first[r * n_column + c]
    found = np.empty(n, dtype=np.int32)
    n = 0
    for r in range(r0, r1 + 1):
        for c in range(c0, c1 + 1):
            for k in range(first[r * n_column + c], first[r * n_column + c + 1]):
                s = filed[k]
                # A wall is taken from the first of its cells that lies in the box.
                wc = max(int((min(ax[s], bx[s]) - lattice_west) / cell), c0)
                wr = max(int((min(ay[s], by[s]) - lattice_south) / cell), r0)
                if wc != c or wr != r:
                    continue
                if max(ax[s], bx[s]) < west or min(ax[s], bx[s]) > east:
                    continue
                if max(ay[s], by[s]) < south or min(ay[s], by[s]) > north:
                    continue
                found[n] = s
                n += 1
    return found[:n]


@kernel
def _mounts(x: float, y: float, near: I32, ax: F64, ay: F64, bx: F64, by: F64, building: I32, mount_m: float) -> I32:
    # Buildings with a wall within mount_m of the point, or around it. Only the walls near by are known, so being inside
    # is told from the walls of the building itself.
    found = np.empty(len(near), dtype=np.int32)
    n = 0
    for k in near:
        b = building[k]
        known = False
        for j in range(n):
            if found[j] == b:
                known = True
                break
        if known:
            continue
        low, high = k, k
        while low > 0 and building[low - 1] == b:
            low -= 1
        while high + 1 < len(building) and building[high + 1] == b:
            high += 1
        inside, on = False, False
        for s in range(low, high + 1):
            ux, uy = bx[s] - ax[s], by[s] - ay[s]
            square = ux * ux + uy * uy
            t = 0.0
            if square > 0.0:
                t = min(max(((x - ax[s]) * ux + (y - ay[s]) * uy) / square, 0.0), 1.0)
            if np.hypot(x - ax[s] - t * ux, y - ay[s] - t * uy) <= mount_m:
                on = True
            if (ay[s] > y) != (by[s] > y) and x < ax[s] + (y - ay[s]) / (by[s] - ay[s]) * ux:
                inside = not inside
        if inside or on:
            found[n] = b
            n += 1
    return found[:n]


@kernel
def _blocking(near: I32, mounts: I32, building: I32) -> I32:
    kept = np.empty(len(near), dtype=np.int32)
    n = 0
    for s in near:
        mounted = False
        for b in mounts:
            if building[s] == b:
                mounted = True
        if not mounted:
            kept[n] = s
            n += 1
    return kept[:n]


@kernel
def _is_clear(
    x: float, y: float, tx: float, ty: float, ax: F64, ay: F64, bx: F64, by: F64, building: I32,
    west: float, south: float, cell: float, n_column: int, n_row: int, first: I64, filed: I32, mount_m: float,
) -> bool:  # fmt: skip
    near = _near_walls(
        min(x, tx) - 1.0, min(y, ty) - 1.0, max(x, tx) + 1.0, max(y, ty) + 1.0, ax, ay, bx, by, west, south, cell,
        n_column, n_row, first, filed,
    )  # fmt: skip
    if len(near) == 0:
        return True
    mounts = _mounts(x, y, near, ax, ay, bx, by, building, mount_m)
    dx, dy = tx - x, ty - y
    for s in _blocking(near, mounts, building):
        ux, uy = bx[s] - ax[s], by[s] - ay[s]
        cross = dx * uy - dy * ux
        if cross == 0.0:
            continue
        wx, wy = ax[s] - x, ay[s] - y
        t = (wx * uy - wy * ux) / cross
        u = (wx * dy - wy * dx) / cross
        if 0.0 <= u <= 1.0 and 0.0 < t < 1.0 - 1e-9:
            return False
    return True


@kernel
def _see(
    rows: I64, cx: F64, cy: F64, bearing_deg: F64, fov_deg: F64, range_m: F64, ax: F64, ay: F64, bx: F64, by: F64,
    building: I32, west: float, south: float, cell: float, n_column: int, n_row: int, first: I64,
    filed: I32, mount_m: float, arc: float,
) -> tuple[F64, I64]:  # fmt: skip
    capacity = 64 * len(rows) + 1024
    out = np.empty((capacity, 2))
    n_out = 0
    count = np.zeros(len(rows), dtype=np.int64)
    for number in range(len(rows)):
        i = rows[number]
        x, y, far = cx[i], cy[i], range_m[i]
        # Angles run counter-clockwise from the right edge of the view, 0 .. width.
        width = np.radians(min(fov_deg[i], 360.0))
        start = np.pi / 2.0 - np.radians(bearing_deg[i]) - width / 2.0
        whole = fov_deg[i] >= 360.0
        near = _near_walls(
            x - far, y - far, x + far, y + far, ax, ay, bx, by, west, south, cell, n_column, n_row, first, filed,
        )  # fmt: skip
        if len(near) > 0:
            near = _blocking(near, _mounts(x, y, near, ax, ay, bx, by, building, mount_m), building)
        m = len(near)
        px, py = np.empty(m), np.empty(m)
        qx, qy = np.empty(m), np.empty(m)
        kept = 0
        for s in near:
            # Walls farther than the range, or seen edge-on, cast no shadow on the sector.
            x0, y0, x1, y1 = ax[s] - x, ay[s] - y, bx[s] - x, by[s] - y
            ux, uy = x1 - x0, y1 - y0
            square = ux * ux + uy * uy
            if square == 0.0 or abs(x0 * uy - y0 * ux) < 1e-9 * square:
                continue
            t = min(max(-(x0 * ux + y0 * uy) / square, 0.0), 1.0)
            if np.hypot(x0 + t * ux, y0 + t * uy) >= far:
                continue
            px[kept], py[kept], qx[kept], qy[kept] = x0, y0, x1, y1
            kept += 1
        m = kept
        n_arc = int(np.ceil(width / arc))
        cuts = np.empty(n_arc + 1 + 4 * m + m * (m - 1) // 2)
        n_cut = 0
        for j in range(n_arc + 1):
            cuts[n_cut] = width * j / n_arc
            n_cut += 1
        for j in range(m):
            for end in range(2):
                ex, ey = (px[j], py[j]) if end == 0 else (qx[j], qy[j])
                angle = (np.arctan2(ey, ex) - start) % (2.0 * np.pi)
                if 0.0 < angle < width and ex * ex + ey * ey <= far * far * (1.0 + 1e-12):
                    cuts[n_cut] = angle
                    n_cut += 1
            # Where the wall leaves the range.
            ux, uy = qx[j] - px[j], qy[j] - py[j]
            a2 = ux * ux + uy * uy
            b2 = px[j] * ux + py[j] * uy
            root = b2 * b2 - a2 * (px[j] * px[j] + py[j] * py[j] - far * far)
            if root > 0.0:
                for sign in (-1.0, 1.0):
                    t = (-b2 + sign * np.sqrt(root)) / a2
                    if 0.0 < t < 1.0:
                        angle = (np.arctan2(py[j] + t * uy, px[j] + t * ux) - start) % (2.0 * np.pi)
                        if 0.0 < angle < width:
                            cuts[n_cut] = angle
                            n_cut += 1
            # Where it crosses another wall (overlapping footprints).
            for k in range(j):
                vx, vy = qx[k] - px[k], qy[k] - py[k]
                cross = ux * vy - uy * vx
                if cross == 0.0:
                    continue
                wx, wy = px[k] - px[j], py[k] - py[j]
                t = (wx * vy - wy * vx) / cross
                u = (wx * uy - wy * ux) / cross
                if 0.0 < t < 1.0 and 0.0 < u < 1.0:
                    ex, ey = px[j] + t * ux, py[j] + t * uy
                    angle = (np.arctan2(ey, ex) - start) % (2.0 * np.pi)
                    if 0.0 < angle < width and ex * ex + ey * ey < far * far:
                        cuts[n_cut] = angle
                        n_cut += 1
        cuts = np.sort(cuts[:n_cut])
        if n_out + 2 * n_cut + 4 > capacity:
            capacity = 2 * capacity + 2 * n_cut + 4
            wider = np.empty((capacity, 2))
            wider[:n_out] = out[:n_out]
            out = wider
        begin = n_out
        if not whole:
            out[n_out, 0], out[n_out, 1] = x, y
            n_out += 1
        for c in range(n_cut - 1):
            low, high = cuts[c], cuts[c + 1]
            if high - low < 1e-12:
                continue
            middle = start + 0.5 * (low + high)
            mx, my = np.cos(middle), np.sin(middle)
            nearest, wall = far, -1
            for j in range(m):
                ux, uy = qx[j] - px[j], qy[j] - py[j]
                cross = mx * uy - my * ux
                if cross == 0.0:
                    continue
                t = (px[j] * uy - py[j] * ux) / cross
                u = (px[j] * my - py[j] * mx) / cross
                if 0.0 <= u <= 1.0 and 0.0 < t < nearest:
                    nearest, wall = t, j
            for side in range(2):
                angle = start + (low if side == 0 else high)
                dx, dy = np.cos(angle), np.sin(angle)
                reach = far
                if wall >= 0:
                    ux, uy = qx[wall] - px[wall], qy[wall] - py[wall]
                    cross = dx * uy - dy * ux
                    if cross != 0.0:
                        reach = min(max((px[wall] * uy - py[wall] * ux) / cross, 0.0), far)
                vx, vy = x + reach * dx, y + reach * dy
                if n_out > begin and abs(out[n_out - 1, 0] - vx) < 1e-9 and abs(out[n_out - 1, 1] - vy) < 1e-9:
                    continue
                out[n_out, 0], out[n_out, 1] = vx, vy
                n_out += 1
        out[n_out, 0], out[n_out, 1] = out[begin, 0], out[begin, 1]
        n_out += 1
        count[number] = n_out - begin
    return out[:n_out], count
