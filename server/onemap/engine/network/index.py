"""Snapping: the position on the street nearest to a point, by exact distance to segments, never to nodes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64, Bool
from onemap.engine.network.network import Network, SegmentIndex
from onemap.errors import InputRefused, InvalidValue

_FEW = 64


@dataclass(frozen=True, slots=True)
class Places:
    """
    Points on the network.

    Attributes
    ----------
    edge : (n,)
        The edge a point lies on; -1 where no street is near enough.
    fraction : (n,)
        How far along the edge, from 0 to 1 in drawn direction.
    snap_m : (n,)
        Straight distance from the point to the street; ``inf`` where there is none.
    moved : (n,)
        Where a nearer street was passed over because it belongs to an islet.
    """

    edge: I32
    fraction: F64
    snap_m: F64
    moved: Bool

    def __len__(self) -> int:
        return len(self.edge)

    @property
    def found(self) -> Bool:
        """Which points have a street."""
        return self.edge >= 0

    def take(self, rows: I64 | Bool) -> Places:
        """The places of some rows."""
        return Places(self.edge[rows], self.fraction[rows], self.snap_m[rows], self.moved[rows])

    def statistics(self) -> dict[str, float | int]:
        """What a reader should know: how many snapped, how far, how many failed."""
        near = self.snap_m[self.found]
        return {
            "n": len(self),
            "snapped": int(self.found.sum()),
            "failed": int((~self.found).sum()),
            "passed_over_islet": int(self.moved.sum()),
            "median_m": round(float(np.median(near)), 2) if len(near) else 0.0,
            "p95_m": round(float(np.quantile(near, 0.95)), 2) if len(near) else 0.0,
            "max_m": round(float(near.max()), 2) if len(near) else 0.0,
        }


def snap(network: Network, x: F64, y: F64, *, max_m: float | None = None, threads: int = 1) -> Places:
    """
    The nearest position on a street for every point.

    Parameters
    ----------
    x, y : (n,)
        Metres in the network's plane.
    max_m
        Points farther than this from any street have no place; the network's own limit by default.
    threads
        How many threads share the work.
    """
    if len(x) != len(y):
        raise InvalidValue(f"{len(x)} x and {len(y)} y coordinates do not make points.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        n_bad = int((~(np.isfinite(x) & np.isfinite(y))).sum())
        raise InputRefused(f"{n_bad} of {len(x)} points have coordinates that are not numbers (NaN or infinite).")
    limit = network.max_snap_m if max_m is None else max_m
    if not limit >= 0.0:
        raise InvalidValue(f"A snapping limit of {limit:g} m cannot be used: it must be 0 or more.")
    n = len(x)
    edge, fraction = np.full(n, -1, dtype=np.int32), np.zeros(n)
    metres, moved = np.full(n, np.inf), np.zeros(n, dtype=np.bool_)
    index = network.index
    # Many points are taken cell by cell, so that neighbours find the streets in the cache.
    order = np.argsort(_cell_of(index, x, y), kind="stable") if n > _FEW else np.arange(n)

    def work(rows: I64) -> None:
        _snap(
            rows, x, y, limit, index.west, index.south, index.cell_m, index.n_column, index.n_row, index.first,
            index.segment, index.clearance, network.x, network.y, network.along_m, network.segment_edge,
            network.edge_first, network.edge_last, network.snappable, edge, fraction, metres, moved,
        )  # fmt: skip

    if threads <= 1 or n < 10_000:
        work(order)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, np.array_split(order, threads * 4)))
    return Places(edge, fraction, metres, moved)


def snap_lattice(
    network: Network, west: float, south: float, step_m: float, n_column: int, n_row: int, max_m: float
) -> Places:
    """
    The nearest street positions of a lattice's points, row by row from the south-west corner.

    Notes
    -----
    Corners of the cells that a street touches know it exactly; the others learn of streets from their neighbours in two
    sweeps (Danielsson 1980), which may miss the very nearest by a hair, never by more than a step.
    """
    n = n_column * n_row
    edge, fraction = np.full(n, -1, dtype=np.int32), np.zeros(n)
    metres, moved = np.full(n, np.inf), np.zeros(n, dtype=np.bool_)
    index = network.index
    _sweep(
        west, south, step_m, n_column, n_row, min(max_m, network.max_snap_m), index.west, index.south, index.cell_m,
        index.n_column, index.n_row, index.first, index.segment, network.x, network.y, network.along_m,
        network.segment_edge, network.edge_first, network.edge_last, network.snappable, edge, fraction, metres,
    )  # fmt: skip
    return Places(edge, fraction, metres, moved)


def segment_index(x: F64, y: F64, segment_edge: I32) -> SegmentIndex:
    """A lattice over the segments with about two of them in an occupied cell."""
    segments = np.flatnonzero(segment_edge >= 0)
    x0, y0, x1, y1 = x[segments], y[segments], x[segments + 1], y[segments + 1]
    west, south = float(min(x0.min(), x1.min())), float(min(y0.min(), y1.min()))
    width = max(float(max(x0.max(), x1.max())) - west, 1.0)
    height = max(float(max(y0.max(), y1.max())) - south, 1.0)
    n = len(segments)
    cell = float(max(np.sqrt(width * height / (4.0 * n + 64.0)), 5.0, max(width, height) / 20_000.0))
    n_column, n_row = int(width / cell) + 1, int(height / cell) + 1
    count = np.zeros(n_column * n_row + 1, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int32)
    _file_segments(segments, x, y, west, south, cell, n_column, n_row, count, nothing, False)
    first = np.zeros(n_column * n_row + 1, dtype=np.int64)
    np.cumsum(count[:-1], out=first[1:])
    filed = np.empty(int(first[-1]), dtype=np.int32)
    _file_segments(segments, x, y, west, south, cell, n_column, n_row, first[:-1].copy(), filed, True)
    clearance = np.empty(n_column * n_row, dtype=np.int32)
    _clear(first, n_column, n_row, clearance)
    return SegmentIndex(west, south, cell, n_column, n_row, first, filed, clearance)


def _cell_of(index: SegmentIndex, x: F64, y: F64) -> I64:
    column = np.clip((x - index.west) / index.cell_m, 0, index.n_column - 1).astype(np.int64)
    row = np.clip((y - index.south) / index.cell_m, 0, index.n_row - 1).astype(np.int64)
    return row * index.n_column + column


@kernel
def _file_segments(
    segments: I64, x: F64, y: F64, west: float, south: float, cell: float, n_column: int, n_row: int,
    fill: I64, filed: I32, write: bool,
) -> None:  # fmt: skip
    # Two passes over the same walk: count, then write. A segment is filed in the cells its line touches, row by row.
    for s in segments:
        ax, ay, bx, by = x[s] - west, y[s] - south, x[s + 1] - west, y[s + 1] - south
        if ay > by:
            ax, ay, bx, by = bx, by, ax, ay
        low, high = min(int(ay / cell), n_row - 1), min(int(by / cell), n_row - 1)
        for row in range(low, high + 1):
            left, right = min(ax, bx), max(ax, bx)
            if high > low:
                t0 = min(max((row * cell - ay) / (by - ay), 0.0), 1.0)
                t1 = min(max(((row + 1) * cell - ay) / (by - ay), 0.0), 1.0)
                xa, xb = ax + t0 * (bx - ax), ax + t1 * (bx - ax)
                left, right = min(xa, xb), max(xa, xb)
            c0 = max(int((left - 1e-6) / cell), 0)
            c1 = min(int((right + 1e-6) / cell), n_column - 1)
            for column in range(c0, c1 + 1):
                at = row * n_column + column
                if write:
                    filed[fill[at]] = s
                fill[at] += 1


@kernel
def _clear(first: I64, n_column: int, n_row: int, clearance: I32) -> None:
    # Chebyshev distance transform in two sweeps.
    far = n_column + n_row
    for row in range(n_row):
        for column in range(n_column):
            at = row * n_column + column
            if first[at + 1] > first[at]:
                clearance[at] = 0
                continue
            best = far
            if column > 0:
                best = min(best, clearance[at - 1] + 1)
            if row > 0:
                for c in range(max(column - 1, 0), min(column + 1, n_column - 1) + 1):
                    best = min(best, clearance[at - column - n_column + c] + 1)
            clearance[at] = best
    for row in range(n_row - 1, -1, -1):
        for column in range(n_column - 1, -1, -1):
            at = row * n_column + column
            best = clearance[at]
            if column < n_column - 1:
                best = min(best, clearance[at + 1] + 1)
            if row < n_row - 1:
                for c in range(max(column - 1, 0), min(column + 1, n_column - 1) + 1):
                    best = min(best, clearance[at - column + n_column + c] + 1)
            clearance[at] = best


@kernel
def _look(
    at: int, qx: float, qy: float, first: I64, filed: I32, x: F64, y: F64, segment_edge: I32, snappable: Bool,
    best2: float, best_segment: int, best_t: float, any2: float,
) -> tuple[float, int, float, float]:  # fmt: skip
    # The best of the segments filed in one cell, and of those before.
    for k in range(first[at], first[at + 1]):
        s = filed[k]
        ux, uy = x[s + 1] - x[s], y[s + 1] - y[s]
        vx, vy = qx - x[s], qy - y[s]
        square = ux * ux + uy * uy
        t = 0.0
        if square > 0.0:
            t = min(max((vx * ux + vy * uy) / square, 0.0), 1.0)
        dx, dy = vx - t * ux, vy - t * uy
        d2 = dx * dx + dy * dy
        any2 = min(any2, d2)
        if d2 <= best2:
            earlier = best_segment < 0 or segment_edge[s] < segment_edge[best_segment]
            if snappable[segment_edge[s]] and (d2 < best2 or earlier):
                best2, best_segment, best_t = d2, s, t
    return best2, best_segment, best_t, any2


@kernel
def _snap(
    rows: I64, px: F64, py: F64, limit: float, west: float, south: float, cell: float, n_column: int, n_row: int,
    first: I64, filed: I32, clearance: I32, x: F64, y: F64, along: F64, segment_edge: I32, edge_first: I64,
    edge_last: I64, snappable: Bool, edge: I32, fraction: F64, metres: F64, moved: Bool,
) -> None:  # fmt: skip
    for row in rows:
        qx, qy = px[row], py[row]
        column0 = min(max(int((qx - west) / cell), 0), n_column - 1)
        row0 = min(max(int((qy - south) / cell), 0), n_row - 1)
        best2, best_segment, best_t, any2 = limit * limit, -1, 0.0, np.inf
        # How far the point itself lies outside the lattice counts for every cell.
        off_x2 = max(west - qx, qx - west - n_column * cell, 0.0) ** 2
        off_y2 = max(south - qy, qy - south - n_row * cell, 0.0) ** 2
        ring = clearance[row0 * n_column + column0]
        while True:
            c0, c1, r0, r1 = column0 - ring, column0 + ring, row0 - ring, row0 + ring
            # Whatever is not looked at yet lies beyond the nearest open side of the cells inside this ring.
            if ring > 0:
                reach2 = np.inf
                if c0 >= 0:
                    reach2 = min(reach2, max(qx - (west + (c0 + 1) * cell), 0.0) ** 2 + off_y2)
                if c1 <= n_column - 1:
                    reach2 = min(reach2, max(west + c1 * cell - qx, 0.0) ** 2 + off_y2)
                if r0 >= 0:
                    reach2 = min(reach2, max(qy - (south + (r0 + 1) * cell), 0.0) ** 2 + off_x2)
                if r1 <= n_row - 1:
                    reach2 = min(reach2, max(south + r1 * cell - qy, 0.0) ** 2 + off_x2)
                if reach2 == np.inf or reach2 > best2:
                    break
            for side in range(2):
                r = r0 if side == 0 else r1
                if 0 <= r < n_row and not (side == 1 and ring == 0):
                    c = max(c0, 0)
                    while c <= min(c1, n_column - 1):
                        at = r * n_column + c
                        if clearance[at] == 0:
                            best2, best_segment, best_t, any2 = _look(
                                at,
                                qx,
                                qy,
                                first,
                                filed,
                                x,
                                y,
                                segment_edge,
                                snappable,
                                best2,
                                best_segment,
                                best_t,
                                any2,
                            )
                        c += max(clearance[at], 1)
            for side in range(2):
                c = c0 if side == 0 else c1
                if 0 <= c < n_column and ring > 0:
                    r = max(r0 + 1, 0)
                    while r <= min(r1 - 1, n_row - 1):
                        at = r * n_column + c
                        if clearance[at] == 0:
                            best2, best_segment, best_t, any2 = _look(
                                at,
                                qx,
                                qy,
                                first,
                                filed,
                                x,
                                y,
                                segment_edge,
                                snappable,
                                best2,
                                best_segment,
                                best_t,
                                any2,
                            )
                        r += max(clearance[at], 1)
            ring += 1
        if best_segment >= 0:
            e = segment_edge[best_segment]
            start = along[edge_first[e]]
            length = along[edge_last[e]] - start
            here = along[best_segment] + best_t * (along[best_segment + 1] - along[best_segment]) - start
            edge[row] = e
            fraction[row] = min(max(here / length, 0.0), 1.0) if length > 0.0 else 0.0
            metres[row] = np.sqrt(best2)
            moved[row] = any2 < best2


@kernel
def _gap2(px: float, py: float, s: int, x: F64, y: F64) -> tuple[float, float]:
    # Squared distance from a point to a segment, and where on the segment it is met.
    ux, uy = x[s + 1] - x[s], y[s + 1] - y[s]
    vx, vy = px - x[s], py - y[s]
    square = ux * ux + uy * uy
    t = 0.0
    if square > 0.0:
        t = min(max((vx * ux + vy * uy) / square, 0.0), 1.0)
    dx, dy = vx - t * ux, vy - t * uy
    return dx * dx + dy * dy, t


@kernel
def _learn(
    column: int, row: int, s: int, west: float, south: float, step: float, n_column: int, x: F64, y: F64, near: I32,
    near2: F64,
) -> None:  # fmt: skip
    at = row * n_column + column
    if near[at] == s:
        return
    d2, _ = _gap2(west + column * step, south + row * step, s, x, y)
    if d2 < near2[at]:
        near2[at], near[at] = d2, s


@kernel
def _sweep(
    west: float, south: float, step: float, n_column: int, n_row: int, limit: float, index_west: float,
    index_south: float, cell: float, index_columns: int, index_rows: int, first: I64, filed: I32, x: F64, y: F64,
    along: F64, segment_edge: I32, edge_first: I64, edge_last: I64, snappable: Bool, edge: I32, fraction: F64,
    metres: F64,
) -> None:  # fmt: skip
    near = np.full(n_column * n_row, -1, dtype=np.int32)
    near2 = np.full(n_column * n_row, np.inf)
    # Streets on and around the lattice, from the index; each marks the corners of the lattice cells it touches.
    around = min(limit, 100.0)
    c0 = max(int(np.floor((west - around - index_west) / cell)), 0)
    r0 = max(int(np.floor((south - around - index_south) / cell)), 0)
    c1 = min(int(np.floor((west + n_column * step + around - index_west) / cell)), index_columns - 1)
    r1 = min(int(np.floor((south + n_row * step + around - index_south) / cell)), index_rows - 1)
    for r in range(r0, r1 + 1):
        for c in range(c0, c1 + 1):
            for k in range(first[r * index_columns + c], first[r * index_columns + c + 1]):
                s = filed[k]
                if not snappable[segment_edge[s]]:
                    continue
                # Filed in several cells, it is taken in the one where it begins, if that is looked at.
                sc, sr = int((x[s] - index_west) / cell), int((y[s] - index_south) / cell)
                if c0 <= sc <= c1 and r0 <= sr <= r1 and (sc != c or sr != r):
                    continue
                ax, ay = (x[s] - west) / step, (y[s] - south) / step
                bx, by = (x[s + 1] - west) / step, (y[s + 1] - south) / step
                if ay > by:
                    ax, ay, bx, by = bx, by, ax, ay
                low, high = int(np.floor(ay)), int(np.floor(by))
                inside = False
                for row in range(max(low, 0), min(high, n_row - 2) + 1):
                    t0, t1 = 0.0, 1.0
                    if high > low:
                        t0 = min(max((row - ay) / (by - ay), 0.0), 1.0)
                        t1 = min(max((row + 1 - ay) / (by - ay), 0.0), 1.0)
                    xa, xb = ax + t0 * (bx - ax), ax + t1 * (bx - ax)
                    left, right = int(np.floor(min(xa, xb) - 1e-9)), int(np.floor(max(xa, xb) + 1e-9))
                    for column in range(max(left, 0), min(right, n_column - 2) + 1):
                        inside = True
                        _learn(column, row, s, west, south, step, n_column, x, y, near, near2)
                        _learn(column + 1, row, s, west, south, step, n_column, x, y, near, near2)
                        _learn(column, row + 1, s, west, south, step, n_column, x, y, near, near2)
                        _learn(column + 1, row + 1, s, west, south, step, n_column, x, y, near, near2)
                if not inside:
                    # A street outside the lattice is told to the lattice point nearest to it.
                    column = min(max(int(np.rint(0.5 * (ax + bx))), 0), n_column - 1)
                    row = min(max(int(np.rint(0.5 * (ay + by))), 0), n_row - 1)
                    _learn(column, row, s, west, south, step, n_column, x, y, near, near2)
    for sweep in range(2):
        for i in range(n_row):
            row = i if sweep == 0 else n_row - 1 - i
            back = -1 if sweep == 0 else 1
            for direction in (1, -1):
                # Within a row both ways, so that what is learnt travels along it in the same sweep.
                for j in range(n_column):
                    column = j if direction == 1 else n_column - 1 - j
                    # A street nearer than a step touches one of the cells around: the point knows it already.
                    if near2[row * n_column + column] <= step * step:
                        continue
                    side = column - direction
                    if 0 <= side < n_column and near[row * n_column + side] >= 0:
                        _learn(column, row, near[row * n_column + side], west, south, step, n_column, x, y, near, near2)
                    if direction == 1 and 0 <= row + back < n_row:
                        for other in range(max(column - 1, 0), min(column + 1, n_column - 1) + 1):
                            told = near[(row + back) * n_column + other]
                            if told >= 0:
                                _learn(column, row, told, west, south, step, n_column, x, y, near, near2)
    for at in range(n_column * n_row):
        s = near[at]
        if s < 0 or near2[at] > limit * limit:
            continue
        _, t = _gap2(west + (at % n_column) * step, south + (at // n_column) * step, s, x, y)
        e = segment_edge[s]
        start = along[edge_first[e]]
        length = along[edge_last[e]] - start
        here = along[s] + t * (along[s + 1] - along[s]) - start
        edge[at] = e
        fraction[at] = min(max(here / length, 0.0), 1.0) if length > 0.0 else 0.0
        metres[at] = np.sqrt(near2[at])
