"""What is not homes: schools, parks, shops, offices, a hospital, a market, workshops, each laid out on its site."""

from __future__ import annotations

import numpy as np
import shapely
from shapely import LineString, Polygon

from onemap.demo.outlines import blob, outline, oval, rect, stadium
from onemap.demo.plan import Use
from onemap.demo.site import Site


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
    site.green("other", "跑道", stadium(x, y, half, long / 2))
    site.green("grass", "操场", stadium(x, y, half - min(8.0, half * 0.27), long / 2 - min(8.0, half * 0.27)))
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
    site.put(outline(ring), "school", floors, name="教学楼")
    if width > length + 38:
        x0 = west + length + 12
        site.put(rect(x0, top - 40, min(width - length - 14, 38), 38), "school", 2, name="体育馆")
    if width > 2 * half + 40:
        site.put(rect(x + half + 8, south + 4, min(26.0, width - 2 * half - 14), 30), "school", 3, name="综合楼")
        site.green("grass", "", oval(x + half + 22, south + 60, 12, 16))


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
    pond = blob(rng, x + 0.08 * w, y - 0.05 * h, 0.42 * w, 0.36 * h)
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
        grove = shapely.difference(blob(rng, px, py, rng.uniform(9, 24), rng.uniform(8, 19)), keep)
        for path in site.built.paths:
            grove = shapely.difference(grove, site.forward(path).buffer(4.0))
        if grove.geom_type == "Polygon" and grove.area > 80:
            site.green("forest", "", grove)
    site.put(rect(west + 8, north - 22, 24, 12), "public", 1, name="管理房")
    site.put(rect(east - 26, south + 8, 14, 14), "public", 1, name="驿站")


def _plaza(site: Site) -> None:
    west, south, east, north = site.box()
    site.green("square", "市民广场", site.ground)
    site.put(rect(west + 6, north - 20, min(40.0, east - west - 12), 14), "public", 2, name="便民服务点")
    for k in range(3):
        site.green(
            "grass",
            "",
            Polygon(rect(west + 8 + k * (east - west - 16) / 3, south + 10, (east - west - 16) / 3 - 8, 14)),
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
        site.put(rect(cx - 16, cy - 16, 32, 32), "office", (22, 18, 16)[k], name=f"商务楼 {k + 1} 号")
    site.put(rect(west + 6, south + 6, min(0.4 * w, 84.0), min(0.3 * h, 46.0)), "commercial", 4, name="停车楼")
    site.put(rect(west + 0.45 * w, south + 6, min(0.17 * w, 44.0), min(0.26 * h, 40.0)), "commercial", 3, name="影城")
    site.put(rect(west + 0.66 * w, south + 6, min(0.3 * w, 72.0), min(0.14 * h, 26.0)), "commercial", 6, name="酒店")
    site.green("square", "", Polygon(rect(x, y - 22, long, 18)))


def _office(site: Site) -> None:
    west, south, east, north = site.box()
    w, h = east - west, north - south
    if w < 30 or h < 30:
        return
    site.put(
        rect(west + 4, north - 4 - 24, min(w - 8, 62.0), 24), "office", int(site.rng.integers(9, 17)), name="写字楼"
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
    site.green("square", "", Polygon(rect(west + 5, south + 4, min(w - 10, 70.0), 22)))


def _health(site: Site) -> None:
    west, south, east, north = site.box()
    w, h = east - west, north - south
    if w < 30 or h < 30:
        return
    site.put(rect(west + 4, north - 4 - 16, min(w - 8, 64.0), 16), "medical", 6, name="门诊楼")
    _u_block(site, west + 4, south + 4, min(w - 8, 60.0), min(h - 34, 46.0), "medical", 4, "住院楼")


def _market(site: Site) -> None:
    west, south, east, north = site.box()
    w, h = east - west, north - south
    if w < 30 or h < 30:
        return
    site.put(
        rect(west + 5, north - 5 - min(0.5 * h, 46.0), min(w - 10, 72.0), min(0.5 * h, 46.0)),
        "commercial",
        2,
        name="交易大厅",
    )
    for k in range(max(1, int((0.42 * h) // 20))):
        site.put(rect(west + 5, south + 4 + 20 * k, min(w - 10, 70.0), 10), "commercial", 2, name="商铺")


def _workshops(site: Site) -> None:
    west, south, east, north = site.box()
    w, h = east - west, north - south
    for a in np.arange(west + 4, west + w - 50, 62.0):
        for b in np.arange(south + 4, south + h - 34, 46.0):
            long, deep = 44.0 + site.rng.uniform(0, 12), 26.0 + site.rng.uniform(0, 10)
            site.put(rect(float(a), float(b), long, deep), "industrial", int(site.rng.integers(1, 4)), name="厂房")


LAYOUTS = {
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
