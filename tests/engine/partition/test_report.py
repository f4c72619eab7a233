"""The known answers of the policy documents."""

import numpy as np
import pytest

from onemap.cli._partition_rules import RULES, grid_rules
from onemap.domain.rule_set import Band, InvalidBand, Logic, RuleSet, Unit
from onemap.engine.partition.report import (
    NeedsRule,
    balance_index,
    grid_counts,
    informants_verdict,
    needs_of,
    points_verdict,
)

XIANGSHAN = NeedsRule(60, 350, 6, 1500, 50_000, 3000)


def test_a_community_of_2500_households() -> None:
    needs = needs_of(2500, XIANGSHAN)
    assert (needs.rooms_m2, needs.staff, needs.budget_yuan) == (1500, 8, 125_000)
    assert grid_counts(2500, 300, 400, 500) == (6, 7)
    assert [round(2500 / k) for k in (6, 7)] == [417, 357]


@pytest.mark.parametrize(("households", "staff", "literal"), [(900, 6, 6), (1500, 6, 6), (1501, 6, 5), (2101, 7, 7)])
def test_staff_by_the_letter_and_on_the_safe_side(households: int, staff: int, literal: int) -> None:
    needs = needs_of(households, XIANGSHAN)
    assert (needs.staff, needs.staff_literal) == (staff, literal)


def test_the_budget_above_3000_households_is_decided_by_hand() -> None:
    assert needs_of(3000, XIANGSHAN).budget_yuan == 150_000
    assert needs_of(3001, XIANGSHAN).budget_yuan is None


@pytest.mark.parametrize(
    ("informants", "each", "fits"), [(6, 66.7, True), (8, 50.0, True), (9, 44.4, False), (3, 133.3, False)]
)
def test_informants_at_400_households(informants: int, each: float, fits: bool) -> None:
    found, verdict = informants_verdict(400, informants, 50, 100)
    assert (round(found, 1), verdict) == (each, fits)


@pytest.mark.parametrize(("points", "fits"), [(4, False), (5, True), (10, True), (11, False)])
def test_management_points_of_a_grid(points: int, fits: bool) -> None:
    assert points_verdict(points, 5, 10) is fits


def test_jinse_jiayuan_fails_by_households_passes_by_persons_and_passes_by_either() -> None:
    households, persons = 14_878 / 29, 30_000 / 29
    assert (round(households, 1), round(persons, 1)) == (513.0, 1034.5)
    rule = grid_rules()["grid-guanghe"]
    assert rule.verdicts(households, persons) == {"households": False, "persons": True}
    assert rule.in_band(households, persons)
    strict = RuleSet("strict", "both", rule.bands, Logic.ALL, rule.source_document)
    assert not strict.in_band(households, persons)


def test_every_rule_file_names_its_document() -> None:
    rules = grid_rules()
    assert {"grid-guanghe", "grid-xiangyang", "community-xiangshan"} <= set(rules)
    for path in RULES.glob("*.toml"):
        if path.stem.startswith(("grid-", "community-", "households-")):
            assert "source_document" in path.read_text("utf-8")


@pytest.mark.parametrize("band", [(0, 1, 2), (300, 200, 500), (300, 400, 350), (1, 2, float("nan"))])
def test_a_band_that_nothing_can_meet_does_not_exist(band: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidBand, match="is not 0 < minimum <= target <= maximum"):
        Band(*band, Unit.HOUSEHOLDS)


def test_balance_is_one_on_target_and_falls_with_the_mean_deviation() -> None:
    assert balance_index(np.array([400.0, 400.0]), 400) == 1.0
    assert balance_index(np.array([300.0, 500.0]), 400) == pytest.approx(0.75)
