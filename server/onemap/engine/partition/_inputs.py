"""Frames as people have them, checked and brought to what the engine takes."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from onemap.engine.geometry.types import F64, I8, Bools
from onemap.engine.partition.ground import Geometries
from onemap.engine.partition.kinds import Kind, kind_of_road
from onemap.engine.partition.space import Space
from onemap.errors import InputRefused

_CLASS_COLUMNS = ("kind", "road_class", "highway", "fclass", "railway", "class", "type")
_SMALL_WATER = frozenset({"stream", "ditch", "drain", "brook", "tidal_channel"})
_POINT_M = 1.5


def in_crs(frame: gpd.GeoDataFrame | None, crs: Any, name: str) -> gpd.GeoDataFrame | None:
    """The frame in the CRS of the buildings; ``None`` where it is empty."""
    if frame is None or not len(frame):
        return None
    if (frame.crs is None) != (crs is None):
        raise InputRefused(f"Either the buildings or the {name} carry no CRS: they cannot be laid over each other.")
    return frame if crs is None or frame.crs == crs else frame.to_crs(crs)


def numbers_of(buildings: gpd.GeoDataFrame, column: str, what: str, counted: Bools) -> F64:
    """
    (n_building,) a column of counts; negative, missing or written-out values are refused with their rows.

    Buildings that are not ``counted`` (outside the boundary) need no number: theirs is 0 where it is missing.
    """
    if column not in buildings.columns:
        known = ", ".join(str(c) for c in buildings.columns if c != buildings.geometry.name)
        raise InputRefused(f"The buildings have no column '{column}' for {what}; they have: {known}.")
    values = pd.to_numeric(buildings[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    for wrong, reason in (
        (~np.isfinite(values) & counted, "is missing or no number"),
        (values < 0, "is negative"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            given = buildings[column].iloc[row]
            raise InputRefused(
                f"Column '{column}' {reason} in {int(wrong.sum())} of {len(values)} buildings, first in row {row + 1} "
                f"({'nothing' if pd.isna(given) else given}); write 0 where nobody lives."
            )
    return np.where(np.isfinite(values), values, 0.0)


def footprints(buildings: gpd.GeoDataFrame, space: Space, notes: list[str]) -> Geometries:
    """(n_building,) valid polygons in local metres; points become small squares."""
    shapes = _local(buildings, space)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if missing.all():
        raise InputRefused("None of the buildings has a geometry.")
    if missing.any():
        notes.append(f"{int(missing.sum())} buildings have no geometry and belong to no grid.")
    kind = shapely.get_type_id(shapes)
    points = np.isin(kind, (0, 4))
    shapes[points] = shapely.buffer(shapely.centroid(shapes[points]), _POINT_M, cap_style="square")
    if np.isin(kind, (1, 2, 5)).any():
        raise InputRefused("Some buildings are lines; buildings must be polygons or points.")
    shapes = _mended(shapes, notes, "buildings")
    shapes[missing] = shapely.Polygon()
    return shapes


def as_areas(frame: gpd.GeoDataFrame, space: Space, name: str) -> Geometries:
    """Valid polygons in local metres."""
    shapes = _local(frame, space)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not np.isin(shapely.get_type_id(shapes), (3, 6, 7)).all():
        raise InputRefused(f"The {name} must be polygons.")
    return _mended(shapes, [], name)


def street_kinds(streets: gpd.GeoDataFrame | None, space: Space) -> tuple[Geometries, I8]:
    """The streets that bound grids, with their kinds; paths and tunnels bound nothing."""
    if streets is None:
        return np.array([], dtype=object), np.array([], dtype=np.int8)
    kinds = [kind_of_road(name) for name in class_names(streets)]
    shapes = _lines(streets, space)
    bounding = np.array([k is not None for k in kinds]) & ~_truth(streets, "tunnel")
    bounding &= ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    kind = np.array([k if k is not None else Kind.GROUND for k in kinds], dtype=np.int8)
    return shapes[bounding], kind[bounding]


def class_names(frame: gpd.GeoDataFrame) -> list[str]:
    """What each line is called, by the first column that says so; plain streets without one."""
    for column in _CLASS_COLUMNS:
        if column in frame.columns:
            return [str(v) if isinstance(v, str) and v else "street" for v in frame[column]]
    return ["street"] * len(frame)


def water_parts(water: gpd.GeoDataFrame | None, space: Space) -> tuple[Geometries, I8, Geometries]:
    """Lines of rivers with their kinds, and polygons of water. Brooks are weak barriers, culverts none."""
    nothing = np.array([], dtype=object)
    if water is None:
        return nothing, np.array([], dtype=np.int8), nothing
    shapes = _local(water, space)
    kept = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes)) & ~_truth(water, "tunnel")
    small = np.zeros(len(water), dtype=bool)
    for column in ("kind", "waterway", "fclass"):
        if column in water.columns:
            small |= water[column].isin(_SMALL_WATER).to_numpy()
    kind = shapely.get_type_id(shapes)
    line, area = kept & np.isin(kind, (1, 2, 5)), kept & np.isin(kind, (3, 6))
    line_kind = np.where(small[line], Kind.WALL, Kind.RIVER).astype(np.int8)
    return shapes[line], line_kind, _mended(shapes[area], [], "water")


def crossing_lines(
    streets: gpd.GeoDataFrame | None, lines: Geometries, kinds: I8, every_street: bool, space: Space
) -> tuple[Geometries, str | None]:
    """Bridges, tunnels and places where a street passes a motorway; a note where nothing says what is a bridge."""
    nothing = np.array([], dtype=object)
    if streets is None:
        return nothing, None
    shapes = _lines(streets, space)
    names = class_names(streets)
    motorway = np.array([kind_of_road(name) == Kind.MOTORWAY or "motorway" in name for name in names])
    rail = np.array([kind_of_road(name) in (Kind.RAILWAY, Kind.RIVER, Kind.WALL) for name in names])
    usable = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes)) & ~motorway & ~rail
    marked = "bridge" in streets.columns or "tunnel" in streets.columns
    bridges = usable & (_truth(streets, "bridge") | _truth(streets, "tunnel") if not every_street else True)
    passing = nothing
    roads = shapes[usable]
    highways = lines[kinds == Kind.MOTORWAY]
    if len(highways) and len(roads):
        road, highway = shapely.STRtree(highways).query(roads, predicate="intersects")
        passing = shapely.intersection(roads[road], highways[highway])
    note = None
    if not marked and not every_street:
        note = "The streets have no column 'bridge', so nothing crosses water; every street may be taken as a bridge."
    return np.concatenate([shapes[bridges], passing]), note


def _lines(frame: gpd.GeoDataFrame, space: Space) -> Geometries:
    shapes = _local(frame, space)
    kind = shapely.get_type_id(shapes)
    if not np.isin(kind, (-1, 1, 2, 5, 3, 6, 7)).all():
        raise InputRefused("The streets must be lines.")
    areas = np.isin(kind, (3, 6))
    shapes[areas] = shapely.boundary(shapes[areas])
    return shapes


def _local(frame: gpd.GeoDataFrame, space: Space) -> Geometries:
    shapes = shapely.force_2d(np.array(frame.geometry.to_numpy(), dtype=object))
    coordinates = shapely.get_coordinates(shapes)
    if not np.isfinite(coordinates).all():
        raise InputRefused("Some geometries have coordinates that are not finite numbers.")
    moved = shapely.set_coordinates(shapes.copy(), space.local(coordinates))
    return np.asarray(moved, dtype=object)


def _mended(shapes: Geometries, notes: list[str], name: str) -> Geometries:
    invalid = ~shapely.is_valid(shapes)
    if invalid.any():
        shapes = shapes.copy()
        shapes[invalid] = _areas_only(shapely.make_valid(shapes[invalid]))
        notes.append(f"{int(invalid.sum())} {name} had rings that cross themselves and were mended.")
    return shapes


def _areas_only(shapes: Geometries) -> Geometries:
    collections = shapely.get_type_id(shapes) == 7
    for i in np.flatnonzero(collections):
        parts = shapely.get_parts(shapes[i])
        shapes[i] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), (3, 6))])
    shapes[np.isin(shapely.get_type_id(shapes), (0, 1, 2, 4, 5))] = shapely.Polygon()
    return shapes


def _truth(frame: gpd.GeoDataFrame, column: str) -> Bools:
    if column not in frame.columns:
        return np.zeros(len(frame), dtype=np.bool_)
    values = frame[column]
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return np.asarray(values.fillna(0).to_numpy(dtype=np.bool_))
    text = values.astype("string").str.lower().str.strip()
    return np.asarray(
        (text.notna() & ~text.isin(["", "no", "false", "0", "f", "none", "nan"])).to_numpy(dtype=np.bool_)
    )
