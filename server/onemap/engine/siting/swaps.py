"""
Choices of city size: lazy greedy, swaps until none helps, and a Lagrangian bound that no choice can exceed.

References: Resende & Werneck (2007) swaps; Narula, Ogbu & Samuelsson (1977) Lagrangian bound.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from onemap.engine._jit import kernel
from onemap.engine.network.arrays import F64, I32, I64
from onemap.engine.siting.savings import Choice, Savings, worth_of

_THREADS = 2


def greedy_cover(savings: Savings) -> tuple[int, ...]:
    """Candidates that cover everybody coverable, the most useful first until none is left: ascending."""
    rows = np.empty(savings.n_candidate, dtype=np.int64)
    n = _cover_all(savings.first, savings.demand, savings.n_demand, rows)
    return tuple(sorted(int(row) for row in rows[:n]))


def swaps(savings: Savings, n_new: int) -> tuple[I64, float]:
    """Greedy, then swaps until none helps: chosen rows and what they save."""
    chosen = np.empty(n_new, dtype=np.int64)
    _greedy(savings.first, savings.demand, savings.saving, savings.n_demand, chosen)
    worth = _swap(savings.first, savings.demand, savings.saving, savings.n_demand, chosen)
    return chosen, float(worth)


@dataclass(frozen=True, slots=True)
class Bounded:
    """A choice with its bound, and what the bound's prices leave of every candidate: (n_candidate,)."""

    choice: Choice
    reduced: F64
    at_price: float


def bounded(savings: Savings, chosen: I64, worth: float, gap: float, time_limit_s: float) -> Bounded:
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
    parts = np.searchsorted(savings.first, np.linspace(0, savings.first[-1], _THREADS + 1)[1:-1]).tolist()
    parts = list(zip([0, *parts], [*parts, savings.n_candidate], strict=True))

    def reduce(part: tuple[int, int]) -> None:
        _reduce(savings.first, savings.demand, savings.saving, price, part[0], part[1], reduced)

    with ThreadPoolExecutor(_THREADS) as pool:
        for turn in range(2000):
            list(pool.map(reduce, parts))
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
            square = _square(direction)
            if square == 0.0:
                break
            target = best_worth + 0.05 * max(bound - best_worth, 0.0)
            price = np.maximum(price - step * max(here - target, 1e-9 * abs(here)) / square * direction, 0.0)
    chosen_rows = tuple(sorted(int(row) for row in best_rows))
    method = "exact" if bound <= best_worth * (1.0 + 1e-9) else "swaps"
    return Bounded(Choice(chosen_rows, best_worth, max(bound, best_worth), method), best_reduced, bound)


def _first_prices(savings: Savings, chosen: I64) -> F64:
    """The best saving among the chosen, halved: near the prices at which the chosen are the ones wanted."""
    best = np.zeros(savings.n_demand)
    for row in chosen:
        part = slice(savings.first[row], savings.first[row + 1])
        np.maximum.at(best, savings.demand[part], savings.saving[part])
    return 0.5 * best


def survivors(quick: Bounded, n_new: int) -> I64:
    """Candidates that a choice better than the best known may still hold: the others are ruled out by the prices."""
    order = np.argsort(-quick.reduced, kind="stable")
    last = quick.reduced[order[n_new - 1]]
    with_it = quick.at_price - last + quick.reduced
    hopeful = with_it >= quick.choice.value * (1.0 - 1e-9)
    hopeful[order[:n_new]] = True
    hopeful[list(quick.choice.rows)] = True
    return np.flatnonzero(hopeful)


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
def _reduce(first: I64, demand: I32, saving: F64, price: F64, begin: int, end: int, reduced: F64) -> None:
    for j in range(begin, end):
        total = 0.0
        for k in range(first[j], first[j + 1]):
            extra = saving[k] - price[demand[k]]
            if extra > 0.0:
                total += extra
        reduced[j] = total


@kernel
def _square(vector: F64) -> float:
    # numpy's own product wakes every core for a vector of this length, and lets them spin.
    total = 0.0
    for value in vector:
        total += value * value
    return total


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
