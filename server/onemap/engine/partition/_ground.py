"""Whose the ground is: the kernels behind :mod:`ground` that spread buildings over a triangulated ground."""

from dataclasses import dataclass

import numpy as np

from onemap.engine._heap import pop, push
from onemap.engine._jit import kernel
from onemap.engine.geometry.triangulate import Triangulation, _locate
from onemap.engine.geometry.types import I32, I64
from onemap.engine.partition._regions import (
    GROUND,
    OUTSIDE,
    WATER,
    distance,
    main_region,
    sectors,
    touches_barrier,
)
from onemap.engine.partition.kinds import Kind

#: Ground that is labelled after the rest, from what lies across its edges.
RIM, STRIP = -5, -4
_WALL, _RIVER, _MOTORWAY, _BOUNDARY = int(Kind.WALL), int(Kind.RIVER), int(Kind.MOTORWAY), int(Kind.BOUNDARY)


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
        sector, n_sector = sectors(mesh.vertex, mesh.neighbour, mesh.kind)
        what = owner[region]
        main = main_region(mesh.vertex, mesh.neighbour, mesh.kind, x, y, region, what, n_house, len(owner))
        has_barrier = touches_barrier(mesh.neighbour, mesh.kind, region, len(owner))
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
        _label_rest(region, what, GROUND, sector, label, n_house)
        while _wade(mesh.vertex, mesh.neighbour, mesh.kind, x, y, what, WATER, sector, label, source):
            pass
        _label_rest(region, what, WATER, sector, label, n_house)
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
        d, s = heap_d[0], heap_s[0]
        size = pop(heap_d, heap_s, size)
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
                nd = distance(x, y, source[s], tv[t, j])
                if nd < dist[r]:
                    dist[r] = nd
                    label[r] = label[s]
                    source[r] = source[s]
                    size = push(heap_d, heap_s, size, nd, r)


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
                    size = push(heap_d, heap_s, size, 0.0, s)
    _spread(tv, x, y, what, GROUND, sector, label, source, dist, settled, heap_d, heap_s, size)
    return label, source


@kernel
def _label_rest(region, what, medium, sector, label, n_house):  # type: ignore[no-untyped-def]
    """Let what is left of a medium be itself, region by region."""
    for t in range(len(region)):
        if what[t] == medium:
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
                outline[r] += distance(x, y, tv[t, (i + 1) % 3], tv[t, (i + 2) % 3])
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
                    size = push(heap_d, heap_s, size, 0.0, s)
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
