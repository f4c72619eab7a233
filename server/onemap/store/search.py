"""What the search box finds: a few features of every layer, the best first, each as its reader may see it.

Typed letters first become the Chinese words that they may stand for; from there on everything is text. The index gives
candidates, the layer itself gives what is shown, and both are asked under the reader's scope.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Any

from psycopg import sql

from onemap.domain.layer import Catalog, GeometryType, Layer, Title
from onemap.domain.scope import Scope
from onemap.errors import BadQuery
from onemap.store.db import Connection
from onemap.store.named import compose, named, statement
from onemap.store.scope import in_areas, predicate, relation, visible_fields
from onemap.store.search_index import is_indexed, texts

#: Shorter questions match nearly everything.
SHORTEST, LONGEST = 2, 60
#: Hits in all; a longer list would not be read.
MOST_HITS = 24

#: Candidates that one index gives for a layer; the best of them are shown.
_MOST = 40
#: Words that letters may stand for.
_MOST_WORDS, _MOST_READINGS = 300, 10

_EVENTS = "events"
_DROPPED = dict.fromkeys(map(ord, " \t-_/\\.,:;()[]#'\"&+·、。《》“”—–"))
_RUN = re.compile(r"[a-z]+|[^a-z]+")
_KM_PER_DEGREE = 111.32

type Bounds = tuple[float, float, float, float]
type Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Hit:
    """
    One feature that was found.

    Attributes
    ----------
    sub
        Another text of the feature where that one matched, else where it lies.
    match
        Which characters of the title match: from, and up to but not including.
    """

    layer: str
    fid: int
    title: str
    sub: str | None
    match: tuple[tuple[int, int], ...]
    point: Point
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one layer, the best first."""

    kind: str
    title: Title
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A feature as an index gave it; ``rank`` sorts, less is better."""

    layer: str
    fid: int
    place: int
    term: str
    asked: tuple[str, ...]
    rank: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A feature as its layer gave it."""

    title: str
    texts: tuple[str | None, ...]
    area_code: str | None
    grid_code: str | None
    point: Point
    bounds: Bounds


def search(
    connection: Connection,
    catalog: Catalog,
    scope: Scope,
    question: str,
    *,
    limit: int = 8,
    area: str | None = None,
    near: Point | None = None,
) -> list[Group]:
    """
    Features that a text means, by layer; the group with the best hit first.

    Parameters
    ----------
    limit
        Most hits of a layer; there are 24 in all.
    area
        What lies in it comes first.
    near
        Of equally good hits the nearer one comes first, degrees.
    """
    asked = term(question)
    if not SHORTEST <= len(asked) <= LONGEST:
        raise BadQuery(
            f"A search takes from {SHORTEST} to {LONGEST} characters, not counting spaces and punctuation."
        ).in_chinese(f"搜索须有 {SHORTEST} 至 {LONGEST} 个字，空格和标点不算。")
    layers = [layer for layer in catalog if scope.sees(layer) and (is_indexed(layer) or layer.name == _EVENTS)]
    best = _best(_candidates(connection, catalog, scope, layers, question, asked, area), most=4 * limit)
    shown = _shown(connection, {layer.name: layer for layer in layers}, scope, best)
    names = _Names(connection, catalog, scope, shown.values())
    groups: list[tuple[tuple[float, ...], Group]] = []
    for layer in layers:
        ranked = sorted(
            ((_near(candidate, row, near), row) for candidate in best.get(layer.name, ())
             if (row := shown.get((layer.name, candidate.fid)))),
            key=lambda pair: pair[0].rank,
        )  # fmt: skip
        hits = _once_each(layer, [_hit(candidate, row, names, layer) for candidate, row in ranked])[:limit]
        if hits:
            groups.append((ranked[0][0].rank[:1], Group(layer.name, layer.title, tuple(hits))))
    groups.sort(key=lambda pair: pair[0])
    return _shared_out([group for _, group in groups])


def term(text: str) -> str:
    """A text as the index compares it: half-width, small letters, no spaces or punctuation."""
    return unicodedata.normalize("NFKC", text).translate(_DROPPED).lower()


def mark(text: str) -> int:
    """The number that stands for a layer or an area among the grams."""
    return 24576 * 65536 + int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:4], 16)


