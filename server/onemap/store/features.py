"""Features of a layer as GeoJSON text that PostGIS writes: one by its number, or a page of what an ask matches.

The statements are the same for threads and for the event loop: a generator says what to run next and is told what came
back, so that only the last few lines exist twice.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import sql

from onemap.domain.feature import STORAGE_SRID, Ask, Box, Crs, Order, Page, Span, feed_fields
from onemap.domain.layer import FID, GEOM, FieldType, Layer
from onemap.domain.scope import Scope
from onemap.errors import BadQuery, DatabaseError, FeatureNotFound
from onemap.store.db import AsyncConnection, Connection
from onemap.store.filters import FilterCompiler
from onemap.store.named import compose, named, statement
from onemap.store.quick import Quick
from onemap.store.scope import TRUE, column_type, predicate, relation

#: Matches are counted up to here; beyond it ``numberMatched`` is the planner's estimate.
COUNT_BOUND = 100_000

#: How long an estimate serves the following pages, seconds, and how many are kept.
ESTIMATE_AGE_S, ESTIMATES = 60.0, 2_000

#: A box this much smaller, degrees, surely holds what the index (32-bit boxes) says it holds.
_SURELY = 3e-5
#: A box without width gets this one, in degrees and in metres.
_HAIR, _HAIR_M = 1e-9, 1e-4

_WHERE, _AFTER, _OFFSET, _TOTAL = "/*where*/", "/*after*/", "/*offset*/", "/*total*/"
_FID_TEXT = re.compile(r"[0-9]{1,18}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

type _Values = dict[str, Any]
type _Row = tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class _Query:
    text: str
    values: _Values
    prepare: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """Where and when a layer's features are, as far as one reader sees them."""

    bounds: tuple[float, float, float, float] | None
    starts_at: datetime | None
    ends_at: datetime | None


