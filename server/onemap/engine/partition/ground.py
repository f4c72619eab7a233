"""
The ground as atoms: every building with the ground that is nearest to it, bounded by barriers.

Barriers and building outlines are noded on a lattice (GEOS snap rounding) and triangulated with the lines as
constraints. Each corner of a triangle then gets the building that is nearest along the ground without crossing a
barrier, and a triangle is cut where its corners disagree. So atoms tile the boundary exactly, each is connected,
and no building is ever cut: a triangle inside a building belongs to it whole.

Reference for cutting triangles halfway between their owners: the chordal axis of Prasad (1997).
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from onemap.engine.geometry.triangulate import Triangulation, triangulate
from onemap.engine.geometry.types import F64, I8, I32, I64, Bools
from onemap.engine.partition import _arcs, _ground, _regions
from onemap.engine.partition.arcs import Arcs
from onemap.engine.partition.kinds import Kind

type Geometries = NDArray[Any]

_STEP_BUILDING_M = 8.0
_STEP_BARRIER_M = 15.0
_OVERLAP_M2 = 0.25
#: Ground outside a wall that is narrower than this and holds no building belongs to what the wall encloses.
_STRIP_M = 30.0
#: And ground between the outer boundary and the outermost streets that is narrower than this.
_RIM_M = 60.0


@dataclass(frozen=True, slots=True)
class Land:
    """
    The ground to be partitioned, metres near the origin.

    Attributes
    ----------
    boundary
        Polygon or MultiPolygon that the atoms tile.
    buildings : (n_building,)
        Valid polygons; those that stand outside the boundary get no atom.
    barriers : (n_barrier,)
        Lines that bound grids, with ``barrier_kind``.
    water : (n_water,)
        Polygons that nothing crosses without a bridge.
    crossings : (n_crossing,)
        Bridges and tunnels: lines that join what a hard barrier keeps apart.
    districts : (n_district,)
        Present grids: no strip of ground changes its district. Their outlines must be among the barriers.
    """

    boundary: shapely.Geometry
    buildings: Geometries
    barriers: Geometries
    barrier_kind: I8
    water: Geometries
    crossings: Geometries
    districts: Geometries = field(default_factory=lambda: np.array([], dtype=object))

    def with_districts(self, districts: Geometries, kind: Kind) -> "Land":
        """The same land with districts, their outlines as barriers of this kind."""
        return replace(
            self,
            barriers=np.concatenate([self.barriers, shapely.boundary(districts)]),
            barrier_kind=np.concatenate([self.barrier_kind, np.full(len(districts), kind, dtype=np.int8)]),
            districts=districts,
        )


def cut_ground(land: Land) -> tuple[Arcs, I32]:
    """
    The arcs between atoms and the atom of every building.

    Returns
    -------
    arcs
        Boundary pieces with the atom left and right of each.
    building_atom : (n_building,)
        -1 for buildings outside the boundary.
    """
    shapely.prepare(land.boundary)
    inside = np.asarray(shapely.contains_properly(land.boundary, shapely.point_on_surface(land.buildings)))
    numbers = np.flatnonzero(inside)
    houses = _clipped(land.buildings[numbers], land.boundary)
    cluster = overlapping(houses)
    unit = lattice_unit(land.boundary)
    noded = _Noded.of(land, houses, unit)
    mesh = triangulate(noded.x, noded.y, noded.edges, noded.kind)
    region = _regions.flood(mesh.neighbour, mesh.kind)
    owner = _owners(mesh, noded, region, land, houses, cluster, unit)
    ground = _ground.Ground.of(mesh, noded.x, noded.y, region, owner, len(houses), _STRIP_M / unit, _RIM_M / unit)
    arcs = _arcs.arcs_of(ground, unit)
    atom_of_house = ground.atom_of_house(cluster)
    homeless = np.flatnonzero(atom_of_house < 0)
    if len(homeless):
        spots = shapely.get_coordinates(shapely.point_on_surface(houses[homeless]))
        atom_of_house[homeless] = ground.atom_at(np.rint(spots / unit).astype(np.int64))
    building_atom = np.full(len(land.buildings), -1, dtype=np.int32)
    building_atom[numbers] = atom_of_house
    given = _given(arcs, [land.boundary, *houses, *land.barriers, *land.water], unit)
    arcs = arcs.replace(given=given | arcs.is_node())
    return _with_crossings(arcs, land), building_atom


def overlapping(buildings: Geometries) -> I32:
    """The first building of the cluster that each belongs to: buildings that overlap cannot be parted uncut."""
    tree = shapely.STRtree(buildings)
    one, other = tree.query(buildings, predicate="intersects")
    pairs = one < other
    one, other = one[pairs], other[pairs]
    shared = shapely.area(shapely.intersection(buildings[one], buildings[other]))
    deep = shared > _OVERLAP_M2
    first = _ground.components(len(buildings), one[deep].astype(np.int32), other[deep].astype(np.int32))
    return np.asarray(first, dtype=np.int32)


def _given(arcs: Arcs, shapes: list[Any], unit: float) -> Bools:
    """(n_point,) which points of the arcs are vertices of the input."""
    vertices = lattice_keys(shapely.get_coordinates(shapes), unit)
    return np.asarray(np.isin(lattice_keys(arcs.xy, unit), vertices))


def lattice_keys(xy: F64, unit: float) -> I64:
    """(n_point,) one number for each lattice point; points off the lattice get -1."""
    scaled = xy / unit
    lattice = np.rint(scaled).astype(np.int64)
    return np.asarray(((lattice[:, 0] + (1 << 30)) << 32) | (lattice[:, 1] + (1 << 30)))


def _clipped(shapes: Geometries, boundary: shapely.Geometry) -> Geometries:
    straddling = ~np.asarray(shapely.contains(boundary, shapes), dtype=bool)
    clipped = shapes.copy()
    clipped[straddling] = shapely.intersection(shapes[straddling], boundary)
    return clipped


def lattice_unit(boundary: shapely.Geometry) -> float:
    """The lattice in metres: a power of two, as fine as exact orientation tests allow."""
    extent = float(np.abs(np.asarray(boundary.bounds)).max())
    return float(2.0 ** np.ceil(np.log2(max(extent, 1.0) / 2**26)))


@dataclass(frozen=True, slots=True)
class _Noded:
    x: I64
    y: I64
    edges: I32
    kind: I8

    @classmethod
    def of(cls, land: Land, houses: Geometries, unit: float) -> "_Noded":
        """All lines cut where they meet, on the lattice, each piece with its kind."""
        barriers, kind = _barrier_lines(land)
        lines = np.concatenate([shapely.segmentize(shapely.boundary(houses), _STEP_BUILDING_M), barriers])
        noded = shapely.get_parts(shapely.union_all(lines, grid_size=unit))
        noded = noded[shapely.get_type_id(noded) == 1]
        coordinates, line = shapely.get_coordinates(noded, return_index=True)
        lattice = np.rint(coordinates / unit).astype(np.int64)
        point, vertex = _unique_points(lattice)
        along = line[1:] == line[:-1]
        edges = np.stack([vertex[:-1][along], vertex[1:][along]], axis=1).astype(np.int32)
        line_kind = _kind_of_lines(noded, barriers, kind, unit)
        return cls(point[:, 0].copy(), point[:, 1].copy(), edges, line_kind[line[1:][along]])


def _barrier_lines(land: Land) -> tuple[Geometries, I8]:
    outline = shapely.boundary(land.boundary)
    water = land.water[np.asarray(shapely.intersects(land.boundary, land.water), dtype=bool)]
    lines = np.concatenate([land.barriers, shapely.boundary(water)])
    kind = np.concatenate([land.barrier_kind, np.full(len(water), Kind.RIVER, dtype=np.int8)])
    touching = np.asarray(shapely.intersects(land.boundary, lines), dtype=bool)
    lines, kind = lines[touching], kind[touching]
    crossing = ~np.asarray(shapely.contains_properly(land.boundary, lines), dtype=bool)
    lines[crossing] = shapely.intersection(lines[crossing], land.boundary)
    lines, kind = np.append(lines, outline), np.append(kind, np.int8(Kind.BOUNDARY)).astype(np.int8)
    return shapely.segmentize(lines, _STEP_BARRIER_M), kind


def _unique_points(lattice: I64) -> tuple[I64, I64]:
    """Distinct lattice points and the number of each row's point."""
    low = lattice.min(axis=0)
    key = ((lattice[:, 0] - low[0]) << 31) | (lattice[:, 1] - low[1])
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return lattice[first], inverse


