"""One cell, built: estates with their buildings, lanes and gates, streets, greens and water."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from shapely import LineString, Polygon

from onemap.demo import fabric, ground, names
from onemap.demo.frame import Frame
from onemap.demo.ground import Atom, Road
from onemap.demo.homes import Style
from onemap.demo.plan import Cell, CellPlan, Sheet, Use
from onemap.demo.site import Building, Built, Site

#: How often estates are of which style, and when each style was built.
_STYLES = ((Style.SLAB, 0.45), (Style.OLD, 0.28), (Style.MID, 0.15), (Style.TOWER, 0.06), (Style.MIXED, 0.06))
_YEARS = {
    Style.OLD: (1979, 1997),
    Style.SLAB: (1996, 2008),
    Style.MID: (2007, 2019),
    Style.TOWER: (2011, 2023),
    Style.MIXED: (2008, 2018),
}
_USE_TITLES = {
    Use.PARK: "公园",
    Use.MIDDLE_SCHOOL: "中学",
    Use.PRIMARY_SCHOOL: "小学",
    Use.MALL: "广场",
    Use.OFFICE: "创业园",
    Use.MARKET: "菜市场",
    Use.HEALTH: "社区卫生服务中心",
    Use.PLAZA: "市民广场",
    Use.CIVIC: "党群服务中心",
    Use.WORKSHOPS: "产业园",
}


@dataclass(slots=True)
class Estate:
    """Ground that belongs together, with the atoms on it."""

    number: int
    use: Use
    name: str
    style: Style
    built_year: int
    atoms: list[int] = field(default_factory=list)
    shape: Polygon = field(default_factory=Polygon)


@dataclass(slots=True)
class BuiltCell:
    """Everything that stands on one cell, in local metres."""

    plan: CellPlan
    atoms: list[Atom]
    #: Per atom: what was built on it, and the estate it belongs to.
    built: list[Built]
    estate_of: list[int]
    estates: list[Estate]
    roads: list[Road]
    #: River name, water, water with banks.
    rivers: list[tuple[str, Polygon, Polygon]]


def build_cell(sheet: Sheet, frame: Frame, cell: Cell) -> BuiltCell:
    """Build one cell; the same whoever asks."""
    plan = sheet.plan(cell)
    rng = np.random.default_rng([sheet.seed, 21, cell[0] + 1000, cell[1] + 1000])
    atoms = ground.atoms(sheet, frame, plan)
    streets = ground.roads(sheet, frame, plan)
    rivers = [(r.name, water, wide) for r, water, wide in ground.water(sheet, frame, plan)]
    taken = shapely.union_all([ground.corridor(streets), *(wide for _, _, wide in rivers)])
    estates, estate_of = _estates(rng, atoms, cell)
    _shape_estates(estates, atoms, taken)
    nurseries = _nursery_atoms(rng, atoms, estates)
    built = [
        _build_atom(sheet.seed, atom, estates[estate_of[k]], kindergarten=k in nurseries)
        for k, atom in enumerate(atoms)
    ]
    lanes = [lane for k, atom in enumerate(atoms) for lane in _lanes(atom, built[k])]
    roads = connected(ground.roads(sheet, frame, plan, lanes))
    return BuiltCell(plan, atoms, built, estate_of, estates, roads, rivers)


def _estates(rng: np.random.Generator, atoms: list[Atom], cell: Cell) -> tuple[list[Estate], list[int]]:
    draw = names.estate_names(rng, cell == (0, 0))
    styles, weights = [s for s, _ in _STYLES], [w for _, w in _STYLES]
    found: dict[int, Estate] = {}
    titles: dict[tuple[Use, int], str] = {}
    for k, atom in enumerate(atoms):
        if atom.estate not in found:
            use = atom.parcel.use
            style = Style(str(rng.choice([s.value for s in styles], p=weights)))
            low, high = _YEARS[style]
            if use not in (Use.HOMES, Use.PLAZA) and (use, atom.parcel.block) not in titles:
                titles[use, atom.parcel.block] = names.stem(draw()) + _USE_TITLES[use]
            name = draw() if use is Use.HOMES else titles.get((use, atom.parcel.block), _USE_TITLES[use])
            found[atom.estate] = Estate(atom.estate, use, name, style, int(rng.integers(low, high + 1)))
        found[atom.estate].atoms.append(k)
    estates = list(found.values())
    where = {estate.number: n for n, estate in enumerate(estates)}
    return estates, [where[atom.estate] for atom in atoms]


def _shape_estates(estates: list[Estate], atoms: list[Atom], taken: Polygon) -> None:
    whole = [shapely.union_all([atoms[k].face for k in estate.atoms]) for estate in estates]
    for estate, shape in zip(estates, shapely.difference(ground.shapes_of(whole), taken), strict=True):
        estate.shape = ground.largest(shapely.buffer(shape, -1.2, join_style="mitre", mitre_limit=2.0))


def _nursery_atoms(rng: np.random.Generator, atoms: list[Atom], estates: list[Estate]) -> frozenset[int]:
    """Atoms that hold a kindergarten: seven large ones of different estates."""
    large = [
        max(e.atoms, key=lambda k: atoms[k].face.area) for e in estates if e.use is Use.HOMES and e.shape.area > 11_000
    ]
    return frozenset(large[int(k)] for k in rng.permutation(len(large))[:7])


def _build_atom(seed: int, atom: Atom, estate: Estate, *, kindergarten: bool) -> Built:
    where = atom.parcel.box
    rng = np.random.default_rng([seed, 22, int(where[0] + 1e6), int(where[1] + 1e6), atom.estate])
    inner = shapely.intersection(estate.shape, atom.face)
    inner = ground.largest(
        shapely.buffer(shapely.difference(inner, _inner_edges(atom, estate)), -2.4, join_style="mitre", mitre_limit=2.0)
    )
    if inner.area < 350.0:
        built = Built()
        if inner.area > 120.0:
            built.greens.append(("grass", "", inner))
        return built
    west, _, east, _ = atom.sides
    shops = [
        side
        for side, kind in (("west", west), ("east", east))
        if kind in ("primary", "secondary") and rng.random() < 0.55
    ]
    if inner.bounds[2] - inner.bounds[0] < 70 or kindergarten:
        shops = []
    return fabric.build(
        Site.on(inner, atom.heading_rad, rng), estate.use, estate.style, shop_sides=shops, kindergarten=kindergarten
    )


def _inner_edges(atom: Atom, estate: Estate) -> Polygon:
    """The lanes along the atom's edges inside the estate, as ground."""
    edge = shapely.intersection(atom.face.exterior, shapely.buffer(estate.shape, -6.0))
    return shapely.buffer(edge, ground.HALF_GROUND_M["service"], cap_style="square")


