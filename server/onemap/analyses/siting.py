"""Where the next facilities of a category should go, and which of two places would serve people better."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from onemap.analyses.circle_ground import Ground, LifeCircles, place_all, plane_xy
from onemap.analyses.life_circle import CircleAsk, mean_seconds, sees_numbers, titled_category
from onemap.analyses.what_if import People, State, metres_with, placed, state_of, walks_to
from onemap.domain.layer import Catalog, Title
from onemap.domain.scope import Scope
from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.arrays import F64, I64
from onemap.engine.siting.candidates import street_candidates, thinned
from onemap.engine.siting.models import Choice, cover_savings, fewest, median_savings, most_saved, worst_walk
from onemap.engine.siting.travel import Travel, travel
from onemap.errors import InputRefused, InvalidValue
from onemap.store import circle as store
from onemap.store import frames
from onemap.store.db import Db

MODELS = ("mclp", "pmedian", "lscp")
KINDS = ("nodes", "buildings", "estates")
MOST_SITES = 20
MOST_GIVEN = 2_000
#: Homes that a question may concern before it has to be a job, and what the solver may take then and now, seconds.
AT_ONCE, AT_ONCE_S, AS_JOB_S = 20_000, 10.0, 60.0
#: Nodes and buildings are thinned to this many.
_MOST_CANDIDATES = 500
#: Longer tables of walks are cut at four times the limit.
_MOST_PAIRS = 60_000_000
#: An estate names a place so near to it, metres.
_NEAR_ESTATE_M = 120.0
_N_ALTERNATIVES = 2
_LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

type LonLat = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SitingAsk:
    """
    What is to be placed, how many, chosen from where.

    Attributes
    ----------
    model
        ``mclp`` most households covered, ``pmedian`` least average walk, ``lscp`` fewest sites that cover all.
    candidates
        ``nodes``, ``buildings``, ``estates``, ``layer:NAME``, or places in degrees.
    """

    circle: CircleAsk
    category: str
    n: int = 1
    model: str = "mclp"
    candidates: str | Sequence[LonLat] = "nodes"

    def __post_init__(self) -> None:
        """Refuse what cannot be placed."""
        if not 1 <= self.n <= MOST_SITES:
            raise InvalidValue(f"{self.n} new sites cannot be placed: between 1 and {MOST_SITES}.")
        if self.model not in MODELS:
            raise InvalidValue(f"There is no model '{self.model}'; it is one of {', '.join(MODELS)}.")
        if isinstance(self.candidates, str):
            if self.candidates not in KINDS and not self.candidates.startswith("layer:"):
                raise InvalidValue(
                    f"Candidates cannot be '{self.candidates}': they are {', '.join(KINDS)}, layer:NAME, or points."
                )
        elif not 1 <= len(self.candidates) <= MOST_GIVEN:
            raise InvalidValue(f"{len(self.candidates)} candidates cannot be chosen from: between 1 and {MOST_GIVEN}.")


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
    rows = _demand_rows(ground, circle, scope)
    if len(rows) > AT_ONCE and not as_job:
        raise InputRefused(
            f"{len(rows):,} buildings are too many to answer at once: "
            "ask the process 'siting' as a job, or for a smaller area."
        ).in_chinese(f"{len(rows):,} 栋建筑太多，不能立即作答：请缩小范围，或作为作业提交。")
    limit = circles.rules.limit(ask.category, circle.minutes)
    report(5, "candidates")
    problems: list[Title] = []
    x, y = _candidates(db, catalog, scope, ground, ask, rows, problems)
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
    budget_m = _budget(ask.model, limit_m, len(places) * len(rows), problems)
    report(15, "walks")
    walks = travel(ground.network, places, ground.homes.places.take(rows), budget_s=budget_m)
    report(45, "solver")
    solved = _solve(ask, walks, weight, present_m, limit_m, AS_JOB_S if as_job else AT_ONCE_S)
    report(90, "names")
    people = _People(weight, ground.homes.persons[rows], covered(present_m, limit_m), walks, limit_m)
    order = people.in_order(solved.choice.rows)
    name = _Namer(db, catalog, scope, ground)
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


def head_to_head(
    db: Db, circles: LifeCircles, catalog: Catalog, scope: Scope, circle: CircleAsk, category: str, a: LonLat, b: LonLat
) -> Duel:
    """Two places for one new facility: the debate over where it should go, in numbers."""
    sees_numbers(catalog, scope, None)
    titled_category(catalog, category)
    ground = circles.ground()
    ground.area(circle.area, scope)
    rows = _demand_rows(ground, circle, scope)
    limit = circles.rules.limit(category, circle.minutes)
    rest = walks_to(ground, category, circle.minute, frozenset())
    limit_m, kmh = limit.metres_at(circle.speed_kmh), circle.speed_kmh
    households, persons = ground.homes.households[rows], ground.homes.persons[rows]
    was = covered(rest.metres[rows], limit_m)
    alone = [placed(ground, *point, f"place {label}") for label, point in (("A", a), ("B", b))]
    walked = [metres_with(ground, rest, place)[rows] for place in alone]
    to_each = [metres_with(ground, ground.no_walks, place)[rows] for place in alone]
    gains = [covered(metres, limit_m) & ~was for metres in walked]
    name = _Namer(db, catalog, scope, ground)
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
                mean_s=_rounded(mean_seconds(metres, households, kmh)),
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


@dataclass(frozen=True, slots=True)
class _Solved:
    choice: Choice
    objective: float
    bound: float
    meaning: Title
    problems: tuple[Title, ...] = ()


@dataclass(frozen=True, slots=True)
class _People:
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


class _Namer:
    """Names that people know: beside an estate, else at a road."""

    def __init__(self, db: Db, catalog: Catalog, scope: Scope, ground: Ground) -> None:
        self._db, self._catalog, self._scope, self._ground = db, catalog, scope, ground

    def point(self, x: float, y: float) -> LonLat:
        """A place of the plane in degrees."""
        lon, lat = self._ground.held.plane.lonlat(np.array([x]), np.array([y]))
        return round(float(lon[0]), 7), round(float(lat[0]), 7)

    def __call__(self, lon: float, lat: float) -> str:
        ground = self._ground
        x, y = plane_xy(ground.held, np.array([lon]), np.array([lat]))
        far = shapely.distance(ground.estate_outlines, shapely.Point(x[0], y[0]))
        if len(far) and np.nanmin(far) <= _NEAR_ESTATE_M:
            nearest = int(np.nanargmin(far))
            return f"{ground.estates[nearest].title}{'内' if far[nearest] == 0.0 else '旁'}"
        with self._db.connection() as connection:
            street = store.street_at(connection, self._catalog, self._scope, lon, lat)
        return f"{street}旁" if street else f"{lon:.5f}, {lat:.5f}"


def _lettered(rows: Sequence[int], after: int = 0) -> list[tuple[int, tuple[str, int]]]:
    return [(at, (_LABELS[after + at], row)) for at, row in enumerate(rows)]


def _site(name: _Namer, people: _People, label: str, row: int, before: Sequence[int], x: F64, y: F64) -> Site:
    point = name.point(float(x[row]), float(y[row]))
    return Site(label, point, name(*point), *people.gain(row, before), *people.gain(row, ()))


def _demand_rows(ground: Ground, circle: CircleAsk, scope: Scope) -> I64:
    rows = ground.rows(circle.area, scope)
    rows = rows[(ground.homes.households[rows] > 0.0) & ground.homes.places.found[rows]]
    if not len(rows):
        raise InputRefused("Nobody lives there near a street, so there is nobody to gain from a new site.").in_chinese(
            "该范围道路附近没有住户，新设施无人受益。"
        )
    return rows


def _candidates(
    db: Db, catalog: Catalog, scope: Scope, ground: Ground, ask: SitingAsk, rows: I64, problems: list[Title]
) -> tuple[F64, F64]:
    if not isinstance(ask.candidates, str):
        for lon, lat in ask.candidates:
            if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
                raise InvalidValue(f"{lon:g},{lat:g} is not a point: longitude comes first, then latitude, in degrees.")
        return plane_xy(ground.held, *(np.array(one, dtype=float) for one in zip(*ask.candidates, strict=True)))
    if ask.candidates == "buildings":
        keep = rows[thinned(ground.homes.x[rows], ground.homes.y[rows], _MOST_CANDIDATES)]
        return ground.homes.x[keep], ground.homes.y[keep]
    if ask.candidates == "nodes":
        x, y = street_candidates(ground.network, len(ground.network.node_x))
        inside = _inside(db, catalog, scope, ground, ask.circle.area, x, y)
        if not inside.any():
            raise InputRefused("No street crossing lies inside the area, so there is no candidate.").in_chinese(
                "该范围内没有路口，没有候选。"
            )
        x, y = x[inside], y[inside]
        keep = thinned(x, y, _MOST_CANDIDATES)
        if len(keep) < len(x):
            problems.append(
                Title(
                    f"{len(x):,} 个路口均匀抽稀为 {len(keep)} 个候选。",
                    f"{len(x):,} street nodes were thinned evenly to {len(keep)} candidates.",
                )
            )
        return x[keep], y[keep]
    with db.connection() as connection:
        layer = catalog.layer("estates" if ask.candidates == "estates" else ask.candidates.removeprefix("layer:"))
        frame = frames.frame(connection, layer, scope, area=ask.circle.area or None, fields=())
    centres = shapely.point_on_surface(np.asarray(frame.geometry.array, dtype=object))
    if not len(frame):
        raise InputRefused(f"Layer '{layer.name}' holds nothing there, so there is no candidate.").in_chinese(
            f"该范围内“{layer.title.zh}”图层没有要素，没有候选。"
        )
    keep = thinned(shapely.get_x(centres), shapely.get_y(centres), MOST_GIVEN)
    return plane_xy(ground.held, shapely.get_x(centres)[keep], shapely.get_y(centres)[keep])


def _inside(db: Db, catalog: Catalog, scope: Scope, ground: Ground, area: str, x: F64, y: F64) -> Any:
    if not area:
        return np.ones(len(x), dtype=np.bool_)
    with db.connection() as connection:
        outline = frames.boundary(connection, catalog, scope, area)
    shapely.prepare(outline)
    return shapely.contains_xy(outline, *ground.held.plane.lonlat(x, y))


def _budget(model: str, limit_m: float, n_pair: int, problems: list[Title]) -> float:
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


def _solve(ask: SitingAsk, walks: Travel, weight: F64, present_m: F64, limit_m: float, time_limit_s: float) -> _Solved:
    if ask.model == "pmedian":
        return _solve_median(ask, walks, weight, present_m, time_limit_s)
    now = covered(present_m, limit_m)
    if ask.model == "lscp":
        savings = cover_savings(walks, np.ones(len(weight)), limit_m, now)
        choice = fewest(savings, time_limit_s=time_limit_s)
        if len(choice.rows) > len(_LABELS):
            raise InputRefused(
                f"{len(choice.rows)} sites would be needed, more than the {len(_LABELS)} that can be named: "
                "take a smaller area, a longer limit, or mclp."
            ).in_chinese(
                f"需要 {len(choice.rows)} 处，超过可命名的 {len(_LABELS)} 处：请缩小范围、放宽限值，或改用最大覆盖。"
            )
        never = ~now
        never[savings.demand] = False
        n = int(never.sum())
        told = Title(f"{n} 栋建筑没有候选能覆盖。", f"{n} buildings cannot be covered by any candidate.")
        meaning = Title("覆盖全部可覆盖建筑的新增处数", "new sites that cover all that can be covered")
        return _Solved(choice, choice.value, choice.bound, meaning, (told,) if n else ())
    choice = most_saved(cover_savings(walks, weight, limit_m, now), ask.n, time_limit_s=time_limit_s)
    already = float(weight[now].sum())
    meaning = Title("现有与新增设施覆盖的户数", "households covered by present and new sites")
    return _Solved(choice, already + choice.value, already + choice.bound, meaning)


def _solve_median(ask: SitingAsk, walks: Travel, weight: F64, present_m: F64, time_limit_s: float) -> _Solved:
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
    return _Solved(choice, shortened, (total - choice.bound) / people, meaning, (told,) if lost else ())


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


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
