"""
What cameras see: the ground, streets and key places of an area, where they fall short, and which of them see a point.

Geometry and registry only, never a picture. Held by each process as arrays; every answer keeps to the reader's scope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from onemap.analyses.camera_answers import (
    BlindStreet,
    CameraCoverage,
    CameraToDo,
    ClassCount,
    GridSight,
    KeyPlace,
    PlaceKind,
    SeeingCamera,
    Seen,
    Works,
)
from onemap.analyses.camera_places import KeyPlaces, key_places
from onemap.analyses.camera_sight import DEGREES, Sight, Sights, as_geojson, degrees, in_plane, numbers, text
from onemap.domain.layer import Catalog, Title
from onemap.domain.region import check_point
from onemap.domain.scope import Scope
from onemap.engine.coverage.camera_works import CameraWorks, four_works, ground_share, n_seeing, street_share
from onemap.engine.coverage.visibility import cameras_seeing
from onemap.engine.network.arrays import F64, I64, Bool
from onemap.errors import InputRefused, LayerNotFound
from onemap.store import frames
from onemap.store.db import Db

#: An area with more cameras than this is a job.
AT_ONCE = 5_000
#: What counts as thinly covered ground, and as an old camera.
THIN_SHARE, OLD_YEARS = 0.5, 8.0
#: A building is seen where seen ground comes so near to its wall, metres.
_TOUCH_M = 0.1
#: Twice-seen ground is counted on a lattice of this step, widened so that it has no more points than this.
_STEP_M, _MOST_POINTS = 4.0, 250_000
#: Outlines of unseen ground are simplified by this much, metres.
_BLIND_TOLERANCE_M = 0.2
_VEHICLE = "vehicle"
#: Ground outside all grids that is smaller than this is a matter of rounding, square metres.
_SLIVER_M2 = 10.0

type Report = Callable[[int, str | None], None]


def cameras_that_see(sights: Sights, catalog: Catalog, scope: Scope, lon: float, lat: float) -> list[SeeingCamera]:
    """The cameras that see a point, the nearest first; cameras that are offline say so."""
    _must_see(catalog, scope)
    check_point(lon, lat)
    sight = sights.sight()
    return seeing_at(sight, sight.in_scope(catalog, scope), lon, lat)


def seeing_at(sight: Sight, mine: Bool, lon: float, lat: float) -> list[SeeingCamera]:
    """Some cameras (n_camera,) that see a point, the nearest first."""
    x, y = (float(one[0]) for one in sight.plane.xy(np.array([lon]), np.array([lat]), DEGREES))
    if not (np.isfinite(x) and np.isfinite(y)):
        raise InputRefused(
            f"The point {lon:g},{lat:g} lies too far from every camera to be placed among them."
        ).in_chinese("该点离所有监控都太远，无法计算。")
    rows = np.flatnonzero(sight.usable)[cameras_seeing(sight.cameras, sight.walls, x, y)]
    return [_seeing(sight, int(row), x, y) for row in rows if mine[row]]


def camera_coverage(
    db: Db, sights: Sights, catalog: Catalog, scope: Scope, area: str, *, today: date, as_job: bool = False,
    report: Report = lambda *_: None,
) -> CameraCoverage:  # fmt: skip
    """What cameras see of an area's ground, streets, buildings and key places, and what to do about the rest."""
    return camera_survey(db, sights, catalog, scope, area, today=today, as_job=as_job, report=report).coverage


def camera_survey(
    db: Db, sights: Sights, catalog: Catalog, scope: Scope, area: str, *, today: date, as_job: bool = False,
    report: Report = lambda *_: None,
) -> Survey:  # fmt: skip
    """The same with the ground that no camera sees; found once for readers of the same rights."""
    _must_see(catalog, scope)
    return sights.once(
        (area, scope.areas, scope.classes, today),
        lambda sight: _survey(db, sight, catalog, scope, area, today, as_job, report),
    )


