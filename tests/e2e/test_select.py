"""Box and polygon selection: what lies inside by layer, households and persons, a card, a file (issue 4)."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from playwright.sync_api import Request

from tests.e2e.conftest import Visit, Visitor


def test_what_lies_in_a_box_is_listed_opened_and_exported(visit: Visit) -> None:
    visitor = visit(1440, 900)
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/select/" in request.url:
            asked.append(request.url)

    visitor.page.on("request", note)
    visitor.open("?theme=light&lang=zh&v=16/31.7005/117.3005&on=areas.grids.buildings.events")
    page = visitor.page
    page.keyboard.press("s")
    panel = page.locator("section[aria-label=框选]")
    panel.get_by_text("按住拖动，或点两个对角").wait_for()
    _drag(visitor, (620, 350), (840, 560))
    row = panel.locator("li[data-layer=buildings]")
    row.locator("b").wait_for()

    # The list says what the server counts in the drawn surface.
    [query] = {unquote(url).partition("?")[2] for url in asked if "/select/buildings" in url}
    answer = visitor.ask(f"/api/select/buildings?{query}")
    assert int(row.locator("b").inner_text().replace(",", "")) == answer["n"] > 0
    figures = panel.locator("dl").inner_text().replace(",", "")
    assert str(answer["households"]) in figures
    assert str(answer["persons"]) in figures

    # Files hold every row of it.
    rows = _export(visitor, panel, "CSV")
    assert len(list(csv.DictReader(io.StringIO(rows.decode("utf-8-sig"))))) == answer["n"]
    collection: dict[str, Any] = json.loads(_export(visitor, panel, "GeoJSON"))
    assert len(collection["features"]) == answer["n"]
    assert _export(visitor, panel, "Excel")[:2] == b"PK"

    # A row opens its card; Esc closes the card first, then the tool.
    row.locator(".name").click()
    title = row.locator("ol button").first.inner_text()
    row.locator("ol button").first.click()
    card = page.locator(".card[data-layer=buildings]")
    card.wait_for()
    page.wait_for_function("document.querySelector('.card h2').textContent.length > 2")
    assert card.locator("h2").inner_text() == title
    visitor.settle()
    visitor.picture("select-1440-light-zh")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert panel.count() == 0


def test_a_polygon_of_three_corners_and_the_screen_select_too(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.open("?theme=dark&lang=en&v=16/31.7005/117.3005&on=areas.buildings")
    page = visitor.page
    page.get_by_role("button", name="Select by area", exact=True).click()
    panel = page.locator("section[aria-label='Select by area']")
    panel.get_by_role("radio", name="Polygon").click()
    panel.get_by_text("click the first to end").wait_for()
    for x, y in ((640, 330), (860, 360), (700, 600), (640, 330)):
        page.mouse.move(x, y)
        page.mouse.click(x, y)
    row = panel.locator("li[data-layer=buildings]")
    row.locator("b").wait_for()
    inside = int(row.locator("b").inner_text().replace(",", ""))
    panel.get_by_role("radio", name="In view").click()
    visitor.until(
        lambda: row.locator("b").count() == 1 and _number(row.locator("b").inner_text()) > inside, "more in view"
    )
    # Another theme draws the surface anew.
    page.keyboard.press("Shift+D")
    page.wait_for_function("location.search.includes('theme=light')")
    visitor.settle()
    assert _number(row.locator("b").inner_text()) > inside


def test_the_events_inside_are_those_of_the_list_whatever_its_filter(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.open("?theme=light&lang=zh&v=15/31.7005/117.3005&on=areas.events&ev=view")
    page = visitor.page
    page.keyboard.press("s")
    panel = page.locator("section[aria-label=框选]")
    panel.get_by_role("radio", name="本屏").click()
    row = panel.locator("li[data-layer=events] b")
    head = page.locator("section[aria-label=事件与详情] header .n")
    counts = set()
    for chip in (None, "仅超期", "含已办结"):
        if chip is None:
            page.get_by_role("button", name="筛选", exact=True).click()
        else:
            page.get_by_role("checkbox", name=chip).check()
        visitor.until(
            lambda: row.count() == 1 and _number(row.inner_text()) == _number(head.inner_text()),
            f"the selection and the list agree with {chip}",
        )
        counts.add(_number(head.inner_text()))
    assert len(counts) > 1, "the filters mean different events"


def _number(text: str) -> int:
    return int("".join(c for c in text if c.isdigit()) or 0)


def _drag(visitor: Visitor, start: tuple[int, int], end: tuple[int, int]) -> None:
    mouse = visitor.page.mouse
    mouse.move(*start)
    mouse.down()
    for step in range(1, 6):
        mouse.move(start[0] + (end[0] - start[0]) * step / 5, start[1] + (end[1] - start[1]) * step / 5)
    mouse.up()


def _export(visitor: Visitor, panel: Any, format_name: str) -> bytes:
    panel.get_by_role("radio", name=format_name).click()
    with visitor.page.expect_download() as waiting:
        panel.locator("li[data-layer=buildings] a[download]").click()
    return Path(waiting.value.path()).read_bytes()
