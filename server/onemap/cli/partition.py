"""``onemap partition``: grids of a community, or of a whole city, by household count."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import click
import geopandas as gpd
import numpy as np
import orjson
import shapely

from onemap.cli._atoms_cache import AtomsCache
from onemap.cli._partition_rules import grid_rules, household_rule, needs_rule_of
from onemap.cli.common import Progress, emit, json_option, say
from onemap.domain.rule_set import Band, Logic, RuleSet, Unit
from onemap.engine.partition import Effort, Plan, partition
from onemap.engine.partition.report import balance_index, needs_of
from onemap.errors import InputRefused, InvalidValue, UsageError

_READABLE = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY
_FILE = click.Path(path_type=Path)


@click.command(name="partition")
@click.option("--buildings", type=_FILE, help="Polygons of buildings.")
@click.option("--streets", type=_FILE, help="Lines of streets, railways and walls, with kind and bridge if known.")
@click.option("--water", type=_FILE, help="Rivers and lakes, polygons or lines.")
@click.option("--estates", type=_FILE, help="Polygons of estates, to be kept whole.")
@click.option("--boundary", type=_FILE, help="The ground to tile; without it the hull of the buildings.")
@click.option("--osm", type=_FILE, help="Buildings, streets and water from an OpenStreetMap extract instead.")
@click.option("--bbox", help="west,south,east,north in degrees, with --osm.")
@click.option("--area", help="Code of an area in the database instead of files.")
@click.option("--scenario", help="Name of the scenario to write, with --area.")
@click.option("--households-field", help="Column of households; without it they are estimated by --households-rule.")
@click.option("--persons-field", help="Column of persons.")
@click.option("--households-rule", default="households-by-floors", show_default=True, help="Rule that estimates.")
@click.option("--rule", "rule_id", help="Bands from a rule set of layers/rules instead of the next four.")
@click.option("--target", type=float, default=400, show_default=True, help="Households (or persons) wanted.")
@click.option("--min", "minimum", type=float, default=300, show_default=True, help="Fewest in a grid.")
@click.option("--max", "maximum", type=float, default=500, show_default=True, help="Most in a grid.")
@click.option("--unit", type=click.Choice(["households", "persons"]), default="households", show_default=True)
@click.option("--keep", type=_FILE, help="Present grids, to be kept as far as possible.")
@click.option("--keep-present", is_flag=True, help="With --area: keep the plan in force as far as possible.")
@click.option("--lock", multiple=True, metavar="CODE", help="A present grid that must not change; may be repeated.")
@click.option("--every-street-bridges", is_flag=True, help="Take every street over water as a bridge.")
@click.option("--join-islands", is_flag=True, help="Join unreachable pieces below the minimum across barriers.")
@click.option("--never-cross", is_flag=True, help="Let no grid have buildings on both banks without a bridge.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same plan.")
@click.option("--seconds", type=float, help="Stop improving after this long; without it a fixed number of steps.")
@click.option("--workers", type=int, default=1, show_default=True, help="Cores to use; the plan is the same.")
@click.option("--out", type=_FILE, help="GeoPackage for the layers grids, buildings, atoms.")
@click.option(
    "--report", type=_FILE, help="JSON file for the full report: every grid, barriers by kind, staff and rooms."
)
@click.option("--no-cache", is_flag=True, help="Cut the atoms afresh.")
@json_option
def command(as_json: bool, out: Path | None, area: str | None, scenario: str | None, **asked: Any) -> None:
    """Partition a community, or a whole city at once, into grids by household count.

    Grids tile the boundary, are connected, never cut a building and follow streets, rivers and compound walls. Misses
    are listed with the reason why nothing mends them.
    """
    if area or scenario:
        from onemap.cli import _partition_area  # noqa: PLC0415 - the files' way works without a database

        document, sentence = _partition_area.answer(area, scenario, asked, _rules(asked))
        emit(document, as_json, sentence)
        return
    _check(asked)
    rules = _rules(asked)
    for target in (out, asked["report"]):
        if target is not None and not target.resolve().parent.is_dir():
            raise UsageError(f"There is no folder '{target.parent}' to write {target.name} to.")
    sources = _from_osm(asked) if asked["osm"] else _from_files(asked)
    with _stop_on_interrupt() as stopped, Progress("partition") as bar, _c_output_to_stderr():

        def progress(stage: str, share: float) -> None:
            bar(round(100 * (_STAGE_START[stage] + _STAGE_SHARE[stage] * share)), 100, stage)

        steer = rules.bands[0]
        other = rules.bands[1] if len(rules.bands) > 1 else None
        plan = partition(
            sources.buildings,
            sources.streets,
            sources.water,
            sources.estates,
            sources.boundary,
            households=sources.households,
            persons=sources.persons,
            minimum=steer.minimum,
            target=steer.target,
            maximum=steer.maximum,
            unit=str(steer.unit),
            second_band=(other.minimum, other.target, other.maximum) if other else None,
            logic=str(rules.logic) if other else "first",
            keep=_read(asked["keep"], "present grids", ("grids",), "Polygon"),
            lock=asked["lock"],
            every_street_bridges=asked["every_street_bridges"],
            join_islands=asked["join_islands"],
            never_cross=asked["never_cross"],
            seed=asked["seed"],
            effort=Effort(workers=max(1, asked["workers"]), seconds=asked["seconds"]),
            progress=progress,
            stop=lambda: bool(stopped),
            atoms_cache=None if asked["no_cache"] else AtomsCache().get,
        )
    for note in (*sources.notes, *plan.notes):
        say(note)
    if out is not None:
        write_plan(plan, out, drop=sources.added)
    if asked["report"] is not None:
        asked["report"].write_bytes(orjson.dumps(full_report(plan, rules), option=_READABLE))
    if stopped:
        say("Stopped: the best plan so far" + (f" was written to {out}." if out else " follows."))
    emit(plan.summary, as_json, lambda: describe(plan, rules))


_STAGE_START = {"atoms": 0.0, "zoning": 0.35, "proof": 0.85, "polygons": 0.95}
_STAGE_SHARE = {"atoms": 0.35, "zoning": 0.5, "proof": 0.1, "polygons": 0.05}


@dataclass(frozen=True, slots=True)
class _Sources:
    buildings: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame | None
    water: gpd.GeoDataFrame | None
    estates: gpd.GeoDataFrame | None
    boundary: gpd.GeoDataFrame | None
    households: str
    persons: str | None
    notes: tuple[str, ...]
    added: tuple[str, ...] = ()  #: columns of the buildings that were not in the input


def _check(asked: dict[str, Any]) -> None:
    if bool(asked["osm"]) == bool(asked["buildings"]):
        raise UsageError("Name the buildings with --buildings FILE, or an extract with --osm FILE, or an --area CODE.")
    if asked["osm"] and (asked["streets"] or asked["water"] or asked["households_field"] or asked["persons_field"]):
        raise UsageError("--osm brings its own buildings, streets and water; households are estimated by a rule.")
    if asked["bbox"] and not asked["osm"]:
        raise UsageError("--bbox cuts an extract and needs --osm; for files give a --boundary.")
    if asked["bbox"] and asked["boundary"]:
        raise UsageError("Give --bbox or --boundary, not both.")
    if asked["never_cross"] and asked["join_islands"]:
        raise UsageError("--never-cross and --join-islands exclude each other.")
    if asked["lock"] and not asked["keep"]:
        raise UsageError("--lock names present grids and needs them: --keep FILE.")
    if asked["seconds"] is not None and asked["seconds"] <= 0:
        raise UsageError("--seconds must be more than 0.")


def _rules(asked: dict[str, Any]) -> RuleSet:
    if asked["rule_id"]:
        known = grid_rules()
        if asked["rule_id"] not in known:
            raise UsageError(f"There is no rule set '{asked['rule_id']}'; there are {', '.join(sorted(known))}.")
        return known[asked["rule_id"]]
    band = _band(asked)
    return RuleSet("asked", "asked on the command line", (band,), Logic.ALL, "the command line")


def _band(asked: dict[str, Any]) -> Band:
    try:
        return Band(asked["minimum"], asked["target"], asked["maximum"], Unit(asked["unit"]))
    except InvalidValue as wrong:
        raise UsageError(str(wrong)) from wrong


def _from_files(asked: dict[str, Any]) -> _Sources:
    buildings = _read(asked["buildings"], "buildings", ("buildings",), "Polygon")
    if buildings is None:
        raise UsageError("--buildings is needed.")
    notes: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    households = asked["households_field"]
    if households is None and asked["unit"] == "persons" and asked["persons_field"]:
        buildings, households, added = buildings.assign(_households=0), "_households", ("_households",)
    elif households is None:
        buildings, note = household_rule(asked["households_rule"]).mark(buildings, "_households")
        households, notes, added = "_households", (note,), ("_households",)
    return _Sources(
        buildings,
        _read(asked["streets"], "streets", ("streets", "roads", "edges", "lines"), "Line"),
        _read(asked["water"], "water", ("water",), None),
        _read(asked["estates"], "estates", ("estates",), "Polygon"),
        _read(asked["boundary"], "boundary", ("boundary", "areas"), "Polygon"),
        households,
        asked["persons_field"],
        notes,
        added,
    )


def _from_osm(asked: dict[str, Any]) -> _Sources:
    from onemap.cli._osm_lines import read_lines  # noqa: PLC0415 - pyosmium only where it is needed
    from onemap.ingest.osm import read_osm  # noqa: PLC0415

    if not asked["osm"].is_file():
        raise InputRefused(f"There is no file '{asked['osm']}'.")
    boundary = _read(asked["boundary"], "boundary", ("boundary", "areas"), "Polygon")
    bbox = _bbox(asked["bbox"]) if asked["bbox"] else None
    if boundary is not None:
        boundary = boundary.to_crs("EPSG:4326")
        bbox = tuple(float(v) for v in boundary.total_bounds)  # type: ignore[assignment]
    frames = {name: f.set_crs("EPSG:4326", allow_override=True) for name, f in read_osm(asked["osm"], bbox).items()}
    rivers, railways = read_lines(asked["osm"], bbox)
    if not len(frames["buildings"]):
        raise InputRefused(f"{asked['osm'].name} holds no buildings{' in the box' if bbox else ''}.")
    buildings, note = household_rule(asked["households_rule"]).mark(frames["buildings"], "households")
    if bbox is not None and boundary is None:
        boundary = gpd.GeoDataFrame(geometry=[shapely.box(*bbox)], crs="EPSG:4326")
    return _Sources(
        buildings,
        _joined(frames["roads"], railways),
        _joined(frames["water"], rivers),
        _read(asked["estates"], "estates", ("estates",), "Polygon"),
        boundary,
        "households",
        None,
        (note,),
    )


def _joined(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    import pandas as pd  # noqa: PLC0415

    parts = [frame for frame in (one, other) if len(frame)]
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=one.crs) if parts else one


def _bbox(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(v) for v in text.split(","))
    except ValueError as wrong:
        raise UsageError("--bbox is west,south,east,north in degrees, for example 117.2,31.6,117.3,31.7.") from wrong
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise UsageError(f"--bbox {text} is not west,south,east,north in degrees.")
    return west, south, east, north


def _read(path: Path | None, what: str, names: tuple[str, ...], geometry: str | None) -> gpd.GeoDataFrame | None:
    if path is None:
        return None
    from onemap.ingest.street_file import read_frame  # noqa: PLC0415

    frame = read_frame(path, names=names, geometry=geometry)
    if frame.geometry.isna().all():
        raise InputRefused(f"The {what} in '{path.name}' have no geometry.")
    return frame


@contextmanager
def _stop_on_interrupt() -> Iterator[list[bool]]:
    """The first Ctrl-C asks for the best plan so far, the second one leaves at once."""
    stopped: list[bool] = []
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = signal.getsignal(signal.SIGINT)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(True)
        sys.stderr.write("\nStopping with the best plan so far; once more to leave at once.\n")

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _c_output_to_stderr() -> Iterator[None]:
    """METIS prints its complaints to stdout, which belongs to our answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def write_plan(plan: Plan, path: Path, drop: tuple[str, ...] = ()) -> None:
    """Write the layers grids, buildings and atoms; an older file is replaced once the new one is whole."""
    unfinished = path.with_name(f".{path.stem}-unfinished.gpkg")
    unfinished.unlink(missing_ok=True)
    try:
        plan.grids.to_file(unfinished, layer="grids", driver="GPKG", engine="pyogrio", promote_to_multi=False)
        buildings = plan.buildings.drop(columns=list(drop))
        buildings.to_file(unfinished, layer="buildings", driver="GPKG", engine="pyogrio", promote_to_multi=False)
        plan.atoms.to_file(unfinished, layer="atoms", driver="GPKG", engine="pyogrio", promote_to_multi=False)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def full_report(plan: Plan, rules: RuleSet) -> dict[str, Any]:
    """Everything the engine knows about a plan, with the rule that each verdict is by."""
    needs_rule, document = needs_rule_of("community-needs-xiangshan")
    rows = plan.grids.drop(columns="geom").merge(plan.details, on="grid")
    needs = needs_of(int(plan.summary["households"]), needs_rule)
    return {
        "summary": plan.summary,
        "rule": {"id": rules.id, "title": rules.title, "document": rules.source_document},
        "balance_index": balance_index(
            plan.grids[str(rules.bands[0].unit)].to_numpy(dtype=np.float64), rules.bands[0].target
        ),
        "boundary_shares": plan.shares,
        "needs": asdict(needs) | {"document": document},
        "notes": plan.notes,
        "grids": rows.astype(object).where(rows.notna(), None).to_dict("records"),
    }


def describe(plan: Plan, rules: RuleSet) -> str:
    """The answer as a person reads it."""
    s = plan.summary
    first = (
        f"{s['n_grids']} grids of {s['households']} households; {s['n_in_band']} in band ({s['share_in_band']:.1%}) "
        f"by {rules.title}."
    )
    second = (
        f"Polsby-Popper {s['mean_polsby_popper']}; {s['barrier_share'] or 0:.0%} of the inner boundary on barriers; "
        f"{s['estates_cut']} estates cut; {s['n_discontiguous']} grids in several parts."
    )
    lines = [first, second]
    if s["moved"]["buildings"]:
        lines.append(
            f"{s['moved']['buildings']} buildings with {s['moved']['households']} households change grid; moving "
            f"them between neighbours takes {s['moved']['bound_households']} households at least."
        )
    lines += [f"Grid {m['grid']} holds {m['households']}: {m['why']}" for m in s["misses"]]
    lines.append("Seconds: " + ", ".join(f"{name} {value}" for name, value in s["seconds"].items()) + ".")
    return "\n".join(lines)