class Features:
    """Reads features; keeps the texts of its statements and the estimates of large results."""

    def __init__(self, *, count_bound: int = COUNT_BOUND, clock: Callable[[], float] = time.monotonic) -> None:
        self._bound, self._clock = count_bound, clock
        self._estimates: dict[Hashable, tuple[int, float]] = {}
        self._polygons: dict[Hashable, str] = {}
        self._quick = Quick()

    # One feature ----------------------------------------------------------------------------------------------------

    def item(
        self, connection: Connection, layer: Layer, scope: Scope, fid: str, crs: Crs, *, geometry: bool = True
    ) -> bytes:
        """A feature by its number; ``FeatureNotFound`` also where the reader may not see it."""
        return _run(connection, self._item(layer, scope, fid, crs, geometry))

    async def item_async(
        self, connection: AsyncConnection, layer: Layer, scope: Scope, fid: str, crs: Crs, *, geometry: bool = True
    ) -> bytes:
        """The same on the event loop."""
        return await self._run_async(connection, self._item(layer, scope, fid, crs, geometry))

    def _item(
        self, layer: Layer, scope: Scope, fid: str, crs: Crs, geometry: bool
    ) -> Generator[_Query, list[_Row], bytes]:
        if not _FID_TEXT.fullmatch(fid):
            raise FeatureNotFound(layer.name, fid)
        rows = yield _Query(_item_text(_Key(layer), scope, crs, geometry), {"fid": int(fid)})
        if not rows or rows[0][0] is None:
            raise FeatureNotFound(layer.name, fid)
        return rows[0][0]

    # A page ---------------------------------------------------------------------------------------------------------

    def page(self, connection: Connection, layer: Layer, scope: Scope, ask: Ask) -> Page:
        """What matches an ask; ``BadQuery`` where it names what the reader does not see or cannot be evaluated."""
        return _run(connection, self._page(layer, scope, ask))

    async def page_async(self, connection: AsyncConnection, layer: Layer, scope: Scope, ask: Ask) -> Page:
        """The same on the event loop."""
        return await self._run_async(connection, self._page(layer, scope, ask))

    async def _run_async[T](self, connection: AsyncConnection, steps: Generator[_Query, list[_Row], T]) -> T:
        try:
            query = next(steps)
            while True:
                with _explaining():
                    rows = await self._quick.rows(connection, query.text, query.values, prepare=query.prepare)
                query = steps.send(rows)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]

    def _page(self, layer: Layer, scope: Scope, ask: Ask) -> Generator[_Query, list[_Row], Page]:
        where, values = yield from self._where(layer, scope, ask)
        everything = where == "TRUE"
        known = (layer.name, scope, ask.box, ask.span, ask.equals, ask.filter)
        estimate = self._estimate(known)
        if estimate is None and not everything:
            rows = yield self._framed("counted", layer, scope, ask, where, values)
            if _number(rows[0][0]) <= self._bound:
                return _page(ask, rows[0], _number(rows[0][0]), estimated=False)
            estimate = self._remember(known, (yield self._explained(layer, where, values)))
        rows = yield self._framed("walked", layer, scope, ask, where, values, counts=estimate is None)
        if estimate is None and _number(rows[0][0]) > self._bound:
            estimate = self._remember(known, (yield self._explained(layer, where, values)))
        counted = _number(rows[0][0])
        if estimate is None and counted >= 0:
            return _page(ask, rows[0], counted, estimated=False)
        return _page(ask, rows[0], estimate or -counted, estimated=True)

    def _estimate(self, known: Hashable) -> int | None:
        found = self._estimates.get(known)
        return found[0] if found is not None and found[1] > self._clock() else None

    def _remember(self, known: Hashable, rows: list[_Row]) -> int:
        plan = json.loads(rows[0][0] or b"[]")
        estimate = max(int(plan[0]["Plan"]["Plan Rows"]), self._bound + 1)
        if len(self._estimates) >= ESTIMATES:
            self._estimates.clear()
        self._estimates[known] = (estimate, self._clock() + ESTIMATE_AGE_S)
        return estimate

    def _framed(
        self, name: str, layer: Layer, scope: Scope, ask: Ask, where: str, values: _Values, *, counts: bool = False
    ) -> _Query:
        """A page statement with its conditions put in."""
        frame = _frame(name, _Key(layer), scope, self._bound, ask.crs, ask.limit, ask.fields, ask.geometry, ask.order)
        alias = "h" if name == "counted" else "f"
        after, seen = _after(layer, ask, alias)
        text = frame.replace(_WHERE, where).replace(_AFTER, after).replace(_OFFSET, str(ask.offset))
        if name == "walked":
            total = _total(_Key(layer), self._bound, everything=where == "TRUE") if counts else "-1"
            text = text.replace(_TOTAL, total.replace(_WHERE, where))
        # what is walked under a condition is planned for its values: a plan for any box would sort the whole layer
        prepare = not ask.offset and (name == "counted" or where == "TRUE")
        return _Query(text, {**values, **seen}, prepare)

    def _explained(self, layer: Layer, where: str, values: _Values) -> _Query:
        text = _text(compose(named("features")["estimate"], table=relation(layer)))
        return _Query(text.replace(_WHERE, where), values, prepare=False)

    def _where(self, layer: Layer, scope: Scope, ask: Ask) -> Generator[_Query, list[_Row], tuple[str, _Values]]:
        """The conditions of an ask as text, ``TRUE`` for none, and their parameters."""
        parts: list[str] = []
        values: _Values = {}
        seen = _scope_text(_Key(layer), scope)
        if seen != "TRUE":
            parts.append(seen)
        if ask.box is not None:
            parts.append((yield from self._box(layer, ask.box, values)))
        if ask.span is not None:
            parts += _span(layer, scope, ask.span, values)
        if ask.equals or ask.filter is not None:
            text, found = _filtered(_Key(layer), scope, ask.equals, ask.filter)
            parts.append(text)
            values.update(found)
        return " AND ".join(parts) or "TRUE", values

    def _box(self, layer: Layer, box: Box, values: _Values) -> Generator[_Query, list[_Row], str]:
        """What meets a box; one in metres is first turned into a polygon in degrees, so that the planner can see it."""
        parts = []
        for i, (west, south, east, north) in enumerate(box.parts()):
            hair = _HAIR if box.crs.is_degrees else _HAIR_M
            sides = (west, south, max(east, west + hair), max(north, south + hair))
            if box.crs.is_degrees:
                parts.append(_degrees(layer, i, sides, values))
            else:
                values[f"area{i}"] = yield from self._turned(sides, box.crs.srid)
                parts.append(f"(f.geom && %(area{i})s::geometry AND ST_Intersects(f.geom, %(area{i})s::geometry))")
        return f"({' OR '.join(parts)})" if parts else "FALSE"

    def _turned(self, sides: tuple[float, ...], srid: int) -> Generator[_Query, list[_Row], str]:
        known = self._polygons.get((sides, srid))
        if known is None:
            west, south, east, north = sides
            values = {
                "w": west,
                "s": south,
                "e": east,
                "n": north,
                "srid": srid,
                "step": max(east - west, north - south) / 32,
            }
            rows = yield _Query(named("features")["turned"], values)
            known = (rows[0][0] or b"").decode()
            if len(self._polygons) >= ESTIMATES:
                self._polygons.clear()
            self._polygons[sides, srid] = known
        return known

    # A layer as a whole ---------------------------------------------------------------------------------------------

    def facts(self, connection: Connection, layer: Layer, scope: Scope) -> Facts:
        """Where and when a layer's features are; quick for tables seen as a whole."""
        queries, seen = named("features"), predicate(layer, scope)
        if seen is TRUE and not layer.is_view:
            bounds = compose(queries["bounds_of_table"], table=relation(layer), name=sql.Literal(layer.name))
        else:
            bounds = compose(queries["bounds_of_rows"], table=relation(layer), scope=seen)
        with _explaining():
            row = connection.execute(bounds).fetchone()
            times: tuple[Any, ...] | None = None
            if layer.time is not None and scope.sees_field(layer, layer.field(layer.time)):
                query = compose(queries["times"], time=sql.Identifier(layer.time), table=relation(layer), scope=seen)
                times = connection.execute(query).fetchone()
        found = row if row is not None and row[0] is not None else None
        return Facts(found, *(times or (None, None)))


