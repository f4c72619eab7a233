"""The life circle over HTTP, as OGC processes and by command: the same numbers, and a sentence for what cannot be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from starlette.testclient import TestClient

from onemap.analyses import circle_ground, network_words
from onemap.analyses.all import ALL
from onemap.analyses.runner import run_next
from onemap.app import create_app
from onemap.cli.main import run
from onemap.domain.layer import Catalog
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.street_file import streets_from_frame
from onemap.settings import Settings
from onemap.store import jobs
from onemap.store.db import Db

COMMUNITY = "990101001001"
CARE = "elder_day_care"
PLACE = [117.302, 31.7]


@pytest.fixture(scope="module")
def public(town: str) -> Iterator[TestClient]:
    """The app as somebody who did not sign in."""
    settings = Settings.from_env({"ONEMAP_DATABASE_URL": town, "ONEMAP_DEMO": "none"})
    with TestClient(create_app(settings, town), base_url="http://map.example", client=("192.0.2.7", 50000)) as asked:
        yield asked


def get(client: TestClient, path: str, **params: Any) -> Any:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def what_if(client: TestClient, *changes: dict[str, Any], **more: Any) -> Any:
    body = {"area": COMMUNITY, "category": CARE, "changes": changes, **more}
    answer = client.post("/api/coverage/what-if", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_summary_zones_buildings_and_the_state_before_agree(client: TestClient) -> None:
    whole = get(client, "/api/coverage", area=COMMUNITY)
    one = next(row for row in whole["categories"] if row["category"] == CARE)
    for by in ("grid", "community", "street", "h3", "estate"):
        rows = get(client, f"/api/coverage/{CARE}", area=COMMUNITY, by=by)["rows"]
        assert sum(row["households_covered"] for row in rows) == one["households_covered"]
    told = get(client, f"/api/coverage/{CARE}", area=COMMUNITY)
    columns = told["buildings"]
    near = [s is not None and s <= told["limit_s"] + 0.05 for s in columns["seconds"]]
    assert abs(sum(n for n, ok in zip(columns["households"], near, strict=True) if ok) - one["households_covered"]) < 60
    assert len(told["facilities"]) == one["n_facilities"] == 6
    assert what_if(client)["before"]["households_covered"] == one["households_covered"]


def test_what_nobody_verified_is_marked_wherever_it_is_told(client: TestClient) -> None:
    whole = get(client, "/api/coverage", area=COMMUNITY)
    assert whole["verified"] is False
    assert whole["note"]["zh"] == "通用知识，待核实"
    unverified = [row for row in whole["categories"] if not row["verified"]]
    assert len(unverified) == len(whole["categories"])
    assert all(row["note"]["zh"] == row["document"] == "通用知识，待核实" for row in unverified)
    assert get(client, f"/api/coverage/{CARE}", area=COMMUNITY)["note"] is not None
    assert what_if(client)["verified"] is False


def test_a_dragged_facility_tells_what_changes_and_only_that(client: TestClient) -> None:
    facilities = get(client, f"/api/coverage/{CARE}", area=COMMUNITY)["facilities"]
    stayed = what_if(client, {"op": "move", "fid": facilities[0]["fid"], "point": facilities[0]["point"]})
    assert stayed["changed"]["fid"] == []
    assert stayed["after"] == stayed["before"]
    moved = what_if(client, {"op": "move", "fid": facilities[0]["fid"], "point": PLACE}, isochrone=True)
    net = moved["gained"]["households"] - moved["lost"]["households"]
    assert moved["after"]["households_covered"] - moved["before"]["households_covered"] == net
    assert moved["changed"]["fid"]
    bands = moved["isochrones"]["features"]
    assert [band["properties"]["minutes"] for band in bands] == [4.5, 2.25]
    assert all(shapely.geometry.shape(band["geometry"]).is_valid for band in bands)


def test_isochrones_hold_one_another_and_count_homes_by_their_own_times(client: TestClient) -> None:
    told = get(client, "/api/isochrones", point="117.302,31.7", minutes="5,10,15")
    shapes = [shapely.geometry.shape(band["geometry"]) for band in told["features"]]
    assert [band["properties"]["minutes"] for band in told["features"]] == [15, 10, 5]
    assert all(outer.buffer(1e-6).contains(inner) for outer, inner in pairwise(shapes))
    assert all(0.0 < band["properties"]["shed_ratio"] < 1.0 for band in told["features"])
    # as a new facility of an otherwise empty category, the place covers the same households
    empty = [{"op": "close", "fid": one["fid"]} for one in get(client, f"/api/coverage/{CARE}")["facilities"]]
    alone = what_if(client, {"op": "add", "point": PLACE}, *empty, area="", minutes=10)
    reverse = get(client, "/api/isochrones", point="117.302,31.7", minutes="10", reverse=True)
    assert reverse["features"][0]["properties"]["households"] == alone["after"]["households_covered"]
    for mode in ("ebike", "car"):
        faster = get(client, "/api/isochrones", point="117.302,31.7", minutes="5", mode=mode)["features"][0][
            "properties"
        ]
        assert faster["households"] > told["features"][2]["properties"]["households"]
    several = get(client, "/api/isochrones", category=CARE, area=COMMUNITY, minutes="5", tolerance_m=20)
    assert several["features"][0]["properties"]["shed_ratio"] is None


def test_sites_and_the_debate_over_http(client: TestClient) -> None:
    body = {"area": COMMUNITY, "category": CARE, "n": 2, "candidates": "estates"}
    told = client.post("/api/siting", json=body).json()
    assert [site["label"] for site in told["sites"]] == ["A", "B"]
    changes = [{"op": "add", "point": site["point"]} for site in told["sites"]]
    assert what_if(client, *changes)["gained"]["households"] == sum(s["gain_households"] for s in told["sites"])
    pair = {"area": COMMUNITY, "category": CARE, "a": told["sites"][0]["point"], "b": told["sites"][1]["point"]}
    duel = client.post("/api/siting/compare", json=pair).json()
    assert duel["better"] == "a"
    assert "多覆盖" in duel["sentence"]["zh"]


def test_the_public_reads_shares_and_no_single_building(public: TestClient) -> None:
    whole = get(public, "/api/coverage", area=COMMUNITY)
    assert {row["households_covered"] for row in whole["categories"]} == {None}
    assert any(row["share"] is not None for row in whole["categories"])
    rows = get(public, f"/api/coverage/{CARE}", area=COMMUNITY, by="h3")["rows"]
    assert any(row["suppressed"] for row in rows)
    refused = [
        public.get(f"/api/coverage/{CARE}?area={COMMUNITY}"),
        public.get(f"/api/coverage?area={COMMUNITY}&speed_kmh=3.99"),
        public.post("/api/coverage/what-if", json={"category": CARE, "changes": []}),
        public.post("/api/siting", json={"category": CARE}),
        public.post("/api/siting/compare", json={"category": CARE, "a": PLACE, "b": PLACE}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 5
    assert all("internal" in answer.json()["detail"] for answer in refused)
    assert public.get("/api/cameras/coverage").status_code == 404
    band = get(public, "/api/isochrones", point="117.302,31.7", minutes="5")["features"][0]["properties"]
    assert (band["households"], band["persons"], band["n_buildings"]) == (None, None, None)


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("/api/coverage?area=990101001999", 404, "no feature '990101001999'"),
        ("/api/coverage?area=here", 400, "area"),
        ("/api/coverage?speed_kmh=0", 400, "0 km/h cannot be used"),
        ("/api/coverage?speed_kmh=nan", 400, "nan km/h cannot be used"),
        ("/api/coverage?minutes=-5", 400, "-5 minutes cannot be used"),
        ("/api/coverage?open_at=later", 400, "not a moment of the week"),
        ("/api/coverage/fountain", 400, "no category 'fountain'"),
        ("/api/coverage/%20", 400, "category is empty"),
        (f"/api/coverage/{CARE}?by=planet", 400, "by"),
        ("/api/isochrones", 400, "begins at one of"),
        ("/api/isochrones?point=here", 400, "must be longitude,latitude"),
        ("/api/isochrones?point=nan,31.7", 400, "longitude comes first"),
        ("/api/isochrones?point=121.0,31.0", 422, "No street for this mode lies within"),
        ("/api/isochrones?point=117.3,31.7&minutes=-5", 400, "-5 minutes cannot be used"),
        ("/api/isochrones?point=117.3,31.7&minutes=nan", 400, "nan minutes cannot be used"),
        ("/api/isochrones?point=117.3,31.7&minutes=soon", 400, "numbers separated by commas"),
        ("/api/isochrones?facility=999999", 404, "no feature '999999'"),
        ("/api/isochrones?category=fountain", 422, "no facility of category 'fountain'"),
        ("/api/cameras/seeing?point=nan,1", 400, "longitude comes first"),
        ("/api/cameras/coverage?area=99", 404, "no feature '99'"),
    ],
)
def test_a_wrong_question_gets_a_sentence(client: TestClient, address: str, status: int, sentence: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (status, True), answer.text


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ('{"changes": [{"op": "add", "point": [121, 31]}]}', 422, "No street for walking lies within 500 m"),
        ('{"changes": [{"op": "add", "point": [NaN, 31]}]}', 400, "longitude comes first"),
        ('{"changes": [{"op": "add"}]}', 400, "needs point"),
        ('{"changes": [{"op": "move", "point": [117.3, 31.7]}]}', 400, "needs fid"),
        ('{"changes": [{"op": "close", "fid": 999999}]}', 404, "no feature '999999'"),
        ('{"changes": [{"op": "dig", "point": [117.3, 31.7]}]}', 400, "changes.0.op"),
        ('{"changes": [{"op": "gate", "point": [117.2001, 31.7]}]}', 422, "a gate opens a wall"),
        ('{"changes": [{"op": "bridge", "line": [[117.3, 31.7], [117.3, 31.7]]}]}', 400, "cannot be built"),
        ('{"changes": [{"op": "bridge", "line": [[117.3, 31.7], [121.0, 31.7]]}]}', 422, "the bridge's end"),
        ('{"changes": [], "minutes": -1}', 400, "-1 minutes cannot be used"),
        ('{"changes": [], "speed_kmh": NaN}', 400, "nan km/h cannot be used"),
    ],
)
def test_a_change_that_cannot_be_gets_a_sentence(client: TestClient, body: str, status: int, sentence: str) -> None:
    text = body[:-1] + f', "area": "{COMMUNITY}", "category": "{CARE}"}}'
    answer = client.post("/api/coverage/what-if", content=text, headers={"content-type": "application/json"})
    assert (answer.status_code, sentence in answer.json()["detail"]) == (status, True), answer.text


def execute(client: TestClient, process: str, **inputs: Any) -> Any:
    return client.post(f"/ogc/processes/{process}/execution", json={"inputs": inputs})


def test_the_processes_give_the_same(client: TestClient) -> None:
    told = execute(client, "life-circle", area_code=COMMUNITY, categories=[CARE, "market"]).json()
    whole = {row["category"]: row for row in get(client, "/api/coverage", area=COMMUNITY)["categories"]}
    assert {row["category"]: row for row in told["coverage"]["categories"]} == {n: whole[n] for n in (CARE, "market")}
    assert {zone["category"] for zone in told["zones"]} == {CARE, "market"}
    assert told["gaps"]["features"]
    bands = execute(client, "isochrone", point=PLACE, bands=[5]).json()["isochrones"]["features"]
    assert bands == get(client, "/api/isochrones", point="117.302,31.7", minutes="5")["features"]
    sites = execute(client, "siting", area_code=COMMUNITY, category=CARE, points=[PLACE, [117.297, 31.702]]).json()
    assert sites["answer"]["n_candidates"] == 2
    seen = execute(client, "camera-coverage", area_code=COMMUNITY).json()
    assert seen["coverage"]["ground"] == get(client, "/api/cameras/coverage", area=COMMUNITY)["ground"]
    refused = execute(client, "life-circle", area_code=COMMUNITY, categories=["fountain"])
    assert (refused.status_code, "no category 'fountain'" in refused.json()["detail"]) == (400, True)


LATER = [
    ("siting", {"area_code": "990101", "category": CARE, "candidates": "estates"}),
    ("life-circle", {"area_code": "990101", "categories": [CARE], "by": "community"}),
    ("isochrone", {"category": CARE, "area_code": "990101", "bands": [5]}),
    ("camera-coverage", {"area_code": "990101"}),
]


@pytest.mark.parametrize(("process", "inputs"), LATER, ids=[process for process, _ in LATER])
def test_a_large_area_is_a_job(
    client: TestClient, town: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, process: str, inputs: Any
) -> None:
    seen: list[tuple[str, int]] = []
    reported = jobs.report

    def told_on_the_way(connection: Any, job_id: Any, percent: int, sentence: str | None) -> bool:
        wanted = reported(connection, job_id, percent, sentence)
        status = client.get(f"/ogc/jobs/{job_id}?f=json").json()
        seen.append((status["status"], status["progress"]))
        return wanted

    monkeypatch.setattr(jobs, "report", told_on_the_way)
    accepted = execute(client, process, **inputs)
    assert accepted.status_code == 201
    job = accepted.json()["jobID"]
    with Db(town, max_size=2) as db:
        while client.get(f"/ogc/jobs/{job}?f=json").json()["status"] in ("accepted", "running"):
            run_next(db, catalog, ALL)
    done = client.get(f"/ogc/jobs/{job}?f=json").json()
    assert (done["status"], done["progress"]) == ("successful", 100)
    assert seen
    assert {status for status, _ in seen} == {"running"}
    assert [percent for _, percent in seen] == sorted(percent for _, percent in seen)
    told = client.get(f"/ogc/jobs/{job}/results?f=json").json()
    at_once = client.post(
        f"/ogc/processes/{process}/execution", json={"inputs": inputs}, headers={"prefer": "respond-sync"}
    ).json()
    told.get("answer", {}).pop("seconds", None)
    at_once.get("answer", {}).pop("seconds", None)
    assert told == at_once
    assert told


def test_a_reason_is_said_in_both_languages(client: TestClient) -> None:
    sea = client.get("/api/isochrones", params={"point": "120.0,30.0"}).json()
    assert "too far" in sea["detail"] or "No street" in sea["detail"]
    assert "道路" in sea["detail_zh"]
    far_from_walls = {"op": "gate", "point": [117.3005, 31.69]}
    told = client.post(
        "/api/coverage/what-if", json={"area": COMMUNITY, "category": CARE, "changes": [far_from_walls]}
    ).json()
    assert "围墙" in told["detail_zh"]
    body = {"area": COMMUNITY, "category": CARE, "candidates": [[120.0, 30.0], PLACE]}
    found = client.post("/api/siting", json=body).json()
    assert "候选" in found["problems"][0]["zh"]
    assert "1 of 2 candidates" in found["problems"][0]["en"]


def test_what_the_streets_took_for_granted_has_chinese_words() -> None:
    frame = gpd.GeoDataFrame(
        {"highway": ["residential", "moving_walkway", None]},
        geometry=[shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(0, 9), (100, 9)]), shapely.Point(0, 0)],
        crs="EPSG:32650",
    )
    rules = read_network_rules()
    notes = [
        *streets_from_frame(frame, rules, "a file").streets.notes,
        *streets_from_frame(frame[["geometry"]], rules, "a file").streets.notes,
    ]
    assert len(notes) >= 4
    assert all(not title.zh.isascii() for title in network_words.said(notes))


def test_the_commands_ask_the_database(
    client: TestClient, town: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONEMAP_DATABASE_URL", town)

    def told(*words: str, code: int = 0) -> Any:
        assert run([*words, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    covered = told("cover", "--area", COMMUNITY, "--out", str(tmp_path / "c.gpkg"))
    assert {row["category"]: row["share"] for row in covered["categories"]} == {
        row["category"]: row["share"] for row in get(client, "/api/coverage", area=COMMUNITY)["categories"]
    }
    homes = gpd.read_file(tmp_path / "c.gpkg", layer="buildings")
    near = homes[f"metres_{CARE}"] <= 300.0
    assert homes["households"][near].sum() == next(
        row["households_covered"] for row in covered["categories"] if row["category"] == CARE
    )
    bands = told("isochrone", "--point", "117.302,31.7", "--minutes", "5", "--out", str(tmp_path / "i.gpkg"))
    assert bands["isochrones"][0]["households"] > 0
    assert len(gpd.read_file(tmp_path / "i.gpkg")) == 1
    found = told(
        "site", "--area", COMMUNITY, "--category", CARE, "--candidates", "estates", "--out", str(tmp_path / "s.gpkg")
    )
    assert found["sites"][0]["label"] == "A"
    assert "no feature '99'" in told("cover", "--area", "99", code=3)["error"]
    assert "not both" in told("cover", "--area", COMMUNITY, "--osm", "x.osm", code=2)["error"]
    assert "or an --area" in told("site", "--category", CARE, code=2)["error"]


def test_the_indicator_counts_homes_that_reach_every_category(
    client: TestClient, public: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circle_ground, "SOON_S", 0.0)

    def indicator(asked: TestClient) -> Any:
        (one,) = get(asked, "/api/kpis", area=COMMUNITY, name="life_circle")["kpis"]
        return one

    end = time.monotonic() + 60
    while (told := indicator(client))["missing"]:
        assert told["value"] is None
        assert time.monotonic() < end, "It was never computed."

    homes: dict[int, int] = {}
    reach_all: set[int] | None = None
    for row in get(client, "/api/coverage", area=COMMUNITY)["categories"]:
        if row["limit_m"] is None:
            continue  # no category of the rule set
        columns = get(client, f"/api/coverage/{row['category']}", area=COMMUNITY, minutes=15)["buildings"]
        homes = dict(zip(columns["fid"], columns["households"], strict=True))
        near = {fid for fid, s in zip(columns["fid"], columns["seconds"], strict=True) if s is not None and s <= 900}
        reach_all = near if reach_all is None else reach_all & near
    assert reach_all
    assert told["numerator"] == sum(homes[fid] for fid in reach_all)
    assert told["denominator"] == sum(homes.values())
    assert told["value"] == told["numerator"] / told["denominator"]
    assert "无权" in indicator(public)["missing"]["zh"]
