"""A report is kept once, with its own time, before it is acknowledged, and only for posts on duty that one may report for."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from starlette.testclient import TestClient

from onemap.domain.scope import Permission
from onemap.store import accounts, positions
from onemap.store.db import Db
from tests.api.conftest import Ask

HERE, ELSEWHERE = "990101001001", "990102001001"
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)


@pytest.fixture
def posts(db: Db) -> dict[str, dict[str, str]]:
    """Posts here and elsewhere, one off duty; headers of who may report everywhere, here, and of who may only read."""
    with db.connection() as connection:
        for name, area, on_duty in (
            ("A", HERE, True),
            ("B", HERE, True),
            ("OFF", HERE, False),
            ("AWAY", ELSEWHERE, True),
        ):
            connection.execute(
                "INSERT INTO core.responder (responder_id, area_code, post, role, on_duty) VALUES (%s, %s, %s, 'grid_officer', %s)",
                (name, area, name, on_duty),
            )
        may = frozenset({Permission.POSITIONS})
        tokens = {
            "everywhere": accounts.add_account(connection, "gateway", "viewer", None, 1, may),
            "here": accounts.add_account(connection, "here", "viewer", (HERE,), 1, may),
            "reader": accounts.add_account(connection, "reader", "viewer", None, 1),
        }
    return {name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()}


def report(seq: int, post: str = "A", *, after_s: float = 0.0, lon: float = 117.3, **more: object) -> dict[str, object]:
    at = (NOW + timedelta(seconds=after_s)).isoformat()
    return {"seq": seq, "responder_id": post, "at": at, "lon": lon, "lat": 31.7, **more}


def tell(
    client: TestClient, headers: dict[str, str], *reports: dict[str, object], client_id: str = "h1"
) -> tuple[int, dict]:
    answer = client.post("/api/positions", json={"client_id": client_id, "reports": list(reports)}, headers=headers)
    return answer.status_code, answer.json() if answer.content else {}


def kept(db: Db) -> list[tuple[object, ...]]:
    with db.connection() as connection:
        return connection.execute(
            "SELECT responder_id, seq, at, lon FROM core.position ORDER BY responder_id, seq"
        ).fetchall()


def newest(db: Db) -> dict[str, tuple[datetime, float]]:
    with db.connection() as connection:
        rows = connection.execute("SELECT responder_id, at, ST_X(geom) FROM core.responder_position").fetchall()
    return {name: (at, lon) for name, at, lon in rows}


def test_a_report_is_kept_once_with_its_own_time(ask: Ask, db: Db, posts: dict[str, dict[str, str]]) -> None:
    client = ask()
    single = client.post("/api/positions", json={"client_id": "h1", **report(1)}, headers=posts["here"])
    assert (single.status_code, single.json()["n_accepted"]) == (200, 1)
    status, told = tell(
        client, posts["here"], report(1), report(2, after_s=5, lon=117.31), report(2, after_s=5, lon=117.31)
    )
    assert (status, told["n_accepted"], told["n_duplicate"]) == (200, 1, 2)
    assert tell(client, posts["here"], report(2, after_s=9))[1]["n_duplicate"] == 1  # the number counts, not the time
    assert tell(client, posts["here"], report(2), client_id="h2")[1]["n_accepted"] == 1
    assert [(post, seq) for post, seq, _, _ in kept(db)] == [("A", 1), ("A", 2), ("A", 2)]
    with db.connection() as connection:
        row = connection.execute("SELECT at, received_at > at FROM core.position WHERE seq = 1").fetchone()
    assert row == (NOW, True)


def test_what_arrives_late_is_kept_and_moves_nobody_back(ask: Ask, db: Db, posts: dict[str, dict[str, str]]) -> None:
    client = ask()
    tell(client, posts["here"], report(5, after_s=30, lon=117.35), report(4, after_s=20, lon=117.34))
    tell(client, posts["here"], report(3, after_s=10, lon=117.33))
    assert newest(db) == {"A": (NOW + timedelta(seconds=30), 117.35)}
    assert [seq for _, seq, _, _ in kept(db)] == [3, 4, 5]


def test_any_order_and_any_repetition_keep_the_same(ask: Ask, db: Db, posts: dict[str, dict[str, str]]) -> None:
    rng = np.random.default_rng(3)
    reports = [report(i, "AB"[i % 2], after_s=i * 0.5, lon=117.3 + i / 1e4) for i in range(60)]
    client = ask()

    def send(order: np.ndarray) -> int:
        return tell(client, posts["here"], *(reports[i] for i in order))[0]

    parts = [part for _ in range(3) for part in np.array_split(rng.permutation(60), 7)]
    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, parts)) == {200}
    assert sorted(seq for _, seq, _, _ in kept(db)) == list(range(60))
    assert {name: round(lon, 4) for name, (_, lon) in newest(db).items()} == {"A": 117.3058, "B": 117.3059}


def test_posts_off_duty_are_answered_with_nothing_and_not_kept(
    ask: Ask, db: Db, posts: dict[str, dict[str, str]]
) -> None:
    client = ask()
    assert tell(client, posts["here"], report(1, "OFF")) == (204, {})
    status, told = tell(client, posts["here"], report(1, "OFF"), report(2, "A"))
    assert (status, told["n_accepted"], told["n_off_duty"]) == (200, 1, 1)
    assert [post for post, _, _, _ in kept(db)] == ["A"]
    assert set(newest(db)) == {"A"}


#: A report that cannot be taken, the status, and a word of the sentence.
WRONG = [
    (report(9, "nobody"), 422, "No post of yours is called 'nobody'"),
    (report(9, "AWAY"), 422, "No post of yours is called 'AWAY'"),
    (report(9, after_s=3600), 422, "from the future"),
    (report(9, lon=float("nan")), 400, "lon"),
    (report(9, lon=float("inf")), 400, "lon"),
    (report(9, lon=181.0), 400, "lon"),
    (report(9, lat=-90.5), 400, "lat"),
    (report(9, accuracy_m=-1), 400, "accuracy_m"),
    (report(-1), 400, "seq"),
    (report(9, at="2026-05-06T14:30:00"), 400, "at"),
    (report(9, "A\x00"), 400, "responder_id"),
    (report(9, name="somebody"), 400, "name"),
]


def test_one_wrong_report_and_nothing_of_the_request_is_kept(
    ask: Ask, db: Db, posts: dict[str, dict[str, str]]
) -> None:
    client = ask()
    for wrong, status, words in WRONG:
        body = json.dumps({"client_id": "h1", "reports": [report(1), wrong]})
        answer = client.post(
            "/api/positions", content=body, headers={**posts["here"], "Content-Type": "application/json"}
        )
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    for body in (b"", b"{", b"[]", b'{"client_id": "h1", "reports": []}', b'{"client_id": "h1"}'):
        answer = client.post("/api/positions", content=body, headers=posts["here"])
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), answer.text
    assert client.get("/api/positions", headers=posts["here"]).status_code == 405
    assert kept(db) == []
    assert newest(db) == {}


def test_one_wrong_request_costs_the_others_nothing(ask: Ask, db: Db, posts: dict[str, dict[str, str]]) -> None:
    client = ask()
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda i: tell(client, posts["here"], report(i, "nobody" if i % 3 == 0 else "A"))[0], range(24))
        )
    assert found == [422 if i % 3 == 0 else 200 for i in range(24)]
    assert [seq for _, seq, _, _ in kept(db)] == [i for i in range(24) if i % 3]


def test_reporting_takes_the_permission(ask: Ask, db: Db, posts: dict[str, dict[str, str]]) -> None:
    client = ask()
    for headers in (posts["reader"], {}):  # who sits at this machine may not either
        status, told = tell(client, headers, report(1))
        assert (status, "permission 'positions'" in told["detail"]) == (403, True)
    assert tell(client, posts["everywhere"], report(1, "AWAY"))[0] == 200


def test_days_are_made_ahead_and_let_go(ask: Ask, db: Db, posts: dict[str, dict[str, str]]) -> None:
    def days() -> set[str]:
        with db.connection() as connection:
            found = connection.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'core.position'::regclass"
            )
            return {name for (name,) in found.fetchall()}

    old = NOW - timedelta(days=3)
    status, told = tell(
        ask(ONEMAP_POSITION_DAYS="5"), posts["here"], report(1, after_s=-3 * 86_400), report(2, after_s=-6 * 86_400)
    )
    assert (status, told["n_accepted"], told["n_expired"]) == (200, 1, 1)

    def tend(today: date) -> list[str]:
        with db.connection() as connection:
            return positions.tend_days(connection, today, 2)

    assert tend(old.date() + timedelta(days=2)) == []
    assert kept(db)[0][2] == old
    assert tend(old.date() + timedelta(days=3)) == [f"position_{old.date():%Y%m%d}"]
    assert kept(db) == []
    ahead: date = old.date() + timedelta(days=4)
    assert f"core.position_{ahead:%Y%m%d}" in days()
