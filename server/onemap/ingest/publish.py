"""Imports: a file into one layer, an OpenStreetMap extract into several; all of it in one transaction."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from onemap.domain.layer import Catalog, Layer
from onemap.errors import InputRefused, UsageError
from onemap.ingest import rejects as listing
from onemap.ingest.child import Limits, decode_in_child
from onemap.ingest.crs import SourceCrs, parse_crs
from onemap.ingest.households import HouseholdRule
from onemap.ingest.mapping import Wishes, plan, wishes
from onemap.ingest.osm_tags import LAYERS as OSM_LAYERS
from onemap.ingest.personal import refuse_personal
from onemap.ingest.place import place_columns
from onemap.ingest.prepare import Prepared, prepare
from onemap.ingest.rejects import Limit, Reject
from onemap.ingest.rows import attributes, read_rows
from onemap.ingest.source import Kind, Source, opened
from onemap.store.db import Connection, Db
from onemap.store.events import index_cells
from onemap.store.load import Loaded, load, lock, near_buildings, writable

BBox = tuple[float, float, float, float]
#: label, done, total: how far the work is.
Tell = Callable[[str, float, float], None]
#: A job, its limits, who hears of progress: the answer of :mod:`onemap.ingest.child`.
Decode = Callable[[dict[str, Any], Limits, Callable[[float, float], None] | None], dict[str, Any]]

NEAR_M = 20.0
_SHOWN_PROBLEMS = 20
_SHIFT_SAMPLE = 20_000
_TABLES = frozenset({Kind.CSV, Kind.XLSX, Kind.PARQUET})


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may choose about an import."""

    crs: str | None = None
    encoding: str | None = None
    part: str | None = None
    columns: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    bbox: BBox | None = None
    limit: Limit = field(default_factory=lambda: listing.parse_limit("20%"))
    rejects_file: Path | None = None
    keep_original: Path | None = None
    households: HouseholdRule | None = None
    shift_check: bool = False
    dry_run: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True)
class Report:
    """What became of an import: the one answer that people and programs get."""

    layers: dict[str, dict[str, int]] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    rejects_file: str | None = None
    dry_run: bool = False
    crs: str = ""
    encoding: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    unused_columns: list[str] = field(default_factory=list)
    shift_check: dict[str, float] | None = None
    incomplete: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Importer:
    """Where imports go, and who hears how far they are."""

    db: Db
    catalog: Catalog
    rules: Path
    tell: Tell = lambda _label, _done, _total: None
    decode: Decode = decode_in_child

    def file(self, layer_name: str, path: Path, options: Options) -> Report:
        """Import a file into one layer."""
        layer = self.catalog.layer(layer_name)
        wanted = wishes(layer, options.columns, options.constants)
        if options.households is not None and not any(f.name == "households_estimated" for f in layer.fields):
            raise UsageError(f"Layer '{layer.name}' has no field for estimated households; 'buildings' has one.")
        if options.crs is not None:
            parse_crs(options.crs)
        with opened(path, options.part) as source, tempfile.TemporaryDirectory(prefix="onemap-rows-") as folder:
            if source.kind is Kind.OSM:
                raise InputRefused(f"'{source.name}' is an OpenStreetMap extract; import it with 'onemap import osm'.")
            answer = self._decoded(_file_job(layer, source, wanted, options, folder), options)
            table = read_rows(answer["files"][layer.name])
            report = Report(
                dry_run=options.dry_run, crs=answer["crs"], encoding=answer["encoding"], notes=list(answer["notes"])
            )
            prepared = self._prepared(layer, source, table, wanted, options, report)
            if options.keep_original is not None:
                prepared.write_original(options.keep_original, answer["crs"])
        return self._published([prepared], report, options, path, crs=_source_crs(answer["crs"]))

    def osm(self, path: Path, options: Options) -> Report:
        """Import an extract into buildings, roads, water, green and facilities."""
        with opened(path) as source, tempfile.TemporaryDirectory(prefix="onemap-rows-") as folder:
            if source.kind is not Kind.OSM:
                raise InputRefused(f"'{source.name}' is {source.kind.value}; name the layer: onemap import LAYER FILE.")
            answer = self._decoded(_osm_job(source, self.rules, options, folder), options)
            report = Report(dry_run=options.dry_run, crs=answer["crs"])
            report.incomplete = {name: len(ids) for name, ids in answer["incomplete"].items()}
            layers = [self.catalog.layer(name) for name in OSM_LAYERS]
            prepared = [self._prepared_osm(layer, answer, options) for layer in layers]
        if report.incomplete:
            report.notes.append(
                "Ways and relations that form no closed area in this extract are in no count (incomplete)."
            )
        return self._published(prepared, report, options, path, crs=None)

    def _decoded(self, job: dict[str, Any], options: Options) -> dict[str, Any]:
        self.tell("Reading", 0, 0)
        return self.decode(job, options.limits, lambda done, total: self.tell("Reading", done, total))

    def _prepared(
        self, layer: Layer, source: Source, table: pa.Table, wanted: Wishes, options: Options, report: Report
    ) -> Prepared:
        columns = {
            name: table.column(name).combine_chunks() for name in table.column_names if not name.startswith("__")
        }
        places = (
            place_columns(list(columns), wanted.places, source.name).values()
            if _is_table(source, columns, wanted)
            else ()
        )
        made = plan(
            layer,
            list(columns),
            wanted,
            writable=writable(layer),
            places=list(places),
            cut=source.kind is Kind.SHP,
        )
        refuse_personal(
            {name: values for name, values in columns.items() if name not in places},
            source.name,
            work_phones={column for name, column in made.columns.items() if name.endswith("phone")},
            codes={
                column
                for name, column in made.columns.items()
                if name.endswith(("_id", "_code")) or name == layer.key.name
            },
        )
        report.mapping, report.constants = dict(made.columns), dict(made.constants)
        report.unused_columns = list(made.unused)
        self.tell("Checking", 0, 0)
        return prepare(layer, table, made, options.households, keep=True)

    def _prepared_osm(self, layer: Layer, answer: Mapping[str, Any], options: Options) -> Prepared:
        table = read_rows(answer["files"][layer.name])
        made = plan(layer, attributes(table), Wishes({}, {}), writable=writable(layer))
        rule = options.households if layer.name == "buildings" else None
        prepared = prepare(layer, table, made, rule, keep=False)
        prepared.left_out = [Reject(layer.name, 0, key, reason) for key, reason in answer["rejected"][layer.name]]
        prepared.n_repaired += answer["shortened"].get(layer.name, 0)
        return prepared

    def _published(
        self, prepared: list[Prepared], report: Report, options: Options, path: Path, crs: SourceCrs | None
    ) -> Report:
        rejected = [reject for part in prepared for reject in (*part.left_out, *part.rejects)]
        listed = listing.write(rejected, options.rejects_file) if rejected and options.rejects_file else None
        report.rejects_file = str(listed) if listed else None
        report.problems = [
            {"layer": r.layer, "row": r.row or None, "key": r.key, "reason": r.reason}
            for r in rejected[:_SHOWN_PROBLEMS]
        ]
        for part in prepared:
            listing.hold_to(options.limit, part.layer.name, part.rejects, part.n_read, listed)
            report.notes += part.notes
        if not any(part.n_good for part in prepared):
            raise InputRefused(f"'{path.name}' holds no row that can be taken.")
        with self.db.connection() as connection:
            if options.shift_check and crs is not None:
                report.shift_check = _shift_check(connection, prepared[0], crs)
            for part in prepared:
                self._load(connection, part, report)
            if options.dry_run:
                connection.rollback()
        return report

    def _load(self, connection: Connection, part: Prepared, report: Report) -> None:
        done = Loaded(0, 0, 0)
        if part.n_good:
            lock(connection, part.layer)
            done = load(connection, part.layer, part.fields, self._told(part), keep=part.keep)
        report.layers[part.layer.name] = {
            "read": part.n_read + len(part.left_out),
            "written": done.written,
            "updated": done.updated,
            "rejected": len(part.rejects) + len(part.left_out),
            "repaired": part.n_repaired,
        }
        report.unchanged[part.layer.name] = done.unchanged
        if part.layer.name == "events":
            index_cells(connection)  # the heat map reads cells, and a file has none

    def _told(self, part: Prepared) -> Iterator[tuple[Any, ...]]:
        for number, row in enumerate(part.rows(), start=1):
            if number % 5000 == 0 or number == part.n_good:
                self.tell(f"Writing {part.layer.name}", number, part.n_good)
            yield row


