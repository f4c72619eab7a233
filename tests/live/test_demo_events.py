"""The demo city goes on by the clock: the same whoever looks and however often, gently, and invented events alone."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from onemap.demo.day import reports_between, way_of
from onemap.domain.event import TRANSITIONS
from onemap.domain.layer import Catalog
from onemap.domain.scope import EVERYTHING, Permission, Scope
from onemap.live import demo_events
from onemap.live.demo_events import LivingDemo
from onemap.settings import Settings
from onemap.store import dispatch
from onemap.store.cluster import Cluster
from onemap.store.db import Db
from tests.conftest import copy_of

#: 80,000 events in five years: some 44 a day.
N, THEN = 80_000, datetime(2026, 5, 6, 1, 0, tzinfo=UTC)


def invented(db: Db) -> Db:
    """A city as the loader leaves it, with a hundred events where it had 80,000; an open one, and one of a real city."""
    with db.connection() as connection:
        connection.execute(
            "INSERT INTO core.event (fid, event_no, area_code, grid_code, title, kind, level, state, template, reported_at, closed_at, geom) "
            "SELECT n * 800, 'OLD-' || n, '990101001001', '990101001001001', '燃气异味', 'gas', 1 + n %% 4, 'archived', 'hazard', "
            "%(then)s - n * interval '1 day', %(then)s - n * interval '1 day', ST_Point(117.3, 31.7, 4490) FROM generate_series(1, 100) AS n",
            {"then": THEN},
        )
        for no, area in (("OPEN", "990101001001"), ("REAL", "340104001001")):
            connection.execute(
                "INSERT INTO core.event (fid, event_no, area_code, title, kind, level, state, reported_at, geom) "
                "VALUES (DEFAULT, %s, %s, '示例', 'gas', 2, 'accepted', %s, ST_Point(117.3, 31.7, 4490))",
                (no, area, THEN - timedelta(days=2)),
            )
        connection.execute(
            "INSERT INTO core.meta (key, value) VALUES ('demo', jsonb_build_object("
            "'seed', 1, 'now', %s::text, 'counts', jsonb_build_object('core.event', %s::integer)))", (THEN.isoformat(), N),
        )  # fmt: skip
    return db


def all_of(db: Db) -> list[tuple[object, ...]]:
    """Events with their histories."""
    with db.connection() as connection:
        return connection.execute(
            "SELECT e.event_no, e.state, e.reported_at, e.responded_at, e.closed_at, e.rating, "
            "array_agg(a.seq || a.action || a.at ORDER BY a.seq) FROM core.event AS e LEFT JOIN core.event_action AS a USING (event_no) "
            "WHERE NOT starts_with(event_no, 'OLD') GROUP BY e.event_no ORDER BY e.event_no"
        ).fetchall()


def go(city: LivingDemo, now: datetime) -> int:
    """Steps until nothing is left to be caught up with."""
    n = 1
    while city.step(now):
        n += 1
    return n


def test_a_day_is_the_same_in_one_piece_and_in_many() -> None:
    whole = reports_between(1, N, THEN, THEN + timedelta(days=30))
    parts = [
        report
        for k in range(30 * 24)
        for report in reports_between(1, N, THEN + timedelta(hours=k), THEN + timedelta(hours=k + 1))
    ]
    assert parts == whole
    assert len({report.event_no for report in whole}) == len(whole)
    assert 30 * 44 * 0.8 < len(whole) < 30 * 44 * 1.2
    assert reports_between(2, N, THEN, THEN + timedelta(days=1)) != reports_between(
        1, N, THEN, THEN + timedelta(days=1)
    )


def test_every_way_is_one_that_events_may_go() -> None:
    for n in range(300):
        way = way_of(1, f"E{n}", THEN, 24 * 3600)
        states = ["reported", *(step.to_state for step in way.steps)]
        assert all(to in TRANSITIONS[at] for at, to in itertools.pairwise(states))
        times = [step.at for step in way.steps]
        assert times == sorted(times)
        assert (way.rating is None) == (states[-1] == "closed")


def test_who_looks_often_and_who_looks_once_find_the_same(cluster: Cluster, template: str) -> None:
    found = []
    for every in (timedelta(minutes=47), timedelta(days=2)):
        for url in copy_of(cluster, template):
            with Db(url, max_size=2) as db:
                city, now = LivingDemo(invented(db)), THEN
                while now < THEN + timedelta(days=2):
                    now = min(now + every, THEN + timedelta(days=2))
                    go(city, now)
                found.append(all_of(db))
    assert found[0] == found[1]
    states = {row[1] for row in found[0]}
    assert {"closed", "rated", "processing"} <= states
    real = next(row for row in found[0] if row[0] == "REAL")
    assert (real[1], real[4]) == ("accepted", None)
    done = next(row for row in found[0] if row[0] == "OPEN")
    assert done[1] in ("closed", "rated", "feedback", "processing")


def test_a_long_pause_is_caught_up_with_in_small_pieces_and_not_filled_altogether(db: Db) -> None:
    now = THEN + timedelta(days=300)
    n_steps = go(LivingDemo(invented(db)), now)
    assert n_steps == demo_events.LONGEST / demo_events.PIECE
    with db.connection() as connection:
        row = connection.execute(
            "SELECT min(reported_at), max(reported_at), count(*), count(*) FILTER (WHERE closed_at IS NULL) "
            "FROM core.event WHERE starts_with(event_no, 'SJ-')"
        ).fetchone()
    assert row is not None
    first, last, n, n_open = row
    assert now - demo_events.LONGEST <= first < last <= now
    assert 7 * 44 * 0.7 < n < 7 * 44 * 1.3
    assert 0 < n_open < n / 2
    assert not LivingDemo(db).step(now)  # what is done is done
    assert len(all_of(db)) == n + 2


def test_a_post_that_was_sent_by_hand_arrives_and_is_free_again(db: Db, catalog: Catalog) -> None:
    city = LivingDemo(invented(db))
    go(city, THEN + timedelta(seconds=1))
    with db.connection() as connection:
        connection.execute(
            "INSERT INTO core.responder (responder_id, area_code, post, role, on_duty) VALUES ('R', '990101001001', 'R', 'grid_officer', TRUE)"
        )
        layers = (catalog.layer("events"), catalog.layer("responders"))
        may = Scope(None, EVERYTHING.classes, frozenset({Permission.DISPATCH}))
        sent_at = THEN + timedelta(seconds=2)
        dispatch.dispatch(connection, layers, may, dispatch.Order("OPEN", "R", None, "1"), actor="desk", now=sent_at)

    def now() -> tuple[object, ...]:
        with db.connection() as connection:
            row = connection.execute(
                "SELECT e.state, r.n_tasks FROM core.event AS e, core.responder AS r WHERE e.event_no = 'OPEN'"
            ).fetchone()
        assert row is not None
        return row

    go(city, sent_at + timedelta(seconds=31))
    assert now() == ("dispatched", 1)
    go(city, sent_at + timedelta(days=3))
    assert now() in (("closed", 0), ("rated", 0))


@pytest.mark.parametrize(
    ("environment", "goes_on"), [({}, True), ({"ONEMAP_DEMO_LIVE": "off"}, False), ({"ONEMAP_DEMO": "none"}, False)]
)
def test_it_can_be_switched_off(environment: dict[str, str], goes_on: bool) -> None:
    assert Settings.from_env(environment).demo_goes_on == goes_on
