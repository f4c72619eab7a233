"""What happens, told to whoever listens: server-sent events from one LISTEN a process and a sequence to catch up from.

Each reader has a place in the sequence of changes. A notice wakes the readers, and each asks for what lies behind its
place, so that a reader who was away, one who is slow and one who is up to date are all served by the same question;
readers with the same rights at the same place share its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime

import orjson
import structlog
from prometheus_client import Gauge

from onemap.domain.layer import Catalog
from onemap.domain.scope import Scope
from onemap.errors import DatabaseError, TooBusy
from onemap.store import changes as store
from onemap.store.db import AsyncDb

EVENTS = "events"
#: More streams than this in one process, and the next is told to come back.
MOST_STREAMS = 500
#: Something is said at least this often, so that a dead connection is noticed at both ends, seconds.
PING_S = 15.0
#: Writes this close together are told at once, seconds: to events, to other layers.
EVENTS_TOGETHER_S, LAYERS_TOGETHER_S = 0.05, 1.0
#: Old changes are let go this often, seconds.
PURGE_S = 600.0

STREAMS = Gauge("onemap_streams", "Open streams of changes.", multiprocess_mode="livesum")

_log = structlog.get_logger()

type Allowed = Callable[[], Awaitable[bool]]


class LiveChanges:
    """The readers of one process who listen."""

    def __init__(self, adb: AsyncDb, catalog: Catalog, *, most_streams: int = MOST_STREAMS) -> None:
        self._adb, self._catalog = adb, catalog
        self._most = most_streams
        self._listeners: set[_Listener] = set()
        self._answers: dict[tuple[Scope, int], asyncio.Task[store.Changes]] = {}
        #: What was written and is told in a moment: events soon, the other layers together.
        self._soon: set[str] = set()
        self._together: set[str] = set()
        self._closed = False

    # What happens ---------------------------------------------------------------------------------------------------

    def written(self, layer: str) -> None:
        """A layer was written; on the event loop."""
        waiting, delay_s = (self._soon, EVENTS_TOGETHER_S) if layer == EVENTS else (self._together, LAYERS_TOGETHER_S)
        if not waiting:
            asyncio.get_running_loop().call_later(delay_s, self._tell, waiting)
        waiting.add(layer)

    def missed(self) -> None:
        """Notices may have been lost: everything may have been written."""
        for layer in self._catalog:
            self.written(layer.name)

    def close(self) -> None:
        """End all streams and take no more; on the event loop."""
        self._closed = True
        for listener in self._listeners:
            listener.hear(())

    async def purge(self) -> None:
        """Let old changes go from time to time, until cancelled."""
        while True:
            try:
                await store.purge(self._adb)
            except DatabaseError as gone:
                _log.warning("live.purge", error=str(gone))
            await asyncio.sleep(PURGE_S)

    def _tell(self, waiting: set[str]) -> None:
        if EVENTS in waiting:
            self._answers.clear()
        for listener in self._listeners:
            listener.hear(waiting)
        waiting.clear()

    # Who listens ----------------------------------------------------------------------------------------------------

    async def follow(self, scope: Scope, since: int | None, allowed: Allowed) -> AsyncGenerator[bytes]:
        """
        What a reader is told, as server-sent events; ends when the server does.

        Parameters
        ----------
        since
            The last change that the reader knows; None to begin now.
        allowed
            Asked with every ping: whether the reader may still listen.
        """
        if self._closed:
            raise TooBusy("The server is stopping; come back in a moment.").in_chinese("服务器正在停止，请稍后再来。")
        if len(self._listeners) >= self._most:
            raise TooBusy(f"{self._most} screens follow this server already; try again in a moment.").in_chinese(
                f"已有 {self._most} 个屏幕连着这台服务器，请稍后再试。"
            )
        return self._frames(scope, since, await store.known(self._adb), allowed)

    async def _frames(
        self, scope: Scope, since: int | None, known: store.Known, allowed: Allowed
    ) -> AsyncGenerator[bytes]:
        listener = _Listener()
        self._listeners.add(listener)
        STREAMS.inc()
        try:
            sees_events = scope.sees(self._catalog.layer(EVENTS))
            place = since if since is not None and sees_events else known.newest
            yield _frame("hello", {"seq": place, "server_time": datetime.now(UTC), "demo": known.is_demo}, place)
            if not known.reaches_back_to(place):
                place = known.newest
                yield _frame("reset", {"seq": place}, place)
            listener.hear({EVENTS})  # what happened between then and now
            while not self._closed:
                stirred = await listener.stirs()
                written = listener.take()
                if EVENTS in written and sees_events:
                    found = await self._behind(scope, place)
                    if found is None:
                        written.discard(EVENTS)
                        listener.layers.add(EVENTS)  # asked again when something stirs, or with the next ping
                    elif found.until > place:
                        place = found.until
                        yield _told(found)
                for layer in sorted(written - {EVENTS}):
                    if scope.sees(self._catalog.layer(layer)):
                        yield _frame("layer", {"layer": layer})
                if not stirred:
                    if not await allowed():
                        return
                    yield b": still here\n\n"
        finally:
            STREAMS.dec()
            self._listeners.discard(listener)

    async def _behind(self, scope: Scope, place: int) -> store.Changes | None:
        """What lies behind a place; None while the database does not answer."""
        key = (scope, place)
        task = self._answers.get(key)
        if task is None:
            layer = self._catalog.layer(EVENTS)
            task = asyncio.create_task(store.changes_since(self._adb, layer, scope, place))
            self._answers[key] = task
        try:
            return await asyncio.shield(task)
        except DatabaseError as gone:
            self._answers.pop(key, None)
            _log.warning("live.waits", error=str(gone))
            return None


class _Listener:
    """One open stream: which layers were written since it last looked."""

    __slots__ = ("_stirred", "layers")

    def __init__(self) -> None:
        self.layers: set[str] = set()
        self._stirred = asyncio.Event()

    def hear(self, layers: Iterable[str]) -> None:
        """Something was written, or everything ends."""
        self.layers.update(layers)
        self._stirred.set()

    def take(self) -> set[str]:
        """What was written since the last time."""
        self._stirred.clear()
        layers, self.layers = self.layers, set()
        return layers

    async def stirs(self) -> bool:
        """Wait until something happens; False when it is time for a ping instead."""
        try:
            async with asyncio.timeout(PING_S):
                await self._stirred.wait()
        except TimeoutError:
            return False
        return True


def _told(found: store.Changes) -> bytes:
    """Changes in their order; the last one carries the place that the answer goes up to."""
    if found.is_reset:
        return _frame("reset", {"seq": found.until}, found.until)
    frames = []
    for change in found.changes:
        seq = found.until if change is found.changes[-1] else change.seq
        document = {
            "seq": seq,
            "layer": EVENTS,
            "what": EVENTS,
            "event_no": change.event_no,
            "op": "delete" if change.event is None else "upsert",
            "event": None if change.event is None else asdict(change.event),
        }
        frames.append(_frame("change", document, seq))
    return b"".join(frames)


def _frame(event: str, document: dict[str, object], seq: int | None = None) -> bytes:
    number = b"" if seq is None else b"id: %d\n" % seq
    return b"%bevent: %b\ndata: %b\n\n" % (number, event.encode(), orjson.dumps(document, option=orjson.OPT_UTC_Z))
