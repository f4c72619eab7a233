"""Tables for people: titles instead of names, words instead of codes, texts that no program takes for a formula."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from onemap.domain.layer import Field

#: Where the reader's clock is.
CLOCK = ZoneInfo("Asia/Shanghai")
PLACE = ("经度", "纬度")
#: A cell that begins so is a formula to a spreadsheet program, whoever wrote it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LONGEST = 32_767
#: Units that a title does not say by itself.
_UNITS = {"m": "米", "m2": "平方米", "deg": "度", "s": "秒", "min": "分钟", "km/h": "千米/时", "days": "天"}

type Rows = Iterable[Sequence[Any]]


def header(fields: Sequence[Field]) -> list[str]:
    """The Chinese titles of fields with their units, then of the place."""
    units = [_UNITS.get(field.unit or "") for field in fields]
    return [f"{f.title.zh}（{unit}）" if unit else f.title.zh for f, unit in zip(fields, units, strict=True)] + [*PLACE]


def write_csv(file: Path, fields: Sequence[Field], rows: Rows) -> int:
    """A CSV that Excel opens with Chinese in it; how many rows."""
    n = 0
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(header(fields))
        for row in readable(fields, rows):
            table.writerow([_guarded(value) for value in row])
            n += 1
    return n


def write_xlsx(file: Path, fields: Sequence[Field], rows: Rows, title: str) -> int:
    """An Excel sheet, row by row; how many rows."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(header(fields))
    n = 0
    for row in readable(fields, rows):
        sheet.append([_cell(sheet, value) for value in row])
        n += 1
    book.save(file)
    return n


def readable(fields: Sequence[Field], rows: Rows) -> Iterator[list[Any]]:
    """Rows as people read them; what follows the fields stays as it is."""
    words = [
        {code.value: code.title.zh for code in field.codes.codes} if field.codes is not None else None
        for field in fields
    ]
    for row in rows:
        cells = [_readable(value, known) for value, known in zip(row, words, strict=False)]
        yield [*cells, *row[len(words) :]]


def _readable(value: Any, words: dict[str, str] | None) -> Any:
    if value is None:
        return None
    if words is not None:
        return words.get(str(value), value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, dt.datetime):
        return value.astimezone(CLOCK).strftime("%Y-%m-%d %H:%M:%S")
    return value.isoformat() if isinstance(value, dt.date) else value


def _guarded(value: Any) -> Any:
    """A text that begins like a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _cell(sheet: Any, value: Any) -> Any:
    """A cell that Excel shows as it is: a text that begins with '=' stays a text, long codes keep all digits."""
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", value)[:_LONGEST])
    cell.data_type = "s"
    return cell
