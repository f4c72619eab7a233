"""Somebody is sent once, by who may, where it still makes sense, and can be taken back for half a minute."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from onemap.domain.event import OVER, TRANSITIONS, WAY, steps_to_dispatch
from onemap.domain.layer import Catalog
from onemap.domain.scope import Permission
from onemap.errors import Conflict
from onemap.store import accounts
from onemap.store.db import Db
from tests.api.conftest import Ask

HERE, ELSEWHERE = "990101001001", "990102001001"


@pytest.fixture
def town(db: Db) -> Iterator[None]:
    """Two posts here, one off duty, one elsewhere; events in several states."""
    with db.connection() as connection:
        for name, area, on_duty in (
            ("R1", HERE, True),
            ("R2", HERE, True),
            ("OFF", HERE, False),
            ("AWAY", ELSEWHERE, True),
        ):
            connection.execute(
                "INSERT INTO core.responder (responder_id, area_code, post, role, on_duty) VALUES (%s, %s, %s, 'grid_officer', %s)",
                (name, area, f"post {name}", on_duty),
            )
        for state, area in (*((state, HERE) for state in TRANSITIONS), ("elsewhere", ELSEWHERE)):
            connection.execute(
                "INSERT INTO core.event (event_no, area_code, title, kind, level, state, reported_at, closed_at, geom) "
                "VALUES (%s, %s, '示例', 'gas', 1, %s, now(), %s, ST_Point(117.3, 31.7, 4490))",
                (
                    f"E-{state}",
                    area,
                    "reported" if state == "elsewhere" else state,
                    datetime.now(UTC) if state in OVER else None,
                ),
            )
    return


def send(client: TestClient, event: str, responder: str, client_id: str = "1", **more: object) -> dict[str, object]:
    answer = client.post(
        f"/api/events/{event}/dispatch", json={"responder_id": responder, "client_id": client_id}, **more
    )
    return {"status": answer.status_code, **answer.json()}


def tasks(db: Db) -> dict[str, int]:
    with db.connection() as connection:
        return dict(connection.execute("SELECT responder_id, n_tasks FROM core.responder").fetchall())


def history(client: TestClient, event: str) -> list[tuple[str, str, str]]:
    steps = client.get(f"/api/events/{event}").json()["history"]
    return [(step["action"], step["to_state"], step["actor_post"]) for step in steps]


def test_every_state_of_the_code_list_has_its_ways_and_all_are_reached(catalog: Catalog) -> None:
    states = {code.value for code in catalog.layer("events").field("state").codes.codes}
    assert set(TRANSITIONS) == states
    reached, waiting = set(), ["reported"]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += TRANSITIONS[state]
    assert reached == states
    assert all(to in TRANSITIONS[state] for state, to in itertools.pairwise(WAY))


def test_every_state_says_where_a_dispatch_leads_from_it() -> None:
    for state in TRANSITIONS:
        try:
            way = (state, *steps_to_dispatch("E", state))
        except Conflict:
            assert state in OVER | {"dispatched", "self_handled", "processing", "feedback", "extended", "suspended"}
        else:
            assert way[-1] == "dispatched"
            assert all(to in TRANSITIONS[at] for at, to in itertools.pairwise(way))


def test_a_post_is_sent_and_taken_back(ask: Ask, db: Db, town: None) -> None:
    client = ask()
    sent = send(client, "E-reported", "R1")
    assert (sent["status"], sent["event"]["state"], tasks(db)["R1"]) == (200, "dispatched", 1)
    assert history(client, "E-reported") == [
        ("accept", "accepted", "local"), ("triage", "triaged", "local"), ("dispatch", "dispatched", "local"),
    ]  # fmt: skip
    undo = f"/api/events/E-reported/dispatch/{sent['action_seq']}"
    for _ in range(2):  # the second time nothing is left to do
        assert client.delete(undo).json()["event"]["state"] == "reported"
        assert tasks(db)["R1"] == 0
    assert history(client, "E-reported")[-1] == ("undo_dispatch", "reported", "local")
    again = send(client, "E-reported", "R2", "2")
    assert (again["status"], tasks(db)) == (200, {"R1": 0, "R2": 1, "OFF": 0, "AWAY": 0})
    assert client.delete(undo).status_code == 200  # the first one is still undone, and the second one stands
    assert client.get("/api/events/E-reported").json()["state"] == "dispatched"


def test_a_request_that_is_sent_twice_sends_once(ask: Ask, db: Db, town: None) -> None:
    client = ask()
    first = send(client, "E-triaged", "R1")
    assert send(client, "E-triaged", "R1") == first
    assert tasks(db)["R1"] == 1
    other = send(client, "E-accepted", "R1")
    assert (other["status"], other["detail"]) == (409, "The client_id '1' was used for another dispatch.")


def test_two_desks_at_once_send_one_post(ask: Ask, db: Db, town: None) -> None:
    client, found = ask(), []
    desks = [
        threading.Thread(target=lambda n=n: found.append(send(client, "E-triaged", f"R{n}", str(n)))) for n in (1, 2)
    ]
    for desk in desks:
        desk.start()
    for desk in desks:
        desk.join()
    assert sorted(one["status"] for one in found) == [200, 409]
    assert tasks(db)["R1"] + tasks(db)["R2"] == 1


def test_what_does_not_fit_is_refused_in_a_sentence(ask: Ask, db: Db, town: None) -> None:
    client = ask()
    for event, responder, status, words in (
        ("E-closed", "R1", 409, "Event E-closed is over (closed); nobody can be sent to it."),
        ("E-void", "R1", 409, "over"),
        ("E-processing", "R1", 409, "Event E-processing is with somebody already (processing)."),
        ("E-dispatched", "R1", 409, "with somebody already"),
        ("E-triaged", "OFF", 409, "post OFF is off duty and cannot be sent."),
        ("E-triaged", "nobody", 404, "holds no feature 'nobody'"),
        ("E-nothing", "R1", 404, "holds no feature 'E-nothing'"),
    ):
        told = send(client, event, responder)
        assert (told["status"], words in told["detail"]) == (status, True), told
    assert set(tasks(db).values()) == {0}
    assert client.post("/api/events/E-triaged/dispatch", json={"responder_id": "R1"}).status_code == 400


def test_nothing_is_taken_back_too_late_or_by_others_or_after_it_went_on(ask: Ask, db: Db, town: None) -> None:
    with db.connection() as connection:
        other = accounts.add_account(connection, "other", "viewer", None, 1, frozenset({Permission.DISPATCH}))
    client = ask()
    seq = send(client, "E-triaged", "R1")["action_seq"]
    undo = f"/api/events/E-triaged/dispatch/{seq}"
    assert client.delete(undo, headers={"Authorization": f"Bearer {other}"}).status_code == 403
    assert client.delete(f"/api/events/E-triaged/dispatch/{seq + 1}").status_code == 404
    with db.connection() as connection:
        connection.execute("UPDATE core.event SET state = 'processing' WHERE event_no = 'E-triaged'")
    went_on = client.delete(undo)
    assert (went_on.status_code, "went on (processing)" in went_on.json()["detail"]) == (409, True)
    with db.connection() as connection:
        connection.execute("UPDATE core.event SET state = 'dispatched' WHERE event_no = 'E-triaged'")
        connection.execute("UPDATE core.dispatch SET at = %s", (datetime.now(UTC) - timedelta(seconds=31),))
    late = client.delete(undo)
    assert (late.status_code, "30 seconds" in late.json()["detail"]) == (409, True)
    assert tasks(db)["R1"] == 1


def test_sending_takes_the_permission_and_stays_in_the_readers_areas(ask: Ask, db: Db, town: None) -> None:
    with db.connection() as connection:
        reads = accounts.add_account(connection, "reads", "viewer", None, 1)
        here = accounts.add_account(connection, "here", "viewer", (HERE,), 1, frozenset({Permission.DISPATCH}))
    client = ask(peer="192.0.2.7", host="map.example")
    anyone = send(client, "E-triaged", "R1")
    assert anyone["status"] in (403, 404)
    refused = send(client, "E-triaged", "R1", headers={"Authorization": f"Bearer {reads}"})
    assert (refused["status"], "permission 'dispatch'" in refused["detail"]) == (403, True)
    local = {"Authorization": f"Bearer {here}"}
    assert send(client, "E-elsewhere", "R1", headers=local)["status"] == 404
    assert send(client, "E-triaged", "AWAY", headers=local)["status"] == 404
    assert send(client, "E-triaged", "R1", headers=local)["status"] == 200
    with db.connection() as connection:
        logged = connection.execute("SELECT actor, action, detail FROM core.audit ORDER BY seq DESC LIMIT 1").fetchone()
    assert logged == ("here", "event.dispatch", {"event_no": "E-triaged", "responder_id": "R1", "seq": 1})
