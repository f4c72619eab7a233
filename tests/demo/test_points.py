"""Cameras, QR points and facilities stand where such things stand."""

from __future__ import annotations

import numpy as np
import shapely

from tests.demo.conftest import NOW, Invented


def test_cameras_look_somewhere_and_about_4_percent_are_off(invented: Invented) -> None:
    cameras = invented.tables["cameras"].columns
    assert ((cameras["bearing_deg"] >= 0) & (cameras["bearing_deg"] < 360)).all()
    assert ((cameras["fov_deg"] >= 30) & (cameras["fov_deg"] <= 130)).all()
    assert ((cameras["range_m"] >= 15) & (cameras["range_m"] <= 110)).all()
    assert 0.02 < (cameras["status"] == "offline").mean() < 0.06


def test_cameras_of_the_street_stand_at_streets_and_not_in_buildings_or_water(invented: Invented) -> None:
    cameras, xy = invented.tables["cameras"].columns, invented.metres("cameras")
    street = cameras["camera_class"] == "tianwang"
    roads = shapely.STRtree(invented.metres("roads"))
    _, distance = roads.query_nearest(xy[street], return_distance=True, all_matches=False)
    assert np.percentile(distance, 85) < 25
    buildings = shapely.STRtree(invented.metres("buildings"))
    inside = buildings.query(xy[street], predicate="within")[0]
    assert len(set(inside.tolist())) < 0.02 * street.sum()
    river = shapely.union_all(invented.metres("water"))
    assert shapely.contains(river, xy).sum() == 0


def test_childcare_cameras_stand_at_kindergartens(invented: Invented) -> None:
    cameras = invented.tables["cameras"].columns
    buildings = invented.tables["buildings"].columns
    nurseries = invented.metres("buildings")[[str(name).endswith("幼儿园") for name in buildings["name"]]]
    here = invented.metres("cameras")[cameras["camera_class"] == "childcare"]
    assert shapely.distance(here, shapely.union_all(nurseries)).max() < 12


def test_nine_in_ten_qr_points_were_visited_within_seven_days(invented: Invented) -> None:
    visited = invented.tables["patrol_points"].columns["last_visit_at"]
    now = np.datetime64(NOW.replace(tzinfo=None), "s")
    assert (visited <= now).all()
    assert ((now - visited) <= np.timedelta64(7, "D")).sum() == 3806


def test_every_building_has_its_qr_point_and_points_name_buildings_that_exist(invented: Invented) -> None:
    points = invented.tables["patrol_points"].columns
    ids = set(invented.tables["buildings"].columns["building_id"][invented.own("buildings")])
    named = set(points["building_id"][points["qr_kind"] == "building"])
    assert named == ids
    assert {b for b in points["building_id"] if b} <= ids


def test_facilities_are_of_all_categories(invented: Invented) -> None:
    facilities = invented.tables["facilities"].columns
    assert 300 <= len(facilities["name"]) <= 340
    assert {
        "kindergarten", "primary_school", "middle_school", "health_station", "health_centre", "elder_day_care",
        "nursing_home", "service_station", "cultural_station", "market", "sports_ground", "bus_stop",
        "convenience_store", "waste_point", "police_station", "fire_station",
    } <= set(facilities["category"])  # fmt: skip
    rooms = facilities["category"] == "mediation_room"
    grids = shapely.STRtree(invented.metres("grids"))
    served = grids.query(invented.metres("facilities")[rooms], predicate="within")[1]
    assert len(set(served.tolist())) == 29
