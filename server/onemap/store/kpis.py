"""Indicators: one named query each, from the rows and from the tallies that are kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from psycopg import sql

from onemap.domain.kpi import Kpi
from onemap.domain.layer import Catalog, Layer
from onemap.domain.scope import Scope
from onemap.store.db import Connection
from onemap.store.named import compose, named, statement
from onemap.store.scope import in_areas, predicate

#: A code as long as this names a grid, a shorter one an area.
_GRID_DIGITS = 15

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
    """An indicator of an area or grid (None: everything the reader may see) at a moment."""
    if kpi.missing is not None:
        return Measured(kpi, None, None, None, None)
    where = _where(catalog, scope, kpi, area)
    query = compose(named("kpis")[kpi.name], scope=where, closed=_closed(where, is_grid=_is_grid(area)))
    row = connection.execute(query, _moments(now)).fetchone() or (None,) * 4
    return Measured(kpi, row[0], row[1], _number(row[2]), _number(row[3]))


@dataclass(frozen=True, slots=True)
class DayValue:
    """An indicator on one day of the city; None where that day left no trace of it."""

    day: date
    value: float | None
    numerator: int | None
    denominator: int | None


def series(
    connection: Connection, catalog: Catalog, scope: Scope, kpi: Kpi, *, area: str | None, now: datetime, days: int
) -> list[DayValue]:
    """
    An indicator day by day, today the last.

    What happened on a day is known for ever; how things stood (posts on duty, points visited) only for this moment.
    """
    last = now.astimezone(CITY_TIME).date()
    wanted = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    of_day = _DAILY.get(kpi.name)
    if of_day is None and kpi.name not in _FROM_ROWS:
        today = measure(connection, catalog, scope, kpi, area=area, now=now)
        values = {last: DayValue(last, today.value, today.numerator, today.denominator)}
    else:
        where = _where(catalog, scope, kpi, area)
        ask = _Days(connection, where, is_grid=_is_grid(area), first=wanted[0], last=last)
        values = {one.day: one for one in (ask.each(of_day) if of_day else _FROM_ROWS[kpi.name](ask))}
    return [values.get(day, DayValue(day, None, None, None)) for day in wanted]


@dataclass(frozen=True, slots=True)
class _Tally:
    """What was reported on a day and what was closed on it."""

    day: date
    n_reported: int
    n_closed: int
    n_timed: int
    n_on_time: int
    n_in_grid: int
    n_rated: int
    rating_sum: int
    n_disputes: int
    n_disputes_near: int


@dataclass(frozen=True, slots=True)
class _Days:
    """Days to be asked for."""

    connection: Connection
    where: sql.Composable
    is_grid: bool
    first: date
    last: date

    def tallies(self) -> list[_Tally]:
        """Each day's numbers, from the tally or, for a grid, from the rows."""
        query = compose(named("kpis")["days_of_grid" if self.is_grid else "days"], scope=self.where)
        rows = self.connection.execute(query, {"first": self.first, "last": self.last}).fetchall()
        return [_Tally(row[0], *(int(n or 0) for n in row[1:])) for row in rows]

    def each(self, of_day: Callable[[_Tally], tuple[float | None, int | None, int | None]]) -> list[DayValue]:
        """A value for each day."""
        return [DayValue(one.day, *of_day(one)) for one in self.tallies()]

    def open_at_the_end(self) -> list[DayValue]:
        """Open events at the end of each day: from those of now, back over what came and went."""
        row = self.connection.execute(compose(named("kpis")["n_open"], scope=self.where)).fetchone()
        n = int(row[0]) if row else 0
        found: list[DayValue] = []
        for one in reversed(self.tallies()):
            found.append(DayValue(one.day, float(n), n, None))
            n += one.n_closed - one.n_reported
        return found

    def medians(self) -> list[DayValue]:
        """The median response of what was closed on each day."""
        values = {"since": _midnight(self.first), "until": _midnight(self.last + timedelta(days=1))}
        rows = self.connection.execute(compose(named("kpis")["response_days"], scope=self.where), values).fetchall()
        return [DayValue(row[0], _number(row[1]), row[2], None) for row in rows]


def _share(part: int, whole: int) -> tuple[float | None, int, int]:
    return (part / whole if whole else None), part, whole


#: What one day's numbers say, by indicator.
_DAILY: Mapping[str, Callable[[_Tally], tuple[float | None, int | None, int | None]]] = {
    "reported_today": lambda day: (float(day.n_reported), day.n_reported, None),
    "on_time": lambda day: _share(day.n_on_time, day.n_timed),
    "resolved_in_grid": lambda day: _share(day.n_in_grid, day.n_closed),
    "mediation": lambda day: _share(day.n_disputes_near, day.n_disputes),
    "satisfaction": lambda day: (day.rating_sum / day.n_rated if day.n_rated else None, day.n_rated, None),
}
_FROM_ROWS: Mapping[str, Callable[[_Days], list[DayValue]]] = {
    "open_events": _Days.open_at_the_end,
    "response_median": _Days.medians,
}


def _where(catalog: Catalog, scope: Scope, kpi: Kpi, area: str | None) -> sql.Composable:
    layer = catalog.layer(kpi.layer)
    where = predicate(layer, scope, "e")
    if area:
        narrow = _in_grid(layer, area) if _is_grid(area) else in_areas((area,), "e")
        where = sql.SQL(" AND ").join([where, narrow])
    return where


def _is_grid(area: str | None) -> bool:
    return area is not None and len(area) == _GRID_DIGITS


def _closed(where: sql.Composable, *, is_grid: bool) -> sql.Composed:
    """Closed events of two windows: by day from the tally, or row by row where only the rows know (a grid)."""
    queries = named("kpis")
    if is_grid:
        return compose(queries["closed_rows"], scope=where, cut=sql.SQL("TRUE"))
    rows = compose(queries["closed_rows"], scope=where, cut=statement(queries["cut_days"]))
    return compose(queries["closed_days"], scope=where, rows=rows)


def _moments(now: datetime) -> dict[str, datetime | date]:
    today, back = now.astimezone(CITY_TIME).date(), timedelta(days=30)
    month = (now - back).astimezone(CITY_TIME).date()
    before = (now - 2 * back).astimezone(CITY_TIME).date()
    return {
        "now": now, "midnight": _midnight(today), "midnight_30": _midnight(month), "midnight_60": _midnight(before),
        "day_0": today, "day_30": month, "day_60": before,
    }  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY_TIME)


def _in_grid(layer: Layer, code: str) -> sql.Composed:
    """A grid by its code: what says so by itself, and what stands on its ground."""
    if any(field.name == "grid_code" for field in layer.fields):
        return sql.SQL("e.grid_code = {code}").format(code=sql.Literal(code))
    ground = sql.SQL("SELECT g.geom FROM layer.grids AS g WHERE g.grid_code = {code}").format(code=sql.Literal(code))
    return sql.SQL("ST_Intersects(e.geom, ({ground}))").format(ground=ground)


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