def _kind_of_lines(noded: Geometries, barriers: Geometries, kind: I8, unit: float) -> I8:
    """The strongest barrier that each noded piece lies on, by the middle of its first segment."""
    coordinates, line = shapely.get_coordinates(noded, return_index=True)
    first = np.flatnonzero(np.append(True, line[1:] != line[:-1]))
    middle = shapely.points((coordinates[first] + coordinates[first + 1]) / 2)
    lines, of_line = shapely.get_parts(barriers, return_index=True)
    ends, of_end = shapely.get_coordinates(lines, return_index=True)
    along = np.flatnonzero(of_end[1:] == of_end[:-1])
    straight = shapely.linestrings(np.stack([ends[along], ends[along + 1]], axis=1))
    piece, segment = shapely.STRtree(straight).query(middle, predicate="dwithin", distance=2 * unit)
    found = np.full(len(noded), Kind.OUTLINE, dtype=np.int8)
    np.maximum.at(found, piece, kind[of_line[of_end[along[segment]]]])
    return found


def _owners(
    mesh: Triangulation, noded: _Noded, region: I32, land: Land, houses: Geometries, cluster: I32, unit: float
) -> I32:
    """What every region is: a building's number, or OUTSIDE, WATER, GROUND."""
    spots = shapely.points(_regions.spots_of(mesh.vertex, noded.x, noded.y, region) * unit)
    owner = np.full(len(spots), _regions.OUTSIDE, dtype=np.int32)
    inside = np.asarray(shapely.contains(land.boundary, spots), dtype=bool)
    owner[inside] = _regions.GROUND
    if len(land.water):
        wet, _ = shapely.STRtree(land.water).query(spots, predicate="within")
        owner[wet[inside[wet]]] = _regions.WATER
    if len(houses):
        spot, house = shapely.STRtree(houses).query(spots, predicate="within")
        kept = inside[spot]
        owner[spot[kept]] = cluster[house[kept]]
    return owner


def _with_crossings(arcs: Arcs, land: Land) -> Arcs:
    """Arcs on hard barriers join their sides only near a crossing."""
    hard = np.flatnonzero((arcs.kind == Kind.RIVER) | (arcs.kind == Kind.MOTORWAY))
    joins = (arcs.kind != Kind.RIVER) & (arcs.kind != Kind.MOTORWAY) & (arcs.kind != Kind.BOUNDARY)
    if len(hard) and len(land.crossings):
        lines = shapely.linestrings(np.stack([arcs.xy[arcs.start[hard]], arcs.xy[arcs.end[hard]]], axis=1))
        near, _ = shapely.STRtree(land.crossings).query(lines, predicate="dwithin", distance=_CROSSING_M)
        joins[hard[near]] = True
    return arcs.replace(joins=joins)


_CROSSING_M = 8.0
