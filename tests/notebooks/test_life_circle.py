"""The life-circle notebook runs from top to bottom and answers what it asks."""

from __future__ import annotations

import pytest

from tests.notebooks.notebook import run, told


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_answers_its_questions() -> None:
    answers = told(run("02-life-circle.ipynb"))
    assert answers["network"] < answers["straight line would say"]
    assert answers["lost"] == 0.0
    assert answers["proof"] == "exact"
    assert answers["bound"] == pytest.approx(answers["households gained"])
