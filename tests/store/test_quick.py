"""The short way to PostgreSQL: the same answers as the long way, and no connection left in the middle of one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from onemap.store.db import AsyncConnection, AsyncDb
from onemap.store.quick import MAX_PREPARED, Quick


@pytest.fixture
def on(database: str) -> Callable[[Callable[[AsyncDb, Quick], Awaitable[Any]]], Any]:
    """Run a coroutine function with one connection to choose from."""

    def run(story: Callable[[AsyncDb, Quick], Awaitable[Any]]) -> Any:
        async def tell() -> Any:
            adb = await AsyncDb(database, max_size=1).open()
            try:
                return await story(adb, Quick())
            finally:
                await adb.close()

        return asyncio.run(tell())

    return run


@pytest.mark.parametrize("prepare", [True, False])
def test_rows_come_as_the_server_wrote_them(on: Any, prepare: bool):
    async def story(adb: AsyncDb, quick: Quick) -> Any:
        values = {"text": "网格'%", "number": 2**40, "real": 0.1, "yes": True, "nothing": None}
        text = (
            "SELECT %(text)s::text, %(number)s::bigint + 1, %(real)s::float8, %(yes)s::boolean, %(nothing)s::text, "
            "5 %% 3, %(text)s::text || 'x'"
        )
        async with adb.connection() as connection:
            return [await quick.rows(connection, text, values, prepare=prepare) for _ in range(3)]

    row = ("网格'%".encode(), b"1099511627777", b"0.1", b"t", None, b"2", "网格'%x".encode())
    assert on(story) == [[row]] * 3


def test_an_answer_may_be_larger_than_a_packet_and_a_question_too(on: Any):
    async def story(adb: AsyncDb, quick: Quick) -> Any:
        async with adb.connection() as connection:
            ((found,),) = await quick.rows(connection, "SELECT repeat(%(x)s::text, 3)", {"x": "网" * 2_000_000})
        return found

    assert on(story) == ("网" * 6_000_000).encode()


def test_what_the_server_refuses_is_psycopg_s_error_and_the_connection_lives_on(on: Any):
    async def story(adb: AsyncDb, quick: Quick) -> Any:
        async with adb.connection() as connection:
            for text, error in (
                ("SELECT 1 / (%(n)s::integer - 1)", psycopg.errors.DivisionByZero),
                ("SELECT no_such(%(n)s::integer)", psycopg.errors.UndefinedFunction),
            ):
                with pytest.raises(error):
                    await quick.rows(connection, text, {"n": 1})
            return await quick.rows(connection, "SELECT %(n)s::integer", {"n": 1})

    assert on(story) == [(b"1",)]


def test_who_is_interrupted_leaves_no_answer_to_the_next(on: Any):
    async def story(adb: AsyncDb, quick: Quick) -> Any:
        async def slow() -> None:
            async with adb.connection() as connection:
                await quick.rows(connection, "SELECT 'mine' FROM pg_sleep(%(s)s::float8)", {"s": 20})

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow(), 0.3)
        async with adb.connection() as connection:
            return await quick.rows(connection, "SELECT 'yours'", {})

    assert on(story) == [(b"yours",)]


def test_few_statements_stay_prepared(on: Any):
    async def prepared(connection: AsyncConnection) -> int:
        row = await (
            await connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE name ~ '^quick'")
        ).fetchone()
        assert row is not None
        return int(row[0])

    async def story(adb: AsyncDb, quick: Quick) -> Any:
        async with adb.connection() as connection:
            for n in range(MAX_PREPARED + 30):
                assert await quick.rows(connection, f"SELECT {n}, %(x)s::text", {"x": "a"}) == [(b"%d" % n, b"a")]
            return await prepared(connection), await quick.rows(connection, "SELECT 0, %(x)s::text", {"x": "b"})

    assert on(story) == (MAX_PREPARED, [(b"0", b"b")])


def test_two_connections_have_their_own_statements(database: str):
    async def story() -> Any:
        adb, quick = await AsyncDb(database, max_size=2).open(), Quick()
        try:
            async with adb.connection() as one, adb.connection() as other:
                return [
                    await quick.rows(connection, "SELECT %(x)s::text", {"x": "a"}) for connection in (one, other, one)
                ]
        finally:
            await adb.close()

    assert asyncio.run(story()) == [[(b"a",)]] * 3
