"""``onemap worker``: runs long questions, the server without HTTP."""

from __future__ import annotations

import signal
import threading

import click

from onemap.analyses.all import ALL
from onemap.analyses.runner import work
from onemap.catalog.read import read_catalog
from onemap.cli.common import database, emit, json_option, say
from onemap.settings import Settings


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Run long questions (jobs) until stopped; the server does so too, this adds hands."""
    settings = Settings.from_env()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with database(settings) as db:
        say("Waiting for jobs (Ctrl-C stops).")
        work(db, read_catalog(settings.layers_dir), ALL, stop)
    emit({"stopped": True}, as_json, "Stopped.")
