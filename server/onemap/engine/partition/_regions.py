"""Regions of a triangulated ground, and the sectors around its points: what no constraint parts."""

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.geometry.types import F64, I32, I64
from onemap.engine.partition.kinds import FIRST_BARRIER

#: What a region is that no building stands on; buildings are numbered from 0.
OUTSIDE, WATER, GROUND = -3, -2, -1
_FAR = 1e15
_BARRIER = int(FIRST_BARRIER)


def spots_of(vertex: I32, x: I64, y: I64, region: I32) -> F64:
    """(n_region, 2) a point well inside each region: the middle of its largest triangle."""
    n = len(x)
    low_x, high_x, low_y, high_y = x.min(), x.max(), y.min(), y.max()
    px = np.concatenate([x, [low_x, high_x, high_x, low_x]]).astype(np.float64)
    py = np.concatenate([y, [low_y, low_y, high_y, high_y]]).astype(np.float64)
    outer = (vertex >= n).any(axis=1)
    a, b, c = vertex.T
    area = (px[b] - px[a]) * (py[c] - py[a]) - (py[b] - py[a]) * (px[c] - px[a])
    order = np.argsort(area, kind="stable")
    largest = np.zeros(int(region.max()) + 1, dtype=np.int64)
    largest[region[order]] = order
    spots = np.stack([px[vertex[largest]].mean(axis=1), py[vertex[largest]].mean(axis=1)], axis=1)
    spots[region[outer]] = _FAR  # whatever reaches the square's corners is outside, slivers at the boundary included
    return np.asarray(spots)


@kernel
def flood(neighbour, kind):  # type: ignore[no-untyped-def]
    """(n_triangle,) the region of each triangle: what is joined without crossing a constraint."""
    n = len(neighbour)
    region = np.full(n, -1, dtype=np.int32)
    stack = np.empty(n, dtype=np.int32)
    count = 0
    for first in range(n):
        if region[first] >= 0:
            continue
        region[first] = count
        stack[0] = first
        top = 1
        while top > 0:
            top -= 1
            t = stack[top]
            for i in range(3):
                u = neighbour[t, i]
                if u >= 0 and kind[t, i] == 0 and region[u] < 0:
                    region[u] = count
                    stack[top] = u
                    top += 1
        count += 1
    return region


@kernel
def sectors(tv, tn, tk):  # type: ignore[no-untyped-def]
    """Corners around a point that no constraint parts share a sector. Returns ((n_triangle, 3), count)."""
    n = len(tv)
    sector = np.full((n, 3), -1, dtype=np.int32)
    count = 0
    for t0 in range(n):
        for i0 in range(3):
            if sector[t0, i0] >= 0:
                continue
            p = tv[t0, i0]
            for turn in range(1, 3):
                t, i = t0, i0
                while t >= 0 and (sector[t, i] < 0 or (t == t0 and turn == 2)):
                    sector[t, i] = count
                    e = (i + turn) % 3
                    if tk[t, e] != 0:
                        break
                    t = tn[t, e]
                    if t >= 0:
                        i = 0
                        while tv[t, i] != p:
                            i += 1
                        if t == t0:
                            break
            count += 1
    return sector, count


@kernel
def distance(x, y, a, b):  # type: ignore[no-untyped-def]
    return np.hypot(float(x[a] - x[b]), float(y[a] - y[b]))


@kernel
def main_region(tv, tn, tk, x, y, region, what, n_house, n_region):  # type: ignore[no-untyped-def]
    """(n_house,) the ground region that a house shares the most outline with: its side of a street that cuts it."""
    best = np.zeros(n_house)
    main = np.full(n_house, -1, dtype=np.int32)
    total = {}
    total[np.int64(-1)] = 0.0
    for t in range(len(tv)):
        if what[t] != GROUND:
            continue
        for i in range(3):
            u = tn[t, i]
            if tk[t, i] == 0 or u < 0 or what[u] < 0:
                continue
            key = np.int64(what[u]) * n_region + region[t]
            length = distance(x, y, tv[t, (i + 1) % 3], tv[t, (i + 2) % 3])
            total[key] = total.get(key, 0.0) + length
            if total[key] > best[what[u]]:
                best[what[u]] = total[key]
                main[what[u]] = region[t]
    return main


@kernel
def touches_barrier(tn, tk, region, n_region):  # type: ignore[no-untyped-def]
    touches = np.zeros(n_region, dtype=np.bool_)
    for t in range(len(tn)):
        for i in range(3):
            if tk[t, i] >= _BARRIER:
                touches[region[t]] = True
    return touches
