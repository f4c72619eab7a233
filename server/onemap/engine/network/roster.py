"""What is known of the responders and what is asked of them; who is passed over, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
from numpy.typing import NDArray

from onemap.engine.network.arrays import F64, I64, Bool
from onemap.errors import InvalidValue


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
    area: Sequence[str] | NDArray[np.str_]
    role: Sequence[str] | NDArray[np.str_]
    grid_code: Sequence[str] | NDArray[np.str_]


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
    grid, neighbours
        Where it happened and the grids around it. They change no rank; the reasons tell of them.
    useful_skills
        Not needed, but told of where somebody has one.
    """

    k: int = 5
    skills: frozenset[str] = field(default_factory=frozenset)
    area: str = ""
    max_age_s: float = np.inf
    max_tasks: int | None = None
    max_seconds: float = np.inf
    own_grid: str = ""
    roles_from_anywhere: frozenset[str] = field(default_factory=frozenset)
    grid: str = ""
    neighbours: frozenset[str] = field(default_factory=frozenset)
    useful_skills: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidValue(f"{self.k} candidates cannot be asked for: at least one.")
        if not (self.max_age_s > 0.0 and self.max_seconds > 0.0):
            raise InvalidValue("The age of a position and the length of a journey are limited by numbers above 0.")


@dataclass(frozen=True, slots=True)
class Skipped:
    """One responder who was passed over, and why."""

    row: int
    id: str | int
    reason: str
    reason_code: str


#: The first that holds is told; the place in this list is the code of :attr:`PassedOver.why`.
WHY_NOT = (
    "", "off_duty", "no_position", "stale", "wrong_skill", "busy", "other_area", "unreachable", "too_far",
)  # fmt: skip
UNREACHABLE, TOO_FAR = WHY_NOT.index("unreachable"), WHY_NOT.index("too_far")


class PassedOver(Sequence[Skipped]):
    """
    Those passed over, by row; a sentence is made when somebody reads it, because of ten thousand few are read.

    Attributes
    ----------
    why : (n,)
        For each row of the roster 0 or the reason's place in ``WHY_NOT``.
    """

    def __init__(self, roster: Roster, ask: Ask, why: NDArray[np.int8]) -> None:
        self.why = why
        self._roster, self._ask = roster, ask
        self._rows = np.flatnonzero(why)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Skipped]:
        return map(self._one, self._rows.tolist())

    @overload
    def __getitem__(self, at: int) -> Skipped: ...
    @overload
    def __getitem__(self, at: slice) -> list[Skipped]: ...
    def __getitem__(self, at: int | slice) -> Skipped | list[Skipped]:
        if isinstance(at, slice):
            return [self._one(row) for row in self._rows[at].tolist()]
        return self._one(int(self._rows[at]))

    def without(self, hidden: Bool | None) -> PassedOver:
        """Those whom a reader may see."""
        return self if hidden is None else PassedOver(self._roster, self._ask, np.where(hidden, np.int8(0), self.why))

    def counts(self) -> dict[str, int]:
        """How many by reason, most first."""
        n = np.bincount(self.why, minlength=len(WHY_NOT)).tolist()
        return dict(Counter({code: n[at] for at, code in enumerate(WHY_NOT) if at and n[at]}).most_common())

    def _one(self, row: int) -> Skipped:
        code = WHY_NOT[self.why[row]]
        return Skipped(row, self._roster.ids[row], self._sentence(code, row), code)

    def _sentence(self, code: str, row: int) -> str:
        roster, ask = self._roster, self._ask
        if code == "off_duty":
            return "Off duty."
        if code == "no_position":
            return "No position is known."
        if code == "stale":
            age = roster.age_s[row]
            if not np.isfinite(age):
                return "The position has no time, so its age is not known."
            return f"The position is {age / 60.0:.0f} minutes old."
        if code == "wrong_skill":
            return f"Lacks the skill {', '.join(sorted(ask.skills - roster.skills[row]))}."
        if code == "busy":
            return f"Has {roster.n_tasks[row]} tasks already."
        if code == "other_area":
            return f"Belongs to area {roster.area[row] or 'unknown'}."
        if code == "too_far":
            return f"Needs more than {ask.max_seconds / 60.0:g} minutes."
        return "The network does not reach this responder's position."


def refused(roster: Roster, ask: Ask) -> NDArray[np.int8]:
    """For each row 0, or the first reason for which it may not be chosen, as in ``WHY_NOT``."""
    why = np.zeros(len(roster.ids), dtype=np.int8)
    # The last reason first: a reason that counts more is written over it.
    if ask.area:
        elsewhere = ~np.strings.startswith(_strings(roster.area), ask.area)
        if ask.roles_from_anywhere:
            elsewhere &= ~np.isin(_strings(roster.role), sorted(ask.roles_from_anywhere))
        why[elsewhere] = WHY_NOT.index("other_area")
    if ask.max_tasks is not None:
        why[roster.n_tasks > ask.max_tasks] = WHY_NOT.index("busy")
    if ask.skills:
        lacks = np.fromiter((not ask.skills <= skills for skills in roster.skills), np.bool_, len(why))
        why[lacks] = WHY_NOT.index("wrong_skill")
    if np.isfinite(ask.max_age_s):
        why[~(roster.age_s <= ask.max_age_s)] = WHY_NOT.index("stale")
    why[~(np.isfinite(roster.x) & np.isfinite(roster.y))] = WHY_NOT.index("no_position")
    why[~np.asarray(roster.on_duty)] = WHY_NOT.index("off_duty")
    return why


def officers_of(roster: Roster, grid: str) -> Bool:
    """Whose grid it is, by row."""
    return np.asarray(_strings(roster.grid_code) == grid, dtype=np.bool_)


def _strings(values: Sequence[str] | NDArray[np.str_]) -> NDArray[np.str_]:
    return np.asarray(values, dtype=np.str_)
