"""Cameras, QR points and facilities of a community: the fixtures' counts at plausible places."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from onemap.demo.arrays import F64, I64, Objects
from onemap.demo.community import Community
from onemap.demo.places import Places, Spots, join
from onemap.demo.plan import Use
from onemap.demo.table import Table, texts

#: The fixtures' counts (domain.md section 1), for 14,878 households.
CAMERAS = {"tianwang": 1000, "property": 538, "childcare": 14, "vehicle": 3}
N_QR_POINTS, QR_SHARES = 4150, {"patrol": 960, "merchant": 780, "river": 46}
#: Visited within its term: 3,806 of 4,150.
VISITED_SHARE = 3806 / 4150
FACILITIES = {
    "kindergarten": 7,
    "primary_school": 2,
    "middle_school": 1,
    "health_station": 6,
    "health_centre": 1,
    "hospital": 1,
    "pharmacy": 16,
    "elder_day_care": 6,
    "nursing_home": 2,
    "service_station": 2,
    "cultural_station": 2,
    "library": 1,
    "market": 2,
    "convenience_store": 34,
    "sports_ground": 9,
    "bus_stop": 24,
    "waste_point": 44,
    "mediation_room": 106,
    "police_station": 1,
    "fire_station": 1,
    "public_toilet": 9,
    "parking": 9,
    "bank": 6,
    "post_office": 1,
    "restaurant": 22,
    "other": 3,
}
_TITLES = {
    "health_station": "卫生站",
    "pharmacy": "药店",
    "elder_day_care": "日间照料中心",
    "nursing_home": "养老院",
    "service_station": "社区服务站",
    "cultural_station": "文化站",
    "library": "图书馆",
    "market": "菜市场",
    "convenience_store": "便利店",
    "sports_ground": "健身场地",
    "bus_stop": "公交站",
    "waste_point": "垃圾投放点",
    "mediation_room": "调解室",
    "police_station": "派出所",
    "fire_station": "消防站",
    "public_toilet": "公共厕所",
    "parking": "停车场",
    "bank": "银行网点",
    "post_office": "邮局",
    "restaurant": "餐饮店",
    "hospital": "医院",
    "other": "便民点",
    "kindergarten": "幼儿园",
    "primary_school": "小学",
    "middle_school": "中学",
    "health_centre": "社区卫生服务中心",
}
_HOURS = {
    "convenience_store": "07:00-22:30",
    "pharmacy": "08:00-21:30",
    "market": "05:30-19:00",
    "bank": "09:00-17:00",
    "restaurant": "06:30-21:30",
    "health_station": "08:00-17:30",
    "health_centre": "00:00-24:00",
    "hospital": "00:00-24:00",
    "police_station": "00:00-24:00",
    "fire_station": "00:00-24:00",
    "public_toilet": "00:00-24:00",
    "parking": "00:00-24:00",
    "waste_point": "06:30-08:30 18:00-20:30",
    "bus_stop": "05:30-22:30",
    "sports_ground": "06:00-22:00",
}
_CAPACITY = {
    "kindergarten": 270,
    "primary_school": 1080,
    "middle_school": 1500,
    "elder_day_care": 40,
    "nursing_home": 120,
    "mediation_room": 12,
    "cultural_station": 150,
    "library": 180,
    "health_centre": 260,
    "parking": 180,
    "sports_ground": 60,
    "hospital": 400,
    "market": 300,
    "restaurant": 50,
}


def phone(number: int) -> str:
    """An invented work phone."""
    return f"000-555{number // 10000 % 10}-{number % 10000:04d}"


def cameras(
    community: Community, places: Places, rng: np.random.Generator, counts: dict[str, int], now: datetime
) -> tuple[Table, F64]:
    """Cameras of every class and where (n, 2) they stand, local metres."""
    nurseries = np.flatnonzero([b.name == "幼儿园" for b in community.homes.buildings])
    open_ground = places.grounds
    chosen = {
        "tianwang": _first(
            join(places.crossings, open_ground, places.gates, places.streets, places.lanes), counts["tianwang"], rng
        ),
        "property": _first(
            join(_moved(places.gates, 7.0), _moved(places.doors, 1.5), _moved(places.doors, -9.0), places.lanes),
            counts["property"],
            rng,
        ),
        "childcare": _first(
            _around(places.buildings.pick(nurseries) if len(nurseries) else places.doors, 4), counts["childcare"], rng
        ),
        "vehicle": _first(places.streets.pick(np.arange(len(places.streets))[::-1]), counts["vehicle"], rng),
    }
    spots = join(*chosen.values())
    kind = np.repeat(np.array(list(chosen), dtype=object), [len(s) for s in chosen.values()])
    n = len(spots)
    ground = {
        "tianwang": (80.0, 60.0, 6.0, "00", "131"),
        "property": (35.0, 80.0, 3.5, "05", "132"),
        "childcare": (25.0, 90.0, 3.2, "02", "132"),
        "vehicle": (50.0, 110.0, 2.4, "06", "131"),
    }
    values = [ground[k] for k in kind]
    number = np.arange(1, n + 1)
    code = community.head.area_code
    status = np.where(rng.random(n) < 0.036, "offline", np.where(rng.random(n) < 0.012, "repair", "online"))
    columns = {
        "camera_id": texts([f"CAM-{code[4:]}-{k:05d}" for k in number]),
        "gb28181_id": texts(
            [f"{code[:6]}{code[7:9]}{v[3]}{v[4]}7{k:06d}" for v, k in zip(values, _serial(code, number), strict=True)]
        ),
        "camera_class": kind,
        "bearing_deg": np.round(np.mod(spots.bearing_deg + rng.normal(0, 6, n), 360.0), 0) % 360,
        "fov_deg": np.round(np.array([v[1] for v in values]) + rng.normal(0, 6, n)).clip(30, 130),
        "range_m": np.round(np.array([v[0] for v in values]) * rng.uniform(0.75, 1.25, n) / 5) * 5,
        "status": status.astype(object),
        "installed_year": rng.integers(2012, now.year, n),
        "height_m": np.round(np.array([v[2] for v in values]) + rng.uniform(-0.4, 0.6, n), 1),
        "place": spots.title,
    }
    return Table(columns), spots.xy


def patrol_points(
    community: Community, places: Places, rng: np.random.Generator, now: datetime
) -> tuple[Table, F64, I64]:
    """QR points of five kinds, where (n, 2) they are, and their grid (n,)."""
    share = community.head.households / 14878
    total, n_homes = round(N_QR_POINTS * share), len(places.buildings)
    wanted = {kind: round(n * share) for kind, n in QR_SHARES.items()}
    wanted["building"] = n_homes
    if not len(places.banks):
        wanted["patrol"] += wanted.pop("river")
    wanted["household"] = total - sum(wanted.values())
    homes = np.repeat(np.arange(n_homes), community.homes.households)
    visits = np.sort(rng.choice(homes, size=wanted["household"], replace=False))
    chosen = {
        "patrol": _first(
            join(places.crossings, places.gates, places.grounds, places.streets, places.lanes), wanted["patrol"], rng
        ),
        "building": places.buildings,
        "household": _beside(places.buildings.pick(visits), rng),
        "merchant": _first(join(places.shops, places.streets), wanted["merchant"], rng),
        **({"river": _first(places.banks, wanted["river"], rng)} if "river" in wanted else {}),
    }
    spots = join(*chosen.values())
    kind = np.repeat(np.array(list(chosen), dtype=object), [len(s) for s in chosen.values()])
    n = len(spots)
    unit = rng.integers(1, 4, n)
    title = [
        f"{t} {u} 单元入户点" if k == "household" else f"{t}楼栋码" if k == "building" else f"{t}"
        for t, k, u in zip(spots.title, kind, unit, strict=True)
    ]
    days = {"patrol": 1, "building": 7, "household": 90, "merchant": 30, "river": 3}
    due = np.array([days[k] for k in kind])
    late = rng.permutation(n) >= round(n * VISITED_SHARE)
    age = np.where(late, rng.uniform(7.2, 45.0, n), rng.beta(1.1, 2.0, n) * 6.9)
    buildings = texts([building_id(community, int(b)) if b >= 0 else None for b in spots.building])
    columns = {
        "qr_code": texts([f"QR{community.head.area_code[4:]}{k:06d}" for k in range(1, n + 1)]),
        "qr_kind": kind,
        "title": texts(title),
        "building_id": buildings,
        "due_days": due,
        "last_visit_at": _ago(now, age * 86400.0),
    }
    return Table(columns), spots.xy, spots.grid


def facilities(
    community: Community, places: Places, rng: np.random.Generator, addresses: list[str]
) -> tuple[Table, F64]:
    """Facilities of every category and where (n, 2) they are."""
    share = community.head.households / 14878
    parts: list[tuple[str, Spots]] = []
    for category, count in FACILITIES.items():
        n = count if share == 1 else max(1, round(count * share))
        parts.append((category, _facility_spots(category, n, community, places, rng)))
    spots = join(*(s for _, s in parts))
    kind = np.array([c for c, s in parts for _ in range(len(s))], dtype=object)
    n = len(spots)
    plain = [
        str(t).split(" 楼栋")[0].replace("周边", "").replace("路段", "").replace("内部路", "") for t in spots.title
    ]
    name = _facility_names(community, kind, plain)
    address = [
        addresses[b] if b >= 0 else f"{community.head.street_name}{p}"
        for b, p in zip(spots.building, plain, strict=True)
    ]
    sized = np.array([_CAPACITY.get(str(k), 0) for k in kind])
    capacity = np.ma.masked_array((sized * rng.uniform(0.7, 1.3, n)).astype(np.int64), mask=sized == 0)
    first = int(community.head.area_code[6:]) % 97 * 400 + 2000
    quiet = ("bus_stop", "waste_point", "public_toilet", "parking", "sports_ground")
    columns = {
        "facility_id": texts([f"F{community.head.area_code[4:]}{k:04d}" for k in range(1, n + 1)]),
        "name": texts(name),
        "category": kind,
        "address": texts(address),
        "capacity": capacity,
        "open_hours": texts([_HOURS.get(str(k), "08:30-17:30") for k in kind]),
        "phone": texts([None if k in quiet else phone(first + m) for m, k in enumerate(kind)]),
    }
    return Table(columns), spots.xy


def _facility_names(community: Community, kind: Objects, plain: list[str]) -> list[str]:
    """Names by place or by community, with a number where one comes again."""
    near = community.head.name.removesuffix("社区")
    seen: dict[str, int] = {}
    names = []
    for what, where in zip(kind, plain, strict=True):
        if what in ("primary_school", "middle_school", "kindergarten"):
            name = where.removesuffix("教学楼")
        elif what in ("bus_stop", "mediation_room", "waste_point", "parking", "sports_ground", "public_toilet"):
            name = f"{where}{_TITLES[what]}"
        else:
            name = f"{where.split('商铺')[0] if '商铺' in where else near}{_TITLES[what]}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return names


def building_id(community: Community, k: int) -> str:
    """The id of a community's k-th building."""
    return f"{community.head.area_code}B{k + 1:04d}"


