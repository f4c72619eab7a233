"""
What every plan must obey, on extracts and on invented towns, several seeds each: the table of docs/partition.md.

    python tests/bench/partition_laws.py [FOLDER] [--seeds 5]

Counts grids in several parts, gaps and overlaps of the coverage, buildings cut by more than 1 m2, and grids out of band
without a reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from fabrics import KINDS, fabric

from onemap.cli._atoms_cache import AtomsCache
from onemap.cli.partition import _c_output_to_stderr, _from_osm
from onemap.engine.partition import Plan, partition

_HEADS = ("place", "grids", "in several parts", "gaps or overlaps", "cut > 1 m2", "in band, feasible", "misses", "area")
_MANY_BUILDINGS, _MANY_HOUSEHOLDS = 20_000, 150_000
_INVENTED_SEED = 70


def main() -> None:
    """The table on standard output, a row as soon as a place is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    sys.stdout.write(f"| {' | '.join(_HEADS)} |\n|{'---|' * len(_HEADS)}\n")
    for name, frames in places(args.folder):
        with _c_output_to_stderr():
            plans = [partition(**frames, seed=s, atoms_cache=AtomsCache().get) for s in range(1, args.seeds + 1)]
            row = judged(plans, frames["boundary"])
        sys.stdout.write(f"| {name} | {' | '.join(row)} |\n")
        sys.stdout.flush()


def places(folder: Path | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and inputs: every kind of invented town with a seed that nothing was tuned on, then the extracts."""
    for kind in KINDS:
        made = fabric(kind, 7, _INVENTED_SEED)
        yield f"{kind}, invented", vars(made)
    for path in sorted(folder.glob("*.osm.*")) if folder else ():
        found = _from_osm(
            {"osm": path, "bbox": None, "boundary": None, "estates": None, "households_rule": "households-by-floors"}
        )
        houses = found.buildings
        if len(houses) > _MANY_BUILDINGS:
            count = houses["households"].to_numpy(dtype=np.float64)
            houses = houses.assign(households=np.rint(count * _MANY_HOUSEHOLDS / count.sum()).astype(int))
        if houses["households"].sum():
            frames = {"buildings": houses, "streets": found.streets, "water": found.water, "boundary": None}
            yield path.name.split(".")[0], frames


def judged(plans: list[Plan], boundary: gpd.GeoDataFrame | None) -> list[str]:
    """The cells of a row: the worst, or the sum, over the plans."""
    n_broken = sum(not shapely.coverage_is_valid(plan.grids.geometry.to_numpy()) for plan in plans)
    shares = [plan.summary["share_in_band_feasible"] for plan in plans]
    feasible = [share for share in shares if share is not None]
    reasons = sum(len(plan.summary["misses"]) for plan in plans)
    unexplained = sum(int((~plan.grids["in_band"]).sum()) for plan in plans) - reasons
    return [
        " ".join(str(plan.summary["n_grids"]) for plan in plans),
        str(sum(plan.summary["n_discontiguous"] for plan in plans)),
        str(n_broken),
        str(sum(n_cut(plan) for plan in plans)),
        f"{min(feasible):.1%}" if feasible else "none feasible",
        f"{reasons} explained, {unexplained} not",
        f"{max(off_area(plan, boundary) for plan in plans):.0e}",
    ]


def n_cut(plan: Plan) -> int:
    """Buildings that lose more than 1 m2 at the border of their grid."""
    metric = plan.grids.estimate_utm_crs() if plan.grids.crs.is_geographic else plan.grids.crs
    houses = plan.buildings[plan.buildings["grid"].notna()].to_crs(metric)
    ground = plan.grids.to_crs(metric).set_index("grid").geometry.loc[houses["grid"]].to_numpy()
    shapes = houses.geometry.to_numpy()
    whole = np.asarray(shapely.is_valid(shapes))
    union = shapely.union_all(plan.grids.to_crs(metric).geometry.to_numpy())
    shapely.prepare(union)
    inside = whole & np.asarray(shapely.contains(union, shapes))
    lost = shapely.area(shapes[inside]) - shapely.area(shapely.intersection(shapes[inside], ground[inside]))
    return int((lost > 1.0).sum())


def off_area(plan: Plan, boundary: gpd.GeoDataFrame | None) -> float:
    """How far the grids' areas are from the area of what they tile, as a share of it."""
    shapes = plan.grids.geometry.to_numpy()
    whole = shapely.union_all(shapes if boundary is None else boundary.to_crs(plan.grids.crs).geometry.to_numpy())
    return float(abs(shapely.area(shapes).sum() - whole.area) / whole.area)


if __name__ == "__main__":
    main()
