"""Source coordinate systems to EPSG:4490: EPSG codes through PROJ, the shifted Chinese ones by iteration.

GCJ-02 (Amap, Tencent) and BD-09 (Baidu) bend WGS 84 by some 300 to 700 m inside China. The forward formulas are
public; the inverse has no closed form and is found by fixed-point iteration, which stops below 1e-9 degrees (0.1 mm).
WGS 84 and CGCS2000 differ by centimetres and are taken as the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from pyproj.transformer import AreaOfInterest, TransformerGroup

from onemap.errors import InputRefused, UsageError

F64 = npt.NDArray[np.float64]
Pair = tuple[F64, F64]

STORAGE = 4490
WGS84, CGCS2000, GCJ02, BD09 = "wgs84", "cgcs2000", "gcj02", "bd09"
SHIFTED = frozenset({GCJ02, BD09})

#: West, south, east, north of the ground on which the map services bend coordinates.
CHINA = (72.004, 0.8293, 137.8347, 55.8271)
#: A projected system may be used this far beyond the ground it is made for, degrees.
USE_MARGIN_DEG = 2.0

_SEMI_MAJOR_M = 6378245.0
_ECCENTRICITY_2 = 0.00669342162296594323
_BAIDU_TURN = np.pi * 3000.0 / 180.0
_TOLERANCE_DEG = 1e-9
_MAX_ITERATIONS = 30


@dataclass(frozen=True)
class SourceCrs:
    """A coordinate system that input may come in: a name of ours, or one that PROJ knows."""

    name: str
    proj: CRS | None = None

    @property
    def is_shifted(self) -> bool:
        """Whether it is one of the bent systems that no EPSG code names."""
        return self.name in SHIFTED

    @property
    def is_degrees(self) -> bool:
        """Whether its numbers are longitude and latitude."""
        return self.proj is None or self.proj.is_geographic

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """Where its results may lie: west, south, east, north, degrees."""
        use = None if self.is_degrees or self.proj is None else self.proj.area_of_use
        if use is None or use.west > use.east:
            return (-180.0, -90.0, 180.0, 90.0)
        margin = USE_MARGIN_DEG
        return (use.west - margin, use.south - margin, use.east + margin, use.north + margin)

    def to_4490(self, x: F64, y: F64) -> Pair:
        """
        Longitude and latitude in CGCS2000.

        Parameters
        ----------
        x, y : (n,)
            Easting and northing in metres, or longitude and latitude in degrees, as the system has it.

        Returns
        -------
        lon, lat : (n,)
            Degrees; ``inf`` where the system has no such point.
        """
        if self.name == GCJ02:
            return gcj02_to_wgs84(x, y)
        if self.name == BD09:
            return bd09_to_wgs84(x, y)
        if self._transformer is None:
            return x, y
        lon, lat = self._transformer.transform(x, y, errcheck=False)
        return np.asarray(lon, np.float64), np.asarray(lat, np.float64)

    def from_4490(self, lon: F64, lat: F64) -> Pair:
        """Coordinates in this system of longitudes and latitudes in CGCS2000, degrees."""
        if self.name == GCJ02:
            return wgs84_to_gcj02(lon, lat)
        if self.name == BD09:
            return wgs84_to_bd09(lon, lat)
        if self._transformer is None:
            return lon, lat
        x, y = self._transformer.transform(lon, lat, direction="INVERSE", errcheck=False)
        return np.asarray(x, np.float64), np.asarray(y, np.float64)

    @cached_property
    def doubtful_shift(self) -> bool:
        """Whether PROJ knows no datum shift to CGCS2000, so that results may err by 100 m (Beijing 54, Xian 80)."""
        if self.proj is None or self._transformer is None:
            return False
        use = self.proj.area_of_use
        if use is None or use.west > use.east:
            group = TransformerGroup(self.proj, _target(self.proj), always_xy=True)
        else:
            reach = AreaOfInterest(use.west, use.south, use.east, use.north)
            group = TransformerGroup(self.proj, _target(self.proj), always_xy=True, area_of_interest=reach)
        best = group.transformers[0] if group.transformers else None
        return best is None or "ballpark" in (best.description or "").casefold()

    @cached_property
    def _transformer(self) -> Transformer | None:
        if self.proj is None or _is_plain_degrees(self.proj):
            return None
        return Transformer.from_crs(self.proj, _target(self.proj), always_xy=True)


def parse_crs(text: str) -> SourceCrs:
    """The system a person names: wgs84, cgcs2000, gcj02, bd09 or EPSG:n."""
    name = text.strip().casefold().replace("-", "").replace(" ", "")
    if name in (WGS84, CGCS2000, GCJ02, BD09):
        return SourceCrs(name)
    if not name.startswith("epsg:") or not name[5:].isdigit():
        raise UsageError(f"'{text}' is no coordinate system we know: wgs84, cgcs2000, gcj02, bd09 or EPSG:n.")
    try:
        return from_proj(CRS.from_epsg(int(name[5:])))
    except CRSError as wrong:
        raise UsageError(f"There is no coordinate system {text.strip().upper()}.") from wrong


def from_proj(crs: CRS) -> SourceCrs:
    """The system that a file carries, without any height."""
    flat = crs.sub_crs_list[0] if crs.is_compound else crs
    flat = flat.source_crs if flat.is_bound and flat.source_crs is not None else flat
    if not (flat.is_geographic or flat.is_projected):
        raise InputRefused(f"Coordinates in {describe(crs)} are neither longitude and latitude nor a map projection.")
    return SourceCrs(describe(flat), flat)


def agreed(carried: CRS | None, named: str | None, file: str, *, by_rule: bool = False) -> SourceCrs:
    """
    The system a file is in: the one it carries, else the one that is named; ``InputRefused`` where they contradict.

    Parameters
    ----------
    carried
        What the file says; ``None`` where it says nothing.
    named
        What the person says (``--crs``).
    by_rule
        The file says nothing itself: its format lays WGS 84 down. A named system then wins.

    Notes
    -----
    No file can say that it is in GCJ-02 or BD-09: they have no code and come labelled as WGS 84 or CGCS2000. Naming
    them contradicts no file in degrees.
    """
    wanted = parse_crs(named) if named else None
    if carried is None or (by_rule and wanted is not None):
        if wanted is None:
            raise InputRefused(
                f"'{file}' does not say which coordinate system it is in; name it with "
                "--crs wgs84, cgcs2000, gcj02, bd09 or EPSG:n."
            )
        return wanted
    own = from_proj(carried)
    if wanted is None or (not wanted.is_shifted and same(own, wanted)):
        return own
    if wanted.is_shifted and own.is_degrees:
        return wanted
    raise InputRefused(
        f"'{file}' says that it is in {own.name}, but --crs says {wanted.name}; leave --crs out, or correct the file."
    )


def describe(crs: CRS) -> str:
    """The code of a system, or its name where it has none."""
    code = crs.to_epsg(min_confidence=60)
    return f"EPSG:{code}" if code else (crs.name or "an unnamed coordinate system")


def same(one: SourceCrs, other: SourceCrs) -> bool:
    """Whether two systems put their coordinates within half a metre of each other."""
    if one.is_shifted or other.is_shifted:
        return one.name == other.name
    if one.is_degrees != other.is_degrees or one.doubtful_shift != other.doubtful_shift:
        return False
    west, south, east, north = _probe_bounds(one, other)
    lon, lat = (part.ravel() for part in np.meshgrid(np.linspace(west, east, 3), np.linspace(south, north, 3)))
    x, y = one.from_4490(lon, lat)
    there = other.from_4490(lon, lat)
    tolerance = 5e-6 if one.is_degrees else 0.5
    apart = np.maximum(np.abs(x - there[0]), np.abs(y - there[1]))
    return bool(np.isfinite(apart).all() and (apart < tolerance).all())


def gauss_krueger_epsg(lon: float) -> int:
    """The 3-degree CGCS2000 zone without zone prefix whose central meridian is nearest: 117.3 E -> 4548."""
    meridian = int(np.clip(round(lon / 3.0) * 3, 75, 135))
    return 4534 + (meridian - 75) // 3


def outside_china(lon: F64, lat: F64) -> npt.NDArray[np.bool_]:
    """Where the map services do not bend coordinates."""
    west, south, east, north = CHINA
    return ~((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def wgs84_to_gcj02(lon: F64, lat: F64) -> Pair:
    """What Amap and Tencent make of WGS 84; points outside China stay."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    bent_lon, bent_lat = _bend(lon, lat)
    keep = outside_china(lon, lat)
    return np.where(keep, lon, bent_lon), np.where(keep, lat, bent_lat)


