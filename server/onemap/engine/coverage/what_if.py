"""
What if: facilities added, moved, closed; two states compared.

A facility on the move meets walks that are known already. Its search goes on only where it beats them, so that each new
position costs what it can change and no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.arrays import F64, I32, I64
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.engine.network.reach import as_sources, reach, times
from onemap.engine.network.walks import Demand, walks_from
from onemap.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Change:
    """Buildings whose walk becomes shorter: rows (n,) and their new seconds (n,)."""

    rows: I32
    seconds: F64


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    Two states side by side.

    Attributes
    ----------
    winners, losers
        Rows that come within the limit, and rows that fall out of it.
    gained, lost
        Their weights.
    """

    winners: I64
    losers: I64
    gained: float
    lost: float


class Drag:
    """One facility of a category in the hand, the others where they stand."""

    def __init__(self, network: Network, buildings: Places, others: Places, *, budget_s: float = np.inf) -> None:
        self._network = network
        self._budget_s = budget_s
        self._demand = Demand.on(network, buildings)
        found = reach(network, others, budget_s=budget_s, toward=True)
        self._node_s = found.node_s
        self.seconds = times(network, found, buildings)

    def at(self, place: Places) -> Change:
        """What changes with the facility at a place (one snapped point)."""
        if len(place) != 1:
            raise InvalidValue(f"One facility is dragged, not {len(place)}.")
        sources = as_sources(self._network, place)
        part = np.arange(len(sources.edge))
        _, rows, seconds = walks_from(self._network, sources, part, self._demand, self._budget_s, self._node_s)
        better = seconds < self.seconds[rows]
        return Change(rows[better], seconds[better])

    def dropped_at(self, place: Places) -> F64:
        """Seconds of every building with the facility left there: (n_building,)."""
        change = self.at(place)
        after = self.seconds.copy()
        after[change.rows] = change.seconds
        return after


def covered_weight(base: float, before_s: F64, change: Change, weight: F64, limit_s: float) -> float:
    """Covered weight after a change, from the covered weight before it: only the changed rows are looked at."""
    newly = covered(change.seconds, limit_s) & ~covered(before_s[change.rows], limit_s)
    return base + float(weight[change.rows[newly]].sum())


def compare(before_s: F64, after_s: F64, weight: F64, limit_s: float) -> Comparison:
    """Who comes within the limit and who falls out of it."""
    before, after = covered(before_s, limit_s), covered(after_s, limit_s)
    winners, losers = np.flatnonzero(after & ~before), np.flatnonzero(before & ~after)
    return Comparison(winners, losers, float(weight[winners].sum()), float(weight[losers].sum()))
