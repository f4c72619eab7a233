"""A layer is tested by existing: every folder goes through import, feed, tile and style with its own sample."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from starlette.testclient import TestClient

from onemap.app import create_app
from onemap.catalog.read import read_catalog
from onemap.cli.main import run
from onemap.domain.layer import Catalog
from onemap.settings import Settings

LAYERS = Path(__file__).resolve().parents[2] / "layers"
NAMES = [layer.name for layer in read_catalog(LAYERS)]

HYDRANTS = """
title = { zh = "消火栓", en = "Hydrants" }
geometry = "Point"
class = "public"
min_zoom = 13

[fields]
hydrant_id = { type = "text", title = { zh = "编号", en = "Id" }, unique = true, required = true, search = true }
pressure_kpa = { type = "number", title = { zh = "水压", en = "Pressure" }, minimum = 0 }

[tile]
fields = ["hydrant_id", "pressure_kpa"]
"""

type Onemap = Callable[..., dict[str, Any]]


@pytest.fixture
def onemap(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Onemap:
    """``onemap("import", …)`` runs a verb on the test's database and gives its JSON."""
    monkeypatch.setenv("ONEMAP_DATABASE_URL", database)
    monkeypatch.setenv("ONEMAP_DEMO", "none")

    def verb(*args: str) -> dict[str, Any]:
        capsys.readouterr()
        code = run([*args, "--json"])
        out, err = capsys.readouterr()
        assert code == 0, f"{args} ended with {code}: {out}{err}"
        answer: dict[str, Any] = json.loads(out)
        return answer

    return verb


@pytest.fixture
def client(database: str, request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """The app as a reader at this machine asks it."""
    layers = getattr(request, "param", None)
    environment = {
        "ONEMAP_DATABASE_URL": database,
        "ONEMAP_DEMO": "none",
        **({"ONEMAP_LAYERS": layers} if layers else {}),
    }
    with client_of(database, environment) as app:
        yield app


def client_of(database: str, environment: dict[str, str]) -> TestClient:
    app = create_app(Settings.from_env(environment), database)
    return TestClient(app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000))


def sample(name: str) -> tuple[Path, dict[str, Any]]:
    path = next(LAYERS.glob(f"*/{name}/sample.geojson"))
    return path, json.loads(path.read_text("utf-8"))


def tile_of(client: TestClient, name: str, lon: float, lat: float, zoom: int) -> dict[str, Any]:
    n = 1 << zoom
    x = int((lon + 180) / 360 * n)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)
    answer = client.get(f"/tiles/{name}/{zoom}/{x}/{y}.mvt")
    assert answer.status_code in (200, 204)
    decoded: dict[str, Any] = mapbox_vector_tile.decode(answer.content) if answer.content else {}
    return decoded


@pytest.mark.parametrize("name", NAMES)
def test_a_layers_sample_arrives_everywhere(name: str, onemap: Onemap, client: TestClient, catalog: Catalog) -> None:
    path, features = sample(name)
    n = len(features["features"])
    counts = onemap("import", name, str(path))["layers"][name]
    assert (counts["read"], counts["written"], counts["rejected"]) == (n, n, 0)

    items = client.get(f"/ogc/collections/{name}/items", params={"f": "json", "limit": 100}).json()
    assert 0 < items["numberMatched"] <= n
    assert "area_code" in items["features"][0]["properties"]

    only = catalog.layer(name).tiling.only
    drawn = next(
        one for one in items["features"] if all(one["properties"][key] == value for key, value in only.items())
    )
    card = client.get(f"/api/features/{name}/{drawn['id']}").json()
    lon, lat = card["point"]
    found = tile_of(client, name, lon, lat, 16)
    assert name in found
    assert found[name]["features"]

    style = client.get("/tiles/style/light.json").json()
    assert any(part.get("metadata", {}).get("onemap:layer") == name for part in style["layers"])


def test_imported_events_are_in_the_heat_map(onemap: Onemap, client: TestClient) -> None:
    path, features = sample("events")
    onemap("import", "events", str(path))
    cells = client.get("/api/events/heat", params={"resolution": 4}).json()["cells"]
    assert sum(cell["n"] or 0 for cell in cells) == len(features["features"])


@pytest.mark.parametrize("name", NAMES)
def test_importing_the_same_again_changes_nothing(name: str, onemap: Onemap) -> None:
    path, _ = sample(name)
    onemap("import", name, str(path))
    again = onemap("import", name, str(path))["layers"][name]
    assert (again["written"], again["updated"], again["rejected"]) == (0, 0, 0)


def test_a_new_folder_is_a_new_layer_with_no_python_written(
    onemap: Onemap, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = Path(shutil.copytree(LAYERS, tmp_path / "layers"))
    (layers / "points/hydrants").mkdir()
    (layers / "points/hydrants/layer.toml").write_text(HYDRANTS, "utf-8")
    monkeypatch.setenv("ONEMAP_LAYERS", str(layers))
    assert onemap("layers", "check")["n_layers"] == len(NAMES) + 1

    source = tmp_path / "hydrants.csv"
    source.write_text("hydrant_id,pressure_kpa,lon,lat\nH1,350,117.3,31.7\nH2,,117.301,31.701\n", "utf-8")
    counts = onemap("import", "hydrants", str(source), "--crs", "wgs84")["layers"]["hydrants"]
    assert counts["written"] == 2

    environment = {"ONEMAP_DATABASE_URL": database, "ONEMAP_DEMO": "none", "ONEMAP_LAYERS": str(layers)}
    with client_of(database, environment) as client:
        catalog = client.get("/api/catalog").json()
        assert next(one for one in catalog["layers"] if one["name"] == "hydrants")["n_features"] == 2
        collections = client.get("/ogc/collections?f=json").json()["collections"]
        assert "hydrants" in {collection["id"] for collection in collections}
        found = client.get("/ogc/collections/hydrants/items?f=json&pressure_kpa=350").json()
        assert [feature["properties"]["hydrant_id"] for feature in found["features"]] == ["H1"]
        assert client.get("/tiles/hydrants.json").json()["vector_layers"][0]["id"] == "hydrants"
        assert len(tile_of(client, "hydrants", 117.3, 31.7, 13)["hydrants"]["features"]) == 2
        style = client.get("/tiles/style/dark.json").json()
        assert any(part.get("source") == "hydrants" for part in style["layers"])
        assert client.get("/api/counts?bbox=117.29,31.69,117.31,31.71").json()["counts"]["hydrants"]["n"] == 2

    exported = tmp_path / "out.geojson"
    onemap("export", "hydrants", "--format", "geojson", "-o", str(exported))
    assert len(json.loads(exported.read_text("utf-8"))["features"]) == 2
