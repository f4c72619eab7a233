"""Isochrones against the exact search they come from."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from onemap.engine.coverage.contours import Lattice, polygon_below
from onemap.engine.coverage.isochrone import isochrones, shed_ratio
from onemap.engine.network.index import Places, snap
from onemap.engine.network.reach import reach, times
from onemap.errors import InputRefused, InvalidValue
from tests.engine.network.towns import grid_town, scattered, streets, walk

seeds = st.integers(0, 2**32 - 1)


def street_points(network, step_m=4.0):
    """Places every few metres along every street."""
    edges, fractions = [], []
    for e in range(network.n_edge):
        n = int(network.edge_length_m[e] / step_m) + 2
        edges += [e] * n
        fractions += list(np.linspace(0, 1, n))
    edge, fraction = np.array(edges, dtype=np.int32), np.array(fractions)
    return Places(edge, fraction, np.zeros(len(edge)), np.zeros(len(edge), dtype=bool))


@settings(max_examples=25, deadline=None)
@given(seeds, st.booleans(), st.sampled_from([15.0, 40.0]))
def test_reached_points_lie_inside_and_unreached_ones_beyond_the_buffer_outside(seed, toward, buffer_m):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.2))
    origin = snap(network, *scattered(rng, 2))
    minutes = [2.0, 4.0]
    found = isochrones(network, origin, minutes, toward=toward, buffer_m=buffer_m)
    points = street_points(network)
    seconds = times(network, reach(network, origin, toward=toward), points)
    x, y = network.position(points.edge, points.fraction)
    for limit, polygon in zip(minutes, found.polygons, strict=True):
        assert shapely.is_valid(polygon)
        reached = seconds <= 60 * limit
        inside = shapely.intersects_xy(polygon, x, y)
        assert inside[reached].all()
        if reached.any():
            streets_reached = shapely.multipoints(np.column_stack([x[reached], y[reached]]))
            far = shapely.distance(shapely.points(x, y), streets_reached) > found.buffer_m + 4.0
            assert not inside[~reached & far].any()
        else:
            assert polygon.is_empty
    assert shapely.difference(found.polygons[0], found.polygons[1]).area < 1e-6


def test_a_block_too_large_to_walk_into_stays_a_hole():
    #  a ring of streets 1,200 m wide: its middle is 600 m from any street
    network = walk(streets([(0, 0), (1200, 0), (1200, 1200), (0, 1200)], [[0, 1], [1, 2], [2, 3], [3, 0]]))
    polygon = isochrones(network, snap(network, np.zeros(1), np.zeros(1)), [60.0]).polygons[0]
    assert len(polygon.interiors) == 1
    assert not polygon.contains(shapely.Point(600, 600))


def test_a_street_used_in_part_is_cut():
    network = walk(streets([(0, 0), (1000, 0)], [[0, 1]]))
    polygon = isochrones(network, snap(network, np.zeros(1), np.zeros(1)), [5.0]).polygons[0]
    assert polygon.contains(shapely.Point(299, 0))
    assert not polygon.intersects(shapely.Point(345, 0))
    assert 0.0 < shed_ratio(polygon, 5.0, 3.6) < 1.0


def test_contours_of_noise_are_valid_and_hold_their_lattice_points():
    rng = np.random.default_rng(5)
    for _ in range(20):
        value = rng.random((12, 15))
        polygon = polygon_below(Lattice(100.0, 200.0, 10.0, value), 0.5)
        assert shapely.is_valid(polygon)
        row, column = np.indices(value.shape)
        inside = shapely.contains_xy(polygon, 100.0 + 10.0 * column.ravel(), 200.0 + 10.0 * row.ravel())
        assert np.array_equal(inside, (value <= 0.5).ravel())


def test_what_cannot_be_drawn_gets_a_sentence():
    network = walk(streets([(0, 0), (1000, 0)], [[0, 1]]))
    here = snap(network, np.zeros(1), np.zeros(1))
    with pytest.raises(InvalidValue, match="above 0"):
        isochrones(network, here, [-5.0])
    with pytest.raises(InvalidValue, match="above 0"):
        isochrones(network, here, [float("nan")])
    with pytest.raises(InvalidValue, match="at least one limit"):
        isochrones(network, here, [])
    with pytest.raises(InputRefused, match="No street"):
        isochrones(network, snap(network, np.full(1, 1e5), np.zeros(1)), [5.0])
