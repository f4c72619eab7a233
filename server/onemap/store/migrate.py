"""Brings a database to the present schema: numbered migrations of ``core``, then the relations of all layers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg

from onemap.domain.layer import Catalog
from onemap.errors import DatabaseError
from onemap.store import search_index
from onemap.store.layer_tables import drop_views, ensure_layer
from onemap.store.named import named, statement

type Connection = psycopg.Connection[tuple[Any, ...]]

#: Oldest servers that the product is tested with.
MIN_POSTGRES, MIN_POSTGIS = 15, (3, 3)


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of ``store/migrations``."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Tells whether a file that has run was edited afterwards."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """All migrations in their order."""
    folder = files("onemap.store").joinpath("migrations")
    found = [
        Migration(int(path.name[:4]), path.name.removesuffix(".sql"), path.read_text("utf-8"))
        for path in folder.iterdir()
        if path.name.endswith(".sql")
    ]
    return tuple(sorted(found, key=lambda migration: migration.number))


def migrate(connection: Connection, catalog: Catalog) -> list[str]:
    """
    Apply what is missing, in one transaction; the names of the migrations that ran.

    Raises
    ------
    DatabaseError
        The server is too old, a migration that has run was edited, the database is newer than this program, or a layer
        folder contradicts its table.
    """
    queries = named("migrate")
    with connection.transaction():
        connection.execute(statement(queries["lock"]))
        _extensions(connection)
        connection.execute(statement(queries["prepare"]))
        applied: dict[int, str] = dict(connection.execute(statement(queries["applied"])).fetchall())
        known = migrations()
        newer = set(applied) - {migration.number for migration in known}
        if newer:
            raise DatabaseError(
                f"The database has migration {max(newer)}, which this program does not know; update it."
            )
        if applied and set(applied) < {migration.number for migration in known}:
            drop_views(connection, catalog)  # so that migrations may change the columns below them; made again here
        ran = [migration.name for migration in known if _apply(connection, migration, applied)]
        for layer in catalog:
            ensure_layer(connection, layer)
        search_index.prepare(connection)
        for layer in catalog:
            search_index.ensure(connection, layer)
        search_index.finish(connection)
    return ran


def _apply(connection: Connection, migration: Migration, applied: dict[int, str]) -> bool:
    if migration.number in applied:
        if applied[migration.number] != migration.checksum:
            raise DatabaseError(f"Migration {migration.name} was edited after it ran; add a new one instead.")
        return False
    connection.execute(statement(migration.text))
    connection.execute(
        statement(named("migrate")["record"]),
        {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
    )
    return True


def _extensions(connection: Connection) -> None:
    queries = named("migrate")
    try:
        with connection.transaction():
            connection.execute(statement(queries["extensions"]))
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.FeatureNotSupported,
        psycopg.errors.UndefinedFile,
    ) as no:
        raise DatabaseError(
            "The database lacks the extensions postgis, pg_trgm and btree_gist, and they cannot be made here: "
            "install PostGIS and let a superuser create them."
        ) from no
    row = connection.execute(statement(queries["versions"])).fetchone()
    if row is None:
        raise DatabaseError("The database does not say its version.")
    postgres, postgis = int(row[0]), tuple(int(part) for part in str(row[1]).split(".")[:2])
    if postgres < MIN_POSTGRES or postgis < MIN_POSTGIS:
        raise DatabaseError(f"PostgreSQL {postgres} with PostGIS {row[1]} is too old; 15 and 3.3 are needed.")
