"""Which PostgreSQL of this machine we can use: major 17, 16 or 15, with PostGIS beside it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from onemap.errors import ClusterError

MAJORS = (17, 16, 15)
_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Programs:
    """The server programs of one PostgreSQL installation."""

    major: int
    folder: Path

    def __getitem__(self, name: str) -> str:
        """The path of one program."""
        return str(self.folder / name)


def find_programs(major: int | None = None, folders: list[Path] | None = None) -> Programs:
    """
    The newest usable installation, or the one of the major version that a cluster was made with.

    Parameters
    ----------
    major
        Only this version will do.
    folders
        Where to look instead of this machine's usual places.
    """
    found = [_programs(folder) for folder in (list(_folders()) if folders is None else folders)]
    usable = [each for each in found if each and each.major in MAJORS]
    fitting = [each for each in usable if major is None or each.major == major]
    with_postgis = [each for each in fitting if _has_postgis(each)]
    if with_postgis:
        return max(with_postgis, key=lambda each: each.major)
    if fitting:
        version = max(each.major for each in fitting)
        raise ClusterError(f"PostgreSQL {version} has no PostGIS: install postgresql-{version}-postgis-3.")
    if usable:
        others = ", ".join(str(each.major) for each in usable)
        raise ClusterError(
            f"The cluster was made by PostgreSQL {major}, but this machine has {others}: "
            f"install postgresql-{major}-postgis-3, or move the data over with pg_dump and pg_restore."
        )
    raise ClusterError("No PostgreSQL 15, 16 or 17 is installed: run 'make setup', or set ONEMAP_DATABASE_URL.")


def _folders() -> Iterator[Path]:
    yield from sorted(_DEBIAN.glob("*/bin"))
    on_path = shutil.which("postgres", path=os.environ.get("PATH", ""))
    if on_path:
        yield Path(on_path).resolve().parent


def _programs(folder: Path) -> Programs | None:
    if not all((folder / name).exists() for name in ("postgres", "initdb", "pg_ctl")):
        return None
    version = re.search(r"\d+", _output([str(folder / "postgres"), "--version"]))
    return Programs(int(version[0]), folder) if version else None


def _has_postgis(programs: Programs) -> bool:
    prefix = programs.folder.parent
    shares = [prefix / "share", prefix / "share" / "postgresql"]
    if prefix.parent == _DEBIAN:
        shares.append(Path("/usr/share/postgresql") / prefix.name)
    elif (programs.folder / "pg_config").exists():
        shares.append(Path(_output([programs["pg_config"], "--sharedir"]).strip()))
    return any((share / "extension" / "postgis.control").exists() for share in shares)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout
