"""The ground within minutes of a place, a facility or a set of them; people counted building by building."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from onemap.analyses import network_words
from onemap.analyses.circle_ground import Ground, LifeCircles, at_speed, in_scope, place_all, plane_xy
from onemap.analyses.circle_rules import check_minutes, check_speed
from onemap.analyses.streets import HeldNetwork
from onemap.domain.layer import Catalog, Title
from onemap.domain.region import check_point
from onemap.domain.scope import Scope
from onemap.engine.coverage.isochrone import isochrones, shed_ratio
from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.access import check_mode
from onemap.engine.network.arrays import I64
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.engine.network.reach import reach, times
from onemap.errors import FeatureNotFound, InputRefused, InvalidValue
from onemap.store import circle as store
from onemap.store.db import Db

MOST_BANDS, LONGEST_MIN = 6, 60.0
MAX_TOLERANCE_M = 500.0


@dataclass(frozen=True, slots=True)
class IsochroneAsk:
    """
    From where, how long, how.

    Attributes
    ----------
    point
        Longitude and latitude, or
    facility
        the fid of a facility, or
    category
        all facilities of a category, those of ``area`` where one is given.
    reverse
        Ground from which the place is reached, instead of reached from it.
    """

    point: tuple[float, float] | None = None
    facility: int | None = None
    category: str | None = None
    area: str = ""
    minutes: tuple[float, ...] = (5.0, 10.0, 15.0)
    mode: str = "foot"
    speed_kmh: float | None = None
    reverse: bool = False
    tolerance_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if sum(one is not None for one in (self.point, self.facility, self.category)) != 1:
            raise InvalidValue(
                "An isochrone begins at one of: a point, a facility, or all facilities of a category."
            ).in_chinese("等时圈须从一处出发：一个点、一处设施，或一类设施的全部。")
        check_mode(self.mode)
        if not 1 <= len(self.minutes) <= MOST_BANDS:
            raise InvalidValue(f"{len(self.minutes)} limits cannot be drawn: between 1 and {MOST_BANDS}.").in_chinese(
                f"{len(self.minutes)} 个分级画不了：须 1 至 {MOST_BANDS} 个。"
            )
        for one in self.minutes:
            check_minutes(one, LONGEST_MIN)
        if not 0.0 <= self.tolerance_m <= MAX_TOLERANCE_M:
            raise InvalidValue(
                f"A tolerance of {self.tolerance_m:g} m cannot be used: a number from 0 to {MAX_TOLERANCE_M:g}."
            ).in_chinese(f"容差 {self.tolerance_m:g} 米不可用：须 0 至 {MAX_TOLERANCE_M:g}。")
        if self.speed_kmh is not None:
            check_speed(self.speed_kmh)
        if self.point:
            check_point(*self.point)


@dataclass(frozen=True, slots=True)
class Isochrone:
    """
    One band as GeoJSON.

    Attributes
    ----------
    shed_ratio
        Its ground over the circle of a walker whom nothing hinders; None for several places or speeds.
    households, persons
        Of the buildings that are reached, counted from their own times; None where the reader may not know.
    """

    minutes: float
    area_m2: float
    shed_ratio: float | None
    households: int | None
    persons: int | None
    n_buildings: int | None
    geometry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IsochroneAnswer:
    """All bands, the longest first, so that they can be drawn in this order."""

    mode: str
    reverse: bool
    snap_m: float | None
    buffer_m: float
    assumptions: list[Title]
    bands: list[Isochrone]


def isochrone(db: Db, circles: LifeCircles, catalog: Catalog, scope: Scope, ask: IsochroneAsk) -> IsochroneAnswer:
    """The ground within minutes along the streets of a mode."""
    held = circles.network(ask.mode)
    network = held.network if ask.speed_kmh is None else at_speed(held.network, ask.speed_kmh)
    places = _beginnings(db, catalog, scope, held, ask)
    homes = _countable(circles, catalog, scope, held)
    bands, buffer_m = _bands(
        network, held, places, ask.minutes, toward=ask.reverse, tolerance_m=ask.tolerance_m, homes=homes,
        speed_kmh=network.uniform_kmh if len(places) == 1 else None,
    )  # fmt: skip
    return IsochroneAnswer(
        mode=ask.mode,
        reverse=ask.reverse,
        snap_m=round(float(places.snap_m[0]), 1) if len(places) == 1 else None,
        buffer_m=round(buffer_m, 1),
        assumptions=network_words.said(network.notes),
        bands=bands,
    )


def polygons_of(
    ground: Ground, places: Places, minutes: Sequence[float], *, speed_kmh: float, toward: bool
) -> list[Isochrone]:
    """Bands on foot around places that are on the ground's own network already; nobody is counted."""
    ms = speed_kmh / 3.6
    bands, _ = _bands(ground.network, ground.held, places, [one * ms for one in minutes], toward=toward)
    return [
        Isochrone(round(band.minutes / ms, 4), band.area_m2, None, None, None, None, band.geometry) for band in bands
    ]


