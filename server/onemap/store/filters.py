"""CQL2-JSON becomes SQL: every name is a known column, every value a parameter, every type is checked first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from psycopg import sql
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from onemap.domain.feature import Crs, Filter, feed_fields
from onemap.domain.layer import GEOM, FieldType, Layer
from onemap.domain.scope import Scope
from onemap.errors import BadQuery

#: A spatial literal may have this many vertices, a list this many values.
MAX_VERTICES, MAX_VALUES = 10_000, 1_000

#: Names by which a filter may speak of the geometry.
GEOMETRY_NAMES = frozenset({"geometry", GEOM})

_KINDS = {
    FieldType.TEXT: "text",
    FieldType.CODE: "text",
    FieldType.INTEGER: "number",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.DATETIME: "time",
}

_COMPARISONS = {"=": "=", "<>": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_ARITHMETIC = {"+": "+", "-": "-", "*": "*", "/": "/"}
_SPATIAL = {
    "s_intersects": "ST_Intersects",
    "s_equals": "ST_Equals",
    "s_disjoint": "ST_Disjoint",
    "s_touches": "ST_Touches",
    "s_within": "ST_Within",
    "s_contains": "ST_Contains",
    "s_overlaps": "ST_Overlaps",
    "s_crosses": "ST_Crosses",
}
#: Allen's relations of two stretches of time, a and b, by their ends 0 and 1.
_TEMPORAL = {
    "t_after": "{a0} > {b1}",
    "t_before": "{a1} < {b0}",
    "t_contains": "({a0} < {b0} AND {a1} > {b1})",
    "t_disjoint": "({a1} < {b0} OR {a0} > {b1})",
    "t_during": "({a0} > {b0} AND {a1} < {b1})",
    "t_equals": "({a0} = {b0} AND {a1} = {b1})",
    "t_finishedby": "({a0} < {b0} AND {a1} = {b1})",
    "t_finishes": "({a0} > {b0} AND {a1} = {b1})",
    "t_intersects": "({a0} <= {b1} AND {a1} >= {b0})",
    "t_meets": "{a1} = {b0}",
    "t_metby": "{a0} = {b1}",
    "t_overlappedby": "({a0} > {b0} AND {a0} < {b1} AND {a1} > {b1})",
    "t_overlaps": "({a0} < {b0} AND {a1} > {b0} AND {a1} < {b1})",
    "t_startedby": "({a0} = {b0} AND {a1} > {b1})",
    "t_starts": "({a0} = {b0} AND {a1} < {b1})",
}

_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_TIMESTAMP = re.compile(
    _DATE.pattern + r"[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)"
)


@dataclass(frozen=True, slots=True)
class _Term:
    """A piece of SQL and what it holds: text, number, boolean, date, time, geometry or null."""

    sql: sql.Composable
    kind: str


class FilterCompiler:
    """Compiles filters of one reader on one layer; ``values`` gathers the parameters."""

    def __init__(self, layer: Layer, scope: Scope, alias: str = "f") -> None:
        self._fields = {candidate.name: candidate for candidate in feed_fields(layer, scope)}
        self._layer, self._alias = layer, alias
        self.values: dict[str, Any] = {}

    def compile(self, asked: Filter) -> sql.Composable:
        """The condition that a filter stands for; ``BadQuery`` names what cannot be read."""
        self._crs = asked.crs
        return self._condition(asked.tree)

    def equals(self, name: str, text: str) -> sql.Composable:
        """The condition that a property has a value given as text."""
        term = self._property(name)
        return sql.SQL("{} = {}").format(term.sql, self._coerced(text, term.kind, f"parameter '{name}'").sql)

    # Conditions -----------------------------------------------------------------------------------------------------

    def _condition(self, tree: Any) -> sql.Composable:
        if isinstance(tree, bool):
            return sql.SQL("TRUE" if tree else "FALSE")
        if not isinstance(tree, Mapping):
            raise BadQuery(f"A filter is a condition, not {_shown(tree)}.")
        op, args = tree.get("op"), tree.get("args")
        if op is None:
            return self._truth(tree)
        if not isinstance(op, str) or not isinstance(args, Sequence) or isinstance(args, str):
            raise BadQuery("An operation of a filter has a name and a list of arguments.")
        return self._operation(op.lower(), args)

    def _operation(self, op: str, args: Sequence[Any]) -> sql.Composable:
        if op in ("and", "or"):
            if len(args) < 2:
                raise BadQuery(f"'{op}' joins at least two conditions.")
            joined = sql.SQL(f" {op.upper()} ").join(self._condition(arg) for arg in args)
            return sql.SQL("({})").format(joined)
        if op == "not":
            return sql.SQL("NOT ({})").format(self._condition(*_exactly(op, args, 1)))
        if op in _COMPARISONS:
            return self._comparison(_COMPARISONS[op], *_exactly(op, args, 2))
        if op in _SPATIAL:
            return self._spatial(_SPATIAL[op], op, *_exactly(op, args, 2))
        if op in _TEMPORAL:
            return self._temporal(op, *_exactly(op, args, 2))
        named: dict[str, Callable[[Sequence[Any]], sql.Composable]] = {
            "like": self._like,
            "between": self._between,
            "in": self._in,
            "isnull": self._is_null,
        }
        if op not in named:
            raise BadQuery(f"'{op}' is not an operator of this feed.")
        return named[op](args)

    def _truth(self, tree: Mapping[str, Any]) -> sql.Composable:
        term = self._term(tree)
        if term.kind != "boolean":
            raise BadQuery(f"{_shown(tree)} alone is no condition.")
        return term.sql

    def _comparison(self, operator: str, left: Any, right: Any) -> sql.Composable:
        a, b = self._pair(left, right)
        if "geometry" in (a.kind, b.kind):
            raise BadQuery("Geometries are compared with spatial functions such as S_INTERSECTS.")
        return sql.SQL(f"{{}} {operator} {{}}").format(a.sql, b.sql)

    def _like(self, args: Sequence[Any]) -> sql.Composable:
        value, pattern = (self._term(arg) for arg in _exactly("like", args, 2))
        if value.kind != "text" or pattern.kind != "text":
            raise BadQuery("LIKE compares texts.")
        return sql.SQL("{} LIKE {}").format(value.sql, pattern.sql)

    def _between(self, args: Sequence[Any]) -> sql.Composable:
        value, low, high = _exactly("between", args, 3)
        term, lower = self._pair(value, low)
        _, upper = self._pair(value, high)
        return sql.SQL("{} BETWEEN {} AND {}").format(term.sql, lower.sql, upper.sql)

    def _in(self, args: Sequence[Any]) -> sql.Composable:
        value, listed = _exactly("in", args, 2)
        if not isinstance(listed, Sequence) or isinstance(listed, str) or not 1 <= len(listed) <= MAX_VALUES:
            raise BadQuery(f"IN takes a list of 1 to {MAX_VALUES} values.")
        pairs = [self._pair(value, item) for item in listed]
        return sql.SQL("{} IN ({})").format(pairs[0][0].sql, sql.SQL(", ").join(item.sql for _, item in pairs))

    def _is_null(self, args: Sequence[Any]) -> sql.Composable:
        return sql.SQL("{} IS NULL").format(self._term(*_exactly("isNull", args, 1)).sql)

    # Terms ----------------------------------------------------------------------------------------------------------

    def _pair(self, left: Any, right: Any) -> tuple[_Term, _Term]:
        """Two terms that can be compared: a text beside a date or a time is read as one."""
        a, b = self._term(left), self._term(right)
        if a.kind == b.kind:
            return a, b
        if isinstance(right, str) and a.kind in ("date", "time"):
            return a, self._coerced(right, a.kind, "the filter")
        if isinstance(left, str) and b.kind in ("date", "time"):
            return self._coerced(left, b.kind, "the filter"), b
        if {a.kind, b.kind} == {"date", "time"}:
            return _as_time(a), _as_time(b)
        raise BadQuery(f"A {a.kind} cannot be compared with a {b.kind}.")

    def _term(self, tree: Any) -> _Term:
        if isinstance(tree, bool):
            return _Term(self._value(tree), "boolean")
        if isinstance(tree, int | float):
            if not np.isfinite(tree):
                raise BadQuery("Numbers in a filter are finite.")
            whole = float(tree).is_integer() and abs(tree) < 2**53
            # whole numbers stay whole, so that an index on an integer column serves them
            cast = sql.SQL("{}::bigint" if whole else "{}::double precision")
            return _Term(cast.format(self._value(int(tree) if whole else float(tree))), "number")
        if isinstance(tree, str):
            return _Term(sql.SQL("{}::text").format(self._value(_clean(tree))), "text")
        if isinstance(tree, Mapping):
            return self._composed(tree)
        raise BadQuery(f"{_shown(tree)} cannot stand here in a filter.")

    def _composed(self, tree: Mapping[str, Any]) -> _Term:
        if "property" in tree:
            return self._property(tree["property"])
        for word, kind in (("date", "date"), ("timestamp", "time")):
            if word in tree:
                return self._coerced(tree[word], kind, word.upper())
        if not tree.keys().isdisjoint(("bbox", "coordinates", "geometries")):
            return self._geometry(tree)
        return self._function(str(tree.get("op", "")).lower(), tree.get("args", ()), tree)

    def _function(self, op: str, args: Any, tree: Mapping[str, Any]) -> _Term:
        if op in _ARITHMETIC:
            return self._arithmetic(_ARITHMETIC[op], *_exactly(op, args, 2))
        if op == "casei":
            term = self._term(*_exactly(op, args, 1))
            if term.kind != "text":
                raise BadQuery("CASEI takes a text.")
            return _Term(sql.SQL("lower({})").format(term.sql), "text")
        if op in _COMPARISONS or op in ("and", "or", "not", "like", "between", "in", "isnull"):
            return _Term(sql.SQL("({})").format(self._condition(tree)), "boolean")
        raise BadQuery(f"{_shown(op or tree)} is not a function of this feed.")

    def _arithmetic(self, operator: str, left: Any, right: Any) -> _Term:
        a, b = self._term(left), self._term(right)
        if (a.kind, b.kind) != ("number", "number"):
            raise BadQuery("Arithmetic is done on numbers.")
        return _Term(sql.SQL(f"({{}}::double precision {operator} {{}})").format(a.sql, b.sql), "number")

    def _property(self, name: Any) -> _Term:
        known = self._fields.get(name) if isinstance(name, str) else None
        if known is None and isinstance(name, str) and name in GEOMETRY_NAMES:
            return _Term(sql.Identifier(self._alias, GEOM), "geometry")
        if known is None:
            raise BadQuery(f"Layer '{self._layer.name}' has no property {_shown(name)}.")
        return _Term(sql.Identifier(self._alias, known.name), _KINDS[known.type])

    def _coerced(self, value: Any, kind: str, where: str) -> _Term:
        """A value given as text, read as a kind."""
        text = _clean(value)
        if kind == "number":
            try:
                return self._term(float(text))
            except ValueError:
                raise BadQuery(f"{_shown(value)} in {where} is not a number.") from None
        if kind == "boolean":
            if text.lower() not in ("true", "false"):
                raise BadQuery(f"{_shown(value)} in {where} is neither true nor false.")
            return self._term(text.lower() == "true")
        if kind == "date" and _DATE.fullmatch(text):
            return _Term(sql.SQL("{}::date").format(self._value(text)), "date")
        if kind in ("date", "time") and _TIMESTAMP.fullmatch(text):
            return _Term(sql.SQL("{}::timestamptz").format(self._value(text)), "time")
        if kind == "time" and _DATE.fullmatch(text):
            return _Term(sql.SQL("{}::timestamptz").format(self._value(f"{text}T00:00:00Z")), "time")
        if kind == "text":
            return self._term(text)
        raise BadQuery(f"{_shown(value)} in {where} is not a {kind}.")

    # Space and time -------------------------------------------------------------------------------------------------

    def _spatial(self, function: str, op: str, left: Any, right: Any) -> sql.Composable:
        a, b = self._term(left), self._term(right)
        if (a.kind, b.kind) != ("geometry", "geometry"):
            raise BadQuery(f"{op.upper()} takes two geometries.")
        return sql.SQL(f"{function}({{}}, {{}})").format(a.sql, b.sql)

    def _geometry(self, tree: Mapping[str, Any]) -> _Term:
        shape = spatial_literal(tree, self._crs)
        value = self._value(shapely.to_wkb(shapely.set_srid(shape, self._crs.srid), hex=True, include_srid=True))
        if self._crs.is_degrees:
            return _Term(sql.SQL("{}::geometry").format(value), "geometry")
        # a subquery runs once, not once a row
        return _Term(sql.SQL("(SELECT ST_Transform({}::geometry, 4490))").format(value), "geometry")

    def _temporal(self, op: str, left: Any, right: Any) -> sql.Composable:
        (a0, a1), (b0, b1) = self._ends(left), self._ends(right)
        return sql.SQL(_TEMPORAL[op]).format(a0=a0, a1=a1, b0=b0, b1=b1)

    def _ends(self, tree: Any) -> tuple[sql.Composable, sql.Composable]:
        """First and last moment of an instant or an interval."""
        if isinstance(tree, Mapping) and "interval" in tree:
            ends = tree["interval"]
            if not isinstance(ends, Sequence) or isinstance(ends, str) or len(ends) != 2:
                raise BadQuery("INTERVAL has a start and an end.")
            return self._end(ends[0], "-infinity"), self._end(ends[1], "infinity")
        moment = self._moment(tree)
        return moment, moment

    def _end(self, tree: Any, unbounded: str) -> sql.Composable:
        if tree == ".." or tree is None:
            return sql.SQL("{}::timestamptz").format(sql.Literal(unbounded))
        if isinstance(tree, str) and unbounded == "infinity" and _DATE.fullmatch(tree):
            # an interval that ends on a day ends with that day
            day = self._coerced(tree, "date", "INTERVAL")
            return sql.SQL("({}::timestamp AT TIME ZONE 'UTC' + interval '1 day - 1 microsecond')").format(day.sql)
        return self._moment(tree)

    def _moment(self, tree: Any) -> sql.Composable:
        term = self._coerced(tree, "time", "the filter") if isinstance(tree, str) else self._term(tree)
        if term.kind not in ("date", "time"):
            raise BadQuery(f"{_shown(tree)} is neither a moment nor an interval.")
        return _as_time(term).sql

    def _value(self, value: Any) -> sql.Composable:
        name = f"c{len(self.values)}"
        self.values[name] = value
        return sql.Placeholder(name)


def spatial_literal(tree: Mapping[str, Any], crs: Crs) -> BaseGeometry:
    """The geometry that a filter holds, x before y; ``BadQuery`` where it is too large, out of bounds or not valid."""
    try:
        shape = shapely.box(*_corners(tree["bbox"])) if "bbox" in tree else _shape(tree)
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise BadQuery("A geometry in the filter cannot be read.") from None
    shape = shapely.force_2d(shape)
    points = shapely.get_coordinates(shape)
    if not len(points):
        raise BadQuery("A geometry in the filter is empty.")
    if len(points) > MAX_VERTICES:
        raise BadQuery(f"A geometry in the filter has {len(points)} vertices; at most {MAX_VERTICES} can be taken.")
    if crs.flipped:
        shape = shapely.transform(shape, lambda pairs: pairs[:, ::-1])
        points = points[:, ::-1]
    west, south, east, north = crs.domain
    inside = (points >= (west, south)) & (points <= (east, north))
    if not np.isfinite(points).all() or not inside.all():
        raise BadQuery(f"A geometry in the filter lies outside the bounds of {crs.uri}.")
    if not shapely.is_valid(shape):
        raise BadQuery(f"A geometry in the filter is not valid: {shapely.is_valid_reason(shape)}.")
    return shape


def _shape(tree: Mapping[str, Any]) -> BaseGeometry:
    kinds = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")
    if tree.get("type") not in kinds:
        raise ValueError(tree.get("type"))
    return shapely.geometry.shape(tree)


def _corners(values: Any) -> tuple[float, float, float, float]:
    numbers = [float(value) for value in values]
    if len(numbers) == 6:
        numbers = [numbers[i] for i in (0, 1, 3, 4)]
    west, south, east, north = numbers
    if not all(map(np.isfinite, numbers)) or west > east or south > north:
        raise ValueError(values)
    return west, south, east, north


def _as_time(term: _Term) -> _Term:
    if term.kind == "date":
        return _Term(sql.SQL("({}::timestamp AT TIME ZONE 'UTC')").format(term.sql), "time")
    return term


def _exactly(op: str, args: Any, n: int) -> Sequence[Any]:
    if not isinstance(args, Sequence) or isinstance(args, str) or len(args) != n:
        raise BadQuery(f"'{op}' takes {n} argument{'s' if n > 1 else ''}.")
    return args


def _clean(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise BadQuery("A text in the filter holds what no text can hold.")
    return value


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return f"'{text[:60]}…'" if len(text) > 60 else f"'{text}'"
