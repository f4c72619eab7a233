"""``onemap cover``: who can walk to which service within the limit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from onemap.cli.circle_input import Facilities, place_facilities, weights
from onemap.cli.common import Progress, emit, json_option
from onemap.cli.network_input import (
    Located,
    check_minutes,
    check_speed,
    components_document,
    in_plane,
    load_located,
    load_streets,
    snap_located,
    street_options,
    write_layers,
)
from onemap.engine.coverage.isochrone import BUFFER_M, isochrones
from onemap.engine.coverage.life_circle import LifeCircle, covered, life_circle, share
from onemap.engine.network.build import build
from onemap.engine.network.network import Network
from onemap.engine.network.reach import metres
from onemap.errors import UsageError
from onemap.ingest.network_rules import read_life_circle, read_network_rules
from onemap.ingest.plane import Plane

_H3_RESOLUTION = 9


@click.command(name="cover")
@street_options
@click.option("--area", help="Code of an area in the database instead of files.")
@click.option("--buildings", type=click.Path(path_type=Path), help="Polygons or points of buildings.")
@click.option("--buildings-layer", help="Layer of the building file, where it holds several.")
@click.option("--facilities", type=click.Path(path_type=Path), help="Points or polygons of facilities.")
@click.option("--facilities-layer", help="Layer of the facility file, where it holds several.")
@click.option("--category-field", help="Field that names a facility's category.  [default: category]")
@click.option(
    "--minutes",
    type=float,
    help="The limit that coverage is counted by.  [default: 15; with --area the rule's own]",
)
@click.option("--speed-kmh", type=float, help="Walking speed.  [default: the adult preset, 4 km/h]")
@click.option("--preset", type=click.Choice(["adult", "elder"]), help="Walking speed by name.")
@click.option("--open-at", help="Count only facilities open at this moment of the week, such as 'Tue 09:30'.")
@click.option(
    "--buffer-m", type=float, default=BUFFER_M, show_default=True, help="How far isochrones may err outwards."
)
@click.option("--out", type=click.Path(path_type=Path), help="GeoPackage for the layers buildings, isochrones, gaps.")
@json_option
def command(
    osm: Path | None,
    streets: Path | None,
    streets_layer: str | None,
    estates: Path | None,
    gates: Path | None,
    area: str | None,
    buildings: Path | None,
    buildings_layer: str | None,
    facilities: Path | None,
    facilities_layer: str | None,
    category_field: str | None,
    minutes: float | None,
    speed_kmh: float | None,
    preset: str | None,
    open_at: str | None,
    buffer_m: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Minutes and metres on foot from every building to the nearest facility of each category, along streets."""
    check_speed(speed_kmh)
    if speed_kmh is not None and preset is not None:
        raise UsageError("Give a speed or a preset, not both.")
    rules = read_network_rules()
    speed = speed_kmh or rules.presets_kmh[preset or "adult"]
    if area is not None:
        files = {"osm": osm, "streets": streets, "buildings": buildings, "facilities": facilities}
        emit(*_in_area(area, speed, open_at, minutes, files, out, as_json))
        return
    if buildings is None or facilities is None:
        raise UsageError("Name the files (--buildings, --facilities, and --osm or --streets), or an --area.")
    minutes = check_minutes(15.0 if minutes is None else minutes)
    source = load_streets(osm, streets, streets_layer, rules, estates=estates, gates=gates)
    network = build(source.streets, "foot", rules, speed_kmh=speed)
    homes = load_located(buildings, source.plane, layer=buildings_layer, names=("buildings",))
    services = load_located(facilities, source.plane, layer=facilities_layer, names=("facilities",))
    placed = place_facilities(network, services, category_field, open_at=open_at)
    places = snap_located(network, homes)
    with Progress("life circle") as bar:
        circle = life_circle(network, places, placed.by_category, report=bar)
    problems = [*placed.problems, *_building_problems(network, homes, places.found)]
    limit_s = 60.0 * minutes
    households, persons = weights(homes, "households"), weights(homes, "persons")
    coverage = {
        category: _coverage(circle, category, placed, minutes, speed, households, persons)
        for category in circle.categories
    }
    if out is not None:
        write_layers(
            out,
            {
                "buildings": _buildings(homes, circle, network),
                "isochrones": _isochrones(network, placed, source.plane, homes.frame.crs, _bands(minutes), buffer_m),
                "gaps": _gaps(homes, circle, limit_s, households, source.plane),
            },
        )
    document = {
        "method": "network",
        "mode": "foot",
        "speed_kmh": speed,
        "minutes": minutes,
        "standard": read_life_circle()["source_document"],
        "coverage": coverage,
        "snap": {"buildings": places.statistics(), "facilities": placed.statistics()},
        "components": components_document(network),
        "assumptions": list(network.notes),
        "problems": problems,
        "out": None if out is None else str(out),
    }
    emit(document, as_json, lambda: _table(coverage, problems, minutes))


