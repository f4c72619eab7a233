"""What is told of the life circle: coverage by category, building by building, and how long people walk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onemap.analyses.circle_rules import Limit
from onemap.analyses.circle_zones import ZoneCoverage
from onemap.domain.layer import Title
from onemap.engine.network.arrays import F64, Bool

#: Histogram: edges as shares of the limit; what lies beyond the last is one more bar.
_EDGES = (0.0, 0.3, 0.5, 0.75, 1.0, 1.5)


@dataclass(frozen=True, slots=True)
class CategoryCoverage:
    """How many can walk to one category; None where a number is not shown, or there is nothing to count."""

    category: str
    title: Title
    group: str
    group_title: Title
    limit_m: float | None
    limit_s: float
    document: str
    verified: bool
    note: Title | None
    n_facilities: int
    households_covered: int | None
    persons_covered: int | None
    share: float | None
    persons_share: float | None
    straight_share: float | None
    mean_s: float | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The life circle of an area."""

    area: str | None
    area_title: str | None
    households: int | None
    persons: int | None
    n_buildings: int
    n_unsnapped: int
    n_components: int
    speed_kmh: float
    document: str
    verified: bool
    note: Title | None
    assumptions: list[Title]
    categories: list[CategoryCoverage]


@dataclass(frozen=True, slots=True)
class BuildingColumns:
    """Every residential building of the area, column by column; None where there is no way."""

    fid: list[int]
    seconds: list[float | None]
    metres: list[float | None]
    households: list[int]
    persons: list[int]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Households by walking time: ``households[i]`` between edges i and i + 1, the last beyond the last edge."""

    edges_s: list[float]
    households: list[int]
    unreachable: int


@dataclass(frozen=True, slots=True)
class FacilityPoint:
    """A facility that people of the area may walk to."""

    fid: int
    title: str
    point: tuple[float, float]
    is_open: bool
    on_network: bool


@dataclass(frozen=True, slots=True)
class CategoryByZone:
    """One category by zones or buildings."""

    category: str
    title: Title
    area: str | None
    by: str
    speed_kmh: float
    limit_m: float | None
    limit_s: float
    document: str
    verified: bool
    note: Title | None
    rows: list[ZoneCoverage]
    buildings: BuildingColumns | None
    facilities: list[FacilityPoint]
    histogram: Histogram | None


def histogram(metres: F64, households: F64, limit: Limit, speed_kmh: float) -> Histogram:
    """Households by walking time around the limit."""
    edges = np.array(_EDGES) * limit.metres_at(speed_kmh)
    slack = 1.0 + 1e-12  # the bars up to the limit add up to the covered households, whatever the rounding
    bar = np.clip(np.searchsorted(edges * slack, metres, side="left"), 1, len(edges)) - 1
    counted = np.bincount(bar, weights=households, minlength=len(edges))
    return Histogram(
        edges_s=[round(float(edge) / (speed_kmh / 3.6), 1) for edge in edges],
        households=[int(n) for n in counted],
        unreachable=int(households[~np.isfinite(metres)].sum()),
    )


def mean_seconds(metres: F64, weight: F64, speed_kmh: float) -> float | None:
    """The average walk of those who have a way, seconds."""
    reached = np.isfinite(metres)
    total = float(weight[reached].sum())
    return float(weight[reached] @ metres[reached]) / total / (speed_kmh / 3.6) if total > 0.0 else None


def part(weight: F64, flags: Bool) -> float | None:
    """The flagged share of a weight; None where there is nothing to share."""
    total = float(weight.sum())
    return float(weight[flags].sum()) / total if total > 0.0 else None
