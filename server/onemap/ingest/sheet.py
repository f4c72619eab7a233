"""Reads CSV and Excel into columns of values, row by row; runs in the limited child process.

Nothing is computed: a formula cell counts with the value its program stored, and is a problem where there is none.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from onemap.errors import InputRefused

_DELIMITERS = ",\t;|"
_SEARCH_HEADER = 20
_DAMAGE = (
    zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError,
    OSError, SyntaxError,
)  # fmt: skip


@dataclass(slots=True)
class Sheet:
    """A table: columns by header, and reasons by row position for rows that are not whole."""

    columns: dict[str, list[Any]]
    problem: dict[int, str] = field(default_factory=dict)
    encoding: str | None = None
    notes: list[str] = field(default_factory=list)


def read_csv(data: bytes, encoding: str, name: str) -> Sheet:
    """A CSV file; the delimiter is the one of comma, tab, semicolon and bar that its header holds most of."""
    csv.field_size_limit(min(sys.maxsize, 64 * 1024**2))
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as wrong:
        raise InputRefused(
            f"'{name}' is not in {encoding} throughout (byte {wrong.start:,}); name its --encoding."
        ) from wrong
    text = text.removeprefix("\ufeff")
    first, _, rest = text.partition("\n")
    if first.strip().casefold().startswith("sep=") and len(first.strip()) == 5:
        text = rest
        first = rest.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [line for line in reader if any(cell.strip() for cell in line)]
    except csv.Error as wrong:
        raise InputRefused(f"'{name}' is cut off or damaged near line {reader.line_num:,}: {wrong}.") from wrong
    if not lines:
        raise InputRefused(f"'{name}' holds no rows.")
    return _sheet(lines[0], lines[1:], name)


def read_xlsx(path: Path, sheet_name: str | None, name: str) -> Sheet:
    """One sheet of an Excel file: the one named, else the first that holds rows."""
    try:
        shown = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        stored = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
        chosen = _chosen(shown.sheetnames, sheet_name, name)
        for title in chosen:
            shown[title].reset_dimensions()
            stored[title].reset_dimensions()
            found = _read_rows(
                shown[title].iter_rows(values_only=True), stored[title].iter_rows(values_only=True), name
            )
            if found is not None:
                return found
    except _DAMAGE as wrong:
        raise InputRefused(f"'{name}' is cut off or damaged: it cannot be read as Excel ({wrong}).") from wrong
    raise InputRefused(f"'{name}' holds no rows{f' in sheet {sheet_name}' if sheet_name else ''}.")


def _chosen(names: Sequence[str], wanted: str | None, name: str) -> list[str]:
    if wanted is None:
        return list(names)
    if wanted not in names:
        raise InputRefused(f"'{name}' has no sheet '{wanted}'; it has {', '.join(names)}.")
    return [wanted]


def _read_rows(shown: Iterable[tuple[Any, ...]], stored: Iterable[tuple[Any, ...]], name: str) -> Sheet | None:
    header: tuple[Any, ...] | None = None
    rows: list[list[Any]] = []
    uncounted: dict[int, str] = {}
    for number, (values, formulas) in enumerate(zip(shown, stored, strict=False), start=1):
        if not any(value is not None for value in (*values, *formulas)):
            continue
        if header is None:
            header = values if _is_header(values) or number >= _SEARCH_HEADER else None
            continue
        unknown = [
            f"{get_column_letter(column)}{number}"
            for column, (value, formula) in enumerate(zip(values, formulas, strict=False), start=1)
            if value is None and isinstance(formula, str) and formula.startswith("=")
        ]
        if unknown:
            uncounted[len(rows)] = f"formula without a stored value in cell {', '.join(unknown)}"
        rows.append([_cell(value) for value in values])
    if header is None or not rows:
        return None
    sheet = _sheet([_cell(value) for value in header], rows, name)
    sheet.problem |= uncounted
    if uncounted:
        sheet.notes.append("Some formula cells have no stored value: open the file in its program and save it once.")
    return sheet


def _is_header(values: tuple[Any, ...]) -> bool:
    """A row of at least two texts; a title over the table is one merged cell."""
    return sum(1 for value in values if isinstance(value, str) and value.strip()) >= 2


def _cell(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, str):
        return value.strip() or None
    return value


def _sheet(header: Sequence[Any], rows: list[list[Any]], name: str) -> Sheet:
    while header and header[-1] in (None, ""):
        header = header[:-1]
    names = list(_names(header))
    width, problem = len(names), {}
    for at, row in enumerate(rows):
        while len(row) > width and row[-1] in (None, ""):
            row.pop()
        if len(row) > width:
            problem[at] = f"{len(row)} cells where the header has {width}"
        elif len(row) < width and isinstance(row[-1] if row else None, str) and at == len(rows) - 1:
            problem[at] = f"the row is cut off: {len(row)} cells where the header has {width}"
        row.extend([None] * (width - len(row)))
    if width == 0:
        raise InputRefused(f"'{name}' has no header row.")
    columns = {
        title: [row[at] or None if isinstance(row[at], str) else row[at] for row in rows]
        for at, title in enumerate(names)
    }
    return Sheet(columns, problem)


def _names(header: Sequence[Any]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, cell in enumerate(header, start=1):
        title = str(cell).strip() if cell not in (None, "") else f"column_{number}"
        seen[title] = seen.get(title, 0) + 1
        yield title if seen[title] == 1 else f"{title}_{seen[title]}"
