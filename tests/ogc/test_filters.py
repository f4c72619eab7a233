"""CQL2 in both encodings: what matches is what the same condition in Python matches."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import shapely

from onemap.domain.feature import CRS84
from onemap.errors import BadQuery
from onemap.ogc.cql import MAX_DEPTH, MAX_FILTER_B, read_filter

from .conftest import START, Get, N

type Feature = dict[str, Any]
type Test = Callable[[Feature, Any], bool]

LINE = "LINESTRING(117.2 31.7002,117.3052 31.7002)"
SQUARE = "MULTIPOLYGON(((117.301 31.7,117.3014 31.7,117.3014 31.7004,117.301 31.7004,117.301 31.7)))"
TRIANGLE = "POLYGON((117.300 31.69,117.310 31.69,117.310 31.71,117.300 31.69))"


def is_true(found: Any) -> bool:
    """SQL's idea: neither false nor unknown."""
    return bool(found)


CONDITIONS: list[tuple[str, Test]] = [
    ("floors = 7", lambda p, _: p["floors"] == 7),
    ("floors <> 7", lambda p, _: p["floors"] is not None and p["floors"] != 7),
    ("floors > 7 AND floors <= 12", lambda p, _: p["floors"] is not None and 7 < p["floors"] <= 12),
    ("NOT (floors > 7)", lambda p, _: p["floors"] is not None and not p["floors"] > 7),
    ("floors < 3 OR floors >= 20", lambda p, _: p["floors"] is not None and (p["floors"] < 3 or p["floors"] >= 20)),
    ("floors BETWEEN 3 AND 6", lambda p, _: p["floors"] is not None and 3 <= p["floors"] <= 6),
    ("floors NOT BETWEEN 3 AND 6", lambda p, _: p["floors"] is not None and not 3 <= p["floors"] <= 6),
    ("floors IS NULL", lambda p, _: p["floors"] is None),
    ("floors IS NOT NULL", lambda p, _: p["floors"] is not None),
    ("floors * 2 > units + 9", lambda p, _: p["floors"] is not None and p["floors"] * 2 > p["units"] + 9),
    ("floors / 2 = 3.5", lambda p, _: p["floors"] == 7),
    ("floors = units", lambda p, _: p["floors"] is not None and p["floors"] == p["units"]),
    ("height_m > 10.25", lambda p, _: p["height_m"] is not None and p["height_m"] > 10.25),
    ("use = 'residential'", lambda p, _: p["use"] == "residential"),
    ("use IN ('school', 'medical')", lambda p, _: p["use"] in ("school", "medical")),
    ("use NOT IN ('school', 'medical')", lambda p, _: p["use"] not in ("school", "medical")),
    ("name LIKE '名称1%'", lambda p, _: (p["name"] or "").startswith("名称1")),
    ("name LIKE '名称_'", lambda p, _: len(p["name"] or "") == 3),
    ("name NOT LIKE '%1%'", lambda p, _: p["name"] is not None and "1" not in p["name"]),
    ("CASEI(use) = CASEI('RESIDENTIAL')", lambda p, _: p["use"] == "residential"),
    ("CASEI(building_id) LIKE CASEI('楼栋编号2%')", lambda p, _: p["building_id"].startswith("楼栋编号2")),
    ('"name" = \'名称3\'', lambda p, _: p["name"] == "名称3"),
    ("name = 'it''s'", lambda *_: False),
    (f"S_INTERSECTS(geometry, {TRIANGLE})", lambda _, g: shapely.intersects(g, shapely.from_wkt(TRIANGLE))),
    (f"S_WITHIN(geometry, {TRIANGLE})", lambda _, g: shapely.within(g, shapely.from_wkt(TRIANGLE))),
    (f"S_DISJOINT(geometry, {TRIANGLE})", lambda _, g: shapely.disjoint(g, shapely.from_wkt(TRIANGLE))),
    (f"S_OVERLAPS(geometry, {TRIANGLE})", lambda _, g: shapely.overlaps(g, shapely.from_wkt(TRIANGLE))),
    ("S_CONTAINS(geometry, POINT(117.3031 31.7001))", lambda p, _: p["floors"] == 3),
    ("S_TOUCHES(geometry, POINT(117.302 31.7))", lambda p, _: p["floors"] == 2),
    (f"S_CROSSES({LINE}, geometry)", lambda _, g: shapely.crosses(shapely.from_wkt(LINE), g)),
    (f"S_EQUALS(geometry, {SQUARE})", lambda p, _: p["floors"] == 1),
    ("S_INTERSECTS(geometry, BBOX(117.3005,31.69,117.3025,31.71))", lambda p, _: p["floors"] in (1, 2)),
    ("households_estimated", lambda p, _: is_true(p["households_estimated"])),
    ("households_estimated = FALSE", lambda p, _: p["households_estimated"] is False),
    ("NOT households_estimated OR floors = 2", lambda p, _: p["households_estimated"] is False or p["floors"] == 2),
]  # fmt: skip


