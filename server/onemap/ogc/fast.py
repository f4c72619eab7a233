"""The fast path: JSON items and single items as PostGIS wrote them, with our links around, and nothing in between."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import orjson

from onemap.domain.feature import Crs, Page
from onemap.domain.layer import Layer
from onemap.ogc.answer import Answer
from onemap.ogc.links import GEOJSON, item_links, items_links
from onemap.ogc.query import pack_cursor, read_ask, read_crs
from onemap.ogc.request import Request
from onemap.store.db import AsyncDb
from onemap.store.features import Features

#: Stands for a feature's number in links that are kept.
_FID = b"0000000000000000000"


async def items(request: Request, layer: Layer, features: Features, adb: AsyncDb, known: tuple[Crs, ...]) -> Answer:
    """A page of features."""
    ask = read_ask(request.params, layer, request.scope, known)
    async with adb.connection() as connection:
        page = await features.page_async(connection, layer, request.scope, ask)
    return Answer(_page(request, layer, page), GEOJSON, language=request.language, headers=(content_crs(ask.crs),))


async def item(
    request: Request, layer: Layer, fid: str, features: Features, adb: AsyncDb, known: tuple[Crs, ...]
) -> Answer:
    """One feature."""
    request.only("crs")
    crs = read_crs("crs", request.params.get("crs"), known)
    async with adb.connection() as connection:
        text = await features.item_async(connection, layer, request.scope, fid, crs)
    body = text[:-1] + _item_tail(request, layer, fid)
    return Answer(body, GEOJSON, language=request.language, headers=(content_crs(crs),))


def _item_tail(request: Request, layer: Layer, fid: str) -> bytes:
    """What follows a feature: its links. They are written once for each place, and the number is put in."""
    if request.params:
        return b',"links":%b}' % orjson.dumps(item_links(request, layer, fid))
    return _written_tail(_Place(request, layer)).replace(_FID, fid.encode())


class _Place:
    """What the links of single items depend on, beside their numbers."""

    __slots__ = ("key", "layer", "request")

    def __init__(self, request: Request, layer: Layer) -> None:
        self.request, self.layer = request.without_reader(), layer
        self.key = (request.base_url, request.language, layer.name, layer.title)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Place) and self.key == other.key


@lru_cache(maxsize=256)
def _written_tail(place: _Place) -> bytes:
    return b',"links":%b}' % orjson.dumps(item_links(place.request, place.layer, _FID.decode()))


@lru_cache(maxsize=64)
def content_crs(crs: Crs) -> tuple[bytes, bytes]:
    """The header that says in which CRS the coordinates are."""
    return b"content-crs", f"<{crs.uri}>".encode()


def now() -> str:
    """The time stamp of a page."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _page(request: Request, layer: Layer, page: Page) -> bytes:
    cursor = None if page.cursor is None else pack_cursor(page.cursor)
    links = orjson.dumps(items_links(request, layer, cursor))
    estimated = b'"numberMatchedEstimated":true,' if page.estimated else b""
    return b'{"type":"FeatureCollection","features":[%b],"numberMatched":%d,%b"numberReturned":%d,%b' % (
        page.features,
        page.n_matched,
        estimated,
        page.n_returned,
        b'"timeStamp":"%b","links":%b}' % (now().encode(), links),
    )