def _facility_spots(category: str, n: int, community: Community, places: Places, rng: np.random.Generator) -> Spots:
    names = np.array([b.name for b in community.homes.buildings], dtype=object)
    uses = {
        "primary_school": Use.PRIMARY_SCHOOL,
        "middle_school": Use.MIDDLE_SCHOOL,
        "health_centre": Use.HEALTH,
        "hospital": Use.HEALTH,
        "market": Use.MARKET,
        "service_station": Use.CIVIC,
        "police_station": Use.CIVIC,
        "cultural_station": Use.CIVIC,
        "library": Use.OFFICE,
        "post_office": Use.OFFICE,
        "fire_station": Use.OFFICE,
    }
    doors = places.buildings
    if category == "kindergarten":
        found = doors.pick(np.flatnonzero(names == "幼儿园"))
    elif category in uses:
        members = places.by_use[uses[category]]
        if category in ("primary_school", "middle_school"):
            members = members[[str(names[k]).endswith("教学楼") for k in members]] if len(members) else members
        found = doors.pick(
            members if category not in ("hospital", "cultural_station", "fire_station") else members[::-1]
        )
    elif category == "mediation_room":
        found = _by_grid(doors.pick(np.flatnonzero(community.homes.households > 0)), rng)
    elif category == "bus_stop":
        found = _spread(next(s for s in [places.streets] if len(s)), 190.0)
    elif category in ("waste_point", "parking"):
        found = _spread(places.lanes, 75.0 if category == "waste_point" else 260.0)
    elif category in ("sports_ground", "public_toilet", "other"):
        found = _spread(places.grounds, 90.0)
    else:
        found = _spread(places.shops.pick(rng.permutation(len(places.shops))), 60.0 if n > 20 else 110.0)
    if len(found) < n:
        found = join(found, _spread(places.doors.pick(rng.permutation(len(places.doors))), 30.0))
    return found.pick(np.arange(min(n, len(found))))


