"""Reads one file into attributes and geometries, row by row as they stand; runs in the limited child process.

Vector formats go through GDAL with the driver checked, GeoParquet through Arrow, CSV and Excel through readers of ours.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyogrio.raw
from pyproj import CRS
from pyproj.exceptions import CRSError

from onemap.errors import InputRefused
from onemap.ingest import dbf
from onemap.ingest.geometry import Settled, from_wkb
from onemap.ingest.place import geometry_of
from onemap.ingest.sheet import read_csv, read_xlsx
from onemap.ingest.source import MAX_UNPACKED, Kind
from onemap.ingest.text import encoding_of

_DRIVERS = {
    Kind.GPKG: frozenset({"GPKG"}),
    Kind.GEOJSON: frozenset({"GeoJSON", "GeoJSONSeq"}),
    Kind.SHP: frozenset({"ESRI Shapefile"}),
    Kind.FGB: frozenset({"FlatGeobuf"}),
}

_GDAL_ERRORS = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FieldError,
    OSError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Ask:
    """What to read of a file, and how."""

    kind: Kind
    file: Path
    name: str
    layer: str | None
    prefer: str
    encoding: str | None
    max_vertices: int
    places: dict[str, str]


@dataclass(slots=True)
class Raw:
    """A file as it stands.

    Attributes
    ----------
    columns
        Attributes, one Arrow array each.
    found
        Geometries, in the file's coordinates.
    crs
        The system that the file carries; ``None`` where it carries none.
    crs_by_rule
        Whether ``crs`` is only what the format lays down for files that do not say (GeoJSON, GeoParquet).
    """

    columns: dict[str, pa.Array]
    found: Settled
    crs: CRS | None
    crs_by_rule: bool = False
    encoding: str | None = None
    notes: list[str] = field(default_factory=list)


def read(ask: Ask) -> Raw:
    """The file's rows; ``InputRefused`` where it cannot be read as what it is."""
    match ask.kind:
        case Kind.CSV | Kind.XLSX:
            return _read_sheet(ask)
        case Kind.PARQUET:
            return _read_parquet(ask)
        case Kind.SHP:
            return _read_shapefile(ask)
        case _:
            return _read_vector(ask)


def _read_vector(ask: Ask) -> Raw:
    _check_whole(ask)
    layer = _chosen_layer(ask)
    meta, table = _through_gdal(ask, ask.file, layer)
    raw = _raw(ask, meta, table)
    if ask.kind is Kind.GEOJSON and not _names_crs(ask.file):
        raw.crs, raw.crs_by_rule = CRS.from_epsg(4326), True
    return raw


def _read_shapefile(ask: Ask) -> Raw:
    """GDAL hands the attributes over byte by byte (Latin-1); what they mean is decided here."""
    dbf.check_whole(ask.file, ask.name)
    choice = dbf.encoding_of(ask.file, ask.encoding, ask.name)
    meta, table = _through_gdal(ask, ask.file, None, encoding="ISO-8859-1")
    raw = _raw(ask, meta, table)
    raw.columns = {
        dbf.decode(name, choice.encoding): dbf.decoded(values, choice.encoding) for name, values in raw.columns.items()
    }
    raw.encoding, raw.notes = choice.encoding, choice.notes
    return raw


def _through_gdal(
    ask: Ask, file: Path, layer: str | None, encoding: str | None = None
) -> tuple[dict[str, Any], pa.Table]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # open rings and the like: each row is looked at below
            info = pyogrio.read_info(file, layer=layer, encoding=encoding)
            if info["driver"] not in _DRIVERS[ask.kind]:
                raise InputRefused(f"'{ask.name}' opens as {info['driver']}, not as {ask.kind.value}.")
            meta, table = pyogrio.raw.read_arrow(file, layer=layer, encoding=encoding, datetime_as_string=True)
    except (*_GDAL_ERRORS, pa.ArrowException) as wrong:
        raise _unreadable(ask, wrong) from wrong
    if ask.kind is Kind.FGB and table.num_rows < info["features"]:
        raise InputRefused(f"'{ask.name}' is cut off: it has {table.num_rows:,} of {info['features']:,} features.")
    return meta, table


def _raw(ask: Ask, meta: dict[str, Any], table: pa.Table) -> Raw:
    name = meta["geometry_name"] or "wkb_geometry"
    if name not in table.column_names:
        raise InputRefused(f"'{ask.name}' holds a table without geometry.")
    wkb = table.column(name).to_pylist()
    columns = {
        column: _plain_array(table.column(column))
        for column in table.column_names
        if column not in (name, meta["fid_column"])
    }
    return Raw(columns, from_wkb(wkb, ask.max_vertices), _crs(meta["crs"]), notes=[])


