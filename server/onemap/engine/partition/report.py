"""What a plan comes to: numbers of every grid and of the whole."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from onemap.engine.geometry.types import F64, I32, I64, Bools
from onemap.engine.partition import _anneal
from onemap.engine.partition.atoms import Atoms
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.kinds import FIRST_BARRIER, Kind


@dataclass(frozen=True, slots=True)
class GridTable:
    """One row per grid."""

    weight: F64  #: (n_grid, 2) the unit that steers, and the other
    n_buildings: I64
    area_m2: F64
    perimeter_m: F64
    polsby_popper: F64
    in_band: Bools
    parts: I32  #: connected parts; 1 everywhere in a valid plan


def grid_table(atoms: Atoms, zone: I32, goal: Goal) -> GridTable:
    """The numbers of every grid of a plan."""
    n, g = int(zone.max()) + 1, atoms.graph
    sums = _anneal.totals(zone, n, g.weight, g.area_m2, g.perimeter_m, g.first, g.to, g.length_m)
    inside = atoms.building_atom >= 0
    return GridTable(
        weight=sums[:, :2],
        n_buildings=np.bincount(zone[atoms.building_atom[inside]], minlength=n),
        area_m2=sums[:, 2],
        perimeter_m=sums[:, 3],
        polsby_popper=4 * np.pi * sums[:, 2] / np.maximum(sums[:, 3], 1e-9) ** 2,
        in_band=goal.miss(sums) == 0,
        parts=_anneal.parts_of(zone, n, g.first, g.to, g.joins),
    )


def barrier_shares(atoms: Atoms, zone: I32) -> dict[str, float]:
    """Share of the inner boundary by what it lies on; ``ground`` is what lies on no barrier."""
    arcs = atoms.arcs
    table = np.append(zone, -1)
    left, right = table[arcs.left], table[arcs.right]
    inner = (left != right) & (left >= 0) & (right >= 0)
    metres = np.bincount(arcs.kind[inner], arcs.length_m[inner], len(Kind))
    total = metres.sum()
    if total == 0:
        return {}
    shares = {k.name.lower(): float(metres[k] / total) for k in Kind if k >= FIRST_BARRIER and metres[k] > 0}
    return shares | {"ground": float(metres[:FIRST_BARRIER].sum() / total)}


def estates_cut(building_estate: I32, building_zone: I32) -> int:
    """How many estates have buildings in more than one grid."""
    known = (building_estate >= 0) & (building_zone >= 0)
    pairs = np.unique(np.stack([building_estate[known], building_zone[known]], axis=1), axis=0)
    return int((np.bincount(pairs[:, 0]) > 1).sum()) if len(pairs) else 0


def walking_radius_m(xy: F64, weight: F64, building_zone: I32, n_grid: int) -> F64:
    """(n_grid,) the straight-line distance from the middle of the households to the farthest building; NaN if empty."""
    kept = building_zone >= 0
    z, xy, weight = building_zone[kept], xy[kept], weight[kept] + 1e-9
    total = np.bincount(z, weight, n_grid)
    with np.errstate(invalid="ignore"):
        middle = np.stack([np.bincount(z, weight * xy[:, c], n_grid) / total for c in range(2)], axis=1)
    radius = np.full(n_grid, np.nan)
    np.fmax.at(radius, z, np.hypot(*(xy - middle[z]).T))
    return radius


def balance_index(weight: F64, target: float) -> float:
    """1 where every grid meets the target, less by the mean deviation in shares of it."""
    return float(1 - np.mean(np.abs(weight - target)) / target) if len(weight) else float("nan")


@dataclass(frozen=True, slots=True)
class NeedsRule:
    """Rooms, staff and money of a community, as a city's document states them."""

    room_m2_per_100_households: float
    households_per_worker: int
    minimum_workers: int
    minimum_workers_up_to_households: int
    budget_yuan_per_1000_households: float
    budget_manual_above_households: int


@dataclass(frozen=True, slots=True)
class Needs:
    """What a community of so many households needs."""

    rooms_m2: float
    staff: int
    staff_literal: int  #: by the letter of the rule, which asks fewer just above the limit than just below it
    budget_yuan: float | None  #: ``None`` is decided by hand


def needs_of(households: int, rule: NeedsRule) -> Needs:
    """Rooms, staff and budget for this many households."""
    by_ratio = ceil(households / rule.households_per_worker)
    small = households <= rule.minimum_workers_up_to_households
    literal = max(rule.minimum_workers, by_ratio) if small else by_ratio
    manual = households > rule.budget_manual_above_households
    return Needs(
        rooms_m2=households * rule.room_m2_per_100_households / 100,
        staff=max(rule.minimum_workers, by_ratio),
        staff_literal=literal,
        budget_yuan=None if manual else households * rule.budget_yuan_per_1000_households / 1000,
    )


def grid_counts(households: float, minimum: float, target: float, maximum: float) -> tuple[int, ...]:
    """The numbers of grids nearest to the target that keep every grid in band; empty where no number does."""
    feasible = range(ceil(households / maximum), floor(households / minimum) + 1)
    ideal = households / target
    return tuple(k for k in feasible if k >= 1 and k in {floor(ideal), ceil(ideal)}) or tuple(feasible)[:1]


def informants_verdict(households: float, informants: int, minimum: float, maximum: float) -> tuple[float, bool]:
    """Households of each informant and whether that is within the rule."""
    each = households / informants
    return each, minimum <= each <= maximum


def points_verdict(n_points: int, minimum: int, maximum: int) -> bool:
    """Whether a grid has a fitting number of management points."""
    return minimum <= n_points <= maximum