def _by_grid(spots: Spots, rng: np.random.Generator) -> Spots:
    """Places in turns of their grids, so that the first n are spread over all of them."""
    order = rng.permutation(len(spots))
    turn = np.zeros(len(spots), np.int64)
    for g in np.unique(spots.grid):
        members = order[spots.grid[order] == g]
        turn[members] = np.arange(len(members))
    return spots.pick(np.lexsort((spots.grid, turn)))


def _spread(spots: Spots, apart_m: float) -> Spots:
    """Those places that keep a distance to the ones before, then the others."""
    if not len(spots):
        return spots
    kept: list[int] = []
    for k in range(len(spots)):
        if not kept or np.min(np.hypot(*(spots.xy[kept] - spots.xy[k]).T)) >= apart_m:
            kept.append(k)
    rest = np.setdiff1d(np.arange(len(spots)), kept)
    return spots.pick(np.concatenate([np.array(kept, np.int64), rest]))


def _first(spots: Spots, n: int, rng: np.random.Generator) -> Spots:
    """The first n places; where there are fewer, some again a few metres on."""
    if len(spots) >= n:
        return spots.pick(np.arange(n))
    more = spots.pick(rng.integers(0, len(spots), n - len(spots)))
    return join(spots, _beside(more, rng))


def _beside(spots: Spots, rng: np.random.Generator) -> Spots:
    angle = np.radians(spots.bearing_deg)
    aside = rng.uniform(-9, 9, len(spots))
    xy = spots.xy + np.column_stack([np.cos(angle), np.sin(angle)]) * aside[:, None]
    return Spots(xy, spots.bearing_deg, spots.title, spots.grid, spots.building)


