"""What tests share: a throw-away PostGIS, databases copied from a migrated template, golden files, a browser."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onemap.catalog.read import read_catalog
from onemap.domain.layer import Catalog
from onemap.store.cluster import Cluster, throwaway
from onemap.store.db import Db
from onemap.store.migrate import migrate

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
TEMPLATE = "onemap_template"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="Take today's output as golden.")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of our own, gone after the last test."""
    with throwaway() as running:
        yield running


@pytest.fixture(scope="session")
def cluster_url(cluster: Cluster) -> str:
    """The address of the cluster's bare database: extensions, no tables."""
    return cluster.url


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The layers of this clone."""
    return read_catalog(ROOT / "layers")


@pytest.fixture(scope="session")
def template(cluster: Cluster, catalog: Catalog) -> str:
    """The name of a database that is migrated and empty, to be copied."""
    _execute(cluster, "CREATE DATABASE {name}", TEMPLATE)
    with psycopg.connect(cluster.url_of(TEMPLATE)) as connection:
        migrate(connection, catalog)
    return TEMPLATE


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[str]:
    """The address of a migrated, empty database for one test."""
    yield from copy_of(cluster, template)


@pytest.fixture(scope="module")
def module_database(cluster: Cluster, template: str) -> Iterator[str]:
    """The address of a migrated, empty database for the tests of one file, which share what they write."""
    yield from copy_of(cluster, template)


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    """Connections to a migrated, empty database for one test."""
    with Db(database, max_size=4) as pool:
        yield pool


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)`` compares with tests/golden/NAME; under ``--bless`` it writes the file instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--bless"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        assert path.exists(), f"There is no golden file {name}: run 'make bless' and read what it wrote."
        assert text == path.read_text("utf-8"), f"{name} is no longer as committed: 'make bless' if that is meant."

    return compare


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The Chromium that browser tests drive."""
    for name in ("chromium", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return Path(found)
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    if fetched := sorted(cache.glob("chromium*/chrome-linux*/chrome")):
        return fetched[-1]
    pytest.skip("no Chromium is installed here; 'make setup' says why")


def copy_of(cluster: Cluster, template: str) -> Iterator[str]:
    """The address of a copy of a database, gone when the generator ends."""
    name = f"test_{secrets.token_hex(6)}"
    _execute(cluster, "CREATE DATABASE {name} TEMPLATE {template}", name, template)
    yield cluster.url_of(name)
    _execute(cluster, "DROP DATABASE {name} WITH (FORCE)", name)


def _execute(cluster: Cluster, statement: str, name: str, template: str = "") -> None:
    parts = {"name": sql.Identifier(name), "template": sql.Identifier(template or "template0")}
    with psycopg.connect(cluster.url_of("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(**parts))
