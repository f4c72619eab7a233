"""The life circle on the demo city against networkx and plain sums: walks, coverage, and what would change."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from onemap.analyses.circle_ground import Ground, LifeCircles
from onemap.analyses.circle_zones import FEW, ZoneCoverage, suppressed
from onemap.analyses.life_circle import CircleAsk, category_by_zone, coverage
from onemap.analyses.streets import StreetNetworks
from onemap.analyses.what_if import Change, WhatIf, what_if
from onemap.domain.layer import Catalog
from onemap.domain.scope import PUBLIC, STAFF, DataClass, Scope
from onemap.engine.network.index import Places
from onemap.errors import FeatureNotFound, InputRefused, InvalidValue, NotAllowed
from onemap.store.db import Db

COMMUNITY = "990101001001"
HERE = CircleAsk(COMMUNITY)
CARE = "elder_day_care"


@pytest.fixture(scope="module")
def db(town: str) -> Iterator[Db]:
    with Db(town) as pool:
        yield pool


@pytest.fixture(scope="module")
def circles(db: Db, catalog: Catalog) -> LifeCircles:
    return LifeCircles(db, catalog, StreetNetworks(db, catalog))


@pytest.fixture(scope="module")
def ground(circles: LifeCircles) -> Ground:
    return circles.ground()


def walks_by_networkx(
    ground: Ground, facilities: Sequence[tuple[int, float, float]], links: Sequence[tuple[Any, Any, float]] = ()
) -> np.ndarray:
    """
    Metres from every home to the nearest facility, each street cut at everything that stands on it.

    ``facilities`` are (edge, fraction, metres to the street), ``links`` two such positions and the metres between.
    """
    network, homes = ground.network, ground.homes.places
    on_edge: dict[int, list[tuple[float, Any]]] = {}
    graph = nx.Graph()

    def stand(name: Any, edge: int, fraction: float, door_m: float) -> None:
        on_edge.setdefault(int(edge), []).append((float(fraction), ("on", name)))
        graph.add_edge(("on", name), name, weight=float(door_m))

    for i in np.flatnonzero(homes.found):
        stand(("home", int(i)), homes.edge[i], homes.fraction[i], homes.snap_m[i])
    for j, (edge, fraction, door_m) in enumerate(facilities):
        stand(("facility", j), edge, fraction, door_m)
    for k, (a, b, metres) in enumerate(links):
        stand(("link", k, 0), a[0], a[1], 0.0)
        stand(("link", k, 1), b[0], b[1], 0.0)
        graph.add_edge(("link", k, 0), ("link", k, 1), weight=metres)
    for edge in range(network.n_edge):
        stops = [(0.0, int(network.edge_from[edge])), *sorted(on_edge.get(edge, ()), key=lambda stop: stop[0])]
        stops.append((1.0, int(network.edge_to[edge])))
        for (t0, a), (t1, b) in pairwise(stops):
            metres = (t1 - t0) * float(network.edge_length_m[edge])
            if not graph.has_edge(a, b) or graph.edges[a, b]["weight"] > metres:
                graph.add_edge(a, b, weight=metres)
    doors = [("facility", j) for j in range(len(facilities))]
    found = nx.multi_source_dijkstra_path_length(graph, doors) if doors else {}
    return np.array([found.get(("home", i), np.inf) for i in range(len(homes))])


def stops(places: Places, keep: Any = slice(None)) -> list[tuple[int, float, float]]:
    found = places.found[keep]
    return list(zip(places.edge[keep][found], places.fraction[keep][found], places.snap_m[keep][found], strict=True))


def seconds_after(circles: LifeCircles, catalog: Catalog, changes: list[Change], ask: CircleAsk = HERE) -> Any:
    """The answer, and metres of every home of the area after the changes, told from ``changed`` alone."""
    ground = circles.ground()
    rows = ground.rows(ask.area, STAFF)
    told = what_if(circles, catalog, STAFF, ask, CARE, changes)
    after = ground.walks(CARE).metres[rows] / (ask.speed_kmh / 3.6)
    place = {fid: i for i, fid in enumerate(ground.homes.fid[rows].tolist())}
    for fid, seconds in zip(told.changed.fid, told.changed.seconds, strict=True):
        after[place[fid]] = np.inf if seconds is None else seconds
    return told, after


@pytest.mark.parametrize("category", [CARE, "bus_stop", "market"])
def test_walks_equal_networkx(ground: Ground, category: str) -> None:
    expected = walks_by_networkx(ground, stops(ground.services[category].places))
    np.testing.assert_allclose(ground.walks(category).metres, expected, rtol=0, atol=1e-6)


def test_homes_stand_on_the_nearest_street(ground: Ground) -> None:
    network = ground.network
    usable = np.flatnonzero(network.snappable)
    lines = shapely.STRtree([shapely.LineString(network.edge_line(int(edge))) for edge in usable])
    points = shapely.points(ground.homes.x, ground.homes.y)
    _, metres = lines.query_nearest(points, return_distance=True, all_matches=False)
    np.testing.assert_allclose(ground.homes.places.snap_m, metres, rtol=0, atol=1e-6)


def test_coverage_is_a_plain_sum_over_the_buildings(
    circles: LifeCircles, catalog: Catalog, ground: Ground, db: Db
) -> None:
    within = walks_by_networkx(ground, stops(ground.services[CARE].places)) <= 300.0 + 1e-9
    with db.connection() as connection:
        rows = connection.execute(
            "SELECT fid, households, persons, grid_code, estate_id FROM layer.buildings "
            "WHERE starts_with(area_code, %s) AND households > 0",
            (COMMUNITY,),
        ).fetchall()
    covered = {int(fid) for fid in ground.homes.fid[within]}
    told = next(row for row in coverage(circles, catalog, STAFF, HERE).categories if row.category == CARE)
    assert told.households_covered == sum(row[1] for row in rows if row[0] in covered)
    assert told.persons_covered == sum(row[2] for row in rows if row[0] in covered)
    assert told.share == pytest.approx(told.households_covered / sum(row[1] for row in rows))
    assert told.straight_share is not None
    assert told.straight_share > told.share
    for by, column in (("grid", 3), ("estate", 4)):
        zones = {zone.title: zone for zone in category_by_zone(circles, catalog, STAFF, HERE, CARE, by).rows}
        assert sum(zone.households or 0 for zone in zones.values()) == sum(row[1] for row in rows)
        expected = {
            key: sum(row[1] for row in rows if row[column] == key and row[0] in covered)
            for key in {row[column] for row in rows}
        }
        told_by_key = {
            zone.key: zone.households_covered for zone in category_by_zone(circles, catalog, STAFF, HERE, CARE, by).rows
        }
        assert told_by_key == expected


def test_a_limit_in_metres_is_the_same_for_everybody_and_one_in_minutes_is_not(
    circles: LifeCircles, catalog: Catalog
) -> None:
    def share(speed_kmh: float, minutes: float | None) -> float:
        ask = CircleAsk(COMMUNITY, speed_kmh, None, minutes)
        found = {row.category: row.share for row in coverage(circles, catalog, STAFF, ask).categories}[CARE]
        assert found is not None
        return found

    assert share(4.0, None) == share(2.88, None)
    assert share(4.0, 5.0) > share(2.88, 5.0)


def test_the_bars_add_up(circles: LifeCircles, catalog: Catalog) -> None:
    whole = category_by_zone(circles, catalog, STAFF, HERE, CARE, "community")
    assert whole.histogram is not None
    assert sum(whole.histogram.households) == whole.rows[0].households
    inside = [n for n, edge in zip(whole.histogram.households, whole.histogram.edges_s, strict=True) if edge < 270.0]
    assert sum(inside) == whole.rows[0].households_covered


def test_whoever_is_closed_does_not_count(circles: LifeCircles, catalog: Catalog) -> None:
    by_day = coverage(circles, catalog, STAFF, CircleAsk(COMMUNITY, open_at="Tue 10:00")).categories
    at_night = coverage(circles, catalog, STAFF, CircleAsk(COMMUNITY, open_at="周二 23:30")).categories
    shop = [next(row for row in rows if row.category == "convenience_store") for rows in (by_day, at_night)]
    assert shop[0].share is not None
    assert shop[1].share is None
    assert "open then" in (shop[1].problem or "")


@pytest.mark.parametrize("seed", range(6))
def test_what_if_equals_counting_everything_again(
    circles: LifeCircles, catalog: Catalog, ground: Ground, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    services, rows = ground.services[CARE], ground.rows(COMMUNITY, STAFF)
    gone = rng.choice(services.fid, size=int(rng.integers(0, 4)), replace=False)
    places = [
        (float(lon), float(lat))
        for lon, lat in zip(rng.uniform(117.293, 117.308, 3), rng.uniform(31.6955, 31.706, 3), strict=True)
    ]
    changes = [Change("close", fid=int(fid)) for fid in gone[1:]]
    changes += [Change("move", places[0], int(fid)) for fid in gone[:1]]
    changes += [Change("add", place) for place in places[1 : 1 + int(rng.integers(1, 3))]]
    new = [change.point for change in changes if change.point]
    facilities = stops(services.places, ~np.isin(services.fid, gone))
    for lon, lat in new:
        facilities += stops(ground.held.place(lon, lat))
    expected = walks_by_networkx(ground, facilities)[rows]
    told, after = seconds_after(circles, catalog, changes)
    np.testing.assert_allclose(after, expected / (4.0 / 3.6), rtol=0, atol=0.051)  # answers are rounded to 0.1 s
    homes, before = ground.homes, ground.walks(CARE).metres[rows]
    was, will = before <= 300.0, expected <= 300.0
    assert told.before.households_covered == homes.households[rows][was].sum()
    assert told.after.households_covered == homes.households[rows][will].sum()
    assert told.gained.households == homes.households[rows][will & ~was].sum()
    assert told.lost.persons == homes.persons[rows][was & ~will].sum()
    assert told.uncovered.households == told.households - told.after.households_covered
    assert sum(gap.households for gap in told.gaps) == told.uncovered.households
    differs = set(homes.fid[rows][np.abs(expected - before) > 1e-6].tolist())
    assert set(told.changed.fid) == differs


def link_of(ground: Ground, change: Change) -> tuple[Any, Any, float]:
    """A bridge as networkx is to see it: both ends on the street, and the metres between them."""
    assert change.line is not None
    ends = [ground.held.place(*end) for end in change.line]
    (x0, y0), (x1, y1) = (ground.held.xy(*end) for end in change.line)
    metres = float(np.hypot(x1 - x0, y1 - y0) + sum(end.snap_m[0] for end in ends))
    return (*(stops(end)[0] for end in ends), metres)


def test_bridges_equal_streets_that_were_always_there(circles: LifeCircles, catalog: Catalog, ground: Ground) -> None:
    # from the home with the longest walk to a facility, in two bridges of which one leads on to the other
    rows, services, homes = ground.rows(COMMUNITY, STAFF), ground.services[CARE], ground.homes
    farthest = rows[np.argmax(ground.walks(CARE).metres[rows])]
    begin = np.array([homes.lon[farthest], homes.lat[farthest]])
    for service in services.rows:
        end = np.array([service.lon, service.lat])
        stops_at = [tuple(begin + share * (end - begin)) for share in (0.0, 0.5, 0.51, 1.0)]
        bridges = [Change("bridge", line=(stops_at[i], stops_at[i + 1])) for i in (0, 2)]
        if what_if(circles, catalog, STAFF, HERE, CARE, bridges).changed.fid:
            break
    links = [link_of(ground, bridge) for bridge in bridges]
    expected = walks_by_networkx(ground, stops(services.places), links)[rows]
    told, after = seconds_after(circles, catalog, bridges)
    assert told.changed.fid
    np.testing.assert_allclose(after, expected / (4.0 / 3.6), rtol=0, atol=0.051)
    assert told.lost.households == 0


def test_a_gate_is_a_way_through_the_wall(circles: LifeCircles, catalog: Catalog, ground: Ground) -> None:
    gained = []
    for outline, row in zip(ground.estate_outlines, ground.estates, strict=True):
        if not row.within.startswith(COMMUNITY):
            continue
        for share in (0.1, 0.35, 0.6, 0.85):
            door = shapely.line_interpolate_point(shapely.boundary(outline), share, normalized=True)
            lon, lat = ground.held.plane.lonlat(np.array([door.x]), np.array([door.y]))
            try:
                told, after = seconds_after(circles, catalog, [Change("gate", (float(lon[0]), float(lat[0])))])
            except InputRefused:  # no street on one side of the wall
                continue
            before = ground.walks(CARE).metres[ground.rows(COMMUNITY, STAFF)] / (4.0 / 3.6)
            assert (after <= before + 0.051).all()
            gained.append(len(told.changed.fid))
    assert max(gained) > 5


def test_a_facility_outside_the_area_counts(circles: LifeCircles, catalog: Catalog, ground: Ground) -> None:
    with pytest.raises(FeatureNotFound):
        ground.area("990101001999", STAFF)
    # a home outside, nearest to one inside that has far to walk
    homes, inside = ground.homes, ground.rows(COMMUNITY, STAFF)
    beyond = np.setdiff1d(ground.rows("", STAFF), inside)
    apart = np.hypot(homes.x[beyond, None] - homes.x[inside], homes.y[beyond, None] - homes.y[inside])
    best = beyond[np.argmax((ground.walks(CARE).metres[inside] - 2.0 * apart).max(axis=1))]
    outside = (float(homes.lon[best]), float(homes.lat[best]))
    told = what_if(circles, catalog, STAFF, HERE, CARE, [Change("add", outside)])
    assert told.changed.fid
    assert told.after.mean_s is not None
    assert told.before.mean_s is not None
    assert told.after.mean_s < told.before.mean_s


def test_with_all_closed_nobody_is_covered(circles: LifeCircles, catalog: Catalog, ground: Ground) -> None:
    changes = [Change("close", fid=int(fid)) for fid in ground.services[CARE].fid]
    told = what_if(circles, catalog, STAFF, HERE, CARE, changes)
    assert told.after.households_covered == 0
    assert told.after.mean_s is None
    assert set(told.changed.seconds) == {None}
    assert told.after.histogram.unreachable == told.households


def test_the_first_of_a_category_is_placed_where_there_was_none(circles: LifeCircles, catalog: Catalog) -> None:
    ask = CircleAsk(COMMUNITY)
    assert "hospital" in circles.ground().services
    empty = dict(circles.ground().services)
    hospital = empty.pop("hospital")
    try:
        del circles.ground().services["hospital"]
        with pytest.raises(InputRefused, match="no facility of category 'hospital'"):
            category_by_zone(circles, catalog, STAFF, ask, "hospital", "grid")
        told: WhatIf = what_if(circles, catalog, STAFF, ask, "hospital", [Change("add", (117.3, 31.7))])
        assert told.before.households_covered == 0
        assert told.after.households_covered > 0
    finally:
        circles.ground().services["hospital"] = hospital


def test_arrays_are_forgotten_when_their_layers_are_written(db: Db, catalog: Catalog) -> None:
    circles = LifeCircles(db, catalog, StreetNetworks(db, catalog))
    first = circles.ground()
    circles.written("events")
    assert circles.ground() is first
    circles.written("facilities")
    second = circles.ground()
    assert second is not first
    assert second.held is first.held


def test_the_laid_ground_goes_away_with_its_streets(db: Db, catalog: Catalog) -> None:
    streets = StreetNetworks(db, catalog)
    laid = streets.network("foot").ground()
    streets.written("facilities")
    assert streets.network("foot").ground() is laid
    streets.written("roads")
    assert streets.network("foot").ground() is not laid


def test_many_ask_at_once_and_one_reads(db: Db, catalog: Catalog) -> None:
    circles = LifeCircles(db, catalog, StreetNetworks(db, catalog))
    seen: list[Ground] = []
    threads = [threading.Thread(target=lambda: seen.append(circles.ground())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(ground) for ground in seen}) == 1


def test_a_reader_of_one_community_counts_its_homes_only(
    circles: LifeCircles, catalog: Catalog, ground: Ground
) -> None:
    mine = Scope((COMMUNITY,), frozenset({DataClass.PUBLIC, DataClass.INTERNAL}))
    told = coverage(circles, catalog, mine, CircleAsk())
    assert told.n_buildings == len(ground.rows(COMMUNITY, STAFF))
    with pytest.raises(FeatureNotFound):
        coverage(circles, catalog, mine, CircleAsk("9901"))


def test_the_public_reads_whole_per_cent_and_asks_nothing_special(circles: LifeCircles, catalog: Catalog) -> None:
    told = coverage(circles, catalog, PUBLIC, HERE)
    shares = [row.share for row in told.categories if row.share is not None]
    assert shares
    assert all(round(share, 2) == share for share in shares)
    assert {row.households_covered for row in told.categories} == {None}
    for ask in (CircleAsk(COMMUNITY, 3.9), CircleAsk(COMMUNITY, minutes=7), CircleAsk(COMMUNITY, open_at="Mon 10:00")):
        with pytest.raises(NotAllowed):
            coverage(circles, catalog, PUBLIC, ask)
    for by in ("building", "estate"):
        with pytest.raises(NotAllowed):
            category_by_zone(circles, catalog, PUBLIC, HERE, CARE, by)
    with pytest.raises(NotAllowed):
        what_if(circles, catalog, PUBLIC, HERE, CARE, [])


ZONES = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 30), st.integers(0, 30)).map(
        lambda n: ZoneCoverage(
            "z", 1, "z", n[0], n[1] + n[2], 2 * (n[1] + n[2]), n[1], 2 * n[1], 0.5, 60, 90, 1, False, None
        )
    ),
    max_size=8,
)


@given(ZONES)
def test_nothing_small_is_told_nor_can_be_subtracted(zones: list[ZoneCoverage]) -> None:
    told = suppressed(zones)
    assert all(zone.households_covered is None and zone.worst_s is None for zone in told)
    for before, after in zip(zones, told, strict=True):
        if not after.suppressed:
            assert before.n_buildings >= FEW
            for part in (before.households_covered, (before.households or 0) - (before.households_covered or 0)):
                assert part is not None
                assert part == 0 or part >= FEW
        else:
            assert (after.households, after.persons, after.share, after.mean_s) == (None, None, None, None)
    assert sum(zone.suppressed for zone in told) != 1 or len(told) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"speed_kmh": float("nan")}, "nan km/h"),
        ({"speed_kmh": -1.0}, "-1 km/h"),
        ({"open_at": "soon"}, "moment of the week"),
    ],
)
def test_a_walker_that_cannot_be_is_refused(words: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidValue, match=sentence):
        CircleAsk(COMMUNITY, **words)
