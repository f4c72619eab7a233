"""What a piece of boundary lies on, from weakest to strongest."""

from enum import IntEnum

import numpy as np

from onemap.engine.geometry.types import F64


class Kind(IntEnum):
    """The kinds of arc between two atoms; the number grows with the strength of the barrier."""

    GROUND = 0
    OUTLINE = 1
    WALL = 2
    PRESENT = 3  #: the outline of a present grid
    MINOR = 4
    SECONDARY = 5
    PRIMARY = 6
    TRUNK = 7
    RAILWAY = 8
    MOTORWAY = 9
    RIVER = 10
    BOUNDARY = 11


FIRST_BARRIER = Kind.WALL
#: Nothing joins across these except at crossings.
HARD = (Kind.MOTORWAY, Kind.RIVER)

#: What a metre of inner boundary costs, by kind: the planner wants it on strong barriers.
COST: F64 = np.array([1.0, 1.0, 0.76, 0.76, 0.76, 0.68, 0.65, 0.61, 0.57, 0.54, 0.54, 0.0])


def kind_of_road(road_class: str) -> Kind | None:
    """The barrier that a road makes, ``None`` for paths that bound nothing."""
    name = road_class.strip().lower()
    if name in _PATHS:
        return None
    return _ROADS.get(name.removesuffix("_link") if name != "motorway_link" else "trunk", Kind.MINOR)


_PATHS = frozenset(
    {"footway", "path", "cycleway", "steps", "bridleway", "corridor", "elevator", "platform", "proposed"}
)
_ROADS = {
    "motorway": Kind.MOTORWAY,
    "expressway": Kind.MOTORWAY,
    "trunk": Kind.TRUNK,
    "primary": Kind.PRIMARY,
    "secondary": Kind.SECONDARY,
    "tertiary": Kind.SECONDARY,
    "railway": Kind.RAILWAY,
    "rail": Kind.RAILWAY,
    "river": Kind.RIVER,
    "wall": Kind.WALL,
}
