"""From OpenStreetMap tags to our codes: the tables of osm_tags.toml, made quick to ask."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Tags = Mapping[str, str]

#: The layers that an extract feeds, in the order of their import.
LAYERS = ("buildings", "roads", "water", "green", "facilities")

_CJK = re.compile(r"[\u3400-\u9fff]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """Tags that an object must carry, words of which its name must hold one, and the value that follows."""

    match: Mapping[str, frozenset[str]]
    words: tuple[str, ...]
    value: str

    def holds(self, tags: Tags) -> bool:
        """Whether the tags satisfy the rule."""
        for key, values in self.match.items():
            value = tags.get(key)
            if value is None or (value not in values and "*" not in values):
                return False
        if not self.words:
            return True
        name = (tags.get("name") or "").casefold()
        return any(word in name for word in self.words)


@dataclass(frozen=True, slots=True)
class TagTables:
    """What becomes of OpenStreetMap objects."""

    building_key: str
    not_there: frozenset[str]
    use_of_building: Mapping[str, str]
    use_rules: tuple[Rule, ...]
    road_key: str
    road_class: Mapping[str, str]
    water: tuple[Rule, ...]
    green: tuple[Rule, ...]
    facilities: tuple[Rule, ...]

    @property
    def keys(self) -> frozenset[str]:
        """Every tag key without one of which an object means nothing to us."""
        rules = (*self.water, *self.green, *self.facilities)
        return frozenset({self.building_key, self.road_key, *(next(iter(rule.match)) for rule in rules)})

    @property
    def area_keys(self) -> frozenset[str]:
        """The keys that matter on areas."""
        return self.keys - {self.road_key}

    def use(self, tags: Tags) -> str | None:
        """The use of a building; ``None`` where the tags do not say."""
        return self.use_of_building.get(tags.get(self.building_key, "")) or first(self.use_rules, tags)


@cache
def tag_tables() -> TagTables:
    """The tables as osm_tags.toml states them."""
    raw = tomllib.loads((files("onemap.ingest") / "osm_tags.toml").read_text("utf-8"))
    buildings, roads = raw["buildings"], raw["roads"]
    return TagTables(
        building_key=buildings["key"],
        not_there=frozenset(buildings["not_there"]),
        use_of_building=_turned(buildings["use"]),
        use_rules=_rules(buildings["use_rules"]),
        road_key=roads["key"],
        road_class=_turned(roads["class"]),
        water=_rules(raw["water"]),
        green=_rules(raw["green"]),
        facilities=_rules(raw["facilities"]),
    )


def first(rules: tuple[Rule, ...], tags: Tags) -> str | None:
    """The value of the first rule that holds."""
    return next((rule.value for rule in rules if rule.holds(tags)), None)


def name_of(tags: Tags) -> str | None:
    """The name on the sign, else the Chinese, else the English one."""
    return tags.get("name") or tags.get("name:zh") or tags.get("name:en") or tags.get("official_name")


def address_of(tags: Tags) -> str | None:
    """The address in the order of its language: largest first in Chinese, street and number first elsewhere."""
    if "addr:full" in tags:
        return tags["addr:full"]
    number, street, place = tags.get("addr:housenumber"), tags.get("addr:street"), tags.get("addr:place")
    city, district = tags.get("addr:city"), tags.get("addr:district")
    parts = [city, district, street or place, number]
    if any(part and _CJK.search(part) for part in parts):
        return "".join(part for part in parts if part) or None
    line = " ".join(part for part in (street or place, number) if part)
    return ", ".join(part for part in (line, city) if part) or None


def whole(text: str | None, low: int, high: int) -> int | None:
    """The largest whole number that a tag states ("5", "4.5", "3;5"), if it lies within the bounds."""
    value = measure(text, low, high)
    return None if value is None else int(value)


def measure(text: str | None, low: float, high: float) -> float | None:
    """The largest number that a tag states ("12 m", "3;5"), if it lies within the bounds; feet are not guessed."""
    if not text or "'" in text or "ft" in text or text.lstrip().startswith("-"):
        return None
    values = [float(found) for found in _NUMBER.findall(text)]
    return max(values) if values and low <= max(values) <= high else None


def year_of(text: str | None) -> int | None:
    """The year a building stood: of "1987-05", "C19" or "~1900" only what is plain."""
    match = re.match(r"~?(\d{4})(?:\D|$)", text.strip()) if text else None
    return int(match[1]) if match and 1000 <= int(match[1]) <= 2100 else None


def is_yes(text: str | None) -> bool:
    """Whether a tag such as bridge=viaduct or tunnel=yes says that there is one."""
    return text is not None and text not in ("no", "false", "0")


def level_of(text: str | None) -> int:
    """The layer a way runs on; 0 is the ground."""
    try:
        level = int(text) if text else 0
    except ValueError:
        return 0
    return level if -10 <= level <= 10 else 0


def _rules(raw: list[dict[str, Any]]) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            match={key: frozenset(values) for key, values in rule["match"].items()},
            words=tuple(word.casefold() for word in rule.get("name", ())),
            value=rule["value"],
        )
        for rule in raw
    )


def _turned(raw: Mapping[str, list[str]]) -> dict[str, str]:
    return {value: ours for ours, values in raw.items() for value in values}
