"""Towns of kinds that nothing was tuned to: every grid that can be in band is, whole, uncut, on any number of cores."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from onemap.engine.partition import Effort, Goal, Plan, partition, zoning
from onemap.engine.partition._pack import pack, sets_in_band
from onemap.engine.partition._seed import metis
from onemap.engine.partition.graph import Graph, without_large_estates
from tests.bench.fabrics import KINDS, Fabric, fabric


def plan_of(made: Fabric, **wishes) -> Plan:  # type: ignore[no-untyped-def]
    return partition(made.buildings, made.streets, made.water, made.estates, made.boundary, **wishes)


def cut_m2(plan: Plan) -> float:
    """The most that any building loses by being cut at the border of its grid."""
    houses = plan.buildings[plan.buildings["grid"].notna()]
    ground = plan.grids.set_index("grid").geometry.loc[houses["grid"]].to_numpy()
    shapes = houses.geometry.to_numpy()
    return float((shapely.area(shapes) - shapely.area(shapely.intersection(shapes, ground))).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_feasible_grid_of_every_kind_of_town_is_in_band(kind: str, seed: int) -> None:
    made = fabric(kind, 6, seed)
    plan = plan_of(made, seed=seed)
    assert plan.summary["share_in_band_feasible"] == 1.0
    assert all(miss["why"] for miss in plan.summary["misses"])
    assert plan.summary["n_discontiguous"] == 0
    assert cut_m2(plan) < 0.1
    shapes = plan.grids.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    outline = made.boundary.geometry.iloc[0]
    assert abs(shapely.area(shapes).sum() - outline.area) < 1e-6 * outline.area


def test_the_strip_between_a_wall_and_the_street_does_not_part_the_houses_behind_it_from_the_town() -> None:
    made = fabric("courtyards", 6, 1)
    walled = plan_of(made)
    open_ = partition(made.buildings, made.streets, boundary=made.boundary)
    assert len(walled.atoms) == len(open_.atoms)  # the strips became part of the houses' ground
    assert walled.summary["share_in_band"] == open_.summary["share_in_band"] == 1.0


def test_no_grid_has_buildings_on_both_banks_of_a_river_without_a_bridge() -> None:
    made = fabric("river", 6, 3)
    streets = made.streets[~made.streets["bridge"]]
    nobody = made.buildings.copy()
    island = shapely.Point(shapely.get_coordinates(made.water.geometry.iloc[0].interiors[0].centroid)[0])
    nobody.loc[nobody.geometry.distance(island) < 80, "households"] = 0
    plan = partition(nobody, streets, made.water, None, made.boundary, never_cross=True)
    dry = shapely.get_parts(made.boundary.geometry.iloc[0].difference(made.water.geometry.iloc[0]))
    bank = shapely.STRtree(dry).query(plan.buildings.geometry.representative_point().to_numpy(), "within")
    assert len(np.unique(bank[1])) == 3  # two banks and the island
    assert plan.buildings.iloc[bank[0]].assign(bank=bank[1]).groupby("grid")["bank"].nunique().max() == 1


def test_a_plan_kept_after_a_change_still_tiles_point_for_point() -> None:
    made = fabric("courtyards", 6, 2)
    today = plan_of(made)
    households = made.buildings["households"].to_numpy().copy()
    grown = (today.buildings["grid"] == today.grids["grid"].iloc[7]).to_numpy()
    households[grown] = households[grown] * 2
    changed = made.buildings.assign(households=households)
    after = partition(
        changed, made.streets, made.water, made.estates, made.boundary, keep=today.grids, lock=[today.grids["grid"][0]]
    )
    assert after.grids["in_band"].all()
    assert shapely.coverage_is_valid(after.grids.geometry.to_numpy())
    moved = (after.buildings["grid"] != today.buildings["grid"]).to_numpy()
    assert moved.any()
    touched = {*after.buildings["grid"][moved], *today.buildings["grid"][moved]}
    before, now = (plan.grids.set_index("grid").geometry for plan in (today, after))
    untouched = [code for code in before.index if code not in touched]
    assert len(untouched) > 10
    assert all(shapely.to_wkb(before[code]) == shapely.to_wkb(now[code]) for code in untouched)


def test_several_groups_on_one_core_and_on_two_are_the_same_plan() -> None:
    made = fabric("low-rise", 12, 1)
    short = {"minimum": 60, "target": 80, "maximum": 100}
    one, two = (plan_of(made, effort=Effort(steps_per_atom=40, workers=w), **short) for w in (1, 2))
    assert len(one.grids) > 100
    assert one.grids.to_wkb().equals(two.grids.to_wkb())


def test_towers_whose_grids_are_chosen_whole_are_the_same_plan_on_one_core_and_on_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = fabric("towers", 4, 5)
    chosen: list[bool] = []

    def packed(*given):  # type: ignore[no-untyped-def]
        grid = pack(*given)
        chosen.append(grid is not None)
        return grid

    monkeypatch.setattr(zoning, "pack", packed)
    monkeypatch.setattr(zoning, "_PACKED", 20)  # several groups, so that two cores have something to do
    one, two = (plan_of(made, effort=Effort(workers=w), seed=3) for w in (1, 2))
    assert sum(chosen) >= 8  # HiGHS bettered groups in both plans
    assert one.grids.to_wkb().equals(two.grids.to_wkb())
    assert one.buildings["grid"].equals(two.buildings["grid"])


def test_a_pocket_that_no_set_of_grids_covers_keeps_its_grid_and_the_rest_is_chosen_anew() -> None:
    #  600 │ 100 100 100 300 300     the tower of 600 is in no set within the band; 300 + 300 is above it
    weight = np.array([600.0, 100, 100, 100, 300, 300])
    graph = row_of(weight)
    goal = Goal.of(300, 400, 500)
    atoms = np.arange(6, dtype=np.int32)
    sets = sets_in_band(graph, atoms, goal)
    assert sets is not None
    assert {tuple(np.sort(m)) for m in np.split(sets.member, sets.begin[1:-1])} == {
        (1, 2, 3), (2, 3, 4), (3, 4), (4,), (5,),
    }  # fmt: skip
    present = np.array([0, 1, 1, 2, 2, 3], dtype=np.int32)  # 200 is below the band
    grid = pack(graph, sets, present, goal, goal.weights(100.0), 0.5)
    assert grid is not None
    assert len(np.unique(grid)) == 4
    assert grid[1] == grid[2] == grid[3]


def row_of(weight: np.ndarray) -> Graph:
    """Squares of 100 m in a row."""
    n = len(weight)
    to = [[b for b in (a - 1, a + 1) if 0 <= b < n] for a in range(n)]
    first = np.cumsum([0, *(len(b) for b in to)]).astype(np.int64)
    metres = np.full(int(first[-1]), 100.0)
    return Graph(
        weight=np.stack([weight, weight], axis=1),
        area_m2=np.full(n, 1e4),
        perimeter_m=np.full(n, 400.0),
        estate=np.full(n, -1, dtype=np.int32),
        first=first,
        to=np.concatenate(to).astype(np.int32),
        length_m=metres,
        cost_m=metres,
        barrier_m=np.zeros(len(metres)),
        joins=np.ones(len(metres), dtype=np.bool_),
    )


def test_an_estate_above_the_maximum_costs_nothing_more_to_cut() -> None:
    graph = replace(row_of(np.array([300.0, 300, 100, 100])), estate=np.array([0, 0, 1, 1], dtype=np.int32))
    graph = replace(graph, cost_m=np.array([400.0, 400, 100, 100, 400, 400]))  # 4 x within an estate
    assert without_large_estates(graph, Goal.of(300, 400, 500)).cost_m.tolist() == [100, 100, 100, 100, 400, 400]


def test_metis_never_speaks_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    #  two atoms of nothing among many parts: METIS complains about empty graphs
    n = 12
    ring = np.arange(n)
    to = np.stack([(ring - 1) % n, (ring + 1) % n], axis=1).ravel().astype(np.int32)
    ones = np.ones(2 * n)
    weight = np.zeros((n, 2))
    weight[0] = 1000
    graph = Graph(
        weight, np.ones(n), np.full(n, 4.0), np.full(n, -1, np.int32), np.arange(0, 2 * n + 1, 2), to, ones, ones, ones,
        np.ones(2 * n, dtype=np.bool_),
    )  # fmt: skip
    metis(graph, np.arange(n, dtype=np.int32), 9, seed=1)
    metis(graph, np.arange(n, dtype=np.int32), 7, seed=1, recursive=True)
    spoken = capfd.readouterr()
    assert spoken.out == ""
    assert "***" in spoken.err


@pytest.mark.parametrize("seed", range(1, 6))
def test_points_instead_of_polygons_are_given_ground(seed: int) -> None:
    made = fabric("villages", 6, seed)
    points = gpd.GeoDataFrame(
        {"households": made.buildings["households"]}, geometry=made.buildings.geometry.representative_point()
    )
    plan = partition(points, made.streets, boundary=made.boundary, seed=seed)
    assert plan.summary["share_in_band_feasible"] == 1.0
    assert plan.summary["n_discontiguous"] == 0
