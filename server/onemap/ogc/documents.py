"""The feed's documents: pygeoapi's words, with our links, extents, CRSs, queryables and schemas."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from onemap.catalog.ogc import queryables, schema
from onemap.domain.feature import CRS84, EPSG_4490, Crs
from onemap.domain.layer import Layer
from onemap.ogc import links
from onemap.ogc.conformance import COMMON, FEATURES, PROCESSES, TILES
from onemap.ogc.library import Library
from onemap.ogc.request import Request
from onemap.store.features import Facts

type Json = dict[str, Any]

_GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"

#: An extent is given this much larger, degrees and share of its size: a box of metres around it holds everything.
_PAD_DEG, _PAD_SHARE = 0.001, 0.02


def landing(library: Library, request: Request, *, processes: bool) -> Json:
    """The landing page."""
    document = library.landing(request.language)
    return {
        "title": document["title"],
        "description": document["description"],
        "links": links.landing_links(request, processes=processes),
    }


def conformance(request: Request, *, processes: bool) -> Json:
    """The conformance declaration."""
    return {
        "conformsTo": [*COMMON, *FEATURES, *TILES, *(PROCESSES if processes else ())],
        "links": links.own_links(request, "/conformance"),
    }


def collections(
    library: Library, request: Request, layers: Iterable[Layer], facts: Mapping[str, Facts], crs: tuple[Crs, ...]
) -> Json:
    """All collections that the reader may see."""
    found = {document["id"]: document for document in library.collections(request.language)["collections"]}
    return {
        "links": links.own_links(request, "/collections"),
        "collections": [
            _collection(found[layer.name], request, layer, facts[layer.name], crs, alone=False) for layer in layers
        ],
    }


def collection(library: Library, request: Request, layer: Layer, facts: Facts, crs: tuple[Crs, ...]) -> Json:
    """One collection."""
    document = library.collection(request.language, layer.name)
    return _collection(document, request, layer, facts, crs, alone=True)


def collection_queryables(library: Library, request: Request, layer: Layer) -> Json:
    """What a collection can be filtered by."""
    document = library.queryables(request.language, layer.name)
    address = f"{request.base_url}/collections/{layer.name}/queryables"
    return document | queryables(layer, request.scope, request.language, address)


def collection_schema(library: Library, request: Request, layer: Layer) -> Json:
    """The form of a collection's features."""
    document = library.schema(request.language, layer.name)
    address = f"{request.base_url}/collections/{layer.name}/schema"
    return document | schema(layer, request.scope, request.language, address)


def items(library: Library, request: Request, layer: Layer) -> Json:
    """A page of features, pygeoapi's way; the fast path gives the same."""
    params = dict(request.params)
    if request.form == "html":
        params.setdefault("limit", "100")
    document = library.items(request.language, layer.name, params)
    document["links"] = links.items_links(request, layer, document.pop("next", None))
    return document


def item(library: Library, request: Request, layer: Layer, fid: str) -> Json:
    """One feature, pygeoapi's way; the fast path gives the same."""
    document = library.item(request.language, layer.name, fid, request.params)
    document["links"] = links.item_links(request, layer, fid)
    return document


def padded(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Bounds rounded outwards to hundredths of a degree, so that they hold everything and do not flicker."""
    west, south, east, north = bounds
    pad_x, pad_y = (max(_PAD_DEG, _PAD_SHARE * size) for size in (east - west, north - south))
    return (
        max(-180.0, math.floor((west - pad_x) * 100) / 100),
        max(-90.0, math.floor((south - pad_y) * 100) / 100),
        min(180.0, math.ceil((east + pad_x) * 100) / 100),
        min(90.0, math.ceil((north + pad_y) * 100) / 100),
    )


def _collection(
    document: Json, request: Request, layer: Layer, facts: Facts, crs: tuple[Crs, ...], *, alone: bool
) -> Json:
    extent: Json = {}
    if facts.bounds is not None:
        extent["spatial"] = {"bbox": [list(padded(facts.bounds))], "crs": CRS84.uri}
    if facts.starts_at is not None and facts.ends_at is not None:
        extent["temporal"] = {"interval": [_days(facts.starts_at, facts.ends_at)], "trs": _GREGORIAN}
    described = {
        "id": layer.name,
        "title": document["title"],
        "description": document["description"],
        "keywords": document["keywords"],
        "extent": extent,
        "itemType": "feature",
        "crs": [known.uri for known in crs],
        "storageCrs": EPSG_4490.uri,
        "links": links.collection_links(request, layer, alone=alone),
    }
    if not extent:
        del described["extent"]
    return described


def _days(starts_at: datetime, ends_at: datetime) -> list[str]:
    """An interval of whole days that holds both."""
    first = starts_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last = ends_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (first, last)]
