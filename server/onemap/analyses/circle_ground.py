"""
What the life circle stands on, held by each process as arrays: homes, services, zones, and the walks between them.

Everything is in metres: the foot network walks one metre a second here, so that one search serves every walking speed.
PostGIS stays the truth: the arrays are forgotten when buildings, facilities, zones or roads are written.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

import h3
import numpy as np
import shapely
import structlog
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from onemap.analyses.circle_rules import ADULT_KMH, WHOLE_CIRCLE_MIN, CircleRules, read_circle_rules
from onemap.analyses.streets import DEGREES, HeldNetwork, StreetNetworks
from onemap.domain.layer import Catalog
from onemap.domain.scope import EVERYTHING, Scope
from onemap.engine.coverage.hours import is_open
from onemap.engine.network.arrays import F64, I64, Bool
from onemap.engine.network.index import Places, snap
from onemap.engine.network.network import Arcs, Network
from onemap.engine.network.reach import Reach, reach, times
from onemap.engine.network.walks import Demand
from onemap.errors import FeatureNotFound, InputRefused, OneMapError
from onemap.store import circle as store
from onemap.store.circle import ServiceRow, ZoneRow
from onemap.store.db import Db

H3_RESOLUTION = 9
#: One metre a second: seconds are metres then.
METRE_A_SECOND_KMH = 3.6
#: Layers whose writing makes the arrays old.
LAYERS = frozenset({"buildings", "facilities", "estates", "grids", "areas", "roads"})
#: How much memory the walks that are kept may take, bytes; some are kept whatever they take.
_KEPT_B, _KEPT_AT_LEAST = 400_000_000, 4
#: After the last digit in every code.
_AFTER_DIGITS = ":"
#: An indicator that nobody waits for lets the page draw first, seconds.
SOON_S = 5.0

_log = structlog.get_logger()

type Removed = frozenset[int]


@dataclass(frozen=True, slots=True)
class Homes:
    """
    Residential buildings, by area code: (n,) each.

    Attributes
    ----------
    x, y
        Centres in the network's plane, metres.
    estate, grid
        Rows of the zone lists; -1 where it lies in none.
    """

    fid: I64
    area_code: NDArray[np.str_]
    households: F64
    persons: F64
    lon: F64
    lat: F64
    x: F64
    y: F64
    estate: I64
    grid: I64
    places: Places

    def __len__(self) -> int:
        return len(self.fid)


@dataclass(frozen=True, slots=True)
class Services:
    """Facilities of one category, by fid."""

    rows: tuple[ServiceRow, ...]
    fid: I64
    x: F64
    y: F64
    places: Places

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Walks:
    """
    The way to the nearest of some facilities.

    Attributes
    ----------
    metres : (n_home,)
        From every home, ``inf`` where there is no way.
    found
        The search itself, to be asked at any place.
    """

    metres: F64
    found: Reach


@dataclass(frozen=True)
class Ground:
    """Homes, services and zones on one network; walks are found when asked for and kept."""

    held: HeldNetwork
    network: Network
    homes: Homes
    services: dict[str, Services]
    estates: tuple[ZoneRow, ...]
    grids: tuple[ZoneRow, ...]
    areas: tuple[ZoneRow, ...]
    _kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict, repr=False)
    _finding: threading.RLock = field(default_factory=threading.RLock, repr=False)

    # Who and where ---------------------------------------------------------------------------------------------------

    def area(self, code: str | None, scope: Scope) -> ZoneRow | None:
        """The area of a code, None for all; ``FeatureNotFound`` where the reader sees none such."""
        if not code:
            return None
        for row in self.areas:
            if row.code == code and (scope.areas is None or any(code.startswith(one) for one in scope.areas)):
                return row
        raise FeatureNotFound("areas", code)

    def rows(self, code: str | None, scope: Scope) -> I64:
        """Homes of an area that lie in the reader's areas, ascending."""
        parts = [np.arange(*self._span(prefix)) for prefix in visible_prefixes(code or "", scope)]
        return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)

    def rows_of_grid(self, grid_code: str, scope: Scope) -> I64:
        """Homes of a grid that lie in the reader's areas, ascending."""
        numbers = [number for number, row in enumerate(self.grids) if row.code == grid_code]
        rows = self.rows(None, scope)
        return rows[np.isin(self.homes.grid[rows], numbers)]

    def zone_of_level(self, level: str) -> tuple[list[ZoneRow], I64]:
        """The areas of a level, and which of them each home lies in: (n_home,), -1 in none."""

        def find() -> tuple[list[ZoneRow], I64]:
            zones = [row for row in self.areas if row.level == level]
            zone = np.full(len(self.homes), -1, dtype=np.int64)
            for number, row in enumerate(zones):
                zone[slice(*self._span(row.code))] = number
            return zones, zone

        found: tuple[list[ZoneRow], I64] = self._once(("level", level), find)
        return found

    @cached_property
    def cells(self) -> tuple[list[str], I64]:
        """H3 cells that hold homes, and which of them each home lies in."""
        named = [h3.latlng_to_cell(a, o, H3_RESOLUTION) for a, o in zip(self.homes.lat, self.homes.lon, strict=True)]
        cells, zone = np.unique(np.array(named, dtype=str), return_inverse=True)
        return [str(cell) for cell in cells], zone.astype(np.int64)

    @cached_property
    def demand(self) -> Demand:
        """Homes filed by street, for searches that run from a facility."""
        return Demand.on(self.network, self.homes.places)

    @cached_property
    def no_walks(self) -> Walks:
        """Walks where there is nothing to walk to."""
        found = reach(self.network, self.homes.places.take(np.empty(0, dtype=np.int64)), toward=True)
        return Walks(np.full(len(self.homes), np.inf), found)

    @cached_property
    def estate_outlines(self) -> NDArray[Any]:
        """Outlines of the estates in the plane: (n_estate,)."""
        shapes = np.asarray(shapely.from_wkb([row.wkb for row in self.estates]), dtype=object)
        return np.asarray(
            shapely.transform(shapes, lambda xy: np.column_stack(self.held.plane.xy(xy[:, 0], xy[:, 1], DEGREES)))
        )

    def _span(self, prefix: str) -> tuple[int, int]:
        low, high = np.searchsorted(self.homes.area_code, [prefix, prefix + _AFTER_DIGITS])
        return int(low), int(high)

    # Walks -----------------------------------------------------------------------------------------------------------

    def open_services(self, category: str, minute: int | None) -> tuple[Services, int]:
        """The facilities of a category that are open at a minute of the week, and how many state no hours."""
        known = self.services.get(category)
        if known is None:
            raise InputRefused(
                f"There is no facility of category '{category}', so there is nothing to walk to."
            ).in_chinese("还没有这类设施，无处可去。")
        if minute is None:
            return known, 0
        state = [is_open(row.open_hours, minute) for row in known.rows]
        keep = np.array([one is not False for one in state], dtype=np.bool_)
        return services_at(known, keep), sum(one is None for one in state)

    def walks(self, category: str, minute: int | None = None, without: Removed = frozenset()) -> Walks:
        """The walk from every home to the nearest facility of a category that is open and not taken away."""

        def find() -> Walks:
            services, _ = self.open_services(category, minute)
            standing = services.places.take(~np.isin(services.fid, list(without)))
            found = reach(self.network, standing, toward=True)
            return Walks(times(self.network, found, self.homes.places), found)

        walks: Walks = self._once((category, minute, without), find)
        return walks

    def straight_m(self, category: str, minute: int | None = None) -> F64:
        """The straight line from every home to the nearest facility: (n_home,), only for comparison."""

        def find() -> F64:
            services, _ = self.open_services(category, minute)
            if not len(services):
                return np.full(len(self.homes), np.inf)
            tree = cKDTree(np.column_stack([services.x, services.y]))
            return np.asarray(tree.query(np.column_stack([self.homes.x, self.homes.y]))[0], dtype=np.float64)

        metres: F64 = self._once(("straight", category, minute), find)
        return metres

    def all_within(self, categories: frozenset[str], metres: float) -> Bool:
        """Which homes have a facility of every category within a walk: (n_home,)."""
        within = np.full(len(self.homes), bool(categories))
        for category in categories:
            within &= self.walks(category).metres <= metres if category in self.services else False
        return within

    def _once(self, key: Hashable, find: Callable[[], Any]) -> Any:
        with self._finding:
            if key not in self._kept:
                self._kept[key] = find()
                while len(self._kept) > _KEPT_AT_LEAST and sum(map(_bytes, self._kept.values())) > _KEPT_B:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


