"""The statements that read features, as text: composed once for what shapes them, and kept."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from psycopg import sql

from onemap.domain.feature import Crs, Order, feed_fields
from onemap.domain.layer import FID, GEOM, Layer
from onemap.domain.scope import Scope
from onemap.errors import BadQuery
from onemap.store.filters import FilterCompiler
from onemap.store.named import compose, named
from onemap.store.scope import predicate, relation

type Values = dict[str, Any]


class Key:
    """A layer as part of a cache key: by identity, since a layer itself holds mappings and has no hash."""

    __slots__ = ("layer",)

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def __hash__(self) -> int:
        return hash(self.layer.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.layer is other.layer


@lru_cache(maxsize=512)
def scope_text(key: Key, scope: Scope) -> str:
    """Which rows of ``f`` the reader sees, ``TRUE`` for all."""
    return as_text(predicate(key.layer, scope))


@lru_cache(maxsize=512)
def item_text(key: Key, scope: Scope, crs: Crs, geometry: bool) -> str:
    """One feature by its number."""
    layer = key.layer
    return as_text(
        compose(
            named("features")["item"],
            feature=_feature(layer, scope, crs, None, geometry),
            table=relation(layer),
            scope=predicate(layer, scope),
        )
    )


@lru_cache(maxsize=1024)
def frame_text(
    name: str,
    key: Key,
    scope: Scope,
    bound: int,
    crs: Crs,
    limit: int,
    fields: tuple[str, ...] | None,
    geometry: bool,
    order: tuple[Order, ...],
) -> str:
    """A page statement with marks where its conditions go; ``BadQuery`` where it sorts by what is not seen."""
    layer = key.layer
    visible = {candidate.name for candidate in feed_fields(layer, scope)}
    for step in order:
        if step.name not in visible:
            raise BadQuery(f"Layer '{layer.name}' has no property '{step.name}' to sort by.")
    columns = [sql.SQL(", f.{} AS {}").format(sql.Identifier(o.name), _sort_column(i)) for i, o in enumerate(order)]
    return as_text(
        compose(
            named("features")[name],
            table=relation(layer),
            feature=_feature(layer, scope, crs, fields, geometry),
            sort_columns=sql.SQL("").join(columns),
            bound=sql.Literal(bound + 1),
            limit=sql.Literal(limit),
            more=sql.Literal(limit + 1),
            cursor=sql.SQL(", ").join([*(sql.SQL("s.{}").format(_sort_column(i)) for i in range(len(order))), _FID]),
            order=_order(order),
            order_back=_order(order, backwards=True),
            order_shown=_order(order, "s."),
            order_whole=_order(order, "f."),
        )
    )


@lru_cache(maxsize=64)
def total_text(key: Key, bound: int, *, everything: bool) -> str:
    """How many match, counted no further than the bound."""
    name = "total" if everything and not key.layer.is_view else "bounded"
    table = relation(key.layer)
    literal = sql.Literal(f"layer.{key.layer.name}")
    return as_text(compose(named("features")[name], table=table, bound=sql.Literal(bound + 1), relation=literal))


@lru_cache(maxsize=2048)
def filtered(key: Key, scope: Scope, equals: Any, asked: Any) -> tuple[str, Values]:
    """The conditions on properties and their values."""
    compiler = FilterCompiler(key.layer, scope)
    parts = [compiler.equals(name, value) for name, value in equals]
    if asked is not None:
        parts.append(sql.SQL("({})").format(compiler.compile(asked)))
    return as_text(sql.SQL(" AND ").join(parts)), compiler.values


_FID = sql.Identifier(FID)


def _feature(layer: Layer, scope: Scope, crs: Crs, fields: tuple[str, ...] | None, geometry: bool) -> sql.Composable:
    """GeoJSON text of the row ``f``; a geometry's axes are swapped here, at the edge, where the authority says so."""
    visible = [candidate.name for candidate in feed_fields(layer, scope)]
    if fields is not None and (unknown := sorted(set(fields) - set(visible))):
        raise BadQuery(f"Layer '{layer.name}' has no property '{unknown[0]}'.")
    shown = [name for name in visible if fields is None or name in fields]
    shape: sql.Composable = sql.Identifier("f", GEOM)
    if not crs.is_degrees:
        shape = sql.SQL("ST_Transform({}, {})").format(shape, sql.Literal(crs.srid))
    if crs.flipped:
        shape = sql.SQL("ST_FlipCoordinates({})").format(shape)
    properties: sql.Composable = sql.SQL("'{}'")
    if shown:
        row = sql.SQL(", ").join(sql.Identifier("f", name) for name in shown)
        properties = sql.SQL("(SELECT row_to_json(r) FROM (SELECT {}) AS r)::text").format(row)
    text = sql.SQL("coalesce(ST_AsGeoJSON({}, {}, 0), 'null')").format(shape, sql.Literal(crs.digits))
    return sql.SQL(
        """'{{"type":"Feature","id":' || f.fid || ',"geometry":' || {} || ',"properties":' || {} || '}}'"""
    ).format(text if geometry else sql.SQL("'null'"), properties)


def _sort_column(i: int) -> sql.Identifier:
    return sql.Identifier(f"sort_{i}")


def _order(order: tuple[Order, ...], alias: str = "", *, backwards: bool = False) -> sql.Composable:
    """What to sort by: empty values come last, and the fid settles what is equal."""
    steps = [
        sql.SQL("{}{} {} NULLS {}").format(
            sql.SQL(alias),
            _sort_column(i),
            sql.SQL("DESC" if step.descending != backwards else "ASC"),
            sql.SQL("FIRST" if backwards else "LAST"),
        )
        for i, step in enumerate(order)
    ]
    last = sql.SQL("{}{} {}").format(sql.SQL(alias), _FID, sql.SQL("DESC" if backwards else "ASC"))
    return sql.SQL(", ").join([*steps, last])


def as_text(part: sql.Composable) -> str:
    """SQL as text, without its comment lines."""
    lines = part.as_string(None).splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
