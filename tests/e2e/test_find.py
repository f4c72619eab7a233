"""Finding (issue 4): the search box by keyboard alone, its states, what was opened before, the heat and its legend."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route

from tests.e2e.conftest import Visit, Visitor

HEAT = "?v=15.3/31.7/117.3005&on=areas.buildings.event_heat.events"


def test_a_building_is_found_by_initials_and_opened_by_keyboard_alone(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    page = visitor.page
    estate = next(hit for hit in hits(visitor, "gh") if hit["layer"] == "estates")
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="搜索")
    box.press_sequentially("gh")
    page.get_by_role("option", name=estate["title"]).first.wait_for()
    assert box.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    active = page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    assert active.get_attribute("aria-selected") == "true"
    assert "".join(active.locator("b").all_inner_texts()) == estate["title"][:2], "what matched stands out"
    visitor.picture("search-1440-light-zh")
    page.keyboard.press("Enter")
    page.locator(f".card[data-layer=estates][data-fid='{estate['fid']}']").wait_for()
    assert f"sel=estates/{estate['fid']}" in page.url
    visitor.settle()
    west, south, east, north = estate["bounds"]
    zoom, lat, lng = (float(x) for x in page.url.partition("v=")[2].partition("&")[0].split("/")[:3])
    assert zoom > 15
    assert south - 0.002 < lat < north + 0.002
    assert west - 0.004 < lng < east + 0.004

    # What was opened is offered again, also after a reload.
    visitor.open()
    page.keyboard.press("/")
    recent = page.get_by_role("group", name="最近打开").get_by_role("option")
    assert recent.all_inner_texts() == [f"{estate['title']}\n{estate['sub']}" if estate["sub"] else estate["title"]]
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"


def test_a_layer_that_is_off_comes_on_with_what_was_found(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?lang=en")
    page = visitor.page
    code = visitor.ask("/api/features/cameras/1")["properties"]["camera_id"]
    assert not page.get_by_role("checkbox", name="Show Cameras", exact=True).is_checked()
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Search").press_sequentially(code[-8:])
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    page.locator(".card[data-layer=cameras]").wait_for()
    assert page.get_by_role("checkbox", name="Show Cameras", exact=True).is_checked()


def test_the_box_says_when_nothing_is_found_when_it_failed_and_how_to_ask(visit: Visit) -> None:
    visitor = visit()
    visitor.expected.append("console error: Failed to load resource")
    visitor.open()
    page = visitor.page
    page.keyboard.press("/")
    page.get_by_text("请输入至少两个字").wait_for()
    box = page.get_by_role("combobox", name="搜索")
    box.press_sequentially("没有这样的地方")
    page.get_by_text("没有找到“没有这样的地方”").first.wait_for()
    assert Axe().run(page).violations_count == 0

    def refuse(route: Route) -> None:
        route.fulfill(status=503, content_type="application/problem+json", body='{"detail": "Busy.", "status": 503}')

    page.route("**/api/search?*", refuse)
    box.fill("桂花")
    page.get_by_text("搜索没有成功").wait_for()
    page.unroute("**/api/search?*")
    page.get_by_role("button", name="重试").click()
    page.get_by_role("option").first.wait_for()
    assert Axe().run(page).violations_count == 0


def test_on_a_phone_the_box_opens_from_an_icon_over_the_whole_width(visit: Visit) -> None:
    visitor = visit(390, 844)
    visitor.open()
    page = visitor.page
    page.get_by_role("button", name="打开搜索").click()
    box = page.get_by_role("combobox", name="搜索")
    box.press_sequentially("gh")
    page.get_by_role("option").first.wait_for()
    assert page.locator("[role=search]").evaluate("e => e.getBoundingClientRect().width") == 390
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.picture("search-390-light-zh")
    page.get_by_role("option").first.click()
    page.locator(".card[data-fid]").wait_for()
    page.get_by_role("button", name="打开搜索").wait_for()


@pytest.mark.parametrize(("theme", "size"), [("light", (1440, 900)), ("dark", (1920, 1080))])
def test_the_heat_counts_what_the_filter_means_and_hides_small_cells(
    visit: Visit, theme: str, size: tuple[int, int]
) -> None:
    visitor = visit(*size)
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url) if "/events/heat" in request.url else None)
    visitor.open(f"{HEAT}&theme={theme}")
    page = visitor.page
    legend = page.get_by_role("region", name="事件热力")
    legend.locator("li").first.wait_for()
    assert legend.locator("li").first.inner_text().startswith("5")
    assert "少于 5，不显示" in legend.inner_text()
    assert "resolution=10" in asked[-1]
    assert "is_open" not in asked[-1], "closed events count in the heat"
    visitor.settle()
    visitor.picture(f"heat-{size[0]}-{theme}-zh")
    before = page.locator(".maplibregl-canvas").screenshot()

    with page.expect_request("**/api/events/heat?*") as narrower:
        filter_kind(page)
    assert "kind=noise" in narrower.value.url
    page.get_by_role("checkbox", name="显示 事件热力").uncheck()
    legend.wait_for(state="detached")
    visitor.settle()
    assert page.locator(".maplibregl-canvas").screenshot() != before
    assert "event_heat" not in page.url


def test_j_and_k_walk_through_the_events_and_g_hides_grid_numbers(visit: Visit) -> None:
    visitor = visit(1920, 1080)
    visitor.open()
    page = visitor.page
    fids = [event["fid"] for event in visitor.ask("/api/events?is_open=true&limit=3")["events"]]
    for key, fid in (("j", fids[0]), ("j", fids[1]), ("k", fids[0])):
        page.keyboard.press(key)
        page.wait_for_function(f"location.search.includes('sel=events/{fid}')")
    page.keyboard.press("Escape")
    visitor.settle()
    before = page.locator(".maplibregl-canvas").screenshot()
    page.keyboard.press("g")
    visitor.settle()
    assert page.locator(".maplibregl-canvas").screenshot() != before


def hits(visitor: Visitor, q: str) -> list[dict[str, Any]]:
    """What the server finds, in the order of the page."""
    return [hit for group in visitor.ask(f"/api/search?q={q}")["groups"] for hit in group["hits"]]


def filter_kind(page: Page) -> None:
    """Choose a kind of events in the list's filter."""
    page.get_by_role("button", name="筛选", exact=True).click()
    page.get_by_role("combobox", name="类型").select_option("noise")
