"""The feed's OpenAPI document: version 3.0.3, every schema and parameter in place, no reference anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from onemap.catalog.ogc import parameter_schema
from onemap.domain.feature import CRS84, DEFAULT_LIMIT, MAX_LIMIT, Crs, feed_fields
from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.ogc.config import DESCRIPTION, LICENSE, TITLE
from onemap.ogc.links import GEOJSON, HTML, JSON, MVT, OPENAPI, SCHEMA_JSON
from onemap.ogc.query import RESERVED

type Json = dict[str, Any]

_LINKS: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["href", "rel"],
        "properties": {name: {"type": "string"} for name in ("href", "rel", "type", "hreflang", "title")},
    },
}
_PROBLEM: Json = {
    "type": "object",
    "required": ["code"],
    "properties": {
        "code": {"type": "string"},
        "description": {"type": "string"},
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_GEOMETRY: Json = {
    "type": "object",
    "nullable": True,
    "required": ["type"],
    "properties": {
        "type": {
            "type": "string",
            "enum": ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"],
        },
        "coordinates": {"type": "array", "items": {}},
    },
}
_FEATURE: Json = {
    "type": "object",
    "required": ["type", "geometry", "properties"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": {"type": "integer"},
        "geometry": _GEOMETRY,
        "properties": {"type": "object", "nullable": True},
        "links": _LINKS,
    },
}
_FEATURES: Json = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": _FEATURE},
        "numberMatched": {"type": "integer", "minimum": 0},
        "numberReturned": {"type": "integer", "minimum": 0},
        "numberMatchedEstimated": {"type": "boolean"},
        "timeStamp": {"type": "string", "format": "date-time"},
        "links": _LINKS,
    },
}
_LANDING: Json = {
    "type": "object",
    "required": ["links"],
    "properties": {"title": {"type": "string"}, "description": {"type": "string"}, "links": _LINKS},
}
_CONFORMANCE: Json = {
    "type": "object",
    "required": ["conformsTo"],
    "properties": {"conformsTo": {"type": "array", "items": {"type": "string"}}},
}
_COLLECTION: Json = {
    "type": "object",
    "required": ["id", "links"],
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "links": _LINKS,
        "extent": {"type": "object"},
        "itemType": {"type": "string", "default": "feature"},
        "crs": {"type": "array", "items": {"type": "string"}, "default": [CRS84.uri]},
        "storageCrs": {"type": "string"},
    },
}
_COLLECTIONS: Json = {
    "type": "object",
    "required": ["links", "collections"],
    "properties": {"links": _LINKS, "collections": {"type": "array", "items": _COLLECTION}},
}
_ANY: Json = {"type": "object"}


def openapi_document(
    base_url: str, layers: Iterable[Layer], scope: Scope, known: tuple[Crs, ...], *, processes: bool
) -> Json:
    """What one reader can ask of the feed at one address."""
    paths: Json = {
        "/": _get("getLandingPage", "Landing page", "server", _both(_LANDING)),
        "/conformance": _get("getConformanceDeclaration", "Conformance classes", "server", _both(_CONFORMANCE)),
        "/openapi": _get("getOpenapi", "This document", "server", {OPENAPI: _ANY, HTML: {"type": "string"}}),
        "/collections": _get("getCollections", "Collections", "server", _both(_COLLECTIONS)),
        "/tileMatrixSets": _get("getTileMatrixSetsList", "Tile matrix sets", "tiles", _both(_ANY)),
        "/tileMatrixSets/{tileMatrixSetId}": _get(
            "getTileMatrixSet", "A tile matrix set", "tiles", _both(_ANY), [_matrix_set()]
        ),
        **_tile_paths("/tiles", "dataset"),
    }
    listed = list(layers)
    for layer in listed:
        paths |= _collection_paths(layer, scope, known)
    if processes:
        paths |= _process_paths()
    return {
        "openapi": "3.0.3",
        "info": {
            "title": TITLE.en,
            "description": DESCRIPTION.en,
            "version": "1.0.0",
            "license": {"name": LICENSE, "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": base_url}],
        "tags": [
            {"name": "server"},
            *({"name": layer.name, "description": layer.title.en} for layer in listed),
            {"name": "tiles"},
            *([{"name": "processes"}] if processes else []),
        ],
        "paths": paths,
    }


def items_parameters(layer: Layer, scope: Scope, known: tuple[Crs, ...]) -> list[Json]:
    """Every parameter of a layer's items."""
    uris = [crs.uri for crs in known]
    numbers = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    crs_schema = {"type": "string", "format": "uri", "enum": uris, "default": CRS84.uri}
    names = [field.name for field in feed_fields(layer, scope)]
    return [
        _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
        _parameter("bbox", numbers),
        _parameter("bbox-crs", crs_schema),
        _parameter("datetime", {"type": "string"}),
        _parameter("crs", crs_schema),
        _parameter("filter", {"type": "string", "maxLength": 2048}),
        _parameter("filter-lang", {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"}),
        _parameter("filter-crs", crs_schema),
        _parameter("sortby", {"type": "array", "items": {"type": "string"}}),
        _parameter("properties", {"type": "array", "items": {"type": "string", "enum": names}}),
        _parameter("skipGeometry", {"type": "boolean", "default": False}),
        _parameter("offset", {"type": "integer", "minimum": 0, "default": 0}),
        _parameter("after", {"type": "string"}),
        *(
            _parameter(field.name, parameter_schema(field))
            for field in feed_fields(layer, scope)
            if field.name not in RESERVED
        ),
    ]


def _collection_paths(layer: Layer, scope: Scope, known: tuple[Crs, ...]) -> Json:
    name, title, path = layer.name, layer.title.en, f"/collections/{layer.name}"
    fid = _parameter("featureId", {"type": "string"}, place="path")
    crs = _parameter("crs", {"type": "string", "format": "uri", "enum": [c.uri for c in known], "default": CRS84.uri})
    schema_forms = {SCHEMA_JSON: _ANY, HTML: {"type": "string"}}
    return {
        path: _get(f"{name}.describeCollection", title, name, _both(_COLLECTION)),
        f"{path}/items": _get(
            f"{name}.getFeatures",
            f"{title}: items",
            name,
            {GEOJSON: _FEATURES, HTML: {"type": "string"}},
            items_parameters(layer, scope, known),
        ),
        f"{path}/items/{{featureId}}": _get(
            f"{name}.getFeature", f"{title}: one item", name, {GEOJSON: _FEATURE, HTML: {"type": "string"}}, [fid, crs]
        ),
        f"{path}/queryables": _get(f"{name}.getQueryables", f"{title}: queryables", name, schema_forms),
        f"{path}/schema": _get(f"{name}.getSchema", f"{title}: schema", name, schema_forms),
        **_tile_paths(f"{path}/tiles", name),
    }


def _tile_paths(path: str, name: str) -> Json:
    place = [_parameter(part, {"type": "string"}, place="path") for part in ("tileMatrix", "tileRow", "tileCol")]
    return {
        path: _get(f"{name}.vector.getTileSetsList", "Vector tilesets", "tiles", _both(_ANY)),
        f"{path}/{{tileMatrixSetId}}": _get(
            f"{name}.vector.getTileSet", "A vector tileset", "tiles", _both(_ANY), [_matrix_set()]
        ),
        f"{path}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": _get(
            f"{name}.vector.getTile",
            "A vector tile",
            "tiles",
            {MVT: {"type": "string", "format": "binary"}},
            [_matrix_set(), *place],
            common=False,
        ),
    }


def _process_paths() -> Json:
    process = _parameter("processID", {"type": "string"}, place="path")
    job = _parameter("jobId", {"type": "string"}, place="path")
    limit = _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
    execute = _get("execute", "Run a process", "processes", {JSON: _ANY}, [process], common=False)
    execute["post"] = {
        **execute.pop("get"),
        "requestBody": {"required": True, "content": {JSON: {"schema": _ANY}}},
    }
    execute["post"]["responses"]["201"] = {
        "description": "A job was started.",
        "headers": {"Location": {"schema": {"type": "string"}}},
        "content": {JSON: {"schema": _ANY}},
    }
    status = _get("getStatus", "How far a job is", "processes", _both(_ANY), [job])
    dismiss = _get("dismiss", "Stop a job", "processes", {JSON: _ANY}, [job], common=False)
    return {
        "/processes": _get("getProcesses", "Processes", "processes", _both(_ANY), [limit]),
        "/processes/{processID}": _get("getProcessDescription", "A process", "processes", _both(_ANY), [process]),
        "/processes/{processID}/execution": execute,
        "/jobs": _get("getJobs", "Jobs", "processes", _both(_ANY), [limit]),
        "/jobs/{jobId}": {**status, "delete": dismiss["get"]},
        "/jobs/{jobId}/results": _get("getResult", "What a job found", "processes", {JSON: _ANY}, [job]),
    }


def _get(
    operation: str,
    summary: str,
    tag: str,
    forms: Mapping[str, Json],
    parameters: Iterable[Json] = (),
    *,
    common: bool = True,
) -> Json:
    shared = [
        _parameter("f", {"type": "string", "enum": ["json", "html"]}),
        _parameter("lang", {"type": "string", "enum": ["zh", "en"], "default": "zh"}),
    ]
    problem = {"content": {"application/problem+json": {"schema": deepcopy(_PROBLEM)}}}
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "tags": [tag],
            "parameters": [*parameters, *(shared if common else ())],
            "responses": {
                "200": {
                    "description": "The answer.",
                    "content": {kind: {"schema": deepcopy(form)} for kind, form in forms.items()},
                },
                "400": {"description": "A parameter cannot be read.", **deepcopy(problem)},
                "404": {"description": "There is no such thing, or it may not be seen.", **deepcopy(problem)},
                "500": {"description": "Something went wrong on the server.", **deepcopy(problem)},
            },
        }
    }


def _both(schema: Json) -> dict[str, Json]:
    return {JSON: schema, HTML: {"type": "string"}}


def _parameter(name: str, schema: Json, *, place: str = "query") -> Json:
    is_path = place == "path"
    return {
        "name": name,
        "in": place,
        "required": is_path,
        "schema": deepcopy(schema),
        "style": "simple" if is_path else "form",
        "explode": False,
    }


def _matrix_set() -> Json:
    return _parameter("tileMatrixSetId", {"type": "string", "enum": ["WebMercatorQuad"]}, place="path")
