"""Starting, finding again and stopping a private PostgreSQL.

Every process that uses the cluster holds a shared lock on ``users.lock``, which the kernel takes back from a process
that was killed. Whoever leaves last stops PostgreSQL; the next start takes over a server that a killed process left.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from onemap.errors import ClusterError
from onemap.store.cluster.conf import HBA, settings
from onemap.store.cluster.home import ELSEWHERE, Home, settle
from onemap.store.cluster.programs import Programs, find_programs
from onemap.store.named import compose, named, statement

DATABASE = "onemap"
USER = "onemap"
_OLDEST_POSTGIS = (3, 3)
_PATIENCE_S = 300  # a crash recovery replays up to max_wal_size
_REAPER = 'read -r _; "$1" stop -s -w -m immediate -D "$2/data"; rm -rf "$2"'


class Cluster:
    """
    One private PostgreSQL cluster with a database ``onemap``.

    Parameters
    ----------
    data_dir
        A folder for this cluster alone.
    durable
        False gives up crash safety for speed; for tests.
    elsewhere
        Where the cluster stands when root asks for a folder that the OS user running it cannot reach.

    Attributes
    ----------
    owned
        Whether this object started PostgreSQL, or took over one that nobody was using.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, elsewhere: Path = ELSEWHERE) -> None:
        self.data_dir = data_dir
        self.owned = False
        self._durable = durable
        self._elsewhere = elsewhere
        self._home: Home | None = None
        self._users: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Start, or join a running one."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Leave; the last one stops it."""
        self.stop()

    @property
    def home(self) -> Home:
        """The cluster's folders."""
        if self._home is None:
            self._home = settle(self.data_dir, self._elsewhere)
        return self._home

    @property
    def url(self) -> str:
        """The address of the database ``onemap``."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of one database of the cluster."""
        return f"postgresql:///{quote(database)}?host={quote(str(self._socket()), safe='')}&port=5432&user={USER}"

    @property
    def pid(self) -> int | None:
        """The process number of the running server."""
        lines = self._pid_file()
        pid = int(lines[0]) if lines else None
        return pid if pid in _inhabitants(self.home.data) else None

    def start(self) -> Self:
        """Make, start or join the cluster; it answers when this returns."""
        if self._users is not None:
            return self
        home = self.home
        with _locked(home):
            users = home.open(home.users_lock, "ab")
            running = True
            try:
                alone = _try_lock(users, fcntl.LOCK_EX)
                running = self.pid is not None
                if not running:
                    self._launch(self._make())
                self._furnish()
                fcntl.flock(users, fcntl.LOCK_SH)
            except BaseException:  # also Ctrl-C: leave no server behind that nobody uses
                users.close()
                if not running and self.pid is not None:
                    self._halt("immediate")
                raise
        self._users = users
        self.owned = alone or not running
        return self

    def stop(self) -> None:
        """Leave the cluster; PostgreSQL stops unless another process is using it."""
        if self._users is not None:
            self._leave(self._users, "fast")

    def remove(self) -> None:
        """Stop and delete the cluster with everything in it."""
        home = self.home
        if not self._leave(self._users or home.open(home.users_lock, "ab"), "immediate"):
            raise ClusterError(f"The database in {self.data_dir} is in use: stop the other onemap first.")
        home.remove(self.data_dir)
        self._home = None

    def _leave(self, users: IO[bytes], mode: str) -> bool:
        self._users, self.owned = None, False
        with users, _locked(self.home):
            alone = _try_lock(users, fcntl.LOCK_EX)
            if alone and self.pid is not None:
                self._halt(mode)
        return alone

    def _make(self) -> Programs:
        home = self.home
        version = home.data / "PG_VERSION"
        if version.exists():
            return find_programs(int(version.read_text()))
        programs = find_programs()
        fresh = home.folder / "data.new"  # renamed when whole: a killed initdb leaves nothing that looks like a cluster
        if fresh.exists():
            shutil.rmtree(fresh)
        options = [
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]
        options += [f"--username={USER}", "--data-checksums" if self._durable else "--no-sync", f"--pgdata={fresh}"]
        done = home.account.run([programs["initdb"], *options], cwd=home.folder)
        if done.returncode:
            raise ClusterError(f"PostgreSQL could not make a cluster in {home.folder}: {_reason(done.stdout)}")
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'onemap.conf'\n")
        (fresh / "pg_hba.conf").write_text(HBA)
        fresh.rename(home.data)
        return programs

    def _launch(self, programs: Programs) -> None:
        home = self.home
        _wait_for(lambda: not _inhabitants(home.data), 60, "The processes of a killed PostgreSQL do not end.")
        # Nothing lives here, so a process number in these files is a killed server's or another program's by now.
        (home.data / "postmaster.pid").unlink(missing_ok=True)
        (home.socket / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        with home.open(home.data / "onemap.conf", "wb") as conf:
            conf.write(settings(home, durable=self._durable).encode())
        log = home.log / "start.log"
        log.unlink(missing_ok=True)
        options = ["--silent", "--wait", f"--timeout={_PATIENCE_S}", f"--pgdata={home.data}", f"--log={log}"]
        done = home.account.run([programs["pg_ctl"], "start", *options], cwd=home.folder)
        if done.returncode:
            newest = max(home.log.iterdir(), key=lambda path: path.stat().st_mtime_ns, default=None)
            said = newest.read_text(errors="replace") if newest else done.stdout
            raise ClusterError(f"PostgreSQL did not start: {_reason(said)}. More is in {home.log}.")

    def _halt(self, mode: str) -> None:
        home = self.home
        programs = find_programs(int((home.data / "PG_VERSION").read_text()))
        command = [programs["pg_ctl"], "stop", "--silent", "--wait", "--timeout=60", f"--pgdata={home.data}"]
        if home.account.run([*command, f"--mode={mode}"], cwd=home.folder).returncode and self.pid is not None:
            done = home.account.run([*command, "--mode=immediate"], cwd=home.folder)
            if done.returncode and self.pid is not None:
                raise ClusterError(f"PostgreSQL in {home.folder} did not stop: {_reason(done.stdout)}")

    def _furnish(self) -> None:
        queries = named("cluster")
        with _connect_when_ready(self.url_of("postgres")) as server:
            offered = server.execute(statement(queries["postgis_offered"])).fetchone()
            check_postgis(offered[0] if offered else None)
            if not server.execute(statement(queries["has_database"]), {"database": DATABASE}).fetchone():
                server.execute(compose(queries["create_database"], database=sql.Identifier(DATABASE)))
        with psycopg.connect(self.url, autocommit=True) as database:
            try:
                database.execute(statement(named("migrate")["extensions"]))
                database.execute(statement(queries["renew"]))
            except psycopg.Error as refused:
                raise ClusterError(f"PostGIS could not be put into the database: {_reason(str(refused))}") from refused

    def _socket(self) -> Path:
        lines = self._pid_file()
        return Path(lines[4]) if len(lines) > 4 and lines[4] else self.home.socket

    def _pid_file(self) -> list[str]:
        try:
            return (self.home.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []


@contextmanager
def throwaway() -> Iterator[Cluster]:
    """A cluster for tests: fast, forgetful, and gone with all its files when the block or this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="onemap-"))
    cluster = Cluster(folder, durable=False)
    home = cluster.home
    pg_ctl = find_programs()["pg_ctl"]
    command = ["sh", "-c", _REAPER, "reaper", pg_ctl, str(home.folder)]
    reaper = home.account.start(command, cwd=Path("/"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        with cluster:
            yield cluster
    finally:
        cluster.remove()
        reaper.communicate()


def check_postgis(version: str | None) -> None:
    """Refuse a PostGIS that is missing or older than 3.3."""
    if version is None:
        raise ClusterError("This PostgreSQL has no PostGIS: install its postgis package.")
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _OLDEST_POSTGIS:
        raise ClusterError(f"PostGIS {version} is too old: 3.3 or newer is needed.")


def _inhabitants(data: Path) -> list[int]:
    # PostgreSQL's processes work in the data folder; a process number alone may be another program's by now.
    place = os.fspath(data.resolve())
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if _cwd(each) == place]


def _cwd(process: Path) -> str | None:
    try:
        return str((process / "cwd").readlink())
    except OSError:  # ended meanwhile, or another user's
        return None


def _connect_when_ready(url: str) -> psycopg.Connection:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return psycopg.connect(url, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as refused:
            if time.monotonic() > deadline:
                raise ClusterError(f"PostgreSQL runs but does not answer: {_reason(str(refused))}") from refused
        time.sleep(0.1)


def _wait_for(condition: Callable[[], bool], patience_s: float, otherwise: str) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(otherwise)
        time.sleep(0.1)


def _try_lock(file: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    with home.open(home.start_lock, "ab") as file:
        sentence = f"Another onemap has been starting or stopping the database in {home.folder} for minutes."
        _wait_for(lambda: _try_lock(file, fcntl.LOCK_EX), _PATIENCE_S, sentence)
        yield


def _reason(log: str) -> str:
    # The last fatal line, with the one before it, which often names the cause, and a hint after it.
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    fatal = max((number for number, line in enumerate(lines) if re.search(r"FATAL|PANIC|error:", line)), default=-1)
    telling = lines[max(fatal - 1, 0) : fatal + 2] if fatal >= 0 else lines[-2:]
    plain = [re.sub(r"^.*?(LOG|FATAL|PANIC|ERROR|HINT):\s+", "", line).rstrip(".") for line in telling]
    return "; ".join(plain) or "it gave no reason"
