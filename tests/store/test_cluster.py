"""A PostgreSQL of our own: made, shared, killed, found again, and gone without a trace."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from onemap.errors import ClusterError
from onemap.store.cluster import Cluster, throwaway
from onemap.store.cluster.conf import settings
from onemap.store.cluster.home import settle
from onemap.store.cluster.programs import find_programs
from onemap.store.cluster.server import check_postgis

GIB = 1024**3
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another OS user")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every OS user can reach; whatever a test made in it is stopped and deleted."""
    top = Path(tempfile.mkdtemp(prefix="onemap-test-"))
    top.chmod(0o755)
    yield top
    for made in top.rglob("postmaster.pid"):
        os.kill(int(made.read_text().split()[0]), signal.SIGQUIT)
        eventually(lambda made=made: not made.exists())
    shutil.rmtree(top)


@pytest.fixture
def a_cluster(place: Path) -> Iterator[Cluster]:
    cluster = Cluster(place / "cluster", durable=False)
    yield cluster
    cluster.remove()


def ask(cluster: Cluster, question: str) -> object:
    with psycopg.connect(cluster.url) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def eventually(claim: Callable[[], bool], patience_s: float = 30) -> None:
    deadline = time.monotonic() + patience_s
    while not claim():
        assert time.monotonic() < deadline, "It did not come true."
        time.sleep(0.02)  # between two looks


def alive(pid: int | None) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def another_process(folder: Path, then: str, **more: object) -> subprocess.Popen[str]:
    """A process that starts the cluster in a folder, says so, and goes on with ``then``."""
    program = f"""
from pathlib import Path
import sys, psycopg
from onemap.store.cluster import Cluster, throwaway
cluster = Cluster(Path({str(folder)!r}), durable=False)
{then}
"""
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)  # type: ignore[call-overload]


STARTS_AND_WAITS = "cluster.start(); print(cluster.pid, flush=True); sys.stdin.read()"


