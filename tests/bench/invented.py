"""An invented street network of the size that issue 6 was measured on, for benchmarks only."""

from __future__ import annotations

import numpy as np

from onemap.engine.network.access import MODES
from onemap.engine.network.streets import Streets

BLOCK_M = 90.0


def city(side: int, seed: int = 6) -> Streets:
    """About side x side crossings with jitter; 27 % of the streets are missing, 10 % are one-way for vehicles."""
    rng = np.random.default_rng(seed)
    n = side * side
    column, row = np.tile(np.arange(side), side), np.repeat(np.arange(side), side)
    x = BLOCK_M * column + rng.uniform(-0.3, 0.3, n) * BLOCK_M
    y = BLOCK_M * row + rng.uniform(-0.3, 0.3, n) * BLOCK_M
    here = np.arange(n)
    east = np.column_stack([here, here + 1])[column < side - 1]
    north = np.column_stack([here, here + side])[row < side - 1]
    ends = np.vstack([east, north])
    ends = ends[rng.random(len(ends)) < 0.73]
    ends = ends[rng.permutation(len(ends))]
    number = rng.permutation(n)
    ends = number[ends]
    point_x, point_y = np.empty(n), np.empty(n)
    point_x[number], point_y[number] = x, y
    n_way = len(ends)
    vertex = ends.ravel().astype(np.int64)
    length = np.hypot(point_x[ends[:, 0]] - point_x[ends[:, 1]], point_y[ends[:, 0]] - point_y[ends[:, 1]])
    segment_m = np.zeros(2 * n_way)
    segment_m[::2] = length
    kmh = {"foot": np.full(n_way, 4.0), "ebike": np.full(n_way, 15.0), "car": rng.choice([25.0, 40.0, 50.0], n_way)}
    one_way = rng.random(n_way) < 0.1
    backward = {mode: np.where(one_way & (mode != "foot"), 0.0, speeds) for mode, speeds in kmh.items()}
    return Streets(
        point_x=point_x,
        point_y=point_y,
        point_id=np.full(n, -1, dtype=np.int64),
        way_start=np.arange(0, 2 * n_way + 1, 2, dtype=np.int64),
        vertex=vertex,
        segment_m=segment_m,
        way_id=np.arange(n_way, dtype=np.int64),
        forward_kmh=kmh,
        backward_kmh=backward,
        blocked={mode: np.zeros(n, dtype=np.bool_) for mode in MODES},
    )


def scattered(n: int, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points all over the city, in no order."""
    return rng.uniform(0.0, BLOCK_M * side, n), rng.uniform(0.0, BLOCK_M * side, n)
