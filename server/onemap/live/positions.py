"""Takes reports of positions: one writer a process, which writes all that gathered meanwhile in one transaction.

A report is acknowledged after the commit that holds it. While one transaction runs, the reports of many requests gather
for the next, so that thousands a second take a few dozen commits.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import structlog

from onemap.domain.layer import Catalog
from onemap.domain.scope import Permission, Scope
from onemap.errors import Clash, InputRefused, OneMapError, TooBusy
from onemap.store import positions as store
from onemap.store.db import Connection, Db
from onemap.store.positions import Receipt, Report

#: Clocks of handsets may run ahead of ours by this much.
AHEAD = timedelta(seconds=60)
#: Reports that wait to be written; beyond this the next is told to come back.
MOST_WAITING = 50_000
#: At most this many are written in one transaction.
MOST_TOGETHER = 5_000
#: Seconds that are waited for more to gather; the second when the last transaction held more than MANY requests.
GATHER_S, GATHER_MANY_S, MANY = 0.02, 0.05, 10
#: So many requests are answered before others have their turn on the loop.
_AT_A_TIME = 4
#: Days of history are tended this often, seconds.
TEND_S = 3600.0
_TRIES = 3

_log = structlog.get_logger()

type Moved = Callable[[Sequence[Report]], None]


def _nobody(_: Sequence[Report]) -> None:
    """Nobody follows."""


@dataclass(frozen=True, slots=True)
class _Request:
    scope: Scope
    reports: tuple[Report, ...]
    done: asyncio.Future[Receipt]


class Positions:
    """
    The reports of one process on their way into the database.

    Parameters
    ----------
    db
        A pool of its own: a report never waits for readers.
    moved
        Called with the newest report of each post after they were committed.
    kept_days
        How long the history is kept.
    """

    def __init__(self, db: Db, catalog: Catalog, *, moved: Moved = _nobody, kept_days: int) -> None:
        self._db, self._layer, self._moved = db, catalog.layer("responders"), moved
        self._kept = timedelta(days=kept_days)
        self._waiting: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._n_waiting = 0
        self._thread: threading.Thread | None = None
        self._n_last = 0
        self._tended_at = -TEND_S
        #: The backend that writes: what it says has been written is known here already.
        self.backend = 0

    def start(self) -> None:
        """Begin to write."""
        self._db.open()
        self._thread = threading.Thread(target=self._write_all, name="onemap positions", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float) -> None:
        """Write what waits, then end."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(patience_s)
        self._db.close()

    async def report(self, scope: Scope, reports: tuple[Report, ...]) -> Receipt:
        """
        Keep reports; all of them or, where one cannot be taken, none.

        Raises
        ------
        InputRefused
            A time lies in the future, or a post is not known; the sentence names it.
        """
        scope.require(Permission.POSITIONS)
        now = datetime.now(UTC)
        for report in reports:
            if report.at > now + AHEAD:
                raise InputRefused(
                    f"Report {report.seq} of {report.responder_id} is from the future ({report.at.isoformat()}, it is "
                    f"{now.isoformat(timespec='seconds')}); nothing was kept."
                )
        if self._n_waiting + len(reports) > MOST_WAITING:
            raise TooBusy(f"{self._n_waiting} positions wait to be written already; send these again in a moment.")
        request = _Request(scope, reports, asyncio.get_running_loop().create_future())
        self._n_waiting += len(reports)
        self._waiting.put(request)
        try:
            return await request.done
        finally:
            self._n_waiting -= len(reports)

    def _write_all(self) -> None:
        ending = False
        while not ending:
            self._tend()
            try:
                first = self._waiting.get(timeout=TEND_S)
            except queue.Empty:
                continue
            requests, ending = self._gather(first)
            if requests:
                self._write(requests)

    def _gather(self, first: _Request | None) -> tuple[list[_Request], bool]:
        """What waits, and whether the end was among it."""
        if first is None:
            return [], True
        # Slept through: a writer that wakes for each request takes the processor from those who answer them.
        time.sleep(GATHER_MANY_S if self._n_last > MANY else GATHER_S)
        requests, n = [first], len(first.reports)
        while n < MOST_TOGETHER:
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                break
            if request is None:
                return requests, True
            requests.append(request)
            n += len(request.reports)
        self._n_last = len(requests)
        return requests, False

    def _write(self, requests: list[_Request]) -> None:
        """One transaction for all; where that fails, one for each, so that nobody pays for another."""
        now = datetime.now(UTC)
        for _ in range(_TRIES):
            try:
                answers, kept = store.transact(self._db, lambda connection: self._keep(connection, requests, now))
            except Clash:
                continue
            except OneMapError as error:
                if len(requests) > 1:
                    for request in requests:
                        self._write([request])
                else:
                    _log.warning("positions.refused", error=str(error))
                    _tell(requests, [error])
                return
            except Exception as bug:  # noqa: BLE001 a broken batch must not end the writer
                _log.error("bug", exc_info=bug)
                _tell(requests, [bug] * len(requests))
                return
            self._move(kept)
            _tell(requests, answers)
            return
        busy = TooBusy("Others write the same positions; send these again in a moment.")
        _tell(requests, [busy] * len(requests))

    def _move(self, kept: list[Report]) -> None:
        """Tell who follows, before whoever reported can ask; what was committed is answered whatever they do."""
        try:
            self._moved(store.newest_of(kept))
        except Exception as bug:  # noqa: BLE001 a broken follower must not end the writer
            _log.error("bug", exc_info=bug)

    def _keep(
        self, connection: Connection, requests: list[_Request], now: datetime
    ) -> tuple[list[Receipt | InputRefused], list[Report]]:
        self.backend = connection.info.backend_pid
        duty = {
            scope: store.on_duty(connection, self._layer, scope, _ids(requests, scope))
            for scope in {request.scope for request in requests}
        }
        seen = store.kept_before(connection, [report for request in requests for report in request.reports])
        answers: list[Receipt | InputRefused] = []
        kept: list[Report] = []
        for request in requests:
            posts = duty[request.scope]
            unknown = sorted({report.responder_id for report in request.reports} - posts.keys())
            if unknown:
                answers.append(_unknown(unknown))
                continue
            n = [0, 0, 0, 0]
            for report in request.reports:
                key = (report.client_id, report.seq)
                if not posts[report.responder_id]:
                    n[2] += 1
                elif report.at <= now - self._kept:
                    n[3] += 1
                elif key in seen:
                    n[1] += 1
                else:
                    n[0] += 1
                    seen.add(key)
                    kept.append(report)
            answers.append(Receipt(now, *n))
        if kept:
            store.keep(connection, kept, now)
        return answers, kept

    def _tend(self) -> None:
        if time.monotonic() < self._tended_at + TEND_S:
            return
        self._tended_at = time.monotonic()
        today = datetime.now(UTC).date()
        try:
            dropped = store.transact(self._db, lambda connection: store.tend_days(connection, today, self._kept.days))
        except OneMapError as error:
            _log.warning("positions.days", error=str(error))
            return
        if dropped:
            _log.info("positions.dropped", days=dropped)


def _tell(requests: list[_Request], answers: Sequence[Receipt | Exception]) -> None:
    """Answer requests from the writer's thread: the loop is woken once for all of them."""
    left = zip(requests, answers, strict=True)
    loop = requests[0].done.get_loop()

    def tell() -> None:
        some = list(islice(left, _AT_A_TIME))
        for request, answer in some:
            if request.done.done():  # whoever asked has gone
                continue
            if isinstance(answer, Receipt):
                request.done.set_result(answer)
            else:
                request.done.set_exception(answer)
        if some:
            loop.call_soon(tell)

    with suppress(RuntimeError):  # the loop has ended: nobody waits any more
        loop.call_soon_threadsafe(tell)


def _ids(requests: list[_Request], scope: Scope) -> set[str]:
    return {report.responder_id for request in requests if request.scope == scope for report in request.reports}


def _unknown(ids: list[str]) -> InputRefused:
    named = ", ".join(f"'{one}'" for one in ids[:10]) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
    return InputRefused(f"No post of yours is called {named}; nothing of this request was kept.")
