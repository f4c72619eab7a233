"""The ground of the invented city: everything that must tile does, nothing stands in the way of anything."""

from __future__ import annotations

from collections import Counter

import networkx as nx
import numpy as np
import shapely

from onemap.demo.ground import HALF_WIDTH_M
from tests.demo.conftest import COMMUNITY, Invented


def test_grids_tile_the_community(invented: Invented) -> None:
    grids = invented.tables["grids"].geometry
    areas = invented.tables["areas"]
    community = areas.geometry[areas.columns["area_code"].tolist().index(COMMUNITY)]
    assert shapely.coverage_is_valid(grids)
    assert all(grid.geom_type == "Polygon" for grid in grids)
    assert shapely.union_all(grids).symmetric_difference(community).area < 1e-15


def test_management_points_tile_the_grids(invented: Invented) -> None:
    points = invented.tables["management_points"]
    assert shapely.coverage_is_valid(points.geometry)
    for code, grid in zip(
        invented.tables["grids"].columns["grid_code"], invented.tables["grids"].geometry, strict=True
    ):
        inside = points.geometry[points.columns["grid_code"] == code]
        assert shapely.union_all(inside).symmetric_difference(grid).area < 1e-15


def test_department_grids_take_every_grid_once(invented: Invented) -> None:
    table = invented.tables["department_grids"]
    codes = Counter(invented.tables["grids"].columns["grid_code"].tolist())
    for department in set(table.columns["department"]):
        mine = table.columns["department"] == department
        assert Counter(code for row in table.columns["grid_codes"][mine] for code in row.split(",")) == codes
        assert shapely.coverage_is_valid(table.geometry[mine])


def test_areas_lie_inside_one_another(invented: Invented) -> None:
    areas = invented.tables["areas"]
    by_code = dict(zip(areas.columns["area_code"], areas.geometry, strict=True))
    for code, parent in zip(areas.columns["area_code"], areas.columns["parent_code"], strict=True):
        assert parent is None or by_code[code].difference(by_code[parent]).area < 1e-12
    assert all(shapely.get_num_interior_rings(shape) == 0 for shape in areas.geometry)


def test_grids_are_numbered_from_west_to_east_then_from_north_to_south(invented: Invented) -> None:
    centres = shapely.get_coordinates(shapely.centroid(invented.metres("grids")))
    step = np.diff(centres, axis=0)
    new_row = step[:, 0] < -300
    assert 2 <= new_row.sum() <= 6
    assert (step[new_row, 1] < 0).all()
    assert centres[0, 1] > centres[-1, 1]


def test_a_building_lies_whole_in_its_grid(invented: Invented) -> None:
    own = invented.own("buildings")
    buildings = invented.tables["buildings"]
    grids = dict(zip(invented.tables["grids"].columns["grid_code"], invented.metres("grids"), strict=True))
    for code, shape in zip(buildings.columns["grid_code"][own], invented.metres("buildings")[own], strict=True):
        assert grids[code].contains(shape)


def test_buildings_keep_clear_of_each_other_of_streets_and_of_water(invented: Invented) -> None:
    buildings, water, roads = invented.metres("buildings"), invented.metres("water"), invented.metres("roads")
    tree = shapely.STRtree(buildings)
    a, b = tree.query(buildings, predicate="dwithin", distance=2.0)
    assert (a == b).all()
    assert tree.query(water, predicate="intersects").size == 0
    width = np.array([HALF_WIDTH_M[kind] for kind in invented.tables["roads"].columns["road_class"]])
    assert tree.query(shapely.buffer(roads, width), predicate="intersects").size == 0


def test_all_streets_hang_together_on_foot(invented: Invented) -> None:
    walk = nx.Graph()
    table = invented.tables["roads"]
    for line, foot in zip(table.geometry, table.columns["foot"], strict=True):
        if foot:
            walk.add_edge(line.coords[0], line.coords[-1])
    assert nx.number_connected_components(walk) == 1
    assert walk.number_of_edges() > 1000


def test_streets_meet_only_at_their_ends(invented: Invented) -> None:
    lines = invented.metres("roads")[invented.own("roads")]
    a, b = shapely.STRtree(lines).query(lines, predicate="crosses")
    crossing = a < b
    assert shapely.length(shapely.intersection(lines[a[crossing]], lines[b[crossing]])).sum() < 0.01
    assert crossing.sum() < 4  # a path and an arterial that a neighbour draws


def test_bridges_go_over_the_river_and_nothing_else_does(invented: Invented) -> None:
    roads, lines = invented.tables["roads"].columns, invented.metres("roads")
    river = shapely.union_all(invented.metres("water")[invented.tables["water"].columns["kind"] == "river"])
    wet = shapely.length(shapely.intersection(lines, river)) > 5.0
    assert wet.sum() >= 4
    assert (roads["bridge"][wet]).all()
    assert (roads["z_level"][roads["bridge"]] == 1).all()
    assert {"学前街", "晴河大道"} <= set(roads["name"][wet])


def test_streets_bend_and_blocks_differ(invented: Invented) -> None:
    roads, own = invented.tables["roads"].columns, invented.own("roads")
    turned = []
    for name in set(roads["name"][own]) - {None}:
        lines = invented.metres("roads")[own & (roads["name"] == name)]
        if shapely.length(lines).sum() > 500:
            steps = np.concatenate([np.diff(shapely.get_coordinates(line), axis=0) for line in lines])
            heading = np.degrees(np.arctan2(steps[:, 1], steps[:, 0])) % 180
            turned.append(min(np.ptp(heading), np.ptp((heading + 90) % 180)))
    assert len(turned) >= 7
    assert np.median(turned) > 4.0
    areas = shapely.area(invented.metres("estates")[invented.own("estates")])
    assert np.percentile(areas, 90) > 3 * np.percentile(areas, 10)


def test_it_has_what_a_city_has(invented: Invented) -> None:
    own = invented.own("buildings")
    uses = Counter(invented.tables["buildings"].columns["use"][own])
    assert {"residential", "commercial", "office", "public", "school", "medical"} <= set(uses)
    floors = invented.tables["buildings"].columns["floors"][own]
    assert floors.min() >= 1
    assert (floors >= 12).sum() > 30  # towers
    estates = invented.tables["estates"]
    mine = invented.own("estates")
    homes = mine & (estates.columns["kind"] == "residential")
    assert 22 <= homes.sum() <= 34
    assert len(set(estates.columns["name"][homes])) == homes.sum()
    assert {"park", "square", "grass", "forest"} <= set(invented.tables["green"].columns["kind"])
    assert {"river", "pond"} <= set(invented.tables["water"].columns["kind"])


def test_the_map_is_no_island(invented: Invented) -> None:
    areas = invented.tables["areas"]
    community = invented.metres("areas")[areas.columns["area_code"].tolist().index(COMMUNITY)]
    for layer in ("buildings", "roads", "water", "green"):
        shapes = invented.metres(layer)[~invented.own(layer)]
        assert shapely.distance(shapes, community).max() > 250, layer


def test_points_stand_inside_the_community(invented: Invented) -> None:
    areas = invented.tables["areas"]
    community = invented.metres("areas")[areas.columns["area_code"].tolist().index(COMMUNITY)]
    for layer in ("cameras", "patrol_points", "facilities", "events"):
        assert shapely.distance(invented.metres(layer), community).max() < 15, layer
    assert (shapely.distance(invented.metres("responders"), community) < 4000).all()
