"""Facilities by category on the network: what the life circle and siting verbs read alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from onemap.cli.network_input import Located, snap_located, text_column
from onemap.engine.coverage.hours import is_open, week_minute
from onemap.engine.network.index import Places
from onemap.engine.network.network import Network
from onemap.errors import InputRefused

DEFAULT_FIELD = "category"


@dataclass(frozen=True, slots=True)
class Facilities:
    """Snapped facilities by category, with a sentence for everything that cannot take part."""

    by_category: dict[str, Places]
    places: Places
    problems: tuple[str, ...]

    def statistics(self) -> dict[str, dict[str, float | int]]:
        """How each category snapped."""
        return {category: places.statistics() for category, places in self.by_category.items()}


def place_facilities(
    network: Network, located: Located, field: str | None, wanted: Sequence[str] = (), *, open_at: str | None = None
) -> Facilities:
    """
    Facilities of a file by the values of a field; one category 'facility' where the file has no such field.

    Those that are closed at the moment ``open_at`` of the week take no part.
    """
    problems: list[str] = []
    if open_at is not None:
        located = _open_only(located, open_at, problems)
    names = _categories(located, field, problems)
    places = snap_located(network, located)
    lost = int((~located.usable).sum())
    if lost:
        problems.append(f"{lost} facilities have no usable geometry (empty or not a number) and take no part.")
    far = located.usable & ~places.found
    present = list(dict.fromkeys(name for name in names if name is not None))
    if not present:
        raise InputRefused("The facilities hold no category, so there is nothing to walk to.")
    missing = [name for name in wanted if name not in present]
    if missing:
        raise InputRefused(f"No facility has the category {', '.join(repr(name) for name in missing)}.")
    by_category = {}
    for category in wanted or present:
        rows = np.array([name == category for name in names])
        by_category[category] = places.take(rows)
        n_far = int((rows & far).sum())
        if n_far:
            problems.append(
                f"{n_far} of {int(rows.sum())} facilities of '{category}' lie farther than {network.max_snap_m:g} m "
                "from any street and take no part."
            )
        if not by_category[category].found.any():
            problems.append(f"No facility of '{category}' is on the street network: nobody can be said to reach one.")
    return Facilities(by_category, places, tuple(problems))


def _open_only(located: Located, moment: str, problems: list[str]) -> Located:
    minute = week_minute(moment)
    hours = text_column(located.frame, "open_hours", "opening_hours")
    if hours is None:
        problems.append("The facilities state no opening hours: all are taken to be open.")
        return located
    state = [is_open(None if pd.isna(value) else str(value), minute) for value in hours]
    unknown = sum(one is None for one in state)
    if unknown:
        problems.append(
            f"{unknown} of {len(state)} facilities state no readable opening hours and are taken to be open."
        )
    keep = np.array([one is not False for one in state], dtype=np.bool_)
    problems.append(f"{int((~keep).sum())} of {len(state)} facilities are closed at {moment}.")
    return Located(located.frame[keep], located.x[keep], located.y[keep])


def _categories(located: Located, field: str | None, problems: list[str]) -> list[str | None]:
    column = text_column(located.frame, (field or DEFAULT_FIELD).lower())
    if column is None:
        if field is not None:
            known = ", ".join(str(name) for name in located.frame.columns if name != located.frame.geometry.name)
            raise InputRefused(f"The facilities have no field '{field}'; they have: {known or 'none'}.")
        problems.append("The facilities have no field 'category': all are taken as one category, 'facility'.")
        return ["facility"] * len(located.frame)
    names = [_name(value) for value in column]
    empty = sum(name is None for name in names)
    if empty:
        problems.append(f"{empty} facilities have an empty category and take no part.")
    return names


def _name(value: object) -> str | None:
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return None
    return str(value).strip() or None


def weights(located: Located, column: str) -> NDArray[np.float64] | None:
    """Households or persons of every row; None where the file does not say. Negative numbers are refused."""
    series = text_column(located.frame, column)
    if series is None:
        return None
    values = pd.to_numeric(series, errors="coerce").fillna(0.0).to_numpy(dtype=float)
    values = np.where(np.isfinite(values), values, 0.0)
    if (values < 0.0).any():
        raise InputRefused(f"{int((values < 0.0).sum())} buildings have negative {column}.")
    return values