def _in_area(
    area: str,
    speed_kmh: float,
    open_at: str | None,
    minutes: float | None,
    files: dict[str, Any],
    out: Path | None,
    as_json: bool,
) -> tuple[dict[str, Any], bool, str]:
    from onemap.analyses.life_circle import CircleAsk  # noqa: PLC0415 - the files' way works without a database
    from onemap.cli import _circle_area  # noqa: PLC0415

    _circle_area.only_area(files)
    told, human = _circle_area.cover(CircleAsk(area, speed_kmh, open_at, minutes), out)
    return told, as_json, human


def _coverage(
    circle: LifeCircle,
    category: str,
    placed: Facilities,
    minutes: float,
    speed_kmh: float,
    households: NDArray[np.float64] | None,
    persons: NDArray[np.float64] | None,
) -> dict[str, Any]:
    seconds = circle.of(category)
    ones = np.ones(len(seconds))
    limit_m = read_life_circle()["categories"].get(category, {}).get("limit_m")
    whole: dict[str, Any] = {
        "facilities": len(placed.by_category[category]),
        "facilities_on_network": int(placed.by_category[category].found.sum()),
        "limit_minutes": minutes,
        **_within(seconds, 60.0 * minutes, ones, households, persons),
        "unreachable_buildings": int((~np.isfinite(seconds)).sum()),
        "bands": {f"{band:g}": _within(seconds, 60.0 * band, ones, households, persons) for band in _bands(minutes)},
    }
    if limit_m is not None:
        own = _within(seconds, limit_m / (speed_kmh / 3.6), ones, households, persons)
        whole["own_limit"] = {"limit_m": limit_m, **own}
    return whole


def _within(
    seconds: NDArray[np.float64],
    limit_s: float,
    ones: NDArray[np.float64],
    households: NDArray[np.float64] | None,
    persons: NDArray[np.float64] | None,
) -> dict[str, Any]:
    within = covered(seconds, limit_s)
    answer: dict[str, Any] = {}
    for name, weight in (("buildings", ones), ("households", households), ("persons", persons)):
        if weight is None:
            answer[name] = None
            continue
        part = share(within, weight)
        answer[name] = {
            "covered": _whole(part.covered),
            "uncovered": _whole(part.total - part.covered),
            "total": _whole(part.total),
            "share": part.share,
        }
    return answer


