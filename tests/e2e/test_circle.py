"""The life circle (/circle): choose, an isochrone, drag a facility, who gains and who loses, site two more, print."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Route

from tests.e2e.conftest import Visit, Visitor
from tests.e2e.test_first_map import CLIPPED

DRESSES = ((1920, 1080, "dark", "zh"), (1440, 900, "dark", "en"), (390, 844, "light", "zh"))
#: Two banks of the demo city's river, far from its bridges.
NORTH_BANK, SOUTH_BANK, IN_THE_RIVER = (117.299, 31.6995), (117.2995, 31.6975), (117.301, 31.6989)
START = "circle?theme=light&lang=zh&c=elder_day_care"


def test_a_trial_from_choosing_to_paper(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.open(START)
    visitor.settle()
    page = visitor.page
    before = _number(page, "share")
    assert before == pytest.approx(100 * _category(visitor)["share"], abs=0.05)

    # An isochrone from where one clicks.
    box = page.locator(".map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 330, box["y"] + 380)
    legend = page.get_by_role("region", name="图例")
    legend.get_by_text("分钟等时圈").wait_for()

    # A facility in the hand: numbers and buildings change before it is put down.
    visitor.settle()
    calm = page.locator(".map").screenshot()
    facility = page.locator(".handle.standing").nth(1)
    _take(page, facility)
    _carry(page, facility, 90, 60)
    visitor.until(lambda: page.locator("[data-number=lost], [data-number=gained]").count() > 0, "numbers in the hand")
    visitor.until(lambda: "拖动中" in page.locator(".handle .tip").inner_text(), "what is held says so")
    page.mouse.up()
    _answered(visitor)
    visitor.settle()
    assert page.locator(".map").screenshot() != calm
    told = _what_if(visitor)
    assert _number(page, "share") == pytest.approx(100 * told["after"]["share"], abs=0.05)
    assert told["changed"]["fid"], "a dragged facility changes somebody's walk"

    # Winners and losers.
    page.get_by_role("button", name="得失").click()
    assert legend.get_by_text("进入限值").is_visible()
    assert legend.get_by_text("超出限值").is_visible()
    visitor.settle()
    visitor.picture("circle-change-1440-light-zh")

    # Taken back, everything is as it was.
    page.get_by_role("button", name="还原", exact=True).click()
    _answered(visitor)
    assert _number(page, "share") == before
    assert "do=" not in page.url
    legend.get_by_text("到最近日间照料的步行时间").wait_for()

    # Two more sites.
    sites = page.get_by_role("region", name="选址候选")
    sites.get_by_role("spinbutton").fill("2")
    sites.get_by_role("button", name="计算").click()
    sites.get_by_text("精确解").wait_for()
    gains = [int(text.replace(",", "")) for text in sites.locator("tr:not(.other) td b").all_inner_texts()]
    assert len(gains) == 2
    assert all(gain > 0 for gain in gains)
    for label in "AB":
        sites.get_by_role("button", name=f"放置或收回候选 {label}").click()
    _answered(visitor)
    assert page.locator("[data-number=gained]").inner_text() == f"+{sum(gains):,} 户"
    sites.get_by_role("button", name="对比").click()
    sites.get_by_text("更近的户数").wait_for()
    visitor.settle()
    visitor.picture("circle-1440-light-zh")

    _prints(visitor)


def test_a_facility_moves_by_keys_and_the_address_tells_a_colleague(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.open(START)
    visitor.settle()
    page = visitor.page
    facility = page.locator(".handle.standing").first
    facility.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Tab")
    visitor.until(lambda: "do=move" in page.url, "the address holds the move")
    _answered(visitor)
    share = _number(page, "share")
    page.locator(".handle.trial").press("Delete")
    visitor.until(lambda: "do=" not in page.url, "the first Delete leaves it as it was")
    page.locator(".handle.standing").first.press("Delete")
    visitor.until(lambda: "do=close" in page.url, "the second closes it")
    _answered(visitor)
    assert page.locator("[data-number=lost]").inner_text().startswith("−")
    page.go_back()
    page.go_back()
    visitor.until(lambda: "do=move" in page.url, "Back comes to the move")
    _answered(visitor)

    colleague = visit(1440, 900)
    colleague.open(page.url.removeprefix(f"{visitor.url}/"))
    _answered(colleague)
    colleague.until(lambda: _number(colleague.page, "share") == share, "the colleague sees the same share")


def test_ways_are_opened_where_they_can_be(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.expected = ["console error: Failed to load resource"]
    visitor.open(START)
    visitor.settle()
    page = visitor.page
    page.get_by_role("button", name="架桥").click()
    page.mouse.click(*_pixel(visitor, *NORTH_BANK))
    page.get_by_text("再点击桥的另一端").wait_for()
    page.mouse.click(*_pixel(visitor, *SOUTH_BANK))
    page.get_by_role("region", name="改动").get_by_text("架桥").wait_for()
    _answered(visitor)
    assert _what_if(visitor)["changed"]["fid"], "a bridge over the river shortens walks"
    page.get_by_role("button", name="开门").click()
    page.mouse.click(*_pixel(visitor, *IN_THE_RIVER))
    page.get_by_role("alert").get_by_text("这里开不了门").wait_for()
    page.keyboard.press("Control+z")
    page.get_by_role("alert").wait_for(state="detached")


@pytest.mark.parametrize(("width", "height", "theme", "language"), DRESSES)
def test_the_page_in_every_dress(visit: Visit, width: int, height: int, theme: str, language: str) -> None:
    visitor = visit(width, height)
    page = visitor.page
    visitor.open(f"circle?theme={theme}&lang={language}&c=elder_day_care")
    _answered(visitor)
    visitor.settle()
    assert page.title() == {"zh": "生活圈 一张图", "en": "Life circle – One Map"}[language]
    assert [cut for cut in page.evaluate(CLIPPED) if "visually-hidden" not in cut and '""' not in cut] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.querySelector('.page').scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == []
    visitor.picture(f"circle-{width}-{theme}-{language}")


def test_units_speeds_and_zones(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.open(START)
    visitor.settle()
    page = visitor.page
    page.get_by_role("button", name="人口").click()
    row = _category(visitor)
    assert _number(page, "share") == pytest.approx(100 * row["persons_share"], abs=0.05)
    mean = _number(page, "mean")
    page.get_by_role("button", name="老人 0.8 m/s").click()
    visitor.until(lambda: _number(page, "mean") > mean, "who is slower walks longer")
    page.get_by_role("button", name="10′", exact=True).click()
    page.get_by_role("heading", name="日间照料，10 分钟").wait_for()
    page.get_by_label("开放时间").select_option("Sat 10:00")
    visitor.until(lambda: "limit=10&open=Sat-1000" in page.url, "the address says limit and hour")
    page.get_by_role("button", name="规则", exact=True).click()
    for name, by in (("网格", "grid"), ("H3", "h3")):
        page.get_by_role("button", name=name, exact=True).click()
        visitor.until(lambda by=by: f"by={by}" in page.url, f"the address says {by}")  # type: ignore[misc]
        visitor.settle()
    page.get_by_role("button", name="自定").click()
    page.get_by_label("自定步行速度，km/h").fill("3.6")
    page.keyboard.press("Tab")
    visitor.until(lambda: "pace=3.6" in page.url, "the address says the own speed")
    page.get_by_role("button", name="菜市场").click()
    visitor.until(lambda: "c=market" in page.url, "the address says the category")
    page.get_by_role("heading", name=re.compile("^菜市场")).wait_for()


def test_what_cannot_be_shown_says_so(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.expected = ["console error: Failed to load resource"]
    page = visitor.page
    page.route("**/api/coverage/elder_day_care?*by=building", lambda route: _refuse(route, 403))
    visitor.open(START)
    page.get_by_text("仅授权岗位可看，地图改按网格显示").wait_for()
    visitor.until(lambda: "by=grid" in page.url, "grids take the place of buildings")
    page.unroute_all()
    page.route("**/api/coverage?*", lambda route: _refuse(route, 500))
    page.reload()
    page.get_by_role("alert").get_by_text("编号 500").wait_for()
    page.unroute_all()
    page.get_by_role("button", name="重试").click()
    page.get_by_role("button", name="日间照料 300 m").wait_for()


def test_both_pages_lead_to_each_other(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.open("?theme=dark&lang=zh")
    visitor.page.get_by_role("link", name="生活圈").click()
    visitor.page.get_by_role("heading", name="生活圈 一张图").wait_for(state="attached")
    assert visitor.page.evaluate("document.documentElement.dataset.theme") == "dark"
    visitor.page.get_by_role("link", name="指挥").click()
    visitor.page.get_by_role("link", name="生活圈").wait_for()
    visitor.until(lambda: "/circle" not in visitor.page.url, "the command page is open")
    # Only pages that exist are offered.
    hrefs = visitor.page.locator("header nav a").evaluate_all("links => links.map((a) => new URL(a.href).pathname)")
    assert hrefs == ["/", "/circle"]


def _prints(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("button", name="A4 报告").click()
    page.wait_for_selector(".report img", state="attached")
    visitor.until(lambda: page.get_by_role("button", name="A4 报告").is_enabled(), "the report is drawn")
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 2
    page.emulate_media(media="print")
    report = page.locator(".report")
    categories = _coverage(visitor)["categories"]
    assert report.locator(".body tbody tr").count() == len(categories)
    words = report.inner_text()
    assert "通用知识，待核实" in words
    assert "仍未覆盖" in words
    assert not page.locator(".page").is_visible()
    width, height = page.locator(".report img").evaluate("(i) => [i.naturalWidth, i.naturalHeight]")
    assert min(width, height) >= 1200
    page.emulate_media(media="screen")


def _number(page: Page, name: str) -> float:
    return float(page.locator(f"[data-number={name}]").inner_text())


def _answered(visitor: Visitor) -> None:
    """Wait until what was tried last is answered."""
    visitor.page.wait_for_timeout(50)
    visitor.page.wait_for_selector("[aria-busy=false]")


def _take(page: Page, handle: Locator) -> None:
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()


def _carry(page: Page, handle: Locator, dx: float, dy: float) -> None:
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for part in (0.3, 0.7, 1.0):
        page.mouse.move(x + dx * part, y + dy * part)


def _pixel(visitor: Visitor, lng: float, lat: float) -> tuple[float, float]:
    """Where a place is in the window, from the view in the address."""
    view = re.search(r"v=([\d.]+)/([\d.]+)/([\d.]+)", visitor.page.url)
    box = visitor.page.locator(".map").bounding_box()
    assert view is not None
    assert box is not None
    zoom, middle_lat, middle_lng = (float(part) for part in view.groups())
    world = 512 * 2**zoom

    def down(degrees: float) -> float:
        return -math.asinh(math.tan(math.radians(degrees))) / (2 * math.pi) * world

    x = box["x"] + box["width"] / 2 + (lng - middle_lng) / 360 * world
    return x, box["y"] + box["height"] / 2 + down(lat) - down(middle_lat)


def _coverage(visitor: Visitor) -> Any:
    return visitor.ask(f"/api/coverage?area={_area(visitor)}&speed_kmh=4")


def _category(visitor: Visitor) -> Any:
    return next(one for one in _coverage(visitor)["categories"] if one["category"] == "elder_day_care")


def _area(visitor: Visitor) -> str:
    found = re.search(r"area=(\d+)", visitor.page.url)
    assert found is not None
    return found[1]


def _what_if(visitor: Visitor) -> Any:
    """What the server says to the trial of the address."""
    words = re.search(r"do=([^&]*)", visitor.page.url)
    assert words is not None
    changes = []
    for word in words[1].split(";"):
        op, *rest = word.split(":")
        numbers = [float(part) for part in rest[-1].split(",")]
        match op:
            case "move":
                changes.append({"op": op, "fid": int(rest[0]), "point": numbers})
            case "bridge":
                changes.append({"op": op, "line": [numbers[:2], numbers[2:]]})
    asked = {"area": _area(visitor), "category": "elder_day_care", "speed_kmh": 4, "changes": changes}
    answer = visitor.page.request.post(f"{visitor.url}/api/coverage/what-if", data=asked)
    assert answer.ok, answer.text()[:200]
    return answer.json()


def _refuse(route: Route, status: int) -> None:
    body = json.dumps({"title": "no", "status": status, "detail": "no"})
    route.fulfill(status=status, content_type="application/problem+json", body=body)
