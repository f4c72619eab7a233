"""Indicators with their formula, numerator, denominator, window and time of calculation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from onemap.api.catalog import TitleOut
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentScope
from onemap.domain.kpi import KPIS
from onemap.errors import BadQuery
from onemap.store.kpis import Measured, measure

router = APIRouter(prefix="/api/kpis", tags=["kpis"])


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


class KpisOut(BaseModel):
    """All indicators of an area at one moment."""

    calculated_at: datetime
    area: str | None
    kpis: list[KpiOut]


@router.get("")
def read_kpis(
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    area: Annotated[str | None, Query(pattern=r"^[0-9]{2,15}$")] = None,
    name: Annotated[list[str] | None, Query()] = None,
) -> KpisOut:
    """The indicators asked for by name, or all of them, for an area or for all that the reader may see."""
    unknown = set(name or ()) - {kpi.name for kpi in KPIS}
    if unknown:
        raise BadQuery(f"There is no indicator '{min(unknown)}'.")
    now = datetime.now(UTC)
    with db.connection() as connection:
        found = [
            measure(connection, catalog, scope, kpi, area=area, now=now)
            if scope.sees(catalog.layer(kpi.layer))
            else Measured(kpi, None, None, None, None)
            for kpi in KPIS
            if name is None or kpi.name in name
        ]
    return KpisOut(
        calculated_at=now,
        area=area,
        kpis=[_kpi_out(one, allowed=scope.sees(catalog.layer(one.kpi.layer))) for one in found],
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
    )
