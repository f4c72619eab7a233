"""What the tests of notebooks share: running one, and reading what it answered."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def run(name: str) -> nbformat.NotebookNode:
    """A notebook after it was run from top to bottom."""
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    here = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=here).execute()
    return notebook


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """What its cells answered, as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"]["text/plain"] for output in outputs if "data" in output]


def told(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """The answers that are dictionaries, as one."""
    return {
        key: value for text in texts(notebook) if text.startswith("{") for key, value in ast.literal_eval(text).items()
    }
