"""Areas: the tree that people drill down."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentScope
from onemap.store import areas as store

router = APIRouter(prefix="/api/areas", tags=["areas"])

AreaCode = Annotated[str, Path(pattern=r"^[0-9]{2,12}$", description="Area code of 2 to 12 digits")]


class AreaOut(BaseModel):
    """One area; bounds in degrees."""

    area_code: str
    name: str
    level: str
    parent_code: str | None
    households: int | None
    persons: int | None
    bounds: tuple[float, float, float, float]


class GridOut(BaseModel):
    """One grid in force; bounds in degrees."""

    grid_code: str
    grid_no: str | None
    name: str | None
    households: int | None
    persons: int | None
    in_band: bool | None
    vacant: bool
    bounds: tuple[float, float, float, float]


@router.get("")
def area_tree(catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope) -> list[AreaOut]:
    """All areas by code, parents before children."""
    with db.connection() as connection:
        return [AreaOut.model_validate(area, from_attributes=True) for area in store.areas(connection, catalog, scope)]


@router.get("/{area_code}/grids")
def grids_of_area(area_code: AreaCode, catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope) -> list[GridOut]:
    """The grids of an area in force today, by code."""
    with db.connection() as connection:
        found = store.grids(connection, catalog, scope, area_code)
    return [GridOut.model_validate(grid, from_attributes=True) for grid in found]
