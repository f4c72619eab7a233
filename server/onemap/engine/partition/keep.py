"""Re-partition: as few households as possible leave their present grid."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from onemap.engine.geometry.types import I32
from onemap.engine.partition.atoms import Atoms
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.ground import Geometries
from onemap.engine.partition.zoning import Effort


@dataclass(frozen=True, slots=True)
class Present:
    """Today's grids, in local metres."""

    codes: list[str]
    shapes: Geometries
    buildings: Geometries
    locked: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    zone: I32
    names: list[str]
    moved: dict[str, Any]


def reassign(
    atoms: Atoms,
    present: Present,
    goal: Goal,
    *,
    seed: int,
    effort: Effort | None,
    progress: Callable[[float], None],
) -> Outcome:
    raise NotImplementedError
