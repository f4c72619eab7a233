"""Items, filters and deep pages beside tipg and stock pygeoapi: the same database, the same run, one table.

    .venv-bench/bin/python tests/bench/ogc.py [--buildings 1000000] [--seconds 4] [--database URL]

Eight clients ask two worker processes each; the servers take turns in three rounds, and each one's best counts. Without
``--database`` a throw-away cluster is filled first, rows in spatial order as imports leave them. Results go to
``bench/results/ogc.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import psycopg
from psycopg.conninfo import conninfo_to_dict

sys.path.insert(0, str(Path(__file__).parent))
from load import Rate, measure

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
CLIENTS, WORKERS, N_PATHS = 8, 2, 2_000
#: Every question is asked so often, the servers taking turns; the best round counts, since others may use the machine.
ROUNDS = 3
WEST, SOUTH, STEP, SIDE = 117.1, 31.5, 0.0004, 1_000

#: What the issue asks for: ``ours / peer`` at least.
GOALS = {
    ("item by id", "tipg"): 4.0,
    ("10 of a street", "tipg"): 2.5,
    ("10 of a street", "pygeoapi"): 12.0,
    ("1,000 of a quarter", "tipg"): 2.5,
    ("10 deep in the layer", "tipg"): 100.0,
    ("CQL2, 10 of a quarter", "tipg"): 2.0,
}

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

#: pygeoapi's own provider finds nothing in EPSG:4490, whose axes it swaps: it gets the same rows in EPSG:4326.
COPY = """
CREATE SCHEMA IF NOT EXISTS bench;
DROP TABLE IF EXISTS bench.buildings;
CREATE TABLE bench.buildings AS SELECT * FROM layer.buildings ORDER BY fid;
ALTER TABLE bench.buildings ALTER COLUMN geom TYPE geometry (MultiPolygon, 4326) USING ST_SetSRID(geom, 4326);
ALTER TABLE bench.buildings ADD PRIMARY KEY (fid);
CREATE INDEX ON bench.buildings USING gist (geom);
"""

type Ask = Callable[[np.random.Generator], str]


class Server:
    """One server with its workers, and how it is asked."""

    def __init__(
        self, name: str, port: int, command: Sequence[str], environment: dict[str, str], asks: dict[str, Ask]
    ) -> None:
        self.name, self.address, self.asks = name, f"http://127.0.0.1:{port}", asks
        self._command, self._environment = command, {**os.environ, **environment}

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
        path = next(iter(self.asks.values()))(np.random.default_rng(0))
        ends = time.monotonic() + 120
        while time.monotonic() < ends:
            assert process.poll() is None, f"{self.name} stopped: {log.read_text()[-2000:]}"
            try:
                urllib.request.urlopen(self.address + path, timeout=60).read()
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
            else:
                return
        raise TimeoutError(f"{self.name} does not answer: {log.read_text()[-2000:]}")

    def sample(self, question: str, rng: np.random.Generator) -> dict[str, Any]:
        """One answer, to see that all are asked the same."""
        with urllib.request.urlopen(self.address + self.asks[question](rng), timeout=120) as answer:
            document: dict[str, Any] = json.load(answer)
        return document


def main() -> None:
    """Measure and print."""
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = options.database or stack.enter_context(_filled(options.buildings))
        servers = [ours(url, options.python), tipg(url), pygeoapi(url, folder)]
        rates: dict[str, dict[str, Rate]] = {question: {} for question in servers[0].asks}
        for server in servers:
            if not options.only or server.name in options.only:
                stack.enter_context(server.running(folder / f"{server.name}.log"))
        for question, found in rates.items():
            for round_ in range(ROUNDS):
                for server in servers:
                    if not options.only or server.name in options.only:
                        rate = _measured(server, question, options.seconds, round_)
                        found[server.name] = max(rate, found.get(server.name, rate), key=lambda r: r.per_s)
    _print(rates)
    _write(rates, options)


def ours(url: str, python: str) -> Server:
    """This product as it runs."""
    items = "/ogc/collections/buildings/items"
    asks: dict[str, Ask] = {
        "item by id": lambda rng: f"{items}/{rng.integers(1, SIDE * SIDE)}",
        "10 of a street": lambda rng: f"{items}?{urlencode({'limit': 10, 'bbox': box(rng, 0.005)}, safe=',')}",
        "1,000 of a quarter": lambda rng: f"{items}?{urlencode({'limit': 1000, 'bbox': box(rng, 0.02)}, safe=',')}",
        "10 deep in the layer": lambda rng: f"{items}?limit=10&after={rng.integers(500_000, 990_000)}",
        "CQL2, 10 of a quarter": lambda rng: f"{items}?limit=10&filter={quote(cql(rng, 'geometry'))}",
    }
    environment = {"ONEMAP_DATABASE_URL": url, "ONEMAP_DEMO": "none", "ONEMAP_WORKERS": str(WORKERS)}
    command = _uvicorn(python, "onemap.app:create_from_env", 18_201, "--factory")
    return Server("onemap", 18_201, command, environment, asks)


def tipg(url: str) -> Server:
    """tipg as its manual starts it."""
    items = "/collections/layer.buildings/items"
    asks: dict[str, Ask] = {
        "item by id": lambda rng: f"{items}/{rng.integers(1, SIDE * SIDE)}",
        "10 of a street": lambda rng: f"{items}?{urlencode({'limit': 10, 'bbox': box(rng, 0.005)}, safe=',')}",
        "1,000 of a quarter": lambda rng: f"{items}?{urlencode({'limit': 1000, 'bbox': box(rng, 0.02)}, safe=',')}",
        "10 deep in the layer": lambda rng: f"{items}?limit=10&offset={rng.integers(500_000, 990_000)}",
        "CQL2, 10 of a quarter": lambda rng: f"{items}?limit=10&filter-lang=cql2-text&filter={quote(cql(rng, 'geom'))}",
    }
    parts = conninfo_to_dict(url)
    host = quote(str(parts.get("host", "localhost")), safe="")
    dsn = f"postgresql://{parts.get('user', 'postgres')}@{host}:{parts.get('port', 5432)}/{parts['dbname']}"
    environment = {"DATABASE_URL": dsn, "TIPG_DB_SCHEMAS": '["layer"]', "TIPG_DB_TABLES": '["layer.buildings"]'}
    return Server("tipg", 18_202, _uvicorn(sys.executable, "tipg.main:app", 18_202), environment, asks)


def pygeoapi(url: str, folder: Path) -> Server:
    """pygeoapi with its own PostgreSQL provider, as its manual starts it."""
    items = "/collections/buildings/items"
    asks: dict[str, Ask] = {
        "item by id": lambda rng: f"{items}/{rng.integers(1, SIDE * SIDE)}?f=json",
        "10 of a street": lambda rng: f"{items}?f=json&{urlencode({'limit': 10, 'bbox': box(rng, 0.005)}, safe=',')}",
        "1,000 of a quarter": lambda rng: (
            f"{items}?f=json&{urlencode({'limit': 1000, 'bbox': box(rng, 0.02)}, safe=',')}"
        ),
        "10 deep in the layer": lambda rng: f"{items}?f=json&limit=10&offset={rng.integers(500_000, 990_000)}",
        "CQL2, 10 of a quarter": lambda rng: f"{items}?f=json&limit=10&filter={quote(cql(rng, 'geom'))}",
    }
    parts = conninfo_to_dict(url)
    config = {
        "server": {
            "bind": {"host": "127.0.0.1", "port": 18_203}, "url": "http://127.0.0.1:18203", "mimetype": "application/json",
            "encoding": "utf-8", "languages": ["en-US"], "gzip": False, "limits": {"default_items": 10, "max_items": 10_000},
            "map": {"url": "", "attribution": ""}, "templates": {},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {"title": "x", "description": "x", "keywords": ["x"], "terms_of_service": "x", "url": "http://x"},
            "license": {"name": "x", "url": "http://x"}, "provider": {"name": "x", "url": "http://x"}, "contact": {"name": "x"},
        },
        "resources": {
            "buildings": {
                "type": "collection", "title": "x", "description": "x", "keywords": ["x"], "links": [],
                "extents": {"spatial": {"bbox": [117, 31, 118, 32], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}},
                "providers": [{
                    "type": "feature", "name": "PostgreSQL", "id_field": "fid", "table": "buildings", "geom_field": "geom",
                    "data": {
                        "host": str(parts.get("host", "localhost")), "port": int(parts.get("port") or 5432),
                        "dbname": parts["dbname"], "user": parts.get("user", "postgres"), "password": "",
                        "search_path": ["bench", "public"],
                    },
                }],
            }
        },
    }  # fmt: skip
    for name in ("config.yml", "openapi.yml"):
        (folder / name).write_text(json.dumps(config if name == "config.yml" else {"openapi": "3.0.2", "paths": {}}))
    environment = {"PYGEOAPI_CONFIG": str(folder / "config.yml"), "PYGEOAPI_OPENAPI": str(folder / "openapi.yml")}
    return Server("pygeoapi", 18_203, _uvicorn(sys.executable, "pygeoapi.starlette_app:APP", 18_203), environment, asks)


def box(rng: np.random.Generator, size: float) -> str:
    """Somewhere in the city: 0.005 degrees is a street of 150 buildings, 0.02 a quarter of 2,500."""
    west, south = WEST + rng.random() * (0.4 - size), SOUTH + rng.random() * (0.4 - size)
    return f"{west:.5f},{south:.5f},{west + size:.5f},{south + size:.5f}"


def cql(rng: np.random.Generator, geometry: str) -> str:
    """Tall houses in a quarter."""
    west, south, east, north = box(rng, 0.02).split(",")
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"use = 'residential' AND floors > {rng.integers(5, 25)} AND S_INTERSECTS({geometry}, POLYGON(({ring})))"


def _uvicorn(python: str, app: str, port: int, *more: str) -> list[str]:
    quiet = ["--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]
    return [python, "-m", "uvicorn", app, "--port", str(port), "--workers", str(WORKERS), *quiet, *more]


def _measured(server: Server, question: str, seconds: float, round_: int) -> Rate:
    """One round; slow answers get more time, so that there is at least one."""
    rng = np.random.default_rng(11 + round_)
    paths = [server.asks[question](rng) for _ in range(N_PATHS)]
    try:
        answer = server.sample(question, np.random.default_rng(5))
    except urllib.error.HTTPError as refused:
        said = refused.read()[:200]
        print(f"{server.name:10s} {question:24s} is not answered: {refused.code} {said!r}", file=sys.stderr)
        return Rate(0.0, 1)
    measure(server.address, paths, clients=CLIENTS, seconds=1)
    rate = measure(server.address, paths, clients=CLIENTS, seconds=seconds)
    if not rate.per_s:
        rate = measure(server.address, paths, clients=CLIENTS, seconds=8 * seconds)
    seen = {name: answer.get(name) for name in ("numberMatched", "numberReturned")}
    print(f"{server.name:10s} {question:24s} {rate.per_s:10.2f}/s  errors {rate.n_errors}  {seen}", file=sys.stderr)
    return rate


@contextmanager
def _filled(n_buildings: int) -> Iterator[str]:
    """A throw-away database with invented buildings."""
    from onemap.catalog.read import read_catalog
    from onemap.store.cluster import throwaway
    from onemap.store.migrate import migrate

    with throwaway() as cluster:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            migrate(connection, read_catalog(ROOT / "layers"))
            print(f"filling {n_buildings} buildings", file=sys.stderr)
            values = {"west": WEST, "south": SOUTH, "step": STEP, "count": n_buildings}
            connection.execute(FILL, values)
            connection.execute(COPY)
            connection.execute("VACUUM ANALYZE")
        yield cluster.url


def _print(rates: dict[str, dict[str, Rate]]) -> None:
    print(
        f"\n{'answers in a second':24s}"
        + "".join(f"{name:>12s}" for name in ("onemap", "tipg", "pygeoapi"))
        + f"{'/ tipg':>10s}{'/ pygeoapi':>12s}"
    )
    for question, by_name in rates.items():
        cells = "".join(
            f"{by_name[n].per_s:12.1f}" if n in by_name else f"{'-':>12s}" for n in ("onemap", "tipg", "pygeoapi")
        )
        print(
            f"{question:24s}{cells}"
            + "".join(f"{_ratio(by_name, n):>{w}s}" for n, w in (("tipg", 10), ("pygeoapi", 12)))
        )


def _ratio(by_name: dict[str, Rate], peer: str) -> str:
    if "onemap" not in by_name or peer not in by_name or not by_name[peer].per_s:
        return "-"
    return f"{by_name['onemap'].per_s / by_name[peer].per_s:.1f}x"


def _write(rates: dict[str, dict[str, Rate]], options: argparse.Namespace) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "clients": CLIENTS,
        "workers": WORKERS,
        "buildings": options.buildings,
        "seconds": options.seconds,
        "per_s": {q: {name: round(rate.per_s, 1) for name, rate in found.items()} for q, found in rates.items()},
        "goals": [
            {"question": q, "peer": peer, "at_least": goal, "ratio": _ratio(rates.get(q, {}), peer)}
            for (q, peer), goal in GOALS.items()
        ],
    }
    (RESULTS / "ogc.json").write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--buildings", type=int, default=SIDE * SIDE)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--database", help="a database that is filled already, as a connection string")
    parser.add_argument("--python", default=sys.executable, type=os.path.abspath, help="the Python of our own server")
    parser.add_argument("--only", nargs="*", choices=("onemap", "tipg", "pygeoapi"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
