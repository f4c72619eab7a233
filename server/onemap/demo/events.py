"""Five years of reports of a community: rhythm of day, week and season, hot spots, histories, a few still open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import h3.api.basic_int as h3
import numpy as np
import shapely

from onemap.demo.arrays import F64, I64, Bools, Objects
from onemap.demo.community import Community
from onemap.demo.frame import lonlat
from onemap.demo.places import Places, Spots, join
from onemap.demo.table import Table, texts

YEARS = 5
CHINA_H = 8
#: Open events of the fixtures by level 1-4, and how many of them are late.
OPEN_BY_LEVEL, N_OVERDUE = (27, 12, 5, 1), 6
ON_TIME, IN_GRID = 0.961, 0.824


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of report: how often, where, by which workflow, at which levels, in which months."""

    name: str
    title: str
    share: float
    place: str
    template: str
    levels: tuple[float, float, float, float]
    peak_month: int = 0


KINDS = (
    Kind("elevator", "电梯困人", 0.9, "tower", "service", (0.0, 0.35, 0.6, 0.05)),
    Kind("gas", "燃气异味", 1.0, "home", "hazard", (0.0, 0.3, 0.66, 0.04), 1),
    Kind("water_burst", "水管爆裂", 2.2, "home", "service", (0.55, 0.35, 0.1, 0.0), 1),
    Kind("fire_lane", "消防通道占用", 6.0, "lane", "hazard", (0.6, 0.4, 0.0, 0.0)),
    Kind("street_light", "路灯不亮", 7.0, "street", "city_matter", (1.0, 0.0, 0.0, 0.0), 12),
    Kind("neighbour_dispute", "邻里纠纷", 8.0, "home", "dispute", (0.7, 0.28, 0.02, 0.0)),
    Kind("noise", "噪声扰民", 8.5, "home", "city_matter", (0.97, 0.03, 0.0, 0.0), 7),
    Kind("waste", "垃圾堆放", 11.0, "lane", "city_matter", (1.0, 0.0, 0.0, 0.0), 8),
    Kind("parking", "乱停车", 12.0, "street", "city_matter", (1.0, 0.0, 0.0, 0.0)),
    Kind("manhole", "井盖破损", 2.0, "street", "city_matter", (0.7, 0.3, 0.0, 0.0), 7),
    Kind("tree", "树木倾倒", 0.9, "street", "city_matter", (0.6, 0.38, 0.02, 0.0), 7),
    Kind("road_damage", "道路破损", 3.0, "street", "city_matter", (0.95, 0.05, 0.0, 0.0)),
    Kind("facility_damage", "设施损坏", 6.0, "ground", "service", (0.98, 0.02, 0.0, 0.0)),
    Kind("property_service", "物业服务", 8.0, "home", "service", (1.0, 0.0, 0.0, 0.0)),
    Kind("elder_help", "老人求助", 4.0, "home", "service", (0.75, 0.22, 0.03, 0.0), 1),
    Kind("wage_dispute", "劳资纠纷", 1.0, "shop", "dispute", (0.4, 0.5, 0.1, 0.0), 1),
    Kind("river_pollution", "河道污染", 0.8, "bank", "hazard", (0.6, 0.35, 0.05, 0.0), 7),
    Kind("electric_bike", "电动车进楼", 7.0, "home", "hazard", (0.8, 0.2, 0.0, 0.0), 7),
    Kind("illegal_building", "违章搭建", 2.0, "home", "city_matter", (0.9, 0.1, 0.0, 0.0)),
    Kind("consultation", "政策咨询", 6.0, "home", "service", (1.0, 0.0, 0.0, 0.0)),
    Kind("deliberation", "议事协商", 0.7, "ground", "deliberation", (1.0, 0.0, 0.0, 0.0)),
    Kind("other", "其他事项", 2.0, "shop", "service", (1.0, 0.0, 0.0, 0.0)),
)
TERM_H = {"service": 24.0, "dispute": 120.0, "hazard": 72.0, "deliberation": 480.0, "city_matter": 48.0}
LEVEL_TERM_H = (np.inf, 12.0, 3.0, 1.0)
_HOURS = np.array([3, 2, 1, 1, 1, 2, 5, 12, 22, 27, 25, 20, 16, 15, 18, 20, 21, 24, 27, 27, 22, 16, 10, 6], float)
_WEEKDAYS = np.array([1.14, 1.07, 1.04, 1.03, 1.05, 0.86, 0.81])
_SOURCES = (("resident", 0.34), ("officer", 0.24), ("hotline", 0.14), ("scan", 0.14), ("visit", 0.06), ("patrol", 0.08))
_LEVELS = texts(["grid", "community", "street", "district"])


