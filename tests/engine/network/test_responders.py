"""Nearest responders against a full search, while they move."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from onemap.engine.network.index import snap
from onemap.engine.network.reach import reach, times
from onemap.engine.network.responders import ResponderIndex, Workspace, nearest, route_line
from onemap.errors import InvalidValue
from tests.engine.network.towns import grid_town, scattered, streets, walk

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_the_k_nearest_are_those_of_a_full_search_while_everybody_moves(seed):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.2))
    index, work = ResponderIndex(network, capacity=4), Workspace(network)
    for _ in range(3):
        rows = rng.permutation(30)[:20]
        index.place(rows, snap(network, *scattered(rng, 20)))
        index.remove(rng.integers(0, index.capacity, 2))
        event = snap(network, *scattered(rng, 1))
        eligible = rng.random(index.capacity) < 0.7
        seconds = times(network, reach(network, event, toward=True), index.places())
        # Towards the event: the reversed search from it, asked at every responder.
        seconds[~eligible] = np.inf
        expected = np.sort(seconds[np.isfinite(seconds)])[:5]
        found = nearest(index, event, 5, eligible=eligible, workspace=work)
        assert np.allclose(found.seconds, expected)
        assert np.allclose(seconds[found.row], found.seconds)
        assert np.allclose(found.metres, found.seconds)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_a_route_is_a_line_of_its_own_length_from_responder_to_event(seed):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.2))
    index = ResponderIndex(network)
    places = snap(network, *scattered(rng, 12))
    index.place(np.arange(12), places)
    event = snap(network, *scattered(rng, 1))
    found = nearest(index, event, 4)
    for i, row in enumerate(found.row):
        line = route_line(network, found.edges[i], found.span[i])
        streets_m = found.metres[i] - found.snap_m[i] - event.snap_m[0]
        assert (
            shapely.LineString(line).length == pytest.approx(streets_m, abs=1e-6) if len(line) > 1 else streets_m < 1e-6
        )
        begin = np.column_stack(network.position(places.edge[[row]], places.fraction[[row]]))[0]
        end = np.column_stack(network.position(event.edge, event.fraction))[0]
        assert np.allclose(line[0], begin)
        assert np.allclose(line[-1], end)


def test_the_nearest_by_line_is_not_the_nearest_across_a_river():
    #   r0 .            r0 is 60 m away by line, and must walk round by the bridge
    #  ============  river, bridge at the far end
    #   event .   r1
    town = streets([(0, 60), (400, 60), (400, 0), (0, 0)], [[0, 1, 2, 3]])
    network = walk(town)
    index = ResponderIndex(network)
    index.place(np.array([0, 1]), snap(network, np.array([0.0, 100.0]), np.array([60.0, 0.0])))
    event = snap(network, np.array([0.0]), np.array([0.0]))
    found = nearest(index, event, 2)
    assert found.row.tolist() == [1, 0]
    assert found.seconds == pytest.approx([100.0, 860.0])


def test_a_responder_beyond_the_budget_is_not_found():
    network = walk(streets([(0, 0), (1000, 0)], [[0, 1]]))
    index = ResponderIndex(network)
    index.place(np.array([0, 1]), snap(network, np.array([100.0, 900.0]), np.zeros(2)))
    event = snap(network, np.array([0.0]), np.array([0.0]))
    assert nearest(index, event, 5, budget_s=500.0).row.tolist() == [0]


def test_ties_go_to_the_lower_row():
    network = walk(streets([(0, 0), (500, 0), (1000, 0), (500, 300)], [[0, 1, 2], [1, 3]]))
    index = ResponderIndex(network)
    index.place(np.array([7, 3]), snap(network, np.array([250.0, 750.0]), np.zeros(2)))
    event = snap(network, np.array([500.0]), np.array([0.0]))
    assert nearest(index, event, 1).row.tolist() == [3]


def test_what_cannot_be_asked_gets_a_sentence():
    network = walk(streets([(0, 0), (1000, 0)], [[0, 1]]))
    index = ResponderIndex(network)
    event = snap(network, np.array([0.0]), np.array([0.0]))
    with pytest.raises(InvalidValue, match="at least one"):
        nearest(index, event, 0)
    with pytest.raises(InvalidValue, match="has a street"):
        nearest(index, snap(network, np.array([9e5]), np.array([0.0])), 1)
    with pytest.raises(InvalidValue, match="cannot take"):
        index.place(np.array([1, 2]), event)
