"""Writes a layer to a file, batch by batch, so that a million features need no more memory than a thousand.

What an export writes, an import of the same layer reads back: the same fields, values and keys. Shapefiles alone lose
something: names are cut to ten characters, texts to 254 bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio.raw
import shapely
from openpyxl.cell import WriteOnlyCell
from pyproj import CRS

from onemap.domain.layer import AREA_CODE, Field, FieldType, GeometryType, Layer
from onemap.domain.scope import Scope
from onemap.errors import InputRefused
from onemap.ingest.crs import SourceCrs, parse_crs
from onemap.ingest.mapping import AREA_FIELD, export_order, short_names
from onemap.store.accounts import audit
from onemap.store.db import Connection, Db
from onemap.store.load import count, export
from onemap.store.scope import visible_fields

BBox = tuple[float, float, float, float]
#: done, total features.
Tell = Callable[[int, int], None]
#: Values of the fields, then the geometry.
Row = tuple[Any, ...]
Batches = Iterator[tuple[list[Row], Any]]

GEOMETRY = "geometry"
_EXCEL_ROWS, _EXCEL_TEXT = 1_048_575, 32_767


class Format(StrEnum):
    """The formats that are written; the value is the file's ending."""

    GPKG = "gpkg"
    GEOJSON = "geojson"
    FGB = "fgb"
    PARQUET = "parquet"
    CSV = "csv"
    XLSX = "xlsx"
    SHP = "shp"

    @property
    def ending(self) -> str:
        """The ending of the file: the parts of a Shapefile go into one archive."""
        return ".shp.zip" if self is Format.SHP else f".{self.value}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export, and how."""

    format: Format
    file: Path
    crs: SourceCrs
    bbox: BBox | None = None


def export_layer(db: Db, layer: Layer, wanted: Wanted, scope: Scope, tell: Tell) -> int:
    """Write a layer; the number of features. The file appears whole or not at all."""
    fields = export_fields(layer, scope)
    with db.connection() as connection, tempfile.TemporaryDirectory(prefix="onemap-export-") as folder:
        total = count(connection, layer, scope, wanted.bbox)
        if wanted.format is Format.XLSX and total > _EXCEL_ROWS:
            raise InputRefused(f"{total:,} features do not fit one Excel sheet; export csv or gpkg.")
        unfinished = Path(folder) / f"{layer.name}.{wanted.format}"
        target = _Target(layer, fields, wanted.crs, unfinished)
        _WRITERS[wanted.format](target, _batches(connection, layer, fields, wanted, scope, lambda n: tell(n, total)))
        finished = _zipped(unfinished) if wanted.format is Format.SHP else unfinished
        _move(finished, wanted.file)
        audit(connection, "cli", "export", {"layer": layer.name, "format": wanted.format.value, "n_features": total})
    return total


def write_batches(kind: Format, layer: Layer, fields: list[Field], file: Path, batches: Batches) -> None:
    """Write batches of values and shapes in degrees of CGCS2000."""
    _WRITERS[kind](_Target(layer, fields, parse_crs("cgcs2000"), file), batches)


def export_fields(layer: Layer, scope: Scope) -> list[Field]:
    """The fields of an export that the reader may see, in the order in which an import knows them again."""
    seen = {AREA_CODE: AREA_FIELD} | {field.name: field for field in visible_fields(layer, scope)}
    return [seen[name] for name in export_order(layer) if name in seen]


@dataclass(frozen=True, slots=True)
class _Target:
    layer: Layer
    fields: list[Field]
    crs: SourceCrs
    file: Path

    @property
    def crs_text(self) -> str | None:
        """What a file says of its coordinates; GCJ-02 and BD-09 have no code to be called by."""
        if self.crs.is_shifted:
            return None
        return (
            self.crs.proj.to_wkt()
            if self.crs.proj is not None
            else {"wgs84": "EPSG:4326"}.get(self.crs.name, "EPSG:4490")
        )


def _batches(
    connection: Connection,
    layer: Layer,
    fields: Sequence[Field],
    wanted: Wanted,
    scope: Scope,
    tell: Callable[[int], None],
) -> Batches:
    done = 0
    for batch in export(connection, layer, [field.name for field in fields], scope, wanted.bbox):
        shapes = shapely.from_wkb([row[-1] for row in batch])
        yield [row[:-1] for row in batch], _projected(shapes, wanted.crs)
        done += len(batch)
        tell(done)


def _projected(shapes: Any, crs: SourceCrs) -> Any:
    if crs.is_degrees and not crs.is_shifted and crs.proj is None:
        return shapes
    return shapely.transform(shapes, lambda xy: np.column_stack(crs.from_4490(xy[:, 0], xy[:, 1])))


def _write_csv(target: _Target, batches: Batches) -> None:
    with target.file.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        table.writerow((*(field.name for field in target.fields), *_place_header(target.layer)))
        for rows, shapes in batches:
            for row, place in zip(rows, _place_cells(target.layer, shapes), strict=True):
                table.writerow((*(_text(value) for value in row), *place))


def _write_xlsx(target: _Target, batches: Batches) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(target.layer.name)
    sheet.append([*(field.name for field in target.fields), *_place_header(target.layer)])
    for rows, shapes in batches:
        for row, place in zip(rows, _place_cells(target.layer, shapes), strict=True):
            sheet.append([_excel_cell(sheet, value) for value in (*row, *place)])
    book.save(target.file)


