"""Indicators: named queries, from the rows and from the tallies that are kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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

#: Value, numerator, denominator.
type _Value = tuple[float | None, int | None, int | None]

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
    at: datetime


def measure(
    connection: Connection, catalog: Catalog, scope: Scope, kpi: Kpi, *, area: str | None, now: datetime
) -> Measured:
    """An indicator of an area or grid (None: everything the reader may see) at a moment."""
    return measure_each(connection, catalog, scope, (kpi,), area=area, now=now)[0]


def measure_each(
    connection: Connection, catalog: Catalog, scope: Scope, kpis: Iterable[Kpi], *, area: str | None, now: datetime
) -> list[Measured]:
    """Indicators of an area or grid at one moment; what several of them need is asked for once."""
    found: list[Measured] = []
    windows: tuple[_Closed, _Closed] | None = None
    for kpi in kpis:
        if kpi.missing is not None:
            found.append(Measured(kpi, None, None, None, None, now))
            continue
        where = _where(catalog, scope, kpi, area)
        if (of_closed := _OF_CLOSED.get(kpi.name)) is not None:
            windows = windows or _windows(connection, where, now, is_grid=_is_grid(area))
            value, numerator, denominator = of_closed(windows[0])
            found.append(Measured(kpi, numerator, denominator, value, of_closed(windows[1])[0], now))
            continue
        query = compose(named("kpis")[kpi.name], scope=where)
        row = connection.execute(query, _moments(now)).fetchone() or (None,) * 4
        found.append(Measured(kpi, row[0], row[1], _number(row[2]), _number(row[3]), now))
    return found


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
    of_closed = _OF_CLOSED.get(kpi.name)
    if of_closed is None and kpi.name not in _FROM_ROWS:
        today = measure(connection, catalog, scope, kpi, area=area, now=now)
        values = {last: DayValue(last, today.value, today.numerator, today.denominator)}
    else:
        where = _where(catalog, scope, kpi, area)
        ask = _Days(connection, where, is_grid=_is_grid(area), first=wanted[0], last=last)
        values = {one.day: one for one in (ask.each(of_closed) if of_closed else _FROM_ROWS[kpi.name](ask))}
    return [values.get(day, DayValue(day, None, None, None)) for day in wanted]


@dataclass(frozen=True, slots=True)
class _Closed:
    """What the events closed in some time say together."""

    n_closed: int = 0
    n_timed: int = 0
    n_on_time: int = 0
    n_in_grid: int = 0
    n_rated: int = 0
    rating_sum: int = 0
    n_disputes: int = 0
    n_disputes_near: int = 0


@dataclass(frozen=True, slots=True)
class _Tally:
    """What was reported on a day and what was closed on it."""

    day: date
    n_reported: int
    closed: _Closed


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
        return [_Tally(row[0], int(row[1] or 0), _closed_of(row[2:])) for row in rows]

    def reported(self) -> list[DayValue]:
        """What was reported on each day."""
        return [DayValue(one.day, float(one.n_reported), one.n_reported, None) for one in self.tallies()]

    def each(self, of_closed: Callable[[_Closed], _Value]) -> list[DayValue]:
        """What the events closed on each day say."""
        return [DayValue(one.day, *of_closed(one.closed)) for one in self.tallies()]

    def open_at_the_end(self) -> list[DayValue]:
        """Open events at the end of each day: from those of now, back over what came and went."""
        row = self.connection.execute(compose(named("kpis")["n_open"], scope=self.where)).fetchone()
        n = int(row[0]) if row else 0
        found: list[DayValue] = []
        for one in reversed(self.tallies()):
            found.append(DayValue(one.day, float(n), n, None))
            n += one.closed.n_closed - one.n_reported
        return found

    def medians(self) -> list[DayValue]:
        """The median response of what was closed on each day."""
        values = {"since": _midnight(self.first), "until": _midnight(self.last + timedelta(days=1))}
        rows = self.connection.execute(compose(named("kpis")["response_days"], scope=self.where), values).fetchall()
        return [DayValue(row[0], _number(row[1]), row[2], None) for row in rows]


def _share(part: int, whole: int) -> _Value:
    return (part / whole if whole else None), part, whole


#: What closed events say, by indicator; over a window or a day alike.
_OF_CLOSED: Mapping[str, Callable[[_Closed], _Value]] = {
    "on_time": lambda closed: _share(closed.n_on_time, closed.n_timed),
    "resolved_in_grid": lambda closed: _share(closed.n_in_grid, closed.n_closed),
    "mediation": lambda closed: _share(closed.n_disputes_near, closed.n_disputes),
    "satisfaction": lambda closed: (
        closed.rating_sum / closed.n_rated if closed.n_rated else None, closed.n_rated, None
    ),
}  # fmt: skip
_FROM_ROWS: Mapping[str, Callable[[_Days], list[DayValue]]] = {
    "reported_today": _Days.reported,
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


def _windows(connection: Connection, where: sql.Composable, now: datetime, *, is_grid: bool) -> tuple[_Closed, _Closed]:
    """Events closed in the last 30 days and in the 30 before: by day from the tally, for a grid row by row."""
    queries = named("kpis")
    if is_grid:
        closed = compose(queries["closed_rows"], scope=where, cut=sql.SQL("TRUE"))
    else:
        rows = compose(queries["closed_rows"], scope=where, cut=statement(queries["cut_days"]))
        closed = compose(queries["closed_days"], scope=where, rows=rows)
    found = connection.execute(compose(queries["closed_windows"], closed=closed), _moments(now)).fetchall()
    windows = {bool(row[0]): _closed_of(row[1:]) for row in found}
    return windows.get(True, _Closed()), windows.get(False, _Closed())


def _closed_of(sums: Iterable[object]) -> _Closed:
    return _Closed(*(int(str(n or 0)) for n in sums))


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