def grams(text: str) -> list[int]:
    """Pairs of neighbouring characters as numbers of 32 bits."""
    return [(ord(a) % 65536 - 32768) * 65536 + ord(b) % 65536 for a, b in pairwise(text)]


# Letters to words ---------------------------------------------------------------------------------------------------


def meanings(connection: Connection, asked: str) -> list[str]:
    """The text itself, then with its letters as the words whose pinyin or initials they are; the likeliest first."""
    runs = _RUN.findall(asked)
    choices = [_words(connection, run) if run.isascii() and run.isalpha() else [run] for run in runs]
    if all(choice == [run] for choice, run in zip(choices, runs, strict=True)):
        return [asked]
    read = ["".join(parts) for parts in product(*(choice[:_MOST_READINGS] for choice in choices))]
    return list(dict.fromkeys([asked, *read[:_MOST_READINGS]]))


def _words(connection: Connection, letters: str) -> list[str]:
    if len(letters) < SHORTEST:
        return [letters]
    values = {"holds": f"%{letters}%", "begins": f"{letters}%", "n_rows": _MOST_WORDS}
    rows = connection.execute(statement(named("search")["words"]), values).fetchall()
    found: dict[str, tuple[int, ...]] = {}
    for word, readings in rows:
        for said, kind in read_in(word, readings, letters):
            at_start = not word.startswith(said)
            found[said] = min(found.get(said, (9,)), (kind + at_start, kind, len(said)))
    return sorted(found, key=lambda said: found[said]) or [letters]


def read_in(word: str, readings: Sequence[str], letters: str) -> Iterator[tuple[str, int]]:
    """Pieces of a word that are read as some letters (0 whole syllables, 1 the last unfinished) or begin so (1)."""
    initials = "".join(reading[:1] for reading in readings)
    for start in range(len(word)):
        said = ""
        for end in range(start, len(word)):
            said += readings[end]
            if len(said) >= len(letters) or not letters.startswith(said):
                break
        if said.startswith(letters):
            yield word[start : end + 1], int(said != letters)
        if initials.startswith(letters, start):
            yield word[start : start + len(letters)], 1


# Candidates ---------------------------------------------------------------------------------------------------------

#: How good a way to match is. A title that begins so is better than one that holds it; then what only has it somewhere.
_BEGINS = {"code": 1.0, "title": 2.0, "text": 3.0}
_HOLDS = {"title": 4.0, "text": 5.0, "code": 5.0}
_ENDS, _PARTS = 3.5, 6.0


def _candidates(
    connection: Connection,
    catalog: Catalog,
    scope: Scope,
    layers: Sequence[Layer],
    question: str,
    asked: str,
    area: str | None,
) -> list[_Candidate]:
    queries = named("search")
    said = meanings(connection, asked)
    values = _values(scope, said, question, area)
    values["layers"] = [layer.name for layer in layers if is_indexed(layer)]
    query = compose(queries["candidates"], scope=sql.SQL(queries["in_scope"]))
    rows = connection.execute(query, values).fetchall()
    if any(layer.name == _EVENTS for layer in layers):
        allowed = predicate(catalog.layer(_EVENTS), scope, "e")
        for ground in dict.fromkeys([area, None]):
            where = sql.SQL(" AND ").join([allowed, in_areas((ground,), "e")]) if ground else allowed
            rows += connection.execute(compose(queries["events"], scope=where), values).fetchall()
    found: list[_Candidate] = []
    for how, number, layer, fid, place, what, text, area_code in rows:
        means = said[number]
        grade = _grade(how, what, text, means)
        inside = bool(area) and (area_code or "").startswith(area or "")
        rank = (grade, number, not inside, _cuts_a_number(text, means))
        sought = tuple(values["parts"]) if how == "parts" else (means,)
        found.append(_Candidate(layer, fid, place, text, sought, rank))
    return found


def _grade(how: str, what: str, text: str, means: str) -> float:
    if text == means:
        return 0.0 if what == "code" else 0.5
    if text.startswith(means) and how != "parts":
        return _BEGINS[what]
    return {"ends": _ENDS, "parts": _PARTS}.get(how, _HOLDS[what])


