"""What stands around one feature: the rows that cards are made of, each only as its reader may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import sql

from onemap.domain.layer import Catalog, Layer
from onemap.domain.scope import Scope
from onemap.store.db import Connection
from onemap.store.kpis import CITY_TIME
from onemap.store.named import compose, named, statement
from onemap.store.scope import in_areas, predicate

#: How far from a building cameras are named, and events count as its own, metres.
CAMERAS_M, EVENTS_M = 100.0, 5.0
MOST_CAMERAS, MOST_EVENTS = 60, 50
#: Days that a grid's events are counted for, and that visits are looked back and ahead for.
EVENT_DAYS, VISIT_DAYS = 30, 7

type Row = tuple[Any, ...]
type Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class NearCamera:
    """A camera near something; degrees and metres, None where the registry does not say."""

    fid: int
    title: str
    lon: float
    lat: float
    bearing_deg: float | None
    fov_deg: float | None
    range_m: float | None
    metres: float


@dataclass(frozen=True, slots=True)
class NearFacility:
    """A facility around a place, with its straight distance, metres."""

    fid: int
    title: str
    category: str
    lon: float
    lat: float
    metres: float


@dataclass(frozen=True, slots=True)
class GridOf:
    """The grid of a building; what the reader may not know is None."""

    fid: int
    grid_code: str
    grid_no: str | None
    name: str | None
    officer_post: str | None
    officer_phone: str | None
    vacant: bool | None


@dataclass(frozen=True, slots=True)
class OpenEvent:
    """An open event at a building."""

    fid: int
    event_no: str
    title: str
    level: int
    state: str
    overdue: bool


@dataclass(frozen=True, slots=True)
class GridFacts:
    """A grid of any plan: the rule it was made by and its numbers."""

    grid_code: str
    rule_set: str | None
    source_document: str | None
    households: int | None
    persons: int | None
    in_band: bool | None
    area_m2: float
    n_informants: int | None
    n_management_points: int


@dataclass(frozen=True, slots=True)
class Visits:
    """Points of a grid: visited lately, all, due soon, overdue."""

    n: int
    of: int
    due: int
    overdue: int


@dataclass(frozen=True, slots=True)
class PointVisits:
    """A point's last visit and its next."""

    last_visit_at: datetime | None
    due_days: int | None
    next_at: datetime | None
    overdue: bool | None


@dataclass(frozen=True, slots=True)
class GroundFacts:
    """What lies in an estate or an area; None where the reader may not know."""

    n_buildings: int | None
    households: int | None
    persons: int | None
    n_grids: int | None
    n_open: int | None


