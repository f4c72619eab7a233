"""
What if a facility were added, moved or closed, a gate opened, a bridge built: who gains, who loses, who is left out.

Only what can change is searched. A new facility is one search that goes on while it beats the walks that are known. A
gate or bridge shortens walks through its two ends alone: the end that gains is a source led by the rest of the way.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import shapely

from onemap.analyses.circle_answers import Histogram, histogram, mean_seconds
from onemap.analyses.circle_ground import Ground, LifeCircles, Walks, in_scope, plane_xy
from onemap.analyses.circle_rules import Limit
from onemap.analyses.isochrone import Isochrone, polygons_of
from onemap.analyses.life_circle import CircleAsk, sees_numbers, titled_category
from onemap.domain.layer import Catalog, Title
from onemap.domain.region import check_point
from onemap.domain.scope import Scope
from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.arrays import F64, I64
from onemap.engine.network.index import Places, snap
from onemap.engine.network.reach import as_sources, times
from onemap.engine.network.walks import Demand, walks_from
from onemap.errors import FeatureNotFound, InputRefused, InvalidValue

MAX_CHANGES = 50
#: A gate is set into the nearest estate wall within this distance, and joins the streets so near to it, metres.
WALL_M, DOOR_M = 60.0, 150.0
#: A bridge begins and ends so near to a street, and is no longer than this, metres.
LANDING_M, LONGEST_BRIDGE_M = 150.0, 3000.0
#: Walks that differ by less are the same, metres.
_SAME_M = 1e-6
_MOST_GAPS = 50

_NEEDS = {"add": ("point",), "move": ("fid", "point"), "close": ("fid",), "gate": ("point",), "bridge": ("line",)}

type Op = Literal["add", "move", "close", "gate", "bridge"]
type LonLat = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would be different."""

    op: Op
    point: LonLat | None = None
    fid: int | None = None
    line: tuple[LonLat, LonLat] | None = None

    def __post_init__(self) -> None:
        """Refuse a change that does not say what it needs."""
        needs = {
            "add": ("point",),
            "move": ("fid", "point"),
            "close": ("fid",),
            "gate": ("point",),
            "bridge": ("line",),
        }
        if self.op not in needs:
            raise InvalidValue(f"There is no change '{self.op}'; it is one of {', '.join(needs)}.").in_chinese(
                f"没有变动“{self.op}”，可选：{'、'.join(needs)}。"
            )
        missing = [name for name in needs[self.op] if getattr(self, name) is None]
        if missing:
            raise InvalidValue(f"The change '{self.op}' needs {' and '.join(missing)}.").in_chinese(
                f"变动“{self.op}”缺少 {'、'.join(missing)}。"
            )
        for point in (*([self.point] if self.point else []), *(self.line or ())):
            check_point(*point)


@dataclass(frozen=True, slots=True)
class State:
    """Who is covered, and how far they walk on average."""

    households_covered: int
    persons_covered: int
    share: float | None
    mean_s: float | None
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class Changed:
    """Buildings whose walk changed, with the new seconds; None where there is no way any more."""

    fid: list[int]
    seconds: list[float | None]


@dataclass(frozen=True, slots=True)
class People:
    """So many."""

    households: int
    persons: int