def _values(scope: Scope, said: Sequence[str], question: str, area: str | None) -> dict[str, Any]:
    codes = [means if means.isascii() and any(map(str.isdigit, means)) else None for means in said]
    numbers = list(dict.fromkeys([said[0], said[0].upper()])) if codes[0] else []
    back = [means[::-1] if means else None for means in codes]
    only = scope.areas if scope.areas is not None and len(scope.areas) == 1 else ()
    grounds = list(dict.fromkeys([area or "", ""]))
    parts = [part for part in map(term, question.split()) if part]
    needed = [gram for part in parts for gram in grams(part)] if len(parts) > 1 else []
    return {
        "numbers": list(range(len(said))),
        "terms": list(said),
        "highs": [_behind(means) for means in said],
        "reversed": back,
        "reversed_highs": [_behind(means) if means else None for means in back],
        "numbers_as": [0] * len(numbers),
        "numbers_begin": numbers,
        "numbers_high": [_behind(number) for number in numbers],
        "numbers_end": [number[::-1] for number in numbers],
        "numbers_end_high": [_behind(number[::-1]) for number in numbers],
        "grams": [_array(grams(means)) for means in said],
        "patterns": [f"%{re.sub(r'([%_\\])', r'\\\1', means)}%" for means in said],
        "grounds": grounds,
        "marks": [_array([mark(code) for code in (ground, *only) if len(code) in (6, 9, 12)]) for ground in grounds],
        "parts": parts,
        "part_grams": needed,
        "everywhere": scope.areas is None,
        "areas": list(scope.areas or ()),
        "sees_restricted": scope.sees_restricted,
        "most": _MOST,
    }


