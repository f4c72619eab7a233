"""``onemap openapi``: the OpenAPI document of our own API, from which the dashboard's types are made."""

from __future__ import annotations

import click

from onemap.app import openapi_document
from onemap.cli.common import emit, json_option


@click.command()
@json_option
def command(as_json: bool) -> None:  # noqa: ARG001 the document is JSON with or without --json
    """Print the OpenAPI document of the API under /api (always JSON)."""
    emit(openapi_document(), True, "")
