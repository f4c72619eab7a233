"""The life circle: who can walk to what within the limit, and what would change if something were built or closed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from onemap.analyses import life_circle, what_if
from onemap.analyses.circle_answers import BuildingColumns, FacilityPoint, Histogram
from onemap.analyses.circle_rules import ADULT_KMH
from onemap.analyses.circle_zones import ZoneCoverage
from onemap.analyses.life_circle import CircleAsk
from onemap.analyses.what_if import Changed, Gap, People, State
from onemap.api.catalog import TitleOut
from onemap.api.deps import CurrentCatalog, CurrentParts, CurrentScope

router = APIRouter(prefix="/api/coverage", tags=["coverage"])

AREA = r"^([0-9]{2,12})?$"
type AreaText = Annotated[str, Query(pattern=AREA, description="Area code; all that you may see without one")]
type Speed = Annotated[float, Query(description="Walking speed, km/h: 4 adult, 2.88 elder")]
type OpenAt = Annotated[str | None, Query(description="Only facilities open at this moment of the week: Tue 09:30")]
type Minutes = Annotated[float | None, Query(description="This limit instead of each category's own, minutes")]
type By = Literal["building", "grid", "estate", "community", "street", "h3"]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CategoryCoverageOut(_Out):
    """
    How many can walk to one category.

    ``verified`` is false where the limit is general knowledge that nobody compared with a document; ``note`` says so
    and must be shown. Numbers are null where ``problem`` says why, or where they are too small for the public.
    """

    category: str
    title: TitleOut
    group: str
    group_title: TitleOut
    limit_m: float | None
    limit_s: float
    document: str
    verified: bool
    note: TitleOut | None
    n_facilities: int
    households_covered: int | None
    persons_covered: int | None
    share: float | None
    persons_share: float | None
    straight_share: float | None
    mean_s: float | None
    problem: str | None


class NetworkOut(BaseModel):
    """What the walks run on: how many parts it has, and how many buildings are too far from any street."""

    components: int
    n_unsnapped: int


class CoverageOut(_Out):
    """The life circle of an area; ``verified`` and ``note`` are about ``document``."""

    area: str | None
    area_title: str | None
    households: int | None
    persons: int | None
    n_buildings: int
    speed_kmh: float
    document: str
    verified: bool
    note: TitleOut | None
    assumptions: list[TitleOut]
    network: NetworkOut
    categories: list[CategoryCoverageOut]


class CategoryByZoneOut(_Out):
    """One category by zones (``rows``), or building by building (``buildings``)."""

    category: str
    title: TitleOut
    area: str | None
    by: str
    speed_kmh: float
    limit_m: float | None
    limit_s: float
    document: str
    verified: bool
    note: TitleOut | None
    rows: list[ZoneCoverage]
    buildings: BuildingColumns | None
    facilities: list[FacilityPoint]
    histogram: Histogram | None


class ChangeIn(BaseModel):
    """One thing that would be different: ``add``/``gate`` point, ``move`` fid point, ``close`` fid, ``bridge`` line."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["add", "move", "close", "gate", "bridge"]
    point: tuple[float, float] | None = None
    fid: int | None = None
    line: tuple[tuple[float, float], tuple[float, float]] | None = None


class CircleIn(BaseModel):
    """Whose life circle, to which category."""

    model_config = ConfigDict(extra="forbid")

    area: str = Field("", pattern=AREA)
    category: str
    speed_kmh: float = ADULT_KMH
    open_at: str | None = None
    minutes: float | None = None

    def circle(self) -> CircleAsk:
        """The area and the walker."""
        return CircleAsk(self.area, self.speed_kmh, self.open_at, self.minutes)


class WhatIfIn(CircleIn):
    """What would be different, and for whom."""

    changes: list[ChangeIn] = Field(max_length=what_if.MAX_CHANGES)
    isochrone: bool = False


class FeatureOut(BaseModel):
    """A GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    properties: dict[str, Any]
    geometry: dict[str, Any]


class CollectionOut(BaseModel):
    """GeoJSON features."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[FeatureOut]


class WhatIfOut(_Out):
    """Two states side by side; ``gained`` come within the limit, ``lost`` fall out of it, ``uncovered`` stay out."""

    category: str
    limit_m: float | None
    limit_s: float
    document: str
    verified: bool
    households: int
    persons: int
    before: State
    after: State
    changed: Changed
    gained: People
    lost: People
    uncovered: People
    gaps: list[Gap]
    isochrones: CollectionOut | None
    assumptions: list[TitleOut]
    ms: float


@router.get("")
def read_coverage(
    parts: CurrentParts,
    catalog: CurrentCatalog,
    scope: CurrentScope,
    area: AreaText = "",
    speed_kmh: Speed = ADULT_KMH,
    open_at: OpenAt = None,
    minutes: Minutes = None,
) -> CoverageOut:
    """Households and persons within walking reach of every category of services, on the street network."""
    found = life_circle.coverage(parts.circles, catalog, scope, CircleAsk(area, speed_kmh, open_at, minutes))
    network = NetworkOut(components=found.n_components, n_unsnapped=found.n_unsnapped)
    return CoverageOut.model_validate({**_shallow(found), "network": network}, from_attributes=True)


@router.get("/{category}")
def read_coverage_of_category(
    category: str,
    parts: CurrentParts,
    catalog: CurrentCatalog,
    scope: CurrentScope,
    area: AreaText = "",
    speed_kmh: Speed = ADULT_KMH,
    open_at: OpenAt = None,
    minutes: Minutes = None,
    by: By = "building",
) -> CategoryByZoneOut:
    """One category of services by building or by zone, with the facilities and how the walks are spread."""
    ask = CircleAsk(area, speed_kmh, open_at, minutes)
    return CategoryByZoneOut.model_validate(
        life_circle.category_by_zone(parts.circles, catalog, scope, ask, category, by), from_attributes=True
    )


@router.post("/what-if")
def ask_what_if(asked: WhatIfIn, parts: CurrentParts, catalog: CurrentCatalog, scope: CurrentScope) -> WhatIfOut:
    """Coverage before and after facilities are added, moved or closed, a gate is opened or a bridge built."""
    found = what_if.what_if(
        parts.circles,
        catalog,
        scope,
        asked.circle(),
        asked.category,
        [what_if.Change(one.op, one.point, one.fid, one.line) for one in asked.changes],
        with_isochrones=asked.isochrone,
    )
    bands = (
        None if found.isochrones is None else CollectionOut(features=[band_feature(one) for one in found.isochrones])
    )
    return WhatIfOut.model_validate({**_shallow(found), "isochrones": bands}, from_attributes=True)


def band_feature(band: Any) -> FeatureOut:
    """One isochrone as GeoJSON."""
    names = ("minutes", "area_m2", "shed_ratio", "households", "persons", "n_buildings")
    return FeatureOut(properties={name: getattr(band, name) for name in names}, geometry=band.geometry)


def _shallow(found: Any) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__}
