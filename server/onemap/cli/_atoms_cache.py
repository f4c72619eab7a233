"""Atoms on disk, by what they were cut from: a second run on the same ground starts at zoning."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shapely

from onemap.engine.geometry.types import I32
from onemap.engine.partition.arcs import Arcs
from onemap.engine.partition.ground import Land

#: Raised whenever atoms of the same ground come out differently.
_VERSION = "5"
_KEPT = 12
_COLUMNS = ("left", "right", "start", "end", "kind", "joins", "xy", "given")

type Cut = tuple[Arcs, I32]


class AtomsCache:
    """A folder of atoms; the oldest leave when there are many."""

    def __init__(self, folder: Path | None = None) -> None:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.folder = folder or base / "onemap" / "atoms"

    def get(self, land: Land, cut: Callable[[], Cut]) -> Cut:
        """The atoms of this land, read if they were cut before."""
        path = self.folder / f"{_key(land)}.npz"
        known = _read(path)
        if known is not None:
            return known
        arcs, building_atom = cut()
        try:
            self._write(path, arcs, building_atom)
        except OSError:
            path.unlink(missing_ok=True)  # a cache that cannot be written is no reason to fail
        return arcs, building_atom

    def _write(self, path: Path, arcs: Arcs, building_atom: I32) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
        with unfinished.open("wb") as file:
            columns = {name: getattr(arcs, name) for name in _COLUMNS}
            np.savez(file, building_atom=building_atom, n_atom=arcs.n_atom, **columns)
        unfinished.replace(path)
        oldest_first = sorted(self.folder.glob("*.npz"), key=lambda p: p.stat().st_mtime)
        for old in oldest_first[:-_KEPT]:
            old.unlink(missing_ok=True)


def _read(path: Path) -> Cut | None:
    try:
        with np.load(path) as kept:
            columns = {name: kept[name] for name in _COLUMNS}
            return Arcs(**columns, n_atom=int(kept["n_atom"])), kept["building_atom"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None


def _key(land: Land) -> str:
    digest = hashlib.sha256(_VERSION.encode())
    for shapes in (
        np.array([land.boundary]),
        land.buildings,
        land.barriers,
        land.water,
        land.crossings,
        land.districts,
    ):
        for wkb in shapely.to_wkb(shapes):
            digest.update(wkb or b"-")
        digest.update(b"|")
    digest.update(land.barrier_kind.tobytes())
    return digest.hexdigest()[:40]
