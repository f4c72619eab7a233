"""Who should go: the responders who reach a place soonest along the streets, and why the others do not."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from onemap.analyses.registry import Analysis, Context, Input
from onemap.analyses.responders import Responders
from onemap.analyses.streets import HeldNetwork, StreetNetworks
from onemap.domain.layer import Title
from onemap.domain.scope import Scope
from onemap.engine.network.access import MODES, check_mode
from onemap.engine.network.candidates import Candidate, choose
from onemap.engine.network.responders import NotAtOnce
from onemap.engine.network.roster import Ask, Skipped
from onemap.store.events import Event
from onemap.store.responders import Post

_RULES = Path(__file__).resolve().parents[3] / "layers" / "rules"


@dataclass(frozen=True, slots=True)
class DispatchRules:
    """
    Who goes to an event.

    Attributes
    ----------
    must_attend_kinds
        Kinds of events to which the grid's own officer goes first, whatever the distance.
    joint_from_level
        From this level on the joint team may leave its home area.
    useful_skills
        By kind of event the skills that are of use there: told of, not required.
    """

    must_attend_kinds: frozenset[str]
    joint_from_level: int
    useful_skills: Mapping[str, frozenset[str]]
    max_position_age_s: float
    mode: str
    source_document: str

    def ask(self, event: Event, k: int) -> Ask:
        """What is wanted for an event."""
        return Ask(
            k=k,
            max_age_s=self.max_position_age_s,
            own_grid=(event.grid_code or "") if event.kind in self.must_attend_kinds else "",
            grid=event.grid_code or "",
            useful_skills=self.useful_skills.get(event.kind, frozenset()),
            area=(event.area_code or "")[:_DISTRICT_DIGITS],
            roles_from_anywhere=frozenset({"joint_team"}) if event.level >= self.joint_from_level else frozenset(),
        )


_DISTRICT_DIGITS = 9


def read_dispatch_rules(folder: Path = _RULES) -> DispatchRules:
    """The rules of ``layers/rules/dispatch.toml``."""
    table = tomllib.loads((folder / "dispatch.toml").read_text("utf-8"))
    return DispatchRules(
        frozenset(table["must_attend_kinds"]),
        int(table["joint_from_level"]),
        {kind: frozenset(skills) for kind, skills in table.get("useful_skills", {}).items()},
        float(table["max_position_age_s"]),
        str(table["mode"]),
        str(table["source_document"]),
    )


@dataclass(frozen=True, slots=True)
class Route:
    """One candidate with the post and the way in degrees."""

    candidate: Candidate
    post: Post
    lonlat: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class NearestAnswer:
    """
    Who should go, who was passed over, and what was assumed.

    Attributes
    ----------
    skipped
        The first of those passed over, with what they are called.
    n_skipped
        All of those passed over, counted by reason.
    """

    routes: list[Route]
    skipped: list[tuple[Skipped, str]]
    n_skipped: dict[str, int]
    snap_m: float
    notes: tuple[str, ...]


def nearest_to(
    posts: Responders,
    scope: Scope,
    *,
    lon: float,
    lat: float,
    mode: str,
    ask: Ask,
    now: datetime,
    most_skipped: int | None = None,
    at_once: bool = False,
) -> NearestAnswer:
    """
    The responders who reach a place soonest; ``InputRefused`` where no street is near the place.

    With ``at_once`` a question that takes longer than a moment is given up with ``NotAtOnce``.
    """
    check_mode(mode)
    if at_once and not posts.answers_at_once(scope, mode):
        raise NotAtOnce
    sight = posts.sight(scope, mode, now)
    held = sight.held
    event = held.place(lon, lat)
    around = posts.grids.around(lon, lat, ask.grid)
    ask = replace(ask, grid=around.grid, neighbours=around.neighbours)
    candidates, passed = choose(
        sight.index, event, held.xy(lon, lat), sight.roster, ask, workspace=sight.workspace, at_once=at_once
    )
    passed = passed.without(sight.hidden)
    return NearestAnswer(
        routes=[
            Route(one, sight.post(one.row), way) for one, way in zip(candidates, _lonlat(held, candidates), strict=True)
        ],
        skipped=[(one, sight.name(one.row)) for one in passed[:most_skipped]],
        n_skipped=passed.counts(),
        snap_m=float(event.snap_m[0]),
        notes=tuple(held.network.notes),
    )


def _lonlat(held: HeldNetwork, candidates: list[Candidate]) -> list[list[tuple[float, float]]]:
    """The ways in degrees, all of them turned at once; none where there is no way."""
    ways = [one.route if len(one.route) > 1 else one.route[:0] for one in candidates]
    if not any(map(len, ways)):
        return [[] for _ in ways]
    points = np.vstack(ways)
    lon, lat = held.plane.lonlat(points[:, 0], points[:, 1])
    pairs = list(zip(np.round(lon, 7).tolist(), np.round(lat, 7).tolist(), strict=True))
    ends = np.cumsum([len(way) for way in ways]).tolist()
    return [pairs[end - len(way) : end] for way, end in zip(ways, ends, strict=True)]


def document(answer: NearestAnswer) -> dict[str, Any]:
    """The answer as plain values."""
    return {
        "candidates": [
            {
                "id": route.candidate.id,
                "post": route.post.post,
                "role": route.post.role,
                "seconds": route.candidate.seconds,
                "metres": route.candidate.metres,
                "method": route.candidate.method,
                "snap_m": route.candidate.snap_m,
                "reason": route.candidate.reason,
                "reason_code": route.candidate.reason_code,
                "reason_codes": list(route.candidate.reason_codes),
                "skills": list(route.candidate.skills),
                "n_tasks": route.post.n_tasks,
                "position_at": route.post.position_at.isoformat() if route.post.position_at else None,
                "route": route.lonlat,
            }
            for route in answer.routes
        ],
        "skipped": [
            {"id": one.id, "post": post, "reason": one.reason, "reason_code": one.reason_code}
            for one, post in answer.skipped
        ],
        "n_skipped": answer.n_skipped,
        "snap_m": answer.snap_m,
        "assumptions": list(answer.notes),
    }


def _run(context: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
    ask = Ask(k=inputs.get("k", 5), skills=frozenset(inputs.get("skills", ())), area=inputs.get("area", ""))
    posts = context.responders or Responders(
        context.db, context.catalog, context.streets or StreetNetworks(context.db, context.catalog)
    )
    answer = nearest_to(
        posts,
        context.scope,
        lon=inputs["lon"],
        lat=inputs["lat"],
        mode=inputs.get("mode", "foot"),
        ask=ask,
        now=datetime.now(UTC),
    )
    told = document(answer)
    return {"candidates": told["candidates"], "skipped": told["skipped"]}


NEAREST_RESPONDERS = Analysis(
    name="nearest-responders",
    version="1.0.0",
    title=Title("最近力量", "Nearest responders"),
    description=Title("按路网时间最快到达某处的力量及理由", "The responders who reach a place soonest by network time"),
    inputs={
        "lon": Input(Title("经度", "Longitude"), {"type": "number", "minimum": -180, "maximum": 180}, required=True),
        "lat": Input(Title("纬度", "Latitude"), {"type": "number", "minimum": -90, "maximum": 90}, required=True),
        "k": Input(Title("人数", "How many"), {"type": "integer", "minimum": 1, "maximum": 100}),
        "mode": Input(Title("方式", "Mode"), {"type": "string", "enum": list(MODES)}),
        "skills": Input(Title("技能", "Skills"), {"type": "array", "items": {"type": "string"}, "maxItems": 20}),
        "area": Input(Title("区划代码", "Area code"), {"type": "string", "pattern": "^[0-9]{0,12}$"}),
    },
    outputs={
        "candidates": {"type": "array", "items": {"type": "object"}},
        "skipped": {"type": "array", "items": {"type": "object"}},
    },
    run=_run,
)
