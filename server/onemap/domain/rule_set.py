"""How large a grid may be, and which document says so."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from onemap.errors import InvalidValue


class Unit(StrEnum):
    """What is counted."""

    HOUSEHOLDS = "households"
    PERSONS = "persons"


class Logic(StrEnum):
    """How several bands combine."""

    ANY = "any"
    ALL = "all"


class InvalidBand(InvalidValue):
    """A band that no number can meet."""


@dataclass(frozen=True, slots=True)
class Band:
    """How many households (or persons) a grid may hold."""

    minimum: float
    target: float
    maximum: float
    unit: Unit = Unit.HOUSEHOLDS

    def __post_init__(self) -> None:
        """Refuse what cannot be met."""
        if not 0 < self.minimum <= self.target <= self.maximum < float("inf"):
            raise InvalidBand(
                f"A band of minimum {self.minimum:g}, target {self.target:g}, maximum {self.maximum:g} "
                "is not 0 < minimum <= target <= maximum."
            ).in_chinese(
                f"下限 {self.minimum:g}、目标 {self.target:g}、上限 {self.maximum:g} 不对：须 0 < 下限 ≤ 目标 ≤ 上限。"
            )

    def holds(self, count: float) -> bool:
        """Whether a grid of this many is in band."""
        return self.minimum <= count <= self.maximum


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Bands of a city with the document that states them; the first band's unit steers the solver."""

    id: str
    title: str
    bands: tuple[Band, ...]
    logic: Logic
    source_document: str
    valid_from: date | None = None
    title_en: str = ""

    def __post_init__(self) -> None:
        """Refuse a rule set that decides nothing or twice."""
        if not 1 <= len(self.bands) <= 2 or len({band.unit for band in self.bands}) != len(self.bands):
            raise InvalidValue(f"Rule set '{self.id}' must hold one band, or one for households and one for persons.")

    def in_band(self, households: float, persons: float) -> bool:
        """The verdict on a grid."""
        count = {Unit.HOUSEHOLDS: households, Unit.PERSONS: persons}
        verdicts = [band.holds(count[band.unit]) for band in self.bands]
        return any(verdicts) if self.logic is Logic.ANY else all(verdicts)

    def verdicts(self, households: float, persons: float) -> dict[str, bool]:
        """The verdict of each band by its unit."""
        count = {Unit.HOUSEHOLDS: households, Unit.PERSONS: persons}
        return {str(band.unit): band.holds(count[band.unit]) for band in self.bands}


def read_rule_sets(folder: Path) -> dict[str, RuleSet]:
    """Every grid rule set of a folder of ``*.toml`` files by its id; files of other kinds of rules are passed over."""
    found: dict[str, RuleSet] = {}
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        if table.get("rule") != "grid-size":
            continue
        rule_set = _rule_set(path, table)
        found[rule_set.id] = rule_set
    return found


def _rule_set(path: Path, table: dict[str, Any]) -> RuleSet:
    try:
        bands = tuple(
            Band(row["min"], row.get("target", (row["min"] + row["max"]) / 2), row["max"], Unit(row["unit"]))
            for row in table["bands"]
        )
        return RuleSet(
            id=table.get("id", path.stem),
            title=table["title"]["zh"],
            bands=bands,
            logic=Logic(table.get("logic", "all")),
            source_document=table["source_document"],
            valid_from=table.get("valid_from"),
            title_en=table["title"].get("en", ""),
        )
    except (KeyError, ValueError) as wrong:
        raise InvalidValue(f"Rule set {path.name} cannot be read: {wrong}.") from wrong
