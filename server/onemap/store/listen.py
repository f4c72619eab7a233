"""Notices from the database: which layer was written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg

from onemap.errors import DatabaseError


async def layer_notices(url: str) -> AsyncIterator[str]:
    """The names of layers as they are written; ends with ``DatabaseError`` when the connection is lost.

    The first item is an empty name: from here on nothing is missed, so whatever was cached before is to be forgotten.
    """
    connection: psycopg.AsyncConnection[tuple[Any, ...]]
    try:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True, application_name="onemap listen")
        async with connection:
            await connection.execute("LISTEN onemap_layer")
            yield ""
            async for notice in connection.notifies():
                yield notice.payload
    except psycopg.OperationalError as gone:
        raise DatabaseError(f"The database's notices stopped: {str(gone).strip()}") from gone
