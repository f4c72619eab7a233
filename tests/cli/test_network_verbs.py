"""nearest, cover, isochrone and site from files, as a user calls them."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from onemap.cli.main import run

E, N = 500_000.0, 3_500_000.0  # EPSG:4547 on its central meridian
MS = 4 / 3.6


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A street of 2 km with a lane, a far-away second town, houses, a school and two clinics."""
    folder = tmp_path_factory.mktemp("town")

    def write(layer, geometry, **columns):
        gpd.GeoDataFrame(columns, geometry=geometry, crs=4547).to_file(folder / f"{layer}.gpkg", layer=layer)

    def box(x, y):
        return shapely.box(E + x - 5, N + y - 5, E + x + 5, N + y + 5)

    lines = [[(0, 0), (1000, 0), (2000, 0)], [(1000, 0), (1000, 500)], [(0, 9000), (2000, 9000)]]
    write("streets", [shapely.LineString([(E + x, N + y) for x, y in line]) for line in lines])
    homes = [(1900, 10), (100, 20), (1010, 450), (700, 9020), (1000, 3000)]
    write(
        "buildings", [box(*home) for home in homes], name=["a", "b", "c", "far", "sea"], households=[10, 20, 30, 40, 50]
    )
    services = [(500, 0), (1000, 500), (0, 0), (1000, 4000)]
    write(
        "facilities",
        shapely.points(np.array(services, float) + [E, N]),
        category=["school", "clinic", "clinic", "clinic"],
    )
    write(
        "responders",
        shapely.points(E + np.array([0.0, 1500, 700]), N + np.array([0.0, 0, 9000])),
        id=["r1", "r2", "r3"],
        on_duty=[True, True, True],
        skills=["medic", "", "medic"],
    )
    return folder


def answer(capsys, *args):
    code = run([str(arg) for arg in args] + ["--json"])
    out = capsys.readouterr().out
    return code, json.loads(out)


def lonlat(x, y):
    point = gpd.GeoSeries([shapely.Point(E + x, N + y)], crs=4547).to_crs(4490)[0]
    return f"{point.x:.9f},{point.y:.9f}"


def test_nearest_answers_with_minutes_metres_and_reasons(town, capsys):
    code, told = answer(
        capsys, "nearest", "--network", town / "streets.gpkg", "--responders", town / "responders.gpkg",
        "--point", lonlat(1000, 0), "-k", 5,
    )  # fmt: skip
    assert code == 0
    first, second, third = told["candidates"]
    assert set(first) >= {"id", "seconds", "metres", "method", "snap_m", "reason"}
    assert (first["id"], first["method"]) == ("r2", "network")
    assert first["seconds"] == pytest.approx(500 / MS, abs=0.01)
    assert first["metres"] == pytest.approx(500, abs=0.01)
    assert second["id"] == "r1"
    assert (third["id"], third["method"]) == ("r3", "straight_line")
    assert "no street leads" in third["reason"]


def test_nearest_filters_and_says_whom_it_passed_over(town, capsys):
    code, told = answer(
        capsys, "nearest", "--network", town / "streets.gpkg", "--responders", town / "responders.gpkg",
        "--point", lonlat(1000, 0), "--skill", "medic", "--max-minutes", 20,
    )  # fmt: skip
    assert code == 0
    assert [one["id"] for one in told["candidates"]] == ["r1"]
    assert {one["id"]: one["reason_code"] for one in told["skipped"]} == {"r2": "wrong_skill", "r3": "too_far"}


