"""Regions, sectors and arcs of a triangulated ground: the kernels behind :mod:`ground`."""

from dataclasses import dataclass

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.geometry.triangulate import Triangulation, _locate
from onemap.engine.geometry.types import F64, I32, I64
from onemap.engine.partition.arcs import Arcs
from onemap.engine.partition.kinds import FIRST_BARRIER, Kind

RIM, STRIP, OUTSIDE, WATER, GROUND = -5, -4, -3, -2, -1
_FAR = 1e15
_BARRIER, _WALL, _RIVER = int(FIRST_BARRIER), int(Kind.WALL), int(Kind.RIVER)
_MOTORWAY, _BOUNDARY = int(Kind.MOTORWAY), int(Kind.BOUNDARY)


@dataclass(frozen=True, slots=True)
class Ground:
    """Every corner of every triangle with the atom that it belongs to."""

    mesh: Triangulation
    x: I64
    y: I64
    region: I32
    owner: I32  #: (n_region,) house number, OUTSIDE, WATER or GROUND
    atom: I32  #: (n_triangle, 3), -1 outside
    source: I32  #: (n_triangle, 3) the point of the owner that is nearest to the corner, -1 none
    n_atom: int
    house_atom: I32  #: (n_house,) atom of each house that owns ground, -1 none

    @classmethod
    def of(
        cls,
        mesh: Triangulation,
        x: I64,
        y: I64,
        region: I32,
        owner: I32,
        n_house: int,
        strip_width: float,
        rim_width: float,
    ) -> "Ground":
        """
        Give every corner to the building nearest along the ground; water to the bank; the rest to itself.

        Strips narrower than ``strip_width`` between a wall and a street go to the buildings behind the wall, each its
        share: as one piece, such a strip would stand between all of them and the street. So do strips narrower than
        ``rim_width`` between the outer boundary and the outermost streets: as one piece they would ring the town.
        """
        sector, n_sector = _sectors(mesh.vertex, mesh.neighbour, mesh.kind)
        what = owner[region]
        main = _main_region(mesh.vertex, mesh.neighbour, mesh.kind, x, y, region, what, n_house, len(owner))
        has_barrier = _touches_barrier(mesh.neighbour, mesh.kind, region, len(owner))
        label, source = _nearest_house(
            mesh.vertex, mesh.neighbour, mesh.kind, x, y, region, what, sector, n_sector, main, has_barrier
        )
        for medium, edge, width in ((STRIP, _WALL, strip_width), (RIM, _BOUNDARY, rim_width)):
            is_strip = _strips(mesh.vertex, mesh.kind, x, y, region, what, sector, label, len(owner), edge, width)
            strip = is_strip[region]
            what[strip] = medium
            while _wade(mesh.vertex, mesh.neighbour, mesh.kind, x, y, what, medium, sector, label, source):
                pass
            what[strip] = GROUND
        _label_vacant(region, what, sector, label, n_house)
        while _wade(mesh.vertex, mesh.neighbour, mesh.kind, x, y, what, WATER, sector, label, source):
            pass
        _label_rest(region, what, sector, label, n_house)
        corner = label[sector]
        corner[what >= 0] = what[what >= 0][:, None]
        corner[what == OUTSIDE] = -1
        used, dense = np.unique(corner, return_inverse=True)
        shift = int(np.searchsorted(used, 0))
        atom = (dense.reshape(corner.shape) - shift).astype(np.int32)
        atom[atom < 0] = -1
        house_atom = np.full(n_house, -1, dtype=np.int32)
        houses = used[(used >= 0) & (used < n_house)]
        house_atom[houses] = np.arange(len(houses), dtype=np.int32)
        return cls(mesh, x, y, region, owner, atom, source[sector], len(used) - shift, house_atom)

    def atom_of_house(self, cluster: I32) -> I32:
        """(n_house,) the atom of each house, -1 where it owns no ground."""
        return self.house_atom[cluster].astype(np.int32)

    def atom_at(self, spots: I64) -> I32:
        """(n_spot,) the atom under each lattice point."""
        return np.asarray(_atoms_at(self.mesh.vertex, self.mesh.neighbour, self.x, self.y, self.atom, spots))


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
def components(n, one, other):  # type: ignore[no-untyped-def]
    """(n,) the smallest member of the set that each item is joined to by the pairs."""
    root = np.arange(n).astype(np.int32)
    for e in range(len(one)):
        a, b = one[e], other[e]
        while root[a] != a:
            root[a] = root[root[a]]
            a = root[a]
        while root[b] != b:
            root[b] = root[root[b]]
            b = root[b]
        if a < b:
            root[b] = a
        else:
            root[a] = b
    for i in range(n):
        a = i
        while root[a] != a:
            a = root[a]
        root[i] = a
    return root


