"""Compilations are kept for as long as the text they were made from stays the same, callees included."""

from pathlib import Path

import pytest

from onemap.engine._jit import _read, version_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "onemap" / "engine" / "part"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "caller.py").write_text("from onemap.engine.part import middle\n")
    (folder / "middle.py").write_text("from onemap.engine.part.callee import step\n")
    (folder / "callee.py").write_text("STEP = 1\n")
    (folder / "stranger.py").write_text("import math\n")
    return tmp_path


@pytest.mark.parametrize(("changed", "same"), [("caller", False), ("callee", False), ("stranger", True)])
def test_a_module_is_another_version_when_anything_it_imports_is(root: Path, changed: str, same: bool) -> None:
    before = version_of(root, "onemap.engine.part.caller")
    version_of.cache_clear()
    _read.cache_clear()
    file = root / "onemap" / "engine" / "part" / f"{changed}.py"
    file.write_text(file.read_text() + "# other\n")
    assert (version_of(root, "onemap.engine.part.caller") == before) is same
