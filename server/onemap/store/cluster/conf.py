"""PostgreSQL's settings for a cluster of ours, by the memory of the machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from onemap.store.cluster.home import Home

MIB = 1024 * 1024
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_SHARED = Path("/dev/shm")  # noqa: S108 - looked at, never written

HBA = "# Only through the socket, whose folder only the owner can enter.\nlocal all onemap trust\n"


def settings(home: Home, *, durable: bool, memory_b: int | None = None) -> str:
    """
    The text of ``onemap.conf``, which ``postgresql.conf`` includes.

    Parameters
    ----------
    home
        The cluster's folders.
    durable
        False for a throw-away cluster, which forgets on a crash and is faster.
    memory_b
        Bytes the machine has; measured when absent.
    """
    memory_mib = (memory_b or _memory_b()) // MIB
    values = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(home.socket),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": f"{min(max(memory_mib // 8, 64), 4096 if durable else 128)}MB",
        "effective_cache_size": f"{max(memory_mib // 2, 256)}MB",
        "maintenance_work_mem": f"{min(max(memory_mib // 32, 64), 1024)}MB",
        "work_mem": f"{min(max(memory_mib // 512, 4), 32)}MB",
        "random_page_cost": "1.1",
        "jit": "off",
        "wal_compression": "on",
        "max_wal_size": "4GB",
        "synchronous_commit": "on" if durable else "off",
        "fsync": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "lc_messages": "C.UTF-8",
        "logging_collector": "on",
        "log_directory": str(home.log),
        "log_filename": "postgresql-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
    }
    if _small_shared_memory():
        values["dynamic_shared_memory_type"] = "mmap"
    lines = [f"{name} = '{value.replace("'", "''")}'" for name, value in values.items()]
    return "\n".join(["# Written by onemap at every start; changes belong in postgresql.auto.conf.", *lines, ""])


def _memory_b() -> int:
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.exists() else "max"
    return min(physical, int(limit)) if limit.isdigit() else physical


def _small_shared_memory() -> bool:
    return not _SHARED.is_dir() or shutil.disk_usage(_SHARED).free < 256 * MIB
