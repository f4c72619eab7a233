"""
Partition of a community, or of a city at once, into grids by household count.

Atoms (buildings with their ground) are cut by barriers, joined to a graph, seeded with METIS, annealed, repaired and
dissolved to polygons. Arrays in, arrays out: ``ground``, ``graph``, ``zoning``, ``certify``, ``keep``; ``partition``
does it all on GeoDataFrames.
"""

from onemap.engine.partition.frames import Plan, partition
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.state import Effort

__all__ = ["Effort", "Goal", "Plan", "partition"]
