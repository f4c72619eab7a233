"""Before there is a city: what the life circle says when roads, homes or facilities are missing or out of reach."""

from __future__ import annotations

import pytest

from onemap.store.db import Db
from tests.api.conftest import Ask

AREA = "990101001001"


def write(db: Db, *statements: str) -> None:
    with db.connection() as connection:
        for statement in statements:
            connection.execute(statement)


def road(number: int, *points: tuple[float, float]) -> str:
    line = ", ".join(f"{lon} {lat}" for lon, lat in points)
    return (
        f"INSERT INTO layer.roads (area_code, road_id, road_class, geom) VALUES ('{AREA}', 'R{number}', 'residential', "
        f"ST_SetSRID('LINESTRING({line})'::geometry, 4490))"
    )


def home(number: int, lon: float, lat: float, households: int = 10) -> str:
    return (
        f"INSERT INTO layer.buildings (area_code, building_id, use, households, persons, geom) VALUES ('{AREA}', 'B{number}', "
        f"'residential', {households}, {2 * households}, ST_Multi(ST_MakeEnvelope({lon - 1e-5}, {lat - 1e-5}, {lon + 1e-5}, {lat + 1e-5}, 4490)))"
    )


def market(number: int, lon: float, lat: float) -> str:
    return (
        f"INSERT INTO layer.facilities (area_code, facility_id, name, category, geom) VALUES ('{AREA}', 'F{number}', "
        f"'市场{number}', 'market', ST_Point({lon}, {lat}, 4490))"
    )


STREET = road(1, (117.30, 31.70), (117.31, 31.70))


@pytest.mark.parametrize(
    ("rows", "address", "sentence"),
    [
        ((), "/api/coverage", "There are no roads yet"),
        ((), "/api/isochrones?point=117.3,31.7", "There are no roads yet"),
        ((), "/api/cameras/seeing?point=117.3,31.7", "No camera is registered yet"),
        ((STREET,), "/api/coverage", "There are no residential buildings yet"),
        ((STREET, home(1, 117.301, 31.7001)), "/api/coverage/market", "no facility of category 'market'"),
        (
            (STREET, home(1, 117.301, 31.7001), market(1, 117.30, 31.71)),
            "/api/coverage/market",
            "All 1 facilities of category 'market' lie farther than 500 m from any street",
        ),
    ],
)
def test_what_is_missing_is_said(ask: Ask, db: Db, rows: tuple[str, ...], address: str, sentence: str) -> None:
    write(db, *rows)
    answer = ask().get(address)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (422, True), answer.text


def test_ground_can_be_drawn_before_anybody_lives_there(ask: Ask, db: Db) -> None:
    write(db, STREET)
    told = ask().get("/api/isochrones?point=117.305,31.7&minutes=3").json()
    properties = told["features"][0]["properties"]
    assert (properties["households"], properties["minutes"]) == (None, 3)
    assert properties["area_m2"] > 10_000


def test_one_street_can_be_counted_by_hand(ask: Ask, db: Db) -> None:
    #  home A ── 94.8 m ── market ────── 758 m ────── home B        home C lies 1 km off the street: no way, not covered
    write(
        db,
        STREET,
        home(1, 117.301, 31.70),
        home(2, 117.310, 31.70, 30),
        home(3, 117.305, 31.71, 60),
        market(1, 117.302, 31.70),
        market(2, 117.302, 31.72),
    )
    told = ask().get("/api/coverage").json()
    one = next(row for row in told["categories"] if row["category"] == "market")
    assert (told["households"], told["network"]["n_unsnapped"]) == (100, 1)
    assert (one["households_covered"], one["persons_covered"], one["share"]) == (10, 20, 0.1)
    assert any("1 facilities lie farther" in said["en"] for said in told["assumptions"])
    homes = ask().get("/api/coverage/market").json()["buildings"]
    assert homes["metres"] == [pytest.approx(94.8, abs=0.2), pytest.approx(758.4, abs=0.6), None]
    assert homes["seconds"][0] == pytest.approx(94.8 / (4 / 3.6), abs=0.2)


def test_a_new_facility_counts_once_it_is_written(ask: Ask, db: Db) -> None:
    write(db, STREET, home(1, 117.301, 31.70), market(1, 117.310, 31.70))
    client = ask()

    def share() -> float:
        found: float = next(
            row["share"] for row in client.get("/api/coverage").json()["categories"] if row["category"] == "market"
        )
        return found

    assert share() == 0.0
    write(db, market(2, 117.302, 31.70))
    while share() < 1.0:  # until the server has heard of it; the test's own limit ends what never happens
        pass
