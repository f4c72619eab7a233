"""Streets from a file of lines (GeoPackage, GeoJSON, Shapefile, FlatGeobuf): noding by equal coordinates and level."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from onemap.engine.network.access import MODES, NetworkRules, way_speeds
from onemap.engine.network.streets import Streets
from onemap.errors import InputRefused
from onemap.ingest.osm_network import StreetSource
from onemap.ingest.plane import plane_for

_CLASS_COLUMNS = ("highway", "road_class", "fclass", "class", "kind")
_TAG_COLUMNS = (
    "access", "foot", "bicycle", "vehicle", "motor_vehicle", "motorcar", "oneway", "oneway:bicycle", "oneway:foot",
    "oneway:motorcar", "oneway:motor_vehicle", "junction", "cycleway", "cycleway:left", "cycleway:right",
    "cycleway:both", "cycleway:left:oneway", "cycleway:right:oneway", "maxspeed", "speed_kmh", "motorroad", "sidewalk",
    "conveying", "ebike", "car",
)  # fmt: skip
_ONEWAY = {"true": "yes", "1": "yes", "f": "yes", "forward": "yes", "t": "-1", "backward": "-1", "reverse": "-1"}
_TWO_WAY = {"false", "0", "b", "no", ""}
_YES, _NO = {"true", "1", "1.0", "yes"}, {"false", "0", "0.0", "no"}
_LAYER_NAMES = ("roads", "streets", "edges", "lines")


def read_street_file(path: Path, rules: NetworkRules, *, layer: str | None = None) -> StreetSource:
    """The streets of a file; its own reference system and columns decide, and what was assumed is noted."""
    frame = read_frame(path, layer=layer, names=_LAYER_NAMES, geometry="Line")
    return streets_from_frame(frame, rules, f"'{path.name}'")


def streets_from_frame(frame: gpd.GeoDataFrame, rules: NetworkRules, what: str) -> StreetSource:
    """Streets from lines in a frame with the columns of the roads layer, or OpenStreetMap's, or none."""
    notes: list[str] = []
    lines, rows = _lines(frame, what, notes)
    plane = plane_for(frame.crs, _bounds(lines), what)
    coordinates, line_of = shapely.get_coordinates(lines, return_index=True)
    if not np.isfinite(coordinates).all():
        raise InputRefused(f"{what} has coordinates that are not numbers (NaN or infinite).")
    way_start = np.searchsorted(line_of, np.arange(len(lines) + 1)).astype(np.int64)
    attributes = frame.drop(columns=frame.geometry.name).rename(columns=str.lower).reset_index(drop=True)
    level = _levels(attributes)[rows]
    step = 1e-7 if frame.crs.is_geographic else 1e-3
    vertex, first_of = _node_by_coordinates(coordinates, way_start, level, step)
    x, y = plane.xy(coordinates[:, 0], coordinates[:, 1], frame.crs)
    segment_m = np.zeros(len(x))
    segment_m[:-1] = plane.lengths(x, y)
    segment_m[way_start[1:] - 1] = 0.0
    forward, backward = _speeds(attributes, rules, notes)
    n_point = len(first_of)
    streets = Streets(
        point_x=x[first_of],
        point_y=y[first_of],
        point_id=np.full(n_point, -1, dtype=np.int64),
        way_start=way_start,
        vertex=vertex,
        segment_m=segment_m,
        way_id=rows.astype(np.int64),
        forward_kmh={mode: forward[mode][rows] for mode in MODES},
        backward_kmh={mode: backward[mode][rows] for mode in MODES},
        blocked={mode: np.zeros(n_point, dtype=np.bool_) for mode in MODES},
        notes=tuple(notes),
    )
    return StreetSource(streets, plane)


