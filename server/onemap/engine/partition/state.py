"""A plan in the making, how much work may go into it, and how good it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from onemap.engine.geometry.types import F64, I32, Bools
from onemap.engine.partition import _anneal
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.graph import Graph

type Score = tuple[int, float, float]

#: Steps in all and per atom, see :meth:`Effort.steps_for`.
_STEPS, _FEWEST, _MOST = 9_400_000, 90, 2000
#: Steps per atom for every grid beyond the second, or so many in all: a town of six grids is due in a tenth of a
#: second, one of forty in a second.
_STEPS_PER_GRID, _STEPS_AT_LEAST = 60, 180_000


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work to do: in steps, so that the answer does not depend on the clock."""

    steps_per_atom: int | None = None  #: ``None`` goes by the number of atoms
    rounds: int = 4
    repair_tries: int = 60
    workers: int = 1
    seconds: float | None = None  #: stop improving after this time, whatever the steps

    def steps_for(self, n_atom: int, n_grid: int) -> int:
        """Steps per atom on a ground of this many atoms that becomes about so many grids."""
        if self.steps_per_atom is not None:
            return self.steps_per_atom
        due = max(_STEPS_PER_GRID * (n_grid - 2), _STEPS_AT_LEAST / max(n_atom, 1))
        return int(np.clip(_STEPS / max(n_atom, 1), _FEWEST, min(due, _MOST)))


@dataclass
class Zoning:
    """A plan in the making; ``zone`` is valid whenever no method runs."""

    graph: Graph
    goal: Goal
    seed: int
    effort: Effort
    zone: I32
    n_zone: int
    fixed: Bools  #: (n_zone,) grids that never change: towers and locked grids
    home: I32
    sums: F64 = field(init=False)
    started: float = field(default_factory=time.monotonic)
    stop: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        """Sum up the grids."""
        self.refresh()

    def refresh(self) -> None:
        """Drop empty grids and sum up the rest."""
        used, dense = np.unique(self.zone, return_inverse=True)
        self.fixed = self.fixed[used]
        if (self.home >= 0).any():
            renamed = np.full(max(self.n_zone, int(self.home.max()) + 1), -1, dtype=np.int32)
            renamed[used] = np.arange(len(used))
            self.home = np.where(self.home >= 0, renamed[self.home], -1).astype(np.int32)
        self.zone = dense.astype(np.int32)
        self.n_zone = len(used)
        g = self.graph
        self.sums = _anneal.totals(
            self.zone, self.n_zone, g.weight, g.area_m2, g.perimeter_m, g.first, g.to, g.length_m
        )

    @property
    def weights(self) -> F64:
        """The kernels' weights on this ground."""
        typical = float(np.sqrt(4 * np.pi * self.graph.area_m2.sum() / max(self.n_zone, 1)))
        return self.goal.weights(typical)

    def stern(self, factor: float) -> F64:
        """The weights where being out of band weighs this much more, so that no other wish outweighs it."""
        weights = self.weights
        weights[0] *= factor
        return weights

    def late(self) -> bool:
        """Whether the time is over or somebody said stop."""
        over = self.effort.seconds is not None and time.monotonic() - self.started > self.effort.seconds
        return over or self.stop()

    def score(self) -> Score:
        """Lexicographic: grids out of band, how far out, and the rest of the wishes; smaller is better."""
        return score_of(self.graph, self.goal, self.zone, self.sums, self.weights)


def pp_of(sums: F64) -> F64:
    """(n_zone,) the Polsby-Popper value of every grid."""
    return np.asarray(4 * np.pi * sums[:, 2] / np.maximum(sums[:, 3], 1e-9) ** 2)


def score_of(graph: Graph, goal: Goal, zone: I32, sums: F64, weights: F64) -> Score:
    """See :meth:`Zoning.score`."""
    miss = goal.miss(sums)
    row = zone[graph.row()]
    cut = float(graph.cost_m[row != zone[graph.to]].sum()) / 2
    off = (sums[:, 0] - goal.band[0, 1]) / goal.band[0, 1]
    rest = weights[2] * cut - weights[1] * float(pp_of(sums).sum()) + weights[3] * float((off**2).sum())
    return int((miss > 0).sum()), round(float(miss.sum()), 9), rest