@dataclass(frozen=True, slots=True)
class _Reports:
    """What happened where and when, before anybody did anything about it."""

    kind: I64
    spot: I64
    level: I64
    reported_s: I64


def events(
    community: Community,
    places: Places,
    grid_codes: list[str],
    rng: np.random.Generator,
    now: datetime,
    n: int,
    *,
    prefix: str = "",
    log_days: int | None = None,
) -> tuple[Table, Table]:
    """
    Events in order of time, and the actions of their histories.

    ``log_days`` keeps only the histories of the last so many days; ``prefix`` tells communities' numbers apart.
    """
    now_s = int(now.timestamp())
    spots, pools = _pools(community, places, rng)
    reports = _reports(rng, pools, now_s, n)
    template = texts([k.template for k in KINDS])[reports.kind]
    term_s = _terms(reports)
    closed_s, responded_s = _handling(rng, reports, term_s, now_s)
    deadline_s = reports.reported_s + term_s
    is_open = _choose_open(rng, n)
    level = reports.level.copy()
    state = _closed_states(rng, closed_s, now_s)
    closed_s = np.where(is_open, np.iinfo(np.int64).min, closed_s)
    _open_events(rng, is_open, level, state, deadline_s, responded_s, reports.reported_s, now_s)
    rating = _ratings(rng, state, n)
    xy = lonlat(spots.xy)
    cell = np.array([h3.latlng_to_cell(lat, lon, 10) for lon, lat in xy.tolist()], dtype=np.int64)
    place = spots.title[reports.spot]
    number = _numbers(reports.reported_s, prefix)
    resolved = _LEVELS[np.searchsorted(np.cumsum([IN_GRID, 0.12, 0.045]), rng.random(n))]
    resolved[is_open] = None
    source = texts([s for s, _ in _SOURCES])[rng.choice(len(_SOURCES), size=n, p=[w for _, w in _SOURCES])]
    columns = {
        "event_no": number,
        "area_code": texts([community.head.area_code]).repeat(n),
        "grid_code": texts(grid_codes)[spots.grid[reports.spot]],
        "title": texts([k.title for k in KINDS])[reports.kind],
        "kind": texts([k.name for k in KINDS])[reports.kind],
        "level": level,
        "state": state,
        "template": template,
        "source": source,
        "place": place,
        "reported_at": reports.reported_s.astype("datetime64[s]"),
        "responded_at": responded_s.astype("datetime64[s]"),
        "deadline_at": deadline_s.astype("datetime64[s]"),
        "closed_at": closed_s.astype("datetime64[s]"),
        "resolved_at_level": resolved,
        "rating": rating,
        "h3_10": cell[reports.spot],
    }
    table = Table(columns, shapely.points(xy)[reports.spot])
    return table, _actions(rng, table, now_s, log_days)


