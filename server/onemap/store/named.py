"""Named SQL: blocks of a ``.sql`` file, their ``{braces}`` filled with identifiers, never with values."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from psycopg import sql

_MARK = "-- name:"


@cache
def named(subject: str) -> dict[str, str]:
    """The blocks of ``store/sql/<subject>.sql`` by name."""
    return blocks(files("onemap.store").joinpath("sql", f"{subject}.sql").read_text("utf-8"))


def blocks(text: str) -> dict[str, str]:
    """The blocks of a text: each starts with ``-- name: x`` and ends before the next."""
    found: dict[str, str] = {}
    for part in text.split(_MARK)[1:]:
        name, _, body = part.partition("\n")
        found[name.strip()] = body.strip().removesuffix(";")
    return found


def compose(template: str, **parts: sql.Composable) -> sql.Composed:
    """A block with its braces filled; the template is ours, so it counts as a literal."""
    return sql.SQL(template).format(**parts)


def statement(template: str) -> sql.SQL:
    """A block without braces, as it stands."""
    return sql.SQL(template)
