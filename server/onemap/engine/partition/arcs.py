"""The one table of boundary pieces: adjacency, perimeter, boundary share and dissolve all come from it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

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
        area -= np.bincount(self.right[self.right >= 0], twice[self.right >= 0], self.n_atom)
        return np.asarray(area / 2)

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
