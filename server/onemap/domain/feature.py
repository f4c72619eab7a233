"""What can be asked of a layer's features: the values that the feed parses and the store answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onemap.domain.layer import AREA_CODE, Field, FieldType, Layer, Title
from onemap.domain.scope import Scope
from onemap.errors import BadQuery

#: Storage CRS: CGCS2000, longitude before latitude inside.
STORAGE_SRID = 4490

DEFAULT_LIMIT, MAX_LIMIT = 1_000, 10_000

_AREA_FIELD = Field(AREA_CODE, FieldType.TEXT, Title("所属区划", "Area code"))


@dataclass(frozen=True, slots=True)
class Crs:
    """A coordinate reference system of the feed.

    Attributes
    ----------
    uri
        How the standard names it.
    srid
        How PostGIS names it; CRS84 and EPSG:4326 are taken as EPSG:4490 (they differ by centimetres).
    flipped
        Whether the authority puts latitude or northing first; inside it is always x, y.
    digits
        Decimals of a coordinate: centimetres in degrees, millimetres in metres.
    domain
        ``(west, south, east, north)`` in its own units, x before y: where it can be transformed.
    """

    uri: str
    srid: int
    flipped: bool
    digits: int
    domain: tuple[float, float, float, float]

    @property
    def is_degrees(self) -> bool:
        """Whether coordinates are longitude and latitude."""
        return self.srid == STORAGE_SRID


_DEGREES = (-180.0, -90.0, 180.0, 90.0)
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"

CRS84 = Crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84", STORAGE_SRID, flipped=False, digits=7, domain=_DEGREES)
EPSG_4326 = Crs(f"{_EPSG}4326", STORAGE_SRID, flipped=True, digits=7, domain=_DEGREES)
EPSG_4490 = Crs(f"{_EPSG}4490", STORAGE_SRID, flipped=True, digits=7, domain=_DEGREES)
EPSG_3857 = Crs(
    f"{_EPSG}3857", 3857, flipped=False, digits=3, domain=(-20037508.34, -20037508.34, 20037508.34, 20037508.34)
)


def gauss_kruger(longitude: float) -> Crs:
    """The 3-degree Gauss-Krueger zone of CGCS2000 (without zone prefix) that a longitude lies in; northing first."""
    meridian = min(max(round(longitude / 3) * 3, 75), 135)
    srid = 4534 + (meridian - 75) // 3
    return Crs(f"{_EPSG}{srid}", srid, flipped=True, digits=3, domain=(50_000.0, 0.0, 950_000.0, 10_000_000.0))


def crs_list(longitude: float) -> tuple[Crs, ...]:
    """Every CRS of the feed for data around a longitude: CRS84 first, as the standard asks."""
    return (CRS84, EPSG_4326, EPSG_4490, EPSG_3857, gauss_kruger(longitude))


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box, x before y, in one CRS; it may cross the antimeridian when in degrees."""

    west: float
    south: float
    east: float
    north: float
    crs: Crs = CRS84

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.west, self.south, self.east, self.north))):
            raise BadQuery("A bounding box is made of finite numbers.")
        if self.south > self.north:
            raise BadQuery("A bounding box has its southern edge below its northern edge.")
        if self.west > self.east and not self.crs.is_degrees:
            raise BadQuery("A bounding box has its western edge left of its eastern edge.")

    def parts(self) -> tuple[tuple[float, float, float, float], ...]:
        """The box cut at the antimeridian and clipped to where its CRS can be transformed; may be empty."""
        spans = [(self.west, self.east)] if self.west <= self.east else [(self.west, 180.0), (-180.0, self.east)]
        left, bottom, right, top = self.crs.domain
        cut = [
            (max(west, left), max(self.south, bottom), min(east, right), min(self.north, top)) for west, east in spans
        ]
        return tuple(part for part in cut if part[0] <= part[2] and part[1] <= part[3])


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, both ends in it; None is open. A duration stands for the end or the start, never both.

    ``starts_at`` and ``ends_at`` are RFC 3339 texts, ``duration`` is an ISO 8601 one.
    """

    starts_at: str | None
    ends_at: str | None
    duration: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One step of a sort order."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """A CQL2 filter as CQL2-JSON, and the CRS of the geometries in it; ``text`` is what was sent."""

    text: str
    tree: Mapping[str, Any] = field(hash=False, compare=False)
    crs: Crs = CRS84


@dataclass(frozen=True, slots=True)
class Ask:
    """A page of features.

    Attributes
    ----------
    after
        Values of the sort fields and the fid of the last feature that was seen, as ``Page.cursor`` gave them.
    fields
        Which properties to give; None is all that the reader may see.
    """

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    after: tuple[Any, ...] | None = None
    crs: Crs = CRS84
    box: Box | None = None
    span: Span | None = None
    equals: tuple[tuple[str, str], ...] = ()
    filter: Filter | None = None
    order: tuple[Order, ...] = ()
    fields: tuple[str, ...] | None = None
    geometry: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """What was found.

    Attributes
    ----------
    features
        GeoJSON features with commas between them, UTF-8, as PostGIS wrote them.
    n_returned, n_matched
        Features in this page, and in all pages together.
    estimated
        Whether ``n_matched`` is the planner's estimate rather than a count.
    cursor
        Where the next page begins; None on the last.
    """

    features: bytes
    n_returned: int
    n_matched: int
    estimated: bool
    cursor: tuple[Any, ...] | None


def feed_fields(layer: Layer, scope: Scope) -> tuple[Field, ...]:
    """The properties of a layer's features that a reader may see: its area, then its own fields."""
    own = tuple(candidate for candidate in layer.fields if scope.sees_field(layer, candidate))
    return own if any(candidate.name == AREA_CODE for candidate in layer.fields) else (_AREA_FIELD, *own)
