"""
The three classic questions as one table of savings, solved exactly by HiGHS or by swaps with a proven bound.

A saving is what a demand point gains if a candidate is opened: its weight once (cover), or the seconds cut from its
walk (median). Opening p candidates is worth, for every demand point, its best saving among them.

References: Church & ReVelle (1974) MCLP; Toregas et al. (1971) LSCP; Hakimi (1964) p-median; Resende & Werneck (2007)
swaps; Narula, Ogbu & Samuelsson (1977) Lagrangian bound.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64, Bool
from onemap.engine.siting.travel import Travel
from onemap.errors import InputRefused, InvalidValue

_EXACT_PAIRS = 400_000


@dataclass(frozen=True, slots=True)
class Savings:
    """
    What every candidate would save whom.

    Attributes
    ----------
    first : (n_candidate + 1,)
    demand : (n_pair,)
    saving : (n_pair,)
        Above 0; weight included.
    """

    n_demand: int
    first: I64
    demand: I32
    saving: F64

    @property
    def n_candidate(self) -> int:
        """How many candidates there are."""
        return len(self.first) - 1


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Chosen candidates and how good they are known to be.

    Attributes
    ----------
    rows
        Candidates, ascending.
    value
        What they save, or for LSCP how many they are.
    bound
        No choice can do better than this.
    method
        ``exact`` or ``swaps``.
    """

    rows: tuple[int, ...]
    value: float
    bound: float
    method: str

    @property
    def gap(self) -> float:
        """How far from the bound, as a share of it; 0 is proven best."""
        return abs(self.bound - self.value) / abs(self.bound) if self.bound else 0.0


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
    start, worth = _swaps(savings, n_new)
    quick = _bounded(
        savings, start, worth, 0.0 if exact else gap, time_limit_s if exact is False else time_limit_s / 4.0
    )
    if exact is False or quick.choice.gap <= 1e-9:
        return quick.choice
    rows = _survivors(quick, n_new)
    small = _merged(_only(savings, rows))
    if exact is None and len(small.demand) > _EXACT_PAIRS:
        return quick.choice
    found = _exact_most(small, n_new, rows, quick.choice, max(time_limit_s - (time.monotonic() - begun), 1.0))
    return replace(found, value=worth_of(savings, found.rows))


def fewest(savings: Savings, *, time_limit_s: float = 60.0) -> Choice:
    """The fewest candidates that cover every demand point that any of them can cover (LSCP)."""
    if len(savings.demand) == 0:
        return Choice((), 0.0, 0.0, "exact")
    model, infinity = _model(), highspy.kHighsInf
    coverable, row_of = np.unique(savings.demand, return_inverse=True)
    n, m = savings.n_candidate, len(coverable)
    model.setOptionValue("time_limit", float(time_limit_s))
    lp = _lp(np.ones(n), np.zeros(n), np.ones(n), np.ones(m), np.full(m, infinity), savings.first, row_of)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * n
    model.passModel(lp)
    model.run()
    solution = np.array(model.getSolution().col_value)
    if len(solution) != n or model.getInfo().primal_solution_status != 2:
        rows = _greedy_cover(savings)
        bound = max(float(np.ceil(_finite(model.getInfo().mip_dual_bound, 1.0) - 1e-6)), 1.0)
        return Choice(rows, float(len(rows)), bound, "swaps")
    rows = tuple(int(row) for row in np.flatnonzero(solution > 0.5))
    bound = float(np.ceil(model.getInfo().mip_dual_bound - 1e-6))
    return Choice(rows, float(len(rows)), min(bound, float(len(rows))), "exact" if bound >= len(rows) else "swaps")


def worth_of(savings: Savings, rows: tuple[int, ...]) -> float:
    """What a set of candidates saves together."""
    best = np.zeros(savings.n_demand)
    for row in rows:
        part = slice(savings.first[row], savings.first[row + 1])
        np.maximum.at(best, savings.demand[part], savings.saving[part])
    return float(best.sum())


def _check_weight(weight: F64, n_demand: int) -> None:
    if len(weight) != n_demand:
        raise InvalidValue(f"{len(weight)} weights do not belong to {n_demand} demand points.")
    if not (np.isfinite(weight).all() and (weight >= 0.0).all()):
        raise InvalidValue("Households are counted by numbers of 0 or more.")


