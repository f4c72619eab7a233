"""Where the next facilities should go, and two places head to head."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from onemap.analyses.siting import Site, best_sites
from onemap.analyses.siting_ask import MOST_GIVEN, MOST_SITES, SitingAsk
from onemap.analyses.siting_duel import Side, head_to_head
from onemap.analyses.what_if import People, State
from onemap.api.catalog import TitleOut
from onemap.api.coverage import CircleIn
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentParts, CurrentScope

router = APIRouter(prefix="/api/siting", tags=["coverage"])

type Candidates = (
    Literal["nodes", "buildings", "estates"]
    | Annotated[str, Field(pattern="^layer:[a-z][a-z0-9_]*$")]
    | Annotated[list[tuple[float, float]], Field(min_length=1, max_length=MOST_GIVEN)]
)


class SitingIn(CircleIn):
    """
    What to place: ``n`` facilities of a category.

    ``model``: mclp most households covered, pmedian least average walk, lscp fewest sites that cover all (``n`` does
    not count). ``candidates``: street nodes, buildings, estates, ``layer:NAME``, or points in degrees.
    """

    n: int = Field(1, ge=1, le=MOST_SITES)
    model: Literal["mclp", "pmedian", "lscp"] = "mclp"
    candidates: Candidates = "nodes"


class SitesOut(BaseModel):
    """Where to build: ``sites`` are chosen, ``alternatives`` the best others by themselves; ``gap`` is proven."""

    category: str
    model: str
    limit_s: float
    document: str
    verified: bool
    sites: list[Site]
    alternatives: list[Site]
    objective: float
    bound: float
    gap: float
    objective_is: TitleOut
    method: str
    n_candidates: int
    seconds: float
    before: State
    after: State
    problems: list[TitleOut]


class CompareIn(CircleIn):
    """Two places for one new facility."""

    a: tuple[float, float]
    b: tuple[float, float]


class DuelOut(BaseModel):
    """Two places head to head; ``both`` come within the limit by either, ``only_a`` by the first alone."""

    category: str
    limit_s: float
    document: str
    verified: bool
    before: State
    a: Side
    b: Side
    both: People
    only_a: People
    only_b: People
    better: Literal["a", "b", "same"]
    sentence: TitleOut


@router.post("")
def find_sites(
    asked: SitingIn, parts: CurrentParts, catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope
) -> SitesOut:
    """The places where new facilities of a category serve people best, with the proof of how good they are."""
    ask = SitingAsk(asked.circle(), asked.category, asked.n, asked.model, asked.candidates)
    found = best_sites(db, parts.circles, catalog, scope, ask)
    return SitesOut.model_validate(found, from_attributes=True)


@router.post("/compare")
def compare_sites(
    asked: CompareIn, parts: CurrentParts, catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope
) -> DuelOut:
    """Two places for one new facility, in numbers and one sentence."""
    found = head_to_head(db, parts.circles, catalog, scope, asked.circle(), asked.category, asked.a, asked.b)
    return DuelOut.model_validate(found, from_attributes=True)
