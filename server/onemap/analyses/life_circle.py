"""
Who can walk to what within the limit: coverage by category, and by building, grid, estate, area or H3 cell.

Households and persons of a building are internal. The public reads shares in whole per cent, for the standard walker
only, and nothing where fewer than five buildings, households or persons stand behind a number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onemap.analyses import network_words
from onemap.analyses.circle_answers import (
    BuildingColumns,
    CategoryByZone,
    CategoryCoverage,
    Coverage,
    FacilityPoint,
    histogram,
    mean_seconds,
    part,
)
from onemap.analyses.circle_ground import Ground, LifeCircles, in_scope, visible_prefixes
from onemap.analyses.circle_rules import ADULT_KMH, check_speed
from onemap.analyses.circle_zones import BY, FEW, PUBLIC_BY, few, rounded, suppressed, zones_of
from onemap.domain.layer import Catalog, Title
from onemap.domain.scope import Scope
from onemap.engine.coverage.hours import week_minute
from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.arrays import F64, I64
from onemap.errors import InputRefused, InvalidValue, NotAllowed

#: Facilities this far outside the area are listed with it, metres.
_AROUND_M = 1500.0
_GRID_DIGITS = 15


@dataclass(frozen=True, slots=True)
class CircleAsk:
    """Whose life circle: an area ('' all that the reader sees), a walker, a moment of the week, a limit in minutes."""

    area: str = ""
    speed_kmh: float = ADULT_KMH
    open_at: str | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        """Refuse a walker that does not exist and a moment that is none."""
        check_speed(self.speed_kmh)
        _ = self.minute

    @property
    def minute(self) -> int | None:
        """The moment as a minute of the week."""
        return None if self.open_at is None else week_minute(self.open_at)

    @property
    def is_standard(self) -> bool:
        """Whether it is what everybody may ask."""
        return self.speed_kmh == ADULT_KMH and self.open_at is None and self.minutes is None


def coverage(circles: LifeCircles, catalog: Catalog, scope: Scope, ask: CircleAsk) -> Coverage:
    """Coverage of an area by every category that has a limit or a facility."""
    sees_all = sees_numbers(catalog, scope, ask)
    ground, rules = circles.ground(), circles.rules
    area = ground.area(ask.area, scope)
    rows = _homes_of(ground, ask.area, scope)
    named = category_titles(catalog)
    present = [name for name in named if name in ground.services and name not in rules.limits]
    unsnapped = int((~ground.homes.places.found[rows]).sum())
    told = sees_all or len(rows) >= FEW
    return Coverage(
        area=area.code if area else None,
        area_title=area.title if area else None,
        households=int(ground.homes.households[rows].sum()) if told else None,
        persons=int(ground.homes.persons[rows].sum()) if told else None,
        n_buildings=len(rows),
        n_unsnapped=unsnapped,
        n_components=len(ground.network.components.n_node),
        speed_kmh=ask.speed_kmh,
        document=rules.document,
        verified=rules.verified,
        note=None if rules.verified else rules.note,
        assumptions=assumptions(ground, ask, unsnapped),
        categories=[
            _category(circles, ground, scope, ask, rows, name, named.get(name, Title(name, name)), sees_all)
            for name in (*rules.limits, *present)
        ],
    )


def category_by_zone(
    circles: LifeCircles, catalog: Catalog, scope: Scope, ask: CircleAsk, category: str, by: str
) -> CategoryByZone:
    """One category by zones, or building by building."""
    sees_all = sees_numbers(catalog, scope, ask)
    if by not in BY:
        raise InvalidValue(f"Coverage cannot be told by '{by}'; it is told by {', '.join(BY)}.").in_chinese(
            f"不能按“{by}”统计，可选：{'、'.join(BY)}。"
        )
    if not sees_all and by not in PUBLIC_BY:
        raise NotAllowed(
            f"Households by {by} are internal: sign in, or ask by grid, community, street or h3."
        ).in_chinese("该统计单位的户数为内部数据：请登录，或按网格、社区、街道、H3 统计。")
    title = titled_category(catalog, category)
    ground = circles.ground()
    area = ground.area(ask.area, scope)
    rows = _homes_of(ground, ask.area, scope)
    limit = circles.rules.limit(category, ask.minutes)
    metres = usable_walks(ground, category, ask.minute)[rows]
    zones = [] if by == "building" else zones_of(ground, rows, metres, limit, ask.speed_kmh, by)
    return CategoryByZone(
        category=category,
        title=title,
        area=area.code if area else None,
        by=by,
        speed_kmh=ask.speed_kmh,
        limit_m=limit.metres,
        limit_s=limit.seconds_at(ask.speed_kmh),
        document=limit.document,
        verified=limit.verified,
        note=circles.rules.remark(limit),
        rows=zones if sees_all else suppressed(zones),
        buildings=_columns(ground, rows, metres, ask.speed_kmh) if by == "building" else None,
        facilities=facilities_around(ground, category, ask, scope, rows),
        histogram=histogram(metres, ground.homes.households[rows], limit, ask.speed_kmh) if sees_all else None,
    )


def households_with_all(
    circles: LifeCircles, catalog: Catalog, scope: Scope, code: str | None
) -> tuple[int, int] | None:
    """
    Households that walk to every service of the rule set within 15 minutes, and all, of an area or grid.

    None while it is being computed; ``NotAllowed`` for readers who may not know the numbers of single buildings.
    """
    sees_numbers(catalog, scope, None)
    known = circles.all_within_or_soon()
    if known is None:
        return None
    ground, within = known
    is_grid = code is not None and len(code) == _GRID_DIGITS
    rows = ground.rows_of_grid(code or "", scope) if is_grid else ground.rows(code, scope)
    households = ground.homes.households[rows]
    return int(households[within[rows]].sum()), int(households.sum())


def sees_numbers(catalog: Catalog, scope: Scope, ask: CircleAsk | None) -> bool:
    """
    Whether the reader may know the numbers of single buildings; without, only what is standard may be asked.

    Raises
    ------
    NotAllowed
        The reader may ask nothing of the kind.
    """
    buildings = catalog.layer("buildings")
    if not all(scope.sees(catalog.layer(name)) for name in ("buildings", "facilities", "areas")):
        raise NotAllowed("You may not see buildings or facilities, from which coverage is counted.").in_chinese(
            "无权查看建筑或设施，不能计算覆盖。"
        )
    if all(scope.sees_field(buildings, buildings.field(name)) for name in ("households", "persons")):
        return True
    if ask is None or not ask.is_standard:
        raise NotAllowed(
            "Households of buildings are internal. Without signing in, coverage is shown for the standard walker "
            f"({ADULT_KMH:g} km/h, the rule's own limits) only: many variants would tell the numbers of one building."
        ).in_chinese(f"楼栋户数为内部数据：不登录只能看标准步行（{ADULT_KMH:g} km/h、规定限值）的覆盖。")
    return False


def category_titles(catalog: Catalog) -> dict[str, Title]:
    """The categories of facilities by code, in their order."""
    codes = catalog.layer("facilities").field("category").codes
    return {code.value: code.title for code in codes.codes} if codes else {}


def titled_category(catalog: Catalog, category: str) -> Title:
    """The name of a category; ``InvalidValue`` where there is none such."""
    titles = category_titles(catalog)
    if not category.strip():
        raise InvalidValue("The category is empty: name one, such as kindergarten.").in_chinese("未选设施类别。")
    if category not in titles:
        raise InvalidValue(f"There is no category '{category}'; the categories are {', '.join(titles)}.").in_chinese(
            f"没有设施类别“{category}”，可选：{'、'.join(title.zh for title in titles.values())}。"
        )
    return titles[category]


def usable_walks(ground: Ground, category: str, minute: int | None = None) -> F64:
    """Metres from every home; ``InputRefused`` where no facility of the category can be walked to at all."""
    services, _ = ground.open_services(category, minute)
    if not len(services):
        raise InputRefused(
            f"No facility of category '{category}' is open then, so there is nothing to walk to."
        ).in_chinese("该时刻没有这类设施开放，无处可去。")
    if not services.places.found.any():
        raise InputRefused(
            f"All {len(services)} facilities of category '{category}' lie farther than {ground.network.max_snap_m:g} m "
            "from any street: nobody can be said to reach one."
        ).in_chinese(
            f"这类设施 {len(services)} 处离任何道路都超过 {ground.network.max_snap_m:g} 米，无法计算谁能走到。"
        )
    return ground.walks(category, minute).metres


def assumptions(ground: Ground, ask: CircleAsk, unsnapped: int) -> list[Title]:
    """What the numbers take for granted, in sentences."""
    kmh = f"{ask.speed_kmh:g}"
    said = [
        Title(
            f"按路网步行，{kmh} km/h；从建筑中心直线走到最近的道路，再沿路走到设施。区域外的设施也计入。",
            f"Walks along streets at {kmh} km/h, straight from a building's centre to the nearest street; "
            "facilities outside the area count.",
        )
    ]
    if ask.open_at is not None:
        said.append(
            Title(
                f"只计 {ask.open_at} 开放的设施；未写明开放时间的视为开放。",
                f"Only facilities open at {ask.open_at} count; those without readable hours are taken to be open.",
            )
        )
    if unsnapped:
        far = f"{ground.network.max_snap_m:g} m"
        said.append(
            Title(
                f"{unsnapped} 栋建筑离任何道路超过 {far}，按未覆盖计。",
                f"{unsnapped} buildings lie farther than {far} from any street and count as not covered.",
            )
        )
    lost = sum(int((~services.places.found).sum()) for services in ground.services.values())
    if lost:
        far = f"{ground.network.max_snap_m:g} m"
        said.append(
            Title(
                f"{lost} 处设施离任何道路超过 {far}，不计入。",
                f"{lost} facilities lie farther than {far} from any street and take no part.",
            )
        )
    return said + network_words.said(ground.network.notes)


def facilities_around(ground: Ground, category: str, ask: CircleAsk, scope: Scope, rows: I64) -> list[FacilityPoint]:
    """The facilities that the reader sees and that people of these homes may walk to."""
    services = ground.services.get(category)
    if services is None:
        return []
    x, y = ground.homes.x[rows], ground.homes.y[rows]
    near = (
        (services.x >= x.min() - _AROUND_M) & (services.x <= x.max() + _AROUND_M)
        & (services.y >= y.min() - _AROUND_M) & (services.y <= y.max() + _AROUND_M)
    )  # fmt: skip
    standing = {row.fid for row in ground.open_services(category, ask.minute)[0].rows}
    return [
        FacilityPoint(row.fid, row.title, (row.lon, row.lat), row.fid in standing, bool(found))
        for row, shown, found in zip(services.rows, near, services.places.found, strict=True)
        if shown and in_scope(row.area_code, "", scope)
    ]


def _homes_of(ground: Ground, area: str, scope: Scope) -> I64:
    rows = ground.rows(area, scope)
    if not len(rows):
        where = f"Area {area}" if area else "What you may see"
        raise InputRefused(f"{where} holds no residential buildings, so nobody's walk can be counted.").in_chinese(
            "该范围没有住宅建筑，无法计算步行。"
        )
    return rows


def _category(
    circles: LifeCircles, ground: Ground, scope: Scope, ask: CircleAsk, rows: I64, category: str, title: Title,
    sees_all: bool,
) -> CategoryCoverage:  # fmt: skip
    rules, homes = circles.rules, ground.homes
    limit = rules.limit(category, ask.minutes)
    known = ground.services.get(category)
    here = visible_prefixes(ask.area, scope)
    n_here = sum(any(row.area_code.startswith(one) for one in here) for row in known.rows) if known else 0
    blank: dict[str, None] = dict.fromkeys(
        ("households_covered", "persons_covered", "share", "persons_share", "straight_share", "mean_s")
    )
    numbers: dict[str, float | int | None] = dict(blank)
    problem = None
    try:
        metres = usable_walks(ground, category, ask.minute)[rows]
    except InputRefused as refused:
        problem = str(refused)
    else:
        households, persons = homes.households[rows], homes.persons[rows]
        within = covered(metres, limit.metres_at(ask.speed_kmh))
        straight = covered(ground.straight_m(category, ask.minute)[rows], limit.metres_at(ask.speed_kmh))
        numbers = {
            "households_covered": int(households[within].sum()),
            "persons_covered": int(persons[within].sum()),
            "share": part(households, within),
            "persons_share": part(persons, within),
            "straight_share": part(households, straight),
            "mean_s": rounded(mean_seconds(metres, households, ask.speed_kmh)),
        }
        if not sees_all:
            too_few = len(rows) < FEW or any(
                few(weight, flags) for weight in (households, persons) for flags in (within, straight)
            )
            numbers = dict(blank) if too_few else _in_per_cent(numbers)
    return CategoryCoverage(
        category=category,
        title=title,
        group=limit.element,
        group_title=rules.elements.get(limit.element, Title(limit.element, limit.element)),
        limit_m=limit.metres,
        limit_s=limit.seconds_at(ask.speed_kmh),
        document=limit.document,
        verified=limit.verified,
        note=rules.remark(limit),
        n_facilities=n_here,
        problem=problem,
        **numbers,  # type: ignore[arg-type]
    )


def _columns(ground: Ground, rows: I64, metres: F64, speed_kmh: float) -> BuildingColumns:
    ms = speed_kmh / 3.6
    known = [float(m) if np.isfinite(m) else None for m in metres]
    return BuildingColumns(
        fid=ground.homes.fid[rows].tolist(),
        seconds=[None if m is None else round(m / ms, 1) for m in known],
        metres=[None if m is None else round(m, 1) for m in known],
        households=ground.homes.households[rows].astype(np.int64).tolist(),
        persons=ground.homes.persons[rows].astype(np.int64).tolist(),
    )


def _in_per_cent(numbers: dict[str, float | int | None]) -> dict[str, float | int | None]:
    def whole(name: str, digits: int) -> float | None:
        value = numbers[name]
        return None if value is None else float(round(value, digits))

    return {
        "households_covered": None,
        "persons_covered": None,
        **{name: whole(name, 2) for name in ("share", "persons_share", "straight_share")},
        "mean_s": whole("mean_s", -1),
    }
