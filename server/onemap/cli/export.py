"""``onemap export``: a layer as a file."""

from __future__ import annotations

from pathlib import Path

import click

from onemap.catalog.read import read_catalog
from onemap.cli.common import Progress, database, emit, json_option
from onemap.cli.import_ import box
from onemap.domain.scope import EVERYTHING
from onemap.errors import UsageError
from onemap.ingest.crs import parse_crs
from onemap.ingest.export import Format, Wanted, export_fields, export_layer
from onemap.ingest.mapping import short_names
from onemap.settings import Settings


@click.command("export")
@click.argument("layer")
@click.option(
    "--format", "kind", type=click.Choice([f.value for f in Format]), help="Format; else by the file's ending."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write; else LAYER with the format's ending."
)
@click.option(
    "--crs", default="cgcs2000", show_default=True, metavar="CRS", help="wgs84, cgcs2000, gcj02, bd09 or EPSG:n."
)
@click.option("--bbox", metavar="W,S,E,N", help="Only what touches this box, degrees.")
@json_option
def command(layer: str, kind: str | None, output: Path | None, crs: str, bbox: str | None, as_json: bool) -> None:
    """Write LAYER to a file that 'onemap import' reads back. All rows and fields: the operator's own copy."""
    settings = Settings.from_env()
    chosen = _format(kind, output)
    wanted = Wanted(chosen, output or Path(f"{layer}{chosen.ending}"), parse_crs(crs), box(bbox))
    found = read_catalog(settings.layers_dir).layer(layer)
    with database(settings) as db, Progress(f"Writing {layer}") as bar:
        n_features = export_layer(db, found, wanted, EVERYTHING, bar)
    names = [field.name for field in export_fields(found, EVERYTHING)]
    document = {
        "layer": layer,
        "file": str(wanted.file),
        "format": chosen.value,
        "crs": wanted.crs.name,
        "n_features": n_features,
        "fields": short_names(names) if chosen is Format.SHP else {name: name for name in names},
    }
    emit(document, as_json, f"{n_features:,} features of '{layer}' are in {wanted.file}.")


def _format(kind: str | None, output: Path | None) -> Format:
    if kind is not None:
        return Format(kind)
    name = output.name.casefold() if output else ""
    for candidate in Format:
        if name.endswith((candidate.ending, f".{candidate.value}")):
            return candidate
    raise UsageError("Name a --format: gpkg, geojson, fgb, parquet, csv, xlsx or shp.")
