"""Features on a piece of ground: how many, whom they house, a page of them, or all of them in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import shapely
from psycopg import sql

from onemap.domain.event import EventFilter
from onemap.domain.layer import AREA_CODE, Field, GeometryType, Layer
from onemap.domain.region import Region
from onemap.domain.scope import Scope
from onemap.store import events
from onemap.store.db import Connection
from onemap.store.named import compose, named
from onemap.store.scope import in_areas, predicate, relation, visible_fields

#: Counting and adding up stop here: a larger number is said as "at least".
COUNT_BOUND = 20_000
_FETCH_ROWS = 2_000
_SUMS = ("households", "persons")

type Matching = sql.Composable


@dataclass(frozen=True, slots=True)
class Totals:
    """How many features, and the households and persons in them; None where the layer has none or they are hidden."""

    n: int
    exact: bool
    households: int | None
    persons: int | None


@dataclass(frozen=True, slots=True)
class Selected:
    """One feature of a selection, and a point on it in degrees."""

    fid: int
    title: str
    properties: dict[str, Any]
    point: tuple[float, float]


def on_ground(layer: Layer, scope: Scope, region: Region, *, shown: bool = False) -> Matching:
    """Which rows ``f`` of a layer lie on a piece of ground; ``shown`` leaves out what the map's tiles leave out."""
    parts: list[sql.Composable] = [predicate(layer, scope)]
    if region.area:
        parts.append(in_areas((region.area,), "f"))
    if region.box is not None:
        west, south, east, north = (sql.Literal(side) for side in region.box)
        box = sql.SQL("ST_MakeEnvelope({}, {}, {}, {}, 4490)").format(west, south, east, north)
        parts.append(_meets(box))
    if region.polygon is not None:
        wkb = sql.Literal(shapely.to_wkb(region.polygon, hex=True))
        parts.append(_meets(sql.SQL("ST_GeomFromWKB(decode({}, 'hex'), 4490)").format(wkb)))
    if shown:
        parts += [
            sql.SQL("f.{} = {}").format(sql.Identifier(name), sql.Literal(value))
            for name, value in layer.tiling.only.items()
        ]
    return sql.SQL(" AND ").join(parts)


def of_filter(layer: Layer, scope: Scope, wanted: EventFilter) -> Matching:
    """Which rows ``f`` of the events are meant by a filter: the same as in the list."""
    inside = events.matching(layer, scope, wanted)
    return sql.SQL("f.fid IN (SELECT e.fid FROM core.event AS e WHERE {})").format(inside)


def both(one: Matching, other: Matching) -> Matching:
    """Rows that two conditions mean."""
    return sql.SQL("{} AND {}").format(one, other)


def count(connection: Connection, layer: Layer, matching: Matching, most: int) -> int:
    """How many features, at most one more than ``most``."""
    query = compose(
        named("selection")["bounded_count"],
        relation=relation(layer),
        matching=matching,
        bound=sql.Literal(most + 1),
    )
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def totals(connection: Connection, layer: Layer, scope: Scope, matching: Matching) -> Totals:
    """How many features, and whom they house."""
    shown = {field.name for field in visible_fields(layer, scope)}
    sums = [
        sql.SQL("sum(f.{})").format(sql.Identifier(name)) if name in shown else sql.SQL("NULL::bigint")
        for name in _SUMS
    ]
    query = compose(
        named("selection")["sums"],
        relation=relation(layer),
        matching=matching,
        sums=sql.SQL(", ").join(sums),
        bound=sql.Literal(COUNT_BOUND + 1),
    )
    n, households, persons = connection.execute(query).fetchone() or (0, None, None)
    if n > COUNT_BOUND:
        return Totals(COUNT_BOUND, exact=False, households=None, persons=None)
    return Totals(n, exact=True, households=households, persons=persons)


def page(
    connection: Connection, layer: Layer, scope: Scope, matching: Matching, *, limit: int, behind: int
) -> list[Selected]:
    """The features with the next higher numbers."""
    fields = export_fields(layer, scope)
    query = _composed("page", layer, fields, matching)
    rows = connection.execute(query, {"n_rows": limit, "behind": behind}).fetchall()
    return [_selected(layer, fields, row) for row in rows]


def batches(
    connection: Connection, layer: Layer, fields: Sequence[Field], matching: Matching
) -> Iterator[list[tuple[Any, ...]]]:
    """All features: values of the fields, longitude and latitude of a point on each, the shape as WKB."""
    with connection.cursor(name="selection") as cursor:
        cursor.itersize = _FETCH_ROWS
        cursor.execute(_composed("rows", layer, fields, matching))
        while batch := cursor.fetchmany(_FETCH_ROWS):
            yield batch


def export_fields(layer: Layer, scope: Scope) -> list[Field]:
    """The fields that the reader may see."""
    return [field for field in visible_fields(layer, scope) if field.name != AREA_CODE] + [
        field for field in visible_fields(layer, scope) if field.name == AREA_CODE
    ]


def area_name(connection: Connection, areas: Layer, scope: Scope, area_code: str) -> str | None:
    """What an area is called; None where the reader sees none of this code."""
    query = compose(named("selection")["area_name"], scope=predicate(areas, scope, "a"))
    row = connection.execute(query, {"area_code": area_code}).fetchone()
    return row[0] if row else None


def _meets(shape: sql.Composable) -> sql.Composable:
    return sql.SQL("(f.geom && {shape} AND ST_Intersects(f.geom, {shape}))").format(shape=shape)


def _composed(name: str, layer: Layer, fields: Sequence[Field], matching: Matching) -> sql.Composed:
    is_point = layer.geometry is GeometryType.POINT
    return compose(
        named("selection")[name],
        relation=relation(layer),
        fields=sql.SQL(", ").join(sql.Identifier("f", field.name) for field in fields),
        matching=matching,
        spot=sql.SQL("f.geom" if is_point else "ST_PointOnSurface(f.geom)"),
    )


def _selected(layer: Layer, fields: Sequence[Field], row: tuple[Any, ...]) -> Selected:
    properties = {field.name: _plain(value) for field, value in zip(fields, row[1:-2], strict=True)}
    label = properties.get(layer.label) if layer.label else None
    title = str(label or properties.get(layer.key.name) or row[0])
    return Selected(row[0], title, properties, (row[-2], row[-1]))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
