"""Where a site might stand when nobody names places: street nodes or buildings, thinned evenly over the ground."""

from __future__ import annotations

import numpy as np

from onemap.engine.network.arrays import F64, I64
from onemap.engine.network.network import Network
from onemap.errors import InvalidValue


def street_candidates(network: Network, most: int) -> tuple[F64, F64]:
    """Coordinates of street nodes on which points are snapped: at most ``most``, spread evenly."""
    usable = np.flatnonzero(~network.components.islet[network.components.of_node])
    x, y = network.node_x[usable], network.node_y[usable]
    keep = thinned(x, y, most)
    return x[keep], y[keep]


def thinned(x: F64, y: F64, most: int) -> I64:
    """
    Rows of at most ``most`` points, one in a square of the smallest lattice that leaves so few: (n,), ascending.

    The first point of a square stands for the others.
    """
    if most < 1:
        raise InvalidValue(f"{most} points cannot be kept: at least one.")
    if len(x) <= most:
        return np.arange(len(x))
    span = max(float(np.ptp(x)), float(np.ptp(y)), 1e-6)
    low, high = span / 100_000.0, 2.0 * span
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if len(_firsts(x, y, middle)) > most else (low, middle)
    return _firsts(x, y, high)


def _firsts(x: F64, y: F64, side_m: float) -> I64:
    column = np.floor((x - x.min()) / side_m).astype(np.int64)
    row = np.floor((y - y.min()) / side_m).astype(np.int64)
    _, first = np.unique(row * (int(column.max()) + 1) + column, return_index=True)
    return np.sort(first)
