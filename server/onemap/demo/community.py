"""A community: its atoms gathered from the cells, its grids, households and persons, in local metres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import Polygon

from onemap.demo import grids, shares
from onemap.demo.arrays import F64, I64, Bools, Objects
from onemap.demo.ground import Atom, Road, nearest_name, shapes_of
from onemap.demo.plan import Cell, Sheet, Use
from onemap.demo.site import Building, Built
from onemap.demo.town import BuiltCell, Estate

#: A storey of homes, and of anything else, metres.
_HOME_FLOOR_M, _FLOOR_M = 3.0, 4.2


@dataclass(frozen=True, slots=True)
class Head:
    """What a community is before it is built: place in the plan, code, name and numbers."""

    cell: Cell
    area_code: str
    name: str
    street_name: str
    households: int
    persons: int
    n_grids: int


@dataclass(slots=True)
class Homes:
    """The buildings of a community with their numbers."""

    buildings: list[Building]
    estate: I64
    atom: I64
    grid: I64
    point: I64
    households: I64
    persons: I64
    floors: I64
    number: I64


@dataclass(slots=True)
class Community:
    """A community with everything that is its own."""

    head: Head
    cells: dict[Cell, BuiltCell]
    area: Polygon
    estates: list[Estate]
    estate_cell: list[Cell]
    homes: Homes
    roads: list[Road]
    grid_shapes: Objects
    grid_households: I64
    grid_persons: I64
    point_shapes: Objects
    #: Grid (n_point,) and number inside the grid (n_point,) of every management point.
    point_grid: I64
    point_number: I64
    #: Kind, name and shape of greens; kind, name and shape of waters.
    greens: list[tuple[str, str, Polygon]]
    waters: list[tuple[str, str, Polygon]]


@dataclass(frozen=True, slots=True)
class _Piece:
    cell: Cell
    atom: int


def pieces_of(sheet: Sheet, cell: Cell, built: Callable[[Cell], BuiltCell]) -> list[_Piece]:
    """The atoms of a community: its cell's, less the blocks given to neighbours, plus those received."""
    i, j = cell
    own = built(cell)
    alone = sheet.n_x * sheet.n_y == 1
    receivers = {"east": alone or sheet.holds((i + 1, j)), "west": alone or sheet.holds((i - 1, j))}
    found = [_Piece(cell, k) for k, atom in enumerate(own.atoms) if not receivers.get(_given(own, atom), False)]
    for other, side in (((i - 1, j), "east"), ((i + 1, j), "west")):
        if sheet.holds(other):
            near = built(other)
            found += [_Piece(other, k) for k, atom in enumerate(near.atoms) if _given(near, atom) == side]
    return found


def _given(cell: BuiltCell, atom: Atom) -> str:
    """The side to which a cell gives an atom away; empty for what it keeps."""
    if atom.parcel.block in cell.plan.to_east:
        return "east"
    return "west" if atom.parcel.block in cell.plan.to_west and atom.side == 0 else ""


def settle(sheet: Sheet, head: Head, built: Callable[[Cell], BuiltCell]) -> Community:
    """Build a community: grids from atoms, numbers for homes, management points inside the grids."""
    rng = np.random.default_rng([sheet.seed, 31, head.cell[0] + 1000, head.cell[1] + 1000])
    pieces = pieces_of(sheet, head.cell, built)
    cells = {piece.cell: built(piece.cell) for piece in pieces}
    faces = shapes_of([cells[p.cell].atoms[p.atom].face for p in pieces])
    works = [cells[p.cell].built[p.atom] for p in pieces]
    capacity = np.array([sum(b.capacity for b in w.buildings) for w in works])
    estates, estate_cell, estate_of = _estates(pieces, cells)
    streets = [(r.line, r.road_class) for c in cells.values() for r in c.roads]
    rivers = [shapely.LineString(_middle(w)) for c in cells.values() for _, w, _ in c.rivers]
    zone = grids.group(capacity, grids.borders(faces, estate_of, streets, rivers), head.n_grids)
    zone = _numbered(sheet, head, faces, zone, built)
    size = np.bincount(zone, capacity)
    households = shares.grid_households(rng, size, head.households)
    persons = shares.grid_persons(rng, households, head.persons)
    stocks = [
        grids.Stock(shapes_of([b.shape for b in w.buildings]), np.array([b.capacity for b in w.buildings]))
        for w in works
    ]
    cuts = grids.choose_cuts(faces, zone, [w.gaps for w in works], stocks)
    bits = grids.cut(faces, cuts)
    bit_atom = _inside(faces, shapely.point_on_surface(bits))
    homes = _homes(rng, works, np.array(estate_of), zone, households, persons)
    building_bit = _inside(bits, shapely.point_on_surface(shapes_of([b.shape for b in homes.buildings])))
    bit_homes = np.bincount(building_bit, homes.households, minlength=len(bits)).astype(np.int64)
    point = grids.points(bits, zone[bit_atom], bit_homes)
    homes.point = point[building_bit]
    point_shapes = _dissolve(bits, point)
    point_grid = np.zeros(len(point_shapes), np.int64)
    point_grid[point] = zone[bit_atom]
    order, number = _points_in_order(point_shapes, point_grid, homes)
    own = cells[head.cell]
    return Community(
        head,
        cells,
        shapely.union_all(bits),
        estates,
        estate_cell,
        homes,
        _roads(sheet, head.cell, own),
        _dissolve(bits, zone[bit_atom]),
        households,
        persons,
        point_shapes[order],
        point_grid[order],
        number,
        greens=[g for w in works for g in w.greens],
        waters=[g for w in works for g in w.waters],
    )


