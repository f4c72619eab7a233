"""What can be asked of events: one filter for list, map, histogram, heat and counts, so that they always agree."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from onemap.errors import BadQuery

LEVELS = (1, 2, 3, 4)

_CODE = re.compile(r"[0-9A-Za-z_-]{1,40}")

type Box = tuple[float, float, float, float]


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
        if self.area is not None and not (self.area.isdigit() and len(self.area) <= 12):
            raise BadQuery(f"area is '{self.area}'; it must be an area code of at most 12 digits.")
        if not self.levels <= set(LEVELS):
            raise BadQuery("level must be from 1 to 4.")
        for code in (*self.kinds, *self.states, *self.templates, *([self.grid_code] if self.grid_code else ())):
            if not _CODE.fullmatch(code):
                raise BadQuery(f"'{code}' is no code; codes are letters, digits, '_' and '-'.")
        for moment in (self.since, self.until):
            if moment is not None and moment.tzinfo is None:
                raise BadQuery("Times need an offset, such as 2026-05-06T14:30:00+08:00.")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise BadQuery("since must be before until.")


@dataclass(frozen=True, slots=True)
class After:
    """Where a page ends: the sort key of its last event, by level, then time, then fid, all falling."""

    level: int
    reported_at: datetime
    fid: int
