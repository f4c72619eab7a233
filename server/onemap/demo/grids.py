"""Grids and management points of a community: unions of atoms, then of pieces of atoms, that tile it exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import LineString, Polygon

from onemap.demo.arrays import F64, I64, Objects
from onemap.demo.ground import shapes_of

_PENALTY = {"primary": 4.0, "secondary": 2.3, "tertiary": 1.6, "residential": 1.15, "service": 0.9, None: 1.0}
_RIVER_PENALTY, _SAME_ESTATE = 60.0, 0.7
FEWEST_POINTS, MOST_POINTS = 5, 10


@dataclass(frozen=True, slots=True)
class Border:
    """What lies between two neighbouring atoms, by which a grid is loath to cross it."""

    a: int
    b: int
    penalty: float


def borders(
    faces: Objects, estates: list[int], lines: list[tuple[LineString, str]], rivers: list[LineString]
) -> list[Border]:
    """Neighbouring atoms and what parts them."""
    tree = shapely.STRtree(faces)
    a, b = tree.query(faces, predicate="intersects")
    a, b = a[a < b], b[a < b]
    shared = shapely.intersection(faces[a], faces[b])
    keep = shapely.length(shared) > 12.0
    a, b, shared = a[keep], b[keep], shared[keep]
    middles = shapely.line_interpolate_point(
        shapes_of([_longest(shapely.line_merge(s)) for s in shared]), 0.5, normalized=True
    )
    road_tree = shapely.STRtree(shapes_of([line for line, _ in lines]))
    near = road_tree.nearest(middles)
    far = shapely.distance(middles, shapes_of([line for line, _ in lines])[near]) > 1.0
    water = (
        shapely.distance(middles, shapely.union_all(shapes_of(list(rivers)))) < 1.0
        if rivers
        else np.zeros(len(a), bool)
    )
    return [
        Border(
            int(x),
            int(y),
            _RIVER_PENALTY
            if w
            else _PENALTY[None if f else lines[int(n)][1]] * (_SAME_ESTATE if estates[x] == estates[y] else 1.0),
        )
        for x, y, n, f, w in zip(a, b, near, far, water, strict=True)
    ]


def group(capacity: F64, parts: list[Border], n_groups: int) -> I64:
    """
    The grid number (n_atom,) of each atom: neighbours joined, smallest sum first, until n_groups are left.

    Notes
    -----
    Greedy agglomeration on the graph of neighbours; the cost of a union is its capacity times what it would cross.
    """
    zone = np.arange(len(capacity))
    size = capacity.astype(float) + 1.0
    edges: dict[tuple[int, int], float] = {}
    for part in parts:
        edges[part.a, part.b] = min(part.penalty, edges.get((part.a, part.b), np.inf))
    for _ in range(len(capacity) - n_groups):
        if not edges:
            break
        keep, drop = min(edges, key=lambda e: (_reluctance(size[e[0]], size[e[1]], edges[e]), e))
        size[keep] += size[drop]
        zone[zone == drop] = keep
        joined: dict[tuple[int, int], float] = {}
        for (old_x, old_y), penalty in edges.items():
            x, y = keep if old_x == drop else old_x, keep if old_y == drop else old_y
            if x != y:
                key = (min(x, y), max(x, y))
                joined[key] = min(penalty, joined.get(key, np.inf))
        edges = joined
    return np.unique(zone, return_inverse=True)[1].astype(np.int64)


def _reluctance(a: float, b: float, penalty: float) -> float:
    """The cost of a union; ground with few homes is taken in first, wherever it lies."""
    return float((a + b) * penalty * (0.05 if min(a, b) < 110.0 else 1.0))


def reading_order(centres: F64, heading_rad: float, row_m: float) -> I64:
    """The rank (n,) of places read like a page: rows from north to south, each from west to east."""
    cos, sin = np.cos(heading_rad), np.sin(heading_rad)
    along, up = centres @ [cos, sin], centres @ [-sin, cos]
    row = np.floor((up.max() - up) / row_m + 0.25)
    rank = np.empty(len(centres), np.int64)
    rank[np.lexsort((along, row))] = np.arange(len(centres))
    return rank


def cut(faces: Objects, cuts: list[LineString]) -> Objects:
    """The pieces into which lines cut faces that tile; the pieces tile too, vertex to vertex."""
    lines = np.concatenate([shapely.boundary(faces), shapes_of(list(cuts))])
    noded = shapely.union_all(lines, grid_size=1e-3)
    return np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))), dtype=object)


@dataclass(frozen=True, slots=True)
class Stock:
    """The buildings on an atom: their shapes and the homes they would hold."""

    shapes: Objects
    capacity: F64


def choose_cuts(faces: Objects, zone: I64, gaps: list[list[LineString]], stocks: list[Stock]) -> list[LineString]:
    """Lines between buildings that cut each grid into five to ten pieces with homes, as far as they allow."""
    chosen: list[LineString] = []
    size = np.array([stock.capacity.sum() for stock in stocks])
    for z in range(int(zone.max()) + 1):
        members = np.flatnonzero(zone == z)
        wanted = int(np.clip(round(size[members].sum() / 80.0), FEWEST_POINTS + 1, 8))
        lines = {int(k): [part for gap in gaps[k] for part in _across(gap, faces[k])] for k in members}
        n_cuts = _spread(wanted - len(members), np.array([len(lines[int(k)]) for k in members]), size[members])
        pieces: list[tuple[Polygon, Stock]] = []
        for k, n in zip(members.tolist(), n_cuts.tolist(), strict=True):
            picks = np.unique(((np.arange(n) + 0.5) * len(lines[k]) / max(n, 1)).astype(int))
            here = [lines[k][int(p)] for p in picks]
            chosen += here
            pieces += _with_stock(cut(faces[[k]], here), stocks[k])
        chosen += _more_cuts(pieces, wanted)
    return chosen


def _more_cuts(pieces: list[tuple[Polygon, Stock]], wanted: int) -> list[LineString]:
    """Lines that halve the fullest pieces until enough hold homes; then the largest, until there are five."""
    found: list[LineString] = []
    for parts_homes in (True, False):
        stuck: set[int] = set()
        while _n_done(pieces, parts_homes) < (wanted if parts_homes else FEWEST_POINTS):
            rest = [k for k in range(len(pieces)) if k not in stuck and pieces[k][0].area > 700.0]
            if not rest:
                break
            k = max(rest, key=lambda m: (pieces[m][1].capacity.sum() if parts_homes else 0.0, pieces[m][0].area))
            line = _halving_line(*pieces[k], parts_homes=parts_homes)
            halves = [] if line is None else _with_stock(cut(shapes_of([pieces[k][0]]), [line]), pieces[k][1])
            if line is None or len(halves) != 2:
                stuck.add(k)
                continue
            found.append(line)
            pieces[k : k + 1] = halves
            stuck = {m + 1 if m > k else m for m in stuck}
    return found


def _n_done(pieces: list[tuple[Polygon, Stock]], by_homes: bool) -> int:
    return sum((_is_full(piece, stock) if by_homes else piece.area > 500.0) for piece, stock in pieces)


def _is_full(piece: Polygon, stock: Stock) -> bool:
    return bool(stock.capacity.sum() >= 20.0 and piece.area > 500.0)


def _with_stock(pieces: Objects, stock: Stock) -> list[tuple[Polygon, Stock]]:
    if len(stock.shapes) == 0:
        return [(piece, stock) for piece in pieces]
    middles = shapely.point_on_surface(stock.shapes)
    found = []
    for piece in pieces:
        inside = shapely.intersects(piece, middles)
        found.append((piece, Stock(stock.shapes[inside], stock.capacity[inside])))
    return found


def _halving_line(piece: Polygon, stock: Stock, *, parts_homes: bool) -> LineString | None:
    """The line across a piece that touches no building and leaves half the homes (or the ground) on either side."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(piece))
    middle, side = corners[:4].mean(axis=0), corners[1] - corners[0]
    base = float(np.arctan2(side[1], side[0]))
    angles = base + np.array([0, 90, 4, -4, 86, 94, 8, -8, 82, 98, 45, -45]) * np.pi / 180
    ahead = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    aside = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    reach = float(np.hypot(*(corners[2] - corners[0]))) / 2
    offsets = np.linspace(-0.9, 0.9, 61) * reach
    at = middle + aside[:, None, :] * offsets[None, :, None]
    ends = np.stack([at - ahead[:, None, :] * 2 * reach, at + ahead[:, None, :] * 2 * reach], axis=2)
    lines = shapely.linestrings(ends.reshape(-1, 2, 2))
    solid = shapely.buffer(shapely.union_all(stock.shapes), 0.9, quad_segs=1)
    shapely.prepare(solid)
    clear = np.flatnonzero(~shapely.intersects(solid, lines))
    if parts_homes:
        if stock.capacity.sum() == 0:
            return None
        centres = shapely.get_coordinates(shapely.centroid(stock.shapes))
        above = np.einsum("bd,ad->ab", centres - middle, aside)[:, None, :] > offsets[None, :, None]
        share = (above * stock.capacity).sum(axis=2).ravel() / float(stock.capacity.sum())
    else:
        share = np.tile(0.5 + 0.45 * offsets / reach, len(angles))
    bad = np.abs(share - 0.5) + 0.004 * np.repeat(np.arange(len(angles)), len(offsets))
    for k in clear[np.argsort(bad[clear], kind="stable")][:12]:
        if not 0.04 < share[k] < 0.96:
            break
        crossing = _across(lines[k], piece)
        if len(crossing) == 1:
            return crossing[0]
    return None


