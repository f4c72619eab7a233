"""Minutes and metres from every building to the nearest facility of every category, on the street network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from onemap.engine.network.arrays import F64, I64, Bool
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.engine.network.reach import reach, times
from onemap.errors import InputRefused, InvalidValue


@dataclass(frozen=True, slots=True)
class LifeCircle:
    """
    The walk from every building to the nearest facility of each category.

    Attributes
    ----------
    categories
        Names, in the order of the rows.
    seconds : (n_category, n_building)
        ``inf`` where no facility can be reached within the search's budget.
    """

    categories: tuple[str, ...]
    seconds: F64

    def of(self, category: str) -> F64:
        """Seconds to one category: (n_building,)."""
        return np.asarray(self.seconds[self.categories.index(category)], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a whole is covered; 0 of 0 is no share at all."""

    covered: float
    total: float

    @property
    def share(self) -> float | None:
        """Covered over total, or None where there is nothing to cover."""
        return self.covered / self.total if self.total > 0 else None


def life_circle(
    network: Network,
    buildings: Places,
    facilities: Mapping[str, Places],
    *,
    budget_s: float = np.inf,
    threads: int = 2,
    report: Callable[[int, int], None] | None = None,
) -> LifeCircle:
    """
    The walk from every building to the nearest facility of each category.

    Parameters
    ----------
    buildings
        Snapped buildings.
    facilities
        Snapped facilities by category.
    budget_s
        Walks longer than this are not looked for.
    threads
        How many categories are worked on at once.
    report
        Called with (categories done, categories in all).

    Notes
    -----
    One multi-source search per category on the reversed graph, then a look at both ends of every building's edge.
    """
    if not facilities:
        raise InputRefused("There are no facilities, so there is nothing to walk to.")
    categories = tuple(facilities)
    seconds = np.full((len(categories), len(buildings)), np.inf)
    order = np.argsort(buildings.edge, kind="stable")
    sorted_buildings = buildings.take(order)
    done = 0

    def work(number: int) -> None:
        nonlocal done
        found = reach(network, facilities[categories[number]], budget_s=budget_s, toward=True)
        seconds[number, order] = times(network, found, sorted_buildings)
        done += 1
        if report is not None:
            report(done, len(categories))

    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(work, range(len(categories))))
    return LifeCircle(categories, seconds)


def covered(seconds: F64, limit_s: float) -> Bool:
    """Which buildings lie within the limit: (n,)."""
    if not limit_s > 0.0:
        raise InvalidValue(f"A limit of {limit_s / 60.0:g} minutes cannot be used: it must be more than 0.")
    # A hair of slack: 1,000 m at 4 km/h are 15 minutes, whatever the rounding of their sum.
    return np.asarray(seconds <= limit_s * (1.0 + 1e-12), dtype=np.bool_)


def share(within: Bool, weight: F64) -> Share:
    """The covered part of a weight (households, persons, or ones to count buildings)."""
    return Share(float(weight[within].sum()), float(weight.sum()))


def share_by_zone(within: Bool, weight: F64, zone: I64, n_zone: int) -> tuple[F64, F64]:
    """Covered and total weight of every zone (estate, grid, community, street): (n_zone,) each; zone -1 is nowhere."""
    inside = zone >= 0
    total = np.bincount(zone[inside], weights=weight[inside], minlength=n_zone)
    both = inside & within
    return np.bincount(zone[both], weights=weight[both], minlength=n_zone), total
