"""The feed as routes of the app: ``ogc_routes`` gives one route that answers everything below ``/ogc``.

JSON items, single items and tiles take the fast path; every other document comes from pygeoapi, as JSON or as a page.
Who may see what is decided before both, and whatever is kept between requests is kept by reader and address.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from onemap.analyses.registry import Registry
from onemap.analyses.responders import Responders
from onemap.analyses.streets import StreetNetworks
from onemap.domain.feature import Crs, crs_list
from onemap.domain.layer import Catalog, Layer
from onemap.domain.scope import EVERYTHING, Scope
from onemap.errors import BadQuery, BadTile, LayerNotFound, OneMapError
from onemap.ogc import documents, fast, html, tiles
from onemap.ogc.answer import PROBLEM_JSON, Answer, json_answer, problem, refused
from onemap.ogc.config import TITLE, pygeoapi_config
from onemap.ogc.library import Library, Refusal
from onemap.ogc.links import GEOJSON, JSON, MVT, OPENAPI, SCHEMA_JSON
from onemap.ogc.openapi import openapi_document
from onemap.ogc.processes import MAX_BODY_B, Processes, refused_process
from onemap.ogc.query import read_ask, read_crs
from onemap.ogc.request import Addresses, Request
from onemap.store.db import AsyncDb, Db
from onemap.store.features import Facts, Features

#: How long a reader's documents are kept, seconds, and for how many readers and addresses.
VIEW_AGE_S, VIEWS = 10.0, 64

#: How long the zone of the data is believed, seconds.
PLACE_AGE_S = 60.0

#: Where the data are when there are none: the zone of Hefei and Jining.
_NOWHERE_DEG = 117.0

_GZIP = (b"content-encoding", b"gzip")
_TILE_AGE = (b"cache-control", b"no-cache")


def ogc_routes(
    catalog: Catalog,
    db: Db,
    adb: AsyncDb,
    *,
    tile: tiles.CutTile,
    registry: Registry | None = None,
    streets: StreetNetworks | None = None,
    posts: Responders | None = None,
    base_path: str = "/ogc",
    public_url: str = "",
    trusted_proxies: frozenset[str] = frozenset(),
) -> list[BaseRoute]:
    """
    The routes of the feed, to be put before the app's others.

    Parameters
    ----------
    tile
        ``tile(layer, scope, z, x, y)`` cuts one vector tile.
    registry
        The analyses that ``/processes`` offers; None for a feed without processes.
    streets, posts
        What this process holds in memory for its analyses, if anything.
    public_url
        The server's address where a proxy stands before it; empty to believe each request.
    trusted_proxies
        Peers whose ``X-Forwarded-Host`` and ``X-Forwarded-Proto`` are believed.
    """
    addresses = Addresses(base_path, public_url=public_url, trusted_proxies=trusted_proxies)
    processes = None if registry is None else Processes(registry, catalog, db, streets=streets, posts=posts)
    return [FeedRoute(Feed(catalog, db, adb, addresses, tile=tile, processes=processes), base_path)]


class FeedRoute(BaseRoute):
    """Everything below a path, with or without a slash behind it: one comparison a request."""

    def __init__(self, feed: Feed, base_path: str) -> None:
        self._feed, self._path, self._below = feed, base_path, f"{base_path}/"

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        """Whether a request is for the feed."""
        if scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if path.startswith(self._below) or path == self._path:
                return Match.FULL, {"onemap.ogc.path": path[len(self._path) :]}
        return Match.NONE, {}

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer it."""
        await self._feed(scope, receive, send)


@dataclass(frozen=True, slots=True)
class _View:
    """The feed as one reader sees it at one address."""

    library: Library
    layers: tuple[Layer, ...]
    facts: dict[str, Facts]
    expires_at: float


