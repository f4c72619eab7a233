"""What siting takes from the map: who is to be served, where a site may stand, and what people call that place."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from onemap.analyses.circle_ground import Ground, plane_xy
from onemap.analyses.life_circle import CircleAsk
from onemap.analyses.siting_ask import MOST_GIVEN, LonLat, SitingAsk
from onemap.domain.layer import Catalog, Title
from onemap.domain.region import check_point
from onemap.domain.scope import Scope
from onemap.engine.network.arrays import F64, I64
from onemap.engine.siting.candidates import street_candidates, thinned
from onemap.errors import InputRefused
from onemap.store import circle as store
from onemap.store import frames
from onemap.store.db import Db

#: Nodes and buildings are thinned to this many.
_MOST_CANDIDATES = 500
#: An estate names a place so near to it, metres.
_NEAR_ESTATE_M = 120.0


def demand_rows(ground: Ground, circle: CircleAsk, scope: Scope) -> I64:
    """The homes with people that have a street, by row; ``InputRefused`` where nobody lives."""
    rows = ground.rows(circle.area, scope)
    rows = rows[(ground.homes.households[rows] > 0.0) & ground.homes.places.found[rows]]
    if not len(rows):
        raise InputRefused("Nobody lives there near a street, so there is nobody to gain from a new site.").in_chinese(
            "该范围道路附近没有住户，新设施无人受益。"
        )
    return rows


def candidates(
    db: Db, catalog: Catalog, scope: Scope, ground: Ground, ask: SitingAsk, rows: I64, problems: list[Title]
) -> tuple[F64, F64]:
    """(n,) x and y of the places to choose from; ``problems`` are told what was left out."""
    if not isinstance(ask.candidates, str):
        for lon, lat in ask.candidates:
            check_point(lon, lat)
        return plane_xy(ground.held, *(np.array(one, dtype=float) for one in zip(*ask.candidates, strict=True)))
    if ask.candidates == "buildings":
        keep = rows[thinned(ground.homes.x[rows], ground.homes.y[rows], _MOST_CANDIDATES)]
        return ground.homes.x[keep], ground.homes.y[keep]
    if ask.candidates == "nodes":
        x, y = street_candidates(ground.network, len(ground.network.node_x))
        inside = _inside(db, catalog, scope, ground, ask.circle.area, x, y)
        if not inside.any():
            raise InputRefused("No street crossing lies inside the area, so there is no candidate.").in_chinese(
                "该范围内没有路口，没有候选。"
            )
        x, y = x[inside], y[inside]
        keep = thinned(x, y, _MOST_CANDIDATES)
        if len(keep) < len(x):
            problems.append(
                Title(
                    f"{len(x):,} 个路口均匀抽稀为 {len(keep)} 个候选。",
                    f"{len(x):,} street nodes were thinned evenly to {len(keep)} candidates.",
                )
            )
        return x[keep], y[keep]
    with db.connection() as connection:
        layer = catalog.layer("estates" if ask.candidates == "estates" else ask.candidates.removeprefix("layer:"))
        frame = frames.frame(connection, layer, scope, area=ask.circle.area or None, fields=())
    centres = shapely.point_on_surface(np.asarray(frame.geometry.array, dtype=object))
    if not len(frame):
        raise InputRefused(f"Layer '{layer.name}' holds nothing there, so there is no candidate.").in_chinese(
            f"该范围内“{layer.title.zh}”图层没有要素，没有候选。"
        )
    keep = thinned(shapely.get_x(centres), shapely.get_y(centres), MOST_GIVEN)
    return plane_xy(ground.held, shapely.get_x(centres)[keep], shapely.get_y(centres)[keep])


class Namer:
    """Names that people know: beside an estate, else at a road."""

    def __init__(self, db: Db, catalog: Catalog, scope: Scope, ground: Ground) -> None:
        self._db, self._catalog, self._scope, self._ground = db, catalog, scope, ground

    def point(self, x: float, y: float) -> LonLat:
        """A place of the plane in degrees."""
        lon, lat = self._ground.held.plane.lonlat(np.array([x]), np.array([y]))
        return round(float(lon[0]), 7), round(float(lat[0]), 7)

    def __call__(self, lon: float, lat: float) -> str:
        """What people call a place in degrees."""
        ground = self._ground
        x, y = plane_xy(ground.held, np.array([lon]), np.array([lat]))
        far = shapely.distance(ground.estate_outlines, shapely.Point(x[0], y[0]))
        if len(far) and np.nanmin(far) <= _NEAR_ESTATE_M:
            nearest = int(np.nanargmin(far))
            return f"{ground.estates[nearest].title}{'内' if far[nearest] == 0.0 else '旁'}"
        with self._db.connection() as connection:
            street = store.street_at(connection, self._catalog, self._scope, lon, lat)
        return f"{street}旁" if street else f"{lon:.5f}, {lat:.5f}"


def _inside(db: Db, catalog: Catalog, scope: Scope, ground: Ground, area: str, x: F64, y: F64) -> Any:
    if not area:
        return np.ones(len(x), dtype=np.bool_)
    with db.connection() as connection:
        outline = frames.boundary(connection, catalog, scope, area)
    shapely.prepare(outline)
    return shapely.contains_xy(outline, *ground.held.plane.lonlat(x, y))
