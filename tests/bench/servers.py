"""Servers side by side for benchmarks: how each is started, the invented buildings that all of them hold, the results.

Eight clients ask two worker processes each.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
CLIENTS, WORKERS = 8, 2
WEST, SOUTH, STEP, SIDE = 117.1, 31.5, 0.0004, 1_000

#: Buildings in blocks of ten by ten, so that rows lie as they would after an import in spatial order.
FILL = """
INSERT INTO layer.buildings (
    area_code, building_id, name, address, use, floors, units, height_m, households, persons, households_estimated,
    built_year, estate_id, grid_code, geom
)
SELECT
    '34010400' || lpad(((b %% 900) + 1)::text, 4, '0'), 'B' || lpad(n::text, 8, '0'), '虚拟' || (b %% 997) || '号楼',
    '示例路' || (n %% 500) || '号', (ARRAY['residential', 'commercial', 'office', 'public', 'school'])[1 + n %% 5],
    1 + n %% 33, 1 + n %% 5, 3.0 * (1 + n %% 33), n %% 120, (n %% 120) * 2, FALSE, 1980 + n %% 45, 'E' || (b %% 5000),
    '340104001' || lpad((b %% 900)::text, 6, '0'),
    ST_Multi(ST_SetSRID(ST_Rotate(ST_MakePolygon(ST_MakeLine(ARRAY[
        ST_MakePoint(x, y), ST_MakePoint(x + 0.00025, y), ST_MakePoint(x + 0.00025, y + 0.00008),
        ST_MakePoint(x + 0.00018, y + 0.00008), ST_MakePoint(x + 0.00018, y + 0.00014), ST_MakePoint(x, y + 0.00014),
        ST_MakePoint(x, y)
    ])), radians(n %% 30), x, y), 4490))
FROM (
    SELECT n, b, %(west)s + %(step)s * (b %% 100 * 10 + n %% 10) AS x, %(south)s + %(step)s * (b / 100 * 10 + n %% 100 / 10) AS y
    FROM (SELECT n, n / 100 AS b FROM generate_series(0, %(count)s - 1) AS n) AS numbered
) AS placed
"""


class Server:
    """One server with its workers; ``ready`` is a path that it answers as soon as it stands."""

    def __init__(self, name: str, port: int, command: Sequence[str], environment: dict[str, str], ready: str) -> None:
        self.name, self.address = name, f"http://127.0.0.1:{port}"
        self._command, self._environment, self._ready = command, {**os.environ, **environment}, ready

    @contextmanager
    def running(self, log: Path) -> Iterator[None]:
        """Started, answering, and stopped at the end."""
        with log.open("w") as said:
            process = subprocess.Popen(self._command, env=self._environment, stdout=said, stderr=said, cwd=log.parent)
            try:
                self._wait(process, log)
                yield
            finally:
                process.terminate()
                process.wait(30)

    def _wait(self, process: subprocess.Popen[bytes], log: Path) -> None:
        ends = time.monotonic() + 120
        while time.monotonic() < ends:
            assert process.poll() is None, f"{self.name} stopped: {log.read_text()[-2000:]}"
            try:
                urllib.request.urlopen(self.address + self._ready, timeout=60).read()
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
            else:
                return
        raise TimeoutError(f"{self.name} does not answer: {log.read_text()[-2000:]}")


def ours(url: str, python: str) -> Server:
    """This product as it runs."""
    environment = {"ONEMAP_DATABASE_URL": url, "ONEMAP_DEMO": "none", "ONEMAP_WORKERS": str(WORKERS)}
    command = uvicorn(python, "onemap.app:create_from_env", 18_201, "--factory")
    return Server("onemap", 18_201, command, environment, "/ogc/collections/buildings/items/1")


def tipg(url: str) -> Server:
    """tipg as its manual starts it."""
    parts = conninfo_to_dict(url)
    host = quote(str(parts.get("host", "localhost")), safe="")
    dsn = f"postgresql://{parts.get('user', 'postgres')}@{host}:{parts.get('port', 5432)}/{parts['dbname']}"
    environment = {"DATABASE_URL": dsn, "TIPG_DB_SCHEMAS": '["layer"]', "TIPG_DB_TABLES": '["layer.buildings"]'}
    command = uvicorn(sys.executable, "tipg.main:app", 18_202)
    return Server("tipg", 18_202, command, environment, "/collections/layer.buildings/items/1")


def uvicorn(python: str, app: str, port: int, *more: str) -> list[str]:
    """The command that serves an app, each of them the same way."""
    quiet = ["--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]
    return [python, "-m", "uvicorn", app, "--port", str(port), "--workers", str(WORKERS), *quiet, *more]


@contextmanager
def filled(n_buildings: int, then: str = "") -> Iterator[str]:
    """A throw-away database with invented buildings, and what else is to be done with them."""
    from onemap.catalog.read import read_catalog
    from onemap.store.cluster import throwaway
    from onemap.store.migrate import migrate

    with throwaway() as cluster:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            migrate(connection, read_catalog(ROOT / "layers"))
            print(f"filling {n_buildings} buildings", file=sys.stderr)
            connection.execute(FILL, {"west": WEST, "south": SOUTH, "step": STEP, "count": n_buildings})
            connection.execute(then)
            connection.execute("VACUUM ANALYZE")
        yield cluster.url


def asked(doc: str | None, *, seconds: float, names: Sequence[str]) -> argparse.ArgumentParser:
    """The options that the benchmarks share."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    parser.add_argument("--buildings", type=int, default=SIDE * SIDE)
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--database", help="a database that is filled already, as a connection string")
    parser.add_argument("--python", default=sys.executable, type=os.path.abspath, help="the Python of our own server")
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    return parser


def write(name: str, options: argparse.Namespace, found: dict[str, Any]) -> None:
    """The results with what they were measured on."""
    document = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "clients": CLIENTS,
        "workers": WORKERS,
        "buildings": options.buildings,
        "seconds": options.seconds,
        **found,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / name).write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
