"""``onemap partition --area``: the database's way, joined by the analyses."""

from __future__ import annotations

from typing import Any

from onemap.errors import UsageError


def answer(area: str | None, scenario: str | None, as_json: bool, asked: dict[str, Any]) -> tuple[Any, bool, str]:
    """Partition an area of the database into a scenario."""
    if not area or not scenario:
        raise UsageError("--area CODE and --scenario NAME go together.")
    raise UsageError("This installation partitions files; areas of the database are partitioned by the server.")
