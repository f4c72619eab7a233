"""Grids and management points of a community: unions of atoms, then of pieces of atoms, that tile it exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from onemap.demo.ground import shapes_of

F64, I64, Shapes = NDArray[np.float64], NDArray[np.int64], NDArray[np.object_]

_PENALTY = {"primary": 4.0, "secondary": 2.3, "tertiary": 1.6, "residential": 1.15, "service": 0.9, None: 1.0}
_RIVER_PENALTY, _SAME_ESTATE = 60.0, 0.7
FEWEST_POINTS, MOST_POINTS = 5, 10


@dataclass(frozen=True, slots=True)
class Border:
    """What lies between two neighbouring atoms, by which a grid is loath to cross it."""

    a: int
    b: int
    penalty: float


def borders(faces: Shapes, estates: list[int], lines: list[tuple[LineString, str]], rivers: list[LineString]) -> list[Border]:
    """Neighbouring atoms and what parts them."""
    tree = shapely.STRtree(faces)
    a, b = tree.query(faces, predicate="intersects")
    a, b = a[a < b], b[a < b]
    shared = shapely.intersection(faces[a], faces[b])
    keep = shapely.length(shared) > 12.0
    a, b, shared = a[keep], b[keep], shared[keep]
    middles = shapely.line_interpolate_point(shapes_of([_longest(shapely.line_merge(s)) for s in shared]), 0.5, normalized=True)
    road_tree = shapely.STRtree(shapes_of([line for line, _ in lines]))
    near = road_tree.nearest(middles)
    far = shapely.distance(middles, shapes_of([line for line, _ in lines])[near]) > 1.0
    water = shapely.distance(middles, shapely.union_all(shapes_of(list(rivers)))) < 1.0 if rivers else np.zeros(len(a), bool)
    return [
        Border(int(x), int(y), _RIVER_PENALTY if w else _PENALTY[None if f else lines[int(n)][1]] * (_SAME_ESTATE if estates[x] == estates[y] else 1.0))
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
        for (x, y), penalty in edges.items():
            x, y = keep if x == drop else x, keep if y == drop else y
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


def cut(faces: Shapes, cuts: list[LineString]) -> Shapes:
    """The pieces into which lines cut faces that tile; the pieces tile too, vertex to vertex."""
    lines = np.concatenate([shapely.boundary(faces), shapes_of(list(cuts))])
    noded = shapely.union_all(lines, grid_size=1e-3)
    return np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))), dtype=object)


def choose_cuts(faces: Shapes, zone: I64, capacity: F64, gaps: list[list[LineString]], solid: list[Polygon]) -> list[LineString]:
    """Lines between buildings that cut each grid's atoms into five to ten pieces."""
    chosen: list[LineString] = []
    for z in range(int(zone.max()) + 1):
        members = np.flatnonzero(zone == z)
        wanted = int(np.clip(round(capacity[members].sum() / 75.0), 7, 9)) - len(members)
        lines = {int(k): [part for gap in gaps[k] for part in _across(gap, faces[k])] for k in members}
        n_cuts = _spread(wanted, np.array([len(lines[int(k)]) for k in members]), capacity[members])
        for k, n in zip(members.tolist(), n_cuts.tolist(), strict=True):
            picks = np.unique(((np.arange(n) + 0.5) * len(lines[k]) / max(n, 1)).astype(int))
            chosen += [lines[k][int(p)] for p in picks]
            wanted -= len(picks)
        for k in sorted(members.tolist(), key=lambda m: (-faces[m].area, m)):
            extra = _clear_lines(faces[k], solid[k], wanted) if wanted > 0 else []
            chosen += extra
            wanted -= len(extra)
    return chosen


def points(pieces: Shapes, zone: I64, households: I64) -> I64:
    """The management point (n_piece,) of each piece: pieces without homes join a neighbour, at most ten a grid."""
    point = np.arange(len(pieces))
    tree = shapely.STRtree(pieces)
    a, b = tree.query(pieces, predicate="touches")
    same = (zone[a] == zone[b]) & (a < b)
    a, b = a[same], b[same]
    keep = shapely.length(shapely.intersection(pieces[a], pieces[b])) > 2.0
    pairs = list(zip(a[keep].tolist(), b[keep].tolist(), strict=True))
    homes = households.astype(float)
    area = shapely.area(pieces)
    for z in range(int(zone.max()) + 1):
        members = set(np.flatnonzero(zone == z).tolist())
        while True:
            labels = {int(point[m]) for m in members}
            sums = {m: homes[[k for k in members if point[k] == m]].sum() for m in labels}
            areas = {m: area[[k for k in members if point[k] == m]].sum() for m in labels}
            weak = [m for m in labels if sums[m] < 12 or areas[m] < 300]
            if not (len(labels) > MOST_POINTS or (weak and len(labels) > FEWEST_POINTS) or any(areas[m] < 300 for m in labels)):
                break
            options = [(sums[int(point[x])] + sums[int(point[y])] + (0 if {int(point[x]), int(point[y])} & set(weak) else 500), x, y)
                       for x, y in pairs if x in members and point[x] != point[y]]  # fmt: skip
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


def _clear_lines(face: Polygon, solid: Polygon, n: int) -> list[LineString]:
    """Up to n lines across a face, parallel to one of its four long sides, that touch nothing solid."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(face))
    middle = corners[:4].mean(axis=0)
    best: list[LineString] = []
    for ahead in (corners[1] - corners[0], corners[2] - corners[1], np.array([-0.09, 1.0]), np.array([1.0, 0.0])):
        ahead = ahead / np.linalg.norm(ahead)
        aside = np.array([-ahead[1], ahead[0]])
        reach = np.abs((corners - middle) @ aside).max()
        found: list[LineString] = []
        last = -np.inf
        for offset in np.linspace(-0.86, 0.86, 44) * reach:
            line = LineString([middle + aside * offset - ahead * 400, middle + aside * offset + ahead * 400])
            if offset - last > 14.0 and len(found) < n and shapely.distance(line, solid) > 1.2:
                cutting = _across(line, face)
                if len(cutting) == 1:
                    found, last = [*found, cutting[0]], float(offset)
        best = max(best, found, key=len)
    return best


def _longest(shape: object) -> LineString:
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "LineString"]
    return max(parts, key=lambda p: p.length) if parts else LineString([(0, 0), (0, 1)])