class Cards:
    """Asks on one connection, as one reader."""

    def __init__(self, connection: Connection, catalog: Catalog, scope: Scope) -> None:
        self._connection, self._catalog, self._scope = connection, catalog, scope

    def sees(self, name: str) -> bool:
        """Whether the reader may know of a layer."""
        return self._scope.sees(self._catalog.layer(name))

    # A building -------------------------------------------------------------------------------------------------

    def estate_of(self, fid: int) -> tuple[int, str | None] | None:
        """Number and name of the estate that a building belongs to."""
        if not self.sees("estates"):
            return None
        row = self._one("around_building", {"fid": fid}, "estates", "e")
        return (row[0], row[1]) if row else None

    def grid_of(self, fid: int) -> GridOf | None:
        """The grid that a building belongs to."""
        if not self.sees("grids"):
            return None
        grids = self._catalog.layer("grids")
        names = ("fid", "grid_code", "grid_no", "name", "officer_post", "officer_phone", "vacant")
        columns = [
            sql.Identifier("g", name) if name == "fid" or self._sees_field(grids, name) else sql.SQL("NULL")
            for name in names
        ]
        row = self._one("grid_of_building", {"fid": fid}, "grids", "g", columns=sql.SQL(", ").join(columns))
        return GridOf(*row) if row else None

    def cameras_near(self, fid: int) -> list[NearCamera]:
        """Cameras within 100 m of a building that the reader may know of, the nearest first."""
        values = {"fid": fid, "reach_m": CAMERAS_M, "n_rows": MOST_CAMERAS}
        return [NearCamera(*row) for row in self._all("cameras_near", values, "cameras", "c")]

    def open_events(self, fid: int) -> list[OpenEvent]:
        """Open events in or at a building."""
        values = {"fid": fid, "reach_m": EVENTS_M, "n_rows": MOST_EVENTS}
        return [OpenEvent(*row) for row in self._all("open_events", values, "events", "e")]

    def facilities_near(self, lon: float, lat: float, reach_m: float) -> list[NearFacility]:
        """Facilities in a box around a place, in no order."""
        values = {"lon": lon, "lat": lat, "reach_m": reach_m}
        return [NearFacility(*row) for row in self._all("facilities_near", values, "facilities", "f")]

    # A camera ---------------------------------------------------------------------------------------------------

    def camera(self, fid: int) -> NearCamera | None:
        """One camera by its number."""
        row = self._one("camera", {"fid": fid}, "cameras", "c")
        return NearCamera(*row) if row else None

    def outlines(self, box: Box) -> list[tuple[int, bytes]]:
        """Number and outline (WKB, degrees) of every building that touches a box."""
        west, south, east, north = box
        values = {"west": west, "south": south, "east": east, "north": north}
        rows = self._connection.execute(statement(named("cards")["outlines"]), values).fetchall()
        return [(row[0], bytes(row[1])) for row in rows]

    # A grid -----------------------------------------------------------------------------------------------------

    def grid(self, fid: int) -> GridFacts | None:
        """A grid's rule and numbers; whoever asks has seen the grid itself."""
        row = self._connection.execute(statement(named("cards")["grid"]), {"fid": fid}).fetchone()
        return GridFacts(*row) if row else None

    def n_buildings_of_grid(self, grid_code: str) -> int | None:
        """Buildings of a grid."""
        return self._count("n_buildings_of_grid", {"grid_code": grid_code}, "buildings", "f")

    def n_cameras_of_grid(self, fid: int) -> int | None:
        """Cameras that stand in a grid."""
        return self._count("n_cameras_of_grid", {"fid": fid}, "cameras", "f")

    def n_open_of_grid(self, grid_code: str) -> int | None:
        """Open events of a grid."""
        return self._count("n_open_of_grid", {"grid_code": grid_code}, "events", "e")

    def events_of_grid(self, grid_code: str, now: datetime) -> list[tuple[date, int, int]]:
        """The last 30 days of the city: day, events reported, of these still open."""
        last = now.astimezone(CITY_TIME).date()
        values = {"grid_code": grid_code, "first": last - timedelta(days=EVENT_DAYS - 1), "last": last}
        return [(row[0], row[1], row[2]) for row in self._all("events_of_grid", values, "events", "e")]

    def visits_of_grid(self, grid_code: str, now: datetime) -> Visits | None:
        """How far the visits of a grid's points are."""
        if not self.sees("patrol_points"):
            return None
        values = {"grid_code": grid_code, "now": now, "days": VISIT_DAYS}
        row = self._one("visits_of_grid", values, "patrol_points", "f")
        return Visits(*row) if row else None

    # Points, estates, areas -------------------------------------------------------------------------------------

    def visits_of_point(self, fid: int, now: datetime) -> PointVisits | None:
        """A point's last visit and its next."""
        row = self._one("visits_of_point", {"fid": fid, "now": now}, "patrol_points", "f")
        return PointVisits(*row) if row else None

    def estate(self, estate_id: str) -> GroundFacts:
        """What an estate holds."""
        values = {"estate_id": estate_id}
        n, households, persons = self._buildings("buildings_of_estate", values)
        grids = self._count("grids_of_estate", values, "grids", "f")
        return GroundFacts(n, households, persons, grids, self._count("open_of_estate", values, "events", "e"))

    def area(self, area_code: str) -> GroundFacts:
        """What an area holds."""
        inside, at = in_areas((area_code,), "f"), in_areas((area_code,), "e")
        n, households, persons = self._buildings("buildings_of_area", {}, inside=inside)
        grids = self._count("grids_of_area", {}, "grids", "f", inside=inside)
        return GroundFacts(n, households, persons, grids, self._count("open_of_area", {}, "events", "e", inside=at))

    def _buildings(self, block: str, values: dict[str, Any], **parts: sql.Composable) -> Row:
        if not self.sees("buildings"):
            return None, None, None
        layer = self._catalog.layer("buildings")
        numbers = [
            sql.SQL("sum({})::bigint").format(sql.Identifier("f", name))
            if self._sees_field(layer, name)
            else sql.SQL("NULL")
            for name in ("households", "persons")
        ]
        row = self._one(block, values, "buildings", "f", numbers=sql.SQL(", ").join(numbers), **parts)
        return row or (0, None, None)

    # How it asks ------------------------------------------------------------------------------------------------

    def _sees_field(self, layer: Layer, name: str) -> bool:
        return self._scope.sees_field(layer, layer.field(name))

    def _all(self, block: str, values: dict[str, Any], layer: str, alias: str, **parts: sql.Composable) -> list[Row]:
        if not self.sees(layer):
            return []
        allowed = predicate(self._catalog.layer(layer), self._scope, alias)
        return self._connection.execute(compose(named("cards")[block], scope=allowed, **parts), values).fetchall()

    def _one(self, block: str, values: dict[str, Any], layer: str, alias: str, **parts: sql.Composable) -> Row | None:
        rows = self._all(block, values, layer, alias, **parts)
        return rows[0] if rows else None

    def _count(self, block: str, values: dict[str, Any], layer: str, alias: str, **parts: sql.Composable) -> int | None:
        row = self._one(block, values, layer, alias, **parts)
        return int(row[0]) if row else None
