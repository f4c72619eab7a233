"""pygeoapi's configuration, built in memory from the catalogue for one reader at one address."""

from __future__ import annotations

from typing import Any

from onemap.domain.feature import CRS84, DEFAULT_LIMIT, MAX_LIMIT, Crs
from onemap.domain.layer import Catalog, Layer, Title
from onemap.domain.scope import Scope
from onemap.ogc.provider import Source
from onemap.store.db import Db
from onemap.store.features import Features

TITLE = Title("一张图数据服务", "One map feed")
DESCRIPTION = Title(
    "社区治理一张图的要素、瓦片与分析服务，遵循 OGC API 标准",
    "Features, tiles and analyses of the community governance map, by the OGC API standards",
)
LICENSE = "Apache-2.0"

type Bounds = tuple[float, float, float, float]
_WORLD: Bounds = (-180.0, -90.0, 180.0, 90.0)


def pygeoapi_config(
    catalog: Catalog,
    scope: Scope,
    base_url: str,
    *,
    db: Db,
    features: Features,
    crs: tuple[Crs, ...],
    bounds: dict[str, Bounds],
) -> dict[str, Any]:
    """
    The configuration of one reader's feed.

    Parameters
    ----------
    bounds
        West, south, east, north of each layer's features; the world for layers that are not in it.
    """
    resources = {
        layer.name: _resource(layer, Source(layer, scope, features, db, crs), bounds.get(layer.name, _WORLD))
        for layer in catalog
        if scope.sees(layer)
    }
    return {
        "server": {
            "url": base_url,
            "languages": ["zh", "en"],
            "encoding": "utf-8",
            "mimetype": "application/json; charset=UTF-8",
            "pretty_print": False,
            "limits": {"default_items": DEFAULT_LIMIT, "max_items": MAX_LIMIT, "on_exceed": "throttle"},
            "templates": {},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": _words(TITLE),
                "description": _words(DESCRIPTION),
                "keywords": ["onemap"],
                "terms_of_service": base_url,
                "url": base_url,
            },
            "license": {"name": LICENSE, "url": base_url},
            "provider": {"name": "onemap", "url": base_url},
            "contact": {"name": "onemap"},
        },
        "resources": resources,
    }


def _resource(layer: Layer, source: Source, bounds: Bounds) -> dict[str, Any]:
    return {
        "type": "collection",
        "title": _words(layer.title),
        "description": _words(layer.description),
        "keywords": [layer.group, layer.name],
        # no temporal extent here: pygeoapi would refuse a datetime outside it, where the answer is an empty page
        "extents": {"spatial": {"bbox": list(bounds), "crs": CRS84.uri}},
        "links": [],
        "providers": [
            {
                "type": "feature",
                "name": "onemap.ogc.provider.LayerProvider",
                "data": source,
                "id_field": "id",
                "time_field": layer.time,
                "title_field": layer.label,
                "storage_crs": CRS84.uri,
                "crs": [known.uri for known in source.crs],
                "include_extra_query_parameters": True,
            }
        ],
    }


def _words(title: Title) -> dict[str, str]:
    return {"zh": title.zh, "en": title.en}
