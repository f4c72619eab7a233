"""Is it up, can it answer, how is it doing: /healthz, /readyz, /metrics."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from functools import cache

import structlog
from fastapi import APIRouter, Request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onemap.api.problems import problem
from onemap.errors import OneMapError

type Ready = Callable[[], Awaitable[str | None]]

REQUESTS = Counter("onemap_requests", "Requests by part of the product and status class.", ["part", "status"])
SECONDS = Histogram(
    "onemap_request_seconds",
    "Time to the last byte by part of the product.",
    ["part"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.3, 1, 3, 10),
)

#: A request that takes longer is worth a line in the log, seconds.
_SLOW_S = 1.0
#: A stream is open as long as somebody listens.
_NEVER_END = frozenset({"/api/live"})
_PARTS = frozenset({"api", "ogc", "tiles", "assets", "healthz", "readyz", "metrics"})

router = APIRouter(tags=["operation"])
_log = structlog.get_logger()


@router.get("/healthz", response_class=PlainTextResponse)
async def alive() -> str:
    """The process is up."""
    return "ok\n"


@router.get("/readyz", response_class=PlainTextResponse)
async def ready(request: Request) -> Response:
    """200 once the migrations and the first data are in."""
    is_ready: Ready = request.app.state.is_ready
    try:
        missing = await is_ready()
    except OneMapError as error:
        missing = str(error)
    return problem(503, missing) if missing else PlainTextResponse("ready\n")


@router.get("/metrics", response_class=PlainTextResponse)
def metrics() -> Response:
    """Prometheus metrics of all server processes."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Measured:
    """ASGI middleware: counts requests, logs slow and failed ones."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # finding a counter by its labels takes longer than counting
        self._requests = cache(lambda part, status: REQUESTS.labels(part, f"{status}xx"))
        self._seconds = cache(SECONDS.labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            took = time.perf_counter() - began
            part = scope["path"].split("/", 2)[1]
            part = part if part in _PARTS else "page"
            self._requests(part, status // 100).inc()
            self._seconds(part).observe(took)
            if (took > _SLOW_S and scope["path"] not in _NEVER_END) or status >= 500:
                _log.warning("request", path=scope["path"], status=status, seconds=round(took, 3))
