"""``partition-grids``: an area of the map divided into grids by household count, kept as a scenario."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from onemap.analyses.registry import Analysis, Context, Input, by_area, is_large
from onemap.domain.layer import Title
from onemap.domain.rule_set import Band, Logic, RuleSet, Unit
from onemap.engine.partition import partition
from onemap.engine.partition.frames import Plan
from onemap.engine.partition.state import Effort
from onemap.errors import InputRefused
from onemap.store import frames, scenarios

#: Streets and water this far outside an area still bound its grids, metres.
_MARGIN_M = 60.0
_STAGES = {"atoms": (0, 35), "zoning": (35, 50), "proof": (85, 10), "polygons": (95, 5)}
_CRS = "EPSG:4490"


@dataclass(frozen=True, slots=True)
class PartitionAsk:
    """What is asked: an area, a rule, and whether today's grids should mostly stay."""

    area_code: str
    scenario: str
    rule_set: RuleSet
    keep_present: bool = False
    locked: tuple[str, ...] = ()
    join_islands: bool = False
    seed: int = 1
    seconds: float | None = None
    workers: int = 1


def partition_area(context: Context, ask: PartitionAsk) -> tuple[int, Plan]:
    """
    Divide an area into grids and keep them as a scenario; its number and the plan.

    Raises
    ------
    InputRefused
        The area holds no buildings with households, or its data cannot be used.
    FeatureNotFound
        There is no such area, or the reader may not see it.
    """
    plan = _plan(context, ask)
    with context.db.connection() as connection:
        number = scenarios.save_scenario(
            connection,
            ask.area_code,
            ask.scenario,
            rule_set=json.loads(json.dumps(asdict(ask.rule_set), default=str)),
            report=_plain(plan.summary),
            grids=_draft(plan),
            buildings=_assigned(plan),
        )
    return number, plan


def _plan(context: Context, ask: PartitionAsk) -> Plan:
    catalog, scope = context.catalog, context.scope
    with context.db.connection() as connection:
        boundary = frames.boundary(connection, catalog, scope, ask.area_code)
        box = frames.box_around(connection, ask.area_code, _MARGIN_M)
        buildings = frames.frame(connection, catalog.layer("buildings"), scope, area=ask.area_code)
        streets = frames.frame(connection, catalog.layer("roads"), scope, box=box)
        water = frames.frame(connection, catalog.layer("water"), scope, box=box)
        estates = frames.frame(connection, catalog.layer("estates"), scope, area=ask.area_code)
        present = frames.frame(connection, catalog.layer("grids"), scope, area=ask.area_code)
    if "households" not in buildings.columns:
        raise InputRefused(
            "You may not see households, and grids are made by them; sign in with more rights."
        ).in_chinese("无权查看户数，而网格按户数划分：请用有权限的岗位登录。")
    buildings["households"] = pd.to_numeric(buildings["households"]).fillna(0).astype(int)
    buildings["persons"] = pd.to_numeric(buildings["persons"]).fillna(0).astype(int)
    if buildings["households"].sum() == 0:
        raise InputRefused(
            f"Area {ask.area_code} holds no buildings with households; import them, or estimate households on import."
        ).in_chinese(f"区划 {ask.area_code} 内没有带户数的建筑：请导入，或在导入时估算户数。")
    steer = ask.rule_set.bands[0]
    other = ask.rule_set.bands[1] if len(ask.rule_set.bands) > 1 else None
    return partition(
        buildings,
        streets,
        water if len(water) else None,
        estates[estates["kind"] == "residential"] if len(estates) else None,
        gpd.GeoDataFrame(geometry=[boundary], crs=_CRS),
        persons="persons",
        minimum=steer.minimum,
        target=steer.target,
        maximum=steer.maximum,
        unit=str(steer.unit),
        second_band=(other.minimum, other.target, other.maximum) if other else None,
        logic=str(ask.rule_set.logic) if other else "first",
        keep=present.rename(columns={"grid_code": "grid"}) if ask.keep_present and len(present) else None,
        lock=ask.locked,
        join_islands=ask.join_islands,
        seed=ask.seed,
        effort=Effort(workers=ask.workers, seconds=ask.seconds),
        progress=lambda stage, share: context.report(round(_STAGES[stage][0] + _STAGES[stage][1] * share), stage),
    )


