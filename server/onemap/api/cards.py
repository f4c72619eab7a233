"""Cards: one feature with all that a card says about it, in one round trip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from onemap.analyses import cards as around
from onemap.analyses.streets import HeldNetwork
from onemap.api.catalog import TitleOut
from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentParts, CurrentScope, NamedLayer
from onemap.api.features import CardOut, card_of
from onemap.domain.rule_set import Band, RuleSet
from onemap.store import overview
from onemap.store.cards import VISIT_DAYS, Cards, GridFacts
from onemap.store.kpis import CITY_TIME

router = APIRouter(prefix="/api/cards", tags=["features"])


class ReachedOut(BaseModel):
    """The nearest facility of a category within 15 minutes on foot; ``method`` is network or straight."""

    category: str
    fid: int
    title: str
    metres: float
    seconds: float
    method: Literal["network", "straight"]


class EstateOfOut(BaseModel):
    """The estate of a building."""

    fid: int
    name: str | None


class GridOfOut(BaseModel):
    """The grid of a building with its officer's post; the phone is the post's, not a person's."""

    fid: int
    grid_code: str
    grid_no: str | None
    name: str | None
    officer_post: str | None
    officer_phone: str | None
    vacant: bool | None


class NearCameraOut(BaseModel):
    """A camera within 100 m; ``sees`` says whether the ground it sees touches the building."""

    fid: int
    title: str
    metres: float
    sees: bool


class OpenEventOut(BaseModel):
    """An open event in or at a building."""

    fid: int
    event_no: str
    title: str
    level: int
    state: str
    overdue: bool


class BuildingMoreOut(BaseModel):
    """Around a building; ``not_allowed`` names the layers whose part is empty because the reader may not see them."""

    kind: Literal["building"] = "building"
    estate: EstateOfOut | None
    grid: GridOfOut | None
    cameras_100m: list[NearCameraOut]
    open_events: list[OpenEventOut]
    facilities: list[ReachedOut]
    not_allowed: list[str]


class BandOut(BaseModel):
    """What a rule allows in one unit."""

    unit: Literal["households", "persons"]
    min: float
    target: float
    max: float


class VerdictOut(BaseModel):
    """What a grid has in one unit, and whether that is in band; null where it is not known."""

    unit: Literal["households", "persons"]
    value: int | None
    in_band: bool | None


class GridRuleOut(BaseModel):
    """The rule that a grid is judged by, with the document that says so."""

    title: TitleOut
    document: str
    logic: Literal["any", "all"]
    bands: list[BandOut]
    verdicts: list[VerdictOut]
    in_band: bool | None


class DayOut(BaseModel):
    """Events reported on a day, and how many of these are still open."""

    day: date
    n: int
    n_open: int


class PatrolOut(BaseModel):
    """QR points visited in the last days, of all."""

    n: int
    of: int
    days: int


class VisitsOut(BaseModel):
    """QR points to be visited in the next seven days, and those past their time."""

    due: int
    overdue: int


class GridMoreOut(BaseModel):
    """Around a grid; null where the reader may not know."""

    kind: Literal["grid"] = "grid"
    rule: GridRuleOut | None
    plan_document: str | None
    per_day: list[DayOut]
    patrol: PatrolOut | None
    visits: VisitsOut | None
    n_buildings: int | None
    area_m2: float
    n_informants: int | None
    n_management_points: int | None
    n_cameras: int | None
    n_open: int | None
    facilities: list[ReachedOut] | None
    not_allowed: list[str]


class CameraMoreOut(BaseModel):
    """What a camera sees; an empty ring where its registry does not say how it looks. There is never a picture."""

    kind: Literal["camera"] = "camera"
    ground_m2: float | None
    sees_buildings: int | None
    ring: list[tuple[float, float]]
    age_years: int | None


class GroundMoreOut(BaseModel):
    """What an estate or an area holds; null where the reader may not know."""

    kind: Literal["ground"] = "ground"
    n_buildings: int | None
    households: int | None
    persons: int | None
    n_grids: int | None
    n_open: int | None


class PointVisitsOut(BaseModel):
    """A point's last visit and its next."""

    last_visit_at: datetime | None
    due_days: int | None
    next_at: datetime | None
    overdue: bool | None


class PointMoreOut(BaseModel):
    """A QR point's visits."""

    kind: Literal["point"] = "point"
    visits: PointVisitsOut | None


type MoreOut = BuildingMoreOut | GridMoreOut | CameraMoreOut | GroundMoreOut | PointMoreOut


class FullCardOut(CardOut):
    """One feature with all that its card says; ``more`` is null for layers without more."""

    more: MoreOut | None


