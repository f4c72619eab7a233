"""``onemap partition --area``: the database's way, joined by the analyses."""

from __future__ import annotations

from typing import Any

from onemap.errors import UsageError


def answer(area: str | None, scenario: str | None, asked: dict[str, Any]) -> tuple[Any, str]:
    """Partition an area of the database into a scenario."""
    if not area or not scenario:
        raise UsageError("--area CODE and --scenario NAME go together.")
    if asked["buildings"] or asked["osm"]:
        raise UsageError("Name files or an --area of the database, not both.")
    raise UsageError("Areas of the database are partitioned by the server; name --buildings FILE or --osm FILE here.")
