"""What the verbs on the street network share: reading streets, points, polygons; refusing what cannot be used."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from onemap.engine.network.access import NetworkRules
from onemap.engine.network.estates import close_estates
from onemap.engine.network.index import Places, snap
from onemap.engine.network.network import Network
from onemap.errors import InputRefused, UsageError
from onemap.ingest.osm_network import StreetSource, read_osm_streets
from onemap.ingest.plane import Plane
from onemap.ingest.street_file import read_frame, read_street_file

_WGS84 = CRS.from_epsg(4326)
_OPEN = {"false", "0", "0.0", "no", "否"}


@dataclass(frozen=True, slots=True)
class Located:
    """Rows of a file with one point each: (n,) metres in the plane, NaN where a row has no usable geometry."""

    frame: gpd.GeoDataFrame
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Rows that stand somewhere."""
        return np.isfinite(self.x) & np.isfinite(self.y)


def street_options[F: Callable[..., Any]](command: F) -> F:
    """--osm and --streets with their layer; --estates and --gates that close them."""
    command = click.option(
        "--gates", type=click.Path(path_type=Path), help="Points of gates, the only doors of the estates."
    )(command)
    command = click.option(
        "--estates", type=click.Path(path_type=Path), help="Polygons of enclosed estates: closed but for their gates."
    )(command)
    command = click.option("--streets-layer", help="Layer of the street file, where it holds several.")(command)
    command = click.option(
        "--streets",
        "--network",
        "streets",
        type=click.Path(path_type=Path),
        help="Lines: GeoPackage, GeoJSON, Shapefile.",
    )(command)
    return click.option(
        "--osm", type=click.Path(path_type=Path), help="OpenStreetMap extract: .osm.pbf, .osm.gz, .osm."
    )(command)


def load_streets(
    osm: Path | None,
    streets: Path | None,
    layer: str | None,
    rules: NetworkRules,
    *,
    estates: Path | None = None,
    gates: Path | None = None,
) -> StreetSource:
    """The streets of the one source that was named; cut at the walls of estates whose gates are known."""
    if (osm is None) == (streets is None):
        raise UsageError("Name one source of streets: either --osm or --streets.")
    if (estates is None) != (gates is None):
        raise UsageError("--estates and --gates go together: walls without known gates close nothing.")
    source = read_osm_streets(osm, rules) if osm is not None else read_street_file(_given(streets), rules, layer=layer)
    if estates is None or gates is None:
        return source
    return _closed(source, read_frame(estates, names=("estates",)), load_located(gates, source.plane, names=("gates",)))


def _closed(source: StreetSource, estates: gpd.GeoDataFrame, gates: Located) -> StreetSource:
    shapes = estates.geometry
    enclosed = text_column(estates, "enclosed")
    if enclosed is not None:
        shapes = shapes[[str(value).lower() not in _OPEN for value in enclosed]]
    shapes = shapes[~(shapes.is_empty | shapes.isna())]
    if not shapes.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise InputRefused("Estates must be polygons: their outlines are the walls.")
    walls = shapes.to_crs(source.plane.crs).to_numpy()
    if not np.isfinite(shapely.bounds(walls)).all():
        raise InputRefused("An estate lies too far from the streets to be placed among them, or is not a number.")
    at = gates.usable
    streets, n_closed = close_estates(source.streets, walls, gates.x[at], gates.y[at])
    note = (
        f"{len(walls)} enclosed estates and {int(at.sum())} gates: streets were cut at {n_closed} places where they "
        "cross a wall away from a gate; estates without a known gate stay open."
    )
    return replace(source, streets=replace(streets, notes=(*streets.notes, note)))


def parse_point(text: str) -> tuple[float, float]:
    """Longitude and latitude from "117.28,31.86"."""
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"'{text}' is not a point: write longitude,latitude in degrees, such as 117.28,31.86."
        ) from None
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise UsageError(f"'{text}' is not a point: its coordinates must be numbers.")
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise UsageError(f"'{text}' is not on the earth: longitude comes first, then latitude, in degrees.")
    return lon, lat


def parse_minutes(text: str) -> tuple[float, ...]:
    """Limits from "5,10,15"."""
    try:
        minutes = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"'{text}' are not minutes: write numbers such as 5,10,15.") from None
    for one in minutes:
        check_minutes(one)
    return tuple(sorted(set(minutes)))


def check_minutes(minutes: float) -> float:
    """Minutes that a walk can take."""
    if not (math.isfinite(minutes) and minutes > 0.0):
        raise UsageError(f"{minutes:g} minutes cannot be used as a limit: it must be a number above 0.")
    return minutes


def check_speed(speed_kmh: float | None) -> float | None:
    """A speed that a walker or rider can have."""
    if speed_kmh is not None and not (math.isfinite(speed_kmh) and 0.0 < speed_kmh <= 200.0):
        raise UsageError(f"A speed of {speed_kmh:g} km/h cannot be used: it must lie above 0 and not above 200.")
    return speed_kmh


