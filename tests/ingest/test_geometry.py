"""Foreign geometries: what is repaired, what is refused, with which words."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiLineString, Point, Polygon, box

from onemap.domain.layer import GeometryType
from onemap.errors import InputRefused
from onemap.ingest.crs import parse_crs
from onemap.ingest.geometry import Settled, from_wkb, settle

WGS84 = parse_crs("wgs84")
SQUARE = box(117.3, 31.7, 117.301, 31.701)
BOWTIE = Polygon([(117.1, 31.1), (117.2, 31.2), (117.2, 31.1), (117.1, 31.2)])


def settled(shapes, geometry=GeometryType.MULTI_POLYGON, crs=WGS84, limit=10_000) -> Settled:
    return settle(from_wkb([None if s is None else shapely.to_wkb(s) for s in shapes], limit), geometry, crs, limit)


def test_a_bow_tie_becomes_two_triangles():
    found = settled([BOWTIE])
    assert found.repaired.tolist() == [True]
    assert len(found.shapes[0].geoms) == 2
    assert found.shapes[0].is_valid


def test_an_open_ring_is_closed():
    raw = shapely.to_wkb(Polygon([(117.1, 31.1), (117.2, 31.1), (117.2, 31.2), (117.1, 31.1)]))
    cut = raw[:9] + np.uint32(3).tobytes() + raw[13:-16]
    found = settle(from_wkb([cut], 100), GeometryType.MULTI_POLYGON, WGS84, 100)
    assert found.repaired.tolist() == [True]
    assert found.problem == {}


def test_each_row_that_cannot_be_taken_has_its_reason():
    spike = Polygon([(117.1, 31.1), (117.2, 31.2), (117.1, 31.1)])
    found = settled(
        [None, Polygon(), Point(1, 2), spike, Polygon([(np.inf, 1), (2, 2), (3, 1)]), box(0, 0, 0, 0), SQUARE]
    )
    assert found.problem[0] == found.problem[1] == "it has no geometry"
    assert found.problem[2] == "it is a Point, but the layer holds polygons"
    assert found.problem[3].startswith("invalid")
    assert found.problem[4] == "coordinates that are no numbers (NaN or infinite)"
    assert found.problem[5].startswith("out of bounds: 0, 0")
    assert 6 not in found.problem


def test_too_many_vertices_are_not_even_decoded():
    ring = Point(117.3, 31.7).buffer(0.01, quad_segs=5_000)
    assert settled([ring]).problem == {0: "about 20,001 vertices, more than 10,000"}


def test_a_projected_file_comes_to_degrees():
    x, y = parse_crs("EPSG:4548").from_4490(np.array([117.3]), np.array([31.7]))
    found = settled([Point(x[0], y[0])], GeometryType.POINT, parse_crs("EPSG:4548"))
    assert found.shapes[0].equals_exact(Point(117.3, 31.7), 1e-9)


def test_metres_taken_for_degrees_are_said_with_an_example():
    with pytest.raises(InputRefused, match=r"\(526563, 3.5e\+06\) are no degrees.*EPSG:4548"):
        settled([Point(526_563, 3_500_000)], GeometryType.POINT)


def test_degrees_taken_for_metres_are_said_with_an_example():
    with pytest.raises(InputRefused, match=r"\(117.3, 31.7\) are degrees"):
        settled([Point(117.3, 31.7)], GeometryType.POINT, parse_crs("EPSG:4548"))


def test_swapped_axes_are_said():
    with pytest.raises(InputRefused, match="swapped"):
        settled([Point(31.7, 117.3)], GeometryType.POINT)


def test_a_point_far_from_its_zone_is_out_of_bounds():
    x, y = parse_crs("EPSG:4547").from_4490(np.array([117.3]), np.array([31.7]))
    found = settled([Point(x[0] + 900_000, y[0])], GeometryType.POINT, parse_crs("EPSG:4547"))
    assert found.problem[0].startswith("out of bounds")


def test_lines_are_one_line_and_have_a_length():
    joined = MultiLineString([[(117, 31), (118, 31)], [(118, 31), (119, 31)]])
    apart = MultiLineString([[(117, 31), (118, 31)], [(118, 32), (119, 31)]])
    found = settled([joined, apart, LineString([(117, 31), (117, 31)])], GeometryType.LINE)
    assert found.shapes[0].geom_type == "LineString"
    assert found.problem[1].startswith("several separate lines")
    assert 2 in found.problem


def test_heights_and_single_collections_are_flattened():
    found = settled([shapely.GeometryCollection([Point(117, 31, 5)])], GeometryType.POINT)
    assert found.shapes[0].wkt == "POINT (117 31)"


corners = st.tuples(st.floats(117, 118), st.floats(31, 32))


@given(st.lists(corners, min_size=3, max_size=12))
def test_whatever_ring_comes_in_what_comes_out_is_valid_ground_or_has_a_reason(ring):
    found = settled([Polygon(ring)])
    if 0 in found.problem:
        assert found.shapes[0] is None
    else:
        assert found.shapes[0].is_valid
        assert found.shapes[0].area > 0
        assert found.shapes[0].intersects(Point(found.lon[0], found.lat[0]))
