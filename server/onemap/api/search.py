"""Search: one box over everything on the map."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from onemap.api.catalog import TitleOut
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentScope, parse_point
from onemap.store import search as store

router = APIRouter(prefix="/api/search", tags=["search"])

MAX_LIMIT = 20


class HitOut(BaseModel):
    """One feature; ``match`` says which characters of the title match: from, and up to but not including."""

    layer: str
    fid: int
    title: str
    sub: str | None
    match: list[tuple[int, int]]
    point: tuple[float, float]
    bounds: tuple[float, float, float, float]


class HitGroupOut(BaseModel):
    """The hits of one layer, the best first."""

    kind: str
    title: TitleOut
    hits: list[HitOut]


class SearchOut(BaseModel):
    """What a text means, by layer; the group with the best hit first."""

    q: str
    groups: list[HitGroupOut]


@router.get("")
def search(
    catalog: CurrentCatalog,
    db: CurrentDb,
    scope: CurrentScope,
    q: Annotated[str, Query(max_length=200, description="text, pinyin, initials, or the beginning or end of a code")],
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="most hits of a layer; 24 in all")] = 8,
    area: Annotated[str | None, Query(pattern=r"^[0-9]{2,12}$", description="what lies in it comes first")] = None,
    near: Annotated[str | None, Query(description="longitude,latitude; nearer hits come first")] = None,
) -> SearchOut:
    """Areas, grids, estates, buildings, addresses, cameras, QR points, facilities and events by what one types."""
    place = parse_point(near) if near else None
    with db.connection() as connection:
        groups = store.search(connection, catalog, scope, q, limit=limit, area=area, near=place)
    return SearchOut(
        q=q,
        groups=[
            HitGroupOut(
                kind=group.kind,
                title=TitleOut.of(group.title),
                hits=[HitOut.model_validate(hit, from_attributes=True) for hit in group.hits],
            )
            for group in groups
        ],
    )
