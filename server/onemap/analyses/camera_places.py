"""Key places that cameras should see: crossings, estate and square gates, markets, schools' fronts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from onemap.engine.network.arrays import F64

KINDS = ("crossing", "estate_gate", "square_gate", "market", "school_front")
#: Roads that meet in a crossing; footways and lanes inside estates do not.
_STREETS = frozenset({"motorway", "trunk", "primary", "secondary", "tertiary", "residential"})
_SCHOOLS = frozenset({"kindergarten", "primary_school", "middle_school"})
#: Gates nearer to one another than this are one, and a front lies on the street at most so far away, metres.
_ONE_GATE_M, _FRONT_M = 6.0, 80.0


@dataclass(frozen=True, slots=True)
class KeyPlaces:
    """Places by kind: (n,) each, in the plane of the shapes they were found among."""

    kind: list[str]
    title: list[str | None]
    x: F64
    y: F64

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds, in their order, found or not."""
        return KINDS

    def __len__(self) -> int:
        return len(self.kind)


def key_places(layers: Mapping[str, gpd.GeoDataFrame], shapes: Mapping[str, NDArray[Any]], ground: Any) -> KeyPlaces:
    """
    The key places of an area.

    Parameters
    ----------
    layers, shapes
        Rows and shapes (in one plane) of roads, estates, green, facilities; a layer that is not there has no places.
    ground
        Only places inside it count; None for everywhere.
    """
    found: list[tuple[str, str | None, float, float]] = []
    roads = shapes.get("roads", _NOTHING)
    found += [("crossing", name, x, y) for x, y, name in _crossings(layers, roads)]
    enclosed = np.array([value is True or value == 1 for value in _column(layers, "estates", "enclosed")], dtype=bool)
    squares = np.array([value == "square" for value in _column(layers, "green", "kind")], dtype=bool)
    for kind, layer, keep in (("estate_gate", "estates", enclosed), ("square_gate", "green", squares)):
        title = _column(layers, layer, "name")
        found += [(kind, title[i], x, y) for i, x, y in _gates(shapes.get(layer, _NOTHING), keep, roads)]
    category, title = _column(layers, "facilities", "category"), _column(layers, "facilities", "name")
    for i, point in enumerate(shapes.get("facilities", _NOTHING)):
        if category[i] == "market" or category[i] in _SCHOOLS:
            x, y = _front(point, roads)
            found.append(("market" if category[i] == "market" else "school_front", title[i], x, y))
    if ground is not None:
        shapely.prepare(ground)
        found = [one for one in found if shapely.contains_xy(ground, one[2], one[3])]
    kinds, titles = [one[0] for one in found], [one[1] for one in found]
    return KeyPlaces(kinds, titles, np.array([one[2] for one in found]), np.array([one[3] for one in found]))


_NOTHING: NDArray[Any] = np.empty(0, dtype=object)


def _column(layers: Mapping[str, gpd.GeoDataFrame], layer: str, name: str) -> list[Any]:
    frame = layers.get(layer)
    if frame is None:
        return []
    if name not in frame:
        return [None] * len(frame)
    return [None if value is None or value != value else value for value in frame[name]]  # noqa: PLR0124 NaN


def _crossings(layers: Mapping[str, gpd.GeoDataFrame], roads: NDArray[Any]) -> list[tuple[float, float, str | None]]:
    """Shared vertices of streets where three arms or more meet on one level."""
    classes, names = _column(layers, "roads", "road_class"), _column(layers, "roads", "name")
    level = [int(value or 0) for value in _column(layers, "roads", "z_level")]
    arms: dict[tuple[int, int, int], tuple[int, float, float, str | None]] = {}
    for i, road in enumerate(roads):
        if classes[i] not in _STREETS:
            continue
        for part in shapely.get_parts(road):
            if shapely.get_type_id(part) != 1:
                continue
            xy = shapely.get_coordinates(part)
            for j, (x, y) in enumerate(xy):
                key = (round(x * 100.0), round(y * 100.0), level[i])
                n, _, _, name = arms.get(key, (0, x, y, None))
                arms[key] = (n + (1 if j in (0, len(xy) - 1) else 2), x, y, name or names[i])
    return [(x, y, name) for n, x, y, name in arms.values() if n >= 3]


def _gates(grounds: NDArray[Any], keep: NDArray[Any], roads: NDArray[Any]) -> list[tuple[int, float, float]]:
    """Where a road passes an outline: the row of the outline and the place."""
    rows = np.flatnonzero(keep)
    if not len(rows) or not len(roads):
        return []
    walls = shapely.boundary(grounds[rows])
    road, wall = shapely.STRtree(walls).query(roads, predicate="intersects")
    points, of = shapely.get_parts(shapely.intersection(roads[road], walls[wall]), return_index=True)
    at = shapely.get_type_id(points) == 0
    found: list[tuple[int, float, float]] = []
    for row, x, y in zip(rows[wall[of[at]]], shapely.get_x(points[at]), shapely.get_y(points[at]), strict=True):
        if not any(one == row and np.hypot(a - x, b - y) < _ONE_GATE_M for one, a, b in found[-200:]):
            found.append((int(row), float(x), float(y)))
    return found


def _front(point: Any, roads: NDArray[Any]) -> tuple[float, float]:
    """The place on the nearest street before a door; the door itself where no street is near."""
    centre = shapely.centroid(point)
    if len(roads):
        far = shapely.distance(roads, centre)
        nearest = int(np.nanargmin(far)) if np.isfinite(far).any() else -1
        if nearest >= 0 and far[nearest] <= _FRONT_M:
            xy = shapely.get_coordinates(shapely.shortest_line(roads[nearest], centre))
            return float(xy[0, 0]), float(xy[0, 1])
    return float(shapely.get_x(centre)), float(shapely.get_y(centre))
