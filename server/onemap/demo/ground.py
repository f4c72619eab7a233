"""From plan to ground: atoms, streets, corridors and water of one cell, bent and in local metres.

An atom is the piece of ground that a parcel keeps after rivers cut it, reaching to the middle of the streets and rivers
around it: the atoms of a cell tile it with shared vertices. What tiles later is a union of atoms or of their parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import LineString, Polygon

from onemap.demo.arrays import Objects
from onemap.demo.frame import Frame
from onemap.demo.plan import RIVERSIDE_M, WATER_M, Cell, CellPlan, Line, Parcel, River, Sheet

Sides = tuple[str | None, str | None, str | None, str | None]

#: Half the carriageway of a class as the map draws it, and half the ground a street takes with its pavements, metres.
HALF_WIDTH_M = {"primary": 11.5, "secondary": 7.3, "tertiary": 4.6, "residential": 4.0, "service": 2.1, "footway": 1.2}
HALF_GROUND_M = {
    "primary": 18.5,
    "secondary": 13.0,
    "tertiary": 9.0,
    "residential": 7.5,
    "service": 3.0,
    "footway": 2.0,
}
_STEP_M, _SNAP_M = 22.0, 1e-3
_RANK = ("primary", "secondary", "tertiary", "residential", "service", "footway")


@dataclass(frozen=True, slots=True)
class Atom:
    """A parcel's ground to the middle of its streets: on the sheet, and bent."""

    parcel: Parcel
    cell: Cell
    #: The estate's number in its cell: a parcel's, told apart by the side of the river.
    estate: int
    #: How many rivers lie south of it.
    side: int
    face: Polygon
    heading_rad: float
    #: Road classes along its western, southern, eastern and northern side; None is a wall or water.
    sides: Sides


@dataclass(frozen=True, slots=True)
class Road:
    """A stretch of street between two junctions, in local metres."""

    line: LineString
    road_class: str
    name: str
    bridge: bool = False
    #: The neighbour that draws it instead of this cell: "east" or "north" for the arterials there.
    owner: str = ""


def atoms(sheet: Sheet, frame: Frame, plan: CellPlan) -> list[Atom]:
    """The atoms of a cell; together they tile it, vertex to vertex, also with the neighbours' atoms."""
    lines = [LineString([(a.u0, a.v0), (a.u1, a.v1)]) for a in plan.lines]
    lines += _stubs(sheet, plan)
    lines += [_course(river, plan, 0.0) for river in sheet.rivers_in(plan.box)]
    noded = shapely.segmentize(shapely.union_all(np.array(lines, dtype=object), grid_size=_SNAP_M), _STEP_M)
    faces = np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))), dtype=object)
    inside = shapely.get_coordinates(shapely.point_on_surface(faces))
    boxes = np.array([p.box for p in plan.parcels])
    hit = (
        (inside[:, None, 0] > boxes[None, :, 0])
        & (inside[:, None, 0] < boxes[None, :, 2])
        & (inside[:, None, 1] > boxes[None, :, 1])
        & (inside[:, None, 1] < boxes[None, :, 3])
    )
    bent = bend(frame, faces)
    headings = frame.heading(inside)
    classes = _side_classes(plan)
    rivers = sheet.rivers_in(plan.box)
    north = [sum(bool(inside[k, 1] > r.at(inside[k : k + 1, 0])[0]) for r in rivers) for k in range(len(faces))]
    return [
        Atom(
            parcel, plan.cell, parcel.estate * 4 + north[k], north[k], bent[k], float(headings[k]), classes(parcel.box)
        )
        for k in range(len(faces))
        if hit[k].any()
        for parcel in [plan.parcels[int(np.argmax(hit[k]))]]
    ]