class LifeCircles:
    """The ground of one process and the rules it is judged by."""

    def __init__(self, db: Db, catalog: Catalog, streets: StreetNetworks) -> None:
        self._db, self._catalog, self._streets = db, catalog, streets
        self._ground: Ground | None = None
        self._homes_on: dict[str, tuple[HeldNetwork, Ground, Places]] = {}
        self._generation = 0
        self._building = threading.Lock()
        self._all_within: tuple[Ground, Bool] | None = None
        self._asking = threading.Lock()
        self._finding_all: threading.Timer | None = None
        self._stopped = False
        self.rules: CircleRules = read_circle_rules()
        _OF_DB[id(db)] = self

    def ground(self) -> Ground:
        """Homes and services on today's streets; ``InputRefused`` where there are no roads or no homes."""
        held = self._streets.network("foot")
        ground = self._ground
        if ground is not None and ground.held is held:
            return ground
        with self._building:
            ground = self._ground
            if ground is None or ground.held is not held:
                generation = self._generation
                ground = self._read(held)
                if generation == self._generation:  # else something was written meanwhile: this answer only
                    self._ground = ground
            return ground

    def all_within_or_soon(self) -> tuple[Ground, Bool] | None:
        """Homes with every service of the rule set in 15 minutes; not known yet: None, and it is computed soon."""
        ground, known = self._ground, self._all_within
        if ground is not None and known is not None and known[0] is ground:
            return known
        with self._asking:
            if self._stopped:
                return None
            if self._finding_all is None or not self._finding_all.is_alive():
                work = threading.Timer(SOON_S, self._find_all)
                work.daemon = True
                work.start()
                self._finding_all = work
        return None

    def _find_all(self) -> None:
        metres = 60.0 * WHOLE_CIRCLE_MIN * ADULT_KMH / 3.6
        try:
            ground = self.ground()
            self._all_within = (ground, ground.all_within(frozenset(self.rules.limits), metres))
        except OneMapError as error:
            _log.info("life_circle.not_yet", reason=str(error))

    def stop(self, patience_s: float) -> None:
        """Compute nothing behind anybody's back any more; what runs has a moment to end."""
        with self._asking:
            self._stopped = True
            running = self._finding_all
        if running is not None:
            running.cancel()
            running.join(patience_s)

    def written(self, layer: str) -> None:
        """Forget what rests on a layer that was written."""
        if layer in LAYERS:
            self.forget()

    def forget(self) -> None:
        """Read anew at the next question."""
        self._generation += 1
        self._ground = None
        self._homes_on = {}

    def homes_on(self, held: HeldNetwork, ground: Ground) -> Places:
        """The homes on the network of another mode: (n_home,)."""
        with self._building:
            known = self._homes_on.get(held.network.mode)
            if known is None or known[0] is not held or known[1] is not ground:
                known = (held, ground, place_all(held.network, *plane_xy(held, ground.homes.lon, ground.homes.lat)))
                self._homes_on[held.network.mode] = known
            return known[2]

    def network(self, mode: str) -> HeldNetwork:
        """The streets of a mode; ``InputRefused`` where there are none."""
        return self._streets.network(mode)

    def _read(self, held: HeldNetwork) -> Ground:
        with self._db.connection() as connection:
            # walks cross every boundary, so the arrays hold everything; each answer keeps to the reader's scope
            homes = store.homes(connection, self._catalog, EVERYTHING)
            services = store.services(connection, self._catalog, EVERYTHING)
            estates = store.estates(connection, self._catalog, EVERYTHING)
            grids = store.grids(connection, self._catalog, EVERYTHING)
            areas = store.areas(connection, self._catalog, EVERYTHING)
        if not homes:
            raise InputRefused(
                "There are no residential buildings yet: import some, and walks can be counted."
            ).in_chinese("还没有住宅建筑数据：导入后才能计算步行时间。")
        network = at_speed(held.network, METRE_A_SECOND_KMH)
        return Ground(
            held=held,
            network=network,
            homes=_homes(homes, held, network, estates, grids),
            services=_services(services, held, network),
            estates=tuple(estates),
            grids=tuple(grids),
            areas=tuple(areas),
        )


