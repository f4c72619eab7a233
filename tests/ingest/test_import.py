"""Imports into a real database: all or nothing, again and again."""

import csv
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon

from onemap.errors import InputRefused, UsageError
from onemap.ingest.child import Limits
from onemap.ingest.crs import wgs84_to_bd09, wgs84_to_gcj02
from onemap.ingest.households import household_rule
from onemap.ingest.publish import Options
from onemap.ingest.rejects import parse_limit

from .conftest import RULES, bring

FRESH = {"read": 10, "written": 10, "updated": 0, "rejected": 0, "repaired": 0}
AGAIN = FRESH | {"written": 0}


def test_a_second_import_changes_nothing_and_a_changed_row_alone_is_updated(importer, tmp_path, street, rows_of):
    street.to_file(tmp_path / "a.gpkg")
    assert bring(importer, "buildings", tmp_path / "a.gpkg") == FRESH
    assert bring(importer, "buildings", tmp_path / "a.gpkg") == AGAIN
    street.loc[3, "户数"] = 99
    street.to_file(tmp_path / "b.gpkg")
    assert bring(importer, "buildings", tmp_path / "b.gpkg") == AGAIN | {"updated": 1}
    assert rows_of(
        "SELECT households, name, use, households_estimated FROM layer.buildings WHERE building_id = 'LD003'"
    ) == [(99, "4号楼", "commercial", False)]


def test_columns_that_a_file_lacks_and_empty_cells_leave_what_is_there(importer, tmp_path, street, rows_of):
    street.to_file(tmp_path / "a.gpkg")
    bring(importer, "buildings", tmp_path / "a.gpkg")
    street.drop(columns="户数").assign(层数=None).to_file(tmp_path / "b.gpkg")
    assert bring(importer, "buildings", tmp_path / "b.gpkg")["updated"] == 0
    assert rows_of("SELECT min(households), min(floors) FROM layer.buildings") == [(24, 6)]


@pytest.mark.parametrize("ending", ["geojson", "fgb", "parquet", "shp"])
def test_the_same_rows_in_another_format_and_projection_are_the_same_rows(importer, tmp_path, street, ending):
    street.to_file(tmp_path / "a.gpkg")
    bring(importer, "buildings", tmp_path / "a.gpkg")
    other = street if ending == "geojson" else street.to_crs(4548)
    path = tmp_path / f"a.{ending}"
    other.to_parquet(path) if ending == "parquet" else other.to_file(path)
    assert bring(importer, "buildings", path) == AGAIN


def test_shifted_points_land_on_their_buildings(importer, tmp_path, street):
    street.to_file(tmp_path / "a.gpkg")
    bring(importer, "buildings", tmp_path / "a.gpkg")
    lon, lat = shapely.get_coordinates(shapely.centroid(street.geometry.to_numpy())).T
    for crs, bend in (("gcj02", wgs84_to_gcj02), ("bd09", wgs84_to_bd09)):
        x, y = bend(lon, lat)
        rows = [f"幼儿园{i},幼儿园,{a!r},{b!r}" for i, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True))]
        (tmp_path / f"{crs}.csv").write_text("\n".join(["名称,类别,经度,纬度", *rows]), "gbk")
        original = tmp_path / f"{crs}-original.csv"
        report = importer.file(
            "facilities", tmp_path / f"{crs}.csv", Options(crs=crs, shift_check=True, keep_original=original)
        )
        assert report.shift_check == {"n": 10, "near_m": 20.0, "before": 0.0, "after": 1.0}
        assert report.layers["facilities"]["written"] == (10 if crs == "gcj02" else 0)  # the second are the same places
        kept = next(csv.DictReader(original.read_text("utf-8").splitlines()))
        assert kept["crs"] == crs
        assert np.allclose(shapely.from_wkt(kept["wkt"]).coords[0], (x[0], y[0]), atol=1e-12)


def test_rows_get_the_area_and_grid_they_lie_in(importer, tmp_path, street, rows_of):
    west, east = shapely.box(117.27, 31.69, 117.2823, 31.71), shapely.box(117.2823, 31.69, 117.29, 31.71)
    _frame(["340111001", "340111001001"], [west.union(east), west], level=["街道", "社区"]).to_file(
        tmp_path / "areas.gpkg"
    )
    assert bring(importer, "areas", tmp_path / "areas.gpkg", columns=("area_code=code",))["written"] == 2
    _frame(["340111001001001"], [west]).to_file(tmp_path / "grids.gpkg")
    assert bring(importer, "grids", tmp_path / "grids.gpkg", columns=("grid_code=code",))["written"] == 1
    assert bring(importer, "grids", tmp_path / "grids.gpkg", columns=("grid_code=code",))["updated"] == 0
    street.to_file(tmp_path / "a.gpkg")
    bring(importer, "buildings", tmp_path / "a.gpkg")
    assert rows_of("SELECT area_code, grid_code, count(*) FROM layer.buildings GROUP BY 1, 2 ORDER BY 3") == [
        ("340111001001", "340111001001001", 5),
        ("340111001", None, 5),
    ]


