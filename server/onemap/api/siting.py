"""Where the next facilities should go, and two places head to head."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from onemap.analyses import siting
from onemap.analyses.circle_rules import ADULT_KMH
from onemap.analyses.life_circle import CircleAsk
from onemap.api.catalog import TitleOut
from onemap.api.coverage import AREA, PeopleOut, StateOut
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentParts, CurrentScope

router = APIRouter(prefix="/api/siting", tags=["coverage"])

type Candidates = (
    Literal["nodes", "buildings", "estates"]
    | Annotated[str, Field(pattern="^layer:[a-z][a-z0-9_]*$")]
    | Annotated[list[tuple[float, float]], Field(min_length=1, max_length=siting.MOST_GIVEN)]
)


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    area: str = Field("", pattern=AREA)
    category: str
    speed_kmh: float = ADULT_KMH
    open_at: str | None = None
    minutes: float | None = None

    def circle(self) -> CircleAsk:
        """Whose life circle."""
        return CircleAsk(self.area, self.speed_kmh, self.open_at, self.minutes)


class SitingIn(_Asked):
    """
    What to place: ``n`` facilities of a category.

    ``model``: mclp most households covered, pmedian least average walk, lscp fewest sites that cover all (``n`` does
    not count). ``candidates``: street nodes, buildings, estates, ``layer:NAME``, or points in degrees.
    """

    n: int = Field(1, ge=1, le=siting.MOST_SITES)
    model: Literal["mclp", "pmedian", "lscp"] = "mclp"
    candidates: Candidates = "nodes"


class SiteOut(BaseModel):
    """One place; ``gain`` when it joins those before it, ``alone`` were it the only new one."""

    model_config = ConfigDict(from_attributes=True)

    label: str
    point: tuple[float, float]
    title: str
    gain_households: int
    gain_persons: int
    alone_households: int
    alone_persons: int


class SitesOut(BaseModel):
    """Where to build: ``sites`` are chosen, ``alternatives`` the best others by themselves; ``gap`` is proven."""

    category: str
    model: str
    limit_s: float
    document: str
    verified: bool
    sites: list[SiteOut]
    alternatives: list[SiteOut]
    objective: float
    bound: float
    gap: float
    objective_is: TitleOut
    method: str
    n_candidates: int
    seconds: float
    before: StateOut
    after: StateOut
    problems: list[TitleOut]


class CompareIn(_Asked):
    """Two places for one new facility."""

    a: tuple[float, float]
    b: tuple[float, float]


class SideOut(BaseModel):
    """One of two places: whom it brings within the limit, and for whom it is the nearer of the two."""

    point: tuple[float, float]
    title: str
    gain_households: int
    gain_persons: int
    share: float | None
    mean_s: float | None
    nearer_households: int


class DuelOut(BaseModel):
    """Two places head to head; ``both`` come within the limit by either, ``only_a`` by the first alone."""

    category: str
    limit_s: float
    document: str
    verified: bool
    before: StateOut
    a: SideOut
    b: SideOut
    both: PeopleOut
    only_a: PeopleOut
    only_b: PeopleOut
    better: Literal["a", "b", "same"]
    sentence: TitleOut


@router.post("")
def find_sites(
    asked: SitingIn, parts: CurrentParts, catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope
) -> SitesOut:
    """The places where new facilities of a category serve people best, with the proof of how good they are."""
    ask = siting.SitingAsk(asked.circle(), asked.category, asked.n, asked.model, asked.candidates)
    found = siting.best_sites(db, parts.circles, catalog, scope, ask)
    return SitesOut.model_validate(found, from_attributes=True)


@router.post("/compare")
def compare_sites(
    asked: CompareIn, parts: CurrentParts, catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope
) -> DuelOut:
    """Two places for one new facility, in numbers and one sentence."""
    found = siting.head_to_head(db, parts.circles, catalog, scope, asked.circle(), asked.category, asked.a, asked.b)
    return DuelOut.model_validate(found, from_attributes=True)
