"""The town plan on the sheet: super-blocks, streets, parcels and rivers, before anything is bent.

The sheet is cut by arterials into cells, one community each (but for the corner blocks that neighbours exchange). Each
cell draws its own streets and parcels from its own seed, so that any cell can be planned alone and agrees with its
neighbours about everything they share.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from onemap.demo import names
from onemap.demo.arrays import F64

Cell = tuple[int, int]

CELL_WIDTH_M = 1650.0
#: Every fourth row of cells holds a river and is higher for it.
RIVER_EVERY, RIVER_ROW_M, DRY_ROW_M = 4, 1190.0, 830.0
#: From a river's middle: to the water's edge, and to the road along it.
WATER_M, RIVERSIDE_M = 36.0, 74.0


class Use(StrEnum):
    """What a parcel is for."""

    HOMES = "homes"
    PARK = "park"
    MIDDLE_SCHOOL = "middle_school"
    PRIMARY_SCHOOL = "primary_school"
    KINDERGARTEN = "kindergarten"
    MALL = "mall"
    OFFICE = "office"
    MARKET = "market"
    HEALTH = "health"
    PLAZA = "plaza"
    CIVIC = "civic"
    WORKSHOPS = "workshops"


@dataclass(frozen=True, slots=True)
class Line:
    """A straight stretch on the sheet that bounds parcels; a wall where it carries no road."""

    u0: float
    v0: float
    u1: float
    v1: float
    road_class: str | None
    name: str = ""
    #: Whether it goes over rivers on a bridge rather than ending at them.
    crosses: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """A rectangle on the sheet, (west, south, east, north), inside one block and one estate."""

    box: tuple[float, float, float, float]
    use: Use
    block: int
    estate: int


@dataclass(frozen=True, slots=True)
class River:
    """Where a river runs on the sheet: v as a function of u."""

    name: str
    level_m: float
    waves: tuple[tuple[float, float, float], ...]

    def at(self, u: F64) -> F64:
        """v of the middle, metres."""
        v = np.full_like(u, self.level_m)
        for length, height, phase in self.waves:
            v = v + height * np.sin(2 * np.pi * u / length + phase)
        return v

    def beside(self, u: F64, distance_m: float) -> F64:
        """v of the line that keeps a distance to the north (south where negative) of the middle."""
        slope = (self.at(u + 1.0) - self.at(u - 1.0)) / 2.0
        return self.at(u) + distance_m * np.sqrt(1.0 + slope**2)


@dataclass(frozen=True, slots=True)
class CellPlan:
    """One cell: its box, its lines and its parcels."""

    cell: Cell
    box: tuple[float, float, float, float]
    lines: tuple[Line, ...]
    parcels: tuple[Parcel, ...]
    #: Blocks that the eastern and the western neighbour take over.
    to_east: frozenset[int]
    to_west: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole plan: n_x by n_y communities, planned cell by cell on demand."""

    seed: int
    n_x: int
    n_y: int
    rivers: tuple[River, ...]

    @classmethod
    def draw(cls, seed: int, n_communities: int) -> Sheet:
        """A plan for so many communities, as square as they allow."""
        n_x = max(1, int(np.floor(np.sqrt(n_communities))))
        n_y = -(-n_communities // n_x)
        rng = np.random.default_rng([seed, 11])
        rows = list(range(0, n_y, RIVER_EVERY))
        rivers = []
        for name, j in zip(names.rivers(len(rows)), rows, strict=False):
            south, north = cls._level(seed, j), cls._level(seed, j + 1)
            level = south + 0.34 * (north - south)
            waves = ((3300.0, 118.0, float(rng.uniform(-0.4, 0.1))), (1270.0, 34.0, float(rng.uniform(1.2, 2.2))))
            rivers.append(River(name, level, waves))
        return cls(seed, n_x, n_y, tuple(rivers))

    @staticmethod
    def _upright(seed: int, i: int) -> float:
        """u of the arterial west of column i."""
        jitter = np.random.default_rng([seed, 12, 0, i + 1000]).uniform(-0.06, 0.06)
        return float(np.round((i - 0.5 + jitter) * CELL_WIDTH_M, 3))

    @staticmethod
    def _level(seed: int, j: int) -> float:
        """v of the arterial south of row j."""
        jitter = np.random.default_rng([seed, 12, 1, j + 1000]).uniform(-0.05, 0.05)
        n_wet = -(-j // RIVER_EVERY)
        base = n_wet * RIVER_ROW_M + (j - n_wet) * DRY_ROW_M
        return float(np.round(base + jitter * DRY_ROW_M - RIVER_ROW_M / 2, 3))

    def box(self, cell: Cell) -> tuple[float, float, float, float]:
        """(west, south, east, north) of a cell on the sheet."""
        i, j = cell
        return (
            self._upright(self.seed, i),
            self._level(self.seed, j),
            self._upright(self.seed, i + 1),
            self._level(self.seed, j + 1),
        )

    def cells(self) -> Iterator[Cell]:
        """The cells that are communities of ours, row by row from the south."""
        for j in range(self.n_y):
            for i in range(self.n_x):
                yield i, j

    def holds(self, cell: Cell) -> bool:
        """Whether a cell is a community of ours."""
        return 0 <= cell[0] < self.n_x and 0 <= cell[1] < self.n_y

    def rivers_in(self, box: tuple[float, float, float, float]) -> tuple[River, ...]:
        """Rivers that come through a box."""
        u = np.linspace(box[0], box[2], 30)
        return tuple(r for r in self.rivers if bool(np.any((r.at(u) > box[1]) & (r.at(u) < box[3]))))

    def plan(self, cell: Cell) -> CellPlan:
        """The streets and parcels of one cell."""
        return _Planner(self, cell).plan()


class _Planner:
    """Draws one cell; every choice comes from the cell's own generator, in a fixed order."""

    def __init__(self, sheet: Sheet, cell: Cell) -> None:
        self.sheet, self.cell, self.box = sheet, cell, sheet.box(cell)
        self.rng = np.random.default_rng([sheet.seed, 13, cell[0] + 1000, cell[1] + 1000])
        self.river = next(iter(sheet.rivers_in(self.box)), None)
        self.name_ew, self.name_ns = names.street_names(self.rng, cell == (0, 0))
        self.lines: list[Line] = []

    def plan(self) -> CellPlan:
        """Arterials, streets, blocks, columns, parcels: from coarse to fine."""
        west, south, east, north = self.box
        rows, through = self._rows(), self._through()
        self._arterials()
        for v, road_class in rows[1:-1]:
            self.lines.append(Line(west, v, east, v, road_class, self.name_ew()))
        for u, road_class in through:
            self.lines.append(Line(u, south, u, north, road_class, self.name_ns(), crosses=True))
        blocks = [block for low, high in itertools.pairwise(rows) for block in self._row(low[0], high[0], through)]
        blocks.sort(key=lambda box: (box[3] == north, box[1] != south, box[0]))
        parcels = self._parcels(blocks)
        last_row, first_row = (
            [b for b in range(len(blocks)) if blocks[b][3] == north],
            [b for b in range(len(blocks)) if blocks[b][1] == south],
        )
        gives_east, gives_west = self.rng.random(2) < 0.6
        always = self.cell == (0, 0)
        return CellPlan(
            self.cell,
            self.box,
            tuple(self.lines),
            tuple(parcels),
            to_east=frozenset(last_row[-1:]) if gives_east or always else frozenset(),
            to_west=frozenset(first_row[:1]) if gives_west or always else frozenset(),
        )

    def _arterials(self) -> None:
        (west, south, east, north), (i, j) = self.box, self.cell
        ew, ns = names.ARTERIALS_EW, names.ARTERIALS_NS
        self.lines.append(Line(west, south, east, south, "primary", ew[j % len(ew)], crosses=True))
        self.lines.append(Line(west, north, east, north, "primary", ew[(j + 1) % len(ew)], crosses=True))
        self.lines.append(Line(west, south, west, north, "primary", ns[i % len(ns)], crosses=True))
        self.lines.append(Line(east, south, east, north, "primary", ns[(i + 1) % len(ns)], crosses=True))

    def _rows(self) -> list[tuple[float, str]]:
        """v of the east-west streets with their class, the borders included."""
        _, south, _, north = self.box
        shares = (
            np.array([0.575, 0.79])
            if self.river
            else np.array([0.34, 0.67])
            if north - south < 1000
            else np.array([0.26, 0.5, 0.755])
        )
        shares = shares + self.rng.uniform(-0.02, 0.02, len(shares))
        classes = ("secondary", "tertiary") if len(shares) == 2 else ("tertiary", "secondary", "tertiary")
        inner = [(float(np.round(south + s * (north - south), 3)), c) for s, c in zip(shares, classes, strict=True)]
        return [(south, "primary"), *inner, (north, "primary")]

    def _through(self) -> list[tuple[float, str]]:
        """u of the streets that cross the whole cell, the borders left out."""
        west, _, east, _ = self.box
        shares = np.array([0.27, 0.56]) + self.rng.uniform(-0.035, 0.035, 2)
        if self.rng.random() < 0.3 and self.cell != (0, 0):
            shares = np.array([0.3, 0.52, 0.76]) + self.rng.uniform(-0.03, 0.03, 3)
        main = 1 if self.cell == (0, 0) else int(self.rng.integers(len(shares)))
        return [
            (float(np.round(west + s * (east - west), 3)), "primary" if k == main else "secondary")
            for k, s in enumerate(shares)
        ]

    def _row(
        self, low: float, high: float, through: list[tuple[float, str]]
    ) -> list[tuple[float, float, float, float]]:
        """Blocks of one row, west to east, with the lesser streets between them."""
        west, _, east, _ = self.box
        stops = [west, *(u for u, _ in through), east]
        blocks = []
        for left, right in itertools.pairwise(stops):
            for bottom, top in self._levels(left, right, low, high):
                n = max(1, round((right - left) / 262.0 + float(self.rng.uniform(-0.3, 0.3))))
                cuts = left + (right - left) * (np.arange(1, n) + self.rng.uniform(-0.13, 0.13, n - 1)) / n
                for cut in np.round(cuts, 3):
                    self.lines.append(Line(float(cut), bottom, float(cut), top, "residential", self.name_ns()))
                edges = [left, *(float(c) for c in np.round(cuts, 3)), right]
                blocks += [(a, bottom, b, top) for a, b in itertools.pairwise(edges)]
        return blocks

    def _levels(self, left: float, right: float, low: float, high: float) -> list[tuple[float, float]]:
        """A row, halved by a short street where a river leaves wide ground to the south of it."""
        if self.river is not None and self._wet((left, low, right, high)):
            dry = float(np.min(self.river.beside(np.linspace(left, right, 20), -RIVERSIDE_M))) - low
            if dry > 270.0:
                middle = float(np.round(low + 0.5 * dry, 3))
                self.lines.append(Line(left, middle, right, middle, "residential", self.name_ew()))
                return [(low, middle), (middle, high)]
        return [(low, high)]

    def _parcels(self, blocks: list[tuple[float, float, float, float]]) -> list[Parcel]:
        uses = self._uses(blocks)
        parcels: list[Parcel] = []
        for number, block in enumerate(blocks):
            parcels += self._block(number, block, uses.get(number, ()))
        return parcels

    def _uses(self, blocks: list[tuple[float, float, float, float]]) -> dict[int, tuple[Use, ...]]:
        """What is not homes: whole blocks or single columns, away from rivers where they would be cut."""
        dry = [b for b, box in enumerate(blocks) if not self._wet(box)]
        inner = [b for b in dry if self.box[0] < blocks[b][0] and blocks[b][2] < self.box[2]]
        chosen: dict[int, tuple[Use, ...]] = {}

        def place(use: tuple[Use, ...], candidates: list[int], width: float) -> None:
            free = [b for b in candidates if b not in chosen] or [b for b in dry if b not in chosen]
            if free:
                fit = np.array([abs(blocks[b][2] - blocks[b][0] - width) for b in free])
                chosen[free[int(np.argmin(fit + self.rng.uniform(0, 50, len(free))))]] = use

        place((Use.PARK,), inner, 260)
        place((Use.MALL,), inner, 280)
        place((Use.MIDDLE_SCHOOL, Use.HOMES), dry, 300)
        place((Use.HOMES, Use.PRIMARY_SCHOOL), dry, 260)
        place((Use.OFFICE, Use.CIVIC), inner, 240)
        place((Use.MARKET, Use.HOMES), dry, 250)
        place((Use.HOMES, Use.HEALTH), dry, 250)
        if self.rng.random() < 0.7 or self.cell == (0, 0):
            place((Use.HOMES, Use.PRIMARY_SCHOOL), [b for b in dry if blocks[b][3] < self.box[1] + 500], 260)
        if self.river is None:
            place((Use.PARK,) if self.rng.random() < 0.5 else (Use.OFFICE, Use.PLAZA), inner, 250)
        if self.rng.random() < 0.35 and self.cell != (0, 0):
            place((Use.WORKSHOPS,), dry, 300)
        return chosen

    def _wet(self, box: tuple[float, float, float, float]) -> bool:
        if self.river is None:
            return False
        v = self.river.at(np.linspace(box[0], box[2], 9))
        return bool(np.any((v > box[1] - RIVERSIDE_M) & (v < box[3] + RIVERSIDE_M)))

    def _block(self, number: int, box: tuple[float, float, float, float], uses: tuple[Use, ...]) -> list[Parcel]:
        west, south, east, north = box
        if len(uses) == 1:
            return [Parcel(box, uses[0], number, number * 10)]
        n = max(len(uses), round((east - west) / 132.0), 1)
        shares = (np.arange(1, n) + self.rng.uniform(-0.07, 0.07, n - 1)) / n
        cuts = [west, *(float(c) for c in np.round(west + (east - west) * shares, 3)), east]
        for cut in cuts[1:-1]:
            self.lines.append(Line(cut, south, cut, north, "service"))
        kinds = list(uses) + [Use.HOMES] * (n - len(uses))
        grouping = str(self.rng.choice(["block", "columns", "rows"], p=[0.5, 0.28, 0.22]))
        common = float(self.rng.uniform(0.43, 0.57))
        parcels = []
        for c, use in enumerate(kinds):
            left, right = cuts[c], cuts[c + 1]
            shift = 0.0 if self.rng.random() < 0.7 else float(self.rng.uniform(-0.08, 0.08))
            stops = [south, *self._splits(left, right, south, north, common + shift, use), north]
            for v in stops[1:-1]:
                self.lines.append(Line(left, v, right, v, "service"))
            for r, (low, high) in enumerate(itertools.pairwise(stops)):
                kind = use if use is not Use.MARKET or r == len(stops) - 2 else Use.PLAZA
                estate = {"block": 0, "columns": c, "rows": r}[grouping] if kind is Use.HOMES else 9 - 2 * c - r
                parcels.append(Parcel((left, low, right, high), kind, number, number * 10 + estate))
        return parcels

    def _splits(self, left: float, right: float, south: float, north: float, share: float, use: Use) -> list[float]:
        """Where a column is divided into parcels: each dry stretch in pieces of about 140 m."""
        if use in (Use.MIDDLE_SCHOOL, Use.PRIMARY_SCHOOL):
            return []
        stretches = [(south, north)]
        if self.river is not None and self._wet((left, south, right, north)):
            u = np.linspace(left, right, 9)
            above, below = (
                float(np.max(self.river.beside(u, RIVERSIDE_M))),
                float(np.min(self.river.beside(u, -RIVERSIDE_M))),
            )
            stretches = [(south, below), (above, north)]
        splits = []
        for low, high in stretches:
            n = max(1, round((high - low) / 145.0))
            splits += [low + (high - low) * (k + 1) / n + (share - 0.5) * (high - low) * (n == 2) for k in range(n - 1)]
        return [float(v) for v in np.round(splits, 3) if south + 40 < v < north - 40]
