"""``onemap qgis-project``: a QGIS project with our layers and styles."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from onemap.catalog.qgis import build_project
from onemap.catalog.read import read_catalog
from onemap.catalog.style import read_style_book
from onemap.cli.common import emit, json_option
from onemap.domain.layer import Language
from onemap.domain.scope import PUBLIC, STAFF
from onemap.settings import Settings


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: stdout.")
@click.option("--url", help="Address at which QGIS reaches the server; default: the one it listens on.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Names of layers.")
@click.option("--public", is_flag=True, help="Only layers that need no sign-in.")
@json_option
def command(output: Path | None, url: str | None, theme: str, lang: Language, public: bool, as_json: bool) -> None:
    """Write a QGIS project with our layers and styles."""
    if output is None and (as_json or sys.stdout.isatty()):
        raise click.UsageError("A project is a binary file: name it with --output, or redirect stdout into one.")
    settings = Settings.from_env()
    catalog, reader = read_catalog(settings.layers_dir), PUBLIC if public else STAFF
    layers = [layer for layer in catalog if reader.sees(layer)]
    book = read_style_book(settings.tiles_dir)
    server = (url or settings.url).rstrip("/")
    project = build_project(catalog.groups, layers, book, server=server, theme=theme, language=lang)
    if output is None:
        sys.stdout.buffer.write(project)
        return
    output.write_bytes(project)
    names = [layer.name for layer in layers]
    document = {"file": str(output), "server": server, "layers": names, "bytes": len(project)}
    emit(document, as_json, f"{output}: {len(layers)} layers of {server}.")
