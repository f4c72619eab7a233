"""What the map says about its layers at a glance: how many, where, and one feature's card."""

from __future__ import annotations

from dataclasses import dataclass
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
    """How many features; ``exact`` is false where counting stopped at the bound."""

    n: int
    exact: bool


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
    """How many features that the tiles show lie in a box of degrees."""
    only = [
        sql.SQL("f.{} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in layer.tiling.only.items()
    ]
    query = compose(
        named("overview")["count_in_box"],
        relation=relation(layer),
        scope=predicate(layer, scope),
        shown=sql.SQL(" AND ").join(only) if only else sql.SQL("TRUE"),
        most=sql.Literal(COUNT_BOUND + 1),
    )
    west, south, east, north = box
    values = {"west": west, "south": south, "east": east, "north": north}
    return _bounded(connection.execute(query, values).fetchone())


def bounds(connection: Connection, layer: Layer) -> Box | None:
    """The ground that a layer covers, in degrees; None for an empty layer."""
    query = named("overview")["bounds"]
    if layer.is_view or (found := _estimated(connection, query, layer)) is None:
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


def _estimated(connection: Connection, query: str, layer: Layer) -> tuple[Any, ...] | None:
    try:
        with connection.transaction():
            return connection.execute(statement(query), {"name": layer.name}).fetchone()
    except psycopg.errors.InternalError_:  # a table that was never analysed has no estimate
        return None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value
