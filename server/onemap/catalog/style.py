"""The map style: a pure function of layers, palette, draw order and language, valid for any MapLibre client.

A layer's ``style.json`` is a list of fragments: map layers whose colours are token names and which name a slot of the
draw order instead of a place among the others. A layer without one is drawn in the default manner of its geometry.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onemap.catalog.palette import THEMES, Palette, read_order, read_palette
from onemap.catalog.sprites import read_symbols
from onemap.domain.layer import Language, Layer
from onemap.errors import CatalogError

_FRAGMENT_KEYS = frozenset(
    {"id", "slot", "type", "part", "minzoom", "maxzoom", "filter", "layout", "paint", "legend"}
)  # fmt: skip
_NEEDED = ("id", "slot", "type")
_COPIED = ("type", "minzoom", "maxzoom")


@dataclass(frozen=True)
class StyleBook:
    """Everything that ``tiles/styles`` and ``tiles/sprites`` say."""

    palettes: Mapping[str, Palette]
    slots: tuple[str, ...]
    #: Fragments for layers that say nothing of their own: point, line, polygon.
    defaults: Mapping[str, Sequence[Mapping[str, Any]]]
    #: Drawings by name, in token names.
    symbols: Mapping[str, str]


def read_style_book(tiles: Path) -> StyleBook:
    """The style book of a ``tiles/`` folder."""
    defaults = json.loads((tiles / "styles" / "default.json").read_text("utf-8"))
    palettes = {theme: read_palette(tiles, theme) for theme in THEMES}
    return StyleBook(palettes, read_order(tiles), defaults, read_symbols(tiles))


def build_style(
    layers: Iterable[Layer], book: StyleBook, *, theme: str, language: Language, base_url: str
) -> dict[str, Any]:
    """
    The MapLibre style of some layers.

    Parameters
    ----------
    layers
        What the reader may see, in the order of the tree.
    base_url
        Where the server is, without a slash at the end; tile addresses must be absolute for MapLibre's workers.
    """
    palette = book.palettes[theme]
    shown = tuple(layers)
    drawn = sorted(
        (_slot_index(book, layer, fragment), place, nth, layer, fragment)
        for place, layer in enumerate(shown)
        for nth, fragment in enumerate(fragments_of(layer, book))
    )
    by_slot: dict[int, list[dict[str, Any]]] = {}
    for slot, _, _, layer, fragment in drawn:
        by_slot.setdefault(slot, []).append(_map_layer(layer, fragment, palette, language))
    return {
        "version": 8,
        "name": {"zh": "一张图", "en": "One map"}[language] + " " + palette.title.in_language(language),
        "metadata": {"onemap:theme": theme, "onemap:language": language},
        "light": {"anchor": "map", "position": [1.3, 315, 24], "intensity": palette.value("roof.light")},
        "sprite": f"{base_url}/tiles/sprites/{theme}",
        "sources": _sources(shown, base_url),
        "layers": [
            {"id": "land", "type": "background", "paint": {"background-color": palette.value("land")}},
            *(part for slot, name in enumerate(book.slots) for part in (*by_slot.get(slot, ()), _marker(name))),
        ],
    }


def fragments_of(layer: Layer, book: StyleBook) -> Sequence[Mapping[str, Any]]:
    """How a layer is drawn: its own way, or the default one of its geometry."""
    if layer.style:
        return layer.style
    kind = "point" if layer.geometry.is_point else "line" if layer.geometry.is_line else "polygon"
    return book.defaults[kind]


def style_problems(layers: Iterable[Layer], book: StyleBook) -> list[str]:
    """Everything in the layers' ``style.json`` that cannot be drawn, each with its file and key."""
    return [
        f"{layer.group}/{layer.name}/style.json: {problem}"
        for layer in layers
        for fragment in layer.style
        for problem in _problems(fragment, book)
    ]


