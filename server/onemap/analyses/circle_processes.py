"""``life-circle``, ``isochrone``, ``siting`` and ``camera-coverage``: asked as OGC processes, at once or as jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from onemap.analyses.camera_sight import sights_of
from onemap.analyses.cameras import camera_survey
from onemap.analyses.circle_ground import circles_of
from onemap.analyses.circle_rules import ADULT_KMH, MAX_KMH, MAX_LIMIT_MIN
from onemap.analyses.circle_zones import BY
from onemap.analyses.isochrone import LONGEST_MIN, MAX_TOLERANCE_M, MOST_BANDS, IsochroneAsk, isochrone
from onemap.analyses.life_circle import (
    CircleAsk,
    category_by_zone,
    coverage,
    titled_category,
    usable_walks,
)
from onemap.analyses.registry import Analysis, Context, Input, by_area, is_large
from onemap.analyses.siting import best_sites
from onemap.analyses.siting_ask import KINDS, MODELS, MOST_GIVEN, MOST_SITES, SitingAsk
from onemap.domain.layer import Title
from onemap.engine.network.access import MODES
from onemap.errors import InputRefused

_POINT = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_COLLECTION = {"type": "object", "format": "geojson-feature-collection"}
_BAND = {"type": "number", "minimum": 0.1, "maximum": LONGEST_MIN}
#: What the processes can be asked by, each said once.
_INPUTS = {
    "area_code": by_area(),
    "speed_kmh": Input(
        Title("步行速度（km/h）", "Walking speed, km/h"),
        {"type": "number", "minimum": 0.1, "maximum": MAX_KMH},
    ),
    "minutes": Input(
        Title("限时（分钟）", "Limit, minutes"),
        {"type": "number", "minimum": 0.1, "maximum": MAX_LIMIT_MIN},
    ),
    "open_at": Input(Title("开放时刻", "Open at"), {"type": "string", "maxLength": 40}),
    "categories": Input(
        Title("设施类别", "Categories"),
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 50},
    ),
    "category": Input(Title("设施类别", "Category"), {"type": "string", "minLength": 1}),
    "by": Input(Title("统计单位", "By"), {"type": "string", "enum": list(BY)}),
    "point": Input(Title("位置", "Point"), _POINT),
    "facility": Input(Title("设施", "Facility"), {"type": "integer", "minimum": 1}),
    "bands": Input(
        Title("分级（分钟）", "Bands, minutes"),
        {"type": "array", "items": _BAND, "minItems": 1, "maxItems": MOST_BANDS},
    ),
    "mode": Input(Title("方式", "Mode"), {"type": "string", "enum": list(MODES)}),
    "reverse": Input(Title("反向", "Towards the place"), {"type": "boolean"}),
    "tolerance_m": Input(
        Title("简化容差（米）", "Tolerance, m"),
        {"type": "number", "minimum": 0, "maximum": MAX_TOLERANCE_M},
    ),
    "n": Input(Title("新增处数", "How many"), {"type": "integer", "minimum": 1, "maximum": MOST_SITES}),
    "model": Input(Title("模型", "Model"), {"type": "string", "enum": list(MODELS)}),
    "candidates": Input(
        Title("候选", "Candidates"),
        {"type": "string", "pattern": f"^({'|'.join(KINDS)}|layer:[a-z][a-z0-9_]*)$"},
    ),
    "points": Input(
        Title("候选点", "Candidate points"),
        {"type": "array", "items": _POINT, "minItems": 1, "maxItems": MOST_GIVEN},
    ),
}
_WALKER = ("area_code", "speed_kmh", "minutes", "open_at")


def _asked(*names: str, required: str | None = None) -> dict[str, Input]:
    return {name: replace(_INPUTS[name], required=name == required) for name in names}


def _circle(inputs: Mapping[str, Any]) -> CircleAsk:
    return CircleAsk(
        inputs.get("area_code", ""),
        float(inputs.get("speed_kmh", ADULT_KMH)),
        inputs.get("open_at"),
        None if inputs.get("minutes") is None else float(inputs["minutes"]),
    )


def _feature(properties: dict[str, Any], geometry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}


def _run_life_circle(context: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
    circles, ask = circles_of(context.db, context.catalog, context.streets), _circle(inputs)
    for category in inputs.get("categories", ()):
        titled_category(context.catalog, category)
    context.report(1, "homes, services and streets")
    ground = circles.ground()
    wanted = inputs.get("categories") or [name for name in circles.rules.limits if name in ground.services]
    for done, category in enumerate(wanted):
        context.report(5 + 70 * done // len(wanted), category)
        if category in ground.services:
            try:
                usable_walks(ground, category, ask.minute)
            except InputRefused:
                continue  # coverage says so, category by category
    context.report(75, "coverage")
    whole = coverage(circles, context.catalog, context.scope, ask)
    by, zones, cells = inputs.get("by", "grid"), [], []
    for done, one in enumerate(row for row in whole.categories if row.category in wanted):
        context.report(80 + 19 * done // max(len(wanted), 1), one.category)
        if one.problem is not None:
            continue
        found = category_by_zone(circles, context.catalog, context.scope, ask, one.category, by)
        zones.append(
            {
                "category": one.category,
                "rows": [asdict(row) for row in found.rows],
                "buildings": None if found.buildings is None else asdict(found.buildings),
            }
        )
        gaps = category_by_zone(circles, context.catalog, context.scope, ask, one.category, "h3")
        cells += [
            _feature(
                {
                    "category": one.category,
                    "h3": row.key,
                    "households": row.households,
                    "households_covered": row.households_covered,
                    "share": row.share,
                },
                {"type": "Polygon", "coordinates": [row.ring]},
            )
            for row in gaps.rows
            if row.share is not None and row.share < 1.0
        ]
    told = asdict(whole)
    told["categories"] = [row for row in told["categories"] if row["category"] in wanted]
    return {"coverage": told, "zones": zones, "gaps": _collection(cells)}


def _run_isochrone(context: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
    point = inputs.get("point")
    ask = IsochroneAsk(
        point=None if point is None else (float(point[0]), float(point[1])),
        facility=inputs.get("facility"),
        category=inputs.get("category"),
        area=inputs.get("area_code", ""),
        minutes=tuple(float(one) for one in inputs.get("bands", (5, 10, 15))),
        mode=inputs.get("mode", "foot"),
        speed_kmh=None if inputs.get("speed_kmh") is None else float(inputs["speed_kmh"]),
        reverse=inputs.get("reverse", False),
        tolerance_m=float(inputs.get("tolerance_m", 0.0)),
    )
    context.report(5, "streets")
    circles = circles_of(context.db, context.catalog, context.streets)
    found = isochrone(context.db, circles, context.catalog, context.scope, ask)
    features = []
    for band in found.bands:
        properties = asdict(band)
        features.append(_feature(properties, properties.pop("geometry")))
    return {"isochrones": _collection(features), "assumptions": [asdict(one) for one in found.assumptions]}


def _run_siting(context: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
    points = inputs.get("points")
    ask = SitingAsk(
        circle=_circle(inputs),
        category=inputs["category"],
        n=inputs.get("n", 1),
        model=inputs.get("model", "mclp"),
        candidates=[(float(a), float(b)) for a, b in points] if points else inputs.get("candidates", "nodes"),
    )
    circles = circles_of(context.db, context.catalog, context.streets)
    found = best_sites(context.db, circles, context.catalog, context.scope, ask, as_job=True, report=context.report)
    told = asdict(found)
    features = [
        _feature({key: value for key, value in site.items() if key != "point"} | {"is_chosen": chosen},
                 {"type": "Point", "coordinates": list(site["point"])})
        for chosen, kind in ((True, "sites"), (False, "alternatives"))
        for site in told[kind]
    ]  # fmt: skip
    return {"answer": told, "sites": _collection(features)}


def _run_cameras(context: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
    sights, area = sights_of(context.db, context.catalog), inputs.get("area_code", "")
    today = datetime.now(UTC).date()
    found = camera_survey(
        context.db, sights, context.catalog, context.scope, area, today=today, as_job=True, report=context.report
    )
    context.report(92, "blind spots")
    features = [
        _feature({"grid_code": code, "unseen_m2": area_m2}, shape) for code, area_m2, shape in found.blind_in_degrees
    ]
    return {"coverage": asdict(found.coverage), "blind_spots": _collection(features)}


LIFE_CIRCLE = Analysis(
    name="life-circle",
    version="1.0.0",
    title=Title("生活圈", "Life circle"),
    description=Title(
        "按路网步行，各类设施在限定距离内覆盖的户数与人口，按楼栋、网格、小区、社区、街道或 H3 统计",
        "Households and persons within walking reach of services along the streets, by building or zone",
    ),
    inputs=_asked(*_WALKER, "categories", "by"),
    outputs={
        "coverage": {"type": "object"},
        "zones": {"type": "array", "items": {"type": "object"}},
        "gaps": _COLLECTION,
    },
    run=_run_life_circle,
    is_long=is_large,
)

ISOCHRONE = Analysis(
    name="isochrone",
    version="1.0.0",
    title=Title("等时圈", "Isochrones"),
    description=Title(
        "从一点、一处设施或一类设施沿路网在若干分钟内到达的范围",
        "The ground within minutes of a point, a facility or all facilities of a category, along the streets",
    ),
    inputs=_asked("point", "facility", "category", "area_code", "bands", "mode", "speed_kmh", "reverse", "tolerance_m"),
    outputs={"isochrones": _COLLECTION, "assumptions": {"type": "array", "items": {"type": "object"}}},
    run=_run_isochrone,
    is_long=lambda inputs: "category" in inputs and is_large(inputs),
)

SITING = Analysis(
    name="siting",
    version="1.0.0",
    title=Title("选址", "Siting"),
    description=Title(
        "新增若干处设施放在哪里最好：最大覆盖、平均步行最短、或全覆盖所需最少",
        "Where new facilities serve best: most households covered, least average walk, or fewest sites for all",
    ),
    inputs=_asked(*_WALKER, "category", "n", "model", "candidates", "points", required="category"),
    outputs={"answer": {"type": "object"}, "sites": _COLLECTION},
    run=_run_siting,
    is_long=is_large,
)

CAMERA_COVERAGE = Analysis(
    name="camera-coverage",
    version="1.0.0",
    title=Title("监控覆盖", "Camera coverage"),
    description=Title(
        "监控可见的地面、道路、建筑与重点部位，盲区与填空、加密、集成、提效四项工作",
        "The ground, streets, buildings and key places that cameras see; blind spots and the four works",
    ),
    inputs=_asked("area_code"),
    outputs={"coverage": {"type": "object"}, "blind_spots": _COLLECTION},
    run=_run_cameras,
    is_long=is_large,
)
