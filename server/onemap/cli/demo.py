"""``onemap demo``: invent a city (虚拟数据) and load it."""

from __future__ import annotations

import os
import time
from dataclasses import asdict

import click

from onemap.cli.common import Progress, database, emit, json_option
from onemap.demo import City, invent
from onemap.demo.load import Loaded, load
from onemap.errors import InputRefused
from onemap.settings import Settings
from onemap.store.db import Db
from onemap.store.demo import holding


@click.command()
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Same seed, same city.")
@click.option(
    "--scale",
    default=1,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="How many communities of about 14,878 dwellings.",
)
@click.option(
    "--events", "n_events", type=click.IntRange(min=0), help="Events of the whole city; 80,000 a community without it."
)
@click.option("--replace", is_flag=True, help="Delete what the database holds, also data that is no demo city.")
@json_option
def command(seed: int, scale: int, n_events: int | None, replace: bool, as_json: bool) -> None:
    """Invent a city (虚拟数据) and load it in place of the one before."""
    city = invent(seed, scale, n_events=n_events)
    began = time.monotonic()
    with database(Settings.from_env()) as db:
        loaded = _load(db, city, replace=replace)
    seconds = round(time.monotonic() - began, 1)
    document = {**asdict(loaded), "seconds": seconds}
    emit(
        document,
        as_json,
        f"Invented a city of {loaded.households:,} dwellings in {scale} communities (虚拟数据) in {seconds} s.",
    )


def load_if_empty(db: Db, *, scale: int = 1, seed: int = 1) -> bool:
    """Load the demo city into a database that holds nothing yet; whether it did."""
    with db.connection() as connection:
        if holding(connection).has_rows:
            return False
    with db.connection() as connection, Progress("demo city 虚拟数据") as progress:
        load(connection, invent(seed, scale), progress, n_processes=_n_processes())
    return True


def _load(db: Db, city: City, *, replace: bool) -> Loaded:
    with db.connection() as connection:
        if holding(connection).has_own_data and not replace:
            raise InputRefused(
                "The database holds data that is no demo city, or a demo city that was added to; nothing was changed. "
                "Give --replace to delete it all."
            )
    with db.connection() as connection, Progress("demo city 虚拟数据") as progress:
        return load(connection, city, progress, n_processes=_n_processes())


def _n_processes() -> int:
    return max(1, min(4, os.cpu_count() or 1))
