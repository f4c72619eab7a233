"""
Grids of few buildings, chosen all at once.

Every connected set of atoms within the band is a column, and HiGHS picks the columns that cover each atom once at the
least cost. Where a grid holds three or four towers, moving one at a time soon finds nothing better; picking whole grids
does. Fine fabric has far too many sets, which :func:`pack` notices and leaves alone.
"""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from onemap.engine._jit import kernel
from onemap.engine.geometry.types import F64, I32, I64, Bools
from onemap.engine.partition import _anneal
from onemap.engine.partition._seed import subgraph
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.graph import Graph

#: Atoms of a grid at most; sets in all at most.
_MOST_ATOMS, _MOST_SETS = 8, 30_000
#: As many sets as this, those that the relaxation finds least dear, are looked at again; branches at most.
_KEPT, _BRANCHES, _GAP = 1500, 200, 5e-4
#: How far the mean grid may be from the target.
_OFF_TARGET = 0.05


def pack(graph: Graph, atoms: I32, present: I32, goal: Goal, weights: F64, compact: float) -> I32 | None:
    """
    (len(atoms),) a grid for each atom, every one connected and within the band.

    ``None`` where that is too much work, or no better than the ``present`` grids of the atoms. ``compact`` is the
    Polsby-Popper value of the usual grid: one more grid is worth it only above that.
    """
    first, to, _ = subgraph(graph, atoms)
    member, begin, many = _sets(
        first, to, graph.weight[atoms], goal.band, goal.logic_code, _MOST_ATOMS, _MOST_SETS, _MOST_SETS * _MOST_ATOMS
    )
    if many or len(begin) < 2:
        return None
    cost = _costs(graph, atoms, member, begin, goal, weights, compact)
    covers = sp.csc_matrix((np.ones(len(member)), member, begin), shape=(len(atoms), len(cost)))
    total = float(graph.weight[atoms, 0].sum()) / goal.band[0, _anneal.TARGET]
    chosen = _chosen(covers, cost, total)
    if chosen is None or cost[chosen].sum() >= _present_cost(graph, atoms, present, goal, weights, compact):
        return None
    grid = np.full(len(atoms), -1, dtype=np.int32)
    for number, column in enumerate(chosen):
        grid[member[begin[column] : begin[column + 1]]] = number
    return grid


def _chosen(covers: sp.csc_matrix, cost: F64, n_ideal: float) -> I64 | None:
    """The columns that cover every row once, about ``n_ideal`` of them, at the least cost."""
    n_atom, n_set = covers.shape
    count = sp.csr_matrix(np.ones((1, n_set)))
    fewest, most = np.ceil(n_ideal / (1 + _OFF_TARGET) - 1e-9), np.floor(n_ideal / (1 - _OFF_TARGET) + 1e-9)
    if fewest > most:
        fewest = most = np.rint(n_ideal)
    relaxed = linprog(
        cost,
        A_ub=sp.vstack([count, -count]),
        b_ub=[most, -fewest],
        A_eq=covers,
        b_eq=np.ones(n_atom),
        method="highs-ds",
    )
    if relaxed.status != 0:
        return None
    price = covers.T @ relaxed.eqlin.marginals + relaxed.ineqlin.marginals[0] - relaxed.ineqlin.marginals[1]
    kept = np.sort(np.argsort(cost - price, kind="stable")[:_KEPT])
    answer = milp(
        cost[kept],
        constraints=[
            LinearConstraint(covers[:, kept], np.ones(n_atom), np.ones(n_atom)),
            LinearConstraint(count[:, kept], fewest, most),
        ],
        integrality=np.ones(len(kept)),
        bounds=Bounds(0, 1),
        options={"node_limit": _BRANCHES, "mip_rel_gap": _GAP},
    )
    return None if answer.x is None else np.asarray(kept[answer.x > 0.5])


def _present_cost(graph: Graph, atoms: I32, present: I32, goal: Goal, weights: F64, compact: float) -> float:
    order = np.argsort(present, kind="stable").astype(np.int32)
    ends = np.flatnonzero(np.diff(present[order])) + 1
    begin = np.concatenate([[0], ends, [len(atoms)]]).astype(np.int64)
    return float(_costs(graph, atoms, order, begin, goal, weights, compact).sum())


def _costs(graph: Graph, atoms: I32, member: I32, begin: I64, goal: Goal, weights: F64, compact: float) -> F64:
    """(n_set,) what each set costs as a grid, in the measure of :func:`onemap.engine.partition._anneal`."""
    position = np.full(graph.n_atom, -1, dtype=np.int64)
    position[atoms] = np.arange(len(atoms))
    return np.asarray(
        _price(
            atoms, position, member, begin, graph.weight, graph.area_m2, graph.perimeter_m, graph.first, graph.to,
            graph.length_m, graph.cost_m, goal.band, goal.logic_code, weights, compact,
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
