"""Load for benchmarks: so many clients on kept connections ask a list of addresses for some seconds.

``wrk`` where it is installed, since it costs next to nothing beside the servers; else a small client of our own.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

_WRK = """
local paths, i = {}, 0
function init(args)
  for line in io.lines(args[1]) do paths[#paths + 1] = line end
end
function request()
  i = i + 1
  return wrk.format("GET", paths[(i - 1) % #paths + 1])
end
function done(summary)
  local e = summary.errors
  io.write(string.format("ERRORS %d\\n", e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """Answers in a second; ``n_errors`` are answers that were no 200 (or 304), and broken connections."""

    per_s: float
    n_errors: int


def measure(address: str, paths: Sequence[str], *, clients: int, seconds: float, headers: Sequence[str] = ()) -> Rate:
    """How many of the paths are answered in a second."""
    if shutil.which("wrk"):
        return _wrk(address, paths, clients, seconds, headers)
    return asyncio.run(_own(address, paths, clients, seconds, headers))


def _wrk(address: str, paths: Sequence[str], clients: int, seconds: float, headers: Sequence[str]) -> Rate:
    with tempfile.TemporaryDirectory() as folder:
        script, listed = Path(folder, "paths.lua"), Path(folder, "paths")
        script.write_text(_WRK, "utf-8")
        listed.write_text("\n".join(paths) + "\n", "utf-8")
        sent = [part for header in headers for part in ("-H", header)]
        command = [
            "wrk",
            "-t1",
            f"-c{clients}",
            f"-d{seconds:.0f}s",
            "--timeout",
            "30s",
            *sent,
            "-s",
            str(script),
            address,
        ]
        done = subprocess.run([*command, "--", str(listed)], capture_output=True, text=True, check=True)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    errors = re.search(r"ERRORS (\d+)", done.stdout)
    assert rate is not None, done.stdout
    return Rate(float(rate[1]), int(errors[1]) if errors else 0)


async def _own(address: str, paths: Sequence[str], clients: int, seconds: float, headers: Sequence[str]) -> Rate:
    host, port = address.removeprefix("http://").split(":")
    more = "".join(f"{header}\r\n" for header in headers)
    requests = cycle([f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{more}\r\n".encode() for path in paths])
    ends = time.monotonic() + seconds
    answered = errors = 0

    async def client() -> None:
        nonlocal answered, errors
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.monotonic() < ends:
            writer.write(next(requests))
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if length is not None:
                await reader.readexactly(int(length[1]))
            elif b"hunked" in head:
                while (size := int(await reader.readline(), 16)) > 0:
                    await reader.readexactly(size + 2)
                await reader.readline()
            answered += 1
            errors += head[9:12] not in (b"200", b"304")
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return Rate(answered / seconds, errors)
