"""Which column of a foreign table feeds which field of a layer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from onemap.domain.layer import AREA_CODE, Field, FieldType, Layer, Title
from onemap.errors import InputRefused, UsageError
from onemap.ingest.names import plain_name
from onemap.ingest.place import PLACES

#: Shapefiles cut field names to this many bytes.
SHORT_NAME = 10

AREA_FIELD = Field(AREA_CODE, FieldType.TEXT, Title("区划代码", "Area code"))


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file becomes a layer.

    Attributes
    ----------
    columns
        Field to column of the file.
    constants
        Field to one value for all rows.
    unused
        Columns that feed nothing.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    unused: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the file or the person gives."""
        return (*self.columns, *(name for name in self.constants if name not in self.columns))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person says about columns: ``--map field=column``, ``--set field=value``."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]

    @property
    def places(self) -> dict[str, str]:
        """The columns that say where a row lies."""
        return {what: column for what, column in self.columns.items() if what in PLACES}


def wishes(layer: Layer, columns: Sequence[str], constants: Sequence[str]) -> Wishes:
    """The options as a person wrote them, checked against the layer."""
    known = {*fields_of(layer), *PLACES}
    return Wishes(_pairs(columns, "--map", known, layer), _pairs(constants, "--set", set(fields_of(layer)), layer))


def fields_of(layer: Layer) -> dict[str, Field]:
    """Every field that an import can fill, the area code among them."""
    return {AREA_CODE: AREA_FIELD} | {field.name: field for field in layer.fields}


def plan(
    layer: Layer,
    columns: Sequence[str],
    wanted: Wishes,
    *,
    writable: Collection[str],
    places: Collection[str] = (),
    cut: bool = False,
) -> Plan:
    """
    Field by field, the column that feeds it.

    As the person says, else by the field's own name and titles, else by the names that the layer's import.toml lists.
    A column feeds one field. ``cut`` says that the file may have cut long names short (Shapefile).
    """
    chosen = {name: column for name, column in wanted.columns.items() if name not in PLACES}
    for name, column in chosen.items():
        if column not in columns:
            raise InputRefused(f"There is no column '{column}' for {name}; the file has {', '.join(columns)}.")
    open_fields = [
        f for f in fields_of(layer).values() if f.name in writable and f.name not in {*chosen, *wanted.constants}
    ]
    free = [column for column in columns if column not in chosen.values()]
    for words in _ways_to_name(layer, cut):
        for field in open_fields:
            found = None if field.name in chosen else _find(free, words(field))
            if found is not None:
                chosen[field.name] = found
                free.remove(found)
    return Plan(chosen, wanted.constants, tuple(column for column in free if column not in places))


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Field names cut for a Shapefile, each unlike the others: households, households_estimated -> househol_2."""
    taken: dict[str, str] = {}
    for name in names:
        short, number = name[:SHORT_NAME], 2
        while short in taken.values():
            short = f"{name[: SHORT_NAME - 1 - len(str(number))]}_{number}"
            number += 1
        taken[name] = short
    return taken


def require(layer: Layer, made: Plan, derived: Collection[str]) -> None:
    """``InputRefused`` where nothing feeds a field that every row must have."""
    for field in layer.fields:
        given = field.name in made.fields or field.name in derived
        if field.required and not given and "" not in layer.mapping.values.get(field.name, {}):
            raise InputRefused(
                f"Layer '{layer.name}' needs {field.name} ({field.title.zh}), and no column of the file gives it; "
                f"name one with --map {field.name}=COLUMN, or one value for all with --set {field.name}=VALUE."
            )


def _ways_to_name(layer: Layer, cut: bool) -> list[Callable[[Field], Iterable[str]]]:
    """How a column may be called that feeds a field, the surest way first."""

    def listed(field: Field) -> Iterable[str]:
        return layer.mapping.columns.get(field.name, ())

    short = short_names(list(export_order(layer)))
    ways: list[Callable[[Field], Iterable[str]]] = [_own_names, listed]
    if cut:
        ways.append(lambda field: (short[field.name],))
        ways.append(lambda field: (name for word in (*_own_names(field), *listed(field)) for name in _cut_names(word)))
    return ways


def export_order(layer: Layer) -> tuple[str, ...]:
    """The fields of an export in their order: the key, the area code, then the others."""
    others = [field.name for field in layer.fields if field.name not in (layer.key.name, AREA_CODE)]
    return (layer.key.name, *([AREA_CODE] if layer.key.name != AREA_CODE else []), *others)


def _own_names(field: Field) -> Iterator[str]:
    yield field.name
    yield field.title.zh
    yield field.title.en


def _find(columns: Sequence[str], words: Iterable[str]) -> str | None:
    plain = {plain_name(column): column for column in reversed(columns)}
    return next((plain[key] for word in words if (key := plain_name(word)) in plain), None)


def _cut_names(word: str) -> Iterator[str]:
    """What a Shapefile leaves of a long name, in UTF-8 and in GBK."""
    for encoding in ("utf-8", "gb18030"):
        raw = word.encode(encoding)
        if len(raw) > SHORT_NAME:
            yield raw[:SHORT_NAME].decode(encoding, errors="ignore")


def _pairs(given: Sequence[str], option: str, known: Collection[str], layer: Layer) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not value:
            raise UsageError(f"{option} {text}: write field=column, for one {option} name=名称.")
        if name not in known:
            raise UsageError(
                f"{option} {text}: layer '{layer.name}' has no field '{name}'; it has {', '.join(sorted(known))}."
            )
        found[name] = value
    return found
