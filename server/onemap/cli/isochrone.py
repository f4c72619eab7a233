"""``onemap isochrone``: the ground that can be reached within given minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import shapely

from onemap.cli.common import emit, json_option
from onemap.cli.network_input import (
    check_speed,
    components_document,
    in_plane,
    load_located,
    load_streets,
    parse_minutes,
    parse_point,
    snap_located,
    snap_point,
    street_options,
    write_layers,
)
from onemap.engine.coverage.isochrone import BUFFER_M, Isochrones, isochrones, shed_ratio
from onemap.engine.network.access import MODES
from onemap.engine.network.build import build
from onemap.engine.network.network import Network
from onemap.errors import UsageError
from onemap.ingest.network_rules import read_network_rules


@click.command(name="isochrone")
@street_options
@click.option("--point", help="Where the journeys begin: longitude,latitude.")
@click.option("--facility", type=int, help="In the database: begin at this facility (fid).")
@click.option("--category", help="In the database: begin at all facilities of a category.")
@click.option("--area", help="With --category: those of this area only (area code).")
@click.option("--facilities", type=click.Path(path_type=Path), help="A set of places instead of one point.")
@click.option("--minutes", default="5,10,15", show_default=True, help="Limits, separated by commas.")
@click.option("--mode", type=click.Choice(MODES), default="foot", show_default=True)
@click.option("--speed-kmh", type=float, help="One speed for all streets instead of the rule's.")
@click.option("--toward", is_flag=True, help="Ground from which the place is reached, instead of reached from it.")
@click.option(
    "--buffer-m", type=float, default=BUFFER_M, show_default=True, help="How far the outline may err outwards."
)
@click.option("--simplify-m", type=float, default=0.0, show_default=True, help="Tolerance for simpler outlines.")
@click.option("--out", type=click.Path(path_type=Path), help="GeoPackage for the layer isochrones (lon, lat).")
@json_option
def command(
    osm: Path | None,
    streets: Path | None,
    streets_layer: str | None,
    estates: Path | None,
    gates: Path | None,
    point: str | None,
    facility: int | None,
    category: str | None,
    area: str | None,
    facilities: Path | None,
    minutes: str,
    mode: str,
    speed_kmh: float | None,
    toward: bool,
    buffer_m: float,
    simplify_m: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """The ground within given minutes of a point or a set of places, true to the street network."""
    limits = parse_minutes(minutes)
    check_speed(speed_kmh)
    if osm is None and streets is None and facilities is None:
        where = None if point is None else parse_point(point)
        emit(*_here(where, facility, category, area, limits, mode, speed_kmh, toward, simplify_m, out, as_json))
        return
    if facility is not None or category is not None or area is not None:
        raise UsageError("--facility, --category and --area go with the database, not with files.")
    if (point is None) == (facilities is None):
        raise UsageError("Name one beginning: either --point or --facilities.")
    where = parse_point(point) if point is not None else None
    rules = read_network_rules()
    source = load_streets(osm, streets, streets_layer, rules, estates=estates, gates=gates)
    network = build(source.streets, mode, rules, speed_kmh=speed_kmh)
    if where is not None:
        places, _ = snap_point(network, source.plane, *where)
    else:
        places = snap_located(network, load_located(Path(str(facilities)), source.plane, names=("facilities",)))
    found = isochrones(network, places, limits, toward=toward, buffer_m=buffer_m, simplify_m=simplify_m)
    frame = _frame(found, network, source.plane)
    if out is not None:
        write_layers(out, {"isochrones": frame})
    document = {
        "mode": mode,
        "method": "network",
        "buffer_m": found.buffer_m,
        "snap": places.statistics(),
        "isochrones": [
            {"minutes": row.minutes, "area_m2": row.area_m2, "shed_ratio": row.shed_ratio, "parts": row.parts}
            for row in frame.itertuples()
        ],
        "components": components_document(network),
        "assumptions": list(network.notes),
        "out": None if out is None else str(out),
    }
    emit(document, as_json, lambda: _table(document))


def _here(
    point: tuple[float, float] | None,
    facility: int | None,
    category: str | None,
    area: str | None,
    minutes: tuple[float, ...],
    mode: str,
    speed_kmh: float | None,
    toward: bool,
    simplify_m: float,
    out: Path | None,
    as_json: bool,
) -> tuple[dict[str, Any], bool, str]:
    from onemap.analyses.isochrone import IsochroneAsk  # noqa: PLC0415 - the files' way works without a database
    from onemap.cli import _circle_area  # noqa: PLC0415

    ask = IsochroneAsk(
        point, facility, category, area or "", minutes, mode, speed_kmh, reverse=toward, tolerance_m=simplify_m
    )
    told, human = _circle_area.isochrones(ask, out)
    return told, as_json, human


def _frame(found: Isochrones, network: Network, plane: Any) -> gpd.GeoDataFrame:
    speed = network.uniform_kmh
    shapes = [shapely.multipolygons([shape]) if shape.geom_type == "Polygon" else shape for shape in found.polygons]
    return gpd.GeoDataFrame(
        {
            "minutes": list(found.minutes),
            "mode": network.mode,
            "area_m2": [float(shape.area) for shape in shapes],
            "shed_ratio": [
                None if speed is None else shed_ratio(shape, minutes, speed)
                for shape, minutes in zip(shapes, found.minutes, strict=True)
            ],
            "parts": [len(shape.geoms) for shape in shapes],
            "buffer_m": found.buffer_m,
        },
        geometry=in_plane(shapes, plane, 4326),
    )


def _table(document: dict[str, Any]) -> str:
    rows = [f"{one['minutes']:g} min: {one['area_m2'] / 10_000.0:.1f} ha" for one in document["isochrones"]]
    return "\n".join(rows)
