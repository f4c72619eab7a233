"""What cameras see of the demo city: against rays drawn by shapely, and for each reader what is his to know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from onemap.analyses.camera_places import key_places
from onemap.analyses.camera_sight import Sight, Sights, in_plane
from onemap.analyses.cameras import CameraCoverage, camera_coverage, cameras_that_see
from onemap.cli.main import run
from onemap.domain.layer import Catalog
from onemap.domain.scope import EVERYTHING, PUBLIC, STAFF, DataClass, Scope
from onemap.errors import FeatureNotFound, InputRefused, InvalidValue, LayerNotFound
from onemap.store import frames
from onemap.store.db import Db

COMMUNITY = "990101001001"
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def db(town: str) -> Iterator[Db]:
    with Db(town) as pool:
        yield pool


@pytest.fixture(scope="module")
def sights(db: Db, catalog: Catalog) -> Sights:
    return Sights(db, catalog)


@pytest.fixture(scope="module")
def sight(sights: Sights) -> Sight:
    return sights.sight()


@pytest.fixture(scope="module")
def found(db: Db, sights: Sights, catalog: Catalog) -> CameraCoverage:
    return camera_coverage(db, sights, catalog, STAFF, COMMUNITY, today=TODAY)


def test_a_camera_sees_a_point_when_no_house_stands_between(
    db: Db, sights: Sights, sight: Sight, catalog: Catalog
) -> None:
    with db.connection() as connection:
        houses = in_plane(sight, frames.frame(connection, catalog.layer("buildings"), EVERYTHING, fields=()))
    tree = shapely.STRtree(houses)
    bearing, fov, far = (sight.rows[name].to_numpy(float) for name in ("bearing_deg", "fov_deg", "range_m"))
    rng = np.random.default_rng(4)
    n_seeing = 0
    for row in rng.choice(len(sight.rows), 60, replace=False):
        angle = np.radians(bearing[row] + rng.uniform(-0.45, 0.45) * fov[row])
        x = sight.x[row] + rng.uniform(0.2, 0.95) * far[row] * np.sin(angle)
        y = sight.y[row] + rng.uniform(0.2, 0.95) * far[row] * np.cos(angle)
        ray = shapely.LineString([(sight.x[row], sight.y[row]), (x, y)])
        mount = set(tree.query(shapely.Point(sight.x[row], sight.y[row]), predicate="dwithin", distance=0.05).tolist())
        blocked = set(tree.query(ray, predicate="intersects").tolist()) - mount
        seen = {one.fid for one in cameras_that_see(sights, catalog, EVERYTHING, *sight.point(x, y))}
        in_view = np.hypot(x - sight.x[row], y - sight.y[row]) <= far[row]
        off = abs((np.degrees(np.arctan2(x - sight.x[row], y - sight.y[row])) - bearing[row] + 180.0) % 360.0 - 180.0)
        in_view &= off <= fov[row] / 2.0
        assert (int(sight.rows["fid"].iloc[row]) in seen) == (bool(in_view) and not blocked)
        n_seeing += int(bool(in_view) and not blocked)
    assert n_seeing > 5


def test_ground_seen_is_the_union_of_what_they_see(
    db: Db, sight: Sight, catalog: Catalog, found: CameraCoverage
) -> None:
    with db.connection() as connection:
        grids = frames.frame(connection, catalog.layer("grids"), STAFF, area=COMMUNITY)
    looking = np.flatnonzero(sight.in_scope(catalog, STAFF) & sight.usable & sight.is_online)
    union = shapely.union_all(sight.seen_by(looking))
    shapes = in_plane(sight, grids)
    expected = shapely.area(shapely.intersection(shapes, union)) / shapely.area(shapes)
    told = {grid.grid_code: grid.ground_share for grid in found.grids}
    np.testing.assert_allclose([told[code] for code in grids["grid_code"]], expected, atol=1e-4)
    assert found.ground.share is not None
    assert found.ground.share == pytest.approx(
        shapely.area(shapely.intersection(shapes, union)).sum() / shapely.area(shapes).sum(), abs=1e-3
    )
    assert found.ground.share_twice is not None
    assert 0.0 < found.ground.share_twice < found.ground.share


def test_the_four_works_follow_from_the_shares(sight: Sight, catalog: Catalog, found: CameraCoverage) -> None:
    assert len(found.works.fill) == sum(kind.n - kind.seen for kind in found.places)
    assert {kind.kind: kind.n for kind in found.places}["market"] == 2
    thin = [grid for grid in found.grids if grid.ground_share < 0.5 and grid.households > 0]
    assert [grid.fid for grid in found.works.densify] == [
        grid.fid for grid in sorted(thin, key=lambda grid: -grid.want)
    ]
    mine = sight.in_scope(catalog, STAFF, COMMUNITY)
    offline = {int(fid) for fid in sight.rows["fid"][mine & ~sight.is_online]}
    assert {one.fid for one in found.works.improve if one.why == "not online"} == offline
    assert found.offline_share == pytest.approx(len(offline) / mine.sum())
    assert any("vehicle" in said.en and "车载" in said.zh for said in found.assumptions)


def test_childcare_cameras_are_for_few_and_none_for_the_public(
    db: Db, sights: Sights, sight: Sight, catalog: Catalog, found: CameraCoverage
) -> None:
    few = sight.rows[sight.rows["camera_class"] == "childcare"]
    assert len(few)
    everyone = camera_coverage(db, sights, catalog, EVERYTHING, COMMUNITY, today=TODAY)
    assert everyone.n_cameras == found.n_cameras + len(few)
    assert "childcare" not in {one.camera_class for one in found.classes}
    row = few.index[0]
    place = sight.point(
        float(sight.x[row] + 2.0 * np.sin(np.radians(few["bearing_deg"].iloc[0]))),
        float(sight.y[row] + 2.0 * np.cos(np.radians(few["bearing_deg"].iloc[0]))),
    )
    fid = int(few["fid"].iloc[0])
    assert fid in {one.fid for one in cameras_that_see(sights, catalog, EVERYTHING, *place)}
    assert fid not in {one.fid for one in cameras_that_see(sights, catalog, STAFF, *place)}
    with pytest.raises(LayerNotFound):
        cameras_that_see(sights, catalog, PUBLIC, *place)
    with pytest.raises(LayerNotFound):
        camera_coverage(db, sights, catalog, PUBLIC, COMMUNITY, today=TODAY)
    elsewhere = Scope(("990102",), frozenset({DataClass.PUBLIC, DataClass.INTERNAL}))
    assert cameras_that_see(sights, catalog, elsewhere, *place) == []
    with pytest.raises(FeatureNotFound):
        camera_coverage(db, sights, catalog, elsewhere, COMMUNITY, today=TODAY)


def test_what_cannot_be_answered_is_refused(db: Db, sights: Sights, catalog: Catalog) -> None:
    with pytest.raises(InvalidValue, match="longitude comes first"):
        cameras_that_see(sights, catalog, STAFF, float("nan"), 31.7)
    assert cameras_that_see(sights, catalog, STAFF, 121.0, 31.0) == []
    with pytest.raises(FeatureNotFound):
        camera_coverage(db, sights, catalog, STAFF, "990101001999", today=TODAY)
    with pytest.raises(InputRefused, match="No camera"):
        camera_coverage(db, sights, catalog, Scope((), STAFF.classes), "", today=TODAY)


def test_streets_cross_where_three_arms_meet_on_one_level() -> None:
    #      |             a street that ends on another is a crossing; a bridge over it is none
    #  ----+----#----    and neither is a footway
    roads = gpd.GeoDataFrame(
        {
            "name": ["一街", "二街", "桥", "步道"],
            "road_class": ["primary", "residential", "secondary", "footway"],
            "z_level": [0, 0, 1, 0],
        },
        geometry=[
            shapely.LineString([(0, 0), (50, 0), (100, 0), (150, 0)]),
            shapely.LineString([(50, 0), (50, 80)]),
            shapely.LineString([(100, -50), (100, 0), (100, 50)]),
            shapely.LineString([(150, 0), (150, 40)]),
        ],
    )
    shapes = {"roads": np.asarray(roads.geometry.array, dtype=object)}
    found = key_places({"roads": roads}, shapes, None)
    assert list(zip(found.kind, found.x.tolist(), found.y.tolist(), strict=True)) == [("crossing", 50.0, 0.0)]


def test_the_command_answers_from_files_as_from_the_database(
    town: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONEMAP_DATABASE_URL", town)
    files = {name: tmp_path / f"{name}.gpkg" for name in ("cameras", "buildings", "grids")}
    for name, path in files.items():
        assert run(["export", name, "-o", str(path)]) == 0
    capsys.readouterr()
    assert run(["cameras", "--area", COMMUNITY, "--out", str(tmp_path / "out.gpkg"), "--json"]) == 0
    here = json.loads(capsys.readouterr().out)
    words = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    assert run(["cameras", *words, "--json"]) == 0
    there = json.loads(capsys.readouterr().out)
    assert there["n_cameras"] == here["n_cameras"]
    assert there["ground"]["share"] == pytest.approx(here["ground"]["share"], abs=2e-3)
    blind = gpd.read_file(tmp_path / "out.gpkg", layer="blind_spots")
    assert blind["unseen_m2"].sum() == pytest.approx(here["ground"]["total"] - here["ground"]["seen"], rel=2e-3)
    assert run(["cameras", "--point", "117.3005,31.7005", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cameras"]
    for wrong, code in ((["cameras"], 2), (["cameras", "--area", "99"], 3), (["cameras", "--cameras", "x"], 2)):
        assert run([*wrong, "--json"]) == code
