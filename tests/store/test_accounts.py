"""Tokens are shown once, kept as hashes, end on a day; the audit log shows if it was touched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
import pytest

from onemap.domain.scope import STAFF, Scope
from onemap.errors import InvalidValue
from onemap.store import accounts
from onemap.store.db import AsyncDb, Db


@pytest.fixture
def account_of(database: str) -> Callable[[str], tuple[str, Scope] | None]:
    """Ask for the account behind a token."""

    async def ask(token: str) -> tuple[str, Scope] | None:
        adb = await AsyncDb(database, max_size=1).open()
        try:
            return await accounts.account_of(adb, token)
        finally:
            await adb.close()

    return lambda token: asyncio.run(ask(token))


def test_a_token_stands_for_a_post_and_its_scope(db: Db, account_of: Callable[[str], object]) -> None:
    with db.connection() as connection:
        token = accounts.add_account(connection, "desk-1", "viewer", ("990101",), 30)
    assert account_of(token) == ("desk-1", Scope(("990101",), STAFF.classes))
    assert account_of(token + "x") is None


def test_the_database_does_not_hold_the_token(db: Db) -> None:
    with db.connection() as connection:
        token = accounts.add_account(connection, "desk-1", "viewer", None, 30)
        row = connection.execute("SELECT to_jsonb(a)::text FROM core.account AS a").fetchone()
    assert row is not None
    assert token not in row[0]


def test_a_disabled_post_cannot_sign_in(db: Db, account_of: Callable[[str], object]) -> None:
    with db.connection() as connection:
        token = accounts.add_account(connection, "desk-1", "viewer", None, 30)
        accounts.disable_account(connection, "desk-1")
        with pytest.raises(accounts.AccountNotFound):
            accounts.disable_account(connection, "desk-1")
    assert account_of(token) is None


def test_an_expired_token_is_no_token(db: Db, account_of: Callable[[str], object]) -> None:
    with db.connection() as connection:
        token = accounts.add_account(connection, "desk-1", "viewer", None, 1)
        connection.execute("UPDATE core.account SET expires_at = now() - interval '1 second'")
    assert account_of(token) is None


def test_an_unknown_role_or_area_is_refused(db: Db) -> None:
    with db.connection() as connection:
        with pytest.raises(InvalidValue, match="no role 'king'"):
            accounts.add_account(connection, "desk-1", "king", None, 1)
        with pytest.raises(InvalidValue, match="area code"):
            accounts.add_account(connection, "desk-1", "viewer", ("x",), 1)


def test_the_audit_log_can_only_grow_and_shows_a_forgery(db: Db) -> None:
    with db.connection() as connection:
        for i in range(3):
            accounts.audit(connection, "desk-1", "export", {"n": i})
        assert accounts.audit_break(connection) is None
    for statement in ("UPDATE core.audit SET actor = 'x'", "DELETE FROM core.audit", "TRUNCATE core.audit"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"), db.connection() as connection:
            connection.execute(statement)
    with db.connection() as connection:
        connection.execute("ALTER TABLE core.audit DISABLE TRIGGER audit_append_only")
        connection.execute("UPDATE core.audit SET detail = '{}' WHERE seq = 2")
        assert accounts.audit_break(connection) == 2
