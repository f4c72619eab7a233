"""The one place where the parts meet: ``create_app(settings, database_url)``."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from onemap.analyses.all import ALL
from onemap.analyses.camera_sight import Sights
from onemap.analyses.circle_ground import LifeCircles
from onemap.analyses.nearest import read_dispatch_rules
from onemap.analyses.responders import Responders
from onemap.analyses.runner import work
from onemap.analyses.streets import StreetNetworks
from onemap.api import (
    areas,
    cameras,
    cards,
    coverage,
    dispatch,
    events,
    export,
    features,
    health,
    isochrones,
    kpis,
    live,
    positions,
    problems,
    responders,
    search,
    session,
    siting,
    stats,
)
from onemap.api import catalog as catalog_routes
from onemap.api.deps import Parts
from onemap.api.sign_in import SignIn
from onemap.api.tiles import tile_routes
from onemap.catalog.read import read_catalog
from onemap.catalog.style import read_style_book
from onemap.domain.rule_set import read_rule_sets
from onemap.domain.scope import Scope
from onemap.live.changes import LiveChanges
from onemap.live.demo_events import let_demo_go_on
from onemap.live.demo_staff import move_demo_staff
from onemap.live.notices import follow_layers
from onemap.live.positions import Positions
from onemap.live.stopping import told_to_stop
from onemap.ogc.mount import ogc_routes
from onemap.settings import Settings
from onemap.store.accounts import account_of
from onemap.store.db import AsyncDb, Db
from onemap.store.ready import what_is_missing
from onemap.store.recent import Recent
from onemap.store.tiles import TileCache, TileStore

_STATIC = Path(__file__).parent / "static" / "dashboard"
_YEAR_S = 31_536_000
#: How long a stopping server waits for its running job, seconds; another process takes the job over.
_PATIENCE_S = 2.0
#: Indicators that take long may be so old, seconds.
_SLOW_KPIS_S = 10.0
#: A thread that computes gives way to one that answers after this time, seconds.
_SWITCH_S = 0.0002


def create_from_env() -> ASGIApp:
    """The app of one server process; ``onemap run`` has put the database into the environment."""
    _end_with_parent()
    sys.setswitchinterval(_SWITCH_S)
    settings = Settings.from_env()
    app = create_app(settings, settings.database_url)
    # what there is now stays: a search for garbage need not walk through all of it while somebody waits
    gc.collect()
    gc.freeze()
    return app


def create_app(settings: Settings, database_url: str) -> ASGIApp:
    """The whole server as an ASGI app on a migrated database."""
    _log_as_json()
    catalog = read_catalog(settings.layers_dir)
    db = Db(database_url)
    adb = AsyncDb(database_url)
    tiles = TileStore(catalog, adb, TileCache())
    streets = StreetNetworks(db, catalog)
    circles = LifeCircles(db, catalog, streets)
    sights = Sights(db, catalog)
    changes = LiveChanges(adb, catalog)
    posts = Responders(db, catalog, streets)
    reports = Positions(Db(database_url, max_size=1), catalog, moved=posts.moved, kept_days=int(settings.position_days))

    def written(layer: str, backend: int) -> None:
        for tell in (tiles.cache.invalidate, streets.written, circles.written, changes.written):
            tell(layer)
        if backend != reports.backend:
            posts.written(layer)

    def missed() -> None:
        for forget in (tiles.cache.clear, streets.forget, circles.forget, changes.missed, posts.forget):
            forget()

    async def find_account(token: str) -> tuple[str, Scope] | None:
        return await account_of(adb, token)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        db.open()
        await adb.open()
        stop = threading.Event()
        runner = threading.Thread(
            target=work, args=(db, catalog, ALL, stop), kwargs={"streets": streets, "posts": posts}, name="onemap jobs",
            daemon=True,
        )  # fmt: skip
        runner.start()
        reports.start()
        tasks = [
            asyncio.create_task(follow_layers(database_url, written, missed)),
            asyncio.create_task(move_demo_staff(db)),
            asyncio.create_task(changes.purge()),
            *([asyncio.create_task(let_demo_go_on(db))] if settings.demo_goes_on else []),
        ]
        try:
            with told_to_stop(changes.close):
                yield
        finally:
            changes.close()
            stop.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(reports.stop, _PATIENCE_S)
            await asyncio.to_thread(runner.join, _PATIENCE_S)
            await asyncio.to_thread(circles.stop, _PATIENCE_S)
            await adb.close()
            db.close()

    app = _http(lifespan)
    app.router.routes[:0] = [
        positions.PositionRoute(),
        *tile_routes(catalog, tiles, read_style_book(settings.tiles_dir), public_url=settings.public_url),
        *ogc_routes(
            catalog,
            db,
            adb,
            tile=tiles.tile,
            registry=ALL,
            streets=streets,
            posts=posts,
            public_url=settings.public_url,
        ),
    ]
    app.state.parts = Parts(
        catalog=catalog,
        db=db,
        streets=streets,
        responders=posts,
        circles=circles,
        sights=sights,
        dispatch=read_dispatch_rules(settings.layers_dir / "rules"),
        grid_rules=read_rule_sets(settings.layers_dir / "rules"),
        slow_kpis=Recent(_SLOW_KPIS_S),
        report=reports.report,
        follow=changes.follow,
    )
    app.state.find_account = find_account
    app.state.is_ready = lambda: what_is_missing(adb, wants_data=settings.demo_scale is not None)
    signed_in = SignIn(app, find_account=find_account, local_scope=settings.local_scope, public_url=settings.public_url)
    return health.Measured(signed_in)


def openapi_document() -> dict[str, object]:
    """The OpenAPI document of our own API, without a database."""

    @asynccontextmanager
    async def nothing(_: FastAPI) -> AsyncIterator[None]:
        yield

    return _http(nothing).openapi()


def _http(lifespan: object) -> FastAPI:
    app = FastAPIOffline(
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        static_url="/api/docs/assets",
        title="一张图 onemap",
        version=version("onemap"),
        summary="The one map: our own questions. GIS clients use /ogc, map clients /tiles.",
        lifespan=lifespan,
    )
    problems.install(app)
    routers = (
        health.router,
        catalog_routes.router,
        areas.router,
        cards.router,
        cameras.router,
        coverage.router,
        dispatch.router,
        export.router,
        events.router,
        features.router,
        isochrones.router,
        kpis.router,
        live.router,
        positions.router,
        responders.router,
        search.router,
        session.router,
        stats.router,
        siting.router,
    )
    for router in routers:
        app.include_router(router)
    _pages(app)
    return app


def _pages(app: FastAPI) -> None:
    """The dashboard's own files; every page of it is the same document."""
    if not (_STATIC / "index.html").is_file():

        @app.get("/", include_in_schema=False)
        def not_built() -> HTMLResponse:
            return HTMLResponse("<!doctype html><title>一张图</title><p>界面尚未构建，请运行 make setup。", 503)

        return

    class _Assets(StaticFiles):
        def file_response(self, *args: object, **kwargs: object) -> Response:
            answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
            answer.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
            return answer

    app.mount("/assets", _Assets(directory=_STATIC / "assets"), name="assets")

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/circle", include_in_schema=False)
    def circle_page() -> FileResponse:
        return FileResponse(_STATIC / "circle.html", headers={"Cache-Control": "no-cache"})


def _end_with_parent() -> None:
    """Stop when the process that started us was killed: nobody else would, and the port would stay taken."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="onemap parent", daemon=True).start()


def _log_as_json() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # looked up when something is said: whoever runs us may have put another in its place
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