#: Found again by their database; whoever made them keeps them, and so the database, alive.
_OF_DB: WeakValueDictionary[int, LifeCircles] = WeakValueDictionary()


def circles_of(db: Db, catalog: Catalog, streets: StreetNetworks | None = None) -> LifeCircles:
    """The life circles that a process holds on a database, or new ones where it holds none."""
    return _OF_DB.get(id(db)) or LifeCircles(db, catalog, streets or StreetNetworks(db, catalog))


def visible_prefixes(area: str, scope: Scope) -> list[str]:
    """Prefixes of the area codes that lie both in an area ('' everywhere) and in the reader's areas."""
    if scope.areas is None:
        return [area]
    inside = [prefix for prefix in scope.areas if prefix.startswith(area)]
    return inside + ([area] if any(area.startswith(prefix) for prefix in scope.areas) else [])


def in_scope(area_code: str, area: str, scope: Scope) -> bool:
    """Whether a row of this area code lies in the area and in the reader's areas."""
    return any(area_code.startswith(prefix) for prefix in visible_prefixes(area, scope))


def _bytes(found: Any) -> int:
    """How much memory an answer takes, nearly."""
    if isinstance(found, Walks):
        return found.metres.nbytes + found.found.node_s.nbytes
    return sum(_bytes(part) for part in found) if isinstance(found, tuple) else getattr(found, "nbytes", 0)


