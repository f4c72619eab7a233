"""List, counts and histogram of events come from one filter and agree."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import h3
import numpy as np
import pytest

from onemap.api.events import readable_breaks
from onemap.store.db import Db
from onemap.store.events import index_cells
from tests.api.conftest import Ask

NOW = datetime(2026, 9, 18, 12, tzinfo=UTC)
AREA = "990101001001"


@pytest.fixture
def events(db: Db) -> list[dict[str, object]]:
    """Two hundred events over ten days, as they were written."""
    rng = np.random.default_rng(1)
    rows = []
    for i in range(200):
        reported = NOW - timedelta(minutes=int(rng.integers(1, 14_400)))
        closed = reported + timedelta(hours=2) if rng.random() < 0.7 else None
        rows.append({
            "no": f"SJ-{i:04}", "level": int(rng.integers(1, 5)), "kind": str(rng.choice(["gas", "noise", "waste"])),
            "reported": reported, "deadline": reported + timedelta(hours=int(rng.integers(1, 4))), "closed": closed,
            "lon": 117.3 + float(rng.random()) / 100, "area": AREA if i % 4 else "990101001002",
        })  # fmt: skip
    with db.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO core.event (event_no, area_code, title, kind, level, state, reported_at, deadline_at, closed_at, geom) "
            "VALUES (%(no)s, %(area)s, '示例', %(kind)s, %(level)s, 'processing', %(reported)s, %(deadline)s, %(closed)s, "
            "ST_Point(%(lon)s, 31.7, 4490))",
            rows,
        )
        cursor.execute("INSERT INTO core.event_action VALUES ('SJ-0001', 1, 'report', 'reported', '居民', NULL, now())")
    return rows


def test_pages_follow_each_other_without_gap_or_repetition(ask: Ask, events: list[dict[str, object]]) -> None:
    client, seen, after = ask(), [], None
    while True:
        page = client.get("/api/events", params={"limit": 30, **({"after": after} if after else {})}).json()
        seen += page["events"]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len({event["event_no"] for event in seen}) == len(events)
    assert all((a["level"], a["reported_at"]) >= (b["level"], b["reported_at"]) for a, b in pairwise(seen))


@pytest.mark.parametrize("seed", range(6))
def test_list_counts_and_histogram_agree_with_a_plain_count(
    ask: Ask, events: list[dict[str, object]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    levels = [int(level) for level in rng.choice([1, 2, 3, 4], size=2, replace=False)]
    kind = str(rng.choice(["gas", "noise", "waste"]))
    since = NOW - timedelta(days=int(rng.integers(2, 10)))
    is_open = bool(rng.integers(2))
    expected = [
        row for row in events
        if row["level"] in levels and row["kind"] == kind and row["reported"] >= since and row["area"] == AREA  # type: ignore[operator]
        and (row["closed"] is None) == is_open
    ]  # fmt: skip
    params = {
        "area": AREA, "level": levels, "kind": kind, "is_open": is_open,
        "since": since.isoformat(), "until": NOW.isoformat(), "limit": 500,
    }  # fmt: skip
    client = ask()
    page = client.get("/api/events", params=params).json()
    bins = client.get("/api/events/histogram", params=params).json()["bins"]
    assert page["counts"]["n"] == len(page["events"]) == sum(part["n"] for part in bins) == len(expected)
    assert sum(page["counts"]["by_level"]) == len(expected)
    assert {event["event_no"] for event in page["events"]} == {row["no"] for row in expected}


@pytest.mark.usefixtures("events")
def test_overdue_and_its_contrary_make_up_the_whole(ask: Ask) -> None:
    client = ask()
    parts = [client.get("/api/events", params={"overdue": value}).json()["counts"]["n"] for value in (True, False)]
    assert sum(parts) == 200
    assert min(parts) > 0


@pytest.mark.usefixtures("events")
def test_an_event_shows_its_history(ask: Ask) -> None:
    detail = ask().get("/api/events/SJ-0001").json()
    assert [step["to_state"] for step in detail["history"]] == ["reported"]


@pytest.mark.usefixtures("events")
def test_the_public_sees_no_events(ask: Ask) -> None:
    far = ask(peer="192.0.2.7")
    for path in (
        "/api/events",
        "/api/events/SJ-0001",
        "/api/events/histogram?since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z",
    ):
        assert far.get(path).status_code == 404


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("level=7", "level must be from 1 to 4"),
        ("area=x", "area is 'x'"),
        ("kind=a%25b", "is no code"),
        ("since=2026-05-06T14:30:00", "since"),
        ("since=2026-05-06T00:00:00Z&until=2026-05-05T00:00:00Z", "since must be before until"),
        ("after=zzz", "no place that an earlier page gave"),
        ("limit=0", "limit"),
    ],
)
def test_a_filter_that_cannot_be_read_is_explained(ask: Ask, query: str, sentence: str) -> None:
    answer = ask().get(f"/api/events?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize("resolution", [6, 8, 9, 10])
def test_heat_counts_each_event_in_the_cell_above_its_finest_one(
    ask: Ask, db: Db, events: list[dict[str, object]], resolution: int
) -> None:
    with db.connection() as connection:
        assert index_cells(connection) == len(events)
        assert index_cells(connection) == 0
    # the parent of the finest cell: at the rims of a hexagon that is not always the cell of the place itself
    expected = Counter(h3.cell_to_parent(h3.latlng_to_cell(31.7, row["lon"], 10), resolution) for row in events)
    heat = ask().get("/api/events/heat", params={"resolution": resolution}).json()
    assert {cell["h3"]: cell["n"] for cell in heat["cells"]} == {
        cell: n if n >= 5 else None for cell, n in expected.items()
    }
    assert heat["breaks"] == sorted(set(heat["breaks"]))


def test_breaks_of_a_legend_are_few_rising_and_readable() -> None:
    assert readable_breaks([]) == []
    assert readable_breaks([7, 7, 7]) == []
    assert readable_breaks(list(range(5, 1205))) == [200, 400, 600, 800, 1000]
