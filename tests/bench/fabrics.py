"""Invented towns of different kinds, for benchmarks and for tests on places that nobody tuned anything to."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
import shapely.affinity

CRS = "EPSG:4547"
SHIFT = (500_000.0, 3_500_000.0)
KINDS = ("low-rise", "courtyards", "towers", "villages", "mixed", "river")
_BLOCK_M = {"low-rise": 110.0, "courtyards": 240.0, "towers": 260.0, "villages": 150.0, "mixed": 180.0, "river": 130.0}


@dataclass(frozen=True)
class Fabric:
    """The frames that ``partition`` takes; estates are the compounds of the blocks that have a wall."""

    buildings: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    water: gpd.GeoDataFrame | None
    estates: gpd.GeoDataFrame | None
    boundary: gpd.GeoDataFrame


def fabric(kind: str, blocks: int = 8, seed: int = 1) -> Fabric:
    """A town of ``blocks`` x ``blocks`` blocks of one of :data:`KINDS`."""
    rng = np.random.default_rng([KINDS.index(kind), blocks, seed])
    step = _BLOCK_M[kind]
    corner = np.stack(np.meshgrid(np.arange(blocks + 1), np.arange(blocks + 1), indexing="ij"), axis=-1) * step
    corner = corner + rng.uniform(-0.1, 0.1, corner.shape) * step
    houses: list[shapely.Polygon] = []
    count: list[int] = []
    walls: list[shapely.Polygon] = []
    for i in range(blocks):
        for j in range(blocks):
            block = shapely.Polygon([corner[i, j], corner[i + 1, j], corner[i + 1, j + 1], corner[i, j + 1]])
            own = str(rng.choice(("low-rise", "courtyards", "towers"))) if kind == "mixed" else kind
            built, households = _BUILT[own](block.buffer(-9.0, join_style="mitre"), step, rng)
            houses += built
            count += households
            if own in ("courtyards", "towers") and built:
                walls.append(block.buffer(-5.0, join_style="mitre"))
    lines = [shapely.LineString(corner[i]) for i in range(blocks + 1)]
    lines += [shapely.LineString(corner[:, j]) for j in range(blocks + 1)]
    classes = ["secondary" if n % 4 == 0 else "minor" for n in range(blocks + 1)] * 2
    outline = shapely.box(0, 0, blocks * step, blocks * step).buffer(0.1 * step, join_style="mitre")
    streets = gpd.GeoDataFrame({"kind": classes, "bridge": False}, geometry=lines)
    water = None
    if kind == "river":
        houses, count, streets, water = _with_river(houses, count, streets, blocks * step, rng)
    return Fabric(
        _placed(gpd.GeoDataFrame({"households": count}, geometry=houses)),
        _placed(streets),
        _placed(water) if water is not None else None,
        _placed(gpd.GeoDataFrame(geometry=walls)) if walls else None,
        _placed(gpd.GeoDataFrame(geometry=[outline])),
    )


def _placed(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.set_geometry(frame.geometry.translate(*SHIFT).set_crs(CRS))


def _rows(block: shapely.Polygon, step: float, rng: np.random.Generator) -> tuple[list[shapely.Polygon], list[int]]:
    """Small houses, terraced along the streets, one to eight households each."""
    west, south, east, north = block.bounds
    houses = [
        shapely.box(x, y, x + rng.uniform(7, 11), y + rng.uniform(8, 12))
        for x in np.arange(west, east - 9, 11.0)
        for y in np.arange(south, north - 12, 26.0)
        if rng.random() < 0.85
    ]
    kept = [house for house in houses if block.contains(house)]
    return kept, rng.integers(1, 9, len(kept)).tolist()


def _rings(block: shapely.Polygon, step: float, rng: np.random.Generator) -> tuple[list[shapely.Polygon], list[int]]:
    """Houses with a courtyard each, wall to wall; some touch, some share a corner."""
    west, south, east, north = block.bounds
    size = 44.0
    houses, count = [], []
    for x in np.arange(west, east - size, size):
        for y in np.arange(south, north - size, size):
            house = shapely.box(x, y, x + size, y + size).difference(shapely.box(x + 12, y + 12, x + 32, y + 32))
            if rng.random() < 0.9 and block.contains(house):
                houses.append(house)
                count.append(int(rng.integers(12, 45)))
    return houses, count


def _slabs(block: shapely.Polygon, step: float, rng: np.random.Generator) -> tuple[list[shapely.Polygon], list[int]]:
    """Towers and slabs in a compound; one in a hundred is above any maximum by itself."""
    west, south, east, north = block.bounds
    houses, count = [], []
    for x in np.arange(west + 5, east - 30, 55.0):
        for y in np.arange(south + 5, north - 20, 48.0):
            slab = shapely.box(x, y, x + rng.uniform(18, 42), y + rng.uniform(13, 17))
            slab = shapely.affinity.rotate(slab, rng.uniform(-6, 6))
            if block.contains(slab):
                houses.append(slab)
                count.append(int(rng.choice([66, 96, 132, 198, 264, 777], p=[0.3, 0.27, 0.22, 0.14, 0.06, 0.01])))
    return houses, count


def _hamlets(block: shapely.Polygon, step: float, rng: np.random.Generator) -> tuple[list[shapely.Polygon], list[int]]:
    """Fields, and here and there houses around a lane."""
    if rng.random() < 0.45:
        return [], []
    middle = shapely.get_coordinates(block.centroid)[0]
    houses: list[shapely.Polygon] = []
    for _ in range(int(rng.integers(8, 40))):
        x, y = middle + rng.normal(0, 0.16 * step, 2)
        house = shapely.affinity.rotate(shapely.box(x - 5, y - 4, x + 5, y + 4), rng.uniform(0, 90))
        if block.contains(house) and not any(house.distance(other) < 1 for other in houses):
            houses.append(house)
    return houses, rng.integers(1, 16, len(houses)).tolist()


_BUILT = {"low-rise": _rows, "courtyards": _rings, "towers": _slabs, "villages": _hamlets, "river": _rows}


def _with_river(
    houses: list[shapely.Polygon],
    count: list[int],
    streets: gpd.GeoDataFrame,
    side: float,
    rng: np.random.Generator,
) -> tuple[list[shapely.Polygon], list[int], gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """A winding river with an island; every third street over it is a bridge, the others end at the banks."""
    x = np.linspace(-0.2 * side, 1.2 * side, 60)
    y = side * (0.5 + 0.12 * np.sin(7 * x / side + rng.uniform(0, 6)))
    river = shapely.LineString(np.stack([x, y], axis=1)).buffer(22.0)
    river = river.union(shapely.Point(x[30], y[30]).buffer(90)).difference(shapely.Point(x[30], y[30]).buffer(60))
    dry = [not house.intersects(river) for house in houses]
    kept = [house for house, is_dry in zip(houses, dry, strict=True) if is_dry]
    lines, classes, bridges = [], [], []
    for number, (line, name) in enumerate(zip(streets.geometry, streets["kind"], strict=True)):
        wet, land = line.intersection(river), line.difference(river)
        for piece in shapely.get_parts(land):
            lines.append(piece)
            classes.append(name)
            bridges.append(False)
        if number % 3 == 0:
            for piece in shapely.get_parts(wet):
                lines.append(piece)
                classes.append(name)
                bridges.append(True)
    made = gpd.GeoDataFrame({"kind": classes, "bridge": bridges}, geometry=lines)
    return (
        kept,
        [n for n, is_dry in zip(count, dry, strict=True) if is_dry],
        made[~made.geometry.is_empty],
        gpd.GeoDataFrame({"kind": ["river"]}, geometry=[river]),
    )
