"""Indicators with their formula, numerator, denominator, window and time of calculation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from onemap.analyses.life_circle import households_with_all
from onemap.api.catalog import TitleOut
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentParts, CurrentScope, Parts
from onemap.domain.kpi import KPIS, Kpi
from onemap.domain.layer import Title
from onemap.domain.scope import Scope
from onemap.errors import BadQuery, NotAllowed
from onemap.store.kpis import Measured, measure_each, series

router = APIRouter(prefix="/api/kpis", tags=["kpis"])

LIFE_CIRCLE = "life_circle"
#: A median looks at every row of its window: asked for beside the others, and once for all who ask in some seconds.
_SLOW = frozenset({"response_median"})
_NOT_YOURS = Title("无权查看楼栋户数", "You may not see the households of buildings")


class KpiOut(BaseModel):
    """One indicator; ``value`` is null where there is nothing to divide by or, with ``missing``, no data yet."""

    name: str
    title: TitleOut
    shape: str
    formula: TitleOut
    layer: str
    allowed: bool
    window_days: float | None
    numerator: int | None
    denominator: int | None
    value: float | None
    previous: float | None
    missing: TitleOut | None
    calculated_at: datetime


class KpisOut(BaseModel):
    """All indicators of an area at one moment."""

    calculated_at: datetime
    area: str | None
    kpis: list[KpiOut]


class DayValueOut(BaseModel):
    """An indicator on one day of the city; null where that day left no trace of it."""

    day: date
    value: float | None
    numerator: int | None
    denominator: int | None


class SeriesOut(BaseModel):
    """An indicator day by day, today the last."""

    name: str
    points: list[DayValueOut]


@router.get("")
def read_kpis(
    parts: CurrentParts,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    area: Annotated[str | None, Query(pattern=r"^[0-9]{2,15}$")] = None,
    name: Annotated[list[str] | None, Query()] = None,
) -> KpisOut:
    """The indicators asked for by name, or all of them, for an area or for all that the reader may see."""
    unknown = set(name or ()) - {kpi.name for kpi in KPIS}
    if unknown:
        raise _no_indicator(min(unknown))
    now = datetime.now(UTC)
    asked = [kpi for kpi in KPIS if name is None or kpi.name in name]
    mine = [kpi for kpi in asked if scope.sees(catalog.layer(kpi.layer))]

    def measured(kpis: list[Kpi]) -> list[Measured]:
        with db.connection() as connection:
            return measure_each(connection, catalog, scope, kpis, area=area, now=now)

    def slow(kpi: Kpi) -> Measured:
        return parts.slow_kpis.get((kpi.name, scope, area), lambda: measured([kpi])[0])

    with ThreadPoolExecutor(max_workers=1) as aside:
        waited_for = [aside.submit(slow, kpi) for kpi in mine if kpi.name in _SLOW]
        quick = measured([kpi for kpi in mine if kpi.name not in _SLOW])
        by_name = {one.kpi.name: one for one in (*quick, *(one.result() for one in waited_for))}
    if LIFE_CIRCLE in by_name:
        by_name[LIFE_CIRCLE] = _life_circle(parts, scope, by_name[LIFE_CIRCLE], area)
    found = [by_name.get(kpi.name, Measured(kpi, None, None, None, None, now)) for kpi in asked]
    return KpisOut(
        calculated_at=now,
        area=area,
        kpis=[_kpi_out(one, allowed=scope.sees(catalog.layer(one.kpi.layer))) for one in found],
    )


@router.get("/{name}/series")
def kpi_series(
    name: str,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    area: Annotated[str | None, Query(pattern=r"^[0-9]{2,15}$")] = None,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
) -> SeriesOut:
    """One indicator day by day; how things stood (posts on duty, points visited) is known for today only."""
    kpi = next((one for one in KPIS if one.name == name), None)
    if kpi is None:
        raise _no_indicator(name)
    with db.connection() as connection:
        points = series(connection, catalog, scope, kpi, area=area, now=datetime.now(UTC), days=days)
    return SeriesOut(name=name, points=[DayValueOut.model_validate(one, from_attributes=True) for one in points])


def _life_circle(parts: Parts, scope: Scope, one: Measured, area: str | None) -> Measured:
    """The one indicator that no query knows: it is walked along the streets."""
    try:
        counted = households_with_all(parts.circles, parts.catalog, scope, area)
    except NotAllowed:
        return replace(one, kpi=replace(one.kpi, missing=_NOT_YOURS))
    if counted is None:
        return one
    within, everyone = counted
    share = within / everyone if everyone else None
    return replace(
        one, kpi=replace(one.kpi, missing=None), numerator=within, denominator=everyone, value=share, previous=None
    )


def _kpi_out(one: Measured, *, allowed: bool) -> KpiOut:
    kpi = one.kpi
    return KpiOut(
        name=kpi.name,
        title=TitleOut.of(kpi.title),
        shape=kpi.shape,
        formula=TitleOut.of(kpi.formula),
        layer=kpi.layer,
        allowed=allowed,
        window_days=kpi.window.total_seconds() / 86_400 if kpi.window else None,
        numerator=one.numerator,
        denominator=one.denominator,
        value=one.value,
        previous=one.previous,
        missing=TitleOut.of(kpi.missing) if kpi.missing else None,
        calculated_at=one.at,
    )


def _no_indicator(name: str) -> BadQuery:
    return BadQuery(f"There is no indicator '{name}'.").in_chinese(f"没有指标“{name}”。")
