"""
Grids from atoms: a METIS seed, annealing in groups of grids, repair of what is still out of band.

The plan is improved in rounds. In each, the grids are dealt into groups (by METIS on the graph of grids, a different
deal each round, so that every seam is inside a group some time) and each group is annealed by itself. Groups do not
depend on the number of cores, so neither does the result. Every state between rounds is a valid plan.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pymetis

from onemap.engine.geometry.types import F64, I32, I64, Bools
from onemap.engine.partition import _anneal
from onemap.engine.partition._coarse import clusters, coarsened, whole_blocks
from onemap.engine.partition._metis import part_graph
from onemap.engine.partition._pack import Sets, glued, pack, sets_in_band
from onemap.engine.partition._seed import mend, metis, zone_graph
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.graph import Graph, without_large_estates
from onemap.engine.partition.state import Effort, Score, Zoning, pp_of, score_of

_GROUP = 40
#: Temperatures are in worth of a move, which is the smaller the more atoms a grid has.
_HEAT, _HOTTEST, _COOLING = 2.0, 0.25, 40.0
#: How many times as much a miss weighs in the last round as in the first: an estate may outweigh it early only.
_STERN = 8.0
#: Clusters of atoms to a grid in the coarse graph.
_CLUSTERS = 8
#: Grids of fewer atoms than this are also chosen whole, in groups of so many, in two deals; in smaller groups where
#: those have too many sets.
_FEW_ATOMS, _PACKED, _PACKED_DENSE, _PACK_ROUNDS = 6, 400, 50, 2
_COARSE_STEPS = 2
#: What a metre on a barrier costs less there than while annealing: grids chosen whole are short of cut by themselves.
_BARRIER_RELIEF = 0.45
#: Where grids are no more than this, they are also made of whole blocks, of so many at most on average; either start
#: then takes no more steps than this.
_FEW_GRIDS, _BLOCKS, _STEPS_OF_A_START = 40, 6, 2_400_000


def make_zones(
    graph: Graph,
    goal: Goal,
    *,
    seed: int = 1,
    effort: Effort | None = None,
    progress: Callable[[float], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> I32:
    """
    (n_atom,) a grid for every atom; each grid is connected.

    Parameters
    ----------
    graph
        Atoms and their edges.
    goal
        Bands and weights.
    seed
        Same seed, same grids, on any number of cores.
    effort
        Steps to spend; with ``seconds``, the best plan so far when they are over.
    progress
        Told the share of the work done.
    stop
        Asked between pieces of work; when true, the best plan so far is returned.
    """
    effort = effort or Effort()
    started = time.monotonic()
    graph = without_large_estates(graph, goal)
    zone, fixed = _seeded(graph, goal, seed)
    plan = Zoning(graph, goal, seed, effort, zone, len(fixed), fixed, _homeless(graph), started=started)
    plan.stop = stop
    progress(0.1)
    atoms_per_zone = graph.n_atom / plan.n_zone
    plan = _improved(plan, progress)
    if atoms_per_zone < _FEW_ATOMS and plan.goal.logic != "any":
        _choose_whole_grids(plan, _BARRIER_RELIEF)
    plan.fixed = _beyond_help(plan)
    repair(plan, lambda share: progress(0.8 + 0.2 * share))
    progress(1.0)
    return plan.zone


def _choose_whole_grids(plan: Zoning, relief: float = 0.0) -> None:
    """Divide group after group anew, every grid chosen whole, where that is better than what annealing found."""
    size = _PACKED
    for round_ in range(_PACK_ROUNDS):
        if plan.late():
            return
        cluster = glued(plan.graph, plan.zone)
        coarse = coarsened(plan.graph, cluster)
        zone = np.empty(coarse.n_atom, dtype=np.int32)
        zone[cluster] = plan.zone
        group = _dealt(plan, plan.effort.rounds + round_, size)[zone]
        weights, compact = plan.stern(_STERN), float(pp_of(plan.sums).mean())

        def work(
            g: int, coarse: Graph = coarse, zone: I32 = zone, group: I32 = group, weights: F64 = weights,
            compact: float = compact,
        ) -> tuple[Sets | None, I32 | None]:  # fmt: skip
            if plan.late():
                return None, None
            sets = sets_in_band(coarse, np.flatnonzero(group == g).astype(np.int32), plan.goal)
            return sets, None if sets is None else pack(
                coarse, sets, zone[sets.atoms], plan.goal, weights, compact, relief
            )

        n_zone, n_group = plan.n_zone, int(group.max()) + 1
        with ThreadPoolExecutor(max(1, plan.effort.workers)) as pool:
            for sets, grid in pool.map(work, range(n_group)):
                if sets is None:
                    size = _PACKED_DENSE
                elif grid is not None:
                    zone[sets.atoms] = grid + n_zone
                    n_zone += int(grid.max()) + 1
        plan.fixed = np.append(plan.fixed, np.zeros(n_zone - plan.n_zone, dtype=np.bool_))
        plan.zone, plan.n_zone = zone[cluster], n_zone
        plan.refresh()
        if n_group == 1 and size == _PACKED:
            return


def _homeless(graph: Graph) -> I32:
    return np.full(graph.n_atom, -1, dtype=np.int32)


def _improve(plan: Zoning, hot: float, progress: Callable[[float], None] = lambda _: None) -> None:
    """Anneal in rounds; the plan is the lexicographic best of those passed, the first included."""
    best, best_fixed, best_score = plan.zone.copy(), plan.fixed, plan.score()
    hot = min(hot, _HOTTEST)
    for round_ in range(plan.effort.rounds):
        if plan.late():
            break
        anneal_round(plan, round_, hot)
        score = plan.score()
        if score < best_score:
            best, best_fixed, best_score = plan.zone.copy(), plan.fixed, score
        progress((round_ + 1) / plan.effort.rounds)
    plan.zone, plan.fixed, plan.n_zone = best, best_fixed, int(best.max()) + 1
    plan.refresh()


def _improved(plan: Zoning, progress: Callable[[float], None]) -> Zoning:
    """
    The plan improved, if a grid is many atoms from a start that is made of pieces of ground.

    Where the grids are few, much hangs on the start: there whole blocks are tried as well and the better plan is kept.
    """
    tall = np.flatnonzero(plan.goal.too_big(plan.graph.weight)).astype(np.int32)
    atoms_per_zone = plan.graph.n_atom / plan.n_zone
    starts: list[I32 | None] = [None]
    if atoms_per_zone > 2 * _CLUSTERS:
        starts = [clusters(plan.graph, plan.n_zone, _CLUSTERS, plan.seed, tall)]
    if atoms_per_zone > _FEW_ATOMS and 1 < plan.n_zone <= _FEW_GRIDS and plan.goal.logic != "any":
        starts.append(whole_blocks(plan.graph, plan.n_zone, _BLOCKS, plan.seed, tall))

    def work(number: int) -> Zoning:
        own, start = replace(plan), starts[number]
        if len(starts) > 1:
            steps = min(plan.effort.steps_for(plan.graph.n_atom, plan.n_zone), _STEPS_OF_A_START // plan.graph.n_atom)
            own.effort = replace(plan.effort, steps_per_atom=steps)
        if start is not None:
            _improve_coarsely(own, start, whole=number > 0)
        tell = (lambda _: None) if number else (lambda share: progress(0.1 + 0.7 * share))
        _improve(own, _HEAT / atoms_per_zone, tell)
        return own

    with ThreadPoolExecutor(max(1, plan.effort.workers)) as pool:
        tries = list(pool.map(work, range(len(starts))))
    usual = float(np.mean([pp_of(own.sums).mean() for own in tries]))
    weights = plan.weights

    def score(own: Zoning) -> Score:
        """Plans with more grids have more to add up: a grid counts by what it is better than usual."""
        missing, miss, rest = score_of(own.graph, own.goal, own.zone, own.sums, weights)
        return missing, miss, rest + weights[1] * usual * own.n_zone

    return min(tries, key=score)


def _improve_coarsely(plan: Zoning, piece: I32, *, whole: bool) -> None:
    """
    Anneal pieces of ground; the outcome is the start for the atoms themselves if it is better than the seed.

    With ``whole``, grids are then chosen whole.
    """
    coarse = coarsened(plan.graph, piece)
    zone, fixed = _seeded(coarse, plan.goal, plan.seed)
    effort = replace(plan.effort, steps_per_atom=_COARSE_STEPS * plan.effort.steps_for(plan.graph.n_atom, plan.n_zone))
    rough = Zoning(
        coarse, plan.goal, plan.seed, effort, zone, len(fixed), fixed, _homeless(coarse), started=plan.started
    )
    rough.stop = plan.stop
    _improve(rough, _HEAT / _CLUSTERS)
    if whole:
        _choose_whole_grids(rough)
    before, keep, keep_fixed = plan.score(), plan.zone, plan.fixed
    plan.zone, plan.fixed, plan.n_zone = rough.zone[piece], rough.fixed, rough.n_zone
    plan.refresh()
    after = plan.score()
    if after[0] > before[0] + 0.02 * plan.n_zone and after[2] > before[2]:
        plan.zone, plan.fixed, plan.n_zone = keep, keep_fixed, len(keep_fixed)
        plan.refresh()


def _beyond_help(plan: Zoning) -> Bools:
    """Grids that nothing mends: with a building above the maximum, or without a neighbour and too small to divide."""
    tall = plan.goal.too_big(plan.graph.weight)
    first, _, _ = zone_graph(plan.graph, plan.zone, plan.n_zone)
    below = plan.sums[:, 0] < plan.goal.band[0, _anneal.MINIMUM]
    fixed = (np.diff(first) == 0) & below
    fixed[plan.zone[tall]] = True
    return np.asarray(fixed)


def _seeded(graph: Graph, goal: Goal, seed: int) -> tuple[I32, Bools]:
    """A first plan: towers by themselves, METIS for every connected part of the rest."""
    zone = np.full(graph.n_atom, -1, dtype=np.int32)
    tall = goal.too_big(graph.weight)
    zone[tall] = np.arange(int(tall.sum()), dtype=np.int32)
    n_zone = int(tall.sum())
    n_tall = n_zone
    part = graph.parts(~tall)
    row = graph.row()
    heads = np.unique(part[~tall])
    order = np.argsort(part, kind="stable").astype(np.int32)
    bounds = np.searchsorted(part[order], heads, "left"), np.searchsorted(part[order], heads, "right")
    for low, high in zip(*bounds, strict=True):
        atoms = order[low:high]
        atoms = atoms[~tall[atoms]]
        total = graph.weight[atoms].sum(axis=0)
        _, best, most = goal.counts(total)
        if most < 1 and n_tall:
            inside = np.zeros(graph.n_atom, dtype=np.bool_)
            inside[atoms] = True
            beside = inside[row] & tall[graph.to] & graph.joins
            if beside.any():  # too few for a grid, and a tower is out of band anyway
                shared = np.bincount(zone[graph.to[beside]], graph.length_m[beside])
                zone[atoms] = int(np.argmax(shared))
                continue
        parts = metis(graph, atoms, min(best, len(atoms)), seed)
        zone[atoms] = parts + n_zone
        n_zone += int(parts.max()) + 1
    zone = mend(graph, zone, np.arange(graph.n_atom, dtype=np.int32))
    used, dense = np.unique(zone, return_inverse=True)
    fixed = used < n_tall
    return dense.astype(np.int32), fixed


def anneal_round(plan: Zoning, round_: int, hottest: float) -> None:
    """Deal the grids into groups and anneal each by itself, the hotter the earlier the round."""
    rounds = plan.effort.rounds
    group = _dealt(plan, round_, _GROUP)
    ratio = _COOLING ** (-1 / rounds)
    hot = hottest * ratio**round_
    n_group = int(group.max()) + 1 if len(group) else 0
    of_atom = group[plan.zone]
    order = np.argsort(of_atom, kind="stable").astype(np.int32)
    bounds = np.searchsorted(of_atom[order], np.arange(n_group + 1))
    weights = plan.stern(_STERN ** (round_ / max(rounds - 1, 1)))

    def work(g: int) -> None:
        atoms = order[bounds[g] : bounds[g + 1]]
        steps = plan.effort.steps_for(plan.graph.n_atom, plan.n_zone) * len(atoms) // rounds
        run_anneal(plan, atoms, group, g, steps, hot, hot * ratio, plan.seed * 7919 + round_ * 104729 + g, weights)

    with ThreadPoolExecutor(max(1, plan.effort.workers)) as pool:
        list(pool.map(work, range(n_group)))
    plan.refresh()


def run_anneal(
    plan: Zoning,
    atoms: I32,
    group: I32,
    g: int,
    steps: int,
    hot: float,
    cold: float,
    seed: int,
    weights: F64,
) -> None:
    """Anneal the grids of one group in place."""
    a = plan.graph
    _anneal.anneal(
        atoms,
        group,
        g,
        plan.zone,
        plan.sums,
        a.weight,
        a.area_m2,
        a.perimeter_m,
        a.first,
        a.to,
        a.length_m,
        a.cost_m,
        a.joins,
        plan.home,
        plan.goal.band,
        plan.goal.logic_code,
        weights,
        steps,
        hot,
        cold,
        seed & 0x7FFFFFFF,
    )


def _dealt(plan: Zoning, round_: int, size: int) -> I32:
    """(n_zone,) the group of each grid; fixed grids have none."""
    free = np.flatnonzero(~plan.fixed)
    group = np.full(plan.n_zone, -1, dtype=np.int32)
    n_group = max(1, round(len(free) / size))
    if n_group == 1:
        group[free] = 0
        return group
    first, to, metres = zone_graph(plan.graph, plan.zone, plan.n_zone)
    weight = np.where(plan.fixed, 0, np.maximum(plan.sums[:, 4], 1)).astype(np.int64)
    options = pymetis.Options(seed=(plan.seed * 31 + round_) & 0x7FFFFFFF)
    edges = np.maximum(np.rint(metres), 1).astype(np.int64)
    part = part_graph(n_group, first, to, weight, edges, options, recursive=False)
    group[free] = part[free]
    return group


def repair(plan: Zoning, progress: Callable[[float], None] = lambda _: None) -> None:
    """
    Mend grids out of band with their neighbours: new METIS seeds, one grid more or fewer, a short annealing.

    Each try looks at a grid and its surroundings; the result stays only if the surroundings become better in the
    lexicographic order, so the plan never gets worse.
    """
    tries = 0
    limit = plan.effort.repair_tries
    rng = np.random.default_rng(plan.seed)
    for attempt in range(limit):
        missing = np.flatnonzero((plan.goal.miss(plan.sums) > 0) & ~plan.fixed)
        if not len(missing) or plan.late():
            return
        first, to, _ = zone_graph(plan.graph, plan.zone, plan.n_zone)
        busy = np.zeros(plan.n_zone, dtype=np.bool_)
        for z in rng.permutation(missing):
            if plan.late():
                break
            around = _surroundings(int(z), first, to, plan.fixed, 4 + 2 * (attempt % 6), rng)
            if busy[around].any():
                continue
            busy[around] = True
            _retry(plan, around, attempt, rng)
            tries += 1
        plan.refresh()
        plan.fixed = _beyond_help(plan)
        progress((attempt + 1) / limit)


def _surroundings(z: int, first: I64, to: I64, fixed: Bools, count: int, rng: np.random.Generator) -> I32:
    """The grid and about ``count`` grids around it, nearest first."""
    found, queue = [z], [z]
    seen = {z}
    while queue and len(found) < count:
        q = queue.pop(0)
        for b in rng.permutation(to[first[q] : first[q + 1]]):
            if int(b) not in seen and not fixed[b] and len(found) < count:
                seen.add(int(b))
                found.append(int(b))
                queue.append(int(b))
    return np.array(found, dtype=np.int32)


def _retry(plan: Zoning, zones: I32, attempt: int, rng: np.random.Generator) -> None:
    graph, goal = plan.graph, plan.goal
    atoms = np.flatnonzero(np.isin(plan.zone, zones)).astype(np.int32)
    total = graph.weight[atoms].sum(axis=0)
    fewest, _, most = goal.counts(total)
    k = len(zones)
    counts = [c for c in (k, k - 1, k + 1) if c >= 1 and (fewest <= c <= most or c == k)]
    count = counts[attempt % len(counts)]
    keep_zone, keep_sums, keep_n = plan.zone[atoms].copy(), plan.sums.copy(), plan.n_zone
    before = _local_score(plan, zones)
    seed = int(rng.integers(1 << 30))
    if count != k or attempt % 3 == 2:
        part = metis(graph, atoms, min(count, len(atoms)), seed, recursive=bool(attempt % 2))
        names = np.concatenate([zones, np.arange(plan.n_zone, plan.n_zone + max(0, count - k))])[:count]
        plan.zone[atoms] = names[part]
        plan.zone = mend(graph, plan.zone, atoms)
    else:
        names = zones
    n_zone = max(plan.n_zone, int(names.max()) + 1)
    if n_zone > plan.n_zone:
        plan.fixed = np.append(plan.fixed, np.zeros(n_zone - plan.n_zone, dtype=np.bool_))
        plan.n_zone = n_zone
    plan.sums = _anneal.totals(
        plan.zone, n_zone, graph.weight, graph.area_m2, graph.perimeter_m, graph.first, graph.to, graph.length_m
    )
    group = np.full(n_zone, -1, dtype=np.int32)
    group[names] = 0
    steps = max(20_000, 200 * len(atoms))
    hot = min(_HEAT * k / len(atoms), _HOTTEST)
    run_anneal(plan, atoms, group, 0, steps, 1.5 * hot, hot / _COOLING, seed, plan.stern(_STERN))
    after = _local_score(plan, np.unique(np.concatenate([zones, names])).astype(np.int32))
    if after >= before:
        plan.zone[atoms] = keep_zone
        plan.sums, plan.n_zone = keep_sums, keep_n
        plan.fixed = plan.fixed[:keep_n]


def _local_score(plan: Zoning, zones: I32) -> Score:
    sums = plan.sums[zones]
    sums = sums[sums[:, 4] > 0]
    miss = plan.goal.miss(sums)
    return int((miss > 0).sum()), round(float(miss.sum()), 9), -float(pp_of(sums).sum())
