"""The OS user that PostgreSQL runs as: ourselves, or, because it refuses root, another one when we are root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from onemap.errors import ClusterError

_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An OS user, and whether we have to change to it."""

    uid: int
    gid: int
    switch: bool

    def run(self, command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program as this user; what it says comes back as one text."""
        running = self.start(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        said, _ = running.communicate()
        return subprocess.CompletedProcess(command, running.returncode, said.decode(errors="replace"))

    def start(self, command: list[str], *, cwd: Path, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
        """Start a program as this user, in a session of its own so that Ctrl-C does not reach it."""
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=_environment(),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
            umask=0o077,
            start_new_session=True,
        )

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can reach what is in a folder."""
        return self.run(["test", "-x", str(folder)], cwd=Path("/")).returncode == 0

    def own(self, folder: Path) -> None:
        """Make a folder, private to this user."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.switch:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)


def account_for(data: Path) -> Account:
    """
    The user to run a cluster as.

    Parameters
    ----------
    data
        The PostgreSQL data folder; whoever owns an existing one goes on.
    """
    ours = Account(os.geteuid(), os.getegid(), switch=False)
    owner = data.stat() if data.exists() else None
    if ours.uid != 0:
        if owner and owner.st_uid != ours.uid:
            name = _name(owner.st_uid)
            raise ClusterError(f"The database in {data} belongs to the OS user {name}: start as that user or as root.")
        return ours
    if owner and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, switch=True)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise ClusterError("PostgreSQL does not run as root and there is no OS user 'postgres' or 'nobody' to run it as.")


def _name(uid: int) -> str:
    try:
        return f"'{pwd.getpwuid(uid).pw_name}'"
    except KeyError:
        return str(uid)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C.UTF-8"}
