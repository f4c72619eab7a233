"""Every layer's sample is a dozen rows of the invented city with every field filled."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import shapely

from onemap.catalog.read import read_catalog
from onemap.demo.samples import geojson
from tests.demo.conftest import Invented

_LAYERS = Path(__file__).resolve().parents[2] / "layers"
_CATALOG = read_catalog(_LAYERS)


@pytest.mark.parametrize("layer", list(_CATALOG), ids=lambda layer: layer.name)
def test_a_sample_has_every_field_filled(layer, invented: Invented) -> None:  # type: ignore[no-untyped-def]
    document = orjson.loads((_LAYERS / layer.group / layer.name / "sample.geojson").read_bytes())
    assert 3 <= len(document["features"]) <= 12
    for feature in document["features"]:
        assert set(feature["properties"]) >= {field.name for field in layer.fields} | {"area_code"}
        empty = {name for name, value in feature["properties"].items() if value is None}
        assert empty == ({"closed_at"} if feature["properties"].get("is_open") else set())
        assert feature["geometry"]["type"] == layer.geometry.value
        assert shapely.from_geojson(orjson.dumps(feature["geometry"])).is_valid
    assert orjson.loads(geojson(layer, invented.tables[layer.name]))["name"] == layer.name
