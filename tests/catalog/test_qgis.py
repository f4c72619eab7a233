"""The QGIS project: our layers from our feed, in our palette, with Chinese names; QGIS itself opens it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from onemap.catalog.qgis import build_project, project_xml
from onemap.catalog.qgis_renderer import expression
from onemap.catalog.style import StyleBook, read_style_book
from onemap.cli.main import run
from onemap.domain.layer import Catalog

ROOT = Path(__file__).resolve().parents[2]
SERVER = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def book() -> StyleBook:
    return read_style_book(ROOT / "tiles")


@pytest.fixture(scope="module")
def project(catalog: Catalog, book: StyleBook) -> ET.Element:
    text = project_xml(catalog.groups, catalog, book, server=SERVER, theme="light", language="zh")
    return ET.fromstring(text)  # noqa: S314  our own


def test_every_layer_comes_from_our_feed_under_its_chinese_name(project: ET.Element, catalog: Catalog) -> None:
    held = {layer.findtext("layername"): layer for layer in project.iter("maplayer")}
    assert set(held) == {layer.title.zh for layer in catalog}
    for layer in catalog:
        source = held[layer.title.zh].findtext("datasource") or ""
        assert f"typename='{layer.name}'" in source
        assert f"url='{SERVER}/ogc'" in source


def test_layers_stand_in_the_groups_of_the_tree(project: ET.Element, catalog: Catalog) -> None:
    groups = {
        group.get("name"): [entry.get("name") for entry in group.findall("layer-tree-layer")]
        for group in project.findall("layer-tree-group/layer-tree-group")
    }
    assert groups == {
        group.title.zh: [layer.title.zh for layer in catalog if layer.group == group.name] for group in catalog.groups
    }


def test_every_layer_is_drawn_and_every_symbol_is_referred_to(project: ET.Element) -> None:
    for layer in project.iter("maplayer"):
        drawn = layer.find("renderer-v2")
        assert drawn is not None
        symbols = {symbol.get("name") for symbol in drawn.findall("symbols/symbol")}
        users = {part.get("symbol") for part in [*drawn.iter("rule"), *drawn.iter("category")]} or {"0"}
        assert symbols == users
        kind = {"Point": "marker", "Line": "line", "Polygon": "fill"}[layer.get("geometry", "")]
        assert {symbol.get("type") for symbol in drawn.findall("symbols/symbol")} == {kind}


def test_colours_are_those_of_the_palette(project: ET.Element, book: StyleBook) -> None:
    water = next(layer for layer in project.iter("maplayer") if layer.findtext("layername") == "水系")
    colours = {option.get("value") for option in water.iter("Option") if option.get("name") == "color"}
    hexed = book.palettes["light"].value("water")
    assert ",".join(str(int(hexed[at : at + 2], 16)) for at in (1, 3, 5)) + ",255" in colours


@pytest.mark.parametrize(
    ("filter_", "written"),
    [
        (["==", ["get", "kind"], "park"], "\"kind\" IS 'park'"),
        (["in", ["get", "level"], ["literal", ["city", "district"]]], "\"level\" IN ('city', 'district')"),
        (["all", ["has", "name"], ["!", ["==", ["get", "n"], 3]]], '("name" IS NOT NULL) AND (NOT ("n" IS 3))'),
        (["any", ["!=", ["get", "tunnel"], True], [">=", ["zoom"], 9]], '("tunnel" IS NOT TRUE) OR (TRUE)'),
        (["==", ["get", "name"], "O'Neill"], "\"name\" IS 'O''Neill'"),
        (["<", ["coalesce", ["get", "floors"], 3], 6], 'coalesce("floors", 3) < 6'),
    ],
)
def test_our_filters_are_qgis_expressions(filter_: list[object], written: str) -> None:
    assert expression(filter_) == written


def test_the_command_writes_a_project_and_says_what_is_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "onemap.qgz"
    assert run(["qgis-project", "--public", "--url", "http://map.example/", "-o", str(file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["server"] == "http://map.example"
    assert "buildings" in said["layers"]
    assert "events" not in said["layers"]
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["onemap.qgs"]
        ET.fromstring(archive.read("onemap.qgs"))  # noqa: S314  our own


def test_a_binary_project_is_not_mixed_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["qgis-project", "--json"]) == 2
    assert "--output" in capsys.readouterr().err


def test_the_same_layers_give_the_same_file(catalog: Catalog, book: StyleBook) -> None:
    first, second = (
        build_project(catalog.groups, catalog, book, server=SERVER, theme="dark", language="en") for _ in range(2)
    )
    assert first == second
    assert zipfile.ZipFile(io.BytesIO(first)).testzip() is None


def test_qgis_opens_the_project(catalog: Catalog, book: StyleBook, tmp_path: Path) -> None:
    python = shutil.which("python3", path="/usr/bin")
    if (
        python is None
        or subprocess.run([python, "-c", "import qgis.core"], capture_output=True, check=False).returncode != 0
    ):
        pytest.skip("python3-qgis is not installed here; Debian has it")
    file = tmp_path / "onemap.qgz"
    file.write_bytes(build_project(catalog.groups, catalog, book, server=SERVER, theme="light", language="zh"))
    script = """
import json, os, sys
from qgis.core import QgsApplication, QgsProject
QgsApplication.setPrefixPath("/usr", True)
app = QgsApplication([], False)
app.initQgis()
project = QgsProject.instance()
read = project.read(sys.argv[1])
names = [node.name() for node in project.layerTreeRoot().findLayers()]
print(json.dumps({"read": read, "crs": project.crs().isValid(), "names": names, "title": project.title()}), flush=True)
os._exit(0)
"""
    quiet = {"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    ran = subprocess.run(
        [python, "-c", script, str(file)],
        capture_output=True, text=True, check=True, timeout=120, env={**quiet, "XDG_RUNTIME_DIR": os.fspath(tmp_path)},
    )  # fmt: skip
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["read"]
    assert told["crs"]
    assert told["title"] == "一张图"
    assert sorted(told["names"]) == sorted(layer.title.zh for layer in catalog)
