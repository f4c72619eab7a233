"""Who should go: the responders who reach an event soonest, with reasons, and why the others were passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from onemap.engine.network.arrays import F64, I64, Bool
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.engine.network.responders import ResponderIndex, Workspace, nearest, route_line
from onemap.errors import InvalidValue

_MODE_WORDS = {"foot": "on foot", "ebike": "by e-bike", "car": "by car"}


@dataclass(frozen=True, slots=True)
class Roster:
    """
    What is known of the responders, by row.

    Attributes
    ----------
    ids
        Their ids, strings or numbers as the source has them.
    x, y : (n,)
        Positions in the network's plane; NaN where nothing was reported.
    on_duty : (n,)
    skills : n sets
    age_s : (n,)
        Seconds since the position was reported; NaN where unknown.
    n_tasks : (n,)
    area, role : n strings
        Home area code and role; empty where unknown.
    grid_code : n strings
        The grid a grid officer answers for; empty for others.
    """

    ids: Sequence[str | int]
    x: F64
    y: F64
    on_duty: Bool
    skills: Sequence[frozenset[str]]
    age_s: F64
    n_tasks: I64
    area: Sequence[str]
    role: Sequence[str]
    grid_code: Sequence[str]


@dataclass(frozen=True, slots=True)
class Ask:
    """
    What is wanted.

    Attributes
    ----------
    k
        How many candidates.
    skills
        All of them are needed.
    area
        Home areas must begin with this code.
    max_age_s, max_tasks, max_seconds
        Older positions, busier and farther responders are passed over.
    own_grid
        Must-attend events: this grid's officer comes first, whatever the distance.
    roles_from_anywhere
        Roles that may be pulled from outside the area (the joint team from level 3 on).
    """

    k: int = 5
    skills: frozenset[str] = field(default_factory=frozenset)
    area: str = ""
    max_age_s: float = np.inf
    max_tasks: int | None = None
    max_seconds: float = np.inf
    own_grid: str = ""
    roles_from_anywhere: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidValue(f"{self.k} candidates cannot be asked for: at least one.")
        if not (self.max_age_s > 0.0 and self.max_seconds > 0.0):
            raise InvalidValue("The age of a position and the length of a journey are limited by numbers above 0.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One responder in the answer; ``route`` holds plane coordinates on the way, none for a straight line."""

    row: int
    id: str | int
    seconds: float
    metres: float
    method: str
    snap_m: float | None
    reason: str
    reason_code: str
    route: F64


@dataclass(frozen=True, slots=True)
class Skipped:
    """One responder who was passed over, and why."""

    row: int
    id: str | int
    reason: str
    reason_code: str


def refusals(roster: Roster, ask: Ask) -> dict[int, tuple[str, str]]:
    """Rows that may not be chosen, with code and sentence; the first reason that holds is given."""
    refused: dict[int, tuple[str, str]] = {}
    for row in np.flatnonzero(_may_be_refused(roster, ask)).tolist():
        reason = _refusal(roster, ask, row)
        if reason is not None:
            refused[row] = reason
    return refused


def choose(
    index: ResponderIndex,
    event: Places,
    event_xy: tuple[float, float],
    roster: Roster,
    ask: Ask,
    *,
    workspace: Workspace | None = None,
) -> tuple[list[Candidate], list[Skipped]]:
    """
    The candidates in order and those passed over.

    Network candidates come first by time; where the network leaves places free, responders whom it cannot reach follow
    by straight line, and say so. The officer of a must-attend event's grid is put first.
    """
    refused = refusals(roster, ask)
    n = len(roster.ids)
    eligible = np.ones(max(n, index.capacity), dtype=np.bool_)
    eligible[n:] = False
    eligible[list(refused)] = False
    found = nearest(index, event, ask.k, eligible=eligible, budget_s=ask.max_seconds, workspace=workspace)
    candidates = [_by_network(index.network, roster, found.row[i], found, i) for i in range(len(found.row))]
    candidates = _own_officer_first(index, event, roster, ask, eligible, candidates)
    places = index.places()
    taken = {candidate.row for candidate in candidates}
    skipped = [Skipped(row, roster.ids[row], text, code) for row, (code, text) in sorted(refused.items())]
    if len(candidates) < ask.k:
        # Everybody whom the network reaches in time has been found: the rest is unreachable or too far.
        rest = [row for row in range(n) if eligible[row] and row not in taken]
        beyond = _beyond_limit(index, event, places, rest, ask)
        skipped += [_too_far(roster, row, ask) for row in rest if row in beyond]
        lines = _by_line(index.network, roster, places, event_xy, [row for row in rest if row not in beyond])
        candidates += lines[: ask.k - len(candidates)]
        skipped += [
            Skipped(line.row, line.id, "The network does not reach this responder's position.", "unreachable")
            for line in lines
            if line.row not in {candidate.row for candidate in candidates} and line.seconds <= ask.max_seconds
        ]
        skipped += [_too_far(roster, line.row, ask) for line in lines if line.seconds > ask.max_seconds]
        candidates = [candidate for candidate in candidates if candidate.seconds <= ask.max_seconds]
    return candidates, skipped


def _may_be_refused(roster: Roster, ask: Ask) -> Bool:
    """Everybody with a reason, and nobody without a cause to look closer: most of ten thousand need no sentence."""
    doubtful = ~(np.asarray(roster.on_duty) & np.isfinite(roster.x) & np.isfinite(roster.y))
    if np.isfinite(ask.max_age_s):
        doubtful |= ~(roster.age_s <= ask.max_age_s)
    if ask.max_tasks is not None:
        doubtful |= roster.n_tasks > ask.max_tasks
    if ask.skills:
        doubtful |= np.fromiter((not ask.skills <= skills for skills in roster.skills), np.bool_, len(doubtful))
    if ask.area:
        doubtful |= np.fromiter((not area.startswith(ask.area) for area in roster.area), np.bool_, len(doubtful))
    return doubtful


