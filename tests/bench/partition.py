"""
The partition engine beside its peers on the same atom graph, in one run: a table, JSON, and pictures side by side.

    python tests/bench/partition.py [FILE.osm.pbf ...] [--households 150000] [--limit 60] [--million] [--docs]
                                    [--only NAME] [--town 1 2 3] [--rival-only]

Without files the towns are invented; ``--town`` names the seeds they are invented with, ``--rival-only`` leaves out all
peers but METIS. ONEMAP_BENCH_DATA may name a folder of extracts to be measured as well. Peers run
where they can be imported (requirements-bench.txt); METIS always can. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import partition_again
import shapely
from fabrics import fabric
from partition_alone import alone
from partition_peers import GOAL, LIMIT_S, Zone, limited, peers

from onemap.cli.partition import _c_output_to_stderr, _from_osm
from onemap.engine.partition import Effort, _anneal, report
from onemap.engine.partition.atoms import Atoms, cut_atoms, weigh
from onemap.engine.partition.town import Town
from onemap.engine.partition.zoning import make_zones

ROOT = Path(__file__).resolve().parents[2]
OURS, RIVAL = "onemap", "METIS best of 10"
#: Invented places: name, kind, blocks along a side, whether the peers run and a picture is drawn.
INVENTED = (
    ("low-rise 2.5k", "low-rise", 6, True),
    ("courtyards 15k", "courtyards", 7, True),
    ("mixed 30k", "mixed", 8, True),
    ("low-rise 150k", "low-rise", 44, True),
    ("towers 180k", "towers", 9, True),
)
MILLIONS = (("low-rise 1M", "low-rise", 114, False), ("towers 1M", "towers", 22, False))
#: Extracts of more buildings than this are scaled to so many households, as issue 5 was measured.
_MANY_BUILDINGS, _MANY_HOUSEHOLDS = 20_000, 150_000
_PICTURE_ATOMS = 2500
_HEADS = ("grids", "out", "parts", "Polsby-Popper", "cut km", "off barriers km", "estates cut")


@dataclass(frozen=True)
class Place:
    """A town of the run."""

    name: str
    town: Callable[[], tuple[Town, np.ndarray[Any, Any]]]
    with_peers: bool


def main() -> None:
    """Run everything and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--households", type=int, help="scale the estimated households of the files to this many")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds after which a peer is stopped")
    parser.add_argument("--million", action="store_true", help="the two invented cities of a million households too")
    parser.add_argument("--only", action="append", help="places whose name has this in it")
    parser.add_argument("--town", type=int, nargs="+", default=[1], help="seeds of the invented towns")
    parser.add_argument("--rival-only", action="store_true", help="of the peers, METIS only")
    parser.add_argument("--docs", action="store_true", help="put the table and the picture into docs/partition.md")
    parser.add_argument("--out", type=Path, default=ROOT / "bench/results/partition.json")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": platform.platform(), "cores": args.workers, "places": {}}
    started = time.perf_counter()
    too_slow: dict[str, int] = {}
    with _c_output_to_stderr():
        for place in places(args):
            if args.only and not any(name in place.name for name in args.only):
                continue
            results["places"][place.name] = compare(place, args, too_slow)
    results["seconds"] = round(time.perf_counter() - started)
    args.out.write_text(json.dumps(results, indent=1))
    page = table(results) + partition_again.table(results["places"])
    args.out.with_suffix(".md").write_text(page)
    print(page)
    if args.docs:
        into_docs(page, args.out.parent)


def places(args: argparse.Namespace) -> Iterator[Place]:
    """What is measured: the files named, or the invented towns and the extracts of ONEMAP_BENCH_DATA."""
    folder = os.environ.get("ONEMAP_BENCH_DATA")
    files = args.files or (sorted(Path(folder).glob("*.osm.*")) if folder else [])
    if not args.files:
        for seed in args.town:
            for name, kind, blocks, with_peers in (*INVENTED, *(MILLIONS if args.million else ())):
                called = name if args.town == [1] else f"{name}, town {seed}"
                town = partial(_invented, kind, blocks, seed)
                yield Place(called, town, with_peers)
    for path in files:
        yield Place(path.name.split(".")[0], lambda p=path: _extract(p, args.households), True)  # type: ignore[misc]


def _invented(kind: str, blocks: int, seed: int) -> tuple[Town, np.ndarray[Any, Any]]:
    made = fabric(kind, blocks, seed)
    frames = (made.buildings, made.streets, made.water, made.estates, made.boundary)
    town = Town.of(*frames, None, every_street_bridges=False)
    return town, made.buildings["households"].to_numpy(dtype=np.float64)


