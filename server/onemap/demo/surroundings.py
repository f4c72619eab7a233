"""What lies around a city of one community, so that the map is no island."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import shapely
from shapely import Polygon

from onemap.demo import layers
from onemap.demo.community import Community
from onemap.demo.ground import Road, nearest_name, shapes_of
from onemap.demo.plan import Cell, Sheet, Use
from onemap.demo.site import Building
from onemap.demo.table import Table, by_place, texts
from onemap.demo.town import BuiltCell, Estate, connected

#: How far the surroundings reach.
REACH_M = 540.0


def around(
    sheet: Sheet, community: Community, built: Callable[[Cell], BuiltCell], street_code: str
) -> tuple[dict[str, Table], Polygon]:
    """The layers' rows around a community, and the ground they cover; who lives there is not known."""
    i, j = community.head.cell
    cells = [(i + a, j + b) for b in (-1, 0, 1) for a in (-1, 0, 1)]
    near = community.area.buffer(REACH_M, join_style="mitre")
    shapely.prepare(near)
    inside = community.area.buffer(-1.0)
    shapely.prepare(inside)
    roads = list(community.roads)
    n_own = len(roads)
    estates: list[Estate] = []
    buildings: list[tuple[Building, int]] = []
    faces, greens, waters, rivers, streets = [], [], [], [], []
    for cell in cells:
        found = built(cell)
        streets += [r for r in found.roads if r.name]
        rivers += found.rivers
        if cell != community.head.cell:
            roads += [r for r in found.roads if not r.owner and near.intersects(r.line)]
        start = len(estates)
        kept = set()
        for k, atom in enumerate(found.atoms):
            if not near.intersects(atom.face) or inside.intersects(atom.face):
                continue
            faces.append(atom.face)
            kept.add(found.estate_of[k])
            buildings += [(b, start + found.estate_of[k]) for b in found.built[k].buildings]
            greens += found.built[k].greens
            waters += [(kind, name or "公园池塘", pond) for kind, name, pond in found.built[k].waters]
        estates += [e if k in kept else replace(e, shape=Polygon()) for k, e in enumerate(found.estates)]
    ground = shapely.union_all(shapes_of(faces))
    main = {id(r) for r in connected(roads)}
    wet, banks = layers.river_ground(rivers, ground)
    tables = {
        "estates": layers.estates_table(
            estates, [layers.estate_id(f"{street_code}000", k) for k in range(len(estates))], _zeros(estates)
        ),
        "buildings": _buildings(buildings, estates, streets, community.head.street_name, street_code),
        "roads": layers.roads_table(
            _renumbered(roads[n_own:], main), f"{street_code}000", np.random.default_rng([sheet.seed, 51])
        ),
        "water": layers.ground_table("water", [*wet, *waters], f"{street_code}000"),
        "green": layers.ground_table("green", [*banks, *greens], f"{street_code}000"),
    }
    named = {
        name: Table({"area_code": texts([street_code]).repeat(len(t)), **t.columns}, t.geometry)
        for name, t in tables.items()
    }
    return {name: by_place(t) for name, t in named.items()}, ground


def _renumbered(roads: list[Road], main: set[int]) -> list[Road]:
    return [r for r in roads if id(r) in main]


def _zeros(estates: list[Estate]) -> np.ma.MaskedArray:
    return np.ma.masked_all(len(estates), dtype=np.int64)


def _buildings(
    rows: list[tuple[Building, int]], estates: list[Estate], streets: list[Road], street_name: str, street_code: str
) -> Table:
    at = shapely.centroid(shapes_of([b.shape for b, _ in rows]))
    near = nearest_name(streets, at)
    counts: dict[int, int] = {}
    names = []
    for building, e in rows:
        counts[e] = counts.get(e, 0) + 1
        home = estates[e].use is Use.HOMES and building.use == "residential"
        names.append(f"{estates[e].name} {counts[e]} 栋" if home else f"{estates[e].name}{building.name}")
    ids = [f"{street_code}000B{k:05d}" for k in range(1, len(rows) + 1)]
    address = [f"{street_name}{s}{name}" for s, name in zip(near, names, strict=True)]
    estate = [layers.estate_id(f"{street_code}000", e) for _, e in rows]
    return layers.buildings_table(
        [b for b, _ in rows], ids, names, address, [estates[e].built_year for _, e in rows], estate
    )
