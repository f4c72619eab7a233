"""Features as people read them: counts in view, one feature's card."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from onemap.api.deps import Box, CurrentCatalog, CurrentDb, CurrentScope, NamedLayer
from onemap.domain.layer import Layer
from onemap.store import overview

router = APIRouter(prefix="/api", tags=["features"])


class CountOut(BaseModel):
    """How many; ``exact`` is false where counting stopped, then it is "at least" and there are no classes."""

    n: int
    exact: bool
    classes: dict[str, int] | None


class CountsOut(BaseModel):
    """Counts by layer name."""

    counts: dict[str, CountOut]


class CardOut(BaseModel):
    """One feature: visible properties, a point inside it, its bounds in degrees."""

    layer: str
    fid: int
    title: str | None
    properties: dict[str, Any]
    point: tuple[float, float]
    bounds: tuple[float, float, float, float]


@router.get("/counts")
def counts_in_view(catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope, box: Box) -> CountsOut:
    """How many features of each layer lie in a box, as the map shows them."""
    with db.connection() as connection:
        found = {
            layer.name: overview.count_in_box(connection, layer, scope, box) for layer in catalog if scope.sees(layer)
        }
    return CountsOut(counts={name: CountOut.model_validate(one, from_attributes=True) for name, one in found.items()})


@router.get("/features/{layer}/{fid}")
def feature_card(layer: NamedLayer, fid: int, db: CurrentDb, scope: CurrentScope) -> CardOut:
    """One feature with every property that the reader may see."""
    with db.connection() as connection:
        return card_of(layer, fid, overview.card(connection, layer, scope, fid))


def card_of(layer: Layer, fid: int, card: overview.Card) -> CardOut:
    """A card as it is sent; its title is the label, or the key where it has none."""
    label = card.properties.get(layer.label) if layer.label else None
    return CardOut(
        layer=layer.name,
        fid=fid,
        title=str(label or card.properties.get(layer.key.name) or fid),
        properties=card.properties,
        point=card.point,
        bounds=card.bounds,
    )