def read_frame(
    path: Path, *, layer: str | None = None, names: tuple[str, ...] = (), geometry: str | None = None
) -> gpd.GeoDataFrame:
    """One layer of a vector file, in the file's order: the one asked for, one of the usual names, or the only one."""
    if not path.is_file():
        raise InputRefused(f"There is no file '{path}'.")
    if path.suffix.lower() in (".vrt", ".zip", ".tar", ".gz", ".tgz"):
        raise InputRefused(f"'{path.name}' is not a vector file that is read here: unpack it first.")
    try:
        chosen = layer or _choose(path, names, geometry)
        frame = gpd.read_file(path, layer=chosen, engine="pyogrio")
    except (DataSourceError, DataLayerError, ValueError) as wrong:
        raise InputRefused(f"'{path.name}' cannot be read as a vector file: {wrong}") from wrong
    if not isinstance(frame, gpd.GeoDataFrame) or len(frame) == 0:
        raise InputRefused(f"Layer '{chosen}' of '{path.name}' holds no features with geometry.")
    if frame.crs is None:
        raise InputRefused(
            f"'{path.name}' names no coordinate reference system, so metres cannot be told from degrees."
        )
    return frame


def _choose(path: Path, names: tuple[str, ...], geometry: str | None) -> str:
    layers = [(str(name), kind or "") for name, kind in pyogrio.list_layers(path)]
    spatial = [(name, kind) for name, kind in layers if kind]
    fitting = [name for name, kind in spatial if geometry is None or geometry in kind or kind == "Unknown"]
    candidates = fitting or [name for name, _ in spatial]
    if len(candidates) == 1:
        return candidates[0]
    for name in names:
        if name in candidates:
            return name
    listed = ", ".join(name for name, _ in layers)
    raise InputRefused(f"'{path.name}' holds several layers ({listed}): name one of them {', '.join(names) or 'only'}.")