def _pools(community: Community, places: Places, rng: np.random.Generator) -> tuple[Spots, dict[str, tuple[I64, F64]]]:
    """Places where things happen, and per sort of place which they are and how often: few places see most."""
    home = np.repeat(np.arange(len(places.doors)), 3)
    doors = places.doors.pick(home)
    jitter = rng.normal(0, 3.0, (len(doors), 2)) - [0.0, 2.0]
    doors = Spots(doors.xy + jitter, doors.bearing_deg, doors.title, doors.grid, doors.building)
    sorts = {
        "home": doors,
        "street": join(places.streets, places.crossings),
        "lane": join(places.lanes, places.gates),
        "ground": places.grounds,
        "shop": places.shops,
        "bank": places.banks if len(places.banks) else places.grounds,
    }
    hot = rng.lognormal(0.0, 0.75, len(community.grid_shapes))
    pools: dict[str, tuple[I64, F64]] = {}
    start = 0
    for name, spots in sorts.items():
        weight = rng.lognormal(0.0, 1.0, len(spots)) * hot[spots.grid]
        if name == "home":
            weight = weight * community.homes.households[spots.building]
            tall = np.where(community.homes.floors[spots.building] >= 7, weight, 0.0)
            pools["tower"] = (np.arange(len(spots)), (tall if tall.sum() > 0 else weight))
        pools[name] = (start + np.arange(len(spots)), weight)
        start += len(spots)
    return join(*sorts.values()), pools


def _reports(rng: np.random.Generator, pools: dict[str, tuple[I64, F64]], now_s: int, n: int) -> _Reports:
    reported = _times(rng, now_s, n)
    month = (reported.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12) + 1
    weight = np.stack(
        [
            k.share
            * (
                1.0
                + (
                    0.75 * np.cos(2 * np.pi * (np.arange(1, 13) - k.peak_month) / 12.0)
                    if k.peak_month
                    else np.zeros(12)
                )
            )
            for k in KINDS
        ],
        axis=1,
    )
    odds = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    draw = rng.random(n)
    kind = np.minimum((draw[:, None] > odds[month - 1]).sum(axis=1), len(KINDS) - 1)
    spot, level = np.zeros(n, np.int64), np.ones(n, np.int64)
    for k, what in enumerate(KINDS):
        members = np.flatnonzero(kind == k)
        which, weights = pools[what.place]
        spot[members] = which[
            np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(len(members))).clip(0, len(which) - 1)
        ]
        level[members] = 1 + np.searchsorted(np.cumsum(what.levels), rng.random(len(members))).clip(0, 3)
    return _Reports(kind.astype(np.int64), spot, level, reported)


