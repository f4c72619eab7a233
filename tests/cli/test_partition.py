"""``onemap partition`` as a person at the terminal meets it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from onemap.cli.main import run
from tests.engine.partition.towns import Town, town

KEYS = [
    "n_grids", "n_in_band", "n_infeasible_alone", "share_in_band", "share_in_band_feasible", "n_discontiguous",
    "households", "mean_polsby_popper", "barrier_share", "estates_cut", "moved", "misses", "seconds", "seed",
]  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Town, list[str]]:
    """A town on disk, and the arguments that name its files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = town(21, blocks=(4, 4))
    named = {"buildings": made.buildings.rename(columns={"households": "hh"}), "streets": made.streets}
    named["boundary"] = made.boundary
    args = ["partition"]
    for name, frame in named.items():
        frame.to_file(tmp_path / f"{name}.gpkg", layer=name, driver="GPKG")
        args += [f"--{name}", str(tmp_path / f"{name}.gpkg")]
    return made, [*args, "--households-field", "hh", "--target", "160", "--min", "120", "--max", "200"]


def answer(capfd: pytest.CaptureFixture[str]) -> dict:  # type: ignore[type-arg]
    return json.loads(capfd.readouterr().out)


def test_the_plan_and_the_answer_are_as_agreed(
    files: tuple[Town, list[str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made, args = files
    out = tmp_path / "plan.gpkg"
    report = tmp_path / "report.json"
    assert run([*args, "--out", str(out), "--report", str(report), "--json"]) == 0
    said = answer(capfd)
    assert list(said) == KEYS
    told = json.loads(report.read_text())
    assert told["summary"] == said
    assert len(told["grids"]) == said["n_grids"]
    assert told["needs"]["rooms_m2"] == pytest.approx(0.6 * said["households"])
    assert list(said["moved"]) == ["households", "buildings", "bound_households"]
    assert list(said["seconds"]) == ["atoms", "zoning", "polygons"]
    assert [name for name, _ in pyogrio.list_layers(out)] == ["grids", "buildings", "atoms"]
    layers = ("grids", "buildings", "atoms")
    assert {pyogrio.read_info(out, layer=layer)["geometry_name"] for layer in layers} == {"geom"}
    grids, buildings, atoms = (gpd.read_file(out, layer=name) for name in layers)
    assert grids.columns.tolist()[:-1] == ["grid", "households", "persons", "n_buildings", "in_band", "polsby_popper"]
    assert buildings["name"].tolist() == made.buildings["name"].tolist()
    assert atoms.columns.tolist()[:-1] == ["atom", "grid", "households"]
    assert grids.crs == buildings.crs == atoms.crs == made.buildings.crs
    assert said["n_grids"] == len(grids)
    assert said["households"] == made.buildings["households"].sum() == grids["households"].sum()
    again = buildings.groupby("grid")["hh"].sum()
    assert (grids.set_index("grid")["households"] == again.reindex(grids["grid"])).all()


def test_a_second_run_reads_the_atoms_and_comes_out_the_same(
    files: tuple[Town, list[str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, args = files
    for name in ("one", "two"):
        assert run([*args, "--out", str(tmp_path / f"{name}.gpkg"), "--json"]) == 0
    capfd.readouterr()
    assert len(list((tmp_path / "cache" / "onemap" / "atoms").glob("*.npz"))) == 1
    one, two = (gpd.read_file(tmp_path / f"{name}.gpkg", layer="grids") for name in ("one", "two"))
    assert one.geometry.to_wkb().equals(two.geometry.to_wkb())


def test_present_grids_are_kept_and_locked(
    files: tuple[Town, list[str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, args = files
    out = str(tmp_path / "plan.gpkg")
    assert run([*args, "--out", out]) == 0
    assert run([*args, "--keep", out, "--lock", "001", "--json"]) == 0
    text = capfd.readouterr().out
    assert json.loads(text[text.index("{") :])["moved"]["buildings"] == 0


@pytest.mark.parametrize(
    ("more", "code", "sentence"),
    [
        (["--min", "500", "--max", "300"], 2, "minimum <= target <= maximum"),
        (["--lock", "001"], 2, "--keep"),
        (["--households-field", "none"], 3, "no column 'none'"),
        (["--rule", "none"], 2, "no rule set 'none'"),
        (["--out", "/nowhere/at/all/plan.gpkg"], 2, "no folder"),
        (["--area", "340104"], 2, "--scenario"),
    ],
)
def test_wrong_use_is_answered_in_a_sentence(
    files: tuple[Town, list[str]], capfd: pytest.CaptureFixture[str], more: list[str], code: int, sentence: str
) -> None:
    _, args = files
    assert run([*args, *more]) == code
    captured = capfd.readouterr()
    assert sentence in captured.err
    assert "Traceback" not in captured.err


def test_refused_input_changes_nothing(
    files: tuple[Town, list[str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made, args = files
    wrong = made.buildings.rename(columns={"households": "hh"})
    wrong.loc[3, "hh"] = -5
    wrong.to_file(tmp_path / "buildings.gpkg", layer="buildings", driver="GPKG")
    out = tmp_path / "plan.gpkg"
    assert run([*args, "--out", str(out), "--json"]) == 3
    said = answer(capfd)
    assert "negative in 1 of" in said["error"]
    assert "row 4" in said["error"]
    assert not out.exists()


def test_ctrl_c_writes_the_best_plan_so_far(tmp_path: Path) -> None:
    made = town(5, blocks=(14, 14), side=60)
    buildings, out = tmp_path / "b.gpkg", tmp_path / "plan.gpkg"
    made.buildings.to_file(buildings, driver="GPKG")
    made.streets.to_file(tmp_path / "s.gpkg", driver="GPKG")
    command = [sys.executable, "-m", "onemap.cli.main", "partition", "--buildings", str(buildings)]
    command += ["--streets", str(tmp_path / "s.gpkg"), "--households-field", "households", "--out", str(out), "--json"]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("cache/onemap/atoms/*.npz")) and time.monotonic() < deadline:
        time.sleep(0.01)  # until the atoms are cut and the search begins
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert "best plan so far" in stderr
    assert json.loads(stdout)["n_discontiguous"] == 0
    grids = gpd.read_file(out, layer="grids")
    assert shapely.coverage_is_valid(np.asarray(grids.geometry.array))
