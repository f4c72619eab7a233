"""The limits of the life circle as data: how far each service may be, and which document says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onemap.domain.layer import Title
from onemap.errors import CatalogError, InvalidValue
from onemap.ingest.network_rules import read_life_circle

#: What a category without a limit of its own is held to, minutes.
WHOLE_CIRCLE_MIN = 15.0
#: The standard walker: 15 minutes are 1,000 m.
ADULT_KMH = 4.0
MAX_KMH = 200.0
MAX_LIMIT_MIN = 600.0


@dataclass(frozen=True, slots=True)
class Limit:
    """
    How far a service may be.

    Attributes
    ----------
    metres, minutes
        One of the two: a distance, or a time that depends on the walker.
    document
        Which rule says so.
    verified
        False where it is general knowledge that nobody has compared with a document.
    """

    category: str
    element: str
    metres: float | None
    minutes: float | None
    document: str
    verified: bool

    def __post_init__(self) -> None:
        """Refuse a limit that says two things or none."""
        given = self.metres if self.minutes is None else self.minutes
        if (self.metres is None) == (self.minutes is None) or given is None or not 0.0 < given < float("inf"):
            raise InvalidValue(f"The limit of '{self.category}' must be metres or minutes above 0, one of the two.")

    def metres_at(self, speed_kmh: float) -> float:
        """The longest walk that counts, metres."""
        return self.metres if self.metres is not None else (self.minutes or 0.0) * 60.0 * speed_kmh / 3.6

    def seconds_at(self, speed_kmh: float) -> float:
        """The same in seconds."""
        return round(self.metres_at(speed_kmh) / (speed_kmh / 3.6), 6)


@dataclass(frozen=True, slots=True)
class CircleRules:
    """The rule set: its document, the walkers, the limits by category in their order."""

    title: Title
    document: str
    verified: bool
    note: Title
    bands_min: tuple[float, ...]
    presets_kmh: Mapping[str, float]
    elements: Mapping[str, Title]
    limits: Mapping[str, Limit]

    def limit(self, category: str, minutes: float | None = None) -> Limit:
        """The limit of a category: as asked, the rule's own, or the whole circle."""
        known = self.limits.get(category)
        element = known.element if known else "other"
        if minutes is not None:
            check_minutes(minutes)
            return Limit(category, element, None, minutes, f"{minutes:g} min, as asked", verified=True)
        return known or Limit(category, element, None, WHOLE_CIRCLE_MIN, self.note.zh, verified=False)

    def remark(self, limit: Limit) -> Title | None:
        """What is to be shown beside an unverified limit."""
        return None if limit.verified else self.note


def check_minutes(minutes: float, longest: float = MAX_LIMIT_MIN) -> None:
    """Refuse minutes that nobody walks."""
    if not 0.0 < minutes <= longest:
        raise InvalidValue(
            f"{minutes:g} minutes cannot be used as a limit: a number above 0 and not above {longest:g}."
        ).in_chinese(f"限时 {minutes:g} 分钟不可用：须大于 0 且不超过 {longest:g}。")


def check_speed(speed_kmh: float) -> None:
    """Refuse a speed that nobody walks at."""
    if not 0.0 < speed_kmh <= MAX_KMH:
        raise InvalidValue(
            f"A speed of {speed_kmh:g} km/h cannot be used: a number above 0 and not above {MAX_KMH:g}."
        ).in_chinese(f"速度 {speed_kmh:g} km/h 不可用：须大于 0 且不超过 {MAX_KMH:g}。")


def read_circle_rules(path: Path | None = None) -> CircleRules:
    """The rules of ``layers/rules/life_circle.toml``."""
    table = read_life_circle(path)
    try:
        document, note = str(table["source_document"]), _title(table["unverified_note"])
        return CircleRules(
            title=_title(table["title"]),
            document=document,
            verified=bool(table.get("source_verified", False)),
            note=note,
            bands_min=tuple(float(band) for band in table["bands_minutes"]),
            presets_kmh={name: float(preset["speed_kmh"]) for name, preset in table["presets"].items()},
            elements={name: _title(title) for name, title in table["elements"].items()},
            limits={name: _limit(name, row, document, note) for name, row in table["categories"].items()},
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise CatalogError([f"life_circle.toml: {wrong} is missing or of the wrong kind."]) from wrong


def _limit(category: str, row: Mapping[str, Any], document: str, note: Title) -> Limit:
    verified = bool(row.get("verified", False))
    return Limit(
        category=category,
        element=str(row["element"]),
        metres=float(row["limit_m"]) if "limit_m" in row else None,
        minutes=float(row["limit_min"]) if "limit_min" in row else None,
        document=str(row.get("document", document if verified else note.zh)),
        verified=verified,
    )


def _title(pair: Mapping[str, str]) -> Title:
    return Title(pair["zh"], pair["en"])
