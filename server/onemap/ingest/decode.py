"""What the child process does: reads a file or an extract, settles its geometries, leaves arrow files for the parent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import shapely

from onemap.domain.layer import GeometryType
from onemap.ingest.crs import STORAGE, SourceCrs, agreed, parse_crs
from onemap.ingest.geometry import Settled, max_vertices, settle
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.osm import extract
from onemap.ingest.read import Ask, read
from onemap.ingest.source import Kind

Tell = Callable[[float, float], None]

#: Columns that the child adds; no attribute may have these names.
WKB, PROBLEM, REPAIRED, LON, LAT, SOURCE_WKT = "__wkb", "__problem", "__repaired", "__lon", "__lat", "__source_wkt"
ADDED = frozenset({WKB, PROBLEM, REPAIRED, LON, LAT, SOURCE_WKT})

_OSM_GEOMETRY = {"roads": GeometryType.LINE, "facilities": GeometryType.POINT}


def decode(job: dict[str, Any], folder: Path, tell: Tell) -> dict[str, Any]:
    """Do one job; the answer names the arrow files and says what was found."""
    return _decode_osm(job, folder, tell) if job["kind"] == Kind.OSM else _decode_file(job, folder)


def _decode_file(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    limit = max_vertices(job["target"])
    ask = Ask(
        kind=Kind(job["kind"]), file=Path(job["file"]), name=job["name"], layer=job["layer"], prefer=job["target"],
        encoding=job["encoding"], max_vertices=limit, places=job["places"],
    )  # fmt: skip
    raw = read(ask)
    crs = agreed(raw.crs, job["crs"], job["name"], by_rule=raw.crs_by_rule)
    found = settle(raw.found, GeometryType(job["geometry"]), crs, limit)
    columns = {name: values for name, values in raw.columns.items() if name not in ADDED}
    file = _write(folder / "rows.arrow", columns, found, keep_source=job["keep_source"])
    return {
        "files": {job["target"]: str(file)},
        "crs": crs.name,
        "crs_from": "file" if raw.crs is not None and not (raw.crs_by_rule and job["crs"]) else "--crs",
        "encoding": raw.encoding,
        "notes": raw.notes + _crs_notes(crs),
    }


def _decode_osm(job: dict[str, Any], folder: Path, tell: Tell) -> dict[str, Any]:
    found = extract(Path(job["file"]), job["bbox"], read_network_rules(Path(job["rules"])), lambda n: tell(n, 0))
    files = {}
    for layer, frame in found.frames.items():
        settled = _settled_frame(layer, frame)
        columns = {
            name: pa.array(frame[name], from_pandas=True) for name in frame.columns if name != frame.geometry.name
        }
        columns.pop("osm_id")
        files[layer] = str(_write(folder / f"{layer}.arrow", columns, settled, keep_source=False))
    return {
        "files": files,
        "rejected": found.rejected,
        "incomplete": found.incomplete,
        "crs": "EPSG:4490",
        "shortened": found.shortened,
        "notes": [],
    }


def _settled_frame(layer: str, frame: gpd.GeoDataFrame) -> Settled:
    shapes = np.array(frame.geometry.to_numpy(), dtype=object)
    geometry = _OSM_GEOMETRY.get(layer, GeometryType.MULTI_POLYGON)
    found = Settled(shapes, shapes, {}, np.zeros(len(shapes), bool))
    return settle(found, geometry, parse_crs("wgs84"), max_vertices(layer))


def _crs_notes(crs: SourceCrs) -> list[str]:
    if not crs.doubtful_shift:
        return []
    return [f"No public shift from {crs.name} to CGCS2000 is known; positions may be wrong by up to 100 m."]


def _write(file: Path, columns: dict[str, pa.Array], found: Settled, *, keep_source: bool) -> Path:
    n = len(found.shapes)
    problems = [found.problem.get(row) for row in range(n)]
    added = {
        WKB: pa.array(shapely.to_wkb(shapely.set_srid(found.shapes, STORAGE), include_srid=True), pa.large_binary()),
        PROBLEM: pa.array(problems, pa.string()),
        REPAIRED: pa.array(found.repaired),
        LON: pa.array(found.lon, from_pandas=True),
        LAT: pa.array(found.lat, from_pandas=True),
    }
    if keep_source:
        added[SOURCE_WKT] = pa.array(shapely.to_wkt(found.source, rounding_precision=-1), pa.large_string())
    table = pa.table(columns | added)
    with pa.OSFile(str(file), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return file
