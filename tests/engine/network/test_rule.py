"""
Anyone can rebuild a network from docs/network.md: here it is done in networkx, node by node, from the page alone.

The rebuilt graph has one node for every OpenStreetMap node (bends too), so nothing of our noding, merging or snapping is
shared with it.
"""

from __future__ import annotations

import tomllib
import xml.etree.ElementTree as ET
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from pyproj import CRS, Geod

from onemap.engine.network.build import build
from onemap.engine.network.index import Places, snap
from onemap.engine.network.reach import reach, times
from onemap.ingest.network_rules import rules_folder
from onemap.ingest.osm_network import read_osm_streets
from tests.engine.network.towns import RULES

GEOD = Geod(ellps="WGS84")
NUMBERS = tomllib.loads((rules_folder() / "network.toml").read_text(encoding="utf-8"))

TOWN = [  # way: nodes, tags
    ([1, 2, 3, 4], {"highway": "primary", "maxspeed": "50"}),
    ([4, 5], {"highway": "primary", "oneway": "-1", "maxspeed": "25 mph"}),
    ([5, 6, 7], {"highway": "residential", "oneway": "yes", "cycleway": "opposite"}),
    ([7, 8], {"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}),
    ([8, 1], {"highway": "secondary", "maxspeed": "RU:urban"}),
    ([2, 9, 10], {"highway": "footway", "bicycle": "yes"}),
    ([10, 11, 12, 13, 10], {"highway": "pedestrian", "area": "yes"}),
    ([12, 7], {"highway": "steps"}),
    ([3, 14, 6], {"highway": "service", "access": "private"}),
    ([3, 15], {"highway": "service", "access": "private", "foot": "yes"}),
    ([15, 16, 17, 8], {"highway": "service"}),
    ([1, 18], {"highway": "trunk", "sidewalk": "right"}),
    ([18, 19], {"highway": "motorway"}),
    ([19, 4], {"highway": "trunk"}),
    ([20, 21, 22, 23, 20], {"highway": "tertiary", "junction": "roundabout"}),
    ([20, 5], {"highway": "unclassified"}),
    ([22, 6], {"highway": "cycleway"}),
    ([6, 24, 25, 6], {"highway": "living_street"}),
    ([5, 6], {"highway": "path"}),
    ([9, 26], {"highway": "track", "motor_vehicle": "yes"}),
    ([26, 13], {"highway": "construction"}),
    ([26, 11], {"highway": "path", "foot": "no"}),
    ([16, 27], {"highway": "footway", "conveying": "forward"}),
    ([27, 17], {"highway": "cycleway", "bicycle": "dismount"}),
]
BARRIERS = {
    2: {"barrier": "bollard"},
    9: {"barrier": "gate", "access": "private", "foot": "yes"},
    12: {"barrier": "gate", "foot": "no"},
    16: {"barrier": "lift_gate"},
    21: {"barrier": "fence"},
    24: {"barrier": "block"},
}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    rng = np.random.default_rng(12)
    root = ET.Element("osm", version="0.6")
    where = {
        n: (117.28 + 0.001 * (n % 6) + rng.uniform(0, 4e-4), 31.86 + 0.001 * (n // 6) + rng.uniform(0, 4e-4))
        for n in range(1, 28)
    }
    for n, (lon, lat) in where.items():
        node = ET.SubElement(root, "node", id=str(n), lon=f"{lon:.7f}", lat=f"{lat:.7f}", version="1")
        for k, v in BARRIERS.get(n, {}).items():
            ET.SubElement(node, "tag", k=k, v=v)
        where[n] = (float(f"{lon:.7f}"), float(f"{lat:.7f}"))
    for i, (nodes, tags) in enumerate(TOWN, 1):
        way = ET.SubElement(root, "way", id=str(i), version="1")
        for n in nodes:
            ET.SubElement(way, "nd", ref=str(n))
        for k, v in tags.items():
            ET.SubElement(way, "tag", k=k, v=v)
    path = tmp_path_factory.mktemp("osm") / "town.osm"
    ET.ElementTree(root).write(path)
    return path, where


def first_of(tags, keys):
    return next((tags[key] for key in keys if key in tags), None)


ACCESS = {  # most particular first
    "foot": ["foot", "access"],
    "ebike": ["bicycle", "vehicle", "access"],
    "car": ["motorcar", "motor_vehicle", "vehicle", "access"],
}
SHUT = {"no", "private", "military", "emergency"}


def speed_of(tags, mode):
    kind = tags["highway"]
    if mode != "foot" and kind == "steps":
        return 0.0
    shut = SHUT | ({"agricultural", "forestry", "psv", "bus"} if mode != "foot" else set())
    if mode == "ebike" and tags.get("bicycle") in ("dismount", "use_sidepath"):
        return 0.0
    if first_of(tags, ACCESS[mode]) in shut:
        return 0.0
    table = NUMBERS[mode]["speed_kmh"]
    opened = any(tags.get(k) in ("yes", "designated", "permissive", "official", "public") for k in ACCESS[mode][:-1])
    listed = kind in table or (mode != "foot" and kind in ("footway", "pedestrian"))
    speed = table.get(kind, 0.0)
    if (
        listed
        and speed == 0.0
        and (opened or (mode == "foot" and tags.get("sidewalk") in ("left", "right", "both", "yes")))
    ):
        speed = NUMBERS[mode]["default_kmh"]
    if mode == "car" and speed > 0.0:
        text = tags.get("maxspeed", "")
        if text.isdigit():
            speed = float(text)
        elif text.endswith(" mph"):
            speed = float(text[:-4]) * 1.609344
    return speed


def directions(tags, mode):
    if mode == "foot":
        return tags.get("conveying") != "backward", tags.get("conveying") != "forward"
    own = {"ebike": ["oneway:bicycle"], "car": ["oneway:motorcar", "oneway:motor_vehicle"]}[mode]
    value = first_of(tags, [*own, "oneway"])
    if value is None and (tags.get("junction") == "roundabout" or tags["highway"] == "motorway"):
        value = "yes"
    if mode == "ebike" and tags.get("cycleway", "").startswith("opposite"):
        return True, True
    return value != "-1", value not in ("yes", "true", "1")


def stops(tags, mode):
    said = first_of(tags, ACCESS[mode])
    return said in SHUT if said is not None else tags.get("barrier") in NUMBERS["barriers"][mode]


def rebuild(where, mode):
    """One networkx node per OpenStreetMap node; behind a barrier every way has ends of its own."""
    graph = nx.MultiDiGraph()
    for w, (nodes, tags) in enumerate(TOWN):
        speed = speed_of(tags, mode)
        if speed == 0.0:
            continue
        ahead, back = directions(tags, mode)
        for i, (a, b) in enumerate(pairwise(nodes)):
            seconds = GEOD.inv(*where[a], *where[b])[2] / (speed / 3.6)
            u = (a, w, i, "leaving") if a in BARRIERS and stops(BARRIERS[a], mode) else a
            v = (b, w, i, "arriving") if b in BARRIERS and stops(BARRIERS[b], mode) else b
            if ahead:
                graph.add_edge(u, v, seconds=seconds)
            if back:
                graph.add_edge(v, u, seconds=seconds)
    return graph


@pytest.mark.parametrize("mode", ["foot", "ebike", "car"])
def test_the_network_is_the_one_that_the_page_describes(town, mode):
    path, where = town
    source = read_osm_streets(path, RULES)
    network = build(source.streets, mode, RULES)
    graph = rebuild(where, mode)
    ids = source.streets.point_id[network.node_point]
    junctions = [n for n in range(network.n_node) if int(ids[n]) in graph]
    assert len(junctions) > 8
    compared = 0
    for start in junctions:
        place = place_on_node(network, start)
        if place is None:
            continue
        expected = nx.single_source_dijkstra_path_length(graph, int(ids[start]), weight="seconds")
        found = reach(network, place, toward=False)
        want = [expected.get(int(ids[other]), np.inf) for other in junctions]
        assert np.allclose(found.node_s[junctions], want, atol=0.001)
        compared += int(np.isfinite(want).sum())
    assert compared > 50


def place_on_node(network, node):
    """The end of a street from which one may go on to the node itself; None where streets only lead away."""
    for edge in range(network.n_edge):
        for end, fraction, onto in (
            (network.edge_from[edge], 0.0, network.edge_backward_s[edge]),
            (network.edge_to[edge], 1.0, network.edge_forward_s[edge]),
        ):
            if end == node and np.isfinite(onto):
                return Places(np.array([edge], np.int32), np.array([fraction]), np.zeros(1), np.zeros(1, bool))
    return None


def test_life_circle_times_equal_the_rebuilt_graph_with_places_in_the_middle_of_streets(town):
    """Edge offsets: two places on street pieces, joined to both ends of their piece by share of its length."""
    path, where = town
    source = read_osm_streets(path, RULES)
    network = build(source.streets, "foot", RULES)
    graph = rebuild(where, "foot")
    pieces = [(1, 2), (3, 4), (6, 7), (7, 8), (11, 12), (16, 17)]
    lon = np.array([0.7 * where[a][0] + 0.3 * where[b][0] for a, b in pieces])
    lat = np.array([0.7 * where[a][1] + 0.3 * where[b][1] for a, b in pieces])
    for k, (a, b) in enumerate(pieces):
        for end, share in ((a, 0.3), (b, 0.7)):
            ends = [n for n in graph if n == end or (isinstance(n, tuple) and n[0] == end)]
            whole = GEOD.inv(*where[a], *where[b])[2] / (4 / 3.6)
            for n in ends:
                touching = graph.has_edge(n, b if end == a else a) or any(
                    isinstance(m, tuple) and m[0] == (b if end == a else a) for m in graph.successors(n)
                )
                if touching:
                    graph.add_edge(("place", k), n, seconds=share * whole)
                    graph.add_edge(n, ("place", k), seconds=share * whole)
    places = snap(network, *source.plane.xy(lon, lat, CRS.from_epsg(4326)))
    assert places.snap_m.max() < 0.01
    for k in range(len(pieces)):
        expected = nx.single_source_dijkstra_path_length(graph, ("place", k), weight="seconds")
        seconds = times(network, reach(network, places.take(np.array([k])), toward=False), places)
        assert np.allclose(seconds, [expected.get(("place", j), np.inf) for j in range(len(pieces))], atol=0.02)