@dataclass(frozen=True, slots=True)
class _Homes:
    places: Places
    rows: I64
    ground: Ground


def _bands(
    network: Network, held: HeldNetwork, places: Places, minutes: Sequence[float], *, toward: bool,
    tolerance_m: float = 0.0, homes: _Homes | None = None, speed_kmh: float | None = None,
) -> tuple[list[Isochrone], float]:  # fmt: skip
    found = isochrones(network, places, minutes, toward=toward, simplify_m=tolerance_m, ground=held.ground())
    seconds = None
    if homes is not None:
        reached = reach(network, places, budget_s=60.0 * max(found.minutes) * (1.0 + 1e-9), toward=toward)
        seconds = times(network, reached, homes.places.take(homes.rows))
    bands = []
    for limit, polygon in zip(found.minutes, found.polygons, strict=True):
        counts: tuple[int | None, int | None, int | None] = (None, None, None)
        if homes is not None and seconds is not None:
            within = homes.rows[covered(seconds, 60.0 * limit)]
            people = homes.ground.homes
            counts = (int(people.households[within].sum()), int(people.persons[within].sum()), len(within))
        ratio = None if speed_kmh is None else round(shed_ratio(polygon, limit, speed_kmh), 4)
        bands.append(Isochrone(limit, round(float(polygon.area), 1), ratio, *counts, _geojson(held, polygon)))
    return bands[::-1], found.buffer_m


def _beginnings(db: Db, catalog: Catalog, scope: Scope, held: HeldNetwork, ask: IsochroneAsk) -> Places:
    if ask.point is not None:
        return held.place(*ask.point)
    with db.connection() as connection:
        rows = store.services(connection, catalog, scope)
    if ask.facility is not None:
        some = [row for row in rows if row.fid == ask.facility]
        if not some:
            raise FeatureNotFound("facilities", ask.facility)
    else:
        some = [row for row in rows if row.category == ask.category and in_scope(row.area_code, ask.area, scope)]
        if not some:
            raise InputRefused(
                f"There is no facility of category '{ask.category}' there, so nothing to start from."
            ).in_chinese("该处没有这类设施，无处出发。")
    x, y = plane_xy(held, np.array([row.lon for row in some]), np.array([row.lat for row in some]))
    places = place_all(held.network, x, y)
    if not places.found.any():
        what = f"'{some[0].title}' lies" if len(some) == 1 else f"All {len(some)} facilities lie"
        raise InputRefused(
            f"{what} farther than {held.network.max_snap_m:g} m from any street of this mode: "
            "the network cannot answer for it."
        ).in_chinese(f"设施离任何道路都超过 {held.network.max_snap_m:g} 米，无法按路网计算。")
    return places.take(places.found)


def _countable(circles: LifeCircles, catalog: Catalog, scope: Scope, held: HeldNetwork) -> _Homes | None:
    """The homes that the reader may count; None where there are none or their numbers are not the reader's to know."""
    buildings = catalog.layer("buildings")
    fields = (buildings.field(name) for name in ("households", "persons"))
    if not (scope.sees(buildings) and all(scope.sees_field(buildings, one) for one in fields)):
        return None
    try:
        ground = circles.ground()
    except InputRefused:  # no homes yet: the ground can be drawn all the same
        return None
    places = ground.homes.places if held is ground.held else circles.homes_on(held, ground)
    return _Homes(places, ground.rows("", scope), ground)


def _geojson(held: HeldNetwork, polygon: Any) -> dict[str, Any]:
    def degrees(xy: Any) -> Any:
        return np.round(np.column_stack(held.plane.lonlat(xy[:, 0], xy[:, 1])), 7)

    shape: dict[str, Any] = json.loads(shapely.to_geojson(shapely.transform(polygon, degrees)))
    return shape