def _positive(travel: Travel, saving: F64) -> Savings:
    keep = saving > 0.0
    kept = np.concatenate([[0], np.cumsum(keep)])
    return Savings(travel.n_demand, kept[travel.first].astype(np.int64), travel.demand[keep], saving[keep])


def _finite(value: float, otherwise: float) -> float:
    return value if np.isfinite(value) else otherwise


def _model() -> Any:
    model = highspy.Highs()
    model.silent()
    model.setOptionValue("threads", 1)
    model.setOptionValue("mip_rel_gap", 0.0)
    return model


def _lp(cost: F64, low: F64, high: F64, row_low: F64, row_high: F64, first: I64, row: Any, value: Any = None) -> Any:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(row_low)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, low, high
    lp.row_lower_, lp.row_upper_ = row_low, row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.asarray(first, dtype=np.int32)
    lp.a_matrix_.index_ = np.asarray(row, dtype=np.int32)
    lp.a_matrix_.value_ = np.ones(len(row)) if value is None else value
    return lp


def _survivors(quick: _Bounded, n_new: int) -> I64:
    """Candidates that a choice better than the best known may still hold: the others are ruled out by the prices."""
    order = np.argsort(-quick.reduced, kind="stable")
    last = quick.reduced[order[n_new - 1]]
    with_it = quick.at_price - last + quick.reduced
    hopeful = with_it >= quick.choice.value * (1.0 - 1e-9)
    hopeful[order[:n_new]] = True
    hopeful[list(quick.choice.rows)] = True
    return np.flatnonzero(hopeful)


def _only(savings: Savings, rows: I64) -> Savings:
    """The savings of some candidates, in their order."""
    lengths = np.diff(savings.first)[rows]
    first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    at = np.repeat(savings.first[rows] - first[:-1], lengths) + np.arange(first[-1])
    return Savings(savings.n_demand, first, savings.demand[at], savings.saving[at])


def _merged(savings: Savings) -> Savings:
    """
    Demand points that the same candidates cover, as one of their summed weight; unchanged where savings differ.

    Sets of candidates are compared by sums of random 64-bit numbers.
    """
    each = _same_saving(savings)
    if each is None or len(savings.demand) == 0:
        return savings
    signature = np.zeros(savings.n_demand, dtype=np.uint64)
    mark = np.random.default_rng(64).integers(1, 2**63, savings.n_candidate, dtype=np.uint64)
    np.add.at(signature, savings.demand, np.repeat(mark, np.diff(savings.first)))
    _, kept, group = np.unique(signature, return_index=True, return_inverse=True)
    total = np.bincount(group.reshape(-1), weights=each, minlength=len(kept))
    is_kept = np.zeros(savings.n_demand, dtype=np.bool_)
    is_kept[kept] = True
    stays = is_kept[savings.demand]
    ends = np.concatenate([[0], np.cumsum(stays)])
    demand = group.reshape(-1)[savings.demand[stays]].astype(np.int32)
    return Savings(len(kept), ends[savings.first].astype(np.int64), demand, total[demand])


def _exact_most(savings: Savings, n_new: int, rows: I64, quick: Choice, time_limit_s: float) -> Choice:
    """Cover where every candidate saves a demand point the same, assignment otherwise; ``rows`` name the candidates."""
    model = _model()
    model.setOptionValue("time_limit", float(time_limit_s))
    same = _same_saving(savings)
    lp = _cover_lp(savings, n_new, same) if same is not None else _assignment_lp(savings, n_new)
    model.passModel(lp)
    _suggest(model, savings, np.flatnonzero(np.isin(rows, quick.rows)), lp.num_col_)
    model.run()
    info = model.getInfo()
    # Candidates that were ruled out cannot be in anything better than the best known.
    bound = min(max(-_finite(info.mip_dual_bound, -quick.bound), quick.value), quick.bound)
    best, value = quick.rows, quick.value
    if info.primal_solution_status == 2:
        solution = np.array(model.getSolution().col_value)[: savings.n_candidate]
        found = np.sort(np.argsort(-solution, kind="stable")[:n_new])
        worth = worth_of(savings, tuple(found.tolist()))
        if worth > value:
            best, value = tuple(rows[found].tolist()), worth
    proven = bound <= value * (1.0 + 1e-7) + 1e-9
    return Choice(best, value, value if proven else bound, "exact" if proven else "swaps")


