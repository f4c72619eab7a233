"""Someone who never read the docs finds a building, its grid and officer, lists what is late, prints (issue 4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Visit, Visitor

WORDS = {
    "zh": {
        "search": "搜索",
        "officer": "网格员",
        "filter": "筛选",
        "time": "时间",
        "week": "7 天",
        "overdue": "仅超期",
        "print": "打印",
        "pdf": "下载 PDF",
        "place": "所在位置",
        "title": "一张图",
        "all": "个网格",
    },
    "en": {
        "search": "Search",
        "officer": "officer",
        "filter": "Filter",
        "time": "Time",
        "week": "7 days",
        "overdue": "Overdue only",
        "print": "Print",
        "pdf": "Download PDF",
        "place": "Where you are",
        "title": "One Map",
        "all": "grids",
    },
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_newcomer_finds_asks_lists_and_prints(visit: Visit, language: str) -> None:
    words = WORDS[language]
    visitor = visit(1440, 900)
    home = _a_home(visitor)
    visitor.open(f"?theme=light&lang={language}")
    page = visitor.page
    assert page.title() == words["title"]

    # Find a building by its address: what one sees is a box that says what it looks for.
    box = page.get_by_role("search").get_by_role("combobox")
    box.click()
    box.fill(home["address"])
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    card = page.locator(".card[data-layer=buildings]")
    card.wait_for()
    assert card.get_attribute("data-fid") == str(home["fid"])

    # Say its grid and officer.
    number = str(home["grid_code"])[-2:]
    card.get_by_text(number, exact=False).first.wait_for()
    page.wait_for_function("() => /00\\d-\\d{4}-\\d{4}/.test(document.querySelector('.card').innerText)")
    assert words["officer"].lower() in card.inner_text().lower()

    # This week's overdue events of one community: the breadcrumb leads there, the funnel filters.
    page.keyboard.press("Escape")
    way = page.get_by_role("navigation", name=words["place"])
    way.get_by_role("button", name="晴川社区").click()
    way.locator("li").get_by_role("button", name="晴川社区").click()
    page.wait_for_function("location.search.includes('area=990101001001')")
    page.get_by_role("button", name=words["filter"], exact=True).click()
    page.get_by_role("combobox", name=words["time"]).select_option(label=words["week"])
    page.get_by_role("checkbox", name=words["overdue"]).check()
    page.wait_for_function("location.search.includes('overdue')")
    visitor.settle()
    listed = page.locator("[data-fid][aria-current]").count()
    expected = visitor.ask("/api/events?area=990101001001&is_open=true&overdue=true&limit=500")["events"]
    assert 0 < listed <= len(expected)

    # Print the map.
    page.get_by_role("button", name=words["print"], exact=True).click()
    page.wait_for_selector("dialog figure[data-work=ready]")
    with page.expect_download() as waiting:
        page.get_by_role("button", name=words["pdf"]).click()
    assert waiting.value.suggested_filename.endswith(".pdf")


def _a_home(visitor: Visitor) -> dict[str, Any]:
    """A building with an address that is its own, in a grid with an officer."""
    taken = {grid["grid_code"] for grid in visitor.ask("/api/areas/990101001001/grids") if not grid["vacant"]}
    found = visitor.ask("/ogc/collections/buildings/items?f=json&limit=500&bbox=117.296,31.697,117.304,31.703")
    for feature in found["features"]:
        home = feature["properties"]
        if home["grid_code"] in taken and (home["households"] or 0) > 12 and home["address"]:
            hits = [h for g in visitor.ask(f"/api/search?q={home['address']}")["groups"] for h in g["hits"]]
            if hits and hits[0]["layer"] == "buildings" and hits[0]["fid"] == feature["id"]:
                return {**home, "fid": feature["id"]}
    raise AssertionError("The demo city has no building with an address of its own.")