def points(pieces: Objects, zone: I64, households: I64) -> I64:
    """The management point (n_piece,) of each piece: pieces without homes join a neighbour, at most ten a grid."""
    point = np.arange(len(pieces))
    tree = shapely.STRtree(pieces)
    a, b = tree.query(pieces, predicate="touches")
    same = (zone[a] == zone[b]) & (a < b)
    a, b = a[same], b[same]
    area = shapely.area(pieces)
    crumb = np.minimum(area[a], area[b]) < 2.0
    keep = (shapely.length(shapely.intersection(pieces[a], pieces[b])) > 2.0) | crumb
    pairs = list(zip(a[keep].tolist(), b[keep].tolist(), strict=True))
    homes = households.astype(float)
    for z in range(int(zone.max()) + 1):
        members = set(np.flatnonzero(zone == z).tolist())
        while True:
            labels = {int(point[m]) for m in members}
            sums = {m: homes[[k for k in members if point[k] == m]].sum() for m in labels}
            areas = {m: area[[k for k in members if point[k] == m]].sum() for m in labels}
            weak = [m for m in labels if sums[m] < 12 or areas[m] < 300]
            if not (
                len(labels) > MOST_POINTS
                or (weak and len(labels) > FEWEST_POINTS)
                or any(areas[m] < 300 for m in labels)
            ):
                break
            options = [
                (
                    sums[int(point[x])]
                    + sums[int(point[y])]
                    + (0 if {int(point[x]), int(point[y])} & set(weak) else 500),
                    x,
                    y,
                )
                for x, y in pairs
                if x in members and point[x] != point[y]
            ]
            if not options:
                break
            _, x, y = min(options)
            point[point == point[y]] = point[x]
    return np.unique(point, return_inverse=True)[1].astype(np.int64)


def _spread(total: int, room: I64, weight: F64) -> I64:
    """Whole numbers up to the room of each that add up to the total as far as there is room."""
    given = np.zeros(len(room), np.int64)
    for _ in range(max(0, min(total, int(room.sum())))):
        pull = np.where(given < room, (weight + 1.0) / (given + 1.0), -1.0)
        given[int(np.argmax(pull))] += 1
    return given


def _across(line: LineString, face: Polygon) -> list[LineString]:
    crossing = shapely.intersection(line, face.buffer(0.3))
    return [part for part in shapely.get_parts(crossing) if part.geom_type == "LineString" and part.length > 10.0]


def _longest(shape: object) -> LineString:
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "LineString"]
    return max(parts, key=lambda p: p.length) if parts else LineString([(0, 0), (0, 1)])