def _extract(path: Path, households: int | None) -> tuple[Town, np.ndarray[Any, Any]]:
    found = _from_osm(
        {"osm": path, "bbox": None, "boundary": None, "estates": None, "households_rule": "households-by-floors"}
    )
    count = found.buildings["households"].to_numpy(dtype=np.float64)
    if households is None and len(count) > _MANY_BUILDINGS:
        households = _MANY_HOUSEHOLDS
    if households:
        count = np.rint(count * households / count.sum())
    frames = (found.buildings, found.streets, found.water, None, None)
    return Town.of(*frames, None, every_street_bridges=False), count


def compare(place: Place, args: argparse.Namespace, too_slow: dict[str, int]) -> dict[str, Any]:
    """
    All methods on one place.

    A peer that was stopped is not asked again on a place of as many atoms or more (``too_slow``: the fewest atoms at
    which each was stopped), but for ReCom on the large places, whose row is wanted.
    """
    town, households = place.town()
    (arcs, building_atom), atoms_s = timed(lambda: cut_atoms(town.land))
    atoms, _ = weigh(arcs, building_atom, np.stack([households, households], axis=1), town.estate)
    make_zones(atoms.graph, GOAL, effort=Effort(steps_per_atom=1, rounds=1, repair_tries=1))  # compile

    def judge(of: Atoms, zone: Zone) -> dict[str, Any]:
        return measure(of, zone, town.estate)

    print(f"\n{place.name}: {int(households.sum())} households, {atoms.graph.n_atom} atoms cut in {atoms_s:.1f} s")
    zone, seconds = timed(lambda: make_zones(atoms.graph, GOAL, seed=1, effort=Effort(workers=args.workers)))
    rows: dict[str, dict[str, Any]] = {OURS: judge(atoms, zone) | {"seconds": round(seconds, 2)}}
    by_itself = alone(atoms.graph, args.workers)
    rows[OURS] |= {key: by_itself[key] for key in ("cpu_s", "peak_mb")}
    plans = {OURS: zone}
    _tell(OURS, rows[OURS])
    for method, solve in peers(judge).items() if place.with_peers else ():
        if args.rival_only and method != RIVAL:
            continue
        stopped_at = too_slow.get(method)
        if stopped_at is not None and atoms.graph.n_atom >= stopped_at and not _is_wanted(method, atoms):
            rows[method] = {"failed": f"not run: > {args.limit:.0f} s at {stopped_at} atoms"}
            continue
        try:
            zone, seconds = limited(solve, atoms, args.limit)
        except TimeoutError as late:
            rows[method] = {"failed": str(late)}
            too_slow[method] = min(atoms.graph.n_atom, stopped_at or atoms.graph.n_atom)
        except RuntimeError as wrong:
            rows[method] = {"failed": str(wrong)}
        else:
            rows[method] = judge(atoms, zone) | {"seconds": round(seconds, 2)}
            plans[method] = zone
        _tell(method, rows[method])
    answer: dict[str, Any] = {
        "households": int(households.sum()),
        "atoms": atoms.graph.n_atom,
        "seconds_atoms": round(atoms_s, 1),
    }
    answer["estates_above_maximum"] = above_maximum(town.estate, households)
    if RIVAL in plans:
        answer["ratios"] = against(rows[OURS], rows[RIVAL])
        print("onemap / METIS:", ", ".join(f"{key} {value}" for key, value in answer["ratios"].items()), flush=True)
    if place.with_peers and atoms.graph.n_atom <= _PICTURE_ATOMS:
        draw(args.out.parent / f"partition-{place.name.replace(' ', '-')}.svg", atoms, plans)
    if place.with_peers and atoms.graph.n_atom > _MANY_BUILDINGS:
        answer["again"] = partition_again.again(town, atoms, plans[OURS], households, args.workers)
        print("re-partition:", *answer["again"], sep="\n  ", flush=True)
    return answer | {"methods": rows}


def _is_wanted(method: str, atoms: Atoms) -> bool:
    """ReCom at 150,000 households of small houses is a row of issue 5 by itself."""
    return method == "GerryChain ReCom" and atoms.graph.n_atom > _MANY_BUILDINGS


def _tell(method: str, row: dict[str, Any]) -> None:
    print(f"  {method:20}", row.get("failed") or " ".join(f"{k} {v:.4g}" for k, v in row.items()), flush=True)


def timed[T](work: Callable[[], T]) -> tuple[T, float]:
    """The outcome and how long it took."""
    started = time.perf_counter()
    outcome = work()
    return outcome, time.perf_counter() - started


