"""A real server in a thread, and a listener that reads its stream line by line."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from onemap.app import create_app
from onemap.settings import Settings

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Told:
    """One server-sent event."""

    event: str
    data: dict[str, Any]
    id: str | None


class Listener:
    """An open stream."""

    def __init__(self, port: int, headers: dict[str, str], query: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self.connection.request("GET", f"/api/live{query}", headers=headers)
        self.answer = self.connection.getresponse()

    def next(self, *wanted: str) -> Told:
        """The next event, of the wanted kinds where some are named."""
        fields: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields and (not wanted or fields["event"] in wanted):
                return Told(fields["event"], json.loads(fields["data"]), fields.get("id"))
            else:
                assert self.answer.fp is not None, "The stream ended."
                fields = {}

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


@dataclass(frozen=True)
class Serving:
    """A running server."""

    port: int
    server: uvicorn.Server
    stack: ExitStack

    def listen(self, token: str | None = None, *, since: str | None = None, last: str | None = None) -> Listener:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Last-Event-ID": last} if last else {}
        listener = Listener(self.port, headers, f"?since={since}" if since else "")
        self.stack.callback(listener.close)
        return listener


type Serve = Callable[..., Serving]


@contextmanager
def serving(database: str, **environment: str) -> Iterator[Serving]:
    settings = Settings.from_env({"ONEMAP_DATABASE_URL": database, "ONEMAP_DEMO": "none", **environment})
    config = uvicorn.Config(
        create_app(settings, database), http="httptools", log_level="error", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    bound = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    with ExitStack() as stack:
        yield Serving(bound.getsockname()[1], server, stack)
    server.should_exit = True
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


@pytest.fixture
def server(database: str) -> Iterator[Serving]:
    """The whole app behind a real socket."""
    with serving(database) as running:
        yield running
