"""The event list (issue 4): drilling, lost connection, the table."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from tests.e2e.conftest import Visit, Visitor


def listed(visitor: Visitor) -> int:
    """The number at the head of the list."""
    text = visitor.page.locator("[role=tab]").first.inner_text()
    return int("".join(c for c in text if c.isdigit()))


def test_a_row_flies_there_and_opens_the_event_with_its_course(visit: Visit) -> None:
    visitor = visit(1920, 1080)
    visitor.open()
    page = visitor.page
    row = page.locator("section[aria-label=实时事件] li button").first
    title = row.locator(".title").inner_text()
    row.click()
    card = page.locator(".card[data-layer=events]")
    card.get_by_text("办理过程").wait_for()
    assert card.locator("h2").inner_text() == title
    card.locator("ol li").first.wait_for()
    assert row.get_attribute("aria-current") == "true"
    visitor.settle()
    visitor.picture("event-1920-dark-zh")


def test_choosing_a_grid_narrows_list_and_address_and_back_widens_them(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    page = visitor.page
    before = listed(visitor)
    page.get_by_role("button", name="全部 29 个网格").click()
    page.get_by_role("button", name="网格 10", exact=True).click()
    page.wait_for_function("location.search.includes('grid=990101001001010')")
    visitor.settle()
    page.wait_for_function(f"!document.querySelector('[role=tab]').textContent.includes('{before}')")
    expected = visitor.ask("/api/events?grid_code=990101001001010&is_open=true")["counts"]["n"]
    assert listed(visitor) == expected
    page.go_back()
    page.wait_for_function(f"document.querySelector('[role=tab]').textContent.includes('{before}')")


def test_filters_are_cleared_by_one_click(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?ev=overdue")
    page = visitor.page
    # Deadlines pass while one looks.
    late = visitor.ask("/api/events?is_open=true&overdue=true")["counts"]["n"]
    assert 0 < listed(visitor) <= late
    page.get_by_role("button", name="清除筛选").click()
    page.wait_for_function("!location.search.includes('ev=')")
    visitor.settle()
    assert listed(visitor) == visitor.ask("/api/events?is_open=true")["counts"]["n"]


def test_the_time_bar_is_brushed_by_keyboard(visit: Visit) -> None:
    visitor = visit(1920, 1080)
    visitor.open()
    page = visitor.page
    handle = page.get_by_role("slider", name="起始时间")
    handle.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('ev=')")
    assert int(handle.get_attribute("aria-valuenow") or 0) > 0
    page.get_by_role("button", name="清除时段").click()
    page.wait_for_function("!location.search.includes('ev=')")


def test_the_time_bar_is_brushed_by_hand_and_list_and_bar_agree(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    page = visitor.page
    page.keyboard.press("t")
    chart = page.get_by_role("region", name="时间与筛选").locator(".chart")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    page.wait_for_function("/ev=\\d+-\\d+/.test(location.search)")
    since, until = (int(s) for s in page.url.partition("ev=")[2].partition("&")[0].split("-"))
    query = "&".join(f"{name}={quote(_moment(at))}" for name, at in (("since", since), ("until", until)))
    expected = visitor.ask(f"/api/events?is_open=true&{query}")["counts"]["n"]
    visitor.until(lambda: listed(visitor) == expected, "the list holds what was brushed")
    page.get_by_role("button", name="清除筛选").click()
    page.wait_for_function("!location.search.includes('ev=')")


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def test_a_lost_connection_stays_on_screen_until_it_is_back(visit: Visit) -> None:
    visitor = visit()
    visitor.expected.append("console error: Failed to load resource")
    visitor.open()
    page = visitor.page
    page.route("**/api/events?*", lambda route: route.abort())
    page.get_by_role("button", name="超期", exact=False).first.click()
    banner = page.get_by_role("alert").filter(has_text="连接已断开")
    banner.wait_for()
    assert "正在第 1 次重连" in banner.inner_text()
    visitor.picture("lost-1440-light-zh")
    page.unroute("**/api/events?*")
    page.get_by_role("button", name="立即重试").click()
    banner.wait_for(state="detached")


def test_indicators_say_the_same_as_the_list_and_open_it(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?ev=overdue")
    page = visitor.page
    strip = page.get_by_role("region", name="指标")
    tile = strip.get_by_role("button", name="未结事件")
    tile.wait_for()
    assert strip.get_by_role("button").count() == 8
    tile.click()
    page.wait_for_function("!location.search.includes('ev=')")
    visitor.settle()
    visitor.until(lambda: listed(visitor) == int(tile.locator("b").inner_text()), "list and indicator agree")
    rates = strip.locator("button", has_text="%").locator(".sub").all_inner_texts()
    assert all("/" in sub for sub in rates)
    tile.hover()
    assert "尚未办结的事件数" in strip.get_by_role("tooltip").first.inner_text()


def test_an_empty_list_says_why(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?ev=1000000000-1000000060")
    status = visitor.page.get_by_role("status").filter(has_text="没有符合条件的事件")
    status.wait_for()


def test_long_lists_keep_few_rows_in_the_page(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?ev=closed")
    page = visitor.page
    page.wait_for_function("document.querySelectorAll('section li button[aria-current]').length > 5")
    scroll = page.get_by_role("region", name="事件", exact=True)
    scroll.evaluate("list => { list.scrollTop = 60000; }")
    visitor.until(lambda: page.locator("section li button[aria-current]").count() > 5, "rows far down are drawn")
    assert page.locator("section li button[aria-current]").count() < 60
    assert scroll.evaluate("list => list.scrollTop") == 60000
