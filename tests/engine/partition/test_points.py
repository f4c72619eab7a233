"""Management points lie inside their grids, five to ten in each, and are connected."""

import numpy as np

from onemap.engine.partition import Effort, Goal, _anneal
from onemap.engine.partition.atoms import cut_atoms, weigh
from onemap.engine.partition.points import PointRule, management_points
from onemap.engine.partition.zoning import make_zones
from tests.engine.partition.test_ground import land


def test_points_are_connected_and_stay_inside_their_grids() -> None:
    ground = land(7, houses=25)
    arcs, at = cut_atoms(ground)
    households = np.full(len(ground.buildings), 6.0)
    atoms, _ = weigh(arcs, at, np.stack([households, households], axis=1), np.full(len(at), -1, dtype=np.int32))
    zone = make_zones(atoms.graph, Goal.of(300, 400, 500), effort=Effort(steps_per_atom=100))
    point = management_points(atoms.graph, zone)
    n = int(point.max()) + 1
    g = atoms.graph
    assert (_anneal.parts_of(point, n, g.first, g.to, g.joins) == 1).all()
    grids_of_point = [np.unique(zone[point == p]) for p in range(n)]
    assert all(len(grids) == 1 for grids in grids_of_point)
    per_grid = np.bincount([int(grids[0]) for grids in grids_of_point])
    assert ((per_grid >= 5) & (per_grid <= 10)).all()


def test_the_number_of_points_follows_the_households() -> None:
    assert [PointRule().count(h) for h in (100, 400, 460, 5000)] == [5, 7, 8, 10]


def test_communities_of_2500_households_are_the_same_engine() -> None:
    ground = land(8, houses=25)
    arcs, at = cut_atoms(ground)
    households = np.full(len(ground.buildings), 45.0)
    atoms, _ = weigh(arcs, at, np.stack([households, households], axis=1), np.full(len(at), -1, dtype=np.int32))
    zone = make_zones(atoms.graph, Goal.of(1500, 2500, 3500))
    total = np.bincount(zone, atoms.graph.weight[:, 0])
    assert len(total) == 4
    assert ((total >= 1500) & (total <= 3500)).all()
