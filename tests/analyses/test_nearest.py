"""Who should go, asked of the map: by point, by event, as an OGC process; with reasons, also for those passed over."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from starlette.testclient import TestClient

from onemap.cli.main import run
from onemap.store.db import Db

PLACE = "117.3005,31.7005"


def test_candidates_come_by_time_and_each_says_why(client: TestClient) -> None:
    told = client.get("/api/responders/nearest", params={"point": PLACE, "k": 5}).json()
    seconds = [one["seconds"] for one in told["candidates"]]
    assert len(seconds) == 5
    assert seconds == sorted(seconds)
    assert all(one["method"] == "network" and one["reason"] and len(one["route"]) > 1 for one in told["candidates"])
    assert all(abs(a[0] - b[0]) < 0.01 and abs(a[1] - b[1]) < 0.01 for a, b in pairwise(told["candidates"][0]["route"]))


def test_whoever_is_off_duty_is_passed_over_with_the_reason(client: TestClient, town: str) -> None:
    with Db(town) as db, db.connection() as connection:
        row = connection.execute("SELECT count(*) FROM core.responder WHERE NOT on_duty").fetchone()
    assert row is not None
    told = client.get("/api/responders/nearest", params={"point": PLACE, "k": 50}).json()
    assert sum(one["reason_code"] == "off_duty" for one in told["skipped"]) == row[0]
    assert not {one["id"] for one in told["skipped"]} & {one["id"] for one in told["candidates"]}


def test_an_event_that_must_be_attended_gets_its_own_officer_first(client: TestClient, town: str) -> None:
    with Db(town) as db, db.connection() as connection:
        row = connection.execute(
            "SELECT r.responder_id, r.grid_code, r.area_code FROM core.responder AS r JOIN core.responder_position USING (responder_id) "
            "WHERE r.on_duty AND r.role = 'grid_officer' ORDER BY 1 LIMIT 1"
        ).fetchone()
        assert row is not None
        connection.execute("UPDATE core.responder_position SET at = now()")
        connection.execute(
            "INSERT INTO core.event (event_no, area_code, grid_code, title, kind, level, state, reported_at, geom) SELECT "
            "'SJ-GAS', %s, %s, '燃气异味', 'gas', 1, 'triaged', now(), ST_PointOnSurface(geom) FROM layer.grids WHERE grid_code = %s",
            (row[2], row[1], row[1]),
        )
    told = client.get("/api/events/SJ-GAS/responders").json()
    assert told["mode"] == "ebike"
    assert told["candidates"][0]["id"] == row[0]


def test_the_process_gives_the_same(client: TestClient) -> None:
    answer = client.post(
        "/ogc/processes/nearest-responders/execution", json={"inputs": {"lon": 117.3005, "lat": 31.7005, "k": 3}}
    )
    assert answer.status_code == 200
    assert len(answer.json()["candidates"]) == 3


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("point=here", 400, "must be longitude,latitude"),
        ("point=31.7,117.3", 400, "longitude comes first"),
        ("point=nan,31.7", 400, "longitude comes first"),
        ("point=121.0,31.0", 422, "No street for this mode lies within"),
        (f"point={PLACE}&mode=swim", 400, "mode"),
        (f"point={PLACE}&k=0", 400, "k"),
    ],
)
def test_a_wrong_question_gets_a_sentence(client: TestClient, query: str, status: int, sentence: str) -> None:
    answer = client.get(f"/api/responders/nearest?{query}")
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]


def test_the_command_asks_the_database(
    town: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONEMAP_DATABASE_URL", town)
    assert run(["nearest", "--point", PLACE, "-k", "2", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["candidates"]) == 2
