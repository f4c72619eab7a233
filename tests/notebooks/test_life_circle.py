"""The life-circle notebook runs from top to bottom, answers what it asks, and is stored without outputs."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02-life-circle.ipynb"


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_outputs_are_stripped(notebook: nbformat.NotebookNode) -> None:
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook.cells)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_answers_its_questions(notebook: nbformat.NotebookNode) -> None:
    run = nbformat.from_dict(notebook)
    here = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(run, timeout=240, kernel_name="python3", resources=here).execute()
    answers = [
        output["data"]["text/plain"] for cell in run.cells for output in cell.get("outputs", []) if "data" in output
    ]
    told = {key: value for text in answers if text.startswith("{") for key, value in ast.literal_eval(text).items()}
    assert told["network"] < told["straight line would say"]
    assert told["lost"] == 0.0
    assert told["proof"] == "exact"
    assert told["bound"] == pytest.approx(told["households gained"])