def _refusal(roster: Roster, ask: Ask, row: int) -> tuple[str, str] | None:
    if not roster.on_duty[row]:
        return "off_duty", "Off duty."
    if not (np.isfinite(roster.x[row]) and np.isfinite(roster.y[row])):
        return "no_position", "No position is known."
    if np.isfinite(ask.max_age_s):
        age = roster.age_s[row]
        if not np.isfinite(age):
            return "stale", "The position has no time, so its age is not known."
        if age > ask.max_age_s:
            return "stale", f"The position is {age / 60.0:.0f} minutes old."
    missing = ask.skills - roster.skills[row]
    if missing:
        return "wrong_skill", f"Lacks the skill {', '.join(sorted(missing))}."
    if ask.max_tasks is not None and roster.n_tasks[row] > ask.max_tasks:
        return "busy", f"Has {roster.n_tasks[row]} tasks already."
    if ask.area and not roster.area[row].startswith(ask.area) and roster.role[row] not in ask.roles_from_anywhere:
        return "other_area", f"Belongs to area {roster.area[row] or 'unknown'}."
    return None


def _by_network(network: Network, roster: Roster, row: int, found: Any, i: int) -> Candidate:
    minutes = found.seconds[i] / 60.0
    text = f"{minutes:.1f} minutes {_MODE_WORDS[network.mode]} along the street network."
    route = route_line(network, found.edges[i], found.span[i])
    return Candidate(
        int(row), roster.ids[row], float(found.seconds[i]), float(found.metres[i]), "network", float(found.snap_m[i]),
        text, "soonest", route,
    )  # fmt: skip


def _own_officer_first(
    index: ResponderIndex, event: Places, roster: Roster, ask: Ask, eligible: Bool, candidates: list[Candidate]
) -> list[Candidate]:
    if not ask.own_grid:
        return candidates
    own = np.zeros_like(eligible)
    for row, grid in enumerate(roster.grid_code):
        own[row] = eligible[row] and grid == ask.own_grid
    if not own.any():
        return candidates
    found = nearest(index, event, 1, eligible=own)
    if len(found.row) == 0:
        return candidates
    officer = _by_network(index.network, roster, found.row[0], found, 0)
    first = Candidate(
        officer.row, officer.id, officer.seconds, officer.metres, officer.method, officer.snap_m,
        f"The officer of grid {ask.own_grid} attends; {officer.reason}", "own_grid", officer.route,
    )  # fmt: skip
    return [first, *(candidate for candidate in candidates if candidate.row != first.row)][: ask.k]


def _beyond_limit(index: ResponderIndex, event: Places, places: Places, rest: list[int], ask: Ask) -> set[int]:
    """Rows that the network does reach, but not within the limit."""
    if not np.isfinite(ask.max_seconds) or not rest:
        return set()
    eligible = np.zeros(index.capacity, dtype=np.bool_)
    eligible[[row for row in rest if row < index.capacity and places.edge[row] >= 0]] = True
    if not eligible.any():
        return set()
    return {int(row) for row in nearest(index, event, int(eligible.sum()), eligible=eligible).row}


def _too_far(roster: Roster, row: int, ask: Ask) -> Skipped:
    return Skipped(row, roster.ids[row], f"Needs more than {ask.max_seconds / 60.0:g} minutes.", "too_far")


def _by_line(
    network: Network, roster: Roster, places: Places, event_xy: tuple[float, float], rows: list[int]
) -> list[Candidate]:
    """Candidates by straight line, the nearest first."""
    lines = []
    speed_ms = _line_speed_ms(network)
    for row in rows:
        metres = float(np.hypot(roster.x[row] - event_xy[0], roster.y[row] - event_xy[1]))
        has_street = row < len(places) and places.edge[row] >= 0
        why = (
            "no street leads from its position to the event"
            if has_street
            else f"no street lies within {network.max_snap_m:g} m of its position"
        )
        text = f"Straight line, because {why}; the real journey is longer."
        snap_m = float(places.snap_m[row]) if has_street else None
        lines.append(
            Candidate(
                row,
                roster.ids[row],
                metres / speed_ms,
                metres,
                "straight_line",
                snap_m,
                text,
                "straight_line",
                np.empty((0, 2)),
            )
        )
    return sorted(lines, key=lambda line: (line.seconds, line.row))


def _line_speed_ms(network: Network) -> float:
    """A typical speed of the mode: all lengths over all times."""
    usable = np.isfinite(network.edge_forward_s) & (network.edge_forward_s > 0.0)
    if not usable.any():
        return network.access_ms
    return float(network.edge_length_m[usable].sum() / network.edge_forward_s[usable].sum())


def as_document(candidates: Sequence[Candidate], skipped: Sequence[Skipped]) -> Mapping[str, Any]:
    """The answer as plain values, without routes."""
    return {
        "candidates": [
            {
                "id": one.id,
                "seconds": one.seconds,
                "metres": one.metres,
                "method": one.method,
                "snap_m": one.snap_m,
                "reason": one.reason,
                "reason_code": one.reason_code,
            }
            for one in candidates
        ],
        "skipped": [{"id": one.id, "reason": one.reason, "reason_code": one.reason_code} for one in skipped],
    }
