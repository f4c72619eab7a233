"""The demo city as it goes on: new events like earlier ones, steps of their ways; only where codes begin with 99."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from onemap.store.db import Connection
from onemap.store.named import named, statement


@dataclass(frozen=True, slots=True)
class Facts:
    """What was invented when, with how many events, and up to when it has gone on."""

    seed: int
    invented_at: datetime
    n_events: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Going:
    """An event on its way."""

    event_no: str
    state: str
    template: str
    level: int
    reported_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class New:
    """A new event: like which earlier one."""

    event_no: str
    like_fid: int
    reported_at: datetime
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken."""

    event_no: str
    doing: str
    to_state: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Now:
    """What an event has come to."""

    event_no: str
    state: str
    responded_at: datetime | None
    closed_at: datetime | None
    rating: int | None
    resolved_at_level: str | None


def facts(connection: Connection) -> Facts | None:
    """What there is to go on with, if it is this process's turn; None else."""
    turn = connection.execute(statement(_sql()["turn"])).fetchone()
    row = connection.execute(statement(_sql()["facts"])).fetchone() if turn and turn[0] else None
    if row is None:
        return None
    noted, until = row
    invented_at = datetime.fromisoformat(noted["now"])
    n_events = int(noted.get("counts", {}).get("core.event", 0))
    return Facts(int(noted["seed"]), invented_at, n_events, datetime.fromisoformat(until) if until else invented_at)


def note(connection: Connection, known: Facts, until: datetime) -> None:
    """Remember up to when the city has gone on."""
    value = Jsonb({"of": known.invented_at.isoformat(), "until": until.isoformat()})
    connection.execute(statement(_sql()["note"]), {"value": value})


def like(connection: Connection, known: Facts, places: Sequence[int]) -> dict[int, tuple[int, str, int]]:
    """Number, template and level of earlier events, by their place in the order of loading, from 0 on."""
    values = {"fids": [place + 1 for place in places], "n_events": known.n_events}
    rows = connection.execute(statement(_sql()["like"]), values).fetchall()
    return {asked - 1: (fid, template, level) for asked, fid, template, level in rows}


def report(connection: Connection, new: Sequence[New]) -> None:
    """Write new events and the first step of each."""
    values: dict[str, Any] = {
        "numbers": [one.event_no for one in new],
        "fids": [one.like_fid for one in new],
        "reported": [one.reported_at for one in new],
        "deadlines": [one.deadline_at for one in new],
    }
    connection.execute(statement(_sql()["report"]), values)
    connection.execute(statement(_sql()["first_steps"]), values)


def going_on(connection: Connection, now: datetime) -> list[Going]:
    """The invented events on their way that nobody holds at the moment."""
    return [Going(*row) for row in connection.execute(statement(_sql()["going_on"]), {"now": now}).fetchall()]


def move_on(connection: Connection, done: Sequence[Done], come_to: Sequence[Now], now: datetime) -> None:
    """Write steps and what the events have come to; posts sent to closed ones are free again."""
    steps = {
        "numbers": [one.event_no for one in done],
        "doing": [one.doing for one in done],
        "states": [one.to_state for one in done],
        "actors": [one.actor for one in done],
        "at": [one.at for one in done],
    }
    connection.execute(statement(_sql()["act"]), steps)
    states = {
        "numbers": [one.event_no for one in come_to],
        "states": [one.state for one in come_to],
        "responded": [one.responded_at for one in come_to],
        "closed": [one.closed_at for one in come_to],
        "ratings": [one.rating for one in come_to],
        "resolved": [one.resolved_at_level for one in come_to],
    }
    connection.execute(statement(_sql()["move_on"]), states)
    closed = [one.event_no for one in come_to if one.closed_at is not None]
    connection.execute(statement(_sql()["free"]), {"numbers": closed, "now": now})


def _sql() -> Mapping[str, str]:
    return named("demo_live")