def _roads(sheet: Sheet, cell: Cell, built: BuiltCell) -> list[Road]:
    """The streets that a cell draws: its own, and its northern and eastern arterials at the city's end."""
    i, j = cell
    drawn = {"": True, "east": not sheet.holds((i + 1, j)), "north": not sheet.holds((i, j + 1))}
    alone = sheet.n_x * sheet.n_y == 1
    return [road for road in built.roads if drawn[road.owner] and (not road.owner or not alone)]


def _estates(pieces: list[_Piece], cells: dict[Cell, BuiltCell]) -> tuple[list[Estate], list[Cell], list[int]]:
    where: dict[tuple[Cell, int], int] = {}
    estates: list[Estate] = []
    owner: list[Cell] = []
    of: list[int] = []
    for p in pieces:
        cell = cells[p.cell]
        key = (p.cell, cell.estate_of[p.atom])
        if key not in where:
            where[key] = len(estates)
            estates.append(cell.estates[key[1]])
            owner.append(p.cell)
        of.append(where[key])
    return estates, owner, of


def _numbered(sheet: Sheet, head: Head, faces: Objects, zone: I64, built: Callable[[Cell], BuiltCell]) -> I64:
    """Grids numbered from west to east, then from north to south."""
    shapes = [shapely.union_all(faces[zone == z]) for z in range(int(zone.max()) + 1)]
    centres = shapely.get_coordinates(shapely.centroid(shapes_of(shapes)))
    heading = float(np.mean([a.heading_rad for a in built(head.cell).atoms]))
    box = sheet.box(head.cell)
    return grids.reading_order(centres, heading, (box[3] - box[1]) / 5.0)[zone]


def _homes(
    rng: np.random.Generator, works: list[Built], estate_of: I64, zone: I64, households: I64, persons: I64
) -> Homes:
    atom = np.array([k for k, w in enumerate(works) for _ in w.buildings])
    buildings = [b for w in works for b in w.buildings]
    capacity = np.array([b.capacity for b in buildings])
    grid = zone[atom]
    homes, people = np.zeros(len(buildings), np.int64), np.zeros(len(buildings), np.int64)
    for z in range(len(households)):
        members = np.flatnonzero((grid == z) & (capacity > 0))
        homes[members] = 1 + shares.whole_shares(
            int(households[z]) - len(members), capacity[members] * rng.uniform(0.96, 1.04, len(members))
        )
        people[members] = shares.whole_shares(int(persons[z]), homes[members] * rng.uniform(0.88, 1.12, len(members)))
    floors = np.array([b.floors for b in buildings])
    scale = np.divide(homes, capacity, out=np.ones(len(homes)), where=capacity > 0)
    tall = np.where(floors >= 8, np.clip(np.round(floors * scale), 7, 33), np.clip(np.ceil(floors * scale), 3, 7))
    floors = np.where(capacity > 0, tall, floors).astype(np.int64)
    number = _house_numbers(buildings, estate_of[atom], capacity > 0)
    return Homes(buildings, estate_of[atom], atom, grid, np.zeros_like(atom), homes, people, floors, number)


def _house_numbers(buildings: list[Building], estate: I64, home: Bools) -> I64:
    """Numbers inside each estate, read like a page; homes first."""
    centres = shapely.get_coordinates(shapely.centroid(shapes_of([b.shape for b in buildings])))
    number = np.zeros(len(buildings), np.int64)
    for e in np.unique(estate):
        for kind in (home, ~home):
            members = np.flatnonzero((estate == e) & kind)
            if len(members):
                number[members] = 1 + grids.reading_order(centres[members], 0.0, 26.0)
    return number


def _points_in_order(shapes: Objects, grid: I64, homes: Homes) -> tuple[I64, I64]:
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    number = np.zeros(len(shapes), np.int64)
    for z in np.unique(grid):
        members = np.flatnonzero(grid == z)
        number[members] = 1 + grids.reading_order(centres[members], 0.0, 70.0)
    order = np.lexsort((number, grid))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    homes.point = rank[homes.point]
    return order, number[order]


def _dissolve(pieces: Objects, label: I64) -> Objects:
    return shapes_of([shapely.union_all(pieces[label == k]) for k in range(int(label.max()) + 1)])


def _inside(polygons: Objects, points: Objects) -> I64:
    found = np.zeros(len(points), np.int64)
    point, polygon = shapely.STRtree(polygons).query(points, predicate="intersects")
    found[point[::-1]] = polygon[::-1]
    return found


def _middle(water: Polygon) -> F64:
    """The middle of a river from its banks: its ring goes along one side and back along the other."""
    ring = shapely.get_coordinates(water)[:-1]
    half = len(ring) // 2
    return np.asarray((ring[:half] + ring[half:][::-1]) / 2)


def addresses(community: Community) -> list[str]:
    """The address (n_building,) of every building: street, number, estate, house."""
    homes, street = community.homes, community.head.street_name
    at = shapely.centroid(
        shapes_of([e.shape if not e.shape.is_empty else shapely.Point(0, 0) for e in community.estates])
    )
    named = nearest_name([r for c in community.cells.values() for r in c.roads], at)
    return [
        f"{street}{named[e]}{2 * int(e) + 1 + 6 * (int(e) % 7)}号{community.estates[e].name}" + (f"{n}栋" if h else "")
        for e, n, h in zip(homes.estate, homes.number, homes.households, strict=True)
    ]


def heights(homes: Homes) -> F64:
    """Metres above ground (n_building,)."""
    storey = np.array([_HOME_FLOOR_M if b.use == "residential" else _FLOOR_M for b in homes.buildings])
    return np.asarray(np.round(homes.floors * storey + 1.2, 1))


def is_open_ground(use: Use) -> bool:
    """Whether a use is open to everybody: parks and squares."""
    return use in (Use.PARK, Use.PLAZA)