def roads(sheet: Sheet, frame: Frame, plan: CellPlan, lanes: Sequence[Road] = ()) -> list[Road]:
    """Streets of a cell, its borders included, and the given lanes, split where they meet."""
    _, _, east, north = plan.box
    rivers = sheet.rivers_in(plan.box)
    wet = [_band(river, plan, RIVERSIDE_M) for river in rivers]
    parts: list[_Part] = []
    for a in plan.lines:
        if a.road_class is None:
            continue
        owner = "east" if a.u0 == a.u1 == east else "north" if a.v0 == a.v1 == north else ""
        shape = LineString([(a.u0, a.v0), (a.u1, a.v1)])
        if not a.crosses:
            shape = shapely.difference(shape, shapely.union_all(wet)) if wet else shape
        parts += [
            _Part(piece, a.road_class, a.name, owner) for piece in shapely.get_parts(shape) if piece.length > 12.0
        ]
    for river in rivers:
        parts.append(_Part(_course(river, plan, RIVERSIDE_M, inside=True), "tertiary", f"{river.name}北路"))
        parts.append(_Part(_course(river, plan, -RIVERSIDE_M, inside=True), "tertiary", f"{river.name}南路"))
    streets = _noded(parts, _stubs(sheet, plan))
    lines = bend(frame, shapely.segmentize(shapes_of([s.line for s in streets]), _STEP_M))
    if lanes:
        parts = [_Part(line, s.road_class, s.name, s.owner) for line, s in zip(lines, streets, strict=True)]
        streets = _noded([*parts, *(_Part(r.line, r.road_class, r.name) for r in lanes)], [], shortest_m=2.0)
        lines = shapes_of([s.line for s in streets])
    bent = [Road(line, s.road_class, s.name, owner=s.owner) for line, s in zip(lines, streets, strict=True)]
    over = (
        shapely.union_all(bend(frame, shapes_of([_band(r, plan, RIVERSIDE_M - 1.0, inside=False) for r in rivers])))
        if rivers
        else None
    )
    if over is not None:
        shapely.prepare(over)
        bent = [
            replace(r, bridge=bool(shapely.intersects(over, r.line.interpolate(0.5, normalized=True)))) for r in bent
        ]
    return bent


def corridor(streets: Sequence[Road], *, lanes: bool = False) -> Polygon:
    """The ground that streets take with their pavements; with the lanes inside estates or without."""
    chosen = [r for r in streets if lanes or r.road_class not in ("service", "footway")]
    lines = shapes_of([r.line for r in chosen])
    widths = np.array([HALF_GROUND_M[r.road_class] for r in chosen])
    return shapely.union_all(shapely.buffer(lines, widths, quad_segs=3))


def water(sheet: Sheet, frame: Frame, plan: CellPlan) -> list[tuple[River, Polygon, Polygon]]:
    """Per river: its water, and the water with its banks up to the roads along it."""
    found = []
    for river in sheet.rivers_in(plan.box):
        wide = bend(frame, shapes_of([_band(river, plan, WATER_M), _band(river, plan, RIVERSIDE_M)]))
        found.append((river, wide[0], wide[1]))
    return found


def bend(frame: Frame, shapes: Objects) -> Objects:
    """Objects on the sheet, bent and rounded to the millimetre, so that equal places stay equal."""
    return np.asarray(shapely.transform(shapes, lambda uv: np.round(frame.bend(uv), 3)), dtype=object)


def largest(shape: Polygon) -> Polygon:
    """The largest polygon of whatever an overlay left."""
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    return max(parts, key=lambda p: p.area) if parts else Polygon()


def _course(river: River, plan: CellPlan, aside_m: float, *, inside: bool = False) -> LineString:
    """A river's middle, or a line beside it, with a vertex on every north-south line of the cell."""
    west, _, east, _ = plan.box
    reach = 0.0 if inside else 40.0
    u = np.arange(np.floor(west / 20.0) * 20.0 - 60.0, east + 61.0, 20.0)
    u = np.union1d(u, [a.u0 for a in plan.lines if a.u0 == a.u1])
    u = u[(u >= west - reach) & (u <= east + reach)]
    return LineString(np.round(np.column_stack([u, river.beside(u, aside_m)]), 3))


def _band(river: River, plan: CellPlan, half_m: float, *, inside: bool = True) -> Polygon:
    above, below = _course(river, plan, half_m, inside=inside), _course(river, plan, -half_m, inside=inside)
    return Polygon(np.vstack([shapely.get_coordinates(above), shapely.get_coordinates(below)[::-1]]))


