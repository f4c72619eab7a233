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
    links = orjson.dumps(item_links(request, layer, fid))
    return Answer(
        b'%b,"links":%b}' % (text[:-1], links), GEOJSON, language=request.language, headers=(content_crs(crs),)
    )


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
