"""Finds personal data in foreign tables: by what a column is called and by what its values look like.

Households and persons are numbers here, never people. An import that carries people is refused with the columns named.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from onemap.errors import InputRefused
from onemap.ingest.names import plain_name

_WORDS = tomllib.loads((files("onemap.ingest") / "personal.toml").read_text("utf-8"))
_CHINESE, _NOT_PEOPLE, _POSTS = (re.compile("|".join(_WORDS[name])) for name in ("chinese", "not_people", "posts"))
_LATIN, _OSM_WORDS, _OSM_IDS = (frozenset(_WORDS[name]) for name in ("latin", "openstreetmap", "openstreetmap_ids"))
_CODES = re.compile("|".join([*_WORDS["codes"], *(f"{word}$" for word in _WORDS["codes_at_end"])]))
_SURNAMES = frozenset(_WORDS["surnames"])

_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ID_18 = re.compile(
    r"(?<![0-9A-Za-z])([1-8]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx])(?![0-9A-Za-z])"
)
_ANY_18 = re.compile(r"\d{17}[\dXx]")
_ID_15 = re.compile(rf"[1-8]\d{{5}}([2-9]\d{_DAY})\d{{3}}")
_MOBILE = re.compile(r"(?<![\dA-Za-z.+-])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![\dA-Za-z.])")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·•\s-]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"
)
_NAME = re.compile(r"[\u4e00-\u9fff]{2,3}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def refuse_personal(
    columns: Mapping[str, pa.Array], file: str, *, work_phones: Collection[str] = (), codes: Collection[str] = ()
) -> None:
    """
    ``InputRefused`` that names every column with personal data.

    Parameters
    ----------
    columns
        All columns of the file, mapped or not.
    work_phones
        Columns that are mapped to a work phone: phone numbers belong there.
    codes
        Columns that are mapped to keys and codes: long numbers belong there.
    """
    found = personal_columns(columns, work_phones=work_phones, codes=codes)
    if found:
        listed = "; ".join(f"'{column}' ({reason})" for column, reason in found.items())
        raise InputRefused(
            f"'{file}' carries personal data and is not taken: {listed}. Households and persons are numbers here; "
            "remove the columns and import again."
        )


def personal_columns(
    columns: Mapping[str, pa.Array], *, work_phones: Collection[str] = (), codes: Collection[str] = ()
) -> dict[str, str]:
    """Column to reason, for every column that seems to hold personal data."""
    from_osm = any(plain_name(column) in _OSM_IDS for column in columns)
    found = {}
    for column, values in columns.items():
        reason = None if column in work_phones else _by_name(column, values, from_osm)
        reason = reason or _by_values(column, values, is_phone=column in work_phones, is_code=column in codes)
        if reason is not None:
            found[column] = reason
    return found


def passes_checksum(number: str) -> bool:
    """Whether an 18-digit number ends with the check digit of GB 11643."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return _CHECKS[total % 11] == number[17].upper()


def _by_name(column: str, values: pa.Array, from_osm: bool) -> str | None:
    plain = plain_name(column)
    if from_osm and plain in _OSM_WORDS:
        return None
    if _CHINESE.search(plain) and not _NOT_PEOPLE.search(plain):
        return "named so"
    if plain in _LATIN:
        return "named so"
    if _POSTS.search(plain) and _share_of_names(_texts(values)) > 0.5:
        return "values like people's names"
    return None


def _by_values(column: str, values: pa.Array, *, is_phone: bool, is_code: bool) -> str | None:
    texts = _texts(values)
    codes = is_code or _CODES.search(plain_name(column)) is not None
    suspicions: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("values like 18-digit identity numbers", lambda: _has_ids(texts, is_code)),
        ("values like 15-digit identity numbers", lambda: not codes and _has_old_ids(texts)),
        ("values like number plates", lambda: any(_PLATE.fullmatch(text.strip()) for text in texts)),
        ("values like mobile numbers", lambda: not (is_phone or codes) and _has_mobiles(texts, values.type)),
    )
    return next((reason for reason, holds in suspicions if texts and holds()), None)


def _texts(values: pa.Array) -> list[str]:
    """The distinct values of a column as text; whole numbers without a decimal point."""
    if pa.types.is_boolean(values.type) or pa.types.is_temporal(values.type) or pa.types.is_null(values.type):
        return []
    return [_text(value) for value in pc.unique(values).to_pylist() if value is not None and value != ""]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _is_id(number: str) -> bool:
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return dt.date(1900, 1, 1) <= born <= dt.date(2030, 1, 1) and 11 <= int(number[:2]) <= 82


def _has_ids(texts: list[str], is_code: bool) -> bool:
    """Any number with a birthday in it, or numbers of which more pass the check than one in eleven by chance."""
    if any(_is_id(match[1]) for text in texts for match in _ID_18.finditer(text)):
        return True
    whole = [text for text in texts if _ANY_18.fullmatch(text)]
    mostly = len(whole) * 2 >= len(texts)
    return bool(whole) and mostly and not is_code and sum(map(passes_checksum, whole)) * 2 >= len(whole)


def _has_old_ids(texts: list[str]) -> bool:
    """Birthdays after 1920 that differ from person to person; the middle of grid codes, as long, hardly does."""
    dates = [match[1] for text in texts if (match := _ID_15.fullmatch(text))]
    return len(dates) * 2 > len(texts) and len(set(dates)) * 2 > len(dates)


def _has_mobiles(texts: list[str], kind: pa.DataType) -> bool:
    n = sum(1 for text in texts if _MOBILE.search(text))
    return n * 2 > len(texts) if pa.types.is_integer(kind) or pa.types.is_floating(kind) else n > 0


def _share_of_names(texts: list[str]) -> float:
    return sum(1 for text in texts if _NAME.fullmatch(text) and text[0] in _SURNAMES) / max(len(texts), 1)
