"""The invented city has the fixtures' numbers, the layers' fields, and nothing of any person."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from onemap.demo import invent
from onemap.demo.shares import grid_households, grid_persons, in_band, whole_shares
from onemap.domain.layer import Catalog
from onemap.errors import InvalidValue
from tests.demo.conftest import COMMUNITY, NOW, Invented


def test_the_community_has_the_fixtures_households_and_persons(invented: Invented) -> None:
    buildings = invented.tables["buildings"]
    own = invented.own("buildings")
    assert buildings.columns["households"][own].sum() == 14_878
    assert buildings.columns["persons"][own].sum() == 30_000
    assert 560 <= own.sum() <= 640
    assert np.ma.getmaskarray(buildings.columns["households"])[~own].all()  # who lives around it is not known


def test_every_building_counts_in_its_grid_and_its_management_point(invented: Invented) -> None:
    buildings, grids, points = (invented.tables[name] for name in ("buildings", "grids", "management_points"))
    own = invented.own("buildings")
    per_grid: Counter[str] = Counter()
    for code, n in zip(buildings.columns["grid_code"][own], buildings.columns["households"][own], strict=True):
        per_grid[code] += int(n)
    assert [per_grid[code] for code in grids.columns["grid_code"]] == grids.columns["households"].tolist()
    per_point: Counter[str] = Counter()
    for code, n in zip(points.columns["grid_code"], points.columns["households"], strict=True):
        per_point[code] += int(n)
    assert per_point == per_grid


def test_27_of_29_grids_pass_by_either_rule_and_12_by_households_alone(invented: Invented) -> None:
    grids = invented.tables["grids"].columns
    households, persons = grids["households"], grids["persons"]
    by_households = (households >= 300) & (households <= 500)
    either = by_households | ((persons >= 1000) & (persons <= 1500))
    assert len(households) == 29
    assert either.sum() == 27
    assert by_households.sum() == 12
    assert (grids["in_band"] == either).all()
    assert round(households.mean()) == 513
    assert persons.sum() == 30_000


def test_two_grids_have_no_officer(invented: Invented) -> None:
    grids = invented.tables["grids"].columns
    assert grids["vacant"].sum() == 2
    assert all((post is None) == vacant for post, vacant in zip(grids["officer_post"], grids["vacant"], strict=True))


def test_every_grid_has_five_to_ten_management_points(invented: Invented) -> None:
    n = invented.tables["grids"].columns["n_management_points"]
    assert n.min() >= 5
    assert n.max() <= 10
    assert n.sum() == len(invented.tables["management_points"])


def test_cameras_qr_points_and_facilities_have_the_fixtures_counts(invented: Invented) -> None:
    assert Counter(invented.tables["cameras"].columns["camera_class"]) == {
        "tianwang": 1000,
        "property": 538,
        "childcare": 14,
        "vehicle": 3,
    }
    kinds = Counter(invented.tables["patrol_points"].columns["qr_kind"])
    assert sum(kinds.values()) == 4150
    assert set(kinds) == {"patrol", "building", "household", "merchant", "river"}
    assert Counter(invented.tables["facilities"].columns["category"])["mediation_room"] == 106


def test_58_posts_of_which_41_are_on_duty(invented: Invented) -> None:
    posts = invented.tables["responders"].columns
    assert len(posts["post"]) == 58
    assert posts["on_duty"].sum() == 41
    assert Counter(posts["role"])["grid_officer"] == 27


def test_every_layer_has_the_fields_of_its_folder_and_the_codes_of_its_lists(
    invented: Invented, catalog: Catalog
) -> None:
    computed = {"overdue", "is_open"}  # by the view of events
    for layer in catalog:
        columns = invented.tables[layer.name].columns
        assert {field.name for field in layer.fields} - computed <= set(columns), layer.name
        for field in layer.fields:
            if field.codes is not None:
                values = {str(v) for v in columns[field.name].tolist() if v is not None}
                assert values <= set(field.codes.values), f"{layer.name}.{field.name}"
            if field.required or field.unique:
                assert not any(v is None for v in columns[field.name].tolist()), f"{layer.name}.{field.name}"
        keys = columns[layer.key.name].tolist()
        assert len(set(keys)) == len(keys), layer.name


def test_codes_are_of_no_real_place_and_have_their_lengths(invented: Invented) -> None:
    tables = invented.tables
    assert all(code.startswith("9901") for code in tables["areas"].columns["area_code"])
    assert all(re.fullmatch(rf"{COMMUNITY}\d{{3}}", code) for code in tables["grids"].columns["grid_code"])
    assert all(re.fullmatch(r"99\d{18}", code) for code in tables["department_grids"].columns["department_grid_code"])
    ids = tables["cameras"].columns["gb28181_id"].tolist()
    assert all(re.fullmatch(r"9901\d{6}13[12]\d{7}", code) for code in ids)
    assert len(set(ids)) == len(ids)


def test_nothing_says_anything_of_a_person(invented: Invented) -> None:
    personal = re.compile(r"姓名|身份证|车牌|人脸|id_?card|person_name|plate_no|^face", re.IGNORECASE)
    phone = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
    identity = re.compile(r"(?<!\d)\d{6}(19|20)\d{2}(0[1-9]|1[0-2])\d{2}\d{3}[\dXx](?!\d)")
    for name, table in invented.tables.items():
        assert not [column for column in table.columns if personal.search(column)], name
        for column, values in table.columns.items():
            if values.dtype != object or column.endswith(("_code", "_codes", "_id", "_no")):
                continue
            for value in {v for v in values.tolist() if v is not None}:
                assert not phone.search(value), f"{name}.{column}: {value}"
                assert not identity.search(value), f"{name}.{column}: {value}"
    phones = {p for p in invented.tables["facilities"].columns["phone"] if p}
    assert all(re.fullmatch(r"000-555\d-\d{4}", p) for p in phones)


def test_it_says_of_itself_that_it_is_invented(invented: Invented) -> None:
    assert all("虚拟数据" in plan for plan in invented.tables["grids"].columns["plan"])
    assert invented.tables["areas"].columns["name"][0] == "示例市"


def test_the_same_seed_invents_the_same_city_and_another_seed_another() -> None:
    def rows(seed: int) -> list[tuple[object, ...]]:
        part = next(invent(seed, now=NOW, n_events=300).communities())
        return [
            (name, len(table), *(str(column.tolist()) for column in table.columns.values()))
            + ((table.geometry.tolist(),) if table.geometry is not None else ())
            for name, table in part.tables.items()
        ]

    first = rows(5)
    assert rows(5) == first
    assert rows(6) != first


def test_shares_add_up_to_the_total() -> None:
    assert whole_shares(10, np.array([1.0, 1.0, 1.0])).tolist() == [4, 3, 3]
    assert whole_shares(7, np.array([0.0, 2.0, 5.0])).tolist() == [0, 2, 5]
    assert whole_shares(5, np.array([])).tolist() == []


@pytest.mark.parametrize(("households", "n_grids"), [(14_878, 29), (13_100, 26), (16_600, 32)])
def test_grids_of_any_community_have_the_fixtures_spread(households: int, n_grids: int) -> None:
    rng = np.random.default_rng(3)
    homes = grid_households(rng, rng.uniform(200, 700, n_grids), households)
    persons = grid_persons(rng, homes, round(households * 30_000 / 14_878))
    assert homes.sum() == households
    assert persons.sum() == round(households * 30_000 / 14_878)
    assert in_band(homes, persons).sum() == n_grids - max(1, round(n_grids * 2 / 29))


@pytest.mark.parametrize("wish", [{"scale": 0}, {"scale": 1001}, {"households": 30_000}, {"n_grids": 5}])
def test_a_city_that_cannot_be_is_refused_in_a_sentence(wish: dict[str, int]) -> None:
    with pytest.raises(InvalidValue, match=r"\.$"):
        invent(**wish)
