"""Gates are the only doors of an enclosed estate."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from onemap.engine.network.estates import close_estates
from tests.engine.network.test_build import between
from tests.engine.network.towns import streets, walk


def estate_and_streets():
    #   street 0-1 runs outside; lanes 2-3 and 4-5 lead into the estate (a box from y = 20 on); 3-5 joins them inside
    town = streets(
        [(0, 0), (300, 0), (50, 0), (50, 60), (250, 0), (250, 60)],
        [[0, 2, 4, 1], [2, 3], [4, 5], [3, 5]],
    )
    return town, [shapely.box(20, 20, 280, 100)]


def test_the_way_in_leads_through_the_gate():
    town, estate = estate_and_streets()
    open_s = between(walk(town), (50, 0), (50, 60))
    gated, n_closed = close_estates(town, estate, np.array([250.0]), np.array([22.0]))
    assert n_closed == 1
    assert open_s == pytest.approx(60.0)
    assert between(walk(gated), (50, 0), (50, 60)) == pytest.approx(200.0 + 60.0 + 200.0)
    assert between(walk(gated), (50, 0), (50, 19)) == pytest.approx(19.0)


def test_an_estate_without_known_gates_stays_open():
    town, estate = estate_and_streets()
    same, n_closed = close_estates(town, estate, np.array([900.0]), np.array([900.0]))
    assert n_closed == 0
    assert same is town


def test_a_street_cut_twice_keeps_its_length():
    town = streets([(0, 0), (300, 0), (0, 500)], [[2, 0, 1]])
    gated, n_closed = close_estates(town, [shapely.box(100, -50, 200, 50)], np.array([150.0]), np.array([50.0]))
    assert n_closed == 2
    network = walk(gated)
    assert network.edge_length_m.sum() == pytest.approx(800.0)
    assert len(network.components.n_node) == 3
    assert sorted(network.edge_length_m.tolist()) == pytest.approx([100.0, 100.0, 600.0])
