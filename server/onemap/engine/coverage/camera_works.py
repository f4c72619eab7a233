"""
Where the cameras fall short: shares of ground, streets and key places, and the four works that follow.

fill gaps 填空: key places that no camera sees; densify 加密: ground with much weight and little coverage;
integrate 集成: cameras that stand but are not linked; improve 提效: cameras offline, in repair, or old.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from onemap.engine.network.arrays import F64, I64, Bool
from onemap.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class CameraWorks:
    """Rows to work on: places to fill, zones to densify (most wanted first), cameras to integrate and to improve."""

    fill: I64
    densify: I64
    integrate: I64
    improve: I64


def ground_share(zones: Any, seen: Any) -> F64:
    """The share of each zone's ground that some camera sees: (n_zone,); 0 for zones without ground."""
    zones = np.asarray(zones, dtype=object)
    area = shapely.area(zones)
    return np.asarray(
        np.divide(_measure(zones, seen, shapely.area), area, out=np.zeros(len(zones)), where=area > 0.0),
        dtype=np.float64,
    )


def street_share(lines: Any, seen: Any) -> F64:
    """The share of each street's length that some camera sees: (n_line,); 0 for lines without length."""
    lines = np.asarray(lines, dtype=object)
    length = shapely.length(lines)
    return np.asarray(
        np.divide(_measure(lines, seen, shapely.length), length, out=np.zeros(len(lines)), where=length > 0.0),
        dtype=np.float64,
    )


def n_seeing(x: F64, y: F64, seen: Any) -> I64:
    """How many cameras see each point: (n_point,)."""
    tree = shapely.STRtree(np.asarray(seen, dtype=object))
    point, _ = tree.query(shapely.points(x, y), predicate="intersects")
    return np.bincount(point, minlength=len(x)).astype(np.int64)


def four_works(
    place_seen: I64, zone_share: F64, zone_weight: F64, linked: Bool, online: Bool, age_years: F64,
    *, thin_share: float = 0.5, old_years: float = 8.0,
) -> CameraWorks:  # fmt: skip
    """
    The four works as rows.

    Parameters
    ----------
    place_seen : (n_place,)
        Cameras that see each key place.
    zone_share, zone_weight : (n_zone,)
        Covered share and weight (households, events) of every zone; below ``thin_share`` it is thin.
    linked, online, age_years : (n_camera,)
        Whether it is linked to the platform, whether it works, its age (NaN where unknown).
    """
    if not 0.0 < thin_share <= 1.0:
        raise InvalidValue(f"A share of {thin_share:g} cannot be a limit: it lies above 0 and not above 1.")
    want = zone_weight * (1.0 - zone_share)
    thin = np.flatnonzero((zone_share < thin_share) & (want > 0.0))
    return CameraWorks(
        fill=np.flatnonzero(place_seen == 0),
        densify=thin[np.argsort(-want[thin], kind="stable")],
        integrate=np.flatnonzero(~linked),
        improve=np.flatnonzero(linked & (~online | (np.nan_to_num(age_years, nan=0.0) > old_years))),
    )


def _measure(things: Any, seen: Any, measure: Any) -> F64:
    """What of each thing lies in the union of the seen ground that touches it."""
    seen = np.asarray(seen, dtype=object)
    total = np.zeros(len(things))
    if len(seen) == 0:
        return total
    thing, ground = shapely.STRtree(seen).query(things, predicate="intersects")
    order = np.argsort(thing, kind="stable")
    thing, ground = thing[order], ground[order]
    begins = np.flatnonzero(np.append(True, np.diff(thing) != 0)) if len(thing) else np.empty(0, dtype=np.int64)
    for begin, end in zip(begins, np.append(begins[1:], len(thing)), strict=False):
        union = shapely.union_all(seen[ground[begin:end]])
        total[thing[begin]] = float(measure(shapely.intersection(things[thing[begin]], union)))
    return total
