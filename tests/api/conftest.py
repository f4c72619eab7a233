"""The whole app on a database of its own, asked as different readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient

from onemap.app import create_app
from onemap.settings import Settings
from onemap.store.db import Db

type Ask = Callable[..., TestClient]


@pytest.fixture
def ask(database: str) -> Iterator[Ask]:
    """``ask(peer=…, host=…, ONEMAP_…=…)``: a client of the app, as a reader at this machine unless told otherwise."""
    with ExitStack() as stack:

        def client(peer: str = "127.0.0.1", host: str = "127.0.0.1:8000", **environment: str) -> TestClient:
            settings = Settings.from_env({"ONEMAP_DATABASE_URL": database, "ONEMAP_DEMO": "none", **environment})
            app = create_app(settings, database)
            return stack.enter_context(TestClient(app, base_url=f"http://{host}", client=(peer, 50000)))

        yield client


@pytest.fixture
def two_cameras(db: Db) -> None:
    """One camera of the public security, one of a childcare point."""
    with db.connection() as connection:
        for camera, kind, area in (("T1", "tianwang", "990101001001"), ("C1", "childcare", "990101001002")):
            connection.execute(
                "INSERT INTO layer.cameras (area_code, camera_id, camera_class, place, geom) "
                "VALUES (%s, %s, %s, '示例路口', ST_Point(117.3, 31.7, 4490))",
                (area, camera, kind),
            )
