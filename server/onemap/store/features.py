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
from typing import Any

import psycopg
from psycopg import sql

from onemap.domain.feature import Ask, Box, Crs, Page
from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.errors import BadQuery, DatabaseError, FeatureNotFound
from onemap.store.db import AsyncConnection, Connection
from onemap.store.feature_text import Key, Values, as_text, filtered, frame_text, item_text, scope_text, total_text
from onemap.store.feature_where import behind, in_degrees, in_span
from onemap.store.named import compose, named, statement
from onemap.store.quick import Quick
from onemap.store.scope import TRUE, predicate, relation

#: Matches are counted up to here; beyond it ``numberMatched`` is the planner's estimate.
COUNT_BOUND = 100_000

#: How long an estimate serves the following pages, seconds, and how many are kept.
ESTIMATE_AGE_S, ESTIMATES = 60.0, 2_000

#: A box without width gets this one, in degrees and in metres.
_HAIR, _HAIR_M = 1e-9, 1e-4

_WHERE, _AFTER, _OFFSET, _TOTAL = "/*where*/", "/*after*/", "/*offset*/", "/*total*/"
_FID_TEXT = re.compile(r"[0-9]{1,18}")

type _Row = tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class _Query:
    text: str
    values: Values
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
        rows = yield _Query(item_text(Key(layer), scope, crs, geometry), {"fid": int(fid)})
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
        self, name: str, layer: Layer, scope: Scope, ask: Ask, where: str, values: Values, *, counts: bool = False
    ) -> _Query:
        """A page statement with its conditions put in."""
        key = Key(layer)
        frame = frame_text(name, key, scope, self._bound, ask.crs, ask.limit, ask.fields, ask.geometry, ask.order)
        alias = "h" if name == "counted" else "f"
        after, seen = behind(layer, ask, alias)
        text = frame.replace(_WHERE, where).replace(_AFTER, after).replace(_OFFSET, str(ask.offset))
        if name == "walked":
            total = total_text(key, self._bound, everything=where == "TRUE") if counts else "-1"
            text = text.replace(_TOTAL, total.replace(_WHERE, where))
        # what is walked under a condition is planned for its values: a plan for any box would sort the whole layer
        prepare = not ask.offset and (name == "counted" or where == "TRUE")
        return _Query(text, {**values, **seen}, prepare)

    def _explained(self, layer: Layer, where: str, values: Values) -> _Query:
        text = as_text(compose(named("features")["estimate"], table=relation(layer)))
        return _Query(text.replace(_WHERE, where), values, prepare=False)

    def _where(self, layer: Layer, scope: Scope, ask: Ask) -> Generator[_Query, list[_Row], tuple[str, Values]]:
        """The conditions of an ask as text, ``TRUE`` for none, and their parameters."""
        parts: list[str] = []
        values: Values = {}
        seen = scope_text(Key(layer), scope)
        if seen != "TRUE":
            parts.append(seen)
        if ask.box is not None:
            parts.append((yield from self._box(layer, ask.box, values)))
        if ask.span is not None:
            parts += in_span(layer, scope, ask.span, values)
        if ask.equals or ask.filter is not None:
            text, found = filtered(Key(layer), scope, ask.equals, ask.filter)
            parts.append(text)
            values.update(found)
        return " AND ".join(parts) or "TRUE", values

    def _box(self, layer: Layer, box: Box, values: Values) -> Generator[_Query, list[_Row], str]:
        """What meets a box; one in metres is first turned into a polygon in degrees, so that the planner can see it."""
        parts = []
        for i, (west, south, east, north) in enumerate(box.parts()):
            hair = _HAIR if box.crs.is_degrees else _HAIR_M
            sides = (west, south, max(east, west + hair), max(north, south + hair))
            if box.crs.is_degrees:
                parts.append(in_degrees(layer, i, sides, values))
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
