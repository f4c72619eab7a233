"""Which grid a place lies in and which grids are next to it, from a copy in memory; PostGIS stays the truth."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import shapely

from onemap.domain.layer import Catalog
from onemap.domain.scope import EVERYTHING
from onemap.store import frames
from onemap.store.db import Db

LAYER = "grids"
#: Grids that are drawn beside each other may miss each other by this much, degrees (about a metre).
_GAP = 1e-5


@dataclass(frozen=True, slots=True)
class Around:
    """The grid of a place, empty where there is none, and the grids beside it."""

    grid: str = ""
    neighbours: frozenset[str] = frozenset()


class GridNeighbours:
    """The grids of one process; all methods may be called from any thread."""

    def __init__(self, db: Db, catalog: Catalog) -> None:
        self._db, self._layer = db, catalog.layer(LAYER)
        self._reading = threading.Lock()
        self._held: _Held | None = None
        self._generation = 0

    def written(self, layer: str) -> None:
        """Forget the grids when their layer was written."""
        if layer == LAYER:
            self.forget()

    def forget(self) -> None:
        """Read anew at the next question."""
        self._generation += 1
        self._held = None

    @property
    def is_read(self) -> bool:
        """Whether a question is answered without asking the database."""
        return self._held is not None

    def around(self, lon: float, lat: float, grid: str = "") -> Around:
        """The grid of a place (or the one named, where it is known by name already) and those beside it."""
        return self._grids().around(lon, lat, grid)

    def _grids(self) -> _Held:
        held = self._held
        if held is not None:
            return held
        with self._reading:
            held = self._held
            if held is None:
                generation = self._generation
                with self._db.connection() as connection:
                    rows = frames.frame(connection, self._layer, EVERYTHING, fields=("grid_code",))
                held = _Held(rows["grid_code"].astype(str).tolist(), np.asarray(rows["geom"].array, dtype=object))
                if generation == self._generation:  # else grids were written meanwhile: this answer only
                    self._held = held
            return held


class _Held:
    def __init__(self, codes: list[str], shapes: np.ndarray) -> None:
        self._codes, self._shapes = codes, shapes
        self._row_of = {code: row for row, code in enumerate(codes)}
        self._tree = shapely.STRtree(shapes)
        self._found: dict[int, Around] = {}

    def around(self, lon: float, lat: float, grid: str) -> Around:
        row = self._row_of.get(grid)
        if row is None:
            inside = self._tree.query(shapely.Point(lon, lat), "intersects")
            if not len(inside):
                return Around(grid)
            row = int(inside.min())
        found = self._found.get(row)
        if found is None:
            beside = self._tree.query(self._shapes[row], "dwithin", distance=_GAP)
            codes = frozenset(self._codes[other] for other in beside.tolist() if other != row)
            found = self._found[row] = Around(self._codes[row], codes)
        return found