def _survey(
    db: Db, sight: Sight, catalog: Catalog, scope: Scope, area: str, today: date, as_job: bool, report: Report
) -> Survey:
    report(2, "cameras")
    mine = sight.in_scope(catalog, scope, area)
    if area:
        with db.connection() as connection:
            frames.boundary(connection, catalog, scope, area)  # no such area is told before no such camera
    if not mine.any():
        raise InputRefused(f"No camera that you may see stands in {area or 'your areas'}.").in_chinese(
            "该范围没有可查看的监控。"
        )
    if mine.sum() > AT_ONCE and not as_job:
        raise InputRefused(
            f"{int(mine.sum()):,} cameras are too many to answer at once: "
            "ask the process 'camera-coverage' as a job, or for a smaller area."
        ).in_chinese(f"{int(mine.sum()):,} 路监控太多，不能立即作答：请缩小范围，或作为作业提交。")
    scene = scene_of(db, catalog, scope, sight, area)
    return survey(sight, mine, sight.in_scope(catalog, scope), scene, area=area or None, today=today, report=report)


@dataclass(frozen=True)
class Scene:
    """
    What is to be seen, in the plane of the cameras.

    Attributes
    ----------
    grids, roads
        Rows with their shapes.
    buildings
        Outlines.
    places
        Key places.
    """

    ground: Any
    grids: gpd.GeoDataFrame
    grid_shapes: NDArray[Any]
    roads: gpd.GeoDataFrame
    road_shapes: NDArray[Any]
    buildings: NDArray[Any]
    places: KeyPlaces

    @property
    def whole(self) -> NDArray[Any]:
        """The ground that is counted: the area, else all grids, else the hull of the buildings."""
        if self.ground is not None:
            return np.array([self.ground], dtype=object)
        if len(self.grid_shapes):
            return self.grid_shapes
        hull = shapely.convex_hull(shapely.geometrycollections(self.buildings)) if len(self.buildings) else None
        return np.array([] if hull is None else [hull], dtype=object)

    @property
    def outside_grids(self) -> NDArray[Any]:
        """What of the ground lies in no grid: one shape."""
        grids = shapely.union_all(self.grid_shapes)
        rest = shapely.difference(np.array([shapely.union_all(self.whole)], dtype=object), grids)
        return np.asarray(rest[shapely.area(rest) > _SLIVER_M2], dtype=object)


@dataclass(frozen=True)
class Survey:
    """
    What was found, and where nothing is seen.

    Attributes
    ----------
    blind : (n_grid,)
        What of each grid no camera sees, in the plane of the cameras.
    """

    coverage: CameraCoverage
    sight: Sight
    blind: NDArray[Any]

    @property
    def blind_in_degrees(self) -> list[tuple[str, float, dict[str, Any]]]:
        """The same by grid code: square metres, and an outline as GeoJSON."""
        shapes = degrees(self.sight, shapely.simplify(self.blind, _BLIND_TOLERANCE_M))
        return [
            (grid.grid_code, round(float(shapely.area(here)), 1), as_geojson(shape))
            for grid, here, shape in zip(self.coverage.grids, self.blind, shapes, strict=True)
            if not shapely.is_empty(shape)
        ]


