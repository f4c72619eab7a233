"""
Grids from GeoDataFrames: the engine as a notebook, the command line and the analyses call it.

The ground is measured in metres near its own middle by one scale for x and one for y, an affine map: straight lines
stay straight, so a boundary in degrees is tiled as exactly as one in metres.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from onemap.engine.geometry.types import F64, I32
from onemap.engine.partition import report
from onemap.engine.partition._inputs import numbers_of
from onemap.engine.partition.arcs import Arcs
from onemap.engine.partition.atoms import Atoms, Island, cut_atoms, districts_of, weigh
from onemap.engine.partition.certify import Miss, explain_misses
from onemap.engine.partition.goal import Goal
from onemap.engine.partition.ground import Geometries, Land
from onemap.engine.partition.keep import Present, reassign
from onemap.engine.partition.kinds import Kind
from onemap.engine.partition.state import Effort
from onemap.engine.partition.town import SAME_AREA, Town
from onemap.engine.partition.zoning import make_zones
from onemap.errors import InputRefused

type Progress = Callable[[str, float], None]


def _silent(stage: str, share: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A partition as frames, all in the CRS of the buildings.

    Attributes
    ----------
    grids
        ``grid, households, persons, n_buildings, in_band, polsby_popper`` and the ground; they tile the boundary.
    buildings
        The input's rows in the input's order with ``grid``; empty for buildings outside the boundary.
    atoms
        ``atom, grid, households`` and the ground of each atom.
    summary
        The numbers of the JSON answer.
    details
        One row per grid with everything the report knows; index as in ``grids``.
    notes
        Sentences on what the planner should know.
    """

    grids: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    atoms: gpd.GeoDataFrame
    summary: dict[str, Any]
    details: pd.DataFrame
    shares: dict[str, float]
    notes: list[str] = field(default_factory=list)


def partition(
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    water: gpd.GeoDataFrame | None = None,
    estates: gpd.GeoDataFrame | None = None,
    boundary: gpd.GeoDataFrame | None = None,
    *,
    households: str = "households",
    persons: str | None = None,
    minimum: float = 300,
    target: float = 400,
    maximum: float = 500,
    unit: str = "households",
    second_band: tuple[float, float, float] | None = None,
    logic: str = "first",
    keep: gpd.GeoDataFrame | None = None,
    lock: Sequence[str] = (),
    every_street_bridges: bool = False,
    join_islands: bool = False,
    never_cross: bool = False,
    seed: int = 1,
    effort: Effort | None = None,
    progress: Progress = _silent,
    stop: Callable[[], bool] = lambda: False,
    atoms_cache: Callable[[Land, Callable[[], Any]], Any] | None = None,
) -> Plan:
    """
    Grids that tile the boundary, each connected and within the band where that can be.

    Parameters
    ----------
    buildings
        Polygons with a column of households and, if wanted, one of persons.
    streets, water, estates, boundary
        Lines with ``kind``, ``road_class`` or ``highway`` and, where they have them, ``bridge`` and ``tunnel``; water
        as polygons or lines; estates as polygons; without a boundary the hull of the buildings is used.
    minimum, target, maximum
        The band, in ``unit`` (``households`` or ``persons``).
    second_band, logic
        The band in the other unit, and whether ``any`` or ``all`` of both must hold.
    keep, lock
        Present grids with a ``grid`` column: as few households as possible leave them; those named in ``lock`` never
        change.
    every_street_bridges
        Whether any street over water is a bridge; otherwise only those marked so.
    join_islands
        Whether pieces that nothing joins to the rest and that are below the minimum go to the neighbour across the
        barrier; otherwise they are grids of their own, out of band.
    never_cross
        Whether buildings that no bridge reaches are grids of their own even where nobody lives in them; otherwise
        such a piece joins its neighbour, which a note says. Ground without buildings always joins.
    seed, effort
        Same seed, same plan, on any number of cores.
    progress, stop
        Told the stage and the share done of it; asked whether to stop with the best plan so far.
    atoms_cache
        Asked for the atoms of this land with a way to cut them.
    """
    seconds: dict[str, float] = {}
    started = perf_counter()
    progress("atoms", 0.0)
    town = Town.of(buildings, streets, water, estates, boundary, keep, every_street_bridges)
    inside = town.inside()
    count = numbers_of(buildings, households, "households", inside)
    people = numbers_of(buildings, persons, "persons", inside) if persons else np.zeros(len(buildings))
    if never_cross and join_islands:
        raise InputRefused("Grids that never cross a barrier and islands that join across one exclude each other.")
    if unit == "persons" and not persons:
        raise InputRefused("A band in persons needs the column of persons.")
    first, second = (count, people) if unit == "households" else (people, count)
    goal = Goal(np.array([(minimum, target, maximum), second_band or (minimum, target, maximum)], dtype=float), logic)
    town, arcs, building_atom = _cut(town, atoms_cache or (lambda _, cut: cut()))
    weight = np.stack([first, second], axis=1)
    atoms, islands = weigh(
        arcs,
        building_atom,
        weight,
        town.estate,
        join_below=minimum if join_islands else 0.0,
        join_empty=not never_cross,
        district=districts_of(arcs, town.keep_shapes),
    )
    town.notes.extend(_on_islands(islands, unit))
    seconds["atoms"] = perf_counter() - started
    started = perf_counter()
    task = _Task(town, atoms, goal, seed, effort or Effort(), progress, stop)
    answer = task.afresh() if keep is None else task.from_today(town.present(keep, lock))
    seconds["zoning"] = perf_counter() - started
    started = perf_counter()
    progress("polygons", 0.0)
    ground = town.polygons(atoms, answer.zone)
    locked = frozenset(z for z, name in enumerate(answer.names) if name in lock)
    ground["grids"] = _with_unchanged(ground["grids"], answer.as_they_were, locked)
    seconds["polygons"] = perf_counter() - started
    progress("polygons", 1.0)
    people_known = people if persons else None
    return _plan(task, answer, buildings, unit, count, people_known, ground, seconds)


