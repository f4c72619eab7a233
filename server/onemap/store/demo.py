"""The invented city in the database: loaded in one transaction, marked as invented, its staff moved about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from onemap.store.db import Connection
from onemap.store.named import compose, named, statement

#: Operational tables that the city fills, parents first.
CORE_TABLES = (
    "area",
    "grid_plan",
    "grid",
    "grid_code_ledger",
    "grid_lineage",
    "event",
    "event_action",
    "responder",
    "responder_position",
    "search",
)
#: Tables that hold somebody's data if they hold a row.
_TELLING = ("area", "grid", "event", "responder")


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of every table that the loader may write, as ``schema.table``, and which hold multipolygons."""

    columns: dict[str, frozenset[str]]
    multi: frozenset[str]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a database holds: nothing, a demo city and no more, or data of its owner."""

    demo: dict[str, Any] | None
    has_rows: bool
    has_own_data: bool


def shape(connection: Connection) -> Shape:
    """What can be written to."""
    found = connection.execute(statement(named("demo")["columns"]), {"core": list(CORE_TABLES)}).fetchall()
    return Shape(
        {name: frozenset(columns) for name, columns, _ in found}, frozenset(name for name, _, multi in found if multi)
    )


def holding(connection: Connection) -> Holding:
    """
    What a database holds.

    A demo city stays one while no layer's table has gained or lost rows: events, tasks and positions may go on.
    """
    queries = named("demo")
    row = connection.execute(statement(queries["meta"])).fetchone()
    noted: dict[str, Any] | None = row[0] if row else None
    layers = [name for name in shape(connection).columns if name.startswith("layer.")]
    if noted is None:
        tables = [*layers, *(f"core.{name}" for name in _TELLING)]
        full = any(_one(connection, queries["any"], name) for name in tables)
        return Holding(None, full, full)
    counts: dict[str, int] = noted.get("counts", {})
    changed = any(_one(connection, queries["count"], name) != counts.get(name, 0) for name in layers)
    return Holding(noted, True, changed)


class Writer:
    """Takes the rows of a city into emptied tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.counts: dict[str, int] = {}

    def copy(self, schema: str, table: str, columns: Sequence[str], csv: bytes) -> None:
        """Append CSV rows to a table."""
        query = compose(
            named("demo")["copy"],
            table=sql.Identifier(schema, table),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        )
        with self._connection.cursor().copy(query) as stream:
            stream.write(csv)

    def count(self, schema: str, table: str, n: int) -> None:
        """Remember how many rows a table got."""
        self.counts[f"{schema}.{table}"] = self.counts.get(f"{schema}.{table}", 0) + n

    def note(self, facts: dict[str, Any]) -> None:
        """Mark the database as holding an invented city."""
        value = {**facts, "loaded_at": datetime.now(UTC).isoformat(), "invented": "虚拟数据", "counts": self.counts}
        self._connection.execute(statement(named("demo")["note"]), {"value": Jsonb(value)})


@contextmanager
def replacing(connection: Connection) -> Iterator[Writer]:
    """
    Empty tables to write into; at the end keys and indexes are built and all of it is seen at once, or nothing is.

    Indexes and keys are taken away before the rows come and made again after: sorted building is several times faster
    than growing them, and spatial indexes come out better packed.
    """
    queries = named("demo")
    with connection.transaction():
        connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
        connection.execute("SET LOCAL max_parallel_maintenance_workers = 2")
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute(statement(queries["lock"]))
        tables = sorted(shape(connection).columns)
        connection.execute(statement(queries["forget"]))
        names = sql.SQL(", ").join(_identifier(name) for name in tables)
        connection.execute(compose(queries["truncate"], tables=names))
        taken = _take_away(connection, tables)
        writer = Writer(connection)
        yield writer
        _put_back(connection, taken)
        connection.execute(statement(queries["plan_sequence"]))
        for name in tables:
            connection.execute(compose(queries["analyze"], table=_identifier(name)))


@dataclass(frozen=True, slots=True)
class _Taken:
    """What is made again after the loading: statements in their order."""

    again: list[sql.SQL | sql.Composed] = field(default_factory=list)


def _take_away(connection: Connection, tables: list[str]) -> _Taken:
    queries = named("demo")
    values = {"tables": tables}
    foreign = connection.execute(statement(queries["foreign_keys"]), values).fetchall()
    keys = connection.execute(statement(queries["keys"]), values).fetchall()
    indexes = connection.execute(statement(queries["indexes"]), values).fetchall()
    for table, name, _ in [*foreign, *keys]:
        connection.execute(_constraint("ALTER TABLE {table} DROP CONSTRAINT {name}", table, name))
    for name, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(_quoted(name)))
    again: list[sql.SQL | sql.Composed] = [
        _constraint("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}", table, name, definition)
        for table, name, definition in keys
    ]
    again += [_quoted(definition) for _, definition in indexes]
    again += [
        _constraint("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}", table, name, definition)
        for table, name, definition in foreign
    ]
    return _Taken(again)


def _put_back(connection: Connection, taken: _Taken) -> None:
    for query in taken.again:
        connection.execute(query)


def _constraint(template: str, table: str, name: str, definition: str = "") -> sql.Composed:
    return compose(template, table=_quoted(table), name=sql.Identifier(name), definition=_quoted(definition))


def _quoted(text: str) -> sql.SQL:
    """Text that PostgreSQL itself wrote about its catalogue: quoted where need be, so it is taken as it stands."""
    return statement(text)


def _one(connection: Connection, template: str, name: str) -> Any:
    row = connection.execute(compose(template, table=_identifier(name))).fetchone()
    return row[0] if row else None


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split(".", 1))


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A post on duty and a place in the middle of its ground, degrees."""

    responder_id: str
    role: str
    lon: float
    lat: float


def streets(connection: Connection, area: str = "") -> list[bytes]:
    """The streets that can be walked, as WKB in degrees; all, or those of an area."""
    return [
        bytes(row[0])
        for row in connection.execute(statement(named("demo")["streets"]), {"area": area}, binary=True).fetchall()
    ]


def on_duty(connection: Connection, area: str = "") -> list[OnDuty]:
    """The posts on duty; all, or those of an area."""
    return [OnDuty(*row) for row in connection.execute(statement(named("demo")["on_duty"]), {"area": area}).fetchall()]


def move(connection: Connection, ids: Sequence[str], lon: Sequence[float], lat: Sequence[float], at: datetime) -> None:
    """Write new places of posts."""
    connection.execute(
        statement(named("demo")["move"]), {"ids": list(ids), "lon": list(lon), "lat": list(lat), "at": at}
    )
