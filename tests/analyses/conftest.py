"""The demo city, loaded once for all analyses, and the app on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from onemap.app import create_app
from onemap.demo import invent
from onemap.demo.load import load
from onemap.settings import Settings
from onemap.store.cluster import Cluster
from onemap.store.db import Db
from tests.conftest import copy_of


@pytest.fixture(scope="session")
def town(cluster: Cluster, template: str) -> Iterator[str]:
    """The address of a database with the demo city and few events; the app on it keeps the staff moving."""
    yield from _with_the_city(cluster, template)


@pytest.fixture(scope="module")
def still_town(cluster: Cluster, template: str) -> Iterator[str]:
    """The same where nothing moves but what a test moves."""
    yield from _with_the_city(cluster, template)


def _with_the_city(cluster: Cluster, template: str) -> Iterator[str]:
    for url in copy_of(cluster, template):
        with Db(url) as db, db.connection() as connection:
            load(connection, invent(1, n_events=300), lambda *_: None)
        yield url


@pytest.fixture(scope="session")
def client(town: str) -> Iterator[TestClient]:
    """The app on the demo city, asked from this machine."""
    settings = Settings.from_env({"ONEMAP_DATABASE_URL": town, "ONEMAP_DEMO": "none"})
    with TestClient(create_app(settings, town), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000)) as asked:
        yield asked
