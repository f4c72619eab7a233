"""Vector tiles, TileJSON, styles, sprites and single symbols over HTTP.

The tiles' own route is raw ASGI: a remembered tile is answered without a request object, a router's regular expressions
or any waiting. It stands behind the sign-in middleware, so the reader's scope is known before the cache is asked.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from typing import cast

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from onemap.catalog.palette import THEMES
from onemap.catalog.sprites import Sheet, sprite_sheet, symbol_svg
from onemap.catalog.style import StyleBook, build_style
from onemap.domain.layer import Catalog, FieldType, Language, Layer
from onemap.domain.scope import PUBLIC, scope_of
from onemap.domain.scope import Scope as Reader
from onemap.errors import BadQuery, BadTile, LayerNotFound
from onemap.store.tiles import Tile, TileStore

MVT = "application/vnd.mapbox-vector-tile"

type _Header = tuple[bytes, bytes]

_TILE_HEADERS = [(b"content-type", MVT.encode()), (b"vary", b"accept-encoding, authorization, cookie")]
_SHARED = (b"cache-control", b"public, no-cache")
_PRIVATE = (b"cache-control", b"private, no-cache")


def tile_routes(catalog: Catalog, store: TileStore, book: StyleBook, *, public_url: str = "") -> list[BaseRoute]:
    """
    The routes below ``/tiles``, to stand before all others.

    Parameters
    ----------
    public_url
        Where readers reach the server; empty: where the request says it went.
    """
    pages = _Pages(catalog, store, book, public_url)
    return [
        TileRoute(catalog, store),
        Route("/tiles/style/{theme}.json", pages.style),
        Route("/tiles/sprites/{sheet}.json", pages.sprite_index),
        Route("/tiles/sprites/{sheet}.png", pages.sprite_picture),
        Route("/tiles/symbols/{theme}/{name}.svg", pages.symbol),
        Route("/tiles/{layer}.json", pages.tilejson),
    ]


class TileRoute(BaseRoute):
    """``/tiles/{layer}/{z}/{x}/{y}.mvt``; ``{layer}+{layer}`` is a tile of several layers."""

    def __init__(self, catalog: Catalog, store: TileStore) -> None:
        self._layers = {layer.name: layer for layer in catalog}
        self._store = store

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request asks for a tile."""
        if scope["type"] == "http" and scope["path"].endswith(".mvt") and "/tiles/" in scope["path"]:
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the tile, 304 where the reader has it, 204 where nothing is in it."""
        if scope["method"] not in ("GET", "HEAD"):
            await Response(status_code=405, headers={"Allow": "GET, HEAD"})(scope, receive, send)
            return
        layers, z, x, y = self._address(scope["path"])
        reader = scope_of(scope)
        if len(layers) > 1:
            tile = await self._store.together(layers, reader, z, x, y)
        else:
            remembered = self._store.remembered(layers[0], reader, z, x, y)
            tile = remembered or await self._store.tile(layers[0], reader, z, x, y)
        status, headers, body = _answer(tile, scope["headers"], shared=reader == PUBLIC)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _address(self, path: str) -> tuple[tuple[Layer, ...], int, int, int]:
        names, *numbers = path[path.rindex("/tiles/") + 7 : -4].split("/")
        layers = tuple(map(self._layer, names.split("+")))
        if len(set(names.split("+"))) < len(layers):
            raise BadTile(f"'{names}' names a layer twice; name each once.")
        if len(numbers) != 3 or not all(number.isascii() and number.isdigit() for number in numbers):
            raise BadTile(f"'{'/'.join(numbers)}' is no tile; an address is zoom/x/y, three whole numbers.")
        if any(len(number) > 9 for number in numbers):
            raise BadTile("There is no tile so far out.")
        z, x, y = map(int, numbers)
        return layers, z, x, y

    def _layer(self, name: str) -> Layer:
        layer = self._layers.get(name)
        if layer is None:
            raise LayerNotFound(name)
        return layer


def _answer(
    tile: Tile, asked: Iterable[tuple[bytes, bytes]], *, shared: bool
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body for a tile, as the request's headers ask for it."""
    etag = tile.etag.encode()
    headers = [*_TILE_HEADERS, (b"etag", etag), _SHARED if shared else _PRIVATE]
    if not tile.body:
        return 204, headers[1:], b""
    zipped = False
    for name, value in asked:
        if name == b"if-none-match" and (etag in value or value == b"*"):
            return 304, headers[1:], b""
        if name == b"accept-encoding":
            zipped = b"gzip" in value
    body = tile.body if zipped else gzip.decompress(tile.body)
    if zipped:
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    return 200, headers, body


