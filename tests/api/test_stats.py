"""Trends and distributions equal what a plain look at the raw rows says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from onemap.domain.layer import Catalog
from onemap.domain.scope import PUBLIC, STAFF
from onemap.errors import LayerNotFound
from onemap.store.db import Db
from onemap.store.stats import BY, StatsRow, Window, event_stats
from tests.api.conftest import Ask

CITY = ZoneInfo("Asia/Shanghai")
UNTIL = datetime(2026, 9, 18, 4, 30, tzinfo=UTC)
HERE, NEXT, ELSEWHERE = "990101001001", "990101001002", "990102001001"

type Row = dict[str, Any]


@pytest.fixture
def rows(db: Db) -> list[Row]:
    """Four hundred events of six weeks in three communities."""
    rng = np.random.default_rng(3)
    made: list[Row] = []
    for i in range(400):
        reported = UNTIL - timedelta(minutes=int(rng.integers(-2_000, 60_000)))
        made.append({
            "no": f"SJ-{i}", "area": str(rng.choice([HERE, NEXT, ELSEWHERE])), "grid": f"{HERE}{1 + i % 3:03}",
            "kind": str(rng.choice(["gas", "noise", "parking"])), "level": int(rng.integers(1, 5)),
            "source": str(rng.choice(["resident", "hotline"])), "reported": reported,
            "closed": reported + timedelta(minutes=int(rng.integers(5, 4_000))) if rng.random() < 0.8 else None,
            "deadline": reported + timedelta(minutes=int(rng.integers(5, 4_000))) if rng.random() < 0.9 else None,
        })  # fmt: skip
        made[-1]["state"] = "closed" if made[-1]["closed"] else "reported"
    with db.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO core.area (area_code, name, level, geom) VALUES ('{HERE}', '晴川社区', 'community', ST_Multi(ST_MakeEnvelope(117, 31, 118, 32, 4490)))"
        )
        cursor.executemany(
            "INSERT INTO core.event (event_no, area_code, grid_code, title, kind, level, state, source, reported_at, deadline_at, closed_at, geom) "
            "VALUES (%(no)s, %(area)s, %(grid)s, '示例', %(kind)s, %(level)s, %(state)s, %(source)s, %(reported)s, %(deadline)s, %(closed)s, "
            "ST_Point(117.3, 31.7, 4490))",
            made,
        )
    return made


KEYS: dict[str, Callable[[Row], str]] = {
    "day": lambda row: row["reported"].astimezone(CITY).date().isoformat(),
    "week": lambda row: (row["reported"].astimezone(CITY).date() - timedelta(days=row["reported"].astimezone(CITY).weekday())).isoformat(),
    "hour": lambda row: f"{row['reported'].astimezone(CITY):%H}",
    "kind": lambda row: row["kind"], "level": lambda row: str(row["level"]), "state": lambda row: row["state"],
    "source": lambda row: row["source"], "area": lambda row: row["area"][:6],
}  # fmt: skip


def ask(db: Db, catalog: Catalog, by: str, *, days: int = 30, area: str | None = None) -> list[StatsRow]:
    with db.connection() as connection:
        return event_stats(connection, catalog, STAFF, by, Window.of_days(days, UNTIL), area=area)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", BY)
def test_each_row_counts_its_events(db: Db, catalog: Catalog, rows: list[Row], by: str) -> None:
    since = datetime(2026, 8, 20, tzinfo=CITY)  # 30 days of the city, the 18th the last
    meant = [row for row in rows if since <= row["reported"] < UNTIL]
    found = {row.key: row for row in ask(db, catalog, by)}
    counted = Counter(map(KEYS[by], meant))
    assert {key: row.n for key, row in found.items() if row.n} == counted
    for key, row in found.items():
        mine = [one for one in meant if KEYS[by](one) == key]
        closed = [one for one in mine if one["closed"]]
        timed = [one for one in closed if one["deadline"]]
        assert (row.n_closed, row.n_open) == (len(closed), len(mine) - len(closed))
        late = [one for one in mine if one["deadline"] and (one["closed"] or datetime.now(UTC)) > one["deadline"]]
        assert row.n_overdue == len(late)
        on_time = sum(one["closed"] <= one["deadline"] for one in timed)
        assert row.on_time_share == (pytest.approx(on_time / len(timed)) if timed else None)


def test_time_has_no_holes(db: Db, catalog: Catalog) -> None:
    assert [row.key for row in ask(db, catalog, "day", days=3)] == ["2026-09-16", "2026-09-17", "2026-09-18"]
    assert [row.key for row in ask(db, catalog, "week", days=8)] == ["2026-09-07", "2026-09-14"]
    assert len(ask(db, catalog, "hour")) == 24


def test_areas_are_those_below_the_one_asked_for(db: Db, catalog: Catalog, rows: list[Row]) -> None:
    assert {row.key for row in ask(db, catalog, "area")} == {"990101", "990102"}
    below = {row.key: row for row in ask(db, catalog, "area", area="990101001")}
    assert below.keys() == {HERE, NEXT}
    title = below[HERE].title
    assert title is not None
    assert title.zh == "晴川社区"
    assert {row.key for row in ask(db, catalog, "area", area=HERE)} == {f"{HERE}{n:03}" for n in (1, 2, 3)}


def test_levels_and_kinds_are_named(db: Db, catalog: Catalog, rows: list[Row]) -> None:
    titles = {row.key: row.title.zh for row in ask(db, catalog, "kind") if row.title}
    assert titles.keys() == {"gas", "noise", "parking"}
    assert [row.key for row in ask(db, catalog, "level")] == ["1", "2", "3", "4"]


def test_the_public_gets_none(db: Db, catalog: Catalog, rows: list[Row]) -> None:
    with db.connection() as connection, pytest.raises(LayerNotFound):
        event_stats(connection, catalog, PUBLIC, "day", Window.of_days(30, UNTIL))


def test_over_http(ask: Ask, rows: list[Row]) -> None:
    client = ask()
    answer = client.get("/api/stats/events", params={"by": "day", "days": 7, "until": UNTIL.isoformat()}).json()
    assert len(answer["rows"]) == 7
    assert answer["since"].startswith("2026-09-12T00:00:00+08:00")
    assert client.get("/api/stats/events", params={"by": "weather"}).status_code in (400, 422)
    series = client.get("/api/kpis/open_events/series", params={"days": 5}).json()
    assert (series["name"], len(series["points"])) == ("open_events", 5)
    assert client.get("/api/kpis/weather/series").status_code == 400
