"""Coverage zone by zone: grids, estates, areas, H3 cells; and what of it the public may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import h3
import numpy as np

from onemap.analyses.circle_ground import Ground
from onemap.analyses.circle_rules import Limit
from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.arrays import F64, I64, Bool
from onemap.store.circle import ZoneRow

BY = ("building", "grid", "estate", "community", "street", "h3")
#: Zones whose households everybody may know.
PUBLIC_BY = frozenset({"grid", "community", "street", "h3"})
#: Fewer households than this are not shown to the public.
FEW = 5


@dataclass(frozen=True, slots=True)
class ZoneCoverage:
    """One zone; ``suppressed`` where the numbers are too small to be shown."""

    key: str
    fid: int | None
    title: str
    n_buildings: int
    households: int | None
    persons: int | None
    households_covered: int | None
    persons_covered: int | None
    share: float | None
    mean_s: float | None
    worst_s: float | None
    rank: int | None
    suppressed: bool
    ring: list[tuple[float, float]] | None


def zones_of(ground: Ground, rows: I64, metres: F64, limit: Limit, speed_kmh: float, by: str) -> list[ZoneCoverage]:
    """
    Coverage zone by zone.

    Parameters
    ----------
    rows, metres : (n,)
        The homes that count, and their walks.
    by
        One of ``BY`` except ``building``.
    """
    zones, zone = _zoning(ground, by)
    zone = zone[rows]
    households, persons = ground.homes.households[rows], ground.homes.persons[rows]
    within, reached = covered(metres, limit.metres_at(speed_kmh)), np.isfinite(metres)
    inside = zone >= 0
    n = len(zones)

    def total(weight: F64, where: Bool) -> F64:
        return np.bincount(zone[inside & where], weights=weight[inside & where], minlength=n)

    everyone = np.ones(len(zone), dtype=np.bool_)
    all_households, all_persons = total(households, everyone), total(persons, everyone)
    n_lived = np.bincount(zone[inside & (households > 0.0)], minlength=n)
    households_in, persons_in = total(households, within), total(persons, within)
    weight_reached, walked = total(households, reached), total(households * np.where(reached, metres, 0.0), reached)
    worst = np.full(n, -np.inf)
    lived = inside & reached & (households > 0.0)
    np.maximum.at(worst, zone[lived], metres[lived])
    ms = speed_kmh / 3.6
    shown = [i for i in np.unique(zone[inside]) if all_households[i] > 0.0]
    share = {i: float(households_in[i] / all_households[i]) for i in shown}
    order = sorted(shown, key=lambda i: -share[i])
    rank = {i: 1 + sum(share[j] > share[i] for j in order[:at]) for at, i in enumerate(order)} if by != "h3" else {}
    return [
        ZoneCoverage(
            key=zones[i].code,
            fid=zones[i].fid if zones[i].fid >= 0 else None,
            title=zones[i].title,
            n_buildings=int(n_lived[i]),
            households=int(all_households[i]),
            persons=int(all_persons[i]),
            households_covered=int(households_in[i]),
            persons_covered=int(persons_in[i]),
            share=share[i],
            mean_s=rounded(float(walked[i] / weight_reached[i] / ms)) if weight_reached[i] > 0.0 else None,
            worst_s=rounded(float(worst[i] / ms)) if worst[i] >= 0.0 else None,
            rank=rank.get(i),
            suppressed=False,
            ring=_ring(zones[i].code) if by == "h3" else None,
        )
        for i in shown
    ]


def _zoning(ground: Ground, by: str) -> tuple[Sequence[ZoneRow], I64]:
    if by == "grid":
        return ground.grids, ground.homes.grid
    if by == "estate":
        return ground.estates, ground.homes.estate
    if by == "h3":
        cells, zone = ground.cells
        return [ZoneRow(-1, cell, cell, "") for cell in cells], zone
    return ground.zone_of_level(by)


def _ring(cell: str) -> list[tuple[float, float]]:
    ring = [(round(lon, 7), round(lat, 7)) for lat, lon in h3.cell_to_boundary(cell)]
    return [*ring, ring[0]]


def suppressed(zones: list[ZoneCoverage]) -> list[ZoneCoverage]:
    """
    Zones as the public may read them: whole per cent, and nothing where fewer than five lie on a side of the limit.

    Where one zone alone would be hidden, it could be told as what is missing from the total, so the next smallest is
    hidden with it.
    """
    hidden = {i for i, zone in enumerate(zones) if _is_few(zone)}
    if len(hidden) == 1:
        others = [i for i in range(len(zones)) if i not in hidden]
        hidden |= set(sorted(others, key=lambda i: zones[i].households or 0)[:1])
    return [_veiled(zone, i in hidden) for i, zone in enumerate(zones)]


def _is_few(zone: ZoneCoverage) -> bool:
    pairs = ((zone.households, zone.households_covered), (zone.persons, zone.persons_covered))
    if zone.n_buildings < FEW:
        return True
    return any((all_ or 0) < FEW or 0 < (in_ or 0) < FEW or 0 < (all_ or 0) - (in_ or 0) < FEW for all_, in_ in pairs)


def _veiled(zone: ZoneCoverage, hide: bool) -> ZoneCoverage:
    return ZoneCoverage(
        key=zone.key,
        fid=zone.fid,
        title=zone.title,
        n_buildings=zone.n_buildings,
        households=None if hide else zone.households,
        persons=None if hide else zone.persons,
        households_covered=None,
        persons_covered=None,
        share=None if hide or zone.share is None else round(zone.share, 2),
        mean_s=None if hide or zone.mean_s is None else float(round(zone.mean_s, -1)),
        worst_s=None,
        rank=None if hide else zone.rank,
        suppressed=hide,
        ring=zone.ring,
    )


def few(weight: F64, flags: Bool) -> bool:
    """Whether so few stand on a side of the limit that the public may not know."""
    total, inside = float(weight.sum()), float(weight[flags].sum())
    return total < FEW or 0.0 < inside < FEW or 0.0 < total - inside < FEW


def rounded(seconds: float | None) -> float | None:
    """Seconds as they are told."""
    return None if seconds is None else round(seconds, 1)
