"""``onemap users``: who may sign in, and with what rights."""

from __future__ import annotations

import click

from onemap.cli.common import database, emit, json_option
from onemap.domain.scope import Permission
from onemap.settings import Settings
from onemap.store import accounts


@click.group()
def command() -> None:
    """Who may sign in, and with what rights."""


@command.command("add")
@click.argument("post")
@click.option("--role", type=click.Choice(list(accounts.ROLES)), default="viewer", show_default=True)
@click.option("--area", "areas", multiple=True, help="Area code or its beginning; none is everywhere.")
@click.option("--days", type=click.IntRange(1, 3650), default=accounts.DEFAULT_DAYS, show_default=True)
@click.option(
    "--may",
    "may",
    multiple=True,
    type=click.Choice([p.value for p in Permission]),
    help="What the post may do beyond reading; none is nothing.",
)
@json_option
def add(post: str, role: str, areas: tuple[str, ...], days: int, may: tuple[str, ...], as_json: bool) -> None:
    """Let a POST (a role such as 'desk-1', never a person's name) sign in; prints its token once."""
    with database(Settings.from_env()) as db, db.connection() as connection:
        given = [Permission(name) for name in may]
        token = accounts.add_account(connection, post, role, areas or None, days, given)
    told = {"post": post, "role": role, "may": sorted(given), "token": token}
    emit(told, as_json, f"{post} signs in with this token, shown once:\n{token}")


@command.command("disable")
@click.argument("post")
@json_option
def disable(post: str, as_json: bool) -> None:
    """Take a post's right to sign in."""
    with database(Settings.from_env()) as db, db.connection() as connection:
        accounts.disable_account(connection, post)
    emit({"post": post, "disabled": True}, as_json, f"{post} can no longer sign in.")


@command.command("list")
@json_option
def list_accounts(as_json: bool) -> None:
    """All posts that were ever let in."""
    with database(Settings.from_env()) as db, db.connection() as connection:
        found = accounts.accounts(connection)
    rows = [
        {
            "post": account.post,
            "classes": sorted(account.scope.classes),
            "areas": account.scope.areas,
            "may": sorted(account.scope.may),
            "expires_at": account.expires_at,
            "disabled_at": account.disabled_at,
        }
        for account in found
    ]
    human = "\n".join(
        f"{account.post}  {', '.join([*sorted(account.scope.classes), *sorted(account.scope.may)])}"
        for account in found
    )
    emit({"accounts": rows}, as_json, human or "Nobody yet.")


@command.command("audit-check")
@json_option
def audit_check(as_json: bool) -> None:
    """Whether the audit log is whole: every entry follows from the one before."""
    with database(Settings.from_env()) as db, db.connection() as connection:
        broken = accounts.audit_break(connection)
    emit(
        {"broken_at": broken}, as_json, "The audit log is whole." if broken is None else f"Entry {broken} was altered."
    )
    if broken is not None:
        raise click.exceptions.Exit(3)
