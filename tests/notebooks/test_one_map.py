"""The first notebook runs from top to bottom, and its map works with no internet."""

from __future__ import annotations

import html
import re
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import sync_playwright

from tests.notebooks import notebook

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def run() -> nbformat.NotebookNode:
    """The notebook after it was run."""
    return notebook.run("01-one-map.ipynb")


def test_it_counts_the_demo_city(run: nbformat.NotebookNode) -> None:
    told = notebook.told(run)
    assert (told["grids"], told["in band"], told["of"]) == (29, 27, 29)
    assert told["events of the month"] > 0


def test_its_map_draws_in_a_browser_that_reaches_nobody(
    run: nbformat.NotebookNode, chromium: Path, tmp_path: Path
) -> None:
    shown = next(o["data"]["text/html"] for o in run.cells[-1]["outputs"] if "text/html" in o.get("data", {}))
    inner = re.search(r'srcdoc="([^"]*)"', shown)
    assert inner is not None
    page_file = tmp_path / "map.html"
    page_file.write_text(html.unescape(inner[1]), "utf-8")
    asked: list[str] = []
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        page = browser.new_page(offline=True)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(page_file.as_uri())
        page.wait_for_selector("path.leaflet-interactive", state="attached", timeout=60_000)
        n_paths = page.locator("path.leaflet-interactive").count()
        browser.close()
    assert n_paths > 29
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
