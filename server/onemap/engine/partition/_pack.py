"""
Grids of few buildings, chosen all at once.

Every connected set of atoms within the band is a column, and HiGHS picks the columns that cover each atom once at the
least cost. Where a grid holds three or four towers, moving one at a time soon finds nothing better; picking whole grids
does. Fine fabric has far too many sets, which :func:`pack` notices and leaves alone.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from onemap.engine._jit import kernel
from onemap.engine.geometry.types import F64, I32, I64, Bools
from onemap.engine.partition import _anneal
from onemap.engine.partition._seed import subgraph
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.graph import Graph

#: Atoms of a grid at most; sets for each grid, and in all, at most.
_MOST_ATOMS, _SETS_PER_GRID, _MOST_SETS = 8, 2500, 250_000
#: Sets for each atom that the relaxation starts with, and that are chosen from in the end; how often it may take in
#: others, and from what gain on; branches at most.
_TRIED_PER_ATOM, _KEPT_PER_ATOM, _PRICINGS, _WORTHWHILE, _BRANCHES, _GAP = 30, 3, 4, 0.01, 200, 1e-4
#: How far the mean grid may be from the target, or as far as to the next whole number of grids.
_OFF_TARGET = 0.05


@dataclass(frozen=True, slots=True)
class Sets:
    """Sets of positions in ``atoms``, one after the other, and where each begins."""

    atoms: I32
    member: I32
    begin: I64


def sets_in_band(graph: Graph, atoms: I32, goal: Goal) -> Sets | None:
    """Every connected set of these atoms that is within the band; ``None`` where they are too many."""
    first, to, _ = subgraph(graph, atoms)
    weight = graph.weight[atoms]
    most = int(min(_MOST_SETS, _SETS_PER_GRID * max(1.0, weight[:, 0].sum() / goal.band[0, _anneal.TARGET])))
    member, begin, many = _sets(first, to, weight, goal.band, goal.logic_code, _MOST_ATOMS, most, most * _MOST_ATOMS)
    return None if many else Sets(atoms, member, begin)


def pack(
    graph: Graph, sets: Sets, present: I32, goal: Goal, weights: F64, compact: float, relief: float = 0.0
) -> I32 | None:
    """
    (n_atom of the sets,) a grid for each atom, every one of the sets or one of the ``present`` grids.

    ``None`` where nothing better than the present grids was found. ``compact`` is the Polsby-Popper value of the usual
    grid: one more grid is worth it only above that.
    A metre on a barrier costs ``relief`` less than its kind says.
    """
    graph = replace(graph, cost_m=graph.cost_m - relief * graph.barrier_m)
    today = _present_sets(sets.atoms, present)
    member = np.concatenate([sets.member, today.member])
    begin = np.concatenate([sets.begin, len(sets.member) + today.begin[1:]])
    cost = _costs(graph, Sets(sets.atoms, member, begin), goal, weights, compact)
    n_today = len(today.begin) - 1
    covers = sp.csc_matrix((np.ones(len(member)), member, begin), shape=(len(sets.atoms), len(cost)))
    weight = graph.weight[sets.atoms, 0]
    n_ideal = float(weight.sum()) / goal.band[0, _anneal.TARGET]
    chosen = _chosen(covers, cost, np.maximum(covers.T @ weight, 1.0), n_ideal, n_today)
    if chosen is None or cost[chosen].sum() >= cost[-n_today:].sum():
        return None
    grid = np.full(len(sets.atoms), -1, dtype=np.int32)
    for number, column in enumerate(chosen):
        grid[member[begin[column] : begin[column + 1]]] = number
    return grid


def _chosen(covers: sp.csc_matrix, cost: F64, weight: F64, n_ideal: float, n_today: int) -> I64 | None:
    """
    The columns that cover every row once, about ``n_ideal`` of them, at the least cost; the last are today's.

    The relaxation starts with the columns that are cheap for their ``weight`` and takes in others that its prices call
    for; the columns nearest to its prices are then chosen from.
    """
    n_atom, n_set = covers.shape
    today = np.arange(n_set - n_today, n_set)
    fewest = min(np.ceil(n_ideal / (1 + _OFF_TARGET)), np.floor(n_ideal), n_today)
    most = max(np.floor(n_ideal / (1 - _OFF_TARGET)), np.ceil(n_ideal), n_today)
    reduced = cost - float(np.median(cost / weight)) * weight
    kept = np.union1d(_least(reduced, _TRIED_PER_ATOM * n_atom), today)
    sign, limit = 0.0, 0.0
    for _ in range(_PRICINGS):
        found = _relaxed(covers[:, kept], cost[kept], sign, limit)
        if found is None:
            return None
        n_column, price, per_column = found
        reduced = cost - covers.T @ price - per_column
        dear = _least(reduced, _TRIED_PER_ATOM * n_atom)
        missing = np.setdiff1d(dear[reduced[dear] < -_WORTHWHILE], kept)
        if not sign and not fewest <= n_column <= most:
            sign = 1.0 if n_column > most else -1.0
            limit = most if sign > 0 else -fewest
        elif not len(missing):
            break
        kept = np.union1d(kept, missing)
    kept = np.union1d(_least(reduced, _KEPT_PER_ATOM * n_atom), today)
    answer = milp(
        cost[kept],
        constraints=[
            LinearConstraint(covers[:, kept], np.ones(n_atom), np.ones(n_atom)),
            LinearConstraint(np.ones((1, len(kept))), fewest, most),
        ],
        integrality=np.ones(len(kept)),
        bounds=Bounds(0, 1),
        options={"node_limit": _BRANCHES, "mip_rel_gap": _GAP},
    )
    return None if answer.x is None else np.asarray(kept[answer.x > 0.5])


def _least(value: F64, count: int) -> I64:
    return np.argsort(value, kind="stable")[:count]


def _relaxed(covers: sp.csc_matrix, cost: F64, sign: float, limit: float) -> tuple[float, F64, float] | None:
    """
    How many columns the relaxation takes, what it pays for every row, and for a column.

    With a ``sign``, sign x columns <= ``limit``. ``None`` where HiGHS gives up.
    """
    n_atom, n_set = covers.shape
    count = sp.csr_matrix(np.full((1, n_set), sign)) if sign else None
    answer = linprog(
        cost, A_ub=count, b_ub=[limit] if sign else None, A_eq=covers, b_eq=np.ones(n_atom), method="highs-ds"
    )
    if answer.status != 0:
        return None
    per_column = sign * float(answer.ineqlin.marginals[0]) if sign else 0.0
    return float(answer.x.sum()), np.asarray(answer.eqlin.marginals), per_column


def _present_sets(atoms: I32, present: I32) -> Sets:
    order = np.argsort(present, kind="stable").astype(np.int32)
    ends = np.flatnonzero(np.diff(present[order])) + 1
    return Sets(atoms, order, np.concatenate([[0], ends, [len(atoms)]]).astype(np.int64))


def _costs(graph: Graph, sets: Sets, goal: Goal, weights: F64, compact: float) -> F64:
    """(n_set,) what each set costs as a grid, in the measure of :func:`onemap.engine.partition._anneal`."""
    position = np.full(graph.n_atom, -1, dtype=np.int64)
    position[sets.atoms] = np.arange(len(sets.atoms))
    return np.asarray(
        _price(
            sets.atoms, position, sets.member, sets.begin, graph.weight, graph.area_m2, graph.perimeter_m, graph.first,
            graph.to, graph.length_m, graph.cost_m, goal.band, goal.logic_code, weights, compact,
        )
    )  # fmt: skip


@kernel
def _price(  # type: ignore[no-untyped-def]
    atoms,
    position,
    member,
    begin,
    weight,
    area,
    perimeter,
    first,
    to,
    length,
    cost,
    band,
    logic,
    weights,
    compact,
):
    """(n_set,) the worth of each set as a grid, half of its boundary's cost, and what one grid more must gain."""
    n_set = len(begin) - 1
    price = np.empty(n_set)
    mark = np.full(len(atoms), -1, dtype=np.int64)
    for k in range(n_set):
        for i in range(begin[k], begin[k + 1]):
            mark[member[i]] = k
        w0, w1, ground, outline, cut = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(begin[k], begin[k + 1]):
            a = atoms[member[i]]
            w0 += weight[a, 0]
            w1 += weight[a, 1]
            ground += area[a]
            outline += perimeter[a]
            for e in range(first[a], first[a + 1]):
                b = position[to[e]]
                if b >= 0 and mark[b] == k:
                    outline -= length[e]
                else:
                    cut += cost[e]
        price[k] = _anneal.worth(w0, w1, ground, outline, band, logic, weights) + weights[2] * cut / 2
        price[k] += weights[1] * compact
    return price


