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
from onemap.ingest.names import FORMULA, formula_reason

_DELIMITERS = ",\t;|"
_SEARCH_HEADER = 20
type Row = tuple[Any, ...]
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
        if wrong.end >= len(data) - 4:
            raise InputRefused(f"'{name}' is cut off in the middle of a character.") from wrong
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
    if len(lines[-1]) < len(lines[0]) and not text.endswith(("\n", "\r")):
        raise InputRefused(f"'{name}' is cut off: its last row has {len(lines[-1])} of {len(lines[0])} cells.")
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


def _read_rows(shown: Iterable[Row], stored: Iterable[Row], name: str) -> Sheet | None:
    filled = (
        [
            _computed(value, formula, column, number)
            for column, (value, formula) in enumerate(_pairs(values, formulas), 1)
        ]
        for number, (values, formulas) in enumerate(zip(shown, stored, strict=False), start=1)
    )
    rows = [row for row in filled if any(value is not None for value in row)]
    start = _header_at(rows)
    if start is None or start + 1 == len(rows):
        return None
    sheet = _sheet(rows[start], rows[start + 1 :], name)
    if any(formula_reason(value) for row in rows for value in row):
        sheet.notes.append("Some formula cells have no stored value: open the file in its program and save it once.")
    return sheet


def _pairs(values: Row, formulas: Row) -> Iterator[tuple[Any, Any]]:
    return zip(values, (*formulas, *[None] * (len(values) - len(formulas))), strict=False)


def _computed(value: Any, formula: Any, column: int, number: int) -> Any:
    """A cell's value; for a formula that nobody computed, a mark with its address."""
    if value is None and isinstance(formula, str) and formula.startswith("="):
        return f"{FORMULA}{get_column_letter(column)}{number}"
    return _cell(value)


def _header_at(rows: list[list[Any]]) -> int | None:
    """Where the header is: the first row that names most columns; a title over the table fills a cell or two."""
    texts = [sum(1 for value in row if isinstance(value, str)) for row in rows[:_SEARCH_HEADER]]
    most = max(texts, default=0)
    return next((at for at, n in enumerate(texts) if n >= 2 and n * 10 >= most * 6), None)


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
