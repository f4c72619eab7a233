"""OGC API Tiles: what tilesets there are, how their addresses are made, and the one tile matrix set."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

from onemap.domain.feature import EPSG_3857
from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.errors import BadTile
from onemap.ogc.links import JSON, MVT, OGC, link, own_links
from onemap.ogc.request import Request

MATRIX_SET = "WebMercatorQuad"
MATRIX_SET_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
MAX_ZOOM = 24

_HALF = 20037508.342789244
_SCALE_0 = 559082264.028717
#: A pixel is 0.28 mm.
_PIXEL_M = 0.00028


class TileAnswer(Protocol):
    """One tile: gzip-compressed MVT, empty where nothing is in it; ``etag`` is quoted."""

    @property
    def body(self) -> bytes:
        """The bytes."""

    @property
    def etag(self) -> str:
        """What tells one version from another."""


#: ``tile(layer, scope, z, x, y)``; ``BadTile`` for an address that no tile can have.
type CutTile = Callable[[Layer, Scope, int, int, int], Awaitable[TileAnswer]]


def tilesets(request: Request, path: str, title: str) -> dict[str, Any]:
    """The list of tilesets below ``path``: one. Every link in it leads to a document that exists."""
    return {
        "title": title,
        "links": own_links(request, path),
        "tilesets": [
            {
                "title": title,
                "dataType": "vector",
                "crs": EPSG_3857.uri,
                "tileMatrixSetId": MATRIX_SET,
                "tileMatrixSetURI": MATRIX_SET_URI,
                "links": [
                    link("self", JSON, title, f"{request.base_url}{path}/{MATRIX_SET}?f=json"),
                    _scheme(request),
                ],
            }
        ],
    }


def tileset(
    request: Request, path: str, title: str, layers: Sequence[Layer], bounds: tuple[float, float, float, float] | None
) -> dict[str, Any]:
    """One tileset: its layers, zooms, bounds, and the template of its tiles' addresses."""
    zooms = range(min(layer.tiling.min_zoom for layer in layers), max(layer.tiling.max_zoom for layer in layers) + 1)
    template = f"{request.base_url}{path}/{MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    document: dict[str, Any] = {
        "title": title,
        "dataType": "vector",
        "crs": EPSG_3857.uri,
        "tileMatrixSetId": MATRIX_SET,
        "tileMatrixSetURI": MATRIX_SET_URI,
        "layers": [_layer(layer, request) for layer in layers],
        "tileMatrixSetLimits": [
            {
                "tileMatrix": str(z),
                "minTileRow": 0,
                "maxTileRow": (1 << z) - 1,
                "minTileCol": 0,
                "maxTileCol": (1 << z) - 1,
            }
            for z in zooms
        ],
        "links": [
            *own_links(request, f"{path}/{MATRIX_SET}"),
            link("item", MVT, title, template, templated=True),
            _scheme(request),
        ],
    }
    if bounds is not None:
        west, south, east, north = bounds
        document["boundingBox"] = {
            "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            "lowerLeft": [west, south],
            "upperRight": [east, north],
        }
    return document


def matrix_sets(request: Request) -> dict[str, Any]:
    """The list of tile matrix sets."""
    address = f"{request.base_url}/tileMatrixSets/{MATRIX_SET}?f=json"
    return {
        "tileMatrixSets": [
            {
                "id": MATRIX_SET,
                "title": "Google Maps Compatible for the World",
                "uri": MATRIX_SET_URI,
                "crs": EPSG_3857.uri,
                "links": [link("self", JSON, MATRIX_SET, address), link("item", JSON, MATRIX_SET, address)],
            }
        ],
        "links": own_links(request, "/tileMatrixSets"),
    }


def matrix_set(request: Request) -> dict[str, Any]:
    """The definition of the Web Mercator quad, zooms 0 to 24."""
    return {
        "id": MATRIX_SET,
        "title": "Google Maps Compatible for the World",
        "uri": MATRIX_SET_URI,
        "crs": EPSG_3857.uri,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [
            {
                "id": str(z),
                "scaleDenominator": _SCALE_0 / (1 << z),
                "cellSize": _SCALE_0 / (1 << z) * _PIXEL_M,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-_HALF, _HALF],
                "tileWidth": 256,
                "tileHeight": 256,
                "matrixWidth": 1 << z,
                "matrixHeight": 1 << z,
            }
            for z in range(MAX_ZOOM + 1)
        ],
        "links": own_links(request, f"/tileMatrixSets/{MATRIX_SET}"),
    }


def address(matrix: str, row: str, column: str) -> tuple[int, int, int]:
    """Zoom, x and y of a tile; ``BadTile`` where no tile can be."""
    numbers = []
    for name, text in (("tileMatrix", matrix), ("tileRow", row), ("tileCol", column)):
        if not text.isascii() or not text.isdigit() or len(text) > 12:
            raise BadTile(f"{name} is '{text[:20]}'; it must be a whole number.")
        numbers.append(int(text))
    z, y, x = numbers
    if z > MAX_ZOOM:
        raise BadTile(f"{MATRIX_SET} has no tile matrix {z}; they are 0 to {MAX_ZOOM}.")
    if max(x, y) >= 1 << z:
        raise BadTile(f"Tile matrix {z} has rows and columns 0 to {(1 << z) - 1}.")
    return z, x, y


def joined(tiles: Iterable[TileAnswer]) -> tuple[bytes, str]:
    """Several layers' tiles as one (a tile is its layers, one after the other), compressed, and its ETag."""
    found = [tile for tile in tiles if tile.body]
    if not found:
        return b"", '"empty"'
    mark = hashlib.blake2b("".join(tile.etag for tile in found).encode(), digest_size=10).hexdigest()
    return gzip.compress(b"".join(gzip.decompress(tile.body) for tile in found), 5, mtime=0), f'"{mark}"'


def plain(body: bytes) -> bytes:
    """A tile for a client that reads no gzip."""
    return gzip.decompress(body) if body else b""


def _layer(layer: Layer, request: Request) -> dict[str, Any]:
    kind = 0 if layer.geometry.is_point else 1 if layer.geometry.is_line else 2
    return {
        "id": layer.name,
        "title": layer.title.in_language(request.language),
        "dataType": "vector",
        "geometryDimension": kind,
        "minTileMatrix": str(layer.tiling.min_zoom),
        "maxTileMatrix": str(layer.tiling.max_zoom),
    }


def _scheme(request: Request) -> dict[str, Any]:
    href = f"{request.base_url}/tileMatrixSets/{MATRIX_SET}?f=json"
    return link(f"{OGC}tiling-scheme", JSON, MATRIX_SET, href)
