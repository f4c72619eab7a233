"""
The ground that can be reached within given minutes.

A lattice point belongs to the nearest street, exactly as a building does: its time is the time at that position plus
the walk off the street. Every cell that a reached piece of street touches is taken whole: no reached point is cut off.
Contours of the lattice are the polygons. Coverage is counted from per-building times, never from these polygons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from onemap.engine.coverage.ground import Ground, lay, outlines
from onemap.engine.coverage.nearby import nearby
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.engine.network.reach import as_sources
from onemap.errors import InputRefused, InvalidValue

BUFFER_M = 56.0
# A street point inside a cell that no reached street touches lies within 1.12 steps of a lattice point that is inside,
# and that one's nearest street, which is reached, is no farther from it than the point.
STEPS_PER_BUFFER = 2.25


@dataclass(frozen=True, slots=True)
class Isochrones:
    """
    Reached ground by band.

    Attributes
    ----------
    minutes
        Limits, ascending.
    polygons
        One valid (Multi)Polygon each, in the network's plane; a longer band contains the shorter ones.
    buffer_m
        No street point that is not reached lies inside if it is farther than this from every reached one.
    """

    minutes: tuple[float, ...]
    polygons: tuple[Any, ...]
    buffer_m: float


def isochrones(
    network: Network,
    places: Places,
    minutes: Sequence[float],
    *,
    toward: bool = False,
    buffer_m: float = BUFFER_M,
    simplify_m: float = 0.0,
    ground: Ground | None = None,
) -> Isochrones:
    """
    The ground within minutes of the nearest of some places.

    Parameters
    ----------
    places
        Snapped points: one, or a set of facilities.
    minutes
        Limits, each more than 0.
    toward
        Ground from which the places are reached (True) or that is reached from them.
    buffer_m
        How far beyond the reached streets the outline may err; a smaller one costs more time.
    ground
        The network's ground if it was laid before (``lay_ground``): an answer then takes less than a millisecond, and
        the buffer is the ground's.
    simplify_m
        Outlines may be simplified by this tolerance; 0 keeps the guarantee that every reached point lies inside.
    """
    limits = _checked(minutes)
    if not 1.0 <= buffer_m <= 1000.0:
        raise InvalidValue(f"A buffer of {buffer_m:g} m cannot be used: between 1 and 1,000 m.")
    if not simplify_m >= 0.0:
        raise InvalidValue(f"A tolerance of {simplify_m:g} m cannot be used: it must be 0 or more.")
    if not places.found.any():
        raise InputRefused("No street lies near enough to the place, so nothing can be reached on the network.")
    sources = as_sources(network, places)
    levels_s = 60.0 * np.array(limits)
    if ground is None:
        near = nearby(network, sources, budget_s=levels_s[-1], toward=toward)
        if not near.west <= near.east:
            return Isochrones(limits, (shapely.MultiPolygon(),) * len(limits), buffer_m)
        ground = lay(network, buffer_m / STEPS_PER_BUFFER, (near.west, near.south, near.east, near.north))
    polygons = outlines(network, ground, sources, toward, levels_s)
    if simplify_m > 0.0:
        polygons = tuple(shapely.simplify(polygon, simplify_m, preserve_topology=True) for polygon in polygons)
    return Isochrones(limits, polygons, STEPS_PER_BUFFER * ground.step_m)


def lay_ground(network: Network, buffer_m: float = BUFFER_M) -> Ground:
    """What isochrones of a network have in common: laid once, a second for a city, 16 bytes for each lattice point."""
    return lay(network, buffer_m / STEPS_PER_BUFFER)


def shed_ratio(polygon: Any, minutes: float, speed_kmh: float) -> float:
    """The pedestrian-shed ratio: reached ground over the circle that a walker without walls would reach."""
    radius = speed_kmh / 3.6 * 60.0 * minutes
    return float(polygon.area / (np.pi * radius * radius))


def _checked(minutes: Sequence[float]) -> tuple[float, ...]:
    if not minutes:
        raise InvalidValue("An isochrone needs at least one limit in minutes.")
    for limit in minutes:
        if not (math.isfinite(limit) and limit > 0.0):
            raise InvalidValue(f"{limit:g} minutes cannot be used as a limit: it must be a number above 0.")
    return tuple(sorted({float(limit) for limit in minutes}))
