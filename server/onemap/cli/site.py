"""``onemap site``: where the next facilities of a category should go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from onemap.cli.circle_input import place_facilities, weights
from onemap.cli.common import emit, json_option, say
from onemap.cli.network_input import (
    Located,
    check_minutes,
    check_speed,
    components_document,
    in_plane,
    load_located,
    load_streets,
    snap_located,
    street_options,
    text_column,
    write_layers,
)
from onemap.engine.coverage.life_circle import covered
from onemap.engine.network.arrays import F64
from onemap.engine.network.build import build
from onemap.engine.network.index import Places, snap
from onemap.engine.network.network import Network
from onemap.engine.network.reach import reach, times
from onemap.engine.siting.candidates import street_candidates, thinned
from onemap.engine.siting.models import (
    Choice,
    Savings,
    cover_savings,
    fewest,
    median_savings,
    most_saved,
    worst_walk,
    worth_of,
)
from onemap.engine.siting.travel import Travel, travel
from onemap.errors import InputRefused, UsageError
from onemap.ingest.network_rules import read_network_rules
from onemap.ingest.plane import Plane

_MOST_PAIRS = 60_000_000
_HEAD_TO_HEAD = 20


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Places that may be chosen, with what the answer calls them."""

    places: Places
    x: F64
    y: F64
    ids: list[str | int]
    source: str


