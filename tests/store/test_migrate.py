"""A database is brought to the present schema once, keeps what it holds, and says what it cannot do."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from onemap.catalog.read import read_catalog
from onemap.domain.layer import Catalog, Field, FieldType, Title
from onemap.errors import DatabaseError
from onemap.store.db import Db
from onemap.store.migrate import migrate, migrations

LAYERS = Path(__file__).resolve().parents[2] / "layers"
SQUARE = "ST_Multi(ST_GeomFromText('POLYGON((117 31, 117.01 31, 117.01 31.01, 117 31))', 4490))"


def with_field(catalog: Catalog, name: str, field: Field) -> Catalog:
    layers = [
        replace(layer, fields=(*(f for f in layer.fields if f.name != field.name), field))
        if layer.name == name
        else layer
        for layer in catalog
    ]
    return replace(catalog, layers=tuple(layers))


def test_a_second_run_does_nothing(db: Db, catalog: Catalog) -> None:
    with db.connection() as connection:
        assert migrate(connection, catalog) == []


def test_every_layer_has_a_relation_with_its_columns(db: Db, catalog: Catalog) -> None:
    with db.connection() as connection:
        for layer in catalog:
            rows = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'layer' AND table_name = %s",
                (layer.name,),
            ).fetchall()
            assert {row[0] for row in rows} >= set(layer.columns)


def test_a_new_field_becomes_a_column_and_the_rows_stay(db: Db, catalog: Catalog) -> None:
    with db.connection() as connection:
        connection.execute(f"INSERT INTO layer.green (green_id, geom) VALUES ('a', {SQUARE})")
        grown = with_field(catalog, "green", Field("trees", FieldType.INTEGER, Title("树木", "Trees")))
        migrate(connection, grown)
        assert connection.execute("SELECT green_id, trees FROM layer.green").fetchall() == [("a", None)]


def test_a_field_of_another_type_is_refused_and_nothing_changes(db: Db, catalog: Catalog) -> None:
    changed = with_field(catalog, "green", Field("name", FieldType.INTEGER, Title("名称", "Name")))
    with db.connection() as connection:
        with pytest.raises(DatabaseError, match="Field 'name' of layer 'green' is text in the database and integer"):
            migrate(connection, changed)
        assert migrate(connection, catalog) == []


def test_a_layer_of_another_geometry_is_refused(db: Db, catalog: Catalog, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(LAYERS, tmp_path / "layers"))
    path = folder / "base/green/layer.toml"
    path.write_text(path.read_text("utf-8").replace("MultiPolygon", "Point"), "utf-8")
    with (
        db.connection() as connection,
        pytest.raises(DatabaseError, match="holds MultiPolygon in the database and Point"),
    ):
        migrate(connection, read_catalog(folder))


def test_an_edited_migration_is_refused(db: Db, catalog: Catalog) -> None:
    with db.connection() as connection:
        connection.execute("UPDATE core.migration SET checksum = 'other' WHERE number = 1")
        with pytest.raises(DatabaseError, match="was edited after it ran"):
            migrate(connection, catalog)


def test_a_database_of_a_newer_program_is_refused(db: Db, catalog: Catalog) -> None:
    with db.connection() as connection:
        connection.execute("INSERT INTO core.migration (number, name, checksum) VALUES (9999, 'future', 'x')")
        with pytest.raises(DatabaseError, match="has migration 9999"):
            migrate(connection, catalog)


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_changed_view_is_made_anew(db: Db, catalog: Catalog) -> None:
    layer = catalog.layer("areas")
    changed = replace(
        layer,
        view_sql=(layer.view_sql or "").replace("FROM core.area AS a", "FROM core.area AS a WHERE a.level <> 'city'"),
    )
    with db.connection() as connection:
        connection.execute(
            f"INSERT INTO core.area (area_code, name, level, geom) VALUES ('9901', 'x', 'city', {SQUARE})"
        )
        migrate(connection, replace(catalog, layers=tuple(changed if one.name == "areas" else one for one in catalog)))
        assert connection.execute("SELECT count(*) FROM layer.areas").fetchone() == (0,)


def test_writes_to_views_reach_the_operational_tables(db: Db) -> None:
    with db.connection() as connection:
        connection.execute(
            f"INSERT INTO layer.areas (area_code, name, level, code_system, geom) "
            f"VALUES ('990101001001', '示例', 'community', 'local', {SQUARE})"
        )
        connection.execute(f"INSERT INTO layer.grids (grid_code, geom) VALUES ('990101001001001', {SQUARE})")
        connection.execute(
            f"INSERT INTO layer.management_points (point_code, geom) VALUES ('99010100100100101', {SQUARE})"
        )
        connection.execute("UPDATE layer.grids SET officer_post = '网格员 01', households = 400")
        row = connection.execute(
            "SELECT area_code, grid_no, grid_type, households, vacant, n_management_points, plan FROM layer.grids"
        ).fetchone()
        assert row == ("990101001001", "001", "basic", 400, False, 1, "导入方案")
        connection.execute("DELETE FROM layer.management_points")
        assert connection.execute("SELECT count(*) FROM core.grid").fetchone() == (1,)


def test_a_code_once_given_stays_in_the_ledger(db: Db) -> None:
    with db.connection() as connection:
        connection.execute(f"INSERT INTO layer.grids (grid_code, geom) VALUES ('990101001001001', {SQUARE})")
        connection.execute("DELETE FROM layer.grids")
        assert connection.execute("SELECT grid_code FROM core.grid_code_ledger").fetchall() == [("990101001001001",)]


def test_an_event_is_overdue_by_the_clock_and_not_by_a_column(db: Db) -> None:
    with db.connection() as connection:
        for number, deadline, closed in (
            ("late", "now() - interval '1 hour'", "NULL"),
            ("in-time", "now() + interval '1 hour'", "NULL"),
            ("closed-late", "now() - interval '2 hours'", "now() - interval '1 hour'"),
        ):
            connection.execute(
                "INSERT INTO layer.events (event_no, level, state, reported_at, deadline_at, closed_at, geom) VALUES "
                f"('{number}', 1, 'reported', now() - interval '1 day', {deadline}, {closed}, ST_Point(117, 31, 4490))"
            )
        rows = connection.execute("SELECT event_no, overdue, is_open FROM layer.events ORDER BY 1").fetchall()
        assert rows == [("closed-late", True, False), ("in-time", False, True), ("late", True, True)]


def test_staff_off_duty_have_no_place_on_the_map(db: Db) -> None:
    with db.connection() as connection:
        for responder, on_duty in (("a", True), ("b", False)):
            connection.execute(
                "INSERT INTO layer.responders (responder_id, post, role, on_duty, geom) "
                "VALUES (%s, %s, 'grid_officer', %s, ST_Point(117, 31, 4490))",
                (responder, responder, on_duty),
            )
        assert connection.execute("SELECT responder_id FROM layer.responders").fetchall() == [("a",)]
