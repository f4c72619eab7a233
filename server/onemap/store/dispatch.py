"""Sending a post to an event, and taking that back: the event's state and history, the post's tasks, the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from onemap.domain.event import STEPS, steps_to_dispatch
from onemap.domain.layer import Layer
from onemap.domain.scope import Permission, Scope
from onemap.errors import Conflict, FeatureNotFound, NotAllowed
from onemap.store.accounts import audit
from onemap.store.db import Connection
from onemap.store.named import compose, named, statement
from onemap.store.scope import predicate

#: How long a dispatch can be taken back.
UNDO = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Order:
    """Who is to be sent where; ``client_id`` is the asker's own number for the request: asked twice, done once."""

    event_no: str
    responder_id: str
    note: str | None
    client_id: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The step of the event's history, and until when it can be taken back."""

    seq: int
    undo_until: datetime


def dispatch(
    connection: Connection, layers: tuple[Layer, Layer], scope: Scope, order: Order, *, actor: str, now: datetime
) -> Sent:
    """
    Send a post to an event; ``layers`` are those of events and responders.

    Raises
    ------
    Conflict
        The event is over or with somebody already, the post is off duty, or the number was used for something else.
    """
    scope.require(Permission.DISPATCH)
    events, responders = layers
    state = _locked(connection, events, scope, order.event_no)
    known = {"actor": actor, "client_id": order.client_id}
    before = connection.execute(statement(_sql()["asked_before"]), known).fetchone()
    if before is not None:
        if before[:2] != (order.event_no, order.responder_id):
            raise _used_before(order)
        return Sent(before[2], before[3] + UNDO)
    post = _fit(connection, responders, scope, order.responder_id)
    steps = steps_to_dispatch(order.event_no, state)
    seq = 0
    for step in steps:
        told = f"派遣给 {post}" + (f"：{order.note}" if order.note else "") if step == "dispatched" else None
        seq = _act(connection, order.event_no, STEPS[step], step, actor, told, now)
    values = {"event_no": order.event_no, "responder_id": order.responder_id, "seq": seq, "state_before": state}
    try:
        connection.execute(statement(_sql()["send"]), {**values, **known, "at": now})
    except psycopg.errors.UniqueViolation as twice:
        raise _used_before(order) from twice
    connection.execute(statement(_sql()["set_state"]), {"event_no": order.event_no, "to_state": steps[-1]})
    connection.execute(statement(_sql()["add_task"]), values)
    audit(connection, actor, "event.dispatch", {name: values[name] for name in ("event_no", "responder_id", "seq")})
    return Sent(seq, now + UNDO)


def take_back(
    connection: Connection,
    layers: tuple[Layer, Layer],
    scope: Scope,
    event_no: str,
    seq: int,
    *,
    actor: str,
    now: datetime,
) -> None:
    """
    Undo a dispatch of one's own, soon after; doing it twice is doing it once.

    Raises
    ------
    Conflict
        It is too late, or the event went on.
    """  # fmt: skip
    scope.require(Permission.DISPATCH)
    state = _locked(connection, layers[0], scope, event_no)
    row = connection.execute(statement(_sql()["sent"]), {"event_no": event_no, "seq": seq}).fetchone()
    if row is None:
        raise FeatureNotFound("events", f"{event_no}/dispatch/{seq}")
    responder_id, sender, state_before, at, undone_at = row
    if sender != actor:
        raise NotAllowed("A dispatch is taken back by the desk that sent it.").in_chinese("派遣只能由派出的岗位撤回。")
    if undone_at is not None:
        return
    last = connection.execute(statement(_sql()["last_step"]), {"event_no": event_no}).fetchone()
    if state != "dispatched" or last != (seq,):
        raise Conflict(f"Event {event_no} went on ({state}); the dispatch cannot be taken back.").in_chinese(
            f"事件 {event_no} 已经往下办理，派遣不能撤回。"
        )
    if now > at + UNDO:
        raise Conflict(f"A dispatch can be taken back for {UNDO.seconds} seconds; that time is over.").in_chinese(
            f"派遣在 {UNDO.seconds} 秒内可以撤回，现已超过。"
        )
    _act(connection, event_no, "undo_dispatch", state_before, actor, None, now)
    values = {"event_no": event_no, "seq": seq, "responder_id": responder_id, "at": now}
    connection.execute(statement(_sql()["undo"]), values)
    connection.execute(statement(_sql()["set_state"]), {"event_no": event_no, "to_state": state_before})
    connection.execute(statement(_sql()["drop_task"]), values)
    audit(connection, actor, "event.dispatch.undo", {"event_no": event_no, "responder_id": responder_id, "seq": seq})


def _sql() -> Mapping[str, str]:
    return named("dispatch")


def _locked(connection: Connection, events: Layer, scope: Scope, event_no: str) -> str:
    query = compose(_sql()["lock"], scope=predicate(events, scope, "e"))
    row = connection.execute(query, {"event_no": event_no}).fetchone()
    if row is None:
        raise FeatureNotFound(events.name, event_no)
    return str(row[0])


def _fit(connection: Connection, responders: Layer, scope: Scope, responder_id: str) -> str:
    query = compose(_sql()["post"], scope=predicate(responders, scope, "e"))
    row = connection.execute(query, {"responder_id": responder_id}).fetchone()
    if row is None:
        raise FeatureNotFound(responders.name, responder_id)
    post, on_duty = row
    if not on_duty:
        raise Conflict(f"{post} is off duty and cannot be sent.").in_chinese(f"{post}不在岗，不能派遣。")
    return str(post)


def _used_before(order: Order) -> Conflict:
    return Conflict(f"The client_id '{order.client_id}' was used for another dispatch.").in_chinese(
        "这个 client_id 已用于另一次派遣。"
    )


def _act(
    connection: Connection, event_no: str, doing: str, to_state: str, actor: str, remark: str | None, now: datetime
) -> int:
    values = {
        "event_no": event_no, "doing": doing, "to_state": to_state, "actor": actor, "remark": remark, "at": now,
    }  # fmt: skip
    row = connection.execute(statement(_sql()["act"]), values).fetchone()
    return int(row[0]) if row else 0
