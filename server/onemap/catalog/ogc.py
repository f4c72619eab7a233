"""What the feed says about a layer: its queryables and its schema, derived from the layer's folder."""

from __future__ import annotations

from typing import Any

from onemap.domain.feature import feed_fields
from onemap.domain.layer import Field, FieldType, GeometryType, Language, Layer
from onemap.domain.scope import Scope

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TYPES: dict[FieldType, dict[str, Any]] = {
    FieldType.TEXT: {"type": "string"},
    FieldType.CODE: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.DATETIME: {"type": "string", "format": "date-time"},
}

_GEOMETRY_FORMATS = {
    GeometryType.POINT: "geometry-point",
    GeometryType.LINE: "geometry-linestring",
    GeometryType.POLYGON: "geometry-polygon",
    GeometryType.MULTI_LINE: "geometry-multilinestring",
    GeometryType.MULTI_POLYGON: "geometry-multipolygon",
}

#: Units as UCUM writes them, for those that it has.
_UCUM = {"m": "m", "m2": "m2", "deg": "deg", "s": "s", "min": "min", "km/h": "km/h", "days": "d", "year": "a"}


def queryables(layer: Layer, scope: Scope, language: Language, address: str) -> dict[str, Any]:
    """The properties that a reader may filter by, as JSON Schema."""
    return {
        **_document(layer, language, address),
        "properties": _properties(layer, scope, language),
        "additionalProperties": False,
    }


def schema(layer: Layer, scope: Scope, language: Language, address: str) -> dict[str, Any]:
    """The form of a layer's features as a reader sees them, as JSON Schema."""
    required = [field.name for field in feed_fields(layer, scope) if field.required or field.unique]
    return {
        **_document(layer, language, address),
        "properties": _properties(layer, scope, language),
        "required": required,
    }


def property_schema(field: Field, language: Language) -> dict[str, Any]:
    """One property as JSON Schema: type, title, unit, limits, codes."""
    described: dict[str, Any] = {"title": field.title.in_language(language), **_TYPES[field.type]}
    if field.minimum is not None:
        described["minimum"] = field.minimum
    if field.maximum is not None:
        described["maximum"] = field.maximum
    if field.unit is not None:
        described["x-ogc-unit"] = _UCUM.get(field.unit, field.unit)
    if field.codes is not None:
        number = field.type is FieldType.INTEGER
        described["enum"] = [int(code.value) if number else code.value for code in field.codes.codes]
        described["x-onemap-titles"] = {code.value: code.title.in_language(language) for code in field.codes.codes}
    return described


def parameter_schema(field: Field) -> dict[str, Any]:
    """The schema of a query parameter that compares a property, for OpenAPI 3.0."""
    return dict(_TYPES[field.type])


def _document(layer: Layer, language: Language, address: str) -> dict[str, Any]:
    return {
        "$schema": _DIALECT,
        "$id": address,
        "type": "object",
        "title": layer.title.in_language(language),
        "description": layer.description.in_language(language),
    }


def _properties(layer: Layer, scope: Scope, language: Language) -> dict[str, Any]:
    geometry = {"format": _GEOMETRY_FORMATS[layer.geometry], "x-ogc-role": "primary-geometry"}
    properties: dict[str, Any] = {"geometry": geometry}
    for field in feed_fields(layer, scope):
        described = property_schema(field, language)
        if field.name == layer.time:
            described["x-ogc-role"] = "primary-instant"
        properties[field.name] = described
    return properties
