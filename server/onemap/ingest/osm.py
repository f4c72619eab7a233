"""Reads an OpenStreetMap extract into frames of our layers: buildings, roads, water, green, facilities.

Areas (closed ways and multipolygon relations) are put together by libosmium in the same pass. Which object counts for
which layer is data (osm_tags.toml); docs/import.md writes the counting rules out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import osmium
import osmium.filter
import osmium.geom
import pandas as pd
import shapely

from onemap.engine.network.access import NetworkRules, parse_speed_kmh, way_speeds
from onemap.errors import InputRefused
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.osm_tags import (
    LAYERS,
    Tags,
    TagTables,
    address_of,
    first,
    is_yes,
    level_of,
    measure,
    name_of,
    tag_tables,
    whole,
    year_of,
)

CRS = "EPSG:4490"  # OpenStreetMap is WGS 84, which differs by centimetres and is taken as CGCS2000

BBox = tuple[float, float, float, float]
Tell = Callable[[int], None]

_FIELDS = {
    "buildings": ("building_id", "osm_id", "name", "address", "use", "floors", "height_m", "built_year"),
    "roads": ("road_id", "osm_id", "name", "road_class", "foot", "ebike", "car", "oneway", "bridge", "tunnel",
              "z_level", "speed_kmh", "surface"),
    "water": ("water_id", "osm_id", "name", "kind"),
    "green": ("green_id", "osm_id", "name", "kind"),
    "facilities": ("facility_id", "osm_id", "name", "category", "address", "capacity", "open_hours", "phone"),
}  # fmt: skip
_WHOLE = frozenset({"floors", "built_year", "capacity", "z_level"})
_FORWARD, _BACKWARD = frozenset({"yes", "true", "1"}), frozenset({"-1", "reverse"})


@dataclass(slots=True)
class OsmExtract:
    """What an extract holds for us.

    Attributes
    ----------
    frames
        One frame for each layer, keyed by the layer's name.
    rejected
        Layer to (id, reason): objects that count for the layer but cannot be features.
    incomplete
        Layer to ids of ways and relations with the layer's tags that are no areas here: open rings, members missing.
        They are in no count.
    """

    frames: dict[str, gpd.GeoDataFrame]
    rejected: dict[str, list[tuple[str, str]]]
    incomplete: dict[str, list[str]]
    shortened: dict[str, int] = field(default_factory=dict)


def read_osm(path: Path | str, bbox: BBox | None = None) -> dict[str, gpd.GeoDataFrame]:
    """
    The layers of an extract, each a frame in EPSG:4490 with the layer's fields and ``osm_id`` ("w123", "r45", "n6").

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2``.
    bbox
        West, south, east, north in degrees; keeps what touches it. ``None`` keeps everything.
    """
    return extract(Path(path), bbox).frames


def extract(
    path: Path,
    bbox: BBox | None = None,
    rules: NetworkRules | None = None,
    tell: Tell | None = None,
    name: str | None = None,
) -> OsmExtract:
    """The layers of an extract with what had to be left out; ``tell`` hears how many objects are through."""
    collector = _Collector(tag_tables(), rules or read_network_rules())
    try:
        for number, thing in enumerate(_objects(path, collector.tables), start=1):
            collector.take(thing)
            if tell is not None and number % 10_000 == 0:
                tell(number)
    except (RuntimeError, UnicodeDecodeError) as wrong:
        raise InputRefused(
            f"'{name or path.name}' cannot be read as OpenStreetMap data: {_first_line(wrong)}."
        ) from wrong
    if collector.n_nodes == 0 and collector.n_ways == 0:
        raise InputRefused(f"'{name or path.name}' holds no OpenStreetMap objects that any layer takes.")
    return collector.result(bbox)


def _objects(path: Path, tables: TagTables) -> Iterator[Any]:
    keys = osmium.filter.KeyFilter(*sorted(tables.keys))
    area_keys = osmium.filter.KeyFilter(*sorted(tables.area_keys))
    yield from osmium.FileProcessor(str(path)).with_areas(area_keys).with_filter(keys)


class _Collector:
    """Takes objects one by one, keeps their rows and geometries by layer."""

    def __init__(self, tables: TagTables, rules: NetworkRules) -> None:
        self.tables = tables
        self.rules = rules
        self.n_nodes = self.n_ways = 0
        self._wkb = osmium.geom.WKBFactory()
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in LAYERS}
        self._shapes: dict[str, list[str]] = {name: [] for name in LAYERS}
        self._rejected: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._shortened: dict[str, int] = defaultdict(int)
        self._candidates: dict[str, dict[str, None]] = defaultdict(dict)
        self._areas: set[str] = set()

    def take(self, thing: Any) -> None:
        """Sort one object into the layers it belongs to."""
        tags = {tag.k: tag.v for tag in thing.tags}
        if thing.is_node():
            self._node(thing, tags)
        elif thing.is_way():
            self._way(thing, tags)
        elif thing.is_relation():
            if tags.get("type") in ("multipolygon", "boundary"):
                self._note_candidate(f"r{thing.id}", tags)
        elif thing.is_area():
            self._area(thing, tags)

    def result(self, bbox: BBox | None) -> OsmExtract:
        """Everything taken, as frames; with a box only what touches it."""
        incomplete = {
            layer: [osm_id for osm_id in ids if osm_id not in self._areas] for layer, ids in self._candidates.items()
        }
        return OsmExtract(
            frames={layer: self._frame(layer, bbox) for layer in LAYERS},
            rejected={layer: self._rejected[layer] for layer in LAYERS},
            incomplete={layer: ids for layer, ids in incomplete.items() if ids},
            shortened=dict(self._shortened),
        )

    def _node(self, node: Any, tags: Tags) -> None:
        self.n_nodes += 1
        category = first(self.tables.facilities, tags)
        if category is None:
            return
        osm_id = f"n{node.id}"
        if not node.location.valid():
            self._rejected["facilities"].append((osm_id, "the node has no valid position"))
            return
        self._keep("facilities", osm_id, _facility(tags, category), self._wkb.create_point(node))

    def _way(self, way: Any, tags: Tags) -> None:
        self.n_ways += 1
        osm_id = f"w{way.id}"
        if way.is_closed() or self.tables.building_key in tags:
            self._note_candidate(osm_id, tags)
        highway = tags.get(self.tables.road_key)
        if highway is None:
            return
        road_class = self.tables.road_class.get(highway)
        if road_class is None:
            self._rejected["roads"].append((osm_id, f"highway={highway} is no street in use"))
        elif tags.get("area") == "yes":
            self._rejected["roads"].append((osm_id, "area=yes: a paved area, not a line"))
        else:
            self._road(way, osm_id, tags, road_class)

    def _road(self, way: Any, osm_id: str, tags: Tags, road_class: str) -> None:
        try:
            shape = self._wkb.create_linestring(way)
        except osmium.InvalidLocationError:
            located = _longest_run(way)
            if len(located) < 2:
                self._rejected["roads"].append((osm_id, "its nodes are not in the file"))
                return
            self._shortened["roads"] += 1
            shape = shapely.to_wkb(shapely.LineString(located), hex=True)
        except RuntimeError:
            self._rejected["roads"].append((osm_id, "fewer than two different points"))
            return
        self._keep("roads", osm_id, _road(tags, road_class, self.rules), shape)

    def _area(self, area: Any, tags: Tags) -> None:
        osm_id = f"{'w' if area.from_way() else 'r'}{area.orig_id()}"
        self._areas.add(osm_id)
        wanted = self._layers_of(tags)
        if not wanted:
            return
        if wanted.get("buildings") in self.tables.not_there:
            self._rejected["buildings"].append((osm_id, f"building={wanted.pop('buildings')}: nothing stands there"))
        try:
            shape = self._wkb.create_multipolygon(area)
        except RuntimeError as wrong:
            for layer in wanted:
                self._rejected[layer].append((osm_id, f"its rings cannot be put together ({_first_line(wrong)})"))
            return
        for layer, value in wanted.items():
            self._keep(layer, osm_id, _row(layer, tags, value, self.tables), shape)

    def _layers_of(self, tags: Tags) -> dict[str, str]:
        """Layer to deciding value, of the layers to which an area belongs."""
        found = {
            "buildings": tags.get(self.tables.building_key),
            "water": first(self.tables.water, tags),
            "green": first(self.tables.green, tags),
            "facilities": first(self.tables.facilities, tags),
        }
        return {layer: value for layer, value in found.items() if value is not None}

    def _note_candidate(self, osm_id: str, tags: Tags) -> None:
        for layer in self._layers_of(tags):
            self._candidates[layer][osm_id] = None

    def _keep(self, layer: str, osm_id: str, row: dict[str, Any], shape: str) -> None:
        self._rows[layer].append({_FIELDS[layer][0]: osm_id, "osm_id": osm_id, **row})
        self._shapes[layer].append(shape)

    def _frame(self, layer: str, bbox: BBox | None) -> gpd.GeoDataFrame:
        table = pd.DataFrame(self._rows[layer], columns=list(_FIELDS[layer]))
        for name in _WHOLE & set(table.columns):
            table[name] = table[name].astype("Int64")
        shapes = shapely.from_wkb(self._shapes[layer], on_invalid="ignore")
        if layer == "facilities":
            shapes = shapely.point_on_surface(shapes)
        frame = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, crs=CRS, dtype="geometry"))
        if bbox is None:
            return frame
        return frame[shapely.intersects(shapely.box(*bbox), frame.geometry.to_numpy())].reset_index(drop=True)


def _row(layer: str, tags: Tags, value: str, tables: TagTables) -> dict[str, Any]:
    if layer == "buildings":
        return _building(tags, tables)
    if layer == "facilities":
        return _facility(tags, value)
    return {"name": name_of(tags), "kind": value}


def _building(tags: Tags, tables: TagTables) -> dict[str, Any]:
    return {
        "name": name_of(tags),
        "address": address_of(tags),
        "use": tables.use(tags),
        "floors": whole(tags.get("building:levels"), 0, 200),
        "height_m": measure(tags.get("height") or tags.get("building:height"), 0.0, 1000.0),
        "built_year": year_of(tags.get("start_date") or tags.get("year_of_construction")),
    }


def _facility(tags: Tags, category: str) -> dict[str, Any]:
    return {
        "name": name_of(tags),
        "category": category,
        "address": address_of(tags),
        "capacity": whole(tags.get("capacity"), 0, 1_000_000),
        "open_hours": tags.get("opening_hours"),
        "phone": tags.get("phone") or tags.get("contact:phone"),
    }


def _road(tags: Tags, road_class: str, rules: NetworkRules) -> dict[str, Any]:
    return {
        "name": name_of(tags) or tags.get("ref"),
        "road_class": road_class,
        **{mode: max(way_speeds(tags, rule)) > 0.0 for mode, rule in rules.modes.items()},
        "oneway": _oneway(tags),
        "bridge": is_yes(tags.get("bridge")),
        "tunnel": is_yes(tags.get("tunnel")),
        "z_level": level_of(tags.get("layer")),
        "speed_kmh": parse_speed_kmh(tags.get("maxspeed")),
        "surface": tags.get("surface"),
    }


def _oneway(tags: Mapping[str, str]) -> str:
    value = tags.get("oneway")
    if value in _BACKWARD:
        return "backward"
    implied = tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"
    return "forward" if value in _FORWARD or (value is None and implied) else "no"


def _longest_run(way: Any) -> list[tuple[float, float]]:
    """The longest stretch of a way whose nodes are all in the file."""
    best: list[tuple[float, float]] = []
    run: list[tuple[float, float]] = []
    for node in way.nodes:
        if node.location.valid():
            run.append((node.lon, node.lat))
            best = max(best, run, key=len)
        else:
            run = []
    return list(best) if len(set(best)) > 1 else []


def _first_line(wrong: BaseException) -> str:
    return str(wrong).strip().splitlines()[0].rstrip(".") if str(wrong).strip() else type(wrong).__name__
