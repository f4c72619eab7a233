"""Which atoms are joined, by how many metres and across what."""

from dataclasses import dataclass, replace

import numpy as np

from onemap.engine.geometry.types import F64, I32, I64, Bools
from onemap.engine.partition._ground import components
from onemap.engine.partition.arcs import Arcs
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.kinds import COST, FIRST_BARRIER, Kind

#: Corner contact is not adjacency.
_TOUCH_M = 1.0
#: A metre of boundary through an estate costs as much as this many through open ground.
_ESTATE_COST = 4.0
_DISTRICT_FIRST = 1e6
_SLIVER_ROUNDS = 6
_SLIVER_M2, _SLIVER_WIDTH_M = 1500.0, 12.0


@dataclass(frozen=True, slots=True)
class Graph:
    """
    Atoms and the edges between them, both directions, in CSR form.

    Attributes
    ----------
    weight : (n_atom, 2)
        Households and persons.
    area_m2, perimeter_m : (n_atom,)
        Ground and the length of its whole outline.
    estate : (n_atom,)
        Estate number, -1 none.
    first : (n_atom + 1,)
        Edges of atom i are ``first[i]:first[i + 1]``.
    to : (n_edge,)
        The other atom.
    length_m, cost_m, barrier_m : (n_edge,)
        Shared boundary; the same weighed by what it lies on; the part of it that lies on barriers.
    joins : (n_edge,)
        Whether a grid may hold both for being next to each other here.
    """

    weight: F64
    area_m2: F64
    perimeter_m: F64
    estate: I32
    first: I64
    to: I32
    length_m: F64
    cost_m: F64
    barrier_m: F64
    joins: Bools

    @property
    def n_atom(self) -> int:
        """How many atoms."""
        return len(self.area_m2)

    def row(self) -> I32:
        """(n_edge,) the atom that each edge starts from."""
        return np.repeat(np.arange(self.n_atom, dtype=np.int32), np.diff(self.first))

    def parts(self, kept: Bools | None = None) -> I32:
        """(n_atom,) the smallest atom of the connected part that each belongs to, through kept atoms only."""
        row, joins = self.row(), self.joins
        if kept is not None:
            joins = joins & kept[row] & kept[self.to]
        return np.asarray(components(self.n_atom, row[joins], self.to[joins]), dtype=np.int32)


def build_graph(arcs: Arcs, weight: F64, estate: I32) -> Graph:
    """The graph of atoms from their arcs."""
    n = arcs.n_atom
    inner = (arcs.left >= 0) & (arcs.right >= 0)
    length = arcs.length_m
    low = np.minimum(arcs.left[inner], arcs.right[inner]).astype(np.int64)
    high = np.maximum(arcs.left[inner], arcs.right[inner]).astype(np.int64)
    pair, edge = np.unique(low * n + high, return_inverse=True)
    metres, kind = length[inner], arcs.kind[inner]
    shared = np.bincount(edge, metres, len(pair))
    joined = np.bincount(edge, metres * arcs.joins[inner], len(pair))
    cost = np.bincount(edge, metres * COST[kind], len(pair))
    barrier = np.bincount(edge, metres * (kind >= FIRST_BARRIER), len(pair))
    one, other = (pair // n).astype(np.int32), (pair % n).astype(np.int32)
    same_estate = (estate[one] >= 0) & (estate[one] == estate[other])
    cost = np.where(same_estate, _ESTATE_COST * cost, cost)
    row, to = np.concatenate([one, other]), np.concatenate([other, one])
    order = np.lexsort((to, row))
    twice = [np.concatenate([v, v]).astype(np.float64)[order] for v in (shared, cost, barrier)]
    joins = np.tile(joined >= _TOUCH_M, 2)[order]
    outer = np.bincount(arcs.left[arcs.left >= 0], length[arcs.left >= 0], n)
    outer += np.bincount(arcs.right[arcs.right >= 0], length[arcs.right >= 0], n)
    first = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64)
    return Graph(
        weight=np.ascontiguousarray(weight, dtype=np.float64),
        area_m2=arcs.area_m2(),
        perimeter_m=outer.astype(np.float64),
        estate=estate.astype(np.int32),
        first=first,
        to=to[order].astype(np.int32),
        length_m=twice[0],
        cost_m=twice[1],
        barrier_m=twice[2],
        joins=joins,
    )


def without_large_estates(graph: Graph, goal: Goal) -> Graph:
    """The same graph where cutting an estate that no grid within the band can hold costs nothing more."""
    row = graph.row()
    inside = (graph.estate[row] >= 0) & (graph.estate[row] == graph.estate[graph.to])
    if not inside.any():
        return graph
    known = graph.estate >= 0
    total = np.stack([np.bincount(graph.estate[known], graph.weight[known, c]) for c in range(2)], axis=1)
    large = inside & goal.too_big(total)[graph.estate[row]]
    return replace(graph, cost_m=np.where(large, graph.cost_m / _ESTATE_COST, graph.cost_m))


