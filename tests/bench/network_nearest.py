"""The nearest responders: against scipy, against the straight line, beside pgRouting and Valhalla."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import network_peers as peers
import numpy as np
from invented import scattered
from network_scipy import Around
from network_table import Row, milliseconds, note, timed
from network_town import Town

from onemap.engine.network.index import snap
from onemap.engine.network.responders import ResponderIndex, Workspace, nearest

N_RESPONDER, K, N_EVENT = 10_000, 5, 200


def bench_nearest(here: Town, n_case: int) -> list[Row]:
    """k = 5 of 10,000 that move; every answer checked against scipy; what a straight line would cost."""
    network, side, rng = here.network, here.side, np.random.default_rng(3)
    index, work = ResponderIndex(network, capacity=N_RESPONDER), Workspace(network)
    x, y = scattered(N_RESPONDER, side, rng)
    index.place(np.arange(N_RESPONDER), snap(network, x, y))
    around = Around(network)
    events = snap(network, *scattered(n_case, side, rng))
    ex, ey = network.position(events.edge, events.fraction)
    spent, mismatches, wrong, lost_s = [], 0, 0, []
    moves_s = 0.0
    for i in range(n_case):
        if i % 1000 == 0:
            note(f"nearest: {i:,} of {n_case:,} cases")
            x, y = x + rng.normal(0, 30, N_RESPONDER), y + rng.normal(0, 30, N_RESPONDER)
            _, moves_s = timed(lambda x=x, y=y: index.place(np.arange(N_RESPONDER), snap(network, x, y)))
            places = index.places()
        event = events.take(np.array([i]))
        begun = time.perf_counter()
        found = nearest(index, event, K, workspace=work)
        spent.append(1000.0 * (time.perf_counter() - begun))
        mismatches += not around.agrees(event, places, found.seconds)
        if i < 1000:
            first = int(np.argmin(np.hypot(x - ex[i], y - ey[i])))
            by_line = nearest(index, event, 1, eligible=np.arange(N_RESPONDER) == first, workspace=work).seconds
            if first != found.row[0] and len(by_line) and by_line[0] > found.seconds[0] + 1e-6:
                wrong += 1
                lost_s.append(by_line[0] - found.seconds[0])
    flush = np.zeros(16_000_000)
    cold = []
    for i in range(min(n_case, 500)):
        flush += 1.0
        begun = time.perf_counter()
        nearest(index, events.take(np.array([i])), K, workspace=work)
        cold.append(1000.0 * (time.perf_counter() - begun))
    asked = min(n_case, 1000)
    return [
        Row("nearest 5 of 10,000 that move", milliseconds(spent)),
        Row("  with cold caches (128 MB written before each)", milliseconds(cold), "", None, "p99 <= 1 ms",
            float(np.quantile(cold, 0.99)) <= 1.0),
        Row(f"  mismatches with scipy in {n_case:,} random cases", str(mismatches), "", None, "0", mismatches == 0),
        Row("  all 10,000 move, snapping included", f"{1000.0 * moves_s:.0f} ms"),
        Row("  the straight line picks another responder", f"{100.0 * wrong / asked:.0f} % of events", "", None, ""),
        Row("  which costs",
            f"{np.median(lost_s) / 60.0:.1f} min median, {np.quantile(lost_s, 0.95) / 60.0:.1f} min p95" if lost_s else "0"),
    ]  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """Where responders stand and events happen, and what we answer: the first responder, and the time of each answer."""

    x: Any
    y: Any
    ex: Any
    ey: Any
    first: list[int]
    ours_ms: list[float]


def asked(here: Town) -> Asked:
    """
    200 events among 10,000 responders, after as many others: a server has been asked before.

    Who is there soonest and when, as the peers are asked; routes are drawn on top of that.
    """
    network, rng = here.network, np.random.default_rng(8)
    x, y = scattered(N_RESPONDER, here.side, rng)
    index, work = ResponderIndex(network, capacity=N_RESPONDER), Workspace(network)
    index.place(np.arange(N_RESPONDER), snap(network, x, y))
    for point in zip(*scattered(N_EVENT, here.side, rng), strict=True):
        index.find(snap(network, *np.array(point).reshape(2, 1)), K, None, np.inf, work)
    ex, ey = scattered(N_EVENT, here.side, rng)
    ours_ms: list[float] = []
    first: list[int] = []
    for i in range(N_EVENT):
        found, s = timed(lambda i=i: index.find(snap(network, ex[[i]], ey[[i]]), K, None, np.inf, work))
        ours_ms.append(1000.0 * s)
        first.append(int(found.row[0]))
    return Asked(x, y, ex, ey, first, ours_ms)


def beside_pgrouting(here: Town, limit_s: float) -> list[Row]:
    """Nearest by pgr_dijkstraCost over the 50 nearest by line."""
    what = "nearest, snapping the event included, beside pgRouting over the 50 nearest by line"
    network, ask = here.network, asked(here)
    begun = time.monotonic()
    try:
        with peers.pgrouting(limit_s) as theirs:
            note("nearest: filling pgRouting's tables")
            theirs.fill(network, ask.x, ask.y, nearer_end(network, snap(network, ask.x, ask.y)))
            at = nearer_end(network, snap(network, ask.ex, ask.ey))
            theirs.nearest(float(ask.ex[0]), float(ask.ey[0]), int(at[0]))
            spent, right = [], 0
            for i in range(N_EVENT):
                if time.monotonic() - begun > limit_s:
                    break
                found, s = timed(lambda i=i: theirs.nearest(float(ask.ex[i]), float(ask.ey[i]), int(at[i])))
                spent.append(1000.0 * s)
                right += found == ask.first[i]
    except (LookupError, TimeoutError) as why:
        return [Row(what, milliseconds(ask.ours_ms), str(why))]
    if not spent:
        return [Row(what, milliseconds(ask.ours_ms), f"pgRouting's tables > {limit_s:.0f} s")]
    ratio = float(np.median(spent) / np.median(ask.ours_ms))
    return [
        Row(what, milliseconds(ask.ours_ms), milliseconds(spent), ratio, ">= 100x", ratio >= 100.0),
        Row("  its first choice is the right one", "100 %", f"{100.0 * right / len(spent):.0f} % of {len(spent)}"),
    ]


def nearer_end(network: Any, places: Any) -> Any:
    """The node that a peer without positions on edges would use."""
    return np.where(places.fraction < 0.5, network.edge_from[places.edge], network.edge_to[places.edge])


def beside_valhalla(here: Town, theirs: peers.Valhalla) -> list[Row]:
    """Its matrix over the 50 nearest by line."""
    ask = asked(here)
    lon, lat = peers.degrees(ask.x, ask.y)
    elon, elat = peers.degrees(ask.ex, ask.ey)
    spent, right = [], 0
    for i in range(N_EVENT):
        near = np.argsort(np.hypot(ask.x - ask.ex[i], ask.y - ask.ey[i]))[:50]
        where = [(float(lon[j]), float(lat[j])) for j in near]
        found, s = timed(lambda where=where, i=i: theirs.matrix(where, (float(elon[i]), float(elat[i]))))
        if found is None:
            continue
        spent.append(1000.0 * s)
        known = [np.inf if one is None else one for one in found]
        right += int(near[int(np.argmin(known))]) == ask.first[i]
    ratio = float(np.median(spent) / np.median(ask.ours_ms))
    return [
        Row("nearest beside Valhalla's matrix over the 50 nearest by line", milliseconds(ask.ours_ms),
            milliseconds(spent), ratio, ">= 100x", ratio >= 100.0),
        Row("  its first choice is the right one", "100 %", f"{100.0 * right / max(len(spent), 1):.0f} %"),
    ]  # fmt: skip