def survey(
    sight: Sight, mine: Bool, looking: Bool, scene: Scene, *, area: str | None, today: date,
    report: Report = lambda *_: None,
) -> Survey:  # fmt: skip
    """
    Shares, blind spots, overlaps and the four works of some cameras over a scene.

    Parameters
    ----------
    mine
        The cameras that are counted: (n_camera,).
    looking
        Those that may look into the scene, from wherever they stand.
    """
    report(10, "views")
    seen = sight.seen_by(_looking_into(sight, looking, scene))
    report(35, "ground")
    blind = _unseen(scene.grid_shapes, seen)
    in_grid = 1.0 - np.divide(
        shapely.area(blind), shapely.area(scene.grid_shapes), out=np.ones(len(blind)),
        where=shapely.area(scene.grid_shapes) > 0.0,
    )  # fmt: skip
    rest = scene.outside_grids
    area_m2 = np.concatenate([shapely.area(scene.grid_shapes), shapely.area(rest)])
    seen_m2 = np.concatenate([in_grid, ground_share(rest, seen)]) * area_m2
    twice, lattice_m = _seen_twice(scene.whole, seen)
    report(60, "streets")
    along = street_share(scene.road_shapes, seen) if len(scene.road_shapes) else np.empty(0)
    length = shapely.length(scene.road_shapes) if len(scene.road_shapes) else np.empty(0)
    report(80, "places")
    n_place = n_seeing(scene.places.x, scene.places.y, seen)
    households = numbers(scene.grids, "households", missing=0.0)
    ages = sight.ages(today.year)[mine]
    works = four_works(
        n_place, in_grid, households, sight.is_linked[mine], sight.is_online[mine], ages,
        thin_share=THIN_SHARE, old_years=OLD_YEARS,
    )  # fmt: skip
    grids = _grid_sights(sight, mine, scene, in_grid, households)
    n_built = len(scene.buildings)
    n_seen_built = _n_touched(scene.buildings, seen)
    n_vehicle = int((sight.rows["camera_class"].to_numpy()[mine] == _VEHICLE).sum())
    coverage = CameraCoverage(
        area=area,
        n_cameras=int(mine.sum()),
        n_seeing=int((mine & sight.usable & sight.is_online).sum()),
        n_unusable=int((mine & ~sight.usable).sum()),
        offline_share=float((~sight.is_online[mine]).mean()) if mine.any() else None,
        classes=_classes(sight, mine, ages),
        ground=_seen(float(seen_m2.sum()), float(area_m2.sum()), twice),
        roads=_seen(float((along * length).sum()), float(length.sum())),
        buildings=_seen(float(n_seen_built), float(n_built)),
        places=_place_kinds(scene.places, n_place),
        grids=grids,
        blind_streets=_blind_streets(scene, along, length),
        works=_works(sight, mine, scene, works, grids, ages),
        lattice_m=round(lattice_m, 2),
        assumptions=_assumed(sight, mine, n_vehicle),
    )
    return Survey(coverage, sight, blind)


def _unseen(zones: NDArray[Any], seen: NDArray[Any]) -> NDArray[Any]:
    """What of each zone lies in no seen ground: (n_zone,)."""
    blind = zones.copy()
    if not len(zones) or not len(seen):
        return blind
    zone, ground = shapely.STRtree(seen).query(zones, predicate="intersects")
    for i in np.unique(zone):
        blind[i] = shapely.difference(zones[i], shapely.union_all(seen[ground[zone == i]]))
    return blind


def _looking_into(sight: Sight, looking: Bool, scene: Scene) -> I64:
    """Working cameras whose range touches the box of the scene."""
    west, south, east, north = shapely.total_bounds(scene.whole)
    far = np.zeros(len(sight.rows))
    far[sight.usable] = sight.cameras.range_m
    near = (sight.x >= west - far) & (sight.x <= east + far) & (sight.y >= south - far) & (sight.y <= north + far)
    return np.flatnonzero(looking & sight.usable & sight.is_online & near)


def _must_see(catalog: Catalog, scope: Scope) -> None:
    if not scope.sees(catalog.layer("cameras")):
        raise LayerNotFound("cameras")