# Statement texts, kept by what shapes them ---------------------------------------------------------------------------


class _Key:
    """A layer as part of a cache key: by identity, since a layer itself holds mappings and has no hash."""

    __slots__ = ("layer",)

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def __hash__(self) -> int:
        return hash(self.layer.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.layer is other.layer


@lru_cache(maxsize=512)
def _scope_text(key: _Key, scope: Scope) -> str:
    return _text(predicate(key.layer, scope))


@lru_cache(maxsize=512)
def _item_text(key: _Key, scope: Scope, crs: Crs, geometry: bool) -> str:
    layer = key.layer
    return _text(
        compose(
            named("features")["item"],
            feature=_feature(layer, scope, crs, None, geometry),
            table=relation(layer),
            scope=predicate(layer, scope),
        )
    )


@lru_cache(maxsize=1024)
def _frame(
    name: str,
    key: _Key,
    scope: Scope,
    bound: int,
    crs: Crs,
    limit: int,
    fields: tuple[str, ...] | None,
    geometry: bool,
    order: tuple[Order, ...],
) -> str:
    layer = key.layer
    visible = {candidate.name for candidate in feed_fields(layer, scope)}
    for step in order:
        if step.name not in visible:
            raise BadQuery(f"Layer '{layer.name}' has no property '{step.name}' to sort by.")
    columns = [sql.SQL(", f.{} AS {}").format(sql.Identifier(o.name), _sort_column(i)) for i, o in enumerate(order)]
    return _text(
        compose(
            named("features")[name],
            table=relation(layer),
            feature=_feature(layer, scope, crs, fields, geometry),
            sort_columns=sql.SQL("").join(columns),
            bound=sql.Literal(bound + 1),
            limit=sql.Literal(limit),
            more=sql.Literal(limit + 1),
            cursor=sql.SQL(", ").join([*(sql.SQL("s.{}").format(_sort_column(i)) for i in range(len(order))), _FID]),
            order=_order(order),
            order_back=_order(order, backwards=True),
            order_shown=_order(order, "s."),
            order_whole=_order(order, "f."),
        )
    )


@lru_cache(maxsize=64)
def _total(key: _Key, bound: int, *, everything: bool) -> str:
    name = "total" if everything and not key.layer.is_view else "bounded"
    table = relation(key.layer)
    literal = sql.Literal(f"layer.{key.layer.name}")
    return _text(compose(named("features")[name], table=table, bound=sql.Literal(bound + 1), relation=literal))


@lru_cache(maxsize=2048)
def _filtered(key: _Key, scope: Scope, equals: Any, asked: Any) -> tuple[str, _Values]:
    compiler = FilterCompiler(key.layer, scope)
    parts = [compiler.equals(name, value) for name, value in equals]
    if asked is not None:
        parts.append(sql.SQL("({})").format(compiler.compile(asked)))
    return _text(sql.SQL(" AND ").join(parts)), compiler.values


_FID = sql.Identifier(FID)


def _feature(layer: Layer, scope: Scope, crs: Crs, fields: tuple[str, ...] | None, geometry: bool) -> sql.Composable:
    """GeoJSON text of the row ``f``; a geometry's axes are swapped here, at the edge, where the authority says so."""
    visible = [candidate.name for candidate in feed_fields(layer, scope)]
    if fields is not None and (unknown := sorted(set(fields) - set(visible))):
        raise BadQuery(f"Layer '{layer.name}' has no property '{unknown[0]}'.")
    shown = [name for name in visible if fields is None or name in fields]
    shape: sql.Composable = sql.Identifier("f", GEOM)
    if not crs.is_degrees:
        shape = sql.SQL("ST_Transform({}, {})").format(shape, sql.Literal(crs.srid))
    if crs.flipped:
        shape = sql.SQL("ST_FlipCoordinates({})").format(shape)
    properties: sql.Composable = sql.SQL("'{}'")
    if shown:
        row = sql.SQL(", ").join(sql.Identifier("f", name) for name in shown)
        properties = sql.SQL("(SELECT row_to_json(r) FROM (SELECT {}) AS r)::text").format(row)
    text = sql.SQL("coalesce(ST_AsGeoJSON({}, {}, 0), 'null')").format(shape, sql.Literal(crs.digits))
    return sql.SQL(
        """'{{"type":"Feature","id":' || f.fid || ',"geometry":' || {} || ',"properties":' || {} || '}}'"""
    ).format(text if geometry else sql.SQL("'null'"), properties)


def _sort_column(i: int) -> sql.Identifier:
    return sql.Identifier(f"sort_{i}")


def _order(order: tuple[Order, ...], alias: str = "", *, backwards: bool = False) -> sql.Composable:
    """What to sort by: empty values come last, and the fid settles what is equal."""
    steps = [
        sql.SQL("{}{} {} NULLS {}").format(
            sql.SQL(alias),
            _sort_column(i),
            sql.SQL("DESC" if step.descending != backwards else "ASC"),
            sql.SQL("FIRST" if backwards else "LAST"),
        )
        for i, step in enumerate(order)
    ]
    last = sql.SQL("{}{} {}").format(sql.SQL(alias), _FID, sql.SQL("DESC" if backwards else "ASC"))
    return sql.SQL(", ").join([*steps, last])


# Conditions ----------------------------------------------------------------------------------------------------------


def _degrees(layer: Layer, i: int, sides: tuple[float, ...], values: _Values) -> str:
    """
    What meets a box in degrees.

    The index compares 32-bit boxes; what lies in a slightly smaller box surely meets it, and only features at the edge
    are compared exactly. Points are compared by their coordinates.
    """
    west, south, east, north = sides
    values.update({f"w{i}": west, f"s{i}": south, f"e{i}": east, f"n{i}": north})
    whole = _envelope(f"w{i}", f"s{i}", f"e{i}", f"n{i}")
    if layer.geometry.is_point:
        return (
            f"(f.geom && {whole} AND ST_X(f.geom) BETWEEN %(w{i})s::float8 AND %(e{i})s::float8 "
            f"AND ST_Y(f.geom) BETWEEN %(s{i})s::float8 AND %(n{i})s::float8)"
        )
    if min(east - west, north - south) <= 2 * _SURELY:
        return f"(f.geom && {whole} AND ST_Intersects(f.geom, {whole}))"
    inner = (west + _SURELY, south + _SURELY, east - _SURELY, north - _SURELY)
    values.update(zip((f"iw{i}", f"is{i}", f"ie{i}", f"in{i}"), inner, strict=True))
    sure = _envelope(f"iw{i}", f"is{i}", f"ie{i}", f"in{i}")
    # CASE rather than OR, which the planner would answer with two walks through the index
    return f"(f.geom && {whole} AND CASE WHEN f.geom @ {sure} THEN TRUE ELSE ST_Intersects(f.geom, {whole}) END)"


def _envelope(*names: str) -> str:
    sides = ", ".join(f"%({name})s::float8" for name in names)
    return f"ST_MakeEnvelope({sides}, {STORAGE_SRID})"


def _span(layer: Layer, scope: Scope, span: Span, values: _Values) -> list[str]:
    """What falls into a stretch of time; a layer without time, and a feature without one, matches any."""
    if layer.time is None or not scope.sees_field(layer, layer.field(layer.time)):
        return []
    field = layer.field(layer.time)
    column = _text(sql.Identifier("f", field.name))
    if field.type is FieldType.DATE:
        column = f"({column}::timestamp AT TIME ZONE 'UTC')"
    starts, ends = "%(t0)s::timestamptz", "%(t1)s::timestamptz"
    parts = []
    if span.starts_at is not None:
        values["t0"] = _first_moment(span.starts_at)
        parts.append(f"{column} >= {starts}")
        if span.duration is not None:
            values["t1"] = span.duration
            parts.append(f"{column} <= {starts} + %(t1)s::interval")
    if span.ends_at is not None:
        values["t1"] = _last_moment(span.ends_at)
        parts.append(f"{column} <= {ends}")
        if span.duration is not None:
            values["t0"] = span.duration
            parts.append(f"{column} >= {ends} - %(t0)s::interval")
    if not parts:
        return []
    inside = " AND ".join(parts)
    return [f"({inside})" if field.required else f"({column} IS NULL OR ({inside}))"]


def _first_moment(text: str) -> str:
    return f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text


def _last_moment(text: str) -> str:
    return f"{text}T23:59:59.999999Z" if _DAY.fullmatch(text) else text


def _after(layer: Layer, ask: Ask, alias: str) -> tuple[str, _Values]:
    """What comes behind the feature that was seen last, in the sort order with empty values last."""
    if ask.after is None:
        return "TRUE", {}
    *seen, fid = ask.after
    if len(seen) != len(ask.order) or not isinstance(fid, int):
        raise BadQuery("This page belongs to another sort order; begin again without 'after'.")
    values: _Values = {"after": fid}
    condition = f"{alias}.fid > %(after)s::bigint"
    for i in reversed(range(len(seen))):
        step = ask.order[i]
        name = step.name if alias == "f" else f"sort_{i}"
        column = _text(sql.Identifier(alias, name))
        if seen[i] is None:
            condition = f"({column} IS NULL AND {condition})"
            continue
        values[f"after{i}"] = seen[i] if isinstance(seen[i], bool) else str(seen[i])
        kind = "text" if step.name == "area_code" else _text(column_type(layer.field(step.name)))
        value = f"%(after{i})s::{kind}"
        sign = "<" if step.descending else ">"
        condition = f"({column} {sign} {value} OR {column} IS NULL OR ({column} = {value} AND {condition}))"
    return condition, values


# Running -------------------------------------------------------------------------------------------------------------


def _run[T](connection: Connection, steps: Generator[_Query, list[_Row], T]) -> T:
    try:
        query = next(steps)
        while True:
            with _explaining():
                rows = _rows(connection.execute(statement(query.text), query.values, prepare=query.prepare))
            query = steps.send(rows)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


def _rows(cursor: psycopg.Cursor[Any]) -> list[_Row]:
    """The bytes as the server sent them: a page of features is not decoded only to be encoded again."""
    found = cursor.pgresult
    if found is None:
        return []
    return [tuple(found.get_value(row, column) for column in range(found.nfields)) for row in range(found.ntuples)]


@contextmanager
def _explaining() -> Iterator[None]:
    """What the database refuses because of the question becomes a sentence."""
    try:
        yield
    except psycopg.errors.QueryCanceled as slow:
        raise BadQuery("This question takes too long; make the box or the filter smaller.") from slow
    except psycopg.DataError as wrong:
        raise BadQuery(f"The question cannot be evaluated: {_first_line(wrong)}.") from wrong
    except psycopg.errors.InternalError_ as wrong:  # PostGIS: coordinates that cannot be transformed
        raise BadQuery(f"The geometries cannot be given like this: {_first_line(wrong)}.") from wrong
    except psycopg.OperationalError as gone:
        raise DatabaseError("The database does not answer; try again in a moment.") from gone


def _first_line(error: psycopg.Error) -> str:
    return str(error.diag.message_primary or error).strip().splitlines()[0].rstrip(".")


def _page(ask: Ask, row: _Row, n_matched: int, *, estimated: bool) -> Page:
    n_page = _number(row[1])
    more = n_page > ask.limit
    cursor = tuple(json.loads(row[2])) if more and row[2] is not None else None
    return Page(row[3] or b"", min(n_page, ask.limit), n_matched, estimated, cursor)


def _number(value: bytes | None) -> int:
    return int(value or 0)


def _text(part: sql.Composable) -> str:
    """SQL as text, without its comment lines."""
    lines = part.as_string(None).splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
