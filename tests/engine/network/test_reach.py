"""Searches against scipy, networkx and shapely."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from onemap.engine.network.index import snap
from onemap.engine.network.reach import as_sources, bucket_plan, reach, times
from tests.engine.network.towns import grid_town, scattered, walk

seeds = st.integers(0, 2**32 - 1)


def scipy_graph(network, *, reversed_graph=False):
    """The arcs as scipy wants them: parallel arcs reduced to the least, since its conversion adds them up."""
    arcs = network.out
    tail = np.repeat(np.arange(network.n_node), np.diff(arcs.first))
    ends = (arcs.head, tail) if reversed_graph else (tail, arcs.head)
    least: dict[tuple[int, int], float] = {}
    for a, b, cost in zip(*ends, arcs.cost_s, strict=True):
        least[a, b] = min(cost, least.get((a, b), np.inf))
    keys = np.array(list(least))
    values = np.array(list(least.values()))
    return csr_array(coo_array((values, (keys[:, 0], keys[:, 1])), shape=(network.n_node, network.n_node)))


def networkx_graph(network, places):
    """Every place becomes a node of its own in the middle of its edge; the walk to the street is an edge too."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(network.n_node))

    def link(a, b, s):
        if s < graph.get_edge_data(a, b, {"s": np.inf})["s"]:
            graph.add_edge(a, b, s=s)

    on_edge: dict[int, list[int]] = {}
    for i, e in enumerate(places.edge):
        if e >= 0:
            on_edge.setdefault(int(e), []).append(i)
            link(("place", i), ("street", i), places.snap_m[i] / network.access_ms)
            link(("street", i), ("place", i), places.snap_m[i] / network.access_ms)
    for e in range(network.n_edge):
        stops = sorted((places.fraction[i], ("street", i)) for i in on_edge.get(e, []))
        chain = [(0.0, int(network.edge_from[e])), *stops, (1.0, int(network.edge_to[e]))]
        for (t0, a), (t1, b) in pairwise(chain):
            for begin, end, whole in ((a, b, network.edge_forward_s[e]), (b, a, network.edge_backward_s[e])):
                # Two places at one position meet, whatever the direction of the street.
                same = t0 == t1 and isinstance(a, tuple) and isinstance(b, tuple)
                if np.isfinite(whole) or same:
                    link(begin, end, 0.0 if same else (t1 - t0) * whole)
    return graph


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_snapping_finds_the_nearest_street_that_shapely_finds(seed):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng))
    x, y = scattered(rng, 60)
    places = snap(network, x, y)
    lines = [shapely.LineString(network.edge_line(e)) for e in range(network.n_edge) if network.snappable[e]]
    distance = shapely.distance(shapely.points(x, y)[:, None], np.array(lines)[None, :]).min(axis=1)
    assert np.allclose(places.snap_m, distance)
    px, py = network.position(places.edge, places.fraction)
    assert np.allclose(np.hypot(px - x, py - y), distance)


@settings(max_examples=25, deadline=None)
@given(seeds, st.booleans(), st.sampled_from([150.0, 400.0, np.inf]))
def test_node_times_equal_scipy_from_the_same_seeds(seed, toward, budget):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.3))
    places = snap(network, *scattered(rng, 5))
    found = reach(network, places, budget_s=budget, toward=toward)
    full = dijkstra(scipy_graph(network, reversed_graph=toward))
    sources = as_sources(network, places)
    ahead, back = network.edge_forward_s[sources.edge], network.edge_backward_s[sources.edge]
    if not toward:
        ahead, back = back, ahead
    expected = np.full(network.n_node, np.inf)
    for i in range(len(sources.edge)):
        at_from = sources.lead_s[i] + (sources.fraction[i] * ahead[i] if np.isfinite(ahead[i]) else np.inf)
        at_to = sources.lead_s[i] + ((1 - sources.fraction[i]) * back[i] if np.isfinite(back[i]) else np.inf)
        expected = np.minimum(expected, at_from + full[network.edge_from[sources.edge[i]]])
        expected = np.minimum(expected, at_to + full[network.edge_to[sources.edge[i]]])
    expected[expected > budget] = np.inf
    assert np.allclose(found.node_s, expected)


@settings(max_examples=25, deadline=None)
@example(78282570, True)  # two places at one position of a one-way street
@given(seeds, st.booleans())
def test_times_between_places_equal_networkx_with_places_in_the_edges(seed, toward):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.3))
    places = snap(network, *scattered(rng, 24))
    near, far = np.arange(4), np.arange(4, 24)
    seconds = times(network, reach(network, places.take(near), toward=toward), places.take(far))
    graph = networkx_graph(network, places)
    if toward:
        graph = graph.reverse()
    begin = {("place", i) for i in near}
    expected = nx.multi_source_dijkstra_path_length(graph, begin, weight="s")
    assert np.allclose(seconds, [expected.get(("place", i), np.inf) for i in far])


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_a_nearer_budget_only_cuts_off(seed):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng))
    places = snap(network, *scattered(rng, 20))
    near, far = places.take(np.arange(3)), places.take(np.arange(3, 20))
    everything = times(network, reach(network, near), far)
    bounded = times(network, reach(network, near, budget_s=300.0), far)
    assert np.array_equal(bounded, np.where(everything <= 300.0, everything, np.inf))


def test_buckets_hold_the_longest_street():
    network = walk(grid_town(np.random.default_rng(3)))
    width, n_bucket = bucket_plan(network.out, np.array([5000.0]))
    assert width * (n_bucket - 2) >= 5000.0
