"""Posts of a community: a grid officer for every staffed grid, patrol teams, joint teams. Posts, never persons."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import shapely

from onemap.demo.arrays import F64, Bools, Objects
from onemap.demo.community import Community
from onemap.demo.frame import lonlat, to_degrees
from onemap.demo.ground import shapes_of
from onemap.demo.points import phone
from onemap.demo.table import Table, texts
from onemap.demo.walk import Beats, walk

#: Patrol and joint teams of the fixtures' community, and how many of each are on duty.
PATROLS, JOINT = (20, 10), (11, 4)
_SKILLS = ("gas", "lift", "first_aid", "fire", "mediation", "electric", "water")


def vacant_grids(rng: np.random.Generator, n_grids: int) -> Bools:
    """The grids without an officer: 2 of 29."""
    found = np.zeros(n_grids, bool)
    found[rng.choice(n_grids, size=max(1, round(n_grids * 2 / 29)), replace=False)] = True
    return found


def officer_post(grid: int) -> str:
    """The post of a grid's officer."""
    return f"网格员 {grid + 1:02d}"


def officer_phone(community: Community, grid: int) -> str:
    """The post's work phone."""
    return phone(_first_phone(community.head.area_code) + grid)


def responders(
    community: Community, grid_codes: list[str], vacant: Bools, rng: np.random.Generator, now: datetime
) -> Table:
    """All posts; those off duty stand at their grid's middle and are not shown."""
    share = community.head.households / 14878
    staffed = np.flatnonzero(~vacant)
    n_patrol, n_joint = round(PATROLS[0] * share), round(JOINT[0] * share)
    role = np.array(
        ["grid_officer"] * len(staffed) + ["patrol_team"] * n_patrol + ["joint_team"] * n_joint, dtype=object
    )
    number = np.concatenate([staffed + 1, np.arange(1, n_patrol + 1), np.arange(1, n_joint + 1)])
    grid = np.concatenate([staffed, rng.integers(0, len(vacant), n_patrol + n_joint)])
    word = {"grid_officer": "网格员", "patrol_team": "巡查队", "joint_team": "联勤队"}
    duty = np.concatenate(
        [
            np.ones(len(staffed), bool),
            np.arange(n_patrol) < round(PATROLS[1] * share),
            np.arange(n_joint) < round(JOINT[1] * share),
        ]
    )
    n, code = len(role), community.head.area_code
    ids = texts([f"R{code[4:]}{k:03d}" for k in range(1, n + 1)])
    middles = lonlat(shapely.get_coordinates(shapely.point_on_surface(community.grid_shapes)))[grid]
    position = middles.copy()
    position[duty] = walk(beats(community, ids[duty], role[duty], middles[duty]), now.timestamp())
    skills = [
        ",".join(sorted(rng.choice(_SKILLS, size=int(rng.integers(1, 4 if r != "joint_team" else 5)), replace=False)))
        for r in role
    ]
    age = np.round(rng.gamma(2.0, 22.0, n)).astype("timedelta64[s]")
    columns = {
        "responder_id": ids,
        "area_code": texts([code] * n),
        "post": texts([f"{word[r]} {k:02d}" for r, k in zip(role, number, strict=True)]),
        "role": role,
        "skills": texts(skills),
        "on_duty": duty,
        "home_area": texts([code] * n),
        "grid_code": texts([grid_codes[g] if r == "grid_officer" else None for g, r in zip(grid, role, strict=True)]),
        "position_at": np.datetime64(now.replace(tzinfo=None), "s") - age,
        "accuracy_m": np.round(rng.gamma(3.0, 2.6, n) + 3.0, 1),
        "n_tasks": np.where(duty, rng.integers(0, 4, n), 0),
        "phone": texts(
            [phone(_first_phone(code) + (number[k] - 1 if role[k] == "grid_officer" else 60 + k)) for k in range(n)]
        ),
    }
    return Table(columns, shapely.points(position))


def beats(community: Community, ids: Objects, roles: Objects, homes: F64) -> Beats:
    """The ways of the posts on duty."""
    lines = to_degrees(shapes_of([r.line for c in community.cells.values() for r in c.roads]))
    return Beats.along(lines, tuple(ids), tuple(roles), homes)


def _first_phone(area_code: str) -> int:
    return (int(area_code[4:]) - 1_001_001) % 97 * 100 + 101
