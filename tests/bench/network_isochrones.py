"""Isochrones: how true and how fast, beside Valhalla on the invented city and on a real extract."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import network_peers as peers
import numpy as np
import shapely
import shapely.geometry
from invented import scattered
from network_table import Row, milliseconds, timed
from network_town import BANDS, RULES, Town
from pyproj import CRS

from onemap.engine.coverage.isochrone import isochrones, lay_ground
from onemap.engine.network.build import build
from onemap.engine.network.index import snap
from onemap.engine.network.reach import reach, times
from onemap.ingest.osm_network import read_osm_streets

N_PLACE, BLOCK = 200, 20


def bench_isochrones(here: Town) -> list[Row]:
    """5, 10 and 15 minutes from random places; recall and precision against per-building truth."""
    network, side, rng = here.network, here.side, np.random.default_rng(4)
    ground, lay_s = timed(lambda: lay_ground(network))
    counts = np.zeros(3)
    spent: list[float] = []
    alone: list[float] = []
    for _ in range(N_PLACE):
        xy = scattered(1, side, rng)
        place = snap(network, *xy)
        if not place.found[0]:
            continue
        found, s = timed(lambda xy=xy: isochrones(network, snap(network, *xy), BANDS, ground=ground))
        spent.append(1000.0 * s)
        _, s = timed(lambda place=place: isochrones(network, place, BANDS))
        alone.append(1000.0 * s)
        px, py = network.position(place.edge, place.fraction)
        x, y = px[0] + rng.uniform(-1100, 1100, 4000), py[0] + rng.uniform(-1100, 1100, 4000)
        counts += judged(network, place, found, x, y)
    recall, precision = counts[0] / counts[1], counts[0] / counts[2]
    p99 = float(np.quantile(spent, 0.99))
    return [
        Row("isochrones 5/10/15 on foot, ground laid before", milliseconds(spent), "", None, "p99 <= 30 ms", p99 <= 30.0),
        Row("  recall, precision of homes", f"{recall:.4f}, {precision:.4f}", "", None, ">= .99, >= .95",
            recall >= 0.99 and precision >= 0.95),
        Row("  laying the ground of the whole city (once)", f"{lay_s:.1f} s"),
        Row("  a single one without laying it", milliseconds(alone)),
    ]  # fmt: skip


def judged(network: Any, place: Any, found: Any, x: Any, y: Any) -> Any:
    """Homes reached and inside, reached, inside: summed over the bands."""
    seconds = times(network, reach(network, place, toward=False, budget_s=1200.0), snap(network, x, y))
    counts = np.zeros(3)
    for minutes, polygon in zip(found.minutes, found.polygons, strict=True):
        shapely.prepare(polygon)
        inside, reached = shapely.contains_xy(polygon, x, y), seconds <= 60 * minutes
        counts += [(inside & reached).sum(), reached.sum(), inside.sum()]
    return counts


def beside_valhalla(here: Town, theirs: peers.Valhalla) -> list[Row]:
    """The same places and bands to either."""
    x, y = scattered(N_PLACE, here.side, np.random.default_rng(10))
    return in_turn(here.network, theirs, x, y, *peers.degrees(x, y), peers.plane)


def beside_valhalla_on(osm: Path) -> list[Row]:
    """Isochrones on a real extract, ours and Valhalla's in turn."""
    why = peers.absent("valhalla")
    if why:
        return [Row(f"isochrones on {osm.name} beside Valhalla", "", why)]
    source = read_osm_streets(osm, RULES)
    network = build(source.streets, "foot", RULES, speed_kmh=peers.WALKING_KMH)
    chosen = np.random.default_rng(7).choice(np.flatnonzero(network.components.of_node == 0), N_PLACE)
    x, y = network.node_x[chosen], network.node_y[chosen]
    lon, lat = source.plane.lonlat(x, y)
    degrees = CRS.from_epsg(4326)
    with peers.valhalla_of(osm) as theirs:
        rows = in_turn(
            network, theirs, x, y, lon, lat, lambda a, b: source.plane.xy(np.asarray(a), np.asarray(b), degrees)
        )
    return [Row(f"on {osm.name}: {network.n_node:,} nodes", ""), *rows]


def in_turn(network: Any, theirs: peers.Valhalla, x: Any, y: Any, lon: Any, lat: Any, onto: Any) -> list[Row]:
    """
    A walk of 4 km/h, all parts and holes kept: 20 places to us, the same to Valhalla, the next 20, and so on.

    Blocks let either work as a server does, with its own code and data in the cache, and share what else the machine does.
    """
    ground, rng = lay_ground(network), np.random.default_rng(9)
    ours_ms, theirs_ms, text_ms = [], [], []
    counts, their_counts = np.zeros(3), np.zeros(3)
    usable = np.flatnonzero(snap(network, x, y).found)
    for block in np.array_split(usable, max(len(usable) // BLOCK, 1)):
        questions = [theirs.isochrones_text(float(lon[i]), float(lat[i]), BANDS) for i in block]
        found = [
            timed(lambda i=i: isochrones(network, snap(network, x[[i]], y[[i]]), BANDS, ground=ground)) for i in block
        ]
        texts = [timed(ask) for ask in questions]
        answers = [timed(lambda i=i: theirs.isochrones(float(lon[i]), float(lat[i]), BANDS)) for i in block]
        ours_ms += [1000.0 * s for _, s in found]
        text_ms += [1000.0 * s for _, s in texts]
        theirs_ms += [1000.0 * s for _, s in answers]
        for i, (polygons, _), (answer, _) in zip(block, found, answers, strict=True):
            place = snap(network, x[[i]], y[[i]])
            homes = x[i] + rng.uniform(-1100, 1100, 1000), y[i] + rng.uniform(-1100, 1100, 1000)
            counts += judged(network, place, polygons, *homes)
            their_counts += judged(network, place, as_ours(answer, onto), *homes)
    ratio = float(np.median(theirs_ms) / np.median(ours_ms))
    as_text = float(np.median(text_ms) / np.median(ours_ms))
    return [
        Row("isochrones 5/10/15: a point in, Python polygons out, snapping included", milliseconds(ours_ms),
            f"Valhalla, question to Python objects: {milliseconds(theirs_ms)}", ratio, ">= 5x", ratio >= 5.0),
        Row("  beside Valhalla with text in and text out", "", f"Valhalla {milliseconds(text_ms)}", as_text),
        Row("  recall, precision of homes", f"{counts[0] / counts[1]:.4f}, {counts[0] / counts[2]:.4f}",
            f"Valhalla {their_counts[0] / their_counts[1]:.4f}, {their_counts[0] / max(their_counts[2], 1):.4f}"),
    ]  # fmt: skip


def as_ours(answer: Any, onto: Any) -> Any:
    """Valhalla's GeoJSON as minutes and polygons in the plane."""
    several: dict[float, list[Any]] = {minutes: [] for minutes in BANDS}
    for feature in answer["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        flat = shapely.transform(shape, lambda lonlat: np.column_stack(onto(lonlat[:, 0], lonlat[:, 1])))
        several[float(feature["properties"]["contour"])].append(shapely.make_valid(flat))
    return argparse.Namespace(minutes=tuple(BANDS), polygons=[shapely.union_all(several[m]) for m in BANDS])
