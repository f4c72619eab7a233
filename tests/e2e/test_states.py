"""Every state has its own picture and words: loading, empty, no permission, failed, suppressed, lost, stale (screens.md 5)."""

from __future__ import annotations

import re
import threading

from playwright.sync_api import Locator, Route

from tests.e2e.conftest import Visit

LIST = "section[aria-label=实时事件]"


def test_each_state_of_the_list_looks_and_reads_otherwise(visit: Visit) -> None:
    visitor = visit(1920, 1080)
    visitor.expected.append("console error: Failed to load resource")
    page = visitor.page
    told: dict[str, tuple[str, str]] = {}

    # Loading: the list's question stays open until we let it go.
    go_on = threading.Event()
    held: list[Route] = []

    def hold(route: Route) -> None:
        if go_on.is_set():
            route.continue_()
        else:
            held.append(route)

    page.route("**/api/events?*", hold)
    visitor.open("?theme=dark&lang=zh&on=areas.grids.events")
    page.locator(f"{LIST} .to-come").wait_for()
    assert "正在加载" in page.locator(f"{LIST} .to-come").inner_text()
    visitor.picture("state-loading-1920-dark-zh")
    go_on.set()
    for route in held:
        route.continue_()
    page.locator(f"{LIST} li").first.wait_for()
    page.unroute("**/api/events?*")

    # Empty, and empty under a filter, are different sentences.
    visitor.turn("?theme=dark&lang=zh&on=areas.grids.events&ev=1000000000-1000000060")
    told["empty"] = _told(page.locator(f"{LIST} [role=status]"))
    visitor.picture("state-empty-1920-dark-zh")

    # Failed: what, which number, try again.
    page.route("**/api/events?*", lambda route: route.fulfill(status=500, json={"detail": "bug"}))
    page.reload()
    told["failed"] = _told(page.locator(f"{LIST} [role=alert]"))
    assert "编号 500" in told["failed"][1]
    visitor.picture("state-failed-1920-dark-zh")
    page.unroute("**/api/events?*")
    page.locator(f"{LIST} [role=alert]").get_by_role("button", name="重试").click()
    page.locator(f"{LIST} [role=status]").wait_for()

    # Not permitted: whose right it is; no retry, no zero.
    page.route("**/api/events?*", lambda route: route.fulfill(status=403, json={"detail": "no"}))
    page.reload()
    told["denied"] = _told(page.locator(f"{LIST} [role=alert]"))
    assert page.locator(f"{LIST} [role=alert]").get_by_role("button").count() == 0
    visitor.picture("state-denied-1920-dark-zh")
    page.unroute("**/api/events?*")

    icons = [icon for icon, _ in told.values()]
    words = [text for _, text in told.values()]
    assert len(set(icons)) == len(told), told
    assert len(set(words)) == len(told), told


def test_stale_data_say_their_age_and_come_back(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.expected.append("console error: Failed to load resource")
    visitor.open("?theme=light&lang=zh&on=areas.grids.events")
    page = visitor.page
    rows = page.locator("[role=tabpanel] li, section[aria-label=事件与详情] li")
    n = rows.count()
    assert n > 0
    page.route(re.compile(r"/api/(events|live)"), lambda route: route.abort())
    page.get_by_role("button", name="超期", exact=False).first.click()
    banner = page.get_by_role("alert").filter(has_text="连接已断开")
    banner.wait_for()
    assert rows.count() > 0, "what is here stays"
    first = banner.inner_text()
    assert re.search(r"\d\d:\d\d", first), "how long ago"
    assert re.search(r"停在 \d\d:\d\d:\d\d", first), "of what time the map is"
    visitor.until(lambda: banner.inner_text() != first, "the age grows")
    box, buttons = banner.bounding_box(), page.get_by_role("toolbar").first.bounding_box()
    assert box is not None
    assert buttons is not None
    assert box["y"] + box["height"] <= buttons["y"], "it never covers the map's controls"
    visitor.picture("state-stale-1440-light-zh")
    page.unroute(re.compile(r"/api/(events|live)"))
    banner.get_by_role("button", name="立即重试").click()
    banner.wait_for(state="detached")


def test_a_small_number_is_hidden_not_zero(visit: Visit) -> None:
    visitor = visit(1440, 900)
    ring = [[117.300, 31.700], [117.301, 31.7005], [117.301, 31.7015], [117.300, 31.702], [117.299, 31.7015]]
    answer = {
        "resolution": 10,
        "edge_m": 66.0,
        "breaks": [],
        "n_suppressed": 1,
        "suppressed": 1,
        "cells": [{"h3": "8a", "n": None, "ring": ring}],
    }
    visitor.page.route("**/api/events/heat*", lambda route: route.fulfill(json=answer))
    visitor.open("?theme=light&lang=zh&on=areas.grids.event_heat")
    legend = visitor.page.locator("section[aria-label=事件热力]")
    legend.wait_for()
    assert "少于 5" in legend.inner_text()
    assert "0" not in re.sub(r"(第 \d+ 级|近 \d+ 天|\d+ m)", "", legend.inner_text())
    visitor.settle()
    visitor.picture("state-suppressed-1440-light-zh")


def _told(shown: Locator) -> tuple[str, str]:
    """The icon and the words of a state."""
    shown.wait_for()
    icon = shown.locator("svg").first
    box = icon.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (26, 26)
    return icon.get_attribute("class") or "", shown.inner_text()
