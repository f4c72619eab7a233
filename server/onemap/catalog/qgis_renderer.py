"""Our map style in QGIS' words: rules for lines and surfaces, SVG markers for points, labels.

A rule is made from each fragment of a layer's ``style.json``: its filter becomes an expression, its zooms scales, its
paint a symbol. Widths are those of zoom 15. What QGIS cannot draw (extrusions, shadows) is left out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

from onemap.catalog.palette import Palette
from onemap.catalog.sprites import symbol_svg
from onemap.catalog.style import StyleBook, fragments_of
from onemap.domain.layer import Language, Layer

#: Scale denominator of MapLibre's zoom 0 at 96 dots per inch.
_SCALE_0 = 279_541_132
_READING_ZOOM = 15.0
_HATCHES = {"hatch-vacancy": ("vacancy", 45), "hatch-above": ("above", 135), "hatch-below": ("below", 135)}

type Fragment = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One way of drawing: which features, between which zooms, as what."""

    label: str
    filter: str | None
    minzoom: float | None
    maxzoom: float | None
    symbol: ET.Element


def renderer(layer: Layer, book: StyleBook, theme: str, language: Language) -> ET.Element:
    """The ``renderer-v2`` of a layer."""
    palette = book.palettes[theme]
    fragments = [palette.fill(fragment) for fragment in fragments_of(layer, book) if "part" not in fragment]
    if layer.geometry.is_point:
        return _markers(_first_legend(fragments), layer, book, palette, language)
    return _ruled([rule for fragment in fragments for rule in _rules(fragment, layer, palette, language)])


def labeling(layer: Layer, book: StyleBook, theme: str) -> ET.Element | None:
    """Labels in the colours of ours; None for a layer that carries none."""
    palette = book.palettes[theme]
    texts = [f for f in fragments_of(layer, book) if f["type"] == "symbol" and "text-color" in f.get("paint", {})]
    if layer.label is None or not texts or layer.geometry.is_point:
        return None
    fragment = palette.fill(texts[0])
    element = ET.Element("labeling", {"type": "simple"})
    settings = ET.SubElement(element, "settings", {"calloutType": "simple"})
    style = ET.SubElement(
        settings,
        "text-style",
        {
            "fieldName": layer.label,
            "fontFamily": "Noto Sans CJK SC",
            "fontSize": "9",
            "fontSizeUnit": "Point",
            "textColor": _rgba(fragment["paint"]["text-color"]),
        },
    )
    ET.SubElement(
        style,
        "text-buffer",
        {
            "bufferDraw": "1",
            "bufferSize": "1",
            "bufferSizeUnits": "MM",
            "bufferColor": _rgba(palette.value("halo")),
        },
    )
    placement = {"placement": "2", "placementFlags": "9", "repeatDistance": "60"} if layer.geometry.is_line else {
        "placement": "1", "centroidWhole": "1", "centroidInside": "1",
    }  # fmt: skip
    ET.SubElement(settings, "placement", placement)
    ET.SubElement(
        settings,
        "rendering",
        {
            "scaleVisibility": "1",
            "scaleMin": "0",
            "scaleMax": _denominator(fragment.get("minzoom", 0)),
            "mergeLines": "1",
        },
    )
    return element


def _markers(legend: Fragment, layer: Layer, book: StyleBook, palette: Palette, language: Language) -> ET.Element:
    """SVG markers, one for each value of the legend's field; rows that tiles leave out are drawn by none."""
    only = " AND ".join(f"{expression(['get', name])} IS {_quoted(value)}" for name, value in layer.tiling.only.items())
    items = [item for item in legend.get("items", ()) if "value" in item]
    if "field" not in legend or not items:
        element = ET.Element("renderer-v2", {"type": "singleSymbol"})
        ET.SubElement(element, "symbols").append(_marker(legend["symbol"], 0, book, palette))
        return element
    if not only:
        items.append({"symbol": legend["symbol"], "value": "", "zh": "其他", "en": "Other"})
    value = f'"{legend["field"]}"'
    attribute = f"CASE WHEN {only} THEN {value} END" if only else value
    element = ET.Element("renderer-v2", {"type": "categorizedSymbol", "attr": attribute})
    categories, symbols = ET.SubElement(element, "categories"), ET.SubElement(element, "symbols")
    for index, item in enumerate(items):
        kind = "long" if isinstance(item["value"], int) else "string"
        shown = {"label": item[language], "render": "true", "type": kind}
        ET.SubElement(categories, "category", {"value": str(item["value"]), "symbol": str(index), **shown})
        symbols.append(_marker(item["symbol"], index, book, palette))
    return element


