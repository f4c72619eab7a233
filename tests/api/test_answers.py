"""The catalogue, cards, counts, health and errors as a client reads them."""

from __future__ import annotations

import pytest

from onemap.domain.layer import Catalog
from onemap.store.db import Db
from tests.api.conftest import Ask

SQUARE = "ST_Multi(ST_MakeEnvelope(117.30, 31.70, 117.31, 31.71, 4490))"


@pytest.fixture
def building(db: Db) -> int:
    """One building; its fid."""
    with db.connection() as connection:
        row = connection.execute(
            "INSERT INTO layer.buildings (building_id, name, floors, households, geom) "
            f"VALUES ('B1', '桂花坞 8 栋', 6, 36, {SQUARE}) RETURNING fid"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_the_catalogue_lists_every_layer_in_both_languages(ask: Ask, catalog: Catalog) -> None:
    answer = ask().get("/api/catalog").json()
    assert [layer["name"] for layer in answer["layers"]] == [layer.name for layer in catalog]
    cameras = next(layer for layer in answer["layers"] if layer["name"] == "cameras")
    assert cameras["title"] == {"zh": "监控", "en": "Cameras"}
    assert {"name": "range_m", "type": "number", "unit": "m"}.items() <= next(
        field for field in cameras["fields"] if field["name"] == "range_m"
    ).items()


def test_the_public_learns_that_a_hidden_layer_exists_but_nothing_of_it(ask: Ask) -> None:
    answer = ask(peer="192.0.2.7").get("/api/catalog").json()
    cameras = next(layer for layer in answer["layers"] if layer["name"] == "cameras")
    assert (cameras["allowed"], cameras["fields"], cameras["n_features"]) == (False, [], None)


def test_a_card_shows_the_fields_that_the_reader_may_see(ask: Ask, building: int) -> None:
    card = ask().get(f"/api/features/buildings/{building}").json()
    assert (card["title"], card["properties"]["households"]) == ("桂花坞 8 栋", 36)
    assert card["bounds"] == [117.30, 31.70, 117.31, 31.71]
    public = ask(peer="192.0.2.7").get(f"/api/features/buildings/{building}").json()
    assert "households" not in public["properties"]
    assert public["properties"]["floors"] == 6


@pytest.mark.usefixtures("building")
def test_counts_are_those_of_the_box(ask: Ask) -> None:
    client = ask()
    assert client.get("/api/counts?bbox=117,31,118,32").json()["counts"]["buildings"] == {
        "n": 1,
        "exact": True,
        "classes": None,
    }
    assert client.get("/api/counts?bbox=110,31,111,32").json()["counts"]["buildings"]["n"] == 0


def test_counts_tell_the_classes_of_the_legend_that_the_reader_may_see(ask: Ask, two_cameras: None) -> None:
    cameras = ask().get("/api/counts?bbox=117,31,118,32").json()["counts"]["cameras"]
    assert cameras == {"n": 1, "exact": True, "classes": {"tianwang": 1}}


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/api/counts", 400, "bbox"),
        ("/api/counts?bbox=1,2,3", 400, "must be four numbers"),
        ("/api/counts?bbox=nan,0,1,1", 400, "west must be less than east"),
        ("/api/counts?bbox=118,31,117,32", 400, "west must be less than east"),
        ("/api/features/buildings/abc", 400, "fid"),
        ("/api/features/buildings/999999", 404, "holds no feature '999999'"),
        ("/api/nowhere", 404, "Not Found"),
    ],
)
def test_a_wrong_question_gets_a_sentence(ask: Ask, path: str, status: int, sentence: str) -> None:
    answer = ask().get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert sentence in answer.json()["detail"]


def test_ready_once_the_first_data_is_in(ask: Ask, db: Db) -> None:
    client = ask(ONEMAP_DEMO="default")
    assert client.get("/healthz").status_code == 200
    waiting = client.get("/readyz")
    assert (waiting.status_code, waiting.json()["detail"]) == (503, "The first data is not in yet.")
    with db.connection() as connection:
        connection.execute(
            f"INSERT INTO core.area (area_code, name, level, geom) VALUES ('9901', '示例市', 'city', {SQUARE})"
        )
    assert client.get("/readyz").status_code == 200


def test_metrics_count_requests_by_part(ask: Ask) -> None:
    client = ask()
    client.get("/api/catalog")
    assert 'onemap_requests_total{part="api",status="2xx"}' in client.get("/metrics").text


def test_the_api_page_needs_nothing_from_elsewhere(ask: Ask) -> None:
    client = ask()
    page = client.get("/api/docs").text
    assert "https://" not in page
    assert client.get("/api/docs/assets/swagger-ui-bundle.js").status_code == 200
    assert client.get("/api/openapi.json").json()["openapi"].startswith("3.")