def _cut(town: Town, kept: Callable[[Land, Callable[[], Any]], Any]) -> tuple[Town, Arcs, I32]:
    """
    The atoms, and the town with the land they were cut from.

    Present grids that are made of whole atoms, as our own plans are, need not be drawn on the ground. So the same town
    has the same atoms in every re-partition, and what is unchanged meets what is changed in the same points.
    """
    arcs, building_atom = kept(town.land, lambda: cut_atoms(town.land))
    if len(town.keep_shapes) and not _are_whole_atoms(arcs, town.keep_shapes):
        drawn = replace(town, land=town.land.with_districts(town.keep_shapes, Kind.PRESENT))
        arcs, building_atom = kept(drawn.land, lambda: cut_atoms(drawn.land))
        return drawn, arcs, building_atom
    return town, arcs, building_atom


def _are_whole_atoms(arcs: Arcs, grids: Geometries) -> bool:
    """Whether every grid is a union of atoms and together they hold all atoms."""
    home = districts_of(arcs, grids)
    if (home < 0).any() or len(np.unique(home)) != len(grids):
        return False
    union = arcs.relabelled(home).polygons()
    area = shapely.area(grids)
    if (np.abs(shapely.area(union) - area) > SAME_AREA * area).any():
        return False
    return bool((shapely.area(shapely.intersection(union, grids)) >= (1 - SAME_AREA) * area).all())


def _with_unchanged(
    shapes: Geometries, as_they_were: dict[int, shapely.Geometry], locked: frozenset[int]
) -> Geometries:
    """
    The grids with the unchanged ones bit for bit as they were given.

    Where a changed neighbour meets a grid that is not locked in the middle of a straight line, which happens to plans
    that others drew, that grid takes the point as well, so that the coverage stays exact.
    """
    mixed = shapes.copy()
    for z, shape in as_they_were.items():
        if abs(shape.area - shapes[z].area) <= SAME_AREA * shape.area:
            mixed[z] = shape
    for _ in range(len(shapes)):
        broken = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(mixed)))
        restored = [z for z in broken if mixed[z] is not shapes[z] and z not in locked]
        if not restored:
            break
        mixed[restored] = shapes[restored]
    return mixed


