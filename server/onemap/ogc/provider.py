"""pygeoapi's way to our store: its words become an ask, our page becomes its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson
from pygeoapi.crs import CrsTransformSpec
from pygeoapi.provider.base import BaseProvider, ProviderItemNotFoundError

from onemap.catalog.ogc import property_schema
from onemap.domain.feature import Crs, feed_fields
from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.errors import FeatureNotFound
from onemap.ogc.adapt import BoxIn, FilterIn
from onemap.ogc.query import pack_cursor, read_ask, read_crs
from onemap.store.db import Db
from onemap.store.features import Features


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What a provider reads from: one layer as one reader sees it. A copy of a configuration holds the same one."""

    layer: Layer
    scope: Scope
    features: Features
    db: Db
    crs: tuple[Crs, ...]

    def __deepcopy__(self, _: Mapping[int, Any]) -> Self:
        return self


class LayerProvider(BaseProvider):  # type: ignore[misc] # pygeoapi has no types
    """Features of one layer."""

    def __init__(self, provider_def: dict[str, Any]) -> None:
        super().__init__(provider_def)
        self.source: Source = provider_def["data"]
        self._fields = self.get_fields()

    def get_fields(self) -> dict[str, Any]:
        """The properties that the reader may see."""
        return {field.name: property_schema(field, "en") for field in feed_fields(self.source.layer, self.source.scope)}

    def query(
        self,
        *,
        offset: int = 0,
        limit: int = 10,
        bbox: Sequence[float] = (),
        datetime_: str | None = None,
        properties: Sequence[tuple[str, str]] = (),
        sortby: Sequence[Mapping[str, str]] = (),
        select_properties: Sequence[str] = (),
        skip_geometry: bool = False,
        crs_transform_spec: CrsTransformSpec | None = None,
        filterq: FilterIn | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """A page of features, as a dictionary; ``next`` says where the following page begins."""
        source = self.source
        wanted = _target(crs_transform_spec, source.crs)
        params = {"limit": str(limit), "offset": str(offset), "crs": wanted.uri, **dict(properties)}
        if isinstance(bbox, BoxIn):
            params |= {"bbox": ",".join(map(repr, bbox)), "bbox-crs": bbox.crs_uri}
        if datetime_ is not None:
            params["datetime"] = datetime_
        if sortby:
            params["sortby"] = ",".join(("-" if s["order"] == "-" else "") + s["property"] for s in sortby)
        if select_properties:
            params["properties"] = ",".join(select_properties)
        if skip_geometry:
            params["skipGeometry"] = "true"
        if filterq is not None:
            params |= {"filter": filterq.text, "filter-crs": filterq.crs_uri}
        ask = read_ask(params, source.layer, source.scope, source.crs)
        with source.db.connection() as connection:
            page = source.features.page(connection, source.layer, source.scope, ask)
        found: dict[str, Any] = {
            "type": "FeatureCollection",
            "features": orjson.loads(b"[" + page.features + b"]"),
            "numberMatched": page.n_matched,
            "numberReturned": page.n_returned,
        }
        if page.estimated:
            found["numberMatchedEstimated"] = True
        if page.cursor is not None:
            found["next"] = pack_cursor(page.cursor)
        return found

    def get(self, identifier: str, *, crs_transform_spec: CrsTransformSpec | None = None, **_: Any) -> dict[str, Any]:
        """One feature."""
        source = self.source
        try:
            with source.db.connection() as connection:
                text = source.features.item(
                    connection, source.layer, source.scope, identifier, _target(crs_transform_spec, source.crs)
                )
        except FeatureNotFound as unknown:
            raise ProviderItemNotFoundError(str(unknown), user_msg=str(unknown)) from unknown
        feature: dict[str, Any] = orjson.loads(text)
        return feature


def _target(spec: CrsTransformSpec | None, known: tuple[Crs, ...]) -> Crs:
    """The CRS that pygeoapi wants: it says nothing where that is the default."""
    return read_crs("crs", None if spec is None else spec.target_crs_uri, known)
