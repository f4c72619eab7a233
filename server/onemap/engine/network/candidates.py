"""Who should go: the responders who reach an event soonest, with reasons, and why the others were passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from onemap.engine.network.arrays import F64, I64, Bool
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.engine.network.responders import Nearest, NotAtOnce, ResponderIndex, Workspace, nearest, route_line
from onemap.engine.network.roster import (
    TOO_FAR,
    UNREACHABLE,
    Ask,
    PassedOver,
    Roster,
    Skipped,
    officers_of,
    refused,
)

_MODE_WORDS = {"foot": "on foot", "ebike": "by e-bike", "car": "by car"}

#: A search over so many nodes takes about a millisecond.
AT_ONCE_NODES = 5_000
#: What a rank may rest on; the first that holds is the candidate's ``reason_code``.
REASONS = ("own_grid", "straight_line", "home_grid", "neighbouring_grid", "has_skill", "called_in", "soonest")


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    One responder in the answer.

    Attributes
    ----------
    reason, reason_code
        The sentence, and what counts most of ``reason_codes``.
    reason_codes
        All that holds of this responder, in the order of ``REASONS``.
    skills
        Those that were asked for or are useful, and that the responder has.
    route : (n, 2)
        Plane coordinates on the way, none for a straight line.
    """

    row: int
    id: str | int
    seconds: float
    metres: float
    method: str
    snap_m: float | None
    reason: str
    reason_code: str
    route: F64
    reason_codes: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


def choose(
    index: ResponderIndex,
    event: Places,
    event_xy: tuple[float, float],
    roster: Roster,
    ask: Ask,
    *,
    workspace: Workspace | None = None,
    at_once: bool = False,
) -> tuple[list[Candidate], PassedOver]:
    """
    The candidates in order and those passed over.

    Network candidates come first by time; where the network leaves places free, responders whom it cannot reach follow
    by straight line, and say so. The officer of a must-attend event's grid is put first. With ``at_once`` an answer
    that takes longer than a moment is given up with ``NotAtOnce``.
    """
    why = refused(roster, ask)
    n = len(roster.ids)
    eligible = np.zeros(max(n, index.capacity), dtype=np.bool_)
    eligible[:n] = why == 0
    most = AT_ONCE_NODES if at_once else index.network.n_node
    found = nearest(
        index, event, ask.k, eligible=eligible, budget_s=ask.max_seconds, workspace=workspace, most_nodes=most
    )
    candidates = [_by_network(index.network, roster, found, i) for i in range(len(found.row))]
    candidates = _own_officer_first(index, event, roster, ask, eligible, candidates, workspace, most)
    if len(candidates) < ask.k:
        if at_once:
            raise NotAtOnce
        # Everybody whom the network reaches in time has been found: the rest is unreachable or too far.
        places = index.places()
        eligible[[candidate.row for candidate in candidates]] = False
        far = _beyond_limit(index, event, places, eligible, ask, workspace)
        why[far] = TOO_FAR
        eligible[far] = False
        rest = np.flatnonzero(eligible)
        metres, seconds = _along_a_line(index.network, roster, event_xy, rest)
        why[rest] = np.where(seconds > ask.max_seconds, TOO_FAR, UNREACHABLE)
        order = np.lexsort((rest, seconds))[: ask.k - len(candidates)]
        for at in order[seconds[order] <= ask.max_seconds].tolist():
            candidates.append(_by_line(index.network, roster, places, int(rest[at]), metres[at], seconds[at]))
            why[rest[at]] = 0
    return [_with_reasons(candidate, roster, ask) for candidate in candidates], PassedOver(roster, ask, why)


def _by_network(network: Network, roster: Roster, found: Nearest, i: int) -> Candidate:
    minutes = found.seconds[i] / 60.0
    text = f"{minutes:.1f} minutes {_MODE_WORDS[network.mode]} along the street network."
    row = int(found.row[i])
    return Candidate(
        row, roster.ids[row], float(found.seconds[i]), float(found.metres[i]), "network", float(found.snap_m[i]),
        text, "soonest", route_line(network, found.edges[i], found.span[i]),
    )  # fmt: skip


