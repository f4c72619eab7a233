"""A town as the engine takes it: the frames of a planner, checked and brought to local metres, and back again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from onemap.engine.geometry.types import F64, I32, Bools
from onemap.engine.partition._inputs import (
    as_areas,
    crossing_lines,
    footprints,
    in_crs,
    street_kinds,
    water_parts,
)
from onemap.engine.partition.arcs import Arcs
from onemap.engine.partition.atoms import Atoms
from onemap.engine.partition.ground import Geometries, Land, lattice_keys, lattice_unit
from onemap.engine.partition.keep import Present
from onemap.engine.partition.kinds import Kind
from onemap.engine.partition.space import Space
from onemap.errors import InputRefused

_MARGIN_M = 30.0
#: Areas that differ by less than this share are the same.
SAME_AREA = 1e-6


@dataclass(frozen=True, slots=True)
class Town:
    """The inputs, checked and brought to local metres."""

    space: Space
    land: Land
    estate: I32
    crs: Any
    exact: dict[int, tuple[float, float]]
    notes: list[str]
    keep_shapes: Geometries
    given_grids: Geometries

    @classmethod
    def of(
        cls,
        buildings: gpd.GeoDataFrame,
        streets: gpd.GeoDataFrame | None,
        water: gpd.GeoDataFrame | None,
        estates: gpd.GeoDataFrame | None,
        boundary: gpd.GeoDataFrame | None,
        keep: gpd.GeoDataFrame | None,
        every_street_bridges: bool,
    ) -> "Town":
        """The frames as given, all in the CRS of the buildings or brought to it."""
        notes: list[str] = []
        if not len(buildings):
            raise InputRefused("There are no buildings to partition.")
        crs = buildings.crs
        streets, water, estates, boundary, keep = (
            in_crs(frame, crs, name)
            for frame, name in (
                (streets, "streets"),
                (water, "water"),
                (estates, "estates"),
                (boundary, "boundary"),
                (keep, "present grids"),
            )
        )
        space = Space.around(boundary if boundary is not None else buildings, crs)
        houses = footprints(buildings, space, notes)
        outline = _outline(boundary, keep, houses, space, notes)
        lines, kinds = street_kinds(streets, space)
        river_lines, river_kinds, polygons = water_parts(water, space)
        estate_shapes = as_areas(estates, space, "estates") if estates is not None else _nothing()
        keep_shapes = as_areas(keep, space, "present grids") if keep is not None else _nothing()
        given = np.array(keep.geometry.to_numpy(), dtype=object) if keep is not None else _nothing()
        walls = shapely.boundary(estate_shapes)
        barriers = np.concatenate([lines, river_lines, walls])
        kind = np.concatenate([kinds, river_kinds, np.full(len(walls), Kind.WALL)]).astype(np.int8)
        crossings, note = crossing_lines(streets, lines, kinds, every_street_bridges, space)
        if note and (len(polygons) or (river_kinds == Kind.RIVER).any()):
            notes.append(note)
        land = Land(outline, houses, barriers, kind, polygons, crossings)
        return cls(
            space,
            land,
            _within(houses, estate_shapes),
            crs,
            _exact(space, lattice_unit(outline), boundary, keep),
            notes,
            keep_shapes,
            given,
        )

    def inside(self) -> Bools:
        """(n_building,) whether a building touches the ground that is partitioned."""
        found = np.zeros(len(self.land.buildings), dtype=np.bool_)
        found[shapely.STRtree(self.land.buildings).query(self.land.boundary, predicate="intersects")] = True
        return found

    def present(self, keep: gpd.GeoDataFrame, lock: Sequence[str]) -> Present:
        """The present grid of every building, and which grids are locked."""
        if "grid" not in keep.columns and "grid_code" not in keep.columns:
            raise InputRefused("The present grids have no column 'grid' or 'grid_code'.")
        codes = keep["grid" if "grid" in keep.columns else "grid_code"].astype(str).tolist()
        unknown = [code for code in lock if code not in codes]
        if unknown:
            raise InputRefused(f"The present grids hold no grid '{unknown[0]}' that could be locked.")
        if len(set(codes)) != len(codes):
            raise InputRefused("The present grids hold a grid code twice.")
        return Present(codes, self.keep_shapes, self.land.buildings, frozenset(lock))

    def polygons(self, atoms: Atoms, zone: I32) -> dict[str, Geometries]:
        """The ground of grids and atoms in the CRS of the input."""
        unit = lattice_unit(self.land.boundary)
        xy = self.space.back(atoms.arcs.xy)
        restored = xy.copy()
        if self.exact:
            keys = lattice_keys(atoms.arcs.xy, unit)
            for i in np.flatnonzero(np.isin(keys, np.fromiter(self.exact, dtype=np.int64))):
                restored[i] = self.exact[int(keys[i])]
        return {
            "atoms": _simplest_valid(atoms.arcs, unit, restored, xy),
            "grids": _simplest_valid(atoms.arcs.relabelled(zone), unit, restored, xy),
        }


def _simplest_valid(arcs: Arcs, unit: float, restored: F64, xy: F64) -> Geometries:
    """Polygons with the input's own points and no others on straight lines, as far as they stay a valid coverage."""
    shapes = arcs.straightened(2 * unit).replace(xy=restored).polygons()
    for coordinates in (restored, xy):
        if shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes):
            break
        shapes = arcs.replace(xy=coordinates).polygons()
    return shapes


def _nothing() -> Geometries:
    return np.array([], dtype=object)


def _outline(
    boundary: gpd.GeoDataFrame | None,
    keep: gpd.GeoDataFrame | None,
    houses: Geometries,
    space: Space,
    notes: list[str],
) -> shapely.Geometry:
    """The boundary; without one what the present grids cover; without any the hull of the buildings."""
    if boundary is not None:
        outline = shapely.union_all(as_areas(boundary, space, "boundary"))
        if outline.is_empty or outline.area <= 0:
            raise InputRefused("The boundary encloses no ground.")
        return outline
    hull = shapely.convex_hull(shapely.geometrycollections(houses)).buffer(_MARGIN_M)
    if keep is not None:
        covered = shapely.union_all(as_areas(keep, space, "present grids"))
        if covered.is_empty or covered.area <= 0:
            raise InputRefused("The present grids enclose no ground.")
        if shapely.symmetric_difference(covered, hull).area > SAME_AREA * hull.area:
            return covered
    notes.append(f"No boundary was given: the hull of the buildings and {_MARGIN_M:.0f} m around it is partitioned.")
    return hull


def _exact(
    space: Space, unit: float, boundary: gpd.GeoDataFrame | None, keep: gpd.GeoDataFrame | None
) -> dict[int, tuple[float, float]]:
    """Lattice point to the coordinates as they were given, for outlines that must come back bit for bit."""
    found: dict[int, tuple[float, float]] = {}
    for frame in (boundary, keep):
        if frame is None:
            continue
        given = shapely.get_coordinates(frame.geometry.to_numpy())
        keys = lattice_keys(space.local(given), unit)
        found.update(zip(keys.tolist(), map(tuple, given.tolist()), strict=True))
    return found


def _within(houses: Geometries, areas: Geometries) -> I32:
    """(n_building,) the area that each building stands in, -1 none."""
    found = np.full(len(houses), -1, dtype=np.int32)
    if len(areas) and len(houses):
        house, area = shapely.STRtree(areas).query(shapely.point_on_surface(houses), predicate="intersects")
        found[house[::-1]] = area[::-1]
    return found
