"""Which features: conditions on place, time and what was seen last, as text with their values."""

from __future__ import annotations

import re

from psycopg import sql

from onemap.domain.feature import STORAGE_SRID, Ask, Span
from onemap.domain.layer import FieldType, Layer
from onemap.domain.scope import Scope
from onemap.errors import BadQuery
from onemap.store.feature_text import Values, as_text
from onemap.store.scope import column_type

#: A box this much smaller, degrees, surely holds what the index (32-bit boxes) says it holds.
_SURELY = 3e-5
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def in_degrees(layer: Layer, i: int, sides: tuple[float, ...], values: Values) -> str:
    """
    What meets a box in degrees.

    The index compares 32-bit boxes; what lies in a slightly smaller box surely meets it, and only features at the edge
    are compared exactly. Points are compared by their coordinates.
    """
    west, south, east, north = sides
    values.update({f"w{i}": west, f"s{i}": south, f"e{i}": east, f"n{i}": north})
    whole = _envelope(f"w{i}", f"s{i}", f"e{i}", f"n{i}")
    if layer.geometry.is_point:
        return (
            f"(f.geom && {whole} AND ST_X(f.geom) BETWEEN %(w{i})s::float8 AND %(e{i})s::float8 "
            f"AND ST_Y(f.geom) BETWEEN %(s{i})s::float8 AND %(n{i})s::float8)"
        )
    if min(east - west, north - south) <= 2 * _SURELY:
        return f"(f.geom && {whole} AND ST_Intersects(f.geom, {whole}))"
    inner = (west + _SURELY, south + _SURELY, east - _SURELY, north - _SURELY)
    values.update(zip((f"iw{i}", f"is{i}", f"ie{i}", f"in{i}"), inner, strict=True))
    sure = _envelope(f"iw{i}", f"is{i}", f"ie{i}", f"in{i}")
    # CASE rather than OR, which the planner would answer with two walks through the index
    return f"(f.geom && {whole} AND CASE WHEN f.geom @ {sure} THEN TRUE ELSE ST_Intersects(f.geom, {whole}) END)"


def _envelope(*names: str) -> str:
    sides = ", ".join(f"%({name})s::float8" for name in names)
    return f"ST_MakeEnvelope({sides}, {STORAGE_SRID})"


def in_span(layer: Layer, scope: Scope, span: Span, values: Values) -> list[str]:
    """What falls into a stretch of time; a layer without time, and a feature without one, matches any."""
    if layer.time is None or not scope.sees_field(layer, layer.field(layer.time)):
        return []
    field = layer.field(layer.time)
    column = as_text(sql.Identifier("f", field.name))
    if field.type is FieldType.DATE:
        column = f"({column}::timestamp AT TIME ZONE 'UTC')"
    starts, ends = "%(t0)s::timestamptz", "%(t1)s::timestamptz"
    parts = []
    if span.starts_at is not None:
        values["t0"] = _first_moment(span.starts_at)
        parts.append(f"{column} >= {starts}")
        if span.duration is not None:
            values["t1"] = span.duration
            parts.append(f"{column} <= {starts} + %(t1)s::interval")
    if span.ends_at is not None:
        values["t1"] = _last_moment(span.ends_at)
        parts.append(f"{column} <= {ends}")
        if span.duration is not None:
            values["t0"] = span.duration
            parts.append(f"{column} >= {ends} - %(t0)s::interval")
    if not parts:
        return []
    inside = " AND ".join(parts)
    return [f"({inside})" if field.required else f"({column} IS NULL OR ({inside}))"]


def _first_moment(text: str) -> str:
    return f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text


def _last_moment(text: str) -> str:
    return f"{text}T23:59:59.999999Z" if _DAY.fullmatch(text) else text


def behind(layer: Layer, ask: Ask, alias: str) -> tuple[str, Values]:
    """What comes behind the feature that was seen last, in the sort order with empty values last."""
    if ask.after is None:
        return "TRUE", {}
    *seen, fid = ask.after
    if len(seen) != len(ask.order) or not isinstance(fid, int):
        raise BadQuery("This page belongs to another sort order; begin again without 'after'.")
    values: Values = {"after": fid}
    condition = f"{alias}.fid > %(after)s::bigint"
    for i in reversed(range(len(seen))):
        step = ask.order[i]
        name = step.name if alias == "f" else f"sort_{i}"
        column = as_text(sql.Identifier(alias, name))
        if seen[i] is None:
            condition = f"({column} IS NULL AND {condition})"
            continue
        values[f"after{i}"] = seen[i] if isinstance(seen[i], bool) else str(seen[i])
        kind = "text" if step.name == "area_code" else as_text(column_type(layer.field(step.name)))
        value = f"%(after{i})s::{kind}"
        sign = "<" if step.descending else ">"
        condition = f"({column} {sign} {value} OR {column} IS NULL OR ({column} = {value} AND {condition}))"
    return condition, values
