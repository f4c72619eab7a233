"""
Constrained Delaunay triangulation on integer coordinates.

Points lie on an integer lattice, so the orientation test is exact in 64 bits and the triangulation cannot
come out inconsistent; only the in-circle test, which decides beauty and not validity, uses floats.

References: Lawson (1977) for insertion with flips, Sloan (1993) for forcing constraint edges.
"""

from typing import NamedTuple

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.geometry.types import I8, I32, I64


class Triangulation(NamedTuple):
    """Triangles that fill the bounding square of the points, counter-clockwise."""

    vertex: I32  #: (n_triangle, 3) point numbers; the last four points are the square's corners
    neighbour: I32  #: (n_triangle, 3) triangle across the edge opposite to each vertex, -1 outside
    kind: I8  #: (n_triangle, 3) kind of the constraint on the edge opposite to each vertex, 0 none
    n_lost: int  #: constraints that could not be kept because they crossed another


def triangulate(x: I64, y: I64, edges: I32, kind: I8) -> Triangulation:
    """
    The constrained Delaunay triangulation of distinct lattice points.

    Parameters
    ----------
    x, y : (n_point,)
        Distinct lattice points, extent at most 2**29.
    edges : (n_edge, 2)
        Point numbers at the ends of each constraint; constraints meet at points only.
    kind : (n_edge,)
        What each constraint is, 1 or more. Where constraints coincide the largest stays.

    Notes
    -----
    Every constraint is an edge of the result, or a chain of edges where other points lie exactly on it.
    """
    margin = max(int(np.ptp(x)), int(np.ptp(y)), 16) // 8 + 8
    west, east, south, north = x.min() - margin, x.max() + margin, y.min() - margin, y.max() + margin
    all_x = np.concatenate([x, [west, east, east, west]]).astype(np.int64)
    all_y = np.concatenate([y, [south, south, north, north]]).astype(np.int64)
    order = np.argsort(_morton(x - west, y - south), kind="stable").astype(np.int32)
    vertex, neighbour, some_triangle = _delaunay(all_x, all_y, order)
    edge_kind = np.zeros(vertex.shape, dtype=np.int8)
    strongest_last = np.argsort(kind, kind="stable")
    n_lost = _force(
        all_x, all_y, vertex, neighbour, edge_kind, some_triangle, edges[strongest_last], kind[strongest_last]
    )
    return Triangulation(vertex, neighbour, edge_kind, n_lost)


def _morton(x: I64, y: I64) -> I64:
    """Z-order of lattice points, for insertion that walks little."""
    shift = max(int(max(x.max(), y.max())).bit_length() - 20, 0)
    return np.asarray(_spread(x >> shift) | (_spread(y >> shift) << 1), dtype=np.int64)


def _spread(v: I64) -> I64:
    v = v.astype(np.int64)
    v = (v | (v << 16)) & 0x0000FFFF0000FFFF
    v = (v | (v << 8)) & 0x00FF00FF00FF00FF
    v = (v | (v << 4)) & 0x0F0F0F0F0F0F0F0F
    v = (v | (v << 2)) & 0x3333333333333333
    return np.asarray((v | (v << 1)) & 0x5555555555555555, dtype=np.int64)


@kernel
def orient(x, y, a, b, c):  # type: ignore[no-untyped-def]
    """Twice the signed area of a, b, c: positive when they turn left. Exact on the lattice."""
    return (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a])


@kernel
def _in_circle(x, y, a, b, c, d):  # type: ignore[no-untyped-def]
    """Whether d lies inside the circle through a, b, c beyond rounding error."""
    adx, ady = float(x[a] - x[d]), float(y[a] - y[d])
    bdx, bdy = float(x[b] - x[d]), float(y[b] - y[d])
    cdx, cdy = float(x[c] - x[d]), float(y[c] - y[d])
    al, bl, cl = adx * adx + ady * ady, bdx * bdx + bdy * bdy, cdx * cdx + cdy * cdy
    det = al * (bdx * cdy - cdx * bdy) + bl * (cdx * ady - adx * cdy) + cl * (adx * bdy - bdx * ady)
    size = (
        al * (abs(bdx * cdy) + abs(cdx * bdy))
        + bl * (abs(cdx * ady) + abs(adx * cdy))
        + cl * (abs(adx * bdy) + abs(bdx * ady))
    )
    return det > 4e-15 * size


