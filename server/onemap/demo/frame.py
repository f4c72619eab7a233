"""From the drawing sheet to the ground: bent streets, metres, degrees.

The city is planned on a flat sheet where streets are straight, then bent by one smooth map, so that everything bends
together and nothing that touched on the sheet comes apart on the ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyproj
import shapely

from onemap.demo.arrays import F64, Objects

#: Where the sheet's origin lies: longitude, latitude.
CENTRE = (117.3, 31.7)
#: CGCS2000 3-degree Gauss-Krueger, central meridian 117 E; and CGCS2000 itself.
GAUSS_KRUEGER, GEODETIC = 4548, 4490
#: Degrees are rounded to a millimetre's tenth: equal vertices stay equal, files stay small.
_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Frame:
    """How the sheet is bent; waves are (length_m, amplitude_m, direction_rad, phase_rad), for x and for y."""

    shear: tuple[float, float]
    waves_x: tuple[tuple[float, float, float, float], ...]
    waves_y: tuple[tuple[float, float, float, float], ...]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Frame:
        """A frame by chance: a slight lean and three waves each way, gentle enough for houses to stand straight."""

        def waves() -> tuple[tuple[float, float, float, float], ...]:
            sizes = ((6100.0, 100.0), (2350.0, 34.0), (1180.0, 10.0))
            return tuple(
                (length, height, float(rng.uniform(0, np.pi)), float(rng.uniform(0, 2 * np.pi)))
                for length, height in sizes
            )

        return cls(shear=(0.085, -0.035), waves_x=waves(), waves_y=waves())

    def bend(self, uv: F64) -> F64:
        """Sheet metres (n, 2) to local metres (n, 2): east and north of the centre."""
        u, v = uv[:, 0], uv[:, 1]
        x, y = u + self.shear[0] * v, v + self.shear[1] * u
        for length, height, direction, phase in self.waves_x:
            x = x + height * np.sin(2 * np.pi * (u * np.cos(direction) + v * np.sin(direction)) / length + phase)
        for length, height, direction, phase in self.waves_y:
            y = y + height * np.sin(2 * np.pi * (u * np.cos(direction) + v * np.sin(direction)) / length + phase)
        return np.column_stack([x, y])

    def heading(self, uv: F64) -> F64:
        """The angle (n,) in radians that the sheet's u axis makes with east, at sheet places (n, 2)."""
        step = np.array([1.0, 0.0])
        ahead = self.bend(uv + step) - self.bend(uv - step)
        return np.asarray(np.arctan2(ahead[:, 1], ahead[:, 0]))


def lonlat(xy: F64) -> F64:
    """Local metres (n, 2) to degrees (n, 2), CGCS2000."""
    east, north = _origin()
    lon, lat = _to_degrees().transform(xy[:, 0] + east, xy[:, 1] + north)
    return np.round(np.column_stack([lon, lat]), _DECIMALS)


def local(degrees: F64) -> F64:
    """Degrees (n, 2) to local metres (n, 2)."""
    east, north = _origin()
    x, y = _to_metres().transform(degrees[:, 0], degrees[:, 1])
    return np.column_stack([np.asarray(x) - east, np.asarray(y) - north])


def to_degrees(shapes: Objects) -> Objects:
    """Geometries in local metres, in degrees."""
    return np.asarray(shapely.transform(shapes, lonlat), dtype=object)


@lru_cache(maxsize=1)
def _to_degrees() -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(GAUSS_KRUEGER, GEODETIC, always_xy=True)


@lru_cache(maxsize=1)
def _to_metres() -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(GEODETIC, GAUSS_KRUEGER, always_xy=True)


@lru_cache(maxsize=1)
def _origin() -> tuple[float, float]:
    east, north = _to_metres().transform(*CENTRE)
    return float(np.round(east)), float(np.round(north))
