"""The invented city: how large it is, and a stream of its parts, one community at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np
import shapely
from shapely import Polygon

from onemap.demo import layers, names, points, surroundings
from onemap.demo.community import Head, settle
from onemap.demo.frame import Frame, to_degrees
from onemap.demo.ground import shapes_of
from onemap.demo.plan import Cell, Sheet
from onemap.demo.shares import whole_shares
from onemap.demo.table import Table, stack, texts
from onemap.demo.town import BuiltCell, build_cell
from onemap.errors import InvalidValue

#: The fixtures' numbers (domain.md section 1).
HOUSEHOLDS, PERSONS, N_GRIDS, N_EVENTS = 14_878, 30_000, 29, 80_000
CITY_CODE, DISTRICT_CODE = "9901", "990101"
_PER_STREET, _PER_DISTRICT = 10, 50


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the city that is loaded at once: a community, or at the end the surroundings and the areas."""

    area_code: str
    name: str
    tables: dict[str, Table]
    #: The community's ground, local metres.
    ground: Polygon


@dataclass(frozen=True)
class City:
    """An invented city. Parts are made when asked for, so that a large city needs no large memory."""

    seed: int
    heads: tuple[Head, ...]
    now: datetime
    n_events: int
    log_days: int | None
    sheet: Sheet
    bend: Frame
    cameras: tuple[tuple[str, int], ...] = tuple(points.CAMERAS.items())

    @property
    def households(self) -> int:
        """All dwellings of the city."""
        return sum(head.households for head in self.heads)

    def communities(self, chosen: Iterable[int] | None = None) -> Iterator[Part]:
        """The communities, all or those of the given numbers; each is the same whoever asks, in whatever order."""
        built = self._builder()
        events = whole_shares(self.n_events, np.array([head.households for head in self.heads], dtype=float))
        for k in range(len(self.heads)) if chosen is None else chosen:
            community = settle(self.sheet, self.heads[k], built)
            rng = np.random.default_rng([self.seed, 41, k])
            tables = layers.tables(community, rng, self._wishes(self.heads[k], int(events[k])))
            yield Part(community.head.area_code, community.head.name, tables, community.area)

    def closing(self, grounds: Mapping[str, Polygon]) -> Part:
        """What comes last: the surroundings of a small city, and the areas, made from the communities' grounds."""
        around: dict[str, Table] = {}
        ground = Polygon()
        if len(self.heads) == 1:
            built = self._builder()
            community = settle(self.sheet, self.heads[0], built)
            around, ground = surroundings.around(self.sheet, community, built, self.heads[0].area_code[:9])
        return Part(CITY_CODE, names.CITY, {**around, "areas": _areas(self.heads, grounds, ground)}, ground)

    def parts(self) -> Iterator[Part]:
        """All parts in their order."""
        grounds: dict[str, Polygon] = {}
        for part in self.communities():
            grounds[part.area_code] = part.ground
            yield part
        yield self.closing(grounds)

    def tables(self) -> dict[str, Table]:
        """Every layer's rows of a small city, in one piece."""
        found: dict[str, list[Table]] = {}
        for part in self.parts():
            for name, table in part.tables.items():
                found.setdefault(name, []).append(table)
        return {name: stack(tables) for name, tables in found.items()}

    def _wishes(self, head: Head, n_events: int) -> layers.Wishes:
        share = head.households / HOUSEHOLDS
        code = head.area_code
        return layers.Wishes(
            self.now,
            n_events,
            tuple((kind, max(1, round(n * share))) for kind, n in self.cameras),
            self.log_days,
            f"{code[4:6]}{code[7:9]}{code[10:12]}" if len(self.heads) > 1 else "",
            date(self.now.year, 1, 1),
        )

    def _builder(self) -> Callable[[Cell], BuiltCell]:
        return lru_cache(maxsize=10)(lambda cell: build_cell(self.sheet, self.bend, cell))


