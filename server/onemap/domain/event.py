"""What can be asked of events, and how an event goes its way.

One filter serves list, map, histogram, heat and counts, so that they always agree; one table says where an event may
go from each state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from onemap.domain.region import Box, check_area
from onemap.errors import BadQuery, Conflict

LEVELS = (1, 2, 3, 4)

#: The way of an event that nothing comes in between of (domain.md, section 5), and what each step is called.
WAY = ("reported", "accepted", "triaged", "dispatched", "processing", "feedback", "closed", "rated", "archived")
STEPS = {
    "accepted": "accept",
    "triaged": "triage",
    "dispatched": "dispatch",
    "processing": "arrive",
    "feedback": "feedback",
    "closed": "close",
    "rated": "rate",
    "archived": "archive",
}
_ASIDE = frozenset({"returned", "extended", "suspended", "escalated", "merged", "void"})

#: Where an event may go from each state; merged, void and archived are ends.
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "reported": frozenset({"accepted", "merged", "void"}),
    "accepted": frozenset({"triaged", "merged", "void", "returned"}),
    "triaged": frozenset({"dispatched", "self_handled"}) | _ASIDE,
    "dispatched": frozenset({"processing"}) | _ASIDE,
    "self_handled": frozenset({"processing", "feedback", "escalated", "suspended"}),
    "processing": frozenset({"feedback"}) | _ASIDE,
    "feedback": frozenset({"closed", "returned"}),
    "closed": frozenset({"rated", "archived", "reopened"}),
    "rated": frozenset({"archived", "reopened"}),
    "archived": frozenset(),
    "returned": frozenset({"triaged", "void"}),
    "extended": frozenset({"processing", "feedback"}),
    "suspended": frozenset({"processing", "void"}),
    "escalated": frozenset({"triaged"}),
    "reopened": frozenset({"triaged"}),
    "merged": frozenset(),
    "void": frozenset(),
}
#: In these states an event is over; whatever else is open.
OVER = frozenset({"closed", "rated", "archived", "merged", "void"})

_CODE = re.compile(r"[0-9A-Za-z_-]{1,40}")


@dataclass(frozen=True, slots=True)
class EventFilter:
    """
    Which events are meant; everything left out means all.

    Attributes
    ----------
    area
        Beginning of an area code.
    since, until
        Reported at or after, and before.
    is_open, overdue
        Whether it is still open; whether its deadline passed before it was closed, or is past.
    box
        West, south, east, north in degrees.
    """

    area: str | None = None
    grid_code: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    levels: frozenset[int] = field(default_factory=frozenset)
    kinds: frozenset[str] = field(default_factory=frozenset)
    states: frozenset[str] = field(default_factory=frozenset)
    templates: frozenset[str] = field(default_factory=frozenset)
    is_open: bool | None = None
    overdue: bool | None = None
    box: Box | None = None

    def __post_init__(self) -> None:
        if self.area is not None:
            check_area(self.area)
        if not self.levels <= set(LEVELS):
            raise BadQuery("level must be from 1 to 4.").in_chinese("级别须为 1 至 4。")
        for code in (*self.kinds, *self.states, *self.templates, *([self.grid_code] if self.grid_code else ())):
            if not _CODE.fullmatch(code):
                raise BadQuery(f"'{code}' is no code; codes are letters, digits, '_' and '-'.").in_chinese(
                    f"“{code}”不是代码：代码只含字母、数字、“_”和“-”。"
                )
        for moment in (self.since, self.until):
            if moment is not None and moment.tzinfo is None:
                raise BadQuery("Times need an offset, such as 2026-05-06T14:30:00+08:00.").in_chinese(
                    "时间须带时区，例如 2026-05-06T14:30:00+08:00。"
                )
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise BadQuery("since must be before until.").in_chinese("开始时间须早于结束时间。")


@dataclass(frozen=True, slots=True)
class After:
    """Where a page ends: the sort key of its last event, by level, then time, then fid, all falling."""

    level: int
    reported_at: datetime
    fid: int


def steps_to_dispatch(event_no: str, state: str) -> tuple[str, ...]:
    """
    The states that an event goes through until it is dispatched, ``dispatched`` being the last.

    Who sends somebody at once has accepted and triaged the event as well; ``Conflict`` where nobody can be sent.
    """
    if state in OVER:
        raise Conflict(f"Event {event_no} is over ({state}); nobody can be sent to it.").in_chinese(
            f"事件 {event_no} 已经结束，不能再派人。"
        )
    if state in ("dispatched", "self_handled", "processing", "feedback", "extended", "suspended"):
        raise Conflict(f"Event {event_no} is with somebody already ({state}).").in_chinese(
            f"事件 {event_no} 已经有人在处理。"
        )
    steps: list[str] = []
    while not steps or steps[-1] != "dispatched":
        at = steps[-1] if steps else state
        steps.append(next(to for to in WAY if to in TRANSITIONS[at]))
    return tuple(steps)
