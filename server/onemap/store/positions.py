"""Positions of posts on duty: the history by day, and the newest of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import psycopg

from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.errors import Clash, DatabaseError
from onemap.store.db import Connection, Db
from onemap.store.named import compose, named, statement
from onemap.store.scope import predicate


@dataclass(frozen=True, slots=True)
class Report:
    """Where a post was; degrees, metres; ``seq`` is the reporting client's own number."""

    client_id: str
    seq: int
    responder_id: str
    at: datetime
    lon: float
    lat: float
    accuracy_m: float | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of reports: kept, kept before, not kept because off duty or past their time."""

    received_at: datetime
    n_accepted: int
    n_duplicate: int
    n_off_duty: int
    n_expired: int


def on_duty(connection: Connection, layer: Layer, scope: Scope, ids: Iterable[str]) -> dict[str, bool]:
    """The posts among these that a reader may see, and whether they are on duty."""
    query = compose(named("positions")["posts"], scope=predicate(layer, scope, "e"))
    return dict(connection.execute(query, {"ids": sorted(set(ids))}).fetchall())


def kept_before(connection: Connection, reports: Sequence[Report]) -> set[tuple[str, int]]:
    """Client and number of those that are in the history already."""
    values = {"clients": [report.client_id for report in reports], "seqs": [report.seq for report in reports]}
    return set(connection.execute(statement(named("positions")["kept_before"]), values).fetchall())


def keep(connection: Connection, reports: Sequence[Report], received_at: datetime) -> None:
    """Append reports that are not kept yet, and move the posts whose newest they are."""
    queries = named("positions")
    for day in sorted({report.at.astimezone(UTC).date() for report in reports}):
        connection.execute(statement(queries["ensure_day"]), {"day": day})
    with connection.cursor() as cursor, cursor.copy(statement(queries["append"])) as copy:
        for r in reports:
            copy.write_row((r.client_id, r.seq, r.responder_id, r.at, received_at, r.lon, r.lat, r.accuracy_m))
    newest = newest_of(reports)
    values = {
        "ids": [r.responder_id for r in newest],
        "at": [r.at for r in newest],
        "accuracy_m": [r.accuracy_m for r in newest],
        "lon": [r.lon for r in newest],
        "lat": [r.lat for r in newest],
    }
    connection.execute(statement(queries["latest"]), values)


def newest_of(reports: Iterable[Report]) -> list[Report]:
    """The newest report of each post."""
    found: dict[str, Report] = {}
    for report in reports:
        other = found.get(report.responder_id)
        if other is None or other.at < report.at:
            found[report.responder_id] = report
    return list(found.values())


def tend_days(connection: Connection, today: date, kept_days: int) -> list[str]:
    """Make the partitions of today and tomorrow, drop those past their time; the names of what was dropped."""
    queries = named("positions")
    for day in (today, today + timedelta(days=1)):
        connection.execute(statement(queries["ensure_day"]), {"day": day})
    before = {"before": today - timedelta(days=kept_days)}
    return [row[0] for row in connection.execute(statement(queries["drop_days"]), before).fetchall()]


def transact[T](db: Db, work: Callable[[Connection], T]) -> T:
    """Do something in one transaction; ``Clash`` where it may be tried again, else ``DatabaseError``."""
    try:
        with db.connection() as connection:
            return work(connection)
    except psycopg.errors.UniqueViolation as clash:
        raise Clash("Another process wrote the same at the same moment.") from clash
    except psycopg.Error as failed:
        raise DatabaseError(f"The database cannot take this now: {str(failed).strip()}") from failed