@dataclass(frozen=True, slots=True)
class _Answer:
    zone: I32
    names: list[str]
    misses: list[Miss]
    moved: dict[str, Any]
    as_they_were: dict[int, shapely.Geometry] = field(default_factory=dict)  #: grids that come back bit for bit


@dataclass(frozen=True, slots=True)
class _Task:
    """A town with its goal."""

    town: Town
    atoms: Atoms
    goal: Goal
    seed: int
    effort: Effort
    progress: Progress
    stop: Callable[[], bool]

    def afresh(self) -> _Answer:
        """A plan from nothing."""
        started = perf_counter()

        def late() -> bool:
            over = self.effort.seconds is not None and perf_counter() - started > self.effort.seconds
            return over or self.stop()

        zone = make_zones(
            self.atoms.graph,
            self.goal,
            seed=self.seed,
            effort=self.effort,
            progress=lambda s: self.progress("zoning", s),
            stop=self.stop,
        )
        zone, misses = explain_misses(
            self.atoms, zone, self.goal, progress=lambda s: self.progress("proof", s), stop=late
        )
        names = _names_in_reading_order(self.atoms, zone)
        return _Answer(zone, names, misses, {"households": 0, "buildings": 0, "bound_households": 0})

    def from_today(self, present: Present) -> _Answer:
        """A plan that moves as few as it can."""
        outcome = reassign(
            self.atoms,
            present,
            self.goal,
            seed=self.seed,
            effort=self.effort,
            progress=lambda s: self.progress("zoning", s),
            stop=self.stop,
        )
        locked = frozenset(z for z, name in enumerate(outcome.names) if name in present.locked)
        _, misses = explain_misses(self.atoms, outcome.zone, self.goal, fixed=locked, mend=False, stop=self.stop)
        at = {code: i for i, code in enumerate(present.codes)}
        same = {
            int(z): self.town.given_grids[at[outcome.names[z]]]
            for z in np.flatnonzero(outcome.unchanged)
            if outcome.names[z] in at
        }
        return _Answer(outcome.zone, outcome.names, misses, outcome.moved, same)


def _on_islands(islands: list[Island], unit: str) -> list[str]:
    if not islands:
        return []
    area, weight = sum(i.area_m2 for i in islands), sum(i.weight for i in islands)
    return [
        (
            f"{len(islands)} pieces of ground ({area / 1e4:.1f} ha, {weight:g} {unit}) that nothing joins to the rest "
            "went to the neighbour they share the most boundary with."
        )
    ]


def _names_in_reading_order(atoms: Atoms, zone: I32) -> list[str]:
    """Sequence numbers in rows from north to south, each from west to east."""
    n = int(zone.max()) + 1
    left = atoms.arcs.left
    inside = left >= 0
    middle = (atoms.arcs.xy[atoms.arcs.start[inside]] + atoms.arcs.xy[atoms.arcs.end[inside]]) / 2
    z = zone[left[inside]]
    count = np.maximum(np.bincount(z, minlength=n), 1)
    x, y = np.bincount(z, middle[:, 0], n) / count, np.bincount(z, middle[:, 1], n) / count
    row = np.floor((y.max() - y) / max(float(np.sqrt(atoms.graph.area_m2.sum() / n)), 1e-9))
    order = np.lexsort((x, row))
    width = max(3, len(str(n)))
    names = [""] * n
    for number, z_ in enumerate(order, start=1):
        names[z_] = f"{number:0{width}d}"
    return names