@pytest.mark.parametrize(("text", "test"), CONDITIONS, ids=[text for text, _ in CONDITIONS])
def test_a_filter_matches_what_the_same_condition_matches(get: Get, text: str, test: Test):
    every = get("/collections/buildings/items", reader="staff")["features"]
    expected = [f["id"] for f in every if test(f["properties"], shapely.from_geojson(json.dumps(f["geometry"])))]
    found = get("/collections/buildings/items", reader="staff", filter=text)
    assert [feature["id"] for feature in found["features"]] == expected
    assert found["numberMatched"] == len(expected)


def test_the_conditions_above_tell_features_apart(get: Get):
    sizes = {
        text: get("/collections/buildings/items", reader="staff", filter=text)["numberMatched"]
        for text, _ in CONDITIONS
    }
    assert [text for text, n in sizes.items() if n in (0, 24)] == ["name = 'it''s'"]


CLOSED = [i for i in range(N) if i % 5 != 4]


@pytest.mark.parametrize(("text", "days"), [
    ("T_AFTER(reported_at, DATE('2024-03-10'))", range(9, 24)),
    ("T_BEFORE(reported_at, TIMESTAMP('2024-03-03T08:00:00Z'))", range(2)),
    ("T_DURING(reported_at, INTERVAL('2024-03-02','2024-03-04'))", range(1, 4)),
    ("T_INTERSECTS(reported_at, INTERVAL('2024-03-22T08:00:00Z','..'))", range(21, 24)),
    ("T_EQUALS(reported_at, TIMESTAMP('2024-03-05T08:00:00Z'))", range(4, 5)),
    ("T_DISJOINT(reported_at, INTERVAL('..','2024-03-20'))", range(20, 24)),
    ("reported_at >= TIMESTAMP('2024-03-20T16:00:00+08:00')", range(19, 24)),
    ("reported_at < '2024-03-03'", range(2)),
    ("T_AFTER(closed_at, reported_at)", range(0)),
    ("T_FINISHES(INTERVAL(reported_at, closed_at), INTERVAL('2024-01-01', closed_at))", CLOSED),
])  # fmt: skip
def test_temporal_operators(get: Get, text: str, days: Any):
    # event i was reported and closed on the i-th day at eight o'clock; every fifth has no closing time
    found = get("/collections/events/items", reader="staff", filter=text)["features"]
    reported = [datetime.fromisoformat(feature["properties"]["reported_at"]) for feature in found]
    assert [(moment - START).days for moment in reported] == list(days)


@pytest.mark.parametrize("tree", [
    {"op": "and", "args": [{"op": ">", "args": [{"property": "floors"}, 3]}, {"op": "<", "args": [{"property": "floors"}, 6]}]},
    {"op": "in", "args": [{"property": "floors"}, [5]]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [117.3051, 31.7001]}]},
])  # fmt: skip
def test_cql2_json_is_read_as_well(get: Get, tree: Any):
    found = get("/collections/buildings/items", reader="staff", filter=json.dumps(tree), **{"filter-lang": "cql2-json"})
    assert [f["properties"]["floors"] for f in found["features"]] == [5]


