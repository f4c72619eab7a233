"""Every format read in the process of the test; the limited child process has tests of its own."""

import struct
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from onemap.errors import InputRefused
from onemap.ingest.read import Ask, Raw, read
from onemap.ingest.source import opened


def read_file(path: Path, layer: str | None = None, **more) -> Raw:
    with opened(path) as source:
        ask = {"encoding": None, "max_vertices": 10_000, "places": {}, "prefer": "buildings"} | more
        return read(Ask(kind=source.kind, file=source.file, name=source.name, layer=layer, **ask))


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "fgb", "parquet"])
def test_vector_formats_give_all_rows_and_chinese_columns(tmp_path, street, ending):
    path = tmp_path / f"a.{ending}"
    street.to_parquet(path) if ending == "parquet" else street.to_file(path)
    raw = read_file(path)
    assert set(raw.columns["名称"].to_pylist()) == {f"{i}号楼" for i in range(1, 11)}
    assert len(raw.found.shapes) == 10
    assert raw.crs.to_epsg() == 4490


@pytest.mark.parametrize(
    ("encoding", "cpg"), [("utf-8", None), ("gbk", None), ("gbk", "GBK"), ("gbk", "UTF-8"), ("utf-8", "65001")]
)
def test_a_shapefile_is_read_in_its_own_encoding_whatever_the_cpg_says(tmp_path, street, encoding, cpg):
    street.to_file(tmp_path / "a.shp", encoding=encoding)
    (tmp_path / "a.cpg").unlink()
    if cpg is not None:
        (tmp_path / "a.cpg").write_text(cpg)
    assert read_file(tmp_path / "a.shp").columns["名称"].to_pylist()[0] == "1号楼"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_text_cut_in_the_middle_of_a_character_loses_only_that(tmp_path, street):
    street["名称"] = "长" * 200  # 400 bytes of GBK in a field of 254, 600 of UTF-8
    street.to_file(tmp_path / "a.shp", encoding="utf-8")
    names = read_file(tmp_path / "a.shp").columns["名称"].to_pylist()
    assert set(names[0]) == {"长"}


def test_a_geopackage_with_several_layers_needs_a_choice(tmp_path, street):
    for layer in ("east", "west"):
        street.to_file(tmp_path / "a.gpkg", layer=layer)
    with pytest.raises(InputRefused, match=r"east, west.*--layer"):
        read_file(tmp_path / "a.gpkg")
    assert len(read_file(tmp_path / "a.gpkg", layer="west").found.shapes) == 10


