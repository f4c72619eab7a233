"""Department grids: each department groups whole community grids its own way, without gap or overlap."""

from __future__ import annotations

import numpy as np
import shapely

from onemap.demo import grids
from onemap.demo.community import Community
from onemap.demo.frame import to_degrees
from onemap.demo.ground import shapes_of
from onemap.demo.table import Table, texts

#: Department, its number as service object (CJ/T 349, six digits), its word, and how many grids of its own.
DEPARTMENTS = (
    ("police", 990001, "警务区", 3),
    ("urban_management", 990002, "城管责任区", 6),
    ("fire", 990003, "消防责任区", 2),
    ("health", 990004, "家庭医生片区", 5),
    ("civil_affairs", 990005, "民政片区", 3),
    ("market_regulation", 990006, "市监片区", 4),
)


def department_grids(community: Community, grid_codes: list[str], rng: np.random.Generator) -> Table:
    """Six departments' divisions of the community."""
    parts = grids.borders(
        community.grid_shapes,
        [-1 - k for k in range(len(grid_codes))],
        [(r.line, r.road_class) for c in community.cells.values() for r in c.roads],
        [],
    )
    code = community.head.area_code
    rows: list[tuple[str, str, str, str]] = []
    shapes = []
    for name, number, word, n in DEPARTMENTS:
        weight = community.grid_households * rng.uniform(0.7, 1.3, len(grid_codes))
        zone = grids.group(weight, parts, min(n, len(grid_codes)))
        for z in range(int(zone.max()) + 1):
            members = np.flatnonzero(zone == z)
            rows.append(
                (
                    f"{number}{code}{z + 1:02d}",
                    name,
                    f"{community.head.name}第{z + 1}{word}",
                    ",".join(grid_codes[k] for k in members),
                )
            )
            shapes.append(shapely.union_all(community.grid_shapes[members]))
    columns = list(zip(*rows, strict=True))
    names = ("department_grid_code", "department", "name", "grid_codes")
    return Table({k: texts(list(v)) for k, v in zip(names, columns, strict=True)}, to_degrees(shapes_of(shapes)))
