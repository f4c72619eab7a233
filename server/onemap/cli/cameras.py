"""``onemap cameras``: what cameras see, by an area of the database or from files; which of them see a point."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from onemap.cli.common import Progress, emit, json_option
from onemap.cli.network_input import parse_point, write_layers
from onemap.errors import InputRefused, UsageError
from onemap.ingest.street_file import read_frame

_FILE = click.Path(path_type=Path)


@click.command(name="cameras")
@click.option("--area", help="Code of an area in the database instead of files.")
@click.option("--cameras", type=_FILE, help="Points with bearing_deg, fov_deg, range_m; status, camera_class if known.")
@click.option("--buildings", type=_FILE, help="Polygons that block the view.")
@click.option("--roads", type=_FILE, help="Lines of streets, with road_class and name if known.")
@click.option("--grids", type=_FILE, help="Polygons whose ground is counted, with grid_code and households if known.")
@click.option("--estates", type=_FILE, help="Polygons of estates; with 'enclosed' their gates are key places.")
@click.option("--facilities", type=_FILE, help="Points with category: markets and schools are key places.")
@click.option("--point", help="longitude,latitude: only the cameras that see this point.")
@click.option("--out", type=_FILE, help="GeoPackage for the layers views, grids, blind_spots, to_fill.")
@json_option
def command(area: str | None, point: str | None, out: Path | None, as_json: bool, **files: Path | None) -> None:
    """What cameras see of ground, streets, buildings and key places; blind spots; the four works."""
    where = None if point is None else parse_point(point)
    named = {name: path for name, path in files.items() if path is not None}
    if (area is None) == (not named) and where is None:
        raise UsageError("Name an --area of the database, or files (--cameras and --buildings), one of the two.")
    if area is not None and named:
        raise UsageError(f"Name files or the database, not both: --{next(iter(named))} goes with files.")
    if named and not {"cameras", "buildings"} <= set(named):
        raise UsageError("Cameras and what blocks their view go together: --cameras and --buildings.")
    with _from_files(named) if named else _from_database(area) as scene:
        if where is not None:
            emit(*_seeing(scene, *where, as_json))
            return
        emit(*_coverage(scene, out, as_json))


@dataclass(frozen=True)
class _Asked:
    """Everything that the two ways have in common: the arrays, which cameras count, what is to be seen."""

    sight: Any
    mine: Any
    looking: Any
    scene: Any
    area: str | None


@contextmanager
def _from_database(area: str | None) -> Iterator[_Asked]:
    from onemap.analyses.camera_sight import sights_of  # noqa: PLC0415 - the files' way works without a database
    from onemap.analyses.cameras import scene_of  # noqa: PLC0415
    from onemap.catalog.read import read_catalog  # noqa: PLC0415
    from onemap.cli.common import database  # noqa: PLC0415
    from onemap.domain.scope import EVERYTHING  # noqa: PLC0415
    from onemap.settings import Settings  # noqa: PLC0415

    settings = Settings.from_env()
    catalog = read_catalog(settings.layers_dir)
    with database(settings) as db:
        sight = sights_of(db, catalog).sight()
        mine = sight.in_scope(catalog, EVERYTHING, area or "")
        if area and not mine.any():
            raise InputRefused(f"No camera stands in {area}.")
        scene = scene_of(db, catalog, EVERYTHING, sight, area) if area else None
        yield _Asked(sight, mine, sight.in_scope(catalog, EVERYTHING), scene, area)


@contextmanager
def _from_files(files: dict[str, Path]) -> Iterator[_Asked]:
    from onemap.analyses.camera_places import key_places  # noqa: PLC0415 - loaded when used
    from onemap.analyses.camera_sight import in_plane, sight_of  # noqa: PLC0415
    from onemap.analyses.cameras import Scene  # noqa: PLC0415

    layers = {name: _named(read_frame(path, names=(name,))) for name, path in files.items()}
    cameras, buildings = layers.pop("cameras"), layers["buildings"]
    needed = [name for name in ("bearing_deg", "fov_deg", "range_m") if name not in cameras]
    if needed:
        raise InputRefused(f"The cameras have no column {', '.join(needed)}, so nobody knows what they see.")
    walls = np.asarray(buildings.to_crs(cameras.crs).geometry.array, dtype=object)
    sight = sight_of(_registry(cameras), walls, CRS.from_user_input(cameras.crs))
    shapes = {name: in_plane(sight, frame) for name, frame in layers.items()}
    nothing = gpd.GeoDataFrame({"fid": [], "grid_code": [], "name": [], "grid_no": []}, geometry=[], crs=cameras.crs)
    grids, roads = layers.get("grids", nothing), layers.get("roads", nothing)
    grid_shapes, ground = shapes.get("grids", np.empty(0, dtype=object)), None
    if len(grid_shapes):
        # only what lies in the grids is counted
        ground = shapely.union_all(grid_shapes)
        shapes["roads"] = shapely.intersection(shapes["roads"], ground) if "roads" in shapes else grid_shapes[:0]
        shapes["buildings"] = shapes["buildings"][shapely.intersects(ground, shapely.centroid(shapes["buildings"]))]
    scene = Scene(
        ground=ground,
        grids=_filled(grids, fid=range(len(grids)), grid_code=_counted(grids), grid_no=None, name=None),
        grid_shapes=grid_shapes,
        roads=_filled(roads, fid=range(len(roads)), name=None),
        road_shapes=shapes.get("roads", np.empty(0, dtype=object)),
        buildings=shapes["buildings"],
        places=key_places(layers, shapes, ground),
    )
    everyone = np.ones(len(cameras), dtype=np.bool_)
    yield _Asked(sight, everyone, everyone, scene, None)


def _named(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.rename(columns={name: str(name).lower() for name in frame if name != frame.geometry.name})


def _filled(frame: gpd.GeoDataFrame, **columns: Any) -> gpd.GeoDataFrame:
    """A frame with the columns that the answer names, where the file has none."""
    return frame.assign(**{name: values for name, values in columns.items() if name not in frame})


def _counted(frame: gpd.GeoDataFrame) -> list[str]:
    return [str(i) for i in range(len(frame))]


def _registry(cameras: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A camera file with the registry's columns; whoever says nothing about links is taken to be linked."""
    n = len(cameras)
    ids = _counted(cameras)
    return _filled(
        cameras, fid=range(n), camera_id=ids, gb28181_id=ids, camera_class="other", status=None, place=None,
        installed_year=None, height_m=None,
    ).reset_index(drop=True)  # fmt: skip


