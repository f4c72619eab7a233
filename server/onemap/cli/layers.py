"""``onemap layers``: list and check the layer folders."""

from __future__ import annotations

from pathlib import Path

import click

from onemap.catalog.read import read_catalog
from onemap.catalog.style import read_style_book, style_problems
from onemap.cli.common import emit, json_option
from onemap.errors import CatalogError
from onemap.settings import Settings

_folder = click.option("--folder", type=click.Path(path_type=Path), help="Layer folder; default: ONEMAP_LAYERS.")


@click.group()
def command() -> None:
    """List and check the layer folders."""


@command.command("list")
@_folder
@json_option
def list_layers(folder: Path | None, as_json: bool) -> None:
    """All layers in the order of the tree."""
    catalog = read_catalog(folder or Settings.from_env().layers_dir)
    rows = [
        {
            "name": layer.name,
            "group": layer.group,
            "title": {"zh": layer.title.zh, "en": layer.title.en},
            "geometry": layer.geometry.value,
            "class": layer.data_class.value,
            "key": layer.key.name,
            "view": layer.is_view,
        }
        for layer in catalog
    ]
    human = "\n".join(f"{r['group']:8} {r['name']:18} {r['geometry']:16} {r['class']}" for r in rows)
    emit({"layers": rows}, as_json, human)


@command.command("check")
@_folder
@json_option
def check_layers(folder: Path | None, as_json: bool) -> None:
    """Validate all layer folders; every problem with its file and key."""
    problems, n_layers = _problems(folder)
    emit(
        {"problems": problems, "n_layers": n_layers}, as_json, "\n".join(problems) or f"{n_layers} layers, no problem."
    )
    if problems:
        raise click.exceptions.Exit(3)


def _problems(folder: Path | None) -> tuple[list[str], int]:
    """Everything that is wrong with the folders, their styles included, and how many layers they hold."""
    settings = Settings.from_env()
    try:
        catalog = read_catalog(folder or settings.layers_dir)
        book = read_style_book(settings.tiles_dir)
    except CatalogError as error:
        return error.problems, 0
    return style_problems(catalog, book), len(catalog.layers)
