"""The posts in memory give the answers that reading the database for each question gave."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from onemap.analyses import responders as held_responders
from onemap.analyses.nearest import NearestAnswer, nearest_to
from onemap.analyses.responders import Responders
from onemap.analyses.streets import DEGREES, StreetNetworks
from onemap.domain.layer import Catalog
from onemap.domain.scope import STAFF, Scope
from onemap.engine.network.candidates import choose
from onemap.engine.network.index import snap
from onemap.engine.network.responders import NotAtOnce, ResponderIndex
from onemap.engine.network.roster import Ask, Roster
from onemap.store import responders
from onemap.store.db import Db
from onemap.store.positions import Report

ELSEWHERE = "990199001001"
NOW = datetime.now(UTC)


def anew(
    db: Db, catalog: Catalog, scope: Scope, streets: StreetNetworks, lon: float, lat: float, mode: str, ask: Ask
) -> Any:
    """Everything read and placed for this question alone."""
    with db.connection() as connection:
        read = responders.roster(connection, catalog.layer("responders"), scope)
    posts = [read.row(row) for row in range(len(read))]
    held = streets.network(mode)
    at = np.array([(np.nan, np.nan) if post.lon is None else (post.lon, post.lat) for post in posts], dtype=float)
    x, y = np.full(len(posts), np.nan), np.full(len(posts), np.nan)
    known = np.flatnonzero(np.isfinite(at[:, 0]))
    x[known], y[known] = held.plane.xy(at[known, 0], at[known, 1], DEGREES)
    ages = [np.nan if post.position_at is None else (NOW - post.position_at).total_seconds() for post in posts]
    roster = Roster(
        [post.responder_id for post in posts], x, y, np.array([post.on_duty for post in posts]),
        [frozenset(post.skills) for post in posts], np.maximum(np.array(ages), 0.0),
        np.array([post.n_tasks for post in posts]), [post.home_area for post in posts], [post.role for post in posts],
        [post.grid_code for post in posts],
    )  # fmt: skip
    index = ResponderIndex(held.network, capacity=len(posts))
    index.place(known, snap(held.network, x[known], y[known]))
    candidates, skipped = choose(index, held.place(lon, lat), held.xy(lon, lat), roster, ask)
    return (
        [(one.id, one.seconds, one.metres, one.method, one.reason, posts[one.row].position_at) for one in candidates],
        [(one.id, one.reason) for one in skipped],
    )  # fmt: skip


def told(answer: NearestAnswer) -> Any:
    return (
        [(r.candidate.id, r.candidate.seconds, r.candidate.metres, r.candidate.method, r.candidate.reason, r.post.position_at) for r in answer.routes],
        [(one.id, one.reason) for one, _ in answer.skipped],
    )  # fmt: skip


@pytest.fixture
def asked(still_town: str, catalog: Catalog) -> Any:
    """``asked(posts, scope, point, mode, ask)`` in both ways; the database and the posts."""
    with Db(still_town) as db:
        streets = StreetNetworks(db, catalog)
        with db.connection() as connection:
            connection.execute(
                "INSERT INTO core.responder (responder_id, area_code, home_area, post, role, on_duty) "
                "VALUES ('zz-away', %s, %s, '别处', 'joint_team', TRUE) ON CONFLICT DO NOTHING", (ELSEWHERE, ELSEWHERE),
            )  # fmt: skip
            connection.execute(
                "INSERT INTO core.responder_position (responder_id, at, geom) SELECT 'zz-away', now(), geom "
                "FROM core.responder_position LIMIT 1 ON CONFLICT DO NOTHING"
            )

        def both(posts: Responders, scope: Scope, lon: float, lat: float, mode: str, ask: Ask) -> tuple[Any, Any]:
            held = nearest_to(posts, scope, lon=lon, lat=lat, mode=mode, ask=ask, now=NOW)
            with suppress(NotAtOnce):
                quick = nearest_to(posts, scope, lon=lon, lat=lat, mode=mode, ask=ask, now=NOW, at_once=True)
                assert told(quick) == told(held)
            around = posts.grids.around(lon, lat)
            ask = replace(ask, grid=around.grid, neighbours=around.neighbours)
            return told(held), anew(db, catalog, scope, streets, lon, lat, mode, ask)

        yield db, Responders(db, catalog, streets), both


def report(post: str, lon: float, lat: float, after_s: float = 0.0) -> Report:
    return Report("test", 1, post, NOW + timedelta(seconds=after_s), lon, lat, None)


def write(db: Db, *reports: Report) -> None:
    with db.connection() as connection:
        for one in reports:
            connection.execute(
                "UPDATE core.responder_position SET at = %s, geom = ST_Point(%s, %s, 4490) WHERE responder_id = %s AND at < %s",
                (one.at, one.lon, one.lat, one.responder_id, one.at),
            )


def test_answers_are_those_of_reading_everything_while_posts_move(asked: Any) -> None:
    db, posts, both = asked
    rng = np.random.default_rng(5)
    few = Scope(("990101",), STAFF.classes)
    with db.connection() as connection:
        ids = [row[0] for row in connection.execute("SELECT responder_id FROM core.responder ORDER BY 1").fetchall()]
    for turn in range(40):
        if turn % 2:
            moves = [
                report(
                    str(who),
                    *(rng.uniform((117.295, 31.695), (117.306, 31.706)).tolist()),
                    after_s=float(rng.integers(-5, 60)),
                )
                for who in rng.choice(ids, size=5)
            ]
            write(db, *moves)
            posts.moved(moves)
        point = rng.uniform((117.297, 31.697), (117.304, 31.704)).tolist()
        ask = Ask(
            k=int(rng.integers(1, 60)), max_age_s=float(rng.choice([600.0, np.inf])), area=str(rng.choice(["", "990101001"]))
        )  # fmt: skip
        held, fresh = both(posts, (STAFF, few)[turn % 2], *point, ("foot", "ebike", "car")[turn % 3], ask)
        assert held == fresh


def test_a_post_elsewhere_is_neither_chosen_nor_named(asked: Any) -> None:
    _, posts, both = asked
    here = Scope(("990101",), STAFF.classes)
    for scope, is_told in ((STAFF, True), (here, False), (STAFF, True)):
        held, _ = both(posts, scope, 117.3005, 31.7005, "foot", Ask(k=100))
        assert ("zz-away" in {one[0] for part in held for one in part}) == is_told


def test_what_others_write_is_read_again_when_it_is_said(asked: Any) -> None:
    db, posts, both = asked
    both(posts, STAFF, 117.3005, 31.7005, "foot", Ask())
    with db.connection() as connection:
        connection.execute("UPDATE core.responder SET on_duty = FALSE WHERE responder_id = 'zz-away'")
    held, fresh = both(posts, STAFF, 117.3005, 31.7005, "foot", Ask(k=100))
    assert held != fresh
    posts.written("cameras")
    posts.written("responders")
    held, fresh = both(posts, STAFF, 117.3005, 31.7005, "foot", Ask(k=100))
    assert held == fresh
    assert "zz-away" in {name for name, reason in held[1] if reason == "Off duty."}
    with db.connection() as connection:
        connection.execute("DELETE FROM core.responder WHERE responder_id = 'zz-away'")
    posts.forget()
    held, fresh = both(posts, STAFF, 117.3005, 31.7005, "foot", Ask(k=100))
    assert held == fresh


def test_a_report_that_comes_while_the_list_is_read_is_not_lost(
    asked: Any, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, posts, both = asked
    both(posts, STAFF, 117.3005, 31.7005, "foot", Ask())
    roster = responders.roster

    def slow(*args: Any) -> Any:
        found = roster(*args)
        late = report("zz-away", 117.3001, 31.7001, after_s=3600)
        write(db, late)
        posts.moved([late])
        return found

    monkeypatch.setattr(responders, "roster", slow)
    posts.forget()
    nearest_to(posts, STAFF, lon=117.3005, lat=31.7005, mode="foot", ask=Ask(), now=NOW)
    monkeypatch.setattr(responders, "roster", roster)
    held, fresh = both(posts, STAFF, 117.3005, 31.7005, "foot", Ask(k=100))
    assert held == fresh


def test_an_answer_at_once_waits_neither_for_the_database_nor_for_a_long_search(asked: Any) -> None:
    _, posts, _ = asked

    def at_once(k: int) -> NearestAnswer:
        return nearest_to(
            posts, STAFF, lon=117.3005, lat=31.7005, mode="foot", ask=Ask(k=k), now=NOW, at_once=True
        )  # fmt: skip

    with pytest.raises(NotAtOnce):  # nothing has been read
        at_once(2)
    slow = nearest_to(posts, STAFF, lon=117.3005, lat=31.7005, mode="foot", ask=Ask(k=2), now=NOW)
    assert told(at_once(2)) == told(slow)
    with pytest.raises(NotAtOnce):  # nobody is left: the rest must be looked at one by one
        at_once(100)
    posts.written("responders")
    with pytest.raises(NotAtOnce):
        at_once(2)


def test_many_posts_are_read_again_behind_the_answers_but_never_too_late(
    asked: Any, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, others, _ = asked
    monkeypatch.setattr(held_responders, "MANY", 0)
    now = [100.0]
    posts = Responders(db, catalog, others._streets, clock=lambda: now[0])

    def off_duty() -> int:
        ask = Ask()
        return nearest_to(posts, STAFF, lon=117.3005, lat=31.7005, mode="foot", ask=ask, now=NOW).n_skipped["off_duty"]

    def send_home() -> None:
        with db.connection() as connection:
            connection.execute(
                "UPDATE core.responder SET on_duty = FALSE WHERE responder_id = "
                "(SELECT min(responder_id) FROM core.responder WHERE on_duty)"
            )
        posts.written("responders")

    before = off_duty()
    send_home()
    assert off_duty() == before  # read a moment ago
    now[0] += held_responders.PAUSE_S
    assert off_duty() == before
    assert posts._reader is not None
    posts._reader.join()
    assert off_duty() == before + 1
    send_home()
    now[0] += held_responders.LATE_S
    assert off_duty() == before + 2
