"""Small invented towns: streets on a bent lattice, houses in the blocks."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
import shapely.affinity

CRS = "EPSG:4547"
X0, Y0 = 500_000.0, 3_500_000.0


@dataclass(frozen=True)
class Town:
    """The frames that ``partition`` takes."""

    buildings: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    boundary: gpd.GeoDataFrame

    @property
    def outline(self) -> shapely.Polygon:
        """The boundary as one polygon."""
        return self.boundary.geometry.iloc[0]


def town(
    seed: int = 0,
    blocks: tuple[int, int] = (3, 3),
    houses: int = 9,
    households: tuple[int, int] = (5, 40),
    side: float = 90.0,
) -> Town:
    """A town of blocks with up to ``houses`` houses each."""
    rng = np.random.default_rng(seed)
    nx, ny = blocks
    corner = np.stack(np.meshgrid(np.arange(nx + 1), np.arange(ny + 1), indexing="ij"), axis=-1) * side
    bent = corner + rng.uniform(-0.12, 0.12, corner.shape) * side
    bent[0, :, 0], bent[-1, :, 0], bent[:, 0, 1], bent[:, -1, 1] = 0, nx * side, 0, ny * side
    bent += (X0, Y0)
    lines = [shapely.LineString(bent[i]) for i in range(1, nx)] + [shapely.LineString(bent[:, j]) for j in range(1, ny)]
    shapes = []
    per_side = max(1, round(houses**0.5))
    for i in range(nx):
        for j in range(ny):
            for a in range(per_side):
                for b in range(per_side):
                    u, v = (a + 0.5) / per_side, (b + 0.5) / per_side
                    u, v = 0.15 + 0.7 * u, 0.15 + 0.7 * v
                    middle = (
                        (1 - u) * (1 - v) * bent[i, j]
                        + u * (1 - v) * bent[i + 1, j]
                        + (1 - u) * v * bent[i, j + 1]
                        + u * v * bent[i + 1, j + 1]
                    )
                    half = rng.uniform(2, 0.28 * side / per_side, 2)
                    box = shapely.box(*(middle - half), *(middle + half))
                    shapes.append(shapely.affinity.rotate(box, rng.uniform(0, 20)))
    count = rng.integers(households[0], households[1] + 1, len(shapes))
    return Town(
        gpd.GeoDataFrame(
            {"households": count, "name": [f"h{i}" for i in range(len(shapes))]}, geometry=shapes, crs=CRS
        ),
        gpd.GeoDataFrame({"kind": ["secondary"] * len(lines)}, geometry=lines, crs=CRS),
        gpd.GeoDataFrame(geometry=[shapely.box(X0, Y0, X0 + nx * side, Y0 + ny * side)], crs=CRS),
    )


def two_banks(
    west: int = 400, east: int = 400, bridge: bool = False, per_bank: int = 8
) -> tuple[Town, gpd.GeoDataFrame]:
    """Two banks of a river, with a bridge or without; the river as the second value."""
    shapes, count = [], []
    for x, total in ((40.0, west), (200.0, east)):
        for k in range(per_bank):
            px, py = X0 + x + 30 * (k % 2), Y0 + 20 + 40 * (k // 2)
            shapes.append(shapely.box(px - 8, py - 8, px + 8, py + 8))
            count.append(total // per_bank)
    street = shapely.LineString([(X0, Y0 + 80), (X0 + 270, Y0 + 80)])
    streets = gpd.GeoDataFrame({"kind": ["minor"], "bridge": [bridge]}, geometry=[street], crs=CRS)
    if not bridge:
        banks = [
            shapely.LineString([(X0, Y0 + 80), (X0 + 110, Y0 + 80)]),
            shapely.LineString([(X0 + 160, Y0 + 80), (X0 + 270, Y0 + 80)]),
        ]
        streets = gpd.GeoDataFrame({"kind": ["minor"] * 2, "bridge": [False] * 2}, geometry=banks, crs=CRS)
    river = gpd.GeoDataFrame(geometry=[shapely.box(X0 + 120, Y0 - 10, X0 + 150, Y0 + 200)], crs=CRS)
    return (
        Town(
            gpd.GeoDataFrame({"households": count}, geometry=shapes, crs=CRS),
            streets,
            gpd.GeoDataFrame(geometry=[shapely.box(X0, Y0, X0 + 270, Y0 + 180)], crs=CRS),
        ),
        river,
    )