def _moved(spots: Spots, by_m: float) -> Spots:
    angle = np.radians(spots.bearing_deg)
    xy = (
        spots.xy
        - np.column_stack([np.sin(angle), np.cos(angle)]) * 0.4
        + np.column_stack([np.cos(angle), -np.sin(angle)]) * by_m
    )
    turned = np.mod(spots.bearing_deg + (90.0 if by_m > 0 else 270.0), 360.0)
    return Spots(xy, turned, spots.title, spots.grid, spots.building)


def _around(spots: Spots, n: int) -> Spots:
    parts = []
    for k in range(n):
        angle = 2 * np.pi * k / n
        parts.append(
            Spots(
                spots.xy + np.array([5 * np.cos(angle), -2.0 + 2 * np.sin(angle)]),
                np.mod(spots.bearing_deg + 90.0 * k, 360.0),
                spots.title,
                spots.grid,
                spots.building,
            )
        )
    return join(*parts)


def _serial(code: str, number: I64) -> I64:
    """Six digits that no other community of the city gives."""
    return number + (int(code[9:12]) % 100) * 10000


def _ago(now: datetime, seconds: F64) -> NDArray[np.datetime64]:
    return np.datetime64(now.replace(tzinfo=None), "s") - seconds.astype("timedelta64[s]")