@kernel
def _index(row, value):  # type: ignore[no-untyped-def]
    if row[0] == value:
        return 0
    return 1 if row[1] == value else 2


@kernel
def _relink(tn, t, old, new):  # type: ignore[no-untyped-def]
    if t >= 0:
        for i in range(3):
            if tn[t, i] == old:
                tn[t, i] = new
                return


@kernel
def _flip(tv, tn, tk, vt, t, i, with_kind):  # type: ignore[no-untyped-def]
    """Turn the edge opposite to vertex i of triangle t inside its quadrilateral; returns the other triangle."""
    u = tn[t, i]
    p, a, b = tv[t, i], tv[t, (i + 1) % 3], tv[t, (i + 2) % 3]
    j = 0
    while tv[u, j] == a or tv[u, j] == b:
        j += 1
    d = tv[u, j]
    n_pa, n_bp = tn[t, (i + 2) % 3], tn[t, (i + 1) % 3]
    n_ad, n_db = tn[u, (j + 1) % 3], tn[u, (j + 2) % 3]
    if with_kind:
        k_pa, k_bp = tk[t, (i + 2) % 3], tk[t, (i + 1) % 3]
        k_ad, k_db = tk[u, (j + 1) % 3], tk[u, (j + 2) % 3]
        tk[t, 0], tk[t, 1], tk[t, 2] = k_ad, 0, k_pa
        tk[u, 0], tk[u, 1], tk[u, 2] = k_db, k_bp, 0
    tv[t, 0], tv[t, 1], tv[t, 2] = p, a, d
    tn[t, 0], tn[t, 1], tn[t, 2] = n_ad, u, n_pa
    tv[u, 0], tv[u, 1], tv[u, 2] = p, d, b
    tn[u, 0], tn[u, 1], tn[u, 2] = n_db, n_bp, t
    _relink(tn, n_ad, u, t)
    _relink(tn, n_bp, t, u)
    vt[p], vt[a], vt[d], vt[b] = t, t, t, u
    return u


@kernel
def _locate(x, y, tv, tn, start, p):  # type: ignore[no-untyped-def]
    """The triangle that holds point p, by a walk."""
    t, turn = start, 0
    while True:
        moved = False
        for k in range(3):
            i = (k + turn) % 3
            if orient(x, y, tv[t, (i + 1) % 3], tv[t, (i + 2) % 3], p) < 0:
                t = tn[t, i]
                moved = True
                break
        turn += 1
        if not moved:
            return t


