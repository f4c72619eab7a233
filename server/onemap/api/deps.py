"""What an endpoint may ask for: the parts of the running server, the reader, parsed parameters."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.applications import Starlette

from onemap.analyses.camera_sight import Sights
from onemap.analyses.circle_ground import LifeCircles
from onemap.analyses.nearest import DispatchRules
from onemap.analyses.responders import Responders
from onemap.analyses.streets import StreetNetworks
from onemap.domain.layer import Catalog, Layer
from onemap.domain.region import check_point
from onemap.domain.rule_set import RuleSet
from onemap.domain.scope import Scope, scope_of
from onemap.errors import BadQuery
from onemap.store.db import Db
from onemap.store.kpis import Measured
from onemap.store.positions import Receipt, Report
from onemap.store.recent import Recent


@dataclass(frozen=True, slots=True)
class Parts:
    """What the app gives its routers."""

    catalog: Catalog
    db: Db
    streets: StreetNetworks
    responders: Responders
    circles: LifeCircles
    sights: Sights
    dispatch: DispatchRules
    grid_rules: Mapping[str, RuleSet]
    slow_kpis: Recent[tuple[str, Scope, str | None], Measured]
    report: Callable[[Scope, tuple[Report, ...]], Awaitable[Receipt]]
    follow: Callable[[Scope, int | None, Callable[[], Awaitable[bool]]], Awaitable[AsyncGenerator[bytes]]]


def parts_of(app: Starlette) -> Parts:
    """What the app of a request has to give."""
    parts: Parts = app.state.parts
    return parts


# ``async``, because FastAPI hands any other dependency to a thread of its own: two switches of thread for a look-up.
async def _parts(request: Request) -> Parts:
    return parts_of(request.app)


async def _scope(request: Request) -> Scope:
    return scope_of(request.scope)


async def _actor(request: Request) -> str:
    return str(request.scope.get("onemap.post") or "local")


async def _catalog(request: Request) -> Catalog:
    return parts_of(request.app).catalog


async def _db(request: Request) -> Db:
    return parts_of(request.app).db


async def _layer(layer: str, request: Request) -> Layer:
    return parts_of(request.app).catalog.layer(layer)


def parse_box(bbox: str) -> tuple[float, float, float, float]:
    """``west,south,east,north`` in degrees; ``BadQuery`` where it is none."""
    try:
        west, south, east, north = (float(part) for part in bbox.split(","))
    except ValueError:
        raise BadQuery(f"bbox is '{bbox}'; it must be four numbers: west,south,east,north.").in_chinese(
            f"范围“{bbox}”不对：须为四个数，西,南,东,北。"
        ) from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadQuery(
            f"bbox is '{bbox}'; west must be less than east, south less than north, all in degrees."
        ).in_chinese(f"范围“{bbox}”不对：西须小于东，南须小于北，单位为度。")
    return west, south, east, north


def parse_point(point: str) -> tuple[float, float]:
    """``longitude,latitude`` in degrees; ``BadQuery`` or ``InvalidValue`` where it is none."""
    try:
        lon, lat = (float(part) for part in point.split(","))
    except ValueError:
        raise BadQuery(f"point is '{point}'; it must be longitude,latitude in degrees.").in_chinese(
            f"位置“{point}”不对：须为两个数，经度,纬度，单位为度。"
        ) from None
    check_point(lon, lat)
    return lon, lat


async def _box(
    bbox: Annotated[str, Query(description="west,south,east,north in degrees", examples=["117.29,31.69,117.32,31.72"])],
) -> tuple[float, float, float, float]:
    return parse_box(bbox)


CurrentParts = Annotated[Parts, Depends(_parts)]
CurrentScope = Annotated[Scope, Depends(_scope)]
CurrentActor = Annotated[str, Depends(_actor)]
CurrentCatalog = Annotated[Catalog, Depends(_catalog)]
CurrentDb = Annotated[Db, Depends(_db)]
NamedLayer = Annotated[Layer, Depends(_layer)]
Box = Annotated[tuple[float, float, float, float], Depends(_box)]