def _seeing(asked: _Asked, lon: float, lat: float, as_json: bool) -> tuple[dict[str, Any], bool, str]:
    from onemap.analyses.cameras import seeing_at  # noqa: PLC0415

    found = seeing_at(asked.sight, asked.mine, lon, lat)
    document = {"point": [lon, lat], "cameras": [asdict(one) for one in found]}
    lines = [f"{one.camera_id} {one.title}: {one.metres:g} m{'' if one.is_online else ', not online'}" for one in found]
    return document, as_json, "\n".join(lines) or "No camera sees this point."


def _coverage(asked: _Asked, out: Path | None, as_json: bool) -> tuple[dict[str, Any], bool, str]:
    from onemap.analyses.cameras import survey  # noqa: PLC0415

    with Progress("cameras") as bar:
        surveyed = survey(
            asked.sight, asked.mine, asked.looking, asked.scene, area=asked.area, today=datetime.now(UTC).date(),
            report=lambda percent, stage: bar(percent, 100, stage),
        )  # fmt: skip
    found = surveyed.coverage
    if out is not None:
        write_layers(out, _layers(asked, found, surveyed.blind))
    lines = [f"{found.n_cameras} cameras, {found.n_seeing} see."]
    lines += [f"  {name}: {_percent(part)}" for name, part in _parts(found)]
    lines += [f"  {one.kind}: {one.seen} of {one.n} seen" for one in found.places if one.n]
    works = found.works
    lines.append(
        f"Fill {len(works.fill)} places, densify {len(works.densify)} grids, integrate {len(works.integrate)} and "
        f"improve {len(works.improve)} cameras."
    )
    return {**asdict(found), "out": None if out is None else str(out)}, as_json, "\n".join(lines)


def _parts(found: Any) -> list[tuple[str, Any]]:
    return [("ground", found.ground), ("roads", found.roads), ("buildings", found.buildings)]


def _percent(part: Any) -> str:
    return "-" if part.share is None else f"{100.0 * part.share:.1f} %"


def _layers(asked: _Asked, found: Any, blind: Any) -> dict[str, gpd.GeoDataFrame]:
    from onemap.analyses.camera_sight import DEGREES, degrees  # noqa: PLC0415

    sight = asked.sight
    rows = np.flatnonzero(asked.mine & sight.usable)
    views = sight.seen_by(rows)
    columns = ["fid", "grid_code", "title", "households", "n_cameras", "ground_share", "want"]
    grids = pd.DataFrame([asdict(one) for one in found.grids], columns=columns)
    fill = pd.DataFrame([asdict(one) for one in found.works.fill], columns=["kind", "title", "point"])
    points = [shapely.Point(point) for point in fill.pop("point")]
    return {
        "views": gpd.GeoDataFrame(
            {
                "camera_id": sight.rows["camera_id"].to_numpy()[rows],
                "is_online": sight.is_online[rows],
                "ground_m2": shapely.area(views),
            },
            geometry=degrees(sight, views),
            crs=DEGREES,
        ),
        "grids": gpd.GeoDataFrame(grids, geometry=degrees(sight, asked.scene.grid_shapes), crs=DEGREES),
        "blind_spots": gpd.GeoDataFrame(
            {"grid_code": grids["grid_code"], "unseen_m2": shapely.area(blind)},
            geometry=degrees(sight, blind),
            crs=DEGREES,
        ),
        "to_fill": gpd.GeoDataFrame(fill, geometry=points, crs=DEGREES),
    }
