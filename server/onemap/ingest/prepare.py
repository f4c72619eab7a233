"""Checked rows of one layer, ready for the database: values of its fields, geometry, a place; and what was left out."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from onemap.domain.layer import Layer
from onemap.errors import InputRefused
from onemap.ingest import check
from onemap.ingest.crs import STORAGE
from onemap.ingest.households import HouseholdRule, ground_m2
from onemap.ingest.mapping import Plan, fields_of, require
from onemap.ingest.rejects import Reject
from onemap.ingest.rows import LAT, LON, PROBLEM, REPAIRED, SOURCE_WKT, WKB

#: Derived keys do not see differences below 0.1 m, which come and go with formats and coordinate systems.
_KEY_DECIMALS = 6
_ESTIMATED = "households_estimated"


@dataclass(slots=True)
class Prepared:
    """
    The rows of one layer after all checks.

    Attributes
    ----------
    fields
        The fields that are given, the key among them.
    values
        Field to one value a row; rows with a reject hold anything.
    good
        Positions of the rows that can be taken.
    rejects
        Rows that cannot, each with its reason.
    left_out
        Objects that were never rows (OpenStreetMap); they count as read and rejected, not against the limit.
    keep
        Whether an empty value leaves what the layer holds.
    """

    layer: Layer
    table: pa.Table
    fields: list[str]
    values: dict[str, list[Any]]
    good: list[int]
    rejects: list[Reject]
    n_repaired: int
    keep: bool
    notes: list[str] = field(default_factory=list)
    left_out: list[Reject] = field(default_factory=list)

    @property
    def n_read(self) -> int:
        """Rows of the file."""
        return int(self.table.num_rows)

    @property
    def n_good(self) -> int:
        """Rows that can be taken."""
        return len(self.good)

    def places(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Longitude and latitude of a point on each good row's surface."""
        lon, lat = (self.table.column(name).to_numpy() for name in (LON, LAT))
        return lon[self.good], lat[self.good]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Good rows as the store takes them: values of ``fields``, geometry and place as hex EWKB."""
        wkb = self.table.column(WKB)
        points = shapely.set_srid(shapely.points(*self.places()), STORAGE)
        spots = shapely.to_wkb(points, hex=True, include_srid=True)
        columns = [self.values[name] for name in self.fields]
        for row, spot in zip(self.good, spots, strict=True):
            yield (*(column[row] for column in columns), wkb[row].as_py().hex(), spot)

    def write_original(self, path: Path, crs: str) -> None:
        """Keep the coordinates as they came: key, system and WKT of every good row."""
        texts = self.table.column(SOURCE_WKT)
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow((self.layer.key.name, "crs", "wkt"))
            table.writerows((self.values[self.layer.key.name][row], crs, texts[row].as_py()) for row in self.good)


def prepare(layer: Layer, table: pa.Table, made: Plan, rule: HouseholdRule | None, *, keep: bool) -> Prepared:
    """Convert, check and complete the rows of a decoded file."""
    key = layer.key.name
    require(layer, made, derived={key})
    problem = {row: reason for row, reason in enumerate(table.column(PROBLEM).to_pylist()) if reason is not None}
    values, notes = _converted(layer, table, made, problem)
    if key not in values:
        values[key] = _derived_keys(table, values.get("name"))
        notes.append(f"No column gives {key}; it is made from geometry and name.")
    usable = [row not in problem for row in range(table.num_rows)]
    check.merge(problem, check.duplicates(values[key], usable, key))
    good = [row for row in range(table.num_rows) if row not in problem]
    if rule is not None:
        notes.append(_estimate(rule, table, values, good))
    elif "households" in values and _ESTIMATED in fields_of(layer) and _ESTIMATED not in values:
        values[_ESTIMATED] = [None if counted is None else False for counted in values["households"]]
    repaired = table.column(REPAIRED).to_numpy()
    return Prepared(
        layer=layer,
        table=table,
        fields=list(values),
        values=values,
        good=good,
        rejects=_rejects(layer, table, values[key], problem),
        n_repaired=int(repaired[good].sum()) if good else 0,
        keep=keep,
        notes=notes,
    )


def _converted(
    layer: Layer, table: pa.Table, made: Plan, problem: dict[int, str]
) -> tuple[dict[str, list[Any]], list[str]]:
    known, values, notes = fields_of(layer), {}, []
    for name, column in made.columns.items():
        values[name], wrong = check.convert(layer, known[name], table.column(column).to_pylist())
        check.merge(problem, wrong)
    for name, text in made.constants.items():
        one, wrong = check.convert(layer, known[name], [text])
        if wrong:
            raise InputRefused(f"--set {name}={text}: {wrong[0]}.")
        values[name] = one * table.num_rows
    for field_ in layer.fields:
        standing = layer.mapping.values.get(field_.name, {}).get("")
        if field_.required and field_.name not in values and standing is not None:
            values[field_.name] = check.convert(layer, field_, [None])[0] * table.num_rows
            notes.append(f"No column gives {field_.name} ({field_.title.zh}); '{standing}' is assumed.")
    return values, notes


def _derived_keys(table: pa.Table, names: list[Any] | None) -> list[str | None]:
    """A key that stays the same for the same geometry and name, so that a repeated import finds its rows again."""
    shapes = shapely.from_wkb(table.column(WKB).to_pylist())
    rounded = shapely.to_wkb(shapely.transform(shapes, lambda xy: np.round(xy, _KEY_DECIMALS)))
    keys: list[str | None] = []
    for row, wkb in enumerate(rounded):
        name = (names[row] if names else None) or ""
        digest = hashlib.blake2b((wkb or b"") + str(name).encode(), digest_size=8).hexdigest()
        keys.append(f"g{digest}" if wkb is not None else None)
    return keys


def _estimate(rule: HouseholdRule, table: pa.Table, values: dict[str, list[Any]], good: list[int]) -> str:
    """Fill households and persons where they are not known; mark every row as estimated or counted."""
    n = table.num_rows
    counted = values.setdefault("households", [None] * n)
    people = values.setdefault("persons", [None] * n)
    shapes = shapely.from_wkb([table.column(WKB)[row].as_py() for row in good])
    lat = table.column(LAT).to_numpy()[good]
    households = rule.households(
        ground_m2(shapely.area(shapes), lat),
        _numbers(values.get("floors"), good),
        _numbers(values.get("height_m"), good),
        [values["use"][row] if "use" in values else None for row in good],
    )
    persons = rule.persons(households)
    marks: list[bool | None] = [None] * n
    for at, row in enumerate(good):
        marks[row] = counted[row] is None
        if counted[row] is None:
            counted[row] = int(households[at])
            people[row] = int(persons[at]) if people[row] is None else people[row]
    values[_ESTIMATED] = marks
    return f"Households estimated by '{rule.name}' for {sum(bool(mark) for mark in marks):,} buildings."


def _numbers(values: list[Any] | None, rows: list[int]) -> npt.NDArray[np.float64]:
    if values is None:
        return np.full(len(rows), np.nan)
    return np.array([np.nan if values[row] is None else float(values[row]) for row in rows], np.float64)


def _rejects(layer: Layer, table: pa.Table, keys: list[Any], problem: dict[int, str]) -> list[Reject]:
    wkb = table.column(WKB)
    return [
        Reject(layer.name, row + 1, "" if keys[row] is None else str(keys[row]), problem[row], wkb[row].as_py())
        for row in sorted(problem)
    ]
