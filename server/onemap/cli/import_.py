"""``onemap import``: a file into a layer, or an OpenStreetMap extract into several."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from onemap.catalog.read import read_catalog
from onemap.cli.common import Progress, database, emit, json_option
from onemap.errors import UsageError
from onemap.ingest.child import Limits
from onemap.ingest.households import household_rule
from onemap.ingest.publish import Importer, Options, Report, rejects_path
from onemap.ingest.rejects import parse_limit
from onemap.settings import Settings

OSM = "osm"


@click.command("import")
@click.argument("layer")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--crs", metavar="CRS", help="wgs84, cgcs2000, gcj02, bd09 or EPSG:n; needed where the file does not say."
)
@click.option(
    "--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="Which column feeds a field (also lon, lat, wkt)."
)
@click.option("--set", "constants", multiple=True, metavar="FIELD=VALUE", help="One value for all rows.")
@click.option("--layer", "part", metavar="NAME", help="Which layer, sheet or Shapefile of the file.")
@click.option("--encoding", help="Encoding of texts, where it is not recognised: gbk, utf-8.")
@click.option(
    "--estimate-households", "rule", metavar="RULE", help="Estimate households where absent: footprint_floors."
)
@click.option("--max-rejects", default="20%", show_default=True, metavar="N|N%", help="Rows that may be left out.")
@click.option("--rejects", "rejects_file", type=click.Path(path_type=Path), help="Where to list rows left out.")
@click.option("--keep-original", type=click.Path(path_type=Path), help="Keep the coordinates as they came in this CSV.")
@click.option("--shift-check", is_flag=True, help="Share of features on or within 20 m of buildings, before and after.")
@click.option("--bbox", metavar="W,S,E,N", help="OpenStreetMap only: keep what touches this box.")
@click.option("--max-memory", "memory_mb", default=4096, show_default=True, help="MB that reading may take.")
@click.option("--max-time", "time_s", default=900, show_default=True, help="Seconds that reading may take.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@json_option
def command(
    layer: str,
    file: Path,
    crs: str | None,
    columns: tuple[str, ...],
    constants: tuple[str, ...],
    part: str | None,
    encoding: str | None,
    rule: str | None,
    max_rejects: str,
    rejects_file: Path | None,
    keep_original: Path | None,
    shift_check: bool,
    bbox: str | None,
    memory_mb: int,
    time_s: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Load FILE into LAYER, or an OpenStreetMap extract with LAYER 'osm'.

    All or nothing: a refused import changes no row. A repeated import updates by the layer's key.
    """
    settings = Settings.from_env()
    rules = settings.layers_dir / "rules"
    options = Options(
        crs=crs,
        encoding=encoding,
        part=part,
        columns=columns,
        constants=constants,
        bbox=box(bbox),
        limit=parse_limit(max_rejects),
        rejects_file=rejects_file or rejects_path(settings.data_dir, file, dt.datetime.now(dt.UTC)),
        keep_original=keep_original,
        households=household_rule(rule, rules) if rule else None,
        shift_check=shift_check,
        dry_run=dry_run,
        limits=Limits(memory_mb, time_s),
    )
    catalog = read_catalog(settings.layers_dir)
    if layer != OSM:
        catalog.layer(layer)
    with database(settings) as db, _told() as tell:
        importer = Importer(db, catalog, rules, tell)
        report = importer.osm(file, options) if layer == OSM else importer.file(layer, file, options)
    emit(dataclasses.asdict(report), as_json, lambda: _human(report))


def box(text: str | None) -> tuple[float, float, float, float] | None:
    """West, south, east, north of ``--bbox``."""
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as wrong:
        raise UsageError(f"--bbox {text}: write west,south,east,north in degrees.") from wrong
    if west >= east or south >= north:
        raise UsageError(f"--bbox {text}: west must be less than east, south less than north.")
    return west, south, east, north


@contextmanager
def _told() -> Iterator[Callable[[str, float, float], None]]:
    with Progress("Reading") as bar:
        yield lambda label, done, total: bar(done, total or max(done, 1), label)


def _human(report: Report) -> str:
    lines = ["Nothing was changed (dry run); this would happen:"] if report.dry_run else []
    for name, n in report.layers.items():
        lines.append(
            f"{name}: {n['read']:,} read, {n['written']:,} written, {n['updated']:,} updated, "
            f"{report.unchanged[name]:,} unchanged, {n['rejected']:,} rejected, {n['repaired']:,} repaired"
        )
    lines.append(f"coordinate system: {report.crs}" + (f", encoding: {report.encoding}" if report.encoding else ""))
    lines += [f"  {field} <- {column}" for field, column in report.mapping.items()]
    lines += [f"  {field} = {value}" for field, value in report.constants.items()]
    if report.unused_columns:
        lines.append(f"columns not used: {', '.join(report.unused_columns)}")
    if report.shift_check is not None:
        check = report.shift_check
        lines.append(
            f"on or within {check['near_m']:g} m of buildings: {check['before']:.1%} before, {check['after']:.1%} after"
        )
    lines += [f"  row {p['row'] or p['key']}: {p['reason']}" for p in report.problems]
    if report.rejects_file:
        lines.append(f"all rejected rows: {report.rejects_file}")
    return "\n".join(lines + report.notes)