def test_cover_keeps_rows_in_order_and_leaves_null_where_nothing_is_reached(town, capsys, tmp_path):
    out = tmp_path / "c.gpkg"
    code, told = answer(
        capsys, "cover", "--streets", town / "streets.gpkg", "--buildings", town / "buildings.gpkg",
        "--facilities", town / "facilities.gpkg", "--minutes", 15, "--out", out,
    )  # fmt: skip
    assert code == 0
    rows = gpd.read_file(out, layer="buildings")
    assert rows["name"].tolist() == ["a", "b", "c", "far", "sea"]
    expected = [1400 + 10, 400 + 20, 500 + 450 + 10, np.nan, np.nan]
    assert np.allclose(rows["metres_school"], expected, atol=0.5, equal_nan=True)
    assert np.allclose(rows["seconds_school"], rows["metres_school"] / MS, equal_nan=True)
    assert np.allclose(
        rows["metres_clinic"], [900 + 10 + 500, 100 + 20, 50 + 10, np.nan, np.nan], atol=0.5, equal_nan=True
    )
    school = told["coverage"]["school"]
    assert school["households"] == {"covered": 50, "uncovered": 100, "total": 150, "share": pytest.approx(1 / 3)}
    assert school["buildings"]["covered"] == 2
    assert told["components"]["n"] == 2
    assert told["snap"]["buildings"]["failed"] == 1
    assert any("1 of 3 facilities of 'clinic' lie farther" in problem for problem in told["problems"])
    assert {name for name, _ in pyogrio.list_layers(out)} == {"buildings", "isochrones", "gaps"}
    shapes = gpd.read_file(out, layer="isochrones")
    assert set(zip(shapes["category"], shapes["minutes"], strict=True)) == {
        (c, m) for c in ("school", "clinic") for m in (5, 10, 15)
    }
    assert shapes.is_valid.all()
    gaps = gpd.read_file(out, layer="gaps")
    assert set(gaps["kind"]) == {"building", "h3"}
    assert sorted(gaps[(gaps["kind"] == "building") & (gaps["category"] == "school")]["building_row"]) == [0, 3, 4]


def test_isochrones_are_written_by_band(town, capsys, tmp_path):
    out = tmp_path / "i.gpkg"
    code, told = answer(
        capsys,
        "isochrone",
        "--streets",
        town / "streets.gpkg",
        "--point",
        lonlat(1000, 0),
        "--minutes",
        "5,10,15",
        "--out",
        out,
    )
    assert code == 0
    assert [one["minutes"] for one in told["isochrones"]] == [5, 10, 15]
    shapes = gpd.read_file(out, layer="isochrones").to_crs(4547)
    reach = [shape.bounds[2] - E for shape in shapes.geometry]
    assert reach == pytest.approx([1000 + 20000 / 60, 1000 + 40000 / 60, 2000 + 30], abs=56)


@pytest.mark.parametrize("model", ["mclp", "pmedian", "lscp"])
def test_site_says_objective_bound_and_gap(town, capsys, tmp_path, model):
    out = tmp_path / "s.gpkg"
    code, told = answer(
        capsys, "site", "--streets", town / "streets.gpkg", "--buildings", town / "buildings.gpkg", "--facilities",
        town / "facilities.gpkg", "--category", "school", "--new", 1, "--model", model, "--out", out,
    )  # fmt: skip
    assert code == 0
    assert told["gap"] == pytest.approx(0.0, abs=1e-6)
    assert told["objective"] == pytest.approx(told["bound"])
    assert {name for name, _ in pyogrio.list_layers(out)} == {"sites", "buildings"}
    if model == "mclp":
        assert told["before"]["covered"] == 50
        assert told["objective"] == told["after"]["covered"] == 90


def test_two_places_are_compared_head_to_head(town, capsys, tmp_path):
    two = tmp_path / "two.gpkg"
    places = shapely.points(E + np.array([2000.0, 700]), N + np.array([0.0, 9000]))
    gpd.GeoDataFrame({"id": ["east", "north"]}, geometry=places, crs=4547).to_file(two, layer="candidates")
    code, told = answer(
        capsys, "site", "--streets", town / "streets.gpkg", "--buildings", town / "buildings.gpkg",
        "--category", "car_park", "--candidates", two, "--minutes", 5,
    )  # fmt: skip
    assert code == 0
    assert {one["id"]: one["covered"] for one in told["head_to_head"]} == {"east": 10, "north": 40}
    assert [site["candidate"] for site in told["sites"]] == ["north"]


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (["nearest", "--point", "117.9,38.0"], 3, "lies within 500 m of the point"),
        (["nearest", "--point", "nan,31"], 2, "must be numbers"),
        (["nearest", "--point", "here"], 2, "longitude,latitude"),
        (["nearest", "--point", "31.8,117.3"], 2, "longitude comes first"),
        (["nearest", "--point", "117,31", "-k", "0"], 2, "at least one"),
        (["cover", "--minutes", "-5"], 2, "above 0"),
        (["cover", "--minutes", "nan"], 2, "above 0"),
        (["cover", "--speed-kmh", "0"], 2, "cannot be used"),
        (["cover", "--category-field", "nonsense"], 3, "no field 'nonsense'"),
        (["isochrone", "--point", "117.9,38.0"], 3, "lies within 500 m of the point"),
        (["isochrone", "--point", "117,31", "--minutes", "0"], 2, "above 0"),
        (["site", "--category", " "], 2, "category is empty"),
        (["site", "--category", "school", "--new", "0"], 2, "at least one"),
    ],
)
def test_bad_input_gets_a_sentence_and_not_a_number(town, capsys, args, code, sentence):
    files = {
        "nearest": ["--network", "streets", "--responders", "responders"],
        "cover": ["--streets", "streets", "--buildings", "buildings", "--facilities", "facilities"],
        "isochrone": ["--streets", "streets"],
        "site": ["--streets", "streets", "--buildings", "buildings"],
    }[args[0]]
    paths = [str(town / f"{word}.gpkg") if not word.startswith("--") else word for word in files]
    got, told = answer(capsys, args[0], *paths, *args[1:])
    assert got == code
    assert sentence in told["error"]


