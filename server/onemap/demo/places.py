"""Where things can stand in a community: crossings, gates, street sides, house doors, shops, river banks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from onemap.demo.arrays import F64, I64, Objects
from onemap.demo.community import Community
from onemap.demo.ground import HALF_WIDTH_M, Road, nearest_name, shapes_of
from onemap.demo.plan import Use


@dataclass(frozen=True, slots=True)
class Spots:
    """Places (n, 2) in local metres, each with a direction, a title, its grid and its building (-1: none)."""

    xy: F64
    bearing_deg: F64
    title: Objects
    grid: I64
    building: I64

    def __len__(self) -> int:
        return len(self.xy)

    def pick(self, order: I64) -> Spots:
        """Some of the places, or all in another order."""
        return Spots(self.xy[order], self.bearing_deg[order], self.title[order], self.grid[order], self.building[order])


def join(*parts: Spots) -> Spots:
    """All places of several collections, one after the other."""
    return Spots(
        np.concatenate([p.xy for p in parts]),
        np.concatenate([p.bearing_deg for p in parts]),
        np.concatenate([p.title for p in parts]),
        np.concatenate([p.grid for p in parts]),
        np.concatenate([p.building for p in parts]),
    )


@dataclass(frozen=True, slots=True)
class Places:
    """All the places of one community."""

    crossings: Spots
    gates: Spots
    streets: Spots
    lanes: Spots
    doors: Spots
    shops: Spots
    banks: Spots
    #: Around schools, markets, offices, parks and squares.
    grounds: Spots
    #: One per building, at its door; -1 homes included.
    buildings: Spots
    by_use: dict[Use, I64]


def find(community: Community, rng: np.random.Generator) -> Places:
    """The places of a community."""
    roads = [r for c in community.cells.values() for r in c.roads]
    near = community.area.buffer(6.0)
    shapely.prepare(near)
    roads = [
        r
        for r, inside in zip(roads, shapely.intersects(near, shapes_of([r.line for r in roads])), strict=True)
        if inside
    ]
    arms = _arms(roads)
    locate = _Locator(community)
    names = [r.name for r in roads]
    buildings = _doors(community, rng)
    home = community.homes.households > 0
    shop = np.array([b.use == "commercial" for b in community.homes.buildings])
    by_use = {
        use: np.flatnonzero([e.use == use for e in (community.estates[k] for k in community.homes.estate)])
        for use in Use
    }
    major = np.array([r.road_class in ("primary", "secondary", "tertiary", "residential") for r in roads])
    return Places(
        crossings=locate(*_crossings(arms, roads, names)),
        gates=locate(*_gates(arms, names, community)),
        streets=locate(*_along([r for r, m in zip(roads, major, strict=True) if m and not r.bridge], 26.0, rng)),
        lanes=_inside_estates(
            community, locate(*_along([r for r, m in zip(roads, major, strict=True) if not m], 24.0, rng))
        ),
        doors=buildings.pick(np.flatnonzero(home)),
        shops=_fronts(community, np.flatnonzero(shop), rng),
        banks=locate(*_banks(community, rng)),
        grounds=locate(*_grounds(community, rng)),
        buildings=buildings,
        by_use=by_use,
    )


class _Locator:
    """Gives places their grids, and drops those outside the community."""

    def __init__(self, community: Community) -> None:
        self._tree = shapely.STRtree(community.grid_shapes)

    def __call__(self, xy: F64, bearing_deg: F64, title: list[str]) -> Spots:
        if len(xy) == 0:
            return Spots(
                np.zeros((0, 2)), np.zeros(0), np.array([], dtype=object), np.zeros(0, np.int64), np.zeros(0, np.int64)
            )
        point, grid = self._tree.query(shapely.points(xy), predicate="intersects")
        point, first = np.unique(point, return_index=True)
        return Spots(
            xy[point],
            np.mod(bearing_deg[point], 360.0),
            np.array(title, dtype=object)[point],
            grid[first].astype(np.int64),
            np.full(len(point), -1, np.int64),
        )


@dataclass(frozen=True, slots=True)
class _Arms:
    """Ends of roads: the junction each is at, the road, and the way it leaves."""

    node: I64
    road: I64
    xy: F64
    away: F64
    degree: I64


def _arms(roads: list[Road]) -> _Arms:
    first, last = [], []
    for r in roads:
        c = shapely.get_coordinates(r.line)
        first.append((c[0], c[1] - c[0]))
        last.append((c[-1], c[-2] - c[-1]))
    xy = np.array([p for p, _ in first + last])
    away = np.array([d for _, d in first + last])
    away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    _, node = np.unique(np.round(xy, 2), axis=0, return_inverse=True)
    degree = np.bincount(node)
    return _Arms(node, np.tile(np.arange(len(roads)), 2), xy, away, degree)


def bearing(direction: F64) -> F64:
    """Compass degrees (n,) of directions (n, 2)."""
    return np.asarray(np.mod(np.degrees(np.arctan2(direction[:, 0], direction[:, 1])), 360.0))


def _crossings(arms: _Arms, roads: list[Road], names: list[str]) -> tuple[F64, F64, list[str]]:
    """One place per arm of every crossing of named streets, at its right kerb, looking along the arm."""
    named = np.array([bool(n) for n in names])[arms.road]
    width = np.array([HALF_WIDTH_M[r.road_class] for r in roads])[arms.road]
    streets_at: dict[int, list[str]] = {}
    for node, road in zip(arms.node[named].tolist(), arms.road[named].tolist(), strict=True):
        if names[road] not in streets_at.setdefault(node, []):
            streets_at[node].append(names[road])
    keep = named & np.array([len(streets_at.get(int(n), ())) > 1 for n in arms.node])
    right = np.column_stack([arms.away[:, 1], -arms.away[:, 0]])
    xy = arms.xy + arms.away * 13.0 + right * (width[:, None] + 1.4)
    rank = np.lexsort((arms.road, -width))
    order = rank[keep[rank]]
    title = ["与".join(streets_at[int(n)][:2]) + "路口" for n in arms.node[order]]
    return xy[order], bearing(arms.away[order]), title


def _gates(arms: _Arms, names: list[str], community: Community) -> tuple[F64, F64, list[str]]:
    """Where a lane leaves a named street: just inside, looking out."""
    street_nodes = {int(n) for n, r in zip(arms.node, arms.road, strict=True) if names[r]}
    lane = np.array([not names[r] for r in arms.road]) & np.array([int(n) in street_nodes for n in arms.node])
    order = np.flatnonzero(lane)
    inside = (
        arms.xy[order] + arms.away[order] * 12.0 + np.column_stack([arms.away[order, 1], -arms.away[order, 0]]) * 2.6
    )
    shapes = shapes_of([e.shape for e in community.estates])
    near = shapely.STRtree(shapes).nearest(shapely.points(inside))
    compass = np.array(["北", "东", "南", "西"])[((bearing(-arms.away[order]) + 45) // 90).astype(int) % 4]
    title = [f"{community.estates[int(k)].name}{c}门" for k, c in zip(near, compass, strict=True)]
    return inside, bearing(-arms.away[order]), title


def _along(roads: list[Road], step_m: float, rng: np.random.Generator) -> tuple[F64, F64, list[str]]:
    """Places along kerbs, sides by turns, looking along the street."""
    lines = shapes_of([r.line for r in roads])
    n = np.maximum(1, np.floor(shapely.length(lines) / step_m)).astype(int)
    road = np.repeat(np.arange(len(roads)), n)
    share = np.concatenate([(np.arange(k) + 0.5) / k for k in n]) if len(n) else np.zeros(0)
    length = shapely.length(lines)[road]
    at = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], share * length))
    ahead = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines[road], np.minimum(share * length + 1.0, length)))
        - at
    )
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    width = np.array([HALF_WIDTH_M[r.road_class] for r in roads])[road]
    side = np.where(np.arange(len(road)) % 2 == 0, 1.0, -1.0)
    xy = at + np.column_stack([ahead[:, 1], -ahead[:, 0]]) * (side * (width + 1.2))[:, None]
    order = rng.permutation(len(road))
    return (
        xy[order],
        bearing(ahead[order] * side[order, None]),
        [f"{roads[r].name}路段" if roads[r].name else "" for r in road[order]],
    )


def _inside_estates(community: Community, spots: Spots) -> Spots:
    """Places on lanes, called after the estate they are in."""
    near = shapely.STRtree(shapes_of([e.shape for e in community.estates])).nearest(shapely.points(spots.xy))
    title = np.array([f"{community.estates[int(k)].name}内部路" for k in near], dtype=object)
    return Spots(spots.xy, spots.bearing_deg, title, spots.grid, spots.building)


def _doors(community: Community, rng: np.random.Generator) -> Spots:
    """A place in front of every building's southern side."""
    homes = community.homes
    shapes = shapes_of([b.shape for b in homes.buildings])
    bounds, centres = shapely.bounds(shapes), shapely.get_coordinates(shapely.point_on_surface(shapes))
    x = centres[:, 0] + rng.uniform(-0.25, 0.25, len(shapes)) * (bounds[:, 2] - bounds[:, 0])
    lines = shapely.linestrings(
        np.stack([np.column_stack([x, bounds[:, 1] - 9]), np.column_stack([x, bounds[:, 3] + 9])], axis=1)
    )
    cut = shapely.bounds(shapely.intersection(lines, shapes))[:, 1]
    y = np.where(np.isnan(cut), bounds[:, 1], cut) - 1.3
    title = [building_title(community, k) for k in range(len(shapes))]
    return Spots(
        np.column_stack([x, y]),
        np.full(len(shapes), 180.0),
        np.array(title, dtype=object),
        homes.grid,
        np.arange(len(shapes)),
    )


