"""Every route as every reader: what a reader may not see is on none of them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import mapbox_vector_tile
import pytest
from starlette.testclient import TestClient

from onemap.app import create_app, openapi_document
from onemap.domain.scope import Permission
from onemap.settings import Settings
from onemap.store import accounts
from onemap.store.db import Db

HERE, ELSEWHERE = "990101001001", "990102001001"

#: Words that stand in one row each; a reader's answers may hold those of his rights only.
PUBLIC_WORD, INTERNAL_WORD, RESTRICTED_WORD = "facility-of-all", "camera-of-staff", "camera-of-few"
ELSEWHERE_WORD, EVENT_WORD, POST_WORD, QR_WORD = "camera-elsewhere", "event-of-staff", "post-of-staff", "qr-of-staff"
#: Numbers of an internal field of a public layer.
HOUSEHOLDS = 41_237

WORDS = {PUBLIC_WORD, INTERNAL_WORD, RESTRICTED_WORD, ELSEWHERE_WORD, EVENT_WORD, POST_WORD, QR_WORD, str(HOUSEHOLDS)}
STAFF_WORDS = {PUBLIC_WORD, INTERNAL_WORD, EVENT_WORD, POST_WORD, QR_WORD, str(HOUSEHOLDS), ELSEWHERE_WORD}

READERS = {
    "public": {PUBLIC_WORD},
    "viewer": STAFF_WORDS,
    "viewer of one community": STAFF_WORDS - {ELSEWHERE_WORD},
    "restricted": WORDS,
}

LAYERS = ("facilities", "cameras", "events", "responders", "patrol_points", "buildings")
BOX = "117.29,31.69,117.31,31.71"
TILE = "16/54122/26599"

#: Each API route of the manual with addresses that would show a row; a new route must be added here.
API = {
    "/healthz": [], "/readyz": ["/readyz"], "/metrics": ["/metrics"],
    "/api/catalog": ["/api/catalog"],
    "/api/areas": ["/api/areas"],
    "/api/areas/{area_code}/grids": [f"/api/areas/{HERE}/grids"],
    "/api/counts": [f"/api/counts?bbox={BOX}"],
    "/api/features/{layer}/{fid}": [f"/api/features/{name}/{fid}" for name in LAYERS for fid in (1, 2, 3)],
    "/api/events": ["/api/events", "/api/events?is_open=true"],
    "/api/events/histogram": ["/api/events/histogram?since=2020-01-01T00:00:00Z&until=2040-01-01T00:00:00Z"],
    "/api/events/heat": ["/api/events/heat"],
    "/api/events/{event_no}": [f"/api/events/{EVENT_WORD}"],
    "/api/kpis/{name}/series": ["/api/kpis/open_events/series"],
    "/api/stats/events": [f"/api/stats/events?by={by}" for by in ("day", "kind", "area")],
    "/api/kpis": ["/api/kpis", f"/api/kpis?area={HERE}"],
    "/api/cameras/seeing": ["/api/cameras/seeing?point=117.3,31.7", "/api/cameras/seeing?point=117.30002,31.70002"],
    "/api/cameras/coverage": ["/api/cameras/coverage", f"/api/cameras/coverage?area={HERE}"],
    "/api/coverage": ["/api/coverage", f"/api/coverage?area={HERE}"],
    "/api/coverage/{category}": [f"/api/coverage/market?by={by}" for by in ("building", "grid", "community", "h3")],
    "/api/isochrones": ["/api/isochrones?point=117.3,31.7", "/api/isochrones?facility=1", "/api/isochrones?category=market"],
    "/api/responders/nearest": ["/api/responders/nearest?point=117.3,31.7"],
    "/api/events/{event_no}/responders": [f"/api/events/{EVENT_WORD}/responders"],
    "/api/cards/{layer}/{fid}": [f"/api/cards/{name}/{fid}" for name in LAYERS for fid in (1, 2, 3)],
    "/api/search": [f"/api/search?q={part}" for part in ("of-all", "of-staff", "of-few", "camera-else", "post-of", "qr-of", "event-of", "camera-of")],
    "/api/session": ["/api/session"],
    "/api/events/export": [f"/api/events/export?format={form}" for form in ("csv", "geojson")],
    "/api/export/{layer}": [f"/api/export/{name}?format={form}" for name in LAYERS for form in ("csv", "geojson")],
    "/api/select/{layer}": [f"/api/select/{name}?bbox={BOX}" for name in LAYERS],
    "/api/live": [],  # a stream has no end: tests/live visits it as every reader
}  # fmt: skip

OGC = [
    "/ogc", "/ogc/conformance", "/ogc/collections", "/ogc/openapi", "/ogc/processes", "/ogc/jobs", "/ogc/tileMatrixSets",
    *(
        f"/ogc/collections/{name}{rest}"
        for name in LAYERS
        for rest in (
            "", "/queryables", "/schema", "/items", "/items?limit=1", f"/items?bbox={BOX}", "/items?sortby=-area_code",
            f"/items?filter=area_code='{HERE}'", "/items/1", "/items/2", "/items/3", "/tiles",
            f"/tiles/WebMercatorQuad/{TILE.split('/', maxsplit=1)[0]}/{TILE.split('/')[2]}/{TILE.split('/')[1]}",
        )
    ),
]  # fmt: skip

TILES = [
    "/tiles/style/dark.json",
    *(f"/tiles/{name}.json" for name in LAYERS),
    *(f"/tiles/{name}/{z}.mvt" for name in LAYERS for z in (TILE, "12/3382/1662", "10/845/415")),
]


@pytest.fixture(scope="module")
def rows(module_database: str) -> str:
    """One row of each kind, all in one tile."""
    place = "ST_Point(117.3, 31.7, 4490)"
    square = "ST_Multi(ST_MakeEnvelope(117.2999, 31.6999, 117.3001, 31.7001, 4490))"
    with Db(module_database) as db, db.connection() as connection:
        connection.execute(
            f"INSERT INTO layer.facilities (area_code, facility_id, name, category, geom) VALUES ('{HERE}', 'F', '{PUBLIC_WORD}', 'market', {place})"
        )
        for word, kind, area in (
            (INTERNAL_WORD, "tianwang", HERE),
            (RESTRICTED_WORD, "childcare", HERE),
            (ELSEWHERE_WORD, "tianwang", ELSEWHERE),
        ):
            connection.execute(
                f"INSERT INTO layer.cameras (area_code, camera_id, camera_class, place, geom) VALUES ('{area}', '{word}', '{kind}', '{word}', {place})"
            )
        connection.execute(
            f"INSERT INTO core.event (event_no, area_code, title, kind, level, state, reported_at, geom) VALUES ('{EVENT_WORD}', '{HERE}', '{EVENT_WORD}', 'gas', 1, 'reported', now(), {place})"
        )
        connection.execute(
            f"INSERT INTO layer.responders (area_code, responder_id, post, role, geom) VALUES ('{HERE}', '{POST_WORD}', '{POST_WORD}', 'grid_officer', {place})"
        )
        connection.execute(
            f"INSERT INTO layer.patrol_points (area_code, qr_code, qr_kind, title, geom) VALUES ('{HERE}', '{QR_WORD}', 'patrol', '{QR_WORD}', {place})"
        )
        connection.execute(
            f"INSERT INTO layer.buildings (area_code, building_id, households, floors, geom) VALUES ('{HERE}', 'B', {HOUSEHOLDS}, 6, {square})"
        )
    return module_database


@pytest.fixture(scope="module")
def tokens(rows: str) -> dict[str, str]:
    """A token for each reader but the public."""
    may = (Permission.EXPORT,)
    with Db(rows) as db, db.connection() as connection:
        return {
            "viewer": accounts.add_account(connection, "viewer", "viewer", None, 1, may),
            "viewer of one community": accounts.add_account(connection, "one", "viewer", (HERE,), 1, may),
            "restricted": accounts.add_account(connection, "restricted", "restricted", None, 1, may),
        }


@pytest.fixture(scope="module")
def client(rows: str) -> Iterator[TestClient]:
    """A client from another machine, so that only tokens count."""
    settings = Settings.from_env({"ONEMAP_DATABASE_URL": rows, "ONEMAP_DEMO": "none"})
    with TestClient(create_app(settings, rows), base_url="http://map.example", client=("192.0.2.7", 50000)) as asked:
        yield asked


def words_of(client: TestClient, address: str, headers: dict[str, str]) -> set[str]:
    answer = client.get(address, headers=headers)
    assert answer.status_code < 500, f"{address} answered {answer.status_code}: {answer.text[:300]}"
    body = answer.content
    if "mapbox-vector-tile" in answer.headers.get("content-type", "") and body:
        text = repr(mapbox_vector_tile.decode(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
    else:
        text = body.decode("utf-8", "replace")
    asked_for = {word for word in WORDS if word in address}
    return {word for word in WORDS - asked_for if word in text} | (
        {word for word in asked_for if answer.status_code == 200}
    )


def test_every_route_of_the_manual_is_visited() -> None:
    described = {path for path, methods in openapi_document()["paths"].items() if "get" in methods}  # type: ignore[attr-defined]
    assert described == set(API)


@pytest.mark.parametrize("reader", READERS)
def test_no_route_shows_a_reader_what_he_may_not_see(client: TestClient, tokens: dict[str, str], reader: str) -> None:
    headers = {"Authorization": f"Bearer {tokens[reader]}"} if reader in tokens else {}
    seen: set[str] = set()
    for address in [*(one for many in API.values() for one in many), *OGC, *TILES]:
        for form in (
            [{}, {"Accept": "text/html"}, {"Accept": "application/json"}] if address.startswith("/ogc") else [{}]
        ):
            words = words_of(client, address, {**headers, **form})
            assert words <= READERS[reader], f"{address} shows a {reader} {words - READERS[reader]}"
            seen |= words
    assert seen == READERS[reader]


def test_what_one_reader_saw_is_not_remembered_for_another(client: TestClient, tokens: dict[str, str]) -> None:
    few = {"Authorization": f"Bearer {tokens['restricted']}"}
    for address in [*OGC, *TILES]:
        words_of(client, address, few)
        assert words_of(client, address, {}) <= READERS["public"]
