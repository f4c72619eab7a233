"""Certificates: HiGHS agrees with trying everything."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onemap.engine.partition.certify import place
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.graph import Graph


def graph_of(net: nx.Graph, households: list[int]) -> Graph:
    n = len(net)
    rows = [sorted(net[i]) for i in range(n)]
    to = np.array([j for row in rows for j in row], dtype=np.int32)
    ones = np.ones(len(to))
    weight = np.stack([np.array(households, dtype=float)] * 2, axis=1)
    first = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Graph(
        weight, np.ones(n), np.full(n, 4.0), np.full(n, -1, np.int32), first, to, ones, ones, ones * 0, ones > 0
    )


def brute_force(net: nx.Graph, households: list[int], low: int, high: int, k: int) -> bool:
    for zones in product(range(k), repeat=len(net)):
        parts = [[i for i, z in enumerate(zones) if z == q] for q in range(k)]
        if all(p and low <= sum(households[i] for i in p) <= high for p in parts) and all(
            nx.is_connected(net.subgraph(p)) for p in parts
        ):
            return True
    return False


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=3, max_size=7), st.integers(0, 1000), st.sampled_from([2, 3]))
def test_highs_finds_a_plan_exactly_when_there_is_one(households: list[int], seed: int, k: int) -> None:
    net = nx.random_labeled_tree(len(households), seed=seed)
    extra = np.random.default_rng(seed).integers(0, len(households), 2)
    if extra[0] != extra[1]:
        net.add_edge(int(extra[0]), int(extra[1]))
    low, high = 4, 9
    graph = graph_of(net, households)
    placed, proved = place(graph, np.arange(len(net), dtype=np.int32), Goal.of(low, 6, high), k)
    assert proved
    assert (placed is not None) == brute_force(net, households, low, high, k)
    if placed is not None:
        for q in range(k):
            part = np.flatnonzero(placed == q)
            assert low <= sum(households[i] for i in part) <= high
            assert nx.is_connected(net.subgraph(part.tolist()))


@pytest.mark.parametrize(("middle", "fits"), [(5, False), (2, True)])
def test_a_star_cannot_be_halved_around_a_heavy_middle(middle: int, fits: bool) -> None:
    net = nx.path_graph(3)
    placed, proved = place(graph_of(net, [2, middle, 2]), np.arange(3, dtype=np.int32), Goal.of(2, 3, 4), 2)
    assert proved
    assert (placed is not None) == fits
