"""Tiles hold what the reader may see, where it is, no larger than they should be, and are forgotten when written."""

from __future__ import annotations

import asyncio
import gzip
import math
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import mapbox_vector_tile
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onemap.domain.layer import Catalog
from onemap.domain.scope import EVERYTHING, PUBLIC, STAFF, Scope
from onemap.errors import BadTile, LayerNotFound
from onemap.store.db import AsyncDb
from onemap.store.tiles import EMPTY, MAX_BYTES, Address, Tile, TileCache, TileStore

HOME = (117.3, 31.7)

type Cut = Callable[..., dict[str, Any]]


def tile_at(z: int, lon: float = HOME[0], lat: float = HOME[1]) -> tuple[int, int, int]:
    """The address of the tile that holds a place."""
    n = 1 << z
    return z, int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)


def decoded(tile: Tile) -> dict[str, Any]:
    """Layer name -> list of features, coordinates with y down."""
    if not tile.body:
        return {}
    found = mapbox_vector_tile.decode(gzip.decompress(tile.body), default_options={"y_coord_down": True})
    return {name: layer["features"] for name, layer in found.items()}


def within[T](url: str, catalog: Catalog, ask: Callable[[TileStore], Awaitable[T]]) -> T:
    """Ask a tile store of its own event loop."""

    async def asking() -> T:
        adb = await AsyncDb(url, max_size=2).open()
        try:
            return await ask(TileStore(catalog, adb, TileCache()))
        finally:
            await adb.close()

    return asyncio.run(asking())


@pytest.fixture
def database(module_database: str) -> Iterator[str]:
    """One database for all tests of this file, emptied after each."""
    yield module_database
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE layer.buildings, layer.cameras, layer.roads, layer.patrol_points, core.event, core.grid_plan CASCADE"
        )


@pytest.fixture
def cut(database: str, catalog: Catalog) -> Cut:
    """``cut(layer, z, scope)``: the decoded tile around HOME."""

    def cutting(name: str, z: int, scope: Scope = EVERYTHING, at: tuple[float, float] = HOME) -> dict[str, Any]:
        layer = catalog.layer(name)
        return decoded(within(database, catalog, lambda store: store.tile(layer, scope, *tile_at(z, *at))))

    return cutting