@kernel
def _sets(first, to, weight, band, logic, most_atoms, most_sets, most_members):  # type: ignore[no-untyped-def]
    """
    Connected sets of atoms within the band.

    Their members one after the other, where each begins, and whether there are too many. Every set is met once, grown
    from its smallest atom by neighbours that were not neighbours before (ESU, Wernicke 2006).
    """
    n = len(first) - 1
    member = np.empty(most_members, dtype=np.int32)
    begin = np.zeros(most_sets + 1, dtype=np.int64)
    n_set, n_member, steps = 0, 0, 0
    chain = np.empty(most_atoms, dtype=np.int32)
    heavy = np.zeros((most_atoms, 2))
    more = np.empty((most_atoms, n), dtype=np.int32)
    n_more = np.zeros(most_atoms, dtype=np.int64)
    n_new = np.zeros(most_atoms, dtype=np.int64)
    seen = np.zeros(n, dtype=np.bool_)
    new = np.empty((most_atoms, n), dtype=np.int32)
    for root in range(n):
        depth = -1
        v = root
        seen[root] = True
        while True:
            if v >= 0:  # v joins the chain
                depth += 1
                chain[depth] = v
                for c in range(2):
                    heavy[depth, c] = weight[v, c] + (heavy[depth - 1, c] if depth > 0 else 0.0)
                n_more[depth] = 0
                if depth > 0:
                    n_more[depth] = n_more[depth - 1]
                    for i in range(n_more[depth]):
                        more[depth, i] = more[depth - 1, i]
                n_new[depth] = 0
                for e in range(first[v], first[v + 1]):
                    u = to[e]
                    if u > root and not seen[u]:
                        seen[u] = True
                        more[depth, n_more[depth]] = u
                        n_more[depth] += 1
                        new[depth, n_new[depth]] = u
                        n_new[depth] += 1
                steps += 1
                if steps > 20 * most_sets:
                    return member[:0], begin[:1], True
                if _anneal.miss_of(heavy[depth, 0], heavy[depth, 1], band, logic) == 0:
                    if n_set == most_sets:
                        return member[:0], begin[:1], True
                    for i in range(depth + 1):
                        member[n_member] = chain[i]
                        n_member += 1
                    n_set += 1
                    begin[n_set] = n_member
            if n_more[depth] == 0:
                for i in range(n_new[depth]):
                    seen[new[depth, i]] = False
                depth -= 1
                if depth < 0:
                    break
                v = -1
                continue
            n_more[depth] -= 1
            v = more[depth, n_more[depth]]
            over0 = heavy[depth, 0] + weight[v, 0] > band[0, 2]
            over1 = heavy[depth, 1] + weight[v, 1] > band[1, 2]
            over = over0
            if logic == _anneal.ANY:
                over = over0 and over1
            elif logic == _anneal.ALL:
                over = over0 or over1
            if over or depth + 1 >= most_atoms:
                v = -1
        seen[root] = False
    return member[:n_member], begin[: n_set + 1], False


def glued(graph: Graph, zone: I32) -> I32:
    """(n_atom,) atoms with nobody on them numbered like the neighbour in their grid that they share the most with."""
    empty: Bools = graph.weight[:, 0] == 0
    row = graph.row()
    beside = empty[row] & ~empty[graph.to] & (zone[row] == zone[graph.to]) & graph.joins
    order = np.argsort(graph.length_m[beside], kind="stable")
    number = np.arange(graph.n_atom, dtype=np.int32)
    number[row[beside][order]] = graph.to[beside][order]
    _, dense = np.unique(number, return_inverse=True)
    return dense.astype(np.int32)
