"""Streets from OpenStreetMap: way nodes as they are, all tags, barrier nodes. The rule is in docs/network.md."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from pyproj import CRS

from onemap.engine.network.access import MODES, NetworkRules, barrier_stops, way_speeds
from onemap.engine.network.streets import Streets
from onemap.errors import InputRefused
from onemap.ingest.plane import Plane, geodesic_m, plane_for

_WGS84 = CRS.from_epsg(4326)
_ACCESS_KEYS = ("access", "foot", "vehicle", "bicycle", "motor_vehicle", "motorcar")


@dataclass(frozen=True, slots=True)
class StreetSource:
    """Streets in the plane they are measured in."""

    streets: Streets
    plane: Plane


@dataclass(slots=True)
class _Raw:
    """What one pass over the file collects: ways cut where the extract cuts them."""

    way_id: list[int]
    tags: list[dict[str, str]]
    nodes: list[list[int]]
    lon: dict[int, float]
    lat: dict[int, float]
    barriers: dict[int, dict[str, str]]
    n_cut: int
    unknown: Counter[str]


def read_osm_streets(path: Path, rules: NetworkRules) -> StreetSource:
    """The streets of an extract (.osm.pbf, .osm, .osm.gz), all modes at once."""
    if not path.is_file():
        raise InputRefused(f"There is no file '{path}'.")
    raw = _read(path, rules)
    if not raw.nodes:
        raise InputRefused(
            f"'{path.name}' holds no streets: no way with a 'highway' tag has two nodes inside the extract."
        )
    ids = np.unique(np.concatenate([np.asarray(nodes, dtype=np.int64) for nodes in raw.nodes]))
    lon = np.array([raw.lon[i] for i in ids.tolist()])
    lat = np.array([raw.lat[i] for i in ids.tolist()])
    plane = plane_for(4326, (lon.min(), lat.min(), lon.max(), lat.max()), f"'{path.name}'")
    x, y = plane.xy(lon, lat, _WGS84)
    counts = np.array([len(nodes) for nodes in raw.nodes])
    way_start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    vertex = np.searchsorted(ids, np.concatenate([np.asarray(nodes, dtype=np.int64) for nodes in raw.nodes]))
    segment_m = np.zeros(len(vertex))
    segment_m[:-1] = geodesic_m(lon[vertex], lat[vertex])
    segment_m[way_start[1:] - 1] = 0.0
    speeds = {mode: np.array([way_speeds(tags, rules.modes[mode]) for tags in raw.tags]) for mode in MODES}
    streets = Streets(
        point_x=x,
        point_y=y,
        point_id=ids,
        way_start=way_start,
        vertex=vertex,
        segment_m=segment_m,
        way_id=np.array(raw.way_id, dtype=np.int64),
        forward_kmh={mode: speeds[mode][:, 0].copy() for mode in MODES},
        backward_kmh={mode: speeds[mode][:, 1].copy() for mode in MODES},
        blocked={mode: _blocked(ids, raw.barriers, rules, mode) for mode in MODES},
        notes=_notes(raw),
    )
    return StreetSource(streets, plane)


def _read(path: Path, rules: NetworkRules) -> _Raw:
    raw = _Raw([], [], [], {}, {}, {}, 0, Counter())
    try:
        wanted = osmium.filter.KeyFilter("highway", "barrier")
        for thing in osmium.FileProcessor(str(path)).with_locations().with_filter(wanted):
            if isinstance(thing, osmium.osm.Node):
                if "barrier" in thing.tags:
                    raw.barriers[thing.id] = _tags(thing)
            elif isinstance(thing, osmium.osm.Way) and "highway" in thing.tags:
                _take(thing, rules, raw)
    except (RuntimeError, ValueError, UnicodeDecodeError) as wrong:
        raise InputRefused(f"'{path.name}' cannot be read as OpenStreetMap data: {str(wrong).rstrip('.')}.") from wrong
    return raw


def _take(way: osmium.osm.Way, rules: NetworkRules, raw: _Raw) -> None:
    tags = _tags(way)
    if not rules.known(tags["highway"]):
        raw.unknown[tags["highway"]] += 1
    piece: list[int] = []
    pieces = [piece]
    for node in way.nodes:
        if not node.location.valid():
            piece = []
            pieces.append(piece)
            continue
        if piece and piece[-1] == node.ref:
            continue
        piece.append(node.ref)
        raw.lon[node.ref], raw.lat[node.ref] = node.lon, node.lat
    raw.n_cut += len(pieces) > 1
    for nodes in pieces:
        if len(nodes) >= 2:
            raw.way_id.append(way.id)
            raw.tags.append(tags)
            raw.nodes.append(nodes)


def _tags(thing: osmium.osm.Node | osmium.osm.Way) -> dict[str, str]:
    return {tag.k: tag.v for tag in thing.tags}


def _blocked(
    ids: NDArray[np.int64], barriers: dict[int, dict[str, str]], rules: NetworkRules, mode: str
) -> NDArray[np.bool_]:
    stopping = [node for node, tags in barriers.items() if barrier_stops(tags, rules.modes[mode])]
    return np.isin(ids, np.array(stopping, dtype=np.int64))


def _notes(raw: _Raw) -> tuple[str, ...]:
    notes = []
    if raw.unknown:
        listed = ", ".join(f"{name} ({n})" for name, n in raw.unknown.most_common())
        notes.append(f"Ways of classes that the rule does not know were left out: {listed}.")
    if raw.n_cut:
        notes.append(f"{raw.n_cut} ways lack nodes in the extract and were cut there.")
    squares = sum(1 for tags in raw.tags if tags.get("area") == "yes")
    if squares:
        notes.append(f"{squares} areas (area=yes) are walked along their edge, not across.")
    seen = {node for nodes in raw.nodes for node in nodes}
    on_ways = {node: tags for node, tags in raw.barriers.items() if node in seen}
    if on_ways:
        silent = sum(1 for tags in on_ways.values() if not any(key in tags for key in _ACCESS_KEYS))
        notes.append(
            f"{len(on_ways)} barrier nodes stand on ways; {silent} of them say nothing of access and follow their kind."
        )
    return tuple(notes)