@router.get("/{layer}/{fid}")
def full_card(
    layer: NamedLayer, fid: int, parts: CurrentParts, catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope
) -> FullCardOut:
    """One feature, and what stands around it, as the reader may see it."""
    # before a connection is held: the streets may have to be read first
    held = around.streets_on_foot(parts.streets) if layer.name in _WALKED else None
    with db.connection() as connection:
        card = card_of(layer, fid, overview.card(connection, layer, scope, fid))
        make = _MORE.get(layer.name)
        more = make(_Asked(Cards(connection, catalog, scope), parts.grid_rules, held, card)) if make else None
    return FullCardOut(**card.model_dump(), more=more)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the rest of a card is made from."""

    cards: Cards
    grid_rules: Mapping[str, RuleSet]
    streets: HeldNetwork | None
    card: CardOut


def _building(asked: _Asked) -> BuildingMoreOut:
    cards, card = asked.cards, asked.card
    estate, grid, near = cards.estate_of(card.fid), cards.grid_of(card.fid), cards.cameras_near(card.fid)
    seeing = around.cameras_that_see(cards, card.fid, near)
    return BuildingMoreOut(
        estate=EstateOfOut(fid=estate[0], name=estate[1]) if estate else None,
        grid=GridOfOut.model_validate(grid, from_attributes=True) if grid else None,
        cameras_100m=[
            NearCameraOut(fid=one.fid, title=one.title, metres=round(one.metres, 1), sees=one.fid in seeing)
            for one in near
        ],
        open_events=[OpenEventOut.model_validate(e, from_attributes=True) for e in cards.open_events(card.fid)],
        facilities=_facilities(asked),
        not_allowed=_not_allowed(cards, "estates", "grids", "cameras", "events", "facilities"),
    )


def _grid(asked: _Asked) -> GridMoreOut | None:
    cards, card = asked.cards, asked.card
    facts = cards.grid(card.fid)
    if facts is None:
        return None
    now = datetime.now(UTC)
    visits = cards.visits_of_grid(facts.grid_code, now)
    return GridMoreOut(
        rule=_rule(asked.grid_rules.get(facts.rule_set or ""), facts),
        plan_document=facts.source_document,
        per_day=[DayOut(day=day, n=n, n_open=n_open) for day, n, n_open in cards.events_of_grid(facts.grid_code, now)],
        patrol=PatrolOut(n=visits.n, of=visits.of, days=VISIT_DAYS) if visits else None,
        visits=VisitsOut(due=visits.due, overdue=visits.overdue) if visits else None,
        n_buildings=cards.n_buildings_of_grid(facts.grid_code),
        area_m2=round(facts.area_m2, 1),
        n_informants=facts.n_informants,
        n_management_points=facts.n_management_points,
        n_cameras=cards.n_cameras_of_grid(card.fid),
        n_open=cards.n_open_of_grid(facts.grid_code),
        facilities=_facilities(asked),
        not_allowed=_not_allowed(cards, "buildings", "cameras", "events", "patrol_points", "facilities"),
    )


def _rule(rule: RuleSet | None, facts: GridFacts) -> GridRuleOut | None:
    if rule is None:
        return None
    values = {"households": facts.households, "persons": facts.persons}
    verdicts = [_verdict(band, values[band.unit]) for band in rule.bands]
    known = facts.households is not None and facts.persons is not None
    return GridRuleOut(
        title=TitleOut(zh=rule.title, en=rule.title_en or rule.title),
        document=rule.source_document,
        logic=rule.logic.value,
        bands=[
            BandOut(unit=band.unit.value, min=band.minimum, target=band.target, max=band.maximum) for band in rule.bands
        ],
        verdicts=verdicts,
        in_band=rule.in_band(facts.households or 0, facts.persons or 0) if known else None,
    )


def _verdict(band: Band, value: int | None) -> VerdictOut:
    return VerdictOut(unit=band.unit.value, value=value, in_band=None if value is None else band.holds(value))


def _camera(asked: _Asked) -> CameraMoreOut:
    cards, card = asked.cards, asked.card
    camera = cards.camera(card.fid)
    seen = around.view(cards, camera) if camera else None
    year = card.properties.get("installed_year")
    return CameraMoreOut(
        ground_m2=round(seen.ground_m2, 1) if seen else None,
        sees_buildings=seen.n_buildings if seen else None,
        ring=list(seen.ring) if seen else [],
        age_years=datetime.now(CITY_TIME).year - year if year else None,
    )


def _estate(asked: _Asked) -> GroundMoreOut:
    cards, card = asked.cards, asked.card
    return GroundMoreOut.model_validate(cards.estate(str(card.properties["estate_id"])), from_attributes=True)


def _area(asked: _Asked) -> GroundMoreOut:
    cards, card = asked.cards, asked.card
    return GroundMoreOut.model_validate(cards.area(str(card.properties["area_code"])), from_attributes=True)


def _point(asked: _Asked) -> PointMoreOut:
    cards, card = asked.cards, asked.card
    visits = cards.visits_of_point(card.fid, datetime.now(UTC))
    return PointMoreOut(visits=PointVisitsOut.model_validate(visits, from_attributes=True) if visits else None)


def _facilities(asked: _Asked) -> list[ReachedOut]:
    lon, lat = asked.card.point
    near = asked.cards.facilities_near(lon, lat, around.WALK_M)
    found = around.within_a_walk(asked.streets, near, lon, lat)
    return [ReachedOut.model_validate(one, from_attributes=True) for one in found]


def _not_allowed(cards: Cards, *layers: str) -> list[str]:
    return [name for name in layers if not cards.sees(name)]


#: What makes the rest of a card, by layer, and which of them measure walks.
_MORE: Mapping[str, Callable[[_Asked], MoreOut | None]] = {
    "buildings": _building,
    "grids": _grid,
    "cameras": _camera,
    "estates": _estate,
    "areas": _area,
    "patrol_points": _point,
}
_WALKED = frozenset({"buildings", "grids"})
