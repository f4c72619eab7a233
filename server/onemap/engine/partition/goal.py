"""What a plan is asked for, as the kernels read it."""

from dataclasses import dataclass

import numpy as np

from onemap.engine.geometry.types import F64, Bools
from onemap.engine.partition import _anneal


@dataclass(frozen=True, slots=True)
class Goal:
    """
    Bands and how much each wish weighs.

    Attributes
    ----------
    band : (2, 3)
        Minimum, target, maximum of the unit in column 0 of the atoms' weight, then of the unit in column 1.
    logic
        ``"first"`` looks at column 0 only; ``"any"`` and ``"all"`` combine both.
    """

    band: F64
    logic: str = "first"
    compactness: float = 1.0
    boundary: float = 1.0
    balance: float = 0.3
    stability: float = 0.0
    away: float = 5.0  #: a building away from its present grid weighs as much as this many households more

    @classmethod
    def of(cls, minimum: float, target: float, maximum: float) -> "Goal":
        """A goal in one unit."""
        row = (float(minimum), float(target), float(maximum))
        return cls(np.array([row, row]))

    @property
    def logic_code(self) -> int:
        """The logic as the kernels know it."""
        return {"first": _anneal.FIRST_ONLY, "any": _anneal.ANY, "all": _anneal.ALL}[self.logic]

    def weights(self, scale_m: float) -> F64:
        """The kernels' weights where a typical grid is ``scale_m`` around."""
        return np.array([1.0, self.compactness, self.boundary / scale_m, self.balance, self.stability, self.away])

    def miss(self, sums: F64) -> F64:
        """(n_zone,) how far out of band each grid is, in shares of the target."""
        over = np.maximum(self.band[:, _anneal.MINIMUM] - sums[:, :2], sums[:, :2] - self.band[:, _anneal.MAXIMUM])
        miss = np.maximum(over, 0.0) / self.band[:, _anneal.TARGET]
        if self.logic == "first":
            return np.asarray(miss[:, 0])
        return np.asarray(miss.min(axis=1) if self.logic == "any" else miss.max(axis=1))

    def too_big(self, weight: F64) -> Bools:
        """(n,) which of these can be in no feasible grid, being above the maximum by themselves."""
        above = weight > self.band[:, _anneal.MAXIMUM]
        if self.logic == "first":
            return np.asarray(above[:, 0])
        return np.asarray(above.all(axis=1) if self.logic == "any" else above.any(axis=1))

    def counts(self, total: F64) -> tuple[int, int, int]:
        """The fewest, best and most grids for these totals; fewest above most where no count can be feasible."""
        fewest, best, most = zip(*(_counts(t, row) for t, row in zip(total, self.band, strict=True)), strict=True)
        if self.logic == "first":
            return fewest[0], best[0], most[0]
        if self.logic == "any":
            return min(fewest), best[0], max(most)
        return max(fewest), best[0], min(most)


def _counts(total: float, row: F64) -> tuple[int, int, int]:
    minimum, target, maximum = (float(v) for v in row)
    fewest, most = int(np.ceil(total / maximum - 1e-9)), int(np.floor(total / minimum + 1e-9))
    nearest = max(1, round(total / target))
    best = min(max(nearest, fewest), most) if fewest <= most else nearest
    return max(fewest, 1), max(best, 1), most
