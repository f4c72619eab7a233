"""What the map says about its layers at a glance: how many, where, and one feature's card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.errors import FeatureNotFound
from onemap.store.db import Connection
from onemap.store.named import compose, named, statement
from onemap.store.scope import predicate, relation, visible_fields

#: Counting stops here: a larger number is said as "at least".
COUNT_BOUND = 20_000

type Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Count:
    """
    How many features; ``exact`` is false where counting stopped at the bound.

    ``classes`` says how many of each class of the layer's legend; None where it has none or where counting stopped.
    """

    n: int
    exact: bool
    classes: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One feature as a person reads it: its visible properties, a point inside it, its bounds in degrees."""

    properties: dict[str, Any]
    point: tuple[float, float]
    bounds: Box


def count(connection: Connection, layer: Layer, scope: Scope) -> Count:
    """How many features of a layer a reader may see."""
    query = compose(
        named("overview")["count"],
        relation=relation(layer),
        scope=predicate(layer, scope),
        most=sql.Literal(COUNT_BOUND + 1),
    )
    return _bounded(connection.execute(query).fetchone())


def count_in_box(connection: Connection, layer: Layer, scope: Scope, box: Box) -> Count:
    """How many features that the tiles show lie in a box of degrees, in all and by class of the legend."""
    only = [
        sql.SQL("f.{} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in layer.tiling.only.items()
    ]
    field = _legend_field(layer, scope)
    parts: dict[str, sql.Composable] = {"field": sql.Identifier("f", field)} if field else {}
    query = compose(
        named("overview")["classes_in_box" if field else "count_in_box"],
        relation=relation(layer),
        scope=predicate(layer, scope),
        shown=sql.SQL(" AND ").join(only) if only else sql.SQL("TRUE"),
        most=sql.Literal(COUNT_BOUND + 1),
        **parts,
    )
    west, south, east, north = box
    found = connection.execute(query, {"west": west, "south": south, "east": east, "north": north})
    if not field:
        return _bounded(found.fetchone())
    classes = {"" if value is None else str(value): int(n) for value, n in found.fetchall()}
    counted = _bounded((sum(classes.values()),))
    return replace(counted, classes=classes if counted.exact else None)


def _legend_field(layer: Layer, scope: Scope) -> str | None:
    """The field that the legend tells apart, where the reader may know it."""
    for fragment in layer.style:
        legend = fragment.get("legend")
        name = legend.get("field") if isinstance(legend, Mapping) else None
        if isinstance(name, str) and scope.sees_field(layer, layer.field(name)):
            return name
    return None


def bounds(connection: Connection, layer: Layer) -> Box | None:
    """The ground that a layer covers, in degrees; None for an empty layer."""
    schema, table = "layer", layer.name
    if layer.is_view:
        # a part of a table lies within the whole, whose index knows how far it reaches
        base = connection.execute(statement(named("overview")["base"]), {"relation": f"layer.{layer.name}"}).fetchone()
        schema, table = base or (schema, table)
    if (found := _estimated(connection, schema, table)) is None:
        exact = compose(named("overview")["bounds_exact"], relation=relation(layer))
        found = connection.execute(exact).fetchone()
    return (found[0], found[1], found[2], found[3]) if found else None


def card(connection: Connection, layer: Layer, scope: Scope, fid: int) -> Card:
    """One feature's card; ``FeatureNotFound`` where the reader may see none of this id."""
    fields = visible_fields(layer, scope)
    query = compose(
        named("overview")["feature"],
        fields=sql.SQL(", ").join(sql.Identifier("f", field.name) for field in fields),
        relation=relation(layer),
        scope=predicate(layer, scope),
    )
    row = connection.execute(query, {"fid": fid}).fetchone()
    if row is None:
        raise FeatureNotFound(layer.name, fid)
    n = len(fields)
    properties = {field.name: _plain(value) for field, value in zip(fields, row[:n], strict=True)}
    west, south, east, north = row[n + 2 :]
    return Card(properties, (row[n], row[n + 1]), (west, south, east, north))


def meta(connection: Connection, key: str) -> Any:
    """What is noted of this database under a key; None where nothing is."""
    row = connection.execute(statement(named("overview")["meta"]), {"key": key}).fetchone()
    return row[0] if row else None


def _bounded(row: tuple[Any, ...] | None) -> Count:
    n = int(row[0]) if row else 0
    return Count(min(n, COUNT_BOUND), n <= COUNT_BOUND)


def _estimated(connection: Connection, schema: str, table: str) -> tuple[Any, ...] | None:
    values = {"schema": schema, "name": table}
    try:
        with connection.transaction():
            return connection.execute(statement(named("overview")["bounds"]), values).fetchone()
    except psycopg.errors.InternalError_:  # a table that was never analysed has no estimate
        return None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value
