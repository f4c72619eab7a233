"""A site: an atom's ground in a frame that is turned with the block, and what has been built on it.

Origin at the atom's middle, x to the street's east; only footprints that lie wholly inside the ground survive, so
nothing overlaps a street, a wall or the water.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.affinity import affine_transform

from onemap.demo.arrays import F64


@dataclass(slots=True)
class Building:
    """One footprint, in local metres, and what stands on it."""

    shape: Polygon
    use: str
    floors: int
    units: int = 1
    #: Homes it would hold if nothing else were known; 0 for other uses.
    capacity: float = 0.0
    name: str = ""


@dataclass(slots=True)
class Built:
    """What was built on one atom, in local metres."""

    buildings: list[Building] = field(default_factory=list)
    #: Lines across the atom that touch no building: paths run along some, management points end at some.
    gaps: list[LineString] = field(default_factory=list)
    greens: list[tuple[str, str, Polygon]] = field(default_factory=list)
    waters: list[tuple[str, str, Polygon]] = field(default_factory=list)
    paths: list[LineString] = field(default_factory=list)


@dataclass(slots=True)
class Site:
    """An atom's ground in its own turned frame, and the way back."""

    ground: Polygon
    rng: np.random.Generator
    turn: tuple[float, float, float, float, float, float]
    built: Built = field(default_factory=Built)

    @classmethod
    def on(cls, ground: Polygon, heading_rad: float, rng: np.random.Generator) -> Site:
        """The frame of a piece of ground: origin in its middle, x along the heading."""
        cos, sin = float(np.cos(heading_rad)), float(np.sin(heading_rad))
        x, y = ground.centroid.x, ground.centroid.y
        inward = [cos, sin, -sin, cos, -(cos * x + sin * y), sin * x - cos * y]
        return cls(affine_transform(ground, inward), rng, (cos, -sin, sin, cos, x, y))

    def back[S: (Polygon, LineString)](self, shape: S) -> S:
        """A shape of this frame in local metres."""
        turned: S = affine_transform(shape, self.turn)
        return turned

    def forward(self, line: LineString) -> LineString:
        """A line of local metres in this frame."""
        a, b, d, e, x, y = self.turn
        moved: LineString = affine_transform(line, [a, d, b, e, -(a * x + d * y), -(b * x + e * y)])
        return moved

    def chord(self, *levels: float) -> tuple[float, float] | None:
        """The stretch of x that lies inside the ground at all given y; None where there is none."""
        west, _, east, _ = self.ground.bounds
        lines = shapely.linestrings([[(west - 1, y), (east + 1, y)] for y in levels])
        low, high = -np.inf, np.inf
        for cut in shapely.intersection(self.ground, lines):
            parts = [p for p in shapely.get_parts(cut) if p.length > 0]
            if not parts:
                return None
            longest = max(parts, key=lambda p: p.length)
            low, high = max(low, longest.bounds[0]), min(high, longest.bounds[2])
        return (low, high) if high > low else None

    def put(self, outline: Sequence[tuple[float, float]] | F64, use: str, floors: int, **more: object) -> bool:
        """A building, if its outline lies inside the ground and clear of what stands; whether it does."""
        shape = Polygon(outline)
        if not self.ground.contains(shape):
            return False
        placed = self.back(shape)
        if any(placed.distance(other.shape) < 4.0 for other in self.built.buildings):
            return False
        self.built.buildings.append(Building(placed, use, floors, **more))  # type: ignore[arg-type]
        return True

    def green(self, kind: str, name: str, shape: Polygon) -> None:
        """Green ground, cut to the site."""
        cut = shapely.intersection(shape, self.ground)
        for part in shapely.get_parts(cut):
            if part.geom_type == "Polygon" and part.area > 60.0:
                self.built.greens.append((kind, name, self.back(part)))

    def box(self) -> tuple[float, float, float, float]:
        """An upright rectangle that lies inside the ground, about as large as one can be."""
        _, south, _, north = self.ground.bounds
        best, size = (0.0, 0.0, 0.0, 0.0), 0.0
        for low in (0.02, 0.08, 0.16, 0.26):
            for high in (0.98, 0.92, 0.84, 0.74):
                a, b = south + low * (north - south), south + high * (north - south)
                span = self.chord(a, (a + b) / 2, b)
                if span and (span[1] - span[0]) * (b - a) > size:
                    best, size = (span[0], a, span[1], b), (span[1] - span[0]) * (b - a)
        return best