def test_an_estate_is_entered_by_its_gates_only(town, capsys, tmp_path):
    def write(name, geometry, **columns):
        gpd.GeoDataFrame(columns, geometry=geometry, crs=4547).to_file(tmp_path / f"{name}.gpkg", layer=name)
        return tmp_path / f"{name}.gpkg"

    estates = write("estates", [shapely.box(E + 400, N - 50, E + 800, N + 50)], enclosed=[True])
    both = write("both", shapely.points([[E + 400, N], [E + 800, N]]), door=["west", "east"])
    west = write("west", shapely.points([[E + 400, N]]), door=["west"])
    question = ["nearest", "--network", town / "streets.gpkg", "--responders", town / "responders.gpkg", "-k", "1"]
    question += ["--point", lonlat(700, 0), "--estates", estates]
    code, told = answer(capsys, *question, "--gates", both)
    assert (code, told["candidates"][0]["id"]) == (0, "r1")
    assert any("1 enclosed estates and 2 gates: streets were cut at 0 places" in note for note in told["assumptions"])
    code, told = answer(capsys, *question, "--gates", west, "--skill", "medic", "--max-minutes", "60")
    assert (code, told["candidates"][0]["id"], told["candidates"][0]["method"]) == (0, "r1", "network")
    question[question.index("--point") + 1] = lonlat(900, 0)
    code, told = answer(capsys, *question, "--gates", west)
    assert (code, told["candidates"][0]["id"]) == (0, "r2")
    assert told["candidates"][0]["metres"] == pytest.approx(600, abs=1)
    code, told = answer(capsys, *question)
    assert code == 2
    assert "go together" in told["error"]


def test_a_facility_far_from_any_road_takes_no_part_and_is_told(town, capsys, tmp_path):
    far = gpd.GeoDataFrame({"category": ["school"]}, geometry=[shapely.Point(E + 1000, N + 4000)], crs=4547)
    far.to_file(tmp_path / "far.gpkg", layer="facilities")
    files = ["--streets", town / "streets.gpkg", "--buildings", town / "buildings.gpkg"]
    code, told = answer(capsys, "cover", *files, "--facilities", tmp_path / "far.gpkg")
    assert code == 0
    assert told["coverage"]["school"]["buildings"]["covered"] == 0
    assert told["coverage"]["school"]["unreachable_buildings"] == 5
    assert any("500 m" in problem for problem in told["problems"])
    code, told = answer(capsys, "isochrone", "--streets", town / "streets.gpkg", "--facilities", tmp_path / "far.gpkg")
    assert code == 3
    assert "No street lies near enough" in told["error"]


def test_no_streets_are_refused(town, capsys, tmp_path):
    empty = tmp_path / "none.osm"
    empty.write_text('<osm version="0.6"><node id="1" lon="117" lat="31" version="1"/></osm>')
    code, told = answer(capsys, "isochrone", "--osm", empty, "--point", "117,31")
    assert code == 3
    assert "holds no streets" in told["error"]
    code, told = answer(capsys, "isochrone", "--facilities", town / "facilities.gpkg")
    assert code == 2
    assert "either --osm or --streets" in told["error"]


def test_lines_are_no_buildings(town, capsys):
    streets = town / "streets.gpkg"
    code, told = answer(
        capsys, "cover", "--streets", streets, "--buildings", streets, "--facilities", town / "facilities.gpkg"
    )
    assert code == 3
    assert "'streets.gpkg' holds lines" in told["error"]
