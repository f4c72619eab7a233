"""Indicators equal what a plain look at the raw rows says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from onemap.domain.kpi import KPIS
from onemap.domain.layer import Catalog
from onemap.domain.scope import PUBLIC, STAFF
from onemap.errors import LayerNotFound
from onemap.store.db import Db
from onemap.store.kpis import Measured, measure
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
