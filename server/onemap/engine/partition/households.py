"""How many households a building holds where nobody counted them, by a named rule."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onemap.engine.geometry.types import F64, I64


@dataclass(frozen=True, slots=True)
class HouseholdRule:
    """Footprint x floors x share of residential use / floor space of a household."""

    id: str
    m2_per_household: float
    smallest_home_m2: float
    metres_per_floor: float
    default_floors: tuple[tuple[float, float], ...]  #: (footprint above, floors), ascending
    share: Mapping[str, float]

    def estimate(self, footprint_m2: F64, floors: F64, height_m: F64, use: list[str | None]) -> I64:
        """
        Households of each building, at least one in any that is lived in.

        Parameters
        ----------
        footprint_m2, floors, height_m : (n_building,)
            NaN where floors or height are not known.
        use
            Building use code; ``None`` is unknown.
        """
        known = np.where(floors > 0, floors, np.floor(height_m / self.metres_per_floor))
        default = np.zeros(len(footprint_m2))
        for above, count in self.default_floors:
            default[footprint_m2 >= above] = count
        known = np.where(known > 0, known, default)
        unknown = self.share["unknown"]
        share = np.array([self.share.get(u, unknown) if u else unknown for u in use], dtype=np.float64)
        households = np.rint(footprint_m2 * known * share / self.m2_per_household)
        lived_in = (share > 0) & (footprint_m2 >= self.smallest_home_m2)
        return np.where(lived_in, np.maximum(households, 1), 0).astype(np.int64)
