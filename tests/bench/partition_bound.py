"""
What no plan of an invented town of towers can pass: the proof that docs/partition.md speaks of.

    python tests/bench/partition_bound.py [--town 1 2 3] [--blocks 9]

Every connected set of atoms within the band is a column; the linear programme takes shares of columns that cover every
atom once. Its best mean Polsby-Popper is a bound for whole grids, by itself and with METIS's cut and boundary off
barriers as caps. Buildings above the maximum are grids of their own.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import numpy as np
import scipy.sparse as sp
from fabrics import fabric
from partition import measure
from partition_peers import GOAL, best_metis
from scipy.optimize import linprog

from onemap.engine.partition._pack import sets_in_band
from onemap.engine.partition.atoms import cut_atoms, weigh
from onemap.engine.partition.graph import Graph
from onemap.engine.partition.town import Town

CUT, OFF = 0.92, 0.80
#: What scipy calls it.
_INFEASIBLE = 2


def main() -> None:
    """A line for every town and set of caps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--town", type=int, nargs="+", default=[1], help="seeds of the towns")
    parser.add_argument("--blocks", type=int, default=9)
    args = parser.parse_args()
    for seed in args.town:
        made = fabric("towers", args.blocks, seed)
        frames = (made.buildings, made.streets, made.water, made.estates, made.boundary)
        town = Town.of(*frames, None, every_street_bridges=False)
        households = made.buildings["households"].to_numpy(dtype=np.float64)
        arcs, building_atom = cut_atoms(town.land)
        atoms, _ = weigh(arcs, building_atom, np.stack([households, households], axis=1), town.estate)
        rival = measure(atoms, best_metis(atoms, partial(measure, estate=town.estate)), town.estate)
        for cut, off in ((np.inf, np.inf), (CUT, OFF)):
            most = best_mean(atoms.graph, cut * 1000 * rival["cut_km"], off * 1000 * rival["off_barrier_km"])
            caps = "alone" if cut == np.inf else f"with cut <= {cut} x and off barriers <= {off} x"
            answer = (
                "no plan has both"
                if most is None
                else f"no more than {most:.4f}, {most / rival['polsby_popper']:.4f} x METIS"
            )
            sys.stdout.write(f"town {seed}, mean Polsby-Popper {caps}: {answer}\n")
            sys.stdout.flush()


def best_mean(graph: Graph, cut_m: float, off_m: float) -> float | None:
    """
    The largest mean Polsby-Popper of shares of grids within these caps, ``None`` where there are no such shares.

    The mean is a fraction; divided by the number of grids all shares become linear (Charnes and Cooper 1962): the last
    column is one over that number.
    """
    tall = GOAL.too_big(graph.weight)
    sets = sets_in_band(graph, np.flatnonzero(~tall).astype(np.int32), GOAL)
    if sets is None:
        raise SystemExit("Too many sets of atoms are in band here.")
    n_set, n_row = len(sets.begin) - 1, len(sets.atoms)
    holds = sp.csc_matrix((np.ones(len(sets.member)), sets.member, sets.begin), shape=(n_row, n_set))
    worth = figures(
        graph, sp.csr_matrix((np.ones(n_row), (sets.atoms, np.arange(n_row))), (graph.n_atom, n_row)) @ holds
    )
    towers = np.flatnonzero(tall)
    alone = figures(
        graph, sp.csc_matrix((np.ones(len(towers)), (towers, np.arange(len(towers)))), (graph.n_atom, len(towers)))
    ).sum(axis=1)
    every = np.column_stack([worth, alone])
    caps = [row for row in ((1, cut_m), (2, off_m)) if np.isfinite(row[1])]
    answer = linprog(
        -every[0],
        A_ub=np.array([np.append(every[k, :-1], every[k, -1] - cap) / 1000 for k, cap in caps]) if caps else None,
        b_ub=np.zeros(len(caps)) if caps else None,
        A_eq=sp.vstack(
            [sp.hstack([holds, sp.csc_matrix(-np.ones((n_row, 1)))]), np.append(np.ones(n_set), len(towers))[None, :]]
        ).tocsc(),
        b_eq=np.append(np.zeros(n_row), 1.0),
        method="highs-ds",
    )
    if answer.status == _INFEASIBLE:
        return None
    if answer.status != 0:
        raise SystemExit(answer.message)
    return float(-answer.fun)


def figures(graph: Graph, holds: sp.spmatrix) -> np.ndarray:
    """(3, n_set) Polsby-Popper, half of the cut and half of what of it is off barriers, in metres."""
    row = graph.row()

    def within(metres: np.ndarray) -> np.ndarray:
        edges = sp.csr_matrix((metres, (row, graph.to)), (graph.n_atom, graph.n_atom))
        return np.asarray(holds.multiply(edges @ holds).sum(axis=0)).ravel()

    def across(metres: np.ndarray) -> np.ndarray:
        return np.asarray(holds.T @ np.bincount(row, metres, graph.n_atom)) - within(metres)

    outline = holds.T @ graph.perimeter_m - within(graph.length_m)
    pp = 4 * np.pi * (holds.T @ graph.area_m2) / outline**2
    return np.stack([pp, across(graph.length_m) / 2, across(graph.length_m - graph.barrier_m) / 2])


if __name__ == "__main__":
    main()