@pytest.mark.parametrize(("text", "word"), [
    ("no_such = 1", "no_such"),
    ("floors = 'many'", "text"),
    ("floors LIKE 'a%'", "LIKE"),
    ("floors", "condition"),
    ("geometry = 1", "compared"),
    ("S_INTERSECTS(geometry, POLYGON((0 0,1 1,0 1,1 0,0 0)))", "not valid"),
    ("S_INTERSECTS(geometry, POINT(200 31))", "outside"),
    ("S_INTERSECTS(name, POINT(117 31))", "two geometries"),
    ("A_CONTAINS(name, ('a'))", "a_contains"),
    ("no_function(name) = 1", "no_function"),
    ("floors / (units - units) > 1", "evaluated"),
    ("floors = 1e400", "finite"),
    ("reported_at = 1", "reported_at"),
    ("built_year > DATE('2024-02-31')", "number"),
    ("floors =", "character"),
    ("1 + 1", "operator"),
    ("'a'", "condition"),
    ("", "character"),
    ("name = 'a' garbage", "character"),
    ('{"op":"=","args":[1]}', "2 arguments"),
    ('{"op":"="}', "arguments"),
    ('{"op":"=","args":[{"property":{"x":1}},1]}', "property"),
    ('{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":"x"}]}', "cannot be read"),
    ("{", "JSON"),
])  # fmt: skip
def test_a_filter_that_cannot_be_read_is_400_and_says_why(get: Get, text: str, word: str):
    assert word in get("/collections/buildings/items", reader="staff", filter=text, status=400)["detail"]


def test_a_filter_language_that_is_not_spoken_is_400(get: Get):
    get("/collections/buildings/items", filter="floors=1", **{"filter-lang": "cql-text"}, status=400)
    get("/collections/buildings/items", filter="floors=1", **{"filter-lang": "cql2-json"}, status=400)


def test_values_never_become_sql(get: Get):
    for text in ("'; DROP TABLE layer.buildings; --", "%s", "%(x)s", "{0}", "a'' OR ''1''=''1"):
        quoted = text.replace("'", "''")
        assert get("/collections/buildings/items", filter=f"name = '{quoted}'")["numberMatched"] == 0
        assert get("/collections/buildings/items", name=text)["numberMatched"] == 0
    assert get("/collections/buildings/items")["numberMatched"] == 24


@pytest.mark.parametrize("nested", [
    lambda n: "(" * n + "a=1" + ")" * n,
    lambda n: "NOT " * n + "a=1",
    lambda n: "not\t" * n + "a=1",
    lambda n: "NOT (" * n + "a=1" + ")" * n,
    lambda n: f"a={'-(' * n}1{')' * n}",
    lambda n: f"a={'- ' * n}1",
    lambda n: f"a={'2^' * n}1",
    lambda n: f"{'casei(' * n}a{')' * n}='x'",
    lambda n: '{"op":"not","args":[' * n + '{"op":"isNull","args":[{"property":"a"}]}' + "]}" * n,
])  # fmt: skip
def test_a_filter_that_is_too_deep_never_reaches_the_parser(
    nested: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("cql2.parse_text", lambda _: pytest.fail("The parser was reached."))
    for depth in (MAX_DEPTH + 12, 200):
        text = nested(depth)
        if len(text) <= MAX_FILTER_B:
            with pytest.raises(BadQuery, match="deep"):
                read_filter(text, None, CRS84)


def test_a_filter_may_be_as_deep_as_said(get: Get):
    get("/collections/buildings/items", filter="(" * 20 + "floors=1" + ")" * 20)
    get("/collections/buildings/items", filter="(" * 21 + "floors=1" + ")" * 21, status=400)


def test_a_filter_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cql2.parse_text", lambda _: pytest.fail("The parser was reached."))
    with pytest.raises(BadQuery, match="2048 bytes"):
        read_filter("a = '" + "网" * 700 + "'", None, CRS84)
