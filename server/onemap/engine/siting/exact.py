"""The same questions as mixed-integer programs for HiGHS, passed as arrays: models built in Python cost most."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np

from onemap.engine.network.arrays import F64, I64
from onemap.engine.siting.savings import Choice, Savings, same_saving, worth_of


def finite(value: float, otherwise: float) -> float:
    """A number, or what stands for it where there is none."""
    return value if np.isfinite(value) else otherwise


def new_model() -> Any:
    """HiGHS, silent, on one thread, stopping at a proof only."""
    model = highspy.Highs()
    model.silent()
    model.setOptionValue("threads", 1)
    model.setOptionValue("mip_rel_gap", 0.0)
    return model


def program(
    cost: F64, low: F64, high: F64, row_low: F64, row_high: F64, first: I64, row: Any, value: Any = None
) -> Any:
    """A program over columns: costs, bounds of columns and rows, the matrix column by column (ones by default)."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(row_low)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, low, high
    lp.row_lower_, lp.row_upper_ = row_low, row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.asarray(first, dtype=np.int32)
    lp.a_matrix_.index_ = np.asarray(row, dtype=np.int32)
    lp.a_matrix_.value_ = np.ones(len(row)) if value is None else value
    return lp


def exact_most(savings: Savings, n_new: int, rows: I64, quick: Choice, time_limit_s: float) -> Choice:
    """Cover where every candidate saves a demand point the same, assignment otherwise; ``rows`` name the candidates."""
    model = new_model()
    model.setOptionValue("time_limit", float(time_limit_s))
    same = same_saving(savings)
    lp = _cover_lp(savings, n_new, same) if same is not None else _assignment_lp(savings, n_new)
    model.passModel(lp)
    _suggest(model, savings, np.flatnonzero(np.isin(rows, quick.rows)), lp.num_col_)
    model.run()
    info = model.getInfo()
    # Candidates that were ruled out cannot be in anything better than the best known.
    bound = min(max(-finite(info.mip_dual_bound, -quick.bound), quick.value), quick.bound)
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
    lp = program(cost, np.zeros(n + m), np.ones(n + m), row_low, row_high, first, row, value)
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
    lp = program(cost, np.zeros(n + k), np.ones(n + k), row_low, row_high, first, row, value)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * n + [highspy.HighsVarType.kContinuous] * k
    return lp
