"""Why a grid is out of band: the building or island that cannot fit, or the proof that no exchange mends it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from onemap.engine.geometry.types import I32
from onemap.engine.partition import _anneal
from onemap.engine.partition.atoms import Atoms
from onemap.engine.partition.goal import Goal


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
    progress: Callable[[float], None] = lambda share: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Miss]:
    """Every grid out of band with the reason."""
    g = atoms.graph
    n = int(zone.max()) + 1
    sums = _anneal.totals(zone, n, g.weight, g.area_m2, g.perimeter_m, g.first, g.to, g.length_m)
    missing = np.flatnonzero(goal.miss(sums) > 0)
    tall = goal.too_big(g.weight)
    part = g.parts()
    found = []
    for z in missing:
        members = np.flatnonzero(zone == z)
        if tall[members].any():
            most = g.weight[members[tall[members]], 0].max()
            found.append(Miss(int(z), f"It holds a building of {most:g}, above the maximum by itself.", True))
            continue
        inside = part == part[members[0]]
        total = g.weight[inside].sum(axis=0)
        fewest, _, most_ = goal.counts(total)
        if fewest > most_:
            found.append(
                Miss(
                    int(z),
                    f"Nothing joins it to more than {total[0]:g} in all, and no number of grids "
                    f"of {goal.band[0, 0]:g} to {goal.band[0, 2]:g} adds up to that.",
                    True,
                )
            )
            continue
        found.append(Miss(int(z), "No exchange with its neighbours was found that mends it.", False))
    progress(1.0)
    return found