def _draft(plan: Plan) -> list[scenarios.DraftGrid]:
    numbers = _numbers(plan)
    rows = plan.grids.to_crs(_CRS)
    return [
        scenarios.DraftGrid(
            grid=numbers[row.grid],
            households=int(row.households),
            persons=None if pd.isna(row.persons) else int(row.persons),
            n_buildings=int(row.n_buildings),
            in_band=bool(row.in_band),
            polsby_popper=float(row.polsby_popper),
            wkb=geometry.wkb,
        )
        for row, geometry in zip(rows.itertuples(), rows.geometry, strict=True)
    ]


def _assigned(plan: Plan) -> list[tuple[str, int]]:
    numbers = _numbers(plan)
    rows = plan.buildings[plan.buildings["grid"].notna()]
    return [(row.building_id, numbers[row.grid]) for row in rows.itertuples() if row.grid in numbers]


def _numbers(plan: Plan) -> dict[Any, int]:
    """Grids by number: those of the present plan keep their codes in the plan, but a draft counts from 1."""
    return {grid: i for i, grid in enumerate(plan.grids["grid"], start=1)}


def _plain(summary: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(summary, default=float))
    return plain


def _run(context: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
    band = Band(
        inputs.get("minimum", 300), inputs.get("target", 400), inputs.get("maximum", 500),
        Unit(inputs.get("unit", "households")),
    )  # fmt: skip
    ask = PartitionAsk(
        area_code=inputs["area_code"],
        scenario=inputs.get("scenario", "process"),
        rule_set=RuleSet("asked", "as asked", (band,), Logic.ALL, "the request"),
        keep_present=inputs.get("keep_present", False),
        seed=inputs.get("seed", 1),
        seconds=inputs.get("seconds"),
    )
    _, plan = partition_area(context, ask)
    columns = ["grid", "households", "persons", "n_buildings", "in_band", "polsby_popper", plan.grids.geometry.name]
    return {"report": _plain(plan.summary), "grids": json.loads(plan.grids[columns].to_crs("OGC:CRS84").to_json())}


_COUNT = {"type": "number", "minimum": 1}

PARTITION_GRIDS = Analysis(
    name="partition-grids",
    version="1.0.0",
    title=Title("划分网格", "Partition into grids"),
    description=Title(
        "按户数或人口把一个区域划分为规模适度、体量相当、界定清晰、无缝衔接的网格，存为情景",
        "Divide an area into grids by households or persons, and keep them as a scenario",
    ),
    inputs={
        "area_code": by_area(required=True),
        "scenario": Input(Title("情景名称", "Scenario"), {"type": "string", "minLength": 1, "maxLength": 80}),
        "minimum": Input(Title("下限", "Minimum"), _COUNT),
        "target": Input(Title("目标", "Target"), _COUNT),
        "maximum": Input(Title("上限", "Maximum"), _COUNT),
        "unit": Input(Title("单位", "Unit"), {"type": "string", "enum": ["households", "persons"]}),
        "keep_present": Input(Title("保留现行", "Keep present grids"), {"type": "boolean"}),
        "seed": Input(Title("种子", "Seed"), {"type": "integer", "minimum": 0}),
        "seconds": Input(Title("限时（秒）", "Seconds"), {"type": "number", "minimum": 1, "maximum": 3600}),
    },
    outputs={"report": {"type": "object"}, "grids": {"type": "object", "format": "geojson-feature-collection"}},
    run=_run,
    is_long=is_large,
)