def swallow_slivers(arcs: Arcs, n_building: I64, district: I32) -> I32:
    """
    (n_atom,) the atom that each becomes when strips without buildings join a neighbour.

    Traffic islands, medians and verges bound nothing by themselves. Ground without buildings that nothing joins to
    the rest (a gravel bar, the ground between two carriageways) goes to the neighbour it shares the most with. This
    happens only within a district (the present grid that an atom lies in).
    """
    number = np.arange(arcs.n_atom, dtype=np.int32)
    merged = arcs
    empty = n_building == 0
    for _ in range(_SLIVER_ROUNDS):
        length = merged.length_m
        area = merged.area_m2()
        outline = np.zeros(merged.n_atom)
        for side in (merged.left, merged.right):
            outline += np.bincount(side[side >= 0], length[side >= 0], merged.n_atom)
        strip = empty & ((area < _SLIVER_M2) | (4 * area < _SLIVER_WIDTH_M * outline))
        target = _best_neighbour(merged, length * merged.joins, strip, district)
        alone = _cut_off(merged, empty)
        target = np.where(alone, _best_neighbour(merged, length, alone, district), target)
        moving = np.flatnonzero(target >= 0)
        if not len(moving):
            break
        root = components(merged.n_atom, moving.astype(np.int32), target[moving].astype(np.int32))
        _, dense = np.unique(root, return_inverse=True)
        was_empty = empty
        empty = np.ones(int(dense.max()) + 1, dtype=bool)
        np.logical_and.at(empty, dense, was_empty)
        renamed = np.empty(len(empty), dtype=np.int32)
        renamed[dense] = district
        district = renamed
        number = dense[number].astype(np.int32)
        merged = merged.relabelled(dense.astype(np.int32))
    return number


def joined_parts(arcs: Arcs, part: I32, small: Bools, district: I32) -> I32:
    """
    (n_atom,) the atom that each becomes when small parts join, whole, the neighbour they share the most with.

    A neighbour of the same district comes first.
    """
    n_part = len(small)
    inner = (arcs.left >= 0) & (arcs.right >= 0)
    one = np.concatenate([arcs.left[inner], arcs.right[inner]])
    other = np.concatenate([arcs.right[inner], arcs.left[inner]]).astype(np.int64)
    metres = np.tile(arcs.length_m[inner], 2)
    metres = np.where(district[one] == district[other], _DISTRICT_FIRST * metres, metres)
    leaving = small[part[one]] & (part[one] != part[other])
    pair, edge = np.unique(part[one[leaving]].astype(np.int64) * arcs.n_atom + other[leaving], return_inverse=True)
    shared = np.bincount(edge, metres[leaving], len(pair))
    target = np.full(n_part, -1, dtype=np.int64)
    order = np.argsort(shared, kind="stable")
    order = order[shared[order] >= _TOUCH_M]
    target[pair[order] // arcs.n_atom] = pair[order] % arcs.n_atom
    moving = np.flatnonzero((target >= 0)[part]).astype(np.int32)
    root = components(arcs.n_atom, moving, target[part[moving]].astype(np.int32))
    _, dense = np.unique(root, return_inverse=True)
    return dense.astype(np.int32)


def _cut_off(arcs: Arcs, empty: Bools) -> Bools:
    """Atoms in connected parts that hold no building at all."""
    joining = arcs.joins & (arcs.left >= 0) & (arcs.right >= 0)
    root = components(arcs.n_atom, arcs.left[joining], arcs.right[joining])
    has_building = np.zeros(arcs.n_atom, dtype=bool)
    np.logical_or.at(has_building, root, ~empty)
    cut: Bools = ~has_building[root]
    return cut if has_building.any() else np.zeros(arcs.n_atom, dtype=np.bool_)


def _best_neighbour(arcs: Arcs, metres: F64, wanted: Bools, district: I32) -> I64:
    """(n_atom,) the neighbour sharing the most metres with each wanted atom, -1 none."""
    n = arcs.n_atom
    inner = (arcs.left >= 0) & (arcs.right >= 0) & (arcs.kind != Kind.BOUNDARY)
    one = np.concatenate([arcs.left[inner], arcs.right[inner]]).astype(np.int64)
    other = np.concatenate([arcs.right[inner], arcs.left[inner]]).astype(np.int64)
    kept = wanted[one] & (district[one] == district[other])
    pair, edge = np.unique(one[kept] * n + other[kept], return_inverse=True)
    shared = np.bincount(edge, np.concatenate([metres[inner], metres[inner]])[kept], len(pair))
    best = np.full(n, -1, dtype=np.int64)
    order = np.argsort(shared, kind="stable")
    order = order[shared[order] >= _TOUCH_M]
    best[pair[order] // n] = pair[order] % n
    return best