def _suggest(model: Any, savings: Savings, rows: I64, n_column: int) -> None:
    """Give HiGHS the swaps' answer to begin from."""
    chosen = np.zeros(savings.n_candidate)
    chosen[rows] = 1.0
    index = np.arange(savings.n_candidate, dtype=np.int32)
    if n_column >= savings.n_candidate:
        model.setSolution(savings.n_candidate, index, chosen)


def _same_saving(savings: Savings) -> F64 | None:
    """The saving of each demand point where all its candidates agree on it; None where they do not."""
    each = np.zeros(savings.n_demand)
    each[savings.demand] = savings.saving
    return each if np.array_equal(each[savings.demand], savings.saving) else None


def _cover_lp(savings: Savings, n_new: int, each: F64) -> Any:
    # max sum w_i y_i,  y_i <= sum of x_j that cover i,  sum x = n.  Columns: x, then y; rows: demand, then the count.
    coverable, row_of = np.unique(savings.demand, return_inverse=True)
    n, m = savings.n_candidate, len(coverable)
    infinity = highspy.kHighsInf
    lengths = np.diff(savings.first)
    first = np.concatenate([[0], np.cumsum(lengths + 1), np.cumsum(lengths + 1)[-1] + np.arange(1, m + 1)])
    row = np.empty(len(savings.demand) + n + m, dtype=np.int32)
    value = np.ones(len(row))
    at_count = first[1 : n + 1] - 1
    is_count = np.zeros(len(savings.demand) + n, dtype=np.bool_)
    is_count[at_count] = True
    row[: len(is_count)][~is_count] = row_of
    row[: len(is_count)][is_count] = m
    row[len(is_count) :] = np.arange(m)
    value[len(is_count) :] = -1.0
    cost = np.concatenate([np.zeros(n), -each[coverable]])
    row_low = np.concatenate([np.zeros(m), [float(n_new)]])
    row_high = np.concatenate([np.full(m, infinity), [float(n_new)]])
    lp = _lp(cost, np.zeros(n + m), np.ones(n + m), row_low, row_high, first, row, value)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * n + [highspy.HighsVarType.kContinuous] * m
    return lp


def _assignment_lp(savings: Savings, n_new: int) -> Any:
    # max sum s_ij z_ij,  sum_j z_ij <= 1,  z_ij <= x_j,  sum x = n.  Columns: x, then z; rows: demand, links, count.
    served, row_of = np.unique(savings.demand, return_inverse=True)
    n, m, k = savings.n_candidate, len(served), len(savings.demand)
    infinity = highspy.kHighsInf
    lengths = np.diff(savings.first)
    first = np.concatenate([[0], np.cumsum(lengths + 1), np.cumsum(lengths + 1)[-1] + 2 * np.arange(1, k + 1)])
    row = np.empty(k + n + 2 * k, dtype=np.int32)
    value = np.ones(len(row))
    is_count = np.zeros(k + n, dtype=np.bool_)
    is_count[first[1 : n + 1] - 1] = True
    head_value = np.ones(k + n)
    head_value[~is_count] = -1.0
    row[: k + n][~is_count] = m + np.arange(k)
    row[: k + n][is_count] = m + k
    value[: k + n] = head_value
    row[k + n :: 2] = row_of
    row[k + n + 1 :: 2] = m + np.arange(k)
    cost = np.concatenate([np.zeros(n), -savings.saving])
    row_low = np.concatenate([np.full(m + k, -infinity), [float(n_new)]])
    row_high = np.concatenate([np.ones(m), np.zeros(k), [float(n_new)]])
    lp = _lp(cost, np.zeros(n + k), np.ones(n + k), row_low, row_high, first, row, value)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * n + [highspy.HighsVarType.kContinuous] * k
    return lp


def _greedy_cover(savings: Savings) -> tuple[int, ...]:
    rows = np.empty(savings.n_candidate, dtype=np.int64)
    n = _cover_all(savings.first, savings.demand, savings.n_demand, rows)
    return tuple(sorted(int(row) for row in rows[:n]))


