"""
Re-partition: restore the band moving as few households, then buildings, as possible.

The search starts from today's grids, touches only grids out of band and those around them, and pays for every
household away from home. A linear programme over neighbouring grids (HiGHS) says what no such plan can go below.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
import shapely
from scipy.optimize import linprog

from onemap.engine.geometry.types import I32, Bools
from onemap.engine.partition import _anneal
from onemap.engine.partition._seed import mend, metis, zone_graph
from onemap.engine.partition.atoms import Atoms
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.graph import Graph
from onemap.engine.partition.ground import Geometries
from onemap.engine.partition.state import Effort, Zoning
from onemap.engine.partition.zoning import run_anneal

#: What a building away from home weighs in households besides its own, one start each.
_AWAY = (10.0, 20.0, 40.0)
_RINGS = 2
#: Moving fewer households comes first as long as no larger share of the buildings moves than this.
_FEW_BUILDINGS = 0.005
#: The band weighs so many times as much as in a plan from nothing, where leaving home costs nothing.
_STERN = 2.0
_HOT, _COLD = 0.1, 0.005
_STEPS_PER_ATOM = 150


type _MovedScore = tuple[int, float, int, float, int]


@dataclass(frozen=True, slots=True)
class Present:
    """Today's grids, in local metres, with the buildings that stand on them."""

    codes: list[str]
    shapes: Geometries
    buildings: Geometries
    locked: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan beside today's."""

    zone: I32
    names: list[str]
    moved: dict[str, Any]
    unchanged: Bools  #: (n_zone,) grids that hold exactly the ground they held


