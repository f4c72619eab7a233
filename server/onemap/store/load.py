"""Loads checked rows into a layer and reads them out again: COPY into a stage, then update and insert by the key.

The same statements serve tables and views with INSTEAD OF triggers. Everything runs in the caller's transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from onemap.domain.layer import AREA_CODE, GEOM, Layer
from onemap.domain.scope import Scope
from onemap.errors import InputRefused
from onemap.store.db import Connection
from onemap.store.layer_tables import SRID
from onemap.store.named import compose, named, statement
from onemap.store.scope import column_type, predicate, relation

_SPOT = "spot"
_ESTIMATES = frozenset({"households", "persons", "households_estimated"})
_ANALYZE_FROM = 1000
_FETCH_ROWS = 2000
_GRIDS_FROM_CODE = frozenset({"grids", "management_points"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an import did to a layer."""

    written: int
    updated: int
    unchanged: int


def writable(layer: Layer) -> frozenset[str]:
    """The fields of a layer that take values: all of a table's, and those that a view's triggers pass on."""
    names = frozenset(field.name for field in layer.fields) | {AREA_CODE}
    _, marker, write = (layer.view_sql or "").partition("-- name: write")
    return names & frozenset(re.findall(r"\bnew\.(\w+)", write)) if marker else names


def lock(connection: Connection, layer: Layer) -> None:
    """Wait for other imports into the layer, and make others wait for this one."""
    connection.execute(statement(named("load")["lock"]), {"layer": layer.name})


def load(
    connection: Connection, layer: Layer, fields: Sequence[str], rows: Iterable[Sequence[Any]], *, keep: bool
) -> Loaded:
    """
    Bring rows into a layer by its key.

    Parameters
    ----------
    fields
        The fields that each row gives, the key among them.
    rows
        Values of ``fields``, then the geometry and a point on its surface, both as hex EWKB.
    keep
        Whether an empty value leaves what the layer holds; otherwise it empties the field.
    """
    try:
        n = _stage(connection, layer, fields, rows)
        staged = _fill(connection, layer, fields)
        return _publish(connection, layer, staged, n, keep=keep)
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError) as wrong:
        detail = (wrong.diag.message_primary or str(wrong)).strip()
        raise InputRefused(f"The database refuses a row for layer '{layer.name}': {detail}.") from wrong


def near_buildings(connection: Connection, lon: Sequence[float], lat: Sequence[float], *, reach_m: float) -> int:
    """How many points stand on a building of the map or within ``reach_m`` metres of one."""
    query = statement(named("load")["near_buildings"])
    row = connection.execute(query, {"lon": list(lon), "lat": list(lat), "reach_m": reach_m}).fetchone()
    return int(row[0]) if row else 0


def count(connection: Connection, layer: Layer, scope: Scope, bbox: tuple[float, float, float, float] | None) -> int:
    """How many features an export will hold."""
    query = compose(named("load")["count"], relation=relation(layer), where=_where(layer, scope, bbox))
    row = connection.execute(query, _box_values(bbox)).fetchone()
    return int(row[0]) if row else 0


def export(
    connection: Connection,
    layer: Layer,
    fields: Sequence[str],
    scope: Scope,
    bbox: tuple[float, float, float, float] | None,
) -> Iterator[list[tuple[Any, ...]]]:
    """The features of a layer in batches: values of ``fields``, then the geometry as WKB; nothing is held in memory."""
    query = compose(
        named("load")["export"],
        columns=_joined(sql.Identifier("f", name) for name in fields),
        relation=relation(layer),
        where=_where(layer, scope, bbox),
    )
    with connection.cursor(name="export") as cursor:
        cursor.itersize = _FETCH_ROWS
        cursor.execute(query, _box_values(bbox))
        while batch := cursor.fetchmany(_FETCH_ROWS):
            yield batch


