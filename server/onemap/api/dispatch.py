"""Sending a post to an event, and taking it back within half a minute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from onemap.api.deps import CurrentActor, CurrentCatalog, CurrentDb, CurrentScope
from onemap.api.events import EventOut
from onemap.domain.layer import Catalog, Layer
from onemap.store import dispatch as store
from onemap.store import events

router = APIRouter(prefix="/api/events", tags=["events"])


class DispatchIn(BaseModel):
    """Who is to go; ``client_id`` is the asker's own number for the request: sent twice, done once."""

    responder_id: str = Field(min_length=1, max_length=80)
    note: str | None = Field(default=None, max_length=500)
    client_id: str = Field(min_length=1, max_length=80)


class DispatchOut(BaseModel):
    """The event as it is now, the step in its history, and until when that can be taken back."""

    event: EventOut
    action_seq: int
    undo_until: datetime


class UndoneOut(BaseModel):
    """The event as it is now."""

    event: EventOut


@router.post("/{event_no}/dispatch")
def dispatch_responder(
    event_no: str, order: DispatchIn, catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope, actor: CurrentActor
) -> DispatchOut:
    """Send a post to an event; whoever sends at once has accepted and triaged the event as well."""
    wanted = store.Order(event_no, order.responder_id, order.note, order.client_id)
    with db.connection() as connection:
        sent = store.dispatch(connection, _layers(catalog), scope, wanted, actor=actor, now=datetime.now(UTC))
        event, _ = events.event(connection, catalog.layer("events"), scope, event_no)
    return DispatchOut(
        event=EventOut.model_validate(event, from_attributes=True), action_seq=sent.seq, undo_until=sent.undo_until
    )


@router.delete("/{event_no}/dispatch/{action_seq}")
def take_dispatch_back(
    event_no: str,
    action_seq: Annotated[int, Path(ge=1, le=32_767)],
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    actor: CurrentActor,
) -> UndoneOut:
    """Take back a dispatch of one's own within 30 seconds."""
    with db.connection() as connection:
        store.take_back(connection, _layers(catalog), scope, event_no, action_seq, actor=actor, now=datetime.now(UTC))
        event, _ = events.event(connection, catalog.layer("events"), scope, event_no)
    return UndoneOut(event=EventOut.model_validate(event, from_attributes=True))


def _layers(catalog: Catalog) -> tuple[Layer, Layer]:
    return catalog.layer("events"), catalog.layer("responders")
