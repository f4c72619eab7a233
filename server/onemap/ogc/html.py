"""The feed's pages: small, in two languages, with a sketch of the geometries, referring to nothing outside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from onemap.domain.feature import feed_fields
from onemap.domain.layer import Layer
from onemap.ogc.answer import Answer
from onemap.ogc.links import HTML
from onemap.ogc.request import Request

#: A sketch draws this many vertices at most, on a canvas this wide.
MAX_VERTICES, WIDTH = 20_000, 900.0
_HEIGHTS = (160.0, 520.0)

#: No script runs here and nothing is fetched, whatever the data say.
_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
)

type Json = dict[str, Any]
type _Ring = Sequence[Sequence[float]]


def page(request: Request, template: str, title: str, document: Json, *, status: int = 200, **more: Any) -> Answer:
    """A document as a page."""
    english = request.language == "en"
    links = document.get("links") or []
    text = (
        _environment()
        .get_template(f"{template}.html")
        .render(
            document=document,
            title=title,
            language=request.language,
            base_url=request.base_url,
            here=f"{request.base_url}{request.path}",
            trail=_trail(request),
            other_language=request.href(request.path, lang="zh" if english else "en", f="html"),
            as_json=request.href(request.path, f="json"),
            linked=[link for link in links if link["rel"] not in ("self", "alternate") and "templated" not in link],
            t=lambda zh, en: en if english else zh,
            **more,
        )
    )
    return Answer(text.encode(), f"{HTML}; charset=utf-8", status, request.language, (_POLICY,))


def items_page(request: Request, layer: Layer, document: Json, *, sketched: bool) -> Answer:
    """A page of features: a sketch and a table."""
    following = next((link["href"] for link in document["links"] if link["rel"] == "next"), None)
    sketch = svg(feature["geometry"] for feature in document["features"]) if sketched else None
    title = layer.title.in_language(request.language)
    return page(request, "items", title, document, sketch=sketch, following=following, **_columns(request, layer))


def item_page(request: Request, layer: Layer, document: Json, *, sketched: bool) -> Answer:
    """One feature: a sketch and its properties."""
    name = document["properties"].get(layer.label or "") or document["id"]
    title = f"{layer.title.in_language(request.language)} {name}"
    sketch = svg([document["geometry"]]) if sketched else None
    return page(request, "item", title, document, sketch=sketch, **_columns(request, layer))


def svg(geometries: Iterable[Json | None]) -> Markup | None:
    """A drawing of geometries in degrees; None where there is nothing to draw."""
    shapes = [shape for geometry in geometries if geometry for shape in _shapes(geometry)]
    points = [point for _, rings in shapes for ring in rings for point in ring]
    if not points or len(points) > MAX_VERTICES:
        return None
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    pad = max(east - west, north - south, 1e-4) * 0.04
    west, south, east, north = west - pad, south - pad, east + pad, north + pad
    squeeze = math.cos(math.radians((south + north) / 2))
    height = min(max(WIDTH * (north - south) / ((east - west) * squeeze), _HEIGHTS[0]), _HEIGHTS[1])
    scale = min(WIDTH / ((east - west) * squeeze), height / (north - south))
    left = (WIDTH - (east - west) * squeeze * scale) / 2

    def place(point: Sequence[float]) -> str:
        return f"{left + (point[0] - west) * squeeze * scale:.1f},{(north - point[1]) * scale:.1f}"

    parts = [_drawn(kind, rings, place) for kind, rings in shapes]
    return Markup(f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img">{"".join(parts)}</svg>')  # noqa: S704 - numbers only


def _drawn(kind: str, rings: Sequence[_Ring], place: Any) -> str:
    if kind == "Point":
        x, y = place(rings[0][0]).split(",")
        return f'<circle cx="{x}" cy="{y}" r="4"/>'
    path = "".join(
        "M" + "L".join(place(point) for point in ring) + ("Z" if kind == "Polygon" else "") for ring in rings
    )
    return f'<path class="{"area" if kind == "Polygon" else "line"}" d="{path}"/>'


def _shapes(geometry: Json) -> Iterator[tuple[str, Sequence[_Ring]]]:
    """Points, lines and polygons of a geometry, each as its rings."""
    kind: str = geometry["type"]
    coordinates: Any = geometry.get("coordinates", ())
    if kind.startswith("Multi"):
        for part in coordinates:
            yield from _shapes({"type": kind.removeprefix("Multi"), "coordinates": part})
    elif kind == "Point":
        yield kind, [[coordinates]]
    elif kind == "LineString":
        yield kind, [coordinates]
    elif kind == "Polygon":
        yield kind, coordinates


def _columns(request: Request, layer: Layer) -> Json:
    fields = feed_fields(layer, request.scope)
    codes = {
        field.name: {code.value: code.title.in_language(request.language) for code in field.codes.codes}
        for field in fields
        if field.codes
    }

    def show(name: str, value: Any) -> Any:
        if value is None:
            return "—"
        if isinstance(value, bool):
            return ("是" if value else "否") if request.language == "zh" else ("yes" if value else "no")
        return codes.get(name, {}).get(str(value), value)

    return {
        "columns": [{"name": field.name, "title": field.title.in_language(request.language)} for field in fields],
        "show": show,
    }


def _trail(request: Request) -> list[dict[str, str]]:
    """The way from the landing page to here."""
    parts = [part for part in request.path.split("/") if part]
    return [
        {
            "title": part,
            "href": f"{request.base_url}/{'/'.join(parts[: i + 1])}?f=html&lang={request.language}",
        }
        for i, part in enumerate(parts)
    ]


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "pages")
    return Environment(loader=loader, autoescape=True, trim_blocks=True)