def building_title(community: Community, k: int) -> str:
    """What a building is called: estate and number, or its own name."""
    homes = community.homes
    estate, building = community.estates[homes.estate[k]], homes.buildings[k]
    if homes.households[k] > 0:
        return f"{estate.name} {homes.number[k]} 栋"
    number = f" {homes.number[k]}" if building.name in ("沿街商铺", "商铺", "厂房") else ""
    return f"{estate.name}{building.name}{number}"


def _fronts(community: Community, members: I64, rng: np.random.Generator) -> Spots:
    """Shop fronts every 8 m around commercial buildings."""
    rings = shapely.get_exterior_ring(
        shapely.buffer(shapes_of([community.homes.buildings[k].shape for k in members]), 1.2, quad_segs=1)
    )
    n = np.maximum(3, (shapely.length(rings) / 8.0)).astype(int)
    which = np.repeat(np.arange(len(members)), n)
    share = np.concatenate([(np.arange(k) + 0.5) / k for k in n]) if len(n) else np.zeros(0)
    xy = shapely.get_coordinates(shapely.line_interpolate_point(rings[which], share, normalized=True))
    building = members[which]
    number = np.concatenate([np.arange(1, k + 1) for k in n]) if len(n) else np.zeros(0, int)
    at = shapely.centroid(shapes_of([community.homes.buildings[k].shape for k in members]))
    street = nearest_name([r for c in community.cells.values() for r in c.roads], at)
    title = np.array([f"{street[w]}商铺 {w + 1}-{m}" for w, m in zip(which, number, strict=True)], dtype=object)
    order = rng.permutation(len(xy))
    return Spots(xy, np.zeros(len(xy)), title, community.homes.grid[building], building).pick(order)


