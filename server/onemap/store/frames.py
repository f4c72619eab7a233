"""Layers as GeoDataFrames, for analyses that work on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from psycopg import sql

from onemap.domain.layer import AREA_CODE, FID, Catalog, Layer
from onemap.domain.scope import Scope
from onemap.errors import FeatureNotFound
from onemap.store.db import Connection
from onemap.store.named import compose, named, statement
from onemap.store.scope import TRUE, in_areas, predicate, relation, visible_fields

type Box = tuple[float, float, float, float]

CRS = "EPSG:4490"


def frame(
    connection: Connection,
    layer: Layer,
    scope: Scope,
    *,
    area: str | None = None,
    box: Box | None = None,
    fields: Sequence[str] | None = None,
) -> gpd.GeoDataFrame:
    """
    The features of a layer that a reader may see, by fid.

    Parameters
    ----------
    area
        Only rows whose area code begins so.
    box
        Only rows that touch west, south, east, north, in degrees.
    fields
        Which fields; all that the reader may see when left out.

    Returns
    -------
    GeoDataFrame in EPSG:4490 (x = longitude) with ``fid``, ``area_code``, the fields and ``geom``.
    """
    seen = [field.name for field in visible_fields(layer, scope) if field.name != AREA_CODE]
    names = [FID, AREA_CODE, *(name for name in seen if fields is None or name in fields)]
    query = compose(
        named("frames")["rows"],
        fields=sql.SQL(", ").join(sql.Identifier("f", name) for name in names),
        relation=relation(layer),
        within=_within(area, box),
        scope=predicate(layer, scope),
    )
    rows = connection.execute(query).fetchall()
    table = pd.DataFrame([row[:-1] for row in rows], columns=names)
    geometry = shapely.from_wkb([row[-1] for row in rows])
    return gpd.GeoDataFrame(table, geometry=geometry, crs=CRS).rename_geometry("geom")


def boundary(connection: Connection, catalog: Catalog, scope: Scope, area_code: str) -> Any:
    """The boundary of an area as a shapely geometry in EPSG:4490; ``FeatureNotFound`` where there is none."""
    layer = catalog.layer("areas")
    query = compose(named("frames")["boundary"], scope=predicate(layer, scope, "a"))
    row = connection.execute(query, {"area_code": area_code}).fetchone()
    if row is None:
        raise FeatureNotFound(layer.name, area_code)
    return shapely.from_wkb(row[0])


def box_around(connection: Connection, area_code: str, margin_m: float) -> Box:
    """The box of an area, widened by metres on each side, in degrees."""
    values = {"area_code": area_code, "margin_m": margin_m}
    row = connection.execute(statement(named("frames")["near_area"]), values).fetchone()
    if row is None:
        raise FeatureNotFound("areas", area_code)
    return (row[0], row[1], row[2], row[3])


def _within(area: str | None, box: Box | None) -> sql.Composable:
    parts: list[sql.Composable] = []
    if area is not None:
        parts.append(in_areas((area,), "f"))
    if box is not None:
        west, south, east, north = (sql.Literal(side) for side in box)
        parts.append(sql.SQL("f.geom && ST_MakeEnvelope({}, {}, {}, {}, 4490)").format(west, south, east, north))
    return sql.SQL(" AND ").join(parts) if parts else TRUE
