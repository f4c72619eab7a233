"""Colours, widths and fonts by name: ``tiles/styles/{dark,light,shared}.json``.

Styles and symbols are written in token names (``"@land"``, ``fill="@event.3.fill"``), so that one drawing serves both
themes and the legend shows what the map draws.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onemap.domain.layer import Title
from onemap.errors import CatalogError

THEMES = ("dark", "light")

_TOKEN = re.compile(r"@([a-z0-9][a-z0-9.-]*)")


@dataclass(frozen=True)
class Palette:
    """The tokens of one theme, what both themes share included."""

    name: str
    title: Title
    tokens: Mapping[str, Any]

    def value(self, token: str) -> Any:
        """What a token stands for; ``CatalogError`` where it stands for nothing."""
        try:
            return self.tokens[token]
        except KeyError:
            raise CatalogError([f"tiles/styles/{self.name}.json: there is no token '{token}'."]) from None

    def fill(self, part: Any) -> Any:
        """A piece of a style with every ``"@token"`` replaced by its value."""
        if isinstance(part, str):
            return self.value(part[1:]) if part.startswith("@") else part
        if isinstance(part, Mapping):
            return {key: self.fill(value) for key, value in part.items()}
        if isinstance(part, list | tuple):
            return [self.fill(value) for value in part]
        return part

    def paint(self, drawing: str) -> str:
        """An SVG text with every ``@token`` replaced by its value."""
        return _TOKEN.sub(lambda match: str(self.value(match[1])), drawing)


def read_palette(tiles: Path, theme: str) -> Palette:
    """The palette of a theme: its own tokens and the shared ones."""
    own, shared = _json(tiles / "styles" / f"{theme}.json"), _json(tiles / "styles" / "shared.json")
    twice = sorted(set(own["tokens"]) & set(shared["tokens"]))
    if twice:
        raise CatalogError([f"tiles/styles: '{token}' is both a {theme} and a shared token." for token in twice])
    return Palette(str(own["name"]), Title(**own["title"]), {**shared["tokens"], **own["tokens"]})


def read_order(tiles: Path) -> tuple[str, ...]:
    """The slots of the map, bottom up."""
    return tuple(_json(tiles / "styles" / "order.json")["slots"])


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError:
        raise CatalogError([f"{path.name}: there is no such file beside the other styles."]) from None
    except ValueError as wrong:
        raise CatalogError([f"{path.name}: this is not JSON: {wrong}."]) from wrong
