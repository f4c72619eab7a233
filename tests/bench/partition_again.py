"""Re-partition for ``partition.py``: a tenth of the buildings change, and the plan is mended moving as few as it can."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from partition_peers import GOAL, Zone

from onemap.engine.partition import Effort
from onemap.engine.partition.atoms import Atoms, weigh
from onemap.engine.partition.keep import Present, reassign
from onemap.engine.partition.town import Town

#: Name of a change, and the least and most that a changed building's households are multiplied by.
CHANGES = (("half to twice as many", 0.5, 2.0), ("none to 3.2 times as many", 0.0, 3.2))
HEADS = ("place", "change", "out before", "out after", "buildings moved", "households moved / bound", "seconds")


def again(town: Town, atoms: Atoms, zone: Zone, households: Zone, workers: int) -> list[dict[str, Any]]:
    """A row for each change of every tenth building."""
    codes = [f"{z:05d}" for z in range(int(zone.max()) + 1)]
    present = Present(codes, atoms.arcs.relabelled(zone).polygons(), town.land.buildings, frozenset())
    rows = []
    for name, low, high in CHANGES:
        rng = np.random.default_rng(10)
        changed = rng.random(len(households)) < 0.1
        count = np.where(changed, np.rint(households * rng.uniform(low, high, len(households))), households)
        now, _ = weigh(atoms.arcs, atoms.building_atom, np.stack([count, count], axis=1), town.estate)
        started = time.perf_counter()
        outcome = reassign(now, present, replace(GOAL), seed=1, effort=Effort(workers=workers))
        bound = max(float(outcome.moved["bound_households"]), 1e-9)
        rows.append(
            {
                "change": name,
                "out_before": n_out(now, zone),
                "out_after": n_out(now, outcome.zone),
                "buildings_moved_share": outcome.moved["buildings"] / len(households),
                "households_to_bound": outcome.moved["households"] / bound,
                "seconds": round(time.perf_counter() - started, 2),
            }
        )
    return rows


def n_out(atoms: Atoms, zone: Zone) -> int:
    """Grids out of band but for those that hold a building above the maximum."""
    n = int(zone.max()) + 1
    weight = np.bincount(zone, atoms.graph.weight[:, 0], n)
    out = (weight < GOAL.band[0, 0]) | (weight > GOAL.band[0, 2])
    out[zone[GOAL.too_big(atoms.graph.weight)]] = False
    return int(out.sum())


def table(places: dict[str, Any]) -> str:
    """The rows of all places as Markdown; nothing where no place is large enough."""
    lines = [
        f"| {place} | {row['change']} | {row['out_before']} | {row['out_after']} | "
        f"{row['buildings_moved_share']:.2%} | {row['households_to_bound']:.2f} | {row['seconds']:.1f} |"
        for place, answer in places.items()
        for row in answer.get("again", ())
    ]
    return "\n".join(["", f"| {' | '.join(HEADS)} |", "|" + "---|" * len(HEADS), *lines, ""]) if lines else ""