def test_a_geopackage_layer_called_like_ours_is_taken(tmp_path, street):
    for layer in ("other", "buildings"):
        street.to_file(tmp_path / "a.gpkg", layer=layer)
    assert len(read_file(tmp_path / "a.gpkg").found.shapes) == 10


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "fgb", "parquet", "csv", "shp"])
def test_a_file_cut_off_is_refused(tmp_path, street, ending):
    path = tmp_path / f"a.{ending}"
    if ending == "parquet":
        street.to_parquet(path)
    elif ending == "csv":
        street.assign(wkt=street.geometry.to_wkt()).drop(columns="geometry").to_csv(path, index=False)
    else:
        street.to_file(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(InputRefused, match=r"cut off|cannot be read|damaged"):
        read_file(path)


def test_a_table_of_attributes_cut_off_is_refused(tmp_path, street):
    street.to_file(tmp_path / "a.shp", encoding="gbk")
    data = (tmp_path / "a.dbf").read_bytes()
    (tmp_path / "a.dbf").write_bytes(data[:-200])
    with pytest.raises(InputRefused, match=r"The .dbf .* is cut off"):
        read_file(tmp_path / "a.shp")


def test_a_geopackage_with_a_damaged_page_is_refused(tmp_path, street):
    street.to_file(tmp_path / "a.gpkg")
    data = bytearray((tmp_path / "a.gpkg").read_bytes())
    size = struct.unpack(">H", data[16:18])[0]
    data[size * 2 : size * 6] = bytes(size * 4)
    (tmp_path / "a.gpkg").write_bytes(data)
    with pytest.raises(InputRefused):
        read_file(tmp_path / "a.gpkg")


@pytest.mark.parametrize(
    ("encoding", "separator"), [("utf-8", ","), ("utf-8-sig", ";"), ("gbk", ","), ("utf-16", "\t")]
)
def test_csv_encoding_and_delimiter_are_recognised(tmp_path, encoding, separator):
    table = pd.DataFrame({"名称": ["甲, 乙", "丙"], "经度": [117.3, 117.4], "纬度": [31.7, 31.8]})
    table.to_csv(tmp_path / "a.csv", index=False, encoding=encoding, sep=separator)
    raw = read_file(tmp_path / "a.csv")
    assert raw.columns["名称"].to_pylist() == ["甲, 乙", "丙"]
    assert [point.x for point in raw.found.shapes] == [117.3, 117.4]


def test_latin_text_is_not_taken_for_chinese(tmp_path):
    (tmp_path / "a.csv").write_bytes("name,lon,lat\nMüllerstraße süd,8.6,49.4\n".encode("latin-1"))
    with pytest.raises(InputRefused, match="--encoding"):
        read_file(tmp_path / "a.csv")
    assert read_file(tmp_path / "a.csv", encoding="latin-1").columns["name"][0].as_py() == "Müllerstraße süd"


def test_one_column_may_hold_both_coordinates(tmp_path):
    (tmp_path / "a.csv").write_text('名称,location\n甲,"117.3,31.7"\n乙,"somewhere"\n', "utf-8")
    raw = read_file(tmp_path / "a.csv")
    assert raw.found.shapes[0].wkt == "POINT (117.3 31.7)"
    assert raw.found.problem == {1: "'somewhere' is no pair of longitude and latitude"}


def test_coordinates_that_are_no_numbers_are_problems_of_their_rows(tmp_path):
    (tmp_path / "a.csv").write_text("name,lon,lat\na,abc,31\nb,NaN,31\nc,inf,31\nd,117,31\n")
    assert read_file(tmp_path / "a.csv").found.problem == {
        0: "'abc' is no longitude",
        1: "coordinates that are no numbers (longitude is NaN)",
        2: "coordinates that are no numbers (longitude is inf)",
    }


def test_rows_with_too_many_cells_are_problems(tmp_path):
    (tmp_path / "a.csv").write_text("name,lon,lat\na,117,31\nb,117,31,oops\n")
    assert read_file(tmp_path / "a.csv").found.problem == {1: "4 cells where the header has 3"}


def test_excel_below_a_title_row(tmp_path):
    _workbook(tmp_path / "a.xlsx", [["方兴社区设施台账"], [], ["名称", "经度", "纬度"], ["甲", 117.3, 31.7]])
    raw = read_file(tmp_path / "a.xlsx")
    assert list(raw.columns) == ["名称", "经度", "纬度"]
    assert raw.columns["名称"].to_pylist() == ["甲"]


def test_a_formula_that_nobody_computed_is_a_problem_with_its_cell(tmp_path):
    _workbook(tmp_path / "a.xlsx", [["名称", "经度", "纬度"], ["甲", "=117+0.3", 31.7], ["乙", 117.3, 31.7]])
    raw = read_file(tmp_path / "a.xlsx")
    assert raw.found.problem == {0: "formula without a stored value in cell B2"}
    assert "no stored value" in raw.notes[0]


def test_a_table_without_places_says_what_it_looked_for(tmp_path):
    (tmp_path / "a.csv").write_text("name,height\na,3\n")
    with pytest.raises(InputRefused, match="--map lon=COLUMN"):
        read_file(tmp_path / "a.csv")


def _workbook(path: Path, rows: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
