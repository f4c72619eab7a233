"""Rows of one layer as columns with their geometry: what the generator hands out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from onemap.demo import frame
from onemap.demo.arrays import I64, Objects

Column = NDArray[Any]


@dataclass(frozen=True)
class Table:
    """Columns of equal length and, where it is a layer, a geometry (degrees, EPSG:4490) per row."""

    columns: Mapping[str, Column]
    geometry: Objects | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def take(self, order: I64) -> Table:
        """The rows in another order."""
        geometry = None if self.geometry is None else self.geometry[order]
        return Table({name: column[order] for name, column in self.columns.items()}, geometry)

    def frame(self) -> geopandas.GeoDataFrame:
        """The rows as a GeoDataFrame."""
        columns = {
            name: column.tolist() if isinstance(column, np.ma.MaskedArray) else column
            for name, column in self.columns.items()
        }
        return geopandas.GeoDataFrame(columns, geometry=self.geometry, crs=f"EPSG:{frame.GEODETIC}")


def texts(values: object) -> Column:
    """A column of text."""
    return np.array(values, dtype=object)


def missing(n: int, kind: type = np.int64) -> Column:
    """A column in which nothing is known."""
    return np.ma.masked_all(n, dtype=kind)


def stack(tables: Sequence[Table]) -> Table:
    """The rows of several tables, one after the other."""
    columns: dict[str, Column] = {}
    for name in tables[0].columns:
        parts = [t.columns[name] for t in tables]
        masked = any(isinstance(p, np.ma.MaskedArray) for p in parts)
        columns[name] = np.ma.concatenate(parts) if masked else np.concatenate(parts)
    shapes = [t.geometry for t in tables if t.geometry is not None]
    return Table(columns, np.concatenate(shapes) if shapes else None)


def by_place(table: Table) -> Table:
    """Rows along a Hilbert curve: neighbours on the ground are neighbours on disk."""
    if table.geometry is None or len(table) < 2:
        return table
    centres = shapely.get_coordinates(shapely.centroid(table.geometry))
    low, span = centres.min(axis=0), np.ptp(centres, axis=0) + 1e-12
    cell = np.minimum((centres - low) / span * 65535, 65535).astype(np.int64)
    return table.take(np.argsort(hilbert(cell[:, 0], cell[:, 1]), kind="stable").astype(np.int64))


def hilbert(x: I64, y: I64, bits: int = 16) -> I64:
    """The distance (n,) along a Hilbert curve of cells (n,) x (n,) of a square of 2**bits a side."""
    x, y = x.copy(), y.copy()
    d = np.zeros_like(x)
    s = 1 << (bits - 1)
    while s:
        rx, ry = ((x & s) > 0).astype(np.int64), ((y & s) > 0).astype(np.int64)
        d += s * s * ((3 * rx) ^ ry)
        flip = ry == 0
        mirror = flip & (rx == 1)
        x[mirror], y[mirror] = s - 1 - x[mirror], s - 1 - y[mirror]
        x[flip], y[flip] = y[flip], x[flip].copy()
        s >>= 1
    return d