def test_events_go_through_their_view_and_come_back_unchanged(importer, tmp_path, rows_of):
    (tmp_path / "a.csv").write_text(
        "工单编号,事件标题,事件类型,级别,状态,上报时间,超期,经度,纬度\n"
        "E1,路灯不亮,路灯故障,一般,已结案,2024-03-05 08:07,否,117.28,31.7\n"
        "E2,噪声,噪音,红色,处理中,2024/3/6 9:00,是,117.28,31.7\n",
        "utf-8",
    )
    for expected in (2, 0):
        counts = bring(importer, "events", tmp_path / "a.csv", crs="wgs84")
        assert (counts["written"], counts["updated"], counts["rejected"]) == (expected, 0, 0)
    assert rows_of("SELECT event_no, kind, level, state, is_open FROM layer.events ORDER BY 1") == [
        ("E1", "street_light", 1, "closed", True),
        ("E2", "noise", 4, "processing", True),
    ]


def test_rows_that_cannot_be_taken_are_listed_with_row_and_reason(importer, tmp_path, street):
    street.loc[2, "户数"] = -5
    street.loc[4, "编号"] = "LD000"
    street.loc[6, "geometry"] = None
    street.loc[8, "geometry"] = Polygon([(117.1, 31.1), (117.2, 31.2), (117.2, 31.1), (117.1, 31.2)])
    street.to_file(tmp_path / "a.gpkg")
    listed = tmp_path / "rejects.csv"
    options = Options(limit=parse_limit("3"), rejects_file=listed)
    report = importer.file("buildings", tmp_path / "a.gpkg", options)
    assert report.layers["buildings"] == {"read": 10, "written": 7, "updated": 0, "rejected": 3, "repaired": 1}
    assert report.rejects_file == str(listed)
    rows = list(csv.DictReader(listed.read_text("utf-8-sig").splitlines()))
    assert [(row["row"], row["key"], row["reason"].split(",")[0]) for row in rows] == [
        ("3", "LD002", "households (户数) is -5"),
        ("5", "LD000", "duplicate key building_id 'LD000'"),
        ("7", "LD006", "it has no geometry"),
    ]
    drawn = json.loads(listed.with_suffix(".geojson").read_text())
    assert [feature["properties"]["row"] for feature in drawn["features"]] == [3, 5]


def test_too_many_rejects_refuse_the_import_and_change_nothing(importer, tmp_path, street, rows_of):
    street.loc[:3, "用途"] = "飞船"
    street.to_file(tmp_path / "a.gpkg")
    with pytest.raises(
        InputRefused, match=r"4 of 10 rows .* more than --max-rejects 20 % allows: 4 x unknown code '飞船'"
    ):
        bring(importer, "buildings", tmp_path / "a.gpkg")
    assert rows_of("SELECT count(*) FROM layer.buildings") == [(0,)]


def test_a_row_that_the_database_refuses_takes_the_whole_import_back(importer, tmp_path, street, rows_of):
    street.to_file(tmp_path / "a.gpkg")
    bring(importer, "buildings", tmp_path / "a.gpkg")
    with importer.db.connection() as connection:
        connection.execute("ALTER TABLE layer.buildings ADD CHECK (floors < 100)")
    street.loc[0, "户数"] = 1
    street.loc[9, "层数"] = 150
    street.to_file(tmp_path / "b.gpkg")
    with pytest.raises(InputRefused, match="The database refuses a row"):
        bring(importer, "buildings", tmp_path / "b.gpkg")
    assert rows_of("SELECT min(households), max(floors) FROM layer.buildings") == [(24, 15)]


def test_a_dry_run_tells_and_changes_nothing(importer, tmp_path, street, rows_of):
    street.assign(备注="x").to_file(tmp_path / "a.gpkg")
    report = importer.file("buildings", tmp_path / "a.gpkg", Options(dry_run=True))
    assert report.layers["buildings"] == FRESH
    assert report.mapping == {
        "building_id": "编号",
        "name": "名称",
        "use": "用途",
        "floors": "层数",
        "households": "户数",
    }
    assert report.unused_columns == ["备注"]
    assert rows_of("SELECT count(*) FROM layer.buildings") == [(0,)]


