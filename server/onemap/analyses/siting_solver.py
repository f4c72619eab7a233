"""The three models of siting on a table of walks: which sites, how good, and how good any could be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onemap.analyses.siting_ask import SitingAsk
from onemap.domain.layer import Title
from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.arrays import F64
from onemap.engine.siting.models import Choice, cover_savings, fewest, median_savings, most_saved, worst_walk
from onemap.engine.siting.travel import Travel
from onemap.errors import InputRefused

#: Sites are named by these.
LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Longer tables of walks are cut at four times the limit.
_MOST_PAIRS = 60_000_000
_N_ALTERNATIVES = 2


@dataclass(frozen=True, slots=True)
class Solved:
    """What a model chose; ``objective`` and ``bound`` count what ``meaning`` says."""

    choice: Choice
    objective: float
    bound: float
    meaning: Title
    problems: tuple[Title, ...] = ()


@dataclass(frozen=True, slots=True)
class Served:
    """Who comes within the limit by which candidates: households and persons (n,), and whether they are already."""

    households: F64
    persons: F64
    covered: Any
    walks: Travel
    limit_m: float

    def reached_by(self, row: int) -> Any:
        """Demand rows that a candidate covers."""
        part = slice(self.walks.first[row], self.walks.first[row + 1])
        return self.walks.demand[part][covered(self.walks.seconds[part], self.limit_m)]

    def gain(self, row: int, before: Sequence[int]) -> tuple[int, int]:
        """Households and persons that a candidate adds to what is covered and to the candidates before it."""
        already = self.covered.copy()
        for one in before:
            already[self.reached_by(one)] = True
        new = self.reached_by(row)
        new = new[~already[new]]
        return int(self.households[new].sum()), int(self.persons[new].sum())

    def in_order(self, rows: Sequence[int]) -> list[int]:
        """The chosen, whoever adds most households first."""
        left = list(rows)
        order: list[int] = []
        while left:
            best = max(left, key=lambda row: self.gain(row, order))
            order.append(best)
            left.remove(best)
        return order

    def alternatives(self, chosen: Sequence[int], x: F64, y: F64, *, apart_m: float) -> list[int]:
        """The best other candidates by themselves, away from the chosen and from one another."""
        gains = np.array([self.gain(row, ())[0] for row in range(self.walks.n_candidate)])
        picked: list[int] = []
        for row in np.argsort(-gains, kind="stable"):
            others = [*chosen, *picked]
            if len(picked) == _N_ALTERNATIVES or gains[row] <= 0:
                break
            if all(np.hypot(x[row] - x[one], y[row] - y[one]) >= apart_m for one in others):
                picked.append(int(row))
        return picked


def budget_m(model: str, limit_m: float, n_pair: int, problems: list[Title]) -> float:
    """The longest walk that a model needs to know, metres."""
    if model != "pmedian":
        return limit_m * (1.0 + 1e-9)
    if n_pair <= _MOST_PAIRS:
        return float("inf")
    far = f"{4.0 * limit_m:.0f}"
    problems.append(
        Title(
            f"超过 {far} 米的步行不再区分，否则表格装不下。",
            f"Walks longer than {far} m were not told apart, because the table would not fit.",
        )
    )
    return 4.0 * limit_m


def solve(ask: SitingAsk, walks: Travel, weight: F64, present_m: F64, limit_m: float, time_limit_s: float) -> Solved:
    """The sites of a model; walks and ``present_m`` in metres, ``weight`` in households."""
    if ask.model == "pmedian":
        return _solve_median(ask, walks, weight, present_m, time_limit_s)
    now = covered(present_m, limit_m)
    if ask.model == "lscp":
        savings = cover_savings(walks, np.ones(len(weight)), limit_m, now)
        choice = fewest(savings, time_limit_s=time_limit_s)
        if len(choice.rows) > len(LABELS):
            raise InputRefused(
                f"{len(choice.rows)} sites would be needed, more than the {len(LABELS)} that can be named: "
                "take a smaller area, a longer limit, or mclp."
            ).in_chinese(
                f"需要 {len(choice.rows)} 处，超过可命名的 {len(LABELS)} 处：请缩小范围、放宽限值，或改用最大覆盖。"
            )
        never = ~now
        never[savings.demand] = False
        n = int(never.sum())
        told = Title(f"{n} 栋建筑没有候选能覆盖。", f"{n} buildings cannot be covered by any candidate.")
        meaning = Title("覆盖全部可覆盖建筑的新增处数", "new sites that cover all that can be covered")
        return Solved(choice, choice.value, choice.bound, meaning, (told,) if n else ())
    choice = most_saved(cover_savings(walks, weight, limit_m, now), ask.n, time_limit_s=time_limit_s)
    already = float(weight[now].sum())
    meaning = Title("现有与新增设施覆盖的户数", "households covered by present and new sites")
    return Solved(choice, already + choice.value, already + choice.bound, meaning)


def _solve_median(ask: SitingAsk, walks: Travel, weight: F64, present_m: F64, time_limit_s: float) -> Solved:
    worst = worst_walk(walks)
    reachable = np.isfinite(present_m) | (worst > 0.0)
    longest = float(max(worst.max(initial=0.0), present_m[np.isfinite(present_m)].max(initial=0.0)))
    base = np.where(np.isfinite(present_m), present_m, longest)
    counted = np.where(reachable, weight, 0.0)
    people = float(counted.sum())
    if people <= 0.0:
        raise InputRefused("No candidate can be walked to from any building, so no walk can be shortened.").in_chinese(
            "没有建筑能走到任何候选，步行无法缩短。"
        )
    choice = most_saved(median_savings(walks, counted, base), ask.n, time_limit_s=time_limit_s)
    total, lost = float(counted @ base), int((~reachable).sum())
    told = Title(
        f"{lost} 栋建筑走不到任何候选和设施，不计入平均。",
        f"{lost} buildings reach no candidate and no facility; they are not in the average.",
    )
    meaning = Title(
        "按户平均步行秒数；走不到的按最长步行计",
        "average walk in seconds by households; whoever reaches no site counts with the longest walk found",
    )
    shortened = (total - choice.value) / people
    return Solved(choice, shortened, (total - choice.bound) / people, meaning, (told,) if lost else ())
