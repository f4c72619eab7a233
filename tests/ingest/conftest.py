"""A street of ten invented buildings, written in whatever format a test asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from onemap.domain.layer import Catalog
from onemap.ingest.child import decode_here
from onemap.ingest.publish import Importer, Options
from onemap.store.db import Db

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "layers" / "rules"
N = 10


@pytest.fixture
def street() -> gpd.GeoDataFrame:
    """Ten buildings as a community writes them down: Chinese columns, Chinese words."""
    return invented_street()


def invented_street() -> gpd.GeoDataFrame:
    """The frame of :func:`street`."""
    lon, lat = 117.28 + np.arange(N) * 0.0005, np.full(N, 31.7)
    table = pd.DataFrame(
        {
            "编号": [f"LD{i:03d}" for i in range(N)],
            "名称": [f"{i + 1}号楼" for i in range(N)],
            "用途": ["住宅", "商业"] * (N // 2),
            "层数": [6 + i for i in range(N)],
            "户数": [24] * N,
        }
    )
    return gpd.GeoDataFrame(table, geometry=list(shapely.box(lon, lat, lon + 0.0002, lat + 0.0003)), crs=4490)


@pytest.fixture
def importer(db: Db, catalog: Catalog) -> Importer:
    """An importer into an empty map; it reads in this process, for a process of its own takes a second to start."""
    return Importer(db, catalog, RULES, decode=decode_here)


@pytest.fixture
def careful_importer(db: Db, catalog: Catalog) -> Importer:
    """An importer into an empty map that reads in a limited process, as people's imports do."""
    return Importer(db, catalog, RULES)


@pytest.fixture
def rows_of(db: Db) -> Callable[[str], list[Any]]:
    """What the database holds: ``rows_of("SELECT …")``."""

    def ask(query: str) -> list[Any]:
        with db.connection() as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    return ask


def bring(importer: Importer, layer: str, path: Path, **options: Any) -> dict[str, int]:
    """Import a file; the five counts of its layer."""
    return importer.file(layer, path, Options(**options)).layers[layer]
