"""Drafts of another division, kept beside the plan in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from onemap.store.db import Connection
from onemap.store.named import named, statement


@dataclass(frozen=True, slots=True)
class DraftGrid:
    """One grid of a draft; ``wkb`` is a polygon or several in EPSG:4490."""

    grid: int
    households: int
    persons: int | None
    n_buildings: int
    in_band: bool
    polsby_popper: float
    wkb: bytes


def save_scenario(
    connection: Connection,
    area_code: str,
    name: str,
    *,
    rule_set: dict[str, Any],
    report: dict[str, Any],
    grids: Sequence[DraftGrid],
    buildings: Sequence[tuple[str, int]],
) -> int:
    """Keep a draft under a name, in place of the area's draft of that name; its number."""
    queries = named("scenarios")
    values = {"area_code": area_code, "name": name, "rule_set": Jsonb(rule_set), "report": Jsonb(report)}
    row = connection.execute(statement(queries["add"]), values).fetchone()
    scenario_id = int(row[0]) if row else 0
    for block in ("clear", "clear_buildings"):
        connection.execute(statement(queries[block]), {"scenario_id": scenario_id})
    with connection.cursor() as cursor:
        cursor.executemany(
            statement(queries["add_grid"]),
            [
                {
                    "scenario_id": scenario_id,
                    "grid": grid.grid,
                    "households": grid.households,
                    "persons": grid.persons,
                    "n_buildings": grid.n_buildings,
                    "in_band": grid.in_band,
                    "polsby_popper": grid.polsby_popper,
                    "wkb": grid.wkb,
                }
                for grid in grids
            ],
        )
    values = {
        "scenario_id": scenario_id,
        "building_ids": [building_id for building_id, _ in buildings],
        "grids": [grid for _, grid in buildings],
    }
    connection.execute(statement(queries["add_buildings"]), values)
    return scenario_id
