"""Indicators equal what a plain look at the raw rows says."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from onemap.domain.kpi import KPIS
from onemap.domain.layer import Catalog
from onemap.domain.scope import PUBLIC, STAFF
from onemap.errors import LayerNotFound
from onemap.store.db import Db
from onemap.store.kpis import Measured, measure, series
from tests.api.conftest import Ask

NOW = datetime(2026, 9, 18, 4, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 9, 18, tzinfo=ZoneInfo("Asia/Shanghai"))
HERE, ELSEWHERE = "990101001001", "990101002001"

type Row = dict[str, object]


@pytest.fixture
def events(db: Db) -> list[Row]:
    """Three hundred events of three months in two communities."""
    rng = np.random.default_rng(2)
    rows: list[Row] = []
    for i in range(300):
        reported = NOW - timedelta(minutes=int(rng.integers(1, 130_000)))
        closed = reported + timedelta(minutes=int(rng.integers(10, 6_000)))
        closed = closed if closed < NOW and rng.random() < 0.9 else None
        rows.append({
            "no": f"SJ-{i}", "area": HERE if rng.random() < 0.6 else ELSEWHERE, "reported": reported, "closed": closed,
            "responded": reported + timedelta(minutes=int(rng.integers(1, 30))),
            "deadline": reported + timedelta(minutes=int(rng.integers(10, 6_000))),
            "level": str(rng.choice(["grid", "community", "street"])) if closed else None,
            "rating": int(rng.integers(1, 6)) if closed and rng.random() < 0.5 else None,
            "template": str(rng.choice(["service", "dispute"])),
            "state": "closed" if closed else str(rng.choice(["reported", "processing"])),
        })  # fmt: skip
    with db.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO core.event (event_no, area_code, title, kind, level, state, template, reported_at, responded_at, "
            "deadline_at, closed_at, resolved_at_level, rating, geom) VALUES (%(no)s, %(area)s, '示例', 'gas', 1, %(state)s, "
            "%(template)s, %(reported)s, %(responded)s, %(deadline)s, %(closed)s, %(level)s, %(rating)s, ST_Point(117.3, 31.7, 4490))",
            rows,
        )
    return rows


def ask_kpi(db: Db, catalog: Catalog, name: str, area: str | None) -> Measured:
    kpi = next(kpi for kpi in KPIS if kpi.name == name)
    with db.connection() as connection:
        return measure(connection, catalog, STAFF, kpi, area=area, now=NOW)


def closed_in_month(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["closed"] and row["closed"] > NOW - timedelta(days=30)]  # type: ignore[operator]


@pytest.mark.parametrize("area", [None, HERE])
def test_each_number_follows_from_the_rows(db: Db, catalog: Catalog, events: list[Row], area: str | None) -> None:
    rows = [row for row in events if area is None or row["area"] == area]
    month, still = closed_in_month(rows), [row for row in rows if row["closed"] is None]

    def number(name: str) -> Measured:
        return ask_kpi(db, catalog, name, area)

    assert number("open_events").value == len(still)
    assert number("reported_today").value == sum(row["reported"] >= MIDNIGHT for row in rows)  # type: ignore[operator]
    assert number("overdue").value == sum(row["deadline"] < NOW for row in still)  # type: ignore[operator]
    assert number("waiting").value == sum(row["state"] == "reported" for row in still)
    minutes = [(row["responded"] - row["reported"]).total_seconds() / 60 for row in month]  # type: ignore[operator]
    assert number("response_median").value == pytest.approx(median(minutes))
    on_time = number("on_time")
    assert (on_time.numerator, on_time.denominator) == (sum(r["closed"] <= r["deadline"] for r in month), len(month))  # type: ignore[operator]
    assert on_time.value == pytest.approx((on_time.numerator or 0) / len(month))
    assert number("resolved_in_grid").numerator == sum(row["level"] == "grid" for row in month)
    disputes = [row for row in month if row["template"] == "dispute"]
    assert (number("mediation").numerator, number("mediation").denominator) == (
        sum(row["level"] in ("grid", "community") for row in disputes),
        len(disputes),
    )
    ratings = [row["rating"] for row in month if row["rating"]]
    assert number("satisfaction").value == pytest.approx(sum(ratings) / len(ratings))  # type: ignore[arg-type]


def test_a_grid_has_its_own_numbers(db: Db, catalog: Catalog, events: list[Row]) -> None:
    grid, inside = f"{HERE}007", events[:40]
    with db.connection() as connection:
        connection.execute(
            "UPDATE core.event SET grid_code = %s WHERE event_no = ANY(%s)", [grid, [row["no"] for row in inside]]
        )
    assert ask_kpi(db, catalog, "open_events", grid).value == sum(row["closed"] is None for row in inside)
    assert ask_kpi(db, catalog, "resolved_in_grid", grid).denominator == len(closed_in_month(inside))
    assert ask_kpi(db, catalog, "cameras_online", grid).denominator == 0


@pytest.mark.parametrize("at", ["2026-09-18T04:30", "2026-09-17T16:00", "2026-09-18T15:59:59", "2026-08-01T00:00"])
def test_windows_cut_days_where_they_begin(db: Db, catalog: Catalog, events: list[Row], at: str) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    kpi = next(kpi for kpi in KPIS if kpi.name == "resolved_in_grid")
    with db.connection() as connection:
        found = measure(connection, catalog, STAFF, kpi, area=None, now=now)
    windows = [
        [
            row
            for row in events
            if row["closed"] and now - timedelta(days=30 * k + 30) < row["closed"] <= now - timedelta(days=30 * k)
        ]  # type: ignore[operator]
        for k in (0, 1)
    ]
    assert found.denominator == len(windows[0])
    for value, rows in zip((found.value, found.previous), windows, strict=True):
        assert value == pytest.approx(sum(row["level"] == "grid" for row in rows) / len(rows))


@pytest.mark.parametrize("area", [None, HERE, f"{HERE}007"])
def test_a_series_gives_each_day_of_the_city_its_number(
    db: Db, catalog: Catalog, events: list[Row], area: str | None
) -> None:
    with db.connection() as connection:
        inside = [row["no"] for row in events[:40]]
        connection.execute("UPDATE core.event SET grid_code = %s WHERE event_no = ANY(%s)", [f"{HERE}007", inside])
        found = {
            kpi.name: series(connection, catalog, STAFF, kpi, area=area, now=NOW, days=40)
            for kpi in KPIS
        }  # fmt: skip
    of_area = {None: events, HERE: [row for row in events if row["area"] == HERE]}
    rows = of_area.get(area, events[:40])
    city = ZoneInfo("Asia/Shanghai")

    def on(day: date, what: str) -> list[Row]:
        return [row for row in rows if row[what] and row[what].astimezone(city).date() == day]  # type: ignore[attr-defined]

    last = NOW.astimezone(city).date()
    for back in (0, 1, 7, 39):
        day, at = last - timedelta(days=back), 39 - back
        ends = datetime.combine(day + timedelta(days=1), time(), city)
        closed = on(day, "closed")
        assert found["reported_today"][at].value == len(on(day, "reported"))
        assert found["open_events"][at].value == sum(
            row["reported"] < ends and (row["closed"] is None or row["closed"] >= ends) for row in rows  # type: ignore[operator]
        )  # fmt: skip
        assert found["on_time"][at].numerator == sum(row["closed"] <= row["deadline"] for row in closed)  # type: ignore[operator]
        assert found["resolved_in_grid"][at].denominator == len(closed)
        rated = [row["rating"] for row in closed if row["rating"]]
        assert found["satisfaction"][at].value == (pytest.approx(sum(rated) / len(rated)) if rated else None)  # type: ignore[arg-type]
        minutes = [(row["responded"] - row["reported"]).total_seconds() / 60 for row in closed]  # type: ignore[operator]
        assert found["response_median"][at].value == (pytest.approx(median(minutes)) if minutes else None)
        assert found["response_median"][at].day == day
    assert [one.value for one in found["waiting"][:-1]] == [None] * 39
    assert found["waiting"][-1].value == ask_kpi(db, catalog, "waiting", area).value


def test_the_tallies_follow_every_write(db: Db, events: list[Row]) -> None:
    recount = (
        "SELECT coalesce(area_code, ''), kind, level, state, template, source, (closed_at > deadline_at) IS TRUE, count(*) "
        "FROM core.event WHERE closed_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7"
    )
    kept = "SELECT * FROM core.event_kind_tally WHERE n <> 0 ORDER BY 1, 2, 3, 4, 5, 6, 7"
    with db.connection() as connection:
        for write in (
            "SELECT 1",
            "UPDATE core.event SET state = 'archived', closed_at = now() WHERE closed_at IS NULL AND fid %% 2 = 0",
            "UPDATE core.event SET closed_at = NULL, area_code = NULL WHERE fid %% 11 = 0",
            "UPDATE core.event SET level = 3, deadline_at = NULL WHERE fid %% 3 = 0",
            "DELETE FROM core.event WHERE fid %% 5 = 0",
        ):
            connection.execute(write, {})
            assert connection.execute(kept).fetchall() == connection.execute(recount).fetchall()
            days = connection.execute("SELECT sum(n_reported), sum(n_closed) FROM core.event_day_tally").fetchone()
            assert days == connection.execute("SELECT count(*), count(closed_at) FROM core.event").fetchone()
        connection.execute("TRUNCATE core.event CASCADE")
        assert connection.execute("SELECT count(*) FROM core.event_day_tally").fetchone() == (0,)


def test_nothing_by_nothing_is_no_number(db: Db, catalog: Catalog) -> None:
    rate = ask_kpi(db, catalog, "on_time", None)
    assert (rate.numerator, rate.denominator, rate.value, rate.previous) == (0, 0, None, None)


def test_an_indicator_without_data_says_why(ask: Ask) -> None:
    kpis = {kpi["name"]: kpi for kpi in ask().get("/api/kpis").json()["kpis"]}
    assert set(kpis) == {kpi.name for kpi in KPIS}
    assert kpis["life_circle"]["missing"]["zh"]
    assert kpis["on_time"]["value"] is None


def test_the_public_gets_no_internal_number(ask: Ask, db: Db, catalog: Catalog, events: list[Row]) -> None:
    kpis = {kpi["name"]: kpi for kpi in ask(peer="192.0.2.7").get("/api/kpis").json()["kpis"]}
    assert (kpis["open_events"]["allowed"], kpis["open_events"]["value"]) == (False, None)
    with db.connection() as connection, pytest.raises(LayerNotFound):
        measure(connection, catalog, PUBLIC, KPIS[0], area=None, now=NOW)


@pytest.mark.parametrize(("query", "sentence"), [("name=fame", "no indicator 'fame'"), ("area=x", "area")])
def test_an_unknown_indicator_or_area_is_explained(ask: Ask, query: str, sentence: str) -> None:
    answer = ask().get(f"/api/kpis?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]
