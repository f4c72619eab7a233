"""Rows that face south, point towers, and shops along the street: how an estate is built."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import shapely
from shapely import LineString, Polygon

from onemap.demo.arrays import F64
from onemap.demo.outlines import outline, oval
from onemap.demo.site import Site


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
#: Rows are divided into stair units about so long, metres.
_UNIT_M = 14.0


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
        site.green("grass", "", oval(west + length / 2, north - depth / 2, length / 2, depth * 0.75))
        return
    units = max(1, round(length / _UNIT_M))
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
    return outline(upper + lower[::-1])


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