def _lines(frame: gpd.GeoDataFrame, what: str, notes: list[str]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Single lines and the rows they come from."""
    geometry = np.asarray(frame.geometry.array, dtype=object)
    parts, rows = shapely.get_parts(geometry, return_index=True)
    usable = (shapely.get_type_id(parts) == 1) & ~shapely.is_empty(parts)
    left_out = len(frame) - len(np.unique(rows[usable]))
    if not usable.any():
        raise InputRefused(f"{what} holds no lines, so there is no street to walk on.")
    if left_out:
        notes.append(f"{left_out} of {len(frame)} rows hold no line and were left out.")
    return shapely.force_2d(parts[usable]), rows[usable].astype(np.int64)


def _bounds(lines: NDArray[Any]) -> tuple[float, float, float, float]:
    west, south, east, north = (float(v) for v in shapely.total_bounds(lines))
    return west, south, east, north


def _levels(attributes: pd.DataFrame) -> NDArray[np.int64]:
    """The level a street runs on: its own number, else 1 for bridges, -1 for tunnels, 0."""
    n = len(attributes)
    for name in ("z_level", "layer"):
        if name in attributes:
            stated = pd.to_numeric(attributes[name], errors="coerce")
            break
    else:
        stated = pd.Series(np.full(n, np.nan))
    implied = np.zeros(n)
    if "bridge" in attributes:
        implied = np.where(_flag(attributes["bridge"]), 1.0, implied)
    if "tunnel" in attributes:
        implied = np.where(_flag(attributes["tunnel"]), -1.0, implied)
    return np.where(stated.isna(), implied, stated.fillna(0.0)).astype(np.int64)


def _flag(column: pd.Series) -> NDArray[np.bool_]:
    text = column.astype("string").str.lower().fillna("no")
    return np.asarray(~text.isin(list(_NO | {"f", ""})), dtype=np.bool_)


def _node_by_coordinates(
    coordinates: NDArray[np.float64], way_start: NDArray[np.int64], level: NDArray[np.int64], step: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Point numbers of all vertices, and a vertex of each point.

    Equal coordinates are one point, except that lines passing through on different levels stay apart; a line that
    begins or ends there joins the passing line of its own level, else of the nearest level.
    """
    n = len(coordinates)
    keys = np.round(coordinates / step).astype(np.int64)
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    place = place.reshape(-1)
    way_of = np.repeat(np.arange(len(way_start) - 1), np.diff(way_start))
    vertex_level = level[way_of]
    lowest = np.full(len(first), np.iinfo(np.int64).max)
    highest = np.full(len(first), np.iinfo(np.int64).min)
    np.minimum.at(lowest, place, vertex_level)
    np.maximum.at(highest, place, vertex_level)
    mixed = lowest < highest
    if not mixed.any():
        return place.astype(np.int64), first.astype(np.int64)
    end = np.zeros(n, dtype=np.bool_)
    end[way_start[:-1]] = end[way_start[1:] - 1] = True
    group = np.zeros(n, dtype=np.int64)
    at_mixed = np.flatnonzero(mixed[place])
    for members in pd.Series(at_mixed).groupby(place[at_mixed]).groups.values():
        vertices = at_mixed[np.asarray(members)]
        passing = np.unique(vertex_level[vertices[~end[vertices]]])
        for v in vertices:
            if len(passing):
                group[v] = int(np.argmin(np.abs(passing - vertex_level[v])))
    _, first, point = np.unique(np.column_stack([place, group]), axis=0, return_index=True, return_inverse=True)
    return point.reshape(-1).astype(np.int64), first.astype(np.int64)


def _speeds(
    attributes: pd.DataFrame, rules: NetworkRules, notes: list[str]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Speed by mode along and against the drawn direction of every row."""
    class_column = next((name for name in _CLASS_COLUMNS if name in attributes), None)
    columns = [name for name in (*_CLASS_COLUMNS, *_TAG_COLUMNS) if name in attributes]
    if class_column is None:
        notes.append(f"The streets state no class (highway or road_class): all are taken as '{rules.assumed_class}'.")
    if "oneway" not in attributes:
        notes.append("The streets state no one-way directions: all run both ways.")
    if columns:
        table = attributes[columns].astype("string").fillna("")
        number, unique = pd.factorize(pd.MultiIndex.from_frame(table))
        combinations: list[tuple[str, ...]] = list(unique)
    else:
        number, combinations = np.zeros(len(attributes), dtype=np.int64), [()]
    forward = {mode: np.zeros(len(combinations)) for mode in MODES}
    backward = {mode: np.zeros(len(combinations)) for mode in MODES}
    unknown: dict[str, int] = {}
    for i, values in enumerate(combinations):
        tags, flags = _tags(dict(zip(columns, values, strict=True)), class_column, rules)
        if not rules.known(tags["highway"]):
            unknown[tags["highway"]] = unknown.get(tags["highway"], 0) + int((number == i).sum())
        for mode in MODES:
            forward[mode][i], backward[mode][i] = _row_speeds(tags, flags.get(mode), rules, mode)
    if unknown:
        listed = ", ".join(f"{name} ({n})" for name, n in sorted(unknown.items()))
        notes.append(f"Streets of classes that the rule does not know were left out: {listed}.")
    return (
        {mode: speeds[number] for mode, speeds in forward.items()},
        {mode: speeds[number] for mode, speeds in backward.items()},
    )


def _tags(
    row: Mapping[Hashable, str], class_column: str | None, rules: NetworkRules
) -> tuple[dict[str, str], dict[str, bool]]:
    """One row as OpenStreetMap tags, and the roads layer's own flags per mode."""
    tags = {str(key): value.strip() for key, value in row.items() if value.strip()}
    tags["highway"] = (tags.get(class_column, "") if class_column else "") or rules.assumed_class
    oneway = tags.pop("oneway", "").lower().removesuffix(".0")
    if oneway not in _TWO_WAY:
        tags["oneway"] = _ONEWAY.get(oneway, oneway)
    elif oneway:
        tags["oneway"] = "no"
    if "speed_kmh" in tags:
        tags["maxspeed"] = tags.pop("speed_kmh")
    flags: dict[str, bool] = {}
    for mode in MODES:
        value = tags.get(mode, "").lower()
        if value in _YES | _NO:
            flags[mode] = value in _YES
    return tags, flags


def _row_speeds(tags: Mapping[str, str], flag: bool | None, rules: NetworkRules, mode: str) -> tuple[float, float]:
    rule = rules.modes[mode]
    if flag is False:
        return 0.0, 0.0
    forward, backward = way_speeds(tags, rule)
    if flag and forward == backward == 0.0:
        opened = {**tags, rule.access[-1]: "yes", "highway": "residential"}
        forward, backward = (rule.default_kmh if speed > 0.0 else 0.0 for speed in way_speeds(opened, rule))
    return forward, backward
