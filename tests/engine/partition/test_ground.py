"""Atoms tile the ground and hold whole buildings."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from onemap.engine.partition.atoms import cut_atoms
from onemap.engine.partition.ground import Land, overlapping
from onemap.engine.partition.kinds import Kind
from tests.engine.partition.towns import X0, Y0, town

NOTHING = np.array([], dtype=object)


def land(seed: int, houses: int = 9) -> Land:
    made = town(seed, houses=houses)
    here = lambda shapes: shapely.transform(np.asarray(shapes, dtype=object), lambda xy: xy - (X0, Y0))  # noqa: E731
    lines = here(made.streets.geometry.to_numpy())
    return Land(
        here([made.outline])[0],
        here(made.buildings.geometry.to_numpy()),
        lines,
        np.full(len(lines), Kind.SECONDARY, dtype=np.int8),
        NOTHING,
        NOTHING,
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 4, 16]))
def test_atoms_tile_the_ground_and_hold_whole_buildings(seed: int, houses: int) -> None:
    ground = land(seed, houses)
    arcs, atom = cut_atoms(ground)
    polygons = arcs.polygons()
    assert shapely.is_valid(polygons).all()
    assert shapely.coverage_is_valid(polygons)
    assert abs(shapely.area(polygons).sum() - ground.boundary.area) < 1e-6 * ground.boundary.area
    np.testing.assert_allclose(shapely.area(polygons), arcs.area_m2(), atol=1e-6)
    assert (shapely.get_num_geometries(polygons) == 1).all()
    cut = shapely.area(ground.buildings) - shapely.area(shapely.intersection(polygons[atom], ground.buildings))
    assert cut.max() < 0.05


def test_no_street_runs_through_an_atom() -> None:
    ground = land(3)
    arcs, _ = cut_atoms(ground)
    streets = shapely.union_all(ground.barriers)
    for polygon in arcs.polygons():
        assert polygon.buffer(-0.01).intersection(streets).length < 0.1


def test_a_street_through_a_house_leaves_the_house_on_one_side() -> None:
    house = shapely.box(40, 45, 60, 60)
    others = [shapely.box(10, 10, 20, 20), shapely.box(10, 80, 20, 90)]
    ground = Land(
        shapely.box(0, 0, 100, 100),
        np.array([house, *others], dtype=object),
        np.array([shapely.LineString([(0, 50), (100, 50)])], dtype=object),
        np.array([Kind.SECONDARY], dtype=np.int8),
        NOTHING,
        NOTHING,
    )
    arcs, atom = cut_atoms(ground)
    polygons = arcs.polygons()
    assert shapely.coverage_is_valid(polygons)
    own = polygons[atom[0]]
    assert own.intersection(house).area > house.area - 0.01
    below = own.intersection(shapely.box(0, 0, 100, 50)).area
    assert below < 105  # of the southern block only the house's own strip: 20 m x 5 m


def test_houses_that_overlap_are_one_atom_and_party_walls_are_two() -> None:
    deep = [shapely.box(0, 0, 10, 10), shapely.box(8, 0, 18, 10)]
    wall = [shapely.box(30, 0, 40, 10), shapely.box(40, 0, 50, 10)]
    assert overlapping(np.array(deep + wall, dtype=object)).tolist() == [0, 0, 2, 3]
    ground = Land(
        shapely.box(-10, -10, 60, 20),
        np.array(deep + wall, dtype=object),
        NOTHING,
        np.zeros(0, np.int8),
        NOTHING,
        NOTHING,
    )
    _, atom = cut_atoms(ground)
    assert atom[0] == atom[1]
    assert len(set(atom.tolist())) == 3


def test_water_goes_to_its_banks_and_every_bank_stays_in_one_piece() -> None:
    houses = [shapely.box(10, 40, 20, 50), shapely.box(80, 40, 90, 50)]
    ground = Land(
        shapely.box(0, 0, 100, 100),
        np.array(houses, dtype=object),
        NOTHING,
        np.zeros(0, np.int8),
        np.array([shapely.box(40, -5, 60, 105)], dtype=object),
        NOTHING,
    )
    arcs, atom = cut_atoms(ground)
    polygons = arcs.polygons()
    assert len(polygons) == 2
    assert not arcs.joins[(arcs.left >= 0) & (arcs.right >= 0)].any()
    assert abs(polygons[atom[0]].area - 5000) < 500