def _stage(connection: Connection, layer: Layer, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    stage, held = _stage_name(layer), _staged_fields(layer, fields)
    columns = [sql.SQL("{} {}").format(sql.Identifier(name), _type_of(layer, name)) for name in held]
    geometry = sql.SQL("geom geometry({}, {})").format(sql.SQL(layer.geometry.value), sql.Literal(SRID))
    connection.execute(compose(named("load")["create_stage"], stage=stage, columns=_joined([*columns, geometry])))
    names = _joined(sql.Identifier(name) for name in (*fields, GEOM, _SPOT))
    n = 0
    with connection.cursor() as cursor, cursor.copy(compose(named("load")["copy"], stage=stage, columns=names)) as copy:
        for row in rows:
            copy.write_row(row)
            n += 1
    connection.execute(compose(named("load")["index_stage"], stage=stage))
    connection.execute(compose(named("load")["analyze"], relation=stage))
    return n


def _fill(connection: Connection, layer: Layer, fields: Sequence[str]) -> list[str]:
    """Give rows the area and the grid that they lie in, where the source does not."""
    stage = _stage_name(layer)
    if layer.key.name != AREA_CODE:
        connection.execute(compose(named("load")["fill_area"], stage=stage))
    if _has_grid(layer):
        connection.execute(compose(named("load")["fill_grid"], stage=stage))
    return _staged_fields(layer, fields)


def _publish(connection: Connection, layer: Layer, fields: Sequence[str], n: int, *, keep: bool) -> Loaded:
    key = layer.key.name
    found_by_place = {AREA_CODE, "grid_code"} - {key}
    estimates = _ESTIMATES if "households_estimated" in fields else frozenset()
    assigned = [
        (name, _new_value(name, keep=keep or name in found_by_place, estimate=name in estimates))
        for name in fields
        if name != key
    ]
    assigned.append((GEOM, sql.Identifier("s", GEOM)))
    parts = {
        "relation": relation(layer),
        "stage": _stage_name(layer),
        "key": sql.Identifier(key),
        "columns": _joined(sql.Identifier(name) for name in (*fields, GEOM)),
        "staged": _joined(sql.Identifier("s", name) for name in (*fields, GEOM)),
        "assignments": _joined(sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in assigned),
        "changed": sql.SQL(" OR ").join(
            sql.SQL("{} IS DISTINCT FROM {}").format(sql.Identifier("t", name), value) for name, value in assigned
        ),
    }
    updated = connection.execute(compose(named("load")["update"], **parts)).rowcount
    written = connection.execute(compose(named("load")["insert"], **parts)).rowcount
    if not layer.is_view and written + updated >= _ANALYZE_FROM:
        connection.execute(compose(named("load")["analyze"], relation=relation(layer)))
    return Loaded(written=written, updated=updated, unchanged=n - written - updated)


def _new_value(name: str, *, keep: bool, estimate: bool) -> sql.Composable:
    """What a field becomes: the new value; the old where that is empty and kept, or where an estimate meets a count."""
    new: sql.Composable = sql.Identifier("s", name)
    old = sql.Identifier("t", name)
    if keep:
        new = sql.SQL("coalesce({}, {})").format(new, old)
    return compose(named("load")["unless_counted"], new=new, old=old) if estimate else new


def _staged_fields(layer: Layer, fields: Sequence[str]) -> list[str]:
    added = [AREA_CODE] if AREA_CODE not in fields else []
    added += ["grid_code"] if _has_grid(layer) and "grid_code" not in fields else []
    return [*fields, *added]


def _has_grid(layer: Layer) -> bool:
    return layer.name not in _GRIDS_FROM_CODE and any(field.name == "grid_code" for field in layer.fields)


def _type_of(layer: Layer, name: str) -> sql.SQL:
    return sql.SQL("text") if name == AREA_CODE else column_type(layer.field(name))


def _stage_name(layer: Layer) -> sql.Identifier:
    return sql.Identifier(f"stage_{layer.name}")


def _where(layer: Layer, scope: Scope, bbox: tuple[float, float, float, float] | None) -> sql.Composable:
    allowed = predicate(layer, scope)
    return sql.SQL("{} AND {}").format(allowed, statement(named("load")["box"])) if bbox else allowed


def _box_values(bbox: tuple[float, float, float, float] | None) -> dict[str, float] | None:
    return dict(zip(("west", "south", "east", "north"), bbox, strict=True)) if bbox else None


def _joined(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
