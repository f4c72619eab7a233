"""
Why a grid is out of band: the building or island that cannot fit, or the proof that no exchange mends it.

The proof is a mixed integer programme (HiGHS) over the grid and its neighbours: atoms to grids, every grid connected by
a flow from its root and within the band. When it has a solution the plan is mended with it; when it has none, for the
present number of grids and one more or fewer, that is the certificate.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from onemap.engine.geometry.types import F64, I32, I64, Bools
from onemap.engine.partition._seed import subgraph, zone_graph
from onemap.engine.partition.atoms import Atoms
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.graph import Graph

#: Atoms x grids that HiGHS is asked to place at once, and for how long.
_LARGEST, _SECONDS, _SECONDS_IN_ALL = 900, 8.0, 40.0


@dataclass(frozen=True, slots=True)
class Miss:
    """A grid out of band; ``alone`` when no plan at all could have it in band."""

    zone: int
    why: str
    alone: bool


def explain_misses(
    atoms: Atoms,
    zone: I32,
    goal: Goal,
    *,
    fixed: frozenset[int] = frozenset(),
    mend: bool = True,
    progress: Callable[[float], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[I32, list[Miss]]:
    """
    The plan, mended where a proof found how, and every grid still out of band with the reason.

    ``fixed`` are grids that may not change; without ``mend`` nothing changes and what would mend a grid is said.
    """
    graph = atoms.graph
    zone = zone.copy()
    found: dict[int, Miss] = {}
    started = time.monotonic()
    while True:
        open_ = [z for z in _missing(graph, zone, goal) if z not in found]
        if not open_:
            break
        z = open_[0]
        miss = _obvious(graph, zone, goal, z, fixed)
        if miss is None and (stop() or time.monotonic() - started > _SECONDS_IN_ALL):
            miss = Miss(z, "The search was over before an exchange that mends it was found or ruled out.", False)
        if miss is None:
            miss = _prove(graph, zone, goal, z, fixed, mend)
        if miss is None:
            found.clear()  # the plan was mended and its grids may have other numbers
        else:
            found[z] = miss
        progress(len(found) / (len(found) + len(open_)))
    progress(1.0)
    return zone, [found[z] for z in sorted(_missing(graph, zone, goal))]


def _missing(graph: Graph, zone: I32, goal: Goal) -> list[int]:
    n = int(zone.max()) + 1
    sums = np.stack([np.bincount(zone, graph.weight[:, c], n) for c in range(2)], axis=1)
    return [int(z) for z in np.flatnonzero(goal.miss(sums) > 0)]


def _obvious(graph: Graph, zone: I32, goal: Goal, z: int, fixed: frozenset[int]) -> Miss | None:
    """Reasons that need no search."""
    members = np.flatnonzero(zone == z)
    tall = members[goal.too_big(graph.weight[members])]
    if len(tall):
        most = graph.weight[tall, 0].max()
        return Miss(z, f"It holds a building of {most:g}, above the maximum of {goal.band[0, 2]:g} by itself.", True)
    if z in fixed:
        return Miss(z, "It is locked.", False)
    part = graph.parts()
    inside = part == part[members[0]]
    total = graph.weight[inside].sum(axis=0)
    fewest, _, most_ = goal.counts(total)
    band = f"{goal.band[0, 0]:g} to {goal.band[0, 2]:g}"
    if fewest > most_:
        return Miss(z, f"All that is joined to it holds {total[0]:g}, and no number of grids of {band} adds up.", True)
    tall_all = goal.too_big(graph.weight)
    rest = graph.parts(~tall_all)
    within = (rest == rest[members[0]]) & ~tall_all
    total = graph.weight[within].sum(axis=0)
    fewest, _, most_ = goal.counts(total)
    if fewest > most_:
        return Miss(
            z, f"Between buildings above the maximum it is joined to {total[0]:g} only: no number of {band} fits.", True
        )
    return _lone_atom(graph, goal, z, members, tall_all)


def _lone_atom(graph: Graph, goal: Goal, z: int, members: I64, tall: Bools) -> Miss | None:
    """The heaviest building of the grid, when all it can be joined with below the maximum is too little."""
    heavy = int(members[np.argmax(graph.weight[members, 0])])
    reach = _within_budget(graph, heavy, float(goal.band[0, 2]), tall)
    total = float(graph.weight[reach, 0].sum())
    if goal.logic == "any" or total >= goal.band[0, 0]:
        return None
    own = graph.weight[heavy, 0]
    return Miss(
        z,
        f"Its building of {own:g} can be joined to {total - own:g} more at most before any grid passes "
        f"{goal.band[0, 2]:g}.",
        True,
    )


def _within_budget(graph: Graph, start: int, budget: float, tall: Bools) -> I32:
    """Atoms that some connected set with ``start`` within the budget can hold."""
    cost = {start: float(graph.weight[start, 0])}
    queue = [start]
    while queue:
        a = queue.pop()
        for e in range(graph.first[a], graph.first[a + 1]):
            b = int(graph.to[e])
            if not graph.joins[e] or tall[b]:
                continue
            reached = cost[a] + float(graph.weight[b, 0])
            if reached <= budget and reached < cost.get(b, np.inf):
                cost[b] = reached
                queue.append(b)
    return np.array(sorted(cost), dtype=np.int32)


def _prove(graph: Graph, zone: I32, goal: Goal, z: int, fixed: frozenset[int], mend: bool) -> Miss | None:
    """Mend the grid with its neighbours in ``zone`` and return ``None``, or say what was proved."""
    if goal.logic == "any":
        return Miss(z, "No exchange with its neighbours was found that mends it.", False)
    chosen = _neighbourhood(graph, zone, goal, z, fixed)
    atoms = np.flatnonzero(np.isin(zone, chosen)).astype(np.int32)
    total = graph.weight[atoms].sum(axis=0)
    fewest, _, most = goal.counts(total)
    k = len(chosen)
    undecided = False
    tried = [count for count in (k, k - 1, k + 1) if max(fewest, 1) <= count <= most]
    for count in tried:
        placed, proved = place(graph, atoms, goal, count)
        if placed is not None and not mend:
            return Miss(z, "Dividing it and its neighbours anew would mend it, moving more than was allowed.", False)
        if placed is not None:
            names = np.concatenate([chosen, [int(zone.max()) + 1]])[:count]
            zone[atoms] = names[placed]
            _close_ranks(zone)
            return None
        undecided |= not proved
    who = f"{k - 1} neighbours" if k != 2 else "its neighbour"
    if not tried:
        return Miss(z, f"With {who} it holds {total[0]:g}: no number of grids adds up.", False)
    if undecided:
        return Miss(z, f"HiGHS found no exchange with {who} that mends it, and no proof that there is none.", False)
    counts = " or ".join(str(c) for c in sorted(tried))
    return Miss(
        z, f"Proved by HiGHS: no division of it and {who} into {counts} connected grids has all of them in band.", False
    )


def _close_ranks(zone: I32) -> None:
    """Give the number of a grid that vanished to the last one."""
    last = int(zone.max())
    used = np.bincount(zone, minlength=last + 1) > 0
    for gap in np.flatnonzero(~used)[::-1]:
        last = int(zone.max())
        if gap < last:
            zone[zone == last] = gap


def _neighbourhood(graph: Graph, zone: I32, goal: Goal, z: int, fixed: frozenset[int]) -> I64:
    """The grid and as many of its neighbours, longest shared boundary first, as HiGHS can take."""
    n = int(zone.max()) + 1
    first, to, metres = zone_graph(graph, zone, n)
    near, shared = to[first[z] : first[z + 1]], metres[first[z] : first[z + 1]]
    size = np.bincount(zone, minlength=n)
    holds_tall = np.zeros(n, dtype=np.bool_)
    holds_tall[zone[goal.too_big(graph.weight)]] = True
    chosen, count = [z], int(size[z])
    for b in near[np.argsort(-shared, kind="stable")]:
        larger = (count + int(size[b])) * (len(chosen) + 1)
        if not holds_tall[b] and int(b) not in fixed and larger <= _LARGEST:
            chosen.append(int(b))
            count += int(size[b])
    return np.array(chosen, dtype=np.int64)


def place(graph: Graph, atoms: I32, goal: Goal, n_grid: int) -> tuple[I32 | None, bool]:
    """
    Atoms to connected grids within the band, by HiGHS.

    Returns
    -------
    placed : (len(atoms),) or None
        A grid for each atom.
    proved
        Whether ``None`` means that there is none.
    """
    first, to, _ = subgraph(graph, atoms)
    n, n_edge = len(atoms), len(to)
    source = np.repeat(np.arange(n), np.diff(first))
    n_x, n_f = n * n_grid, n_edge * n_grid
    rows = _Rows(2 * n_x + n_f)
    weight = graph.weight[atoms]
    for i in range(n):  # every atom is in one grid
        rows.add([k * n + i for k in range(n_grid)], np.ones(n_grid), 1, 1)
    for k in range(n_grid):
        x, root, flow = k * n, n_x + k * n, 2 * n_x + k * n_edge
        for column in range(2 if goal.logic == "all" else 1):
            rows.add(range(x, x + n), weight[:, column], goal.band[column, 0], goal.band[column, 2])
        rows.add(range(root, root + n), np.ones(n), 1, 1)
        if k:  # grids are numbered by their roots
            order = np.arange(n, dtype=np.float64)
            rows.add([*range(root - n, root), *range(root, root + n)], np.concatenate([-order, order]), 1, np.inf)
        for i in range(n):
            rows.add([root + i, x + i], np.array([1.0, -1.0]), -np.inf, 0)
            into, out = np.flatnonzero(to == i), np.arange(first[i], first[i + 1])
            columns = [*(flow + into), *(flow + out), x + i, root + i]
            values = np.concatenate([np.ones(len(into)), -np.ones(len(out)), [-1.0, float(n)]])
            rows.add(columns, values, 0, np.inf)
        for e in range(n_edge):
            rows.add([flow + e, x + int(source[e])], np.array([1.0, -float(n)]), -np.inf, 0)
            rows.add([flow + e, x + int(to[e])], np.array([1.0, -float(n)]), -np.inf, 0)
    n_all = 2 * n_x + n_f
    whole = np.concatenate([np.ones(2 * n_x), np.zeros(n_f)])
    high = np.concatenate([np.ones(2 * n_x), np.full(n_f, float(n))])
    answer = milp(
        np.zeros(n_all),
        constraints=rows.constraint(),
        integrality=whole,
        bounds=Bounds(np.zeros(n_all), high),
        options={"time_limit": _SECONDS},
    )
    if answer.x is not None and answer.status == 0:
        return np.rint(answer.x[:n_x]).reshape(n_grid, n).argmax(axis=0).astype(np.int32), True
    return None, answer.status == 2


class _Rows:
    """Rows of a linear constraint, put together one by one."""

    def __init__(self, n_column: int) -> None:
        self.n_column = n_column
        self.columns: list[int] = []
        self.values: list[F64] = []
        self.ends = [0]
        self.low: list[float] = []
        self.high: list[float] = []

    def add(self, columns: "range | list[int]", values: F64, low: float, high: float) -> None:
        """One row: low <= values . x[columns] <= high."""
        self.columns.extend(int(c) for c in columns)
        self.values.append(np.asarray(values, dtype=np.float64))
        self.ends.append(len(self.columns))
        self.low.append(low)
        self.high.append(high)

    def constraint(self) -> LinearConstraint:
        """All rows."""
        matrix = sp.csr_matrix(
            (np.concatenate(self.values), self.columns, self.ends), shape=(len(self.low), self.n_column)
        )
        return LinearConstraint(matrix, self.low, self.high)
