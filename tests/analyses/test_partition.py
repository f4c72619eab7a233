"""An area of the map becomes a scenario: by the command line, and as an OGC process."""

from __future__ import annotations

import json

import pytest
import shapely
from starlette.testclient import TestClient

from onemap.cli.main import run
from onemap.store.db import Db

COMMUNITY = "990101001001"


@pytest.fixture
def here(town: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command line works on the small city."""
    monkeypatch.setenv("ONEMAP_DATABASE_URL", town)
    return town


def test_the_command_keeps_a_scenario_that_tiles_the_community(here: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["partition", "--area", COMMUNITY, "--scenario", "春季", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["households"], told["n_discontiguous"], told["share_in_band_feasible"]) == (14_878, 0, 1.0)
    with Db(here) as db, db.connection() as connection:
        rows = connection.execute(
            "SELECT g.households, ST_AsBinary(g.geom) FROM core.scenario_grid AS g JOIN core.scenario AS s USING (scenario_id) "
            "WHERE s.name = '春季'"
        ).fetchall()
        ground = connection.execute(
            "SELECT ST_AsBinary(geom) FROM core.area WHERE area_code = %s", (COMMUNITY,)
        ).fetchone()
        n_homeless = connection.execute(
            "SELECT count(*) FROM layer.buildings AS b WHERE b.area_code = %s AND b.households > 0 AND NOT EXISTS "
            "(SELECT FROM core.scenario_building AS s WHERE s.building_id = b.building_id)",
            (COMMUNITY,),
        ).fetchone()
    assert len(rows) == told["n_grids"]
    assert sum(row[0] for row in rows) == 14_878
    assert ground is not None
    assert (
        shapely.union_all(shapely.from_wkb([row[1] for row in rows]))
        .symmetric_difference(shapely.from_wkb(ground[0]))
        .area
        < 1e-9
    )
    assert n_homeless == (0,)


def test_the_same_name_replaces_and_the_present_plan_stays(here: str) -> None:
    near_todays = ["--min", "380", "--target", "513", "--max", "640"]  # few grids to mend, and nothing to prove
    for _ in range(2):
        words = ["--area", COMMUNITY, "--scenario", "again", "--keep-present", *near_todays, "--json"]
        assert run(["partition", *words]) == 0
    with Db(here) as db, db.connection() as connection:
        assert connection.execute("SELECT count(*) FROM core.scenario WHERE name = 'again'").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM layer.grids WHERE grid_type = 'basic'").fetchone() == (29,)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--area", COMMUNITY], 2, "--scenario NAME"),
        (["--area", "990101001999", "--scenario", "x"], 3, "holds no feature '990101001999'"),
        (["--area", COMMUNITY, "--scenario", "x", "--osm", "README.md"], 2, "not both"),
    ],
)
def test_what_cannot_be_done_is_explained(
    here: str, capsys: pytest.CaptureFixture[str], words: list[str], code: int, sentence: str
) -> None:
    assert run(["partition", *words, "--json"]) == code
    assert sentence in json.loads(capsys.readouterr().out)["error"]


def test_the_process_answers_with_grids(client: TestClient) -> None:
    described = client.get("/ogc/processes/partition-grids?f=json").json()
    assert described["title"] == "划分网格"
    answer = client.post(
        "/ogc/processes/partition-grids/execution", json={"inputs": {"area_code": COMMUNITY, "scenario": "p"}}
    )
    assert answer.status_code == 200
    told = answer.json()
    assert len(told["grids"]["features"]) == told["report"]["n_grids"]
    wrong = client.post("/ogc/processes/partition-grids/execution", json={"inputs": {"area_code": "here"}})
    assert wrong.status_code == 400
    absent = client.post("/ogc/processes/partition-grids/execution", json={"inputs": {"area_code": "990101001999"}})
    assert (absent.status_code, absent.json()["detail"]) == (404, "Layer 'areas' holds no feature '990101001999'.")
