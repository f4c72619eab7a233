"""Events in numbers: by time, kind, level, state, source and area, from the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, get_args

from psycopg import sql

from onemap.domain.event import EventFilter
from onemap.domain.layer import Catalog, Layer, Title
from onemap.domain.scope import Scope
from onemap.store.db import Connection
from onemap.store.events import matching
from onemap.store.kpis import CITY_TIME
from onemap.store.named import compose, named, statement
from onemap.store.scope import predicate

type By = Literal["day", "week", "hour", "kind", "level", "state", "source", "area"]

BY: tuple[str, ...] = get_args(By.__value__)
_CODED = ("kind", "level", "state", "source")
#: Digits of area codes by level: city, district, street, community.
_DIGITS = (4, 6, 9, 12)


@dataclass(frozen=True, slots=True)
class Window:
    """From a moment, up to but not including another."""

    since: datetime
    until: datetime

    @classmethod
    def of_days(cls, days: int, until: datetime) -> Window:
        """The last days of the city, the one of ``until`` included."""
        first = until.astimezone(CITY_TIME).date() - timedelta(days=days - 1)
        return cls(datetime.combine(first, time(), CITY_TIME), until)

    def days(self) -> list[date]:
        """The days of the city that it touches."""
        first, last = self.since.astimezone(CITY_TIME).date(), self.until.astimezone(CITY_TIME).date()
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True)
class StatsRow:
    """Events of one key; ``on_time_share`` is None where none of the closed ones had a deadline."""

    key: str
    title: Title | None
    n: int
    n_open: int
    n_closed: int
    n_overdue: int
    on_time_share: float | None


def event_stats(
    connection: Connection, catalog: Catalog, scope: Scope, by: By, window: Window, *, area: str | None = None
) -> list[StatsRow]:
    """
    Events reported in a window, by a key in its own order.

    Times are the city's; days, weeks and hours without events are there with 0. Areas are those one level below the
    area asked for, the grids of a community below that.
    """
    layer = catalog.layer("events")
    digits = next((n for n in _DIGITS[1:] if n > len(area or "")), None)
    is_grids = by == "area" and digits is None
    block = "grid" if is_grids else by
    key: sql.Composable = sql.SQL("e.{}::text").format(sql.Identifier(by))
    query = compose(
        named("stats")["events"],
        key=key if by in _CODED else statement(named("stats")[block]),
        matching=matching(layer, scope, EventFilter(area=area)),
    )
    values = {"since": window.since, "until": window.until, "digits": digits}
    found = {row[0]: row[1:] for row in connection.execute(query, values).fetchall()}
    titles = _titles(connection, catalog, scope, layer, by, list(found), is_grids=is_grids)
    keys = _all_keys(by, window) or [key for key in titles if key in found]
    keys += [key for key in found if key not in keys]
    return [_row(key, titles.get(key), found.get(key, (0,) * 6)) for key in keys]


def _row(key: str, title: Title | None, numbers: tuple[int, ...]) -> StatsRow:
    n, n_open, n_closed, n_overdue, n_on_time, n_timed = numbers
    return StatsRow(key, title, n, n_open, n_closed, n_overdue, n_on_time / n_timed if n_timed else None)


def _all_keys(by: By, window: Window) -> list[str]:
    """Every key that time gives, with events or without."""
    if by == "day":
        return [day.isoformat() for day in window.days()]
    if by == "week":
        return sorted({(day - timedelta(days=day.weekday())).isoformat() for day in window.days()})
    return [f"{hour:02}" for hour in range(24)] if by == "hour" else []


def _titles(
    connection: Connection, catalog: Catalog, scope: Scope, layer: Layer, by: By, keys: list[str], *, is_grids: bool
) -> dict[str, Title]:
    if by in _CODED:
        codes = layer.field(by).codes
        return {code.value: code.title for code in codes.codes} if codes else {}
    if by != "area":
        return {}
    named_by = catalog.layer("grids" if is_grids else "areas")
    if not scope.sees(named_by):
        return {}
    query = compose(named("stats")["grid_names" if is_grids else "area_names"], scope=predicate(named_by, scope, "a"))
    rows = sorted(connection.execute(query, {"codes": keys}).fetchall())
    return {code: Title(name, name) for code, name in rows if name}