def _plain_array(values: pa.ChunkedArray) -> pa.Array:
    """One array of a kind that a cell of a table can be: what is nested becomes text."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_nested(array.type) or pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        texts = [
            None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in array.to_pylist()
        ]
        return pa.array(texts, pa.string())
    if pa.types.is_decimal(array.type) or pa.types.is_float16(array.type):
        return array.cast(pa.float64())
    return array


def _chosen_layer(ask: Ask) -> str | None:
    try:
        listed = pyogrio.list_layers(ask.file)
    except _GDAL_ERRORS as wrong:
        raise _unreadable(ask, wrong) from wrong
    names = [str(name) for name, geometry in listed if geometry is not None]
    if not names:
        raise InputRefused(f"'{ask.name}' holds no layer with geometry.")
    if ask.kind is not Kind.GPKG:
        return names[0]
    if ask.layer is not None:
        if ask.layer not in names:
            raise InputRefused(f"'{ask.name}' has no layer '{ask.layer}'; it has {', '.join(names)}.")
        return ask.layer
    if len(names) == 1 or ask.prefer in names:
        return ask.prefer if ask.prefer in names else names[0]
    raise InputRefused(f"'{ask.name}' holds the layers {', '.join(names)}; choose one with --layer.")


def _check_whole(ask: Ask) -> None:
    if ask.kind is Kind.GPKG:
        _check_sqlite(ask)


def _check_sqlite(ask: Ask) -> None:
    """A GeoPackage cut short still opens: its header says how long it must be, and SQLite checks its pages."""
    with ask.file.open("rb") as file:
        head = file.read(100)
    page, pages = struct.unpack(">H", head[16:18])[0], struct.unpack(">I", head[28:32])[0]
    expected, actual = (65536 if page == 1 else page) * pages, ask.file.stat().st_size
    if actual < expected:
        raise InputRefused(f"'{ask.name}' is cut off: it has {actual:,} of {expected:,} bytes.")
    try:
        with sqlite3.connect(f"file:{ask.file}?mode=ro", uri=True) as database:
            verdict = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        database.close()
    except sqlite3.DatabaseError as wrong:
        raise InputRefused(f"'{ask.name}' is damaged: {wrong}.") from wrong
    if verdict != "ok":
        raise InputRefused(f"'{ask.name}' is damaged: {verdict.splitlines()[-1]}.")


def _names_crs(file: Path) -> bool:
    """Whether a GeoJSON file has the "crs" member of its first edition, before its features where writers put it."""
    with file.open("rb") as text:
        head = text.read(256 * 1024)
    return b'"crs"' in head.partition(b'"coordinates"')[0]


def _read_parquet(ask: Ask) -> Raw:
    try:
        file = pq.ParquetFile(ask.file)
        meta = file.metadata
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        if size > MAX_UNPACKED:
            raise InputRefused(
                f"'{ask.name}' would unpack to {size / 1024**2:,.0f} MB; at most {MAX_UNPACKED // 1024**2:,} MB."
            )
        table = file.read()
    except (pa.ArrowException, OSError) as wrong:
        raise _unreadable(ask, wrong) from wrong
    geo = (table.schema.metadata or {}).get(b"geo")
    if geo is None:
        columns = {name: _plain_array(table.column(name)) for name in table.column_names}
        return _placed(ask, columns, {})
    return _read_geoparquet(ask, table, geo)


def _read_geoparquet(ask: Ask, table: pa.Table, geo: bytes) -> Raw:
    try:
        described = json.loads(geo)
        name = described["primary_column"]
        primary = described["columns"][name]
        if primary["encoding"] != "WKB":
            raise InputRefused(f"'{ask.name}' keeps its geometry as {primary['encoding']}; write it as WKB.")
        crs_by_rule = "crs" not in primary
        crs = CRS.from_epsg(4326) if crs_by_rule else _crs(primary["crs"])
        wkb = table.column(name).to_pylist()
    except (ValueError, KeyError, TypeError) as wrong:
        raise InputRefused(f"'{ask.name}' does not describe its geometry as GeoParquet does ({wrong}).") from wrong
    others = [column for column in table.column_names if column not in described["columns"] and column != "bbox"]
    columns = {column: _plain_array(table.column(column)) for column in others}
    return Raw(columns, from_wkb(wkb, ask.max_vertices), crs, crs_by_rule)


def _read_sheet(ask: Ask) -> Raw:
    if ask.kind is Kind.CSV:
        data = ask.file.read_bytes()
        encoding = ask.encoding or encoding_of(data, f"'{ask.name}'")
        sheet = read_csv(data, encoding, ask.name)
        sheet.encoding = encoding
    else:
        sheet = read_xlsx(ask.file, ask.layer, ask.name)
    columns = {name: _column(values) for name, values in sheet.columns.items()}
    raw = _placed(ask, columns, sheet.problem)
    raw.encoding, raw.notes = sheet.encoding, sheet.notes
    return raw


def _column(values: Sequence[object]) -> pa.Array:
    """One Arrow column; a column of mixed kinds becomes text."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _placed(ask: Ask, columns: dict[str, pa.Array], problem: dict[int, str]) -> Raw:
    found = geometry_of(columns, ask.places, ask.name)
    found.problem |= problem
    return Raw(columns, found, None)


def _crs(described: Any) -> CRS | None:
    if described is None or described == "":
        return None
    try:
        return CRS.from_user_input(described)
    except CRSError as wrong:
        raise InputRefused(
            f"The file names a coordinate system that cannot be understood ({described!s:.80})."
        ) from wrong


def _unreadable(ask: Ask, wrong: Exception) -> InputRefused:
    """A library's message without our temporary paths and without its advice."""
    text = str(wrong).strip() or type(wrong).__name__
    reason = text.splitlines()[0].replace(str(ask.file), ask.name).replace(ask.file.name, ask.name)
    reason = reason.split("; It might help")[0].split(". It might help")[0].rstrip(".")
    return InputRefused(f"'{ask.name}' cannot be read as {ask.kind.value}: {reason[:300]}.")