def _own_officer_first(
    index: ResponderIndex, event: Places, roster: Roster, ask: Ask, eligible: Bool, candidates: list[Candidate],
    workspace: Workspace | None, most_nodes: int,
) -> list[Candidate]:  # fmt: skip
    if not ask.own_grid:
        return candidates
    own = np.zeros_like(eligible)
    own[: len(roster.ids)] = eligible[: len(roster.ids)] & officers_of(roster, ask.own_grid)
    if not own.any():
        return candidates
    found = nearest(index, event, 1, eligible=own, workspace=workspace, most_nodes=most_nodes)
    if len(found.row) == 0:
        return candidates
    first = replace(_by_network(index.network, roster, found, 0), reason_code="own_grid")
    return [first, *(candidate for candidate in candidates if candidate.row != first.row)][: ask.k]


def _with_reasons(one: Candidate, roster: Roster, ask: Ask) -> Candidate:
    """The candidate with all that speaks for it: codes, and one sentence."""
    holds, words = {one.reason_code, "soonest" if one.method == "network" else "straight_line"}, []
    grid, area = str(roster.grid_code[one.row]), str(roster.area[one.row])
    skills = tuple(sorted((ask.skills | ask.useful_skills) & roster.skills[one.row]))
    if one.reason_code == "own_grid":
        words.append(f"the officer of grid {grid} attends")
    elif grid and grid == ask.grid:
        holds.add("home_grid")
        words.append(f"officer of this grid, {grid}")
    elif grid in ask.neighbours:
        holds.add("neighbouring_grid")
        words.append(f"officer of the neighbouring grid {grid}")
    if skills:
        holds.add("has_skill")
        words.append(f"has the skill {', '.join(skills)}")
    if ask.area and not area.startswith(ask.area):
        holds.add("called_in")
        words.append(f"called in from area {area or 'unknown'}, as its role may be here")
    codes = tuple(code for code in REASONS if code in holds)
    said = "; ".join([*words, one.reason])
    return replace(one, reason=said[0].upper() + said[1:], reason_code=codes[0], reason_codes=codes, skills=skills)


def _beyond_limit(
    index: ResponderIndex, event: Places, places: Places, eligible: Bool, ask: Ask, workspace: Workspace | None
) -> I64:
    """Rows that the network does reach, but not within the limit."""
    within = eligible[: index.capacity] & (places.edge >= 0)
    if not np.isfinite(ask.max_seconds) or not within.any():
        return np.empty(0, dtype=np.int64)
    found = index.find(event, int(within.sum()), within, np.inf, workspace or Workspace(index.network))
    return found.row.astype(np.int64)


def _along_a_line(network: Network, roster: Roster, event_xy: tuple[float, float], rows: I64) -> tuple[F64, F64]:
    """Metres and seconds by straight line."""
    if not len(rows):
        return np.empty(0), np.empty(0)
    metres = np.hypot(roster.x[rows] - event_xy[0], roster.y[rows] - event_xy[1])
    return metres, metres / _line_speed_ms(network)


def _by_line(network: Network, roster: Roster, places: Places, row: int, metres: float, seconds: float) -> Candidate:
    has_street = row < len(places) and places.edge[row] >= 0
    why = (
        "no street leads from its position to the event"
        if has_street
        else f"no street lies within {network.max_snap_m:g} m of its position"
    )
    return Candidate(
        row, roster.ids[row], float(seconds), float(metres), "straight_line",
        float(places.snap_m[row]) if has_street else None,
        f"Straight line, because {why}; the real journey is longer.", "straight_line", np.empty((0, 2)),
    )  # fmt: skip


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
                "reason_codes": list(one.reason_codes),
                "skills": list(one.skills),
            }
            for one in candidates
        ],
        "skipped": [{"id": one.id, "reason": one.reason, "reason_code": one.reason_code} for one in skipped],
    }
