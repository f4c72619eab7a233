"""Invented streets for tests: small enough to draw, or random enough to surprise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onemap.engine.network.access import MODES, NetworkRules
from onemap.engine.network.build import build
from onemap.engine.network.network import Network
from onemap.engine.network.streets import Streets
from onemap.ingest.network_rules import read_network_rules

RULES: NetworkRules = read_network_rules()


def streets(
    points: Sequence[tuple[float, float]],
    ways: Sequence[Sequence[int]],
    *,
    kmh: float = 3.6,
    oneway: Sequence[int] = (),
    blocked: Sequence[int] = (),
) -> Streets:
    """Ways over points; at 3.6 km/h a metre is a second. ``oneway`` names ways that run in drawn direction only."""
    xy = np.array(points, dtype=float)
    vertex = np.concatenate([np.array(way, dtype=np.int64) for way in ways])
    way_start = np.concatenate([[0], np.cumsum([len(way) for way in ways])]).astype(np.int64)
    segment_m = np.zeros(len(vertex))
    segment_m[:-1] = np.hypot(np.diff(xy[vertex, 0]), np.diff(xy[vertex, 1]))
    segment_m[way_start[1:] - 1] = 0.0
    forward = np.full(len(ways), kmh)
    backward = forward.copy()
    backward[list(oneway)] = 0.0
    stops = np.zeros(len(xy), dtype=np.bool_)
    stops[list(blocked)] = True
    return Streets(
        point_x=xy[:, 0].copy(),
        point_y=xy[:, 1].copy(),
        point_id=np.arange(len(xy), dtype=np.int64),
        way_start=way_start,
        vertex=vertex,
        segment_m=segment_m,
        way_id=np.arange(len(ways), dtype=np.int64),
        forward_kmh=dict.fromkeys(MODES, forward),
        backward_kmh=dict.fromkeys(MODES, backward),
        blocked=dict.fromkeys(MODES, stops),
    )


def walk(town: Streets) -> Network:
    """The foot network with the speeds that the streets carry."""
    return build(town, "foot", RULES)


def grid_town(rng: np.random.Generator, side: int = 8, *, oneway_share: float = 0.0, cut_share: float = 0.2) -> Streets:
    """Jittered blocks of about 100 m with some streets missing, some one-way, some bent, some doubled."""
    points = [
        (100.0 * c + rng.uniform(-30, 30), 100.0 * r + rng.uniform(-30, 30)) for r in range(side) for c in range(side)
    ]
    ways: list[list[int]] = []
    for r in range(side):
        for c in range(side):
            here = r * side + c
            for there in ([here + 1] if c + 1 < side else []) + ([here + side] if r + 1 < side else []):
                if rng.random() < cut_share:
                    continue
                if rng.random() < 0.3:
                    middle = (np.array(points[here]) + points[there]) / 2 + rng.uniform(-20, 20, 2)
                    points.append((float(middle[0]), float(middle[1])))
                    ways.append([here, len(points) - 1, there])
                else:
                    ways.append([here, there])
    ways.append([0, 1])
    ways.append([0, 1])
    oneway = [i for i in range(len(ways)) if rng.random() < oneway_share]
    return streets(points, ways, oneway=oneway)


def scattered(rng: np.random.Generator, n: int, side: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Random points over the town."""
    return rng.uniform(-50, 100 * side - 50, n), rng.uniform(-50, 100 * side - 50, n)
