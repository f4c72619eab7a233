"""A layer folder is read whole, or every problem in it is named with file and key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from onemap.catalog.read import read_catalog
from onemap.domain.layer import Catalog, DataClass
from onemap.errors import CatalogError

LAYERS = Path(__file__).resolve().parents[2] / "layers"

EXPECTED = {
    "areas", "grids", "management_points", "estates", "buildings", "cameras", "patrol_points", "facilities",
    "responders", "events", "roads", "water", "green", "department_grids",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the layer folders, to be spoilt."""
    return Path(shutil.copytree(LAYERS, tmp_path / "layers"))


def problems(folder: Path) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        read_catalog(folder)
    return caught.value.problems


def test_the_clone_holds_the_layers_that_others_rely_on(catalog: Catalog) -> None:
    assert {layer.name for layer in catalog} == EXPECTED


def test_numbers_of_households_and_persons_in_buildings_are_internal(catalog: Catalog) -> None:
    buildings = catalog.layer("buildings")
    assert buildings.data_class is DataClass.PUBLIC
    assert {buildings.class_of(name) for name in ("households", "persons")} == {DataClass.INTERNAL}


def test_cameras_staff_events_and_qr_points_are_not_public(catalog: Catalog) -> None:
    for name in ("cameras", "responders", "events", "patrol_points"):
        assert catalog.layer(name).data_class is not DataClass.PUBLIC
    assert catalog.layer("cameras").restricted_rows == {"camera_class": ("childcare",)}


def test_an_unknown_key_is_named_with_its_file(folder: Path) -> None:
    path = folder / "sensing/cameras/layer.toml"
    path.write_text(path.read_text("utf-8").replace("min_zoom =", "min_zom = 3\nmin_zoom ="), "utf-8")
    assert problems(folder) == ["sensing/cameras/layer.toml: min_zom is an unknown key."]


def test_every_problem_is_told_not_only_the_first(folder: Path) -> None:
    path = folder / "sensing/cameras/layer.toml"
    spoilt = (
        path.read_text("utf-8").replace('unit = "deg"', 'unit = "furlong"').replace('class = "internal"', 'class = "x"')
    )
    path.write_text(spoilt, "utf-8")
    found = problems(folder)
    assert any("class 'x' is not one of public, internal, restricted" in problem for problem in found)
    assert sum("unknown unit 'furlong'" in problem for problem in found) == 2


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("base/green/layer.toml", "title = [", "this is not TOML"),
        ("base/green/style.json", "{", "this is not JSON"),
        ("base/green/import.toml", '[columns]\nnosuch = ["x"]', "the layer has no field 'nosuch'"),
        ("base/green/import.toml", '[values.kind]\n"公园" = "parc"', "'parc' is not in codes/green_kind.csv"),
        ("codes/green_kind.csv", "value,zh,en\npark,,Park\n", "a code needs value, zh and en"),
    ],
)
def test_a_spoilt_file_is_named(folder: Path, file: str, text: str, sentence: str) -> None:
    (folder / file).write_text(text, "utf-8")
    assert any(problem.startswith(file) and sentence in problem for problem in problems(folder))


def test_a_folder_without_layer_toml_and_a_group_that_is_not_listed_are_named(folder: Path) -> None:
    (folder / "base/empty").mkdir()
    shutil.copytree(folder / "base/green", folder / "nature/green2")
    found = problems(folder)
    assert "base/empty: a layer folder needs a layer.toml." in found
    assert any(problem.startswith("nature:") for problem in found)


def test_a_layer_needs_one_key(folder: Path) -> None:
    path = folder / "base/green/layer.toml"
    path.write_text(path.read_text("utf-8").replace("unique = true, ", ""), "utf-8")
    assert any("exactly one unique field" in problem for problem in problems(folder))


def test_a_folder_that_is_no_catalogue_says_so(tmp_path: Path) -> None:
    assert "no groups.toml" in problems(tmp_path)[0]
