"""Where a cluster stands: its folders, also when the OS user that runs it cannot reach the one that was asked for."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from onemap.errors import ClusterError
from onemap.store.cluster.account import Account, account_for

ELSEWHERE = Path("/var/lib/onemap")
_POINTER = "stands-in"
_OURS = frozenset({"data", "data.new", "log", "socket", "start.lock", "users.lock", _POINTER})
_LONGEST_SOCKET = 100  # the kernel takes 107 bytes


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one cluster and the OS user who owns them."""

    folder: Path
    account: Account

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """A week of log files."""
        return self.folder / "log"

    @property
    def socket(self) -> Path:
        """The folder of the Unix socket; a short one where the cluster's own path is too long for a socket."""
        inside = self.folder / "socket"
        if len(os.fsencode(inside / ".s.PGSQL.5432")) < _LONGEST_SOCKET:
            return inside
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path("/tmp") / f"onemap-{self.account.uid}-{digest}"  # noqa: S108 - made and checked below

    @property
    def start_lock(self) -> Path:
        """Held while somebody starts or stops the server."""
        return self.folder / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by everybody who uses the server."""
        return self.folder / "users.lock"

    def make_folders(self) -> None:
        """Make what is missing; refuse a socket folder that somebody else laid there."""
        for folder in (self.folder, self.log, self.socket):
            if not os.path.lexists(folder):
                self.account.own(folder)
            found = folder.lstat()
            private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
            if not private or found.st_uid != self.account.uid:
                raise ClusterError(f"{folder} must be a folder that only the OS user {self.account.uid} can enter.")
        for lock in (self.start_lock, self.users_lock):
            self.open(lock, "ab").close()

    def open(self, path: Path, mode: str) -> IO[bytes]:
        """Open a file of the cluster for its owner, never through a link that was laid there."""
        file = open(path, mode, opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o600))  # noqa: SIM115
        if self.account.switch:
            os.fchown(file.fileno(), self.account.uid, self.account.gid)
        return file

    def remove(self, asked: Path) -> None:
        """Delete every folder of the cluster."""
        for folder in (self.socket, self.folder, asked):
            if folder.exists():
                shutil.rmtree(folder)


def settle(asked: Path, elsewhere: Path = ELSEWHERE) -> Home:
    """
    The home of the cluster that was asked for in a folder, made when it is new.

    As root the cluster runs as another OS user, who cannot enter a folder such as root's home. The cluster then stands
    under ``elsewhere`` and a file in the folder that was asked for says where.
    """
    asked = asked.absolute()
    try:
        asked.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_in(asked):
            return _settle(asked, elsewhere)
    except PermissionError as denied:
        place = denied.filename or asked
        raise ClusterError(f"The folder {place} for the database cannot be used: permission denied.") from denied
    except (FileExistsError, NotADirectoryError) as clash:
        raise ClusterError(f"{clash.filename or asked} is in the way: the database needs a folder there.") from clash


def _settle(asked: Path, elsewhere: Path) -> Home:
    strange = sorted({each.name for each in asked.iterdir()} - _OURS)
    if strange:
        raise ClusterError(f"{asked} holds other things ('{strange[0]}'): give the database a folder of its own.")
    pointer = asked / _POINTER
    folder = Path(pointer.read_text().strip()) if pointer.exists() else asked
    if folder != asked and not folder.is_dir():
        raise ClusterError(
            f"The database stood in {folder}, which is gone: restore it, or delete {pointer} to start anew."
        )
    account = account_for(folder / "data")
    if account.switch and folder == asked:
        asked.chmod(0o700)
        if not account.can_enter(asked.parent):
            folder = _place_elsewhere(pointer, account, elsewhere)
        else:
            account.own(asked)
    home = Home(folder, account)
    home.make_folders()
    return home


def _place_elsewhere(pointer: Path, account: Account, elsewhere: Path) -> Path:
    elsewhere.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not account.can_enter(elsewhere):
        raise ClusterError(
            f"PostgreSQL does not run as root, and OS user {account.uid} can enter neither {pointer.parent} "
            f"nor {elsewhere}: set ONEMAP_DATA to a folder that all users can reach, such as /srv/onemap."
        )
    folder = elsewhere / f"cluster-{secrets.token_hex(4)}"
    account.own(folder)
    pointer.write_text(f"{folder}\n")
    return folder


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
