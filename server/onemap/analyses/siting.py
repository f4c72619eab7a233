"""Where the next facilities of a category should go."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onemap.analyses.circle_ground import LifeCircles, place_all
from onemap.analyses.life_circle import sees_numbers, titled_category
from onemap.analyses.siting_ask import LonLat, SitingAsk
from onemap.analyses.siting_ground import Namer, candidates, demand_rows
from onemap.analyses.siting_solver import LABELS, Served, budget_m, solve
from onemap.analyses.what_if import State, metres_with, state_of, walks_to
from onemap.domain.layer import Catalog, Title
from onemap.domain.scope import Scope
from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.arrays import F64
from onemap.engine.siting.travel import travel
from onemap.errors import InputRefused
from onemap.store.db import Db

#: Homes that a question may concern before it has to be a job, and what the solver may take then and now, seconds.
AT_ONCE, AT_ONCE_S, AS_JOB_S = 20_000, 10.0, 60.0


@dataclass(frozen=True, slots=True)
class Site:
    """
    One place.

    Attributes
    ----------
    gain_households, gain_persons
        Who newly comes within the limit when it joins those before it in the alphabet.
    alone_households, alone_persons
        The same were it the only new one.
    """

    label: str
    point: LonLat
    title: str
    gain_households: int
    gain_persons: int
    alone_households: int
    alone_persons: int


@dataclass(frozen=True, slots=True)
class Sites:
    """
    Where to build.

    Attributes
    ----------
    alternatives
        The best of what was not chosen, away from what was: how each would do alone.
    objective, bound, gap, objective_is
        What was reached, what nobody can surpass, their distance as a share of the bound, and what is counted.
    method
        ``exact`` (proven by HiGHS) or ``swaps`` (with a proven bound).
    """

    category: str
    model: str
    limit_s: float
    document: str
    verified: bool
    sites: list[Site]
    alternatives: list[Site]
    objective: float
    bound: float
    gap: float
    objective_is: Title
    method: str
    n_candidates: int
    seconds: float
    before: State
    after: State
    problems: list[Title]


def best_sites(
    db: Db, circles: LifeCircles, catalog: Catalog, scope: Scope, ask: SitingAsk, *, as_job: bool = False,
    report: Callable[[int, str | None], None] = lambda *_: None,
) -> Sites:  # fmt: skip
    """The n places that together serve people best."""
    begun = time.perf_counter()
    sees_numbers(catalog, scope, None)
    titled_category(catalog, ask.category)
    ground, circle = circles.ground(), ask.circle
    ground.area(circle.area, scope)
    rows = demand_rows(ground, circle, scope)
    if len(rows) > AT_ONCE and not as_job:
        raise InputRefused(
            f"{len(rows):,} buildings are too many to answer at once: "
            "ask the process 'siting' as a job, or for a smaller area."
        ).in_chinese(f"{len(rows):,} 栋建筑太多，不能立即作答：请缩小范围，或作为作业提交。")
    limit = circles.rules.limit(ask.category, circle.minutes)
    report(5, "candidates")
    problems: list[Title] = []
    x, y = candidates(db, catalog, scope, ground, ask, rows, problems)
    places = place_all(ground.network, x, y)
    if lost := int((~places.found).sum()):
        far = f"{ground.network.max_snap_m:g}"
        problems.append(
            Title(
                f"{len(x)} 个候选中有 {lost} 个离任何道路超过 {far} 米。",
                f"{lost} of {len(x)} candidates lie farther than {far} m from any street.",
            )
        )
    x, y, places = x[places.found], y[places.found], places.take(places.found)
    if not len(places):
        raise InputRefused("No candidate lies near a street, so none can be reached.").in_chinese(
            "没有候选位于道路附近，都走不到。"
        )
    rest = walks_to(ground, ask.category, circle.minute, frozenset())
    present_m, weight = rest.metres[rows], ground.homes.households[rows]
    limit_m = limit.metres_at(circle.speed_kmh)
    longest_m = budget_m(ask.model, limit_m, len(places) * len(rows), problems)
    report(15, "walks")
    walks = travel(ground.network, places, ground.homes.places.take(rows), budget_s=longest_m)
    report(45, "solver")
    solved = solve(ask, walks, weight, present_m, limit_m, AS_JOB_S if as_job else AT_ONCE_S)
    report(90, "names")
    people = Served(weight, ground.homes.persons[rows], covered(present_m, limit_m), walks, limit_m)
    order = people.in_order(solved.choice.rows)
    name = Namer(db, catalog, scope, ground)
    chosen = [_site(name, people, label, row, order[:at], x, y) for at, (label, row) in _lettered(order)]
    others = people.alternatives(order, x, y, apart_m=limit_m / 2.0) if ask.model != "lscp" else []
    if ask.model == "mclp" and solved.choice.value <= 0.0:
        problems.append(
            Title(
                "没有候选能让更多住户进入限定距离。",
                "No candidate brings anybody within the limit who is not there already.",
            )
        )
    metres = metres_with(ground, rest, places.take(np.array(order, dtype=np.int64)))[rows]
    persons, kmh = ground.homes.persons[rows], circle.speed_kmh
    scale = 3.6 / kmh if ask.model == "pmedian" else 1.0
    return Sites(
        category=ask.category,
        model=ask.model,
        limit_s=limit.seconds_at(kmh),
        document=limit.document,
        verified=limit.verified,
        sites=chosen,
        alternatives=[_site(name, people, label, row, [], x, y) for _, (label, row) in _lettered(others, len(order))],
        objective=round(solved.objective * scale, 4),
        bound=round(solved.bound * scale, 4),
        gap=abs(solved.bound - solved.objective) / abs(solved.bound) if solved.bound else 0.0,
        objective_is=solved.meaning,
        method=solved.choice.method,
        n_candidates=len(places),
        seconds=round(time.perf_counter() - begun, 3),
        before=state_of(present_m, weight, persons, limit, kmh),
        after=state_of(metres, weight, persons, limit, kmh),
        problems=[*problems, *solved.problems],
    )


def _lettered(rows: Sequence[int], after: int = 0) -> list[tuple[int, tuple[str, int]]]:
    return [(at, (LABELS[after + at], row)) for at, row in enumerate(rows)]


def _site(name: Namer, people: Served, label: str, row: int, before: Sequence[int], x: F64, y: F64) -> Site:
    point = name.point(float(x[row]), float(y[row]))
    return Site(label, point, name(*point), *people.gain(row, before), *people.gain(row, ()))
