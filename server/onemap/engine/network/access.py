"""Who may use a way, in which direction, how fast: the written rule of docs/network.md, from tags to numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onemap.errors import InvalidValue

MODES = ("foot", "ebike", "car")

_CLOSED = frozenset({"no", "private", "military", "emergency"})
_CLOSED_TO_VEHICLES = frozenset({"agricultural", "forestry", "psv", "bus"})
_OPEN = frozenset({"yes", "designated", "permissive", "official", "public"})
_DISMOUNT = frozenset({"dismount", "use_sidepath"})
_ON_FOOT_OPEN = frozenset({"both", "left", "right", "yes"})
_FORWARD = frozenset({"yes", "true", "1", "forward"})
_BACKWARD = frozenset({"-1", "reverse", "backward"})
_MPH = 1.609344


def check_mode(mode: str) -> None:
    """Refuse a mode that no rules are made for."""
    if mode not in MODES:
        raise InvalidValue(f"There is no mode '{mode}'; it is one of {', '.join(MODES)}.").in_chinese(
            f"没有出行方式“{mode}”，可选：{'、'.join(MODES)}。"
        )


@dataclass(frozen=True, slots=True)
class ModeRule:
    """What one mode may use: speeds by class, the tags that decide access and direction, barriers that stop it."""

    mode: str
    speed_kmh: Mapping[str, float]
    default_kmh: float
    access: tuple[str, ...]
    oneway: tuple[str, ...]
    barriers: frozenset[str]

    def __post_init__(self) -> None:
        wrong = {name: kmh for name, kmh in self.speed_kmh.items() if not 0.0 <= kmh <= 200.0}
        if wrong or not 0.0 < self.default_kmh <= 200.0:
            raise InvalidValue(f"The speeds of mode '{self.mode}' are not between 0 and 200 km/h: {wrong}.")


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """The numbers of the written rule, checked."""

    modes: Mapping[str, ModeRule]
    unused_classes: frozenset[str]
    assumed_class: str
    islet_max_share: float
    islet_max_km: float
    max_snap_m: float
    access_kmh: float
    presets_kmh: Mapping[str, float]

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> NetworkRules:
        """The rules as layers/rules/network.toml states them."""
        modes = {
            mode: ModeRule(
                mode=mode,
                speed_kmh=dict(table[mode]["speed_kmh"]),
                default_kmh=float(table[mode]["default_kmh"]),
                access=tuple(table[mode]["access"]),
                oneway=tuple(table[mode]["oneway"]),
                barriers=frozenset(table["barriers"][mode]),
            )
            for mode in MODES
        }
        return cls(
            modes=modes,
            unused_classes=frozenset(table["unused_classes"]),
            assumed_class=str(table["assumed_class"]),
            islet_max_share=float(table["islet_max_share"]),
            islet_max_km=float(table["islet_max_km"]),
            max_snap_m=float(table["max_snap_m"]),
            access_kmh=float(table["access_kmh"]),
            presets_kmh=dict(table["presets_kmh"]),
        )

    def known(self, way_class: str) -> bool:
        """Whether any mode has heard of the class."""
        return way_class in self.unused_classes or any(way_class in rule.speed_kmh for rule in self.modes.values())


def way_speeds(tags: Mapping[str, str], rule: ModeRule) -> tuple[float, float]:
    """
    Speed along and against the drawn direction of a way, km/h; 0 where the mode may not go.

    Notes
    -----
    The class gives the speed, access tags may open or close it, one-way tags take a direction away. A posted speed
    counts for cars alone. docs/network.md holds the same rule in words.
    """
    speed = _allowed_speed(tags, rule)
    if speed <= 0.0:
        return 0.0, 0.0
    forward, backward = _directions(tags, rule)
    return (speed if forward else 0.0), (speed if backward else 0.0)


def barrier_stops(tags: Mapping[str, str], rule: ModeRule) -> bool:
    """Whether a node stops the mode: by its own access tags, else by the kind of barrier."""
    barrier = tags.get("barrier")
    if barrier is None:
        return False
    verdict = _verdict(tags, rule)
    if verdict is not None:
        return not verdict
    return barrier in rule.barriers


def parse_speed_kmh(text: str | None) -> float | None:
    """
    A posted speed as km/h: "50", "25 mph", "RU:urban" has none; of "60;40" the lower.

    >>> parse_speed_kmh("25 mph")
    40.2336
    """
    if not text:
        return None
    found = []
    for part in re.split(r"[;|,]", text.lower()):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?\s*", part)
        if match:
            found.append(float(match[1]) * {"mph": _MPH, "knots": 1.852}.get(match[2] or "", 1.0))
        elif part.strip() == "walk":
            found.append(5.0)
    usable = [kmh for kmh in found if kmh > 0.0]
    return min([*usable, 130.0]) if usable else None


def _allowed_speed(tags: Mapping[str, str], rule: ModeRule) -> float:
    way_class = tags.get("highway", "")
    if way_class not in rule.speed_kmh and not (
        rule.mode != "foot" and way_class in ("footway", "pedestrian", "steps")
    ):
        return 0.0
    speed = rule.speed_kmh.get(way_class, 0.0)
    verdict = _verdict(tags, rule)
    if verdict is False or (way_class == "steps" and rule.mode != "foot"):
        return 0.0
    if speed == 0.0 and (_explicitly_open(tags, rule) or (rule.mode == "foot" and _has_sidewalk(tags))):
        speed = rule.default_kmh
    if speed > 0.0 and rule.mode == "foot" and tags.get("motorroad") == "yes" and not _explicitly_open(tags, rule):
        return 0.0
    if speed > 0.0 and rule.mode == "car":
        return max(parse_speed_kmh(tags.get("maxspeed")) or speed, 5.0)
    return speed


def _verdict(tags: Mapping[str, str], rule: ModeRule) -> bool | None:
    """True where the tags open the way for the mode, False where they close it, None where they say neither."""
    for key in reversed(rule.access):
        value = tags.get(key)
        if value is None:
            continue
        vehicle = rule.mode != "foot"
        on_foot_only = rule.mode == "ebike" and key == "bicycle" and value in _DISMOUNT
        return not (value in _CLOSED or (vehicle and value in _CLOSED_TO_VEHICLES) or on_foot_only)
    return None


def _explicitly_open(tags: Mapping[str, str], rule: ModeRule) -> bool:
    return any(tags.get(key) in _OPEN for key in rule.access[1:])


def _has_sidewalk(tags: Mapping[str, str]) -> bool:
    return any(
        tags.get(key) in _ON_FOOT_OPEN for key in ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right")
    )


def _directions(tags: Mapping[str, str], rule: ModeRule) -> tuple[bool, bool]:
    if rule.mode == "foot" and tags.get("conveying") in ("forward", "backward"):
        return tags["conveying"] == "forward", tags["conveying"] == "backward"
    value = next((tags[key] for key in reversed(rule.oneway) if key in tags), None)
    if value is None and rule.mode != "foot" and _implied_oneway(tags):
        value = "yes"
    forward, backward = value not in _BACKWARD, value not in _FORWARD
    if rule.mode == "ebike" and not (forward and backward) and _contraflow(tags):
        return True, True
    return forward, backward


def _implied_oneway(tags: Mapping[str, str]) -> bool:
    return tags.get("highway") == "motorway" or tags.get("junction") in ("roundabout", "circular")


def _contraflow(tags: Mapping[str, str]) -> bool:
    lanes = [tags.get(key, "") for key in ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")]
    returns = [tags.get(key) for key in ("cycleway:left:oneway", "cycleway:right:oneway")]
    return any(lane.startswith("opposite") for lane in lanes) or "-1" in returns or "no" in returns
