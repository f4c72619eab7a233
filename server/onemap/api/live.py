"""What happens, as it happens: a stream of server-sent events that a reader can leave and come back to."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from onemap.api.deps import CurrentParts, CurrentScope
from onemap.api.events import EventOut

router = APIRouter(prefix="/api/live", tags=["live"])

_NUMBER = re.compile(r"[0-9]{1,18}")


class ChangeOut(BaseModel):
    """``event: change``: an event as it is now, or that this reader sees it no more."""

    seq: int
    layer: Literal["events"]
    what: Literal["events"]
    event_no: str
    op: Literal["upsert", "delete"]
    event: EventOut | None


class _Stream(StreamingResponse):
    media_type = "text/event-stream"


async def _always() -> bool:
    return True


@router.get("", response_class=_Stream, responses={200: {"model": ChangeOut, "description": "A stream of changes."}})
async def follow_changes(
    request: Request,
    parts: CurrentParts,
    scope: CurrentScope,
    since: Annotated[int | None, Query(ge=0, lt=10**18, description="the last change that the reader knows")] = None,
    last_event_id: Annotated[str | None, Header(description="the same, as browsers send it")] = None,
) -> StreamingResponse:
    """
    Changes as server-sent events, for ``EventSource``.

    First ``hello`` {seq, server_time, demo}; then ``change`` for each event that changed, ``layer`` {layer} when
    another layer was written, ``reset`` {seq} when too much happened to be told one by one: load everything anew.
    Whoever comes back with ``Last-Event-ID`` hears what was missed.
    """
    known = int(last_event_id) if last_event_id and _NUMBER.fullmatch(last_event_id) else since
    frames = await parts.follow(scope, known, request.scope.get("onemap.still_allowed", _always))
    return _Stream(frames, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
