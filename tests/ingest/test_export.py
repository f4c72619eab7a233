"""What an export writes, an import reads back."""

import zipfile
from collections.abc import Iterator

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest

from onemap.domain.layer import DataClass
from onemap.domain.scope import EVERYTHING, Scope
from onemap.errors import InputRefused
from onemap.ingest.child import decode_here
from onemap.ingest.crs import parse_crs
from onemap.ingest.export import Format, Wanted, export_layer
from onemap.ingest.publish import Importer, Options
from onemap.store.db import Db

from .conftest import RULES, bring, invented_street


@pytest.fixture(scope="module")
def filled(module_database, catalog, tmp_path_factory) -> Iterator[Importer]:
    """Ten buildings and a facility in a database that the tests of this file share."""
    folder = tmp_path_factory.mktemp("filled")
    with Db(module_database, max_size=2) as db:
        importer = Importer(db, catalog, RULES, decode=decode_here)
        invented_street().to_file(folder / "in.gpkg")
        bring(importer, "buildings", folder / "in.gpkg")
        (folder / "in.csv").write_text("编号,名称,类别,电话,lon,lat\nF1,=甲,公厕,0551-63500000,117.3,31.7\n", "utf-8")
        bring(importer, "facilities", folder / "in.csv", crs="wgs84")
        yield importer


def write(importer: Importer, layer: str, file, kind: Format, *, crs="cgcs2000", scope=EVERYTHING, bbox=None) -> int:
    wanted = Wanted(kind, file, parse_crs(crs), bbox)
    return export_layer(importer.db, importer.catalog.layer(layer), wanted, scope, lambda _done, _total: None)


@pytest.mark.parametrize("crs", ["cgcs2000", "EPSG:4548"])
@pytest.mark.parametrize("kind", list(Format))
def test_a_round_trip_changes_no_row(filled, tmp_path, kind, crs):
    file = tmp_path / f"out{kind.ending}"
    assert write(filled, "buildings", file, kind, crs=crs) == 10
    options = {"crs": crs} if kind in (Format.CSV, Format.XLSX) else {}
    assert bring(filled, "buildings", file, **options) == {
        "read": 10, "written": 0, "updated": 0, "rejected": 0, "repaired": 0,
    }  # fmt: skip


def test_every_field_comes_back(filled, tmp_path):
    write(filled, "buildings", tmp_path / "a.gpkg", Format.GPKG)
    report = filled.file("buildings", tmp_path / "a.gpkg", Options(dry_run=True))
    assert set(report.mapping) == {"area_code", *(field.name for field in filled.catalog.layer("buildings").fields)}
    assert report.unused_columns == []


def test_shifted_coordinates_go_out_and_come_back(filled, tmp_path):
    write(filled, "facilities", tmp_path / "a.csv", Format.CSV, crs="bd09")
    out = pd.read_csv(tmp_path / "a.csv")
    assert abs(out["lon"][0] - 117.3) > 0.005
    assert bring(filled, "facilities", tmp_path / "a.csv", crs="bd09")["updated"] == 0


def test_a_shapefile_is_an_archive_with_utf8_and_short_names(filled, tmp_path):
    write(filled, "buildings", tmp_path / "a.shp.zip", Format.SHP)
    with zipfile.ZipFile(tmp_path / "a.shp.zip") as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {"shp", "shx", "dbf", "prj", "cpg"}
        archive.extractall(tmp_path / "shp")
    frame = gpd.read_file(tmp_path / "shp" / "buildings.shp")
    assert "househol_2" in frame.columns
    assert set(frame["name"]) == {f"{i}号楼" for i in range(1, 11)}


def test_excel_shows_texts_as_texts(filled, tmp_path):
    write(filled, "facilities", tmp_path / "a.xlsx", Format.XLSX)
    row = list(openpyxl.load_workbook(tmp_path / "a.xlsx").active.iter_rows(values_only=True))[1]
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx").active["C2"]
    assert (row[0], cell.value, cell.data_type) == ("F1", "=甲", "s")


def test_a_scope_hides_fields_and_a_box_leaves_rows_out(filled, tmp_path):
    public = Scope(areas=None, classes=frozenset({DataClass.PUBLIC}))
    n = write(filled, "buildings", tmp_path / "a.fgb", Format.FGB, scope=public, bbox=(117.27, 31.6, 117.2801, 31.8))
    frame = pyogrio.read_dataframe(tmp_path / "a.fgb")
    assert n == len(frame) == 1
    assert "households" not in frame.columns


def test_a_layer_with_nothing_in_it_is_an_empty_file(filled, tmp_path):
    for kind in Format:
        assert write(filled, "roads", tmp_path / f"roads{kind.ending}", kind) == 0
    assert pyogrio.read_info(tmp_path / "roads.gpkg")["features"] == 0


def test_a_place_that_cannot_be_written_is_said(filled, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputRefused, match="cannot be written"):
        write(filled, "roads", tmp_path / "file" / "a.gpkg", Format.GPKG)


def test_an_export_is_in_the_audit_log(filled, tmp_path):
    write(filled, "buildings", tmp_path / "a.csv", Format.CSV)
    with filled.db.connection() as connection:
        entry = connection.execute("SELECT action, detail FROM core.audit ORDER BY seq DESC LIMIT 1").fetchone()
    assert entry == ("export", {"layer": "buildings", "format": "csv", "n_features": 10})
