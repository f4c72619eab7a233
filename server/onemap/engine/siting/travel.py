"""Who could walk to which candidate: one bounded search per candidate, kept as a sparse table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from onemap.engine.network.arrays import F64, I32, I64
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.engine.network.reach import as_sources
from onemap.engine.network.walks import Demand, walks_from
from onemap.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Travel:
    """
    Walks from demand to candidates, candidate by candidate.

    Attributes
    ----------
    n_demand
        How many demand points there are.
    first : (n_candidate + 1,)
        Where each candidate's walks begin.
    demand, seconds : (n_walk,)
        Demand row and seconds; walks that do not exist are beyond the budget.
    """

    n_demand: int
    first: I64
    demand: I32
    seconds: F64

    @property
    def n_candidate(self) -> int:
        """How many candidates there are."""
        return len(self.first) - 1

    @classmethod
    def from_matrix(cls, seconds: F64) -> Travel:
        """From a full table (n_candidate, n_demand); ``inf`` where there is no walk."""
        candidate, demand = np.nonzero(np.isfinite(seconds))
        first = np.searchsorted(candidate, np.arange(len(seconds) + 1)).astype(np.int64)
        return cls(seconds.shape[1], first, demand.astype(np.int32), seconds[candidate, demand])


def travel(
    network: Network, candidates: Places, demand: Places, *, budget_s: float = np.inf, threads: int = 2
) -> Travel:
    """
    Seconds from every demand point to every candidate within the budget, both walks to the street included.

    Parameters
    ----------
    candidates, demand
        Snapped points; those without a street have no walks.
    """
    if not budget_s > 0.0:
        raise InvalidValue(f"A budget of {budget_s:g} seconds cannot be used: it must be more than 0.")
    on_edges = Demand.on(network, demand)
    sources = as_sources(network, candidates)
    where = np.argsort(sources.row)
    rows = sources.row[where]

    def work(part: I64) -> tuple[I64, I32, F64]:
        return walks_from(network, sources, part, on_edges, budget_s)

    parts = np.array_split(where, max(1, min(threads * 4, len(where))))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        pieces = list(pool.map(work, parts))
    per_candidate = np.zeros(len(candidates), dtype=np.int64)
    per_candidate[rows] = np.concatenate([piece[0] for piece in pieces])
    first = np.concatenate([[0], np.cumsum(per_candidate)]).astype(np.int64)
    return Travel(
        len(demand),
        first,
        np.concatenate([piece[1] for piece in pieces]),
        np.concatenate([piece[2] for piece in pieces]),
    )
