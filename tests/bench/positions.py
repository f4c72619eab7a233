"""
Positions over HTTP: posts report from a second process for some minutes while others ask who is nearest.

    python tests/bench/positions.py [--seconds 600] [--python .venv/bin/python] [--out bench/results/positions.json]

The server is the product's own (``onemap run``) on a database of its own with the demo city and 10,000 posts. A quarter
of the reports come one by one, the rest in batches of 25. Reports are sent by the clock, whether or not earlier ones
were answered; times count from when a report was due. At the end the database is counted. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import uvloop

ROOT = Path(__file__).resolve().parents[2]
N_POSTS, RATE, SINGLE_SHARE, BATCH = 10_000, 2_000, 0.25, 25
QUESTIONS_PER_S = 20
#: Connections that the second process keeps open at most.
MOST_LINES = 200
WEST, SOUTH, EAST, NORTH = 117.295, 31.695, 117.305, 31.705


def main() -> None:
    """Run, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rate", type=int, default=RATE, help="reports a second")
    parser.add_argument("--single-share", type=float, default=SINGLE_SHARE, help="share of reports sent one by one")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs the server")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--client", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.client:
        print(json.dumps(uvloop.run(_Client(**json.loads(args.client)).run())))
        return
    with _database() as url:
        token = _prepare(url)
        with _server(args.python, url) as (port, process):
            asked = {
                "port": port, "token": token, "seconds": args.seconds, "rate": args.rate,
                "single_share": args.single_share,
            }  # fmt: skip
            before = np.array([_cpu_s([process]), _cpu_s(_family(_postmaster(url)))])
            done = subprocess.run(
                [sys.executable, __file__, "--client", json.dumps(asked)], check=True, stdout=subprocess.PIPE, text=True
            )
            cpu_s = np.array([_cpu_s([process]), _cpu_s(_family(_postmaster(url)))]) - before
        results = {**json.loads(done.stdout), **_count(url), "server_cpu_s": cpu_s[0], "database_cpu_s": cpu_s[1]}
    results["n_lost"] = results["n_accepted"] - results["n_kept"]
    _print(results, args.seconds)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(results, indent=2), "utf-8")


def _print(results: dict[str, Any], seconds: int) -> None:
    print(
        f"positions: {results['n_sent']:,} sent in {seconds} s ({results['n_sent'] / seconds:,.0f} a second), "
        f"{results['n_accepted']:,} acknowledged, {results['n_kept']:,} in the history, {results['n_lost']} lost, "
        f"{results['n_errors']} errors, {results['n_wrong_latest']} of {N_POSTS:,} posts not at their newest place"
    )
    used = ", ".join(f"the {who} {results[f'{who}_cpu_s'] / seconds:.0%}" for who in ("server", "database", "client"))
    print(f"  {results['n_sent_again']} sent again; of one core {used}; load {os.getloadavg()[0]:.1f}")
    for name in ("single", "batch", "nearest"):
        one = results[name]
        print(
            f"  {name:8} n {one['n']:>9,}   p50 {one['p50_ms']:7.1f} ms   p99 {one['p99_ms']:7.1f} ms   max {one['max_ms']:7.1f} ms"
        )
    for at, minute in enumerate(results["minutes"], 1):
        told = "   ".join(f"{name} p99 {minute[name]:6.1f} ms" for name in ("single", "batch", "nearest"))
        print(f"  minute {at:2}   {told}   load of the machine {minute['load']:.1f}")


@contextmanager
def _database() -> Iterator[str]:
    from onemap.store.cluster import throwaway

    with throwaway() as cluster:
        yield cluster.url


