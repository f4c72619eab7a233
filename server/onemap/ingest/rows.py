"""The arrow files that the child process hands to the importer: attributes, geometry, and what is wrong with a row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import shapely

from onemap.ingest.crs import STORAGE
from onemap.ingest.geometry import Settled

#: Columns beside the attributes; no attribute may have these names.
WKB, PROBLEM, REPAIRED, LON, LAT, SOURCE_WKT = "__wkb", "__problem", "__repaired", "__lon", "__lat", "__source_wkt"
ADDED = frozenset({WKB, PROBLEM, REPAIRED, LON, LAT, SOURCE_WKT})


def write_rows(file: Path, columns: Mapping[str, pa.Array], found: Settled, *, keep_source: bool = False) -> str:
    """Write attributes and settled geometries; the file's path."""
    added = {
        WKB: pa.array(shapely.to_wkb(shapely.set_srid(found.shapes, STORAGE), include_srid=True), pa.large_binary()),
        PROBLEM: pa.array([found.problem.get(row) for row in range(len(found.shapes))], pa.string()),
        REPAIRED: pa.array(found.repaired),
        LON: pa.array(found.lon, from_pandas=True),
        LAT: pa.array(found.lat, from_pandas=True),
    }
    if keep_source:
        added[SOURCE_WKT] = pa.array(shapely.to_wkt(found.source, rounding_precision=-1), pa.large_string())
    table = pa.table({name: values for name, values in columns.items() if name not in ADDED} | added)
    with pa.OSFile(str(file), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return str(file)


def read_rows(file: str) -> pa.Table:
    """The table that :func:`write_rows` wrote."""
    with pa.OSFile(file, "rb") as opened:
        return pyarrow.ipc.open_file(opened).read_all()


def attributes(table: pa.Table) -> list[str]:
    """The names of the attributes."""
    return [name for name in table.column_names if name not in ADDED]