def _swaps(savings: Savings, n_new: int) -> tuple[I64, float]:
    """Greedy, then swaps until none helps: chosen rows and what they save."""
    chosen = np.empty(n_new, dtype=np.int64)
    _greedy(savings.first, savings.demand, savings.saving, savings.n_demand, chosen)
    worth = _swap(savings.first, savings.demand, savings.saving, savings.n_demand, chosen)
    return chosen, float(worth)


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A choice with its bound, and what the bound's prices leave of every candidate: (n_candidate,)."""

    choice: Choice
    reduced: F64
    at_price: float


def _bounded(savings: Savings, chosen: I64, worth: float, gap: float, time_limit_s: float) -> _Bounded:
    """
    A Lagrangian bound by subgradient steps, from the best choice known; better choices met on the way are kept.

    Relaxing "each demand point is served once" at prices l >= 0 leaves
    sum l_i + (the n largest of sum_i max(0, s_ij - l_i)), which no choice can exceed.
    """
    n_new = len(chosen)
    price = _first_prices(savings, chosen)
    best_rows, best_worth, bound = chosen.copy(), worth, np.inf
    step, stale = 1.0, 0
    reduced = np.empty(savings.n_candidate)
    best_reduced = reduced
    served = np.empty(savings.n_demand)
    begun = time.monotonic()
    direction = np.zeros(savings.n_demand)
    for turn in range(2000):
        _reduce(savings.first, savings.demand, savings.saving, price, reduced)
        top = np.argpartition(-reduced, n_new - 1)[:n_new]
        here = float(price.sum() + reduced[top].sum())
        if here < bound - 1e-12 * abs(here):
            stale = 0 if here < bound * (1.0 - 1e-5) else stale + 1
            bound = here
            best_reduced = reduced.copy()
        else:
            stale += 1
        if stale >= 8:
            step, stale = step * 0.6, 0
        if turn % 20 == 19:
            rows = np.sort(top).astype(np.int64)
            value = worth_of(savings, tuple(rows.tolist()))
            if value > 0.98 * best_worth:
                value = _swap(savings.first, savings.demand, savings.saving, savings.n_demand, rows)
            if value > best_worth:
                best_rows, best_worth = rows.copy(), float(value)
        if bound <= best_worth * (1.0 + gap) or step < 1e-4 or time.monotonic() - begun > time_limit_s:
            break
        _serve(savings.first, savings.demand, savings.saving, price, top, served)
        # Averaged directions damp the zigzag of plain subgradients.
        direction = (1.0 - served) + 0.3 * direction
        direction[(price <= 0.0) & (direction > 0.0)] = 0.0
        square = float(direction @ direction)
        if square == 0.0:
            break
        target = best_worth + 0.05 * max(bound - best_worth, 0.0)
        price = np.maximum(price - step * max(here - target, 1e-9 * abs(here)) / square * direction, 0.0)
    chosen_rows = tuple(sorted(int(row) for row in best_rows))
    method = "exact" if bound <= best_worth * (1.0 + 1e-9) else "swaps"
    return _Bounded(Choice(chosen_rows, best_worth, max(bound, best_worth), method), best_reduced, bound)


def _first_prices(savings: Savings, chosen: I64) -> F64:
    """The best saving among the chosen, halved: near the prices at which the chosen are the ones wanted."""
    best = np.zeros(savings.n_demand)
    for row in chosen:
        part = slice(savings.first[row], savings.first[row + 1])
        np.maximum.at(best, savings.demand[part], savings.saving[part])
    return 0.5 * best


@kernel
def _greedy(first: I64, demand: I32, saving: F64, n_demand: int, chosen: I64) -> None:
    # Gains only shrink: a candidate whose old gain is below the best new one need not be looked at (lazy evaluation).
    n = len(first) - 1
    best = np.zeros(n_demand)
    gain = np.zeros(n)
    used = np.zeros(n, dtype=np.bool_)
    for j in range(n):
        for k in range(first[j], first[j + 1]):
            gain[j] += saving[k]
    for turn in range(len(chosen)):
        order = np.argsort(-gain)
        top, top_gain = 0, -1.0
        for at in range(n):
            j = int(order[at])
            if used[j]:
                continue
            if gain[j] <= top_gain:
                break
            fresh = 0.0
            for k in range(first[j], first[j + 1]):
                extra = saving[k] - best[demand[k]]
                if extra > 0.0:
                    fresh += extra
            gain[j] = fresh
            if fresh > top_gain:
                top, top_gain = j, fresh
        chosen[turn] = top
        used[top] = True
        gain[top] = -1.0
        for k in range(first[top], first[top + 1]):
            best[demand[k]] = max(best[demand[k]], saving[k])


