"""What every candidate would save whom, and what a choice of candidates is known to be worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onemap.engine.network.arrays import F64, I32, I64


@dataclass(frozen=True, slots=True)
class Savings:
    """
    What every candidate would save whom.

    Attributes
    ----------
    first : (n_candidate + 1,)
    demand : (n_pair,)
    saving : (n_pair,)
        Above 0; weight included.
    """

    n_demand: int
    first: I64
    demand: I32
    saving: F64

    @property
    def n_candidate(self) -> int:
        """How many candidates there are."""
        return len(self.first) - 1


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Chosen candidates and how good they are known to be.

    Attributes
    ----------
    rows
        Candidates, ascending.
    value
        What they save, or for LSCP how many they are.
    bound
        No choice can do better than this.
    method
        ``exact`` or ``swaps``.
    """

    rows: tuple[int, ...]
    value: float
    bound: float
    method: str

    @property
    def gap(self) -> float:
        """How far from the bound, as a share of it; 0 is proven best."""
        return abs(self.bound - self.value) / abs(self.bound) if self.bound else 0.0


def worth_of(savings: Savings, rows: tuple[int, ...]) -> float:
    """What a set of candidates saves together."""
    best = np.zeros(savings.n_demand)
    for row in rows:
        part = slice(savings.first[row], savings.first[row + 1])
        np.maximum.at(best, savings.demand[part], savings.saving[part])
    return float(best.sum())


def only(savings: Savings, rows: I64) -> Savings:
    """The savings of some candidates, in their order."""
    lengths = np.diff(savings.first)[rows]
    first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    at = np.repeat(savings.first[rows] - first[:-1], lengths) + np.arange(first[-1])
    return Savings(savings.n_demand, first, savings.demand[at], savings.saving[at])


def merged(savings: Savings) -> Savings:
    """
    Demand points that the same candidates cover, as one of their summed weight; unchanged where savings differ.

    Sets of candidates are compared by sums of random 64-bit numbers.
    """
    each = same_saving(savings)
    if each is None or len(savings.demand) == 0:
        return savings
    signature = np.zeros(savings.n_demand, dtype=np.uint64)
    mark = np.random.default_rng(64).integers(1, 2**63, savings.n_candidate, dtype=np.uint64)
    np.add.at(signature, savings.demand, np.repeat(mark, np.diff(savings.first)))
    _, kept, group = np.unique(signature, return_index=True, return_inverse=True)
    total = np.bincount(group.reshape(-1), weights=each, minlength=len(kept))
    is_kept = np.zeros(savings.n_demand, dtype=np.bool_)
    is_kept[kept] = True
    stays = is_kept[savings.demand]
    ends = np.concatenate([[0], np.cumsum(stays)])
    demand = group.reshape(-1)[savings.demand[stays]].astype(np.int32)
    return Savings(len(kept), ends[savings.first].astype(np.int64), demand, total[demand])


def same_saving(savings: Savings) -> F64 | None:
    """The saving of each demand point where all its candidates agree on it; None where they do not."""
    each = np.zeros(savings.n_demand)
    each[savings.demand] = savings.saving
    return each if np.array_equal(each[savings.demand], savings.saving) else None