def _plan(
    task: _Task,
    answer: _Answer,
    buildings: gpd.GeoDataFrame,
    unit: str,
    count: F64,
    people: F64 | None,
    ground: dict[str, Geometries],
    seconds: dict[str, float],
) -> Plan:
    town, atoms, zone, names = task.town, task.atoms, answer.zone, answer.names
    table = report.grid_table(atoms, zone, task.goal)
    households, persons = table.weight.T if unit == "households" else table.weight.T[::-1]
    order = np.argsort(np.array(names), kind="stable")
    label = np.array(names, dtype=object)
    building_zone = np.where(atoms.building_atom >= 0, zone[atoms.building_atom], -1).astype(np.int32)
    outside = building_zone < 0
    notes = list(town.notes)
    if outside.any():
        notes.append(
            f"{int(outside.sum())} buildings with {_whole(count[outside].sum())} households stand outside the boundary "
            "and belong to no grid."
        )
    grids = _frame(
        {
            "grid": label,
            "households": _tidy(households),
            "persons": _tidy(persons) if people is not None else pd.array([pd.NA] * len(label), dtype="Int64"),
            "n_buildings": table.n_buildings.astype(np.int64),
            "in_band": table.in_band,
            "polsby_popper": np.round(table.polsby_popper, 6),
        },
        ground["grids"],
        town.crs,
    )
    column = 0 if unit == "households" else 1
    pieces = {
        "atom": np.arange(atoms.arcs.n_atom),
        "grid": label[zone],
        "households": _tidy(atoms.graph.weight[:, column]),
    }
    shares = report.barrier_shares(atoms, zone)
    details = _details(town, task.goal, table, building_zone, answer.misses).assign(grid=label)
    return Plan(
        grids.iloc[order].reset_index(drop=True),
        _marked(buildings, label, building_zone),
        _frame(pieces, ground["atoms"], town.crs),
        _summary(task, answer, table, households, building_zone, ground["grids"], shares, seconds),
        details.iloc[order].reset_index(drop=True),
        shares,
        notes,
    )


def _frame(columns: dict[str, Any], shapes: Geometries, crs: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs=crs)).rename_geometry("geom")


def _marked(buildings: gpd.GeoDataFrame, label: Geometries, building_zone: I32) -> gpd.GeoDataFrame:
    """The input with the grid of each building."""
    marked = buildings.copy()
    marked["grid"] = [label[z] if z >= 0 else None for z in building_zone]
    if marked.geometry.name != "geom" and "geom" not in marked.columns:
        marked = marked.rename_geometry("geom")
    return marked


def _summary(
    task: _Task,
    answer: _Answer,
    table: report.GridTable,
    households: F64,
    building_zone: I32,
    shapes: Geometries,
    shares: dict[str, float],
    seconds: dict[str, float],
) -> dict[str, Any]:
    n = len(households)
    n_in_band = int(table.in_band.sum())
    alone = sum(miss.alone for miss in answer.misses)
    parts = shapely.get_num_geometries(shapes)
    return {
        "n_grids": n,
        "n_in_band": n_in_band,
        "n_infeasible_alone": alone,
        "share_in_band": n_in_band / n,
        "share_in_band_feasible": n_in_band / (n - alone) if n > alone else None,
        "n_discontiguous": int(((table.parts != 1) | (parts > 1)).sum()),
        "households": _whole(households.sum()),
        "mean_polsby_popper": round(float(table.polsby_popper.mean()), 4),
        "barrier_share": round(1.0 - shares.get("ground", 0.0), 4) if shares else None,
        "estates_cut": report.estates_cut(task.town.estate, building_zone),
        "moved": answer.moved,
        "misses": [
            {"grid": answer.names[miss.zone], "households": _whole(households[miss.zone]), "why": miss.why}
            for miss in answer.misses
        ],
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "seed": task.seed,
    }


def _details(town: Town, goal: Goal, table: report.GridTable, building_zone: I32, misses: list[Miss]) -> pd.DataFrame:
    n = len(table.area_m2)
    spots = np.zeros((len(building_zone), 2))
    known = ~shapely.is_empty(town.land.buildings)
    spots[known] = shapely.get_coordinates(shapely.point_on_surface(town.land.buildings[known]))
    why = {miss.zone: miss.why for miss in misses}
    return pd.DataFrame(
        {
            "area_m2": table.area_m2,
            "perimeter_m": table.perimeter_m,
            "from_target": table.weight[:, 0] - goal.band[0, 1],
            "walking_radius_m": report.walking_radius_m(spots, np.ones(len(spots)), building_zone, n),
            "why_missed": [why.get(z) for z in range(n)],
        }
    )


def _tidy(values: F64) -> Any:
    """Whole numbers where all are whole."""
    return values.astype(np.int64) if np.array_equal(values, np.rint(values)) else values


def _whole(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


__all__ = ["Effort", "Plan", "partition"]