def _banks(community: Community, rng: np.random.Generator) -> tuple[F64, F64, list[str]]:
    rings = [
        (name, shapely.intersection(shapely.buffer(water, 5.0).exterior, community.area.buffer(-12.0)))
        for c in community.cells.values()
        for name, water, _ in c.rivers
    ]
    xy, title = [], []
    for name, ring in rings:
        for k in range(int(ring.length // 18)):
            point = ring.interpolate((k + 0.5) * 18)
            xy.append((point.x, point.y))
            title.append(f"{name}河段 {k + 1}")
    for kind, name, pond in community.waters:
        point = shapely.boundary(pond).interpolate(float(rng.uniform(0, 1)), normalized=True)
        xy.append((point.x, point.y))
        title.append(f"{name or '公园'}池塘" if kind == "pond" else name)
    order = rng.permutation(len(xy))
    return np.array(xy).reshape(-1, 2)[order], np.zeros(len(xy)), [title[k] for k in order]


def _grounds(community: Community, rng: np.random.Generator) -> tuple[F64, F64, list[str]]:
    xy, title, looks = [], [], []
    for estate in community.estates:
        if estate.use is Use.HOMES or estate.shape.is_empty:
            continue
        ring, centre = shapely.buffer(estate.shape, -3.0).boundary, estate.shape.centroid
        for k in range(max(4, int(ring.length // 45))):
            point = ring.interpolate(float((k + rng.uniform(0.2, 0.8)) * 45))
            xy.append((point.x, point.y))
            looks.append((centre.x - point.x, centre.y - point.y))
            title.append(f"{estate.name}周边")
    return np.array(xy).reshape(-1, 2), bearing(np.array(looks).reshape(-1, 2)), title
