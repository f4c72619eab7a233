"""The one place where a reader's scope becomes SQL.

Row-level security would turn the GiST index off (``&&`` is not leakproof), so the predicate stands in the query.
"""

from __future__ import annotations

from psycopg import sql

from onemap.domain.layer import AREA_CODE, Field, FieldType, Layer
from onemap.domain.scope import Scope
from onemap.errors import LayerNotFound

TRUE = sql.SQL("TRUE")


def relation(layer: Layer) -> sql.Composed:
    """The table or view of a layer: ``layer.<name>``."""
    return sql.SQL("{}").format(sql.Identifier("layer", layer.name))


def predicate(layer: Layer, scope: Scope, alias: str = "f") -> sql.Composable:
    """Which rows of a layer a reader may see; ``LayerNotFound`` where the layer as a whole is hidden."""
    if not scope.sees(layer):
        raise LayerNotFound(layer.name)
    parts: list[sql.Composable] = []
    if scope.areas is not None:
        parts.append(in_areas(scope.areas, alias))
    if not scope.sees_restricted:
        for name, values in layer.restricted_rows.items():
            hidden = sql.SQL(", ").join(map(sql.Literal, values))
            parts.append(sql.SQL("{} NOT IN ({})").format(sql.Identifier(alias, name), hidden))
    return sql.SQL(" AND ").join(parts) if parts else TRUE


def in_areas(areas: tuple[str, ...], alias: str, column: str = AREA_CODE) -> sql.Composable:
    """Rows whose area code begins with one of the prefixes."""
    if not areas:
        return sql.SQL("FALSE")
    code = sql.Identifier(alias, column)
    # starts_with uses a C-ordered index as LIKE does, and puts no '%' where psycopg would look for a parameter
    tests = [sql.SQL("starts_with({}, {})").format(code, sql.Literal(prefix)) for prefix in areas]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))


def visible_fields(layer: Layer, scope: Scope) -> tuple[Field, ...]:
    """The fields of a layer that a reader may see, in their order."""
    return tuple(field for field in layer.fields if scope.sees_field(layer, field))


def column_type(field: Field) -> sql.SQL:
    """The PostgreSQL type of a field."""
    return _TYPES[field.type]


_TYPES: dict[FieldType, sql.SQL] = {
    FieldType.TEXT: sql.SQL("text"),
    FieldType.CODE: sql.SQL("text"),
    FieldType.INTEGER: sql.SQL("integer"),
    FieldType.NUMBER: sql.SQL("double precision"),
    FieldType.BOOLEAN: sql.SQL("boolean"),
    FieldType.DATE: sql.SQL("date"),
    FieldType.DATETIME: sql.SQL("timestamptz"),
}
