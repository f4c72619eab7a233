"""Tiles, TileJSON, styles and symbols as a map client asks for them."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from onemap.api import problems
from onemap.api.tiles import MVT, tile_routes
from onemap.catalog.style import read_style_book
from onemap.domain.layer import Catalog
from onemap.domain.scope import ASGI_KEY, PUBLIC, STAFF
from onemap.domain.scope import Scope as Reader
from onemap.store.db import AsyncDb
from onemap.store.tiles import TileCache, TileStore

ROOT = Path(__file__).resolve().parents[2]
#: The tile of zoom 16 that holds 117.3 E, 31.7 N, and an empty one.
HERE, ELSEWHERE = "/tiles/buildings/16/54121/26678.mvt", "/tiles/buildings/16/1/1.mvt"


@pytest.fixture(scope="module")
def cache() -> TileCache:
    return TileCache()


@pytest.fixture(scope="module")
def reader() -> dict[str, Reader]:
    """Who is asking; tests change it."""
    return {"scope": PUBLIC}


@pytest.fixture(scope="module")
def client(module_database: str, catalog: Catalog, cache: TileCache, reader: dict[str, Reader]) -> Iterator[TestClient]:
    """The tile routes alone, on a database with one building and one event."""
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO layer.buildings (area_code, building_id, name, use, floors, geom) VALUES ('990101001001', 'B1', "
            "'1 栋', 'residential', 6, ST_Multi(ST_MakeEnvelope(117.3, 31.7, 117.3005, 31.7002, 4490)))"
        )
        connection.execute(
            "INSERT INTO core.event (event_no, area_code, title, kind, level, state, reported_at, geom) VALUES "
            "('E1', '990101001001', '路灯不亮', 'street_light', 2, 'accepted', now(), ST_Point(117.3, 31.7, 4490))"
        )
    adb = AsyncDb(module_database, max_size=2)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await adb.open()
        yield
        await adb.close()

    api = FastAPI(lifespan=lifespan)
    problems.install(api)
    api.router.routes[:0] = tile_routes(catalog, TileStore(catalog, adb, cache), read_style_book(ROOT / "tiles"))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[ASGI_KEY] = reader["scope"]
        await api(scope, receive, send)

    with TestClient(app, base_url="http://map.example") as asking:
        yield asking


@pytest.fixture
def as_staff(reader: dict[str, Reader]) -> Iterator[None]:
    reader["scope"] = STAFF
    yield
    reader["scope"] = PUBLIC


def test_a_tile_comes_compressed_with_an_etag(client: TestClient) -> None:
    with client.stream("GET", HERE) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MVT
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["etag"].startswith('"')
    assert "no-cache" in answer.headers["cache-control"]
    assert "authorization" in answer.headers["vary"]
    assert int(answer.headers["content-length"]) == len(raw)
    assert b"residential" in gzip.decompress(raw)


def test_a_client_that_cannot_unzip_gets_the_plain_tile(client: TestClient) -> None:
    answer = client.get(HERE, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == client.get(HERE).content


def test_who_has_the_tile_is_told_so(client: TestClient) -> None:
    etag = client.get(HERE).headers["etag"]
    for told in (etag, f'W/{etag}, "other"', "*"):
        answer = client.get(HERE, headers={"If-None-Match": told})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    assert client.get(HERE, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_head_request_has_the_headers_only(client: TestClient) -> None:
    answer = client.head(HERE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == client.get(HERE).headers["etag"]
    assert client.post(HERE).status_code == 405


@pytest.mark.parametrize("path", [ELSEWHERE, "/tiles/buildings/3/1/1.mvt", "/tiles/buildings/17/1/1.mvt"])
def test_where_nothing_is_the_answer_is_empty(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/tiles/buildings/99/0/0.mvt", "Zoom 99"),
        ("/tiles/buildings/3/8/0.mvt", "from 0 to 7"),
        ("/tiles/buildings/a/b/c.mvt", "three whole numbers"),
        ("/tiles/buildings/-1/0/0.mvt", "three whole numbers"),
        ("/tiles/buildings/16/1.mvt", "three whole numbers"),
        ("/tiles/buildings/16/1/1/1.mvt", "three whole numbers"),
        ("/tiles/buildings/16/99999999999999999999/1.mvt", "so far out"),
        ("/tiles/water+water/16/1/1.mvt", "each once"),
        ("/tiles/water+/16/1/1.mvt", "no layer ''"),
        ("/tiles/camras/16/1/1.mvt", "no layer 'camras'"),
        ("/tiles/camras.json", "no layer 'camras'"),
        ("/tiles/style/blue.json", "no theme 'blue'"),
        ("/tiles/sprites/blue.png", "no theme 'blue'"),
        ("/tiles/sprites/dark@3x.png", "1x and 2x"),
        ("/tiles/symbols/dark/unicorn.svg", "no symbol 'unicorn'"),
    ],
)
def test_a_bad_address_is_told_in_a_sentence(client: TestClient, path: str, said: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert answer.json()["detail"].endswith(".")


def test_the_public_does_not_learn_of_events(client: TestClient, as_staff: None, reader: dict[str, Reader]) -> None:
    path = "/tiles/events/16/54121/26678.mvt"
    assert client.get(path).status_code == 200
    etag = client.get(path).headers["etag"]
    reader["scope"] = PUBLIC
    for answer in (
        client.get(path),
        client.get(path, headers={"If-None-Match": etag}),
        client.get("/tiles/events.json"),
    ):
        assert answer.status_code == 404
        assert "no layer 'events'" in answer.json()["detail"]


def test_a_tile_follows_a_write_once_the_cache_is_told(
    client: TestClient, cache: TileCache, module_database: str
) -> None:
    path = "/tiles/water/16/54121/26678.mvt"
    assert client.get(path).status_code == 204
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO layer.water (area_code, water_id, name, kind, geom) VALUES ('990101001001', 'W1', '晴川河', 'river', "
            "ST_Multi(ST_MakeEnvelope(117.3, 31.7, 117.3005, 31.7002, 4490)))"
        )
    assert client.get(path).status_code == 204
    cache.invalidate("water")
    assert client.get(path).status_code == 200


def test_a_tile_of_several_layers_holds_what_each_alone_would(client: TestClient, cache: TileCache) -> None:
    names = ("buildings", "areas", "water")
    path = f"/tiles/{'+'.join(names)}/16/54121/26678.mvt"
    cache.clear()
    whole = client.get(path)
    alone = [client.get(path.replace("+".join(names), name)).content for name in names]
    assert whole.content == b"".join(alone)
    assert b"residential" in whole.content
    assert client.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    only = client.get(path.replace("areas+water", "facilities"))
    assert only.content == alone[0], "a layer without anything here adds nothing"


def test_a_tile_of_several_layers_needs_the_right_to_each(client: TestClient) -> None:
    answer = client.get("/tiles/buildings+events/16/54121/26678.mvt")
    assert answer.status_code == 404
    assert "no layer 'events'" in answer.json()["detail"]


def test_tilejson_says_what_a_client_needs(client: TestClient) -> None:
    document = client.get("/tiles/buildings.json").json()
    assert document["tilejson"] == "3.0.0"
    assert document["tiles"] == ["http://map.example/tiles/buildings/{z}/{x}/{y}.mvt"]
    assert (document["minzoom"], document["maxzoom"]) == (12, 16)
    assert document["bounds"] == pytest.approx([117.3, 31.7, 117.3005, 31.7002])
    (layer,) = document["vector_layers"]
    assert layer["id"] == "buildings"
    assert layer["fields"] == {"building_id": "String", "name": "String", "use": "String", "floors": "Number"}


def test_tilejson_of_an_empty_layer_has_no_bounds(client: TestClient) -> None:
    assert "bounds" not in client.get("/tiles/green.json").json()


def test_the_style_shows_what_the_reader_may_see(client: TestClient, as_staff: None, reader: dict[str, Reader]) -> None:
    staff = client.get("/tiles/style/dark.json").json()
    assert staff["sources"]["events"]["tiles"] == ["http://map.example/tiles/events/{z}/{x}/{y}.mvt"]
    assert staff["sprite"] == "http://map.example/tiles/sprites/dark"
    assert "glyphs" not in staff
    reader["scope"] = PUBLIC
    public = client.get("/tiles/style/dark.json").json()
    assert "events" not in public["sources"]
    assert "events" not in json.dumps(public).replace("slot:events", "")


def test_the_style_speaks_both_languages(client: TestClient) -> None:
    titles = {lang: _legend(client, lang)["text"] for lang in ("zh", "en")}
    assert titles == {"zh": "建筑", "en": "Buildings"}
    assert client.get("/tiles/style/dark.json?lang=fr").status_code == 400


def test_a_style_that_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/tiles/style/light.json").headers["etag"]
    assert client.get("/tiles/style/light.json", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_sprites_come_in_two_sizes(client: TestClient, theme: str) -> None:
    for suffix, ratio in (("", 1), ("@2x", 2)):
        index = client.get(f"/tiles/sprites/{theme}{suffix}.json").json()
        assert index["event-4"]["pixelRatio"] == ratio
        assert client.get(f"/tiles/sprites/{theme}{suffix}.png").content.startswith(b"\x89PNG")


def test_a_legend_asks_for_single_symbols(client: TestClient) -> None:
    legend = _legend(client, "zh")
    for symbol in (legend["symbol"], *(item["symbol"] for item in legend["items"])):
        answer = client.get(f"/tiles/symbols/light/{symbol}.svg")
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert answer.text.startswith("<svg")


def _legend(client: TestClient, language: str) -> dict[str, Any]:
    style = client.get(f"/tiles/style/light.json?lang={language}").json()
    drawn = next(layer for layer in style["layers"] if layer["id"] == "buildings-solid")
    legend: dict[str, Any] = drawn["metadata"]["onemap:legend"]
    return legend


def test_the_style_is_as_committed(client: TestClient, golden: Callable[[str, str], None], as_staff: None) -> None:
    style = client.get("/tiles/style/light.json").json()
    golden("style-light.json", json.dumps(style, ensure_ascii=False, indent=1) + "\n")