@kernel
def _rank_open(first: I64, demand: I32, saving: F64, chosen: I64, best: F64, second: F64, by: I32) -> None:
    best[:] = 0.0
    second[:] = 0.0
    by[:] = -1
    for r in range(len(chosen)):
        for k in range(first[chosen[r]], first[chosen[r] + 1]):
            i, s = demand[k], saving[k]
            if s > best[i]:
                second[i] = best[i]
                best[i], by[i] = s, r
            elif s > second[i]:
                second[i] = s


@kernel
def _swap(first: I64, demand: I32, saving: F64, n_demand: int, chosen: I64) -> float:
    n, p = len(first) - 1, len(chosen)
    best, second = np.zeros(n_demand), np.zeros(n_demand)
    by = np.full(n_demand, -1, dtype=np.int32)
    is_open = np.zeros(n, dtype=np.bool_)
    for r in range(p):
        is_open[chosen[r]] = True
    _rank_open(first, demand, saving, chosen, best, second, by)
    loss = np.zeros(p)
    for i in range(n_demand):
        if by[i] >= 0:
            loss[by[i]] += best[i] - second[i]
    total = best.sum()
    kept = np.zeros(p)
    quiet, j = 0, 0
    while quiet < n:
        if not is_open[j]:
            # What opening j gains, and for each r closed in exchange how much of its loss j makes good.
            gain = 0.0
            kept[:] = 0.0
            for k in range(first[j], first[j + 1]):
                i, s = demand[k], saving[k]
                if s > best[i]:
                    gain += s - best[i]
                    if by[i] >= 0:
                        kept[by[i]] += best[i] - second[i]
                elif s > second[i] and by[i] >= 0:
                    kept[by[i]] += s - second[i]
            out, delta = -1, 0.0
            for r in range(p):
                change = gain - loss[r] + kept[r]
                if change > delta:
                    out, delta = r, change
            if out >= 0 and delta > 1e-9 * (1.0 + total):
                is_open[chosen[out]] = False
                is_open[j] = True
                chosen[out] = j
                _rank_open(first, demand, saving, chosen, best, second, by)
                loss[:] = 0.0
                for i in range(n_demand):
                    if by[i] >= 0:
                        loss[by[i]] += best[i] - second[i]
                total = best.sum()
                quiet = -1
        quiet += 1
        j = j + 1 if j + 1 < n else 0
    return total


@kernel
def _reduce(first: I64, demand: I32, saving: F64, price: F64, reduced: F64) -> None:
    for j in range(len(first) - 1):
        total = 0.0
        for k in range(first[j], first[j + 1]):
            extra = saving[k] - price[demand[k]]
            if extra > 0.0:
                total += extra
        reduced[j] = total


@kernel
def _serve(first: I64, demand: I32, saving: F64, price: F64, top: I64, served: F64) -> None:
    served[:] = 0.0
    for j in top:
        for k in range(first[j], first[j + 1]):
            if saving[k] > price[demand[k]]:
                served[demand[k]] += 1.0


@kernel
def _cover_all(first: I64, demand: I32, n_demand: int, rows: I64) -> int:
    n = len(first) - 1
    done = np.zeros(n_demand, dtype=np.bool_)
    gain = np.zeros(n, dtype=np.int64)
    for j in range(n):
        gain[j] = first[j + 1] - first[j]
    n_row = 0
    while True:
        top, most = -1, np.int64(0)
        for j in range(n):
            if gain[j] <= most:
                continue
            fresh = np.int64(0)
            for k in range(first[j], first[j + 1]):
                if not done[demand[k]]:
                    fresh += 1
            gain[j] = fresh
            if fresh > most:
                top, most = j, fresh
        if top < 0:
            return n_row
        rows[n_row] = top
        n_row += 1
        for k in range(first[top], first[top + 1]):
            done[demand[k]] = True
