"""Reads ``layers/`` into a :class:`~onemap.domain.layer.Catalog`; says everything that is wrong, with file and key."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onemap.domain.layer import (
    Catalog,
    Code,
    CodeList,
    DataClass,
    Field,
    FieldType,
    GeometryType,
    Group,
    ImportMapping,
    Layer,
    Tiling,
    Title,
)
from onemap.errors import CatalogError, InvalidValue

MAX_TILE_ZOOM = 16

_LAYER_KEYS = {
    "title", "description", "order", "geometry", "class", "min_zoom", "label", "time", "source",
    "fields", "tile", "restricted_rows",
}  # fmt: skip
_FIELD_KEYS = {"type", "title", "unit", "codes", "unique", "required", "search", "class", "minimum", "maximum"}
_TILE_KEYS = {"fields", "max_zoom", "cluster_below", "only", "together"}
_IMPORT_KEYS = {"columns", "values"}
_NOT_LAYERS = {"codes", "rules"}


def read_catalog(root: Path) -> Catalog:
    """The catalogue that a ``layers/`` folder holds; ``CatalogError`` lists every problem in it."""
    reader = _Reader(root)
    catalog = reader.read()
    if reader.problems:
        raise CatalogError(reader.problems)
    return catalog


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[str] = []

    def read(self) -> Catalog:
        if not (self.root / "groups.toml").is_file():
            self._problem(self.root, "", "there is no groups.toml here, so this is no layer catalogue.")
            return Catalog((), (), {})
        lists = {path.stem: self._code_list(path) for path in sorted((self.root / "codes").glob("*.csv"))}
        groups = self._groups(self.root / "groups.toml")
        layers: list[Layer] = []
        for group in groups:
            folders = sorted(p for p in (self.root / group.name).glob("*") if p.is_dir())
            found = [layer for folder in folders if (layer := self._layer(folder, group.name, lists)) is not None]
            layers += sorted(found, key=lambda layer: (layer.order, layer.name))
        self._unlisted_groups({group.name for group in groups})
        self._names_once(layers)
        return Catalog(groups, tuple(layers), lists)

    def _groups(self, path: Path) -> tuple[Group, ...]:
        raw = self._toml(path)
        return tuple(Group(name, title) for name, value in raw.items() if (title := self._title(path, name, value)))

    def _unlisted_groups(self, known: set[str]) -> None:
        for folder in sorted(p for p in self.root.iterdir() if p.is_dir()):
            if folder.name not in known | _NOT_LAYERS and any(folder.glob("*/layer.toml")):
                self._problem(folder, "", f"the group '{folder.name}' is not in groups.toml.")

    def _names_once(self, layers: Sequence[Layer]) -> None:
        seen: dict[str, str] = {}
        for layer in layers:
            if layer.name in seen:
                self._problem(
                    self.root / layer.group / layer.name, "", f"'{layer.name}' is also in {seen[layer.name]}."
                )
            seen[layer.name] = layer.group

    def _layer(self, folder: Path, group: str, lists: Mapping[str, CodeList]) -> Layer | None:
        path = folder / "layer.toml"
        if not path.is_file():
            self._problem(folder, "", "a layer folder needs a layer.toml.")
            return None
        raw = self._toml(path)
        self._unknown(path, "", raw, _LAYER_KEYS)
        before = len(self.problems)
        title = self._title(path, "title", raw.get("title"))
        description = self._title(path, "description", raw.get("description", raw.get("title")))
        geometry = self._one_of(path, "geometry", raw.get("geometry"), GeometryType)
        data_class = self._one_of(path, "class", raw.get("class"), DataClass)
        fields = self._fields(path, raw.get("fields"), lists)
        tiling = self._tiling(path, raw)
        restricted = self._value_sets(path, "restricted_rows", raw.get("restricted_rows", {}))
        mapping = self._mapping(folder / "import.toml", fields)
        style = self._style(folder / "style.json")
        view = folder / "view.sql"
        if title and description and geometry and data_class and tiling and len(self.problems) == before:
            try:
                return Layer(
                    name=folder.name, group=group, title=title, description=description, geometry=geometry,
                    data_class=data_class, fields=fields, tiling=tiling, source=str(raw.get("source", "")),
                    label=raw.get("label"), time=raw.get("time"), restricted_rows=restricted,
                    view_sql=view.read_text("utf-8") if view.is_file() else None,
                    mapping=mapping, style=style, order=int(raw.get("order", 0)),
                )  # fmt: skip
            except InvalidValue as wrong:
                self._problem(path, "", str(wrong))
        return None

    def _fields(self, path: Path, raw: Any, lists: Mapping[str, CodeList]) -> tuple[Field, ...]:
        if not isinstance(raw, dict) or not raw:
            self._problem(path, "fields", "a layer needs at least one field.")
            return ()
        return tuple(field for name, value in raw.items() if (field := self._field(path, name, value, lists)))

    def _field(self, path: Path, name: str, raw: Any, lists: Mapping[str, CodeList]) -> Field | None:
        key = f"fields.{name}"
        if not isinstance(raw, dict):
            self._problem(path, key, "a field is a table with type and title.")
            return None
        before = len(self.problems)
        self._unknown(path, key, raw, _FIELD_KEYS)
        field_type = self._one_of(path, f"{key}.type", raw.get("type"), FieldType)
        title = self._title(path, f"{key}.title", raw.get("title"))
        data_class = self._one_of(path, f"{key}.class", raw["class"], DataClass) if "class" in raw else None
        codes = None
        if "codes" in raw:
            codes = lists.get(str(raw["codes"]))
            if codes is None:
                self._problem(path, f"{key}.codes", f"there is no code list 'codes/{raw['codes']}.csv'.")
        if field_type is None or title is None or len(self.problems) > before:
            return None
        try:
            return Field(
                name=name, type=field_type, title=title, unit=raw.get("unit"), codes=codes,
                unique=bool(raw.get("unique", False)), required=bool(raw.get("required", False)),
                search=bool(raw.get("search", False)), data_class=data_class,
                minimum=raw.get("minimum"), maximum=raw.get("maximum"),
            )  # fmt: skip
        except InvalidValue as wrong:
            self._problem(path, key, str(wrong))
            return None

    def _tiling(self, path: Path, raw: Mapping[str, Any]) -> Tiling | None:
        tile = raw.get("tile", {})
        self._unknown(path, "tile", tile, _TILE_KEYS)
        min_zoom, max_zoom = raw.get("min_zoom", 0), tile.get("max_zoom", MAX_TILE_ZOOM)
        if not (isinstance(min_zoom, int) and isinstance(max_zoom, int) and 0 <= min_zoom <= max_zoom <= 22):
            self._problem(path, "min_zoom", "zooms are whole numbers with 0 <= min_zoom <= max_zoom <= 22.")
            return None
        return Tiling(
            fields=tuple(tile.get("fields", ())), min_zoom=min_zoom, max_zoom=max_zoom,
            cluster_below=int(tile.get("cluster_below", 0)), only=dict(tile.get("only", {})),
            together=bool(tile.get("together", False)),
        )  # fmt: skip

    def _mapping(self, path: Path, fields: Sequence[Field]) -> ImportMapping:
        if not path.is_file():
            return ImportMapping()
        raw = self._toml(path)
        self._unknown(path, "", raw, _IMPORT_KEYS)
        by_name = {field.name: field for field in fields}
        for section in ("columns", "values"):
            for name in raw.get(section, {}):
                if name not in by_name and name != "area_code":
                    self._problem(path, f"{section}.{name}", f"the layer has no field '{name}'.")
        values = {name: dict(pairs) for name, pairs in raw.get("values", {}).items()}
        for name, pairs in values.items():
            field = by_name.get(name)
            for source, value in pairs.items():
                if field is not None and field.codes is not None and str(value) not in field.codes:
                    self._problem(path, f"values.{name}.{source}", f"'{value}' is not in codes/{field.codes.name}.csv.")
        return ImportMapping(columns=self._value_sets(path, "columns", raw.get("columns", {})), values=values)

    def _style(self, path: Path) -> tuple[Mapping[str, object], ...]:
        if not path.is_file():
            return ()
        try:
            raw = json.loads(path.read_text("utf-8"))
        except ValueError as wrong:
            self._problem(path, "", f"this is not JSON: {wrong}.")
            return ()
        if not isinstance(raw, list) or not all(isinstance(part, dict) for part in raw):
            self._problem(path, "", "a style is a list of map layers.")
            return ()
        return tuple(raw)

    def _code_list(self, path: Path) -> CodeList:
        codes: list[Code] = []
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), start=2):
                try:
                    codes.append(Code(row["value"], Title(row["zh"], row["en"])))
                except (KeyError, TypeError, InvalidValue) as wrong:
                    self._problem(path, f"line {number}", f"a code needs value, zh and en ({wrong}).")
        return CodeList(path.stem, tuple(codes))

    def _toml(self, path: Path) -> dict[str, Any]:
        try:
            return tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            self._problem(path, "", f"this is not TOML: {wrong}.")
            return {}

    def _title(self, path: Path, key: str, raw: Any) -> Title | None:
        if isinstance(raw, dict) and set(raw) == {"zh", "en"} and raw["zh"] and raw["en"]:
            return Title(str(raw["zh"]), str(raw["en"]))
        self._problem(path, key, "a title is { zh = …, en = … }.")
        return None

    def _one_of[T: (GeometryType, DataClass, FieldType)](
        self, path: Path, key: str, raw: Any, kind: type[T]
    ) -> T | None:
        try:
            return kind(raw)
        except ValueError:
            allowed = ", ".join(member.value for member in kind)
            self._problem(path, key, f"'{raw}' is not one of {allowed}." if raw else f"is missing; one of {allowed}.")
            return None

    def _value_sets(self, path: Path, key: str, raw: Any) -> dict[str, tuple[str, ...]]:
        if isinstance(raw, dict) and all(isinstance(values, list) for values in raw.values()):
            return {name: tuple(str(value) for value in values) for name, values in raw.items()}
        self._problem(path, key, "each entry is a list.")
        return {}

    def _unknown(self, path: Path, key: str, raw: Mapping[str, Any], known: set[str]) -> None:
        for name in sorted(set(raw) - known):
            self._problem(path, f"{key}.{name}".lstrip("."), "is an unknown key.")

    def _problem(self, path: Path, key: str, sentence: str) -> None:
        where = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        self.problems.append(f"{where}: {key + ' ' if key else ''}{sentence}")