def rejects_path(folder: Path, path: Path, now: dt.datetime) -> Path:
    """Where rejects of an import are listed when nobody says."""
    return folder / "rejects" / f"{path.name.split('.')[0]}-{now:%Y%m%d-%H%M%S}.csv"


def _file_job(layer: Layer, source: Source, wanted: Wishes, options: Options, folder: str) -> dict[str, Any]:
    return {
        "kind": source.kind,
        "file": str(source.file),
        "name": source.name,
        "folder": folder,
        "target": layer.name,
        "geometry": layer.geometry,
        "layer": options.part,
        "crs": options.crs,
        "encoding": options.encoding,
        "places": wanted.places,
        "keep_source": options.keep_original is not None,
    }


def _osm_job(source: Source, rules: Path, options: Options, folder: str) -> dict[str, Any]:
    return {
        "kind": source.kind,
        "file": str(source.file),
        "name": source.name,
        "folder": folder,
        "bbox": options.bbox,
        "rules": str(rules / "network.toml"),
    }


def _is_table(source: Source, columns: Mapping[str, pa.Array], wanted: Wishes) -> bool:
    """Whether the file told its places in columns rather than in geometries."""
    if source.kind not in _TABLES:
        return False
    try:
        place_columns(list(columns), wanted.places, source.name)
    except InputRefused:
        return False
    return True


def _source_crs(name: str) -> SourceCrs | None:
    try:
        return parse_crs(name)
    except UsageError:
        return None


def _shift_check(connection: Connection, part: Prepared, crs: SourceCrs) -> dict[str, float]:
    """The share of features on or near a building of the map: with the coordinates as they came, and as converted."""
    lon, lat = part.places()
    step = max(1, len(lon) // _SHIFT_SAMPLE)
    lon, lat = lon[::step], lat[::step]
    before = crs.from_4490(lon, lat) if crs.is_shifted else (lon, lat)
    shares = [
        near_buildings(connection, np.asarray(x).tolist(), np.asarray(y).tolist(), reach_m=NEAR_M) / max(len(lon), 1)
        for x, y in (before, (lon, lat))
    ]
    return {"n": len(lon), "near_m": NEAR_M, "before": round(shares[0], 4), "after": round(shares[1], 4)}
