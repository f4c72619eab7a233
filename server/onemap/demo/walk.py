"""Responders on the move: where each post on duty is at any moment, along the streets. A pure function of the clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from onemap.demo.arrays import F64, I64, Objects
from onemap.demo.frame import local, lonlat

#: Metres a second, by role, with the stops they make on the way.
SPEED_MS = {"grid_officer": 0.9, "volunteer": 0.9, "patrol_team": 2.6, "joint_team": 3.6}
_BEAT_M = {"grid_officer": 900.0, "volunteer": 700.0, "patrol_team": 2600.0, "joint_team": 3800.0}
#: A stop every so many seconds.
_PAUSE_S = 240.0


@dataclass(frozen=True, slots=True)
class Beats:
    """The way that each responder goes to and fro: a line in local metres, a speed, a phase."""

    ids: tuple[str, ...]
    lines: Objects
    speed_ms: F64
    phase_s: F64

    @classmethod
    def along(cls, streets: Objects, ids: tuple[str, ...], roles: tuple[str, ...], homes: F64) -> Beats:
        """
        Beats along streets.

        Parameters
        ----------
        streets : (n_street,)
            Lines in degrees, sharing vertices where they meet.
        ids, roles
            Of the responders on duty.
        homes : (n, 2)
            A place in the middle of each one's ground, degrees.
        """
        graph = _Graph.of(np.asarray(shapely.transform(streets, local), dtype=object))
        at = local(homes)
        lines = [graph.stroll(_seed(who), at[k], _BEAT_M.get(roles[k], 900.0)) for k, who in enumerate(ids)]
        found = np.empty(len(lines), dtype=object)
        found[:] = lines
        speed = np.array([SPEED_MS.get(role, 1.0) for role in roles])
        return cls(ids, found, speed, np.array([_seed(who) % 7200 for who in ids], dtype=float))


def walk(beats: Beats, at_s: float) -> F64:
    """
    Where the responders are.

    Parameters
    ----------
    beats
        Their ways.
    at_s
        Seconds since 1970.

    Returns
    -------
    lonlat : (n, 2)
        Degrees, on a street; nobody moves faster than twice his speed.
    """
    if not beats.ids:
        return np.zeros((0, 2))
    length = shapely.length(beats.lines)
    t = at_s % 86400.0 + beats.phase_s
    gone = beats.speed_ms * (t - _PAUSE_S / (2 * np.pi) * np.sin(2 * np.pi * t / _PAUSE_S))
    there_and_back = np.mod(gone, 2 * length)
    along = np.where(there_and_back > length, 2 * length - there_and_back, there_and_back)
    return lonlat(shapely.get_coordinates(shapely.line_interpolate_point(beats.lines, along)))


@dataclass(frozen=True, slots=True)
class _Graph:
    nodes: F64
    ends: I64
    lines: list[F64]
    at_node: list[list[int]]

    @classmethod
    def of(cls, streets: Objects) -> _Graph:
        lines = [np.round(shapely.get_coordinates(line), 2) for line in streets]
        tips = np.array([(c[0], c[-1]) for c in lines]).reshape(-1, 2)
        nodes, number = np.unique(tips, axis=0, return_inverse=True)
        ends = number.reshape(-1, 2).astype(np.int64)
        at_node: list[list[int]] = [[] for _ in range(len(nodes))]
        for k, (a, b) in enumerate(ends.tolist()):
            at_node[a].append(k)
            at_node[b].append(k)
        return cls(nodes, ends, lines, at_node)

    def stroll(self, seed: int, home: F64, length_m: float) -> shapely.LineString:
        """A walk from junction to junction that turns back only at dead ends and stays about its home."""
        rng = np.random.default_rng(seed)
        node = int(np.argmin(np.hypot(*(self.nodes - home).T)))
        came, points, total = -1, [self.nodes[node]], 0.0
        while total < length_m:
            ways = [k for k in self.at_node[node] if k != came] or self.at_node[node]
            ends = np.array([self._other(k, node) for k in ways])
            away = np.hypot(*(self.nodes[ends] - home).T)
            pull = np.exp(-away / (0.35 * length_m))
            came = ways[int(rng.choice(len(ways), p=pull / pull.sum()))]
            line = self.lines[came] if self.ends[came, 0] == node else self.lines[came][::-1]
            points += list(line[1:])
            total += max(float(np.hypot(*np.diff(line, axis=0).T).sum()), 1.0)
            node = self._other(came, node)
        return shapely.LineString(points)

    def _other(self, way: int, node: int) -> int:
        a, b = self.ends[way]
        return int(b if a == node else a)


def _seed(who: str) -> int:
    return int.from_bytes(who.encode()[-7:], "big") % 2_147_483_647
