"""The plane that the engine works in: metres around the data, and true lengths whatever the file's reference system."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import ProjError

from onemap.errors import InputRefused

F64 = NDArray[np.float64]

_WGS84 = CRS.from_epsg(4326)
_GEOD = Geod(ellps="WGS84")
_SCALE_TOLERANCE = 0.002


@dataclass(frozen=True, slots=True)
class Plane:
    """
    Metres for one set of files.

    Attributes
    ----------
    crs
        The projected system of the plane.
    geodesic
        Whether lengths are measured on the ellipsoid (the source was not in metres) or in the plane itself.
    """

    crs: CRS
    geodesic: bool
    #: Made once: to find the way between two systems takes fifty times as long as to go it for one point.
    _ways: dict[tuple[str, bool], Transformer | None] = field(default_factory=dict, repr=False, compare=False)

    def xy(self, x: F64, y: F64, crs: CRS) -> tuple[F64, F64]:
        """Coordinates of another system in the plane's metres."""
        across = self._way(crs, into=True)
        if across is None:
            return np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        px, py = across.transform(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        return np.asarray(px, dtype=float), np.asarray(py, dtype=float)

    def lonlat(self, x: F64, y: F64) -> tuple[F64, F64]:
        """Longitude and latitude of points in the plane."""
        back = self._way(_WGS84, into=False)
        if back is None:
            return np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        lon, lat = back.transform(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        return np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)

    def _way(self, crs: CRS, *, into: bool) -> Transformer | None:
        """From another system into the plane or back; None where it is the plane's own."""
        key = (crs.srs, into)
        if key not in self._ways:
            from_to = (crs, self.crs) if into else (self.crs, crs)
            self._ways[key] = None if crs == self.crs else Transformer.from_crs(*from_to, always_xy=True)
        return self._ways[key]

    def lengths(self, x: F64, y: F64) -> F64:
        """True metres from every point to the next: (n - 1,)."""
        if not self.geodesic:
            return np.hypot(np.diff(x), np.diff(y))
        lon, lat = self.lonlat(x, y)
        return geodesic_m(lon, lat)


def geodesic_m(lon: F64, lat: F64) -> F64:
    """Metres on the WGS 84 ellipsoid from every point to the next: (n - 1,)."""
    return np.asarray(_GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2], dtype=float)


def local_plane(lon: float, lat: float) -> Plane:
    """A transverse Mercator plane centred on a place, true to scale there; lengths are geodesic."""
    text = f"+proj=tmerc +lat_0={lat:.9f} +lon_0={lon:.9f} +k_0=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs"
    return Plane(CRS.from_proj4(text), geodesic=True)


def plane_for(crs: Any, bounds: tuple[float, float, float, float], what: str) -> Plane:
    """
    The plane for data in a reference system.

    A projected system in metres that is true to scale within 2 per mille at the data's centre is used as it is;
    anything else (degrees, Web Mercator, feet) gets a transverse Mercator plane of its own, centred on the data.
    """
    if crs is None:
        raise InputRefused(f"{what} names no coordinate reference system, so metres cannot be told from degrees.")
    system = CRS.from_user_input(crs)
    west, south, east, north = bounds
    if not all(np.isfinite(bounds)):
        raise InputRefused(f"{what} has coordinates that are not numbers (NaN or infinite).")
    try:
        lon, lat = Transformer.from_crs(system, _WGS84, always_xy=True).transform(
            (west + east) / 2, (south + north) / 2
        )
    except ProjError as wrong:
        raise InputRefused(f"{what} cannot be placed on the earth: {wrong}.") from wrong
    if not (np.isfinite(lon) and np.isfinite(lat) and -180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise InputRefused(f"{what} lies outside the area where {system.name} is valid.")
    if _is_true_to_scale(system, lon, lat):
        return Plane(system, geodesic=False)
    return local_plane(lon, lat)


def _is_true_to_scale(system: CRS, lon: float, lat: float) -> bool:
    if not system.is_projected or any(axis.unit_conversion_factor != 1.0 for axis in system.axis_info[:2]):
        return False
    # A step of 100 m east and north measured both ways.
    east = _GEOD.fwd(lon, lat, 90.0, 100.0)[:2]
    north = _GEOD.fwd(lon, lat, 0.0, 100.0)[:2]
    to = Transformer.from_crs(_WGS84, system, always_xy=True)
    x, y = to.transform([lon, east[0], north[0]], [lat, east[1], north[1]])
    steps = [np.hypot(x[1] - x[0], y[1] - y[0]), np.hypot(x[2] - x[0], y[2] - y[0])]
    return all(abs(step / 100.0 - 1.0) <= _SCALE_TOLERANCE for step in steps)
