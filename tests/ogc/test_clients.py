"""Programs that read the feed: GDAL, OWSLib, QGIS. Each is skipped, with its reason, where it is not installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from owslib.ogcapi.features import Features

from onemap.domain.layer import Catalog

from .conftest import READERS, N


@pytest.fixture
def public_layers(catalog: Catalog) -> dict[str, str]:
    return {layer.name: layer.title.zh for layer in catalog if READERS["public"].sees(layer)}


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ogrinfo_reads_every_public_layer(served: str, public_layers: dict[str, str]):
    if shutil.which("ogrinfo") is None:
        pytest.skip("ogrinfo is not installed here (Debian gdal-bin)")
    listed = run("ogrinfo", f"OAPIF:{served}")
    for name, title in public_layers.items():
        assert f"{name} (title: {title})" in listed
        summary = run("ogrinfo", "-so", f"OAPIF:{served}", name)
        assert f"Feature Count: {N}" in summary
        # GDAL before 3.8 reads CRS84, later ones ask for the storage CRS, EPSG:4490
        assert "WGS 84" in summary or 'ID["EPSG",4490]' in summary
    text = run("ogrinfo", "-al", f"OAPIF:{served}", "buildings")
    assert "name (String) = 名称2" in text
    assert "MULTIPOLYGON (((117.302 31.7" in text


def test_gdal_follows_next_links_and_filters(served: str, tmp_path: Path):
    if shutil.which("ogr2ogr") is None:
        pytest.skip("ogr2ogr is not installed here (Debian gdal-bin)")
    target = tmp_path / "found.geojson"
    run("ogr2ogr", "-f", "GeoJSON", str(target), f"OAPIF:{served}", "buildings", "-oo", "PAGE_SIZE=7")
    assert len(json.loads(target.read_text("utf-8"))["features"]) == N
    target.unlink()
    box = ("-spat", "117.3005", "31.69", "117.3025", "31.71")
    run("ogr2ogr", "-f", "GeoJSON", str(target), f"OAPIF:{served}", "buildings", *box)
    assert [f["properties"]["floors"] for f in json.loads(target.read_text("utf-8"))["features"]] == [1, 2]
    target.unlink()
    run("ogr2ogr", "-f", "GeoJSON", str(target), f"OAPIF:{served}", "buildings", "-where", "floors > 20")
    assert [f["properties"]["floors"] for f in json.loads(target.read_text("utf-8"))["features"]] == [20 + 1, 22, 23]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_owslib_reads_every_public_layer(served: str, public_layers: dict[str, str]):
    feed = Features(served)
    assert set(feed.feature_collections()) == set(public_layers)
    for name in public_layers:
        assert feed.collection(name)["id"] == name
        assert "geometry" in feed.collection_queryables(name)["properties"]
        page = feed.collection_items(name, limit=5)
        assert (page["numberMatched"], page["numberReturned"]) == (N, 5)
        first = page["features"][0]
        assert feed.collection_item(name, str(first["id"]))["properties"] == first["properties"]
    assert feed.collection_items("buildings", filter="floors > 20")["numberMatched"] == 3
    assert feed.collection_items("buildings", bbox=[117.3005, 31.69, 117.3025, 31.71])["numberMatched"] == 2


QGIS = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from qgis.core import QgsApplication, QgsFeatureRequest, QgsVectorLayer
app = QgsApplication([], False)
app.initQgis()
base = sys.argv[1]
layer = QgsVectorLayer(f"url='{base}' typename='buildings'", "buildings", "OAPIF")
assert layer.isValid(), layer.error().message()
names = sorted(f["name"] or "" for f in layer.getFeatures())
some = [f for f in layer.getFeatures(QgsFeatureRequest().setFilterExpression('"floors" > 20'))]
print(len(names), len(some), flush=True)
os._exit(0)  # QGIS crashes on its way out under some window systems
"""


def test_qgis_reads_the_feed(served: str, tmp_path: Path):
    python = next((p for p in ("/usr/bin/python3",) if Path(p).exists()), sys.executable)
    found = subprocess.run([python, "-c", "import qgis.core"], capture_output=True, timeout=60, check=False)
    if found.returncode != 0:
        pytest.skip("QGIS is not installed here (Debian python3-qgis)")
    script = tmp_path / "read.py"
    script.write_text(QGIS, "utf-8")
    assert run(python, str(script), served).split() == [str(N), "3"]
