"""Where the rows of a table lie: from a WKT column, from columns of longitude and latitude, or from one of pairs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from onemap.errors import InputRefused
from onemap.ingest.geometry import Settled
from onemap.ingest.names import formula_reason, plain_name

#: Column names by what they hold, in the order in which they are looked for.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "wkt": ("wkt", "geometry", "geom", "the_geom", "wkt_geom", "shape", "几何", "图形", "空间坐标", "边界",
            "wkt坐标", "jihe"),
    "lon": ("lon", "lng", "long", "longitude", "经度", "东经", "经度坐标", "坐标经度", "jingdu", "gcj_lng", "gcj_lon",
            "gcj02_lng", "bd_lng", "bd09_lng", "wgs_lng", "wgs_lon", "wgs84_lng", "wgs84_lon", "x", "x坐标", "横坐标",
            "coord_x", "point_x", "xcoord", "east", "easting", "lon_deg"),
    "lat": ("lat", "latitude", "纬度", "北纬", "纬度坐标", "坐标纬度", "weidu", "gcj_lat", "gcj02_lat", "bd_lat",
            "bd09_lat", "wgs_lat", "wgs84_lat", "y", "y坐标", "纵坐标", "coord_y", "point_y", "ycoord", "north",
            "northing", "lat_deg"),
    "pair": ("经纬度", "坐标", "lnglat", "lonlat", "location", "coordinates", "coordinate", "位置坐标", "坐标点",
             "经纬度坐标", "zuobiao", "jingweidu"),
}  # fmt: skip
PLACES = ("lon", "lat", "wkt")

_PAIR = re.compile(r"\s*[(（\[]?\s*(-?\d+(?:\.\d+)?)\s*[,，;；\s]\s*(-?\d+(?:\.\d+)?)\s*[)）\]]?\s*")


def place_columns(names: Sequence[str], named: Mapping[str, str], file: str) -> dict[str, str]:
    """Which columns say where: ``{"wkt": c}``, ``{"lon": a, "lat": b}`` or ``{"pair": c}``."""
    for what, name in named.items():
        if name not in names:
            raise InputRefused(f"'{file}' has no column '{name}' for {what}; it has {', '.join(names)}.")
    if "wkt" in named or {"lon", "lat"} <= set(named):
        return dict(named)
    found = {what: column for what in COLUMNS if (column := _first(names, what)) is not None} | dict(named)
    for wanted in (("wkt",), ("lon", "lat"), ("pair",)):
        if all(what in found for what in wanted):
            return {what: found[what] for what in wanted}
    raise InputRefused(
        f"'{file}' does not say where its rows lie: no columns for longitude and latitude (经度, 纬度) or WKT among "
        f"{', '.join(names)}; name them with --map lon=COLUMN --map lat=COLUMN or --map wkt=COLUMN."
    )


def geometry_of(columns: Mapping[str, pa.Array], named: Mapping[str, str], file: str) -> Settled:
    """The geometries of a table's rows, in the coordinates of the file."""
    places = place_columns(list(columns), named, file)
    if "wkt" in places:
        return _from_wkt(columns[places["wkt"]].to_pylist())
    if "pair" in places:
        return _from_pairs(columns[places["pair"]].to_pylist())
    return _from_numbers(columns[places["lon"]].to_pylist(), columns[places["lat"]].to_pylist())


def _first(names: Sequence[str], what: str) -> str | None:
    known = {plain_name(name): name for name in reversed(names)}
    return next((known[plain] for word in COLUMNS[what] if (plain := plain_name(word)) in known), None)


def _from_wkt(texts: list[Any]) -> Settled:
    problem: dict[int, str] = {}
    values = np.array(
        [None if text is None else str(text).strip().removeprefix("SRID=4490;") for text in texts], dtype=object
    )
    shapes = shapely.from_wkt(values, on_invalid="ignore")
    repaired = np.zeros(len(texts), bool)
    for row in np.flatnonzero(shapely.is_missing(shapes)):
        if values[row]:
            shapes[row] = shapely.from_wkt(values[row], on_invalid="fix")
            repaired[row] = shapes[row] is not None
            if shapes[row] is None:
                problem[int(row)] = f"its WKT cannot be read: {values[row][:60]}"
    return Settled(shapes, shapes.copy(), problem, repaired)


def _from_pairs(texts: list[Any]) -> Settled:
    pairs = [_PAIR.fullmatch(str(text)) if text is not None else None for text in texts]
    problem = {
        row: f"'{text}' is no pair of longitude and latitude"
        for row, (text, pair) in enumerate(zip(texts, pairs, strict=True))
        if text is not None and pair is None
    }
    x = np.array([float(pair[1]) if pair else np.nan for pair in pairs])
    y = np.array([float(pair[2]) if pair else np.nan for pair in pairs])
    return _points(x, y, problem)


def _from_numbers(xs: list[Any], ys: list[Any]) -> Settled:
    problem: dict[int, str] = {}
    x, y = (_numbers(values, what, problem) for values, what in ((xs, "longitude"), (ys, "latitude")))
    return _points(x, y, problem)


def _numbers(values: list[Any], what: str, problem: dict[int, str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    numbers = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        if value is None or value == "":
            continue
        try:
            numbers[row] = float(str(value).replace("°", "").strip())
        except ValueError:
            problem.setdefault(row, formula_reason(value) or f"'{value}' is no {what}")
            continue
        if not np.isfinite(numbers[row]):
            problem.setdefault(row, f"coordinates that are no numbers ({what} is {value})")
    return numbers


def _points(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], problem: dict[int, str]) -> Settled:
    usable = np.isfinite(x) & np.isfinite(y)
    shapes = np.full(len(x), None, dtype=object)
    shapes[usable] = shapely.points(x[usable], y[usable])
    return Settled(shapes, shapes.copy(), problem, np.zeros(len(x), bool))
