"""The one table of boundary pieces: adjacency, perimeter, boundary share and dissolve all come from it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onemap.engine._jit import kernel
from onemap.engine.geometry.rings import polygons_of
from onemap.engine.geometry.types import F64, I8, I32, Bools


@dataclass(frozen=True, slots=True)
class Arcs:
    """
    Straight pieces of boundary with the atom on either side.

    Attributes
    ----------
    left, right : (n_arc,)
        Atom numbers seen from start to end; -1 is outside.
    start, end : (n_arc,)
        Point numbers.
    kind : (n_arc,)
        What the piece lies on, see :class:`~onemap.engine.partition.kinds.Kind`.
    joins : (n_arc,)
        Whether the atoms on its sides are joined by it; false on rivers and motorways away from crossings.
    xy : (n_point, 2)
        Metres.
    n_atom
        Atoms are numbered 0 .. n_atom - 1.
    """

    left: I32
    right: I32
    start: I32
    end: I32
    kind: I8
    joins: Bools
    xy: F64
    n_atom: int
    given: (
        Bools  #: (n_point,) points of the input and corners of three atoms; others lie on straight lines or in the open
    )

    def replace(self, **changes: Any) -> "Arcs":
        """The same arcs with some columns changed."""
        return replace(self, **changes)

    @property
    def length_m(self) -> F64:
        """(n_arc,) metres."""
        return np.asarray(np.hypot(*(self.xy[self.end] - self.xy[self.start]).T))

    def area_m2(self) -> F64:
        """(n_atom,) the ground of each atom, by the shoelace formula over its arcs."""
        p, q = self.xy[self.start], self.xy[self.end]
        twice = p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1]
        area = np.bincount(self.left[self.left >= 0], twice[self.left >= 0], self.n_atom)
        area = area - np.bincount(self.right[self.right >= 0], twice[self.right >= 0], self.n_atom)
        return np.asarray(area / 2)

    def is_node(self) -> Bools:
        """(n_point,) points where other than two pieces end."""
        ends = np.bincount(self.start, minlength=len(self.xy)) + np.bincount(self.end, minlength=len(self.xy))
        return np.asarray(ends != 2)

    def relabelled(self, atom: I32) -> "Arcs":
        """The arcs after atoms were merged: ``atom[i]`` is the new number of atom i; inner pieces vanish."""
        table = np.append(atom, -1).astype(np.int32)
        left, right = table[self.left], table[self.right]
        kept = left != right
        return replace(
            self,
            left=left[kept],
            right=right[kept],
            start=self.start[kept],
            end=self.end[kept],
            kind=self.kind[kept],
            joins=self.joins[kept],
            n_atom=int(atom.max()) + 1 if len(atom) else 0,
        )

    def straightened(self, tolerance_m: float) -> "Arcs":
        """The same pieces without points that were only put on straight lines between the input's points."""
        left, right, start, end = (v.copy() for v in (self.left, self.right, self.start, self.end))
        kept = _straighten(start, end, self.given, self.kind, self.xy, tolerance_m)
        return replace(
            self,
            left=left[kept],
            right=right[kept],
            start=start[kept],
            end=end[kept],
            kind=self.kind[kept],
            joins=self.joins[kept],
        )

    def polygons(self) -> NDArray[Any]:
        """(n_atom,) the ground of each atom; shared boundaries are bit for bit the same on both sides."""
        has_left, has_right = self.left >= 0, self.right >= 0
        face = np.concatenate([self.left[has_left], self.right[has_right]])
        start = np.concatenate([self.start[has_left], self.end[has_right]])
        end = np.concatenate([self.end[has_left], self.start[has_right]])
        return polygons_of(face, start, end, self.xy, self.n_atom)


@kernel
def _straighten(start, end, given, kind, xy, tolerance):  # type: ignore[no-untyped-def]
    """Join pieces in place across points that change nothing; which pieces remain."""
    n = len(start)
    degree = np.zeros(len(xy), dtype=np.int32)
    pieces = np.full((len(xy), 2), -1, dtype=np.int32)
    for m in range(n):
        for p in (start[m], end[m]):
            if degree[p] < 2:
                pieces[p, degree[p]] = m
            degree[p] += 1
    kept = np.ones(n, dtype=np.bool_)
    for p in range(len(xy)):
        if degree[p] != 2 or given[p]:
            continue
        m, o = pieces[p, 0], pieces[p, 1]
        if kind[m] == 0 or kind[o] == 0 or kind[m] != kind[o]:
            continue
        u = start[m] if end[m] == p else end[m]
        v = start[o] if end[o] == p else end[o]
        if u == v:
            continue
        dx, dy = xy[v, 0] - xy[u, 0], xy[v, 1] - xy[u, 1]
        off = abs((xy[p, 0] - xy[u, 0]) * dy - (xy[p, 1] - xy[u, 1]) * dx)
        if off > tolerance * np.hypot(dx, dy):
            continue
        if end[m] == p:
            end[m] = v
        else:
            start[m] = v
        kept[o] = False
        if pieces[v, 0] == o:
            pieces[v, 0] = m
        elif pieces[v, 1] == o:
            pieces[v, 1] = m
    return kept
