"""How streets become a network: noding, directions, barriers, parts."""

from __future__ import annotations

import numpy as np
import pytest

from onemap.engine.network.build import build
from onemap.engine.network.index import snap
from onemap.engine.network.reach import reach, times
from onemap.errors import InputRefused, InvalidValue
from tests.engine.network.towns import RULES, streets, walk


def between(network, start, end):
    """Seconds from one point to another."""
    places = snap(network, np.array([start[0], end[0]], dtype=float), np.array([start[1], end[1]], dtype=float))
    found = reach(network, places.take(np.array([1])), toward=True)
    return float(times(network, found, places.take(np.array([0])))[0])


def test_streets_that_cross_without_a_shared_point_do_not_meet():
    #        2
    #        |
    #   0 ---+--- 1      the bridge 2-3 passes over 0-1
    #        |
    #        3
    over = walk(streets([(0, 0), (100, 0), (50, 50), (50, -50)], [[0, 1], [2, 3]]))
    assert over.n_node == 4
    assert len(over.components.n_node) == 2
    assert between(over, (0, 0), (50, 50)) == np.inf
    meeting = walk(streets([(0, 0), (100, 0), (50, 50), (50, -50), (50, 0)], [[0, 4, 1], [2, 4, 3]]))
    assert between(meeting, (0, 0), (50, 50)) == pytest.approx(100.0)


def test_a_bend_is_not_a_node():
    bent = walk(streets([(0, 0), (50, 0), (50, 50)], [[0, 1, 2]]))
    assert (bent.n_node, bent.n_edge) == (2, 1)
    assert bent.edge_length_m.tolist() == [100.0]


def test_a_one_way_street_is_travelled_in_its_direction_only():
    #  0 -> 1 ,  1 - 2 - 0 the long way back
    town = walk(streets([(0, 0), (100, 0), (50, 100)], [[0, 1], [1, 2, 0]], oneway=[0]))
    assert between(town, (20, 0), (80, 0)) == pytest.approx(60.0)
    assert between(town, (80, 0), (20, 0)) == pytest.approx(20.0 + 2 * np.hypot(50, 100) + 20.0)


def test_a_barrier_is_reached_from_both_sides_and_passed_from_none():
    #  0 --- 1|1' --- 2
    town = walk(streets([(0, 0), (50, 0), (100, 0)], [[0, 1, 2]], blocked=[1]))
    assert (town.n_node, town.n_edge) == (4, 2)
    assert between(town, (0, 0), (49, 0)) == pytest.approx(49.0)
    assert between(town, (0, 0), (51, 0)) == np.inf


def test_opening_the_gate_makes_the_two_sides_one():
    walled = streets([(0, 0), (50, 0), (100, 0)], [[0, 1, 2]], blocked=[1])
    opened = walk(walled.with_gate_open(1, ["foot"]))
    assert between(opened, (0, 0), (100, 0)) == pytest.approx(100.0)


def test_a_new_bridge_joins_two_banks():
    banks = streets([(0, 0), (100, 0), (0, 60), (100, 60)], [[0, 1], [2, 3]])
    assert between(walk(banks), (0, 0), (0, 60)) == np.inf
    assert between(walk(banks.with_way(1, 3, {"foot": 3.6})), (0, 0), (0, 60)) == pytest.approx(260.0)


def test_both_ends_on_one_edge_walk_along_it():
    town = walk(streets([(0, 0), (1000, 0)], [[0, 1]]))
    assert between(town, (400, 3), (450, 4)) == pytest.approx(50.0 + 3.0 + 4.0)


def test_a_loop_street_is_walked_the_shorter_way_round():
    #  a square of 100 m sides drawn as one closed way
    town = walk(streets([(0, 0), (100, 0), (100, 100), (0, 100)], [[0, 1, 2, 3, 0]]))
    assert (town.n_node, town.n_edge) == (1, 1)
    assert between(town, (10, 0), (0, 10)) == pytest.approx(20.0)
    assert between(town, (90, 0), (100, 20)) == pytest.approx(30.0)


def test_parallel_streets_keep_the_shorter():
    town = walk(streets([(0, 0), (100, 0), (50, 80)], [[0, 2, 1], [0, 1]]))
    assert town.n_edge == 2
    assert between(town, (0, 0), (100, 0)) == pytest.approx(100.0)


def test_points_pass_over_an_islet_and_say_so():
    #  a kilometre of street, and a stray footpath of 20 m nearer to the point
    town = walk(streets([(0, 0), (1000, 0), (500, 50), (520, 50)], [[0, 1], [2, 3]]))
    assert town.components.islet.tolist() == [False, True]
    place = snap(town, np.array([510.0]), np.array([60.0]))
    assert place.snap_m.tolist() == [60.0]
    assert place.moved.tolist() == [True]
    assert place.fraction[0] == pytest.approx(0.51)


def test_a_second_bank_of_the_same_size_is_no_islet():
    town = walk(streets([(0, 0), (1000, 0), (0, 50), (1000, 50)], [[0, 1], [2, 3]]))
    assert not town.components.islet.any()
    assert town.components.outside_share == 0.5


def test_a_point_in_the_sea_has_no_street():
    town = walk(streets([(0, 0), (1000, 0)], [[0, 1]]))
    place = snap(town, np.array([5000.0]), np.array([5000.0]))
    assert place.edge.tolist() == [-1]
    assert np.isinf(place.snap_m[0])


def test_what_is_not_a_number_is_refused():
    town = walk(streets([(0, 0), (1000, 0)], [[0, 1]]))
    with pytest.raises(InputRefused, match="not numbers"):
        snap(town, np.array([np.nan]), np.array([0.0]))
    with pytest.raises(InputRefused, match="not numbers"):
        streets([(0, 0), (np.inf, 0)], [[0, 1]])
    with pytest.raises(InvalidValue, match="0 or more"):
        reach(town, snap(town, np.array([1.0]), np.array([0.0])), budget_s=-1.0)
    with pytest.raises(InvalidValue, match="km/h"):
        build(streets([(0, 0), (1, 0)], [[0, 1]]), "foot", RULES, speed_kmh=0.0)
    with pytest.raises(InvalidValue, match="no mode 'boat'"):
        build(streets([(0, 0), (1, 0)], [[0, 1]]), "boat", RULES)


def test_streets_closed_to_the_mode_are_refused_with_a_sentence():
    with pytest.raises(InputRefused, match="may be used in mode 'foot'"):
        walk(streets([(0, 0), (1, 0)], [[0, 1]], kmh=0.0))