def at_speed(network: Network, speed_kmh: float) -> Network:
    """The same network with one speed on every street; on foot it is the speed of the walk to the street too."""
    ms, length = speed_kmh / 3.6, network.edge_length_m

    def seconds(of: F64) -> F64:
        return np.where(np.isfinite(of), length / ms, np.inf)

    def arcs(of: Arcs) -> Arcs:
        cost = length[np.where(of.edge >= 0, of.edge, ~of.edge)] / ms
        return replace(of, cost_s=cost, longest_s=float(cost.max(initial=0.0)), mean_s=float(cost.mean()))

    return replace(
        network,
        access_kmh=speed_kmh if network.mode == "foot" else network.access_kmh,
        uniform_kmh=speed_kmh,
        edge_forward_s=seconds(network.edge_forward_s),
        edge_backward_s=seconds(network.edge_backward_s),
        out=arcs(network.out),
        into=arcs(network.into),
    )


def plane_xy(held: HeldNetwork, lon: F64, lat: F64) -> tuple[F64, F64]:
    """Degrees in the network's plane."""
    return held.plane.xy(lon, lat, DEGREES)


def services_at(services: Services, keep: Bool) -> Services:
    """Some of the facilities."""
    rows = tuple(row for row, kept in zip(services.rows, keep, strict=True) if kept)
    return Services(rows, services.fid[keep], services.x[keep], services.y[keep], services.places.take(keep))


def _homes(
    rows: list[store.HomeRow], held: HeldNetwork, network: Network, estates: list[ZoneRow], grids: list[ZoneRow]
) -> Homes:
    rows = sorted(rows, key=lambda row: (row.area_code, row.fid))  # byte order, whatever the database's collation
    lon, lat = np.array([row.lon for row in rows]), np.array([row.lat for row in rows])
    x, y = plane_xy(held, lon, lat)
    estate_row = {zone.code: number for number, zone in enumerate(estates)}
    grid_row = {zone.code: number for number, zone in enumerate(grids)}
    return Homes(
        fid=np.array([row.fid for row in rows], dtype=np.int64),
        area_code=np.array([row.area_code for row in rows], dtype=str),
        households=np.array([row.households for row in rows], dtype=np.float64),
        persons=np.array([row.persons for row in rows], dtype=np.float64),
        lon=lon,
        lat=lat,
        x=x,
        y=y,
        estate=np.array([estate_row.get(row.estate_id, -1) for row in rows], dtype=np.int64),
        grid=np.array([grid_row.get(row.grid_code, -1) for row in rows], dtype=np.int64),
        places=place_all(network, x, y),
    )


def _services(rows: list[ServiceRow], held: HeldNetwork, network: Network) -> dict[str, Services]:
    by_category: dict[str, list[ServiceRow]] = {}
    for row in rows:
        by_category.setdefault(row.category, []).append(row)
    found = {}
    for category, some in by_category.items():
        x, y = plane_xy(held, np.array([row.lon for row in some]), np.array([row.lat for row in some]))
        fid = np.array([row.fid for row in some], dtype=np.int64)
        found[category] = Services(tuple(some), fid, x, y, place_all(network, x, y))
    return found


def place_all(network: Network, x: F64, y: F64) -> Places:
    """Points on the network; those whose coordinates are no numbers in the plane have no place."""
    usable = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    some = snap(network, x[usable], y[usable], threads=2)
    n = len(x)
    edge, fraction = np.full(n, -1, dtype=np.int32), np.zeros(n)
    snap_m, moved = np.full(n, np.inf), np.zeros(n, dtype=np.bool_)
    edge[usable], fraction[usable], snap_m[usable], moved[usable] = some.edge, some.fraction, some.snap_m, some.moved
    return Places(edge, fraction, snap_m, moved)
