"""Events as lists, counts and histograms: one filter, one place that turns it into SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import h3
from psycopg import sql

from onemap.domain.event import LEVELS, After, EventFilter
from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.errors import FeatureNotFound
from onemap.store.db import Connection
from onemap.store.named import compose, named, statement
from onemap.store.scope import TRUE, in_areas, predicate

#: Events are indexed by cells of this resolution (edge 66 m); coarser ones follow from it.
CELL_RESOLUTION = 10
#: A heat map of more cells than this could not be read.
MOST_CELLS = 5_000


@dataclass(frozen=True, slots=True)
class Event:
    """One event as a row of the list; ``lon``, ``lat`` in degrees."""

    fid: int
    event_no: str
    title: str
    kind: str
    level: int
    state: str
    template: str
    source: str
    place: str | None
    area_code: str | None
    grid_code: str | None
    reported_at: datetime
    deadline_at: datetime | None
    closed_at: datetime | None
    overdue: bool | None
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Action:
    """One step of an event's way."""

    seq: int
    action: str
    to_state: str
    actor_post: str | None
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class EventCounts:
    """How many events a filter means; ``by_level`` for levels 1 to 4."""

    n: int
    n_open: int
    n_overdue: int
    by_level: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Bin:
    """How many events of one level were reported in one of the histogram's bins."""

    bin: int
    level: int
    n: int


def page(
    connection: Connection, layer: Layer, scope: Scope, wanted: EventFilter, *, limit: int, after: After | None = None
) -> list[Event]:
    """Events by level, then time, newest first; the page behind ``after``."""
    behind: sql.Composable = TRUE
    if after is not None:
        behind = sql.SQL("(e.level, e.reported_at, e.fid) < ({}, {}, {})").format(
            sql.Literal(after.level), sql.Literal(after.reported_at), sql.Literal(after.fid)
        )
    query = compose(named("events")["page"], matching=_where(layer, scope, wanted), after=behind)
    return [Event(*row) for row in connection.execute(query, {"n_rows": limit}).fetchall()]


def counts(connection: Connection, layer: Layer, scope: Scope, wanted: EventFilter) -> EventCounts:
    """How many events a filter means."""
    where = _where(layer, scope, wanted)
    if wanted.is_open is not True and _is_tallied(wanted):
        query = compose(named("events")["counts_by_tally"], matching=where, tallied=_tallied(layer, scope, wanted))
    else:
        query = compose(named("events")["counts"], matching=where)
    row = connection.execute(query).fetchone() or (0,) * 7
    return EventCounts(row[0], row[1], row[2], (row[3], row[4], row[5], row[6]))


def histogram(
    connection: Connection, layer: Layer, scope: Scope, wanted: EventFilter, since: datetime, until: datetime, bins: int
) -> list[Bin]:
    """How many events of each level fall into equal bins between two moments."""
    query = compose(named("events")["histogram"], matching=_where(layer, scope, wanted))
    values = {"since_s": since.timestamp(), "until_s": until.timestamp(), "bins": bins}
    return [Bin(*row) for row in connection.execute(query, values).fetchall()]


def heat(
    connection: Connection, layer: Layer, scope: Scope, wanted: EventFilter, *, resolution: int
) -> list[tuple[int, int]]:
    """H3 cells of a resolution (at most 10) with how many events lie in each, the fullest first."""
    query = compose(named("events")["heat"], matching=_where(layer, scope, wanted))
    values = {"resolution": resolution, "n_rows": MOST_CELLS}
    return [(cell, n) for cell, n in connection.execute(query, values).fetchall()]


def index_cells(connection: Connection) -> int:
    """Give every event without one its H3 cell; how many got one. Whoever writes events calls it."""
    rows = connection.execute(statement(named("events")["without_cell"])).fetchall()
    if rows:
        cells = [h3.str_to_int(h3.latlng_to_cell(lat, lon, CELL_RESOLUTION)) for _, lon, lat in rows]
        values = {"fids": [row[0] for row in rows], "cells": cells}
        connection.execute(statement(named("events")["set_cells"]), values)
    return len(rows)


def event(connection: Connection, layer: Layer, scope: Scope, event_no: str) -> tuple[Event, list[Action]]:
    """One event and its way so far; ``FeatureNotFound`` where the reader may see none of this number."""
    query = compose(named("events")["one"], matching=_where(layer, scope, EventFilter()))
    row = connection.execute(query, {"event_no": event_no}).fetchone()
    if row is None:
        raise FeatureNotFound(layer.name, event_no)
    history = connection.execute(statement(named("events")["history"]), {"event_no": event_no}).fetchall()
    return Event(*row), [Action(*step) for step in history]


def matching(layer: Layer, scope: Scope, wanted: EventFilter) -> sql.Composable:
    """Which rows ``e`` of ``core.event`` a filter means: one condition for list, counts, map and files."""
    return _where(layer, scope, wanted)


def _is_tallied(wanted: EventFilter) -> bool:
    """Whether a filter asks only for what closed events are tallied by."""
    return not (wanted.grid_code or wanted.since or wanted.until or wanted.box)


def _tallied(layer: Layer, scope: Scope, wanted: EventFilter) -> sql.Composable:
    """The rows of the tally that a filter means."""
    narrow = [_where(layer, scope, replace(wanted, is_open=None, overdue=None))]
    if wanted.overdue is not None:
        narrow.append(sql.SQL("e.is_late" if wanted.overdue else "NOT e.is_late"))
    return sql.SQL(" AND ").join(narrow)


def _where(layer: Layer, scope: Scope, wanted: EventFilter) -> sql.Composable:
    parts: list[sql.Composable] = [predicate(layer, scope, "e")]
    if wanted.area:
        parts.append(in_areas((wanted.area,), "e"))
    if wanted.grid_code:
        parts.append(sql.SQL("e.grid_code = {}").format(sql.Literal(wanted.grid_code)))
    if wanted.since:
        parts.append(sql.SQL("e.reported_at >= {}").format(sql.Literal(wanted.since)))
    if wanted.until:
        parts.append(sql.SQL("e.reported_at < {}").format(sql.Literal(wanted.until)))
    if wanted.levels and wanted.levels != set(LEVELS):
        parts.append(sql.SQL("e.level = ANY({})").format(sql.Literal(sorted(wanted.levels))))
    for column, values in (("kind", wanted.kinds), ("state", wanted.states), ("template", wanted.templates)):
        if values:
            parts.append(sql.SQL("{} = ANY({})").format(sql.Identifier("e", column), sql.Literal(sorted(values))))
    if wanted.is_open is not None:
        parts.append(sql.SQL("e.closed_at IS NULL" if wanted.is_open else "e.closed_at IS NOT NULL"))
    if wanted.overdue is not None:
        test = "coalesce(e.closed_at, now()) > e.deadline_at"
        parts.append(sql.SQL(test if wanted.overdue else f"({test}) IS NOT TRUE"))
    if wanted.box:
        west, south, east, north = (sql.Literal(side) for side in wanted.box)
        parts.append(sql.SQL("e.geom && ST_MakeEnvelope({}, {}, {}, {}, 4490)").format(west, south, east, north))
    return sql.SQL(" AND ").join(parts)
