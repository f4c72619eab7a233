"""Who should go: the nearest responders of a point or of an event, with routes and reasons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from onemap.analyses.nearest import MODES, NearestAnswer, nearest_to
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentParts, CurrentScope
from onemap.engine.network.candidates import Ask
from onemap.errors import BadQuery
from onemap.store import events

router = APIRouter(prefix="/api", tags=["responders"])

MAX_K = 50


class CandidateOut(BaseModel):
    """One responder in order; ``route`` in degrees, empty for a straight line."""

    id: str
    post: str
    role: str
    seconds: float
    metres: float
    method: str
    snap_m: float | None
    reason: str
    reason_code: str
    n_tasks: int
    position_at: datetime | None
    route: list[tuple[float, float]]


class SkippedOut(BaseModel):
    """One responder who was passed over, and why."""

    id: str
    post: str
    reason: str
    reason_code: str


class NearestOut(BaseModel):
    """Who should go, who was passed over, and what was assumed."""

    mode: str
    snap_m: float
    candidates: list[CandidateOut]
    skipped: list[SkippedOut]
    assumptions: list[str]


@router.get("/responders/nearest")
def nearest_responders(
    parts: CurrentParts,
    scope: CurrentScope,
    point: Annotated[str, Query(description="longitude,latitude in degrees")],
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 5,
    mode: Annotated[str, Query(pattern=f"^({'|'.join(MODES)})$")] = "foot",
    skill: Annotated[list[str] | None, Query()] = None,
    area: Annotated[str, Query(pattern=r"^[0-9]{0,12}$")] = "",
) -> NearestOut:
    """The responders who reach a point soonest by network time, each with the reason for its rank."""
    lon, lat = _point(point)
    ask = Ask(k=k, skills=frozenset(skill or ()), area=area)
    found = nearest_to(parts.responders, scope, lon=lon, lat=lat, mode=mode, ask=ask, now=datetime.now(UTC))
    return _out(found, mode)


@router.get("/events/{event_no}/responders")
def responders_of_event(
    event_no: str,
    parts: CurrentParts,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 5,
    mode: Annotated[str | None, Query(pattern=f"^({'|'.join(MODES)})$")] = None,
) -> NearestOut:
    """The responders who can reach an event soonest, by the dispatch rules, each with the reason for its rank."""
    with db.connection() as connection:
        event, _ = events.event(connection, catalog.layer("events"), scope, event_no)
    rules = parts.dispatch
    found = nearest_to(
        parts.responders,
        scope,
        lon=event.lon,
        lat=event.lat,
        mode=mode or rules.mode,
        ask=rules.ask(event, k),
        now=datetime.now(UTC),
    )
    return _out(found, mode or rules.mode)


def _point(text: str) -> tuple[float, float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise BadQuery(f"point is '{text}'; it must be longitude,latitude in degrees.") from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadQuery(f"point is '{text}'; longitude comes first, then latitude, in degrees.")
    return lon, lat


def _out(found: NearestAnswer, mode: str) -> NearestOut:
    return NearestOut(
        mode=mode,
        snap_m=found.snap_m,
        candidates=[
            CandidateOut(
                id=str(route.candidate.id),
                post=route.post.post,
                role=route.post.role,
                seconds=route.candidate.seconds,
                metres=route.candidate.metres,
                method=route.candidate.method,
                snap_m=route.candidate.snap_m,
                reason=route.candidate.reason,
                reason_code=route.candidate.reason_code,
                n_tasks=route.post.n_tasks,
                position_at=route.post.position_at,
                route=route.lonlat,
            )
            for route in found.routes
        ],
        skipped=[
            SkippedOut(id=str(one.id), post=post.post, reason=one.reason, reason_code=one.reason_code)
            for one, post in found.skipped
        ],
        assumptions=list(found.notes),
    )
