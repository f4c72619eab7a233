"""What every verb shares: the --json switch, the one way to answer, progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import click
import orjson
from tqdm import tqdm

from onemap.catalog.read import read_catalog
from onemap.settings import Settings
from onemap.store.cluster import Cluster
from onemap.store.db import Db
from onemap.store.migrate import migrate

json_option = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document on stdout.")


def emit(document: Any, as_json: bool, human: str | Callable[[], str]) -> None:
    """Print the answer: one JSON document, or the sentence or table a person reads."""
    if as_json:
        sys.stdout.write(
            orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2).decode() + "\n"
        )
    else:
        click.echo(human() if callable(human) else human)


def say(message: str) -> None:
    """Tell the person at the terminal what goes on, on stderr."""
    click.echo(message, err=True)


def progress[T](items: Iterable[T], *, label: str, total: int | None = None) -> Iterator[T]:
    """Pass items through, with a bar on stderr once it takes longer than a second."""
    return iter(tqdm(items, desc=label, total=total, delay=1.0, file=sys.stderr, dynamic_ncols=True, leave=False))


class Progress:
    """A bar that is told how far the work is: ``report(done, total)``; shown after one second."""

    def __init__(self, label: str) -> None:
        self._bar = tqdm(desc=label, total=1, delay=1.0, file=sys.stderr, dynamic_ncols=True, leave=False)

    def __call__(self, done: float, total: float, label: str | None = None) -> None:
        """Say that ``done`` of ``total`` are done."""
        if label:
            self._bar.set_description(label, refresh=False)
        self._bar.total = total
        self._bar.n = done
        self._bar.refresh() if self._bar.n == total else self._bar.update(0)

    def __enter__(self) -> Progress:
        """Start the bar."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.close()


@dataclass(frozen=True, slots=True)
class OpenedDatabase:
    """A migrated database, and the migrations that ran to make it so."""

    db: Db
    migrated: list[str]


@contextmanager
def open_database(settings: Settings, *, timeout_s: float = 0) -> Iterator[OpenedDatabase]:
    """A migrated database: the one that the settings name, or the private cluster, started or joined for this verb."""
    with ExitStack() as stack:
        url = settings.database_url or stack.enter_context(Cluster(settings.data_dir / "cluster")).url
        db = stack.enter_context(Db(url, max_size=2, timeout_s=timeout_s))
        with db.connection() as connection:
            ran = migrate(connection, read_catalog(settings.layers_dir))
        yield OpenedDatabase(db, ran)


@contextmanager
def database(settings: Settings) -> Iterator[Db]:
    """The pool of :func:`open_database`."""
    with open_database(settings) as opened:
        yield opened.db
