"""``onemap nearest``: the responders who reach a point soonest."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from onemap.cli.common import emit, json_option
from onemap.cli.network_input import (
    Located,
    check_speed,
    components_document,
    in_plane,
    load_located,
    load_streets,
    numbers,
    parse_point,
    snap_located,
    snap_point,
    street_options,
    text_column,
    write_layers,
)
from onemap.engine.network.access import MODES
from onemap.engine.network.build import build
from onemap.engine.network.candidates import Candidate, as_document, choose
from onemap.engine.network.responders import ResponderIndex
from onemap.engine.network.roster import Ask, Roster
from onemap.errors import InputRefused, UsageError
from onemap.ingest.network_rules import read_network_rules

_OFF = {"false", "0", "0.0", "no", "off", "否"}


@click.command(name="nearest")
@street_options
@click.option("--responders", type=click.Path(path_type=Path), help="Points of responders, with an id.")
@click.option("--point", required=True, help="Where to go: longitude,latitude.")
@click.option("-k", "k", default=5, show_default=True, help="How many candidates.")
@click.option("--mode", type=click.Choice(MODES), default="foot", show_default=True)
@click.option("--skill", "skills", multiple=True, help="Needed skill; may be repeated.")
@click.option("--area", default="", help="Only responders whose home area begins with this code.")
@click.option("--max-minutes", type=float, help="Pass over responders farther than this.")
@click.option("--max-age-minutes", type=float, help="Pass over positions older than this.")
@click.option("--max-tasks", type=int, help="Pass over responders with more tasks than this.")
@click.option("--speed-kmh", type=float, help="One speed for all streets instead of the rule's.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the routes to this GeoPackage.")
@json_option
def command(
    osm: Path | None,
    streets: Path | None,
    streets_layer: str | None,
    estates: Path | None,
    gates: Path | None,
    responders: Path | None,
    point: str,
    k: int,
    mode: str,
    skills: tuple[str, ...],
    area: str,
    max_minutes: float | None,
    max_age_minutes: float | None,
    max_tasks: int | None,
    speed_kmh: float | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """The responders who can reach a point soonest by network time, each with the reason for its rank."""
    if k < 1:
        raise UsageError(f"-k {k} cannot be asked for: at least one candidate.")
    lon, lat = parse_point(point)
    ask = Ask(
        k=k,
        skills=frozenset(skills),
        area=area,
        max_age_s=_seconds(max_age_minutes, "--max-age-minutes"),
        max_tasks=max_tasks,
        max_seconds=_seconds(max_minutes, "--max-minutes"),
    )
    if osm is None and streets is None and responders is None:
        if out is not None or speed_kmh is not None:
            raise UsageError("--out and --speed-kmh go with files; the database answers by its own rules.")
        emit(*_here(lon, lat, mode, ask, as_json))
        return
    if responders is None:
        raise UsageError("Name the responders (--responders FILE) who stand on these streets.")
    check_speed(speed_kmh)
    rules = read_network_rules()
    source = load_streets(osm, streets, streets_layer, rules, estates=estates, gates=gates)
    network = build(source.streets, mode, rules, speed_kmh=speed_kmh)
    event, event_xy = snap_point(network, source.plane, lon, lat)
    located = load_located(responders, source.plane, names=("responders",))
    roster = _roster(located, datetime.now(UTC))
    index = ResponderIndex(network, capacity=len(located.x))
    places = snap_located(network, located)
    index.place(np.arange(len(places)), places)
    candidates, skipped = choose(index, event, event_xy, roster, ask)
    if out is not None:
        write_layers(out, {"routes": _routes(candidates, source.plane)})
    document = {
        **as_document(candidates, skipped),
        "mode": mode,
        "point": {"lon": lon, "lat": lat, "snap_m": float(event.snap_m[0])},
        "snap": places.statistics(),
        "components": components_document(network),
        "assumptions": list(network.notes),
    }
    emit(document, as_json, lambda: _table(candidates, len(skipped)))


def _here(lon: float, lat: float, mode: str, ask: Ask, as_json: bool) -> tuple[dict[str, Any], bool, str]:
    from onemap.cli import _nearest_here  # noqa: PLC0415 - the files' way works without a database

    told, human = _nearest_here.answer(lon, lat, mode, ask)
    return told, as_json, human


def _seconds(minutes: float | None, option: str) -> float:
    if minutes is None:
        return math.inf
    if not (math.isfinite(minutes) and minutes > 0.0):
        raise UsageError(f"{option} {minutes:g} cannot be used: it must be a number above 0.")
    return 60.0 * minutes


def _roster(located: Located, now: datetime) -> Roster:
    """What the file's columns say of everybody; whoever says nothing about duty is taken to be on duty."""
    frame = located.frame
    n = len(frame)
    duty = text_column(frame, "on_duty")
    skills = text_column(frame, "skills", "skill")
    ids = text_column(frame, "responder_id", "id", "code", "name")
    tasks = numbers(frame, "n_tasks", "tasks")
    return Roster(
        ids=[_id(value) for value in ids] if ids is not None else list(range(n)),
        x=located.x,
        y=located.y,
        on_duty=np.array([str(value).lower() not in _OFF for value in duty])
        if duty is not None
        else np.ones(n, np.bool_),
        skills=[_skills(value) for value in skills] if skills is not None else [frozenset()] * n,
        age_s=_ages(text_column(frame, "position_at"), now, n),
        n_tasks=(tasks if tasks is not None else np.zeros(n)).astype(np.int64),
        area=_texts(text_column(frame, "home_area", "area_code"), n),
        role=_texts(text_column(frame, "role"), n),
        grid_code=_texts(text_column(frame, "grid_code"), n),
    )


def _id(value: Any) -> str | int:
    if _is_missing(value):
        raise InputRefused("A responder has no id: every row needs one.")
    if isinstance(value, (int, np.integer)) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return str(value)


def _is_missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _skills(value: Any) -> frozenset[str]:
    if _is_missing(value):
        return frozenset()
    text = str(value).translate(str.maketrans('[]"、|;，；', "   ,,,,,"))
    return frozenset(part.strip(" '") for part in text.split(",") if part.strip(" '"))


def _ages(column: pd.Series | None, now: datetime, n: int) -> np.ndarray:
    if column is None:
        return np.full(n, np.nan)
    at = pd.to_datetime(column, utc=True, errors="coerce", format="mixed")
    return (pd.Timestamp(now) - at).dt.total_seconds().to_numpy(dtype=float)


def _texts(column: pd.Series | None, n: int) -> list[str]:
    return [""] * n if column is None else ["" if _is_missing(value) else str(value) for value in column]


def _routes(candidates: list[Candidate], plane: Any) -> gpd.GeoDataFrame:
    lines = [shapely.LineString(one.route) if len(one.route) > 1 else None for one in candidates]
    return gpd.GeoDataFrame(
        {
            "rank": np.arange(1, len(candidates) + 1),
            "id": [one.id for one in candidates],
            "seconds": [one.seconds for one in candidates],
            "metres": [one.metres for one in candidates],
            "method": [one.method for one in candidates],
        },
        geometry=in_plane(lines, plane, 4326),
    )


def _table(candidates: list[Candidate], n_skipped: int) -> str:
    if not candidates:
        return f"Nobody can be sent; {n_skipped} responders were passed over."
    rows = [
        f"{rank}. {one.id}: {one.seconds / 60.0:.1f} min, {one.metres:.0f} m ({one.reason})"
        for rank, one in enumerate(candidates, 1)
    ]
    return "\n".join([*rows, f"{n_skipped} passed over."])