def _excel_cell(sheet: Any, value: Any) -> Any:
    """A cell that Excel shows as it is: a text that begins with '=' stays a text, long codes keep all digits."""
    if isinstance(value, dt.datetime):
        value = value.isoformat()
    if not isinstance(value, str):
        return value
    if len(value) > _EXCEL_TEXT:
        raise InputRefused("A geometry is too long for a cell of Excel; export csv or gpkg.")
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    return cell


def _write_geojson(target: _Target, batches: Batches) -> None:
    names = [field.name for field in target.fields]
    with target.file.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","name":' + orjson.dumps(target.layer.name))
        if target.crs.proj is not None and (code := target.crs.proj.to_epsg()):
            member = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{code}"}}
            file.write(b',"crs":' + orjson.dumps(member))
        file.write(b',"features":[')
        first = True
        for rows, shapes in batches:
            for row, geometry in zip(rows, shapely.to_geojson(shapes), strict=True):
                feature = {
                    "type": "Feature",
                    "properties": dict(zip(names, row, strict=True)),
                    "geometry": orjson.Fragment(geometry),
                }
                file.write((b"\n" if first else b",\n") + orjson.dumps(feature))
                first = False
        file.write(b"\n]}\n")


def _write_parquet(target: _Target, batches: Batches) -> None:
    kind = "Point" if target.layer.geometry is GeometryType.POINT else target.layer.geometry.value
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": [kind]}
    column["crs"] = CRS.from_user_input(target.crs_text).to_json_dict() if target.crs_text else None
    geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    schema = _schema(target.fields).with_metadata({"geo": json.dumps(geo)})
    with pq.ParquetWriter(target.file, schema, compression="zstd") as writer:
        for rows, shapes in batches:
            writer.write_batch(_record_batch(schema, rows, shapes))


def _write_gdal(driver: str) -> Callable[[_Target, Batches], None]:
    def write(target: _Target, batches: Batches) -> None:
        fields = _shapefile_fields(target.fields) if driver == "ESRI Shapefile" else target.fields
        schema = _schema(fields)
        stream = (_record_batch(schema, [_as_fields(row, fields) for row in rows], shapes) for rows, shapes in batches)
        pyogrio.raw.write_arrow(
            pa.RecordBatchReader.from_batches(schema, stream),
            target.file,
            layer=target.layer.name,
            driver=driver,
            geometry_name=GEOMETRY,
            geometry_type=target.layer.geometry.value,
            crs=target.crs_text,
            encoding="UTF-8" if driver == "ESRI Shapefile" else None,
        )

    return write


_WRITERS: dict[Format, Callable[[_Target, Batches], None]] = {
    Format.CSV: _write_csv,
    Format.XLSX: _write_xlsx,
    Format.GEOJSON: _write_geojson,
    Format.PARQUET: _write_parquet,
    Format.GPKG: _write_gdal("GPKG"),
    Format.FGB: _write_gdal("FlatGeobuf"),
    Format.SHP: _write_gdal("ESRI Shapefile"),
}

_ARROW: dict[FieldType, pa.DataType] = {
    FieldType.TEXT: pa.string(),
    FieldType.CODE: pa.string(),
    FieldType.INTEGER: pa.int32(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.DATETIME: pa.timestamp("ms", tz="UTC"),
}


def _schema(fields: Sequence[Field]) -> pa.Schema:
    return pa.schema([*((field.name, _ARROW[field.type]) for field in fields), (GEOMETRY, pa.binary())])


def _record_batch(schema: pa.Schema, rows: list[Row], shapes: Any) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) if rows else [()] * (len(schema) - 1)
    arrays = [pa.array(column, schema.field(at).type) for at, column in enumerate(columns)]
    return pa.record_batch([*arrays, pa.array(shapely.to_wkb(shapes), pa.binary())], schema=schema)


def _shapefile_fields(fields: Sequence[Field]) -> list[Field]:
    """Fields as a Shapefile can hold them: short names; yes and no as 1 and 0; times as text."""
    kinds = {FieldType.BOOLEAN: FieldType.INTEGER, FieldType.DATETIME: FieldType.TEXT, FieldType.CODE: FieldType.TEXT}
    names = short_names([field.name for field in fields])
    return [Field(names[field.name], kinds.get(field.type, field.type), field.title) for field in fields]


def _as_fields(row: Row, fields: Sequence[Field]) -> Row:
    return tuple(
        value.isoformat() if isinstance(value, dt.datetime) and field.type is FieldType.TEXT
        else int(value) if isinstance(value, bool) and field.type is FieldType.INTEGER
        else value
        for value, field in zip(row, fields, strict=True)
    )  # fmt: skip


def _place_header(layer: Layer) -> tuple[str, ...]:
    return ("lon", "lat") if layer.geometry is GeometryType.POINT else ("wkt",)


def _place_cells(layer: Layer, shapes: Any) -> Iterator[tuple[Any, ...]]:
    if layer.geometry is GeometryType.POINT:
        return zip(shapely.get_x(shapes).tolist(), shapely.get_y(shapes).tolist(), strict=True)
    return zip(shapely.to_wkt(shapes, rounding_precision=-1).tolist(), strict=True)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, dt.date) else value


def _zipped(shp: Path) -> Path:
    archive = shp.with_suffix(".shp.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in sorted(shp.parent.glob(f"{shp.stem}.*")):
            if part != archive:
                packed.write(part, part.name)
    return archive


def _move(finished: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.part")
        shutil.copyfile(finished, beside)
        beside.replace(target)
    except OSError as wrong:
        raise InputRefused(f"'{target}' cannot be written: {wrong.strerror}.") from wrong
