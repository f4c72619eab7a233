"""Siting against every possible choice, against scipy's solver, and against the searches it is built on."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from onemap.engine.network.index import snap
from onemap.engine.network.reach import reach, times
from onemap.engine.siting.candidates import street_candidates, thinned
from onemap.engine.siting.models import cover_savings, fewest, median_savings, most_saved, worst_walk, worth_of
from onemap.engine.siting.travel import Travel, travel
from onemap.errors import InputRefused, InvalidValue
from tests.engine.network.towns import grid_town, scattered, walk

seeds = st.integers(0, 2**32 - 1)


def plane_case(rng, n_demand, n_candidate):
    """Straight distances in the unit square: the models do not care where the numbers come from."""
    demand, candidate = rng.random((n_demand, 2)), rng.random((n_candidate, 2))
    return np.hypot(*(candidate[:, None] - demand[None]).transpose(2, 0, 1)), rng.integers(1, 50, n_demand).astype(
        float
    )


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_walks_to_candidates_equal_one_search_for_each(seed):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.3))
    homes, sites = snap(network, *scattered(rng, 30)), snap(network, *scattered(rng, 6))
    table = travel(network, sites, homes, budget_s=500.0)
    for row in range(6):
        full = times(network, reach(network, sites.take(np.array([row])), budget_s=500.0), homes)
        part = slice(table.first[row], table.first[row + 1])
        got = np.full(30, np.inf)
        got[table.demand[part]] = table.seconds[part]
        assert np.allclose(got, full)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 3), st.booleans())
def test_the_exact_choice_is_the_best_of_all_choices(seed, n_new, cover):
    rng = np.random.default_rng(seed)
    seconds, weight = plane_case(rng, 30, 9)
    table = Travel.from_matrix(seconds)
    savings = cover_savings(table, weight, 0.25) if cover else median_savings(table, weight, worst_walk(table))
    best = max(worth_of(savings, rows) for rows in combinations(range(9), n_new))
    choice = most_saved(savings, n_new)
    assert choice.method == "exact"
    assert choice.value == pytest.approx(best)
    assert worth_of(savings, choice.rows) == pytest.approx(best)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_the_bound_is_never_below_the_best_nor_the_swaps_above_it(seed):
    rng = np.random.default_rng(seed)
    seconds, weight = plane_case(rng, 60, 15)
    savings = cover_savings(Travel.from_matrix(seconds), weight, 0.2)
    best = most_saved(savings, 3, exact=True).value
    quick = most_saved(savings, 3, exact=False)
    assert quick.value <= best + 1e-9
    assert quick.bound >= best - 1e-6


def test_cover_at_200_by_50_equals_scipy_milp():
    seconds, weight = plane_case(np.random.default_rng(7), 200, 50)
    within = (seconds <= 0.12).T.astype(float)
    n, m = 50, 200
    cost = np.concatenate([np.zeros(n), -weight])
    constraints = [
        LinearConstraint(np.hstack([-within, np.eye(m)]), -np.inf, 0),
        LinearConstraint(np.concatenate([np.ones(n), np.zeros(m)])[None], 5, 5),
    ]
    reference = milp(cost, constraints=constraints, bounds=Bounds(0, 1), integrality=np.r_[np.ones(n), np.zeros(m)])
    choice = most_saved(cover_savings(Travel.from_matrix(seconds), weight, 0.12), 5)
    assert choice.method == "exact"
    assert choice.value == pytest.approx(-reference.fun)


def test_median_at_60_by_20_equals_scipy_milp():
    seconds, weight = plane_case(np.random.default_rng(8), 60, 20)
    n, m, p = 20, 60, 4
    cost = np.concatenate([np.zeros(n), (weight[None] * seconds).ravel()])
    once = np.zeros((m, n + n * m))
    links = np.zeros((n * m, n + n * m))
    for j in range(n):
        for i in range(m):
            once[i, n + j * m + i] = 1
            links[j * m + i, [n + j * m + i, j]] = 1, -1
    count = np.concatenate([np.ones(n), np.zeros(n * m)])[None]
    constraints = [LinearConstraint(once, 1, 1), LinearConstraint(links, -np.inf, 0), LinearConstraint(count, p, p)]
    reference = milp(cost, constraints=constraints, bounds=Bounds(0, 1), integrality=np.r_[np.ones(n), np.zeros(n * m)])
    table = Travel.from_matrix(seconds)
    present = worst_walk(table)
    choice = most_saved(median_savings(table, weight, present), p)
    assert choice.method == "exact"
    assert weight @ present - choice.value == pytest.approx(reference.fun)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_the_fewest_sites_cover_all_and_one_less_cannot(seed):
    rng = np.random.default_rng(seed)
    seconds, weight = plane_case(rng, 25, 8)
    savings = cover_savings(Travel.from_matrix(seconds), np.ones_like(weight), 0.4)
    choice = fewest(savings)
    coverable = float(len(np.unique(savings.demand)))
    assert choice.method == "exact"
    assert worth_of(savings, choice.rows) == coverable
    assert all(worth_of(savings, rows) < coverable for rows in combinations(range(8), len(choice.rows) - 1))


def test_whoever_is_covered_already_gains_nothing():
    seconds, weight = plane_case(np.random.default_rng(9), 20, 5)
    table = Travel.from_matrix(seconds)
    nobody = cover_savings(table, weight, 0.5, covered=np.ones(20, dtype=bool))
    assert len(nobody.demand) == 0
    assert most_saved(nobody, 2).value == 0.0


def test_candidates_are_spread_over_the_town():
    network = walk(grid_town(np.random.default_rng(1), side=12))
    x, y = street_candidates(network, 20)
    assert 10 <= len(x) <= 20
    assert np.ptp(x) > 700
    assert np.ptp(y) > 700
    assert thinned(np.arange(5.0), np.zeros(5), 9).tolist() == [0, 1, 2, 3, 4]


def test_what_cannot_be_sited_gets_a_sentence():
    seconds, weight = plane_case(np.random.default_rng(9), 20, 5)
    table = Travel.from_matrix(seconds)
    with pytest.raises(InvalidValue, match="at least one"):
        most_saved(cover_savings(table, weight, 0.5), 0)
    with pytest.raises(InvalidValue, match="more than 0"):
        cover_savings(table, weight, -1.0)
    with pytest.raises(InvalidValue, match="0 or more"):
        cover_savings(table, -weight, 0.5)
    with pytest.raises(InputRefused, match="no candidates"):
        most_saved(cover_savings(Travel.from_matrix(np.empty((0, 20))), weight, 0.5), 1)
