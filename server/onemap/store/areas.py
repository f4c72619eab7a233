"""Areas as a tree, and the grids of one of them."""

from __future__ import annotations

from dataclasses import dataclass

from onemap.domain.layer import Catalog
from onemap.domain.scope import Scope
from onemap.store.db import Connection
from onemap.store.named import compose, named
from onemap.store.scope import predicate

type Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Area:
    """One node of the tree; ``bounds`` in degrees."""

    area_code: str
    name: str
    level: str
    parent_code: str | None
    households: int | None
    persons: int | None
    bounds: Box


@dataclass(frozen=True, slots=True)
class GridRow:
    """One grid of the plan in force; ``bounds`` in degrees."""

    grid_code: str
    grid_no: str | None
    name: str | None
    households: int | None
    persons: int | None
    in_band: bool | None
    vacant: bool
    bounds: Box


def areas(connection: Connection, catalog: Catalog, scope: Scope) -> list[Area]:
    """All areas that a reader may see, by code: parents before children."""
    query = compose(named("areas")["tree"], scope=predicate(catalog.layer("areas"), scope, "a"))
    return [
        Area(row[0], row[1], row[2], row[3], row[4], row[5], (row[6], row[7], row[8], row[9]))
        for row in connection.execute(query).fetchall()
    ]


def grids(connection: Connection, catalog: Catalog, scope: Scope, area_code: str) -> list[GridRow]:
    """The grids of an area in force today, by code."""
    query = compose(named("areas")["grids"], scope=predicate(catalog.layer("grids"), scope, "g"))
    rows = connection.execute(query, {"area": area_code}).fetchall()
    return [
        GridRow(row[0], row[1], row[2], row[3], row[4], row[5], row[6], (row[7], row[8], row[9], row[10]))
        for row in rows
    ]