def scene_of(db: Db, catalog: Catalog, scope: Scope, sight: Sight, area: str) -> Scene:
    """What is to be seen in an area, as far as a reader sees it; ``FeatureNotFound`` where there is no such area."""
    names = {
        "grids": ("grid_code", "grid_no", "name", "households"), "buildings": (), "estates": ("name", "enclosed"),
        "roads": ("name", "road_class", "z_level", "bridge", "tunnel"), "green": ("name", "kind"),
        "facilities": ("name", "category"),
    }  # fmt: skip
    with db.connection() as connection:
        outline = frames.boundary(connection, catalog, scope, area) if area else None
        layers = {
            name: frames.frame(connection, catalog.layer(name), scope, area=area or None, fields=fields)
            for name, fields in names.items()
        }
    shapes = {name: in_plane(sight, frame) for name, frame in layers.items()}
    ground = None
    if outline is not None:
        ground = in_plane(sight, gpd.GeoDataFrame(geometry=[outline], crs=DEGREES))[0]
        shapes["roads"] = np.asarray(shapely.intersection(shapes["roads"], ground), dtype=object)
    return Scene(
        ground=ground,
        grids=layers["grids"],
        grid_shapes=shapes["grids"],
        roads=layers["roads"],
        road_shapes=shapes["roads"],
        buildings=shapes["buildings"],
        places=key_places(layers, shapes, ground),
    )


def _seeing(sight: Sight, row: int, x: float, y: float) -> SeeingCamera:
    one = sight.rows.iloc[row]
    height = one.get("height_m")
    return SeeingCamera(
        fid=int(one["fid"]),
        camera_id=str(one["camera_id"]),
        title=text(one.get("place")) or str(one["camera_id"]),
        camera_class=str(one["camera_class"]),
        status=text(one.get("status")),
        is_online=bool(sight.is_online[row]),
        is_vehicle=one["camera_class"] == _VEHICLE,
        point=sight.point(float(sight.x[row]), float(sight.y[row])),
        metres=round(float(np.hypot(sight.x[row] - x, sight.y[row] - y)), 1),
        height_m=None if text(height) is None else float(height),
    )


def _seen_twice(whole: NDArray[Any], seen: NDArray[Any]) -> tuple[float | None, float]:
    """The share of ground that two cameras or more see, counted on a lattice, and its step."""
    ground = shapely.union_all(whole)
    west, south, east, north = ground.bounds if not ground.is_empty else (0.0, 0.0, 0.0, 0.0)
    step = max(_STEP_M, float(np.sqrt((east - west) * (north - south) / _MOST_POINTS)))
    xs, ys = np.arange(west + step / 2.0, east, step), np.arange(south + step / 2.0, north, step)
    x, y = (one.ravel() for one in np.meshgrid(xs, ys))
    shapely.prepare(ground)
    inside = shapely.contains_xy(ground, x, y)
    if not inside.any():
        return None, step
    return float((n_seeing(x[inside], y[inside], seen) >= 2).mean()), step


def _n_touched(shapes: NDArray[Any], seen: NDArray[Any]) -> int:
    if not len(shapes) or not len(seen):
        return 0
    touched, _ = shapely.STRtree(seen).query(shapes, predicate="dwithin", distance=_TOUCH_M)
    return len(np.unique(touched))


def _classes(sight: Sight, mine: Bool, ages: F64) -> list[ClassCount]:
    kinds = sight.rows["camera_class"].to_numpy()[mine]
    online, linked = sight.is_online[mine], sight.is_linked[mine]
    old = np.nan_to_num(ages, nan=0.0) > OLD_YEARS
    return [
        ClassCount(
            camera_class=str(kind),
            n=int((kinds == kind).sum()),
            n_online=int(online[kinds == kind].sum()),
            n_linked=int(linked[kinds == kind].sum()),
            n_old=int(old[kinds == kind].sum()),
        )
        for kind in sorted(set(kinds))
    ]


