"""What the life circle reads of the map: residential buildings as numbers, services, and the names of their zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onemap.domain.layer import Catalog
from onemap.domain.scope import Scope
from onemap.store.db import Connection
from onemap.store.named import compose, named
from onemap.store.scope import predicate


@dataclass(frozen=True, slots=True)
class HomeRow:
    """One residential building; its centre in degrees, its zones by code ('' where it lies in none)."""

    fid: int
    area_code: str
    households: int
    persons: int
    lon: float
    lat: float
    estate_id: str
    grid_code: str


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One facility, in degrees."""

    fid: int
    area_code: str
    title: str
    category: str
    open_hours: str | None
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """An estate, grid or area by its code; ``within`` is the area above it, ``wkb`` an outline in degrees if wanted."""

    fid: int
    code: str
    title: str
    within: str
    level: str | None = None
    wkb: bytes | None = None


def homes(connection: Connection, catalog: Catalog, scope: Scope) -> list[HomeRow]:
    """The residential buildings that a reader may see, by area, then fid."""
    return [HomeRow(*row) for row in _rows(connection, catalog, scope, "homes", "buildings", "b")]


def services(connection: Connection, catalog: Catalog, scope: Scope) -> list[ServiceRow]:
    """The facilities that a reader may see, by fid."""
    return [ServiceRow(*row) for row in _rows(connection, catalog, scope, "services", "facilities", "f")]


def estates(connection: Connection, catalog: Catalog, scope: Scope) -> list[ZoneRow]:
    """Estates with their outlines, by fid."""
    rows = _rows(connection, catalog, scope, "estates", "estates", "e")
    return [ZoneRow(row[0], row[1], row[2], row[3], wkb=row[4]) for row in rows]


def grids(connection: Connection, catalog: Catalog, scope: Scope) -> list[ZoneRow]:
    """The grids in force, by code."""
    return [ZoneRow(*row) for row in _rows(connection, catalog, scope, "grids", "grids", "g")]


def areas(connection: Connection, catalog: Catalog, scope: Scope) -> list[ZoneRow]:
    """Areas of every level, by code."""
    return [ZoneRow(*row) for row in _rows(connection, catalog, scope, "areas", "areas", "a")]


def street_at(connection: Connection, catalog: Catalog, scope: Scope, lon: float, lat: float) -> str | None:
    """The name of the named road nearest to a place; None where no road has a name."""
    query = compose(named("circle")["street_at"], scope=predicate(catalog.layer("roads"), scope, "r"))
    row = connection.execute(query, {"lon": lon, "lat": lat}).fetchone()
    return None if row is None else str(row[0])


def _rows(
    connection: Connection, catalog: Catalog, scope: Scope, block: str, layer: str, alias: str
) -> list[tuple[Any, ...]]:
    query = compose(named("circle")[block], scope=predicate(catalog.layer(layer), scope, alias))
    return connection.execute(query).fetchall()
