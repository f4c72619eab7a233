"""A piece of ground that somebody marks on the map: an area, a box, a polygon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from onemap.errors import BadQuery, InvalidValue

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
        if self.area:
            check_area(self.area)

    @property
    def bounds(self) -> Box | None:
        """The box around it; None for all or an area."""
        if self.polygon is not None:
            west, south, east, north = self.polygon.bounds
            return west, south, east, north
        return self.box


def check_area(area: str) -> None:
    """Refuse what is no beginning of an area code."""
    if not (area.isascii() and area.isdigit() and len(area) <= 12):
        raise BadQuery(f"area is '{area[:40]}'; it must be an area code of at most 12 digits.").in_chinese(
            f"区划代码“{area[:40]}”不对：最多 12 位数字。"
        )


def check_point(lon: float, lat: float) -> None:
    """Refuse coordinates that are no place on earth."""
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise InvalidValue(
            f"{lon:g},{lat:g} is not a point: longitude comes first, then latitude, in degrees."
        ).in_chinese(f"{lon:g},{lat:g} 不是地球上的点：先经度后纬度，单位为度。")


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
        raise BadQuery(f"The polygon has {len(corners)} corners; at most {MOST_VERTICES} can be taken.").in_chinese(
            f"多边形有 {len(corners)} 个顶点，最多 {MOST_VERTICES} 个。"
        )
    unread = BadQuery("The polygon cannot be read; it is written as lon,lat;lon,lat;lon,lat.").in_chinese(
        "多边形无法读取：应写为 经度,纬度;经度,纬度;经度,纬度。"
    )
    try:
        points = np.array([[float(part) for part in corner.split(",")] for corner in corners], dtype=np.float64)
    except ValueError:
        raise unread from None
    if points.ndim != 2 or points.shape[1] != 2:
        raise unread
    if not np.isfinite(points).all() or (np.abs(points) > (180.0, 90.0)).any():
        raise BadQuery(
            "A corner of the polygon is no place; longitude comes first, then latitude, in degrees."
        ).in_chinese("多边形有顶点不在地球上：先经度后纬度，单位为度。")
    if len(np.unique(points, axis=0)) < 3:
        raise BadQuery("A polygon needs three different corners at least.").in_chinese("多边形至少要有三个不同的顶点。")
    polygon = shapely.Polygon(points)
    if not polygon.is_valid:
        raise BadQuery(f"The polygon is not simple: {shapely.is_valid_reason(polygon)}.").in_chinese(
            "多边形的边不能相交，也不能重叠。"
        )
    return polygon
