"""The street network of the roads layer, held in memory by mode and built anew when roads were written."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from pyproj import CRS

from onemap.domain.layer import Catalog
from onemap.domain.scope import EVERYTHING
from onemap.engine.coverage.ground import Ground
from onemap.engine.coverage.isochrone import lay_ground
from onemap.engine.network.build import build
from onemap.engine.network.index import Places, snap
from onemap.engine.network.network import Network
from onemap.errors import InputRefused
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.plane import Plane
from onemap.ingest.street_file import streets_from_frame
from onemap.store import frames
from onemap.store.db import Db

LAYER = "roads"
DEGREES = CRS.from_epsg(4326)


@dataclass(frozen=True, slots=True)
class HeldNetwork:
    """A network, the plane that its metres are in, and the ground between its streets, which goes away with it."""

    network: Network
    plane: Plane
    _laid: list[Ground] = field(default_factory=list, repr=False, compare=False)
    _laying: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def ground(self) -> Ground:
        """The ground that isochrones are drawn on, at any speed; laid at the first question, a second for a city."""
        with self._laying:
            if not self._laid:
                self._laid.append(lay_ground(self.network))
            return self._laid[0]

    def xy(self, lon: float, lat: float) -> tuple[float, float]:
        """A place in the plane."""
        x, y = self.plane.xy(np.array([lon]), np.array([lat]), DEGREES)
        return float(x[0]), float(y[0])

    def place(self, lon: float, lat: float) -> Places:
        """A place on the network; ``InputRefused`` where no street is near."""
        x, y = self.xy(lon, lat)
        if not (np.isfinite(x) and np.isfinite(y)):
            raise InputRefused(
                f"The point {lon:g},{lat:g} lies too far from the streets to be placed among them."
            ).in_chinese("该点离道路太远，无法计算。")
        found = snap(self.network, np.array([x]), np.array([y]))
        if found.edge[0] < 0:
            raise InputRefused(
                f"No street for this mode lies within {self.network.max_snap_m:g} m of the point {lon:g},{lat:g}: "
                "the network cannot answer for it."
            ).in_chinese(f"该点 {self.network.max_snap_m:g} 米内没有可通行的道路，无法按路网计算。")
        return found


class StreetNetworks:
    """The networks of one process; PostGIS stays the truth."""

    def __init__(self, db: Db, catalog: Catalog) -> None:
        self._db = db
        self._catalog = catalog
        self._held: dict[str, HeldNetwork] = {}
        self._generation = 0
        self._building = threading.Lock()

    def network(self, mode: str) -> HeldNetwork:
        """The network for a mode: foot, ebike or car; ``InputRefused`` where there are no roads."""
        held = self._held.get(mode)
        if held is not None:
            return held
        with self._building:
            held = self._held.get(mode)
            if held is None:
                generation = self._generation
                held = self._build(mode)
                if generation == self._generation:  # else roads were written meanwhile: this answer only
                    self._held[mode] = held
            return held

    def holds(self, mode: str) -> bool:
        """Whether the network for a mode is there already."""
        return mode in self._held

    def written(self, layer: str) -> None:
        """Forget the networks when their layer was written."""
        if layer == LAYER:
            self.forget()

    def forget(self) -> None:
        """Build anew at the next question."""
        self._generation += 1
        self._held = {}

    def _build(self, mode: str) -> HeldNetwork:
        with self._db.connection() as connection:
            # what the network reaches is the same for everybody; roads are not what a scope hides
            roads = frames.frame(connection, self._catalog.layer(LAYER), EVERYTHING)
        if not len(roads):
            raise InputRefused(
                "There are no roads yet: import some, and distances can be measured along them."
            ).in_chinese("还没有道路数据：导入道路后才能按路网计算。")
        rules = read_network_rules()
        source = streets_from_frame(roads, rules, "the roads layer")
        return HeldNetwork(build(source.streets, mode, rules), source.plane)
