"""The browser part: a server with the demo city, Chromium, and a visitor who notices everything that goes wrong."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from psycopg import sql

from onemap.store.cluster import Cluster

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "docs" / "screenshots"

_FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)
_START_S = 240
_PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def server_url(cluster: Cluster) -> Iterator[str]:
    """Where a server with the demo city answers; ``ONEMAP_TEST_URL`` names one that runs already."""
    if running := os.environ.get("ONEMAP_TEST_URL"):
        yield running.rstrip("/")
        return
    with psycopg.connect(cluster.url_of("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier("e2e")))
    port = _free_port()
    environment = {
        **os.environ,
        "ONEMAP_DATABASE_URL": cluster.url_of("e2e"),
        "ONEMAP_PORT": str(port),
        "ONEMAP_DEMO": "default",
        "ONEMAP_DEMO_LIVE": "off",  # a still city: what is counted twice stays the same
    }
    command = [sys.executable, "-m", "onemap.cli.main", "run"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Chromium without a window, drawing WebGL in software."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium), args=list(_FLAGS))
        yield running
        running.close()


@dataclass
class Visitor:
    """Someone with a browser window, who writes down what should not happen."""

    page: Page
    url: str
    #: Whether pictures are kept.
    blessing: bool = False
    troubles: list[str] = field(default_factory=list)
    #: Beginnings of troubles that a test brings about itself.
    expected: list[str] = field(default_factory=list)
    #: Addresses of the JavaScript that came.
    scripts: set[str] = field(default_factory=set)

    def ask(self, path: str) -> Any:
        """What the server answers a reader at this machine."""
        answer = self.page.request.get(self.url + path)
        assert answer.ok, f"{path}: {answer.status} {answer.text()[:200]}"
        return answer.json()

    def open(self, query: str = "") -> None:
        """Open the page and wait until the map is drawn."""
        self.page.goto(f"{self.url}/{query}")
        self.page.wait_for_selector(".map[data-drawn=true]", timeout=_PATIENCE_MS)

    def turn(self, query: str) -> None:
        """Go to another address without loading the page anew, as Back does."""
        self.page.evaluate(
            "query => { history.pushState(null, '', query); dispatchEvent(new PopStateEvent('popstate')); }", query
        )
        self.settle()

    def picture(self, name: str) -> None:
        """Take a picture: for docs/screenshots under ``--bless``, else only to see that it can be taken."""
        shot = self.page.screenshot(type="jpeg", quality=82)
        if self.blessing:
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            (SCREENSHOTS / f"{name}.jpg").write_bytes(shot)

    def settle(self) -> None:
        """Wait until map and list show what was last asked of them, and the address says so."""
        self.page.wait_for_timeout(100)
        self.page.wait_for_function(
            "!document.querySelector('.map').dataset.busy && !document.querySelector('[aria-busy=true]')",
            timeout=_PATIENCE_MS,
        )

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Look again and again until something holds."""
        end = time.monotonic() + _PATIENCE_MS / 1000
        while not holds():
            assert time.monotonic() < end, f"It never came to this: {what}."
            self.page.wait_for_timeout(50)

    def click_map(self, x: float, y: float) -> None:
        """Click a place of the map, px from its upper left corner."""
        box = self.page.locator(".map").bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + x, box["y"] + y)

    def middle_of_map(self) -> tuple[float, float]:
        """The middle of the map, px."""
        box = self.page.locator(".map").bounding_box()
        assert box is not None
        return box["width"] / 2, box["height"] / 2

    def problems(self) -> list[str]:
        """What went wrong and was not meant to."""
        return [t for t in self.troubles if not any(t.startswith(e) for e in self.expected)]


type Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, server_url: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """``visit(width, height)`` is a new visitor; at the end of the test none may have had troubles."""
    visitors: list[Visitor] = []

    def arrive(width: int = 1440, height: int = 900, **more: object) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            **more,  # type: ignore[arg-type]
        )
        context.set_default_timeout(_PATIENCE_MS)
        visitor = Visitor(context.new_page(), server_url, request.config.getoption("--bless"))
        _watch(visitor)
        visitors.append(visitor)
        return visitor

    yield arrive
    for visitor in visitors:
        visitor.page.context.close()
    troubles = [trouble for visitor in visitors for trouble in visitor.problems()]
    assert troubles == []


def _watch(visitor: Visitor) -> None:
    host = urlsplit(visitor.url).netloc

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visitor.troubles.append(f"console {message.type}: {message.text}")

    def asked(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != host:
            visitor.troubles.append(f"request left the host: {request.url}")
        if address.path.endswith(".js"):
            visitor.scripts.add(request.url)

    visitor.page.on("console", said)
    visitor.page.on("pageerror", lambda error: visitor.troubles.append(f"exception: {error}"))
    visitor.page.context.on("request", asked)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        assert server.poll() is None, f"The server ended with {server.returncode}."
        if _answers(url):
            return
        time.sleep(0.5)
    raise AssertionError(f"The server was not ready within {_START_S} s.")


def _answers(url: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
