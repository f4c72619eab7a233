"""Outlines that footprints and greens are made of, metres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from shapely import LineString, Polygon

from onemap.demo.arrays import F64


def rect(x: float, y: float, w: float, h: float) -> list[tuple[float, float]]:
    """An upright rectangle from its south-western corner."""
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def oval(x: float, y: float, a: float, b: float) -> Polygon:
    """An ellipse around a point."""
    t = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return Polygon(np.column_stack([x + a * np.cos(t), y + b * np.sin(t)]))


def stadium(x: float, y: float, half: float, long: float) -> Polygon:
    """A running track from south to north."""
    reach = max(long - half, 1.0)
    return LineString([(x, y - reach), (x, y + reach)]).buffer(half, quad_segs=8)


def blob(rng: np.random.Generator, x: float, y: float, a: float, b: float) -> Polygon:
    """A pond or a grove: an ellipse with a shore."""
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    r = (
        1
        + 0.17 * np.sin(2 * t + rng.uniform(0, 6))
        + 0.1 * np.sin(3 * t + rng.uniform(0, 6))
        + 0.05 * np.sin(5 * t + rng.uniform(0, 6))
    )
    return Polygon(np.column_stack([x + a * r * np.cos(t), y + b * r * np.sin(t)]))


def outline(points: Sequence[tuple[float, float]]) -> F64:
    """Points without those that repeat the one before."""
    kept = [p for k, p in enumerate(points) if p != points[k - 1]]
    return np.array(kept)
