"""What happened to events, in order, as each reader may see it: an outbox that triggers fill."""

from __future__ import annotations

from dataclasses import dataclass

from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.store.db import AsyncDb
from onemap.store.events import Event
from onemap.store.named import compose, named, statement
from onemap.store.scope import predicate

#: Who missed more than this is better off loading everything anew.
MOST_CHANGES = 5_000
#: How long changes are kept for those who were away, seconds.
KEPT_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Known:
    """The oldest and newest change that are kept (0 for none), and whether the data are the demo's."""

    oldest: int
    newest: int
    is_demo: bool

    def reaches_back_to(self, since: int) -> bool:
        """Whether nothing behind a number is missing."""
        return self.oldest - 1 <= since <= self.newest


@dataclass(frozen=True, slots=True)
class Change:
    """One event as it is now; ``event`` is None where the reader does not see it any more."""

    seq: int
    event_no: str
    event: Event | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened up to ``until``; ``is_reset`` where it is too much to be told."""

    changes: tuple[Change, ...]
    until: int
    is_reset: bool


async def known(db: AsyncDb) -> Known:
    """Which changes are kept."""
    async with db.connection() as connection:
        cursor = await connection.execute(statement(named("changes")["known"]))
        row = await cursor.fetchone()
    return Known(*(row or (0, 0, False)))


async def changes_since(db: AsyncDb, layer: Layer, scope: Scope, since: int) -> Changes:
    """What happened behind a number: each event once, as it is now."""
    query = compose(
        named("changes")["since"], is_seen=predicate(layer, scope, "e"), was_seen=predicate(layer, scope, "c")
    )
    async with db.connection() as connection:
        cursor = await connection.execute(query, {"since": since, "n_rows": MOST_CHANGES + 1})
        rows = await cursor.fetchall()
    until = rows[-1][0] if rows else since
    if len(rows) > MOST_CHANGES or any(event_no is None for _, event_no, *_ in rows):
        return Changes((), until, is_reset=True)
    told: dict[str, Change] = {}
    for seq, event_no, is_told, *event in rows:
        if is_told:
            told.pop(event_no, None)  # so that it stands where it happened last
            told[event_no] = Change(seq, event_no, Event(*event) if event[0] is not None else None)
    return Changes(tuple(told.values()), until, is_reset=False)


async def purge(db: AsyncDb, kept_s: float = KEPT_S) -> None:
    """Let go of changes that nobody will ask for."""
    async with db.connection() as connection:
        await connection.execute(statement(named("changes")["purge"]), {"kept_s": kept_s})
