"""Management points: the same engine inside every grid."""

from dataclasses import dataclass, replace

import numpy as np

from onemap.engine.geometry.types import I32, I64
from onemap.engine.partition._seed import subgraph
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.graph import Graph
from onemap.engine.partition.state import Effort
from onemap.engine.partition.zoning import make_zones


@dataclass(frozen=True, slots=True)
class PointRule:
    """How many management points a grid has, and about how many households each."""

    fewest: int = 5
    most: int = 10
    households: float = 60.0

    def count(self, households: float) -> int:
        """Points for a grid of so many households."""
        return int(np.clip(round(households / self.households), self.fewest, self.most))


def management_points(graph: Graph, zone: I32, rule: PointRule | None = None, *, seed: int = 1) -> I32:
    """
    (n_atom,) a management point for every atom, numbered through; points lie inside their grids.

    Parameters
    ----------
    graph
        Atoms, households in column 0 of their weight.
    zone : (n_atom,)
        The grid of each atom.
    """
    rule = rule or PointRule()
    point = np.full(graph.n_atom, -1, dtype=np.int32)
    count = 0
    for z in range(int(zone.max()) + 1):
        atoms = np.flatnonzero(zone == z).astype(np.int32)
        total = float(graph.weight[atoms, 0].sum())
        wanted = min(rule.count(total), len(atoms))
        inner = within(graph, atoms)
        target = max(total / wanted, 1e-9)
        goal = replace(Goal.of(target / 2, target, max(1.6 * target, float(inner.weight[:, 0].max()))), balance=0.5)
        found = make_zones(inner, goal, seed=seed, effort=Effort(rounds=2, repair_tries=4))
        point[atoms] = found + count
        count += int(found.max()) + 1
    return point


def within(graph: Graph, atoms: I32) -> Graph:
    """The graph of these atoms alone; what they share with others becomes outer boundary."""
    first, to, edge = _all_edges(graph, atoms)
    return Graph(
        weight=graph.weight[atoms],
        area_m2=graph.area_m2[atoms],
        perimeter_m=graph.perimeter_m[atoms],
        estate=graph.estate[atoms],
        first=first,
        to=to.astype(np.int32),
        length_m=graph.length_m[edge],
        cost_m=graph.cost_m[edge],
        barrier_m=graph.barrier_m[edge],
        joins=graph.joins[edge],
    )


def _all_edges(graph: Graph, atoms: I32) -> tuple[I64, I64, I64]:
    return subgraph(replace(graph, joins=np.ones(len(graph.to), dtype=np.bool_)), atoms)
