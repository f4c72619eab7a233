"""The partition notebook runs from top to bottom and is stored without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "03-partition.ipynb"


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_outputs_are_stripped(notebook: nbformat.NotebookNode) -> None:
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook.cells)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_answers_its_question(notebook: nbformat.NotebookNode) -> None:
    run = nbformat.from_dict(notebook)
    here = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(run, timeout=240, kernel_name="python3", resources=here).execute()
    answers = [
        output["data"]["text/plain"] for cell in run.cells for output in cell.get("outputs", []) if "data" in output
    ]
    assert any("'share_in_band_feasible': 1.0" in answer for answer in answers)
    assert any("'bound_households'" in answer for answer in answers)