def _array(numbers: Sequence[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _behind(prefix: str) -> str:
    """The first text, by code points, behind all that begin so."""
    last = ord(prefix[-1]) + 1
    return prefix[:-1] + chr(0xE000 if 0xD800 <= last <= 0xDFFF else min(last, 0x10FFFF))


def _cuts_a_number(text: str, means: str) -> bool:
    """Whether the match ends or begins inside a number: 8 in 18 or in 80."""
    start = text.find(means)
    if start < 0:
        return False
    end = start + len(means)
    before = start > 0 and text[start - 1].isdigit() and means[0].isdigit()
    return before or (end < len(text) and text[end].isdigit() and means[-1].isdigit())


def _best(candidates: Sequence[_Candidate], *, most: int) -> dict[str, list[_Candidate]]:
    """Each feature once, by its best text; the best of every layer."""
    once: dict[tuple[str, int], _Candidate] = {}
    for candidate in candidates:
        key = candidate.layer, candidate.fid
        ranked = replace(candidate, rank=(*candidate.rank, len(candidate.term)))
        if key not in once or ranked.rank < once[key].rank:
            once[key] = ranked
    best: dict[str, list[_Candidate]] = defaultdict(list)
    for candidate in sorted(once.values(), key=lambda one: (one.rank, one.term, one.fid)):
        if len(best[candidate.layer]) < most:
            best[candidate.layer].append(candidate)
    return best


# What is shown ------------------------------------------------------------------------------------------------------


def _shown(
    connection: Connection, layers: dict[str, Layer], scope: Scope, best: dict[str, list[_Candidate]]
) -> dict[tuple[str, int], _Row]:
    parts = [
        _found(layers[name], scope, [candidate.fid for candidate in candidates])
        for name, candidates in best.items()
        if candidates
    ]
    if not parts:
        return {}
    rows = connection.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
    return {
        (row[0], row[1]): _Row(
            row[2], tuple(row[3]), row[4], row[5], (row[6], row[7]), (row[8], row[9], row[10], row[11])
        )
        for row in rows
    }


def _found(layer: Layer, scope: Scope, fids: Sequence[int]) -> sql.Composed:
    seen = [field for field in texts(layer) if field in visible_fields(layer, scope)]
    columns = [sql.SQL("{}::text").format(sql.Identifier("f", field.name)) for field in seen]
    own = sql.SQL("{}::text").format(sql.Identifier("f", layer.key.name))
    title = sql.SQL("coalesce({})").format(
        sql.SQL(", ").join([*(sql.SQL("nullif({}, '')").format(column) for column in columns), own])
    )
    names = {field.name for field in visible_fields(layer, scope)} - {layer.key.name}
    return compose(
        named("search")["found"],
        layer=sql.Literal(layer.name),
        relation=relation(layer),
        title=title,
        texts=sql.SQL(", ").join(columns or [own]),
        grid=sql.SQL("f.grid_code" if "grid_code" in names else "NULL::text"),
        fids=sql.Literal(list(fids)),
        scope=predicate(layer, scope),
    )


def _near(candidate: _Candidate, row: _Row, near: Point | None) -> _Candidate:
    """The candidate with its distance, kilometres, before its length."""
    *first, length = candidate.rank
    return replace(candidate, rank=(*first, _km(row.point, near) if near else 0.0, length))


def _km(a: Point, b: Point) -> float:
    east = (a[0] - b[0]) * math.cos(math.radians(b[1]))
    return round(math.hypot(east, a[1] - b[1]) * _KM_PER_DEGREE, 1)


class _Names:
    """What areas and grids are called, as far as the reader may know of them."""

    def __init__(self, connection: Connection, catalog: Catalog, scope: Scope, rows: Any) -> None:
        rows = list(rows)
        queries = named("search")
        codes = {code[:n] for row in rows if (code := row.area_code) for n in (4, 6, 9, 12)}
        grids = sorted({row.grid_code for row in rows if row.grid_code})
        self._areas = self._grids = dict[str, str]()
        if scope.sees(catalog.layer("areas")):
            query = compose(queries["area_names"], scope=predicate(catalog.layer("areas"), scope, "a"))
            self._areas = dict(connection.execute(query, {"codes": sorted(codes)}).fetchall())
        if grids and scope.sees(catalog.layer("grids")):
            query = compose(queries["grid_numbers"], scope=predicate(catalog.layer("grids"), scope, "g"))
            self._grids = dict(connection.execute(query, {"codes": grids}).fetchall())

    def path(self, row: _Row, *, above: bool) -> str | None:
        """Where a feature lies, such as 晴川社区 > 网格 17; for an area what it is a part of."""
        code = row.area_code or ""
        ends = [n for n in (12, 9, 6, 4) if n <= len(code) - above]
        area = next((self._areas[code[:n]] for n in ends if code[:n] in self._areas), None)
        number = self._grids.get(row.grid_code or "")
        return " > ".join(part for part in (area, f"网格 {number}" if number else None) if part) or None


def _hit(candidate: _Candidate, row: _Row, names: _Names, layer: Layer) -> Hit:
    match = _matches(row.title, candidate.asked)
    other = next((text for text in row.texts if text and text != row.title and _matches(text, candidate.asked)), None)
    path = names.path(row, above=layer.name == "areas")
    sub = other if other and not match else path
    return Hit(layer.name, candidate.fid, row.title, sub, match, row.point, row.bounds)


def _matches(title: str, asked: Sequence[str]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(span for part in asked for span in where(title, part)))


def where(title: str, asked: str) -> tuple[tuple[int, int], ...]:
    """Which characters of a title hold what was asked, spaces and width aside."""
    plain, origin = "", []
    for index, letter in enumerate(title):
        kept = term(letter)
        plain += kept
        origin += [index] * len(kept)
    start = plain.find(asked)
    return ((origin[start], origin[start + len(asked) - 1] + 1),) if start >= 0 else ()


def _once_each(layer: Layer, hits: Sequence[Hit]) -> list[Hit]:
    """A road is many features of one name: it is shown once, with the bounds of all that was found of it."""
    if layer.geometry not in (GeometryType.LINE, GeometryType.MULTI_LINE):
        return list(hits)
    once: dict[tuple[str, str | None], Hit] = {}
    for hit in hits:
        known = once.setdefault((hit.title, hit.sub), hit)
        once[hit.title, hit.sub] = replace(known, bounds=_around(known.bounds, hit.bounds))
    return list(once.values())


def _around(a: Bounds, b: Bounds) -> Bounds:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _shared_out(groups: Sequence[Group]) -> list[Group]:
    """No more hits than are read: every group its first, then every group its second, and so on."""
    room = dict.fromkeys((group.kind for group in groups), 0)
    left = MOST_HITS
    for depth in range(max((len(group.hits) for group in groups), default=0)):
        for group in groups:
            if left and len(group.hits) > depth:
                room[group.kind] += 1
                left -= 1
    return [replace(group, hits=group.hits[: room[group.kind]]) for group in groups if room[group.kind]]
