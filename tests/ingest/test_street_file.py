"""Streets from files of lines: what meets, what was assumed, what is refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiLineString, Point

from onemap.engine.network.build import build
from onemap.engine.network.index import snap
from onemap.engine.network.reach import reach, times
from onemap.errors import InputRefused
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.street_file import read_street_file, streets_from_frame

RULES = read_network_rules()


def frame(lines, crs=4547, **columns):
    return gpd.GeoDataFrame(columns, geometry=lines, crs=crs)


def network_of(lines, mode="foot", crs=4547, speed_kmh=None, **columns):
    return build(
        streets_from_frame(frame(lines, crs, **columns), RULES, "'streets'").streets, mode, RULES, speed_kmh=speed_kmh
    )


def seconds(network, start, end):
    x, y = np.array([[start[0], end[0]], [start[1], end[1]]], dtype=float)
    places = snap(network, x, y)
    return float(times(network, reach(network, places.take(np.array([1]))), places.take(np.array([0])))[0])


E, N = 500_000.0, 3_500_000.0  # on the central meridian of EPSG:4547, where metres are metres


def at(*points):
    return LineString([(E + x, N + y) for x, y in points])


def test_lines_meet_at_shared_vertices_and_nowhere_else():
    crossing = network_of([at((0, 0), (100, 0)), at((50, -50), (50, 50))])
    assert len(crossing.components.n_node) == 2
    meeting = network_of([at((0, 0), (50, 0), (100, 0)), at((50, -50), (50, 0), (50, 50))])
    assert len(meeting.components.n_node) == 1
    assert seconds(meeting, (E, N), (E + 50, N + 50)) == pytest.approx(100 / (4 / 3.6))


def test_a_bridge_over_a_shared_coordinate_does_not_meet_the_street_below():
    lines = [at((0, 0), (50, 0), (100, 0)), at((50, -50), (50, 0), (50, 50))]
    assert len(network_of(lines, bridge=[False, True]).components.n_node) == 2
    assert len(network_of(lines, z_level=[0, 1]).components.n_node) == 2
    assert len(network_of(lines, layer=["1", "1"]).components.n_node) == 1


def test_a_ramp_that_ends_on_a_bridge_joins_the_bridge():
    #  street below and bridge above share a coordinate; the ramp (level 1) ends there
    lines = [at((0, 0), (50, 0), (100, 0)), at((50, -50), (50, 0), (50, 50)), at((50, 0), (90, 40))]
    network = network_of(lines, z_level=[0, 1, 1])
    assert np.isfinite(seconds(network, (E + 90, N + 40), (E + 50, N + 50)))
    assert np.isinf(seconds(network, (E + 90, N + 40), (E, N)))


def test_the_ends_of_a_bridge_join_the_streets_on_either_side():
    lines = [at((0, 0), (50, 0)), at((50, 0), (80, 0)), at((80, 0), (120, 0))]
    assert len(network_of(lines, bridge=[False, True, False]).components.n_node) == 1


@pytest.mark.parametrize(
    ("value", "there", "back"),
    [
        ("yes", True, False),
        ("-1", False, True),
        ("forward", True, False),
        ("backward", False, True),
        ("no", True, True),
        ("F", True, False),
        ("T", False, True),
        ("B", True, True),
    ],
)
def test_one_way_streets_in_the_words_of_several_sources(value, there, back):
    network = network_of([at((0, 0), (100, 0))], "car", oneway=[value], highway=["residential"])
    assert np.isfinite(network.edge_forward_s[0]) == there
    assert np.isfinite(network.edge_backward_s[0]) == back


def test_a_flag_of_the_roads_layer_wins():
    lines = [at((0, 0), (100, 0)), at((100, 0), (200, 0))]
    network = network_of(lines, "car", road_class=["residential", "footway"], car=[False, True], speed_kmh=None)
    assert network.edge_way.tolist() == [1]
    assert network.edge_forward_s[0] == pytest.approx(100 / (RULES.modes["car"].default_kmh / 3.6))


def test_posted_speeds_are_read_as_text():
    lines = [at((0, 0), (100, 0)), at((100, 0), (200, 0)), at((200, 0), (300, 0))]
    network = network_of(lines, "car", highway=["primary"] * 3, maxspeed=["25 mph", "60;40", "RU:urban"])
    assert (network.edge_length_m / network.edge_forward_s * 3.6).tolist() == pytest.approx([40.2336, 40.0, 50.0])


def test_degrees_and_web_mercator_are_measured_on_the_ellipsoid():
    line = LineString([(117.28, 31.86), (117.29, 31.86)])
    lengths = [
        network_of([geometry], crs=crs).edge_length_m[0]
        for crs, geometry in ((4490, line), (3857, gpd.GeoSeries([line], crs=4326).to_crs(3857)[0]))
    ]
    assert lengths == pytest.approx([946.2, 946.2], abs=0.3)


def test_what_was_assumed_is_said():
    source = streets_from_frame(frame([at((0, 0), (9, 0))]), RULES, "'streets'")
    assert any("no class" in note for note in source.streets.notes)
    odd = frame([at((0, 0), (9, 0)), at((9, 0), (20, 0)), Point(E, N)], highway=["residential", "moonpath", "path"])
    notes = streets_from_frame(odd, RULES, "'streets'").streets.notes
    assert any("moonpath (1)" in note for note in notes)
    assert any("1 of 3 rows hold no line" in note for note in notes)


def test_the_parts_of_a_multi_line_are_ways_of_their_own():
    parts = MultiLineString([at((0, 0), (50, 0)), at((50, 0), (50, 70))])
    assert network_of([parts]).edge_length_m.tolist() == pytest.approx([50.0, 70.0])


def test_files_that_cannot_be_streets_are_refused_with_a_sentence(tmp_path):
    with pytest.raises(InputRefused, match="no file"):
        read_street_file(tmp_path / "nothing.gpkg", RULES)
    frame([Point(E, N)]).to_file(tmp_path / "points.gpkg")
    with pytest.raises(InputRefused, match="no lines"):
        read_street_file(tmp_path / "points.gpkg", RULES)
    with pytest.warns(UserWarning, match="crs"):
        gpd.GeoDataFrame(geometry=[at((0, 0), (9, 0))]).to_file(tmp_path / "bare.gpkg")
    with pytest.raises(InputRefused, match="reference system"):
        read_street_file(tmp_path / "bare.gpkg", RULES)
    (tmp_path / "text.gpkg").write_text("not a database")
    with pytest.raises(InputRefused, match="cannot be read"):
        read_street_file(tmp_path / "text.gpkg", RULES)
    with np.errstate(invalid="ignore"):
        broken = shapely.linestrings([[E, N], [np.nan, N]])
    with pytest.raises(InputRefused, match="not numbers"):
        streets_from_frame(frame([broken, at((0, 0), (9, 0))]), RULES, "'streets'")
