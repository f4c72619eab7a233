"""A card says what stands around its feature: by geometry that can be checked by hand, and only to those who may know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from starlette.testclient import TestClient

from onemap.app import create_app
from onemap.domain.layer import Catalog
from onemap.domain.scope import PUBLIC, STAFF
from onemap.settings import Settings
from onemap.store import accounts
from onemap.store.cards import Cards
from onemap.store.db import Db
from onemap.store.kpis import CITY_TIME

HERE, ELSEWHERE = "990101001001", "990102001001"
LON, LAT = 117.3, 31.7
#: Metres in a degree at 31.7 N (WGS 84, from its radii of curvature).
EAST_M, NORTH_M = 94_798.0, 110_866.0


def at(x: float, y: float) -> str:
    """A point some metres east and north of the middle."""
    return f"ST_Point({LON + x / EAST_M}, {LAT + y / NORTH_M}, 4490)"


def block(west: float, south: float, east: float, north: float) -> str:
    corners = f"{LON + west / EAST_M}, {LAT + south / NORTH_M}, {LON + east / EAST_M}, {LAT + north / NORTH_M}"
    return f"ST_Multi(ST_MakeEnvelope({corners}, 4490))"


#                                   north
#   street y=60  ──────┬─────────────────────────┬── kindergarten
#                      │           wall          │
#                 [building A]    |       camera ◄  looks west
#                      │          [B]            │
#   street y=-50 ──────┴──── market ─────────────┴──
@pytest.fixture(scope="module")
def town(module_database: str) -> str:
    with Db(module_database) as db, db.connection() as connection:
        say = connection.execute
        say(
            f"INSERT INTO layer.areas (area_code, name, level, geom) VALUES ('{HERE}', '晴川社区', 'community', {block(-900, -900, 900, 900)})"
        )
        say(
            "INSERT INTO core.grid_plan (area_code, title, state, rule_set, source_document, valid_from) VALUES ('990101001001', '第 1 版', 'published', 'grid-guanghe', '示例发 3 号', '2026-01-01')"
        )
        say(
            f"INSERT INTO core.grid (plan_id, grid_code, area_code, grid_no, name, households, persons, officer_post, officer_phone, n_informants, geom) VALUES (1, '{HERE}017', '{HERE}', '17', '网格 17', 513, 1034, '网格员 17', '000-17', 7, {block(-200, -200, 200, 200)})"
        )
        for n in (1, 2):
            say(
                f"INSERT INTO core.grid (plan_id, grid_code, parent_code, area_code, grid_type, geom) VALUES (1, '{HERE}0170{n}', '{HERE}017', '{HERE}', 'micro', {block(0, 0, 9, 9)})"
            )
        say(
            f"INSERT INTO layer.estates (area_code, estate_id, name, geom) VALUES ('{HERE}', 'E1', '桂花坞', {block(-60, -50, 30, 50)})"
        )
        for key, box, homes in (("A", (-10, -10, 10, 10), 20), ("B", (20, -30, 24, 4), 0)):
            say(
                f"INSERT INTO layer.buildings (area_code, building_id, name, households, persons, estate_id, grid_code, geom) VALUES ('{HERE}', '{key}', '{key} 栋', {homes}, {2 * homes}, 'E1', '{HERE}017', {block(*box)})"
            )
        cameras = (
            ("over", 60, 8, 270, 20, 80, "tianwang", HERE),  # past the northern end of B onto A
            ("behind", 60, -20, 270, 20, 80, "tianwang", HERE),  # into B, behind which A stands
            ("away", 40, 8, 90, 20, 80, "tianwang", HERE),  # the other way
            ("kids", 60, 8, 270, 20, 80, "childcare", HERE),
            ("next", 60, 8, 270, 20, 80, "tianwang", ELSEWHERE),
            ("far", 300, 8, 270, 20, 400, "tianwang", HERE),  # sees it, from beyond 100 m
        )  # fmt: skip
        for key, x, y, bearing, fov, far, kind, area in cameras:
            say(
                f"INSERT INTO layer.cameras (area_code, camera_id, camera_class, bearing_deg, fov_deg, range_m, installed_year, geom) VALUES ('{area}', '{key}', '{kind}', {bearing}, {fov}, {far}, 2020, {at(x, y)})"
            )
        along = [((a, y), (b, y)) for y in (60, -50) for a, b in pairwise((-1500, -100, 100, 1500))]
        pieces = [*along, ((-100, -50), (-100, 60)), ((100, -50), (100, 60))]
        for i, (a, b) in enumerate(pieces):
            say(
                f"INSERT INTO layer.roads (area_code, road_id, road_class, foot, geom) VALUES ('{HERE}', 'R{i}', 'residential', TRUE, ST_MakeLine({at(*a)}, {at(*b)}))"
            )
        for key, name, category, x, y in (
            ("M1", "近菜市场", "market", 0, -50),
            ("M2", "远菜市场", "market", 300, -50),
            ("K", "幼儿园", "kindergarten", 700, 60),
            ("H", "卫生站", "health_station", 1400, 60),
        ):
            say(
                f"INSERT INTO layer.facilities (area_code, facility_id, name, category, geom) VALUES ('{HERE}', '{key}', '{name}', '{category}', {at(x, y)})"
            )
        now = datetime.now(UTC)
        for i, (x, days, closed) in enumerate(
            ((0, 0, False), (0, 1, True), (2, 1, False), (150, 29, False), (150, 31, False))
        ):
            say(f"INSERT INTO core.event (event_no, area_code, grid_code, title, kind, level, state, reported_at, closed_at, geom) VALUES ('SJ-{i}', '{HERE}', '{HERE}017', '电梯困人', 'elevator', {1 + i % 2}, 'reported', %s, %s, {at(x, 0)})",
                (now - timedelta(days=days), now if closed else None))  # fmt: skip
        for i, (due, ago) in enumerate(((7, 1), (7, 6), (7, 9), (30, 40), (7, None))):
            say(f"INSERT INTO layer.patrol_points (area_code, qr_code, qr_kind, grid_code, due_days, last_visit_at, geom) VALUES ('{HERE}', 'Q{i}', 'patrol', '{HERE}017', {due}, %s, {at(5, 5)})",
                (None if ago is None else now - timedelta(days=ago),))  # fmt: skip
    return module_database


@pytest.fixture(scope="module")
def client(town: str) -> Iterator[TestClient]:
    settings = Settings.from_env({"ONEMAP_DATABASE_URL": town, "ONEMAP_DEMO": "none", "ONEMAP_LOCAL_ROLE": "viewer"})
    with TestClient(create_app(settings, town), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000)) as asked:
        # the streets are in memory from here on
        assert asked.get("/api/responders/nearest", params={"point": f"{LON},{LAT}"}).status_code == 200
        yield asked


def test_a_building_names_what_it_belongs_to(client: TestClient) -> None:
    card = client.get("/api/cards/buildings/1").json()
    assert card["properties"] == client.get("/api/features/buildings/1").json()["properties"]
    more = card["more"]
    assert more["estate"] == {"fid": 1, "name": "桂花坞"}
    assert (more["grid"]["grid_no"], more["grid"]["officer_post"], more["grid"]["officer_phone"]) == (
        "17",
        "网格员 17",
        "000-17",
    )
    assert not more["grid"]["vacant"]
    assert more["not_allowed"] == []


def test_it_names_the_cameras_within_100_metres_and_which_of_them_see_it(client: TestClient) -> None:
    cameras = client.get("/api/cards/buildings/1").json()["more"]["cameras_100m"]
    seen = {one["title"]: (one["metres"], one["sees"]) for one in cameras}
    assert seen == {
        "away": (pytest.approx(30.0, abs=0.2), False),
        "over": (pytest.approx(50.0, abs=0.2), True),
        "next": (pytest.approx(50.0, abs=0.2), True),
        "behind": (pytest.approx(51.0, abs=0.2), False),
    }
    assert [one["metres"] for one in cameras] == sorted(one["metres"] for one in cameras)


def test_a_camera_shows_the_ground_it_sees(client: TestClient) -> None:
    more = client.get("/api/cards/cameras/3").json()["more"]
    # nothing in the way: a sector of 20 degrees and 80 m
    assert more["ground_m2"] == pytest.approx(3.14159 * 80**2 * 20 / 360, rel=0.01)
    assert (more["sees_buildings"], more["age_years"]) == (0, datetime.now(CITY_TIME).year - 2020)
    assert more["ring"][0] == more["ring"][-1]
    assert max(lon for lon, _ in more["ring"]) == pytest.approx(LON + 120 / EAST_M, abs=2e-6)
    assert client.get("/api/cards/cameras/2").json()["more"]["sees_buildings"] == 1


def test_facilities_are_the_nearest_of_each_kind_along_the_streets(client: TestClient) -> None:
    found = {one["category"]: one for one in client.get("/api/cards/buildings/1").json()["more"]["facilities"]}
    assert found.keys() == {"market", "kindergarten"}
    assert found["market"]["title"] == "近菜市场"
    # 50 m to the street in the south, where the market is; then east, north and east again
    assert found["market"]["metres"] == pytest.approx(50, abs=1)
    assert found["kindergarten"]["metres"] == pytest.approx(50 + 100 + 110 + 600, abs=3)
    assert all(one["method"] == "network" for one in found.values())
    assert found["market"]["seconds"] == pytest.approx(found["market"]["metres"] / 4 * 3.6, abs=0.2)


def test_open_events_are_those_at_the_building(client: TestClient) -> None:
    events = client.get("/api/cards/buildings/1").json()["more"]["open_events"]
    assert [event["event_no"] for event in events] == ["SJ-0", "SJ-2"]


def test_a_grid_shows_its_rule_with_the_document_and_each_verdict(client: TestClient) -> None:
    rule = client.get("/api/cards/grids/1").json()["more"]["rule"]
    # the known answer of Jinse Jiayuan: 513 households fail their band, 1,034 persons pass theirs, "any" passes
    assert [(v["unit"], v["value"], v["in_band"]) for v in rule["verdicts"]] == [
        ("households", 513, False),
        ("persons", 1034, True),
    ]
    assert (rule["in_band"], rule["logic"]) == (True, "any")
    assert "洸河" in rule["document"]
    assert rule["bands"][0] == {"unit": "households", "min": 300, "target": 400, "max": 500}
    assert rule["title"]["en"].startswith("Jining")


def test_a_grid_counts_what_is_in_it(client: TestClient) -> None:
    more = client.get("/api/cards/grids/1").json()["more"]
    assert (more["n_buildings"], more["n_cameras"], more["n_management_points"], more["n_informants"]) == (2, 4, 2, 7)
    assert more["area_m2"] == pytest.approx(160_000, rel=0.001)
    assert more["n_open"] == 4
    days = more["per_day"]
    assert len(days) == 30
    assert days[-1]["day"] == datetime.now(CITY_TIME).date().isoformat()
    assert [
        (days[-1]["n"], days[-1]["n_open"]),
        (days[-2]["n"], days[-2]["n_open"]),
        (days[0]["n"], days[0]["n_open"]),
    ] == [(1, 1), (2, 1), (1, 1)]
    assert sum(day["n"] for day in days) == 4
    assert more["patrol"] == {"n": 2, "of": 5, "days": 7}
    assert more["visits"] == {"due": 2, "overdue": 3}
    assert more["plan_document"] == "示例发 3 号"


def test_estates_and_areas_sum_up(client: TestClient) -> None:
    assert client.get("/api/cards/estates/1").json()["more"] == {
        "kind": "ground",
        "n_buildings": 2,
        "households": 20,
        "persons": 40,
        "n_grids": 1,
        "n_open": 2,
    }
    assert client.get("/api/cards/areas/1").json()["more"] == {
        "kind": "ground",
        "n_buildings": 2,
        "households": 20,
        "persons": 40,
        "n_grids": 1,
        "n_open": 4,
    }


def test_a_point_says_when_it_is_due(client: TestClient) -> None:
    late, soon, never = (client.get(f"/api/cards/patrol_points/{fid}").json()["more"]["visits"] for fid in (3, 2, 5))
    assert (late["overdue"], soon["overdue"], never["overdue"]) == (True, False, True)
    assert datetime.fromisoformat(soon["next_at"]) - datetime.fromisoformat(soon["last_visit_at"]) == timedelta(days=7)


def test_other_layers_have_no_more(client: TestClient) -> None:
    assert client.get("/api/cards/roads/1").json()["more"] is None
    assert client.get("/api/cards/roads/999").status_code == 404


def test_each_part_is_only_for_those_who_may_know(town: str, client: TestClient, catalog: Catalog) -> None:
    with Db(town) as db, db.connection() as connection:
        one = accounts.add_account(connection, "one", "viewer", (HERE,), 1)
        few = accounts.add_account(connection, "few", "restricted", None, 1)
        public = Cards(connection, catalog, PUBLIC)
        assert public.cameras_near(1) == public.open_events(1) == []
        assert (public.area(HERE).households, public.area(HERE).n_open, public.n_cameras_of_grid(1)) == (
            None,
            None,
            None,
        )
        assert public.visits_of_grid(f"{HERE}017", datetime.now(UTC)) is None
        assert Cards(connection, catalog, STAFF).area(HERE).households == 20

    def titles(token: str) -> set[str]:
        more = client.get("/api/cards/buildings/1", headers={"Authorization": f"Bearer {token}"}).json()["more"]
        return {camera["title"] for camera in more["cameras_100m"]}

    assert titles(one) == {"away", "over", "behind"}
    assert titles(few) == {"away", "over", "behind", "next", "kids"}


def test_without_streets_the_straight_line_says_so(db: Db) -> None:
    with db.connection() as connection:
        connection.execute(
            f"INSERT INTO layer.buildings (area_code, building_id, geom) VALUES ('{HERE}', 'A', {block(-5, -5, 5, 5)})"
        )
        connection.execute(
            f"INSERT INTO layer.facilities (area_code, facility_id, name, category, geom) VALUES ('{HERE}', 'M', '菜市场', 'market', {at(300, 400)})"
        )
    settings = Settings.from_env({"ONEMAP_DATABASE_URL": db.url, "ONEMAP_DEMO": "none"})
    with TestClient(
        create_app(settings, db.url), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000)
    ) as asked:
        (market,) = asked.get("/api/cards/buildings/1").json()["more"]["facilities"]
    assert market["method"] == "straight"
    assert market["metres"] == pytest.approx(500, abs=1)
