"""A piece of ground that somebody marks on the map: an area, a box, a polygon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from onemap.errors import BadQuery

MOST_VERTICES = 10_000

type Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Region:
    """
    Where something is to lie; everything left out means everywhere.

    Attributes
    ----------
    area
        Beginning of an area code.
    box
        West, south, east, north in degrees.
    polygon
        A simple polygon in degrees.
    """

    area: str = ""
    box: Box | None = None
    polygon: shapely.Polygon | None = None

    def __post_init__(self) -> None:
        if self.area and not (self.area.isascii() and self.area.isdigit() and len(self.area) <= 12):
            raise BadQuery(f"area is '{self.area[:40]}'; it must be an area code of at most 12 digits.")

    @property
    def bounds(self) -> Box | None:
        """The box around it; None for all or an area."""
        if self.polygon is not None:
            west, south, east, north = self.polygon.bounds
            return west, south, east, north
        return self.box


def parse_polygon(text: str) -> shapely.Polygon:
    """
    A polygon from ``lon,lat;lon,lat;...`` in degrees, closed or not.

    Raises
    ------
    BadQuery
        Too few or too many corners, corners that are no places, or a line that crosses itself.
    """
    corners = [corner for corner in text.split(";") if corner.strip()]
    if len(corners) > MOST_VERTICES:
        raise BadQuery(f"The polygon has {len(corners)} corners; at most {MOST_VERTICES} can be taken.")
    try:
        points = np.array([[float(part) for part in corner.split(",")] for corner in corners], dtype=np.float64)
    except ValueError:
        raise BadQuery("The polygon cannot be read; it is written as lon,lat;lon,lat;lon,lat.") from None
    if points.ndim != 2 or points.shape[1] != 2:
        raise BadQuery("The polygon cannot be read; it is written as lon,lat;lon,lat;lon,lat.")
    if not np.isfinite(points).all() or (np.abs(points) > (180.0, 90.0)).any():
        raise BadQuery("A corner of the polygon is no place; longitude comes first, then latitude, in degrees.")
    if len(np.unique(points, axis=0)) < 3:
        raise BadQuery("A polygon needs three different corners at least.")
    polygon = shapely.Polygon(points)
    if not polygon.is_valid:
        raise BadQuery(f"The polygon is not simple: {shapely.is_valid_reason(polygon)}.")
    return polygon
