"""
The ground that can be reached within given minutes.

A lattice point belongs to the nearest street, exactly as a building does: its time is the time at that position plus
the walk off the street. Every cell that a reached piece of street touches is taken whole: no reached point is cut off.
Contours of the lattice are the polygons. Coverage is counted from per-building times, never from these polygons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from onemap.engine._jit import kernel
from onemap.engine.coverage.contours import Lattice, polygon_below
from onemap.engine.network.arrays import F64, I32, I64
from onemap.engine.network.index import Places, snap_lattice
from onemap.engine.network.network import Network
from onemap.engine.network.reach import Reach, first_source, reach, times
from onemap.errors import InputRefused, InvalidValue

BUFFER_M = 40.0
# A lattice step and the half step of slack add up to the buffer.
_STEPS_PER_BUFFER = 2.0 * np.sqrt(2.0) + 0.5
_MAX_LATTICE = 16_000_000


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
    # A little farther than the last limit, so that its outline is interpolated between numbers like the others'.
    beyond_s = 2.0 * buffer_m / network.access_ms
    found = reach(network, places, budget_s=60.0 * limits[-1] + beyond_s, toward=toward)
    lattice, used_m = reached_lattice(network, found, buffer_m)
    # Half a step of slack: between lattice points the nearest street may be nearer than it is at any of them.
    slack_s = 0.5 * lattice.step_m / network.access_ms
    polygons = [polygon_below(lattice, 60.0 * limit + slack_s) for limit in limits]
    if simplify_m > 0.0:
        polygons = [shapely.simplify(polygon, simplify_m, preserve_topology=True) for polygon in polygons]
    return Isochrones(limits, tuple(polygons), used_m)


def shed_ratio(polygon: Any, minutes: float, speed_kmh: float) -> float:
    """The pedestrian-shed ratio: reached ground over the circle that a walker without walls would reach."""
    radius = speed_kmh / 3.6 * 60.0 * minutes
    return float(polygon.area / (np.pi * radius * radius))


def reached_lattice(network: Network, found: Reach, buffer_m: float) -> tuple[Lattice, float]:
    """Seconds on a lattice around all that is reached, and the buffer that its step stands for."""
    sources = found.sources
    source_at = first_source(network.n_edge, sources)
    edges = _reached_edges(network, found)
    ahead, back = network.edge_forward_s, network.edge_backward_s
    if not found.toward:
        ahead, back = back, ahead
    west, south, east, north = _extent(
        edges, network.edge_from, network.edge_to, network.edge_first, network.edge_last, network.edge_length_m, ahead,
        back, network.x, network.y, network.along_m, found.node_s, source_at, sources.edge, sources.fraction,
        sources.lead_s, found.budget_s, network.access_ms, network.max_snap_m,
    )  # fmt: skip
    if not west <= east:
        return Lattice(0.0, 0.0, 1.0, np.full((1, 1), np.inf)), buffer_m
    step = buffer_m / _STEPS_PER_BUFFER
    step = max(step, float(np.sqrt((east - west + 1.0) * (north - south + 1.0) / _MAX_LATTICE)))
    columns, rows = int((east - west) / step) + 4, int((north - south) / step) + 4
    west, south = west - 1.5 * step, south - 1.5 * step
    places = snap_lattice(network, west, south, step, columns, rows, found.budget_s * network.access_ms)
    value = times(network, found, places).reshape(rows, columns)
    _mark_streets(
        edges, network.edge_from, network.edge_to, network.edge_first, network.edge_last, network.edge_length_m,
        ahead, back, network.x, network.y, network.along_m, found.node_s, source_at, sources.edge,
        sources.fraction, sources.lead_s, found.budget_s, west, south, step, value,
    )  # fmt: skip
    return Lattice(west, south, step, value), max(buffer_m, _STEPS_PER_BUFFER * step)


def _reached_edges(network: Network, found: Reach) -> I32:
    """Edges that are reached at least in part: those of reached nodes, and those that sources stand on."""
    nodes = np.flatnonzero(found.node_s <= found.budget_s)
    several = [found.sources.edge]
    for arcs in (network.out, network.into):
        lengths = arcs.first[nodes + 1] - arcs.first[nodes]
        ends = np.cumsum(lengths)
        at = np.repeat(arcs.first[nodes] - (ends - lengths), lengths) + np.arange(lengths.sum())
        code = arcs.edge[at]
        several.append(np.where(code >= 0, code, ~code))
    return np.unique(np.concatenate(several)).astype(np.int32)


def _checked(minutes: Sequence[float]) -> tuple[float, ...]:
    if not minutes:
        raise InvalidValue("An isochrone needs at least one limit in minutes.")
    for limit in minutes:
        if not (np.isfinite(limit) and limit > 0.0):
            raise InvalidValue(f"{limit:g} minutes cannot be used as a limit: it must be a number above 0.")
    return tuple(sorted({float(limit) for limit in minutes}))


@kernel
def _time_on(
    e: int, t: float, edge_from: I32, edge_to: I32, ahead: F64, back: F64, node_s: F64, source_at: I32,
    source_edge: I32, source_fraction: F64, source_lead_s: F64,
) -> float:  # fmt: skip
    # Seconds between the position t on edge e and the nearest source; ahead and back are already in travel order.
    best = np.inf
    if back[e] < np.inf:
        best = t * back[e] + node_s[edge_from[e]]
    if ahead[e] < np.inf:
        best = min(best, (1.0 - t) * ahead[e] + node_s[edge_to[e]])
    k = source_at[e]
    if k >= 0:
        while k < len(source_edge) and source_edge[k] == e:
            gap = source_fraction[k] - t
            if gap >= 0.0 and ahead[e] < np.inf:
                best = min(best, gap * ahead[e] + source_lead_s[k])
            if gap <= 0.0 and back[e] < np.inf:
                best = min(best, -gap * back[e] + source_lead_s[k])
            k += 1
    return best


@kernel
def _extent(
    edges: I32, edge_from: I32, edge_to: I32, edge_first: I64, edge_last: I64, length_m: F64, ahead: F64, back: F64,
    x: F64, y: F64, along: F64, node_s: F64, source_at: I32, source_edge: I32, source_fraction: F64,
    source_lead_s: F64, budget: float, access_ms: float, max_snap_m: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    # The box of the ground that may be reached from the edges; none (west > east) where nothing is.
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for e in edges:
        fastest = min(ahead[e], back[e])
        street_ms = length_m[e] / fastest if 0.0 < fastest < np.inf else 0.0
        start, total = along[edge_first[e]], length_m[e]
        for i in range(edge_first[e], edge_last[e] + 1):
            t = (along[i] - start) / total if total > 0.0 else 0.0
            s = _time_on(
                e, t, edge_from, edge_to, ahead, back, node_s, source_at, source_edge, source_fraction, source_lead_s
            )
            spare = budget - s
            far = 0.0
            if spare >= 0.0:
                far = max(min(max_snap_m, spare * access_ms), min(total, spare * street_ms))
            elif source_at[e] < 0:
                continue
            west, east = min(west, x[i] - far), max(east, x[i] + far)
            south, north = min(south, y[i] - far), max(north, y[i] + far)
    # A source in the middle of a long edge spreads from where it stands.
    if len(edges) > 0:
        for k in range(len(source_edge)):
            e = source_edge[k]
            spare = budget - source_lead_s[k]
            if spare < 0.0:
                continue
            far = min(max_snap_m, spare * access_ms)
            at = along[edge_first[e]] + source_fraction[k] * length_m[e]
            i = edge_first[e]
            while i < edge_last[e] - 1 and along[i + 1] < at:
                i += 1
            gap = along[i + 1] - along[i]
            t = (at - along[i]) / gap if gap > 0.0 else 0.0
            px, py = x[i] + t * (x[i + 1] - x[i]), y[i] + t * (y[i + 1] - y[i])
            west, east = min(west, px - far), max(east, px + far)
            south, north = min(south, py - far), max(north, py + far)
    return west, south, east, north


@kernel
def _lower(value: F64, column: int, row: int, s: float) -> None:
    # The four corners of the cell.
    value[row, column] = min(value[row, column], s)
    value[row, column + 1] = min(value[row, column + 1], s)
    value[row + 1, column] = min(value[row + 1, column], s)
    value[row + 1, column + 1] = min(value[row + 1, column + 1], s)


@kernel
def _mark_streets(
    edges: I32, edge_from: I32, edge_to: I32, edge_first: I64, edge_last: I64, length_m: F64, ahead: F64, back: F64,
    x: F64, y: F64, along: F64, node_s: F64, source_at: I32, source_edge: I32, source_fraction: F64,
    source_lead_s: F64, budget: float, west: float, south: float, step: float, value: F64,
) -> None:  # fmt: skip
    # Every cell that a street piece crosses gets the piece's least time at its corners. Along a piece the time is a
    # roof (least at an end) except where a source stands on it: sources are marked by themselves.
    rows, columns = value.shape
    for e in edges:
        start, total = along[edge_first[e]], length_m[e]
        for i in range(edge_first[e], edge_last[e]):
            t0 = (along[i] - start) / total if total > 0.0 else 0.0
            t1 = (along[i + 1] - start) / total if total > 0.0 else 0.0
            ax, ay = (x[i] - west) / step, (y[i] - south) / step
            bx, by = (x[i + 1] - west) / step, (y[i + 1] - south) / step
            dx, dy = bx - ax, by - ay
            column, row = int(np.floor(ax)), int(np.floor(ay))
            last_column, last_row = int(np.floor(bx)), int(np.floor(by))
            u = 0.0
            s = _time_on(
                e, t0, edge_from, edge_to, ahead, back, node_s, source_at, source_edge, source_fraction, source_lead_s
            )
            to_x, to_y = np.inf, np.inf
            n_step = abs(last_column - column) + abs(last_row - row)
            for j in range(n_step + 1):
                if j == n_step:
                    onward = 1.0
                else:
                    to_x, to_y = np.inf, np.inf
                    if column != last_column and dx != 0.0:
                        to_x = ((column + 1 if dx > 0.0 else column) - ax) / dx
                    if row != last_row and dy != 0.0:
                        to_y = ((row + 1 if dy > 0.0 else row) - ay) / dy
                    onward = min(max(min(to_x, to_y), u), 1.0)
                s_next = _time_on(
                    e, t0 + onward * (t1 - t0), edge_from, edge_to, ahead, back, node_s, source_at, source_edge,
                    source_fraction, source_lead_s,
                )  # fmt: skip
                least = min(s, s_next)
                if least <= budget and 0 <= column < columns - 1 and 0 <= row < rows - 1:
                    _lower(value, column, row, least)
                if j < n_step:
                    if to_x <= to_y:
                        column += 1 if dx > 0.0 else -1
                    else:
                        row += 1 if dy > 0.0 else -1
                u, s = onward, s_next
    for k in range(len(source_edge)):
        e = source_edge[k]
        if source_lead_s[k] > budget:
            continue
        at = along[edge_first[e]] + source_fraction[k] * length_m[e]
        i = edge_first[e]
        while i < edge_last[e] - 1 and along[i + 1] < at:
            i += 1
        gap = along[i + 1] - along[i]
        t = (at - along[i]) / gap if gap > 0.0 else 0.0
        column = int(np.floor((x[i] + t * (x[i + 1] - x[i]) - west) / step))
        row = int(np.floor((y[i] + t * (y[i + 1] - y[i]) - south) / step))
        if 0 <= column < columns - 1 and 0 <= row < rows - 1:
            _lower(value, column, row, source_lead_s[k])
