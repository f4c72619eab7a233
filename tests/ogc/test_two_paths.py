"""The fast path and pygeoapi's answer the same; what pygeoapi is taught is still there to be taught."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pygeoapi import api as api_module
from pygeoapi import crs as crs_module
from pygeoapi.api import collection, itemtypes
from pygeoapi.provider import base
from starlette.testclient import TestClient

from onemap.domain.layer import Catalog
from onemap.ogc import mount

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"

QUESTIONS: list[dict[str, str]] = [
    {},
    {"limit": "3"},
    {"limit": "5", "after": "7"},
    {"limit": "5", "offset": "4"},
    {"bbox": "117.3035,31.69,117.31,31.71"},
    {"bbox": "31.69,117.3035,31.71,117.31", "bbox-crs": f"{EPSG}4326"},
    {"bbox": "3506000,528000,3509000,529500", "bbox-crs": f"{EPSG}4548"},
    {"bbox": "177,31,-177,32"},
    {"crs": f"{EPSG}4490", "limit": "2"},
    {"crs": f"{EPSG}4548", "limit": "2"},
    {"crs": f"{EPSG}3857", "limit": "2"},
    {"datetime": "2024-03-05/.."},
    {"area_code": "340104001002"},
    {"filter": "area_code = '340104001001' AND S_INTERSECTS(geometry, BBOX(117.3, 31.6, 117.305, 31.8))"},
    {"filter": '{"op":"like","args":[{"property":"area_code"},"%2"]}', "filter-lang": "cql2-json"},
    {"filter": "S_WITHIN(geometry, BBOX(3506000,528000,3509000,529500))", "filter-crs": f"{EPSG}4548"},
    {"sortby": "-area_code", "limit": "4"},
    {"properties": "area_code", "limit": "2"},
    {"skipGeometry": "true", "limit": "2"},
    {"lang": "en", "limit": "1"},
]


@pytest.fixture
def slowly(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``slowly(path, params)``: pygeoapi's answer to a question that the fast path would take."""

    def ask(path: str, params: dict[str, str]) -> tuple[dict[str, str], Any]:
        with monkeypatch.context() as without:
            without.setattr(mount.Feed, "_items", mount.Feed.items_by_pygeoapi)
            without.setattr(mount.Feed, "_item", mount.Feed.item_by_pygeoapi)
            return answered(client, path, params)

    return ask


def answered(client: TestClient, path: str, params: dict[str, str]) -> tuple[dict[str, str], Any]:
    answer = client.get(f"/ogc{path}", params=params, headers={"x-reader": "staff"})
    assert answer.status_code == 200, answer.text
    document = json.loads(answer.text)
    document.pop("timeStamp", None)
    return {name: answer.headers[name] for name in ("content-type", "content-crs", "content-language")}, document


@pytest.mark.parametrize("params", QUESTIONS, ids=lambda params: "&".join(params) or "all")
def test_both_paths_give_the_same_page(client: TestClient, slowly: Any, params: dict[str, str]):
    for layer in ("buildings", "roads", "events"):
        path = f"/collections/{layer}/items"
        assert answered(client, path, params) == slowly(path, params)


@pytest.mark.parametrize("params", [{}, {"crs": f"{EPSG}4548"}, {"lang": "en"}], ids=str)
def test_both_paths_give_the_same_feature(client: TestClient, slowly: Any, catalog: Catalog, params: dict[str, str]):
    for layer in catalog:
        first = client.get(f"/ogc/collections/{layer.name}/items?limit=1", headers={"x-reader": "staff"}).json()
        path = f"/collections/{layer.name}/items/{first['features'][0]['id']}"
        assert answered(client, path, params) == slowly(path, params)


def test_both_paths_refuse_the_same(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    for query in ("limit=abc", "bbox=1,2,3", "filter=no_such=1", "sortby=no_such", "crs=x", "datetime=x", "no_such=1"):
        path = f"/ogc/collections/buildings/items?{query}"
        fast = client.get(path)
        with monkeypatch.context() as without:
            without.setattr(mount.Feed, "_items", mount.Feed.items_by_pygeoapi)
            slow = client.get(path)
        assert fast.status_code == slow.status_code == 400
        assert fast.json() == slow.json()


def test_what_pygeoapi_is_taught_is_still_looked_up_where_we_put_it():
    # a new pygeoapi that renames one of these would silently do without
    for module, names in (
        (crs_module, ["get_crs"]),
        (base, ["get_crs"]),
        (api_module, ["to_json", "setup_logger"]),
        (itemtypes, ["to_json", "transform_bbox", "parse_cql2_text", "modify_pygeofilter", "get_dataset_formatters"]),
        (collection, ["get_dataset_formatters"]),
    ):
        for name in names:
            assert callable(getattr(module, name))
            source = module.__spec__.loader.get_source(module.__name__)  # type: ignore[union-attr]
            assert f"{name}(" in source
