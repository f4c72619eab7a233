"""Who should go: the nearest responders of a point or of an event, with routes and reasons."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from onemap.analyses.nearest import NearestAnswer, nearest_to
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentParts, CurrentScope, parse_point
from onemap.engine.network.access import MODES
from onemap.engine.network.responders import NotAtOnce
from onemap.engine.network.roster import Ask
from onemap.store import events

router = APIRouter(prefix="/api", tags=["responders"])

MAX_K = 50
#: So many of those passed over are named; the rest is counted.
MOST_SKIPPED = 200


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
    reason_code: str = Field(description="what counts most of reason_codes")
    reason_codes: list[str] = Field(
        description="all that holds: own_grid, home_grid, neighbouring_grid, has_skill, ..."
    )
    skills: list[str] = Field(description="those asked for or of use here, that this responder has")
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
    skipped: list[SkippedOut] = Field(description=f"the first {MOST_SKIPPED} of those passed over")
    n_skipped: dict[str, int] = Field(description="all of those passed over, counted by reason")
    assumptions: list[str]


@router.get("/responders/nearest", response_model=NearestOut)
async def nearest_responders(
    parts: CurrentParts,
    scope: CurrentScope,
    point: Annotated[str, Query(description="longitude,latitude in degrees")],
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 5,
    mode: Annotated[str, Query(pattern=f"^({'|'.join(MODES)})$")] = "foot",
    skill: Annotated[list[str] | None, Query()] = None,
    area: Annotated[str, Query(pattern=r"^[0-9]{0,12}$")] = "",
) -> Response:
    """The responders who reach a point soonest by network time, each with the reason for its rank."""
    lon, lat = parse_point(point)
    question = partial(
        nearest_to,
        parts.responders,
        scope,
        lon=lon,
        lat=lat,
        mode=mode,
        ask=Ask(k=k, skills=frozenset(skill or ()), area=area),
        now=datetime.now(UTC),
        most_skipped=MOST_SKIPPED,
    )
    try:  # mostly a millisecond of work: handing it to a thread and waiting for that takes longer
        found = question(at_once=True)
    except NotAtOnce:
        found = await run_in_threadpool(question)
    return _out(found, mode)


@router.get("/events/{event_no}/responders", response_model=NearestOut)
def responders_of_event(
    event_no: str,
    parts: CurrentParts,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 5,
    mode: Annotated[str | None, Query(pattern=f"^({'|'.join(MODES)})$")] = None,
) -> Response:
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
        most_skipped=MOST_SKIPPED,
    )
    return _out(found, mode or rules.mode)


def _out(found: NearestAnswer, mode: str) -> Response:
    """The answer, written out here: a model checked twice costs more than the search."""
    told = NearestOut(
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
                reason_codes=list(route.candidate.reason_codes),
                skills=list(route.candidate.skills),
                n_tasks=route.post.n_tasks,
                position_at=route.post.position_at,
                route=route.lonlat,
            )
            for route in found.routes
        ],
        skipped=[
            SkippedOut(id=str(one.id), post=post, reason=one.reason, reason_code=one.reason_code)
            for one, post in found.skipped
        ],
        n_skipped=found.n_skipped,
        assumptions=list(found.notes),
    )
    return Response(told.model_dump_json(), media_type="application/json")
