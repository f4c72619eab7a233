"""Pages of features: every one once, in order, counted right, and in a box when it meets the box."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onemap.domain.feature import CRS84, EPSG_3857, EPSG_4326, Ask, Box, Filter, Order, Span, gauss_kruger
from onemap.domain.layer import Catalog, Layer
from onemap.domain.scope import EVERYTHING, PUBLIC, STAFF
from onemap.errors import BadQuery, FeatureNotFound
from onemap.store.db import AsyncDb, Db
from onemap.store.features import ESTIMATE_AGE_S, Features

N = 400
#: Examples share a database, which no example changes.
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
GK = gauss_kruger(117.3)
USES = ("residential", "commercial", "office")


@pytest.fixture(scope="module")
def buildings(catalog: Catalog) -> Layer:
    return catalog.layer("buildings")


@pytest.fixture(scope="module")
def cameras(catalog: Catalog) -> Layer:
    return catalog.layer("cameras")


@pytest.fixture(scope="module")
def shapes() -> list[Any]:
    """Small turned squares scattered over 0.01 degrees."""
    rng = np.random.default_rng(3)
    x, y, turn = 117.30 + 0.01 * rng.random(N), 31.70 + 0.01 * rng.random(N), 90 * rng.random(N)
    squares = shapely.box(x, y, x + 2e-4, y + 2e-4)
    return [shapely.affinity.rotate(square, angle) for square, angle in zip(squares, turn, strict=True)]


@pytest.fixture(scope="module")
def pool(module_database: str, shapes: list[Any]) -> Iterator[Db]:
    """Buildings with many equal and many missing values, and a camera in the middle of each."""
    with psycopg.connect(module_database, autocommit=True) as connection:
        for i, shape in enumerate(shapes):
            values = (f"B{i:03d}", USES[i % 3], None if i % 7 == 0 else i % 5, i / 8, shape.wkt)
            connection.execute(
                "INSERT INTO layer.buildings (building_id, use, floors, height_m, geom) "
                "VALUES (%s, %s, %s, %s, ST_Multi(ST_GeomFromText(%s, 4490)))",
                values,
            )
            connection.execute(
                "INSERT INTO layer.cameras (camera_id, camera_class, geom) VALUES (%s, %s, ST_GeomFromText(%s, 4490))",
                (f"C{i:03d}", "childcare" if i % 40 == 0 else "tianwang", shape.centroid.wkt),
            )
        connection.execute("ANALYZE")
    with Db(module_database, max_size=2) as opened:
        yield opened


def pages(pool: Db, layer: Layer, ask: Ask, scope: Any = STAFF, features: Features | None = None) -> list[list[dict]]:
    """All pages of an ask."""
    features, found = features or Features(), []
    with pool.connection() as connection:
        while True:
            page = features.page(connection, layer, scope, ask)
            found.append(json.loads(b"[" + page.features + b"]"))
            assert page.n_returned == len(found[-1])
            if page.cursor is None:
                return found
            ask = Ask(**{name: getattr(ask, name) for name in Ask.__slots__} | {"after": page.cursor, "offset": 0})


def ids(found: list[list[dict]]) -> list[int]:
    return [feature["id"] for page in found for feature in page]


# Paging ----------------------------------------------------------------------------------------------------------------

names = st.sampled_from(["use", "floors", "height_m", "building_id"])
orders = st.lists(st.builds(Order, names, st.booleans()), max_size=3, unique_by=lambda step: step.name).map(tuple)


@given(order=orders, limit=st.integers(1, 150), boxed=st.booleans())
@QUICK
def test_pages_hold_every_feature_once_in_the_order_asked_for(
    pool: Db, buildings: Layer, order: tuple[Order, ...], limit: int, boxed: bool
):
    box = Box(117.302, 31.702, 117.308, 31.709) if boxed else None
    found = pages(pool, buildings, Ask(limit=limit, order=order, box=box))
    assert all(len(page) == limit for page in found[:-1])
    rows = [feature for page in found for feature in page]
    assert len({row["id"] for row in rows}) == len(rows)
    assert len(rows) == len(ids(pages(pool, buildings, Ask(box=box))))
    for before, after in pairwise(rows):
        assert _comes_first(before, after, order)


def _comes_first(a: dict, b: dict, order: tuple[Order, ...]) -> bool:
    """Empty values last, equal ones by number."""
    for step in order:
        x, y = a["properties"][step.name], b["properties"][step.name]
        if x == y:
            continue
        if x is None or y is None:
            return y is None
        return (x > y) if step.descending else (x < y)
    return a["id"] < b["id"]


def test_a_page_does_not_move_when_a_row_before_it_goes(pool: Db, buildings: Layer):
    with pool.connection() as connection:
        first = Features().page(connection, buildings, STAFF, Ask(limit=10))
        connection.execute("DELETE FROM layer.buildings WHERE fid = 3")
        second = Features().page(connection, buildings, STAFF, Ask(limit=10, after=first.cursor))
        assert json.loads(b"[" + second.features + b"]")[0]["id"] == 11
        connection.rollback()


def test_a_cursor_of_another_order_is_refused(pool: Db, buildings: Layer):
    with pool.connection() as connection:
        for after in ((1, 2), ("x",), (1.5,), (None,)):
            with pytest.raises(BadQuery, match="another sort order"):
                Features().page(connection, buildings, STAFF, Ask(after=after))


def test_an_offset_counts_from_the_start(pool: Db, buildings: Layer):
    every = ids(pages(pool, buildings, Ask()))
    assert ids(pages(pool, buildings, Ask(limit=7, offset=390))) == every[390:]


# Counting ----------------------------------------------------------------------------------------------------------------


def counted(pool: Db, layer: Layer, ask: Ask, features: Features) -> tuple[int, bool]:
    with pool.connection() as connection:
        page = features.page(connection, layer, STAFF, ask)
    return page.n_matched, page.estimated


@pytest.mark.parametrize(
    "ask", [Ask(limit=5), Ask(limit=5, box=Box(117, 31, 118, 32)), Ask(equals=(("use", "office"),))]
)
def test_a_count_is_exact_up_to_the_bound_and_marked_beyond(pool: Db, buildings: Layer, ask: Ask):
    exact, marked = counted(pool, buildings, ask, Features())
    assert not marked
    assert counted(pool, buildings, ask, Features(count_bound=exact)) == (exact, False)
    estimate, marked = counted(pool, buildings, ask, Features(count_bound=exact - 1))
    assert marked
    assert estimate >= exact - 1


def test_an_estimated_page_holds_what_a_counted_page_holds(pool: Db, buildings: Layer):
    for order in ((), (Order("floors"), Order("use", descending=True))):
        ask = Ask(limit=30, order=order, box=Box(117.301, 31.701, 117.309, 31.709))
        assert pages(pool, buildings, ask, features=Features(count_bound=5)) == pages(pool, buildings, ask)


def test_an_estimate_serves_the_next_pages_for_a_while(pool: Db, buildings: Layer):
    moment = [0.0]
    features = Features(count_bound=5, clock=lambda: moment[0])
    ask = Ask(limit=3, box=Box(117, 31, 118, 32))
    first = counted(pool, buildings, ask, features)
    assert features._estimate((buildings.name, STAFF, ask.box, None, (), None)) == first[0]
    moment[0] = ESTIMATE_AGE_S + 1
    assert features._estimate((buildings.name, STAFF, ask.box, None, (), None)) is None


def test_restricted_rows_are_not_counted(pool: Db, cameras: Layer):
    assert counted(pool, cameras, Ask(), Features())[0] == N - N // 40
    with pool.connection() as connection:
        assert Features().page(connection, cameras, EVERYTHING, Ask()).n_matched == N


# Space -------------------------------------------------------------------------------------------------------------------

corners = st.floats(0, 0.01, allow_nan=False)
boxes = st.tuples(corners, corners, corners, corners).map(
    lambda c: (117.3 + min(c[0], c[2]), 31.7 + min(c[1], c[3]), 117.3 + max(c[0], c[2]), 31.7 + max(c[1], c[3]))
)


@given(sides=boxes)
@QUICK
def test_a_box_finds_exactly_what_meets_it(
    pool: Db, buildings: Layer, cameras: Layer, shapes: list[Any], sides: tuple[float, float, float, float]
):
    box = shapely.box(*sides)
    wanted = [i + 1 for i, shape in enumerate(shapes) if shapely.intersects(shape, box)]
    near = [i + 1 for i, shape in enumerate(shapes) if shapely.distance(shape.boundary, box.boundary) < 1e-8]
    found = ids(pages(pool, buildings, Ask(box=Box(*sides))))
    assert set(found) ^ set(wanted) <= set(near)
    inside = [i + 1 for i, shape in enumerate(shapes) if shapely.intersects(shape.centroid, box)]
    on_edge = [i + 1 for i, shape in enumerate(shapes) if shapely.distance(shape.centroid, box.boundary) < 1e-8]
    found = ids(pages(pool, cameras, Ask(box=Box(*sides)), EVERYTHING))
    assert set(found) ^ set(inside) <= set(on_edge)


@pytest.mark.parametrize("crs", [EPSG_3857, GK], ids=lambda crs: str(crs.srid))
def test_a_box_in_metres_finds_what_meets_it_in_metres(pool: Db, buildings: Layer, shapes: list[Any], crs: Any):
    to_metres = pyproj.Transformer.from_crs(4490, crs.srid, always_xy=True)
    metric = [shapely.transform(shape, lambda xy: np.column_stack(to_metres.transform(*xy.T))) for shape in shapes]
    x, y = to_metres.transform(117.303, 31.704)
    box = shapely.box(x, y, x + 300, y + 200)
    wanted = [i + 1 for i, shape in enumerate(metric) if shapely.intersects(shape, box)]
    assert 0 < len(wanted) < N
    assert ids(pages(pool, buildings, Ask(box=Box(x, y, x + 300, y + 200, crs)))) == wanted


@pytest.mark.parametrize(
    "sides", [(600_000, 20_000_000, 700_000, 30_000_000), (-9e7, 0, 9e7, 1), (3.5e6, 5e5, 3.6e6, 5.1e5)]
)
def test_a_box_outside_its_crs_finds_nothing_and_is_no_error(pool: Db, buildings: Layer, sides: Any):
    assert ids(pages(pool, buildings, Ask(box=Box(*sides, GK)))) == []


def test_a_box_across_the_antimeridian_is_two(pool: Db, buildings: Layer):
    assert len(ids(pages(pool, buildings, Ask(box=Box(117.0, 31, -170, 32))))) == N
    assert ids(pages(pool, buildings, Ask(box=Box(118.0, 31, 117.0, 32)))) == []


def test_a_box_without_width_still_cuts(pool: Db, buildings: Layer, shapes: list[Any]):
    x, y = shapes[0].centroid.coords[0]
    assert 1 in ids(pages(pool, buildings, Ask(box=Box(x, y, x, y))))


@pytest.mark.parametrize("sides", [(1, 2, 3, float("nan")), (1, 2, float("inf"), 3), (1, 3, 2, 2)])
def test_a_box_that_is_none_cannot_be_made(sides: Any):
    with pytest.raises(BadQuery):
        Box(*sides)


@pytest.mark.parametrize("crs", [CRS84, EPSG_4326, EPSG_3857, GK], ids=lambda crs: crs.uri.rsplit("/", 1)[1])
def test_coordinates_come_in_the_order_of_the_authority(pool: Db, cameras: Layer, shapes: list[Any], crs: Any):
    name = "OGC:CRS84" if crs is CRS84 else f"EPSG:{crs.uri.rsplit('/', 1)[1]}"
    transform = pyproj.Transformer.from_crs("OGC:CRS84", name)  # not always_xy: as the authority says
    expected = transform.transform(*shapes[4].centroid.coords[0])
    with pool.connection() as connection:
        feature = json.loads(Features().item(connection, cameras, EVERYTHING, "5", crs))
    assert feature["geometry"]["coordinates"] == pytest.approx(
        expected, abs=10**-crs.digits * (1 if crs.is_degrees else 2)
    )


# One feature, and the rest -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fid", ["0", "999999999", "x", "-1", "1.0", "", "9" * 30, "１", "1;", "1 OR TRUE"])
def test_a_feature_that_is_not_there_is_not_found(pool: Db, buildings: Layer, fid: str):
    with pool.connection() as connection, pytest.raises(FeatureNotFound):
        Features().item(connection, buildings, STAFF, fid, CRS84)


def test_a_public_reader_gets_no_internal_field(pool: Db, buildings: Layer):
    with pool.connection() as connection:
        public, staff = (json.loads(Features().item(connection, buildings, s, "1", CRS84)) for s in (PUBLIC, STAFF))
    assert set(staff["properties"]) - set(public["properties"]) == {"households", "persons", "households_estimated"}


def test_only_the_fields_asked_for_are_given(pool: Db, buildings: Layer):
    (page,) = pages(pool, buildings, Ask(limit=1000, fields=("use", "building_id"), geometry=False))
    assert page[0] == {
        "type": "Feature",
        "id": 1,
        "geometry": None,
        "properties": {"building_id": "B000", "use": "residential"},
    }
    (page,) = pages(pool, buildings, Ask(limit=1000, fields=()))
    assert page[0]["properties"] == {}


def test_a_layer_without_time_matches_any_time(pool: Db, buildings: Layer):
    assert len(ids(pages(pool, buildings, Ask(span=Span("1900-01-01", "1900-01-02"))))) == N


def test_a_filter_in_metres_is_turned(pool: Db, buildings: Layer):
    tree = {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [3506000, 528000, 3509000, 529000]}]}
    asked = Filter("in metres", tree, GK)
    x, y = (528000, 529000), (3506000, 3509000)
    assert ids(pages(pool, buildings, Ask(filter=asked))) == ids(
        pages(pool, buildings, Ask(box=Box(x[0], y[0], x[1], y[1], GK)))
    )


def test_where_a_layer_is_comes_from_its_index(
    pool: Db, buildings: Layer, cameras: Layer, catalog: Catalog, shapes: Any
):
    around = shapely.union_all(shapes).bounds
    with pool.connection() as connection:
        found = Features().facts(connection, buildings, STAFF)
        assert found.bounds == pytest.approx(around, abs=1e-5)
        assert Features().facts(connection, cameras, STAFF).bounds is not None
        empty = Features().facts(connection, catalog.layer("events"), STAFF)
    assert (empty.bounds, empty.starts_at) == (None, None)


def test_the_event_loop_gets_what_threads_get(module_database: str, pool: Db, buildings: Layer):
    import asyncio

    ask = Ask(limit=20, box=Box(117.302, 31.702, 117.308, 31.709))

    async def read() -> Any:
        adb = await AsyncDb(module_database, max_size=1).open()
        try:
            async with adb.connection() as connection:
                features = Features()
                page = await features.page_async(connection, buildings, STAFF, ask)
                return page, await features.item_async(connection, buildings, STAFF, "9", CRS84)
        finally:
            await adb.close()

    with pool.connection() as connection:
        page = Features().page(connection, buildings, STAFF, ask)
        item = Features().item(connection, buildings, STAFF, "9", CRS84)
    assert asyncio.run(read()) == (page, item)
