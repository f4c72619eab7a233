"""Ways as they were read, before noding: the input of every network, whatever the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from onemap.engine.network.arrays import F64, I64, Bool
from onemap.errors import InputRefused


@dataclass(frozen=True, slots=True)
class Streets:
    """
    Ways over numbered points; two ways meet where they hold the same point, and nowhere else.

    Attributes
    ----------
    point_x, point_y : (n_point,)
        Metres in the plane that snapping works in.
    point_id : (n_point,)
        The source's own node numbers; -1 where it has none.
    way_start : (n_way + 1,)
        Where each way's vertices begin in ``vertex``.
    vertex : (n_vertex,)
        Point numbers along the ways.
    segment_m : (n_vertex,)
        True length from a vertex to the next of its way; 0 at the last.
    way_id : (n_way,)
        The source's own way numbers.
    forward_kmh, backward_kmh : mode -> (n_way,)
        Speed along and against the drawn direction; 0 where the mode may not go.
    blocked : mode -> (n_point,)
        Points (barriers, walls without a gate) that the mode reaches but does not pass.
    notes
        What was assumed while reading, one sentence each.
    """

    point_x: F64
    point_y: F64
    point_id: I64
    way_start: I64
    vertex: I64
    segment_m: F64
    way_id: I64
    forward_kmh: Mapping[str, F64]
    backward_kmh: Mapping[str, F64]
    blocked: Mapping[str, Bool]
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.n_way == 0:
            raise InputRefused("The streets hold no usable line: a network needs at least one.")
        if not (np.isfinite(self.point_x).all() and np.isfinite(self.point_y).all()):
            raise InputRefused("The streets hold coordinates that are not numbers (NaN or infinite).")
        if not np.isfinite(self.segment_m).all() or (self.segment_m < 0.0).any():
            raise InputRefused("The streets hold a piece whose length is not a number.")

    @property
    def n_way(self) -> int:
        """How many ways there are."""
        return len(self.way_start) - 1

    def with_gate_open(self, point: int, modes: Sequence[str]) -> Streets:
        """The same streets with one barrier opened for the modes."""
        blocked = {mode: flags.copy() for mode, flags in self.blocked.items()}
        for mode in modes:
            blocked[mode][point] = False
        return replace(self, blocked=blocked)

    def with_way(
        self, from_point: int, to_point: int, speed_kmh: Mapping[str, float], *, length_m: float | None = None
    ) -> Streets:
        """The same streets with a straight two-way one (a bridge) between two points; absent modes may not use it."""
        dx = self.point_x[to_point] - self.point_x[from_point]
        dy = self.point_y[to_point] - self.point_y[from_point]
        length = float(np.hypot(dx, dy)) if length_m is None else length_m
        return replace(
            self,
            way_start=np.append(self.way_start, self.way_start[-1] + 2),
            vertex=np.append(self.vertex, [from_point, to_point]),
            segment_m=np.append(self.segment_m, [length, 0.0]),
            way_id=np.append(self.way_id, -1),
            forward_kmh={mode: np.append(kmh, speed_kmh.get(mode, 0.0)) for mode, kmh in self.forward_kmh.items()},
            backward_kmh={mode: np.append(kmh, speed_kmh.get(mode, 0.0)) for mode, kmh in self.backward_kmh.items()},
        )
