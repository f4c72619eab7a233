"""Coordinates from every system that data comes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod

from onemap.errors import InputRefused, UsageError
from onemap.ingest.crs import (
    agreed,
    bd09_to_wgs84,
    from_proj,
    gauss_krueger_epsg,
    gcj02_to_wgs84,
    parse_crs,
    same,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)

CHINA = {"lon": st.floats(73.7, 135.0), "lat": st.floats(18.2, 53.5)}


@given(**CHINA)
def test_gcj02_comes_back_to_a_tenth_of_a_millimetre(lon, lat):
    back = gcj02_to_wgs84(*wgs84_to_gcj02(np.array([lon]), np.array([lat])))
    assert np.allclose(back, [[lon], [lat]], atol=1e-9, rtol=0)


@given(**CHINA)
def test_bd09_comes_back_to_a_tenth_of_a_millimetre(lon, lat):
    back = bd09_to_wgs84(*wgs84_to_bd09(np.array([lon]), np.array([lat])))
    assert np.allclose(back, [[lon], [lat]], atol=1e-9, rtol=0)


@given(**CHINA)
def test_the_shift_is_some_hundred_metres(lon, lat):
    bent = wgs84_to_gcj02(np.array([lon]), np.array([lat]))
    _, _, metres = Geod(ellps="WGS84").inv(lon, lat, bent[0][0], bent[1][0])
    assert 50 < metres < 900


def test_known_points_of_beijing():
    # published pairs of the public formulas, Tiananmen
    assert np.allclose(
        wgs84_to_gcj02(np.array([116.404]), np.array([39.915])), [[116.41024449916938], [39.91640428150164]]
    )
    assert np.allclose(
        wgs84_to_bd09(np.array([116.404]), np.array([39.915])), [[116.41662724378733], [39.922699552216216]]
    )


def test_points_outside_china_pass_through():
    lon, lat = np.array([8.68, 139.7, 117.3]), np.array([49.4, 35.7, -31.7])
    for there in (wgs84_to_gcj02, wgs84_to_bd09, gcj02_to_wgs84, bd09_to_wgs84):
        assert np.array_equal(there(lon, lat), (lon, lat))


def test_gauss_krueger_goes_to_degrees_and_back():
    crs = parse_crs("EPSG:4548")
    x, y = crs.from_4490(np.array([117.3]), np.array([31.7]))
    assert 500_000 < x[0] < 560_000
    assert np.allclose(crs.to_4490(x, y), [[117.3], [31.7]], atol=1e-9)


def test_the_zone_is_the_nearest_meridian():
    assert [gauss_krueger_epsg(lon) for lon in (117.3, 113.9, 75.0)] == [4548, 4547, 4534]


def test_wgs84_and_cgcs2000_are_the_same_and_zones_are_not():
    assert same(parse_crs("wgs84"), parse_crs("EPSG:4490"))
    assert same(from_proj(CRS.from_wkt(CRS.from_epsg(4548).to_wkt("WKT1_ESRI"))), parse_crs("epsg:4548"))
    assert not same(parse_crs("EPSG:4547"), parse_crs("EPSG:4548"))
    assert not same(parse_crs("gcj02"), parse_crs("wgs84"))


def test_an_old_datum_without_a_public_shift_is_said_to_be_doubtful():
    assert parse_crs("EPSG:4610").doubtful_shift  # Xian 80
    assert not parse_crs("EPSG:3857").doubtful_shift


def test_a_file_without_a_system_needs_one_named():
    with pytest.raises(InputRefused, match="does not say which coordinate system"):
        agreed(None, None, "a.csv")


def test_a_file_and_a_person_may_not_contradict_each_other():
    with pytest.raises(InputRefused, match=r"EPSG:4548.*--crs says EPSG:4547"):
        agreed(CRS.from_epsg(4548), "EPSG:4547", "a.gpkg")


def test_no_file_can_say_that_it_is_in_gcj02():
    assert agreed(CRS.from_epsg(4326), "gcj02", "a.shp").name == "gcj02"
    with pytest.raises(InputRefused):
        agreed(CRS.from_epsg(4548), "gcj02", "a.shp")


@pytest.mark.parametrize("name", ["mars", "EPSG:999999", "4326", ""])
def test_an_unknown_system_is_wrong_use(name):
    with pytest.raises(UsageError):
        parse_crs(name)
