"""Indicators from the raw rows: one named query each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from psycopg import sql

from onemap.domain.kpi import Kpi
from onemap.domain.layer import Catalog
from onemap.domain.scope import Scope
from onemap.store.db import Connection
from onemap.store.named import compose, named
from onemap.store.scope import in_areas, predicate

#: Where the day begins.
CITY_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Measured:
    """One indicator's number; ``value`` is None where there is nothing to divide by."""

    kpi: Kpi
    numerator: int | None
    denominator: int | None
    value: float | None
    previous: float | None


def measure(
    connection: Connection, catalog: Catalog, scope: Scope, kpi: Kpi, *, area: str | None, now: datetime
) -> Measured:
    """An indicator of an area (None: everything the reader may see) at a moment."""
    if kpi.missing is not None:
        return Measured(kpi, None, None, None, None)
    where = predicate(catalog.layer(kpi.layer), scope, "e")
    if area:
        where = sql.SQL(" AND ").join([where, in_areas((area,), "e")])
    midnight = now.astimezone(CITY_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    query = compose(named("kpis")[kpi.name], scope=where)
    row = connection.execute(query, {"now": now, "midnight": midnight}).fetchone() or (None,) * 4
    return Measured(kpi, row[0], row[1], _number(row[2]), _number(row[3]))


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
