"""The city into the database: parts made beside the loading, in processes of their own where the city is large."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from shapely import Polygon

from onemap.demo.city import City
from onemap.demo.rows import Columns, Rows, rows
from onemap.store import demo as store
from onemap.store.db import Connection

type Progress = Callable[[float, float, str], None]

#: Communities that one process makes in a row: neighbours share what is built between them.
_CHUNK = 5


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded: rows per table."""

    seed: int
    scale: int
    households: int
    counts: dict[str, int]


def load(connection: Connection, city: City, progress: Progress, *, n_processes: int = 2) -> Loaded:
    """
    Replace what the database holds by the city, in one transaction.

    A crash half-way leaves everything as it was. The caller has made sure that what is there may go.
    """
    shape = store.shape(connection)
    total = len(city.heads) + 1
    with store.replacing(connection) as writer:
        for done, part in enumerate(_parts(city, shape.columns, shape.multi, n_processes), start=1):
            for table in part:
                writer.copy(table.schema, table.table, table.columns, table.csv)
                writer.count(table.schema, table.table, table.n)
            progress(done, total + max(1, total // 8), "demo city 虚拟数据")
        writer.note(
            {"seed": city.seed, "scale": len(city.heads), "households": city.households, "now": city.now.isoformat()}
        )
    progress(1, 1, "demo city 虚拟数据")
    return Loaded(city.seed, len(city.heads), city.households, dict(writer.counts))


def _parts(city: City, known: Columns, multi: frozenset[str], n_processes: int) -> Iterator[list[Rows]]:
    grounds: dict[str, Polygon] = {}
    make = partial(_make, city, known, multi)
    chunks = [range(k, min(k + _CHUNK, len(city.heads))) for k in range(0, len(city.heads), _CHUNK)]
    if len(chunks) == 1 or n_processes < 2:
        for chunk in chunks:
            for encoded, ground in make(chunk):
                grounds |= ground
                yield encoded
    else:
        for encoded, ground in _beside(make, chunks, n_processes):
            grounds |= ground
            yield encoded
    yield rows(city.closing(grounds), 0, multi, known)


_Made = tuple[list[Rows], dict[str, Polygon]]


def _beside(make: Callable[[range], list[_Made]], chunks: list[range], n_processes: int) -> Iterator[_Made]:
    """What other processes make, in order, never more than a few chunks ahead of the loading."""
    with ProcessPoolExecutor(n_processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting: list[Future[list[_Made]]] = []
        rest = list(chunks)
        try:
            while rest or waiting:
                while rest and len(waiting) < n_processes + 1:
                    waiting.append(pool.submit(make, rest.pop(0)))
                yield from waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()


def _make(city: City, known: Columns, multi: frozenset[str], chosen: range) -> list[_Made]:
    return [
        (rows(part, plan, multi, known), {part.area_code: part.ground})
        for plan, part in zip((k + 1 for k in chosen), city.communities(chosen), strict=True)
    ]
