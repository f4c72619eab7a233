"""From foreign cells to values of a field: of its type and within its bounds, or the row gets a reason."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from onemap.domain.layer import Field, FieldType, Layer
from onemap.ingest.names import formula_reason, plain_name

#: Times without a zone are Chinese wall clock.
LOCAL = ZoneInfo("Asia/Shanghai")
MAX_TEXT = 2000

_EMPTY = frozenset({"", "null", "<null>", "none", "nan", "n/a", "#n/a", "\\n", "-", "--", "—", "/"})
_UNKNOWN = frozenset({"yes", "unknown", "unclassified", "building", "未知", "不详", "不明", "未分类", "其他不详"})
_ERRORS = frozenset({"#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})
_TRUE = frozenset({"true", "t", "yes", "y", "1", "是", "有", "在岗", "封闭", "√", "对", "真", "可"})
_FALSE = frozenset(
    {"false", "f", "no", "n", "0", "否", "无", "不", "离岗", "不封闭", "开放", "×", "错", "假", "没有", "不可"}
)
_NUMBER = re.compile(
    r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:层|户|人|米|m|年|f|楼|m2|㎡|平方米|天|日|个|度|°|km/h|公里/小时)?"
)
_YEAR_OF_DATE = re.compile(r"(\d{4})[-/.年]\d{1,2}.*")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]*(.+))?")
_EXACT = 2**53
_INT32 = 2**31
_PATTERNS = {
    ("areas", "area_code"): (re.compile(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}"), "2, 4, 6, 9 or 12 digits"),
    ("grids", "grid_code"): (re.compile(r"\d{15}"), "15 digits"),
    ("management_points", "point_code"): (re.compile(r"\d{12,}"), "at least 12 digits"),
    ("department_grids", "department_grid_code"): (re.compile(r"\d{20}"), "20 digits"),
}
_AREA_PATTERN = (re.compile(r"\d{2,12}"), "2 to 12 digits")

type Converted = tuple[Any, str | None]


def convert(layer: Layer, field: Field, values: Sequence[Any]) -> tuple[list[Any], dict[int, str]]:
    """A column as values of a field, and a reason for every row whose cell is none."""
    cell = _Cell(layer, field)
    known: dict[tuple[type, Any], Converted] = {}
    result: list[Any] = [None] * len(values)
    problem: dict[int, str] = {}
    for row, value in enumerate(values):
        key = (type(value), value)
        if key not in known:
            known[key] = cell.convert(value)
        result[row], reason = known[key]
        if reason is not None:
            problem[row] = reason
    return result, problem


class _Cell:
    """Converts the cells of one field."""

    def __init__(self, layer: Layer, field: Field) -> None:
        self.field = field
        mapped = layer.mapping.values.get(field.name, {})
        codes = field.codes.codes if field.codes is not None else ()
        named = [(word, code.value) for code in codes for word in (code.title.en, code.title.zh, code.value)]
        self.default = mapped.get("")
        self.exact = {_folded(word): value for word, value in (*mapped.items(), *named)}
        self.loose = {plain_name(word): value for word, value in (*mapped.items(), *named) if plain_name(word)}
        area = _AREA_PATTERN if field.name == "area_code" else None
        self.pattern = _PATTERNS.get((layer.name, field.name), area)

    def convert(self, value: Any) -> Converted:
        """The value of a cell, or why it has none."""
        empty = _is_empty(value) or self._says_nothing(value)
        if empty and self.default is not None:
            return self._within(self._of_type(self.default))
        if empty:
            return (None, f"{self._name} is missing") if self.field.required or self.field.unique else (None, None)
        try:
            _refuse_broken_cell(value)
            typed = self._typed(value)
        except ValueError as wrong:
            return None, str(wrong)
        return self._within(typed)

    @property
    def _name(self) -> str:
        return f"{self.field.name} ({self.field.title.zh})"

    def _says_nothing(self, value: Any) -> bool:
        """Whether a cell of a code field holds a word for "not known" that the layer does not map itself."""
        if self.field.codes is None or not isinstance(value, str):
            return False
        return value.strip().casefold() in _UNKNOWN and self._word(value) is None

    def _typed(self, value: Any) -> Any:
        if self.field.codes is not None:
            return self._code(value)
        mapped = self._word(str(value))
        return self._of_type(value if mapped is None else mapped)

    def _word(self, text: str) -> str | None:
        """What a word stands for: as it is written, else whatever its blanks, dashes and brackets."""
        found = self.exact.get(_folded(text))
        return found if found is not None else self.loose.get(plain_name(text))

    def _of_type(self, value: Any) -> Any:
        if self.field.type is FieldType.INTEGER:
            return _as_integer(value, self._name, is_year=self.field.unit == "year")
        if self.field.type is FieldType.DATE:
            return _as_datetime(value, self._name).date()
        read: Callable[[Any, str], Any] = _READ.get(self.field.type, _as_text)
        return read(value, self._name)

    def _code(self, value: Any) -> Any:
        code = self._word(_as_text(value, self._name))
        if code is None:
            raise ValueError(f"unknown code '{str(value)[:40]}' for {self._name}")
        return int(code) if self.field.type is FieldType.INTEGER else code

    def _within(self, value: Any) -> Converted:
        low, high = self.field.minimum, self.field.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            return None, f"{self._name} is {value:g}, not between {_bound(low)} and {_bound(high)}"
        if self.pattern is not None and not self.pattern[0].fullmatch(str(value)):
            return None, f"{self._name} is '{str(value)[:40]}', not {self.pattern[1]}"
        return value, None


def _refuse_broken_cell(value: Any) -> None:
    reason = formula_reason(value)
    if reason is None and isinstance(value, str) and value in _ERRORS:
        reason = f"error value {value} in a cell"
    if reason is not None:
        raise ValueError(reason)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _is_empty(value: Any) -> bool:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN is unlike itself
        return True
    return isinstance(value, str) and value.strip().casefold() in _EMPTY


def _as_text(value: Any, name: str) -> str:
    if isinstance(value, float):
        if abs(value) >= _EXACT:
            raise ValueError(f"{name} is a number too long to be exact; store it as text")
        text = str(int(value)) if value.is_integer() else repr(value)
    else:
        text = str(value).replace("\0", "").strip()
    if len(text) > MAX_TEXT:
        raise ValueError(f"{name} has {len(text):,} characters, more than {MAX_TEXT:,}")
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _as_number(value: Any, name: str) -> float:
    if isinstance(value, bool):
        raise ValueError(f"{name} is '{value}', not a number")  # noqa: TRY004 - a cell's reason, not a caller's fault
    if isinstance(value, int | float):
        number = float(value)
    else:
        text = unicodedata.normalize("NFKC", str(value)).strip().replace(",", "").casefold()
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise ValueError(f"{name} is '{str(value)[:40]}', not a number")
        number = float(match[1])
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{name} is infinite")
    return number


def _as_integer(value: Any, name: str, *, is_year: bool = False) -> int:
    if is_year and isinstance(value, str) and (match := _YEAR_OF_DATE.fullmatch(value.strip())):
        return int(match[1])
    number = _as_number(value, name)
    if not number.is_integer():
        raise ValueError(f"{name} is {number:g}, not a whole number")
    if abs(number) >= _INT32:
        raise ValueError(f"{name} is {number:.0f}, too large a number")
    return int(number)


def _as_boolean(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return value
    text = _as_text(value, name).casefold()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f"{name} is '{text[:40]}', neither yes nor no")


def _as_datetime(value: Any, name: str) -> dt.datetime:
    if isinstance(value, dt.datetime):
        found: dt.datetime | None = value
    elif isinstance(value, dt.date):
        found = dt.datetime(value.year, value.month, value.day, tzinfo=LOCAL)
    else:
        found = _parsed(_as_text(value, name))
    if found is None:
        raise ValueError(f"{name} is '{str(value)[:40]}', not a date")
    return found if found.tzinfo else found.replace(tzinfo=LOCAL)


_READ: dict[FieldType, Callable[[Any, str], Any]] = {
    FieldType.NUMBER: _as_number,
    FieldType.BOOLEAN: _as_boolean,
    FieldType.DATETIME: _as_datetime,
}


def _parsed(text: str) -> dt.datetime | None:
    match = _DATE.fullmatch(text)
    if match:
        clock = re.sub("[时分点](?=.)", ":", (match[4] or "").strip()).rstrip("时分秒点:")
        text = f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}" + (
            f"T{clock:0>{len(clock) + (clock[1:2] == ':')}}" if clock else ""
        )
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _bound(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def duplicates(keys: Sequence[Any], usable: Sequence[bool], name: str) -> dict[int, str]:
    """A reason for every row whose key an earlier usable row has."""
    first: dict[Any, int] = {}
    problem = {}
    for row, (key, good) in enumerate(zip(keys, usable, strict=True)):
        if not good:
            continue
        if key in first:
            problem[row] = f"duplicate key {name} '{key}', first in row {first[key] + 1}"
        else:
            first[key] = row
    return problem


def merge(into: dict[int, str], more: Mapping[int, str]) -> None:
    """Add reasons; the first reason of a row stays."""
    for row, reason in more.items():
        into.setdefault(row, reason)
