"""What cameras see: those that see a point, and how much of an area. Registry and geometry, never a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from onemap.analyses.camera_answers import BlindStreet, ClassCount, GridSight, PlaceKind, SeeingCamera, Seen, Works
from onemap.analyses.cameras import camera_coverage, cameras_that_see
from onemap.api.catalog import TitleOut
from onemap.api.coverage import AREA
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentParts, CurrentScope, parse_point

router = APIRouter(prefix="/api/cameras", tags=["cameras"])


class CamerasSeeingOut(BaseModel):
    """The cameras that see a point, the nearest first; those that are not online see nothing now."""

    point: tuple[float, float]
    n_online: int
    cameras: list[SeeingCamera]


class CameraCoverageOut(BaseModel):
    """What cameras see of an area; ``lattice_m`` is the step on which ground seen twice was counted."""

    area: str | None
    n_cameras: int
    n_seeing: int
    n_unusable: int
    offline_share: float | None
    classes: list[ClassCount]
    ground: Seen
    roads: Seen
    buildings: Seen
    places: list[PlaceKind]
    grids: list[GridSight]
    blind_streets: list[BlindStreet]
    works: Works
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
        cameras=found,
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
