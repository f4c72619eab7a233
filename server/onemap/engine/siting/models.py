"""
The three classic questions as one table of savings, solved exactly by HiGHS or by swaps with a proven bound.

A saving is what a demand point gains if a candidate is opened: its weight once (cover), or the seconds cut from its
walk (median). Opening p candidates is worth, for every demand point, its best saving among them.

References: Church & ReVelle (1974) MCLP; Toregas et al. (1971) LSCP; Hakimi (1964) p-median; Resende & Werneck (2007)
swaps; Narula, Ogbu & Samuelsson (1977) Lagrangian bound.
"""

from __future__ import annotations

import time
from dataclasses import replace

import highspy
import numpy as np

from onemap.engine.network.arrays import F64, Bool
from onemap.engine.siting.exact import exact_most, finite, new_model, program
from onemap.engine.siting.savings import Choice, Savings, merged, only, worth_of
from onemap.engine.siting.swaps import bounded, greedy_cover, survivors, swaps
from onemap.engine.siting.travel import Travel
from onemap.errors import InputRefused, InvalidValue

__all__ = [
    "Choice",
    "Savings",
    "cover_savings",
    "fewest",
    "median_savings",
    "most_saved",
    "worst_walk",
    "worth_of",
]

_EXACT_PAIRS = 400_000


def cover_savings(travel: Travel, weight: F64, limit_s: float, covered: Bool | None = None) -> Savings:
    """Savings of covering: the point's weight, where a candidate lies within the limit and nobody covers it yet."""
    _check_weight(weight, travel.n_demand)
    if not limit_s > 0.0:
        raise InvalidValue(f"A limit of {limit_s / 60.0:g} minutes cannot be used: it must be more than 0.")
    open_weight = weight if covered is None else np.where(covered, 0.0, weight)
    saving = np.where(travel.seconds <= limit_s * (1.0 + 1e-12), open_weight[travel.demand], 0.0)
    return _positive(travel, saving)


def median_savings(travel: Travel, weight: F64, present_s: F64) -> Savings:
    """Savings of walking: weight times the seconds cut from the present walk (n_demand,), which must be finite."""
    _check_weight(weight, travel.n_demand)
    if not np.isfinite(present_s).all():
        raise InvalidValue("Every demand point needs a present walk, or the longest that is accepted in its place.")
    return _positive(travel, weight[travel.demand] * (present_s[travel.demand] - travel.seconds))


def worst_walk(travel: Travel) -> F64:
    """The longest walk of each demand point to any candidate that it reaches: (n_demand,); 0 where it reaches none."""
    longest = np.zeros(travel.n_demand)
    np.maximum.at(longest, travel.demand, travel.seconds)
    return longest


def most_saved(
    savings: Savings, n_new: int, *, exact: bool | None = None, time_limit_s: float = 60.0, gap: float = 0.001
) -> Choice:
    """
    The n candidates that together save most (MCLP and p-median).

    Parameters
    ----------
    exact
        True for a proof by HiGHS, False for swaps with a Lagrangian bound, None to decide by size.
    time_limit_s, gap
        Stop there; the bound that is given holds whenever one stops.
    """
    if n_new < 1:
        raise InvalidValue(f"{n_new} new sites cannot be placed: at least one.")
    if savings.n_candidate == 0:
        raise InputRefused("There are no candidates to choose from.")
    n_new = min(n_new, savings.n_candidate)
    begun = time.monotonic()
    start, worth = swaps(savings, n_new)
    quick = bounded(
        savings, start, worth, 0.0 if exact else gap, time_limit_s if exact is False else time_limit_s / 4.0
    )
    if exact is False or quick.choice.gap <= 1e-9:
        return quick.choice
    rows = survivors(quick, n_new)
    small = merged(only(savings, rows))
    if exact is None and len(small.demand) > _EXACT_PAIRS:
        return quick.choice
    found = exact_most(small, n_new, rows, quick.choice, max(time_limit_s - (time.monotonic() - begun), 1.0))
    return replace(found, value=worth_of(savings, found.rows))


def fewest(savings: Savings, *, time_limit_s: float = 60.0) -> Choice:
    """The fewest candidates that cover every demand point that any of them can cover (LSCP)."""
    if len(savings.demand) == 0:
        return Choice((), 0.0, 0.0, "exact")
    model, infinity = new_model(), highspy.kHighsInf
    coverable, row_of = np.unique(savings.demand, return_inverse=True)
    n, m = savings.n_candidate, len(coverable)
    model.setOptionValue("time_limit", float(time_limit_s))
    lp = program(np.ones(n), np.zeros(n), np.ones(n), np.ones(m), np.full(m, infinity), savings.first, row_of)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * n
    model.passModel(lp)
    model.run()
    solution = np.array(model.getSolution().col_value)
    if len(solution) != n or model.getInfo().primal_solution_status != 2:
        rows = greedy_cover(savings)
        bound = max(float(np.ceil(finite(model.getInfo().mip_dual_bound, 1.0) - 1e-6)), 1.0)
        return Choice(rows, float(len(rows)), bound, "swaps")
    rows = tuple(int(row) for row in np.flatnonzero(solution > 0.5))
    bound = float(np.ceil(model.getInfo().mip_dual_bound - 1e-6))
    return Choice(rows, float(len(rows)), min(bound, float(len(rows))), "exact" if bound >= len(rows) else "swaps")


def _check_weight(weight: F64, n_demand: int) -> None:
    if len(weight) != n_demand:
        raise InvalidValue(f"{len(weight)} weights do not belong to {n_demand} demand points.")
    if not (np.isfinite(weight).all() and (weight >= 0.0).all()):
        raise InvalidValue("Households are counted by numbers of 0 or more.")


def _positive(travel: Travel, saving: F64) -> Savings:
    keep = saving > 0.0
    kept = np.concatenate([[0], np.cumsum(keep)])
    return Savings(travel.n_demand, kept[travel.first].astype(np.int64), travel.demand[keep], saving[keep])
