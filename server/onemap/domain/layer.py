"""What a layer is: the frozen form of a folder under ``layers/``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from onemap.errors import InvalidValue, LayerNotFound

Language = Literal["zh", "en"]

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

#: Columns that every layer has beside its own fields.
FID, AREA_CODE, GEOM = "fid", "area_code", "geom"
RESERVED = frozenset({FID, AREA_CODE, GEOM})


class DataClass(StrEnum):
    """Who may see it: everyone, staff, or staff with a right of its own."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESTRICTED = "restricted"


class FieldType(StrEnum):
    """What a field holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CODE = "code"


class GeometryType(StrEnum):
    """The simple-feature type of a layer; every one is 2D."""

    POINT = "Point"
    LINE = "LineString"
    POLYGON = "Polygon"
    MULTI_LINE = "MultiLineString"
    MULTI_POLYGON = "MultiPolygon"

    @property
    def is_point(self) -> bool:
        """Whether a feature is one place."""
        return self is GeometryType.POINT

    @property
    def is_line(self) -> bool:
        """Whether a feature is a line or several."""
        return self in (GeometryType.LINE, GeometryType.MULTI_LINE)

    @property
    def is_polygon(self) -> bool:
        """Whether a feature covers ground."""
        return self in (GeometryType.POLYGON, GeometryType.MULTI_POLYGON)


#: Units a field may carry; the catalogue refuses others.
UNITS = frozenset({"m", "m2", "deg", "s", "min", "km/h", "households", "persons", "floors", "days", "year", "count"})


@dataclass(frozen=True, slots=True)
class Title:
    """A name in both languages."""

    zh: str
    en: str

    def __post_init__(self) -> None:
        if not self.zh or not self.en:
            raise InvalidValue("A title needs both zh and en.")

    def in_language(self, language: Language) -> str:
        """The name in one language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Code:
    """One value of a code list."""

    value: str
    title: Title


@dataclass(frozen=True, slots=True)
class CodeList:
    """A closed, ordered set of values."""

    name: str
    codes: tuple[Code, ...]

    def __contains__(self, value: object) -> bool:
        return any(code.value == value for code in self.codes)

    @property
    def values(self) -> tuple[str, ...]:
        """The values, in their order."""
        return tuple(code.value for code in self.codes)


@dataclass(frozen=True, slots=True)
class Field:
    """A property of a layer's features."""

    name: str
    type: FieldType
    title: Title
    unit: str | None = None
    codes: CodeList | None = None
    unique: bool = False
    required: bool = False
    search: bool = False
    data_class: DataClass | None = None
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in RESERVED - {AREA_CODE}:
            raise InvalidValue(f"'{self.name}' cannot name a field.")
        if self.unit is not None and self.unit not in UNITS:
            raise InvalidValue(f"field '{self.name}' has the unknown unit '{self.unit}'.")
        if self.type is FieldType.CODE and self.codes is None:
            raise InvalidValue(f"field '{self.name}' is a code and must name its code list.")
        if self.codes is not None and self.type not in (FieldType.CODE, FieldType.INTEGER):
            raise InvalidValue(f"field '{self.name}' is no code and cannot have a code list.")


@dataclass(frozen=True, slots=True)
class Tiling:
    """What of a layer goes into its vector tiles."""

    fields: tuple[str, ...]
    min_zoom: int
    max_zoom: int
    #: Points are joined into clusters below this zoom; 0 never.
    cluster_below: int = 0
    #: Maps ask for the layer in one tile with the others that say so: fewer requests, and less to clip for each frame.
    together: bool = False
    #: ``field -> value``: only these rows are cut into tiles (open events, for one).
    only: Mapping[str, str | bool | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """How foreign columns and values become fields."""

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the one map."""

    name: str
    group: str
    title: Title
    description: Title
    geometry: GeometryType
    data_class: DataClass
    fields: tuple[Field, ...]
    tiling: Tiling
    source: str
    label: str | None = None
    time: str | None = None
    #: ``field -> values`` of rows that only readers with the restricted right see.
    restricted_rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: SQL of the view, where the layer is one on operational tables.
    view_sql: str | None = None
    mapping: ImportMapping = field(default_factory=ImportMapping)
    style: tuple[Mapping[str, object], ...] = ()
    order: int = 0

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise InvalidValue(f"'{self.name}' cannot name a layer.")
        keys = [f.name for f in self.fields if f.unique]
        if len(keys) != 1:
            raise InvalidValue(f"layer '{self.name}' needs exactly one unique field as its key, not {len(keys)}.")
        for what in (self.label, self.time, *self.tiling.fields, *self.restricted_rows, *self.tiling.only):
            if what is not None:
                self.field(what)

    @property
    def key(self) -> Field:
        """The field by which a feature is known outside."""
        return next(f for f in self.fields if f.unique)

    @property
    def is_view(self) -> bool:
        """Whether the layer shows operational tables rather than a table of its own."""
        return self.view_sql is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns in their order: fid, area_code, the fields, geom."""
        own = tuple(f.name for f in self.fields if f.name != AREA_CODE)
        return (FID, AREA_CODE, *own, GEOM)

    def field(self, name: str) -> Field:
        """The field of this name; ``InvalidValue`` where there is none."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise InvalidValue(f"layer '{self.name}' has no field '{name}'.")

    def class_of(self, name: str) -> DataClass:
        """Who may see a field."""
        return self.field(name).data_class or self.data_class


@dataclass(frozen=True, slots=True)
class Group:
    """A branch of the layer tree."""

    name: str
    title: Title


@dataclass(frozen=True)
class Catalog:
    """All layers, in the order of the tree."""

    groups: tuple[Group, ...]
    layers: tuple[Layer, ...]
    code_lists: Mapping[str, CodeList]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __contains__(self, name: object) -> bool:
        return any(layer.name == name for layer in self.layers)

    def layer(self, name: str) -> Layer:
        """The layer of this name; ``LayerNotFound`` where there is none."""
        for candidate in self.layers:
            if candidate.name == name:
                return candidate
        raise LayerNotFound(name)
