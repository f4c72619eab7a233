"""Where the next facilities should go: against trying every candidate, and the debate over two places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from onemap.analyses.circle_ground import LifeCircles
from onemap.analyses.life_circle import CircleAsk
from onemap.analyses.siting import best_sites
from onemap.analyses.siting_ask import SitingAsk
from onemap.analyses.siting_duel import head_to_head
from onemap.analyses.streets import StreetNetworks
from onemap.analyses.what_if import Change, what_if
from onemap.domain.layer import Catalog
from onemap.domain.scope import PUBLIC, STAFF
from onemap.errors import InputRefused, InvalidValue, LayerNotFound, NotAllowed
from onemap.store.db import Db

HERE = CircleAsk("990101001001")
CARE = "elder_day_care"
PLACES = [
    (float(lon), float(lat))
    for lon in np.linspace(117.2945, 117.3075, 4)
    for lat in np.linspace(31.6965, 31.7055, 3)
]  # fmt: skip


@pytest.fixture(scope="module")
def db(town: str) -> Iterator[Db]:
    with Db(town) as pool:
        yield pool


@pytest.fixture(scope="module")
def circles(db: Db, catalog: Catalog) -> LifeCircles:
    return LifeCircles(db, catalog, StreetNetworks(db, catalog))


def gain(circles: LifeCircles, catalog: Catalog, *places: tuple[float, float]) -> int:
    return what_if(circles, catalog, STAFF, HERE, CARE, [Change("add", place) for place in places]).gained.households


def test_the_best_site_is_the_best_of_all_tried(db: Db, circles: LifeCircles, catalog: Catalog) -> None:
    found = best_sites(db, circles, catalog, STAFF, SitingAsk(HERE, CARE, 1, "mclp", PLACES))
    tried = {place: gain(circles, catalog, place) for place in PLACES}
    assert found.sites[0].gain_households == max(tried.values())
    assert (found.method, found.gap) == ("exact", 0.0)
    assert found.after.households_covered == found.before.households_covered + max(tried.values()) == found.objective
    others = [site.alone_households for site in found.alternatives]
    assert others == sorted(others, reverse=True)
    assert [site.label for site in (*found.sites, *found.alternatives)] == ["A", "B", "C"]


def test_two_sites_are_the_best_pair(db: Db, circles: LifeCircles, catalog: Catalog) -> None:
    found = best_sites(db, circles, catalog, STAFF, SitingAsk(HERE, CARE, 2, "mclp", PLACES))
    best = max(gain(circles, catalog, a, b) for i, a in enumerate(PLACES) for b in PLACES[:i])
    assert sum(site.gain_households for site in found.sites) == best
    assert found.sites[0].gain_households >= found.sites[1].gain_households


def test_the_least_average_walk_is_least(db: Db, circles: LifeCircles, catalog: Catalog) -> None:
    found = best_sites(db, circles, catalog, STAFF, SitingAsk(HERE, CARE, 1, "pmedian", PLACES))
    walks = [what_if(circles, catalog, STAFF, HERE, CARE, [Change("add", place)]).after.mean_s for place in PLACES]
    assert found.objective == pytest.approx(min(walk for walk in walks if walk is not None), abs=0.06)
    assert found.after.mean_s == pytest.approx(found.objective, abs=0.06)


def test_the_fewest_sites_cover_all_that_can_be(db: Db, circles: LifeCircles, catalog: Catalog) -> None:
    found = best_sites(db, circles, catalog, STAFF, SitingAsk(HERE, CARE, 1, "lscp", "buildings"))
    assert found.bound == found.objective == len(found.sites)
    assert found.problems == []
    assert found.after.share == 1.0


def test_places_have_names_that_people_know(db: Db, circles: LifeCircles, catalog: Catalog) -> None:
    found = best_sites(db, circles, catalog, STAFF, SitingAsk(HERE, CARE, 3, "mclp", "nodes"))
    assert all(site.title[-1] in "旁内" for site in found.sites)


def test_the_debate_over_two_places(db: Db, circles: LifeCircles, catalog: Catalog) -> None:
    a, b = PLACES[1], PLACES[7]
    duel = head_to_head(db, circles, catalog, STAFF, HERE, CARE, a, b)
    assert (duel.a.gain_households, duel.b.gain_households) == (gain(circles, catalog, a), gain(circles, catalog, b))
    assert duel.only_a.households + duel.both.households == duel.a.gain_households
    assert duel.only_b.households + duel.both.households == duel.b.gain_households
    assert duel.better == ("a" if duel.a.gain_households > duel.b.gain_households else "b")
    again = head_to_head(db, circles, catalog, STAFF, HERE, CARE, b, a)
    assert (again.a.gain_households, again.only_a) == (duel.b.gain_households, duel.only_b)
    assert head_to_head(db, circles, catalog, STAFF, HERE, CARE, a, a).better == "same"


def test_what_cannot_be_placed_is_refused(db: Db, circles: LifeCircles, catalog: Catalog) -> None:
    for words in ({"n": 0}, {"n": 99}, {"model": "best"}, {"candidates": "everywhere"}, {"candidates": []}):
        with pytest.raises(InvalidValue):
            SitingAsk(HERE, CARE, **words)  # type: ignore[arg-type]
    with pytest.raises(InputRefused, match="No candidate lies near a street"):
        best_sites(db, circles, catalog, STAFF, SitingAsk(HERE, CARE, 1, "mclp", [(121.0, 31.0)]))
    with pytest.raises(LayerNotFound):
        best_sites(db, circles, catalog, STAFF, SitingAsk(HERE, CARE, 1, "mclp", "layer:fountains"))
    with pytest.raises(NotAllowed):
        best_sites(db, circles, catalog, PUBLIC, SitingAsk(HERE, CARE))