def _marker(name: str, index: int, book: StyleBook, palette: Palette) -> ET.Element:
    drawing = symbol_svg(book.symbols[name], palette)
    width = ET.fromstring(drawing).get("width", "16")  # noqa: S314  our own files
    svg = "base64:" + base64.b64encode(drawing.encode()).decode()
    return _symbol("marker", index, ("SvgMarker", {"name": svg, "size": width, "size_unit": "Pixel"}))


def _ruled(rules: Sequence[_Rule]) -> ET.Element:
    element = ET.Element("renderer-v2", {"type": "RuleRenderer", "symbollevels": "1"})
    root, symbols = ET.SubElement(element, "rules", {"key": "root"}), ET.SubElement(element, "symbols")
    for index, rule in enumerate(rules):
        attributes = {"key": f"rule{index}", "symbol": str(index), "label": rule.label}
        if rule.filter:
            attributes["filter"] = rule.filter
        if rule.minzoom is not None:
            attributes["scalemaxdenom"] = _denominator(rule.minzoom)
        if rule.maxzoom is not None:
            attributes["scalemindenom"] = _denominator(rule.maxzoom)
        ET.SubElement(root, "rule", attributes)
        rule.symbol.set("name", str(index))
        for drawn in rule.symbol.iter("layer"):
            drawn.set("pass", str(index))
        symbols.append(rule.symbol)
    return element


def _rules(fragment: Fragment, layer: Layer, palette: Palette, language: Language) -> Iterator[_Rule]:
    paint = fragment.get("paint", {})
    draw = _DRAWERS.get(fragment["type"])
    if draw is _line and layer.geometry.is_polygon:
        draw = _edge
    if draw is None or "fill-translate" in paint or _invisible(paint):
        return
    label = fragment.get("legend", {}).get(language, fragment["id"])
    flat = fragment["type"] == "fill" and fragment["slot"] == "buildings-flat"
    base = expression(fragment["filter"]) if "filter" in fragment else None
    for case, colour in _cases(_colour(paint, palette)):
        yield _Rule(
            label=label,
            filter=" AND ".join(f"({part})" for part in (base, case) if part) or None,
            # QGIS has no extrusions: the flat buildings serve all scales
            minzoom=fragment.get("minzoom"),
            maxzoom=None if flat else fragment.get("maxzoom"),
            symbol=draw(fragment, colour),
        )


def _invisible(paint: Mapping[str, Any]) -> bool:
    opacities = [value for key, value in paint.items() if key.endswith("-opacity")]
    return any(value == 0 or (isinstance(value, list) and "feature-state" in str(value)) for value in opacities)


def _colour(paint: Mapping[str, Any], palette: Palette) -> Any:
    if "fill-pattern" in paint:
        return palette.value(_HATCHES[paint["fill-pattern"]][0])
    return next((paint[key] for key in ("fill-color", "line-color") if key in paint), palette.value("text3"))


def _cases(colour: Any) -> Iterator[tuple[str | None, str]]:
    """A colour that depends on a field, as (expression, colour) pairs; the rest comes last."""
    if isinstance(colour, str):
        yield None, colour
        return
    if colour[0] != "match":
        yield from _cases(colour[-1])
        return
    field, others = expression(colour[1]), []
    for value, chosen in zip(colour[2:-1:2], colour[3:-1:2], strict=True):
        values = ", ".join(_quoted(one) for one in (value if isinstance(value, list) else [value]))
        others.append(values)
        yield f"{field} IN ({values})", chosen
    yield f"{field} IS NULL OR {field} NOT IN ({', '.join(others)})", colour[-1]


def _fill(fragment: Fragment, colour: str) -> ET.Element:
    paint = fragment.get("paint", {})
    if "fill-pattern" in paint:
        angle = _HATCHES[paint["fill-pattern"]][1]
        hatch = {
            "angle": str(angle),
            "distance": "8",
            "distance_unit": "Pixel",
            "color": _rgba(colour),
            "line_width": "0.2",
        }
        return _symbol("fill", 0, ("LinePatternFill", hatch))
    edge = paint.get("fill-outline-color")
    outline = {"outline_style": "no"} if edge is None else {
        "outline_style": "solid", "outline_color": _rgba(_at_zoom(edge, _READING_ZOOM)), "outline_width": "0.2",
    }  # fmt: skip
    opacity = _at_zoom(paint.get("fill-opacity", 1), _READING_ZOOM)
    return _symbol("fill", 0, ("SimpleFill", {"color": _rgba(colour, opacity), "style": "solid", **outline}))


