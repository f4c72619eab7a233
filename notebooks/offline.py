"""Folium maps that need no internet: Leaflet stands inside the page, and no base map is asked for."""

from __future__ import annotations

import base64
from pathlib import Path

import folium

_LEAFLET = Path(__file__).resolve().parents[1] / "server" / "dashboard" / "node_modules" / "leaflet" / "dist"


def offline_map(bounds: tuple[float, float, float, float]) -> folium.Map:
    """An empty map of west, south, east, north (degrees) whose page holds all that it needs."""
    if not _LEAFLET.is_dir():
        raise FileNotFoundError("Leaflet is not here yet: run 'make setup' once.")
    west, south, east, north = bounds
    board = folium.Map([(south + north) / 2, (west + east) / 2], tiles=None, zoom_control=True, prefer_canvas=False)
    board.default_js = [("leaflet", _inside("leaflet.js", "text/javascript"))]
    board.default_css = [("leaflet_css", _inside("leaflet.css", "text/css"))]
    board.fit_bounds([(south, west), (north, east)])
    return board


def _inside(name: str, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode((_LEAFLET / name).read_bytes()).decode()}"
