"""Local metres and back: an affine map, so straight lines stay straight."""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj

from onemap.engine.geometry.types import F64
from onemap.errors import InputRefused


@dataclass(frozen=True, slots=True)
class Space:
    """Origin and metres per unit of the CRS in x and in y, true in the middle of the ground."""

    x0: float
    y0: float
    metres_x: float
    metres_y: float

    @classmethod
    def around(cls, frame: gpd.GeoDataFrame, crs: Any) -> "Space":
        """The space around the middle of these shapes."""
        west, south, east, north = (float(v) for v in frame.total_bounds)
        if not np.isfinite([west, south, east, north]).all():
            raise InputRefused("The geometries have coordinates that are not numbers, or there are none.")
        x0, y0 = (west + east) / 2, (south + north) / 2
        if crs is None:
            if abs(x0) <= 180 and abs(y0) <= 90 and east - west < 5:
                raise InputRefused("The buildings carry no CRS and look like degrees: name their CRS first.")
            return cls(x0, y0, 1.0, 1.0)
        metres_x, metres_y = _metres_per_unit(pyproj.CRS.from_user_input(crs), x0, y0)
        return cls(x0, y0, metres_x, metres_y)

    def local(self, xy: F64) -> F64:
        """Metres from the origin."""
        return np.asarray((xy - (self.x0, self.y0)) * (self.metres_x, self.metres_y))

    def back(self, xy: F64) -> F64:
        """Coordinates in the CRS."""
        return np.asarray(xy / (self.metres_x, self.metres_y) + (self.x0, self.y0))


def _metres_per_unit(crs: pyproj.CRS, x0: float, y0: float) -> tuple[float, float]:
    """How many metres one unit of x and of y is, measured on the ellipsoid."""
    if not (crs.is_geographic or crs.is_projected):
        raise InputRefused(f"The CRS {crs.name} is neither geographic nor projected.")
    step = 1e-4 if crs.is_geographic else 10.0
    to_degrees = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lon, lat = to_degrees.transform([x0, x0 + step, x0], [y0, y0, y0 + step])
    if not np.isfinite([*lon, *lat]).all() or (not -90 <= y0 <= 90 and crs.is_geographic):
        raise InputRefused(f"The coordinates do not lie where {crs.name} is defined.")
    geod = crs.get_geod() or pyproj.Geod(ellps="WGS84")
    _, _, east = geod.inv(lon[0], lat[0], lon[1], lat[1])
    _, _, north = geod.inv(lon[0], lat[0], lon[2], lat[2])
    if east <= 0 or north <= 0:
        raise InputRefused(f"The coordinates do not lie where {crs.name} is defined.")
    return east / step, north / step
