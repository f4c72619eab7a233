"""Who may sign in: posts with tokens, and the audit log of what they were given and did."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from onemap.domain.layer import DataClass
from onemap.domain.scope import Permission, Scope
from onemap.errors import InvalidValue, OneMapError
from onemap.store.db import AsyncDb, Connection
from onemap.store.named import named, statement

#: A role is a set of classes; areas are given with the account.
ROLES: dict[str, frozenset[DataClass]] = {
    "public": frozenset({DataClass.PUBLIC}),
    "viewer": frozenset({DataClass.PUBLIC, DataClass.INTERNAL}),
    "restricted": frozenset(DataClass),
}

DEFAULT_DAYS = 180


class AccountNotFound(OneMapError):
    """No enabled account of this post."""

    def __init__(self, post: str) -> None:
        super().__init__(f"No account '{post}' can sign in.")


@dataclass(frozen=True, slots=True)
class Account:
    """One post that may sign in."""

    post: str
    scope: Scope
    created_at: datetime
    expires_at: datetime
    disabled_at: datetime | None


def add_account(
    connection: Connection,
    post: str,
    role: str,
    areas: tuple[str, ...] | None,
    days: int,
    may: Iterable[Permission] = (),
) -> str:
    """Let a post sign in; its new token, shown this once: only a hash of it is kept."""
    if role not in ROLES:
        raise InvalidValue(f"There is no role '{role}'; the roles are {', '.join(ROLES)}.")
    scope = Scope(areas, ROLES[role], frozenset(may))
    token = secrets.token_urlsafe(32)
    connection.execute(
        statement(named("accounts")["add"]),
        {
            "post": post,
            "classes": sorted(scope.classes),
            "areas": list(areas) if areas is not None else None,
            "permissions": sorted(scope.may),
            "token_hash": _hash(token),
            "days": days,
        },
    )
    given = {"post": post, "role": role, "areas": areas, "days": days, "may": sorted(scope.may)}
    audit(connection, "local operator", "account.add", given)
    return token


def disable_account(connection: Connection, post: str) -> None:
    """Take a post's right to sign in; ``AccountNotFound`` where it has none."""
    if connection.execute(statement(named("accounts")["disable"]), {"post": post}).rowcount == 0:
        raise AccountNotFound(post)
    audit(connection, "local operator", "account.disable", {"post": post})


def accounts(connection: Connection) -> list[Account]:
    """All accounts, by post."""
    rows = connection.execute(statement(named("accounts")["all"])).fetchall()
    return [Account(post, _scope(classes, areas, may), *times) for post, classes, areas, may, *times in rows]


async def account_of(db: AsyncDb, token: str) -> tuple[str, Scope] | None:
    """The post and scope that a token stands for; None for a token that nobody holds."""
    async with db.connection() as connection:
        cursor = await connection.execute(statement(named("accounts")["by_token"]), {"token_hash": _hash(token)})
        row = await cursor.fetchone()
    return (row[0], _scope(*row[1:])) if row else None


def audit(connection: Connection, actor: str, action: str, detail: dict[str, Any]) -> None:
    """Add an entry to the audit log."""
    values = {"actor": actor, "action": action, "detail": Jsonb(detail)}
    connection.execute(statement(named("accounts")["audit"]), values)


def audit_break(connection: Connection) -> int | None:
    """The number of the first audit entry that does not follow from the one before; None when the log is whole."""
    row = connection.execute(statement(named("accounts")["audit_broken"])).fetchone()
    return row[0] if row else None


def _scope(classes: list[str], areas: list[str] | None, permissions: list[str]) -> Scope:
    return Scope(
        None if areas is None else tuple(areas),
        frozenset(DataClass(name) for name in classes),
        frozenset(Permission(name) for name in permissions),
    )


def _hash(token: str) -> bytes:
    # the token is 256 random bits, so one round of a plain hash is enough
    return hashlib.sha256(token.encode()).digest()