def test_a_new_cluster_has_a_database_that_knows_geometry_and_chinese(cluster: Cluster):
    assert ask(cluster, "SELECT ST_AsText(ST_Point(117.3, 31.7, 4490))") == "POINT(117.3 31.7)"
    assert ask(cluster, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'onemap'") == "UTF8"
    assert ask(cluster, "SELECT similarity('方兴社区', '方兴社区网格') > 0.4"), "trigrams of Chinese text"
    assert ask(cluster, "SELECT count(*) FROM pg_extension WHERE extname IN ('postgis', 'pg_trgm', 'btree_gist')") == 3


def test_it_listens_on_a_private_socket_and_nowhere_else(cluster: Cluster):
    assert ask(cluster, "SHOW listen_addresses") == ""
    assert cluster.home.socket.stat().st_mode & 0o777 == 0o700
    assert cluster.home.data.stat().st_mode & 0o777 == 0o700
    ports = subprocess.run(["cat", "/proc/net/tcp"], capture_output=True, text=True, check=True).stdout
    descriptors = {str(each.readlink()) for each in Path(f"/proc/{cluster.pid}/fd").iterdir() if each.is_symlink()}
    listening = {f"socket:[{line.split()[9]}]" for line in ports.splitlines()[1:]}
    assert not descriptors & listening


@as_root
def test_root_runs_it_as_another_os_user(cluster: Cluster):
    assert Path(f"/proc/{cluster.pid}").stat().st_uid != 0


def test_a_throwaway_cluster_leaves_nothing():
    with throwaway() as cluster:
        folder, pid = cluster.data_dir, cluster.pid
        assert alive(pid)
    assert not folder.exists()
    eventually(lambda: not alive(pid))


def test_a_throwaway_cluster_leaves_nothing_even_when_its_process_is_killed(place: Path):
    then = "with throwaway() as c: print(c.data_dir, c.pid, flush=True); sys.stdin.read()"
    with another_process(place, then) as process:
        folder, pid = process.stdout.readline().split()
        process.kill()
    eventually(lambda: not Path(folder).exists() and not alive(int(pid)))


def test_it_stops_and_starts_again_with_its_data(a_cluster: Cluster):
    with a_cluster.start():
        with psycopg.connect(a_cluster.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        first = a_cluster.pid
    assert a_cluster.pid is None
    with a_cluster.start():
        assert ask(a_cluster, "SELECT answer FROM kept") == 42
        assert a_cluster.pid != first


def test_a_second_start_joins_and_the_last_to_leave_stops_it(a_cluster: Cluster):
    second = Cluster(a_cluster.data_dir, durable=False)
    a_cluster.start()
    second.start()
    assert (a_cluster.owned, second.owned) == (True, False)
    assert second.pid == a_cluster.pid
    a_cluster.stop()
    assert ask(second, "SELECT 1") == 1
    second.stop()
    assert second.pid is None


def test_two_processes_that_start_at_once_share_one_server(a_cluster: Cluster):
    both = [another_process(a_cluster.data_dir, STARTS_AND_WAITS) for _ in range(2)]
    pids = {process.stdout.readline() for process in both}
    assert len(pids) == 1
    for process in both:
        process.communicate()


def test_a_server_left_by_a_killed_process_is_taken_over(a_cluster: Cluster):
    with another_process(a_cluster.data_dir, STARTS_AND_WAITS) as process:
        left = int(process.stdout.readline())
        process.kill()
    assert alive(left)
    with a_cluster.start():
        assert a_cluster.pid == left
        assert a_cluster.owned
    eventually(lambda: not alive(left))


def test_it_recovers_when_everything_is_killed(place: Path):
    cluster = Cluster(place / "cluster")
    with cluster.start():
        with psycopg.connect(cluster.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(cluster.pid, signal.SIGKILL)
    assert (cluster.home.data / "postmaster.pid").exists(), "a killed server leaves this behind"
    with cluster.start():
        assert ask(cluster, "SELECT answer FROM kept") == 42
    cluster.remove()


def test_a_process_number_that_another_program_has_by_now_is_no_server(a_cluster: Cluster):
    a_cluster.start().stop()
    for left in (a_cluster.home.data / "postmaster.pid", a_cluster.home.socket / ".s.PGSQL.5432.lock"):
        left.write_text(f"{os.getpid()}\n{a_cluster.home.data}\n")
    with a_cluster.start():
        assert ask(a_cluster, "SELECT 1") == 1


def test_ctrl_c_reaches_us_and_not_postgresql(a_cluster: Cluster):
    then = """
try:
    cluster.start(); print(cluster.pid, flush=True); sys.stdin.read()
except KeyboardInterrupt:
    with psycopg.connect(cluster.url) as connection:
        print(connection.execute("SELECT 'still there'").fetchone()[0], flush=True)
    cluster.stop()
"""
    with another_process(a_cluster.data_dir, then, start_new_session=True) as process:
        pid = int(process.stdout.readline())
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "still there\n"
    eventually(lambda: not alive(pid))


def test_a_killed_initdb_leaves_nothing_that_looks_like_a_cluster(a_cluster: Cluster):
    half = a_cluster.home.folder / "data.new"
    a_cluster.home.account.own(half)
    (half / "PG_VERSION").write_text("15\n")
    with a_cluster.start():
        assert ask(a_cluster, "SELECT 1") == 1
    assert not half.exists()


def test_a_path_too_long_for_a_socket_gets_a_short_one(place: Path):
    cluster = Cluster(place / ("a-long-folder-name/" * 6) / "cluster", durable=False)
    with cluster.start():
        assert ask(cluster, "SELECT 1") == 1
        short = cluster.home.socket
        assert not short.is_relative_to(place)
    cluster.remove()
    assert not short.exists()


@as_root
def test_under_a_private_folder_of_root_it_stands_elsewhere_and_is_found_again(place: Path):
    private = place / "root"
    private.mkdir(mode=0o700)
    cluster = Cluster(private / "share" / "cluster", durable=False, elsewhere=place / "lib")
    with cluster.start():
        with psycopg.connect(cluster.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        assert cluster.home.folder.parent == place / "lib"
    again = Cluster(private / "share" / "cluster", durable=False, elsewhere=place / "lib")
    with again.start():
        assert ask(again, "SELECT answer FROM kept") == 42
    again.remove()
    assert not list((place / "lib").iterdir())


def test_a_cluster_in_use_is_not_deleted(a_cluster: Cluster):
    with a_cluster.start(), pytest.raises(ClusterError, match="in use"):
        Cluster(a_cluster.data_dir).remove()


def test_a_folder_with_other_things_in_it_is_refused_and_left_alone(place: Path):
    (place / "thesis.odt").write_text("years of work")
    before = place.stat()
    with pytest.raises(ClusterError, match=r"thesis\.odt"):
        settle(place)
    assert place.stat().st_mode == before.st_mode
    assert place.stat().st_uid == before.st_uid


def test_a_file_in_the_way_is_named(place: Path):
    (place / "data").write_text("")
    with pytest.raises(ClusterError, match="in the way"):
        settle(place / "data" / "cluster")


def test_a_socket_folder_that_somebody_else_laid_there_is_refused(place: Path, tmp_path: Path):
    home = settle(place / "cluster")
    home.socket.rmdir()
    home.socket.symlink_to(tmp_path)
    with pytest.raises(ClusterError, match="only the OS user"):
        settle(place / "cluster")


def test_a_server_that_cannot_start_says_why(a_cluster: Cluster):
    a_cluster.start().stop()
    with (a_cluster.home.data / "postgresql.auto.conf").open("a") as conf:
        conf.write("shared_buffers = 'plenty'\n")
    with pytest.raises(ClusterError, match="shared_buffers"):
        a_cluster.start()
    assert a_cluster.pid is None


def test_a_failure_after_the_log_has_moved_is_told_as_well(a_cluster: Cluster):
    a_cluster.start().stop()
    shutil.rmtree(a_cluster.home.data / "pg_wal")
    with pytest.raises(ClusterError, match="pg_wal"):
        a_cluster.start()


def installation(top: Path, major: int, *, postgis: bool = True) -> Path:
    folder = top / str(major) / "bin"
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_ctl"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.4 (Debian)'\n")
        (folder / name).chmod(0o755)
    extensions = folder.parent / "share" / "extension"
    extensions.mkdir(parents=True)
    if postgis:
        (extensions / "postgis.control").write_text("default_version = '3.5.2'\n")
    return folder


def test_the_newest_postgresql_with_postgis_is_taken(tmp_path: Path):
    folders = [installation(tmp_path, 15), installation(tmp_path, 16)]
    folders += [installation(tmp_path, 3, postgis=False), installation(tmp_path, 99)]
    assert find_programs(folders=folders).major == 16
    assert find_programs(15, folders=folders).major == 15


@pytest.mark.parametrize(
    ("asked", "installed", "sentence"),
    [
        (15, [17], "The cluster was made by PostgreSQL 15, but this machine has 17"),
        (None, [14], "No PostgreSQL 15, 16 or 17 is installed"),
        (None, [], "No PostgreSQL 15, 16 or 17 is installed"),
    ],
)
def test_without_a_fitting_postgresql_one_sentence_says_so(tmp_path: Path, asked, installed, sentence):
    folders = [installation(tmp_path, major) for major in installed]
    with pytest.raises(ClusterError, match=sentence):
        find_programs(asked, folders)


def test_without_postgis_the_package_is_named():
    with (
        tempfile.TemporaryDirectory() as top,
        pytest.raises(ClusterError, match=r"15, 16 or 17|postgresql-16-postgis-3"),
    ):
        find_programs(16, [installation(Path(top), 16, postgis=False)])


@pytest.mark.parametrize("version", [None, "3.2.9", "2.5.1dev"])
def test_an_old_postgis_is_refused(version):
    with pytest.raises(ClusterError):
        check_postgis(version)


@pytest.mark.parametrize("version", ["3.3.2", "3.5.2+dfsg", "4.0.0"])
def test_a_postgis_from_3_3_on_will_do(version):
    check_postgis(version)


@pytest.mark.parametrize(("memory_gib", "shared_buffers"), [(1, "128MB"), (4, "512MB"), (64, "4096MB")])
def test_memory_is_used_by_what_the_machine_has(place: Path, memory_gib, shared_buffers):
    text = settings(settle(place / "cluster"), durable=True, memory_b=memory_gib * GIB)
    assert f"shared_buffers = '{shared_buffers}'" in text
    assert "fsync = 'on'" in text
