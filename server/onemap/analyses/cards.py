"""What a card says beyond its row: which cameras see a building, what a camera sees, what is within a walk.

Everything is computed from the few rows around one feature, so that a card costs the same in a town and in a city.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from onemap.analyses.circle_ground import at_speed
from onemap.analyses.streets import DEGREES, HeldNetwork, StreetNetworks
from onemap.engine.coverage.visibility import Cameras, Walls, seen_ground
from onemap.engine.network.arrays import F64
from onemap.engine.network.index import snap
from onemap.engine.network.reach import reach, times
from onemap.errors import InputRefused
from onemap.store.cards import Cards, NearCamera, NearFacility

#: 15 minutes on foot at 4 km/h, seconds and metres.
WALK_S, WALK_M, WALK_KMH = 900.0, 1000.0, 4.0
#: How long a card waits for the streets, seconds.
PATIENCE_S = 2.0
#: Seen ground touches a building where it comes so near to its wall, metres.
_TOUCH_M = 0.1
_EQUATOR_M, _FLATTENING = 6_378_137.0, 1 / 298.257223563


@dataclass(frozen=True, slots=True)
class Reached:
    """The nearest facility of a category; ``method`` is network or straight."""

    category: str
    fid: int
    title: str
    metres: float
    seconds: float
    method: str


@dataclass(frozen=True, slots=True)
class View:
    """The ground that a camera sees: a ring in degrees, its area, and how many buildings it touches."""

    ring: tuple[tuple[float, float], ...]
    ground_m2: float
    n_buildings: int


def streets_on_foot(streets: StreetNetworks, *, patience_s: float = PATIENCE_S) -> HeldNetwork | None:
    """
    The foot network; None where there is none, or where it is still being read after some seconds.

    A large city's streets take a while to read after a start: the first cards say straight lines meanwhile.
    """
    found: list[HeldNetwork] = []

    def read() -> None:
        with suppress(InputRefused):
            found.append(streets.network("foot"))

    reader = threading.Thread(target=read, name="onemap streets", daemon=True)
    reader.start()
    reader.join(patience_s)
    return found[0] if found else None


def cameras_that_see(cards: Cards, fid: int, cameras: Sequence[NearCamera]) -> frozenset[int]:
    """Numbers of the cameras whose seen ground touches a building."""
    usable = [camera for camera in cameras if _looks(camera)]
    if not usable:
        return frozenset()
    seen, outlines, numbers = _seen(cards, usable)
    building = outlines[numbers == fid]
    if not len(building):
        return frozenset()
    near = shapely.dwithin(seen, building[0], _TOUCH_M)
    return frozenset(camera.fid for camera, touches in zip(usable, near, strict=True) if touches)


def view(cards: Cards, camera: NearCamera) -> View | None:
    """What a camera sees; None where its registry does not say how it looks."""
    if not _looks(camera):
        return None
    seen, outlines, _ = _seen(cards, [camera])
    lon, lat = _Metres(camera.lon, camera.lat).degrees(shapely.get_coordinates(seen[0]))
    ring = tuple((round(float(a), 7), round(float(b), 7)) for a, b in zip(lon, lat, strict=True))
    return View(ring, float(shapely.area(seen[0])), int(shapely.dwithin(outlines, seen[0], _TOUCH_M).sum()))


def within_a_walk(
    held: HeldNetwork | None, facilities: Sequence[NearFacility], lon: float, lat: float
) -> list[Reached]:
    """
    The nearest facility of each category within 15 minutes on foot, the nearest category first.

    Without streets, or away from them, the straight line stands in, and says so.
    """
    seconds = _walk_s(held, facilities, lon, lat) if held and facilities else None
    method = "straight" if seconds is None else "network"
    if seconds is None:
        seconds = np.array([one.metres / (WALK_KMH / 3.6) for one in facilities])
    best: dict[str, Reached] = {}
    for one, s in sorted(zip(facilities, seconds, strict=True), key=lambda row: (row[1], row[0].fid)):
        if s <= WALK_S:
            metres = round(float(s) * WALK_KMH / 3.6, 1)
            best.setdefault(one.category, Reached(one.category, one.fid, one.title, metres, round(float(s), 1), method))
    return list(best.values())


def _walk_s(held: HeldNetwork, facilities: Sequence[NearFacility], lon: float, lat: float) -> F64 | None:
    """Seconds at walking speed along the streets to each facility; None where no street is near."""
    try:
        here = held.place(lon, lat)
    except InputRefused:
        return None
    network = at_speed(held.network, WALK_KMH) if held.network.uniform_kmh != WALK_KMH else held.network
    x, y = held.plane.xy(np.array([one.lon for one in facilities]), np.array([one.lat for one in facilities]), DEGREES)
    return times(network, reach(network, here, budget_s=WALK_S, toward=False), snap(network, x, y))


def _looks(camera: NearCamera) -> bool:
    whole = camera.fov_deg is not None and camera.fov_deg >= 360.0
    fov, far = camera.fov_deg or 0.0, camera.range_m or 0.0
    return (camera.bearing_deg is not None or whole) and 0.0 < fov <= 360.0 and 0.0 < far <= 5000.0


def _seen(cards: Cards, cameras: Sequence[NearCamera]) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
    """Seen ground of the cameras; outlines of the buildings around in the same metres, and the buildings' numbers."""
    plane = _Metres(cameras[0].lon, cameras[0].lat)
    far = max(camera.range_m or 0.0 for camera in cameras)
    rows = cards.outlines(plane.around(cameras, far))
    shapes = np.asarray(shapely.from_wkb([row[1] for row in rows]), dtype=object)
    outlines = np.asarray(shapely.transform(shapes, plane.metres), dtype=object)
    at = plane.metres(np.array([(camera.lon, camera.lat) for camera in cameras]))
    look = np.array([(camera.bearing_deg or 0.0, camera.fov_deg or 0.0, camera.range_m or 0.0) for camera in cameras])
    seen = seen_ground(Cameras(at[:, 0], at[:, 1], look[:, 0], look[:, 1], look[:, 2]), Walls.of(outlines), threads=1)
    return np.asarray(seen, dtype=object), outlines, np.array([row[0] for row in rows], dtype=np.int64)


class _Metres:
    """Metres east and north of a place, true to a hand's breadth within a kilometre."""

    def __init__(self, lon: float, lat: float) -> None:
        self._lon, self._lat = lon, lat
        square = _FLATTENING * (2 - _FLATTENING)
        w = math.sqrt(1 - square * math.sin(math.radians(lat)) ** 2)
        self._east = math.radians(1) * _EQUATOR_M / w * math.cos(math.radians(lat))
        self._north = math.radians(1) * _EQUATOR_M * (1 - square) / w**3

    def metres(self, lonlat: F64) -> F64:
        """Degrees in metres: (n, 2)."""
        return (lonlat - (self._lon, self._lat)) * (self._east, self._north)

    def degrees(self, xy: F64) -> tuple[F64, F64]:
        """Metres in degrees."""
        lonlat = xy / (self._east, self._north) + (self._lon, self._lat)
        return lonlat[:, 0], lonlat[:, 1]

    def around(self, cameras: Sequence[NearCamera], far_m: float) -> tuple[float, float, float, float]:
        """The box that holds every place within a distance of the cameras, degrees."""
        east, north = far_m / self._east, far_m / self._north
        lon, lat = [camera.lon for camera in cameras], [camera.lat for camera in cameras]
        return min(lon) - east, min(lat) - north, max(lon) + east, max(lat) + north