def snap_point(network: Network, plane: Plane, lon: float, lat: float) -> tuple[Places, tuple[float, float]]:
    """One point on the network and its plane coordinates; refused where no street is near."""
    x, y = plane.xy(np.array([lon]), np.array([lat]), _WGS84)
    if not (np.isfinite(x[0]) and np.isfinite(y[0])):
        raise InputRefused(f"The point {lon:g},{lat:g} lies too far from the streets to be placed among them.")
    places = snap(network, x, y)
    if places.edge[0] < 0:
        raise InputRefused(
            f"No street for this mode lies within {network.max_snap_m:g} m of the point {lon:g},{lat:g}: "
            "the network cannot answer for it."
        )
    return places, (float(x[0]), float(y[0]))


def load_located(path: Path, plane: Plane, *, layer: str | None = None, names: tuple[str, ...] = ()) -> Located:
    """Points, or the centroids of polygons, of a file's rows in their order."""
    frame = read_frame(path, layer=layer, names=names)
    geometry = np.asarray(frame.geometry.array, dtype=object)
    if np.isin(shapely.get_dimensions(geometry), (-1, 1)).all() and (shapely.get_dimensions(geometry) == 1).any():
        raise InputRefused(f"'{path.name}' holds lines; here points or polygons are needed.")
    centres = shapely.centroid(geometry)
    x, y = shapely.get_x(centres), shapely.get_y(centres)
    px, py = np.full(len(x), np.nan), np.full(len(y), np.nan)
    usable = np.isfinite(x) & np.isfinite(y)
    if usable.any():
        px[usable], py[usable] = plane.xy(x[usable], y[usable], CRS.from_user_input(frame.crs))
    outside = ~(np.isfinite(px) & np.isfinite(py))
    px[outside], py[outside] = np.nan, np.nan
    return Located(frame, px, py)


def snap_located(network: Network, located: Located, *, threads: int = 2) -> Places:
    """Every row on the network; rows without a usable point have no place."""
    usable = np.flatnonzero(located.usable)
    some = snap(network, located.x[usable], located.y[usable], threads=threads)
    n = len(located.x)
    edge, fraction = np.full(n, -1, dtype=np.int32), np.zeros(n)
    snap_m, moved = np.full(n, np.inf), np.zeros(n, dtype=np.bool_)
    edge[usable], fraction[usable], snap_m[usable], moved[usable] = some.edge, some.fraction, some.snap_m, some.moved
    return Places(edge, fraction, snap_m, moved)


def components_document(network: Network) -> dict[str, Any]:
    """How the network hangs together, the longest parts first."""
    parts = network.components
    return {
        "n": len(parts.n_node),
        "nodes": network.n_node,
        "edges": network.n_edge,
        "outside_largest_share": round(parts.outside_share, 6),
        "islets": int(parts.islet.sum()),
        "largest": [
            {
                "nodes": int(parts.n_node[i]),
                "length_m": round(float(parts.length_m[i]), 1),
                "islet": bool(parts.islet[i]),
            }
            for i in range(min(5, len(parts.n_node)))
        ],
    }


def in_plane(geometries: Any, plane: Plane, crs: Any) -> gpd.GeoSeries:
    """Geometries of the plane in another system."""
    return gpd.GeoSeries(geometries, crs=plane.crs).to_crs(crs)


def write_layers(path: Path, layers: Mapping[str, gpd.GeoDataFrame]) -> None:
    """A GeoPackage with these layers, complete or not at all."""
    if path.suffix.lower() != ".gpkg":
        raise UsageError(f"'{path.name}' must end in .gpkg: the answer has several layers.")
    if not path.parent.is_dir():
        raise InputRefused(f"There is no folder '{path.parent}' to write '{path.name}' into.")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".onemap-") as folder:
        draft = Path(folder) / path.name
        for name, frame in layers.items():
            safe = frame.rename(
                columns={column: f"{column}_source" for column in frame if str(column).lower() == "fid"}
            )
            kind = None if len(safe) else "Unknown"
            pyogrio.write_dataframe(safe, draft, layer=name, driver="GPKG", geometry_type=kind)
        draft.replace(path)


def text_column(frame: pd.DataFrame, *names: str) -> pd.Series | None:
    """The first of some columns, whatever its case; None where there is none of them."""
    by_lower = {str(column).lower(): column for column in frame.columns}
    for name in names:
        if name in by_lower:
            return frame[by_lower[name]]
    return None


def numbers(frame: pd.DataFrame, *names: str) -> NDArray[np.float64] | None:
    """A column of numbers, empty cells as 0; None where there is no such column."""
    column = text_column(frame, *names)
    if column is None:
        return None
    values = pd.to_numeric(column, errors="coerce").fillna(0.0).to_numpy(dtype=float)
    return np.where(np.isfinite(values), values, 0.0)


def _given(path: Path | None) -> Path:
    if path is None:
        raise UsageError("A file is needed here.")
    return path
