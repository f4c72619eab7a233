"""The index behind the search box: which texts of a layer can be typed, and the triggers that keep the index.

A layer's folder says it all: fields marked ``search``, or its label and key where none is. Tables and views on
operational tables are followed alike. What moves by the minute (a view with a time: events, staff) is not copied.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

import psycopg
from psycopg import sql
from pypinyin.pinyin_dict import pinyin_dict

from onemap.domain.layer import DataClass, Field, FieldType, Layer
from onemap.store.named import compose, named, statement
from onemap.store.scope import relation

type Connection = psycopg.Connection[tuple[Any, ...]]

#: Where a layer's texts stand in ``core.search.place``.
TITLE = 0

_STRICTNESS = list(DataClass)
_HAN_FROM, _HAN_TO = 0x3400, 0x9FFF
_INDEXES = ("index_begins", "index_ends", "index_grams", "index_feature")


def is_indexed(layer: Layer) -> bool:
    """Whether a layer's texts are copied into the index."""
    return not (layer.is_view and layer.time) and bool(texts(layer))


def texts(layer: Layer) -> tuple[Field, ...]:
    """The fields that can be searched, the title first; never one that fewer may see than the layer itself."""
    label = layer.field(layer.label) if layer.label else None
    marked = [field for field in layer.fields if field.search]
    wanted = [field for field in marked or dict.fromkeys([label or layer.key, layer.key]) if _is_open(layer, field)]
    named_by = [field for field in wanted if not field.unique and field.type is FieldType.TEXT]
    title = label if label in wanted else next(iter(named_by), None)
    return tuple(sorted(wanted, key=lambda field: field is not title))


def prepare(connection: Connection) -> None:
    """Fill the table of readings, once."""
    row = connection.execute(statement(named("search")["n_readings"])).fetchone()
    if row and row[0]:
        return
    with connection.cursor().copy(statement(named("search")["copy_readings"])) as copy:
        for code, readings in pinyin_dict.items():
            if _HAN_FROM <= code <= _HAN_TO:
                plain = list(dict.fromkeys(map(without_tones, readings.split(","))))
                copy.write_row((chr(code), plain[:2]))


def ensure(connection: Connection, layer: Layer) -> None:
    """Bring the triggers of a layer to what its folder says, and its part of the index with them."""
    if not is_indexed(layer):
        return
    queries = named("search")
    triggers = _triggers(connection, layer)
    bodies = "\n".join(body.as_string() for _, body, _ in triggers)
    checksum = hashlib.sha256(bodies.encode()).hexdigest()
    state = [
        connection.execute(statement(queries["state"]), {"function": f"layer.{function}"}).fetchone()
        for function in dict.fromkeys(function for function, _, _ in triggers)
    ]
    if all(row is not None and row[0] == checksum and row[1] for row in state):
        return
    for function, body, made in triggers:
        name = sql.Identifier("layer", function)
        connection.execute(compose(queries["function"], function=name, body=sql.Literal(body.as_string())))
        connection.execute(compose(queries["note"], function=name, checksum=sql.Literal(checksum)))
        for kind, table in made:
            trigger = sql.Identifier(f"search_{layer.name}_{kind}")
            parts = {"name": trigger, "table": table, "function": name}
            connection.execute(compose(queries["drop_trigger"], **parts))
            connection.execute(compose(queries[kind], **parts))
    connection.execute(compose(queries["empty"], layer=sql.Literal(layer.name)))
    for query in _put(layer, relation(layer)):
        connection.execute(query)


def finish(connection: Connection) -> None:
    """Index what was filled; sorted building is several times faster than growing."""
    for name in _INDEXES:
        connection.execute(statement(named("search")[name]))


def without_tones(reading: str) -> str:
    """``lǜ`` as people type it: ``lv``."""
    letters = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _is_open(layer: Layer, field: Field) -> bool:
    return _STRICTNESS.index(layer.class_of(field.name)) <= _STRICTNESS.index(layer.data_class)


type _Made = list[tuple[str, sql.Composable]]


def _triggers(connection: Connection, layer: Layer) -> list[tuple[str, sql.Composed, _Made]]:
    """Functions by name, their bodies, and the triggers that call them."""
    queries, name = named("search"), sql.Literal(layer.name)
    written: tuple[str, ...] = ("on_insert", "on_update", "on_delete", "on_truncate")
    if not layer.is_view:
        words, put = _put(layer, sql.SQL("new_rows"))
        watched = dict.fromkeys(["fid", "area_code", *(f.name for f in texts(layer)), *layer.restricted_rows])
        columns = sql.SQL(", ").join(sql.Identifier("f", column) for column in watched)
        body = compose(queries["table_trigger"], layer=name, put_words=words, put=put, watched=columns)
        return [(f"{layer.name}_search", body, [(kind, relation(layer)) for kind in written])]
    rows = compose(
        "(SELECT v.* FROM {view} AS v WHERE v.fid IN (SELECT n.fid FROM new_rows AS n))", view=relation(layer)
    )
    words, put = _put(layer, rows)
    body = compose(queries["view_trigger"], layer=name, put_words=words, put=put)
    all_words, put_all = _put(layer, relation(layer))
    beside = compose(queries["beside_trigger"], layer=name, put_words=all_words, put=put_all)
    found: list[tuple[str, sql.Composed, _Made]] = []
    for table, has_fid in connection.execute(
        statement(queries["bases"]), {"relation": f"layer.{layer.name}"}
    ).fetchall():
        base = sql.Identifier(*table.split(".", 1))
        if has_fid:
            found.append((f"{layer.name}_search", body, [(kind, base) for kind in written]))
        else:
            found.append((f"{layer.name}_search_beside", beside, [("on_beside", base)]))
    return found


def _put(layer: Layer, source: sql.Composable) -> tuple[sql.Composed, sql.Composed]:
    """The two statements that bring rows into the index: new words, then the texts."""
    queries = named("search")
    values = sql.SQL(", ").join(
        sql.SQL("({}, {}::text)").format(sql.Literal(place), sql.Identifier("f", field.name))
        for place, field in enumerate(texts(layer))
    )
    hidden = [
        sql.SQL("({} NOT IN ({})) IS NOT TRUE").format(
            sql.Identifier("f", column), sql.SQL(", ").join(map(sql.Literal, kept))
        )
        for column, kept in layer.restricted_rows.items()
    ]
    rows = compose(
        queries["rows_of"],
        source=source,
        texts=sql.SQL("LATERAL (VALUES {})").format(values),
        restricted=sql.SQL(" OR ").join(hidden) if hidden else sql.SQL("FALSE"),
    )
    name = sql.Literal(layer.name)
    words = compose(queries["put_words"] + ";", rows=rows)
    return words, compose(queries["put"] + ";", rows=rows, layer=name, mark=compose("core.search_mark({x})", x=name))
