"""Checks foreign geometries one by one, brings them to EPSG:4490 and to the layer's type, repairs what can be repaired.

Runs in the limited child process only: GEOS is asked here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from onemap.domain.layer import GeometryType
from onemap.errors import InputRefused
from onemap.ingest.crs import SourceCrs

Shapes = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

#: Vertices of one feature; more is no building but a mistake or an attack.
MAX_VERTICES = 10_000
#: Layers that hold shapes as large as lakes and districts may have more.
MAX_VERTICES_LARGE = 100_000
LARGE_LAYERS = frozenset({"areas", "water", "green", "roads"})

#: Degrees are kept to 0.1 mm, so that a shape that went through another format and came back is the same shape.
DECIMALS = 9

_POINT, _LINE, _POLYGON = 0, 1, 3
_MULTI_POINT, _MULTI_LINE, _MULTI_POLYGON, _COLLECTION = 4, 5, 6, 7
_WKB_POINT_BYTES = 16
_OUTSIDE_DEGREES = 0.5


@dataclass(slots=True)
class Settled:
    """Geometries that the database can take, each with where it is; ``None`` where there is a problem instead.

    Attributes
    ----------
    shapes : (n,)
        In EPSG:4490, 2D, of the layer's type; ``None`` where the row has a problem.
    source : (n,)
        As they came, in the file's coordinates.
    problem
        Row position to reason.
    repaired : (n,)
        Where a ring was closed, a crossing undone, a part left out.
    lon, lat : (n,)
        A point on the surface, degrees; NaN where there is none.
    """

    shapes: Shapes
    source: Shapes
    problem: dict[int, str]
    repaired: Mask
    lon: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    lat: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


def max_vertices(layer: str) -> int:
    """How many vertices one feature of a layer may have."""
    return MAX_VERTICES_LARGE if layer in LARGE_LAYERS else MAX_VERTICES


def from_wkb(wkb: list[bytes | None], limit: int) -> Settled:
    """Geometries from WKB; what is too large is not even decoded, rings left open are closed."""
    problem = {
        row: f"about {len(raw) // _WKB_POINT_BYTES:,} vertices, more than {limit:,}"
        for row, raw in enumerate(wkb)
        if raw is not None and len(raw) // _WKB_POINT_BYTES > limit + limit // 10 + 10
    }
    raw = np.array([None if row in problem else value for row, value in enumerate(wkb)], dtype=object)
    shapes = shapely.from_wkb(raw, on_invalid="ignore")
    failed = np.flatnonzero(np.array([value is not None for value in raw], bool) & shapely.is_missing(shapes))
    repaired = np.zeros(len(wkb), bool)
    for row in failed:
        shapes[row] = shapely.from_wkb(raw[row], on_invalid="fix")
        repaired[row] = shapes[row] is not None
        if shapes[row] is None:
            problem[int(row)] = "its geometry cannot be decoded"
    return Settled(shapes, shapes.copy(), problem, repaired)


def settle(found: Settled, geometry: GeometryType, crs: SourceCrs, limit: int) -> Settled:
    """Check, transform and repair; every row ends with a geometry of the layer's type or with a reason."""
    _drop_missing(found)
    _drop_too_large(found, limit)
    _drop_not_finite(found)
    found.shapes = shapely.force_2d(found.shapes)
    _unwrap(found, geometry)
    found.source = found.shapes.copy()
    _refuse_other_unit(found, crs)
    _to_storage(found, crs)
    _repair(found, geometry)
    _promote(found, geometry)
    _place(found)
    return found


def _present(found: Settled) -> Mask:
    present: Mask = ~shapely.is_missing(found.shapes)
    return present


def _drop(found: Settled, where: Mask, reason: str) -> None:
    for row in np.flatnonzero(where):
        found.problem.setdefault(int(row), reason)
    found.shapes[where] = None


def _drop_missing(found: Settled) -> None:
    known = np.zeros(len(found.shapes), bool)
    known[list(found.problem)] = True
    found.shapes[known] = None
    empty = shapely.is_missing(found.shapes) | shapely.is_empty(found.shapes)
    _drop(found, empty & ~known, "it has no geometry")


def _drop_too_large(found: Settled, limit: int) -> None:
    counts = shapely.get_num_coordinates(found.shapes)
    for row in np.flatnonzero(counts > limit):
        found.problem[int(row)] = f"{counts[row]:,} vertices, more than {limit:,}"
        found.shapes[row] = None


def _drop_not_finite(found: Settled) -> None:
    coordinates, index = shapely.get_coordinates(found.shapes, return_index=True)
    bad = np.zeros(len(found.shapes), bool)
    bad[index[~np.isfinite(coordinates).all(axis=1)]] = True
    _drop(found, bad, "coordinates that are no numbers (NaN or infinite)")


def _unwrap(found: Settled, geometry: GeometryType) -> None:
    """Bring collections of one to their part; refuse what is of another dimension than the layer."""
    kinds = shapely.get_type_id(found.shapes)
    single = np.isin(kinds, (_MULTI_POINT, _MULTI_LINE, _COLLECTION)) & (shapely.get_num_geometries(found.shapes) == 1)
    found.shapes[single] = shapely.get_geometry(found.shapes[single], 0)
    kinds = shapely.get_type_id(found.shapes)
    if geometry is GeometryType.LINE:
        several = kinds == _MULTI_LINE
        found.shapes[several] = shapely.line_merge(found.shapes[several])
        kinds = shapely.get_type_id(found.shapes)
        _drop(found, kinds == _MULTI_LINE, "several separate lines in one feature; a feature here is one line")
        kinds = shapely.get_type_id(found.shapes)
    wanted = _WANTED[geometry]
    for row in np.flatnonzero((kinds >= 0) & ~np.isin(kinds, wanted)):
        found.problem[int(row)] = f"it is a {found.shapes[row].geom_type}, but the layer holds {_WORD[geometry]}"
        found.shapes[row] = None


