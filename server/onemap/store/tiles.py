"""Vector tiles cut by PostGIS: what goes into a tile at which zoom, and the cache that remembers them.

No tile is larger than ``MAX_BYTES`` or slow to cut: small zooms join points into clusters and lines into whole streets,
leave out polygons smaller than a pixel, and keep the largest where there are too many.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql

from onemap.domain.layer import AREA_CODE, Catalog, Field, FieldType, Layer
from onemap.domain.scope import Scope
from onemap.errors import BadTile
from onemap.store.db import AsyncDb
from onemap.store.named import compose, named
from onemap.store.scope import predicate, relation, visible_fields

#: No tile is larger than this before compression, bytes.
MAX_BYTES = 500_000
#: A map client never asks beyond this zoom.
MAX_ZOOM = 24
#: From here up a tile is so small that degrees are straight lines in Web Mercator: the error is below 0.8 of 1/4096.
FLAT_ZOOM = 12
#: Lines are merged below this zoom.
MERGE_BELOW = 13
#: Polygons and lines are thinned to the largest below this zoom.
THIN_BELOW = 15
#: How many features a tile holds at most; halved until the tile is small enough.
MOST_FEATURES = 6_000
#: A tile with a share that depends on the clock (overdue, stale) is remembered this long, seconds.
FRESH_S = 60.0
#: How many tiles of several layers are remembered.
JOINED = 400
#: Bodies above this are compressed beside the event loop, bytes.
_LARGE = 64_000
_WORLD = 20037508.342789244


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: gzip-compressed MVT, empty where nothing is in it; ``etag`` is quoted."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Address:
    """A tile of the Web Mercator quad; a value that exists is one that a tile can have."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not 0 <= self.z <= MAX_ZOOM:
            raise BadTile(f"Zoom {self.z} does not exist; zooms are 0 to {MAX_ZOOM}.")
        last = (1 << self.z) - 1
        if not (0 <= self.x <= last and 0 <= self.y <= last):
            raise BadTile(f"There is no tile {self.x}, {self.y} at zoom {self.z}; both go from 0 to {last}.")

    def box(self, margin: float = 0.0) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, widened by a margin in tile widths."""
        n = 1 << self.z
        west, east = ((self.x - margin) / n, (self.x + 1 + margin) / n)
        north, south = (_latitude((self.y - margin) / n), _latitude((self.y + 1 + margin) / n))
        return west * 360 - 180, south, east * 360 - 180, north


class TileCache:
    """Tiles by layer and address, the least used forgotten when there are too many bytes."""

    def __init__(self, max_bytes: int = 64 * 1024 * 1024, clock: Callable[[], float] = time.monotonic) -> None:
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self._clock = clock
        self._tiles: OrderedDict[_Key, tuple[Tile, float]] = OrderedDict()
        self._by_layer: dict[str, set[_Key]] = {}
        self._generation: dict[str, int] = {}
        self._cleared = 0

    def get(self, key: _Key) -> Tile | None:
        """A tile that is remembered and still fresh."""
        found = self._tiles.get(key)
        if found is None:
            return None
        if found[1] < self._clock():
            self._forget(key)
            return None
        self._tiles.move_to_end(key)
        return found[0]

    def put(self, key: _Key, tile: Tile, *, generation: tuple[int, int], fresh_s: float = math.inf) -> None:
        """Remember a tile, unless its layer was written since ``generation`` was asked for."""
        if generation != self.generation(key[0]):
            return
        if key in self._tiles:
            self._forget(key)
        self._tiles[key] = (tile, self._clock() + fresh_s)
        self._by_layer.setdefault(key[0], set()).add(key)
        self.n_bytes += _weight(tile)
        while self.n_bytes > self.max_bytes:
            self._forget(next(iter(self._tiles)))

    def generation(self, layer: str) -> tuple[int, int]:
        """A mark that changes whenever the layer's tiles are forgotten; ask before cutting, hand over with ``put``."""
        return self._cleared, self._generation.get(layer, 0)

    def invalidate(self, layer: str) -> None:
        """Forget the tiles of a layer that was written."""
        self._generation[layer] = self._generation.get(layer, 0) + 1
        for key in tuple(self._by_layer.get(layer, ())):
            self._forget(key)

    def clear(self) -> None:
        """Forget everything: writes may have been missed."""
        self._cleared += 1
        self._tiles.clear()
        self._by_layer.clear()
        self.n_bytes = 0

    def __len__(self) -> int:
        return len(self._tiles)

    def _forget(self, key: _Key) -> None:
        tile, _ = self._tiles.pop(key)
        self._by_layer[key[0]].discard(key)
        self.n_bytes -= _weight(tile)


