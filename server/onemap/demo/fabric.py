"""Buildings on an atom: rows that face south, point towers, courtyards, schools, markets, offices.

All layouts are made in a frame that is turned with the block, origin at the atom's middle, x to the street's east; only
footprints that lie wholly inside the ground survive, so nothing overlaps a street, a wall or the water.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.affinity import affine_transform

from onemap.demo.arrays import F64
from onemap.demo.plan import Use


class Style(StrEnum):
    """How an estate is built."""

    OLD = "old"
    SLAB = "slab"
    MID = "mid"
    TOWER = "tower"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Rows:
    """What a style's rows measure: depth and distance of buildings, metres; their floors."""

    depth_m: float
    pitch_m: float
    length_m: float
    gap_m: float
    floors: tuple[int, int]


ROWS = {
    Style.OLD: Rows(9.8, 20.5, 31.0, 7.5, (3, 5)),
    Style.SLAB: Rows(11.6, 25.5, 41.0, 9.0, (5, 6)),
    Style.MID: Rows(13.6, 38.0, 33.0, 13.0, (8, 11)),
    Style.TOWER: Rows(22.0, 50.0, 27.0, 20.0, (18, 27)),
}
FLOOR_M, UNIT_M = 3.0, 14.0


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


def build(site: Site, use: Use, style: Style, *, shop_sides: Sequence[str] = (), kindergarten: bool = False) -> Built:
    """What stands on an atom."""
    if use is Use.HOMES:
        homes(site, style, shop_sides=shop_sides, kindergarten=kindergarten)
    else:
        _LAYOUTS[use](site)
    return site.built


def homes(site: Site, style: Style, *, shop_sides: Sequence[str], kindergarten: bool) -> None:
    """Rows of homes from north to south, shops along the main street between the ways in."""
    whole = site.ground
    fronts = [front for side in shop_sides if (front := _front(site, side))]
    for front in fronts:
        rest = shapely.difference(site.ground, front.keep)
        site.ground = max(
            (p for p in shapely.get_parts(rest) if p.geom_type == "Polygon"), key=lambda p: p.area, default=site.ground
        )
    if kindergarten:
        _kindergarten(site)
    rows = _lay(site, style)
    while style in _DENSER and not any(b.use == "residential" for b in site.built.buildings):
        style = _DENSER[style]
        rows = _lay(site, style)
    site.ground = whole
    for front in fronts:
        _shops(site, front, rows)
    _gaps(site, rows)


#: What is tried on ground too small for a style.
_DENSER = {Style.TOWER: Style.SLAB, Style.MIXED: Style.SLAB, Style.MID: Style.SLAB, Style.SLAB: Style.OLD}


