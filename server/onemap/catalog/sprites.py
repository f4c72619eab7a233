"""Symbols: SVG templates of ``tiles/sprites`` -> one symbol, or the sprite sheet of a theme.

``event-{name}.svg`` is a family: it is drawn once for each ``[event.*]`` of ``parts.toml``, whose markup goes into its
braces. Symbols named ``swatch-…`` are for legends only and stay out of the sheet.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import resvg_py

from onemap.catalog.palette import Palette
from onemap.errors import CatalogError

_SVG = "http://www.w3.org/2000/svg"
_NAMES = re.compile(r"[a-z0-9][a-z0-9_-]*")
_BRACES = re.compile(r"\{([a-z]+)\}")
_FAMILY = "-{name}"
_SWATCH = "swatch-"
_WIDTH, _GAP = 512, 2

ET.register_namespace("", _SVG)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sprite sheet: the picture, and where each symbol stands in it."""

    png: bytes
    index: bytes


@dataclass(frozen=True, slots=True)
class _Placed:
    name: str
    drawing: ET.Element
    x: int
    y: int
    width: int
    height: int


def read_symbols(tiles: Path) -> dict[str, str]:
    """All symbols by name, families drawn out; colours still in token names."""
    folder = tiles / "sprites"
    parts = _parts(folder / "parts.toml")
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.svg")):
        found |= dict(_members(path, parts))
    wrong = [name for name in found if not _NAMES.fullmatch(name)]
    if wrong or not found:
        raise CatalogError([f"tiles/sprites: '{name}' cannot name a symbol." for name in wrong or [""]])
    return found


def symbol_svg(drawing: str, palette: Palette) -> str:
    """One symbol in a theme's colours, as SVG."""
    return palette.paint(drawing)


def sprite_sheet(symbols: Mapping[str, str], palette: Palette, ratio: int) -> Sheet:
    """All symbols of the map in one picture.

    Parameters
    ----------
    ratio
        Picture pixels per CSS pixel: 1 or 2.
    """
    drawings = {
        name: ET.fromstring(palette.paint(drawing))  # noqa: S314  our own files
        for name, drawing in symbols.items()
        if not name.startswith(_SWATCH)
    }
    placed = _shelves(drawings)
    height = max(p.y + p.height for p in placed) + _GAP
    sheet = ET.Element(f"{{{_SVG}}}svg", {"width": str(_WIDTH), "height": str(height)})
    for p in placed:
        p.drawing.set("x", str(p.x))
        p.drawing.set("y", str(p.y))
        sheet.append(p.drawing)
    png = resvg_py.svg_to_bytes(svg_string=ET.tostring(sheet, encoding="unicode"), zoom=ratio, skip_system_fonts=True)
    index = {p.name: _entry(p, ratio) for p in placed}
    return Sheet(bytes(png), orjson.dumps(index))


def _shelves(drawings: Mapping[str, ET.Element]) -> list[_Placed]:
    """Symbols in rows, tall ones first."""
    sizes = {name: (int(d.get("width", "0")), int(d.get("height", "0"))) for name, d in drawings.items()}
    placed: list[_Placed] = []
    x, y, shelf = _GAP, _GAP, 0
    for name in sorted(drawings, key=lambda name: (-sizes[name][1], name)):
        width, height = sizes[name]
        if x + width + _GAP > _WIDTH:
            x, y, shelf = _GAP, y + shelf + _GAP, 0
        placed.append(_Placed(name, drawings[name], x, y, width, height))
        x, shelf = x + width + _GAP, max(shelf, height)
    return placed


def _entry(placed: _Placed, ratio: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "x": placed.x * ratio,
        "y": placed.y * ratio,
        "width": placed.width * ratio,
        "height": placed.height * ratio,
        "pixelRatio": ratio,
    }
    for attribute, key in (("data-stretch-x", "stretchX"), ("data-stretch-y", "stretchY")):
        if numbers := placed.drawing.get(attribute):
            entry[key] = [[float(number) * ratio for number in numbers.split()]]
    if numbers := placed.drawing.get("data-content"):
        entry["content"] = [float(number) * ratio for number in numbers.split()]
    return entry


def _parts(path: Path) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    return tomllib.loads(path.read_text("utf-8"))


def _members(path: Path, parts: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[tuple[str, str]]:
    template = path.read_text("utf-8")
    if _FAMILY not in path.stem:
        yield path.stem, template
        return
    family = path.stem.split(_FAMILY)[0]
    if family not in parts:
        raise CatalogError([f"tiles/sprites/{path.name}: parts.toml has no [{family}.*] to draw it with."])
    for name, part in parts[family].items():
        words = {**part, "name": name, "half": part.get("size", 0) / 2}
        yield path.stem.replace("{name}", name), _filled(template, words)


def _filled(template: str, words: Mapping[str, Any]) -> str:
    return _BRACES.sub(lambda match: _word(words.get(match[1], "")), template)


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