@dataclass(frozen=True, slots=True)
class Gap:
    """An estate whose homes are not covered; ``title`` is None for homes outside every estate."""

    fid: int | None
    title: str | None
    households: int
    persons: int
    worst_s: float | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Two states side by side."""

    category: str
    limit_m: float | None
    limit_s: float
    document: str
    verified: bool
    households: int
    persons: int
    before: State
    after: State
    changed: Changed
    gained: People
    lost: People
    uncovered: People
    gaps: list[Gap]
    isochrones: list[Isochrone] | None
    assumptions: list[Title]
    ms: float


def what_if(
    circles: LifeCircles, catalog: Catalog, scope: Scope, ask: CircleAsk, category: str, changes: Sequence[Change],
    *, with_isochrones: bool = False,
) -> WhatIf:  # fmt: skip
    """Coverage of an area by one category before and after some changes."""
    begun = time.perf_counter()
    sees_numbers(catalog, scope, None)
    titled_category(catalog, category)
    ground = circles.ground()
    ground.area(ask.area, scope)
    rows = ground.rows(ask.area, scope)
    if not len(rows):
        raise InputRefused("No residential building lies there, so nobody's walk can change.").in_chinese(
            "该范围没有住宅建筑，没有人的步行会变。"
        )
    if len(changes) > MAX_CHANGES:
        raise InvalidValue(f"{len(changes)} changes at once are too many: at most {MAX_CHANGES}.").in_chinese(
            f"一次 {len(changes)} 项变动太多：最多 {MAX_CHANGES} 项。"
        )
    limit = circles.rules.limit(category, ask.minutes)
    before_m = (
        ground.walks(category, ask.minute).metres if category in ground.services else np.full(len(ground.homes), np.inf)
    )
    future = _future(ground, scope, category, ask, changes)
    before_m, after_m = before_m[rows], future.metres[rows]
    households, persons = ground.homes.households[rows], ground.homes.persons[rows]
    limit_m = limit.metres_at(ask.speed_kmh)
    was, will = covered(before_m, limit_m), covered(after_m, limit_m)
    return WhatIf(
        category=category,
        limit_m=limit.metres,
        limit_s=limit.seconds_at(ask.speed_kmh),
        document=limit.document,
        verified=limit.verified,
        households=int(households.sum()),
        persons=int(persons.sum()),
        before=state_of(before_m, households, persons, limit, ask.speed_kmh),
        after=state_of(after_m, households, persons, limit, ask.speed_kmh),
        changed=_changed(ground, rows, before_m, after_m, ask.speed_kmh),
        gained=_people(households, persons, will & ~was),
        lost=_people(households, persons, was & ~will),
        uncovered=_people(households, persons, ~will),
        gaps=_gaps(ground, rows, after_m, will, ask.speed_kmh),
        isochrones=_ground_of_new(ground, future.sources, limit, ask.speed_kmh) if with_isochrones else None,
        assumptions=future.assumptions,
        ms=round(1000.0 * (time.perf_counter() - begun), 2),
    )


def placed(ground: Ground, lon: float, lat: float, what: str, *, max_m: float | None = None) -> Places:
    """One point on the network; ``InputRefused`` where no street is near enough."""
    check_point(lon, lat)
    x, y = plane_xy(ground.held, np.array([lon]), np.array([lat]))
    limit = ground.network.max_snap_m if max_m is None else max_m
    if np.isfinite(x[0]) and np.isfinite(y[0]):
        place = snap(ground.network, x, y, max_m=limit)
        if place.found[0]:
            return place
    raise InputRefused(
        f"No street for walking lies within {limit:g} m of {what} at {lon:g},{lat:g}: nobody could reach it."
    ).in_chinese(f"该处 {limit:g} 米内没有可步行的道路，谁也走不到。")


@dataclass(frozen=True, slots=True)
class _Future:
    """Walks after the changes (n_home,), and the new sources that brought them about."""

    metres: F64
    sources: Places
    assumptions: list[Title]


@dataclass(frozen=True, slots=True)
class _Link:
    """A new way between two positions on streets, metres."""

    ends: Places
    metres: float


def _future(ground: Ground, scope: Scope, category: str, ask: CircleAsk, changes: Sequence[Change]) -> _Future:
    removed = frozenset(_known_fid(ground, scope, category, one.fid) for one in changes if one.fid is not None)
    rest = walks_to(ground, category, ask.minute, removed)
    new = [placed(ground, *one.point, "the facility") for one in changes if one.op in ("add", "move") and one.point]
    links = [_gate(ground, *one.point) for one in changes if one.op == "gate" and one.point]
    links += [_bridge(ground, *one.line) for one in changes if one.op == "bridge" and one.line]
    sources = joined([*new, *_through(ground, rest, joined(new), links)])
    metres = metres_with(ground, rest, sources)
    straight = Title(
        "新开的门和新建的桥按道路间的直线步行计算。",
        "Walks along a new gate or bridge are straight lines between streets.",
    )
    return _Future(metres, sources, [straight] if links else [])


def metres_with(ground: Ground, rest: Walks, sources: Places) -> F64:
    """Metres from every home to the nearest of what stands and some new places: (n_home,)."""
    if not len(sources):
        return rest.metres
    metres = rest.metres.copy()
    row, walked = _walks(ground, rest, sources, ground.demand)
    np.minimum.at(metres, row, walked)
    return metres


def _known_fid(ground: Ground, scope: Scope, category: str, fid: int) -> int:
    known = ground.services.get(category)
    rows = known.rows if known else ()
    if not any(row.fid == fid and in_scope(row.area_code, "", scope) for row in rows):
        raise FeatureNotFound("facilities", fid)
    return fid


def walks_to(ground: Ground, category: str, minute: int | None, removed: frozenset[int]) -> Walks:
    """The walks to the facilities that stay where they are; none where the category has no facility yet."""
    if category in ground.services:
        return ground.walks(category, minute, removed)
    return ground.no_walks


def _walks(ground: Ground, rest: Walks, sources: Places, demand: Demand) -> tuple[I64, F64]:
    """Demand rows that some source may improve, and metres."""
    filed = as_sources(ground.network, sources)
    part = np.arange(len(filed.edge))
    _, row, metres = walks_from(ground.network, filed, part, demand, np.inf, rest.found.node_s)
    return row.astype(np.int64), metres


def _through(ground: Ground, rest: Walks, new: Places, links: Sequence[_Link]) -> list[Places]:
    """The ends of links that gain by them, as sources whose lead is the rest of the way."""
    if not links:
        return []
    ends = joined([link.ends for link in links])
    bare = replace(ends, snap_m=np.zeros(len(ends)))
    demand = Demand.on(ground.network, bare)
    metres = times(ground.network, rest.found, bare)

    def shortened(by: Places) -> None:
        row, walked = _walks(ground, rest, by, demand)
        np.minimum.at(metres, row, walked)

    if len(new):
        shortened(new)
    lead = np.full(len(ends), np.inf)
    improved = True
    while improved:  # every round shortens some way by one more link; no way uses a link twice
        improved = False
        for number, link in enumerate(links):
            for here, there in ((2 * number, 2 * number + 1), (2 * number + 1, 2 * number)):
                if link.metres + metres[there] < metres[here] - _SAME_M:
                    lead[here] = metres[here] = link.metres + metres[there]
                    one = bare.take(np.array([here]))
                    shortened(replace(one, snap_m=lead[[here]]))
                    improved = True
    gaining = np.flatnonzero(np.isfinite(lead))
    return [replace(bare.take(gaining), snap_m=lead[gaining])]


def _gate(ground: Ground, lon: float, lat: float) -> _Link:
    """A door in the nearest estate wall: it joins the nearest street inside with the nearest outside."""
    x, y = (float(one[0]) for one in plane_xy(ground.held, np.array([lon]), np.array([lat])))
    walls = shapely.boundary(ground.estate_outlines) if len(ground.estates) else np.empty(0, dtype=object)
    here = shapely.Point(x, y)
    far = shapely.distance(walls, here) if np.isfinite(x) and len(walls) else np.empty(0)
    if not len(far) or not np.nanmin(far) <= WALL_M:
        raise InputRefused(
            f"No estate's wall lies within {WALL_M:g} m of {lon:g},{lat:g}: a gate opens a wall, so click near one."
        ).in_chinese(f"这里开不了门：{WALL_M:g} 米内没有小区围墙。")
    wall = int(np.nanargmin(far))
    door = shapely.get_coordinates(
        shapely.line_interpolate_point(walls[wall], shapely.line_locate_point(walls[wall], here))
    )
    inside, outside = _either_side(ground, door[0], ground.estate_outlines[wall])
    if inside is None or outside is None:
        side = "inside" if inside is None else "outside"
        raise InputRefused(
            f"No street {side} the wall of '{ground.estates[wall].title}' comes within {DOOR_M:g} m of a gate at "
            f"{lon:g},{lat:g}: there is nothing to join."
        ).in_chinese(
            f"这里开不了门：“{ground.estates[wall].title}”围墙{'内' if inside is None else '外'}"
            f" {DOOR_M:g} 米内没有道路。"
        )
    ends = joined([inside, outside])
    return _Link(ends, float(ends.snap_m.sum()))


def _either_side(ground: Ground, door: F64, estate: Any) -> tuple[Places | None, Places | None]:
    """The street positions nearest to a point of the wall: inside the estate, and outside."""
    network = ground.network
    x, y = network.x, network.y
    begin = np.flatnonzero(network.segment_edge >= 0)
    near = np.ones(len(begin), dtype=np.bool_)
    for along, at in ((x, door[0]), (y, door[1])):
        near &= np.minimum(along[begin], along[begin + 1]) < at + DOOR_M
        near &= np.maximum(along[begin], along[begin + 1]) > at - DOOR_M
    begin = begin[near & network.snappable[network.segment_edge[begin]]]
    ax, ay = x[begin], y[begin]
    ux, uy = x[begin + 1] - ax, y[begin + 1] - ay
    square = ux * ux + uy * uy
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.clip(np.where(square > 0.0, ((door[0] - ax) * ux + (door[1] - ay) * uy) / square, 0.0), 0.0, 1.0)
    px, py = ax + t * ux, ay + t * uy
    away = np.hypot(px - door[0], py - door[1])
    inside = shapely.contains_xy(estate, px, py)
    edge = network.segment_edge[begin]
    start, end = network.along_m[begin], network.along_m[begin + 1]
    # the last vertex of a way begins no segment, so the next vertex is of the same way
    first = network.along_m[network.edge_first[edge]]
    length = network.edge_length_m[edge]
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = np.clip(np.where(length > 0.0, (start + t * (end - start) - first) / length, 0.0), 0.0, 1.0)

    def nearest(side: Any) -> Places | None:
        some = np.flatnonzero(side & (away <= DOOR_M))
        if not len(some):
            return None
        best = some[[int(np.argmin(away[some]))]]
        return Places(edge[best], fraction[best], away[best], np.zeros(1, dtype=np.bool_))

    return nearest(inside), nearest(~inside)


def _bridge(ground: Ground, first: LonLat, last: LonLat) -> _Link:
    ends = joined([placed(ground, *end, "the bridge's end", max_m=LANDING_M) for end in (first, last)])
    x, y = plane_xy(ground.held, np.array([first[0], last[0]]), np.array([first[1], last[1]]))
    metres = float(np.hypot(x[1] - x[0], y[1] - y[0]))
    if not 1.0 <= metres <= LONGEST_BRIDGE_M:
        raise InvalidValue(
            f"A bridge of {metres:.0f} m cannot be built: between 1 and {LONGEST_BRIDGE_M:,.0f} m."
        ).in_chinese(f"{metres:.0f} 米的桥不能建：须在 1 至 {LONGEST_BRIDGE_M:,.0f} 米之间。")
    return _Link(ends, metres + float(ends.snap_m.sum()))


def joined(several: Sequence[Places]) -> Places:
    """Several sets of places as one."""
    if not several:
        return Places(np.empty(0, np.int32), np.empty(0), np.empty(0), np.empty(0, np.bool_))
    return Places(
        np.concatenate([one.edge for one in several]),
        np.concatenate([one.fraction for one in several]),
        np.concatenate([one.snap_m for one in several]),
        np.concatenate([one.moved for one in several]),
    )


def state_of(metres: F64, households: F64, persons: F64, limit: Limit, speed_kmh: float) -> State:
    """Who is covered by walks of so many metres (n,)."""
    within = covered(metres, limit.metres_at(speed_kmh))
    total = float(households.sum())
    mean_s = mean_seconds(metres, households, speed_kmh)
    return State(
        households_covered=int(households[within].sum()),
        persons_covered=int(persons[within].sum()),
        share=float(households[within].sum()) / total if total > 0.0 else None,
        mean_s=None if mean_s is None else round(mean_s, 1),
        histogram=histogram(metres, households, limit, speed_kmh),
    )


def _changed(ground: Ground, rows: I64, before_m: F64, after_m: F64, speed_kmh: float) -> Changed:
    with np.errstate(invalid="ignore"):
        differs = (np.abs(after_m - before_m) > _SAME_M) | (np.isfinite(after_m) != np.isfinite(before_m))
    new = after_m[differs] / (speed_kmh / 3.6)
    return Changed(
        ground.homes.fid[rows[differs]].tolist(), [round(float(s), 1) if np.isfinite(s) else None for s in new]
    )


def _people(households: F64, persons: F64, who: Any) -> People:
    return People(int(households[who].sum()), int(persons[who].sum()))


def _gaps(ground: Ground, rows: I64, metres: F64, within: Any, speed_kmh: float) -> list[Gap]:
    """Estates with uncovered homes, most households first."""
    out = ~within & (ground.homes.households[rows] > 0.0)
    estate = ground.homes.estate[rows[out]] + 1  # 0: in no estate
    n = len(ground.estates) + 1
    households = np.bincount(estate, weights=ground.homes.households[rows[out]], minlength=n)
    persons = np.bincount(estate, weights=ground.homes.persons[rows[out]], minlength=n)
    worst = np.full(n, -np.inf)
    walked = metres[out]
    np.maximum.at(worst, estate[np.isfinite(walked)], walked[np.isfinite(walked)])
    order = [i for i in np.argsort(-households, kind="stable")[:_MOST_GAPS] if households[i] > 0.0]
    return [
        Gap(
            fid=ground.estates[i - 1].fid if i else None,
            title=ground.estates[i - 1].title if i else None,
            households=int(households[i]),
            persons=int(persons[i]),
            worst_s=round(float(worst[i]) / (speed_kmh / 3.6), 1) if worst[i] >= 0.0 else None,
        )
        for i in order
    ]


def _ground_of_new(ground: Ground, sources: Places, limit: Limit, speed_kmh: float) -> list[Isochrone]:
    """The ground that the new facilities, gates and bridges bring within the limit, and within half of it."""
    if not len(sources):
        return []
    limit_min = limit.seconds_at(speed_kmh) / 60.0
    bands = polygons_of(ground, sources, (limit_min / 2.0, limit_min), speed_kmh=speed_kmh, toward=True)
    return [band for band in bands if band.area_m2 > 0.0]  # a gate may lie beyond the limit itself
