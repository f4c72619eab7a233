"""Isochrones against the exact search they come from."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from onemap.engine.coverage.contours import follow, polygons, write
from onemap.engine.coverage.isochrone import isochrones, lay_ground, shed_ratio
from onemap.engine.coverage.nearby import nearby
from onemap.engine.network.index import Places, snap
from onemap.engine.network.reach import as_sources, reach, times
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
@given(seeds, st.booleans(), st.sampled_from([15.0, 40.0, 60.0]), st.booleans())
def test_reached_points_lie_inside_and_unreached_ones_beyond_the_buffer_outside(seed, toward, buffer_m, laid_before):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.2))
    origin = snap(network, *scattered(rng, 2))
    minutes = [2.0, 4.0]
    ground = lay_ground(network, buffer_m) if laid_before else None
    found = isochrones(network, origin, minutes, toward=toward, buffer_m=buffer_m, ground=ground)
    assert found.buffer_m == pytest.approx(buffer_m)
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
            # A street that nobody can get onto is ground like any other: houses there walk to the next street.
            assert not inside[~reached & far & network.snappable[points.edge]].any()
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


def test_rings_around_noise_are_valid_nested_and_hold_their_lattice_points():
    rng = np.random.default_rng(5)
    for n_level in (1, 2, 3) * 8:
        band = np.full((14, 17), n_level, dtype=np.int8)
        band[1:-1, 1:-1] = rng.integers(0, n_level + 1, (12, 15))
        inside, outside, *rings = follow(band.ravel(), 17, 14, n_level)
        start, _, ring_polygon, polygon_level = rings
        # Every vertex a third of the way from its inside point to its outside one.
        xy = np.column_stack([inside % 17 * 2 + outside % 17, inside // 17 * 2 + outside // 17]) / 3.0
        drawn = polygons(*write(xy, start, ring_polygon, polygon_level, n_level))
        row, column = np.indices(band.shape)
        for level, polygon in enumerate(drawn):
            assert shapely.is_valid(polygon)
            held = shapely.contains_xy(polygon, column.ravel(), row.ravel())
            assert np.array_equal(held, (band <= level).ravel())
            # Points that touch at corners only are parts of their own.
            assert shapely.get_num_geometries(polygon) == ndimage.label(band <= level)[1] or polygon.is_empty


@settings(max_examples=15, deadline=None)
@given(seeds, st.booleans())
def test_a_search_of_what_is_near_equals_the_search_of_everything(seed, toward):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.2))
    origins = snap(network, *scattered(rng, 3))
    found = nearby(network, as_sources(network, origins), budget_s=300.0, toward=toward)
    everywhere = np.full(network.n_node, np.inf)
    everywhere[found.node] = found.node_s
    assert np.allclose(everywhere, reach(network, origins, budget_s=300.0, toward=toward).node_s, atol=1e-9)


def test_most_homes_lie_on_the_right_side_of_the_outline():
    rng = np.random.default_rng(11)
    network = walk(grid_town(rng, side=30, oneway_share=0.1))
    ground = lay_ground(network, 40.0)
    right, reached_n, inside_n = 0, 0, 0
    for _ in range(10):
        origin = snap(network, *scattered(rng, 1, side=30))
        x, y = scattered(rng, 3000, side=30)
        seconds = times(network, reach(network, origin, toward=False), snap(network, x, y))
        polygon = isochrones(network, origin, [10.0], ground=ground).polygons[0]
        reached, inside = seconds <= 600.0, shapely.contains_xy(polygon, x, y)
        right, reached_n, inside_n = (
            right + (reached & inside).sum(),
            reached_n + reached.sum(),
            inside_n + inside.sum(),
        )
    assert right / reached_n >= 0.99
    assert right / inside_n >= 0.95


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
