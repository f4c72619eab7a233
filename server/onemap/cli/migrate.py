"""``onemap migrate``."""

from __future__ import annotations

import click

from onemap.cli.common import emit, json_option, open_database
from onemap.settings import Settings


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Bring the database to the present schema and layers."""
    with open_database(Settings.from_env()) as opened:
        ran = opened.migrated
    emit({"migrated": ran}, as_json, f"Ran {', '.join(ran)}." if ran else "Nothing to do.")
