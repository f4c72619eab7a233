"""``onemap partition`` on what nobody hopes to be given: a result or a clear sentence, and nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.affinity

from onemap.cli.main import run
from tests.engine.partition.towns import CRS, X0, Y0, town, two_banks

type Frames = dict[str, gpd.GeoDataFrame]
MADE = town(1, blocks=(2, 2))
BAND = ["--target", "160", "--min", "120", "--max", "200"]


def given(**changed: gpd.GeoDataFrame) -> Frames:
    return {"buildings": MADE.buildings, "streets": MADE.streets, "boundary": MADE.boundary} | changed


def only(*names: str) -> Frames:
    return {name: given()[name] for name in names}


def placed(frame: gpd.GeoDataFrame, shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))


def ring_of_100_000() -> gpd.GeoDataFrame:
    angle = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    radius = 160 + 3 * np.sin(80 * angle)
    ring = np.stack([X0 + 90 + radius * np.cos(angle), Y0 + 90 + radius * np.sin(angle)], axis=1)
    return gpd.GeoDataFrame(geometry=[shapely.Polygon(ring)], crs=CRS)


def with_island() -> Frames:
    island = shapely.box(X0 + 1000, Y0, X0 + 1100, Y0 + 100)
    shapes = list(MADE.buildings.geometry)
    shapes[0] = shapely.box(X0 + 1030, Y0 + 30, X0 + 1050, Y0 + 50)
    boundary = gpd.GeoDataFrame(geometry=[shapely.union(MADE.outline, island)], crs=CRS)
    return given(buildings=placed(MADE.buildings, shapes), boundary=boundary)


def overlapping() -> gpd.GeoDataFrame:
    shapes = list(MADE.buildings.geometry)
    shapes[1] = shapely.affinity.translate(shapes[0], 1.0, 1.0)
    return placed(MADE.buildings, shapes)


def one_house() -> Frames:
    return {"buildings": MADE.buildings.iloc[:1].assign(households=150)}


def one_block() -> Frames:
    far = gpd.GeoDataFrame(
        {"kind": ["minor"]}, geometry=[shapely.LineString([(X0, Y0 - 500), (X0 + 9, Y0 - 500)])], crs=CRS
    )
    return given(streets=far)


def in_degrees() -> Frames:
    return {name: frame.to_crs("EPSG:4326") for name, frame in given().items()}


def small_boundary() -> Frames:
    return given(boundary=gpd.GeoDataFrame(geometry=[shapely.box(X0, Y0, X0 + 90, Y0 + 180)], crs=CRS))


def unknown_outside() -> Frames:
    made = small_boundary()
    inside = MADE.buildings.intersects(made["boundary"].geometry.iloc[0])
    return made | {"buildings": MADE.buildings.assign(households=MADE.buildings["households"].where(inside))}


def write(frames: Frames, folder: Path) -> list[str]:
    words = ["partition", "--no-cache", "--households-field", "households", *BAND]
    for name, frame in frames.items():
        frame.to_file(folder / f"{name}.gpkg", layer=name, driver="GPKG")
        words += [f"--{name}", str(folder / f"{name}.gpkg")]
    return words


@pytest.mark.parametrize(
    "frames",
    [
        one_house, one_block, in_degrees, small_boundary, unknown_outside, with_island,
        lambda: only("buildings", "boundary"),
        lambda: given(buildings=MADE.buildings.assign(households=0)),
        lambda: given(buildings=overlapping()),
        lambda: given(boundary=ring_of_100_000()),
    ],
    ids=[
        "one building", "all in one block", "degrees", "boundary covers some only", "unknown outside", "island", "no streets",
        "zero households", "overlapping", "100,000 vertices",
    ],
)  # fmt: skip
def test_odd_towns_get_a_plan_that_tiles(
    frames: Callable[[], Frames], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = frames()
    out = tmp_path / "plan.gpkg"
    assert run([*write(made, tmp_path), "--out", str(out), "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    grids, buildings = (gpd.read_file(out, layer=layer) for layer in ("grids", "buildings"))
    shapes = grids.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert said["n_discontiguous"] == 0
    assert said["n_grids"] == len(grids)
    assert {miss["grid"] for miss in said["misses"]} == set(grids.loc[~grids["in_band"], "grid"])
    assert all(list(miss) == ["grid", "households", "why"] and miss["why"] for miss in said["misses"])
    assert len(buildings) == len(made["buildings"])
    assert said["households"] == buildings.loc[buildings["grid"].notna(), "households"].sum()
    if "boundary" in made:
        outline = made["boundary"].geometry.iloc[0]
        assert abs(shapely.area(shapes).sum() - outline.area) < 1e-6 * outline.area


@pytest.mark.parametrize(
    ("frames", "more", "code", "sentence"),
    [
        (lambda: given(buildings=MADE.buildings.iloc[:0]), [], 3, "buildings"),
        (lambda: given(buildings=MADE.buildings.drop(columns="households")), [], 3, "no column 'households'"),
        (lambda: given(buildings=MADE.buildings.assign(households=-3)), [], 3, "negative in"),
        (lambda: given(buildings=MADE.buildings.assign(households=np.nan)), [], 3, "write 0 where nobody lives"),
        (given, ["--min", "170"], 2, "minimum <= target <= maximum"),
        (given, ["--target", "nan"], 2, "minimum <= target <= maximum"),
        (given, ["--max", "inf"], 2, "minimum <= target <= maximum"),
    ],
    ids=["empty file", "missing field", "negative", "NaN", "min above target", "NaN target", "endless maximum"],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    frames: Callable[[], Frames],
    more: list[str],
    code: int,
    sentence: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "plan.gpkg"
    assert run([*write(frames(), tmp_path), *more, "--out", str(out)]) == code
    spoken = capfd.readouterr()
    assert sentence in spoken.err
    assert "Traceback" not in spoken.err
    assert not list(tmp_path.glob("*plan*"))


def test_present_grids_may_have_another_crs_and_unknown_locks_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words, out = write(given(), tmp_path), tmp_path / "plan.gpkg"
    assert run([*words, "--out", str(out)]) == 0
    elsewhere = tmp_path / "degrees.gpkg"
    gpd.read_file(out, layer="grids").to_crs("EPSG:4326").to_file(elsewhere, layer="grids", driver="GPKG")
    capfd.readouterr()
    assert run([*words, "--keep", str(elsewhere), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["moved"]["buildings"] == 0
    assert run([*words, "--keep", str(elsewhere), "--lock", "X9", "--json"]) == 3
    assert "no grid 'X9' that could be locked" in json.loads(capfd.readouterr().out)["error"]


def test_never_cross_keeps_the_banks_of_a_river_without_a_bridge_apart(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made, river = two_banks(200, 0, bridge=False)  # nobody lives on the east bank, which would join the west otherwise
    frames = {"buildings": made.buildings, "streets": made.streets, "boundary": made.boundary, "water": river}
    words, out = write(frames, tmp_path), tmp_path / "plan.gpkg"
    n_banks = {}
    for flags in ([], ["--never-cross"]):
        assert run([*words, *flags, "--out", str(out)]) == 0
        houses = gpd.read_file(out, layer="buildings")
        east = houses.geometry.centroid.x > X0 + 135
        n_banks[bool(flags)] = houses.assign(east=east).groupby("grid")["east"].nunique().max()
    assert n_banks == {False: 2, True: 1}
    assert run([*words, "--never-cross", "--join-islands"]) == 2
    assert "exclude each other" in capfd.readouterr().err
