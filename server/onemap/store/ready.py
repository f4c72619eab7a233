"""Whether the database can answer: migrated, and with its first data."""

from __future__ import annotations

import psycopg

from onemap.errors import DatabaseError
from onemap.store.db import AsyncDb
from onemap.store.migrate import migrations


async def what_is_missing(db: AsyncDb, *, wants_data: bool) -> str | None:
    """Why the server cannot answer yet, as a sentence; None when it can."""
    try:
        async with db.connection() as connection:
            cursor = await connection.execute("SELECT max(number) FROM core.migration")
            row = await cursor.fetchone()
            if row is None or row[0] != migrations()[-1].number:
                return "The database is not migrated yet."
            if wants_data:
                cursor = await connection.execute("SELECT EXISTS (SELECT FROM core.area)")
                row = await cursor.fetchone()
                if row is None or not row[0]:
                    return "The first data is not in yet."
    except DatabaseError as error:
        return str(error)
    except psycopg.errors.UndefinedTable:
        return "The database is not migrated yet."
    return None
