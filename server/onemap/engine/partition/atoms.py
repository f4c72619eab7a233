"""Atoms: what is never split, with everything the solver and the report want to know about it."""

from dataclasses import dataclass

import numpy as np
import shapely

from onemap.engine.geometry.types import F64, I32, I64, Bools
from onemap.engine.partition.arcs import Arcs
from onemap.engine.partition.graph import Graph, build_graph, joined_parts, swallow_slivers
from onemap.engine.partition.ground import Geometries, Land, cut_ground

_JOIN_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Atoms:
    """
    The ground cut into atoms.

    Attributes
    ----------
    arcs
        Boundary pieces between atoms.
    graph
        Atoms as a graph, households (or the unit that steers) in column 0 of ``graph.weight``.
    building_atom : (n_building,)
        -1 for buildings outside the boundary.
    n_building : (n_atom,)
        Buildings on each atom; 0 is open ground.
    building_weight : (n_building, 2)
        The unit that steers, and the other.
    """

    arcs: Arcs
    graph: Graph
    building_atom: I32
    n_building: I64
    building_weight: F64


@dataclass(frozen=True, slots=True)
class Island:
    """A piece of ground that nothing joins to the rest."""

    weight: float
    area_m2: float


def cut_atoms(land: Land) -> tuple[Arcs, I32]:
    """Arcs and the atom of every building, slivers already joined to their neighbours. This can be cached."""
    arcs, building_atom = cut_ground(land)
    inside = building_atom >= 0
    n_building = np.bincount(building_atom[inside], minlength=arcs.n_atom)
    number = swallow_slivers(arcs, n_building, districts_of(arcs, land.districts))
    return arcs.relabelled(number), np.where(inside, number[building_atom], -1).astype(np.int32)


def districts_of(arcs: Arcs, districts: Geometries) -> I32:
    """(n_atom,) the district that each atom lies in, -1 none."""
    found = np.full(arcs.n_atom, -1, dtype=np.int32)
    if len(districts):
        spots = shapely.point_on_surface(arcs.polygons())
        spot, district = shapely.STRtree(districts).query(spots, predicate="intersects")
        found[spot[::-1]] = district[::-1]
    return found


def weigh(
    arcs: Arcs,
    building_atom: I32,
    weight: F64,
    estate: I32,
    *,
    join_below: float = 0.0,
    join_empty: bool = True,
    district: I32 | None = None,
) -> tuple[Atoms, list[Island]]:
    """
    Atoms with what stands on them, and what was joined across barriers for being unreachable and too small.

    Parameters
    ----------
    weight : (n_building, 2)
        The unit that steers, and the other.
    estate : (n_building,)
        Estate number of each building, -1 none.
    join_below
        Unreachable pieces with less than this join the neighbour they share the most boundary with.
    join_empty
        Whether pieces with buildings where nobody lives join as well.
    """
    district = np.full(arcs.n_atom, -1, dtype=np.int32) if district is None else district
    atoms = _weighed(arcs, building_atom, weight, estate)
    islands: list[Island] = []
    for _ in range(_JOIN_ROUNDS):
        heads, part = np.unique(atoms.graph.parts(), return_inverse=True)
        total = np.stack([np.bincount(part, atoms.graph.weight[:, c], len(heads)) for c in range(2)], axis=1)
        empty = (total == 0).all(axis=1) & (join_empty | ~_built(atoms, part, len(heads)))
        small = empty | (total[:, 0] < join_below)
        area = np.bincount(part, atoms.graph.area_m2, len(heads))
        if small.all():
            small[int(np.argmax(area))] = False
        if not small.any():
            break
        number = joined_parts(atoms.arcs, part.astype(np.int32), small, district)
        if len(np.unique(number)) == len(number):
            break
        islands += [Island(float(total[p, 0]), float(area[p])) for p in np.flatnonzero(small)]
        renamed = np.empty(int(number.max()) + 1, dtype=np.int32)
        renamed[number] = district
        district = renamed
        at = np.where(atoms.building_atom >= 0, number[atoms.building_atom], -1)
        atoms = _weighed(atoms.arcs.relabelled(number), at, weight, estate)
    return atoms, islands


def _built(atoms: Atoms, part: I64, n_part: int) -> Bools:
    """(n_part,) which pieces of ground hold buildings."""
    return np.asarray(np.bincount(part, atoms.n_building, n_part) > 0)


def _weighed(arcs: Arcs, building_atom: I32, weight: F64, estate: I32) -> Atoms:
    inside = building_atom >= 0
    at = building_atom[inside]
    total = np.stack([np.bincount(at, weight[inside, c], arcs.n_atom) for c in range(2)], axis=1)
    atom_estate = np.full(arcs.n_atom, -1, dtype=np.int32)
    atom_estate[at] = estate[inside]
    n_building = np.bincount(at, minlength=arcs.n_atom)
    graph = build_graph(arcs, total, atom_estate)
    return Atoms(arcs, graph, building_atom.astype(np.int32), n_building, weight)
