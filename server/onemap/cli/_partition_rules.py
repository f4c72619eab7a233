"""The rule files of ``layers/rules`` that partitioning reads."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from onemap.domain.rule_set import RuleSet, read_rule_sets
from onemap.engine.partition.households import HouseholdRule
from onemap.engine.partition.report import NeedsRule
from onemap.errors import UsageError

RULES = Path(__file__).parents[3] / "layers" / "rules"


def grid_rules() -> dict[str, RuleSet]:
    """Every rule set on the size of grids, by id."""
    return read_rule_sets(RULES)


def household_rule(rule_id: str) -> Marker:
    """The named rule that estimates households."""
    for path in sorted(RULES.glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        if table.get("rule") == "household-estimate" and table["id"] == rule_id:
            rule = HouseholdRule(
                id=table["id"],
                m2_per_household=table["m2_per_household"],
                smallest_home_m2=table["smallest_home_m2"],
                metres_per_floor=table["metres_per_floor"],
                default_floors=tuple((row["above_m2"], row["floors"]) for row in table["default_floors"]),
                share=table["share"],
            )
            return Marker(rule)
    raise UsageError(f"There is no rule '{rule_id}' that estimates households in layers/rules.")


def needs_rule_of(rule_id: str) -> tuple[NeedsRule, str]:
    """What a community needs by the named rule, and the document that says so."""
    for path in sorted(RULES.glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        if table.get("rule") == "community-needs" and table["id"] == rule_id:
            return NeedsRule(**{name: table[name] for name in _NEEDS}), table["source_document"]
    raise UsageError(f"There is no rule '{rule_id}' on the needs of communities in layers/rules.")


_NEEDS = (
    "room_m2_per_100_households",
    "households_per_worker",
    "minimum_workers",
    "minimum_workers_up_to_households",
    "budget_yuan_per_1000_households",
    "budget_manual_above_households",
)


@dataclass(frozen=True, slots=True)
class Marker:
    """Writes estimates into a frame."""

    rule: HouseholdRule

    def mark(self, buildings: gpd.GeoDataFrame, column: str) -> tuple[gpd.GeoDataFrame, str]:
        """The buildings with estimated households, and the sentence that says so."""
        shapes = buildings.geometry
        metric = shapes.to_crs(shapes.estimate_utm_crs()) if shapes.crs is not None else shapes
        use = buildings["use"].tolist() if "use" in buildings.columns else [None] * len(buildings)
        households = self.rule.estimate(
            np.nan_to_num(metric.area.to_numpy(dtype=np.float64)),
            _numbers(buildings, "floors"),
            _numbers(buildings, "height_m"),
            [u if isinstance(u, str) else None for u in use],
        )
        total = int(households.sum())
        note = f"{total} households in {len(buildings)} buildings are estimated by the rule '{self.rule.id}'."
        return buildings.assign(**{column: households}), note


def _numbers(frame: gpd.GeoDataFrame, column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    values = pd.to_numeric(frame[column], errors="coerce")
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
