"""What a file is, judged by name and content, before anything parses it."""

import gzip
import zipfile
from pathlib import Path

import pytest

from onemap.errors import InputRefused
from onemap.ingest.source import Kind, opened


def kind_of(path: Path) -> Kind:
    with opened(path) as source:
        return source.kind


def test_the_source_is_a_link_of_our_own_name(tmp_path, street):
    street.to_file(tmp_path / "方兴 楼栋.gpkg")
    with opened(tmp_path / "方兴 楼栋.gpkg") as source:
        assert source.kind is Kind.GPKG
        assert source.file.name == "source.gpkg"
        link = source.file
    assert not link.exists()


def test_a_name_that_does_not_fit_the_content_is_refused(tmp_path, street):
    street.to_file(tmp_path / "a.gpkg")
    (tmp_path / "a.gpkg").rename(tmp_path / "a.geojson")
    with pytest.raises(InputRefused, match="named as a GeoJSON file, but holds a GeoPackage"):
        kind_of(tmp_path / "a.geojson")


@pytest.mark.parametrize("name", ["a.dat", "a", "a.vrt", "a.kml", "a.xls"])
def test_an_ending_that_we_do_not_read_is_refused(tmp_path, name):
    (tmp_path / name).write_text("name,lon,lat\na,1,2\n")
    with pytest.raises(InputRefused, match="we read GeoPackage"):
        kind_of(tmp_path / name)


def test_a_vrt_under_another_name_is_refused(tmp_path):
    (tmp_path / "a.geojson").write_text("<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>")
    with pytest.raises(InputRefused, match="XML"):
        kind_of(tmp_path / "a.geojson")


@pytest.mark.parametrize("name", ["/vsicurl/http://x/a.gpkg", "https://x/a.gpkg", "/vsizip/a.zip/a.shp"])
def test_virtual_file_systems_and_addresses_are_refused(name):
    with pytest.raises(InputRefused, match="only files on this machine"):
        kind_of(Path(name))


def test_a_zip_bomb_is_refused_by_its_ratio(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in ("a.shp", "a.dbf", "a.shx"):
            archive.writestr(part, bytes(20 * 1024**2))
    with pytest.raises(InputRefused, match="times its size"):
        kind_of(tmp_path / "a.zip")


def test_a_compressed_extract_that_swells_is_refused(tmp_path):
    (tmp_path / "a.osm.gz").write_bytes(gzip.compress(b"<?xml version='1.0'?><osm>" + b" " * 60 * 1024**2))
    with pytest.raises(InputRefused, match="swells"):
        kind_of(tmp_path / "a.osm.gz")


def test_a_zip_cut_off_is_refused(tmp_path, street):
    _zip_shapefile(street, tmp_path, "a")
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputRefused, match="cut off or damaged"):
        kind_of(tmp_path / "a.zip")


def test_members_that_climb_out_of_the_archive_stay_inside(tmp_path, street):
    _zip_shapefile(street, tmp_path, "../../climb")
    with opened(tmp_path / "a.zip") as source:
        assert source.kind is Kind.SHP
        assert {path.name for path in source.file.parent.iterdir()} == {
            f"source.{e}" for e in ("shp", "shx", "dbf", "prj", "cpg")
        }


def test_several_shapefiles_need_a_choice(tmp_path, street):
    street.to_file(tmp_path / "s.shp", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for stem in ("东区", "西区"):
            for ending in ("shp", "shx", "dbf"):
                archive.write(tmp_path / f"s.{ending}", f"{stem}.{ending}")
    with pytest.raises(InputRefused, match=r"东区, 西区.*--layer"):
        kind_of(tmp_path / "a.zip")
    with opened(tmp_path / "a.zip", "东区") as source:
        assert source.kind is Kind.SHP


def test_a_shapefile_without_its_table_is_refused(tmp_path, street):
    street.to_file(tmp_path / "s.shp", encoding="utf-8")
    (tmp_path / "s.dbf").unlink()
    with pytest.raises(InputRefused, match=r"without its .dbf"):
        kind_of(tmp_path / "s.shp")


def test_macros_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/vbaProject.bin", "x")
    with pytest.raises(InputRefused, match="macros"):
        kind_of(tmp_path / "a.xlsx")


def test_an_empty_file_and_no_file_are_said(tmp_path):
    (tmp_path / "a.gpkg").touch()
    with pytest.raises(InputRefused, match="empty"):
        kind_of(tmp_path / "a.gpkg")
    with pytest.raises(InputRefused, match="There is no file"):
        kind_of(tmp_path / "b.gpkg")


def _zip_shapefile(street, folder: Path, stem: str) -> None:
    street.to_file(folder / "s.shp", encoding="utf-8")
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for ending in ("shp", "shx", "dbf", "prj", "cpg"):
            archive.write(folder / f"s.{ending}", f"{stem}.{ending}")
