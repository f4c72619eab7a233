"""The analyses that this server answers."""

from __future__ import annotations

from onemap.analyses.circle_processes import CAMERA_COVERAGE, ISOCHRONE, LIFE_CIRCLE, SITING
from onemap.analyses.echo import ECHO
from onemap.analyses.nearest import NEAREST_RESPONDERS
from onemap.analyses.partition import PARTITION_GRIDS
from onemap.analyses.registry import Registry

ALL = Registry((ECHO, NEAREST_RESPONDERS, PARTITION_GRIDS, LIFE_CIRCLE, ISOCHRONE, SITING, CAMERA_COVERAGE))