class Feed:
    """The feed as an ASGI app; the route leaves the path below it in ``onemap.ogc.path``."""

    def __init__(
        self,
        catalog: Catalog,
        db: Db,
        adb: AsyncDb,
        addresses: Addresses,
        *,
        tile: tiles.CutTile,
        processes: Processes | None,
        features: Features | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._layers = {layer.name: layer for layer in catalog}
        self._catalog, self._db, self._adb, self._addresses = catalog, db, adb, addresses
        self._cut, self._clock = tile, clock
        self._features = features or Features()
        self._processes = processes
        self._views: OrderedDict[tuple[str, Scope], _View] = OrderedDict()
        self._known: tuple[tuple[Crs, ...], float] | None = None
        self._looking: asyncio.Task[tuple[Crs, ...]] | None = None

    async def __call__(self, asgi: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = asgi["onemap.ogc.path"].rstrip("/")
        parts = path.split("/")[1:]
        try:
            request = Request(asgi, path or "/", self._addresses)
        except OneMapError as error:
            await refused(error).send(send)
            return
        answer = await self._explained(request, parts, receive)
        await answer.send(send, body=request.method != "HEAD")

    async def _explained(self, request: Request, parts: list[str], receive: Receive) -> Answer:
        of_processes = bool(parts) and parts[0] in ("processes", "jobs")
        try:
            answer = await self._answer(request, parts, receive)
        except OneMapError as error:
            answer = refused_process(error) if of_processes else refused(error)
        except Refusal as error:
            answer = problem(error.status, error.code, error.detail)
        if request.form == "html" and answer.kind == PROBLEM_JSON:
            return self._error_page(request, answer)
        return answer

    async def _answer(self, request: Request, parts: list[str], receive: Receive) -> Answer:
        if request.method in ("GET", "HEAD"):
            return await self._read(request, parts)
        match request.method, parts:
            case "POST", ["processes", name, "execution"] if self._processes is not None:
                return await asyncio.to_thread(self._processes.execute, request, name, await _body(receive))
            case "DELETE", ["jobs", job_id] if self._processes is not None:
                return json_answer(await asyncio.to_thread(self._processes.dismiss, request, job_id))
            case "OPTIONS", _:
                return Answer(b"", JSON, 204, headers=((b"allow", b"GET, HEAD, OPTIONS"),))
        return problem(405, "MethodNotAllowed", f"{request.method} does nothing here.")

    async def _read(self, request: Request, parts: list[str]) -> Answer:
        match parts:
            case ["collections", name, *rest]:
                return await self._of_layer(request, self._layer(request, name), rest)
            case [] | ["conformance"] | ["openapi"] | ["collections"]:
                return await self._of_feed(request, parts[0] if parts else "landing")
            case ["tiles", *rest]:
                return await self._of_tiles(request, "/tiles", await self._tiled(request), rest)
            case ["tileMatrixSets" | "TileMatrixSets", *rest]:
                return _of_matrix_sets(request, rest)
            case ["processes" | "jobs", *_] if self._processes is not None:
                return await asyncio.to_thread(_of_processes, self._processes, request, parts)
        return _nothing(request)

    # The feed as a whole --------------------------------------------------------------------------------------------

    async def _of_feed(self, request: Request, what: str) -> Answer:
        request.only()
        processes = self._processes is not None
        title = TITLE.in_language(request.language)
        if what == "conformance":
            return _written(request, "document", title, documents.conformance(request, processes=processes))
        crs, view = await self._crs(), await self._view(request)
        if what == "openapi":
            document = openapi_document(request.base_url, view.layers, request.scope, crs, processes=processes)
            return _written(request, "openapi", title, document, OPENAPI)
        if what == "collections":
            document = await asyncio.to_thread(
                documents.collections, view.library, request, view.layers, view.facts, crs
            )
            return _written(request, "collections", title, document)
        document = await asyncio.to_thread(documents.landing, view.library, request, processes=processes)
        return _written(request, "landing", title, document, processes=processes)

    # One layer ------------------------------------------------------------------------------------------------------

    def _layer(self, request: Request, name: str) -> Layer:
        layer = self._layers.get(name)
        if layer is None or not request.scope.sees(layer):
            raise LayerNotFound(name)
        return layer

    async def _of_layer(self, request: Request, layer: Layer, rest: list[str]) -> Answer:
        match rest:
            case ["items"]:
                return await self._items(request, layer)
            case ["items", fid]:
                return await self._item(request, layer, fid)
            case ["tiles", *address]:
                return await self._of_tiles(request, f"/collections/{layer.name}/tiles", (layer,), address)
            case [] | ["queryables"] | ["schema"]:
                return await self._described(request, layer, rest[0] if rest else "collection")
        return _nothing(request)

    async def _described(self, request: Request, layer: Layer, what: str) -> Answer:
        request.only()
        title = layer.title.in_language(request.language)
        view = await self._view(request)
        if what == "collection":
            crs = await self._crs()
            document = await asyncio.to_thread(
                documents.collection, view.library, request, layer, view.facts[layer.name], crs
            )
            return _written(request, "collection", title, document)
        make = documents.collection_queryables if what == "queryables" else documents.collection_schema
        document = await asyncio.to_thread(make, view.library, request, layer)
        return _written(request, "properties", title, document, SCHEMA_JSON)

    async def _items(self, request: Request, layer: Layer) -> Answer:
        crs = await self._crs()
        if request.form == "json":
            return await fast.items(request, layer, self._features, self._adb, crs)
        return await self.items_by_pygeoapi(request, layer)

    async def _item(self, request: Request, layer: Layer, fid: str) -> Answer:
        crs = await self._crs()
        if request.form == "json":
            return await fast.item(request, layer, fid, self._features, self._adb, crs)
        return await self.item_by_pygeoapi(request, layer, fid)

    async def items_by_pygeoapi(self, request: Request, layer: Layer) -> Answer:
        """A page of features, the other way: as a page, and the same as the fast path's in JSON."""
        crs, view = await self._crs(), await self._view(request)
        ask = read_ask(request.params, layer, request.scope, crs)
        document = await asyncio.to_thread(documents.items, view.library, request, layer)
        if request.form == "html":
            return html.items_page(request, layer, document, sketched=ask.crs.is_degrees and not ask.crs.flipped)
        header = fast.content_crs(ask.crs)
        return json_answer(document, GEOJSON, language=request.language, headers=(header,))

    async def item_by_pygeoapi(self, request: Request, layer: Layer, fid: str) -> Answer:
        """One feature, the other way."""
        crs, view = await self._crs(), await self._view(request)
        request.only("crs")
        wanted = read_crs("crs", request.params.get("crs"), crs)
        document = await asyncio.to_thread(documents.item, view.library, request, layer, fid)
        if request.form == "html":
            return html.item_page(request, layer, document, sketched=wanted.is_degrees and not wanted.flipped)
        header = fast.content_crs(wanted)
        return json_answer(document, GEOJSON, language=request.language, headers=(header,))

    # Tiles ----------------------------------------------------------------------------------------------------------

    async def _tiled(self, request: Request) -> tuple[Layer, ...]:
        return tuple(layer for layer in self._layers.values() if request.scope.sees(layer))

    async def _of_tiles(self, request: Request, path: str, layers: tuple[Layer, ...], rest: list[str]) -> Answer:
        title = (layers[0].title if len(layers) == 1 else TITLE).in_language(request.language)
        match rest:
            case []:
                request.only()
                return _written(request, "document", title, tiles.tilesets(request, path, title))
            case [tiles.MATRIX_SET]:
                request.only()
                facts = (await self._view(request)).facts
                bounds = _union(facts[layer.name] for layer in layers)
                return _written(request, "document", title, tiles.tileset(request, path, title, layers, bounds))
            case [tiles.MATRIX_SET, matrix, row, column]:
                return await self._tile(request, layers, tiles.address(matrix, row, column))
            case [other, *_]:
                raise BadTile(f"There is no tile matrix set '{other[:60]}' here; there is {tiles.MATRIX_SET}.")
        return _nothing(request)

    async def _tile(self, request: Request, layers: tuple[Layer, ...], address: tuple[int, int, int]) -> Answer:
        request.only()
        cut = [await self._cut(layer, request.scope, *address) for layer in layers]
        body, etag = (cut[0].body, cut[0].etag) if len(cut) == 1 else tiles.joined(cut)
        headers = [(b"etag", etag.encode()), _TILE_AGE]
        if etag.encode() in request.headers.get(b"if-none-match", b""):
            return Answer(b"", MVT, 304, headers=headers)
        if b"gzip" not in request.headers.get(b"accept-encoding", b""):
            body = tiles.plain(body)
        elif body:
            headers.append(_GZIP)
        return Answer(body, MVT, headers=headers)

    # What is kept ---------------------------------------------------------------------------------------------------

    async def _view(self, request: Request) -> _View:
        """The feed as this reader sees it here, looked up again every few seconds."""
        key = (request.base_url, request.scope)
        view = self._views.get(key)
        if view is None or view.expires_at < self._clock():
            view = await asyncio.to_thread(self._look, request.base_url, request.scope, await self._crs())
            self._views[key] = view
            while len(self._views) > VIEWS:
                self._views.popitem(last=False)
        return view

    def _look(self, base_url: str, scope: Scope, crs: tuple[Crs, ...]) -> _View:
        layers = tuple(layer for layer in self._catalog if scope.sees(layer))
        facts = self._facts(layers, scope)
        bounds = {name: documents.padded(fact.bounds) for name, fact in facts.items() if fact.bounds is not None}
        config = pygeoapi_config(
            self._catalog, scope, base_url, db=self._db, features=self._features, crs=crs, bounds=bounds
        )
        return _View(Library(config), layers, facts, self._clock() + VIEW_AGE_S)

    def _facts(self, layers: tuple[Layer, ...], scope: Scope) -> dict[str, Facts]:
        with self._db.connection() as connection:
            return {layer.name: self._features.facts(connection, layer, scope) for layer in layers}

    async def _crs(self) -> tuple[Crs, ...]:
        """The CRSs of the feed; where the data are is looked up again beside the requests, once a minute."""
        if self._known is not None and self._known[1] > self._clock():
            return self._known[0]
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_where())
            self._looking.add_done_callback(_heard)
        return self._known[0] if self._known is not None else await asyncio.shield(self._looking)

    async def _look_where(self) -> tuple[Crs, ...]:
        try:
            facts = await asyncio.to_thread(self._facts, tuple(self._catalog), EVERYTHING)
            bounds = _union(facts.values())
            crs = crs_list(_NOWHERE_DEG if bounds is None else (bounds[0] + bounds[2]) / 2)
            self._known = (crs, self._clock() + PLACE_AGE_S)
            return crs
        finally:
            self._looking = None

    def _error_page(self, request: Request, answer: Answer) -> Answer:
        document = orjson.loads(answer.body)
        shown = {"links": []} | {name: document[name] for name in ("status", "code", "detail")}
        return html.page(request, "document", document["title"], shown, status=answer.status)


def _written(
    request: Request, template: str, title: str, document: dict[str, Any], kind: str = JSON, **more: Any
) -> Answer:
    """A document in the form that was asked for."""
    if request.form == "html":
        return html.page(request, template, title, document, **more)
    return json_answer(document, kind, language=request.language)


def _of_matrix_sets(request: Request, rest: list[str]) -> Answer:
    request.only()
    if not rest:
        return _written(request, "document", "TileMatrixSets", tiles.matrix_sets(request))
    if rest == [tiles.MATRIX_SET]:
        return _written(request, "document", tiles.MATRIX_SET, tiles.matrix_set(request))
    return _nothing(request)


def _of_processes(processes: Processes, request: Request, parts: list[str]) -> Answer:
    match parts:
        case ["processes"]:
            return _written(request, "document", "/processes", processes.processes(request))
        case ["processes", name]:
            return _written(request, "document", name, processes.process(request, name))
        case ["jobs"]:
            return _written(request, "document", "/jobs", processes.jobs(request))
        case ["jobs", job_id]:
            return _written(request, "document", job_id, processes.job(request, job_id))
        case ["jobs", job_id, "results"]:
            return processes.results(request, job_id)
    return _nothing(request)


def _nothing(request: Request) -> Answer:
    return problem(404, "NotFound", f"There is nothing at '{request.path[:200]}'.")


def _union(facts: Any) -> tuple[float, float, float, float] | None:
    """Bounds around all bounds."""
    found = [fact.bounds for fact in facts if fact.bounds is not None]
    if not found:
        return None
    return min(b[0] for b in found), min(b[1] for b in found), max(b[2] for b in found), max(b[3] for b in found)


def _heard(task: asyncio.Task[Any]) -> None:
    """Take note of how a look beside the requests ended: the next request looks again where it failed."""
    if not task.cancelled():
        task.exception()


async def _body(receive: Receive) -> bytes:
    """The body of a request, as far as it is read at all."""
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_B:
            raise BadQuery(f"The request is larger than {MAX_BODY_B} bytes.")
        if not message.get("more_body", False):
            return b"".join(parts)
