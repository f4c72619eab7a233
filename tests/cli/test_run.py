"""``onemap run`` as its user meets it: starts, stops with Ctrl-C, comes back after kill -9, explains what is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ONEMAP = [sys.executable, "-m", "onemap.cli.main"]
PATIENCE_S = 120


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder of its own, gone afterwards with whatever still runs in it."""
    folder = Path(tempfile.mkdtemp(prefix="onemap-run-"))
    folder.chmod(0o755)  # so that the OS user who runs the cluster for root can stand in it
    yield folder
    subprocess.run([*ONEMAP, "migrate"], env=environment(folder, 0), capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def environment(home: Path, port: int, **more: str) -> dict[str, str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("ONEMAP_")}
    return {**own, "ONEMAP_DATA": str(home), "ONEMAP_PORT": str(port), "ONEMAP_DEMO": "none", **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(home: Path, port: int, **more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*ONEMAP, "run"], env=environment(home, port, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"onemap run ended with {process.returncode}: {process.communicate()[1]}")
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            if answer.status == 200:
                return process
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"onemap run was not ready after {PATIENCE_S} s")


def postgres_of(home: Path) -> list[str]:
    """Command lines of PostgreSQL servers whose data lies in this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            pointer = home / "cluster"
            if "postgres" in words[0] and any(str(pointer) in word for word in words):
                found.append(" ".join(words))
    return found


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_stops_everything_and_ends_open_streams_in_good_order(home: Path, workers: str) -> None:
    port = free_port()
    process = start(home, port, ONEMAP_WORKERS=workers)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/live", timeout=PATIENCE_S) as stream:
        assert stream.readline().startswith(b"id: ")
        process.send_signal(signal.SIGINT)
        stream.read()  # to its end; a stream that was cut off would raise
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "timeout graceful shutdown exceeded" not in err
    assert "一张图 is at http://127.0.0.1:" in out
    assert postgres_of(home) == []
    assert "Traceback" not in err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_and_started_again_it_serves(home: Path, workers: str) -> None:
    port = free_port()
    first = start(home, port, ONEMAP_WORKERS=workers)
    first.kill()
    first.communicate(timeout=30)  # ends when the last server process has let go of its output
    second = start(home, port, ONEMAP_WORKERS=workers)
    second.send_signal(signal.SIGTERM)
    _, err = second.communicate(timeout=60)
    assert "Traceback" not in err
    assert postgres_of(home) == []


def test_a_port_that_is_taken_is_told_in_a_sentence(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*ONEMAP, "run"],
            env=environment(home, port),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    assert done.returncode == 3
    assert done.stderr.strip() == f"Port {port} is taken; stop what uses it or choose another with ONEMAP_PORT."


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("ONEMAP_PORT", "http", "ONEMAP_PORT is 'http'; it must be a port number."),
        ("ONEMAP_WORKERS", "0", "ONEMAP_WORKERS is '0'"),
        ("ONEMAP_DEMO", "big", "ONEMAP_DEMO is 'big'"),
        ("ONEMAP_HOST", "no.such.host.invalid", "is no address of this machine"),
        ("ONEMAP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "The database does not answer"),
        ("ONEMAP_LAYERS", "/nonexistent", "there is no groups.toml here"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told_in_a_sentence(
    home: Path, variable: str, value: str, sentence: str
) -> None:
    settings = environment(home, free_port(), **{variable: value})
    done = subprocess.run(
        [*ONEMAP, "run"], env=settings, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 3
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
