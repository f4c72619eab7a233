"""The first map (issue 3): both languages and themes at three sizes, the tree, the legend, a card; nothing leaves."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.conftest import Visit, Visitor

SIZES = ((1920, 1080), (1440, 900), (390, 844))
LONGEST_FIRST_LOAD_BYTES = 450_000

FOCUSED = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"

#: Elements whose words are cut off: wider than the room they have, and not meant to scroll.
CLIPPED = """() => [...document.querySelectorAll('button:not(:has(.tip)), h1, h2, .sub, .title, .name, .amount, .badge, .demo, .chip, th')]
  .filter((e) => e.textContent.trim() && e.offsetParent && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
  .map((e) => `${e.tagName} ${e.className} "${e.textContent.trim()}"`)"""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_map_opens_in_every_dress(visit: Visit, size: tuple[int, int]) -> None:
    visitor = visit(*size)
    visitor.open("?theme=dark&lang=zh")
    page = visitor.page
    for theme in ("dark", "light"):
        for language in ("zh", "en"):
            _dress(visitor, theme, language)
            assert page.title() == {"zh": "一张图", "en": "One Map"}[language]
            assert page.locator(".demo").inner_text() == {"zh": "虚拟数据", "en": "Invented data"}[language]
            assert page.evaluate(CLIPPED) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            visitor.picture(f"map-{size[0]}-{theme}-{language}")


def test_the_tree_holds_every_layer_of_the_catalogue(visit: Visit) -> None:
    visitor = visit(1920, 1080)
    visitor.open()
    catalog = visitor.ask("/api/catalog")
    names = visitor.page.locator(".layers li > .row .name").all_inner_texts()
    assert set(names) >= {layer["title"]["zh"] for layer in catalog["layers"]}
    symbols = visitor.page.locator(".layers li img")
    assert symbols.count() >= len(catalog["layers"]) - 1
    assert visitor.page.evaluate(
        "[...document.querySelectorAll('.layers img')].every((i) => i.complete && i.naturalWidth > 0)"
    )


def test_switching_a_layer_changes_map_address_and_group(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    visitor.settle()
    page = visitor.page
    canvas = page.locator(".maplibregl-canvas")
    before = canvas.screenshot()
    page.get_by_role("checkbox", name="显示 建筑").uncheck()
    visitor.settle()
    assert canvas.screenshot() != before
    assert "buildings" not in page.url.partition("on=")[2].partition("&")[0]
    assert page.get_by_role("checkbox", name="显示 基础").evaluate("box => box.indeterminate")
    page.get_by_role("checkbox", name="显示 建筑").check()
    visitor.settle()
    assert "on=" not in page.url


def test_a_click_on_a_building_opens_its_card_in_both_languages(visit: Visit) -> None:
    visitor = visit()
    fid = _a_home(visitor)
    card = visitor.ask(f"/api/features/buildings/{fid}")
    lng, lat = card["point"]
    visitor.open(f"?v=17/{lat}/{lng}&on=areas.buildings.grids.roads")
    page = visitor.page
    visitor.click_map(*visitor.middle_of_map())
    shown = page.locator(".card[data-layer=buildings]")
    shown.wait_for()
    assert shown.get_attribute("data-fid") == str(fid)
    page.wait_for_function("document.querySelector('.card h2').textContent.length > 3")
    assert shown.locator("h2").inner_text() == card["title"]
    assert f"{card['properties']['households']:,}" in shown.locator(".figures").inner_text()
    assert "层数" in shown.inner_text()
    assert f"sel=buildings/{fid}" in page.url
    visitor.settle()
    visitor.picture("card-1440-light-zh")
    page.get_by_role("button", name="切换为英文").click()
    page.get_by_text("Floors", exact=True).wait_for()
    assert "Households" in shown.inner_text()
    page.keyboard.press("Escape")
    assert shown.count() == 0
    assert "sel=" not in page.url


def test_hovering_opens_nothing(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?v=17/31.7005/117.3005")
    for step in range(10):
        visitor.page.mouse.move(500 + 30 * step, 300 + 30 * step)
    assert visitor.page.locator(".card, .chooser").count() == 0


def test_several_points_under_the_pointer_are_offered_for_choice(visit: Visit) -> None:
    visitor = visit()
    first, second = _closest_events(visitor)
    lng, lat = (first["lon"] + second["lon"]) / 2, (first["lat"] + second["lat"]) / 2
    visitor.open(f"?v=13/{lat}/{lng}&on=areas.events")
    visitor.click_map(*visitor.middle_of_map())
    chooser = visitor.page.get_by_role("dialog")
    chooser.wait_for()
    offered = chooser.locator("li .name").all_inner_texts()
    assert {first["title"], second["title"]} <= set(offered)
    visitor.page.keyboard.press("Enter")
    visitor.page.locator(".card[data-layer=events]").wait_for()
    assert chooser.count() == 0


def test_the_address_opened_elsewhere_shows_the_same(visit: Visit) -> None:
    one, other = visit(), visit()
    one.open("?v=16.2/31.70050/117.30050/30/45&on=areas.buildings.roads&hide=events%3A1&theme=dark&lang=en")
    one.page.keyboard.press("+")
    one.settle()
    other.open(one.page.url.removeprefix(one.url).removeprefix("/"))
    other.settle()
    assert other.page.url == one.page.url
    on = [box.get_attribute("aria-label") for box in other.page.locator(".layers input:checked").all()]
    assert {"Show Areas", "Show Buildings", "Show Roads"} <= set(on)
    assert "Show Grids" not in on
    assert other.page.locator("html").get_attribute("data-theme") == "dark"


def test_theme_and_language_are_kept(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    page = visitor.page
    page.keyboard.press("Shift+D")
    page.get_by_role("button", name="切换为英文").click()
    visitor.settle()
    visitor.open()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.locator("html").get_attribute("lang") == "en"


def test_back_returns_to_what_was_selected(visit: Visit) -> None:
    visitor = visit()
    fid = _a_home(visitor)
    lng, lat = visitor.ask(f"/api/features/buildings/{fid}")["point"]
    visitor.open(f"?v=17/{lat}/{lng}&on=areas.buildings.grids.roads")
    visitor.click_map(*visitor.middle_of_map())
    card = visitor.page.locator(".card")
    card.wait_for()
    visitor.page.keyboard.press("Escape")
    assert card.count() == 0
    visitor.page.go_back()
    card.wait_for()
    assert card.get_attribute("data-fid") == str(fid)


def test_everything_is_reached_by_the_keyboard_alone(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    page = visitor.page
    reached = set()
    for _ in range(160):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(FOCUSED))
    wanted = page.evaluate(
        "[...document.querySelectorAll('header button, .layers input:enabled, [role=toolbar] button')]"
        ".map((e) => e.getAttribute('aria-label') || e.textContent.trim())"
    )
    assert set(wanted) - reached == set()

    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("l")
    assert page.locator(".layers").count() == 0
    page.keyboard.press("l")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="快捷键").wait_for()
    page.keyboard.press("Escape")
    zoom = _zoom(page)
    page.keyboard.press("+")
    visitor.settle()
    assert _zoom(page) == pytest.approx(zoom + 1, abs=0.01)
    page.keyboard.press("p")
    visitor.settle()
    assert page.get_by_role("button", name="倾斜").get_attribute("aria-pressed") == "true"
    page.keyboard.press("0")
    visitor.settle()
    assert _zoom(page) == pytest.approx(zoom, abs=0.3)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing(visit: Visit, theme: str) -> None:
    visitor = visit()
    visitor.open(f"?theme={theme}&sel=grids/1")
    visitor.page.locator(".card dl").first.wait_for()
    result = Axe().run(visitor.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert [v["id"] + ": " + v["nodes"][0]["html"] for v in result.response["violations"]] == []


def test_first_load_is_light(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    scripts = [visitor.page.request.get(url).body() for url in sorted(visitor.scripts)]
    assert len(scripts) >= 3, "page, worker and what they share"
    assert sum(len(gzip.compress(script)) for script in scripts) <= LONGEST_FIRST_LOAD_BYTES


def test_the_map_comes_before_what_the_panels_show(visit: Visit) -> None:
    visitor = visit()
    asked: list[str] = []
    visitor.page.context.on("request", lambda request: asked.append(request.url.removeprefix(visitor.url)))
    # However slow this machine is, the panels wait for the map here.
    visitor.page.add_init_script(
        "window.setTimeout = ((wait) => (f, ms, ...a) => wait(f, ms === 1500 ? 1e6 : ms, ...a))(setTimeout)"
    )
    visitor.open()
    visitor.page.get_by_role("region", name="指标").locator("b").first.wait_for()
    tiles = [n for n, path in enumerate(asked) if path.endswith(".mvt")]
    later = [
        n for n, path in enumerate(asked) if path.startswith(("/api/kpis", "/api/live", "/api/areas", "/api/counts"))
    ]
    assert tiles
    assert later
    assert max(tiles) < min(later), "a browser asks for six things at a time"
    ground = [asked[n] for n in tiles if "+" in asked[n]]
    assert len(ground) >= len(tiles) / 2, "what lies on the ground comes in one tile"


def test_labels_are_drawn_in_our_font(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?v=16/31.7005/117.3005")
    visitor.settle()
    names = {e["name"] for e in visitor.ask("/api/areas")}
    text = "".join(sorted(set("".join(names) + "01234567890")))
    assert visitor.page.evaluate("(text) => document.fonts.check('24px \"Noto Sans SC Variable\"', text)", text)


def test_a_server_that_fails_is_said_with_a_retry(visit: Visit) -> None:
    visitor = visit()
    visitor.expected.append("console error: Failed to load resource")
    page = visitor.page
    page.route("**/api/catalog", lambda route: route.fulfill(status=500, json={"detail": "bug"}))
    page.goto(visitor.url)
    failure = page.get_by_role("alert")
    failure.wait_for()
    assert "地图没有加载成功" in failure.inner_text()
    assert failure.get_attribute("data-state") == "server"
    page.unroute("**/api/catalog")
    page.get_by_role("button", name="重试").click()
    page.wait_for_selector(".map[data-drawn=true]")


def test_what_one_may_not_see_has_a_padlock_and_no_number(visit: Visit) -> None:
    visitor = visit()
    catalog = visitor.ask("/api/catalog")
    for layer in catalog["layers"]:
        if layer["class"] != "public":
            layer |= {"allowed": False, "fields": [], "n_features": None, "bounds": None}
    visitor.page.route("**/api/catalog", lambda route: route.fulfill(json=catalog))
    visitor.open()
    row = visitor.page.locator(".layers .row", has_text="监控")
    assert row.get_by_label("没有查看权限").count() == 1
    assert row.locator(".amount").inner_text() == "—"
    assert row.get_by_role("checkbox").is_disabled()
    assert "没有查看权限" in visitor.page.get_by_role("region", name="事件与详情").inner_text()


def test_a_feature_that_is_gone_says_so(visit: Visit) -> None:
    visitor = visit()
    visitor.expected.append("console error: Failed to load resource")
    visitor.open("?sel=grids/999999999")
    shown = visitor.page.get_by_role("alert")
    shown.wait_for()
    assert "此对象已不存在或不可见" in shown.inner_text()


def _dress(visitor: Visitor, theme: str, language: str) -> None:
    """Switch theme and language by their buttons."""
    page = visitor.page
    html = page.locator("html")
    if html.get_attribute("data-theme") != theme:
        _press(page, ".lucide-sun, .lucide-moon")
    if html.get_attribute("lang") != {"zh": "zh-CN", "en": "en"}[language]:
        _press(page, ".lucide-languages")
    page.wait_for_function(f"location.search.includes('theme={theme}&lang={language}')")
    visitor.settle()


def _press(page: Page, icon: str) -> None:
    """Press the button of the bar with an icon; a phone keeps it behind 更多."""
    if page.locator(f"header button:has({icon})").count() == 0:
        page.locator("header .icon-button:has(.lucide-ellipsis)").click()
    page.locator(f"header button:has({icon})").click()


def _a_home(visitor: Visitor) -> int:
    """A building with households, in the middle of the demo community."""
    found = visitor.ask("/ogc/collections/buildings/items?f=json&limit=200&bbox=117.298,31.698,117.302,31.702")
    return int(next(f["id"] for f in found["features"] if (f["properties"].get("households") or 0) > 12))


def _closest_events(visitor: Visitor) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two open events that stand closest together."""
    events = visitor.ask("/api/events?is_open=true&limit=500")["events"]
    pairs = [(a, b) for i, a in enumerate(events) for b in events[i + 1 :]]
    return min(pairs, key=lambda pair: abs(pair[0]["lon"] - pair[1]["lon"]) + abs(pair[0]["lat"] - pair[1]["lat"]))


def _zoom(page: Page) -> float:
    return float(page.url.partition("v=")[2].partition("/")[0])
