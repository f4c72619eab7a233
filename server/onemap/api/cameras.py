"""What cameras see: those that see a point, and how much of an area. Registry and geometry, never a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from onemap.analyses.cameras import camera_coverage, cameras_that_see
from onemap.api.catalog import TitleOut
from onemap.api.coverage import AREA
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentParts, CurrentScope, parse_point

router = APIRouter(prefix="/api/cameras", tags=["cameras"])


class SeeingOut(BaseModel):
    """A camera whose view holds the point; vehicle cameras count where they were last."""

    fid: int
    camera_id: str
    title: str
    camera_class: str
    status: str | None
    is_online: bool
    is_vehicle: bool
    point: tuple[float, float]
    metres: float
    height_m: float | None


class CamerasSeeingOut(BaseModel):
    """The cameras that see a point, the nearest first; those that are not online see nothing now."""

    point: tuple[float, float]
    n_online: int
    cameras: list[SeeingOut]


class ClassCountOut(BaseModel):
    """How many cameras of a class, and in what state."""

    camera_class: str
    n: int
    n_online: int
    n_linked: int
    n_old: int


class SeenOut(BaseModel):
    """How much of a whole is seen: square metres, metres or a count; ``share_twice`` by two cameras or more."""

    seen: float
    total: float
    share: float | None
    share_twice: float | None


class GridSightOut(BaseModel):
    """One grid's ground; ``want`` is households times the unseen share."""

    fid: int
    grid_code: str
    title: str
    households: int
    n_cameras: int
    ground_share: float
    want: float


class PlaceKindOut(BaseModel):
    """Key places of one kind: crossing, estate_gate, square_gate, market, school_front."""

    kind: str
    n: int
    seen: int
    share: float | None


class KeyPlaceOut(BaseModel):
    """A key place that no camera sees."""

    kind: str
    title: str | None
    point: tuple[float, float]


class CameraToDoOut(BaseModel):
    """A camera to be linked, repaired or replaced, and why."""

    fid: int
    camera_id: str
    title: str
    camera_class: str
    status: str | None
    age_years: int | None
    why: str


class BlindStreetOut(BaseModel):
    """A street with many metres that no camera sees."""

    fid: int
    title: str | None
    length_m: float
    unseen_m: float


class WorksOut(BaseModel):
    """The four works: fill gaps 填空, densify 加密, integrate 集成, improve 提效; the most wanted first."""

    fill: list[KeyPlaceOut]
    densify: list[GridSightOut]
    integrate: list[CameraToDoOut]
    improve: list[CameraToDoOut]


class CameraCoverageOut(BaseModel):
    """What cameras see of an area; ``lattice_m`` is the step on which ground seen twice was counted."""

    area: str | None
    n_cameras: int
    n_seeing: int
    n_unusable: int
    offline_share: float | None
    classes: list[ClassCountOut]
    ground: SeenOut
    roads: SeenOut
    buildings: SeenOut
    places: list[PlaceKindOut]
    grids: list[GridSightOut]
    blind_streets: list[BlindStreetOut]
    works: WorksOut
    lattice_m: float
    assumptions: list[TitleOut]


@router.get("/seeing")
def read_cameras_seeing(
    parts: CurrentParts,
    catalog: CurrentCatalog,
    scope: CurrentScope,
    point: Annotated[str, Query(description="longitude,latitude in degrees")],
) -> CamerasSeeingOut:
    """The cameras that see a point, between the buildings."""
    lon, lat = parse_point(point)
    found = cameras_that_see(parts.sights, catalog, scope, lon, lat)
    return CamerasSeeingOut(
        point=(lon, lat),
        n_online=sum(one.is_online for one in found),
        cameras=[SeeingOut.model_validate(one, from_attributes=True) for one in found],
    )


@router.get("/coverage")
def read_camera_coverage(
    parts: CurrentParts,
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    area: Annotated[str, Query(pattern=AREA, description="Area code; all that you may see without one")] = "",
) -> CameraCoverageOut:
    """Shares of ground, streets, buildings and key places that cameras see, and the four works that follow."""
    found = camera_coverage(db, parts.sights, catalog, scope, area, today=datetime.now(UTC).date())
    return CameraCoverageOut.model_validate(found, from_attributes=True)
