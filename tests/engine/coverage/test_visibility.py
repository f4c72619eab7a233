"""What cameras see, against rays cast with shapely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import affinity

from onemap.engine.coverage.camera_works import four_works, ground_share, n_seeing, street_share
from onemap.engine.coverage.visibility import MOUNT_M, Cameras, Walls, cameras_seeing, seen_ground
from onemap.errors import InputRefused, InvalidValue


def camera(x, y, bearing=0.0, fov=90.0, far=50.0):
    return Cameras(*(np.array([float(value)]) for value in (x, y, bearing, fov, far)))


def scene(rng, n=60, size=200.0):
    """Turned boxes all over a square, overlapping where they will."""
    boxes = []
    for _ in range(n):
        (x, y), (w, h) = rng.uniform(0, size, 2), rng.uniform(3, 25, 2)
        boxes.append(affinity.rotate(shapely.box(x - w / 2, y - h / 2, x + w / 2, y + h / 2), rng.uniform(0, 360)))
    return np.array(boxes)


def rays_arrive(one, buildings, points):
    """Independent check: in range, in the angle, and the ray to the point touches no wall."""
    eye = shapely.Point(one.x[0], one.y[0])
    blocking = buildings[shapely.distance(buildings, eye) > MOUNT_M]
    walls = shapely.union_all(shapely.boundary(blocking))
    begin = np.broadcast_to([one.x[0], one.y[0]], points.shape)
    rays = shapely.linestrings(np.stack([begin, points], axis=1))
    gap = points - begin
    bearing = np.degrees(np.arctan2(gap[:, 0], gap[:, 1]))
    off = np.abs((bearing - one.bearing_deg[0] + 180) % 360 - 180)
    return (np.hypot(*gap.T) <= one.range_m[0]) & (off <= one.fov_deg[0] / 2) & ~shapely.intersects(rays, walls)


def test_an_open_view_is_a_sector_to_the_north():
    ground = seen_ground(camera(0, 0), Walls.of([]))[0]
    assert ground.area == pytest.approx(np.pi * 50**2 / 4, rel=1e-3)
    assert ground.contains(shapely.Point(0, 49))
    assert not ground.intersects(shapely.Point(0, -1))


def test_a_building_casts_a_shadow():
    #      (shadow)
    #      [ house ]
    #         ^ camera
    house = shapely.box(-5, 20, 5, 25)
    ground = seen_ground(camera(0, 0), Walls.of([house]))[0]
    assert ground.contains(shapely.Point(0, 19.9))
    assert not ground.contains(shapely.Point(0, 21))
    assert not ground.contains(shapely.Point(0, 40))
    assert ground.contains(shapely.Point(20, 30))


def test_a_camera_on_a_wall_sees_past_its_own_building():
    house = shapely.box(-10, -10, 10, 0)
    free = seen_ground(camera(0, 0, fov=180), Walls.of([]))[0]
    mounted = seen_ground(camera(0, 0, fov=180), Walls.of([house]))[0]
    assert mounted.equals_exact(free, 1e-9)


def test_what_is_seen_equals_rays_in_200_random_scenes():
    rng = np.random.default_rng(2026)
    for _ in range(200):
        buildings = scene(rng)
        one = camera(
            *rng.uniform(50, 150, 2), rng.uniform(0, 360), rng.choice([40, 90, 180, 270, 360]), rng.uniform(30, 100)
        )
        walls = Walls.of(buildings)
        ground = seen_ground(one, walls)[0]
        assert shapely.is_valid(ground)
        points = rng.uniform(0, 200, (400, 2))
        arrives = rays_arrive(one, buildings, points)
        inside = shapely.contains_xy(ground, points)
        distance = np.hypot(points[:, 0] - one.x[0], points[:, 1] - one.y[0])
        # The arc is drawn with chords of 3 degrees: the sliver between them is not judged, nor the outline itself.
        sliver = np.abs(distance - one.range_m[0]) < one.range_m[0] * (1 - np.cos(np.radians(1.5))) + 1e-9
        outline = shapely.distance(shapely.boundary(ground), shapely.points(points)) < 1e-6
        assert (inside == arrives)[~(sliver | outline)].all()
        for i in range(3):
            assert (len(cameras_seeing(one, walls, *points[i])) == 1) == arrives[i] or outline[i]


def test_shares_and_the_four_works():
    walls = Walls.of([])
    seen = seen_ground(
        Cameras(np.array([0.0, 500]), np.zeros(2), np.zeros(2), np.full(2, 360.0), np.full(2, 50.0)), walls
    )
    zones = [shapely.box(-10, -10, 10, 10), shapely.box(200, 200, 300, 300)]
    assert ground_share(zones, seen) == pytest.approx([1.0, 0.0])
    assert street_share([shapely.LineString([(0, 0), (100, 0)])], seen) == pytest.approx([0.5], abs=1e-3)
    places = n_seeing(np.array([0.0, 250.0]), np.array([0.0, 250.0]), seen)
    assert places.tolist() == [1, 0]
    works = four_works(
        places, np.array([1.0, 0.0]), np.array([300.0, 400.0]), np.array([True, False]), np.array([False, True]),
        np.array([2.0, np.nan]),
    )  # fmt: skip
    assert (works.fill.tolist(), works.densify.tolist()) == ([1], [1])
    assert (works.integrate.tolist(), works.improve.tolist()) == ([1], [0])


def test_impossible_cameras_get_a_sentence():
    with pytest.raises(InputRefused, match="not a number"):
        camera(np.nan, 0)
    with pytest.raises(InvalidValue, match="field of view"):
        camera(0, 0, fov=0)
    with pytest.raises(InvalidValue, match="range"):
        camera(0, 0, far=-5)