@kernel
def _sectors(tv, tn, tk):  # type: ignore[no-untyped-def]
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
def _distance(x, y, a, b):  # type: ignore[no-untyped-def]
    return np.hypot(float(x[a] - x[b]), float(y[a] - y[b]))


@kernel
def _main_region(tv, tn, tk, x, y, region, what, n_house, n_region):  # type: ignore[no-untyped-def]
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
            length = _distance(x, y, tv[t, (i + 1) % 3], tv[t, (i + 2) % 3])
            total[key] = total.get(key, 0.0) + length
            if total[key] > best[what[u]]:
                best[what[u]] = total[key]
                main[what[u]] = region[t]
    return main


@kernel
def _touches_barrier(tn, tk, region, n_region):  # type: ignore[no-untyped-def]
    touches = np.zeros(n_region, dtype=np.bool_)
    for t in range(len(tn)):
        for i in range(3):
            if tk[t, i] >= _BARRIER:
                touches[region[t]] = True
    return touches


@kernel
def _push(heap_d, heap_s, size, d, s):  # type: ignore[no-untyped-def]
    i = size
    while i > 0:
        parent = (i - 1) // 2
        if heap_d[parent] <= d:
            break
        heap_d[i], heap_s[i] = heap_d[parent], heap_s[parent]
        i = parent
    heap_d[i], heap_s[i] = d, s
    return size + 1


