"""The shortest way from the event loop to PostgreSQL and back: prepared statements on libpq, answers as bytes.

A psycopg cursor costs 90 µs a statement, most of it conversions that text for the wire does not need; this costs 30. It
is for statements of ours whose parameters are all cast in their text. Connections still come from psycopg's pool.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import errors, pq

from onemap.store.db import AsyncConnection

type Row = tuple[bytes | None, ...]

#: Statements kept prepared on each connection.
MAX_PREPARED = 120

_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")
_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class Quick:
    """Runs statements; remembers what each connection has prepared."""

    def __init__(self) -> None:
        self._prepared: WeakKeyDictionary[AsyncConnection, OrderedDict[str, bytes]] = WeakKeyDictionary()
        self._n_named = 0

    async def rows(
        self, connection: AsyncConnection, text: str, values: Mapping[str, Any], *, prepare: bool = True
    ) -> list[Row]:
        """
        All rows of a statement with ``%(name)s`` parameters.

        The connection must be in autocommit mode. Whatever interrupts us leaves it closed, so that no one reads the
        answer to a question of ours.
        """
        statement, names = _numbered(text)
        sent = [_on_the_wire(values[name]) for name in names]
        connecting = connection.pgconn
        try:
            if prepare:
                name = await self._name(connection, text, statement)
                connecting.send_query_prepared(name, sent)
            else:
                connecting.send_query_params(statement, sent)
            result = await _answer(connecting)
        except errors.Error:
            raise
        except BaseException:
            await connection.close()
            raise
        return [
            tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)
        ]

    async def _name(self, connection: AsyncConnection, text: str, statement: bytes) -> bytes:
        """What the statement is called on this connection; prepared now where it has no name yet."""
        known = self._prepared.setdefault(connection, OrderedDict())
        name = known.get(text)
        if name is not None:
            known.move_to_end(text)
            return name
        while len(known) >= MAX_PREPARED:
            _, oldest = known.popitem(last=False)
            connection.pgconn.send_query_params(b"DEALLOCATE " + oldest, None)
            await _answer(connection.pgconn)
        self._n_named += 1
        name = b"quick_%d" % self._n_named
        connection.pgconn.send_prepare(name, statement)
        await _answer(connection.pgconn)
        known[text] = name
        return name


async def _answer(connecting: pq.abc.PGconn) -> pq.abc.PGresult:
    """The one result of what was sent; a psycopg error where the server refused it."""
    loop, socket = asyncio.get_running_loop(), connecting.socket
    while connecting.flush():
        with _woken(loop.add_writer, loop.remove_writer, socket) as ready:
            await ready
    with _woken(loop.add_reader, loop.remove_reader, socket) as ready:
        await ready
    connecting.consume_input()
    while connecting.is_busy():
        with _woken(loop.add_reader, loop.remove_reader, socket) as ready:
            await ready
        connecting.consume_input()
    found = connecting.get_result()
    if found is None:
        raise errors.OperationalError("the server gave no answer")
    while connecting.get_result() is not None:
        continue
    if found.status not in _GOOD:
        raise errors.error_from_result(found)
    return found


@contextmanager
def _woken(add: Any, remove: Any, socket: int) -> Iterator[asyncio.Future[None]]:
    """A future that is done as soon as the socket is ready."""
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    add(socket, _settle, ready)
    try:
        yield ready
    finally:
        remove(socket)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


@lru_cache(maxsize=2048)
def _numbered(text: str) -> tuple[bytes, tuple[str, ...]]:
    """A statement with ``$1`` for each named parameter, and the names in their order."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] is None:
            return "%"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return _PLACEHOLDER.sub(number, text).encode(), tuple(names)


def _on_the_wire(value: Any) -> bytes | None:
    """A value as PostgreSQL reads it from text."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return repr(value).encode()
