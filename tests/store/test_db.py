"""What is nobody's bug becomes a sentence: a database that is busy, gone or torn between writers."""

from __future__ import annotations

import threading

import psycopg
import pytest

from onemap.errors import Clash, DatabaseError
from onemap.store.db import Db


def test_a_question_that_takes_too_long_ends_in_a_sentence(database: str) -> None:
    with Db(database, max_size=1, timeout_s=0.05) as db:
        with pytest.raises(DatabaseError, match="ask for less"), db.connection() as connection:
            connection.execute("SELECT pg_sleep(10)")
        with db.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_of_two_writers_that_wait_for_each_other_one_is_told_to_send_again(db: Db) -> None:
    with db.connection() as connection:
        connection.execute("INSERT INTO core.area (area_code, level, name, geom) " + _AREAS)
    both_hold_one, said = threading.Barrier(2), list[str]()

    def write(first: str, second: str) -> None:
        try:
            with db.connection() as connection:
                connection.execute("SET LOCAL deadlock_timeout = '20ms'")
                connection.execute("UPDATE core.area SET name = 'x' WHERE area_code = %s", (first,))
                both_hold_one.wait()
                connection.execute("UPDATE core.area SET name = 'x' WHERE area_code = %s", (second,))
        except Clash as clash:
            said.append(str(clash))

    threads = [threading.Thread(target=write, args=pair) for pair in (("99", "98"), ("98", "99"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 1
    assert "send this again" in said[0]


def test_a_connection_that_was_cut_is_not_a_bug(db: Db) -> None:
    def cut_and_ask() -> None:
        with db.connection() as connection:
            with psycopg.connect(db.url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            connection.execute("SELECT 1")

    with pytest.raises(DatabaseError, match="does not answer"):
        cut_and_ask()
    with db.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


_AREAS = (
    "SELECT code, 'city', code, ST_Multi(ST_MakeEnvelope(117, 31, 118, 32, 4490)) "
    "FROM unnest(ARRAY['98', '99']) AS code"
)