def test_personal_data_refuses_the_import(importer, tmp_path, street, rows_of):
    street.assign(户主="x", 备注="11010519491231002X").to_file(tmp_path / "a.gpkg")
    with pytest.raises(InputRefused, match=r"'户主' \(named so\); '备注' \(values like 18-digit"):
        bring(importer, "buildings", tmp_path / "a.gpkg")
    assert rows_of("SELECT count(*) FROM layer.buildings") == [(0,)]


def test_households_are_estimated_where_absent_and_never_over_counted_ones(importer, tmp_path, street, rows_of):
    rule = household_rule("footprint_floors", RULES)
    street.loc[0, "户数"] = None
    street.to_file(tmp_path / "a.gpkg")
    bring(importer, "buildings", tmp_path / "a.gpkg", households=rule)
    estimated = "SELECT building_id, households, persons FROM layer.buildings WHERE households_estimated"
    assert rows_of(estimated) == [("LD000", 36, 94)]  # 18.9 m x 33.3 m x 6 floors / 105 m2
    street.drop(columns="户数").to_file(tmp_path / "b.gpkg")
    assert bring(importer, "buildings", tmp_path / "b.gpkg", households=rule)["updated"] == 0
    assert rows_of(estimated) == [("LD000", 36, 94)]


def test_rows_without_a_key_get_one_that_stays(importer, tmp_path, street):
    street[["名称", "geometry"]].to_file(tmp_path / "a.gpkg")
    assert bring(importer, "buildings", tmp_path / "a.gpkg") == FRESH
    street[["名称", "geometry"]].to_crs(4548).to_file(tmp_path / "b.gpkg")
    assert bring(importer, "buildings", tmp_path / "b.gpkg") == AGAIN


def test_a_limited_process_reads_the_same(careful_importer, tmp_path, street):
    street.to_file(tmp_path / "a.gpkg")
    assert bring(careful_importer, "buildings", tmp_path / "a.gpkg") == FRESH


def test_a_reader_that_takes_too_long_or_too_much_is_given_up(careful_importer, tmp_path, street):
    street.to_file(tmp_path / "a.gpkg")
    with pytest.raises(InputRefused, match="more than 200 MB of memory"):
        bring(careful_importer, "buildings", tmp_path / "a.gpkg", limits=Limits(memory_mb=200))
    with pytest.raises(InputRefused, match="took more than"):
        bring(careful_importer, "buildings", tmp_path / "a.gpkg", limits=Limits(time_s=0))


def test_an_extract_fills_five_layers_at_once(importer, tmp_path, rows_of):
    path = tmp_path / "a.osm"
    path.write_text(_EXTRACT)
    report = importer.osm(path, Options())
    assert {name: n["written"] for name, n in report.layers.items()} == {
        "buildings": 1, "roads": 1, "water": 0, "green": 0, "facilities": 1,
    }  # fmt: skip
    assert report.layers["roads"] == {"read": 2, "written": 1, "updated": 0, "rejected": 1, "repaired": 0}
    assert rows_of("SELECT road_id, road_class, foot FROM layer.roads") == [("w2", "residential", True)]
    assert all(n["written"] == n["updated"] == 0 for n in importer.osm(path, Options()).layers.values())


def test_an_extract_is_not_a_layer_and_a_layer_is_not_an_extract(importer, tmp_path, street):
    (tmp_path / "a.osm").write_text(_EXTRACT)
    street.to_file(tmp_path / "a.gpkg")
    with pytest.raises(InputRefused, match="onemap import osm"):
        bring(importer, "buildings", tmp_path / "a.osm")
    with pytest.raises(InputRefused, match="name the layer"):
        importer.osm(tmp_path / "a.gpkg", Options())


def test_only_buildings_have_households_to_estimate(importer, tmp_path, street):
    with pytest.raises(UsageError, match="'buildings' has one"):
        bring(importer, "roads", Path("a.gpkg"), households=household_rule("footprint_floors", RULES))


def _frame(codes, shapes, **more):
    return gpd.GeoDataFrame({"code": codes, "name": codes, **more}, geometry=shapes, crs=4490)


_EXTRACT = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
<node id="1" lat="31.7" lon="117.3" version="1"/><node id="2" lat="31.7" lon="117.301" version="1"/>
<node id="3" lat="31.701" lon="117.301" version="1"><tag k="amenity" v="pharmacy"/></node>
<way id="1" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="yes"/></way>
<way id="2" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>
<way id="3" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="proposed"/></way>
</osm>
"""