def _prepare(url: str) -> str:
    """The demo city, the posts, and an account that may report for them; its token."""
    from onemap.catalog.read import read_catalog
    from onemap.demo import invent
    from onemap.demo.load import load
    from onemap.domain.scope import Permission
    from onemap.store.accounts import add_account
    from onemap.store.db import Db
    from onemap.store.migrate import migrate

    with Db(url, timeout_s=0) as db:
        with db.connection() as connection:
            migrate(connection, read_catalog(ROOT / "layers"))
        with db.connection() as connection:
            load(connection, invent(1, n_events=1_000), lambda *_: None)
        with db.connection() as connection:
            connection.execute(
                "INSERT INTO core.responder (responder_id, area_code, home_area, post, role, on_duty) "
                "SELECT 'bench-' || n, '990101001001', '990101001001', 'bench ' || n, 'grid_officer', TRUE "
                "FROM generate_series(0, %s) AS n",
                (N_POSTS - 1,),
            )
            return add_account(connection, "gateway", "viewer", None, 1, (Permission.POSITIONS,))


@contextmanager
def _server(python: str, url: str) -> Iterator[tuple[int, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {
        **os.environ, "ONEMAP_DATABASE_URL": url, "ONEMAP_PORT": str(port), "ONEMAP_DEMO": "none",
        "ONEMAP_DEMO_LIVE": "off",
    }  # fmt: skip
    process = subprocess.Popen(
        [python, "-m", "onemap.cli.main", "run"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                break
            time.sleep(0.2)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _cpu_s(processes: list[int]) -> float:
    """Seconds of one core that processes, and those of their children that ended, have used."""
    ticks = 0
    for process in processes:
        with suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text("utf-8").split()
    return [parent, *map(int, children)]


def _postmaster(url: str) -> int:
    from onemap.store.db import Db

    with Db(url, timeout_s=0) as db, db.connection() as connection:
        backend = connection.info.backend_pid
        return int(Path(f"/proc/{backend}/stat").read_text("utf-8").rpartition(")")[2].split()[1])


def _count(url: str) -> dict[str, int]:
    from onemap.store.db import Db

    with Db(url, timeout_s=0) as db, db.connection() as connection:
        kept = connection.execute("SELECT count(*), count(DISTINCT (client_id, seq)) FROM core.position").fetchone()
        wrong = connection.execute(
            "SELECT count(*) FROM (SELECT responder_id, max(at) AS at FROM core.position GROUP BY 1) AS p "
            "JOIN core.responder_position AS w USING (responder_id) WHERE w.at <> p.at"
        ).fetchone()
    assert kept is not None
    assert wrong is not None
    return {"n_kept": kept[1], "n_rows": kept[0], "n_wrong_latest": wrong[0]}


@dataclass
class _Client:
    """The second process: handsets that report, and a desk that asks."""

    port: int
    token: str
    seconds: int
    rate: int
    single_share: float
    n_sent: int = 0
    n_accepted: int = 0
    n_errors: int = 0
    n_sent_again: int = 0
    took_s: dict[str, list[float]] = field(default_factory=lambda: {"single": [], "batch": [], "nearest": []})

    async def run(self) -> dict[str, Any]:
        """Send and ask for the whole time, wait for the last answers."""
        self.rng = np.random.default_rng(8)
        self.place = [(lon, lat) for lon, lat in self.rng.uniform((WEST, SOUTH), (EAST, NORTH), (N_POSTS, 2)).tolist()]
        self.step = cycle(self.rng.normal(0.0, 3e-5, 99_991).tolist())
        self.seq = [0] * N_POSTS
        self.post = 0
        self.lines: list[_Line] = []
        self.free = asyncio.Semaphore(MOST_LINES)
        self.minutes: list[dict[str, Any]] = []
        self.began = time.perf_counter()
        await self._warm()
        self.minutes.clear()
        self.began = began = time.perf_counter()
        await asyncio.gather(
            self._by_clock(began, self.rate * self.single_share, 1),
            self._by_clock(began, self.rate * (1 - self.single_share) / BATCH, BATCH),
            self._ask_by_clock(began),
        )
        times = {name: _summary(took) for name, took in self.took_s.items()}
        counts = {name: getattr(self, name) for name in ("n_sent", "n_accepted", "n_errors", "n_sent_again")}
        minutes = [
            {"load": one["load"], **{name: _summary(one[name])["p99_ms"] for name in times}} for one in self.minutes
        ]
        return {**counts, **times, "minutes": minutes, "client_cpu_s": time.process_time()}

    async def _warm(self) -> None:
        """The server compiles its kernels and builds its network at the first question."""
        for _ in range(5):
            await self._ask(time.perf_counter())
        self.took_s["nearest"].clear()

    async def _by_clock(self, began: float, per_s: float, n: int) -> None:
        tasks: set[asyncio.Task[None]] = set()
        for i in range(int(per_s * self.seconds)):
            due = began + i / per_s
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self._tell(due, n))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _ask_by_clock(self, began: float) -> None:
        tasks = []
        for i in range(QUESTIONS_PER_S * self.seconds):
            due = began + i / QUESTIONS_PER_S
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(self._ask(due)))
        await asyncio.gather(*tasks)

    async def _tell(self, due: float, n: int) -> None:
        at = datetime.now(UTC).isoformat()
        reports = []
        for _ in range(n):
            post = self.post
            self.post = (post + 1) % N_POSTS
            lon, lat = self.place[post]
            lon, lat = self.place[post] = (
                min(max(lon + next(self.step), WEST), EAST), min(max(lat + next(self.step), SOUTH), NORTH),
            )  # fmt: skip
            self.seq[post] += 1
            reports.append(
                {
                    "seq": self.seq[post] * N_POSTS + post,
                    "responder_id": f"bench-{post}",
                    "at": at,
                    "lon": round(lon, 7),
                    "lat": round(lat, 7),
                    "accuracy_m": 8.0,
                }
            )
        body = {"client_id": "gateway", "reports": reports} if n > 1 else {"client_id": f"handset-{post}", **reports[0]}
        self.n_sent += n
        status, answer = await self._request("POST", "/api/positions", orjson.dumps(body))
        self._note("single" if n == 1 else "batch", due)
        if status == 200:
            receipt = orjson.loads(answer)
            self.n_accepted += receipt["n_accepted"] + receipt["n_duplicate"]
        else:
            self.n_errors += 1

    async def _ask(self, due: float) -> None:
        lon, lat = self.rng.uniform((WEST, SOUTH), (EAST, NORTH))
        status, _ = await self._request("GET", f"/api/responders/nearest?point={lon:.6f},{lat:.6f}&k=5&mode=ebike", b"")
        self._note("nearest", due)
        self.n_errors += status != 200

    def _note(self, what: str, due: float) -> None:
        took = time.perf_counter() - due
        self.took_s[what].append(took)
        minute = int((due - self.began) // 60)
        while minute >= len(self.minutes):
            self.minutes.append({"load": 0.0, "single": [], "batch": [], "nearest": []})
        self.minutes[minute]["load"] = os.getloadavg()[0]
        self.minutes[minute][what].append(took)

    async def _request(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        async with self.free:
            return await self._on_any_line(method, path, body)

    async def _on_any_line(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        while True:  # a line that broke is no reason to lose a report: sent again, it is kept once
            line = self.lines.pop() if self.lines else await _Line.open(self.port)
            try:
                status, answer = await self._on_line(line, method, path, body)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.n_sent_again += 1
                line.writer.close()
                continue
            self.lines.append(line)
            return status, answer

    async def _on_line(self, line: _Line, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        line.writer.write(
            b"%b %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (method.encode(), path.encode(), self.token.encode(), len(body), body)
        )
        head = await line.reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = next((int(row[16:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length: ")), 0)
        return status, await line.reader.readexactly(length)


@dataclass
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> _Line:
        return cls(*await asyncio.open_connection("127.0.0.1", port))


def _summary(took_s: list[float]) -> dict[str, float]:
    if not took_s:
        return {"n": 0, "p50_ms": 0.0, "p99_ms": 0.0, "max_ms": 0.0}
    ms = np.array(took_s) * 1e3
    return {
        "n": len(ms), "p50_ms": float(np.percentile(ms, 50)), "p99_ms": float(np.percentile(ms, 99)),
        "max_ms": float(ms.max()),
    }  # fmt: skip


if __name__ == "__main__":
    main()
