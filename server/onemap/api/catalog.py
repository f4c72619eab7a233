"""The layer catalogue as the map's page reads it."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from onemap.api.deps import CurrentCatalog, CurrentDb, CurrentScope
from onemap.domain.layer import Layer, Title
from onemap.domain.scope import Scope
from onemap.store import overview
from onemap.store.db import Connection

router = APIRouter(prefix="/api", tags=["catalogue"])


class TitleOut(BaseModel):
    """A name in both languages."""

    zh: str
    en: str

    @classmethod
    def of(cls, title: Title) -> TitleOut:
        """From the catalogue's own."""
        return cls(zh=title.zh, en=title.en)


class CodeOut(BaseModel):
    """One value of a code list."""

    value: str
    title: TitleOut


class FieldOut(BaseModel):
    """A property of a layer's features."""

    name: str
    type: str
    title: TitleOut
    unit: str | None
    codes: list[CodeOut] | None


class LayerOut(BaseModel):
    """One layer; a layer that the reader may not see says its name and ``allowed: false``."""

    name: str
    group: str
    title: TitleOut
    description: TitleOut
    geometry: str
    data_class: str = Field(serialization_alias="class")
    allowed: bool
    min_zoom: int
    max_zoom: int
    label: str | None
    time: str | None
    key: str
    fields: list[FieldOut]
    n_features: int | None
    n_features_exact: bool
    bounds: tuple[float, float, float, float] | None


class GroupOut(BaseModel):
    """A branch of the layer tree."""

    name: str
    title: TitleOut


class CatalogOut(BaseModel):
    """All layers in the order of the tree."""

    demo: bool
    bounds: tuple[float, float, float, float] | None
    groups: list[GroupOut]
    layers: list[LayerOut]


@router.get("/catalog")
def read_catalog(catalog: CurrentCatalog, db: CurrentDb, scope: CurrentScope) -> CatalogOut:
    """All layers with their fields, code lists, counts and bounds."""
    with db.connection() as connection:
        layers = [_layer_out(connection, layer, scope) for layer in catalog]
        demo = overview.meta(connection, "demo") is not None
    return CatalogOut(
        demo=demo,
        bounds=_home(layers),
        groups=[GroupOut(name=group.name, title=TitleOut.of(group.title)) for group in catalog.groups],
        layers=layers,
    )


def _layer_out(connection: Connection, layer: Layer, scope: Scope) -> LayerOut:
    allowed = scope.sees(layer)
    count = overview.count(connection, layer, scope) if allowed else None
    fields = [field for field in layer.fields if scope.sees_field(layer, field)] if allowed else []
    return LayerOut(
        name=layer.name,
        group=layer.group,
        title=TitleOut.of(layer.title),
        description=TitleOut.of(layer.description),
        geometry=layer.geometry.value,
        data_class=layer.data_class.value,
        allowed=allowed,
        min_zoom=layer.tiling.min_zoom,
        max_zoom=layer.tiling.max_zoom,
        label=layer.label,
        time=layer.time,
        key=layer.key.name,
        fields=[
            FieldOut(
                name=field.name,
                type=field.type.value,
                title=TitleOut.of(field.title),
                unit=field.unit,
                codes=[CodeOut(value=code.value, title=TitleOut.of(code.title)) for code in field.codes.codes]
                if field.codes
                else None,
            )
            for field in fields
        ],
        n_features=count.n if count else None,
        n_features_exact=count.exact if count else False,
        bounds=overview.bounds(connection, layer) if count and count.n else None,
    )


def _home(layers: list[LayerOut]) -> tuple[float, float, float, float] | None:
    """What the map shows first: the grids, else the areas, else whatever there is."""
    by_name = {layer.name: layer.bounds for layer in layers if layer.bounds}
    for name in ("grids", "areas"):
        if name in by_name:
            return by_name[name]
    found = list(by_name.values())
    if not found:
        return None
    return min(b[0] for b in found), min(b[1] for b in found), max(b[2] for b in found), max(b[3] for b in found)
