"""Decoding of foreign data in a process of its own, with limits on memory and time.

A file that makes GDAL, GEOS or libosmium swell or hang takes this process down, not the importer. The parent sends one
JSON document; the child leaves arrow files in a folder and answers with one JSON document. What it does is in
:mod:`onemap.ingest.decode` and :mod:`onemap.ingest.decode_osm`.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onemap.errors import InputRefused, OneMapError, UsageError
from onemap.ingest.source import Kind

Tell = Callable[[float, float], None]

_MEMORY, _REFUSED = 4, 3
_MEMORY_SIGNS = ("MemoryError", "bad_alloc", "malloc of size", "failed to map segment", "Cannot allocate memory")
#: Formats of GDAL that are not on our list.
_SKIPPED = (
    "ADBC", "AIVector", "AVCBin", "AVCE00", "AmigoCloud", "CSV", "CSW", "Carto", "DGN", "DXF", "EDIGEO", "EEDA",
    "ESRIJSON", "Elasticsearch", "GDALG", "GML", "GPSBabel", "GPX", "GTFS", "GeoRSS", "HTTP", "Idrisi", "JML", "JSONFG",
    "KML", "LIBKML", "LVBAG", "MBTiles", "MVT", "MapInfo File", "MapML", "MiraMonVector", "NGW", "OAPIF", "ODS",
    "OGCAPI", "OGR_GMT", "OGR_PDS", "OGR_VRT", "OSM", "OpenFileGDB", "PCIDSK", "PDF", "PDS4", "PGDUMP", "PLSCENES",
    "PMTiles", "S57", "SQLite", "SXF", "Selafin", "TopoJSON", "VDV", "VFK", "VICAR", "WAsP", "WFS", "XLSX",
)  # fmt: skip
#: What GDAL may not do in the child: look around, reach out, or open formats that are not on the list.
_GDAL = {
    "GDAL_SKIP": ",".join(_SKIPPED),
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_NUM_THREADS": "1",
    "PROJ_NETWORK": "OFF",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}  # fmt: skip
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "PROJ_DATA",
    "GDAL_DATA",
    "LD_LIBRARY_PATH",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the decoding of one file may take."""

    memory_mb: int = 4096
    time_s: int = 900


def decode_in_child(job: dict[str, Any], limits: Limits, tell: Tell | None = None) -> dict[str, Any]:
    """The child's answer to a job; ``InputRefused`` with its sentence, or with what became of it."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | _GDAL
    with subprocess.Popen(
        [sys.executable, "-m", "onemap.ingest.child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment, text=True, encoding="utf-8",
    ) as process:  # fmt: skip
        watch = threading.Timer(limits.time_s, process.kill)
        watch.start()
        try:
            answer, errors = _converse(process, job | {"memory_mb": limits.memory_mb, "time_s": limits.time_s}, tell)
        finally:
            watch.cancel()
            process.kill()
    if answer is not None and "error" not in answer:
        return answer
    raise _refusal(job["name"], answer, process.returncode, limits, errors)


def decode_here(job: dict[str, Any], limits: Limits, tell: Tell | None = None) -> dict[str, Any]:
    """The answer to a job, in this process and without limits; for files of our own making."""
    del limits
    folder = Path(job["folder"])
    # the libraries come after the child's limits, and only those that the job needs
    if job["kind"] == Kind.OSM:
        from onemap.ingest.decode_osm import decode_osm  # noqa: PLC0415

        return decode_osm(job, folder, tell or (lambda _done, _total: None))
    from onemap.ingest.decode import decode_file  # noqa: PLC0415

    return decode_file(job, folder)


def _converse(
    process: subprocess.Popen[str], job: dict[str, Any], tell: Tell | None
) -> tuple[dict[str, Any] | None, str]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("The child was not started with pipes.")
    errors: list[str] = []
    drain = threading.Thread(target=errors.extend, args=(process.stderr,), daemon=True)
    drain.start()
    with suppress(BrokenPipeError):  # a child that is gone already says so by its exit code
        json.dump(job, process.stdin)
        process.stdin.close()
    answer = None
    for line in process.stdout:
        if not line.endswith("\n"):
            continue  # the last words of a child that was killed
        said = json.loads(line)
        if "done" not in said:
            answer = said
        elif tell is not None:
            tell(said["done"], said["total"])
    process.wait()
    drain.join()
    return answer, "".join(errors)


def _refusal(name: str, answer: dict[str, Any] | None, code: int | None, limits: Limits, errors: str) -> Exception:
    if answer is not None and code == _REFUSED:
        kind = UsageError if answer["class"] == "UsageError" else InputRefused
        return kind(answer["error"])
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return InputRefused(f"'{name}' took more than {limits.time_s} s to read and was given up.")
    if code == _MEMORY or any(sign in errors for sign in _MEMORY_SIGNS):
        return InputRefused(f"'{name}' needs more than {limits.memory_mb} MB of memory to read and was given up.")
    if code is not None and code < 0:
        return InputRefused(f"'{name}' brought its reader down ({signal.Signals(-code).name}) and was given up.")
    last = errors.strip().splitlines()[-1] if errors.strip() else f"code {code}"
    return InputRefused(f"'{name}' cannot be read: its reader failed ({last[:300]}).")


def main() -> int:
    """Do the job on standard input within its limits."""
    job = json.load(sys.stdin)
    memory = int(job["memory_mb"]) * 1024**2
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (int(job["time_s"]), int(job["time_s"]) + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _say(decode_here(job, Limits(), lambda done, total: _say({"done": done, "total": total})))
    except OneMapError as refused:
        _say({"error": str(refused), "class": type(refused).__name__})
        return _REFUSED
    except MemoryError:
        return _MEMORY
    return 0


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
