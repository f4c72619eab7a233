"""Atoms: what is never split, with everything the solver and the report want to know about it."""

from dataclasses import dataclass

import numpy as np

from onemap.engine.geometry.types import F64, I32, I64
from onemap.engine.partition.arcs import Arcs
from onemap.engine.partition.graph import Graph, build_graph, joined_parts, swallow_slivers
from onemap.engine.partition.ground import Land, cut_ground


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
    number = swallow_slivers(arcs, n_building)
    return arcs.relabelled(number), np.where(inside, number[building_atom], -1).astype(np.int32)


def weigh(
    arcs: Arcs, building_atom: I32, weight: F64, estate: I32, join_below: float = 0.0
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
        Unreachable pieces with less than this join the neighbour they share the most boundary with. Pieces where
        nobody lives always do.
    """
    atoms = _weighed(arcs, building_atom, weight, estate)
    root = atoms.graph.parts()
    heads, part = np.unique(root, return_inverse=True)
    if len(heads) == 1:
        return atoms, []
    total = np.bincount(part, atoms.graph.weight[:, 0], len(heads))
    other = np.bincount(part, atoms.graph.weight[:, 1], len(heads))
    small = ((total == 0) & (other == 0)) | (total < join_below)
    if small.all():
        small[int(np.argmax(np.bincount(part, atoms.graph.area_m2, len(heads))))] = False
    number = joined_parts(arcs, part.astype(np.int32), small)
    islands = [
        Island(float(total[p]), float(atoms.graph.area_m2[part == p].sum()))
        for p in np.flatnonzero(small)
        if (np.bincount(number)[number[part == p]] > (part == p).sum()).all()
    ]
    moved = arcs.relabelled(number)
    return _weighed(moved, np.where(building_atom >= 0, number[building_atom], -1), weight, estate), islands


def _weighed(arcs: Arcs, building_atom: I32, weight: F64, estate: I32) -> Atoms:
    inside = building_atom >= 0
    at = building_atom[inside]
    total = np.stack([np.bincount(at, weight[inside, c], arcs.n_atom) for c in range(2)], axis=1)
    atom_estate = np.full(arcs.n_atom, -1, dtype=np.int32)
    atom_estate[at] = estate[inside]
    n_building = np.bincount(at, minlength=arcs.n_atom)
    graph = build_graph(arcs, total, atom_estate)
    return Atoms(arcs, graph, building_atom.astype(np.int32), n_building, weight)
