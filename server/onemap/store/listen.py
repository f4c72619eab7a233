"""Notices from the database: which layer was written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg

from onemap.errors import DatabaseError


async def layer_notices(url: str) -> AsyncIterator[tuple[str, int]]:
    """The names of layers as they are written, and by which backend; ``DatabaseError`` ends them with the connection.

    The first item is an empty name: from here on nothing is missed, so whatever was cached before is to be forgotten.
    """
    connection: psycopg.AsyncConnection[tuple[Any, ...]]
    try:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True, application_name="onemap listen")
        async with connection:
            await connection.execute("LISTEN onemap_layer")
            yield "", 0
            async for notice in connection.notifies():
                yield notice.payload, notice.pid
    except psycopg.OperationalError as gone:
        raise DatabaseError(f"The database's notices stopped: {str(gone).strip()}") from gone
