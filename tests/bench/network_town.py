"""The invented city that every part of the network bench runs on, with its homes and services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from invented import city, scattered

from onemap.engine.network.build import build
from onemap.engine.network.index import snap
from onemap.ingest.network_rules import read_network_rules

RULES = read_network_rules()
SIDE = 790
LIMIT_S = 900.0
BANDS = [5.0, 10.0, 15.0]


@dataclass(frozen=True)
class Town:
    """Streets, the walking network, and how large they are."""

    side: int
    streets: Any
    network: Any

    @property
    def share(self) -> float:
        """Its size as a share of the city of issue 6."""
        return self.side**2 / SIDE**2


def town(side: int) -> Town:
    """A city of side x side crossings."""
    streets = city(side)
    return Town(side, streets, build(streets, "foot", RULES))


def homes_and_services(here: Town) -> tuple[Any, dict[str, Any]]:
    """1,000,000 buildings and 20 categories of 150 to 9,000 facilities, snapped."""
    x, y, where = homes_and_places(here)
    homes = snap(here.network, x, y, threads=2)
    return homes, {str(i): snap(here.network, *xy) for i, xy in enumerate(where)}


def homes_and_places(here: Town) -> tuple[Any, Any, list[Any]]:
    """Where they stand."""
    rng = np.random.default_rng(1)
    x, y = scattered(int(1_000_000 * here.share), here.side, rng)
    return x, y, [scattered(max(2, int(n * here.share)), here.side, rng) for n in np.geomspace(150, 9000, 20)]