def gcj02_to_bd09(lon: F64, lat: F64) -> Pair:
    """What Baidu makes of GCJ-02; points outside China stay."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    turned_lon, turned_lat = _turn(lon, lat)
    keep = outside_china(lon, lat)
    return np.where(keep, lon, turned_lon), np.where(keep, lat, turned_lat)


def wgs84_to_bd09(lon: F64, lat: F64) -> Pair:
    """What Baidu makes of WGS 84; points outside China stay."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    turned_lon, turned_lat = _turn(*_bend(lon, lat))
    keep = outside_china(lon, lat)
    return np.where(keep, lon, turned_lon), np.where(keep, lat, turned_lat)


def gcj02_to_wgs84(lon: F64, lat: F64) -> Pair:
    """WGS 84 of GCJ-02 coordinates, to 1e-9 degrees; points outside China stay."""
    return _inverse(_bend, lon, lat)


def bd09_to_wgs84(lon: F64, lat: F64) -> Pair:
    """WGS 84 of BD-09 coordinates, to 1e-9 degrees; points outside China stay."""
    return _inverse(lambda x, y: _turn(*_bend(x, y)), lon, lat)


def _inverse(forward: Callable[[F64, F64], Pair], lon: F64, lat: F64) -> Pair:
    """What ``forward`` takes to the point given: p <- p + (given - forward(p)) contracts, for the bend is gentle."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    keep = outside_china(lon, lat)
    x, y = np.where(keep, 110.0, lon), np.where(keep, 35.0, lat)
    target_x, target_y = x.copy(), y.copy()
    for _ in range(_MAX_ITERATIONS):
        there_x, there_y = forward(x, y)
        miss_x, miss_y = target_x - there_x, target_y - there_y
        x, y = x + miss_x, y + miss_y
        if max(np.abs(miss_x).max(initial=0.0), np.abs(miss_y).max(initial=0.0)) < _TOLERANCE_DEG:
            break
    return np.where(keep, lon, x), np.where(keep, lat, y)


def _bend(lon: F64, lat: F64) -> Pair:
    """WGS 84 to GCJ-02 without looking where the point lies."""
    x, y = lon - 105.0, lat - 35.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + _ripple(x)
    north_m += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north_m += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + _ripple(x)
    east_m += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east_m += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    latitude = np.radians(lat)
    magic = 1.0 - _ECCENTRICITY_2 * np.sin(latitude) ** 2
    meridian_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_2) / (magic * np.sqrt(magic))
    parallel_m = _SEMI_MAJOR_M / np.sqrt(magic) * np.cos(latitude)
    return lon + np.degrees(east_m / parallel_m), lat + np.degrees(north_m / meridian_m)


def _ripple(x: F64) -> F64:
    wave: F64 = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    return wave


def _turn(lon: F64, lat: F64) -> Pair:
    """GCJ-02 to BD-09 without looking where the point lies."""
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _is_plain_degrees(crs: CRS) -> bool:
    """Whether a system is WGS 84 or CGCS2000 in degrees, which are taken as they stand."""
    from_greenwich = crs.prime_meridian is None or crs.prime_meridian.longitude == 0.0
    return crs.is_geographic and from_greenwich and _datum(crs) in (WGS84, CGCS2000)


def _target(crs: CRS) -> CRS:
    """Where to transform to: WGS 84 stands for CGCS2000, to which PROJ knows ways from few other datums."""
    return CRS.from_epsg(STORAGE if _datum(crs) == CGCS2000 else 4326)


def _datum(crs: CRS) -> str | None:
    name = (crs.datum.name if crs.datum else "").casefold().replace(" ", "").replace("_", "")
    if "china2000" in name or "chinageodeticcoordinatesystem2000" in name or "cgcs2000" in name:
        return CGCS2000
    return WGS84 if any(known in name for known in ("worldgeodeticsystem1984", "wgs1984", "wgs84")) else None


def _probe_bounds(one: SourceCrs, other: SourceCrs) -> tuple[float, float, float, float]:
    west, south, east, north = one.bounds if not one.is_degrees else other.bounds
    if (west, south, east, north) == (-180.0, -90.0, 180.0, 90.0):
        return (110.0, 25.0, 120.0, 38.0)
    return (west, south, east, north)
