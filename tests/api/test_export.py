"""What goes out is what the reader sees, reads well in Excel, is no formula, and is written down."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from urllib.parse import unquote

import openpyxl
import pyogrio
import pytest
import shapely
from starlette.testclient import TestClient

from onemap.api import export as routes
from onemap.domain.region import parse_polygon
from onemap.domain.scope import Permission
from onemap.errors import BadQuery
from onemap.store import accounts
from onemap.store.db import Db
from tests.api.conftest import Ask

HERE, ELSEWHERE = "990101001001", "990102001001"
FORMULA = '=HYPERLINK("http://x.example","开")'
#: A triangle with the first four buildings in it, the others beside it.
TRIANGLE = "117.2995,31.6995;117.3035,31.6995;117.2995,31.7035"


@pytest.fixture
def town(db: Db) -> None:
    """Ten buildings on a diagonal, the last elsewhere; an area; two events, one closed."""
    with db.connection() as connection:
        connection.execute(
            "INSERT INTO core.area (area_code, name, level, geom) VALUES (%s, '晴川社区', 'community', "
            "ST_Multi(ST_MakeEnvelope(117.2, 31.6, 117.4, 31.8, 4490)))", (HERE,),
        )  # fmt: skip
        for i in range(10):
            at = 0.0004 * i
            connection.execute(
                "INSERT INTO layer.buildings (area_code, building_id, name, use, floors, households, persons, households_estimated, geom) "
                "VALUES (%s, %s, %s, 'residential', %s, 12, 30, FALSE, ST_Multi(ST_MakeEnvelope(%s, %s, %s, %s, 4490)))",
                (HERE if i < 9 else ELSEWHERE, f"B{i}", FORMULA if i == 0 else f"{i} 栋", i + 1,
                 117.3 + at, 31.7 + at, 117.30001 + at, 31.70001 + at),
            )  # fmt: skip
        for no, closed in (("SJ-1", None), ("SJ-2", "2026-05-06T15:00+08:00")):
            connection.execute(
                "INSERT INTO core.event (event_no, area_code, title, kind, level, state, place, reported_at, closed_at, geom) "
                "VALUES (%s, %s, '燃气异味', 'gas', 3, 'reported', '+86', '2026-05-06T14:30+08:00', %s, ST_Point(117.3, 31.7, 4490))",
                (no, HERE, closed),
            )  # fmt: skip


def table(client: TestClient, address: str, **more: object) -> list[dict[str, str]]:
    answer = client.get(address, **more)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_a_table_for_excel_has_chinese_titles_words_and_no_formulas(ask: Ask, db: Db, town: None) -> None:
    client = ask()
    rows = table(client, f"/api/export/buildings?area={HERE}")
    assert len(rows) == 9
    assert (rows[0]["楼栋编号"], rows[0]["名称"], rows[0]["层数"]) == ("B0", f"'{FORMULA}", "1")
    assert rows[0]["用途"] == "住宅"
    assert (float(rows[1]["经度"]), float(rows[1]["纬度"])) == pytest.approx((117.300405, 31.700405))
    event = table(client, "/api/events/export?is_open=true")
    assert [(row["事件编号"], row["地点"], row["上报时间"], row["超期"]) for row in event] == [
        ("SJ-1", "'+86", "2026-05-06 14:30:00", "")
    ]
    answer = client.get("/api/export/buildings?format=xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    cells = {sheet.cell(1, column).value: sheet.cell(2, column) for column in range(1, sheet.max_column + 1)}
    assert (cells["名称"].value, cells["名称"].data_type) == (FORMULA, "s")
    assert cells["层数"].value == 1
    assert sheet.max_row == 11


def test_a_file_says_where_and_when_and_is_written_down(ask: Ask, db: Db, town: None) -> None:
    client = ask()
    answer = client.get(f"/api/export/buildings?area={HERE}&polygon={TRIANGLE}")
    name = unquote(answer.headers["content-disposition"].partition("filename*=UTF-8''")[2])
    assert name.startswith("建筑_晴川社区_20")
    assert name.endswith(".csv")
    with db.connection() as connection:
        actor, action, detail = connection.execute(
            "SELECT actor, action, detail FROM core.audit ORDER BY seq DESC"
        ).fetchone()
        assert accounts.audit_break(connection) is None
    assert (actor, action, detail["layer"], detail["format"], detail["n"]) == ("local", "export", "buildings", "csv", 4)


def test_maps_get_maps(ask: Ask, db: Db, town: None) -> None:
    client = ask()
    features = client.get("/api/export/buildings?format=geojson").json()["features"]
    assert [one["properties"]["building_id"] for one in features] == [f"B{i}" for i in range(10)]
    assert shapely.from_geojson(json.dumps(features[0]["geometry"])).geom_type == "MultiPolygon"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "b.gpkg")
        file.write_bytes(client.get("/api/export/buildings?format=gpkg&bbox=117.29,31.69,117.3005,31.71").content)
        assert pyogrio.read_info(file)["features"] == 2
    assert len(client.get("/api/events/export?format=geojson").json()["features"]) == 2


def test_a_selection_counts_adds_up_and_goes_on(ask: Ask, town: None) -> None:
    client = ask()
    address = f"/api/select/buildings?polygon={TRIANGLE}"
    whole = client.get(address).json()
    assert (whole["n"], whole["exact"], whole["households"], whole["persons"], whole["next"]) == (
        4, True, 48, 120, None,
    )  # fmt: skip
    assert [one["properties"]["building_id"] for one in whole["features"]] == [f"B{i}" for i in range(4)]
    seen, after = [], ""
    while after is not None:
        page = client.get(f"{address}&limit=2&after={after}").json()
        seen += page["features"]
        after = page["next"]
    assert seen == whole["features"]
    closed = TRIANGLE + ";117.2995,31.6995"
    assert client.get(f"/api/select/buildings?polygon={closed}").json() == whole
    assert client.get("/api/select/events?bbox=117.29,31.69,117.31,31.71").json()["n"] == 1
    assert client.get("/api/select/events?bbox=117.29,31.69,117.31,31.71&shown=false").json()["n"] == 2
    inside = "/api/select/events?bbox=117.29,31.69,117.31,31.71&listed=true"
    assert client.get(inside).json()["n"] == 2, "as the filter means, not as the map shows"
    assert client.get(f"{inside}&is_open=true").json()["n"] == 1
    assert client.get(f"{inside}&level=4&level=3&kind=none").json()["n"] == 0
    assert (
        "has no list" in client.get("/api/select/cameras?bbox=117.29,31.69,117.31,31.71&listed=true").json()["detail"]
    )
    assert client.get("/api/select/cameras?bbox=117.29,31.69,117.31,31.71").json()["households"] is None


def test_a_polygon_that_cannot_be_used_is_told_in_a_sentence(ask: Ask, town: None) -> None:
    client = ask()
    for polygon, words in (
        ("117.3,31.7;117.31,31.7", "three different corners"),
        ("117.3,31.7;117.3,31.7;117.3,31.7", "three different corners"),
        ("117.3,31.7;117.31,31.71;117.31,31.7;117.3,31.71", "not simple"),
        ("117.3,31.7;nan,31.7;117.3,31.71", "is no place"),
        ("117.3,31.7;inf,31.7;117.3,31.71", "is no place"),
        ("31.7,117.3;31.8,117.3;31.7,117.4", "longitude comes first"),
        ("here;there;117.3,31.7", "cannot be read"),
        ("117.3,31.7,1;117.3,31.8,1;117.4,31.7,1", "cannot be read"),
    ):
        answer = client.get("/api/select/buildings", params={"polygon": polygon})
        assert (answer.status_code, words in answer.json()["detail"]) == (400, True), answer.text
    assert "needs a polygon or a bbox" in client.get("/api/select/buildings").json()["detail"]


def test_a_polygon_of_very_many_corners_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadQuery, match="at most 10000"):
        parse_polygon(";".join(["nowhere"] * 10_001))


def test_too_much_at_once_is_refused_in_a_sentence(ask: Ask, town: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MOST_ROWS", 9)
    answer = ask().get("/api/export/buildings")
    assert (answer.status_code, "More than 9 rows" in answer.json()["detail"]) == (422, True)


def test_export_takes_the_permission_and_stays_in_the_readers_areas(ask: Ask, db: Db, town: None) -> None:
    with db.connection() as connection:
        reads = accounts.add_account(connection, "reads", "viewer", None, 1)
        away = accounts.add_account(connection, "away", "viewer", (ELSEWHERE,), 1, frozenset({Permission.EXPORT}))
    client = ask(peer="192.0.2.7", host="map.example")
    for headers in ({}, {"Authorization": f"Bearer {reads}"}):
        assert client.get("/api/export/buildings", headers=headers).status_code == 403
    headers = {"Authorization": f"Bearer {away}"}
    assert [row["楼栋编号"] for row in table(client, "/api/export/buildings", headers=headers)] == ["B9"]
    assert client.get(f"/api/select/buildings?polygon={TRIANGLE}", headers=headers).json()["n"] == 0
