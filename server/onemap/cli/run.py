"""``onemap run``: cluster, migrations, first data, HTTP."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import click
import uvicorn

from onemap.cli.common import OpenedDatabase, emit, json_option, open_database, say
from onemap.cli.demo import load_if_empty
from onemap.errors import SettingsError
from onemap.settings import Settings

#: How far above the usual port we look for a free one when nobody asked for a certain port.
_PORTS_TRIED = 50


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Serve the map; Ctrl-C stops everything."""
    # uvicorn raises the signal again after its own end; as SystemExit it still lets the cluster stop
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = _with_free_port(Settings.from_env())
    with ExitStack() as stack:
        opened = stack.enter_context(open_database(settings))
        if opened.migrated:
            say(f"Migrated: {', '.join(opened.migrated)}.")
        _first_data(settings, opened)
        serving = replace(settings, database_url=opened.db.url)
        opened.db.close()
        stack.enter_context(_environment(serving))
        emit({"url": settings.url}, as_json, f"一张图 is at {settings.url} (Ctrl-C stops it)")
        _serve(serving)


def _first_data(settings: Settings, opened: OpenedDatabase) -> None:
    if settings.demo_scale is not None:
        load_if_empty(opened.db, scale=settings.demo_scale)


def _serve(settings: Settings) -> None:
    uvicorn.run(
        "onemap.app:create_from_env",
        factory=True,
        host=settings.host,
        port=int(settings.port),
        workers=int(settings.workers),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )


@contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """Hand the settings to the server processes, and a place to add their metrics up when there are several."""
    os.environ.update(settings.to_env())
    metrics = tempfile.mkdtemp(prefix="onemap-metrics-") if int(settings.workers) > 1 else None
    if metrics:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
    try:
        yield
    finally:
        if metrics:
            shutil.rmtree(metrics, ignore_errors=True)


def _with_free_port(settings: Settings) -> Settings:
    """The settings with a port that can be had: the one asked for or, when none was, the next free one."""
    asked = bool(os.environ.get("ONEMAP_PORT", "").strip())
    first = int(settings.port)
    for port in range(first, first + (1 if asked else _PORTS_TRIED)):
        if _is_free(settings.host, port):
            if port != first:
                say(f"Port {first} is taken, so the map is on {port}.")
            return replace(settings, port=str(port))
    raise SettingsError(f"Port {first} is taken; stop what uses it or choose another with ONEMAP_PORT.")


def _is_free(host: str, port: int) -> bool:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        raise SettingsError(f"ONEMAP_HOST is '{host}', which is no address of this machine.") from None
    except PermissionError:
        raise SettingsError(f"Port {port} needs root; choose one above 1023 with ONEMAP_PORT.") from None
    except OSError as error:
        if error.errno == 99:
            raise SettingsError(f"ONEMAP_HOST is '{host}', which is no address of this machine.") from None
        return False
    return True
