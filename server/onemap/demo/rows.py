"""Parts of a city as text that COPY takes: one CSV per database table."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import shapely
from pyarrow import csv

from onemap.demo.arrays import Objects
from onemap.demo.city import Part
from onemap.demo.frame import GEODETIC
from onemap.demo.table import Column, Table, stack, texts

#: Layers whose truth is in core; the others are tables of schema ``layer``.
_CORE = frozenset({"areas", "grids", "management_points", "responders", "events", "event_actions"})
#: The rule set that the plan is judged by, and the document it names (screens.md).
RULE_SET, DOCUMENT = "grid-guanghe", "示例发〔{year}〕3 号（虚拟数据）"

Columns = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of one table: its schema and name, the columns in their order, the CSV."""

    schema: str
    table: str
    columns: tuple[str, ...]
    n: int
    csv: bytes


def rows(part: Part, plan_id: int, multi: frozenset[str], known: Columns) -> list[Rows]:
    """
    A part as rows of tables.

    ``multi`` names the tables with multipolygons, ``known`` the columns of each ``schema.table``: others are left out.
    """
    found: list[Rows] = []
    for (schema, name), table in _tables(part, plan_id).items():
        columns = known.get(f"{schema}.{name}")
        if columns is not None and len(table):
            found.append(_encode(schema, name, table, columns, f"{schema}.{name}" in multi))
    return found


def _tables(part: Part, plan_id: int) -> dict[tuple[str, str], Table]:
    tables = part.tables
    found = {("layer", name): table for name, table in tables.items() if name not in _CORE}
    if "areas" in tables:
        found["core", "area"] = tables["areas"]
    if "grids" in tables:
        found |= _plan(part.area_code, tables["grids"], tables["management_points"], plan_id)
    if "responders" in tables:
        found |= _posts(tables["responders"])
    if "events" in tables:
        found["core", "event"] = tables["events"]
        found["core", "event_action"] = tables["event_actions"]
    return found


def _plan(area_code: str, grids: Table, points: Table, plan_id: int) -> dict[tuple[str, str], Table]:
    since: date = grids.columns["valid_from"][0].astype(object)
    plan = Table(
        {
            "plan_id": np.array([plan_id]),
            "area_code": texts([area_code]),
            "title": grids.columns["plan"][:1],
            "state": texts(["published"]),
            "rule_set": texts([RULE_SET]),
            "source_document": texts([DOCUMENT.format(year=since.year)]),
            "valid_from": grids.columns["valid_from"][:1],
            "published_at": grids.columns["valid_from"][:1].astype("datetime64[s]"),
        }
    )
    own = (
        "area_code",
        "grid_code",
        "grid_no",
        "name",
        "grid_type",
        "households",
        "persons",
        "in_band",
        "officer_post",
        "officer_phone",
        "n_informants",
    )
    basic = {name: grids.columns[name] for name in own} | {"parent_code": texts([None]).repeat(len(grids))}
    n = len(points)
    nothing = texts([None]).repeat(n)
    micro: dict[str, Column] = {
        "area_code": points.columns["area_code"],
        "grid_code": points.columns["point_code"],
        "parent_code": points.columns["grid_code"],
        "grid_no": nothing,
        "name": nothing,
        "grid_type": texts(["micro"]).repeat(n),
        "households": points.columns["households"],
        "persons": points.columns["persons"],
        "in_band": np.ma.masked_all(n, dtype=bool),
        "officer_post": nothing,
        "officer_phone": nothing,
        "n_informants": np.ma.masked_all(n, dtype=np.int64),
    }
    ground = stack([Table(basic, grids.geometry), Table({name: micro[name] for name in basic}, points.geometry)])
    both = Table({"plan_id": np.full(len(ground), plan_id), **ground.columns}, ground.geometry)
    ledger = Table(
        {
            "grid_code": ground.columns["grid_code"],
            "first_plan_id": np.full(len(ground), plan_id),
            "given_on": np.full(len(ground), np.datetime64(since, "D")),
        }
    )
    return {("core", "grid_plan"): plan, ("core", "grid"): both, ("core", "grid_code_ledger"): ledger}


def _posts(posts: Table) -> dict[tuple[str, str], Table]:
    kept = {name: column for name, column in posts.columns.items() if name not in ("position_at", "accuracy_m")}
    kept["skills"] = texts(["{" + skills + "}" for skills in posts.columns["skills"]])
    duty = np.flatnonzero(posts.columns["on_duty"])
    shown = posts.take(duty)
    position = Table(
        {
            "responder_id": shown.columns["responder_id"],
            "at": shown.columns["position_at"],
            "accuracy_m": shown.columns["accuracy_m"],
        },
        shown.geometry,
    )
    return {("core", "responder"): Table(kept), ("core", "responder_position"): position}


def _encode(schema: str, name: str, table: Table, columns: frozenset[str], multi: bool) -> Rows:
    arrays = {column: _arrow(values) for column, values in table.columns.items() if column in columns}
    if table.geometry is not None:
        arrays["geom"] = pa.array(_wkb(table.geometry, multi), type=pa.string())
    sink = io.BytesIO()
    csv.write_csv(pa.table(arrays), sink, csv.WriteOptions(include_header=False, quoting_style="needed"))
    return Rows(schema, name, tuple(arrays), len(table), sink.getvalue())


def _arrow(values: Column) -> pa.Array:
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.filled(values.dtype.type(0)), mask=np.ma.getmaskarray(values))
    if values.dtype == object:
        return pa.array(values, type=pa.string())
    return pa.array(values)


def _wkb(shapes: Objects, multi: bool) -> Objects:
    if multi:
        single = shapely.get_type_id(shapes) == 3
        shapes = shapes.copy()
        shapes[single] = (
            shapely.multipolygons(shapes[single], indices=np.arange(int(single.sum())))
            if single.any()
            else shapes[single]
        )
    return np.asarray(shapely.to_wkb(shapely.set_srid(shapes, GEODETIC), hex=True, include_srid=True), dtype=object)