def _lanes(atom: Atom, built: Built) -> list[Road]:
    """Paths between rows from a lane or lesser street into the estate, and the paths of parks."""
    reach = shapely.buffer(atom.face, 0.6)
    lanes = [
        Road(part, "footway", "")
        for path in built.paths
        for part in shapely.get_parts(shapely.intersection(path, reach))
        if part.length > 3
    ]
    west, _, east, _ = atom.sides
    order = ("service", "residential", "tertiary", "secondary")
    sides = sorted((order.index(kind), side) for side, kind in ((0, west), (1, east)) if kind in order)
    if not sides:
        return lanes
    kinds = {side for rank, side in sides if rank <= 1} or {sides[0][1]}
    for n, gap in enumerate(built.gaps):
        cut = shapely.intersection(gap, reach)
        if cut.geom_type != "LineString" or cut.length < 30:
            continue
        start, end = np.array(cut.coords[0]), np.array(cut.coords[-1])
        ahead = (end - start) / np.linalg.norm(end - start)
        a = start if 0 in kinds else start + ahead * 16.0
        b = end if 1 in kinds else end - ahead * 16.0
        lanes.append(Road(LineString([a, b]), "service" if n % 2 == 0 else "footway", ""))
    return [lane for lane in lanes if not _hits(lane.line, built.buildings)]


def _hits(line: LineString, buildings: list[Building]) -> bool:
    return any(line.distance(b.shape) < 2.2 for b in buildings)


def connected(roads: list[Road]) -> list[Road]:
    """The roads that hang together with the most others."""
    ends = np.array([(*r.line.coords[0], *r.line.coords[-1]) for r in roads]).reshape(-1, 2)
    nodes, number = np.unique(np.round(ends, 3), axis=0, return_inverse=True)
    a, b = number.reshape(-1, 2).T
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(len(nodes), len(nodes)))
    _, label = connected_components(graph, directed=False)
    main = np.bincount(label[a]).argmax()
    return [road for road, where in zip(roads, label[a], strict=True) if where == main]
