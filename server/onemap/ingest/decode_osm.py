"""What the child process does with an OpenStreetMap extract: read it, settle the geometries of each layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa

from onemap.domain.layer import GeometryType
from onemap.ingest.crs import parse_crs
from onemap.ingest.geometry import Settled, max_vertices, settle
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.osm import extract
from onemap.ingest.rows import write_rows

_GEOMETRY = {"roads": GeometryType.LINE, "facilities": GeometryType.POINT}


def decode_osm(job: dict[str, Any], folder: Path, tell: Callable[[float, float], None]) -> dict[str, Any]:
    """Do one job; the answer names an arrow file for each layer and what had to be left out."""
    rules = read_network_rules(Path(job["rules"]))
    found = extract(Path(job["file"]), job["bbox"], rules, lambda n: tell(n, 0), job["name"])
    files = {layer: _write(layer, frame, folder) for layer, frame in found.frames.items()}
    return {
        "files": files,
        "rejected": found.rejected,
        "incomplete": found.incomplete,
        "shortened": found.shortened,
        "crs": "EPSG:4490",
        "notes": [],
    }


def _write(layer: str, frame: gpd.GeoDataFrame, folder: Path) -> str:
    shapes = np.array(frame.geometry.to_numpy(), dtype=object)
    geometry = _GEOMETRY.get(layer, GeometryType.MULTI_POLYGON)
    found = Settled(shapes, shapes, {}, np.zeros(len(shapes), bool))
    settle(found, geometry, parse_crs("wgs84"), max_vertices(layer))
    names = [name for name in frame.columns if name not in ("osm_id", frame.geometry.name)]
    return write_rows(folder / f"{layer}.arrow", {n: pa.array(frame[n], from_pandas=True) for n in names}, found)
