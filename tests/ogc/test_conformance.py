"""The rules of the official suites (features10, tiles10), each as a claim about every collection."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pyproj
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator
from starlette.testclient import TestClient

from onemap.domain.layer import Catalog

from .conftest import BASE, Get, N

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
EVERY_CRS = [CRS84, *(f"{EPSG}{code}" for code in (4326, 4490, 3857, 4548))]


@pytest.fixture
def collections(get: Get) -> list[dict[str, Any]]:
    return get("/collections", reader="staff")["collections"]


@pytest.fixture
def openapi(get: Get) -> dict[str, Any]:
    return get("/openapi", reader="staff")


def links_of(document: dict[str, Any], rel: str) -> list[dict[str, Any]]:
    return [link for link in document["links"] if link["rel"] == rel]


# 1, 2: the API definition ------------------------------------------------------------------------------------------


def test_the_landing_page_leads_to_an_openapi_3_0_document_of_exactly_the_right_type(client: TestClient, get: Get):
    (service,) = links_of(get("/"), "service-desc")
    assert service["type"] == "application/vnd.oai.openapi+json;version=3.0"
    answer = client.get(service["href"])
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert answer.json()["openapi"] == "3.0.3"


def test_the_openapi_document_is_valid_and_refers_to_nothing(openapi: dict[str, Any]):
    assert '"$ref"' not in json.dumps(openapi)
    assert not list(OpenAPIV30SpecValidator(openapi).iter_errors())


def test_the_openapi_document_has_no_word_of_3_1(openapi: dict[str, Any]):
    text = json.dumps(openapi)
    assert '"type": "null"' not in text
    assert '"prefixItems"' not in text
    assert '"const"' not in text


def test_operation_ids_are_unique(openapi: dict[str, Any]):
    ids = [operation["operationId"] for path in openapi["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


# 3: parameters of items --------------------------------------------------------------------------------------------


def test_every_collection_declares_limit_bbox_and_datetime_in_full(openapi: dict[str, Any], catalog: Catalog):
    for layer in catalog:
        declared = openapi["paths"][f"/collections/{layer.name}/items"]["get"]["parameters"]
        by_name = {parameter["name"]: parameter for parameter in declared}
        for name in ("limit", "bbox", "datetime"):
            found = by_name[name]
            assert (found["in"], found["required"], found["style"], found["explode"]) == ("query", False, "form", False)
        limit = by_name["limit"]["schema"]
        assert (limit["type"], limit["minimum"], limit["maximum"], limit["default"]) == ("integer", 1, 10_000, 1_000)
        bbox = by_name["bbox"]["schema"]
        assert (bbox["type"], bbox["minItems"], bbox["maxItems"]) == ("array", 4, 6)
        assert bbox["items"] == {"type": "number"}
        assert by_name["datetime"]["schema"] == {"type": "string"}


# 4: refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["abc", "0", "-1", "1.5", "", "１０", "1e3"])
def test_a_limit_that_is_no_number_is_400(get: Get, limit: str):
    assert "limit" in get("/collections/buildings/items", limit=limit, status=400)["detail"]


def test_a_limit_above_the_maximum_is_the_maximum(get: Get):
    assert get("/collections/buildings/items", limit=99_999)["numberReturned"] == N


@pytest.mark.parametrize(
    "path",
    [
        "/", "/conformance", "/openapi", "/collections", "/collections/buildings", "/collections/buildings/items",
        "/collections/buildings/items/1", "/collections/buildings/queryables", "/collections/buildings/schema",
        "/collections/buildings/tiles", "/collections/buildings/tiles/WebMercatorQuad", "/tiles", "/tileMatrixSets",
        "/tiles/WebMercatorQuad/14/6650/13500", "/processes", "/processes/echo", "/jobs",
    ],
)  # fmt: skip
def test_an_unknown_parameter_is_400_everywhere(get: Get, path: str):
    assert "no_such" in get(path, no_such="1", status=400)["detail"]


def test_a_parameter_given_twice_is_400(client: TestClient):
    assert client.get("/ogc/collections/buildings/items?limit=1&limit=2").status_code == 400


# 5: links ------------------------------------------------------------------------------------------------------------


def every_page(catalog: Catalog) -> list[str]:
    pages = ["/", "/conformance", "/collections", "/tiles", "/tiles/WebMercatorQuad", "/tileMatrixSets", "/processes"]
    for layer in catalog:
        base = f"/collections/{layer.name}"
        pages += [base, f"{base}/items", f"{base}/tiles", f"{base}/tiles/WebMercatorQuad"]
    return pages


def test_every_document_says_where_it_is_in_each_form_and_the_links_hold(client: TestClient, catalog: Catalog):
    staff = {"x-reader": "staff"}
    for page in every_page(catalog):
        document = client.get(f"/ogc{page}", headers=staff).json()
        (own,), (other,) = links_of(document, "self"), links_of(document, "alternate")
        assert other["type"] == "text/html", page
        assert client.get(own["href"], headers=staff).headers["content-type"] == own["type"], page
        assert client.get(other["href"], headers=staff).headers["content-type"].startswith("text/html"), page
        as_page = client.get(f"/ogc{page}", headers={**staff, "accept": "text/html"})
        assert as_page.headers["content-type"].startswith("text/html"), page


def test_every_link_has_a_type_and_every_link_inside_the_feed_leads_somewhere(client: TestClient, get: Get):
    for page in ("/", "/collections/buildings", "/collections/roads/items", "/collections/roads/items/1"):
        for link in get(page)["links"]:
            assert link["type"], link
            assert client.get(link["href"]).status_code == 200, link


def test_html_is_declared_only_where_it_is_served(client: TestClient, openapi: dict[str, Any]):
    for path, operations in openapi["paths"].items():
        declared = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "text/html" in declared and "{" not in path:
            answer = client.get(f"/ogc{path}", params={"f": "html"}, headers={"x-reader": "staff"})
            assert answer.headers["content-type"].startswith("text/html"), path


def test_a_collection_says_the_same_alone_and_in_the_list(get: Get, collections: list[dict[str, Any]]):
    assert collections
    for listed in collections:
        alone = get(f"/collections/{listed['id']}", reader="staff")
        for name in ("id", "title", "description", "extent", "crs", "storageCrs", "itemType"):
            assert alone[name] == listed[name]


def test_the_items_link_does_not_end_in_a_query(collections: list[dict[str, Any]]):
    # GDAL 3.6 appends '/5' to it
    for collection in collections:
        links = [link for link in links_of(collection, "items") if link["type"] == "application/geo+json"]
        assert [link["href"] for link in links] == [f"{BASE}/collections/{collection['id']}/items"]


# 6: pages of items -----------------------------------------------------------------------------------------------------


def test_every_collection_pages_to_its_end_and_counts_right(client: TestClient, catalog: Catalog):
    for layer in catalog:
        address, seen, pages = f"{BASE}/collections/{layer.name}/items?limit=10", [], 0
        while address:
            page = client.get(address, headers={"x-reader": "everything"}).json()
            assert page["type"] == "FeatureCollection"
            assert page["numberMatched"] == N, layer.name
            assert page["numberReturned"] == len(page["features"])
            assert datetime.fromisoformat(page["timeStamp"]).tzinfo is not None
            seen += [feature["id"] for feature in page["features"]]
            address = next((link["href"] for link in links_of(page, "next")), None)
            pages += 1
        assert pages == 3
        assert len(seen) == len(set(seen)) == N


def test_a_page_has_the_geojson_media_type(client: TestClient):
    for path in ("/items", "/items/1"):
        answer = client.get(f"/ogc/collections/buildings{path}", headers={"accept": "application/geo+json"})
        assert answer.headers["content-type"] == "application/geo+json"


def test_the_first_feature_of_every_collection_can_be_asked_for_alone(get: Get, catalog: Catalog):
    for layer in catalog:
        first = get(f"/collections/{layer.name}/items", limit=1, reader="everything")["features"][0]
        alone = get(f"/collections/{layer.name}/items/{first['id']}", reader="everything")
        assert {name: alone[name] for name in first} == first


# 7: coordinate reference systems -------------------------------------------------------------------------------------


def test_every_collection_lists_its_crs_with_crs84_first(collections: list[dict[str, Any]]):
    for collection in collections:
        assert collection["crs"] == EVERY_CRS
        assert collection["storageCrs"] == f"{EPSG}4490"


@pytest.mark.parametrize("path", ["/collections/buildings/items", "/collections/buildings/items/1"])
def test_every_answer_says_its_crs(client: TestClient, path: str):
    assert client.get(f"/ogc{path}").headers["content-crs"] == f"<{CRS84}>"
    for uri in EVERY_CRS:
        answer = client.get(f"/ogc{path}", params={"crs": uri})
        assert answer.status_code == 200
        assert answer.headers["content-crs"] == f"<{uri}>"


@pytest.mark.parametrize("crs", [f"{EPSG}31467", "EPSG:4326", "", "http://www.opengis.net/def/crs/0/unknown"])
def test_an_unknown_crs_is_400(get: Get, crs: str):
    get("/collections/buildings/items", crs=crs, status=400)
    get("/collections/buildings/items/1", crs=crs, status=400)
    get("/collections/buildings/items", bbox="117,31,118,32", bbox_crs=crs, status=400)


@pytest.mark.parametrize(
    "bbox",
    ["117.0,31.0,118.0,32.0", "-1.5,50,1.5,53", "-80,-5,-70,5", "177,65,-177,70", "-180,85,180,90", "-180,-90,180,-85",
     "117.0,31.0,0,118.0,32.0,100"],
)  # fmt: skip
def test_the_boxes_of_the_suite_are_answered(get: Get, bbox: str):
    page = get("/collections/buildings/items", bbox=bbox)
    assert page["numberMatched"] == (N if bbox.startswith("117") else 0)


def test_the_extent_as_a_box_in_metres_holds_everything(get: Get):
    to_metres = pyproj.Transformer.from_crs(4490, 4548, always_xy=True)
    for collection in get("/collections")["collections"]:
        west, south, east, north = collection["extent"]["spatial"]["bbox"][0]
        (e0, e1), (n0, n1) = to_metres.transform([west, east], [south, north])
        items = f"/collections/{collection['id']}/items"
        assert get(items, bbox=f"{n0},{e0},{n1},{e1}", bbox_crs=f"{EPSG}4548")["numberMatched"] == N
        # the suite's coordinate engine writes x before y, whatever the authority says: that must not be an error
        assert get(items, bbox=f"{e0},{n0},{e1},{n1}", bbox_crs=f"{EPSG}4548")["numberMatched"] == 0
        assert get(items, bbox=f"{west},{south},{east},{north}", bbox_crs=f"{EPSG}4326")["numberMatched"] == 0


# time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when",
    ["2024-03-05T00:00:00Z", "2024-03-02T00:00:00Z/2024-03-09T00:00:00Z", "2024-03-02/P2D", "../2024-03-09", "2024-03-09/", "2024-03-05",
     "2024-03-02T00:00:00.123456789Z/P1DT2H"],
)  # fmt: skip
def test_datetime_is_taken_by_every_collection(get: Get, catalog: Catalog, when: str):
    for layer in catalog:
        page = get(f"/collections/{layer.name}/items", datetime=when, reader="everything")
        if layer.time is None:
            assert page["numberMatched"] == N
        else:
            assert page["numberMatched"] < N


@pytest.mark.parametrize("when", ["tomorrow", "2024-13-01", "2024-03-01/2024-03-02/2024-03-03", "P1D", ""])
def test_a_datetime_that_is_none_is_400(get: Get, when: str):
    get("/collections/buildings/items", datetime=when, status=400)


def test_temporal_extents_have_two_moments(collections: list[dict[str, Any]]):
    found = [c["extent"]["temporal"]["interval"][0] for c in collections if "temporal" in c["extent"]]
    assert found
    for start, end in found:
        assert datetime.fromisoformat(start) < datetime.fromisoformat(end)


# 8: what is not there ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/collections/no_such", "/collections/no_such/items", "/collections/buildings/items/999999",
                                  "/collections/buildings/items/x", "/no/such", "/collections/buildings/no_such"])  # fmt: skip
def test_what_is_not_there_is_404(get: Get, path: str):
    error = get(path, status=404)
    assert error["code"] == "NotFound"
    assert error["detail"]


def test_the_landing_page_has_no_need_of_a_slash(client: TestClient):
    assert client.get("/ogc", follow_redirects=False).json() == client.get("/ogc/", follow_redirects=False).json()


def test_conformance_declares_what_qgis_looks_for(get: Get):
    declared = get("/conformance")["conformsTo"]
    for name in ("cql2/1.0/conf/cql2-text", "cql2/1.0/conf/basic-cql2", "ogcapi-features-3/1.0/conf/filter",
                 "ogcapi-features-3/1.0/conf/features-filter"):  # fmt: skip
        assert f"http://www.opengis.net/spec/{name}" in declared
    assert not [name for name in declared if "create-replace-delete" in name]


# 9: tiles --------------------------------------------------------------------------------------------------------------


def test_tilesets_are_linked_from_the_landing_page_and_every_collection(get: Get, collections: list[dict[str, Any]]):
    rel = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
    assert links_of(get("/"), rel)[0]["href"] == f"{BASE}/tiles?f=json"
    for collection in collections:
        assert links_of(collection, rel)[0]["href"].endswith(f"/collections/{collection['id']}/tiles?f=json")


@pytest.mark.parametrize("path", ["/tiles", "/collections/buildings/tiles"])
def test_a_tileset_leads_to_tiles_and_its_limits_hold(client: TestClient, get: Get, path: str):
    (listed,) = get(path)["tilesets"]
    assert listed["tileMatrixSetURI"] == "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
    for link in listed["links"]:  # the suite follows each and reads it as JSON
        assert client.get(link["href"]).headers["content-type"] == "application/json"
    tileset = client.get(next(link["href"] for link in listed["links"] if link["rel"] == "self")).json()
    (item,) = links_of(tileset, "item")
    assert item["href"].endswith("/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}")
    limits = tileset["tileMatrixSetLimits"][0]

    def tile(row: int, column: int) -> Any:
        places = {"tileMatrix": limits["tileMatrix"], "tileRow": row, "tileCol": column}
        address = item["href"]
        for name, value in places.items():
            address = address.replace(f"{{{name}}}", str(value))
        return client.get(address)

    good = tile(limits["maxTileRow"], limits["minTileCol"])
    assert good.status_code == 200
    assert good.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert tile(limits["maxTileRow"] + 1, limits["minTileCol"]).status_code == 404
    assert tile(2**31 - 1, 2**31 - 1).status_code == 404


def test_tile_parameters_have_the_names_of_the_standard(openapi: dict[str, Any]):
    for path in ("/tiles", "/collections/buildings/tiles"):
        operation = openapi["paths"][f"{path}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"]["get"]
        names = [parameter["name"] for parameter in operation["parameters"]]
        assert names == ["tileMatrixSetId", "tileMatrix", "tileRow", "tileCol"]


def test_the_tile_matrix_set_is_the_web_mercator_quad(get: Get):
    (listed,) = get("/tileMatrixSets")["tileMatrixSets"]
    assert {link["rel"] for link in listed["links"]} == {"self", "item"}
    matrices = get("/tileMatrixSets/WebMercatorQuad")["tileMatrices"]
    assert [matrix["id"] for matrix in matrices] == [str(z) for z in range(25)]
    # published values of OGC 17-083r4
    assert matrices[0]["scaleDenominator"] == pytest.approx(559082264.028717, rel=1e-12)
    assert matrices[18]["cellSize"] == pytest.approx(0.5971642834779389, rel=1e-9)
    get("/tileMatrixSets/WorldCRS84Quad", status=404)
    get("/collections/buildings/tiles/WorldCRS84Quad", status=404)
