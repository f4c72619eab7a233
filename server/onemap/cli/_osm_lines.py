"""Rivers and railways of an OpenStreetMap extract: lines that bound grids and are in no layer of the map."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import osmium
import osmium.filter
import osmium.geom
import shapely

_WATERWAYS = frozenset({"river", "canal", "stream"})
_RAILWAYS = frozenset({"rail", "light_rail"})


def read_lines(
    path: Path, bbox: tuple[float, float, float, float] | None = None
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Waterways and railways with ``kind`` (rail on the ground is ``railway``) and ``tunnel``, in EPSG:4326."""
    factory = osmium.geom.WKBFactory()
    found: dict[str, list[tuple[str, str, bool]]] = {"waterway": [], "railway": []}
    keys = osmium.filter.KeyFilter("waterway", "railway")
    for way in osmium.FileProcessor(str(path)).with_locations().with_filter(keys):
        if not isinstance(way, osmium.osm.Way):
            continue
        kind = "waterway" if way.tags.get("waterway") in _WATERWAYS else None
        if kind is None and way.tags.get("railway") in _RAILWAYS and way.tags.get("bridge", "no") == "no":
            kind = "railway"
        if kind is None or len(way.nodes) < 2 or not all(node.location.valid() for node in way.nodes):
            continue
        name = way.tags["waterway"] if kind == "waterway" else "railway"
        hidden = way.tags.get("tunnel", "no") != "no"
        try:
            found[kind].append((factory.create_linestring(way), name, hidden))
        except RuntimeError:  # all its nodes are in one place
            continue
    return _frame(found["waterway"], bbox), _frame(found["railway"], bbox)


def _frame(rows: list[tuple[str, str, bool]], bbox: tuple[float, float, float, float] | None) -> gpd.GeoDataFrame:
    shapes = shapely.from_wkb([row[0] for row in rows])
    frame = gpd.GeoDataFrame(
        {"kind": [row[1] for row in rows], "tunnel": [row[2] for row in rows]}, geometry=list(shapes), crs="EPSG:4326"
    )
    return frame if bbox is None else frame[frame.intersects(shapely.box(*bbox))].reset_index(drop=True)
