"""Re-partition: what stays, what moves, and how near to the least that is."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from onemap.engine.partition import Effort, Plan, partition
from onemap.errors import InputRefused
from tests.engine.partition.towns import Town, town

BAND = {"minimum": 120, "target": 160, "maximum": 200}


@pytest.fixture(scope="module")
def made() -> Town:
    return town(11, blocks=(5, 5))


@pytest.fixture(scope="module")
def today(made: Town) -> Plan:
    plan = partition(made.buildings, made.streets, boundary=made.boundary, effort=Effort(steps_per_atom=150), **BAND)
    assert plan.grids["in_band"].all()
    return plan


def changed(made: Town, today: Plan) -> gpd.GeoDataFrame:
    """The town after one grid has grown far over its maximum."""
    grown = today.buildings["grid"] == today.grids["grid"].iloc[12]
    return made.buildings.assign(
        households=np.where(grown, made.buildings["households"] * 2, made.buildings["households"])
    )


def test_a_plan_that_holds_is_left_alone_byte_for_byte(made: Town, today: Plan) -> None:
    again = partition(made.buildings, made.streets, boundary=made.boundary, keep=today.grids, **BAND)
    assert again.summary["moved"] == {"households": 0, "buildings": 0, "bound_households": 0}
    assert again.buildings["grid"].tolist() == today.buildings["grid"].tolist()
    before = today.grids.set_index("grid").geometry.to_wkb()
    assert (again.grids.set_index("grid").geometry.to_wkb().reindex(before.index) == before).all()


def test_few_households_move_and_no_plan_between_neighbours_moves_less_than_the_bound(made: Town, today: Plan) -> None:
    after = partition(changed(made, today), made.streets, boundary=made.boundary, keep=today.grids, **BAND)
    moved = after.summary["moved"]
    assert after.summary["share_in_band_feasible"] == 1.0
    assert 0 < moved["bound_households"] <= moved["households"]
    away = after.buildings["grid"] != today.buildings["grid"]
    assert moved["buildings"] == away.sum()
    assert moved["households"] == after.buildings.loc[away, "households"].sum()
    assert moved["buildings"] < 0.2 * len(after.buildings)


def test_locked_and_untouched_grids_come_back_byte_for_byte(made: Town, today: Plan) -> None:
    neighbours = today.grids[today.grids.touches(today.grids.geometry.iloc[12])]["grid"].tolist()
    locked = neighbours[:2]
    after = partition(changed(made, today), made.streets, boundary=made.boundary, keep=today.grids, lock=locked, **BAND)
    before = today.grids.set_index("grid").geometry
    now = after.grids.set_index("grid").geometry
    away = after.buildings["grid"] != today.buildings["grid"]
    touched = set(after.buildings.loc[away, "grid"]) | set(today.buildings.loc[away, "grid"])
    assert touched
    assert not touched & set(locked)
    for code in locked:
        assert shapely.to_wkb(before[code]) == shapely.to_wkb(now[code])
    same = sum(shapely.to_wkb(before[code]) == shapely.to_wkb(now[code]) for code in before.index if code in now.index)
    assert same >= len(before) - len(touched) - 2  # open ground may go along with a neighbour's houses
    union = shapely.union_all(after.grids.geometry.to_numpy())
    assert union.symmetric_difference(made.outline).area < 1e-6 * made.outline.area
    assert abs(after.grids.area.sum() - made.outline.area) < 1e-6 * made.outline.area


def test_new_grids_get_codes_that_were_never_given() -> None:
    made = town(12, blocks=(3, 3), households=(4, 12))
    today = partition(made.buildings, made.streets, boundary=made.boundary, **BAND)
    everywhere = made.buildings.assign(households=made.buildings["households"] * 3)
    after = partition(everywhere, made.streets, boundary=made.boundary, keep=today.grids, **BAND)
    new = set(after.grids["grid"]) - set(today.grids["grid"])
    assert new
    assert min(int(code) for code in new) > max(int(code) for code in today.grids["grid"])
    assert after.summary["n_discontiguous"] == 0


def test_unknown_locks_and_grids_without_codes_are_refused(made: Town, today: Plan) -> None:
    with pytest.raises(InputRefused, match="no grid 'X' that could be locked"):
        partition(made.buildings, made.streets, boundary=made.boundary, keep=today.grids, lock=["X"], **BAND)
    with pytest.raises(InputRefused, match="no column 'grid'"):
        partition(made.buildings, made.streets, boundary=made.boundary, keep=today.grids.drop(columns="grid"), **BAND)