def _times(rng: np.random.Generator, now_s: int, n: int) -> I64:
    """Seconds since 1970, ascending: hours of the day, days of the week, seasons, slow growth; none after now."""
    end = now_s + CHINA_H * 3600
    first_day = end // 86400 - 365 * YEARS - 1
    days = np.arange(first_day, end // 86400 + 1)
    year_day = days % 365.25
    seasonal = (
        1.0 + 0.12 * np.cos(2 * np.pi * (year_day - 200) / 365.25) + 0.05 * np.cos(4 * np.pi * (year_day - 20) / 365.25)
    )
    daily = _WEEKDAYS[(days + 3) % 7] * seasonal * (0.94 + 0.12 * np.arange(len(days)) / len(days))
    daily = daily * np.exp(rng.normal(0, 0.12, len(days)))
    hourly = (daily[:, None] * _HOURS[None, :]).ravel()
    start = (days[:, None] * 86400 + np.arange(24)[None, :] * 3600).ravel()
    hourly = hourly * np.clip((end - start) / 3600.0, 0.0, 1.0)
    hour = np.searchsorted(np.cumsum(hourly / hourly.sum()), rng.random(n)).clip(0, len(start) - 1)
    within = rng.random(n) * np.minimum(3600, end - start[hour])
    local_s = start[hour] + within.astype(np.int64)
    return np.asarray(np.sort(np.minimum(local_s - CHINA_H * 3600, now_s - 1)), dtype=np.int64)


def _terms(reports: _Reports) -> I64:
    base = np.array([TERM_H[k.template] for k in KINDS])[reports.kind]
    return np.asarray(np.minimum(base, np.array(LEVEL_TERM_H)[reports.level - 1]) * 3600, dtype=np.int64)


def _handling(rng: np.random.Generator, reports: _Reports, term_s: I64, now_s: int) -> tuple[I64, I64]:
    """When each was closed and first answered, were all closed: 96 % within the term, half answered within 6 min."""
    n = len(term_s)
    late = rng.random(n) > ON_TIME
    share = np.where(late, rng.uniform(1.02, 1.9, n), np.clip(rng.lognormal(np.log(0.3), 0.6, n), 0.02, 0.97))
    response = np.clip(rng.lognormal(np.log(6.3 * 60), 0.62, n), 40, 5400)
    passed = now_s - reports.reported_s
    response = np.minimum(response, np.maximum(passed * 0.6, 1.0))
    lasting = np.maximum(term_s * share, response * 1.5 + 60)
    lasting = np.where(lasting >= passed, np.maximum(passed * rng.uniform(0.65, 0.98, n), response), lasting)
    return (reports.reported_s + lasting).astype(np.int64), (reports.reported_s + response).astype(np.int64)


def _choose_open(rng: np.random.Generator, n: int) -> Bools:
    """Some of the latest of n reports."""
    recent = np.arange(max(0, n - max(60, int(n * 0.0025))), n)
    wanted = min(sum(OPEN_BY_LEVEL), len(recent) // 2)
    weight = np.exp((recent - n) / 30.0) + 0.01
    chosen = rng.choice(recent, size=wanted, replace=False, p=weight / weight.sum())
    found = np.zeros(n, bool)
    found[chosen] = True
    return found


def _closed_states(rng: np.random.Generator, closed_s: I64, now_s: int) -> Objects:
    n = len(closed_s)
    state = np.full(n, "closed", dtype=object)
    age_d = (now_s - closed_s) / 86400.0
    state[(rng.random(n) < 0.62) & (age_d > 1)] = "rated"
    state[age_d > 30] = "archived"
    state[rng.random(n) < 0.004] = "void"
    state[rng.random(n) < 0.006] = "merged"
    return state


def _open_events(
    rng: np.random.Generator,
    is_open: Bools,
    level: I64,
    state: Objects,
    deadline_s: I64,
    responded_s: I64,
    reported_s: I64,
    now_s: int,
) -> None:
    """The open ones: the fixtures' levels, states from new to old, six late, nobody there yet for the newest."""
    members = np.flatnonzero(is_open)[::-1]
    n = len(members)
    wanted = np.repeat(np.arange(1, 5), OPEN_BY_LEVEL)
    by_gravity = members[np.argsort(-level[members] + 0.01 * rng.random(n), kind="stable")]
    level[by_gravity] = np.sort(wanted)[::-1][:n]
    steps = ("reported", "accepted", "triaged", "dispatched", "processing", "feedback")
    states = np.repeat(np.array(steps, dtype=object), (3, 5, 9, 9, 17, 2))
    if n == len(states):
        state[members] = states
    else:
        state[members] = states[np.linspace(0, len(states) - 1, n).astype(int)]
    late = rng.choice(members[n // 4 :], size=min(N_OVERDUE, n - n // 4), replace=False) if n >= 4 else members[:0]
    waiting = np.isin(state[members], ("reported", "accepted", "triaged"))
    responded_s[members[waiting]] = np.iinfo(np.int64).min
    on_time = np.setdiff1d(members, late)
    deadline_s[on_time] = np.maximum(deadline_s[on_time], now_s + rng.integers(300, 5400, len(on_time)))
    passed = now_s - reported_s[late]
    deadline_s[late] = now_s - np.minimum(rng.integers(120, 4200, len(late)), np.maximum(passed - 1, 1) // 2 + 1)


def _ratings(rng: np.random.Generator, state: Objects, n: int) -> I64:
    rating = rng.choice([5, 4, 3, 2, 1], size=n, p=[0.71, 0.21, 0.05, 0.02, 0.01])
    rated = (state == "rated") | ((state == "archived") & (rng.random(n) < 0.62))
    return np.ma.masked_array(rating, mask=~rated)


def _numbers(reported_s: I64, prefix: str) -> Objects:
    """SJ-day-number within the day."""
    day = (reported_s + CHINA_H * 3600) // 86400
    first = np.r_[True, day[1:] != day[:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(day)), 0))
    within = np.arange(len(day)) - start + 1
    names = {d: str(np.datetime64(int(d), "D")).replace("-", "") for d in np.unique(day)}
    return texts([f"SJ-{names[d]}-{prefix}{w:04d}" for d, w in zip(day.tolist(), within.tolist(), strict=True)])


#: Steps of a history: action, the state it leads to, who acts, and whether it happens to a closed event at all.
_STEPS = (
    ("report", "reported", "上报人"),
    ("accept", "accepted", "指挥中心"),
    ("triage", "triaged", "指挥中心"),
    ("dispatch", "dispatched", "指挥中心"),
    ("arrive", "processing", "网格员"),
    ("feedback", "feedback", "网格员"),
    ("close", "closed", "指挥中心"),
    ("rate", "rated", "上报人"),
    ("archive", "archived", "指挥中心"),
)
_LAST_STEP = {
    "reported": 1,
    "accepted": 2,
    "triaged": 3,
    "dispatched": 4,
    "processing": 5,
    "feedback": 6,
    "closed": 7,
    "rated": 8,
    "archived": 9,
    "void": 7,
    "merged": 7,
}


def _actions(rng: np.random.Generator, table: Table, now_s: int, log_days: int | None) -> Table:
    """The history of every event, one row a step, in the order of time."""
    reported = table.columns["reported_at"].astype(np.int64)
    chosen = np.arange(len(reported)) if log_days is None else np.flatnonzero(reported > now_s - log_days * 86400)
    reported, state = reported[chosen], table.columns["state"][chosen]
    responded, closed = (
        table.columns["responded_at"].astype(np.int64)[chosen],
        table.columns["closed_at"].astype(np.int64)[chosen],
    )
    n = len(chosen)
    is_open = closed < 0
    answer = np.where(responded < 0, np.minimum(reported + 360, now_s), responded)
    end = np.where(is_open, now_s, closed)
    wait, work = answer - reported, np.maximum(end - answer, 0)
    u = rng.random((3, n))
    after = end + np.maximum(0, np.minimum(now_s - end, (3600 + u[1] * 90000).astype(np.int64)))
    at = np.stack(
        [
            reported,
            reported + (wait * 0.2).astype(np.int64),
            reported + (wait * (0.35 + 0.2 * u[0])).astype(np.int64),
            reported + (wait * (0.6 + 0.1 * u[0])).astype(np.int64),
            answer,
            answer + (work * (0.72 + 0.2 * u[2])).astype(np.int64),
            end,
            after,
            np.maximum(after, np.minimum(end + 30 * 86400, now_s)),
        ]
    )
    last = np.array([_LAST_STEP[s] for s in state])
    happened = np.arange(len(_STEPS))[:, None] < last[None, :]
    rating = np.ma.getmaskarray(table.columns["rating"])[chosen]
    happened[7] &= ~rating
    step, event = np.nonzero(happened.T)[::-1]
    to_state = texts([s for _, s, _ in _STEPS])[step]
    odd = np.isin(state, ("void", "merged"))
    final = odd[event] & (step == 6)
    to_state[final] = state[event][final]
    seq = np.cumsum(np.ones(len(step), np.int64)) - 1
    starts = np.r_[0, np.flatnonzero(np.diff(event)) + 1]
    seq = seq - np.repeat(seq[starts], np.diff(np.r_[starts, len(step)])) + 1
    return Table(
        {
            "event_no": table.columns["event_no"][chosen][event],
            "seq": seq,
            "action": texts([a for a, _, _ in _STEPS])[step],
            "to_state": to_state,
            "actor_post": texts([p for _, _, p in _STEPS])[step],
            "at": at[step, event].astype("datetime64[s]"),
        }
    )