_WANTED = {
    GeometryType.POINT: (_POINT,),
    GeometryType.LINE: (_LINE,),
    GeometryType.MULTI_LINE: (_LINE, _MULTI_LINE),
    GeometryType.POLYGON: (_POLYGON, _MULTI_POLYGON),
    GeometryType.MULTI_POLYGON: (_POLYGON, _MULTI_POLYGON),
}
_WORD = {
    GeometryType.POINT: "points",
    GeometryType.LINE: "lines",
    GeometryType.MULTI_LINE: "lines",
    GeometryType.POLYGON: "polygons",
    GeometryType.MULTI_POLYGON: "polygons",
}


def _refuse_other_unit(found: Settled, crs: SourceCrs) -> None:
    """Say plainly when most coordinates cannot be in the system that is claimed for them."""
    coordinates = shapely.get_coordinates(found.shapes)
    if not len(coordinates):
        return
    if crs.is_degrees:
        _refuse_metres(coordinates, crs)
    else:
        _refuse_degrees(coordinates, crs)


def _refuse_degrees(coordinates: npt.NDArray[np.float64], crs: SourceCrs) -> None:
    small = (np.abs(coordinates[:, 0]) <= 180.0) & (np.abs(coordinates[:, 1]) <= 90.0)
    if small.mean() > 0.5:
        x, y = coordinates[np.argmax(small)]
        raise InputRefused(
            f"Coordinates such as ({x:g}, {y:g}) are degrees, but the file is taken as {crs.name}, which is in metres; "
            "name the system it is really in, for one --crs cgcs2000."
        )


def _refuse_metres(coordinates: npt.NDArray[np.float64], crs: SourceCrs) -> None:
    outside = (np.abs(coordinates[:, 0]) > 180.0 + _OUTSIDE_DEGREES) | (np.abs(coordinates[:, 1]) > 90.0)
    swapped = (np.abs(coordinates[:, 0]) <= 90.0) & (np.abs(coordinates[:, 1]) > 90.0)
    x, y = coordinates[np.argmax(outside)]
    if swapped.mean() > 0.5 and np.abs(coordinates).max() <= 180.0:
        raise InputRefused(
            f"Coordinates such as ({x:g}, {y:g}) have latitude first; longitude and latitude are swapped."
        )
    if outside.mean() > 0.5:
        raise InputRefused(
            f"Coordinates such as ({x:g}, {y:g}) are no degrees, but the file is taken as {crs.name}; "
            "name the projection it is really in, for one --crs EPSG:4548."
        )


def _to_storage(found: Settled, crs: SourceCrs) -> None:
    def across(coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.round(np.column_stack(crs.to_4490(coordinates[:, 0], coordinates[:, 1])), DECIMALS)

    present = _present(found)
    found.shapes[present] = shapely.transform(found.shapes[present], across)
    west, south, east, north = crs.bounds
    bounds = shapely.bounds(found.shapes)
    with np.errstate(invalid="ignore"):
        inside = (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
    _drop(found, present & ~inside, f"out of bounds: not on the ground for which {crs.name} is made")
    nowhere = (np.abs(bounds) < 1e-9).all(axis=1)
    _drop(found, _present(found) & nowhere, "out of bounds: 0, 0 stands for no position")


def _repair(found: Settled, geometry: GeometryType) -> None:
    present = _present(found)
    bad = np.flatnonzero(present & ~shapely.is_valid(found.shapes))
    for row in bad:
        mended = _polygons(found.shapes[row]) if geometry.is_polygon else None
        if mended is None:
            found.problem[int(row)] = f"invalid: {shapely.is_valid_reason(found.shapes[row])}"
        else:
            found.repaired[row] = True
        found.shapes[row] = mended
    if geometry.is_line:
        _drop(found, _present(found) & (shapely.length(found.shapes) == 0.0), "a line without length")


def _polygons(shape: BaseGeometry) -> BaseGeometry | None:
    """What is ground of a shape made valid; ``None`` where nothing is."""
    try:
        valid = shapely.make_valid(shape, method="structure", keep_collapsed=False)
        parts = shapely.get_parts(shapely.get_parts(valid))
        ground = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])  # GEOS may leave parts that share an edge
    except shapely.errors.GEOSException:
        return None
    return ground if ground.area > 0.0 and ground.is_valid else None


def _promote(found: Settled, geometry: GeometryType) -> None:
    """Bring shapes to the layer's type; rings to one order, which formats turn as they like."""
    if geometry.is_polygon:
        found.shapes = shapely.normalize(found.shapes)
    kinds = shapely.get_type_id(found.shapes)
    if geometry is GeometryType.MULTI_POLYGON:
        for row in np.flatnonzero(kinds == _POLYGON):
            found.shapes[row] = shapely.multipolygons([found.shapes[row]])
    elif geometry is GeometryType.MULTI_LINE:
        for row in np.flatnonzero(kinds == _LINE):
            found.shapes[row] = shapely.multilinestrings([found.shapes[row]])
    elif geometry is GeometryType.POLYGON:
        _drop(found, kinds == _MULTI_POLYGON, "several separate parts; a feature here is one polygon")


def _place(found: Settled) -> None:
    places = shapely.point_on_surface(found.shapes)
    found.lon, found.lat = shapely.get_x(places), shapely.get_y(places)