@click.command(name="site")
@street_options
@click.option("--area", help="Code of an area in the database instead of files.")
@click.option("--buildings", type=click.Path(path_type=Path), help="Polygons or points of buildings.")
@click.option("--facilities", type=click.Path(path_type=Path), help="Facilities that exist already.")
@click.option("--category-field", help="Field that names a facility's category.  [default: category]")
@click.option("--category", required=True, help="The category to place.")
@click.option("--new", "n_new", type=int, default=1, show_default=True, help="How many new sites (not for lscp).")
@click.option("--model", type=click.Choice(["mclp", "pmedian", "lscp"]), default="mclp", show_default=True)
@click.option(
    "--candidates",
    default="nodes",
    show_default=True,
    help="nodes, buildings, a file; with --area also estates, layer:NAME.",
)
@click.option(
    "--max-candidates", type=int, default=1000, show_default=True, help="Nodes or buildings are thinned to this."
)
@click.option(
    "--minutes",
    type=float,
    help="A site within this walk covers a building.  [default: 15; with --area the rule's]",
)
@click.option("--speed-kmh", type=float, help="Walking speed.  [default: 4]")
@click.option(
    "--exact/--swaps", "exact", default=None, help="Proof by HiGHS, or swaps with a bound; by size if neither."
)
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="Seconds for the solver.")
@click.option("--out", type=click.Path(path_type=Path), help="GeoPackage for the layers sites and buildings.")
@json_option
def command(
    osm: Path | None,
    streets: Path | None,
    streets_layer: str | None,
    estates: Path | None,
    gates: Path | None,
    area: str | None,
    buildings: Path | None,
    facilities: Path | None,
    category_field: str | None,
    category: str,
    n_new: int,
    model: str,
    candidates: str,
    max_candidates: int,
    minutes: float | None,
    speed_kmh: float | None,
    exact: bool | None,
    time_limit: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """New sites that cover most households (mclp), shorten the walk most (pmedian), or cover all with fewest (lscp)."""
    _check(category, n_new, max_candidates, time_limit)
    check_speed(speed_kmh)
    rules = read_network_rules()
    if area is not None:
        from onemap.analyses.life_circle import CircleAsk  # noqa: PLC0415 - the files' way works without a database
        from onemap.cli import _circle_area  # noqa: PLC0415

        _circle_area.only_area({"osm": osm, "streets": streets, "buildings": buildings, "facilities": facilities})
        circle = CircleAsk(area, speed_kmh or rules.presets_kmh["adult"], None, minutes)
        told, human = _circle_area.site(circle, category, n_new, model, candidates, out)
        emit(told, as_json, human)
        return
    if buildings is None:
        raise UsageError("Name the files (--buildings, and --osm or --streets), or an --area.")
    minutes = check_minutes(15.0 if minutes is None else minutes)
    source = load_streets(osm, streets, streets_layer, rules, estates=estates, gates=gates)
    network = build(source.streets, "foot", rules, speed_kmh=speed_kmh or rules.presets_kmh["adult"])
    homes = load_located(buildings, source.plane, names=("buildings",))
    demand = snap_located(network, homes)
    if not demand.found.any():
        raise InputRefused("No building lies near a street, so nobody can walk anywhere.")
    weight, counted = _weight(homes, demand)
    problems: list[str] = []
    present_s = _present(network, source.plane, facilities, category_field, category, demand, problems)
    choices = _candidates(network, source.plane, candidates, max_candidates, homes, demand, problems)
    limit_s = 60.0 * minutes
    budget_s = limit_s if model != "pmedian" else _median_budget(len(choices.places), len(demand), limit_s, problems)
    say(f"{len(choices.places)} candidates, {int(demand.found.sum())} buildings.")
    walks = travel(network, choices.places, demand, budget_s=budget_s)
    solved = _solve(model, walks, weight, present_s, limit_s, n_new, exact, time_limit)
    after_s = _after(walks, present_s, solved.choice.rows)
    document = {
        "model": model,
        "category": category,
        "method": "network",
        "solver": solved.choice.method,
        "new": len(solved.choice.rows),
        "minutes": minutes,
        "counted": counted,
        "candidates": len(choices.places),
        "candidate_source": choices.source,
        "objective": solved.objective,
        "bound": solved.bound,
        "gap": solved.gap,
        "objective_is": solved.meaning,
        "sites": _sites(choices, solved, source.plane),
        "before": _state(present_s, weight, limit_s, demand),
        "after": _state(after_s, weight, limit_s, demand),
        "head_to_head": _head_to_head(choices, solved, walks, weight, present_s, limit_s, demand),
        "components": components_document(network),
        "assumptions": list(network.notes),
        "problems": [*problems, *solved.problems],
        "out": None if out is None else str(out),
    }
    if out is not None:
        write_layers(
            out,
            {
                "sites": _site_frame(choices, solved, source.plane, category),
                "buildings": _building_frame(homes, present_s, after_s, limit_s),
            },
        )
    emit(document, as_json, lambda: _table(document))


@dataclass(frozen=True, slots=True)
class _Solved:
    choice: Choice
    objective: float
    bound: float
    meaning: str
    savings: Savings
    problems: tuple[str, ...]

    @property
    def gap(self) -> float:
        """How far the objective may be from the best, as a share of the bound."""
        return abs(self.bound - self.objective) / abs(self.bound) if self.bound else 0.0


def _check(category: str, n_new: int, max_candidates: int, time_limit: float) -> None:
    if not category.strip():
        raise UsageError("The category is empty: name what is to be placed, such as kindergarten.")
    if n_new < 1:
        raise UsageError(f"{n_new} new sites cannot be placed: at least one.")
    if max_candidates < 1:
        raise UsageError(f"{max_candidates} candidates cannot be chosen from: at least one.")
    if not time_limit > 0.0:
        raise UsageError(f"A time limit of {time_limit:g} seconds cannot be used: it must be more than 0.")


def _weight(homes: Located, demand: Places) -> tuple[F64, str]:
    """Households where the file counts them, else every building as one; nothing for buildings without a street."""
    households = weights(homes, "households")
    counted = "buildings" if households is None else "households"
    weight = np.ones(len(demand)) if households is None else households
    if not (weight[demand.found] > 0.0).any():
        raise InputRefused("The buildings hold no households, so there is nobody to gain from a new site.")
    return np.where(demand.found, weight, 0.0), counted


def _present(
    network: Network,
    plane: Plane,
    facilities: Path | None,
    field: str | None,
    category: str,
    demand: Places,
    problems: list[str],
) -> F64:
    """Seconds to the nearest facility that exists: (n_demand,)."""
    if facilities is None:
        return np.full(len(demand), np.inf)
    located = load_located(facilities, plane, names=("facilities",))
    column = text_column(located.frame, (field or "category").lower())
    if column is None and field is None:
        problems.append(f"The facilities have no field 'category': all are taken to be '{category}'.")
        places = snap_located(network, located)
    elif column is not None and not (column.astype("string").str.strip() == category).any():
        present = ", ".join(sorted({str(value) for value in column.dropna()})[:30])
        problems.append(f"There is no '{category}' among the facilities yet (they have: {present}).")
        return np.full(len(demand), np.inf)
    else:
        placed = place_facilities(network, located, field, (category,))
        problems.extend(placed.problems)
        places = placed.by_category[category]
    if not places.found.any():
        return np.full(len(demand), np.inf)
    return times(network, reach(network, places, toward=True), demand)


def _candidates(
    network: Network,
    plane: Plane,
    asked: str,
    most: int,
    homes: Located,
    demand: Places,
    problems: list[str],
) -> _Candidates:
    if asked == "nodes":
        x, y = street_candidates(network, most)
        return _Candidates(snap(network, x, y), x, y, [*range(len(x))], "nodes")
    if asked == "buildings":
        rows = np.flatnonzero(demand.found)
        rows = rows[thinned(homes.x[rows], homes.y[rows], most)]
        return _Candidates(demand.take(rows), homes.x[rows], homes.y[rows], [*rows.tolist()], "buildings")
    located = load_located(Path(asked), plane, names=("candidates",))
    places = snap_located(network, located)
    lost = int((~places.found).sum())
    if lost:
        problems.append(
            f"{lost} of {len(places)} candidates lie farther than {network.max_snap_m:g} m from any street."
        )
    rows = np.flatnonzero(places.found)
    if len(rows) == 0:
        raise InputRefused("No candidate lies near a street, so none can be reached.")
    names = text_column(located.frame, "candidate_id", "id", "name")
    ids: list[str | int] = [*rows.tolist()] if names is None else [str(names.iloc[row]) for row in rows]
    return _Candidates(places.take(rows), located.x[rows], located.y[rows], ids, "file")


def _median_budget(n_candidate: int, n_demand: int, limit_s: float, problems: list[str]) -> float:
    if n_candidate * n_demand <= _MOST_PAIRS:
        return float("inf")
    problems.append(
        f"Walks longer than {limit_s / 15.0:.0f} minutes were not told apart, because the table would not fit."
    )
    return 4.0 * limit_s


def _solve(
    model: str,
    walks: Travel,
    weight: F64,
    present_s: F64,
    limit_s: float,
    n_new: int,
    exact: bool | None,
    time_limit_s: float,
) -> _Solved:
    now = covered(present_s, limit_s)
    if model == "pmedian":
        return _solve_median(walks, weight, present_s, n_new, exact, time_limit_s)
    if model == "lscp":
        savings = cover_savings(walks, (weight > 0.0).astype(float), limit_s, now)
        choice = fewest(savings, time_limit_s=time_limit_s)
        never = (weight > 0.0) & ~now
        never[savings.demand] = False
        told = (f"{int(never.sum())} buildings cannot be covered by any candidate.",) if never.any() else ()
        meaning = "number of new sites that cover every building that any candidate can cover"
        return _Solved(choice, choice.value, choice.bound, meaning, savings, told)
    savings = cover_savings(walks, weight, limit_s, now)
    choice = most_saved(savings, n_new, exact=exact, time_limit_s=time_limit_s)
    already = float(weight[now].sum())
    meaning = "weight covered by present and new sites together"
    return _Solved(choice, already + choice.value, already + choice.bound, meaning, savings, ())


def _solve_median(
    walks: Travel, weight: F64, present_s: F64, n_new: int, exact: bool | None, time_limit_s: float
) -> _Solved:
    worst = worst_walk(walks)
    reachable = np.isfinite(present_s) | (worst > 0.0)
    longest = float(max(worst.max(), present_s[np.isfinite(present_s)].max(initial=0.0)))
    base = np.where(np.isfinite(present_s), present_s, longest)
    counted = np.where(reachable, weight, 0.0)
    savings = median_savings(walks, counted, base)
    choice = most_saved(savings, n_new, exact=exact, time_limit_s=time_limit_s)
    total, people = float(counted @ base), float(counted.sum())
    told = []
    lost = int(((weight > 0.0) & ~reachable).sum())
    if lost:
        told.append(f"{lost} buildings reach no candidate and no facility; they are not in the average.")
    meaning = "average walk in seconds, weighted; whoever reaches no site counts with the longest walk found"
    return _Solved(
        choice, (total - choice.value) / people, (total - choice.bound) / people, meaning, savings, tuple(told)
    )


def _after(walks: Travel, present_s: F64, rows: tuple[int, ...]) -> F64:
    after = present_s.copy()
    for row in rows:
        part = slice(walks.first[row], walks.first[row + 1])
        np.minimum.at(after, walks.demand[part], walks.seconds[part])
    return after


def _state(seconds: F64, weight: F64, limit_s: float, demand: Places) -> dict[str, Any]:
    within = covered(seconds, limit_s)
    reached = np.isfinite(seconds) & demand.found
    total = float(weight[reached].sum())
    return {
        "covered": float(weight[within].sum()),
        "total": float(weight.sum()),
        "average_seconds": float(weight[reached] @ seconds[reached]) / total if total > 0.0 else None,
    }


def _head_to_head(
    choices: _Candidates,
    solved: _Solved,
    walks: Travel,
    weight: F64,
    present_s: F64,
    limit_s: float,
    demand: Places,
) -> list[dict[str, Any]]:
    """Every candidate of a short list by itself: the debate over where the car park should go."""
    if choices.source != "file" or len(choices.ids) > _HEAD_TO_HEAD:
        return []
    return [
        {
            "id": choices.ids[row],
            "saves": worth_of(solved.savings, (row,)),
            **_state(_after(walks, present_s, (row,)), weight, limit_s, demand),
        }
        for row in range(len(choices.ids))
    ]


def _sites(choices: _Candidates, solved: _Solved, plane: Plane) -> list[dict[str, Any]]:
    rows = list(solved.choice.rows)
    lon, lat = plane.lonlat(choices.x[rows], choices.y[rows]) if rows else (np.empty(0), np.empty(0))
    return [
        {
            "candidate": choices.ids[row],
            "lon": float(lon[i]),
            "lat": float(lat[i]),
            "saves_alone": worth_of(solved.savings, (row,)),
        }
        for i, row in enumerate(rows)
    ]


def _site_frame(choices: _Candidates, solved: _Solved, plane: Plane, category: str) -> gpd.GeoDataFrame:
    rows = list(solved.choice.rows)
    return gpd.GeoDataFrame(
        {
            "candidate": [str(choices.ids[row]) for row in rows],
            "category": category,
            "saves_alone": [worth_of(solved.savings, (row,)) for row in rows],
        },
        geometry=in_plane(shapely.points(choices.x[rows], choices.y[rows]), plane, 4326),
    )


def _building_frame(homes: Located, before_s: F64, after_s: F64, limit_s: float) -> gpd.GeoDataFrame:
    frame = homes.frame.copy()
    frame["seconds_before"] = _known(before_s)
    frame["seconds_after"] = _known(after_s)
    frame["gains"] = covered(after_s, limit_s) & ~covered(before_s, limit_s)
    return frame


def _known(seconds: F64) -> NDArray[np.float64]:
    return np.where(np.isfinite(seconds), seconds, np.nan)


def _table(document: dict[str, Any]) -> str:
    head = (
        f"{document['model']}: objective {document['objective']:.6g}, bound {document['bound']:.6g}, "
        f"gap {100.0 * document['gap']:.3f} % ({document['solver']})."
    )
    lines = [head]
    lines += [f"  {site['candidate']}: {site['lon']:.6f},{site['lat']:.6f}" for site in document["sites"]]
    return "\n".join([*lines, *document["problems"]])
