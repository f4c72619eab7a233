"""Connections to PostGIS: one pool for threads, one for the event loop, the same session settings for both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolClosed, PoolTimeout

from onemap.errors import Clash, DatabaseError

#: A reader waits this long for a connection before it hears that the server is busy, seconds.
PATIENCE_S = 10.0

#: One request is one small query: parallel workers and JIT cost more than they bring.
_SESSION = "-c jit=off -c max_parallel_workers_per_gather=0 -c timezone=UTC -c statement_timeout={timeout_ms}"

type Connection = psycopg.Connection[tuple[Any, ...]]
type AsyncConnection = psycopg.AsyncConnection[tuple[Any, ...]]


class Db:
    """A pool of connections for threads.

    Parameters
    ----------
    url
        Connection string of the database.
    timeout_s
        Longest statement, seconds; 0 is no limit (imports, migrations).
    """

    def __init__(self, url: str, *, max_size: int = 8, timeout_s: float = 30.0) -> None:
        self.url = url
        self._pool = ConnectionPool[psycopg.Connection[tuple[Any, ...]]](
            url,
            kwargs={"options": _SESSION.format(timeout_ms=int(timeout_s * 1000)), "application_name": "onemap"},
            min_size=1,
            max_size=max_size,
            timeout=PATIENCE_S,
            open=False,
            check=ConnectionPool.check_connection,
        )

    def open(self) -> Db:
        """Connect; ``DatabaseError`` where nobody answers."""
        try:
            self._pool.open(wait=True, timeout=PATIENCE_S)
        except PoolTimeout as slow:
            self._pool.close()
            raise DatabaseError("The database does not answer; is ONEMAP_DATABASE_URL right?") from slow
        return self

    def close(self) -> None:
        """Let all connections go."""
        self._pool.close()

    def __enter__(self) -> Db:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection and its transaction: committed at the end, rolled back by any exception."""
        with _explaining(), self._pool.connection() as connection:
            yield connection


class AsyncDb:
    """A pool of connections for the event loop; autocommit, for single statements."""

    def __init__(self, url: str, *, max_size: int = 8, timeout_s: float = 15.0) -> None:
        self._pool = AsyncConnectionPool[psycopg.AsyncConnection[tuple[Any, ...]]](
            url,
            kwargs={
                "options": _SESSION.format(timeout_ms=int(timeout_s * 1000)),
                "application_name": "onemap",
                "autocommit": True,
                "prepare_threshold": 0,
            },
            min_size=1,
            max_size=max_size,
            timeout=PATIENCE_S,
            open=False,
        )

    async def open(self) -> AsyncDb:
        """Connect."""
        await self._pool.open(wait=True, timeout=PATIENCE_S)
        return self

    async def close(self) -> None:
        """Let all connections go."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection in autocommit mode."""
        with _explaining():
            async with self._pool.connection() as connection:
                yield connection


@contextmanager
def _explaining() -> Iterator[None]:
    """What is nobody's bug, a database that is busy, gone or torn between writers, becomes a sentence."""
    try:
        yield
    except PoolTimeout as busy:
        raise DatabaseError("The database is busy; try again in a moment.").in_chinese(
            "数据库忙，请稍后再试。"
        ) from busy
    except PoolClosed as closed:
        raise DatabaseError("The server is stopping; try again in a moment.").in_chinese(
            "服务器正在停止，请稍后再试。"
        ) from closed
    except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as clash:
        raise Clash("Others wrote the same at the same moment; nothing was changed, send this again.").in_chinese(
            "同时有人写入，未作改动，请再试一次。"
        ) from clash
    except psycopg.errors.QueryCanceled as slow:
        raise DatabaseError("This takes longer than a question may; ask for less, or try again later.").in_chinese(
            "查询时间过长：请缩小范围，或稍后再试。"
        ) from slow
    except psycopg.OperationalError as gone:
        raise DatabaseError(f"The database does not answer; try again in a moment ({str(gone).strip()}).").in_chinese(
            "数据库没有应答，请稍后再试。"
        ) from gone