def _whole(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def _bands(minutes: float) -> tuple[float, ...]:
    return (*(float(band) for band in read_life_circle()["bands_minutes"] if band < minutes), minutes)


def _building_problems(network: Network, homes: Located, found: NDArray[np.bool_]) -> list[str]:
    problems = []
    lost = int((~homes.usable).sum())
    if lost:
        problems.append(f"{lost} buildings have no usable geometry (empty or not a number) and get no time.")
    far = int((homes.usable & ~found).sum())
    if far:
        problems.append(
            f"{far} of {len(homes.x)} buildings lie farther than {network.max_snap_m:g} m from any street: no time."
        )
    return problems


def _buildings(homes: Located, circle: LifeCircle, network: Network) -> gpd.GeoDataFrame:
    """The input's rows in the input's order with two columns a category; null where nothing can be reached."""
    frame = homes.frame.copy()
    for category in circle.categories:
        seconds = circle.of(category)
        known = np.where(np.isfinite(seconds), seconds, np.nan)
        frame[f"seconds_{category}"] = known
        frame[f"metres_{category}"] = metres(network, known)
    return frame


def _isochrones(
    network: Network, placed: Facilities, plane: Plane, crs: Any, bands: Sequence[float], buffer_m: float
) -> gpd.GeoDataFrame:
    rows: list[dict[str, Any]] = []
    shapes = []
    for category, places in placed.by_category.items():
        if not places.found.any():
            continue
        found = isochrones(network, places, bands, toward=True, buffer_m=buffer_m)
        for band, polygon in zip(found.minutes, found.polygons, strict=True):
            rows.append(
                {"category": category, "minutes": band, "area_m2": float(polygon.area), "buffer_m": found.buffer_m}
            )
            shapes.append(shapely.multipolygons([polygon]) if polygon.geom_type == "Polygon" else polygon)
    columns = ["category", "minutes", "area_m2", "buffer_m"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=in_plane(shapes, plane, crs))


def _gaps(
    homes: Located, circle: LifeCircle, limit_s: float, households: NDArray[np.float64] | None, plane: Plane
) -> gpd.GeoDataFrame:
    """Buildings beyond the limit, and the H3 cells that hold them."""
    usable = homes.usable
    lon, lat = plane.lonlat(np.where(usable, homes.x, 0.0), np.where(usable, homes.y, 0.0))
    cells = np.array(
        [h3.latlng_to_cell(a, o, _H3_RESOLUTION) if ok else "" for a, o, ok in zip(lat, lon, usable, strict=True)],
        dtype=object,
    )
    frames = []
    for category in circle.categories:
        seconds = circle.of(category)
        open_rows = np.flatnonzero(~covered(seconds, limit_s) & usable)
        if len(open_rows) == 0:
            continue
        weight = np.full(len(seconds), np.nan) if households is None else households
        frames.append(_gap_buildings(homes, category, open_rows, cells, seconds, weight))
        frames.append(_gap_cells(homes.frame.crs, category, open_rows, cells, weight))
    columns = ["kind", "category", "h3", "building_row", "n_buildings", "households", "seconds"]
    if not frames:
        return gpd.GeoDataFrame(pd.DataFrame(columns=columns), geometry=gpd.GeoSeries([], crs=homes.frame.crs))
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=homes.frame.crs)


def _gap_buildings(
    homes: Located,
    category: str,
    rows: NDArray[np.int64],
    cells: NDArray[Any],
    seconds: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> gpd.GeoDataFrame:
    known = np.where(np.isfinite(seconds[rows]), seconds[rows], np.nan)
    table = {
        "kind": "building",
        "category": category,
        "h3": cells[rows],
        "building_row": rows,
        "n_buildings": 1,
        "households": weight[rows],
        "seconds": known,
    }
    geometry = np.asarray(homes.frame.geometry.array, dtype=object)[rows]
    return gpd.GeoDataFrame(table, geometry=geometry, crs=homes.frame.crs)


def _gap_cells(
    crs: Any, category: str, rows: NDArray[np.int64], cells: NDArray[Any], weight: NDArray[np.float64]
) -> gpd.GeoDataFrame:
    table = pd.DataFrame({"h3": cells[rows], "households": weight[rows], "n_buildings": 1})
    summed = table.groupby("h3", as_index=False).agg(
        households=("households", lambda values: values.sum(min_count=1)), n_buildings=("n_buildings", "sum")
    )
    shapes = [shapely.Polygon([(o, a) for a, o in h3.cell_to_boundary(cell)]) for cell in summed["h3"]]
    summed["kind"], summed["category"], summed["building_row"], summed["seconds"] = "h3", category, -1, np.nan
    return gpd.GeoDataFrame(summed, geometry=gpd.GeoSeries(shapes, crs=4326).to_crs(crs))


def _table(coverage: dict[str, Any], problems: list[str], minutes: float) -> str:
    lines = [f"Within {minutes:g} minutes on foot, on the street network:"]
    for category, part in coverage.items():
        counted = part["households"] or part["buildings"]
        what = "households" if part["households"] else "buildings"
        percent = "-" if counted["share"] is None else f"{100.0 * counted['share']:.1f} %"
        lines.append(f"  {category}: {percent} of {counted['total']} {what}")
    return "\n".join([*lines, *problems])
