"""Reading (issue 4): full cards of grid, building and camera, sub-rows with counts, charts that filter, indicators."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.conftest import Visit, Visitor


def test_a_grid_says_how_it_stands_to_its_rule_and_what_happens_in_it(visit: Visit) -> None:
    visitor = visit()
    grid = visitor.ask("/api/cards/grids/10")
    lng, lat = grid["point"]
    visitor.open(f"?theme=light&sel=grids/10&v=16/{lat}/{lng}")
    card = visitor.page.locator(".card[data-layer=grids]")
    bands = card.locator(".band")
    bands.first.wait_for()
    more = grid["more"]
    for band, verdict in zip(bands.all(), more["rule"]["verdicts"], strict=True):
        assert band.locator("strong").inner_text() == f"{verdict['value']:,}"
        assert (band.locator(".verdict").get_attribute("data-side") == "inside") == verdict["in_band"]
    text = card.inner_text()
    assert more["rule"]["document"] in text
    assert f"{more['patrol']['n']} / {more['patrol']['of']}" in text
    assert card.get_by_role("region", name="近 30 天事件").locator("i").count() == len(more["per_day"]) == 30
    assert Axe().run(visitor.page).violations_count == 0
    visitor.settle()
    visitor.picture("grid-1440-light-zh")


def test_a_building_names_grid_officer_and_the_cameras_that_see_it(visit: Visit) -> None:
    visitor = visit(1920, 1080)
    building = a_building_seen(visitor)
    more = building["more"]
    lng, lat = building["point"]
    visitor.open(f"?theme=dark&sel=buildings/{building['fid']}&v=17/{lat}/{lng}")
    page = visitor.page
    card = page.locator(".card[data-layer=buildings]")
    card.get_by_text(more["grid"]["officer_phone"]).wait_for()
    cameras = card.get_by_role("region", name="100 米内监控")
    seeing = sum(camera["sees"] for camera in more["cameras_100m"])
    assert f"{len(more['cameras_100m'])} 个·{seeing} 个可见" in cameras.inner_text()

    visitor.settle()
    before = page.locator(".maplibregl-canvas").screenshot()
    cameras.locator("li button").first.focus()
    visitor.settle()
    assert page.locator(".maplibregl-canvas").screenshot() != before, "what the card points at is marked on the map"
    visitor.picture("building-1920-dark-zh")

    # A click opens the camera, whose ground lies on the map.
    cameras.locator("li button").first.click()
    camera = page.locator(".card[data-layer=cameras]")
    camera.get_by_text("可见地面").wait_for()
    assert page.get_by_role("checkbox", name="显示 监控", exact=True).is_checked()
    page.go_back()
    card.wait_for()


def test_classes_of_a_layer_count_what_is_in_view(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?lang=en&on=areas.cameras&v=15.5/31.7/117.3005")
    visitor.settle()
    page = visitor.page
    rows = page.locator(".layers .row.class:has(input)")
    rows.first.wait_for()
    shown = {row.locator(".name").inner_text(): row.locator(".amount").inner_text() for row in rows.all()}
    assert sum(int(n.replace(",", "")) for n in shown.values()) == int(
        page.locator(".layers .row:not(.class)", has=page.get_by_role("checkbox", name="Show Cameras", exact=True))
        .locator(".amount")
        .inner_text()
        .replace(",", "")
    )


def test_facility_estate_area_and_qr_point_say_what_the_server_knows(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?sel=facilities/1&on=areas.facilities")
    page = visitor.page
    for layer, wanted in {
        "facilities": ("类别", "开放时间"),
        "estates": ("楼栋", "户数", "人口", "网格"),
        "areas": ("楼栋", "户数", "人口", "网格", "未结事件"),
        "patrol_points": ("上次到访",),
    }.items():
        told = visitor.ask(f"/api/cards/{layer}/1")
        if layer != "facilities":
            visitor.turn(f"?sel={layer}/1&on=areas.facilities")
        card = page.locator(f".card[data-layer={layer}]")
        card.locator("h2", has_text=told["title"]).wait_for()
        text = card.inner_text()
        assert [word for word in wanted if word not in text] == [], (layer, text)
        more = told["more"] or {}
        counted = [more[name] for name in ("n_buildings", "persons", "n_grids", "n_open") if name in more]
        assert [n for n in counted if f"{n:,}" not in text and f"{n / 10000:.2f} 万" not in text] == [], (layer, text)


def test_a_bar_filters_list_and_map_alike(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    page = visitor.page
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="趋势与分布")
    dialog.locator(".chart svg").first.wait_for()
    visitor.picture("charts-1440-light-zh")
    dialog.get_by_role("button", name="表格").click()
    kinds = dialog.get_by_role("region", name="类型").locator("tbody tr")
    kinds.first.wait_for()
    open_, closed = (int(n.replace(",", "")) for n in kinds.first.locator("td").all_inner_texts()[1:])
    assert Axe().run(page).violations_count == 0
    kinds.first.get_by_role("button").click()
    dialog.wait_for(state="detached")
    page.wait_for_function("location.search.includes('kind')")
    visitor.until(lambda: listed(page) == open_ + closed, "the list holds what the bar counted")


def test_indicators_show_their_course_and_the_others_wait_behind_more(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    page = visitor.page
    strip = page.get_by_role("region", name="指标")
    strip.get_by_role("button", name="按时办结率").hover()
    tip = strip.get_by_role("tooltip").filter(has_text="计算于").filter(visible=True)
    tip.locator("svg path").wait_for(state="attached")
    page.get_by_role("button", name="更多指标").click()
    others = page.get_by_role("group", name="更多指标").locator(".tile")
    registry = visitor.ask("/api/kpis")["kpis"]
    assert others.count() + strip.get_by_role("button").count() == len(registry)
    # Another eight out of the registry, kept by the browser.
    page.get_by_role("button", name="自选指标").click()
    choices = page.get_by_role("group", name="更多指标")
    choices.get_by_role("checkbox", name="今日上报").uncheck()
    choices.get_by_role("checkbox", name="满意度").check()
    assert choices.get_by_role("checkbox", name="超期未结").is_disabled(), "there is room for eight"
    visitor.open()
    strip.get_by_role("button", name="满意度").wait_for()
    assert strip.get_by_role("button", name="今日上报").count() == 0
    assert strip.get_by_role("button").count() == 8


def test_a_layer_fades_stands_alone_and_its_group_says_some(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?on=areas.grids.buildings.events")
    page = visitor.page
    visitor.settle()
    canvas = page.locator(".maplibregl-canvas")
    before = canvas.screenshot()
    page.get_by_role("button", name="建筑 的选项").click()
    page.get_by_role("slider", name="不透明度").fill("30")
    visitor.settle()
    assert canvas.screenshot() != before
    assert "fade=" in page.url
    page.get_by_role("button", name="只看此层").click()
    visitor.settle()
    assert page.url.partition("on=")[2].partition("&")[0] == "areas.buildings.grids", "with the lines that say where"
    assert page.get_by_role("checkbox", name="显示 基础").evaluate("box => box.indeterminate")
    assert not page.get_by_role("checkbox", name="显示 事件", exact=True).first.is_checked()


def a_building_seen(visitor: Visitor) -> dict[str, Any]:
    """A building of the demo city with a grid officer and a camera that sees it."""
    for fid in range(1, 400, 7):
        card: dict[str, Any] = visitor.ask(f"/api/cards/buildings/{fid}")
        more = card["more"]
        if more["grid"] and more["grid"]["officer_phone"] and any(c["sees"] for c in more["cameras_100m"]):
            return card
    raise AssertionError("No building of the demo city is seen by a camera.")


def listed(page: Page) -> int:
    """The number at the head of the list."""
    return int("".join(c for c in page.locator("[role=tab]").first.inner_text() if c.isdigit()))
