"""What a reader may not see is not there: layers, fields, rows, areas, on every route of the feed."""

from __future__ import annotations

import json

from starlette.testclient import TestClient

from onemap.domain.layer import Catalog

from .conftest import BASE, READERS, Get, N


def test_a_layer_that_a_reader_may_not_see_is_nowhere(client: TestClient, get: Get, catalog: Catalog):
    hidden = [layer.name for layer in catalog if not READERS["public"].sees(layer)]
    assert {"cameras", "events", "responders"} <= set(hidden)
    listed = [collection["id"] for collection in get("/collections")["collections"]]
    paths = json.dumps(list(get("/openapi")["paths"]))
    for name in hidden:
        assert name not in listed
        assert f"/collections/{name}" not in paths
        for rest in ("", "/items", "/items/1", "/schema", "/queryables", "/tiles", "/tiles/WebMercatorQuad",
                     "/tiles/WebMercatorQuad/14/6650/13500"):  # fmt: skip
            for form in ("json", "html"):
                answer = client.get(f"/ogc/collections/{name}{rest}", params={"f": form} if "14/" not in rest else {})
                assert answer.status_code == 404
                assert "340104" not in answer.text


def test_a_hidden_layer_and_a_missing_one_are_told_in_the_same_words(get: Get):
    hidden, missing = (get(f"/collections/{name}/items", status=404) for name in ("cameras", "no_such"))
    assert hidden["detail"].replace("cameras", "no_such") == missing["detail"]


def test_a_hidden_field_is_in_no_document(client: TestClient, get: Get):
    for path in ("/items", "/items/1", "/schema", "/queryables"):
        assert "households" not in json.dumps(get(f"/collections/buildings{path}"))
        assert "households" not in client.get(f"/ogc/collections/buildings{path}?f=html&lang=en").text
        assert "households" in json.dumps(get(f"/collections/buildings{path}", reader="staff"))
    parameters = get("/openapi")["paths"]["/collections/buildings/items"]["get"]["parameters"]
    assert "households" not in [parameter["name"] for parameter in parameters]


def test_a_hidden_field_cannot_be_felt_for(get: Get):
    for params in (
        {"households": "1"},
        {"filter": "households > 5"},
        {"filter": "households IS NULL"},
        {"filter": "CASEI(name) = 'x' OR floors < households"},
        {"sortby": "households"},
        {"properties": "households"},
    ):
        get("/collections/buildings/items", status=400, **params)
        get("/collections/buildings/items", reader="staff", **params)


def test_restricted_rows_are_neither_given_nor_counted(get: Get):
    some = get("/collections/cameras/items", reader="staff")
    every = get("/collections/cameras/items", reader="everything")
    childcare = [f["id"] for f in every["features"] if f["properties"]["camera_class"] == "childcare"]
    assert childcare
    assert some["numberMatched"] == N - len(childcare)
    assert get("/collections/cameras/items", reader="staff", camera_class="childcare")["numberMatched"] == 0
    get(f"/collections/cameras/items/{childcare[0]}", reader="staff", status=404)
    get(f"/collections/cameras/items/{childcare[0]}", reader="everything")


def test_a_reader_of_one_community_sees_no_other(get: Get):
    mine = get("/collections/buildings/items", reader="one community")
    assert mine["numberMatched"] == N // 2
    assert {feature["properties"]["area_code"] for feature in mine["features"]} == {"340104001001"}
    assert get("/collections/buildings/items", reader="one community", area_code="340104001002")["numberMatched"] == 0
    other = get("/collections/buildings/items", area_code="340104001002", limit=1)["features"][0]["id"]
    get(f"/collections/buildings/items/{other}", reader="one community", status=404)


def test_readers_do_not_get_each_others_documents(get: Get):
    # what is kept between requests is kept by reader: staff first, the public after, at the same address
    assert len(get("/collections", reader="everything")["collections"]) > len(get("/collections")["collections"])
    west = get("/collections/buildings", reader="staff")["extent"]["spatial"]["bbox"][0]
    mine = get("/collections/buildings", reader="one community")["extent"]["spatial"]["bbox"][0]
    assert mine[2] < west[2]


def test_an_address_says_what_the_reader_used(client: TestClient):
    for host in ("map.example", "10.0.0.7:8080", "[::1]:8000"):
        document = client.get("/ogc/collections", headers={"host": host}).json()
        assert document["links"][0]["href"].startswith(f"http://{host}/ogc/collections")


def test_a_host_that_is_none_is_not_repeated(client: TestClient):
    text = client.get("/ogc/", headers={"host": 'x"><script>'}).text
    assert "<script" not in text
    assert "x\\" not in text


def test_a_forwarded_address_is_believed_from_a_trusted_proxy_only(client: TestClient):
    forwarded = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    assert client.get("/ogc/", headers=forwarded).json()["links"][0]["href"].startswith(BASE)
