"""Events: list, histogram, one with its history; one filter for all of them."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentScope, parse_box
from onemap.domain.event import After, EventFilter
from onemap.errors import BadQuery
from onemap.store import events as store

router = APIRouter(prefix="/api/events", tags=["events"])

MAX_PAGE, MAX_BINS = 500, 400


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
        area=area,
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
        raise BadQuery("A histogram needs since and until.")
    with db.connection() as connection:
        found = store.histogram(connection, catalog.layer("events"), scope, wanted, wanted.since, wanted.until, bins)
    return HistogramOut(
        since=wanted.since,
        until=wanted.until,
        n_bins=bins,
        bins=[BinOut.model_validate(part, from_attributes=True) for part in found],
    )


@router.get("/{event_no}")
def event_with_history(event_no: str, catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope) -> EventDetailOut:
    """One event with its way so far."""
    with db.connection() as connection:
        found, history = store.event(connection, catalog.layer("events"), scope, event_no)
    shown = EventOut.model_validate(found, from_attributes=True)
    steps = [ActionOut.model_validate(step, from_attributes=True) for step in history]
    return EventDetailOut(**shown.model_dump(), history=steps)


def _pack(event: store.Event) -> str:
    return base64.urlsafe_b64encode(f"{event.level}|{event.reported_at.isoformat()}|{event.fid}".encode()).decode()


def _unpack(token: str) -> After:
    try:
        level, moment, fid = base64.urlsafe_b64decode(token.encode()).decode().split("|")
        return After(int(level), datetime.fromisoformat(moment), int(fid))
    except (binascii.Error, ValueError, UnicodeError):
        raise BadQuery("after is no place that an earlier page gave as next.") from None
