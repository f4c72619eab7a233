"""How the invented city goes on: new reports by the clock, and when each is dealt with; functions of seed and time.

A slot of ten minutes has its own chance, so that it holds the same reports whoever asks and whenever; a report's way
follows from its number alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from onemap.demo.events import CHINA_H, IN_GRID, LEVEL_TERM_H, ON_TIME, TERM_H, YEARS

SLOT_S = 600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Reports by hour of the day and by day of the week, on average 1.
_HOURS = np.array([3, 2, 1, 1, 1, 2, 5, 12, 22, 27, 25, 20, 16, 15, 18, 20, 21, 24, 27, 27, 22, 16, 10, 6]) / 14.29
_WEEKDAYS = np.array([1.14, 1.07, 1.04, 1.03, 1.05, 0.86, 0.81])
_FIRST_MINUTE = timedelta(seconds=60)
_LEVELS = ("grid", "community", "street", "district")


@dataclass(frozen=True, slots=True)
class Report:
    """A new report: its number, when, and which earlier one it is like (0 up to the number of those)."""

    event_no: str
    reported_at: datetime
    like: int


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens to an event: the state it leads to, when, and who does it."""

    to_state: str
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Way:
    """All that will happen to an event if nobody interferes."""

    steps: tuple[Step, ...]
    rating: int | None
    resolved_at_level: str

    def due(self, now: datetime) -> tuple[Step, ...]:
        """What has happened by now."""
        return tuple(step for step in self.steps if step.at <= now)

    def after_dispatch(self, sent_at: datetime) -> Way:
        """The same where somebody was sent by hand: what follows comes later by as much, after a minute at least."""
        planned = next(step.at for step in self.steps if step.to_state == "dispatched")
        later = sent_at - planned + _FIRST_MINUTE
        return replace(self, steps=tuple(replace(step, at=step.at + later) for step in self.steps))


def reports_between(seed: int, n_before: int, since: datetime, until: datetime) -> list[Report]:
    """
    The reports after one moment and up to another, in order.

    Parameters
    ----------
    n_before
        How many events the city was invented with over its years: the rate, and what there is to be like.
    """
    rate = n_before / (YEARS * 365.25 * 86_400 / SLOT_S)
    first, last = int(since.timestamp()) // SLOT_S, int(until.timestamp()) // SLOT_S
    found = [report for slot in range(first, last + 1) for report in _slot(seed, slot, rate, n_before)]
    return [report for report in found if since < report.reported_at <= until]


def _slot(seed: int, slot: int, rate: float, n_before: int) -> list[Report]:
    local_s = slot * SLOT_S + CHINA_H * 3600
    day, second = divmod(local_s, 86_400)
    rng = np.random.default_rng([seed, 43, slot])
    n = int(rng.poisson(rate * _HOURS[second // 3600] * _WEEKDAYS[(day + 3) % 7])) if n_before else 0
    offsets = np.sort(rng.integers(0, SLOT_S, n)).tolist()
    likes = rng.integers(0, max(n_before, 1), n).tolist()
    name = f"{_EPOCH + timedelta(days=day):%Y%m%d}"
    return [
        Report(f"SJ-{name}-{second // SLOT_S:03d}{i:03d}", _EPOCH + timedelta(seconds=slot * SLOT_S + offset), like)
        for i, (offset, like) in enumerate(zip(offsets, likes, strict=True))
    ]


def term_s(template: str, level: int) -> float:
    """How long an event may take, seconds."""
    return min(TERM_H.get(template, TERM_H["service"]), LEVEL_TERM_H[level - 1]) * 3600


def way_of(seed: int, event_no: str, begins_at: datetime, takes_s: float) -> Way:
    """
    What will happen to an event: 96 % are closed within their term, half are answered within 6 minutes.

    Parameters
    ----------
    begins_at
        When it was reported or, where it was invented in the midst of its way, when the city was.
    takes_s
        Its term, seconds.
    """
    rng = np.random.default_rng([seed, 47, zlib.crc32(event_no.encode())])
    response_s = float(np.clip(rng.lognormal(np.log(6.3 * 60), 0.62), 40, 5400))
    late = rng.random() > ON_TIME
    share = rng.uniform(1.02, 1.9) if late else float(np.clip(rng.lognormal(np.log(0.3), 0.6), 0.02, 0.97))
    end_s = max(takes_s * share, response_s * 1.5 + 60)
    fed_back_s = response_s + (end_s - response_s) * (0.72 + 0.2 * rng.random())
    rated = rng.random() < 0.62
    rated_s = end_s + 3600 + rng.random() * 90_000
    timed: Sequence[tuple[str, float, str]] = (
        ("accepted", 0.2 * response_s, "指挥中心"),
        ("triaged", 0.45 * response_s, "指挥中心"),
        ("dispatched", 0.65 * response_s, "指挥中心"),
        ("processing", response_s, "网格员"),
        ("feedback", fed_back_s, "网格员"),
        ("closed", end_s, "指挥中心"),
        *((("rated", rated_s, "上报人"),) if rated else ()),
    )
    steps = tuple(Step(state, begins_at + timedelta(seconds=round(after)), who) for state, after, who in timed)
    rating = int(rng.choice([5, 4, 3, 2, 1], p=[0.71, 0.21, 0.05, 0.02, 0.01])) if rated else None
    level = _LEVELS[int(np.searchsorted(np.cumsum([IN_GRID, 0.12, 0.045]), rng.random()))]
    return Way(steps, rating, level)