class TileStore:
    """Tiles of all layers: remembered, else cut once however many ask at the same moment."""

    def __init__(self, catalog: Catalog, adb: AsyncDb, cache: TileCache) -> None:
        self.catalog = catalog
        self.cache = cache
        self._adb = adb
        self._recipes: dict[tuple[str, Scope], _Recipe] = {}
        self._cutting: dict[_Key, asyncio.Task[Tile]] = {}
        #: Tiles of several layers by the marks of what is in them, which change when a layer is written.
        self._joined: OrderedDict[tuple[str, ...], Tile] = OrderedDict()

    def remembered(self, layer: Layer, scope: Scope, z: int, x: int, y: int) -> Tile | None:
        """The tile if it is in the cache: the fast path, no waiting."""
        return self.cache.get((layer.name, z, x, y, self._recipe(layer, scope).reader))

    async def tile(self, layer: Layer, scope: Scope, z: int, x: int, y: int) -> Tile:
        """
        One tile as a reader may see it.

        Empty outside the layer's zooms. ``BadTile`` for an address that no tile can have; ``LayerNotFound`` where the
        reader may not know of the layer.
        """
        recipe = self._recipe(layer, scope)
        address = Address(z, x, y)
        if not layer.tiling.min_zoom <= z <= layer.tiling.max_zoom:
            return EMPTY
        key = (layer.name, z, x, y, recipe.reader)
        found = self.cache.get(key)
        if found is not None:
            return found
        task = self._cutting.get(key)
        if task is None:
            task = asyncio.create_task(self._cut(key, recipe, address))
            self._cutting[key] = task
            task.add_done_callback(lambda _: self._cutting.pop(key, None))
        return await asyncio.shield(task)

    async def together(self, layers: Sequence[Layer], scope: Scope, z: int, x: int, y: int) -> Tile:
        """One tile with several layers in it: an MVT is a row of layers, so theirs are set side by side."""
        parts = [self.remembered(layer, scope, z, x, y) for layer in layers]
        if missing := [layer for layer, part in zip(layers, parts, strict=True) if part is None]:
            cut = iter(await asyncio.gather(*(self.tile(layer, scope, z, x, y) for layer in missing)))
            parts = [part or next(cut) for part in parts]
        full = [part for part in parts if part and part.body]
        if len(full) < 2:
            return full[0] if full else EMPTY
        key = tuple(part.etag for part in full)
        tile = self._joined.get(key)
        if tile is None:
            tile = await _packed(b"".join(gzip.decompress(part.body) for part in full))
            while len(self._joined) >= JOINED:
                self._joined.popitem(last=False)
        self._joined[key] = tile
        self._joined.move_to_end(key)
        return tile

    async def bounds(self, layer: Layer, scope: Scope) -> tuple[float, float, float, float] | None:
        """West, south, east, north of what a layer's tiles show a reader, degrees; None where they show nothing."""
        recipe = self._recipe(layer, scope)
        async with self._adb.connection() as connection:
            for query in recipe.bounds_queries():
                try:
                    row = await (await connection.execute(query, {"name": layer.name, "z": MAX_ZOOM})).fetchone()
                except psycopg.errors.InternalError_:  # a table that was never analysed has no estimate
                    continue
                if row is not None:
                    return row[0], row[1], row[2], row[3]
        return None

    async def _cut(self, key: _Key, recipe: _Recipe, address: Address) -> Tile:
        generation = self.cache.generation(key[0])
        most = MOST_FEATURES
        while True:
            raw = await self._bytes(recipe, address, most)
            if len(raw) <= MAX_BYTES or most < 100:
                break
            most = min(most // 2, most * MAX_BYTES // len(raw))
        tile = await _packed(raw)
        self.cache.put(key, tile, generation=generation, fresh_s=FRESH_S if recipe.ages else math.inf)
        return tile

    async def _bytes(self, recipe: _Recipe, address: Address, most: int) -> bytes:
        parts: list[bytes] = []
        async with self._adb.connection() as connection:
            for query, values in recipe.queries(address, most):
                row = await (await connection.execute(query, values, binary=True)).fetchone()
                parts.append(bytes(row[0]) if row and row[0] else b"")
        return b"".join(parts)

    def _recipe(self, layer: Layer, scope: Scope) -> _Recipe:
        recipe = self._recipes.get((layer.name, scope))
        if recipe is None:
            recipe = self._recipes[layer.name, scope] = _Recipe(layer, scope)
        return recipe


#: A tile that holds nothing.
EMPTY = Tile(b"", '"empty"')

type _Key = tuple[str, int, int, int, str]
type _Query = tuple[bytes, Mapping[str, Any]]


class _Recipe:
    """How one layer is cut for one kind of reader; SQL is composed once for each zoom."""

    def __init__(self, layer: Layer, scope: Scope) -> None:
        self.layer = layer
        # psycopg reads % as the start of a placeholder
        self._scope = sql.SQL(predicate(layer, scope).as_string().replace("%", "%%"))
        visible = visible_fields(layer, scope)
        self.fields = tuple(field for field in visible if field.name in layer.tiling.fields)
        self._texts: dict[tuple[str, int, int], bytes] = {}
        seen = self._scope.as_string() + ",".join(field.name for field in self.fields)
        #: Readers of one kind share tiles: same rows, same fields.
        self.reader = hashlib.blake2b(seen.encode(), digest_size=8).hexdigest()

    @cached_property
    def ages(self) -> bool:
        """Whether a tile changes with the clock alone."""
        return any(field.type is FieldType.DATETIME for field in self.fields)

    def queries(self, address: Address, most: int) -> list[_Query]:
        """The statements whose answers, joined, are the tile."""
        values = _values(address)
        return [(self._text(name, address.z, most), values) for name in self._parts(address.z)]

    def bounds_queries(self) -> list[bytes]:
        """What to ask for the layer's bounds: the statistics where they may be told, then the rows."""
        named_blocks, layer = named("tiles"), self.layer
        exact = compose(
            named_blocks["bounds"], table=relation(layer), rows=self._rows("bounds", MAX_ZOOM), scope=self._scope
        )
        whole = not layer.is_view and not layer.tiling.only and self._scope.as_string() == "TRUE"
        return [*([named_blocks["bounds_estimated"].encode()] if whole else []), exact.as_bytes()]

    def _parts(self, z: int) -> list[str]:
        layer, parts = self.layer, ["features"]
        if layer.geometry.is_point and z < layer.tiling.cluster_below:
            parts = ["clusters"]
        elif layer.geometry.is_line and z < MERGE_BELOW:
            parts = ["lines_merged"]
        for part, from_zoom, to_zoom in _extra_parts(layer):
            if from_zoom <= z < to_zoom:
                parts.append("labels" if part == "label" else f"{layer.name}.{part}")
        return parts

    def _text(self, name: str, z: int, most: int) -> bytes:
        key = (name, z, most)
        if key not in self._texts:
            self._texts[key] = self._composed(name, z, most).as_bytes()
        return self._texts[key]

    def _composed(self, name: str, z: int, most: int) -> sql.Composed:
        layer, flat = self.layer, z >= FLAT_ZOOM
        fields = self.fields
        columns, names = _kinds(fields) if name == "lines_merged" else _columns(fields, _computed(layer))
        highest = [field for field in fields if field.type is FieldType.INTEGER and field.codes is not None]
        parts: dict[str, sql.Composable] = {
            "table": relation(layer),
            "layer": sql.Literal(f"{layer.name}_label" if name == "labels" else layer.name),
            "columns": sql.SQL(", ").join(columns),
            "names": sql.SQL(", ").join(names),
            "groups": sql.SQL(", ").join(sql.Literal(n + 1) for n in range(len(columns))),
            "scope": self._scope,
            "rows": self._rows(name, z),
            "most": self._most(z, most),
            "reach": _REACH,
            "tile_geom": sql.SQL("near.geom" if flat else "ST_Transform(near.geom, 3857)"),
            "bounds": _FLAT_BOUNDS if flat else _MERCATOR_BOUNDS,
            "highest": _each(highest, ", max(f.{0}) AS {1}"),
            "highest_names": _each(highest, ", {1}"),
        }
        return compose(named("tiles")[name], **parts)

    def _rows(self, name: str, z: int) -> sql.Composable:
        layer = self.layer
        tests: list[sql.Composable] = [
            sql.SQL("f.{} = {}").format(sql.Identifier(field), sql.Literal(value))
            for field, value in layer.tiling.only.items()
        ]
        if text := named("tiles").get(f"{layer.name}.rows"):
            tests.append(compose(text))
        if layer.geometry.is_polygon and name == "features" and z < THIN_BELOW:
            tests.append(sql.SQL("ST_Area(f.geom) >= %(pixel)s * %(pixel)s / 4"))
        return sql.SQL(" AND ").join(tests) if tests else sql.SQL("TRUE")

    def _most(self, z: int, most: int) -> sql.Composable:
        largest = sql.SQL("")
        if z < THIN_BELOW or most < MOST_FEATURES:
            if self.layer.geometry.is_polygon:
                largest = sql.SQL("ORDER BY ST_Area(f.geom) DESC ")
            elif self.layer.geometry.is_line:
                largest = sql.SQL("ORDER BY ST_Length(f.geom) DESC ")
        return sql.SQL("{}LIMIT {}").format(largest, sql.Literal(most))


_REACH = sql.SQL("ST_MakeEnvelope(%(reach_west)s, %(reach_south)s, %(reach_east)s, %(reach_north)s, 4490)")
_FLAT_BOUNDS = sql.SQL("ST_MakeBox2D(ST_MakePoint(%(west)s, %(south)s), ST_MakePoint(%(east)s, %(north)s))")
_MERCATOR_BOUNDS = sql.SQL("ST_TileEnvelope(%(z)s, %(x)s, %(y)s)::box2d")


def _values(address: Address) -> dict[str, float]:
    west, south, east, north = address.box()
    reach_west, reach_south, reach_east, reach_north = address.box(64 / 4096)
    return {
        "z": address.z, "x": address.x, "y": address.y,
        "west": west, "south": south, "east": east, "north": north,
        "reach_west": reach_west, "reach_south": reach_south, "reach_east": reach_east, "reach_north": reach_north,
        "pixel": (east - west) / 512,
    }  # fmt: skip


def _columns(
    fields: tuple[Field, ...], computed: Mapping[str, str]
) -> tuple[list[sql.Composable], list[sql.Composable]]:
    """The columns of a tile as expressions on the table ``f``, and their names alone."""
    columns: list[sql.Composable] = []
    names: list[sql.Composable] = []
    if not any(field.name == AREA_CODE for field in fields):
        columns.append(sql.SQL("f.{}").format(sql.Identifier(AREA_CODE)))
        names.append(sql.Identifier(AREA_CODE))
    for field in fields:
        name = sql.Identifier(field.name)
        columns.append(sql.SQL(_CASTS.get(field.type, "f.{0} AS {0}")).format(name))
        names.append(name)
    for field_name, expression in computed.items():
        columns.append(compose(expression))
        names.append(sql.Identifier(field_name))
    return columns, names


def _kinds(fields: tuple[Field, ...]) -> tuple[list[sql.Composable], list[sql.Composable]]:
    """What merged lines have in common: their codes and switches."""
    kinds = [sql.Identifier(f.name) for f in fields if f.type in (FieldType.CODE, FieldType.BOOLEAN)]
    columns: list[sql.Composable] = [sql.SQL("f.{}").format(kind) for kind in kinds]
    return columns or [sql.SQL("TRUE AS merged")], [*kinds] or [sql.SQL("merged")]


#: How a field stands in a tile; MVT knows no time, so an instant is seconds since 1970.
_CASTS = {
    FieldType.DATETIME: "extract(EPOCH FROM f.{0})::bigint AS {0}",
    FieldType.DATE: "f.{0}::text AS {0}",
    FieldType.NUMBER: "f.{0}::real AS {0}",
}


def _computed(layer: Layer) -> dict[str, str]:
    text = named("tiles").get(f"{layer.name}.columns")
    return {text.rsplit(" AS ", 1)[1].strip(): text} if text else {}


def _each(fields: list[Field], template: str) -> sql.Composable:
    return sql.SQL("").join(
        sql.SQL(template).format(sql.Identifier(field.name), sql.Identifier(f"max_{field.name}")) for field in fields
    )


def _extra_parts(layer: Layer) -> list[tuple[str, int, int]]:
    """Parts that the layer's style draws beside its features, with the zooms from and below which it does."""
    zooms: dict[str, list[float]] = {}
    for fragment in layer.style:
        part, low, high = fragment.get("part"), fragment.get("minzoom", 0), fragment.get("maxzoom", MAX_ZOOM + 1)
        if isinstance(part, str) and isinstance(low, int | float) and isinstance(high, int | float):
            zooms.setdefault(part, []).extend((low, high))
    last = layer.tiling.max_zoom
    return [(part, min(math.floor(min(both)), last), math.ceil(max(both))) for part, both in zooms.items()]


async def _packed(raw: bytes) -> Tile:
    if not raw:
        return EMPTY
    etag = f'"{hashlib.blake2b(raw, digest_size=10).hexdigest()}"'
    body = await asyncio.to_thread(_gzip, raw) if len(raw) > _LARGE else _gzip(raw)
    return Tile(body, etag)


def _gzip(raw: bytes) -> bytes:
    return gzip.compress(raw, compresslevel=5, mtime=0)


def _weight(tile: Tile) -> int:
    """What a remembered tile costs, its keys and objects included, bytes."""
    return len(tile.body) + 400


def _latitude(share: float) -> float:
    """Latitude at a share of the Web Mercator square, from the north."""
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * min(max(share, 0.0), 1.0)))))
