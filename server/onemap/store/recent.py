"""What takes long to compute and may be some seconds old: kept for a while, computed once for all who ask meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future


class Recent[Key: Hashable, Value]:
    """
    Values by key, each younger than ``kept_s`` seconds; may be asked from any thread.

    Parameters
    ----------
    kept_s
        How old an answer may be.
    most
        So many keys are kept; with one more all are forgotten.
    """

    def __init__(self, kept_s: float, *, most: int = 256, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept_s, self._most, self._clock = kept_s, most, clock
        self._lock = threading.Lock()
        self._known: dict[Key, tuple[float, Future[Value]]] = {}

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value that is known, or a new one; what ``make`` raises is raised to all who wait for it and not kept."""
        now = self._clock()
        with self._lock:
            at, value = self._known.get(key, (-self._kept_s, Future[Value]()))
            mine = now >= at + self._kept_s
            if mine:
                if len(self._known) >= self._most:
                    self._known.clear()
                value = Future()
                self._known[key] = (now, value)
        if mine:
            try:
                value.set_result(make())
            except BaseException as failed:  # noqa: BLE001 it is raised again, to all who wait
                value.set_exception(failed)
                with self._lock:
                    self._known.pop(key, None)
        return value.result()
