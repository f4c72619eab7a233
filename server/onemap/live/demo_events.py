"""Lets the demo city go on: new invented events at its rate, open ones on their way. Only codes that begin with 99."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from onemap.demo.day import Way, reports_between, term_s, way_of
from onemap.demo.events import YEARS
from onemap.domain.event import STEPS, WAY
from onemap.errors import OneMapError
from onemap.store import demo_live as store
from onemap.store.db import Connection, Db

STEP_S = 10.0
#: After a pause the city is caught up with in pieces this large and this far apart: nobody is flooded.
PIECE, CATCH_UP_S = timedelta(hours=6), 1.0
#: A longer pause than this is not filled: its first part stays empty.
LONGEST = timedelta(days=7)
#: Events of a large city that are written at once, about, and ways that are kept in mind.
_MOST, _MOST_KEPT = 250, 50_000
_RANK = {state: rank for rank, state in enumerate(WAY)}

_log = structlog.get_logger()


async def let_demo_go_on(db: Db) -> None:
    """Write what has happened in the demo city since the last time, every few seconds, until cancelled."""
    city = LivingDemo(db)
    while True:
        behind = False
        try:
            behind = await asyncio.to_thread(city.step, datetime.now(UTC).replace(microsecond=0))
        except OneMapError as error:
            _log.warning("demo.events", error=str(error))
        await asyncio.sleep(CATCH_UP_S if behind else STEP_S)


class LivingDemo:
    """The demo city of a database as time goes by."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._ways: dict[tuple[datetime, str, datetime | None], Way] = {}

    def step(self, now: datetime) -> bool:
        """Go on for one piece of time; whether more is left to be caught up with."""
        with self._db.connection() as connection:
            known = store.facts(connection)
            if known is None or now <= known.until:
                return False
            since = max(known.until, now - LONGEST)
            until = min(now, since + _piece(known))
            _report(connection, known, since, until)
            self._move_on(connection, known, until)
            store.note(connection, known, until)
        return until < now

    def _move_on(self, connection: Connection, known: store.Facts, until: datetime) -> None:
        done: list[store.Done] = []
        come_to: list[store.Now] = []
        for event in store.going_on(connection, until):
            way = self._way(known, event)
            steps = [one for one in way.due(until) if _RANK[one.to_state] > _RANK[event.state]]
            if not steps:
                continue
            done += [store.Done(event.event_no, STEPS[one.to_state], one.to_state, one.actor, one.at) for one in steps]
            times = {one.to_state: one.at for one in steps}
            come_to.append(
                store.Now(
                    event.event_no,
                    steps[-1].to_state,
                    times.get("processing"),
                    times.get("closed"),
                    way.rating if "rated" in times else None,
                    way.resolved_at_level,
                )
            )
        if done:
            store.move_on(connection, done, come_to, until)

    def _way(self, known: store.Facts, event: store.Going) -> Way:
        key = (known.invented_at, event.event_no, event.sent_at)
        way = self._ways.get(key)
        if way is None:
            begins_at = max(event.reported_at, known.invented_at)
            way = way_of(known.seed, event.event_no, begins_at, term_s(event.template, event.level))
            if event.sent_at is not None:
                way = way.after_dispatch(event.sent_at)
            if len(self._ways) >= _MOST_KEPT:
                self._ways = {}
            self._ways[key] = way
        return way


def _piece(known: store.Facts) -> timedelta:
    """As much time as brings a bounded number of events."""
    per_day = known.n_events / (YEARS * 365.25)
    return min(PIECE, timedelta(days=_MOST / per_day)) if per_day > 0 else PIECE


def _report(connection: Connection, known: store.Facts, since: datetime, until: datetime) -> None:
    reports = reports_between(known.seed, known.n_events, since, until)
    like = store.like(connection, known, [report.like for report in reports]) if reports else {}
    new = []
    for report in reports:
        if report.like in like:
            fid, template, level = like[report.like]
            deadline_at = report.reported_at + timedelta(seconds=term_s(template, level))
            new.append(store.New(report.event_no, fid, report.reported_at, deadline_at))
    if new:
        store.report(connection, new)
