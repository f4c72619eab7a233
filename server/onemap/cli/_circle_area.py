"""``onemap cover``, ``isochrone`` and ``site`` without files: the homes, services and roads of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from onemap.analyses.circle_answers import Coverage
from onemap.analyses.circle_ground import Ground, LifeCircles, circles_of
from onemap.analyses.isochrone import IsochroneAsk, isochrone
from onemap.analyses.life_circle import CircleAsk, category_by_zone, coverage, usable_walks
from onemap.analyses.siting import best_sites
from onemap.analyses.siting_ask import KINDS, SitingAsk
from onemap.catalog.read import read_catalog
from onemap.cli.common import Progress, database
from onemap.cli.network_input import write_layers
from onemap.domain.layer import Catalog
from onemap.domain.scope import EVERYTHING
from onemap.engine.coverage.life_circle import covered
from onemap.errors import UsageError
from onemap.ingest.street_file import read_frame
from onemap.settings import Settings
from onemap.store import frames
from onemap.store.db import Db

_CRS = "EPSG:4490"


@dataclass(frozen=True, slots=True)
class _Here:
    db: Db
    catalog: Catalog
    circles: LifeCircles


@contextmanager
def _here() -> Iterator[_Here]:
    settings = Settings.from_env()
    catalog = read_catalog(settings.layers_dir)
    with database(settings) as db:
        yield _Here(db, catalog, circles_of(db, catalog))


def cover(ask: CircleAsk, out: Path | None) -> tuple[dict[str, Any], str]:
    """Coverage of an area of the database: the JSON document and what a person reads."""
    with _here() as here:
        found = coverage(here.circles, here.catalog, EVERYTHING, ask)
        if out is not None:
            write_layers(out, _cover_layers(here, ask, found))
    lines = [f"{found.area_title or found.area or 'Everywhere'}: {found.households:,} households."]
    for one in found.categories:
        share = one.problem or ("-" if one.share is None else f"{100.0 * one.share:.1f} %")
        limit = f"{one.limit_m:g} m" if one.limit_m else f"{one.limit_s / 60.0:g} min"
        lines.append(f"  {one.title.zh} {one.category} ({limit}{'' if one.verified else ', ' + one.document}): {share}")
    return {**asdict(found), "out": None if out is None else str(out)}, "\n".join(lines)


def isochrones(ask: IsochroneAsk, out: Path | None) -> tuple[dict[str, Any], str]:
    """Isochrones on the roads of the database: the JSON document and what a person reads."""
    with _here() as here:
        found = isochrone(here.db, here.circles, here.catalog, EVERYTHING, ask)
    if out is not None:
        rows = [{key: value for key, value in asdict(band).items() if key != "geometry"} for band in found.bands]
        shapes = [shapely.geometry.shape(band.geometry) for band in found.bands]
        write_layers(out, {"isochrones": gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=_CRS)})
    document = {
        "mode": found.mode,
        "method": "network",
        "buffer_m": found.buffer_m,
        "snap_m": found.snap_m,
        "isochrones": [
            {key: value for key, value in asdict(band).items() if key != "geometry"} for band in found.bands
        ],
        "assumptions": [one.en for one in found.assumptions],
        "out": None if out is None else str(out),
    }
    told = [f"{b.minutes:g} min: {b.area_m2 / 1e4:.1f} ha, {_number(b.households)} households" for b in found.bands]
    return document, "\n".join(told)


def site(circle: CircleAsk, category: str, n: int, model: str, candidates: str, out: Path | None) -> Any:
    """Where the next facilities of an area should go: the JSON document and what a person reads."""
    ask = SitingAsk(circle, category, n, model, _candidates(candidates))
    with _here() as here, Progress("siting") as bar:
        found = best_sites(
            here.db, here.circles, here.catalog, EVERYTHING, ask, as_job=True,
            report=lambda percent, stage: bar(percent, 100, stage),
        )  # fmt: skip
    if out is not None:
        rows = [{**asdict(one), "is_chosen": True} for one in found.sites]
        rows += [{**asdict(one), "is_chosen": False} for one in found.alternatives]
        points = shapely.points(np.array([row.pop("point") for row in rows], dtype=float).reshape(-1, 2))
        write_layers(out, {"sites": gpd.GeoDataFrame(pd.DataFrame(rows), geometry=points, crs=_CRS)})
    head = f"{found.model}: {found.objective_is.en}: {found.objective:g}, bound {found.bound:g} ({found.method})."
    lines = [f"  {one.label} {one.title}: +{one.gain_households:,} households" for one in found.sites]
    problems = [one.en for one in found.problems]
    told = {**asdict(found), "objective_is": found.objective_is.en, "problems": problems}
    return {**told, "out": None if out is None else str(out)}, "\n".join([head, *lines, *problems])


def _candidates(asked: str) -> str | list[tuple[float, float]]:
    if asked in KINDS or asked.startswith("layer:"):
        return asked
    frame = read_frame(Path(asked), names=("candidates",)).to_crs(_CRS)
    centres = shapely.centroid(np.asarray(frame.geometry.array, dtype=object))
    centres = centres[~shapely.is_empty(centres) & ~shapely.is_missing(centres)]
    return [(float(x), float(y)) for x, y in zip(shapely.get_x(centres), shapely.get_y(centres), strict=True)]


def _cover_layers(here: _Here, ask: CircleAsk, found: Coverage) -> dict[str, gpd.GeoDataFrame]:
    """The layers ``buildings``, ``gaps`` and ``zones`` (by grid and community)."""
    ground = here.circles.ground()
    rows = ground.rows(ask.area, EVERYTHING)
    with here.db.connection() as connection:
        layer = here.catalog.layer("buildings")
        outlines = frames.frame(connection, layer, EVERYTHING, area=ask.area or None, fields=("building_id", "name"))
    table = pd.DataFrame(
        {
            "fid": ground.homes.fid[rows],
            "households": ground.homes.households[rows].astype(np.int64),
            "persons": ground.homes.persons[rows].astype(np.int64),
        }
    )
    gaps: list[dict[str, Any]] = []
    for one in found.categories:
        if one.problem is not None:
            continue
        metres = usable_walks(ground, one.category, ask.minute)[rows]
        known = np.where(np.isfinite(metres), metres, np.nan)
        table[f"seconds_{one.category}"] = known / (ask.speed_kmh / 3.6)
        table[f"metres_{one.category}"] = known
        gaps += _gaps(here, ask, one.category, ground, rows, metres)
    named = outlines.drop(columns=["area_code"]).merge(table, on="fid", how="inner")
    buildings = gpd.GeoDataFrame(named, geometry="geom", crs=_CRS)
    shapes = [gap.pop("geometry") for gap in gaps]
    columns = ["kind", "category", "key", "households", "seconds"]
    return {
        "buildings": buildings,
        "gaps": gpd.GeoDataFrame(pd.DataFrame(gaps, columns=columns), geometry=shapes, crs=_CRS),
    }


def _gaps(here: _Here, ask: CircleAsk, category: str, ground: Ground, rows: Any, metres: Any) -> list[dict[str, Any]]:
    """Homes beyond the limit as points, and the H3 cells that hold them."""
    limit_m = here.circles.rules.limit(category, ask.minutes).metres_at(ask.speed_kmh)
    homes, out = ground.homes, ~covered(metres, limit_m) & (ground.homes.households[rows] > 0.0)
    found = [
        {
            "kind": "building",
            "category": category,
            "key": str(homes.fid[row]),
            "households": int(homes.households[row]),
            "seconds": float(m) / (ask.speed_kmh / 3.6) if np.isfinite(m) else None,
            "geometry": shapely.Point(homes.lon[row], homes.lat[row]),
        }
        for row, m in zip(rows[out], metres[out], strict=True)
    ]
    cells = category_by_zone(here.circles, here.catalog, EVERYTHING, ask, category, "h3").rows
    return found + [
        {
            "kind": "h3",
            "category": category,
            "key": cell.key,
            "households": (cell.households or 0) - (cell.households_covered or 0),
            "seconds": cell.worst_s,
            "geometry": shapely.Polygon(cell.ring),
        }
        for cell in cells
        if cell.ring and (cell.households or 0) > (cell.households_covered or 0)
    ]


def _number(n: int | None) -> str:
    return "-" if n is None else f"{n:,}"


def only_area(files: dict[str, Any]) -> None:
    """Refuse files beside an area: one or the other."""
    given = [f"--{name}" for name, value in files.items() if value]
    if given:
        raise UsageError(f"Name files or the database, not both: {', '.join(given)} goes with files.")
