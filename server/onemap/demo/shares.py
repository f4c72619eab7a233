"""Numbers that must add up: whole shares of a total, and the households of a community's grids."""

from __future__ import annotations

import numpy as np

from onemap.demo.arrays import F64, I64, Bools

#: The rule that the fixtures are judged by: households or persons (domain.md section 1).
HOUSEHOLD_BAND, PERSON_BAND = (300, 500), (1000, 1500)


def whole_shares(total: int, weights: F64) -> I64:
    """Whole numbers in proportion to the weights that add up to the total."""
    if len(weights) == 0 or weights.sum() <= 0:
        return np.zeros(len(weights), np.int64)
    exact = total * weights / weights.sum()
    shares = np.floor(exact).astype(np.int64)
    rest = total - int(shares.sum())
    shares[np.argsort(shares - exact, kind="stable")[:rest]] += 1
    return shares


def grid_households(rng: np.random.Generator, capacity: F64, households: int) -> I64:
    """
    Households per grid: the order of the capacities, the spread of the fixtures.

    Two fifths of the grids hold 300-500 households, two in twenty-nine are too large by any rule, the others hold more
    than 500 households but at most 1,500 persons.
    """
    n = len(capacity)
    n_large, n_small = max(1, round(n * 2 / 29)), round(n * 12 / 29)
    n_middle = n - n_large - n_small
    large = rng.integers(770, 812, n_large)
    small = rng.integers(392, 484, n_small)
    rest = households - int(large.sum() + small.sum())
    middle = 506 + whole_shares(rest - 506 * n_middle, rng.uniform(0.3, 1.7, n_middle))
    shares = np.sort(np.concatenate([small, middle, large]))
    found = np.empty(n, np.int64)
    found[np.argsort(capacity, kind="stable")] = shares
    return found


def grid_persons(rng: np.random.Generator, households: I64, persons: int) -> I64:
    """Persons per grid, about two a household, such that middling grids stay within the persons' band."""
    found = whole_shares(persons, households * rng.uniform(0.985, 1.015, len(households)))
    middle = (households > HOUSEHOLD_BAND[1]) & (households < 760)
    excess = np.where(middle, np.maximum(found - 1490, 0) - np.maximum(1010 - found, 0), 0)
    found = found - excess
    found[~middle] += whole_shares(abs(int(excess.sum())), np.ones(int((~middle).sum()))) * int(np.sign(excess.sum()))
    return found


def in_band(households: I64, persons: I64) -> Bools:
    """Which grids pass by households or by persons."""
    by_households = (households >= HOUSEHOLD_BAND[0]) & (households <= HOUSEHOLD_BAND[1])
    by_persons = (persons >= PERSON_BAND[0]) & (persons <= PERSON_BAND[1])
    return by_households | by_persons