@kernel
def _delaunay(x, y, order):  # type: ignore[no-untyped-def]
    n = len(order)
    tv = np.empty((2 * n + 2, 3), dtype=np.int32)
    tn = np.empty((2 * n + 2, 3), dtype=np.int32)
    tk = np.zeros((1, 3), dtype=np.int8)
    vt = np.zeros(n + 4, dtype=np.int32)
    tv[0, 0], tv[0, 1], tv[0, 2] = n, n + 1, n + 2
    tv[1, 0], tv[1, 1], tv[1, 2] = n, n + 2, n + 3
    tn[0, 0], tn[0, 1], tn[0, 2] = -1, 1, -1
    tn[1, 0], tn[1, 1], tn[1, 2] = -1, -1, 0
    vt[n], vt[n + 1], vt[n + 2], vt[n + 3] = 0, 0, 0, 1
    n_tri = 2
    stack = np.empty(4 * n + 64, dtype=np.int32)
    last = 0
    for p in order:
        t = _locate(x, y, tv, tn, last, p)
        on = -1
        for i in range(3):
            if orient(x, y, tv[t, (i + 1) % 3], tv[t, (i + 2) % 3], p) == 0:
                on = i
        top = 0
        if on < 0:
            a, b, c = tv[t, 0], tv[t, 1], tv[t, 2]
            n_bc, n_ca, n_ab = tn[t, 0], tn[t, 1], tn[t, 2]
            t1, t2 = n_tri, n_tri + 1
            n_tri += 2
            tv[t, 0], tv[t, 1], tv[t, 2] = p, b, c
            tn[t, 0], tn[t, 1], tn[t, 2] = n_bc, t1, t2
            tv[t1, 0], tv[t1, 1], tv[t1, 2] = p, c, a
            tn[t1, 0], tn[t1, 1], tn[t1, 2] = n_ca, t2, t
            tv[t2, 0], tv[t2, 1], tv[t2, 2] = p, a, b
            tn[t2, 0], tn[t2, 1], tn[t2, 2] = n_ab, t, t1
            _relink(tn, n_ca, t, t1)
            _relink(tn, n_ab, t, t2)
            vt[p], vt[b], vt[c], vt[a] = t, t, t, t1
            stack[0], stack[1], stack[2] = t, t1, t2
            top = 3
        else:
            u = tn[t, on]
            a, b, c = tv[t, on], tv[t, (on + 1) % 3], tv[t, (on + 2) % 3]
            j = 0
            while tv[u, j] == b or tv[u, j] == c:
                j += 1
            d = tv[u, j]
            n_ca, n_ab = tn[t, (on + 1) % 3], tn[t, (on + 2) % 3]
            n_bd, n_dc = tn[u, (j + 1) % 3], tn[u, (j + 2) % 3]
            t1, t2 = n_tri, n_tri + 1
            n_tri += 2
            tv[t, 0], tv[t, 1], tv[t, 2] = p, a, b
            tn[t, 0], tn[t, 1], tn[t, 2] = n_ab, u, t1
            tv[t1, 0], tv[t1, 1], tv[t1, 2] = p, c, a
            tn[t1, 0], tn[t1, 1], tn[t1, 2] = n_ca, t, t2
            tv[u, 0], tv[u, 1], tv[u, 2] = p, b, d
            tn[u, 0], tn[u, 1], tn[u, 2] = n_bd, t2, t
            tv[t2, 0], tv[t2, 1], tv[t2, 2] = p, d, c
            tn[t2, 0], tn[t2, 1], tn[t2, 2] = n_dc, t1, u
            _relink(tn, n_ca, t, t1)
            _relink(tn, n_dc, u, t2)
            vt[p], vt[a], vt[b], vt[c], vt[d] = t, t, t, t1, u
            stack[0], stack[1], stack[2], stack[3] = t, t1, u, t2
            top = 4
        while top > 0:
            top -= 1
            s = stack[top]
            i = _index(tv[s], p)
            u = tn[s, i]
            if u < 0:
                continue
            j = 0
            while tn[u, j] != s:
                j += 1
            if _in_circle(x, y, tv[s, 0], tv[s, 1], tv[s, 2], tv[u, j]):
                u = _flip(tv, tn, tk, vt, s, i, False)
                stack[top], stack[top + 1] = s, u
                top += 2
        last = vt[p]
    return tv[:n_tri], tn[:n_tri], vt


@kernel
def _find_edge(tv, tn, vt, a, b):  # type: ignore[no-untyped-def]
    """Triangle and vertex index opposite to edge a, b; (-1, -1) when there is none."""
    start = vt[a]
    t = start
    while True:
        i = _index(tv[t], a)
        if tv[t, (i + 1) % 3] == b:
            return t, (i + 2) % 3
        if tv[t, (i + 2) % 3] == b:
            return t, (i + 1) % 3
        t = tn[t, (i + 1) % 3]
        if t == start:
            return -1, -1
        if t < 0:
            break
    t = start  # a corner of the square: turn the other way too
    while t >= 0:
        i = _index(tv[t], a)
        if tv[t, (i + 1) % 3] == b:
            return t, (i + 2) % 3
        if tv[t, (i + 2) % 3] == b:
            return t, (i + 1) % 3
        t = tn[t, (i + 2) % 3]
    return -1, -1