def _grid_sights(sight: Sight, mine: Bool, scene: Scene, share: F64, households: F64) -> list[GridSight]:
    n_camera = np.zeros(len(scene.grid_shapes), dtype=np.int64)
    if len(scene.grid_shapes):
        points = shapely.points(sight.x[mine], sight.y[mine])
        _, grid = shapely.STRtree(scene.grid_shapes).query(points, predicate="intersects")
        n_camera = np.bincount(grid, minlength=len(scene.grid_shapes))
    return [
        GridSight(
            fid=int(row.fid),
            grid_code=str(row.grid_code),
            title=text(row.name) or text(row.grid_no) or str(row.grid_code),
            households=int(households[i]),
            n_cameras=int(n_camera[i]),
            ground_share=round(float(share[i]), 4),
            want=round(float(households[i] * (1.0 - share[i])), 1),
        )
        for i, row in enumerate(scene.grids.drop(columns=scene.grids.geometry.name).itertuples(index=False))
    ]


def _place_kinds(places: KeyPlaces, seen: I64) -> list[PlaceKind]:
    kinds = np.array(places.kind, dtype=object)
    found = []
    for kind in places.kinds:
        here = kinds == kind
        n, n_seen = int(here.sum()), int((seen[here] > 0).sum())
        found.append(PlaceKind(kind, n, n_seen, n_seen / n if n else None))
    return found


def _blind_streets(scene: Scene, share: F64, length: F64, most: int = 20) -> list[BlindStreet]:
    unseen = length * (1.0 - share)
    names = scene.roads["name"].to_numpy() if "name" in scene.roads else np.full(len(unseen), None, dtype=object)
    order = [i for i in np.argsort(-unseen, kind="stable")[:most] if unseen[i] > 1.0]
    fids = scene.roads["fid"].to_numpy() if "fid" in scene.roads else np.arange(len(unseen))
    return [
        BlindStreet(int(fids[i]), text(names[i]), round(float(length[i]), 1), round(float(unseen[i]), 1)) for i in order
    ]


def _works(sight: Sight, mine: Bool, scene: Scene, works: CameraWorks, grids: list[GridSight], ages: F64) -> Works:
    own = np.flatnonzero(mine)

    def camera(i: int, why: str) -> CameraToDo:
        one = sight.rows.iloc[own[i]]
        return CameraToDo(
            fid=int(one["fid"]),
            camera_id=str(one["camera_id"]),
            title=text(one.get("place")) or str(one["camera_id"]),
            camera_class=str(one["camera_class"]),
            status=text(one.get("status")),
            age_years=int(ages[i]) if np.isfinite(ages[i]) else None,
            why=why,
        )

    return Works(
        fill=[
            KeyPlace(scene.places.kind[i], scene.places.title[i], sight.point(scene.places.x[i], scene.places.y[i]))
            for i in works.fill
        ],
        densify=[grids[i] for i in works.densify],
        integrate=[camera(int(i), "not linked: no GB/T 28181 id") for i in works.integrate],
        improve=[
            camera(int(i), "not online" if not sight.is_online[own[i]] else f"older than {OLD_YEARS:g} years")
            for i in works.improve
        ],
    )


def _assumed(sight: Sight, mine: Bool, n_vehicle: int) -> list[Title]:
    said = [
        Title(
            "监控按朝向、视角和距离的扇形可见，扣除被建筑遮挡的部分；不计高度和树木。",
            "A camera sees its sector by bearing, angle and range, less what buildings hide; no heights, no trees.",
        ),
        Title("只有在线的监控计为可见。", "Only cameras that are online count as seeing."),
    ]
    if n_vehicle:
        said.append(
            Title(f"{n_vehicle} 个车载监控按最后位置计。", f"{n_vehicle} vehicle cameras count where they were last.")
        )
    if n := int((mine & ~sight.usable).sum()):
        said.append(
            Title(
                f"{n} 个监控没有可用的朝向、视角或距离，按看不见计。",
                f"{n} cameras state no usable bearing, angle or range and see nothing here.",
            )
        )
    return said


def _seen(seen: float, total: float, twice: float | None = None) -> Seen:
    share = min(seen / total, 1.0) if total > 0.0 else None
    return Seen(round(seen, 1), round(total, 1), share, None if twice is None else round(twice, 4))
