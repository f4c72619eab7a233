"""All cameras of the map and the walls between, held by each process as arrays: registry and geometry, no picture."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from onemap.analyses.circle_ground import visible_prefixes
from onemap.domain.layer import Catalog
from onemap.domain.scope import EVERYTHING, Scope
from onemap.engine.coverage.visibility import Cameras, Walls, seen_ground
from onemap.engine.network.arrays import F64, I64, Bool
from onemap.errors import InputRefused
from onemap.ingest.plane import Plane, local_plane
from onemap.store import frames
from onemap.store.db import Db

#: Layers whose writing makes the arrays old.
LAYERS = frozenset({"cameras", "buildings", "roads", "grids", "areas", "estates", "green", "facilities"})
#: How many answers are kept.
_KEPT = 64
#: CGCS 2000 and WGS 84 differ by centimetres; PROJ looks long for a way between them.
DEGREES, CGCS2000 = CRS.from_epsg(4326), CRS.from_epsg(4490)

type LonLat = tuple[float, float]


@dataclass(frozen=True)
class Sight:
    """All cameras of the map and the walls between, in one plane."""

    plane: Plane
    rows: gpd.GeoDataFrame
    cameras: Cameras
    usable: Bool
    walls: Walls
    x: F64
    y: F64
    is_online: Bool
    is_linked: Bool
    _seen: NDArray[Any]

    def seen_by(self, rows: I64) -> NDArray[Any]:
        """The ground that usable cameras see: (n,) polygons, found once."""
        new = rows[[one is None for one in self._seen[rows]]]
        if len(new):
            c, at = self.cameras, np.searchsorted(np.flatnonzero(self.usable), new)
            some = Cameras(c.x[at], c.y[at], c.bearing_deg[at], c.fov_deg[at], c.range_m[at])
            self._seen[new] = seen_ground(some, self.walls)
        return np.asarray(self._seen[rows], dtype=object)

    def in_scope(self, catalog: Catalog, scope: Scope, area: str = "") -> Bool:
        """Cameras of an area that a reader may see."""
        layer = catalog.layer("cameras")
        code = self.rows["area_code"].fillna("").astype(str)
        seen = np.zeros(len(self.rows), dtype=np.bool_)
        for prefix in visible_prefixes(area, scope):
            seen |= code.str.startswith(prefix).to_numpy()
        if not scope.sees_restricted:
            for name, values in layer.restricted_rows.items():
                seen &= ~self.rows[name].isin(values).to_numpy()
        return seen

    def ages(self, year: int) -> F64:
        """Years since each camera was put up; NaN where unknown."""
        return year - numbers(self.rows, "installed_year")

    def point(self, x: float, y: float) -> LonLat:
        """A place of the plane in degrees."""
        lon, lat = self.plane.lonlat(np.array([x]), np.array([y]))
        return round(float(lon[0]), 7), round(float(lat[0]), 7)


class Sights:
    """The cameras of one process; PostGIS stays the truth."""

    def __init__(self, db: Db, catalog: Catalog) -> None:
        self._db, self._catalog = db, catalog
        self._held: Sight | None = None
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._generation = 0
        self._reading = threading.Lock()
        _OF_DB[id(db)] = self

    def sight(self) -> Sight:
        """All cameras and walls; ``InputRefused`` where no camera is known."""
        held = self._held
        if held is not None:
            return held
        with self._reading:
            if self._held is None:
                generation = self._generation
                held = self._read()
                if generation != self._generation:  # something was written meanwhile: this answer only
                    return held
                self._held = held
            return self._held

    def once[T](self, key: Hashable, find: Callable[[Sight], T]) -> T:
        """What was found under a key, found now if it was not; forgotten with the cameras."""
        kept, sight = self._answers, self.sight()
        if key not in kept:
            found = find(sight)
            kept[key] = found
            while len(kept) > _KEPT:
                kept.popitem(last=False)
            return found
        answer: T = kept[key]
        return answer

    def written(self, layer: str) -> None:
        """Forget what rests on a layer that was written."""
        if layer in LAYERS:
            self.forget()

    def forget(self) -> None:
        """Read anew at the next question."""
        self._generation += 1
        self._held = None
        self._answers = OrderedDict()

    def _read(self) -> Sight:
        with self._db.connection() as connection:
            # walls and cameras beyond a boundary count too; each answer keeps to the reader's scope
            rows = frames.frame(connection, self._catalog.layer("cameras"), EVERYTHING)
            if not len(rows):
                raise InputRefused("No camera is registered yet, so there is nothing to see by.").in_chinese(
                    "还没有监控数据：导入后才能计算可视范围。"
                )
            walls = frames.frame(connection, self._catalog.layer("buildings"), EVERYTHING, fields=())
        return sight_of(rows, np.asarray(walls.geometry.array, dtype=object), CRS.from_user_input(rows.crs))


#: Found again by their database; whoever made them keeps them, and so the database, alive.
_OF_DB: WeakValueDictionary[int, Sights] = WeakValueDictionary()


def sights_of(db: Db, catalog: Catalog) -> Sights:
    """The cameras that a process holds of a database, or new ones where it holds none."""
    return _OF_DB.get(id(db)) or Sights(db, catalog)


def sight_of(rows: gpd.GeoDataFrame, buildings: NDArray[Any], crs: CRS) -> Sight:
    """Cameras (columns of the layer) and what stands in between, in the metres of a plane around the cameras."""
    points = np.asarray(rows.geometry.array, dtype=object)
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    if not in_degrees(crs):
        moved = gpd.GeoSeries(points, crs=crs).to_crs(DEGREES)
        lon, lat = moved.x.to_numpy(), moved.y.to_numpy()
    there = np.isfinite(lon) & np.isfinite(lat)
    if not there.any():
        raise InputRefused("No camera stands anywhere: none has usable coordinates.").in_chinese(
            "所有监控都没有可用的坐标。"
        )
    plane = local_plane(float(np.median(lon[there])), float(np.median(lat[there])))
    x, y = plane.xy(lon, lat, DEGREES)
    bearing, fov, far = (numbers(rows, name) for name in ("bearing_deg", "fov_deg", "range_m"))
    bearing = np.where(fov >= 360.0, 0.0, bearing)
    usable = there & np.isfinite(bearing) & (fov > 0.0) & (fov <= 360.0) & (far > 0.0) & (far <= 5000.0)
    cameras = Cameras(x[usable], y[usable], bearing[usable], fov[usable], far[usable])
    system = DEGREES if in_degrees(crs) else crs
    outlines = shapely.transform(buildings, lambda xy: np.column_stack(plane.xy(xy[:, 0], xy[:, 1], system)))
    status, known_as = (
        rows[name] if name in rows else pd.Series(index=rows.index, dtype=object) for name in ("status", "gb28181_id")
    )
    return Sight(
        plane=plane,
        rows=rows,
        cameras=cameras,
        usable=usable,
        walls=Walls.of(outlines),
        x=x,
        y=y,
        is_online=np.asarray(status.fillna("online") == "online", dtype=np.bool_),
        is_linked=np.asarray(known_as.fillna("") != "", dtype=np.bool_),
        _seen=np.full(len(rows), None, dtype=object),
    )


def in_degrees(crs: Any) -> bool:
    """Whether coordinates are the degrees that GPS and CGCS 2000 share."""
    return CRS.from_user_input(crs) in (DEGREES, CGCS2000)


def degrees(sight: Sight, shapes: NDArray[Any]) -> NDArray[Any]:
    """Shapes of the plane in degrees."""
    return np.asarray(
        shapely.transform(shapes, lambda xy: np.round(np.column_stack(sight.plane.lonlat(xy[:, 0], xy[:, 1])), 7))
    )


def as_geojson(shape: Any) -> dict[str, Any]:
    """One shape as GeoJSON."""
    found: dict[str, Any] = json.loads(shapely.to_geojson(shape))
    return found


def in_plane(sight: Sight, frame: gpd.GeoDataFrame) -> NDArray[Any]:
    """The shapes of a frame in the plane of the cameras."""
    crs = DEGREES if in_degrees(frame.crs) else CRS.from_user_input(frame.crs)
    shapes = np.asarray(frame.geometry.array, dtype=object)
    return np.asarray(
        shapely.transform(shapes, lambda xy: np.column_stack(sight.plane.xy(xy[:, 0], xy[:, 1], crs))), dtype=object
    )


def numbers(frame: pd.DataFrame, name: str, *, missing: float = np.nan) -> F64:
    """A column of numbers: (n,), ``missing`` where it says none."""
    if name not in frame:
        return np.full(len(frame), missing)
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), missing, values)


def text(value: Any) -> str | None:
    """What a cell says, None where it is empty."""
    return None if value is None or pd.isna(value) or not str(value).strip() else str(value)
