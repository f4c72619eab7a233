"""Households where nobody counted: a rule with a name."""

import numpy as np
import pytest

from onemap.errors import UsageError
from onemap.ingest.households import ground_m2, household_rule

from .conftest import RULES


def estimate(footprint_m2, floors=np.nan, height_m=np.nan, use="residential") -> int:
    rule = household_rule("footprint_floors", RULES)
    return int(rule.households(np.array([footprint_m2]), np.array([floors]), np.array([height_m]), [use])[0])


def test_a_tower_is_floor_area_over_area_a_household():
    assert estimate(525.0, floors=20) == 100  # 10 500 m2 at 105 m2 a household


def test_a_height_stands_in_for_floors():
    assert estimate(525.0, height_m=61.0) == estimate(525.0, floors=20)


def test_a_cottage_holds_one_household_and_a_shed_none():
    assert estimate(45.0) == 1
    assert estimate(20.0) == 0


def test_nobody_lives_in_an_office_and_fewer_where_the_use_is_unknown():
    assert estimate(5_250.0, floors=20, use="office") == 0
    assert estimate(525.0, floors=20, use=None) == 70


def test_ground_is_measured_in_metres():
    assert ground_m2(np.array([1e-6]), np.array([31.7]))[0] == pytest.approx(10_519, rel=0.01)


def test_an_unknown_rule_is_wrong_use():
    with pytest.raises(UsageError, match="there is footprint_floors"):
        household_rule("guess", RULES)
