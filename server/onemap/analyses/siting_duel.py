"""Two places for one new facility, head to head: which of them would serve people better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onemap.analyses.circle_answers import mean_seconds
from onemap.analyses.circle_ground import LifeCircles
from onemap.analyses.circle_zones import rounded
from onemap.analyses.life_circle import CircleAsk, sees_numbers, titled_category
from onemap.analyses.siting_ask import LonLat
from onemap.analyses.siting_ground import Namer, demand_rows
from onemap.analyses.what_if import People, State, metres_with, placed, state_of, walks_to
from onemap.domain.layer import Catalog, Title
from onemap.domain.scope import Scope
from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.arrays import F64
from onemap.store.db import Db


@dataclass(frozen=True, slots=True)
class Side:
    """One of two places: whom it brings within the limit, and for whom it is the nearer of the two."""

    point: LonLat
    title: str
    gain_households: int
    gain_persons: int
    share: float | None
    mean_s: float | None
    nearer_households: int


@dataclass(frozen=True, slots=True)
class Duel:
    """Two places head to head; ``both`` would be brought within the limit by either, ``only_a`` by the first alone."""

    category: str
    limit_s: float
    document: str
    verified: bool
    before: State
    a: Side
    b: Side
    both: People
    only_a: People
    only_b: People
    better: str
    sentence: Title


def head_to_head(
    db: Db, circles: LifeCircles, catalog: Catalog, scope: Scope, circle: CircleAsk, category: str, a: LonLat, b: LonLat
) -> Duel:
    """Two places for one new facility: the debate over where it should go, in numbers."""
    sees_numbers(catalog, scope, None)
    titled_category(catalog, category)
    ground = circles.ground()
    ground.area(circle.area, scope)
    rows = demand_rows(ground, circle, scope)
    limit = circles.rules.limit(category, circle.minutes)
    rest = walks_to(ground, category, circle.minute, frozenset())
    limit_m, kmh = limit.metres_at(circle.speed_kmh), circle.speed_kmh
    households, persons = ground.homes.households[rows], ground.homes.persons[rows]
    was = covered(rest.metres[rows], limit_m)
    alone = [placed(ground, *point, f"place {label}") for label, point in (("A", a), ("B", b))]
    walked = [metres_with(ground, rest, place)[rows] for place in alone]
    to_each = [metres_with(ground, ground.no_walks, place)[rows] for place in alone]
    gains = [covered(metres, limit_m) & ~was for metres in walked]
    name = Namer(db, catalog, scope, ground)
    sides = []
    for point, metres, gain, own, other in zip((a, b), walked, gains, to_each, to_each[::-1], strict=True):
        state = state_of(metres, households, persons, limit, kmh)
        sides.append(
            Side(
                point=point,
                title=name(*point),
                gain_households=int(households[gain].sum()),
                gain_persons=int(persons[gain].sum()),
                share=state.share,
                mean_s=rounded(mean_seconds(metres, households, kmh)),
                nearer_households=int(households[own < other].sum()),
            )
        )
    better = _better(*sides)
    return Duel(
        category=category,
        limit_s=limit.seconds_at(kmh),
        document=limit.document,
        verified=limit.verified,
        before=state_of(rest.metres[rows], households, persons, limit, kmh),
        a=sides[0],
        b=sides[1],
        both=_people(households, persons, gains[0] & gains[1]),
        only_a=_people(households, persons, gains[0] & ~gains[1]),
        only_b=_people(households, persons, gains[1] & ~gains[0]),
        better=better,
        sentence=_verdict(better, *sides),
    )


def _better(a: Side, b: Side) -> str:
    """``a``, ``b`` or ``same``: by households gained, then by the average walk."""
    of_a = (a.gain_households, -(a.mean_s or float("inf")))
    of_b = (b.gain_households, -(b.mean_s or float("inf")))
    return "same" if of_a == of_b else "a" if of_a > of_b else "b"


def _verdict(better: str, a: Side, b: Side) -> Title:
    if better == "same":
        return Title(
            "两处新增户数与平均步行时间相同。", "Both bring in as many households, with the same average walk."
        )
    first, other = (a, b) if better == "a" else (b, a)
    more = first.gain_households - other.gain_households
    if more == 0:
        return Title(
            f"两处新增户数相同，{first.title}平均步行更短。",
            f"Both bring in as many households; from {first.title} the average walk is shorter.",
        )
    return Title(
        f"{first.title}比{other.title}多覆盖 {more} 户。",
        f"{first.title} brings in {more} more households than {other.title}.",
    )


def _people(households: F64, persons: F64, who: Any) -> People:
    return People(int(households[who].sum()), int(persons[who].sum()))