def _lay(site: Site, style: Style) -> list[tuple[float, float]]:
    """Rows from north to south; the (south, north) of each, in order."""
    _, south, _, north = site.ground.bounds
    styles = [style]
    if style is Style.MIXED:
        styles = [Style.TOWER, Style.SLAB]
    top = north - 1.5
    rows_made: list[tuple[float, float]] = []
    for k, kind in enumerate(styles):
        rows = ROWS[kind]
        bottom = south + 1.5 if k == len(styles) - 1 else top - 1.15 * rows.pitch_m
        n = int((top - bottom + rows.pitch_m - rows.depth_m) // rows.pitch_m)
        if n < 1:
            continue
        pitch = min((top - bottom - rows.depth_m) / max(1, n - 1), rows.pitch_m * 1.25) if n > 1 else 0.0
        for r in range(n):
            y = top - r * pitch
            _row(site, kind, y, odd=bool(r % 2))
            rows_made.append((y - rows.depth_m, y))
        top = bottom
    return rows_made


def _row(site: Site, style: Style, north: float, *, odd: bool) -> None:
    rows, rng = ROWS[style], site.rng
    depth = rows.depth_m
    span = site.chord(north, north - depth / 2, north - depth)
    if span is None:
        return
    low, high = span[0] + 1.0, span[1] - 1.0
    n = max(1, round((high - low + rows.gap_m) / (rows.length_m + rows.gap_m)))
    if style is Style.TOWER:
        n = max(1, int((high - low + rows.gap_m) // (rows.length_m + rows.gap_m)))
        pitch = (high - low - rows.length_m) / max(1, n - 1) if n > 1 else 0.0
        shift = 0.0 if n > 1 else (high - low - rows.length_m) * (0.2 if odd else 0.8)
        for k in range(n):
            _tower(site, low + shift + k * min(pitch, 62.0) + rows.length_m / 2, north - depth / 2, rows)
        return
    weights = rng.uniform(0.8, 1.2, n)
    lengths = (high - low - (n - 1) * rows.gap_m) * weights / weights.sum()
    x = low
    for length in lengths:
        size = float(min(length, 68.0))
        if size >= 15.0:
            _slab(site, style, x + (length - size) * rng.uniform(0, 1), north, size, rows)
        x += float(length) + rows.gap_m


def _slab(site: Site, style: Style, west: float, north: float, length: float, rows: Rows) -> None:
    rng, depth = site.rng, rows.depth_m
    if rng.random() < (0.07 if style is Style.MID else 0.035):
        site.green("grass", "", _oval(west + length / 2, north - depth / 2, length / 2, depth * 0.75))
        return
    units = max(1, round(length / UNIT_M))
    floors = int(rng.integers(rows.floors[0], rows.floors[1] + 1))
    site.put(
        _slab_outline(west, north, length, depth, units, stepped=style is Style.MID or rng.random() < 0.3),
        "residential",
        floors,
        units=units,
        capacity=units * 2.0 * floors,
    )


def _slab_outline(west: float, north: float, length: float, depth: float, units: int, *, stepped: bool) -> F64:
    """A row of stair units, in line with a notch at each stair, or stepped back by turns."""
    step = length / units
    upper, lower = [], []
    for k in range(units):
        x0, x1 = west + k * step, west + (k + 1) * step
        if stepped:
            back = 1.3 * (k % 2)
            upper += [(x0, north - back), (x1, north - back)]
            lower += [(x0, north - depth + 1.3 - back), (x1, north - depth + 1.3 - back)]
        else:
            mid, half = (x0 + x1) / 2, 1.4
            upper += [
                (x0, north),
                (mid - half, north),
                (mid - half, north - 1.1),
                (mid + half, north - 1.1),
                (mid + half, north),
                (x1, north),
            ]
            lower += [(x0, north - depth), (x1, north - depth)]
    return _outline(upper + lower[::-1])


def _tower(site: Site, x: float, y: float, rows: Rows) -> None:
    rng = site.rng
    w, d = 13.2, 10.6
    if rng.random() < 0.5:
        points = [
            (-w, d - 3),
            (-5, d - 3),
            (-5, d),
            (5, d),
            (5, d - 3),
            (w, d - 3),
            (w, -d + 2),
            (6.5, -d + 2),
            (6.5, -d + 5.5),
            (3, -d + 5.5),
            (3, -d),
            (-3, -d),
            (-3, -d + 5.5),
            (-6.5, -d + 5.5),
            (-6.5, -d + 2),
            (-w, -d + 2),
        ]
    else:
        points = [
            (-w, d - 5),
            (-8, d - 5),
            (-8, d),
            (8, d),
            (8, d - 5),
            (w, d - 5),
            (w, -d),
            (4.5, -d),
            (4.5, -d + 5),
            (-4.5, -d + 5),
            (-4.5, -d),
            (-w, -d),
        ]
    floors = int(rng.integers(rows.floors[0], rows.floors[1] + 1))
    units = int(rng.integers(1, 3))
    site.put([(x + a, y + b) for a, b in points], "residential", floors, units=units, capacity=4.0 * floors)


def _gaps(site: Site, rows: list[tuple[float, float]]) -> None:
    west, _, east, _ = site.ground.bounds
    rows = sorted(rows, reverse=True)
    for (south, _), (_, north) in itertools.pairwise(rows):
        y = (south + north) / 2 - 0.1 * (south - north)
        line = site.back(LineString([(west - 60, y), (east + 60, y)]))
        if not any(line.distance(b.shape) < 2.6 for b in site.built.buildings):
            site.built.gaps.append(line)


@dataclass(frozen=True, slots=True)
class _Front:
    """A street side that shops may stand on: its x at two levels, the way in, the ground that homes leave free."""

    low: float
    high: float
    x_low: float
    x_high: float
    inward: float
    keep: Polygon

    def at(self, y: float) -> float:
        """x of the edge at a level."""
        return self.x_low + (self.x_high - self.x_low) * (y - self.low) / (self.high - self.low)


_SHOP_DEPTH_M = 10.0


def _front(site: Site, side: str) -> _Front | None:
    """The western or eastern side of a site, where it is straight enough for shops."""
    _, south, _, north = site.ground.bounds
    low, high = south + 4.0, north - 4.0
    spans = [site.chord(y) for y in (low, (low + high) / 2, high)]
    if high - low < 40 or any(span is None for span in spans):
        return None
    first, middle, last = ((span or (0.0, 0.0))[0 if side == "west" else 1] for span in spans)
    if abs(first - last) > 0.3 * (high - low) or abs((first + last) / 2 - middle) > 3.0:
        return None
    inward = 1.0 if side == "west" else -1.0
    deep = inward * (_SHOP_DEPTH_M + 7.0)
    slope = (last - first) / (high - low)
    bottom, top = first - slope * 13, last + slope * 13
    keep = Polygon(
        [
            (bottom - inward * 40, low - 13),
            (bottom + deep, low - 13),
            (top + deep, high + 13),
            (top - inward * 40, high + 13),
        ]
    )
    return _Front(low, high, first, last, inward, keep)


def _shops(site: Site, front: _Front, rows: list[tuple[float, float]]) -> None:
    """Low strips of shops, two or three rows of homes long, with ways in between them."""
    rows = sorted(rows, reverse=True)
    size = 2 if len(rows) < 6 else 3
    for k in range(0, len(rows), size):
        group = rows[k : k + size]
        high, low = min(group[0][1], front.high), max(group[-1][0], front.low)
        if high - low < 12:
            continue
        a, b = front.at(low) + front.inward * 0.6, front.at(high) + front.inward * 0.6
        deep = front.inward * _SHOP_DEPTH_M
        site.put(
            [(a, low), (a + deep, low), (b + deep, high), (b, high)],
            "commercial",
            int(site.rng.integers(1, 4)),
            name="沿街商铺",
        )


def _kindergarten(site: Site) -> None:
    west, south, east, _ = site.box()
    if east - west < 60:
        return
    x, y = west + 1.0, south + 1.0
    ring = [(x, y), (x + 12, y), (x + 12, y + 14), (x + 34, y + 14), (x + 34, y + 26), (x, y + 26)]
    if site.put(ring, "school", 3, name="幼儿园"):
        site.green("grass", "", Polygon([(x + 14, y), (x + 34, y), (x + 34, y + 12), (x + 14, y + 12)]))
        keep = Polygon([(x - 60, y - 60), (x + 42, y - 60), (x + 42, y + 34), (x - 60, y + 34)])
        parts = [p for p in shapely.get_parts(shapely.difference(site.ground, keep)) if p.geom_type == "Polygon"]
        site.ground = max(parts, key=lambda p: p.area)


def _school(site: Site, floors: int) -> None:
    """A running track to the south, teaching rows joined by a corridor to the north, a hall beside them."""
    west, south, east, north = site.box()
    width, height = east - west, north - south
    if width < 40 or height < 60:
        return
    half = min(width / 2 - 3, 36.0)
    long = min(half * 3.3, height * 0.56)
    half = min(half, long / 2.1)
    x, y = west + 4 + half, south + 4 + long / 2
    site.green("other", "跑道", _stadium(x, y, half, long / 2))
    site.green("grass", "操场", _stadium(x, y, half - min(8.0, half * 0.27), long / 2 - min(8.0, half * 0.27)))
    top, low = north - 2, south + long + 12
    n = max(1, min(4, int((top - low + 14) // 27)))
    length = min(width - 8, 74.0)
    ring: list[tuple[float, float]] = []
    for k in range(n):
        y1 = top - k * 27
        ring += [(west + 2 + length, y1), (west + 2 + length, y1 - 11), (west + 12, y1 - 11)]
        if k < n - 1:
            ring += [(west + 12, y1 - 27)]
    ring += [(west + 2, top - (n - 1) * 27 - 11), (west + 2, top)]
    site.put(_outline(ring), "school", floors, name="教学楼")
    if width > length + 38:
        x0 = west + length + 12
        site.put(_rect(x0, top - 40, min(width - length - 14, 38), 38), "school", 2, name="体育馆")
    if width > 2 * half + 40:
        site.put(_rect(x + half + 8, south + 4, min(26.0, width - 2 * half - 14), 30), "school", 3, name="综合楼")
        site.green("grass", "", _oval(x + half + 22, south + 60, 12, 16))


def _middle_school(site: Site) -> None:
    _school(site, 5)


def _primary_school(site: Site) -> None:
    _school(site, 4)


def _park(site: Site) -> None:
    """Woods around lawns, a pond, a path around it and paths to the sides, a pavilion."""
    west, south, east, north = site.box()
    x, y, w, h = (west + east) / 2, (south + north) / 2, (east - west) / 2, (north - south) / 2
    rng = site.rng
    site.green("park", "", site.ground)
    pond = _blob(rng, x + 0.08 * w, y - 0.05 * h, 0.42 * w, 0.36 * h)
    site.built.waters.append(("pond", "", site.back(pond)))
    around = LineString(pond.buffer(9.0, quad_segs=4).simplify(1.0).exterior)
    site.built.paths.append(site.back(around))
    for angle in np.arange(4) * np.pi / 2 + rng.uniform(0.2, 0.5):
        start = around.interpolate(around.project(shapely.Point(x + 2 * w * np.cos(angle), y + 2 * h * np.sin(angle))))
        end = (x + 3 * w * np.cos(angle), y + 3 * h * np.sin(angle))
        bend_at = ((start.x + end[0]) / 2 + rng.uniform(-14, 14), (start.y + end[1]) / 2 + rng.uniform(-14, 14))
        inside = (start.x + (x - start.x) * 0.02, start.y + (y - start.y) * 0.02)
        site.built.paths.append(site.back(LineString([inside, bend_at, end])))
    keep = pond.buffer(16.0)
    for _ in range(26):
        px, py = x + w * rng.uniform(-1.05, 1.05), y + h * rng.uniform(-1.05, 1.05)
        grove = shapely.difference(_blob(rng, px, py, rng.uniform(9, 24), rng.uniform(8, 19)), keep)
        for path in site.built.paths:
            grove = shapely.difference(grove, _forward(site, path).buffer(4.0))
        if grove.geom_type == "Polygon" and grove.area > 80:
            site.green("forest", "", grove)
    site.put(_rect(west + 8, north - 22, 24, 12), "public", 1, name="管理房")
    site.put(_rect(east - 26, south + 8, 14, 14), "public", 1, name="驿站")


def _plaza(site: Site) -> None:
    west, south, east, north = site.box()
    site.green("square", "市民广场", site.ground)
    site.put(_rect(west + 6, north - 20, min(40.0, east - west - 12), 14), "public", 2, name="便民服务点")
    for k in range(3):
        site.green(
            "grass",
            "",
            _rect(west + 8 + k * (east - west - 16) / 3, south + 10, (east - west - 16) / 3 - 8, 14, shape=True),
        )


def _mall(site: Site) -> None:
    """A shopping centre with a bent front, two office towers beside it, a garage behind."""
    west, south, east, north = site.box()
    w, h = east - west, north - south
    long, deep = min(0.58 * w, 165.0), min(0.52 * h, 112.0)
    x, y = west + 6, north - 6 - deep
    ring = [
        (x, y + 14),
        (x + 16, y),
        (x + long, y),
        (x + long, y + deep * 0.62),
        (x + long - 22, y + deep),
        (x, y + deep),
    ]
    site.put(ring, "commercial", 5, name="购物中心")
    for k, (a, b) in enumerate(((0.72, 0.62), (0.89, 0.8), (0.89, 0.4))):
        cx, cy = west + a * w, south + b * h
        site.put(_rect(cx - 16, cy - 16, 32, 32), "office", (22, 18, 16)[k], name=f"商务楼 {k + 1} 号")
    site.put(_rect(west + 6, south + 6, min(0.4 * w, 84.0), min(0.3 * h, 46.0)), "commercial", 4, name="停车楼")
    site.put(_rect(west + 0.45 * w, south + 6, min(0.17 * w, 44.0), min(0.26 * h, 40.0)), "commercial", 3, name="影城")
    site.put(_rect(west + 0.66 * w, south + 6, min(0.3 * w, 72.0), min(0.14 * h, 26.0)), "commercial", 6, name="酒店")
    site.green("square", "", _rect(x, y - 22, long, 18, shape=True))


def _office(site: Site) -> None:
    west, south, east, north = site.box()
    w, h = east - west, north - south
    if w < 30 or h < 30:
        return
    site.put(
        _rect(west + 4, north - 4 - 24, min(w - 8, 62.0), 24), "office", int(site.rng.integers(9, 17)), name="写字楼"
    )
    _u_block(
        site, west + 4, south + 4, min(w - 8, 66.0), min(h - 44, 52.0), "office", int(site.rng.integers(5, 9)), "办公楼"
    )


def _civic(site: Site) -> None:
    west, south, east, north = site.box()
    w, h = east - west, north - south
    if w < 30 or h < 40:
        return
    _u_block(site, west + 5, north - 5 - min(h - 34, 56.0), min(w - 10, 70.0), min(h - 34, 56.0), "public", 4, "主楼")
    site.green("square", "", _rect(west + 5, south + 4, min(w - 10, 70.0), 22, shape=True))


def _health(site: Site) -> None:
    west, south, east, north = site.box()
    w, h = east - west, north - south
    if w < 30 or h < 30:
        return
    site.put(_rect(west + 4, north - 4 - 16, min(w - 8, 64.0), 16), "medical", 6, name="门诊楼")
    _u_block(site, west + 4, south + 4, min(w - 8, 60.0), min(h - 34, 46.0), "medical", 4, "住院楼")


def _market(site: Site) -> None:
    west, south, east, north = site.box()
    w, h = east - west, north - south
    if w < 30 or h < 30:
        return
    site.put(
        _rect(west + 5, north - 5 - min(0.5 * h, 46.0), min(w - 10, 72.0), min(0.5 * h, 46.0)),
        "commercial",
        2,
        name="交易大厅",
    )
    for k in range(max(1, int((0.42 * h) // 20))):
        site.put(_rect(west + 5, south + 4 + 20 * k, min(w - 10, 70.0), 10), "commercial", 2, name="商铺")


def _workshops(site: Site) -> None:
    west, south, east, north = site.box()
    w, h = east - west, north - south
    for a in np.arange(west + 4, west + w - 50, 62.0):
        for b in np.arange(south + 4, south + h - 34, 46.0):
            long, deep = 44.0 + site.rng.uniform(0, 12), 26.0 + site.rng.uniform(0, 10)
            site.put(_rect(float(a), float(b), long, deep), "industrial", int(site.rng.integers(1, 4)), name="厂房")


_LAYOUTS = {
    Use.PARK: _park,
    Use.MIDDLE_SCHOOL: _middle_school,
    Use.PRIMARY_SCHOOL: _primary_school,
    Use.MALL: _mall,
    Use.OFFICE: _office,
    Use.MARKET: _market,
    Use.HEALTH: _health,
    Use.PLAZA: _plaza,
    Use.CIVIC: _civic,
    Use.WORKSHOPS: _workshops,
}


def _u_block(site: Site, x: float, y: float, w: float, h: float, use: str, floors: int, name: str) -> None:
    if w < 24 or h < 22:
        return
    arm = min(14.0, w / 3)
    ring = [
        (x, y),
        (x + arm, y),
        (x + arm, y + h - 13),
        (x + w - arm, y + h - 13),
        (x + w - arm, y),
        (x + w, y),
        (x + w, y + h),
        (x, y + h),
    ]
    site.put(ring, use, floors, name=name)


def _rect(x: float, y: float, w: float, h: float, *, shape: bool = False):  # type: ignore[no-untyped-def]
    ring = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    return Polygon(ring) if shape else ring


def _oval(x: float, y: float, a: float, b: float) -> Polygon:
    t = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return Polygon(np.column_stack([x + a * np.cos(t), y + b * np.sin(t)]))


def _stadium(x: float, y: float, half: float, long: float) -> Polygon:
    reach = max(long - half, 1.0)
    return LineString([(x, y - reach), (x, y + reach)]).buffer(half, quad_segs=8)


def _blob(rng: np.random.Generator, x: float, y: float, a: float, b: float) -> Polygon:
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    r = (
        1
        + 0.17 * np.sin(2 * t + rng.uniform(0, 6))
        + 0.1 * np.sin(3 * t + rng.uniform(0, 6))
        + 0.05 * np.sin(5 * t + rng.uniform(0, 6))
    )
    return Polygon(np.column_stack([x + a * r * np.cos(t), y + b * r * np.sin(t)]))


def _outline(points: Sequence[tuple[float, float]]) -> F64:
    """Points without those that repeat the one before."""
    kept = [p for k, p in enumerate(points) if p != points[k - 1]]
    return np.array(kept)


def _forward(site: Site, line: LineString) -> LineString:
    a, b, d, e, x, y = site.turn
    moved: LineString = affine_transform(line, [a, d, b, e, -(a * x + d * y), -(b * x + e * y)])
    return moved
