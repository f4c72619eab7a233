"""``onemap import`` and ``onemap export`` as a person or a program calls them: answers and exit codes."""

import json
from pathlib import Path

import pytest

from onemap.cli.main import run


@pytest.fixture
def call(monkeypatch, database, tmp_path, capsys):
    """``call("import", …)``: exit code and the one JSON document."""
    monkeypatch.setenv("ONEMAP_DATABASE_URL", database)
    monkeypatch.setenv("ONEMAP_DATA", str(tmp_path / "data"))

    def do(*arguments: str) -> tuple[int, dict]:
        code = run([*arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return do


def test_an_import_answers_with_one_document(call, tmp_path, street):
    street.loc[0, "用途"] = "飞船"
    street.to_file(tmp_path / "a.gpkg")
    code, answer = call("import", "buildings", str(tmp_path / "a.gpkg"))
    assert code == 0
    assert answer["layers"] == {"buildings": {"read": 10, "written": 9, "updated": 0, "rejected": 1, "repaired": 0}}
    assert Path(answer["rejects_file"]).is_file()
    assert answer["problems"][0]["row"] == 1
    code, answer = call("export", "buildings", "-o", str(tmp_path / "out.fgb"))
    assert (code, answer["n_features"], answer["format"]) == (0, 9, "fgb")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("import", "buildings", "{nowhere}"), 3, "There is no file"),
        (("import", "buildings", "{table}"), 3, "--crs wgs84, cgcs2000, gcj02, bd09 or EPSG:n"),
        (("import", "buildings", "{table}", "--crs", "EPSG:4548"), 3, "are degrees"),
        (("import", "buildings", "{table}", "--crs", "mars"), 2, "no coordinate system"),
        (
            ("import", "buildings", "{table}", "--crs", "wgs84", "--max-rejects", "all"),
            2,
            "a number of rows or a share",
        ),
        (("import", "buildings", "{table}", "--crs", "wgs84", "--estimate-households", "x"), 2, "no rule 'x'"),
        (("import", "osm", "{table}", "--bbox", "1,2,3"), 2, "west,south,east,north"),
        (("import", "trees", "{table}"), 3, "The catalog holds no layer 'trees'"),
        (("import", "osm", "{table}"), 3, "name the layer"),
        (("export", "buildings", "-o", "a.doc"), 2, "Name a --format"),
    ],
)
def test_every_failure_is_a_sentence_with_its_exit_code(call, tmp_path, arguments, code, sentence):
    (tmp_path / "a.csv").write_text('编号,wkt\nA,"POLYGON ((117 31, 118 31, 118 32, 117 31))"\n', "utf-8")
    files = {"nowhere": tmp_path / "b.gpkg", "table": tmp_path / "a.csv"}
    got, answer = call(*(part.format(**files) for part in arguments))
    assert got == code
    assert sentence in answer["error"]
