"""One invented city for all tests of its parts: the fixtures' numbers at the moment of the screens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from onemap.demo import City, Table, invent
from onemap.demo.frame import local

NOW = datetime(2026, 9, 18, 11, 42, 8, tzinfo=UTC)
COMMUNITY = "990101001001"


@dataclass(frozen=True)
class Invented:
    """A city with all its rows, and its geometries in metres."""

    city: City
    tables: dict[str, Table]

    def metres(self, layer: str) -> NDArray[np.object_]:
        """The geometries of a layer in local metres."""
        return np.asarray(shapely.transform(self.tables[layer].geometry, local), dtype=object)

    def own(self, layer: str) -> NDArray[np.bool_]:
        """Which rows of a layer belong to the community rather than to its surroundings."""
        return np.asarray(self.tables[layer].columns["area_code"] == COMMUNITY)


@pytest.fixture(scope="package")
def invented() -> Invented:
    """The demo city as a first start loads it."""
    city = invent(seed=1, now=NOW)
    return Invented(city, city.tables())
