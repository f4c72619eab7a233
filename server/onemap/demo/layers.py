"""A community as the layers' tables: fields as in layers/*/*/layer.toml, geometry in degrees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import shapely

from onemap.demo import departments, events, force, points, shares
from onemap.demo import places as where
from onemap.demo.arrays import F64, I64, Bools
from onemap.demo.community import Community, addresses, heights
from onemap.demo.frame import lonlat, to_degrees
from onemap.demo.ground import Road, shapes_of
from onemap.demo.plan import Use
from onemap.demo.site import Building
from onemap.demo.table import Table, by_place, missing, texts
from onemap.demo.town import Estate

SPEED_KMH = {
    "primary": 60.0,
    "secondary": 50.0,
    "tertiary": 40.0,
    "residential": 30.0,
    "service": 15.0,
    "footway": np.nan,
}
ESTATE_KIND = {
    Use.HOMES: "residential",
    Use.MIDDLE_SCHOOL: "school",
    Use.PRIMARY_SCHOOL: "school",
    Use.KINDERGARTEN: "school",
    Use.MARKET: "market",
    Use.HEALTH: "hospital",
    Use.OFFICE: "office",
    Use.CIVIC: "office",
    Use.WORKSHOPS: "industrial",
    Use.PARK: "park",
    Use.PLAZA: "park",
    Use.MALL: "market",
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a caller may ask of a community beside its numbers."""

    now: datetime
    n_events: int
    cameras: tuple[tuple[str, int], ...]
    log_days: int | None
    event_prefix: str
    valid_from: date


def tables(community: Community, rng: np.random.Generator, wishes: Wishes) -> dict[str, Table]:
    """Every layer's rows of one community, each in the order of the ground; events in the order of time."""
    head = community.head
    codes = grid_codes(community)
    vacant = force.vacant_grids(rng, head.n_grids)
    at = where.find(community, rng)
    named = addresses(community)
    cameras, camera_xy = points.cameras(community, at, rng, dict(wishes.cameras), wishes.now)
    qr, qr_xy, qr_grid = points.patrol_points(community, at, rng, wishes.now)
    facility, facility_xy = points.facilities(community, at, rng, named)
    happened, actions = events.events(
        community, at, codes, rng, wishes.now, wishes.n_events, prefix=wishes.event_prefix, log_days=wishes.log_days
    )
    found = {
        "estates": _estates(community),
        "buildings": _buildings(community, codes, named),
        "roads": roads_table(community.roads, head.area_code, rng),
        "water": _water(community),
        "green": _green(community),
        "grids": _grids(community, codes, vacant, wishes),
        "management_points": _management_points(community, codes),
        "department_grids": departments.department_grids(community, codes, rng),
        "cameras": _placed(cameras, camera_xy),
        "patrol_points": _placed(_with_grid(qr, qr_grid, codes), qr_xy),
        "facilities": _placed(facility, facility_xy),
        "responders": force.responders(community, codes, vacant, rng, wishes.now),
        "events": happened,
        "event_actions": actions,
    }
    ordered = ("events", "event_actions", "grids", "management_points", "responders")
    return {name: _in_area(t if name in ordered else by_place(t), head.area_code) for name, t in found.items()}


def grid_codes(community: Community) -> list[str]:
    """15-digit codes: the community's twelve and the number."""
    return [f"{community.head.area_code}{k:03d}" for k in range(1, community.head.n_grids + 1)]


def estate_id(area_code: str, k: int) -> str:
    """The id of an area's k-th estate."""
    return f"{area_code}E{k + 1:03d}"


def estates_table(estates: list[Estate], ids: list[str], households: I64) -> Table:
    """Estates as rows; those of which no ground is left are dropped."""
    keep = np.array([k for k, e in enumerate(estates) if e.shape.area > 60.0], dtype=np.int64)
    chosen = [estates[k] for k in keep]
    return Table(
        {
            "estate_id": texts([ids[k] for k in keep]),
            "name": texts([e.name for e in chosen]),
            "kind": texts([ESTATE_KIND[e.use] for e in chosen]),
            "built_year": np.array([e.built_year for e in chosen], dtype=np.int64),
            "enclosed": np.array(
                [
                    e.use not in (Use.PARK, Use.PLAZA, Use.MALL, Use.MARKET)
                    and (e.use is not Use.HOMES or e.built_year > 1995)
                    for e in chosen
                ]
            ),
            "households": households[keep],
        },
        to_degrees(shapes_of([e.shape for e in chosen])),
    )


