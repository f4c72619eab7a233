"""One box over everything on the map: what one types is found, and only by those who may see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pytest
from starlette.testclient import TestClient

from onemap.app import create_app
from onemap.catalog.read import read_catalog
from onemap.domain.layer import Catalog, DataClass, Field, FieldType, Title
from onemap.domain.scope import EVERYTHING, PUBLIC, STAFF, Scope
from onemap.errors import BadQuery
from onemap.settings import Settings
from onemap.store import search_index
from onemap.store.db import Db
from onemap.store.migrate import migrate
from onemap.store.search import search, where

HERE, ELSEWHERE = "990101001001", "990102001001"
POINT = "ST_Point(117.3, 31.7, 4490)"
SQUARE = "ST_Multi(ST_MakeEnvelope(117.3, 31.7, 117.301, 31.701, 4490))"


@pytest.fixture(scope="module")
def town(module_database: str, catalog: Catalog) -> Iterator[Db]:
    """A village of everything that can be searched."""
    with Db(module_database) as db:
        with db.connection() as connection:
            _fill(connection)
        yield db


def _fill(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    say = connection.execute
    for code, name, level in (
        ("9901", "示例市", "city"),
        ("990101001", "云桥街道", "street"),
        (HERE, "晴川社区", "community"),
    ):
        say(f"INSERT INTO layer.areas (area_code, name, level, geom) VALUES ('{code}', '{name}', '{level}', {SQUARE})")
    for number in ("017", "117"):
        say(
            f"INSERT INTO layer.grids (grid_code, name, geom) VALUES ('{HERE}{number}', '晴川社区网格 {int(number)}', {SQUARE})"
        )
    say(f"INSERT INTO layer.estates (area_code, estate_id, name, geom) VALUES ('{HERE}', 'E1', '桂花坞', {SQUARE})")
    for n in (8, 18, 80):
        say(
            "INSERT INTO layer.buildings (area_code, building_id, name, address, grid_code, geom) VALUES "
            f"('{HERE}', 'B0{n}', '桂花坞 {n} 栋', '云桥街道滨河北街67号桂花坞{n}栋', '{HERE}017', {SQUARE})"
        )
    say(f"INSERT INTO layer.roads (area_code, road_id, name, road_class, geom) SELECT '{HERE}', 'R' || i, '长虹大道', 'primary', "
        "ST_MakeLine(ST_Point(117.3 + i * .01, 31.7, 4490), ST_Point(117.31 + i * .01, 31.7, 4490)) FROM generate_series(1, 3) AS i")  # fmt: skip
    for camera, kind, area in (
        ("CAM-01-00766", "tianwang", HERE),
        ("CAM-02-00767", "childcare", HERE),
        ("CAM-03-00768", "tianwang", ELSEWHERE),
    ):
        say(
            f"INSERT INTO layer.cameras (area_code, camera_id, camera_class, place, geom) VALUES ('{area}', '{camera}', '{kind}', '桂花坞南门', {POINT})"
        )
    say(
        f"INSERT INTO layer.patrol_points (area_code, qr_code, qr_kind, title, geom) VALUES ('{HERE}', 'QR0100595', 'patrol', '柳岸花园', {POINT})"
    )
    say(
        f"INSERT INTO layer.facilities (area_code, facility_id, name, category, address, geom) VALUES ('{HERE}', 'F1', '重庆小面', 'market', '学前街 5 号', {POINT})"
    )
    for n, closed in (("SJ-20260226-0037", "NULL"), ("SJ-20260227-0037", "now()")):
        say(f"INSERT INTO core.event (event_no, area_code, title, place, kind, level, state, reported_at, closed_at, geom) "
            f"VALUES ('{n}', '{HERE}', '电梯困人', '桂花坞 8 栋', 'elevator', 2, 'reported', now(), {closed}, {POINT})")  # fmt: skip


def found(db: Db, catalog: Catalog, question: str, scope: Scope = STAFF, **more: object) -> dict[str, list[str]]:
    """Titles by layer."""
    with db.connection() as connection:
        groups = search(connection, catalog, scope, question, **more)  # type: ignore[arg-type]
    return {group.kind: [hit.title for hit in group.hits] for group in groups}


@pytest.mark.parametrize(
    ("typed", "layer", "title"),
    [
        ("桂花坞", "estates", "桂花坞"),
        ("花坞", "estates", "桂花坞"),  # two characters from the middle
        ("guihuawu", "estates", "桂花坞"),
        ("guihuaw", "estates", "桂花坞"),  # still typing
        ("gui hua", "estates", "桂花坞"),
        ("huawu", "estates", "桂花坞"),
        ("ghw", "estates", "桂花坞"),
        ("GHW", "estates", "桂花坞"),
        ("桂花坞8栋", "buildings", "桂花坞 8 栋"),
        ("桂花坞 8", "buildings", "桂花坞 8 栋"),
        ("桂花坞　８", "buildings", "桂花坞 8 栋"),  # full width, as a Chinese keyboard types
        ("ghw8", "buildings", "桂花坞 8 栋"),
        ("guihuawu 18 dong", "buildings", "桂花坞 18 栋"),
        ("滨河北街67号", "buildings", "桂花坞 8 栋"),
        ("桂花 80栋", "buildings", "桂花坞 80 栋"),  # two words, something between them
        ("B08", "buildings", "桂花坞 8 栋"),
        ("网格17", "grids", "晴川社区网格 17"),
        ("wg17", "grids", "晴川社区网格 17"),
        (f"{HERE}017", "grids", "晴川社区网格 17"),
        ("001017", "grids", "晴川社区网格 17"),
        ("晴川", "areas", "晴川社区"),
        ("qcsq", "areas", "晴川社区"),
        ("9901010010", "areas", "晴川社区"),
        ("changhong", "roads", "长虹大道"),  # the second reading of 长
        ("zhanghong", "roads", "长虹大道"),
        ("cqxm", "facilities", "重庆小面"),
        ("学前街5号", "facilities", "重庆小面"),
        ("CAM-01", "cameras", "桂花坞南门"),
        ("0766", "cameras", "桂花坞南门"),
        ("QR0100595", "patrol_points", "柳岸花园"),
        ("595", "patrol_points", "柳岸花园"),
        ("SJ-20260226", "events", "电梯困人"),
        ("sj20260226", "events", "电梯困人"),
        ("0226-0037", "events", "电梯困人"),
        ("困人", "events", "电梯困人"),
    ],
)  # fmt: skip
def test_what_one_types_comes_first_in_its_group(
    town: Db, catalog: Catalog, typed: str, layer: str, title: str
) -> None:
    assert found(town, catalog, typed)[layer][0] == title


def test_the_exact_one_is_before_those_that_begin_so(town: Db, catalog: Catalog) -> None:
    assert found(town, catalog, "桂花坞8")["buildings"] == ["桂花坞 8 栋", "桂花坞 80 栋"]
    assert next(iter(found(town, catalog, f"{HERE}017"))) == "grids"
    assert next(iter(found(town, catalog, "桂花坞"))) == "estates"


def test_a_road_of_many_pieces_is_one_hit_that_spans_them(town: Db, catalog: Catalog) -> None:
    with town.connection() as connection:
        (group,) = search(connection, catalog, STAFF, "长虹大道")
    (hit,) = group.hits
    assert (hit.bounds[0], hit.bounds[2]) == pytest.approx((117.31, 117.34))


def test_the_line_below_says_where_or_what_else_matched(town: Db, catalog: Catalog) -> None:
    with town.connection() as connection:
        by_name = search(connection, catalog, STAFF, "桂花坞8栋")[0].hits[0]
        by_address = search(connection, catalog, STAFF, "滨河北街67号")[0].hits[0]
        by_code = search(connection, catalog, STAFF, "0766")[0].hits[0]
    assert (by_name.sub, by_name.match) == ("晴川社区 > 网格 017", ((0, 7),))
    assert by_address.sub == "云桥街道滨河北街67号桂花坞8栋"
    assert by_code.sub == "CAM-01-00766"


def test_a_match_is_marked_in_the_title_as_it_is_written() -> None:
    assert where("桂花坞 8 栋", "坞8栋") == ((2, 7),)
    assert where("桂花坞 8 栋", "9栋") == ()


def test_nearer_and_inside_comes_first(db: Db, catalog: Catalog) -> None:
    with db.connection() as connection:
        for n, (area, lon) in enumerate(((HERE, 117.30), (HERE, 117.35), (ELSEWHERE, 117.34))):
            connection.execute(
                "INSERT INTO layer.facilities (area_code, facility_id, name, category, geom) "
                f"VALUES ('{area}', 'F{n}', '便利店', 'market', ST_Point({lon}, 31.7, 4490))"
            )
        asked = {
            "near": search(connection, catalog, STAFF, "便利店", near=(117.345, 31.7)),
            "inside": search(connection, catalog, STAFF, "便利店", area=HERE, near=(117.34, 31.7)),
        }
    assert [hit.fid for hit in asked["near"][0].hits] == [2, 3, 1]
    assert [hit.fid for hit in asked["inside"][0].hits] == [2, 1, 3]


def test_there_are_never_more_hits_than_are_read(db: Db, catalog: Catalog) -> None:
    with db.connection() as connection:
        for table, key, extra in (("facilities", "facility_id, category, name", "'market', '晴川'"), ("estates", "estate_id, name", "'晴川'"),
                                  ("water", "water_id, name", "'晴川'"), ("green", "green_id, name", "'晴川'")):  # fmt: skip
            shape = POINT if table == "facilities" else SQUARE
            connection.execute(
                f"INSERT INTO layer.{table} (area_code, {key}, geom) SELECT '{HERE}', 'K' || i, {extra} || i, {shape} FROM generate_series(1, 30) i"
            )
        groups = search(connection, catalog, STAFF, "晴川", limit=8)
    assert [len(group.hits) for group in groups] == [6, 6, 6, 6]


@pytest.mark.parametrize("typed", ["", "桂", " 桂 ", "--8--", "x" * 100])
def test_too_little_and_too_much_is_refused_in_a_sentence(town: Db, catalog: Catalog, typed: str) -> None:
    with pytest.raises(BadQuery, match="from 2 to 60 characters"):
        found(town, catalog, typed)


@pytest.mark.parametrize("typed", ["%%", "\\'88'", "a'--b", "{1}{2}", "\ud7ff\U0010ffff", "%s%(x)s", "桂_栋", "桂%栋"])
def test_strange_characters_are_only_characters(town: Db, catalog: Catalog, typed: str) -> None:
    assert "buildings" not in found(town, catalog, typed)


def test_over_http(town: Db) -> None:
    settings = Settings.from_env({"ONEMAP_DATABASE_URL": town.url, "ONEMAP_DEMO": "none"})
    with TestClient(
        create_app(settings, town.url), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 5)
    ) as client:
        answer = client.get("/api/search", params={"q": "ghw8", "near": "117.3,31.7", "area": HERE}).json()
        assert answer["groups"][0]["kind"] == "buildings"
        assert answer["groups"][0]["title"] == {"zh": "建筑", "en": "Buildings"}
        assert answer["groups"][0]["hits"][0]["match"] == [[0, 5]]
        assert client.get("/api/search", params={"q": "8"}).status_code == 400
        assert client.get("/api/search", params={"q": "ghw", "near": "north"}).status_code == 400


# Rights -----------------------------------------------------------------------------------------------------------


def test_a_reader_finds_what_he_may_see(town: Db, catalog: Catalog) -> None:
    one = replace(STAFF, areas=(HERE,))
    assert found(town, catalog, "CAM", PUBLIC) == {}
    assert "events" not in found(town, catalog, "桂花坞", PUBLIC)
    assert len(found(town, catalog, "CAM", STAFF)["cameras"]) == 2
    assert len(found(town, catalog, "CAM", one)["cameras"]) == 1
    assert len(found(town, catalog, "CAM", EVERYTHING)["cameras"]) == 3
    assert found(town, catalog, "桂花坞", replace(STAFF, areas=())) == {}


def test_an_index_that_errs_shows_nothing_more(database: str, catalog: Catalog) -> None:
    with Db(database) as db:
        with db.connection() as connection:
            _fill(connection)
            connection.execute("UPDATE core.search SET restricted = FALSE, area_code = %s", (HERE,))
        assert len(found(db, catalog, "CAM", replace(STAFF, areas=(HERE,)))["cameras"]) == 1


def test_the_path_names_no_area_beyond_the_readers(town: Db, catalog: Catalog) -> None:
    with town.connection() as connection:
        groups = search(connection, catalog, replace(STAFF, areas=(HERE,)), "晴川社区")
    area = next(group for group in groups if group.kind == "areas").hits[0]
    assert area.sub is None


def test_a_field_that_fewer_may_see_than_its_layer_is_not_searched(catalog: Catalog) -> None:
    secret = Field("keeper", FieldType.TEXT, Title("保管", "Keeper"), search=True, data_class=DataClass.RESTRICTED)
    layer = catalog.layer("facilities")
    assert secret not in search_index.texts(replace(layer, fields=(*layer.fields, secret)))


# The index follows the layers -----------------------------------------------------------------------------------------


def _index(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM core.search ORDER BY layer, fid, place").fetchall()


def test_after_any_writes_the_index_is_as_if_made_anew(db: Db, catalog: Catalog) -> None:
    rng = np.random.default_rng(5)
    with db.connection() as connection:
        _fill(connection)
        for i in range(40):
            n = int(rng.integers(1, 6))
            match int(rng.integers(0, 7)):
                case 0:
                    connection.execute(
                        f"INSERT INTO layer.estates (area_code, estate_id, name, geom) SELECT '{HERE}', 'N{i}-' || k, '新村' || k, {SQUARE} FROM generate_series(1, {n}) k"
                    )
                case 1:
                    connection.execute("UPDATE layer.estates SET name = name || 'x' WHERE fid %% 3 = %s", (n % 3,))
                case 2:
                    connection.execute("DELETE FROM layer.estates WHERE fid %% 7 = %s", (n,))
                case 3:
                    connection.execute(
                        "UPDATE layer.cameras SET camera_class = %s WHERE fid = %s",
                        (["childcare", "tianwang"][n % 2], n),
                    )
                case 4:
                    connection.execute(
                        "UPDATE layer.buildings SET area_code = %s, name = NULL WHERE fid = %s", (ELSEWHERE, n)
                    )
                case 5:
                    connection.execute(
                        f"INSERT INTO layer.grids (grid_code, name, geom) VALUES ('{HERE}{200 + i}', '网格', {SQUARE})"
                    )
                case _:
                    connection.execute("UPDATE layer.grids SET name = '改 ' || fid WHERE fid %% 5 = %s", (n,))
        connection.execute("DELETE FROM layer.grids WHERE fid = 2")
        connection.execute("TRUNCATE layer.water")
        followed = _index(connection)
        assert len(followed) > 30
        connection.execute("COMMENT ON FUNCTION layer.grids_search() IS NULL")
        for layer in catalog:
            if not layer.is_view:
                connection.execute(f"COMMENT ON FUNCTION layer.{layer.name}_search() IS NULL")
            search_index.ensure(connection, layer)
        assert _index(connection) == followed


def test_a_visit_to_a_point_does_not_touch_the_index(db: Db) -> None:
    with db.connection() as connection:
        _fill(connection)
        places = "SELECT ctid::text, xmin::text FROM core.search WHERE layer = 'patrol_points' ORDER BY 1"
        before = connection.execute(places).fetchall()
        connection.execute("UPDATE layer.patrol_points SET last_visit_at = now()")
        assert connection.execute(places).fetchall() == before


def test_the_grids_of_a_plan_can_be_found_from_the_day_it_is_published(db: Db, catalog: Catalog) -> None:
    with db.connection() as connection:
        connection.execute(
            "INSERT INTO core.grid_plan (area_code, title, state, valid_from) VALUES ('990101001001', '草案', 'draft', current_date)"
        )
        connection.execute(
            f"INSERT INTO core.grid (plan_id, grid_code, area_code, name, geom) VALUES (1, '{HERE}001', '{HERE}', '新网格', {SQUARE})"
        )
        assert search(connection, catalog, STAFF, "新网格") == []
        connection.execute("UPDATE core.grid_plan SET state = 'published'")
        assert [hit.title for hit in search(connection, catalog, STAFF, "新网格")[0].hits] == ["新网格"]
        connection.execute("UPDATE core.grid_plan SET state = 'retired'")
        assert search(connection, catalog, STAFF, "新网格") == []


def test_a_new_layer_is_found_by_its_label_with_no_python_written(db: Db, catalog: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "points" / "hydrants"
    folder.mkdir(parents=True)
    (tmp_path / "groups.toml").write_text('[points]\nzh = "点位"\nen = "Points"\n', "utf-8")
    root = Path(__file__).resolve().parents[2] / "layers"
    (tmp_path / "groups.toml").write_text((root / "groups.toml").read_text("utf-8"), "utf-8")
    (tmp_path / "codes").mkdir()
    folder.joinpath("layer.toml").write_text(
        'title = { zh = "消火栓", en = "Hydrants" }\ngeometry = "Point"\nclass = "public"\nmin_zoom = 13\nlabel = "spot"\n\n[fields]\n'
        'hydrant_id = { type = "text", title = { zh = "编号", en = "Id" }, unique = true, required = true }\n'
        'spot = { type = "text", title = { zh = "位置", en = "Spot" } }\n\n[tile]\nfields = ["hydrant_id"]\n', "utf-8")  # fmt: skip
    (layer,) = read_catalog(tmp_path).layers
    larger = replace(catalog, layers=(*catalog.layers, layer))
    with db.connection() as connection:
        migrate(connection, larger)
        connection.execute(
            f"INSERT INTO layer.hydrants (area_code, hydrant_id, spot, geom) VALUES ('{HERE}', 'XH-7731', '菜市场北', {POINT})"
        )
        assert migrate(connection, larger) == []
        for typed in ("菜市场", "cscb", "XH-77", "731"):
            (group,) = search(connection, larger, PUBLIC, typed)
            assert (group.kind, group.hits[0].title) == ("hydrants", "菜市场北")