@pytest.fixture
def write(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose writes are committed at once."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def add_building(write: psycopg.Connection[Any], number: int = 1, lon: float = HOME[0], lat: float = HOME[1]) -> None:
    write.execute(
        "INSERT INTO layer.buildings (area_code, building_id, name, use, floors, households, geom) VALUES "
        "('990101001001', %s, '1 栋', 'residential', 6, 24, ST_Multi(ST_MakeEnvelope(%s, %s, %s, %s, 4490)))",
        (f"B{number}", lon, lat, lon + 0.0005, lat + 0.0002),
    )


def add_event(write: psycopg.Connection[Any], number: int, level: int, lon: float, *, is_open: bool = True) -> None:
    write.execute(
        "INSERT INTO core.event (event_no, area_code, title, kind, level, state, reported_at, closed_at, geom) VALUES "
        "(%s, '990101001001', '路灯不亮', 'street_light', %s, 'accepted', now(), %s, ST_Point(%s, %s, 4490))",
        (f"E{number}", level, None if is_open else "2026-01-01", lon, HOME[1]),
    )


# --- What is in a tile --------------------------------------------------------------------------------------------------


def test_a_building_lies_where_web_mercator_puts_it(cut: Cut, write: psycopg.Connection[Any]) -> None:
    # cut in degrees, without projecting a vertex: at most one unit of 4096 from the projected corner
    add_building(write)
    z, x, y = tile_at(16)
    (feature,) = cut("buildings", 16)["buildings"]
    rows = write.execute(
        "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Transform((ST_DumpPoints(geom)).geom, 3857) AS p FROM layer.buildings) q"
    ).fetchall()
    size = 2 * 20037508.342789244 / (1 << z)
    exact = {
        (
            round((px + 20037508.342789244 - x * size) / size * 4096),
            round((20037508.342789244 - py - y * size) / size * 4096),
        )
        for px, py in rows
    }
    ring = {tuple(point) for point in feature["geometry"]["coordinates"][0]}
    assert all(min(math.dist(point, corner) for corner in exact) <= 1.5 for point in ring)
    assert len(ring) == 4


def test_a_feature_keeps_its_fid_and_only_the_fields_of_tiles(cut: Cut, write: psycopg.Connection[Any]) -> None:
    add_building(write)
    (feature,) = cut("buildings", 16)["buildings"]
    (fid,) = write.execute("SELECT fid FROM layer.buildings").fetchone() or (None,)
    assert feature["id"] == fid
    assert feature["properties"] == {
        "area_code": "990101001001", "building_id": "B1", "name": "1 栋", "use": "residential", "floors": 6,
    }  # fmt: skip


def test_closed_events_are_not_on_the_map(cut: Cut, write: psycopg.Connection[Any]) -> None:
    add_event(write, 1, 3, HOME[0])
    add_event(write, 2, 3, HOME[0] + 0.001, is_open=False)
    assert [f["properties"]["event_no"] for f in cut("events", 14)["events"]] == ["E1"]


def test_events_far_out_are_joined_and_show_the_highest_level(cut: Cut, write: psycopg.Connection[Any]) -> None:
    for number, level in ((1, 1), (2, 4), (3, 2)):
        add_event(write, number, level, HOME[0] + number * 0.00001)
    (cluster,) = cut("events", 10)["events"]
    assert cluster["properties"] == {"point_count": 3, "max_level": 4}
    assert cluster.get("id") in (None, 0)


def test_an_event_alone_stays_itself_far_out(cut: Cut, write: psycopg.Connection[Any]) -> None:
    add_event(write, 1, 2, HOME[0])
    (feature,) = cut("events", 10)["events"]
    assert feature["properties"]["event_no"] == "E1"
    assert "point_count" not in feature["properties"]


def test_the_counts_of_all_tiles_add_up(database: str, catalog: Catalog, write: psycopg.Connection[Any]) -> None:
    n = 200
    for number in range(n):
        add_event(write, number, 1 + number % 4, 117.2 + number * 0.001)
    layer = catalog.layer("events")

    async def count(store: TileStore) -> int:
        z, first, y = tile_at(11, 117.2)
        last = tile_at(11, 117.2 + n * 0.001)[1]
        tiles = [decoded(await store.tile(layer, STAFF, z, x, y)) for x in range(first, last + 1)]
        return sum(f["properties"].get("point_count", 1) for tile in tiles for f in tile.get("events", ()))

    assert within(database, catalog, count) == n


def test_a_camera_near_shows_the_ground_it_sees(cut: Cut, write: psycopg.Connection[Any]) -> None:
    west, south, east, north = Address(*tile_at(16)).box()
    middle = (west + east) / 2, (south + north) / 2
    write.execute(
        "INSERT INTO layer.cameras (area_code, camera_id, camera_class, bearing_deg, fov_deg, range_m, geom) "
        "VALUES ('990101001001', 'C1', 'tianwang', 90, 60, 50, ST_Point(%s, %s, 4490))",
        middle,
    )
    assert "cameras_sector" not in cut("cameras", 15)
    tile = cut("cameras", 16)
    x0, y0 = tile["cameras"][0]["geometry"]["coordinates"]
    ring = tile["cameras_sector"][0]["geometry"]["coordinates"][0]
    metre = 4096 / (2 * 20037508.34 / (1 << 16)) / math.cos(math.radians(HOME[1]))
    # east of it, 30 degrees to either side, 50 m far
    assert max(math.dist((x0, y0), p) for p in ring) == pytest.approx(50 * metre, rel=0.01)
    assert max(p[0] for p in ring) == pytest.approx(x0 + 50 * metre, rel=0.01)
    assert max(p[1] for p in ring) - min(p[1] for p in ring) == pytest.approx(50 * metre, rel=0.02)
    assert min(p[0] for p in ring) == x0


def test_a_sector_reaches_into_the_tile_beside_its_camera(cut: Cut, write: psycopg.Connection[Any]) -> None:
    west, south, _, north = Address(*tile_at(16)).box()
    write.execute(
        "INSERT INTO layer.cameras (area_code, camera_id, camera_class, bearing_deg, fov_deg, range_m, geom) "
        "VALUES ('990101001001', 'C1', 'tianwang', 90, 360, 80, ST_Point(%s, %s, 4490))",
        (west - 0.0006, (south + north) / 2),
    )
    tile = cut("cameras", 16)
    assert "cameras" not in tile
    assert len(tile["cameras_sector"]) == 1


def test_a_grid_is_labelled_once_in_the_tile_that_holds_its_middle(
    database: str, catalog: Catalog, write: psycopg.Connection[Any]
) -> None:
    #  an L: its centroid lies outside of it
    write.execute(
        "INSERT INTO core.grid_plan (area_code, title, state, valid_from) VALUES ('990101001001', 'P', 'published', '2020-01-01')"
    )
    write.execute(
        "INSERT INTO core.grid (plan_id, grid_code, area_code, grid_no, geom) SELECT plan_id, '990101001001001', "
        "'990101001001', '01', ST_Multi(ST_GeomFromText('POLYGON((117.3 31.7, 117.33 31.7, 117.33 31.702, "
        "117.302 31.702, 117.302 31.73, 117.3 31.73, 117.3 31.7))', 4490)) FROM core.grid_plan"
    )
    layer = catalog.layer("grids")

    async def labels(store: TileStore) -> list[Any]:
        z, x, y = tile_at(14, 117.3, 31.73)
        _, x2, y2 = tile_at(14, 117.33, 31.7)
        around = [(z, i, j) for i in range(x, x2 + 1) for j in range(y, y2 + 1)]
        tiles = [(decoded(await store.tile(layer, PUBLIC, *at)), at) for at in around]
        assert sum("grids" in tile for tile, _ in tiles) > 1
        return [f for tile, _ in tiles for f in tile.get("grids_label", ())]

    (label,) = within(database, catalog, labels)
    assert label["properties"]["grid_no"] == "01"


def test_streets_far_out_are_whole_and_small_ones_wait(cut: Cut, write: psycopg.Connection[Any]) -> None:
    for number, road_class in enumerate(["primary", "primary", "residential"]):
        write.execute(
            "INSERT INTO layer.roads (area_code, road_id, name, road_class, geom) VALUES ('990101001001', %s, '晴川路', %s, "
            "ST_GeomFromText(%s, 4490))",
            (f"R{number}", road_class, f"LINESTRING({117.3 + number * 0.01} 31.7, {117.31 + number * 0.01} 31.7)"),
        )
    (far,) = cut("roads", 11)["roads"]
    assert far["properties"] == {"road_class": "primary"}
    assert far["geometry"]["type"] == "LineString"
    assert {f["properties"]["road_class"] for f in cut("roads", 13)["roads"]} == {"primary", "residential"}


def test_a_visit_not_made_is_due_then_overdue(cut: Cut, write: psycopg.Connection[Any]) -> None:
    for number, days in enumerate([1, 7, 8, None]):
        write.execute(
            "INSERT INTO layer.patrol_points (area_code, qr_code, qr_kind, due_days, last_visit_at, geom) VALUES "
            "('990101001001', %s, 'patrol', 7, now() - %s * interval '1 day', ST_Point(%s, %s, 4490))",
            (f"Q{number}", days, HOME[0] + number * 0.0001, HOME[1]),
        )
    visits = {f["properties"]["qr_code"]: f["properties"]["visit"] for f in cut("patrol_points", 16)["patrol_points"]}
    assert visits == {"Q0": "done", "Q1": "due", "Q2": "overdue", "Q3": "due"}


def test_a_crowded_tile_stays_small_and_keeps_the_largest(
    database: str, catalog: Catalog, write: psycopg.Connection[Any]
) -> None:
    write.execute(
        "INSERT INTO layer.buildings (area_code, building_id, name, use, floors, geom) SELECT '990101001001', 'B' || i, "
        "'住宅楼第' || i || '号', 'residential', i %% 30, ST_Multi(ST_MakeEnvelope(x, y, x + w, y + w, 4490)) FROM (SELECT i, "
        "117.3 + (i %% 140) * 0.0003 AS x, 31.7 + (i / 140) * 0.0003 AS y, 0.0001 + 0.0001 * (i %% 7 = 0)::int AS w "
        "FROM generate_series(0, 19599) AS i) AS q",
        (),
    )
    layer = catalog.layer("buildings")
    tile = within(database, catalog, lambda store: store.tile(layer, PUBLIC, *tile_at(12, 117.31, 31.71)))
    assert 100_000 < len(gzip.decompress(tile.body)) <= MAX_BYTES
    kept = {f["properties"]["building_id"] for f in decoded(tile)["buildings"]}
    west, south, east, north = Address(*tile_at(12, 117.31, 31.71)).box()
    large = write.execute(
        "SELECT building_id FROM layer.buildings WHERE ST_Area(geom) > 3e-8 AND geom @ ST_MakeEnvelope(%s, %s, %s, %s, 4490)",
        (west, south, east, north),
    ).fetchall()
    assert len(large) > 1_000
    assert {building for (building,) in large} <= kept


# --- Who sees what ------------------------------------------------------------------------------------------------------


def test_a_layer_that_the_reader_may_not_see_is_not_found(cut: Cut) -> None:
    with pytest.raises(LayerNotFound):
        cut("events", 14, PUBLIC)


def test_childcare_cameras_are_for_the_restricted_right(cut: Cut, write: psycopg.Connection[Any]) -> None:
    for number, camera_class in enumerate(["tianwang", "childcare"]):
        write.execute(
            "INSERT INTO layer.cameras (area_code, camera_id, camera_class, bearing_deg, fov_deg, range_m, geom) VALUES "
            "('990101001001', %s, %s, 0, 60, 50, ST_Point(%s, %s, 4490))",
            (f"C{number}", camera_class, HOME[0] + number * 0.0001, HOME[1]),
        )
    for part in ("cameras", "cameras_sector"):
        assert {f["properties"]["camera_class"] for f in cut("cameras", 16, STAFF)[part]} == {"tianwang"}
        assert {f["properties"]["camera_class"] for f in cut("cameras", 16)[part]} == {"tianwang", "childcare"}
    assert sum(f["properties"].get("point_count", 1) for f in cut("cameras", 12, STAFF)["cameras"]) == 1


def test_a_reader_of_one_area_gets_its_rows_only(cut: Cut, write: psycopg.Connection[Any]) -> None:
    add_building(write)
    here, elsewhere = (Scope((area,), STAFF.classes) for area in ("990101", "990102"))
    assert len(cut("buildings", 16, here)["buildings"]) == 1
    assert cut("buildings", 16, elsewhere) == {}


def test_readers_of_one_kind_share_a_tile_and_others_do_not(database: str, catalog: Catalog) -> None:
    layer = catalog.layer("cameras")

    async def remembered(store: TileStore) -> tuple[bool, bool]:
        address = tile_at(16)
        await store.tile(layer, STAFF, *address)
        same = Scope(None, frozenset(STAFF.classes))
        return store.remembered(layer, same, *address) is not None, store.remembered(
            layer, EVERYTHING, *address
        ) is None

    assert within(database, catalog, remembered) == (True, True)


# --- Addresses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [(25, 0, 0), (-1, 0, 0), (3, 8, 0), (3, 0, 8), (0, 1, 0), (3, -1, 0)])
def test_an_address_that_no_tile_has_is_told_in_a_sentence(address: tuple[int, int, int]) -> None:
    with pytest.raises(BadTile, match=r"\.$"):
        Address(*address)


def test_outside_the_zooms_of_a_layer_a_tile_is_empty(database: str, catalog: Catalog) -> None:
    layer = catalog.layer("buildings")
    for z in (layer.tiling.min_zoom - 1, layer.tiling.max_zoom + 1):
        assert within(database, catalog, lambda store, z=z: store.tile(layer, PUBLIC, *tile_at(z))) is EMPTY


@given(st.integers(0, 20), st.floats(0, 0.999999), st.floats(0, 0.999999))
def test_tiles_meet_without_gap_or_overlap(z: int, across: float, down: float) -> None:
    n = 1 << z
    x, y = int(across * n), int(down * n)
    west, south, east, north = Address(z, x, y).box()
    assert west < east
    assert south < north
    if x + 1 < n:
        assert Address(z, x + 1, y).box()[0] == east
    if y + 1 < n:
        assert Address(z, x, y + 1).box()[3] == south


# --- Remembering --------------------------------------------------------------------------------------------------------


def key(layer: str = "roads", x: int = 0) -> tuple[str, int, int, int, str]:
    return (layer, 3, x, 0, "reader")


def test_the_cache_forgets_the_least_used_when_it_is_full() -> None:
    cache = TileCache(max_bytes=3_000)
    for x in range(3):
        cache.put(key(x=x), Tile(bytes(500), '"t"'), generation=cache.generation("roads"))
    assert cache.get(key(x=0)) is not None
    cache.put(key(x=3), Tile(bytes(500), '"t"'), generation=cache.generation("roads"))
    assert cache.get(key(x=0)) is not None
    assert cache.get(key(x=1)) is None
    assert cache.n_bytes <= 3_000


def test_a_written_layer_is_forgotten_and_others_stay() -> None:
    cache = TileCache()
    for name in ("roads", "water"):
        cache.put(key(name), Tile(b"x", '"t"'), generation=cache.generation(name))
    cache.invalidate("roads")
    assert cache.get(key("roads")) is None
    assert cache.get(key("water")) is not None
    cache.clear()
    assert len(cache) == cache.n_bytes == 0


@pytest.mark.parametrize("forget", [lambda cache: cache.invalidate("roads"), lambda cache: cache.clear()])
def test_a_tile_cut_before_a_write_is_not_remembered_after_it(forget: Callable[[TileCache], None]) -> None:
    cache = TileCache()
    before = cache.generation("roads")
    forget(cache)
    cache.put(key(), Tile(b"old", '"t"'), generation=before)
    assert cache.get(key()) is None


def test_what_depends_on_the_clock_is_not_remembered_for_long() -> None:
    now = [0.0]
    cache = TileCache(clock=lambda: now[0])
    cache.put(key(), Tile(b"x", '"t"'), generation=cache.generation("roads"), fresh_s=60)
    now[0] = 59
    assert cache.get(key()) is not None
    now[0] = 61
    assert cache.get(key()) is None
    assert cache.n_bytes == 0


def test_many_who_ask_at_once_wait_for_one_cut(
    database: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, cuts = catalog.layer("buildings"), []
    whole = TileStore._bytes

    async def counted(self: TileStore, *args: Any) -> bytes:
        cuts.append(args)
        return await whole(self, *args)

    monkeypatch.setattr(TileStore, "_bytes", counted)

    async def crowd(store: TileStore) -> set[Tile]:
        return set(await asyncio.gather(*(store.tile(layer, PUBLIC, *tile_at(16)) for _ in range(20))))

    assert within(database, catalog, crowd) == {EMPTY}
    assert len(cuts) == 1


def test_one_who_goes_away_does_not_take_the_tile_from_the_others(database: str, catalog: Catalog) -> None:
    layer = catalog.layer("buildings")

    async def leave(store: TileStore) -> Tile:
        first = asyncio.create_task(store.tile(layer, PUBLIC, *tile_at(16)))
        second = asyncio.create_task(store.tile(layer, PUBLIC, *tile_at(16)))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert within(database, catalog, leave) is EMPTY
