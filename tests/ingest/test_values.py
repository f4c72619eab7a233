"""Foreign cells become values of our fields, or reasons."""

import datetime as dt

import pytest

from onemap.domain.layer import Catalog
from onemap.errors import InputRefused, UsageError
from onemap.ingest.check import convert, duplicates
from onemap.ingest.mapping import plan, require, short_names, wishes
from onemap.store.load import writable


def value(catalog: Catalog, layer: str, field: str, cell: object) -> object:
    found = catalog.layer(layer)
    values, problem = convert(found, found.field(field), [cell])
    return problem[0] if problem else values[0]


@pytest.mark.parametrize(
    ("layer", "field", "cell", "expected"),
    [
        ("buildings", "floors", "18层", 18),
        ("buildings", "floors", "１８", 18),
        ("buildings", "floors", 6.0, 6),
        ("buildings", "floors", "", None),
        ("buildings", "built_year", "1998-05-01", 1998),
        ("buildings", "built_year", "2003年", 2003),
        ("buildings", "use", "住宅楼", "residential"),
        ("buildings", "use", "Residential", "residential"),
        ("buildings", "use", "yes", None),
        ("buildings", "building_id", 340111.0, "340111"),
        ("buildings", "households", "1,204", 1204),
        ("roads", "oneway", "-1", "backward"),
        ("roads", "oneway", "yes", "forward"),
        ("roads", "bridge", "是", True),
        ("roads", "road_class", None, "residential"),
        ("events", "level", "重大", 3),
        ("events", "level", "2", 2),
        ("events", "reported_at", "2024/3/5 8:07", dt.datetime(2024, 3, 5, 0, 7, tzinfo=dt.UTC)),
        ("events", "reported_at", "2024年3月5日 8时07分", dt.datetime(2024, 3, 5, 0, 7, tzinfo=dt.UTC)),
        ("events", "reported_at", "2024-03-05T00:07:00Z", dt.datetime(2024, 3, 5, 0, 7, tzinfo=dt.UTC)),
        ("grids", "valid_from", "20240305", dt.date(2024, 3, 5)),
        ("facilities", "category", "社区卫生服务中心", "health_centre"),
    ],
)
def test_a_cell_as_people_write_it_becomes_a_value(catalog, layer, field, cell, expected):
    assert value(catalog, layer, field, cell) == expected


@pytest.mark.parametrize(
    ("layer", "field", "cell", "reason"),
    [
        ("buildings", "floors", "six", "floors (层数) is 'six', not a number"),
        ("buildings", "floors", 6.5, "floors (层数) is 6.5, not a whole number"),
        ("buildings", "floors", 900, "floors (层数) is 900, not between 0 and 200"),
        ("buildings", "households", -1, "households (户数) is -1, not between 0 and 20000"),
        ("buildings", "use", "飞船", "unknown code '飞船' for use (用途)"),
        ("buildings", "building_id", None, "building_id (楼栋编号) is missing"),
        (
            "buildings",
            "building_id",
            3.4e19,
            "building_id (楼栋编号) is a number too long to be exact; store it as text",
        ),
        ("events", "reported_at", "yesterday", "reported_at (上报时间) is 'yesterday', not a date"),
        ("roads", "bridge", "maybe", "bridge (桥) is 'maybe', neither yes nor no"),
        ("grids", "grid_code", "12", "grid_code (网格编码) is '12', not 15 digits"),
        ("facilities", "capacity", "#REF!", "error value #REF! in a cell"),
    ],
)
def test_a_cell_that_is_no_value_has_a_reason(catalog, layer, field, cell, reason):
    assert value(catalog, layer, field, cell) == reason


def test_the_second_row_with_a_key_is_the_duplicate():
    assert duplicates(["a", "b", "a", "b"], [True, False, True, True], "id") == {
        2: "duplicate key id 'a', first in row 1"
    }


def planned(catalog, layer, columns, *, maps=(), sets=(), cut=False):
    found = catalog.layer(layer)
    return plan(found, columns, wishes(found, maps, sets), writable=writable(found), cut=cut)


def test_columns_are_found_in_chinese_english_pinyin_and_osm(catalog):
    for columns in (["楼栋编号", "楼层数", "总户数"], ["Building_ID", "num_floors", "households"], ["ldbh", "cs", "hs"],
                    ["osm_id", "building:levels", "hushu"]):  # fmt: skip
        assert dict(planned(catalog, "buildings", columns).columns) == dict(
            zip(("building_id", "floors", "households"), columns, strict=True)
        )


def test_a_column_feeds_one_field_and_a_persons_word_goes_first(catalog):
    made = planned(catalog, "buildings", ["编号", "名称", "别名"], maps=["name=别名"])
    assert dict(made.columns) == {"name": "别名", "building_id": "编号"}
    assert made.unused == ("名称",)


def test_names_cut_short_by_a_shapefile_are_known_again(catalog):
    layer = catalog.layer("buildings")
    short = short_names([field.name for field in layer.fields])
    assert len(set(short.values())) == len(short)
    assert planned(catalog, "buildings", ["楼栋编"], cut=True).columns["building_id"] == "楼栋编"
    assert planned(catalog, "buildings", ["househol_2"], cut=True).columns == {"households_estimated": "househol_2"}


def test_a_required_field_that_nothing_gives_is_said(catalog):
    layer = catalog.layer("facilities")
    with pytest.raises(InputRefused, match=r"needs category \(类别\)"):
        require(layer, planned(catalog, "facilities", ["名称"]), {"facility_id"})
    require(layer, planned(catalog, "facilities", ["名称"], sets=["category=bus_stop"]), {"facility_id"})


def test_an_unknown_field_is_wrong_use(catalog):
    with pytest.raises(UsageError, match="has no field 'colour'"):
        planned(catalog, "buildings", ["a"], maps=["colour=a"])


def test_computed_columns_of_views_take_no_values(catalog):
    assert "overdue" not in writable(catalog.layer("events"))
    assert {"event_no", "title", "grid_code", "area_code"} <= writable(catalog.layer("events"))
    assert "overdue" not in planned(catalog, "events", ["事件编号", "overdue"]).columns
