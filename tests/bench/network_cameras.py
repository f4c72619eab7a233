"""What cameras see: 20,000 among 1,000,000 buildings, and which of them see a point."""

from __future__ import annotations

import numpy as np
import shapely
from network_table import Row, timed

from onemap.engine.coverage.visibility import Cameras, Walls, cameras_seeing, seen_ground


def bench_cameras(share: float) -> list[Row]:
    """The ground of every camera, then 50 points."""
    rng = np.random.default_rng(6)
    n_building = int(1_000_000 * share)
    cameras, walls = camera_town(int(20_000 * share), n_building, rng)
    _, s = timed(lambda: seen_ground(cameras, walls))
    spent = []
    for _ in range(50):
        i = rng.integers(len(cameras))
        _, one = timed(lambda i=i: cameras_seeing(cameras, walls, float(cameras.x[i]) + 9.0, float(cameras.y[i]) + 9.0))
        spent.append(1000.0 * one)
    sees = float(np.quantile(spent, 0.99))
    return [
        Row(f"{len(cameras):,} cameras among {n_building:,} buildings",
            f"{s:.1f} s, {1e6 * s / max(len(cameras), 1):.0f} us each", "", None, "<= 60 s", s <= 60.0),
        Row("  which cameras see a point", f"p99 {sees:.2f} ms", "", None, "< 50 ms", sees < 50.0),
    ]  # fmt: skip


def camera_town(n_camera: int, n_building: int, rng: np.random.Generator) -> tuple[Cameras, Walls]:
    """Houses on a jittered lattice of 40 m, cameras between them."""
    side = int(np.sqrt(n_building)) + 1
    number = np.arange(n_building)
    cx = 40.0 * (number % side) + rng.uniform(0, 12, n_building)
    cy = 40.0 * (number // side) + rng.uniform(0, 12, n_building)
    w, h = rng.uniform(8, 24, n_building), rng.uniform(8, 18, n_building)
    walls = Walls.of(shapely.box(cx, cy, cx + w, cy + h))
    x, y = 40.0 * rng.integers(0, side, n_camera) - 4.0, 40.0 * rng.integers(0, side, n_camera) - 4.0
    bearing, angle = rng.uniform(0, 360, n_camera), rng.choice([60.0, 90.0, 360.0], n_camera)
    return Cameras(x, y, bearing, angle, rng.uniform(40, 100, n_camera)), walls