def _problems(fragment: Mapping[str, Any], book: StyleBook) -> Iterable[str]:
    where = fragment.get("id", "?")
    for key in _NEEDED:
        if key not in fragment:
            yield f"{where} needs the key '{key}'."
    for key in sorted(set(fragment) - _FRAGMENT_KEYS):
        yield f"{where}.{key} is an unknown key."
    if fragment.get("slot") not in book.slots:
        yield f"{where}.slot '{fragment.get('slot')}' is not in tiles/styles/order.json."
    for token in _tokens(fragment):
        for palette in book.palettes.values():
            if token not in palette.tokens:
                yield f"{where} uses '@{token}', which is no token of the {palette.name} theme."
    legend = fragment.get("legend", {})
    for symbol in [entry.get("symbol") for entry in (legend, *legend.get("items", ()))] if legend else ():
        if symbol not in book.symbols:
            yield f"{where}.legend names the symbol '{symbol}', which tiles/sprites does not draw."


def _tokens(part: Any) -> Iterable[str]:
    if isinstance(part, str):
        if part.startswith("@"):
            yield part[1:]
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _tokens(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _tokens(value)


def _slot_index(book: StyleBook, layer: Layer, fragment: Mapping[str, Any]) -> int:
    try:
        return book.slots.index(fragment["slot"])
    except (KeyError, ValueError):
        wrong = f"{layer.group}/{layer.name}/style.json: {fragment.get('id', '?')} names no slot of the draw order."
        raise CatalogError([wrong]) from None


def _map_layer(layer: Layer, fragment: Mapping[str, Any], palette: Palette, language: Language) -> dict[str, Any]:
    part = fragment.get("part")
    drawn: dict[str, Any] = {
        "id": f"{layer.name}-{fragment['id']}",
        "source": _source_of(layer),
        "source-layer": f"{layer.name}_{part}" if part else layer.name,
        "metadata": {"onemap:layer": layer.name, "onemap:slot": fragment["slot"]},
    }
    drawn |= {key: fragment[key] for key in _COPIED if key in fragment}
    drawn |= {key: palette.fill(fragment[key]) for key in ("filter", "layout", "paint") if key in fragment}
    if "legend" in fragment:
        drawn["metadata"]["onemap:legend"] = _legend(fragment["legend"], layer, language)
    return drawn


def _legend(legend: Mapping[str, Any], layer: Layer, language: Language) -> dict[str, Any]:
    title = {"zh": legend.get("zh", layer.title.zh), "en": legend.get("en", layer.title.en)}
    return {
        "symbol": legend["symbol"],
        "title": title,
        "text": title[language],
        "field": legend.get("field"),
        "items": [
            {
                "symbol": item["symbol"],
                "title": {"zh": item["zh"], "en": item["en"]},
                "text": item[language],
                "value": item.get("value"),
            }
            for item in legend.get("items", ())
        ],
    }


def _sources(layers: Iterable[Layer], base_url: str) -> dict[str, dict[str, Any]]:
    """A source for each layer, but one for all that are asked for together."""
    members: dict[str, list[Layer]] = {}
    for layer in layers:
        members.setdefault(_source_of(layer), []).append(layer)
    return {
        name: {
            "type": "vector",
            "tiles": [f"{base_url}/tiles/{'+'.join(layer.name for layer in those)}/{{z}}/{{x}}/{{y}}.mvt"],
            "minzoom": min(layer.tiling.min_zoom for layer in those),
            "maxzoom": those[0].tiling.max_zoom,
        }
        for name, those in members.items()
    }


def _source_of(layer: Layer) -> str:
    # Beyond its last zoom a client stretches a tile: only layers that end alike can share one.
    return f"together-{layer.tiling.max_zoom}" if layer.tiling.together else layer.name


def _marker(slot: str) -> dict[str, Any]:
    """An invisible layer at the upper end of a slot: clients insert their own layers before it."""
    return {"id": f"slot:{slot}", "type": "background", "layout": {"visibility": "none"}}