def measure(atoms: Atoms, zone: Zone, estate: np.ndarray[Any, Any]) -> dict[str, Any]:
    """What a plan is worth; a building above the maximum is in nobody's power and left out of ``out``."""
    g = atoms.graph
    n = int(zone.max()) + 1
    sums = _anneal.totals(zone, n, g.weight, g.area_m2, g.perimeter_m, g.first, g.to, g.length_m)
    miss = GOAL.miss(sums) > 0
    hopeless = np.zeros(n, dtype=bool)
    hopeless[zone[GOAL.too_big(g.weight)]] = True
    cut = zone[g.row()] != zone[g.to]
    building_zone = np.where(atoms.building_atom >= 0, zone[atoms.building_atom], -1)
    return {
        "grids": n,
        "out": int((miss & ~hopeless).sum()),
        "towers": int(hopeless.sum()),
        "discontiguous": int((_anneal.parts_of(zone, n, g.first, g.to, g.joins) != 1).sum()),
        "polsby_popper": float((4 * np.pi * sums[:, 2] / np.maximum(sums[:, 3], 1e-9) ** 2).mean()),
        "cut_km": float(g.length_m[cut].sum() / 2000),
        "off_barrier_km": float((g.length_m - g.barrier_m)[cut].sum() / 2000),
        "estates_cut": report.estates_cut(estate, building_zone.astype(np.int32)),
    }


def above_maximum(estate: np.ndarray[Any, Any], households: np.ndarray[Any, Any]) -> int:
    """Estates that every plan must cut: all their households together are more than a grid may hold."""
    known = estate >= 0
    return int((np.bincount(estate[known], households[known]) > GOAL.band[0, 2]).sum()) if known.any() else 0


def against(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float | None]:
    """Our figures as shares of theirs; nothing where theirs is 0."""
    keys = ("out", "polsby_popper", "cut_km", "off_barrier_km", "estates_cut", "seconds")
    return {key: round(ours[key] / theirs[key], 3) if theirs[key] else None for key in keys}


def table(results: dict[str, Any]) -> str:
    """The run as Markdown."""
    lines = [
        f"| place, households, atoms | method | {' | '.join(_HEADS)} | seconds | CPU s | peak MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, place in results["places"].items():
        head = f"{name}, {place['households']:,}, {place['atoms']:,}"
        if place["estates_above_maximum"]:
            head += f" ({place['estates_above_maximum']} estates above the maximum)"
        for method, row in place["methods"].items():
            if "failed" in row:
                lines.append(f"| {head} | {method} | | | | | | | | {row['failed']} | | |")
            else:
                lines.append(
                    f"| {head} | {method} | {row['grids']} | {row['out']} | {row['discontiguous']} | "
                    f"{row['polsby_popper']:.3f} | {row['cut_km']:.1f} | {row['off_barrier_km']:.1f} | "
                    f"{row['estates_cut']} | {row['seconds']:.2f} | {row.get('cpu_s', '')} | {row.get('peak_mb', '')} |"
                )
            head = ""
    return "\n".join(lines) + "\n"


def into_docs(page: str, pictures: Path) -> None:
    """Replace what stands between the marks in docs/partition.md, and its picture."""
    path = ROOT / "docs/partition.md"
    before, rest = path.read_text().split("<!-- bench -->", 1)
    _, after = rest.split("<!-- /bench -->", 1)
    path.write_text(f"{before}<!-- bench -->\n\n{page}\n<!-- /bench -->{after}")
    picture = pictures / "partition-courtyards-15k.svg"
    (ROOT / "docs/partition-invented.svg").write_text(picture.read_text())


def draw(path: Path, atoms: Atoms, plans: dict[str, Zone]) -> None:
    """The plans side by side as one SVG, grids out of band in red."""
    wanted = [n for n in (OURS, RIVAL, "KaHIP eco", "GerryChain ReCom", "k-means", "H3") if n in plans]
    west, south, east, north = atoms.arcs.xy[:, 0].min(), atoms.arcs.xy[:, 1].min(), *atoms.arcs.xy.max(axis=0)
    scale = 320 / (east - west)
    height = (north - south) * scale
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{340 * len(wanted)}" height="{height + 38:.0f}">']
    for column, name in enumerate(wanted):
        zone = plans[name]
        n = int(zone.max()) + 1
        weight = np.bincount(zone, atoms.graph.weight[:, 0], n)
        parts.append(f'<text x="{340 * column + 8}" y="20" font-family="sans-serif" font-size="16">{name}</text>')
        for z, shape in enumerate(atoms.arcs.relabelled(zone).polygons()):
            good = 300 <= weight[z] <= 500
            colour = f"hsl({(z * 137) % 360},45%,80%)" if good else "#d7301f"
            rings = shapely.get_rings(shapely.get_parts(shapely.simplify(shape, 0.7 / scale)))
            pen = "".join(
                "M" + "L".join(f"{(x - west) * scale:.1f} {(north - y) * scale:.1f}" for x, y in ring.coords) + "Z"
                for ring in rings
            )
            parts.append(
                f'<path transform="translate({340 * column + 8},30)" d="{pen}" fill="{colour}" fill-rule="evenodd" '
                'stroke="#444" stroke-width=".5"/>'
            )
    parts.append("</svg>")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
