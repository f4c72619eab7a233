"""Values that may be some seconds old are computed once for all who ask meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from onemap.store.recent import Recent


def test_a_value_is_kept_for_its_time_and_then_made_anew() -> None:
    now, made = [0.0], list[str]()
    recent = Recent[str, int](10.0, most=2, clock=lambda: now[0])

    def make() -> int:
        made.append("x")
        return len(made)

    assert [recent.get("a", make), recent.get("a", make), recent.get("b", make)] == [1, 1, 2]
    now[0] = 9.9
    assert recent.get("a", make) == 1
    now[0] = 10.0
    assert recent.get("a", make) == 3
    assert recent.get("c", make) == 4


def test_who_asks_meanwhile_waits_for_the_one_who_computes() -> None:
    recent, began, go_on, made = Recent[str, int](10.0), threading.Event(), threading.Event(), list[int]()

    def make() -> int:
        made.append(1)
        began.set()
        assert go_on.wait(30)
        return 7

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(recent.get, "a", make)
        assert began.wait(30)
        others = [threads.submit(recent.get, "a", make) for _ in range(2)]
        go_on.set()
        assert [one.result() for one in (first, *others)] == [7, 7, 7]
    assert len(made) == 1


def test_what_failed_is_not_kept() -> None:
    recent = Recent[str, int](10.0)
    with pytest.raises(ZeroDivisionError):
        recent.get("a", lambda: 1 // 0)
    assert recent.get("a", lambda: 5) == 5
