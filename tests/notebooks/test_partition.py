"""The partition notebook runs from top to bottom and answers what it asks."""

from __future__ import annotations

import pytest

from tests.notebooks.notebook import run, texts


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_answers_its_question() -> None:
    answers = texts(run("03-partition.ipynb"))
    assert any("'share_in_band_feasible': 1.0" in answer for answer in answers)
    assert any("'bound_households'" in answer for answer in answers)