def _line(fragment: Fragment, colour: str) -> ET.Element:
    paint = fragment.get("paint", {})
    width = _at_zoom(paint.get("line-width", 1), max(_READING_ZOOM, fragment.get("minzoom", 0)))
    dashes = paint.get("line-dasharray")
    properties = {
        "line_color": _rgba(colour, _at_zoom(paint.get("line-opacity", 1), _READING_ZOOM)),
        "line_width": f"{_number(width):.2f}",
        "line_width_unit": "Pixel",
        "capstyle": "round",
        "joinstyle": "round",
    }
    if isinstance(dashes, list) and all(isinstance(dash, int | float) for dash in dashes):
        properties |= {
            "use_custom_dash": "1",
            "customdash": ";".join(f"{dash * _number(width):.2f}" for dash in dashes),
            "customdash_unit": "Pixel",
        }
    return _symbol("line", 0, ("SimpleLine", properties))


def _edge(fragment: Fragment, colour: str) -> ET.Element:
    """The outline of a surface, drawn by a line fragment of a polygon layer."""
    return _symbol("fill", 0, *(("SimpleLine", _properties(layer)) for layer in _line(fragment, colour).iter("layer")))


_DRAWERS: dict[str, Callable[[Fragment, str], ET.Element]] = {"fill": _fill, "line": _line}


def expression(condition: Any) -> str:
    """A MapLibre expression of the kinds our filters use, as a QGIS expression."""
    if not isinstance(condition, list):
        return _quoted(condition)
    head, *rest = condition
    if head in ("all", "any"):
        return f" {'AND' if head == 'all' else 'OR'} ".join(f"({expression(part)})" for part in rest)
    if head in ("==", "!=", "<", "<=", ">", ">="):
        if ["zoom"] in rest:
            return "TRUE"
        sign = {"==": "IS", "!=": "IS NOT"}.get(head, head)
        return f"{expression(rest[0])} {sign} {expression(rest[1])}"
    return {
        "get": lambda: f'"{rest[0]}"',
        "has": lambda: f'"{rest[0]}" IS NOT NULL',
        "!": lambda: f"NOT ({expression(rest[0])})",
        "in": lambda: f"{expression(rest[0])} IN ({', '.join(_quoted(value) for value in rest[1][1])})",
        "coalesce": lambda: f"coalesce({', '.join(expression(part) for part in rest)})",
        "literal": lambda: ", ".join(_quoted(value) for value in rest[0]),
    }.get(head, lambda: "TRUE")()


def _first_legend(fragments: Iterable[Fragment]) -> Fragment:
    return next((fragment["legend"] for fragment in fragments if "legend" in fragment), {"symbol": "point"})


def _at_zoom(value: Any, zoom: float) -> Any:
    """What an expression on the zoom gives; of any other expression its last branch."""
    if not isinstance(value, list):
        return value
    if value[0] == "interpolate":
        base = value[1][1] if value[1][0] == "exponential" else 1
        stops = list(zip(value[3::2], value[4::2], strict=True))
        if zoom <= stops[0][0]:
            return _at_zoom(stops[0][1], zoom)
        for (low, first), (high, last) in pairwise(stops):
            if low <= zoom <= high:
                passed, whole = zoom - low, high - low
                share = passed / whole if base == 1 else (base**passed - 1) / (base**whole - 1)
                return _number(_at_zoom(first, zoom)) * (1 - share) + _number(_at_zoom(last, zoom)) * share
        return _at_zoom(stops[-1][1], zoom)
    if value[0] == "step":
        passed = [output for stop, output in zip(value[3::2], value[4::2], strict=True) if zoom >= stop]
        return _at_zoom(passed[-1] if passed else value[2], zoom)
    return _at_zoom(value[-1], zoom)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 1.0


def _symbol(kind: str, index: int, *layers: tuple[str, Mapping[str, str]]) -> ET.Element:
    element = ET.Element("symbol", {"type": kind, "name": str(index), "alpha": "1", "clip_to_extent": "1"})
    for layer_class, properties in layers:
        drawn = ET.SubElement(element, "layer", {"class": layer_class, "enabled": "1", "locked": "0", "pass": "0"})
        options = ET.SubElement(drawn, "Option", {"type": "Map"})
        for name, value in properties.items():
            ET.SubElement(options, "Option", {"name": name, "type": "QString", "value": value})
    return element


def _properties(drawn: ET.Element) -> dict[str, str]:
    return {o.get("name", ""): o.get("value", "") for o in drawn.iter("Option") if o.get("name")}


def _rgba(colour: str, opacity: Any = 1) -> str:
    alpha = _number(opacity)
    if colour.startswith("#"):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    else:
        numbers = [float(number) for number in re.findall(r"[\d.]+", colour)]
        red, green, blue = (int(number) for number in numbers[:3])
        alpha *= numbers[3] if len(numbers) > 3 else 1
    return f"{red},{green},{blue},{round(alpha * 255)}"


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def _denominator(zoom: float) -> str:
    return str(round(_SCALE_0 / 2**zoom))