@kernel
def _pop(heap_d, heap_s, size):  # type: ignore[no-untyped-def]
    d, s = heap_d[0], heap_s[0]
    size -= 1
    ld, ls = heap_d[size], heap_s[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap_d[child + 1] < heap_d[child]:
            child += 1
        if heap_d[child] >= ld:
            break
        heap_d[i], heap_s[i] = heap_d[child], heap_s[child]
        i = child
    heap_d[i], heap_s[i] = ld, ls
    return d, s, size


@kernel
def _spread(tv, x, y, what, medium, sector, label, source, dist, settled, heap_d, heap_s, size):  # type: ignore[no-untyped-def]
    """Grow labels from the sources in the heap through one medium, nearest source point first."""
    n_sector = len(label)
    start = np.zeros(n_sector + 1, dtype=np.int64)
    for t in range(len(tv)):
        if what[t] == medium:
            for i in range(3):
                start[sector[t, i] + 1] += 1
    for s in range(n_sector):
        start[s + 1] += start[s]
    fill = start[:-1].copy()
    corner = np.empty(start[n_sector], dtype=np.int64)
    for t in range(len(tv)):
        if what[t] == medium:
            for i in range(3):
                corner[fill[sector[t, i]]] = 3 * t + i
                fill[sector[t, i]] += 1
    while size > 0:
        d, s, size = _pop(heap_d, heap_s, size)
        if settled[s] or d > dist[s]:
            continue
        settled[s] = True
        for k in range(start[s], start[s + 1]):
            t, i = corner[k] // 3, corner[k] % 3
            for j in range(3):
                if j == i:
                    continue
                r = sector[t, j]
                if settled[r]:
                    continue
                nd = _distance(x, y, source[s], tv[t, j])
                if nd < dist[r]:
                    dist[r] = nd
                    label[r] = label[s]
                    source[r] = source[s]
                    size = _push(heap_d, heap_s, size, nd, r)


@kernel
def _nearest_house(tv, tn, tk, x, y, region, what, sector, n_sector, main, has_barrier):  # type: ignore[no-untyped-def]
    label = np.full(n_sector, -1, dtype=np.int32)
    source = np.full(n_sector, -1, dtype=np.int32)
    dist = np.full(n_sector, np.inf)
    settled = np.zeros(n_sector, dtype=np.bool_)
    heap_d = np.empty(12 * len(tv) + 16)
    heap_s = np.empty(12 * len(tv) + 16, dtype=np.int32)
    size = 0
    for t in range(len(tv)):
        if what[t] != GROUND:
            continue
        for i in range(3):
            u = tn[t, i]
            if tk[t, i] == 0 or u < 0 or what[u] < 0:
                continue
            if main[what[u]] != region[t] and has_barrier[region[t]]:
                continue
            for j in ((i + 1) % 3, (i + 2) % 3):
                s = sector[t, j]
                if dist[s] > 0:
                    dist[s] = 0.0
                    label[s] = what[u]
                    source[s] = tv[t, j]
                    size = _push(heap_d, heap_s, size, 0.0, s)
    _spread(tv, x, y, what, GROUND, sector, label, source, dist, settled, heap_d, heap_s, size)
    return label, source


@kernel
def _label_vacant(region, what, sector, label, n_house):  # type: ignore[no-untyped-def]
    for t in range(len(region)):
        if what[t] == GROUND:
            for i in range(3):
                if label[sector[t, i]] < 0:
                    label[sector[t, i]] = n_house + region[t]


@kernel
def _label_rest(region, what, sector, label, n_house):  # type: ignore[no-untyped-def]
    for t in range(len(region)):
        if what[t] == WATER:
            for i in range(3):
                if label[sector[t, i]] < 0:
                    label[sector[t, i]] = n_house + region[t]


@kernel
def _strips(tv, tk, x, y, region, what, sector, label, n_region, edge, width):  # type: ignore[no-untyped-def]
    """(n_region,) narrow ground along an edge of this kind that no building owns."""
    area, outline = np.zeros(n_region), np.zeros(n_region)
    along, owned = np.zeros(n_region, dtype=np.bool_), np.zeros(n_region, dtype=np.bool_)
    for t in range(len(tv)):
        if what[t] != GROUND:
            continue
        r = region[t]
        a, b, c = tv[t, 0], tv[t, 1], tv[t, 2]
        area[r] += abs(float(x[b] - x[a]) * float(y[c] - y[a]) - float(y[b] - y[a]) * float(x[c] - x[a])) / 2
        for i in range(3):
            owned[r] |= label[sector[t, i]] >= 0
            if tk[t, i] != 0:
                outline[r] += _distance(x, y, tv[t, (i + 1) % 3], tv[t, (i + 2) % 3])
                along[r] |= tk[t, i] == edge
    return along & ~owned & (2 * area < width * outline)


@kernel
def _wade(tv, tn, tk, x, y, what, medium, sector, label, source):  # type: ignore[no-untyped-def]
    """Label water, rims or strips from what lies across their edges, or walls; whether anything was labelled."""
    n_sector = len(label)
    dist = np.full(n_sector, np.inf)
    settled = np.zeros(n_sector, dtype=np.bool_)
    heap_d = np.empty(12 * len(tv) + 16)
    heap_s = np.empty(12 * len(tv) + 16, dtype=np.int32)
    size = 0
    for t in range(len(tv)):
        if what[t] != medium:
            continue
        for i in range(3):
            if label[sector[t, i]] >= 0:
                settled[sector[t, i]] = True
    for t in range(len(tv)):
        if what[t] != medium:
            continue
        for i in range(3):
            u = tn[t, i]
            if tk[t, i] == 0 or u < 0 or what[u] == OUTSIDE or (medium == STRIP and tk[t, i] != _WALL):
                continue
            if medium == RIM and (tk[t, i] == _RIVER or tk[t, i] == _MOTORWAY):
                continue
            for j in ((i + 1) % 3, (i + 2) % 3):
                s = sector[t, j]
                k = 0
                while tv[u, k] != tv[t, j]:
                    k += 1
                name = what[u] if what[u] >= 0 else label[sector[u, k]]
                if name >= 0 and dist[s] > 0 and not settled[s]:
                    dist[s] = 0.0
                    label[s] = name
                    source[s] = tv[t, j]
                    size = _push(heap_d, heap_s, size, 0.0, s)
    found = size > 0
    _spread(tv, x, y, what, medium, sector, label, source, dist, settled, heap_d, heap_s, size)
    return found


@kernel
def _atoms_at(tv, tn, x, y, atom, spots):  # type: ignore[no-untyped-def]
    n = len(x)
    px, py = np.empty(n + 5, dtype=np.int64), np.empty(n + 5, dtype=np.int64)
    px[:n], py[:n] = x, y
    margin = max(x.max() - x.min(), y.max() - y.min(), 16) // 8 + 8
    west, east, south, north = x.min() - margin, x.max() + margin, y.min() - margin, y.max() + margin
    px[n], px[n + 1], px[n + 2], px[n + 3] = west, east, east, west
    py[n], py[n + 1], py[n + 2], py[n + 3] = south, south, north, north
    found = np.empty(len(spots), dtype=np.int32)
    t = 0
    for k in range(len(spots)):
        px[n + 4], py[n + 4] = spots[k, 0], spots[k, 1]
        t = _locate(px, py, tv, tn, t, n + 4)
        found[k] = max(atom[t, 0], atom[t, 1], atom[t, 2])
    return found


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
