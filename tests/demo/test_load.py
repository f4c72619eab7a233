"""Loading the invented city: complete or not at all, marked as invented, never over somebody's data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import cache

import orjson
import psycopg
import pytest
from click.testing import CliRunner
from shapely import Polygon

from onemap.cli.demo import command, load_if_empty
from onemap.demo import City, Part, invent
from onemap.demo.load import Loaded, load
from onemap.errors import InputRefused
from onemap.store.db import Connection, Db
from onemap.store.demo import Holding, holding, move, on_duty, streets
from tests.demo.conftest import NOW

N_EVENTS = 500


def _quiet(done: float, total: float, label: str) -> None:
    assert 0 <= done <= total, label


class _Remembered(City):
    """A city whose parts are made once for all tests of this file."""

    def communities(self, chosen: Iterable[int] | None = None) -> Iterator[Part]:  # noqa: ARG002
        yield from _parts(self.seed)[:-1]

    def closing(self, grounds: Mapping[str, Polygon]) -> Part:  # noqa: ARG002
        return _parts(self.seed)[-1]


@cache
def _parts(seed: int) -> list[Part]:
    return list(invent(seed, now=NOW, n_events=N_EVENTS).parts())


def _city(seed: int = 1) -> City:
    city = invent(seed, now=NOW, n_events=N_EVENTS)
    return _Remembered(**{f.name: getattr(city, f.name) for f in fields(city)})


def _load(connection: Connection, seed: int = 1) -> Loaded:
    return load(connection, _city(seed), _quiet, n_processes=1)


@pytest.fixture(scope="module")
def loaded(module_database: str) -> Iterator[Db]:
    """A database that the demo city was loaded into."""
    with Db(module_database, max_size=2) as db:
        with db.connection() as connection:
            _load(connection)
        yield db


def _one(db: Db, query: str) -> object:
    with db.connection() as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return row[0] if len(row) == 1 else row


def test_every_layer_shows_the_city(loaded: Db) -> None:
    assert _one(loaded, "SELECT sum(households), sum(persons) FROM layer.buildings") == (14_878, 30_000)
    assert _one(loaded, "SELECT count(*), sum(households), bool_and(ST_IsValid(geom)) FROM layer.grids") == (
        29,
        14_878,
        True,
    )
    assert _one(loaded, "SELECT count(*) FROM layer.cameras") == 1555
    assert _one(loaded, "SELECT count(*) FROM layer.patrol_points") == 4150
    assert _one(loaded, "SELECT count(*) FROM layer.responders") == 41
    assert _one(loaded, "SELECT count(*) FROM layer.events") == N_EVENTS
    assert _one(loaded, "SELECT count(*) FROM layer.areas") == 4
    assert _one(
        loaded, "SELECT sum(n_management_points) = (SELECT count(*) FROM layer.management_points) FROM layer.grids"
    )


def test_the_plan_names_its_rule_and_its_codes_are_in_the_ledger(loaded: Db) -> None:
    assert _one(loaded, "SELECT rule_set FROM core.grid_plan") == "grid-guanghe"
    missing = (
        "SELECT count(*) FROM core.grid g LEFT JOIN core.grid_code_ledger l USING (grid_code) WHERE l.grid_code IS NULL"
    )
    assert _one(loaded, missing) == 0
    assert _one(
        loaded, "SELECT nextval(pg_get_serial_sequence('core.grid_plan', 'plan_id')) > max(plan_id) FROM core.grid_plan"
    )


def test_it_is_marked_as_invented_and_holds_nobodys_data(loaded: Db) -> None:
    with loaded.connection() as connection:
        found = holding(connection)
    assert found.demo is not None
    assert (found.demo["seed"], found.demo["scale"], found.demo["invented"]) == (1, 1, "虚拟数据")
    assert found.has_rows
    assert not found.has_own_data


def test_rows_lie_on_disk_as_they_lie_on_the_ground(loaded: Db) -> None:
    apart = """
        SELECT avg(ST_Distance(a.geom, b.geom)) FROM layer.buildings a JOIN layer.buildings b ON {other}
        WHERE a.fid %% 10 = 0
    """
    near = _one(loaded, apart.format(other="b.fid = a.fid + 1").replace("%%", "%"))
    far = _one(loaded, apart.format(other="b.fid = (a.fid * 7919) % 1000 + 1").replace("%%", "%"))
    assert near * 8 < far  # type: ignore[operator]


def test_a_second_start_changes_nothing(loaded: Db) -> None:
    before = _one(loaded, "SELECT value ->> 'loaded_at' FROM core.meta WHERE key = 'demo'")
    assert load_if_empty(loaded) is False
    assert _one(loaded, "SELECT value ->> 'loaded_at' FROM core.meta WHERE key = 'demo'") == before


def test_staff_can_be_moved(loaded: Db) -> None:
    with loaded.connection() as connection:
        posts = on_duty(connection, "99")
        assert len(posts) == 41
        assert len(streets(connection, "99")) > 500
        assert on_duty(connection, "11") == []
        move(connection, [posts[0].responder_id], [117.3], [31.7], NOW)
        row = connection.execute(
            "SELECT ST_X(geom), ST_Y(geom), at FROM core.responder_position WHERE responder_id = %s",
            (posts[0].responder_id,),
        ).fetchone()
    assert row == (117.3, 31.7, NOW)


def test_loading_again_leaves_keys_and_indexes_as_they_were(db: Db) -> None:
    @contextmanager
    def unchanged() -> Iterator[None]:
        query = """
            SELECT (SELECT array_agg(indexdef ORDER BY indexdef) FROM pg_indexes WHERE schemaname IN ('core', 'layer')),
                   (SELECT array_agg(conrelid::regclass || conname || pg_get_constraintdef(oid) ORDER BY conrelid::regclass::text, conname)
                    FROM pg_constraint WHERE connamespace = 'core'::regnamespace)
        """
        before = _one(db, query)
        yield
        assert _one(db, query) == before

    with unchanged(), db.connection() as connection:
        _load(connection)
    with unchanged(), db.connection() as connection:
        counts = _load(connection, seed=2).counts
    assert counts["core.event"] == N_EVENTS
    assert _one(db, "SELECT (value ->> 'seed')::int FROM core.meta WHERE key = 'demo'") == 2


def test_a_crash_half_way_leaves_the_database_empty(db: Db) -> None:
    class PowerCut(Exception):
        pass

    def cut(done: float, total: float, label: str) -> None:
        raise PowerCut(label)

    with pytest.raises(PowerCut), db.connection() as connection:
        load(connection, _city(), cut, n_processes=1)
    with db.connection() as connection:
        assert holding(connection) == Holding(None, False, False)
        assert connection.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'event_geom'").fetchone() == (1,)


def test_somebodys_data_is_refused_and_kept(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.connection() as connection:
        connection.execute(
            "INSERT INTO layer.green (area_code, green_id, geom) "
            "VALUES ('340101001001', 'G1', ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))', 4490))"
        )
    monkeypatch.setenv("ONEMAP_DATABASE_URL", db.url)
    answer = CliRunner().invoke(command, ["--json", "--events", "10"])
    assert isinstance(answer.exception, InputRefused)
    assert _one(db, "SELECT count(*) FROM layer.green") == 1
    assert load_if_empty(db) is False


def test_a_demo_city_that_was_added_to_is_somebodys_data(db: Db) -> None:
    with db.connection() as connection:
        _load(connection)
        connection.execute("DELETE FROM layer.green WHERE fid = (SELECT min(fid) FROM layer.green)")
        assert holding(connection).has_own_data


def test_the_verb_loads_and_says_so_in_one_document(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEMAP_DATABASE_URL", db.url)
    answer = CliRunner().invoke(command, ["--json", "--seed", "3", "--events", "50"], catch_exceptions=False)
    document = orjson.loads(answer.stdout)
    assert answer.exit_code == 0
    assert (document["seed"], document["scale"], document["households"]) == (3, 1, 14_878)
    assert document["counts"]["core.event"] == 50


def test_a_table_that_refers_to_events_does_not_stand_in_the_way(db: Db) -> None:
    with db.connection() as connection:
        connection.execute("CREATE TABLE core.later (event_no text REFERENCES core.event ON DELETE CASCADE)")
        _load(connection)
        connection.execute("INSERT INTO core.later SELECT min(event_no) FROM core.event")
        with pytest.raises(psycopg.errors.ForeignKeyViolation), connection.transaction():
            connection.execute("INSERT INTO core.later VALUES ('SJ-nowhere')")
