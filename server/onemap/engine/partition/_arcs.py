"""Arcs between the atoms of a triangulated ground: the kernels behind :mod:`ground` that draw borders."""

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.partition._ground import Ground
from onemap.engine.partition._regions import WATER
from onemap.engine.partition.arcs import Arcs
from onemap.engine.partition.kinds import Kind

_RIVER = int(Kind.RIVER)


def arcs_of(ground: Ground, unit: float) -> Arcs:
    """The boundary pieces between atoms, coordinates in metres."""
    mesh = ground.mesh
    left, right, start, end, kind, xy = _collect(
        mesh.vertex,
        mesh.neighbour,
        mesh.kind,
        ground.x.astype(np.float64),
        ground.y.astype(np.float64),
        ground.atom,
        ground.source,
        ground.owner[ground.region],
    )
    joins = np.ones(len(left), dtype=np.bool_)
    used, dense = np.unique(np.concatenate([start, end]), return_inverse=True)
    start, end = dense[: len(start)].astype(np.int32), dense[len(start) :].astype(np.int32)
    return Arcs(
        left, right, start, end, kind, joins, xy[used] * unit, ground.n_atom, np.zeros(len(used), dtype=np.bool_)
    )


@kernel
def _split(x, y, a, b, sa, sb):  # type: ignore[no-untyped-def]
    """Where on the edge a, b the distance to both sources is equal, kept off the ends."""
    if a > b:
        a, b = b, a
        sa, sb = sb, sa
    f = 0.5
    if sa >= 0 and sb >= 0:
        dx, dy = x[b] - x[a], y[b] - y[a]
        bottom = 2 * (dx * (x[sb] - x[sa]) + dy * (y[sb] - y[sa]))
        if abs(bottom) > 1e-9:
            f = ((x[a] - x[sb]) ** 2 + (y[a] - y[sb]) ** 2 - (x[a] - x[sa]) ** 2 - (y[a] - y[sa]) ** 2) / bottom
            f = min(max(f, 0.1), 0.9)
    return x[a] + f * (x[b] - x[a]), y[a] + f * (y[b] - y[a])


@kernel
def _collect(tv, tn, tk, x, y, atom, source, what):  # type: ignore[no-untyped-def]
    n_tri, n_point = len(tv), len(x)
    # 1. A point on every edge whose ends disagree on either side.
    middle = np.full((n_tri, 3), -1, dtype=np.int32)
    count = n_point
    xy = np.empty((n_point + 3 * n_tri // 2 + n_tri + 8, 2))
    xy[:n_point, 0], xy[:n_point, 1] = x, y
    for t in range(n_tri):
        for i in range(3):
            u = tn[t, i]
            if u < t:  # outside the square, or seen before
                continue
            j1, j2 = (i + 1) % 3, (i + 2) % 3
            a, b = tv[t, j1], tv[t, j2]
            k = 0
            while tn[u, k] != t:
                k += 1
            same = atom[t, j1] == atom[t, j2] and atom[u, (k + 1) % 3] == atom[u, (k + 2) % 3]
            if same:
                continue
            if tk[t, i] != 0:
                px, py = (x[a] + x[b]) / 2, (y[a] + y[b]) / 2
            else:
                px, py = _split(x, y, a, b, source[t, j1], source[t, j2])
            xy[count, 0], xy[count, 1] = px, py
            middle[t, i] = count
            middle[u, k] = count
            count += 1
    # 2. The pieces: along constraints, and inside triangles between corners of different atoms.
    limit = 3 * n_tri + 3 * n_tri
    left, right = np.empty(limit, dtype=np.int32), np.empty(limit, dtype=np.int32)
    start, end = np.empty(limit, dtype=np.int32), np.empty(limit, dtype=np.int32)
    kind = np.empty(limit, dtype=np.int8)
    m = 0
    for t in range(n_tri):
        for i in range(3):
            u = tn[t, i]
            if u < t or tk[t, i] == 0:
                continue
            j1, j2 = (i + 1) % 3, (i + 2) % 3
            a, b = tv[t, j1], tv[t, j2]
            ka, kb = 0, 0
            while tv[u, ka] != a:
                ka += 1
            while tv[u, kb] != b:
                kb += 1
            piece_kind = tk[t, i]
            if what[t] == WATER and what[u] == WATER:
                piece_kind = _RIVER
            mid = middle[t, i]
            if mid < 0:
                if atom[t, j1] != atom[u, ka]:
                    left[m], right[m], start[m], end[m], kind[m] = atom[t, j1], atom[u, ka], a, b, piece_kind
                    m += 1
            else:
                if atom[t, j1] != atom[u, ka]:
                    left[m], right[m], start[m], end[m], kind[m] = atom[t, j1], atom[u, ka], a, mid, piece_kind
                    m += 1
                if atom[t, j2] != atom[u, kb]:
                    left[m], right[m], start[m], end[m], kind[m] = atom[t, j2], atom[u, kb], mid, b, piece_kind
                    m += 1
        c0, c1, c2 = atom[t, 0], atom[t, 1], atom[t, 2]
        if c0 == c1 and c1 == c2:
            continue
        piece_kind = _RIVER if what[t] == WATER else 0
        m01, m12, m20 = middle[t, 2], middle[t, 0], middle[t, 1]
        if c1 == c2:
            left[m], right[m], start[m], end[m], kind[m] = c0, c1, m01, m20, piece_kind
            m += 1
        elif c0 == c2:
            left[m], right[m], start[m], end[m], kind[m] = c1, c2, m12, m01, piece_kind
            m += 1
        elif c0 == c1:
            left[m], right[m], start[m], end[m], kind[m] = c2, c0, m20, m12, piece_kind
            m += 1
        else:
            xy[count, 0] = (xy[m01, 0] + xy[m12, 0] + xy[m20, 0]) / 3
            xy[count, 1] = (xy[m01, 1] + xy[m12, 1] + xy[m20, 1]) / 3
            left[m], right[m], start[m], end[m], kind[m] = c0, c1, m01, count, piece_kind
            left[m + 1], right[m + 1], start[m + 1], end[m + 1], kind[m + 1] = c1, c2, m12, count, piece_kind
            left[m + 2], right[m + 2], start[m + 2], end[m + 2], kind[m + 2] = c2, c0, m20, count, piece_kind
            m += 3
            count += 1
    return left[:m], right[:m], start[:m], end[:m], kind[:m], xy[:count]
