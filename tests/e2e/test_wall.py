"""The big screen: controls go, areas come one after the other, a touch stops it, Esc leaves (issue 4)."""

from __future__ import annotations

from tests.e2e.conftest import Visit


def test_areas_come_one_after_the_other_until_someone_touches_the_wall(visit: Visit) -> None:
    visitor = visit(1920, 1080)
    visitor.open("?theme=dark&lang=zh&on=areas.grids.events")
    page = visitor.page
    for button in page.locator("header .icon-button").all():
        assert button.evaluate("b => parseFloat(getComputedStyle(b, '::after').width)") >= 48
        assert button.evaluate("b => parseFloat(getComputedStyle(b, '::after').height)") >= 48
    page.get_by_role("button", name="大屏轮播").click()
    bar = page.get_by_role("toolbar", name="大屏轮播")
    bar.wait_for()
    assert "晴川社区" in bar.inner_text()
    assert page.locator("header .icon-button:visible, header [role=search]:visible").count() == 0
    assert page.get_by_role("toolbar", name="地图按钮").count() == 0
    assert all((b.bounding_box() or {})["height"] >= 48 for b in bar.get_by_role("button").all())
    bar.get_by_role("combobox").select_option("10")
    page.wait_for_function("location.search.includes('wall=10')")
    progress = page.get_by_role("progressbar")
    visitor.until(lambda: int(progress.get_attribute("aria-valuenow") or 0) > 10, "the time that is left is seen")
    visitor.settle()
    visitor.picture("wall-1920-dark-zh")

    # By itself to the first grid: map, list and address follow, and Back is not filled with stops.
    length = page.evaluate("history.length")
    page.wait_for_function("location.search.includes('grid=990101001001001')")
    assert "网格 01" in bar.inner_text()
    assert page.evaluate("history.length") == length

    # The cursor has gone by now; a touch brings it back and stops the round.
    visitor.until(lambda: page.evaluate("getComputedStyle(document.body).cursor") == "none", "the cursor goes")
    page.mouse.click(900, 600)
    bar.get_by_role("button", name="继续轮播").wait_for()
    assert page.evaluate("getComputedStyle(document.body).cursor") != "none"
    bar.get_by_role("button", name="下一个区域").click()
    page.wait_for_function("location.search.includes('grid=990101001001002')")

    # Opened elsewhere, the address shows the same grid and goes round as fast.
    other = visit(1920, 1080)
    other.open(page.url.removeprefix(f"{visitor.url}/"))
    elsewhere = other.page.get_by_role("toolbar", name="大屏轮播")
    elsewhere.get_by_text("网格 02").wait_for()
    assert elsewhere.get_by_role("combobox").input_value() == "10"
    other.page.keyboard.press("Escape")
    elsewhere.wait_for(state="detached")

    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    bar.wait_for(state="detached")
    assert "wall=" not in page.url
    page.wait_for_function("!location.search.includes('grid=')")
    assert page.get_by_role("toolbar", name="地图按钮").count() == 1


def test_what_lies_outside_the_area_is_veiled(visit: Visit) -> None:
    visitor = visit(1280, 720)
    visitor.open("?v=15.2/31.6958/117.2925&on=areas&theme=light&lang=zh&area=990101001001")
    visitor.settle()
    layers = visitor.page.locator(".layers").get_by_role("checkbox", name="显示 行政区划")
    veiled = visitor.page.locator(".maplibregl-canvas").screenshot()
    layers.uncheck() if layers.count() else visitor.turn("?v=15.2/31.6958/117.2925&on=&theme=light&area=990101001001")
    visitor.settle()
    assert visitor.page.locator(".maplibregl-canvas").screenshot() != veiled
