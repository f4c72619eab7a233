"""``onemap partition --area``: an area of the database becomes a scenario beside the plan in force."""

from __future__ import annotations

from typing import Any

from onemap.analyses.partition import PartitionAsk, partition_area
from onemap.analyses.registry import Context
from onemap.catalog.read import read_catalog
from onemap.cli.common import Progress, database
from onemap.domain.rule_set import RuleSet
from onemap.domain.scope import EVERYTHING
from onemap.errors import UsageError
from onemap.settings import Settings


def answer(area: str | None, scenario: str | None, asked: dict[str, Any], rules: RuleSet) -> tuple[Any, str]:
    """Partition an area of the database into a scenario: the JSON document and a sentence."""
    if not area or not scenario:
        raise UsageError("--area CODE and --scenario NAME go together.")
    if asked["buildings"] or asked["osm"] or asked["keep"]:
        raise UsageError("Name files or an --area of the database, not both.")
    settings = Settings.from_env()
    ask = PartitionAsk(
        area_code=area,
        scenario=scenario,
        rule_set=rules,
        keep_present=asked["keep_present"] or bool(asked["lock"]),
        locked=tuple(asked["lock"]),
        join_islands=asked["join_islands"],
        seed=asked["seed"],
        seconds=asked["seconds"],
        workers=max(1, asked["workers"]),
    )
    with database(settings) as db, Progress("partition") as bar:
        context = Context(
            db=db,
            catalog=read_catalog(settings.layers_dir),
            scope=EVERYTHING,
            report=lambda percent, stage: bar(percent, 100, stage),
        )
        number, plan = partition_area(context, ask)
    told = plan.summary
    sentence = (
        f"Scenario '{scenario}' of area {area}: {told['n_grids']} grids, {told['n_in_band']} in band, "
        f"{told['households']:,} households."
    )
    return {**told, "scenario": scenario, "scenario_id": number, "area_code": area}, sentence
