"""A feed on a small invented town: every layer has features, and each test asks as the reader it names."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import uvicorn
from psycopg import sql
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from onemap.analyses.all import ALL
from onemap.domain.layer import AREA_CODE, GEOM, Catalog, DataClass, Field, FieldType, Layer
from onemap.domain.scope import ASGI_KEY, EVERYTHING, PUBLIC, STAFF, Scope
from onemap.ogc.mount import ogc_routes
from onemap.store.db import AsyncDb, Db
from onemap.store.tiles import TileCache, TileStore

#: Features of every layer.
N = 24
BASE = "http://feed.test/ogc"
START = datetime(2024, 3, 1, 8, 0, tzinfo=UTC)

READERS = {
    "public": PUBLIC,
    "staff": STAFF,
    "everything": EVERYTHING,
    "one community": Scope(("340104001001",), frozenset({DataClass.PUBLIC, DataClass.INTERNAL})),
}

type Get = Callable[..., Any]


@pytest.fixture(scope="module")
def town(module_database: str, catalog: Catalog) -> str:
    """The address of a database with ``N`` features in every layer, and analysed as after a while of use."""
    with psycopg.connect(module_database, autocommit=True) as connection:
        for layer in catalog:
            fill(connection, layer)
        connection.execute("ANALYZE")
    return module_database


@pytest.fixture(scope="module")
def client(town: str, catalog: Catalog) -> Iterator[TestClient]:
    """A client of the feed; the header ``x-reader`` says who asks."""
    with TestClient(feed_app(town, catalog), base_url="http://feed.test") as asking:
        yield asking


@pytest.fixture
def get(client: TestClient) -> Get:
    """``get(path, reader="public", **params)``: a JSON answer of the feed, ``status=200`` unless told otherwise."""

    def ask(path: str, *, reader: str = "public", status: int = 200, **params: Any) -> Any:
        query = {name.replace("_", "-") if name.endswith("_crs") else name: str(v) for name, v in params.items()}
        answer = client.get(f"/ogc{path}", params=query, headers={"x-reader": reader})
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


@pytest.fixture(scope="module")
def served(town: str, catalog: Catalog) -> Iterator[str]:
    """The address of the feed on a real port, for clients that are programs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(feed_app(town, catalog), port=port, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "The server did not start."
        thread.join(0.05)
    yield f"http://127.0.0.1:{port}/ogc"
    server.should_exit = True
    thread.join(10)


def feed_app(database: str, catalog: Catalog, **options: Any) -> ASGIApp:
    """The feed alone as an app."""
    db, adb = Db(database, max_size=4), AsyncDb(database, max_size=4)
    store = TileStore(catalog, adb, TileCache())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        db.open()
        await adb.open()
        yield
        await adb.close()
        db.close()

    routes = ogc_routes(catalog, db, adb, tile=store.tile, registry=ALL, **options)
    app = Starlette(routes=routes, lifespan=lifespan)

    async def as_reader(scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            scope[ASGI_KEY] = READERS[headers.get(b"x-reader", b"public").decode()]
            if b"x-post" in headers:
                scope["onemap.post"] = headers[b"x-post"].decode()
        await app(scope, receive, send)

    return as_reader


def fill(connection: psycopg.Connection[Any], layer: Layer, n: int = N) -> None:
    """Invent features of a layer from what its folder says."""
    columns = [*dict.fromkeys([AREA_CODE, *(field.name for field in layer.fields)]), GEOM]
    query = sql.SQL("INSERT INTO {} ({}) VALUES ({}, ST_GeomFromText(%s, 4490))").format(
        sql.Identifier("layer", layer.name),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * (len(columns) - 1)),
    )
    by_name = {field.name: field for field in layer.fields}
    for i in range(n):
        values = [_area(layer, i) if name == AREA_CODE else _value(by_name[name], i) for name in columns[:-1]]
        connection.execute(query, [*values, shape(layer, i)])


def shape(layer: Layer, i: int) -> str:
    """Where feature ``i`` is: a row of places 0.001 degrees apart, eastwards from 117.30, 31.70."""
    x, y, d = 117.30 + 0.001 * i, 31.70, 0.0004
    ring = f"({x} {y},{x + d} {y},{x + d} {y + d},{x} {y + d},{x} {y})"
    return {
        "Point": f"POINT({x} {y})",
        "LineString": f"LINESTRING({x} {y},{x + d} {y + d})",
        "MultiLineString": f"MULTILINESTRING(({x} {y},{x + d} {y + d}))",
        "Polygon": f"POLYGON({ring})",
        "MultiPolygon": f"MULTIPOLYGON(({ring}))",
    }[layer.geometry.value]


def _area(layer: Layer, i: int) -> str:
    """The first half lies in one community, the second in another; areas have codes of their own."""
    return f"3401040010{i + 1:02d}" if layer.name == "areas" else f"34010400100{1 + i // (N // 2)}"


def _value(field: Field, i: int) -> Any:
    """A value that the field may hold; every fifth is missing where it may be."""
    fixed = {
        "grid_code": f"340104001001{i + 1:03d}",
        "point_code": f"340104001001{i + 1:03d}01",
        "grid_type": "basic",
        "on_duty": True,
    }
    if field.name in fixed:
        return fixed[field.name]
    if i % 5 == 4 and not field.required and not field.unique and field.codes is None:
        return None
    if field.codes is not None:
        value = field.codes.values[i % len(field.codes.values)]
        return int(value) if field.type is FieldType.INTEGER else value
    low = int(field.minimum or 0)
    return {
        FieldType.TEXT: f"{field.title.zh}{i}",
        FieldType.INTEGER: low + i,
        FieldType.NUMBER: low + i + 0.5,
        FieldType.BOOLEAN: i % 2 == 0,
        FieldType.DATE: (START + timedelta(days=i)).date(),
        FieldType.DATETIME: START + timedelta(days=i),
    }[field.type]