def _stubs(sheet: Sheet, plan: CellPlan) -> list[LineString]:
    """The last metre of every line of a neighbour that ends at our border, so that both sides have its vertex."""
    i, j = plan.cell
    west, south, east, north = plan.box
    stubs: list[LineString] = []
    for cell in ((i - 1, j), (i + 1, j)):
        edge, sign = (west, -1.0) if cell[0] < i else (east, 1.0)
        for a in sheet.plan(cell).lines:
            stubs += (
                [LineString([(edge, a.v0), (edge + sign, a.v0)])]
                if a.v0 == a.v1 and edge in (a.u0, a.u1) and south < a.v0 < north
                else []
            )
    for cell in ((i, j - 1), (i, j + 1)):
        edge, sign = (south, -1.0) if cell[1] < j else (north, 1.0)
        for a in sheet.plan(cell).lines:
            stubs += (
                [LineString([(a.u0, edge), (a.u0, edge + sign)])]
                if a.u0 == a.u1 and edge in (a.v0, a.v1) and west < a.u0 < east
                else []
            )
    return stubs


@dataclass(frozen=True, slots=True)
class _Part:
    line: LineString
    road_class: str
    name: str
    owner: str = ""


def _noded(parts: Sequence[_Part], stubs: Sequence[LineString], *, shortest_m: float = 1.5) -> list[_Part]:
    """Lines split where they meet, each with the marks of the one it came from; stubs and dangling crumbs left out."""
    shapes = shapes_of([p.line for p in parts])
    merged = shapely.union_all(np.concatenate([shapes, shapes_of(list(stubs))]), grid_size=_SNAP_M)
    pieces = np.asarray(shapely.get_parts(merged), dtype=object)
    pieces = pieces[shapely.length(pieces) > 0]
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    found, origin = shapely.STRtree(shapes).query(shapely.buffer(middles, 0.05, quad_segs=1), predicate="intersects")
    best: dict[int, int] = {}
    for piece, parent in zip(found.tolist(), origin.tolist(), strict=True):
        if piece not in best or _RANK.index(parts[parent].road_class) < _RANK.index(parts[best[piece]].road_class):
            best[piece] = parent
    return _without_crumbs([replace(parts[p], line=pieces[k]) for k, p in sorted(best.items())], shortest_m)


def _without_crumbs(pieces: list[_Part], shortest_m: float) -> list[_Part]:
    ends = [_ends(piece.line) for piece in pieces]
    degree: dict[tuple[float, float], int] = {}
    for a, b in ends:
        degree[a] = degree.get(a, 0) + 1
        degree[b] = degree.get(b, 0) + 1
    return [
        piece
        for piece, (a, b) in zip(pieces, ends, strict=True)
        if piece.line.length > shortest_m or (degree[a] > 1 and degree[b] > 1)
    ]


def _ends(line: LineString) -> tuple[tuple[float, float], tuple[float, float]]:
    (ax, ay), (bx, by) = line.coords[0], line.coords[-1]
    return (ax, ay), (bx, by)


def _side_classes(plan: CellPlan) -> Callable[[tuple[float, float, float, float]], Sides]:
    upright = [a for a in plan.lines if a.u0 == a.u1]
    level = [a for a in plan.lines if a.v0 == a.v1]

    def along(lines: list[Line], where: float, middle: float, axis: int) -> str | None:
        for a in lines:
            at, low, high = (a.u0, a.v0, a.v1) if axis == 0 else (a.v0, a.u0, a.u1)
            if at == where and low <= middle <= high:
                return a.road_class
        return None

    def classes(box: tuple[float, float, float, float]) -> Sides:
        west, south, east, north = box
        u, v = (west + east) / 2, (south + north) / 2
        return (
            along(upright, west, v, 0),
            along(level, south, u, 1),
            along(upright, east, v, 0),
            along(level, north, u, 1),
        )

    return classes


def shapes_of(shapes: Sequence[object]) -> Objects:
    """Geometries as an array; numpy would else take them for sequences."""
    found = np.empty(len(shapes), dtype=object)
    found[:] = shapes
    return found


def nearest_name(streets: Sequence[Road], points: Objects) -> list[str]:
    """The name of the nearest named street, per point."""
    named = [r for r in streets if r.name]
    tree = shapely.STRtree(shapes_of([r.line for r in named]))
    return [named[int(k)].name for k in tree.nearest(points)]
