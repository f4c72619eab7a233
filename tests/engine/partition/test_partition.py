"""Grids of small towns: the laws that every plan obeys, and what the planner is told."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from onemap.engine.partition import Effort, Plan, partition
from onemap.errors import InputRefused
from tests.engine.partition.towns import CRS, X0, Y0, Town, town, two_banks

QUICK = Effort(steps_per_atom=60, rounds=2, repair_tries=6)


def plan_of(made: Town, **wishes) -> Plan:  # type: ignore[no-untyped-def]
    wishes = {"minimum": 120, "target": 160, "maximum": 200, "effort": QUICK} | wishes
    return partition(made.buildings, made.streets, boundary=made.boundary, **wishes)


def assert_tiles(plan: Plan, outline: shapely.Polygon) -> None:
    shapes = plan.grids.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.union_all(shapes).symmetric_difference(outline).area < 1e-6 * outline.area
    assert abs(shapely.area(shapes).sum() - outline.area) < 1e-6 * outline.area


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_grids_tile_the_town_are_connected_and_cut_no_building(seed: int, solver_seed: int) -> None:
    made = town(seed)
    plan = plan_of(made, seed=solver_seed)
    assert_tiles(plan, made.outline)
    assert (shapely.get_type_id(plan.grids.geometry.to_numpy()) == 3).all()
    assert plan.summary["n_discontiguous"] == 0
    ground = plan.grids.set_index("grid").geometry
    for house, grid in zip(made.buildings.geometry, plan.buildings["grid"], strict=True):
        assert house.difference(ground[grid]).area < 0.1
    assert plan.grids["households"].sum() == made.buildings["households"].sum()
    by_building = plan.buildings.groupby("grid")["households"].sum()
    assert (plan.grids.set_index("grid")["households"] == by_building.reindex(plan.grids["grid"]).fillna(0)).all()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_every_grid_is_in_band_or_says_why(seed: int) -> None:
    plan = plan_of(town(seed))
    missed = plan.grids.loc[~plan.grids["in_band"], "grid"].tolist()
    assert missed == sorted(miss["grid"] for miss in plan.summary["misses"])
    assert all(miss["why"] for miss in plan.summary["misses"])
    assert ((plan.grids["households"] >= 120) & (plan.grids["households"] <= 200)).tolist() == plan.grids[
        "in_band"
    ].tolist()


def test_the_same_seed_gives_the_same_plan_on_one_core_and_on_two() -> None:
    made = town(5, blocks=(6, 6))
    plans = [
        plan_of(
            made,
            minimum=30,
            target=40,
            maximum=60,
            effort=Effort(steps_per_atom=40, rounds=2, repair_tries=3, workers=workers),
        )
        for workers in (1, 2)
    ]
    assert len(plans[0].grids) > 60  # several groups, so two cores have something to do
    assert plans[0].grids.to_wkb().equals(plans[1].grids.to_wkb())
    assert plans[0].buildings["grid"].tolist() == plans[1].buildings["grid"].tolist()


def test_a_longer_search_never_ends_worse() -> None:
    made = town(9, blocks=(4, 4))
    scores = []
    for allowed in range(6):
        asked = iter(range(100))
        plan = plan_of(made, stop=lambda asked=asked, allowed=allowed: next(asked) >= allowed)
        summary = plan.summary
        scores.append(summary["n_grids"] - summary["n_in_band"])
        assert summary["n_discontiguous"] == 0
        assert_tiles(plan, made.outline)
    assert scores == sorted(scores, reverse=True)


def test_a_river_without_a_bridge_is_a_boundary() -> None:
    #  a ─ b  ~river~  c ─ d      two banks of 400 households each
    made, river = two_banks()
    plan = partition(made.buildings, made.streets, river, boundary=made.boundary)
    west = plan.buildings.geometry.centroid.x < X0 + 135
    assert plan.grids["households"].tolist() == [400, 400]
    assert plan.buildings.loc[west, "grid"].nunique() == plan.buildings.loc[~west, "grid"].nunique() == 1
    assert_tiles(plan, made.outline)


def test_banks_too_small_for_a_grid_join_over_a_bridge_only() -> None:
    made, river = two_banks(200, 200, bridge=False)
    apart = partition(made.buildings, made.streets, river, boundary=made.boundary)
    assert apart.grids["households"].tolist() == [200, 200]
    assert apart.summary["n_infeasible_alone"] == 2
    assert all("no number of grids" in miss["why"] for miss in apart.summary["misses"])
    made, river = two_banks(200, 200, bridge=True)
    together = partition(made.buildings, made.streets, river, boundary=made.boundary)
    assert together.grids["households"].tolist() == [400]
    assert together.summary["n_discontiguous"] == 0


def test_islands_join_across_the_water_when_the_user_asks() -> None:
    made, river = two_banks(400, 80, bridge=False)
    plan = partition(made.buildings, made.streets, river, boundary=made.boundary, join_islands=True)
    assert plan.grids["households"].tolist() == [480]
    assert any("nothing joins to the rest" in note for note in plan.notes)


def test_a_tower_above_the_maximum_is_reported_by_itself() -> None:
    made = town(2, blocks=(4, 4))
    made.buildings.loc[70, "households"] = 777
    plan = plan_of(made, effort=Effort())
    [miss] = plan.summary["misses"]
    assert miss["households"] >= 777
    assert "777" in miss["why"]
    assert plan.summary["n_infeasible_alone"] == 1
    assert plan.summary["share_in_band_feasible"] == 1.0
    assert plan.summary["share_in_band"] < 1.0


@pytest.mark.parametrize("total", [501, 550, 599])
def test_a_community_between_one_grid_and_two_is_told_so(total: int) -> None:
    made, _ = two_banks(total // 2, total - total // 2)
    made.buildings["households"] = [total // 16] * 15 + [total - 15 * (total // 16)]
    plan = partition(made.buildings, made.streets, boundary=made.boundary)
    assert all("no number of grids of 300 to 500 adds up" in miss["why"] for miss in plan.summary["misses"])
    assert len(plan.summary["misses"]) == len(plan.grids)


def test_persons_may_steer_and_any_of_two_bands_may_do() -> None:
    made = town(4, blocks=(4, 4))
    made.buildings["persons"] = made.buildings["households"] * 3
    plan = plan_of(made, persons="persons", unit="persons", minimum=400, target=500, maximum=600, effort=Effort())
    assert plan.grids["persons"].between(400, 600).all()
    either = plan_of(
        made,
        persons="persons",
        minimum=100_000,
        target=100_000,
        maximum=100_000,
        second_band=(1, 500, 10_000_000),
        logic="any",
    )
    assert either.grids["in_band"].all()


def test_estates_are_kept_whole() -> None:
    made = town(6, blocks=(4, 4), houses=4, households=(20, 24))
    estate = shapely.box(X0 + 5, Y0 + 95, X0 + 175, Y0 + 175)  # two blocks, 8 houses, about 176 households
    estates = gpd.GeoDataFrame(geometry=[estate], crs=CRS)
    plan = partition(
        made.buildings, made.streets, estates=estates, boundary=made.boundary, minimum=150, target=180, maximum=210
    )
    assert plan.summary["estates_cut"] == 0
    assert plan.grids["in_band"].all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda b: b.assign(households=[-1, *b["households"][1:]]), "is negative in 1 of"),
        (lambda b: b.assign(households=[np.nan, *b["households"][1:]]), "missing or no number in 1 of"),
        (lambda b: b.assign(households="many"), "no number"),
        (lambda b: b.drop(columns="households"), "no column 'households'"),
        (lambda b: b.iloc[:0], "no buildings"),
        (lambda b: b.set_geometry(b.geometry.boundary), "must be polygons or points"),
        (lambda b: b.set_crs(None, allow_override=True), "no CRS"),
    ],
)
def test_bad_buildings_get_a_sentence(change, sentence: str) -> None:  # type: ignore[no-untyped-def]
    made = town(1)
    with pytest.raises(InputRefused, match=sentence):
        partition(change(made.buildings), made.streets, boundary=made.boundary)


def test_one_building_without_streets_is_one_grid() -> None:
    one = gpd.GeoDataFrame({"households": [350]}, geometry=[shapely.box(X0, Y0, X0 + 20, Y0 + 20)], crs=CRS)
    plan = partition(one)
    assert plan.grids["households"].tolist() == [350]
    assert plan.grids["in_band"].all()


def test_a_town_without_streets_is_parted_between_its_houses() -> None:
    made = town(8)
    plan = partition(made.buildings, boundary=made.boundary, minimum=120, target=160, maximum=200, effort=QUICK)
    assert plan.grids["in_band"].all()
    assert_tiles(plan, made.outline)


def test_nobody_living_anywhere_is_one_grid_out_of_band() -> None:
    made = town(1)
    plan = partition(made.buildings.assign(households=0), made.streets, boundary=made.boundary)
    assert len(plan.grids) == 1
    assert plan.summary["n_infeasible_alone"] == 1


def test_overlapping_and_doubled_houses_stay_together() -> None:
    made = town(1)
    twice = made.buildings.iloc[[0, 0, *range(len(made.buildings))]].reset_index(drop=True)
    plan = plan_of(Town(twice, made.streets, made.boundary))
    assert plan.buildings["grid"][0] == plan.buildings["grid"][1] == plan.buildings["grid"][2]
    assert_tiles(plan, made.outline)


def test_an_island_of_the_boundary_is_its_own_grid() -> None:
    made = town(1)
    island = shapely.box(X0 + 1000, Y0, X0 + 1100, Y0 + 100)
    boundary = gpd.GeoDataFrame(geometry=[shapely.union(made.outline, island)], crs=CRS)
    house = shapely.affinity.translate(made.buildings.geometry.iloc[0], xoff=1030)
    more = gpd.GeoDataFrame({"households": [20], "name": ["far"]}, geometry=[house], crs=CRS)
    houses = gpd.GeoDataFrame(
        {"households": [*made.buildings["households"], 20]},
        geometry=[*made.buildings.geometry, *more.geometry],
        crs=CRS,
    )
    plan = plan_of(Town(houses, made.streets, boundary))
    assert plan.summary["n_discontiguous"] == 0
    assert plan.grids["households"].min() == 20
    assert_tiles(plan, boundary.geometry.iloc[0])


def test_houses_outside_the_boundary_belong_to_no_grid_and_are_counted() -> None:
    made = town(1)
    small = gpd.GeoDataFrame(geometry=[shapely.box(X0, Y0, X0 + 180, Y0 + 270)], crs=CRS)
    plan = plan_of(Town(made.buildings, made.streets, small))
    outside = plan.buildings["grid"].isna()
    assert 0 < outside.sum() < len(outside)
    assert any(f"{outside.sum()} buildings" in note for note in plan.notes)
    assert plan.summary["households"] == made.buildings.loc[~outside, "households"].sum()


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
def test_a_town_in_degrees_is_tiled_as_exactly() -> None:
    made = town(3)
    degrees = [frame.to_crs("EPSG:4326") for frame in (made.buildings, made.streets, made.boundary)]
    plan = partition(degrees[0], degrees[1], boundary=degrees[2], minimum=120, target=160, maximum=200, effort=QUICK)
    assert plan.grids.crs == "EPSG:4326"
    outline = degrees[2].geometry.iloc[0]
    shapes = plan.grids.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.union_all(shapes).symmetric_difference(outline).area < 1e-6 * outline.area
