"""A larger city is made of different communities that fit together, each made alone or with others alike."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import shapely

from onemap.demo import City, Part, invent
from onemap.demo.table import hilbert
from tests.demo.conftest import NOW


@pytest.fixture(scope="module")
def city() -> City:
    return invent(seed=1, scale=4, now=NOW, n_events=400)


@pytest.fixture(scope="module")
def parts(city: City) -> list[Part]:
    return list(city.parts())


def test_households_are_the_fixtures_times_the_scale(city: City, parts: list[Part]) -> None:
    assert city.households == 4 * 14_878
    assert sum(int(p.tables["buildings"].columns["households"].sum()) for p in parts[:-1]) == 4 * 14_878
    assert city.heads[0].households == 14_878


def test_communities_differ(parts: list[Part]) -> None:
    shapes = {(len(p.tables["buildings"]), len(p.tables["roads"]), len(p.tables["grids"])) for p in parts[:-1]}
    assert len(shapes) == 4
    assert len({p.name for p in parts[:-1]}) == 4


def test_keys_are_given_once_in_the_whole_city(parts: list[Part]) -> None:
    keys = {"buildings": "building_id", "roads": "road_id", "cameras": "camera_id", "events": "event_no",
            "patrol_points": "qr_code", "facilities": "facility_id", "responders": "responder_id", "grids": "grid_code",
            "estates": "estate_id", "water": "water_id", "green": "green_id",
            "department_grids": "department_grid_code", "management_points": "point_code"}  # fmt: skip
    for layer, key in keys.items():
        values = [v for p in parts[:-1] for v in p.tables[layer].columns[key].tolist()]
        assert len(set(values)) == len(values), layer
    ids = [v for p in parts[:-1] for v in p.tables["cameras"].columns["gb28181_id"].tolist()]
    assert len(set(ids)) == len(ids)


def test_keys_tell_100_communities_apart() -> None:
    heads = invent(seed=1, scale=100, now=NOW).heads
    assert len({head.area_code for head in heads}) == 100
    assert len({head.area_code[4:] for head in heads}) == 100
    assert len({head.name for head in heads}) == 100
    assert sum(head.households for head in heads) == 1_487_800


def test_streets_go_from_community_to_community(parts: list[Part]) -> None:
    walk = nx.Graph()
    for part in parts[:-1]:
        for line in part.tables["roads"].geometry:
            walk.add_edge(line.coords[0], line.coords[-1])
    pieces = sorted((len(c) for c in nx.connected_components(walk)), reverse=True)
    assert pieces[0] > 0.99 * sum(pieces)


def test_communities_lie_side_by_side(parts: list[Part]) -> None:
    grounds = [p.ground for p in parts[:-1]]
    whole = shapely.union_all(grounds)
    assert whole.geom_type == "Polygon"
    assert abs(sum(g.area for g in grounds) - whole.area) < 5.0


def test_areas_carry_the_sums_of_what_they_hold(parts: list[Part]) -> None:
    areas = parts[-1].tables["areas"].columns
    rows = dict(zip(areas["area_code"], areas["households"].tolist(), strict=True))
    assert rows["9901"] == 4 * 14_878
    assert sum(n for code, n in rows.items() if len(code) == 12) == rows["9901"]


def test_a_community_is_the_same_made_alone(city: City, parts: list[Part]) -> None:
    alone = next(city.communities([2]))
    for name, table in alone.tables.items():
        assert len(table) == len(parts[2].tables[name])
        if table.geometry is not None:
            assert shapely.equals_exact(table.geometry, parts[2].tables[name].geometry).all(), name


def test_a_hilbert_curve_visits_every_cell_once_and_steps_to_a_neighbour() -> None:
    x, y = (a.ravel() for a in np.meshgrid(np.arange(8), np.arange(8)))
    order = np.argsort(hilbert(x, y, bits=3))
    assert sorted(hilbert(x, y, bits=3).tolist()) == list(range(64))
    assert (np.abs(np.diff(x[order])) + np.abs(np.diff(y[order])) == 1).all()
