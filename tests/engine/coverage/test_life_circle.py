"""The life circle: who reaches what, and what changes when a facility moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onemap.engine.coverage.life_circle import covered, life_circle, share, share_by_zone
from onemap.engine.coverage.what_if import Drag, compare, covered_weight
from onemap.engine.network.index import Places, snap
from onemap.engine.network.reach import metres
from onemap.errors import InputRefused, InvalidValue
from tests.engine.network.towns import grid_town, scattered, streets, walk

seeds = st.integers(0, 2**32 - 1)


def both(one, other):
    return Places(
        *(
            np.concatenate(pair)
            for pair in zip(*((p.edge, p.fraction, p.snap_m, p.moved) for p in (one, other)), strict=True)
        )
    )


def test_three_houses_and_a_clinic_on_one_street():
    #  house 0 m ... clinic 400 m ... house 1000 m, house 1500 m; 3.6 km/h: a metre a second
    network = walk(streets([(0, 0), (2000, 0)], [[0, 1]]))
    homes = snap(network, np.array([0.0, 1000.0, 1500.0]), np.zeros(3))
    clinics = snap(network, np.array([400.0]), np.zeros(1))
    circle = life_circle(network, homes, {"clinic": clinics})
    assert circle.of("clinic").tolist() == pytest.approx([400.0, 600.0, 1100.0])
    assert metres(network, circle.of("clinic")).tolist() == pytest.approx([400.0, 600.0, 1100.0])
    within = covered(circle.of("clinic"), 900.0)
    assert within.tolist() == [True, True, False]
    households = np.array([100.0, 50.0, 50.0])
    assert share(within, households).share == 0.75
    part, total = share_by_zone(within, households, np.array([0, 1, -1]), 2)
    assert (part.tolist(), total.tolist()) == ([100.0, 50.0], [100.0, 50.0])


def test_a_walk_of_exactly_the_limit_counts():
    seconds = np.array([1000.0 / (4.0 / 3.6)])
    assert covered(seconds, 900.0).all()


def test_nothing_to_cover_has_no_share():
    assert share(np.zeros(2, dtype=bool), np.zeros(2)).share is None


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_the_nearest_of_a_category_is_the_nearest_of_its_facilities(seed):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.2))
    homes, places = snap(network, *scattered(rng, 40)), snap(network, *scattered(rng, 4))
    together = life_circle(network, homes, {"all": places}).of("all")
    each = life_circle(network, homes, {str(i): places.take(np.array([i])) for i in range(4)}, threads=1)
    assert np.allclose(together, each.seconds.min(axis=0))


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_dragging_a_facility_equals_counting_anew(seed):
    rng = np.random.default_rng(seed)
    network = walk(grid_town(rng, oneway_share=0.2))
    homes, others, moved = (snap(network, *scattered(rng, n)) for n in (40, 3, 1))
    drag = Drag(network, homes, others)
    anew = life_circle(network, homes, {"all": both(others, moved)}).of("all")
    assert np.allclose(drag.dropped_at(moved), anew)
    weight = rng.integers(1, 50, 40).astype(float)
    base = float(weight[covered(drag.seconds, 200.0)].sum())
    quick = covered_weight(base, drag.seconds, drag.at(moved), weight, 200.0)
    assert quick == pytest.approx(weight[covered(anew, 200.0)].sum())
    told = compare(drag.seconds, anew, weight, 200.0)
    assert told.lost == 0.0
    assert base + told.gained == pytest.approx(quick)


def test_no_facilities_and_impossible_limits_get_a_sentence():
    network = walk(streets([(0, 0), (2000, 0)], [[0, 1]]))
    homes = snap(network, np.zeros(1), np.zeros(1))
    with pytest.raises(InputRefused, match="no facilities"):
        life_circle(network, homes, {})
    with pytest.raises(InvalidValue, match="more than 0"):
        covered(np.zeros(1), -900.0)
