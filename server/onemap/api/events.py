"""Events: list, histogram, one with its history; one filter for all of them."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated

import h3
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentScope, parse_box
from onemap.domain.event import After, EventFilter
from onemap.errors import BadQuery
from onemap.store import events as store

router = APIRouter(prefix="/api/events", tags=["events"])

MAX_PAGE, MAX_BINS = 500, 400
#: A cell of fewer events than this shows no number.
SMALL = 5


class EventOut(BaseModel):
    """One event of the list."""

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


class ActionOut(BaseModel):
    """One step of an event's way."""

    seq: int
    action: str
    to_state: str
    actor_post: str | None
    note: str | None
    at: datetime


class EventDetailOut(EventOut):
    """One event with its way so far."""

    history: list[ActionOut]


class EventCountsOut(BaseModel):
    """How many events the filter means."""

    n: int
    n_open: int
    n_overdue: int
    by_level: tuple[int, int, int, int]


class EventPageOut(BaseModel):
    """A page of events; ``next`` goes on behind its last one."""

    counts: EventCountsOut
    events: list[EventOut]
    next: str | None


class BinOut(BaseModel):
    """How many events of a level fall into a bin."""

    bin: int
    level: int
    n: int


class HistogramOut(BaseModel):
    """Counts in equal bins between two moments; bins without events are left out."""

    since: datetime
    until: datetime
    n_bins: int
    bins: list[BinOut]


class CellOut(BaseModel):
    """One hexagon; ``n`` is null where fewer than five events lie in it."""

    h3: str
    n: int | None
    ring: list[tuple[float, float]]


class HeatOut(BaseModel):
    """Hexagons of one size; ``breaks`` are the upper ends of the legend's classes but the last."""

    resolution: int
    edge_m: float
    breaks: list[int]
    cells: list[CellOut]


def _filter(
    area: str | None = None,
    grid_code: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    level: Annotated[list[int] | None, Query()] = None,
    kind: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[str] | None, Query()] = None,
    template: Annotated[list[str] | None, Query()] = None,
    is_open: bool | None = None,
    overdue: bool | None = None,
    bbox: str | None = None,
) -> EventFilter:
    return EventFilter(
        area=area or None,
        grid_code=grid_code,
        since=since,
        until=until,
        levels=frozenset(level or ()),
        kinds=frozenset(kind or ()),
        states=frozenset(state or ()),
        templates=frozenset(template or ()),
        is_open=is_open,
        overdue=overdue,
        box=parse_box(bbox) if bbox else None,
    )


Wanted = Annotated[EventFilter, Depends(_filter)]


@router.get("")
def list_events(
    wanted: Wanted,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    after: str | None = None,
) -> EventPageOut:
    """Events by level, then time, newest first, with the counts of the whole filter."""
    layer = catalog.layer("events")
    with db.connection() as connection:
        counts = store.counts(connection, layer, scope, wanted)
        found = store.page(connection, layer, scope, wanted, limit=limit + 1, after=_unpack(after) if after else None)
    shown = found[:limit]
    return EventPageOut(
        counts=EventCountsOut.model_validate(counts, from_attributes=True),
        events=[EventOut.model_validate(event, from_attributes=True) for event in shown],
        next=_pack(shown[-1]) if len(found) > limit else None,
    )


@router.get("/histogram")
def event_histogram(
    wanted: Wanted,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    bins: Annotated[int, Query(ge=1, le=MAX_BINS)] = 48,
) -> HistogramOut:
    """How many events of each level were reported in equal bins between ``since`` and ``until``."""
    if wanted.since is None or wanted.until is None:
        raise BadQuery("A histogram needs since and until.").in_chinese("时间分布须有开始和结束时间。")
    with db.connection() as connection:
        found = store.histogram(connection, catalog.layer("events"), scope, wanted, wanted.since, wanted.until, bins)
    return HistogramOut(
        since=wanted.since,
        until=wanted.until,
        n_bins=bins,
        bins=[BinOut.model_validate(part, from_attributes=True) for part in found],
    )


@router.get("/heat")
def event_heat(
    wanted: Wanted,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    resolution: Annotated[int, Query(ge=4, le=store.CELL_RESOLUTION)] = 9,
) -> HeatOut:
    """How many events lie in each H3 cell; cells of fewer than five say so instead of their number."""
    with db.connection() as connection:
        cells = store.heat(connection, catalog.layer("events"), scope, wanted, resolution=resolution)
    return HeatOut(
        resolution=resolution,
        edge_m=h3.average_hexagon_edge_length(resolution, unit="m"),
        breaks=readable_breaks([n for _, n in cells if n >= SMALL]),
        cells=[_cell_out(cell, n) for cell, n in cells],
    )


@router.get("/{event_no}")
def event_with_history(event_no: str, catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope) -> EventDetailOut:
    """One event with its way so far."""
    with db.connection() as connection:
        found, history = store.event(connection, catalog.layer("events"), scope, event_no)
    shown = EventOut.model_validate(found, from_attributes=True)
    steps = [ActionOut.model_validate(step, from_attributes=True) for step in history]
    return EventDetailOut(**shown.model_dump(), history=steps)


def readable_breaks(counts: list[int], n_classes: int = 6) -> list[int]:
    """Ends of quantile classes, rounded to two digits, each once and rising: what a legend can say."""
    if not counts:
        return []
    ranked = sorted(counts)
    ends: list[int] = []
    for i in range(1, n_classes):
        end = ranked[min(len(ranked) - 1, len(ranked) * i // n_classes)]
        digits = max(0, len(str(end)) - 2)
        end = round(end, -digits)
        if (not ends or end > ends[-1]) and end < ranked[-1]:
            ends.append(end)
    return ends


def _cell_out(cell: int, n: int) -> CellOut:
    name = h3.int_to_str(cell)
    ring = [(round(lon, 7), round(lat, 7)) for lat, lon in h3.cell_to_boundary(name)]
    return CellOut(h3=name, n=n if n >= SMALL else None, ring=ring)


def _pack(event: store.Event) -> str:
    return base64.urlsafe_b64encode(f"{event.level}|{event.reported_at.isoformat()}|{event.fid}".encode()).decode()


def _unpack(token: str) -> After:
    try:
        level, moment, fid = base64.urlsafe_b64decode(token.encode()).decode().split("|")
        return After(int(level), datetime.fromisoformat(moment), int(fid))
    except (binascii.Error, ValueError, UnicodeError):
        raise BadQuery("after is no place that an earlier page gave as next.").in_chinese(
            "after 不是前一页给出的位置。"
        ) from None
