"""The network rule and the life-circle limits as the data folder states them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from onemap.engine.network.access import NetworkRules
from onemap.errors import CatalogError


def rules_folder() -> Path:
    """Where the rule files are: ``layers/rules`` beside the source root."""
    return Path(__file__).resolve().parents[3] / "layers" / "rules"


def read_network_rules(path: Path | None = None) -> NetworkRules:
    """The rule by which streets become networks."""
    file = path or rules_folder() / "network.toml"
    table = read_rule_table(file)
    try:
        return NetworkRules.from_table(table)
    except (KeyError, TypeError, ValueError) as wrong:
        raise CatalogError([f"{file.name}: {wrong} is missing or of the wrong kind."]) from wrong


def read_rule_table(file: Path) -> dict[str, Any]:
    """One rule file as a table."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise CatalogError([f"{file}: cannot be read."]) from wrong
    except tomllib.TOMLDecodeError as wrong:
        raise CatalogError([f"{file}: {wrong}."]) from wrong


def read_life_circle(path: Path | None = None) -> dict[str, Any]:
    """Limits, bands and presets of the life circle, with the document they come from."""
    file = path or rules_folder() / "life_circle.toml"
    table = read_rule_table(file)
    missing = [key for key in ("source_document", "bands_minutes", "presets", "categories") if key not in table]
    if missing:
        raise CatalogError([f"{file.name}: {', '.join(missing)} is missing."])
    return table