def reassign(
    atoms: Atoms,
    present: Present,
    goal: Goal,
    *,
    seed: int,
    effort: Effort | None = None,
    progress: Callable[[float], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """
    Today's grids, mended.

    Returns
    -------
    outcome
        Grids keep their codes; new ones get codes that were never given. ``moved`` counts households and buildings
        that change grid, with the fewest households that any plan moving them between neighbours must move.
    """
    today = _grid_of_buildings(present)
    home = _grid_of_atoms(atoms, present, today)
    zone, n_zone = _complete(atoms.graph, home)
    codes = _with_new_codes(present.codes, n_zone)
    locked = np.array([code in present.locked for code in codes], dtype=np.bool_)
    steady = replace(goal, compactness=0.05, boundary=0.05, balance=0.0, stability=0.004)
    plan = Zoning(atoms.graph, steady, seed, effort or Effort(), zone, n_zone, locked.copy(), home)
    plan.stop = stop
    codes = [codes[z] for z in np.unique(zone)]
    bound = fewest_moved(atoms.graph, goal, plan.zone, plan.n_zone, plan.fixed | _hopeless(plan))
    _restore(plan, progress)
    codes = _with_new_codes(codes, plan.n_zone, present.codes)
    used = np.unique(plan.zone)
    names = [codes[z] for z in used]
    final = np.searchsorted(used, plan.zone).astype(np.int32)
    code_of_zone = np.array(names, dtype=object)
    building_zone = np.where(atoms.building_atom >= 0, final[atoms.building_atom], -1)
    known = (today >= 0) & (building_zone >= 0)
    before, after = np.array(present.codes, dtype=object)[today[known]], code_of_zone[building_zone[known]]
    changed = before != after
    households = atoms.building_weight[known, 0]
    moved = {
        "households": _number(households[changed].sum()),
        "buildings": int(changed.sum()),
        "bound_households": _number(round(bound, 3)),
    }
    was = np.where(home >= 0, np.array([*present.codes, ""], dtype=object)[home], "")
    same = was == code_of_zone[final]
    unchanged = np.ones(len(names), dtype=np.bool_)
    np.logical_and.at(unchanged, final, same)
    lost = np.unique(was[~same])
    unchanged &= ~np.isin(code_of_zone, lost)
    return Outcome(final, names, moved, unchanged)


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


def _grid_of_buildings(present: Present) -> I32:
    """(n_building,) today's grid by the middle of the building, -1 none."""
    found = np.full(len(present.buildings), -1, dtype=np.int32)
    spots = shapely.point_on_surface(present.buildings)
    building, grid = shapely.STRtree(present.shapes).query(spots, predicate="intersects")
    found[building[::-1]] = grid[::-1]
    return found


def _grid_of_atoms(atoms: Atoms, present: Present, today: I32) -> I32:
    """(n_atom,) where most of an atom's households, or its open ground, belong today; -1 nowhere."""
    n, n_grid = atoms.graph.n_atom, len(present.codes)
    known = (atoms.building_atom >= 0) & (today >= 0)
    pair = atoms.building_atom[known].astype(np.int64) * n_grid + today[known]
    pairs, index = np.unique(pair, return_inverse=True)
    share = np.bincount(index, atoms.building_weight[known, 0] + 1e-3, len(pairs))
    home = np.full(n, -1, dtype=np.int32)
    order = np.argsort(share, kind="stable")
    home[pairs[order] // n_grid] = pairs[order] % n_grid
    open_ground = np.flatnonzero(home < 0)
    if len(open_ground):
        spots = shapely.point_on_surface(atoms.arcs.polygons()[open_ground])
        spot, grid = shapely.STRtree(present.shapes).query(spots, predicate="intersects")
        home[open_ground[spot[::-1]]] = grid[::-1]
    return home


def _complete(graph: Graph, home: I32) -> tuple[I32, int]:
    """Ground without a grid joins the neighbour it shares the most with; every grid in one piece."""
    zone = home.copy()
    row = graph.row()
    while (zone < 0).any():
        beside = (zone[row] < 0) & (zone[graph.to] >= 0) & graph.joins
        if not beside.any():
            part = graph.parts(zone < 0)
            lonely = np.flatnonzero(zone < 0)
            _, new = np.unique(part[lonely], return_inverse=True)
            zone[lonely] = int(zone.max()) + 1 + new
            break
        order = np.argsort(graph.length_m[beside], kind="stable")
        zone[row[beside][order]] = zone[graph.to[beside][order]]
    zone = mend(graph, zone, np.arange(graph.n_atom, dtype=np.int32))
    return zone.astype(np.int32), int(zone.max()) + 1


def fewest_moved(graph: Graph, goal: Goal, zone: I32, n_zone: int, fixed: Bools) -> float:
    """
    The fewest households that must change grid, whatever is moved between grids that are next to each other.

    The linear programme lets households flow over every shared boundary in any fraction. What cannot be mended by
    any flow is left out of the count.
    """
    weight = np.bincount(zone, graph.weight[:, 0], n_zone)
    first, to, _ = zone_graph(graph, zone, n_zone)
    source = np.repeat(np.arange(n_zone), np.diff(first))
    usable = ~fixed[source] & ~fixed[to]
    source, sink = source[usable], to[usable]
    n_flow = len(source)
    if n_flow == 0:
        return 0.0
    flow = np.arange(n_flow)
    net = sp.csr_matrix(
        (np.concatenate([np.ones(n_flow), -np.ones(n_flow)]), (np.concatenate([sink, source]), np.tile(flow, 2))),
        shape=(n_zone, n_flow),
    )
    free = sp.eye(n_zone, format="csr")
    low, high = goal.band[0, 0], goal.band[0, 2]
    # net + weight - over <= high;  net + weight + under >= low
    above = sp.hstack([net, -free, sp.csr_matrix((n_zone, n_zone))])
    below = sp.hstack([-net, sp.csr_matrix((n_zone, n_zone)), -free])
    cost = np.concatenate([np.ones(n_flow), np.full(2 * n_zone, 1000.0)])
    answer = linprog(
        cost, A_ub=sp.vstack([above, below]), b_ub=np.concatenate([high - weight, weight - low]), method="highs"
    )
    return float(answer.x[:n_flow].sum()) if answer.status == 0 else 0.0


def _restore(plan: Zoning, progress: Callable[[float], None]) -> None:
    locked = plan.fixed.copy()
    for attempt in range(3):
        if not _missing(plan).any() or plan.late():
            break
        if attempt:
            _change_count(plan, locked)
            locked = np.concatenate([locked, np.zeros(plan.n_zone - len(locked), dtype=np.bool_)])
        _search(plan, locked, lambda s, a=attempt: progress((a + s) / 3))  # type: ignore[misc]
    progress(1.0)


def _missing(plan: Zoning) -> Bools:
    return np.asarray((plan.goal.miss(plan.sums) > 0) & ~_hopeless(plan) & (plan.sums[:, 4] > 0))


def _hopeless(plan: Zoning) -> Bools:
    """Grids that hold a building above the maximum, or lie on a piece that no number of grids divides."""
    graph, goal = plan.graph, plan.goal
    hopeless = np.zeros(plan.n_zone, dtype=np.bool_)
    hopeless[plan.zone[goal.too_big(graph.weight)]] = True
    _, part = np.unique(graph.parts(), return_inverse=True)
    totals = np.stack([np.bincount(part, graph.weight[:, c]) for c in range(2)], axis=1)
    counts = np.array([goal.counts(total) for total in totals])
    hopeless[plan.zone[(counts[:, 0] > counts[:, 2])[part]]] = True
    return hopeless


def _search(plan: Zoning, locked: Bools, progress: Callable[[float], None]) -> None:
    """Anneal the grids out of band and the rings around them from several seeds; the best result stays."""
    first, to, _ = zone_graph(plan.graph, plan.zone, plan.n_zone)
    near = _missing(plan)
    source = np.repeat(np.arange(plan.n_zone), np.diff(first))
    for _ in range(_RINGS):
        grown = near.copy()
        grown[to[near[source]]] = True
        near = grown
    near &= ~locked
    group = np.where(near, 0, -1).astype(np.int32)
    atoms = np.flatnonzero(near[plan.zone]).astype(np.int32)
    start_zone, start_sums = plan.zone.copy(), plan.sums.copy()
    best, best_score = plan.zone.copy(), _moved_score(plan)
    steps = _STEPS_PER_ATOM * len(atoms)

    def start(k: int) -> tuple[I32, _MovedScore]:
        own = copy(plan)
        own.goal, own.zone, own.sums = replace(plan.goal, away=_AWAY[k]), start_zone.copy(), start_sums.copy()
        if not plan.late():
            run_anneal(own, atoms, group, 0, steps, _HOT, _COLD, plan.seed * 613 + k, own.stern(_STERN))
        return own.zone, _moved_score(own)

    with ThreadPoolExecutor(max(1, plan.effort.workers)) as pool:
        for k, (zone, score) in enumerate(pool.map(start, range(len(_AWAY)))):
            if score < best_score:
                best, best_score = zone, score
            progress((k + 1) / len(_AWAY))
    plan.zone = best
    _sum_up(plan)


def _sum_up(plan: Zoning) -> None:
    """Sums of the grids under their present numbers; numbers of grids that vanished stay unused."""
    g = plan.graph
    plan.sums = _anneal.totals(plan.zone, plan.n_zone, g.weight, g.area_m2, g.perimeter_m, g.first, g.to, g.length_m)


def _moved_score(plan: Zoning) -> _MovedScore:
    """Grids out of band, how far, whether many buildings move, then households and buildings that do."""
    kept = plan.sums[:, 4] > 0
    miss = plan.goal.miss(plan.sums[kept])
    away = (plan.home >= 0) & (plan.home != plan.zone)
    households, buildings = float(plan.graph.weight[away, 0].sum()), int(away.sum())
    many = max(0, buildings - int(_FEW_BUILDINGS * plan.graph.n_atom))
    return int((miss > 0).sum()), round(float(miss.sum()), 6), many, households, buildings


def _change_count(plan: Zoning, locked: Bools) -> None:
    """Split grids that hold two grids' worth; dissolve those that stay below the minimum."""
    graph = plan.graph
    for z in np.flatnonzero(_missing(plan) & ~locked):
        weight = plan.sums[z, 0]
        members = np.flatnonzero(plan.zone == z).astype(np.int32)
        if weight > plan.goal.band[0, 2] and len(members) > 1:
            part = metis(graph, members, 2, plan.seed, recursive=True)
            smaller = int(np.bincount(part, graph.weight[members, 0], 2).argmin())
            plan.zone[members[part == smaller]] = plan.n_zone
            plan.n_zone += 1
            plan.fixed = np.append(plan.fixed, False)
            locked = np.append(locked, False)
        elif weight < plan.goal.band[0, 0]:
            _dissolve(plan, int(z), locked)
        plan.zone = _mended_but_locked(plan, locked)
        _sum_up(plan)


def _dissolve(plan: Zoning, z: int, locked: Bools) -> None:
    graph = plan.graph
    row = graph.row()
    original = plan.zone.copy()
    while True:
        beside = (plan.zone[row] == z) & (plan.zone[graph.to] != z) & graph.joins & ~locked[plan.zone[graph.to]]
        if not beside.any():
            break
        order = np.argsort(graph.length_m[beside], kind="stable")
        plan.zone[row[beside][order]] = plan.zone[graph.to[beside][order]]
    if (plan.zone == z).any():  # nothing takes all of it
        plan.zone = original


def _mended_but_locked(plan: Zoning, locked: Bools) -> I32:
    free = np.flatnonzero(~locked[plan.zone]).astype(np.int32)
    return mend(plan.graph, plan.zone, free)


def _with_new_codes(codes: list[str], n_zone: int, given: Sequence[str] = ()) -> list[str]:
    """Codes for new grids, counted on from the largest number ever given."""
    known = {*codes, *given}
    width = max((len(code) for code in known), default=3)
    numbers = [int(code) for code in known if code.isdigit()]
    last = max(numbers, default=0)
    return [*codes, *(f"{last + k:0{width}d}" for k in range(1, n_zone - len(codes) + 1))]
