"""Staff on the move keep to the streets, to their speed and to their ground, and the clock alone says where they are."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from onemap.demo import Beats, walk
from onemap.demo.frame import local
from onemap.demo.walk import SPEED_MS
from tests.demo.conftest import NOW, Invented


@pytest.fixture(scope="module")
def beats(invented: Invented) -> Beats:
    posts = invented.tables["responders"].columns
    duty = posts["on_duty"]
    grids = shapely.get_coordinates(shapely.point_on_surface(invented.tables["grids"].geometry))
    homes = grids[np.arange(int(duty.sum())) % len(grids)]
    streets = invented.tables["roads"].geometry
    return Beats.along(streets, tuple(posts["responder_id"][duty]), tuple(posts["role"][duty]), homes)


def test_everybody_is_on_a_street(invented: Invented, beats: Beats) -> None:
    streets = shapely.union_all(invented.metres("roads"))
    for minutes in (0, 7, 190):
        places = shapely.points(local(walk(beats, NOW.timestamp() + 60 * minutes)))
        assert shapely.distance(places, streets).max() < 0.5


def test_nobody_jumps(invented: Invented, beats: Beats) -> None:
    roles = dict(zip(*(invented.tables["responders"].columns[c] for c in ("responder_id", "role")), strict=True))
    speed = np.array([SPEED_MS[roles[who]] for who in beats.ids])
    start = NOW.timestamp()
    before = local(walk(beats, start))
    moved = 0.0
    for second in range(5, 900, 5):
        after = local(walk(beats, start + second))
        step = np.hypot(*(after - before).T)
        assert (step <= speed * 5 * 2 + 0.1).all()
        moved += step.sum()
        before = after
    assert moved > 100 * len(beats.ids)


def test_the_same_moment_is_the_same_place(beats: Beats) -> None:
    assert (walk(beats, 1e9) == walk(beats, 1e9)).all()
    assert (walk(beats, 1e9) != walk(beats, 1e9 + 60)).any(axis=1).mean() > 0.8


def test_a_line_is_walked_to_and_fro() -> None:
    #  a ─────────── b      one street of about a kilometre, one officer
    street = np.array([shapely.LineString([(117.3, 31.7), (117.31, 31.7)])], dtype=object)
    beats = Beats.along(street, ("R1",), ("grid_officer",), np.array([[117.305, 31.7]]))
    lon = np.array([walk(beats, 60.0 * minute)[0, 0] for minute in range(120)])
    assert lon.min() >= 117.3 - 1e-7
    assert lon.max() <= 117.31 + 1e-7
    assert (np.diff(lon) > 0).any()
    assert (np.diff(lon) < 0).any()


def test_nobody_on_duty_is_nowhere() -> None:
    street = np.array([shapely.LineString([(117.3, 31.7), (117.31, 31.7)])], dtype=object)
    assert walk(Beats.along(street, (), (), np.zeros((0, 2))), 0.0).shape == (0, 2)
