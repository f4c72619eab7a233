"""Trends and distributions of events, for charts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from onemap.api.catalog import TitleOut
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentScope
from onemap.store import stats as store
from onemap.store.stats import By, Window

router = APIRouter(prefix="/api/stats", tags=["events"])

MAX_DAYS = 92


class StatsRowOut(BaseModel):
    """Events of one key; ``on_time_share`` is null where none of the closed ones had a deadline."""

    key: str
    title: TitleOut | None
    n: int
    n_open: int
    n_closed: int
    n_overdue: int
    on_time_share: float | None


class StatsOut(BaseModel):
    """Events reported in a window, by a key."""

    by: By
    since: datetime
    until: datetime
    rows: list[StatsRowOut]


@router.get("/events")
def event_stats(
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    by: By,
    area: Annotated[str | None, Query(pattern=r"^[0-9]{2,12}$")] = None,
    days: Annotated[int, Query(ge=1, le=MAX_DAYS, description="days of the city, the last one included")] = 30,
    until: Annotated[AwareDatetime | None, Query(description="now where it is left out")] = None,
) -> StatsOut:
    """Events reported in the last days by day, week, hour of the day, kind, level, state, source or area below."""
    window = Window.of_days(days, until or datetime.now(UTC))
    with db.connection() as connection:
        rows = store.event_stats(connection, catalog, scope, by, window, area=area)
    return StatsOut(
        by=by,
        since=window.since,
        until=window.until,
        rows=[_row_out(row) for row in rows],
    )


def _row_out(row: store.StatsRow) -> StatsRowOut:
    return StatsRowOut(
        key=row.key,
        title=TitleOut.of(row.title) if row.title else None,
        n=row.n,
        n_open=row.n_open,
        n_closed=row.n_closed,
        n_overdue=row.n_overdue,
        on_time_share=row.on_time_share,
    )
