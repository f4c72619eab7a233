"""CQL2 text and JSON, read within limits: what is too long or too deep is refused before any parser sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import cql2

from onemap.domain.feature import Crs, Filter
from onemap.errors import BadQuery

MAX_FILTER_B, MAX_DEPTH = 2_048, 20

#: What lets a recursive parser go one level deeper without a bracket: NOT, signs, powers.
_NESTING = re.compile(r"\bnot\b(?!\s*\()|\^|[-+]\s*(?=[-+])", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def read_filter(text: str, language: str | None, crs: Crs) -> Filter:
    """
    A filter in CQL2 text or CQL2 JSON.

    Parameters
    ----------
    language
        ``cql2-text``, ``cql2-json``, or None to see for oneself.
    crs
        The CRS of the coordinates in it.
    """
    if len(text.encode()) > MAX_FILTER_B:
        raise BadQuery(f"The filter has more than {MAX_FILTER_B} bytes.")
    is_json = text.lstrip().startswith("{")
    if language not in (None, "cql2-text", "cql2-json"):
        raise BadQuery(f"filter-lang is '{language}'; this feed reads cql2-text and cql2-json.")
    if language is not None and is_json != (language == "cql2-json"):
        raise BadQuery(f"The filter is not written in {language}.")
    return Filter(text, _json(text) if is_json else _text(text), crs)


@lru_cache(maxsize=1024)
def _text(text: str) -> dict[str, Any]:
    bare = _QUOTED.sub("''", text)
    if _brackets(bare, "([", ")]") + len(_NESTING.findall(bare)) > MAX_DEPTH:
        raise BadQuery(f"The filter is more than {MAX_DEPTH} levels deep.")
    try:
        tree = cql2.parse_text(text).to_json()
    except cql2.ParseError as wrong:
        raise BadQuery(f"The filter cannot be read: {_where(wrong)}.") from None
    return _checked(tree)


@lru_cache(maxsize=1024)
def _json(text: str) -> dict[str, Any]:
    # an operation is an object and a list; a geometry has lists of its own
    if _brackets(_JSON_STRING.sub('""', text), "[{", "]}") > 2 * MAX_DEPTH + 6:
        raise BadQuery(f"The filter is more than {MAX_DEPTH} levels deep.")
    try:
        tree = json.loads(text)
    except ValueError:
        raise BadQuery("The filter is not JSON.") from None
    return _checked(tree)


def _checked(tree: Any) -> dict[str, Any]:
    if isinstance(tree, bool):
        return {"op": "=", "args": [tree, True]}
    if not isinstance(tree, dict):
        raise BadQuery("A filter is a condition.")
    if max(_depths(tree), default=0) > MAX_DEPTH:
        raise BadQuery(f"The filter is more than {MAX_DEPTH} levels deep.")
    return tree


def _depths(tree: Any, depth: int = 1) -> Iterator[int]:
    """The level of every operation in a tree."""
    if isinstance(tree, dict):
        yield depth
        for arg in tree.get("args", ()) if isinstance(tree.get("args"), list) else ():
            yield from _depths(arg, depth + 1)


def _brackets(text: str, opening: str, closing: str) -> int:
    deepest = depth = 0
    for letter in text:
        if letter in opening:
            depth += 1
            deepest = max(deepest, depth)
        elif letter in closing:
            depth -= 1
    return deepest


def _where(error: Exception) -> str:
    """The place that a parser names, without its drawing."""
    place = re.search(r"(\d+):(\d+)", str(error))
    return f"see character {place[2]}" if place else "it is not CQL2"
