"""The parameters of an items request become an ask of the store; each refusal names its parameter."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from onemap.domain.feature import CRS84, DEFAULT_LIMIT, MAX_LIMIT, Ask, Box, Crs, Order, Span, feed_fields
from onemap.domain.layer import Layer
from onemap.domain.scope import Scope
from onemap.errors import BadQuery
from onemap.ogc.cql import read_filter
from onemap.ogc.request import COMMON

#: Parameters of an items request that are not properties.
RESERVED = COMMON | {
    "limit", "offset", "after", "bbox", "bbox-crs", "crs", "datetime", "filter", "filter-lang", "filter-crs", "sortby",
    "properties", "skipGeometry",
}  # fmt: skip

#: Who pages by number is led no further than this; ``next`` links lead everywhere.
MAX_OFFSET = 1_000_000

_DAY = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_MOMENT = re.compile(
    rf"{_DAY}(?:[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{{1,9}})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?"
)
_DURATION = re.compile(
    r"P(?=.)(?:\d{1,4}Y)?(?:\d{1,4}M)?(?:\d{1,4}W)?(?:\d{1,5}D)?(?:T(?=.)(?:\d{1,5}H)?(?:\d{1,6}M)?(?:\d{1,7}S)?)?"
)
_OPEN = ("", "..")


def read_ask(params: Mapping[str, str], layer: Layer, scope: Scope, known: tuple[Crs, ...]) -> Ask:
    """What a request asks of a layer; ``BadQuery`` on anything that is not known or not in order."""
    fields = {field.name for field in feed_fields(layer, scope)}
    for name in params:
        if name not in RESERVED and name not in fields:
            raise BadQuery(f"Layer '{layer.name}' knows no parameter '{name}'.")
    get = params.get
    return Ask(
        limit=read_limit(get("limit")),
        offset=_offset(get("offset")),
        after=_after(get("after")),
        crs=read_crs("crs", get("crs"), known),
        box=_box(params, known),
        span=read_span(get("datetime")),
        equals=tuple((name, value) for name, value in params.items() if name not in RESERVED),
        filter=None if (text := get("filter")) is None else _filter(text, params, known),
        order=_order(get("sortby"), fields),
        fields=_fields(get("properties"), fields),
        geometry=not _flag("skipGeometry", get("skipGeometry")),
    )


def read_limit(text: str | None) -> int:
    """How many features a page may have."""
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or int(text[:12]) < 1:
        raise BadQuery(f"limit is '{text}'; it must be a whole number from 1 to {MAX_LIMIT}.")
    return min(int(text[:12]), MAX_LIMIT)


def read_crs(name: str, uri: str | None, known: tuple[Crs, ...]) -> Crs:
    """A CRS by its URI, CRS84 when none is named."""
    if uri is None:
        return CRS84
    for candidate in known:
        if candidate.uri == uri:
            return candidate
    raise BadQuery(f"{name} is '{uri[:100]}'; the collection lists the CRSs that it is given in.")


def read_span(text: str | None) -> Span | None:
    """A moment, a day, or an interval with a start and an end, a duration or ``..`` for one of them."""
    if text is None:
        return None
    text = text.strip().replace(" ", "+")  # an unescaped plus sign of an offset
    parts = text.split("/")
    if len(parts) == 1 and _MOMENT.fullmatch(text):
        return Span(text, text)
    if len(parts) != 2:
        raise BadQuery(f"datetime is '{text[:60]}'; it must be a date, a moment or an interval.")
    start, end = parts
    if _DURATION.fullmatch(end) and _MOMENT.fullmatch(start):
        return Span(start, None, end)
    if _DURATION.fullmatch(start) and _MOMENT.fullmatch(end):
        return Span(None, end, start)
    for part in parts:
        if part not in _OPEN and not _MOMENT.fullmatch(part):
            raise BadQuery(f"datetime holds '{part[:40]}'; it must be a date, a moment, a duration or '..'.")
    return Span(None if start in _OPEN else start, None if end in _OPEN else end)


def pack_cursor(cursor: tuple[Any, ...]) -> str:
    """Where a page ended, for the address of the next."""
    if len(cursor) == 1:
        return str(cursor[0])
    text = json.dumps(cursor, ensure_ascii=False, separators=(",", ":"))
    return "~" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(text: str | None) -> tuple[Any, ...] | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return (int(text),)
    try:
        padded = text[1:] + "=" * (-len(text[1:]) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)) if text.startswith("~") else None
    except (binascii.Error, ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not found or not all(_is_plain(value) for value in found):
        raise BadQuery("'after' is not what a next link of this feed says.")
    return tuple(found)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _offset(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or int(text[:12]) > MAX_OFFSET:
        raise BadQuery(f"offset is '{text}'; it must be a whole number up to {MAX_OFFSET}; next links lead further.")
    return int(text)


def _box(params: Mapping[str, str], known: tuple[Crs, ...]) -> Box | None:
    text = params.get("bbox")
    if text is None:
        if "bbox-crs" in params:
            raise BadQuery("bbox-crs stands without a bbox.")
        return None
    crs = read_crs("bbox-crs", params.get("bbox-crs"), known)
    try:
        sides = [float(part) for part in text.split(",")]
    except ValueError:
        sides = []
    if len(sides) == 6:  # heights are not kept
        sides = [sides[i] for i in (0, 1, 3, 4)]
    if len(sides) != 4:
        raise BadQuery(f"bbox is '{text[:80]}'; it must be four or six numbers.")
    west, south, east, north = (sides[i] for i in ((1, 0, 3, 2) if crs.flipped else (0, 1, 2, 3)))
    return Box(west, south, east, north, crs)


def _filter(text: str, params: Mapping[str, str], known: tuple[Crs, ...]) -> Any:
    return read_filter(text, params.get("filter-lang"), read_crs("filter-crs", params.get("filter-crs"), known))


def _order(text: str | None, fields: set[str]) -> tuple[Order, ...]:
    if text is None:
        return ()
    steps: list[Order] = []
    for part in text.split(","):
        name = part.strip().lstrip("+-") if part.strip()[:1] in "+-" else part.strip()
        if name not in fields or any(step.name == name for step in steps):
            raise BadQuery(f"sortby holds '{part[:40]}'; it must be properties of the layer, each once.")
        steps.append(Order(name, part.strip().startswith("-")))
    return tuple(steps)


def _fields(text: str | None, fields: set[str]) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(part for part in text.split(",") if part)
    for name in names:
        if name not in fields:
            raise BadQuery(f"properties holds '{name[:40]}', which the layer does not have.")
    return names


def _flag(name: str, text: str | None) -> bool:
    if text is None or text.lower() == "false":
        return False
    if text.lower() == "true":
        return True
    raise BadQuery(f"{name} is '{text[:20]}'; it must be true or false.")
