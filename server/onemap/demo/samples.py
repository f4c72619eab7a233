"""A dozen rows of every layer, every field filled: what layers/*/*/sample.geojson is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import shapely

from onemap.demo.arrays import I64
from onemap.demo.city import invent
from onemap.demo.table import Table
from onemap.domain.layer import AREA_CODE, Catalog, Field, FieldType, Layer

#: The moment of the screens.
NOW = datetime(2026, 9, 18, 11, 42, 8, tzinfo=UTC)
N_FEATURES = 12
_DECIMALS = 7
#: Long outlines are thinned to about half a metre.
_COARSE_DEG = 5e-6


def samples(catalog: Catalog, *, seed: int = 1, n_events: int = 2000) -> dict[str, bytes]:
    """GeoJSON per layer of the demo city; layers that the city has nothing of are left out."""
    tables = invent(seed, now=NOW, n_events=n_events).tables()
    return {layer.name: geojson(layer, tables[layer.name]) for layer in catalog if layer.name in tables}


def geojson(layer: Layer, table: Table) -> bytes:
    """The first rows with every field filled, one of each code where there are several."""
    columns = {**table.columns, **_computed(table)}
    chosen = _chosen(layer, columns, len(table))
    features = [_feature(layer, columns, table, int(k)) for k in chosen]
    lines = b",\n".join(orjson.dumps(feature) for feature in features)
    head = orjson.dumps({"type": "FeatureCollection", "name": layer.name})[:-1]
    return head + b',"features":[\n' + lines + b"\n]}\n"


def _computed(table: Table) -> dict[str, Any]:
    """What the view of events computes."""
    if "closed_at" not in table.columns:
        return {}
    closed, deadline = table.columns["closed_at"], table.columns["deadline_at"]
    end = np.where(np.isnat(closed), np.datetime64(NOW.replace(tzinfo=None), "s"), closed)
    return {"overdue": end > deadline, "is_open": np.isnat(closed)}


def _chosen(layer: Layer, columns: Mapping[str, Any], n: int) -> I64:
    """Of the rows with the most fields filled, one of each value of the layer's codes first."""
    empty = np.zeros(n, np.int64)
    for field in layer.fields:
        empty += _is_missing(columns[field.name]).astype(np.int64)
    best = np.flatnonzero(empty == empty.min())
    picked: list[int] = []
    for field in layer.fields:
        if field.type is FieldType.CODE:
            _, first = np.unique(np.array([str(v) for v in columns[field.name][best]]), return_index=True)
            picked += [int(best[k]) for k in sorted(first)]
    picked = [*_shown(layer, columns), *picked]
    rest = [int(k) for k in best[:: max(1, len(best) // N_FEATURES)]] + [int(k) for k in best]
    return np.array(list(dict.fromkeys([*picked, *rest]))[:N_FEATURES], dtype=np.int64)


def _shown(layer: Layer, columns: Mapping[str, Any]) -> list[int]:
    """Three rows that tiles show, where they show only some: open events, for one."""
    if not layer.tiling.only:
        return []
    shown = np.logical_and.reduce([columns[name] == value for name, value in layer.tiling.only.items()])
    return [int(k) for k in np.flatnonzero(shown)[-3:]]


def _is_missing(values: Any) -> Any:
    if values.dtype == object:
        return np.array([v is None for v in values])
    if values.dtype.kind == "M":
        return np.isnat(values)
    return np.ma.getmaskarray(values)


def _feature(layer: Layer, columns: Mapping[str, Any], table: Table, k: int) -> dict[str, Any]:
    if table.geometry is None:
        raise ValueError("a layer has a geometry")
    shape = table.geometry[k]
    if shapely.get_num_coordinates(shape) > 60:
        shape = shapely.simplify(shape, _COARSE_DEG)
    if layer.geometry.value.startswith("Multi") and shape.geom_type == "Polygon":
        shape = shapely.MultiPolygon([shape])
    shape = shapely.transform(shape, lambda degrees: np.round(degrees, _DECIMALS))
    own = {AREA_CODE: str(columns[AREA_CODE][k])}
    properties = own | {field.name: _plain(field, columns[field.name][k]) for field in layer.fields}
    return {"type": "Feature", "properties": properties, "geometry": orjson.loads(shapely.to_geojson(shape))}


def _plain(field: Field, value: Any) -> Any:
    if value is None or value is np.ma.masked or (isinstance(value, np.datetime64) and np.isnat(value)):
        return None
    match field.type:
        case FieldType.BOOLEAN:
            return bool(value)
        case FieldType.INTEGER:
            return int(value)
        case FieldType.NUMBER:
            return float(value)
        case FieldType.DATETIME:
            return f"{value}Z"
        case _:
            return str(value)