def buildings_table(
    buildings: list[Building], ids: list[str], names: list[str], address: list[str], years: list[int], estate: list[str]
) -> Table:
    """Buildings as rows, of which nobody knows who lives there."""
    n = len(buildings)
    floors = np.array([b.floors for b in buildings], dtype=np.int64)
    return Table(
        {
            "building_id": texts(ids),
            "name": texts(names),
            "address": texts(address),
            "use": texts([b.use for b in buildings]),
            "floors": floors,
            "units": np.array([b.units for b in buildings], dtype=np.int64),
            "height_m": np.round(floors * 3.1 + 1.2, 1),
            "households": missing(n),
            "persons": missing(n),
            "households_estimated": np.ma.masked_all(n, dtype=bool),
            "built_year": np.array(years, dtype=np.int64),
            "estate_id": texts(estate),
            "grid_code": texts([None] * n),
        },
        to_degrees(shapes_of([b.shape for b in buildings])),
    )


def roads_table(roads: list[Road], area_code: str, rng: np.random.Generator) -> Table:
    """Streets as rows."""
    n = len(roads)
    kind = texts([r.road_class for r in roads])
    car = kind != "footway"
    single = (kind == "residential") & (rng.random(n) < 0.14)
    bridge = np.array([r.bridge for r in roads], dtype=bool)
    speed = np.array([SPEED_KMH[k] for k in kind], dtype=float)
    paved = np.where(kind == "footway", "方砖", np.where(np.isin(kind, ("service", "residential")), "混凝土", "沥青"))
    return Table(
        {
            "road_id": texts([f"{area_code}L{k:05d}" for k in range(1, n + 1)]),
            "name": texts([r.name or None for r in roads]),
            "road_class": kind,
            "foot": np.ones(n, bool),
            "ebike": car,
            "car": car,
            "oneway": np.where(single, "forward", "no").astype(object),
            "bridge": bridge,
            "tunnel": np.zeros(n, bool),
            "z_level": bridge.astype(np.int64),
            "speed_kmh": np.ma.masked_invalid(speed),
            "surface": paved.astype(object),
        },
        to_degrees(shapes_of([r.line for r in roads])),
    )


def ground_table(kind: str, rows: list[tuple[str, str, shapely.Polygon]], area_code: str) -> Table:
    """Water or green as rows: kind, name, shape."""
    letter = "W" if kind == "water" else "G"
    shapes = to_degrees(shapes_of([shape for _, _, shape in rows])) if rows else np.array([], dtype=object)
    return Table(
        {
            f"{kind}_id": texts([f"{area_code}{letter}{k:04d}" for k in range(1, len(rows) + 1)]),
            "name": texts([name or None for _, name, _ in rows]),
            "kind": texts([what for what, _, _ in rows]),
        },
        shapes,
    )


def river_ground(
    rivers: list[tuple[str, shapely.Polygon, shapely.Polygon]], area: shapely.Polygon
) -> tuple[list[tuple[str, str, shapely.Polygon]], list[tuple[str, str, shapely.Polygon]]]:
    """The water and the banks of rivers inside an area."""
    water, banks = [], []
    for name, wet, wide in rivers:
        water += [("river", name, part) for part in _polygons(shapely.intersection(wet, area))]
        banks += [
            ("other", f"{name}绿带", part)
            for part in _polygons(shapely.intersection(shapely.difference(wide, wet), area))
        ]
    return water, banks


def _polygons(shape: shapely.Geometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 1.0]


def _estates(community: Community) -> Table:
    homes = np.bincount(community.homes.estate, community.homes.households, minlength=len(community.estates)).astype(
        np.int64
    )
    ids = [estate_id(community.head.area_code, k) for k in range(len(community.estates))]
    return estates_table(community.estates, ids, homes)