@kernel
def _mark(tn, tk, t, i, kind):  # type: ignore[no-untyped-def]
    tk[t, i] = kind
    u = tn[t, i]
    if u >= 0:
        for j in range(3):
            if tn[u, j] == t:
                tk[u, j] = kind


@kernel
def _first_crossed(x, y, tv, tn, vt, a, b):  # type: ignore[no-untyped-def]
    """Towards b from a: (triangle, index of a, -1) to cross, or (-1, -1, vertex) that lies on the way."""
    start = vt[a]
    t = start
    while True:
        i = _index(tv[t], a)
        v1, v2 = tv[t, (i + 1) % 3], tv[t, (i + 2) % 3]
        o1, o2 = orient(x, y, a, v1, b), orient(x, y, a, v2, b)
        if o1 == 0 and (x[v1] - x[a]) * (x[b] - x[a]) + (y[v1] - y[a]) * (y[b] - y[a]) > 0:
            return -1, -1, v1
        if o1 > 0 and o2 < 0:
            return t, i, -1
        t = tn[t, (i + 1) % 3]
        if t == start or t < 0:
            return -1, -1, -1


@kernel
def _force(x, y, tv, tn, tk, vt, edges, kinds):  # type: ignore[no-untyped-def]
    n_lost = 0
    capacity = 4096
    qa, qb = np.empty(capacity, dtype=np.int32), np.empty(capacity, dtype=np.int32)
    for e in range(len(edges)):
        cur, b, kind = edges[e, 0], edges[e, 1], kinds[e]
        while cur != b:
            t, i = _find_edge(tv, tn, vt, cur, b)
            if t >= 0:
                _mark(tn, tk, t, i, kind)
                break
            t, i, on_way = _first_crossed(x, y, tv, tn, vt, cur, b)
            if on_way >= 0:
                s, k = _find_edge(tv, tn, vt, cur, on_way)
                _mark(tn, tk, s, k, kind)
                cur = on_way
                continue
            if t < 0:
                n_lost += 1
                break
            # Collect the edges between here and b, or the first vertex on the way.
            count, target, blocked = 0, -1, False
            while True:
                r, q = tv[t, (i + 1) % 3], tv[t, (i + 2) % 3]  # r right of the way, q left of it
                if tk[t, i] != 0 or count == capacity:
                    blocked = True
                    break
                qa[count], qb[count] = r, q
                count += 1
                u = tn[t, i]
                j = 0
                while tn[u, j] != t:
                    j += 1
                d = tv[u, j]
                side = orient(x, y, cur, b, d)
                if d == b or side == 0:
                    target = d
                    break
                # The way leaves u through the edge between d and the vertex on the other side.
                t = u
                i = _index(tv[u], r) if side < 0 else _index(tv[u], q)
            if blocked:
                n_lost += 1
                break
            head, length, budget = 0, count, 64 * count + 1024
            while length > 0 and budget > 0:
                budget -= 1
                r, q = qa[head], qb[head]
                head = (head + 1) % capacity
                length -= 1
                t, i = _find_edge(tv, tn, vt, r, q)
                u = tn[t, i]
                j = 0
                while tn[u, j] != t:
                    j += 1
                p, d = tv[t, i], tv[u, j]
                v1, v2 = tv[t, (i + 1) % 3], tv[t, (i + 2) % 3]
                if orient(x, y, p, v1, d) > 0 and orient(x, y, d, v2, p) > 0:
                    _flip(tv, tn, tk, vt, t, i, True)
                    s1, s2 = orient(x, y, cur, target, p), orient(x, y, cur, target, d)
                    if p not in (cur, target) and d not in (cur, target) and ((s1 > 0) != (s2 > 0)):
                        back = (head + length) % capacity
                        qa[back], qb[back] = p, d
                        length += 1
                else:
                    back = (head + length) % capacity
                    qa[back], qb[back] = r, q
                    length += 1
            t, i = _find_edge(tv, tn, vt, cur, target)
            if t < 0:
                n_lost += 1
                break
            _mark(tn, tk, t, i, kind)
            cur = target
    return n_lost
