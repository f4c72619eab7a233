"""The feed's pages: both languages, a sketch of what is there, nothing from outside, nothing that data could smuggle in."""

from __future__ import annotations

import re

import psycopg
import pytest
from starlette.testclient import TestClient

from onemap.domain.layer import Catalog
from onemap.ogc.html import MAX_VERTICES, svg

PAGES = ["", "/conformance", "/openapi", "/collections", "/collections/buildings", "/collections/buildings/items",
         "/collections/buildings/items/1", "/collections/buildings/schema", "/collections/buildings/queryables",
         "/collections/buildings/tiles", "/tiles", "/tiles/WebMercatorQuad", "/tileMatrixSets",
         "/tileMatrixSets/WebMercatorQuad", "/processes", "/processes/echo", "/jobs"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_speaks_the_language_and_refers_to_nothing_outside(client: TestClient, path: str, language: str):
    answer = client.get(f"/ogc{path}", params={"f": "html", "lang": language})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.findall(r"<(?:script|link|img|iframe)\b|\bsrc=|url\(|@import", answer.text)


@pytest.mark.parametrize(("header", "language"), [
    ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-GB,en;q=0.9", "en"), ("fr,en;q=0.5,zh;q=0.7", "zh"), ("fr", "zh"), ("", "zh"),
    ("en;q=x", "zh"),
])  # fmt: skip
def test_the_reader_s_language_is_taken(client: TestClient, header: str, language: str):
    assert client.get("/ogc", headers={"accept-language": header}).headers["content-language"] == language


@pytest.mark.parametrize(("header", "kind"), [
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
    ("application/json", "application/json"), ("*/*", "application/json"), ("", "application/json"),
    ("application/json;q=0.5, text/html;q=0.9", "text/html"), ("text/html;q=0.5, application/json", "application/json"),
    ("image/png", "application/json"),
])  # fmt: skip
def test_the_reader_s_form_is_taken(client: TestClient, header: str, kind: str):
    assert client.get("/ogc", headers={"accept": header}).headers["content-type"].split(";")[0] == kind


def test_titles_are_in_the_reader_s_language(client: TestClient):
    assert client.get("/ogc/collections/buildings?lang=zh").json()["title"] == "建筑"
    assert client.get("/ogc/collections/buildings?lang=en").json()["title"] == "Buildings"
    properties = client.get("/ogc/collections/buildings/schema?lang=en").json()["properties"]
    assert properties["floors"]["title"] == "Floors"
    assert properties["use"]["x-onemap-titles"]["residential"] == "Residential"
    assert client.get("/ogc/collections?lang=fr").status_code == 400


def test_a_page_of_items_shows_a_sketch_and_every_row(client: TestClient, catalog: Catalog):
    for layer in catalog:
        text = client.get(f"/ogc/collections/{layer.name}/items?f=html", headers={"x-reader": "everything"}).text
        assert text.count("<tr>") == 1 + 24
        assert len(re.findall(r"<path |<circle ", text)) == 24


def test_a_page_of_items_leads_to_the_next_page(client: TestClient):
    text = client.get("/ogc/collections/buildings/items?f=html&limit=10").text
    (following,) = re.findall(r'rel="next" href="([^"]+)"', text)
    page = client.get(following.replace("&amp;", "&"))
    assert page.headers["content-type"].startswith("text/html")
    assert page.text.count("<tr>") == 1 + 10


def test_data_cannot_become_markup(client: TestClient, town: str):
    evil = "<script>alert(1)</script>\"' onload=x"
    with psycopg.connect(town, autocommit=True) as connection:
        connection.execute("UPDATE layer.buildings SET name = %s WHERE fid = 3", (evil,))
    try:
        for path in ("/items", "/items/3"):
            text = client.get(f"/ogc/collections/buildings{path}?f=html").text
            assert "<script" not in text
            assert "&lt;script&gt;" in text
        # and in JSON it is what it is: pygeoapi would have written &lt;
        assert client.get("/ogc/collections/buildings/items/3").json()["properties"]["name"] == evil
    finally:
        with psycopg.connect(town, autocommit=True) as connection:
            connection.execute("UPDATE layer.buildings SET name = '名称2' WHERE fid = 3")


def test_an_error_is_a_page_for_who_reads_pages(client: TestClient):
    answer = client.get("/ogc/collections/no_such", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "no_such" in answer.text


def test_a_sketch_draws_what_is_there():
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    many = {"type": "MultiPoint", "coordinates": [[0, 0], [1, 1]]}
    drawn = str(svg([square, many, None]))
    assert drawn.count("<path") == 1
    assert drawn.count("<circle") == 2
    assert "NaN" not in drawn


def test_a_sketch_of_nothing_or_of_too_much_is_left_out():
    assert svg([]) is None
    assert svg([None]) is None
    assert svg([{"type": "LineString", "coordinates": [[x, 0.0] for x in range(MAX_VERTICES + 1)]}]) is None