def _buildings(community: Community, codes: list[str], address: list[str]) -> Table:
    homes, code = community.homes, community.head.area_code
    n = len(homes.buildings)
    table = buildings_table(
        homes.buildings,
        [points.building_id(community, k) for k in range(n)],
        [where.building_title(community, k) for k in range(n)],
        address,
        [community.estates[e].built_year for e in homes.estate],
        [estate_id(code, int(e)) for e in homes.estate],
    )
    known = {
        "floors": homes.floors,
        "height_m": heights(homes),
        "households": homes.households,
        "persons": homes.persons,
        "households_estimated": np.zeros(n, bool),
        "grid_code": texts(codes)[homes.grid],
    }
    return Table({**table.columns, **known}, table.geometry)


def _water(community: Community) -> Table:
    rivers = [r for c in community.cells.values() for r in c.rivers]
    water, _ = river_ground(rivers, community.area)
    park = next((e.name for e in community.estates if e.use is Use.PARK), "")
    return ground_table(
        "water",
        [*water, *((kind, name or f"{park}湖", shape) for kind, name, shape in community.waters)],
        community.head.area_code,
    )


def _green(community: Community) -> Table:
    rivers = [r for c in community.cells.values() for r in c.rivers]
    _, banks = river_ground(rivers, community.area)
    parks = [e for e in community.estates if e.use is Use.PARK]
    rows = []
    for kind, name, shape in community.greens:
        middle = shape.representative_point()
        near = next((e.name for e in parks if e.shape.buffer(3).contains(middle)), "") if kind == "park" else name
        rows.append((kind, near, shape))
    return ground_table("green", [*banks, *rows], community.head.area_code)


def _grids(community: Community, codes: list[str], vacant: Bools, wishes: Wishes) -> Table:
    n = len(codes)
    households, persons = community.grid_households, community.grid_persons
    post = [None if vacant[k] else force.officer_post(k) for k in range(n)]
    work_phone = [None if vacant[k] else force.officer_phone(community, k) for k in range(n)]
    return Table(
        {
            "grid_code": texts(codes),
            "grid_no": texts([f"{k + 1:02d}" for k in range(n)]),
            "name": texts([f"{community.head.name}网格 {k + 1:02d}" for k in range(n)]),
            "grid_type": texts(["basic"] * n),
            "households": households,
            "persons": persons,
            "in_band": shares.in_band(households, persons),
            "officer_post": texts(post),
            "officer_phone": texts(work_phone),
            "vacant": vacant,
            "n_informants": np.clip(np.round(households / 72.0), 6, 8).astype(np.int64),
            "n_management_points": np.bincount(community.point_grid, minlength=n),
            "plan": texts([f"{wishes.valid_from.year} 年第 1 版（虚拟数据）"] * n),
            "valid_from": np.array([np.datetime64(wishes.valid_from, "D")] * n),
        },
        to_degrees(community.grid_shapes),
    )


def _management_points(community: Community, codes: list[str]) -> Table:
    homes, n = community.homes, len(community.point_shapes)
    return Table(
        {
            "point_code": texts(
                [f"{codes[g]}{k:02d}" for g, k in zip(community.point_grid, community.point_number, strict=True)]
            ),
            "grid_code": texts(codes)[community.point_grid],
            "households": np.bincount(homes.point, homes.households, minlength=n).astype(np.int64),
            "persons": np.bincount(homes.point, homes.persons, minlength=n).astype(np.int64),
        },
        to_degrees(community.point_shapes),
    )


def _with_grid(table: Table, grid: I64, codes: list[str]) -> Table:
    return Table({**table.columns, "grid_code": texts(codes)[grid]}, table.geometry)


def _placed(table: Table, xy: F64) -> Table:
    return Table(table.columns, shapely.points(lonlat(xy)))


def _in_area(table: Table, area_code: str) -> Table:
    if "area_code" in table.columns or "seq" in table.columns:
        return table
    return Table({"area_code": texts([area_code]).repeat(len(table)), **table.columns}, table.geometry)
