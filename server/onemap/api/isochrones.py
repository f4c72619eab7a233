"""The ground that can be reached within minutes, true to the streets."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from onemap.analyses.isochrone import IsochroneAsk, isochrone
from onemap.api.catalog import TitleOut
from onemap.api.coverage import AREA, CollectionOut, band_feature
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentParts, CurrentScope, parse_point
from onemap.errors import BadQuery

router = APIRouter(prefix="/api", tags=["coverage"])


class IsochronesOut(CollectionOut):
    """
    Bands as GeoJSON, the longest first: minutes, area_m2, shed_ratio, households, persons, n_buildings.

    ``shed_ratio`` is the ground over the circle of a walker whom nothing hinders. People are counted building by
    building, never from the polygons, and null for readers who may not know them.
    """

    mode: str
    reverse: bool
    snap_m: float | None
    buffer_m: float
    assumptions: list[TitleOut]


@router.get("/isochrones")
def read_isochrones(
    parts: CurrentParts,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    point: Annotated[str | None, Query(description="longitude,latitude in degrees")] = None,
    facility: Annotated[int | None, Query(description="Begin at this facility instead (fid)")] = None,
    category: Annotated[str | None, Query(description="Begin at all facilities of a category instead")] = None,
    area: Annotated[str, Query(pattern=AREA, description="With category: those of this area only")] = "",
    minutes: Annotated[str, Query(description="Limits, separated by commas")] = "5,10,15",
    mode: Literal["foot", "ebike", "car"] = "foot",
    speed_kmh: Annotated[float | None, Query(description="One speed on every street instead of the rule's")] = None,
    reverse: Annotated[bool, Query(description="Ground from which the place is reached")] = False,
    tolerance_m: Annotated[float, Query(description="Outlines may be simplified by this much")] = 0.0,
) -> IsochronesOut:
    """The ground within minutes of a point, a facility or a set of facilities, with the people who live on it."""
    ask = IsochroneAsk(
        point=None if point is None else parse_point(point),
        facility=facility,
        category=category,
        area=area,
        minutes=_minutes(minutes),
        mode=mode,
        speed_kmh=speed_kmh,
        reverse=reverse,
        tolerance_m=tolerance_m,
    )
    found = isochrone(db, parts.circles, catalog, scope, ask)
    return IsochronesOut(
        mode=found.mode,
        reverse=found.reverse,
        snap_m=found.snap_m,
        buffer_m=found.buffer_m,
        assumptions=[TitleOut.of(one) for one in found.assumptions],
        features=[band_feature(band) for band in found.bands],
    )


def _minutes(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise BadQuery(f"minutes is '{text}'; it must be numbers separated by commas, such as 5,10,15.").in_chinese(
            f"限时“{text}”不对：须为逗号分隔的数，例如 5,10,15。"
        ) from None