class _Pages:
    """Everything below ``/tiles`` that is no tile."""

    def __init__(self, catalog: Catalog, store: TileStore, book: StyleBook, public_url: str) -> None:
        self._catalog = catalog
        self._store = store
        self._book = book
        self._public_url = public_url.rstrip("/")
        self._sheets: dict[tuple[str, int], Sheet] = {}

    async def style(self, request: Request) -> Response:
        """The style of the layers that the reader may see."""
        theme, language = self._theme(request.path_params["theme"]), request.query_params.get("lang", "zh")
        if language not in ("zh", "en"):
            raise BadQuery(f"lang is '{language}'; it must be zh or en.")
        reader = scope_of(request.scope)
        style = build_style(
            (layer for layer in self._catalog if reader.sees(layer)),
            self._book,
            theme=theme,
            language=cast(Language, language),
            base_url=self._base(request),
        )
        return _page(request, orjson.dumps(style), "application/json", reader)

    async def sprite_index(self, request: Request) -> Response:
        """Where each symbol stands in the sprite sheet."""
        return _page(request, (await self._sheet(request)).index, "application/json", PUBLIC)

    async def sprite_picture(self, request: Request) -> Response:
        """The sprite sheet."""
        return _page(request, (await self._sheet(request)).png, "image/png", PUBLIC)

    async def symbol(self, request: Request) -> Response:
        """One symbol, for legends."""
        theme, name = self._theme(request.path_params["theme"]), request.path_params["name"]
        drawing = self._book.symbols.get(name)
        if drawing is None:
            raise BadTile(f"There is no symbol '{name}'.")
        return _page(request, symbol_svg(drawing, self._book.palettes[theme]).encode(), "image/svg+xml", PUBLIC)

    async def tilejson(self, request: Request) -> Response:
        """A layer's TileJSON 3."""
        layer, reader = self._catalog.layer(request.path_params["layer"]), scope_of(request.scope)
        bounds = await self._store.bounds(layer, reader)
        document = {
            "tilejson": "3.0.0",
            "name": layer.title.zh,
            "description": layer.description.zh,
            "version": "1.0.0",
            "scheme": "xyz",
            "attribution": layer.source,
            "tiles": [f"{self._base(request)}/tiles/{layer.name}/{{z}}/{{x}}/{{y}}.mvt"],
            "minzoom": layer.tiling.min_zoom,
            "maxzoom": layer.tiling.max_zoom,
            **({"bounds": bounds} if bounds else {}),
            "vector_layers": _vector_layers(layer, reader),
        }
        return _page(request, orjson.dumps(document), "application/json", reader)

    async def _sheet(self, request: Request) -> Sheet:
        theme, at, ratio = request.path_params["sheet"].partition("@")
        if at and ratio != "2x":
            raise BadTile(f"Sprites come at 1x and 2x, not at '{ratio}'.")
        key = (self._theme(theme), 2 if at else 1)
        if key not in self._sheets:
            palette = self._book.palettes[key[0]]
            self._sheets[key] = await run_in_threadpool(sprite_sheet, self._book.symbols, palette, key[1])
        return self._sheets[key]

    def _theme(self, theme: str) -> str:
        if theme not in THEMES:
            raise BadTile(f"There is no theme '{theme}'; it is {' or '.join(THEMES)}.")
        return theme

    def _base(self, request: Request) -> str:
        return self._public_url or str(request.base_url).rstrip("/")


def _vector_layers(layer: Layer, reader: Reader) -> list[dict[str, object]]:
    fields = {
        name: _TILEJSON_TYPES.get(layer.field(name).type, "String")
        for name in layer.tiling.fields
        if reader.sees_field(layer, layer.field(name))
    }
    zooms = {"minzoom": layer.tiling.min_zoom, "maxzoom": layer.tiling.max_zoom}
    return [{"id": layer.name, "description": layer.title.zh, **zooms, "fields": fields}]


_TILEJSON_TYPES = {
    FieldType.INTEGER: "Number",
    FieldType.NUMBER: "Number",
    FieldType.DATETIME: "Number",
    FieldType.BOOLEAN: "Boolean",
}


def _page(request: Request, body: bytes, media_type: str, reader: Reader) -> Response:
    """A document with its ETag, or 304 where the reader has it."""
    etag = f'"{hashlib.blake2b(body, digest_size=10).hexdigest()}"'
    cache = "public, no-cache" if reader == PUBLIC else "private, no-cache"
    headers = {"ETag": etag, "Cache-Control": cache, "Vary": "Accept-Encoding, Authorization, Cookie"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if len(body) > 1000 and media_type != "image/png" and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type=media_type)