def invent(
    seed: int = 1,
    scale: int = 1,
    *,
    now: datetime | None = None,
    households: int = HOUSEHOLDS,
    persons: int = PERSONS,
    n_grids: int = N_GRIDS,
    n_events: int | None = None,
    log_days: int | None = None,
) -> City:
    """
    A city by chance, the same for a seed.

    Parameters
    ----------
    seed
        Of everything that is drawn.
    scale
        How many communities; the first has exactly the numbers given, the others vary about them.
    now
        The present moment; events end here. Without it the present hour.
    households, persons, n_grids
        Of one community.
    n_events
        Of the whole city; without it 80,000 a community.
    log_days
        Histories of events are kept for so many days; without it all in a small city, 60 days in a large one.
    """
    if not 1 <= scale <= 1000:
        raise InvalidValue(f"A city has 1 to 1000 communities, not {scale}.")
    if not 20 <= n_grids <= 45 or not 440 <= households / n_grids <= 560:
        raise InvalidValue(f"{households} households cannot be spread over {n_grids} grids of about 513.")
    now = (now or datetime.now(UTC)).astimezone(UTC)
    rng = np.random.default_rng([seed, 10])
    sheet = Sheet.draw(seed, scale)
    heads = _heads(sheet, scale, seed, (households, persons, n_grids))
    return City(
        seed,
        heads,
        now,
        N_EVENTS * scale if n_events is None else n_events,
        log_days if log_days or scale < 10 else 60,
        sheet,
        Frame.draw(rng),
    )


def _heads(sheet: Sheet, scale: int, seed: int, numbers: tuple[int, int, int]) -> tuple[Head, ...]:
    """Codes, names and numbers: ten communities a street, fifty a district."""
    households, persons, n_grids = numbers
    rng = np.random.default_rng([seed, 14])
    cells = list(sheet.cells())[:scale]
    size = np.r_[1.0, rng.uniform(0.88, 1.12, scale - 1)] if scale > 1 else np.ones(1)
    homes = np.r_[households, whole_shares(households * (scale - 1), size[1:])] if scale > 1 else np.array([households])
    titles, offices = names.communities(scale), names.streets(-(-scale // _PER_STREET))
    heads = []
    for k, cell in enumerate(cells):
        street, in_street = divmod(k, _PER_STREET)
        district, in_district = divmod(street, _PER_DISTRICT // _PER_STREET)
        code = f"9901{district + 1:02d}{in_district + 1:03d}{in_street + 1:03d}"
        share = float(homes[k]) / households
        heads.append(
            Head(
                cell,
                code,
                titles[k],
                offices[street],
                int(homes[k]),
                round(persons * share),
                max(20, round(n_grids * share)),
            )
        )
    return tuple(heads)


def _areas(heads: tuple[Head, ...], grounds: Mapping[str, Polygon], around: Polygon) -> Table:
    """City, districts, streets and communities; the street of a small city covers its surroundings."""
    shapes: dict[str, Polygon] = dict(grounds)
    titles = {head.area_code: head.name for head in heads}
    numbers = {head.area_code: (head.households, head.persons) for head in heads}
    for length, child in ((9, 12), (6, 9), (4, 6)):
        for code in sorted({c[:length] for c in titles if len(c) == child}):
            members = [c for c in shapes if c.startswith(code) and len(c) == child]
            more = [around] if length == 9 and not around.is_empty else []
            shapes[code] = _without_slits(shapely.union_all(shapes_of([*(shapes[c] for c in members), *more])))
            numbers[code] = (sum(numbers[c][0] for c in members), sum(numbers[c][1] for c in members))
            titles[code] = _title(code, heads)
    order = sorted(titles, key=lambda c: (len(c), c))
    level = {4: "city", 6: "district", 9: "street", 12: "community"}
    parent = {6: 4, 9: 6, 12: 9}
    return Table(
        {
            "area_code": texts(order),
            "name": texts([titles[c] for c in order]),
            "level": texts([level[len(c)] for c in order]),
            "parent_code": texts([c[: parent[len(c)]] if len(c) > 4 else None for c in order]),
            "code_system": texts(["local"] * len(order)),
            "households": np.array([numbers[c][0] for c in order], dtype=np.int64),
            "persons": np.array([numbers[c][1] for c in order], dtype=np.int64),
        },
        to_degrees(shapes_of([shapes[c] for c in order])),
    )


def _without_slits(shape: Polygon) -> Polygon:
    """A shape without the holes, millimetres wide, that unions of ground cut in different ways leave."""
    parts = [
        Polygon(part.exterior, [ring for ring in part.interiors if Polygon(ring).area > 25.0])
        for part in shapely.get_parts(shape)
        if part.area > 25.0
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _title(code: str, heads: tuple[Head, ...]) -> str:
    if len(code) == 9:
        return next(head.street_name for head in heads if head.area_code.startswith(code))
    if len(code) == 6:
        return names.DISTRICT if code == DISTRICT_CODE else f"{names.DISTRICT.removesuffix('区')}{int(code[4:])}区"
    return names.CITY
