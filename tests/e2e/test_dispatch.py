"""Acting (issue 4): the nearest responders, sending one by keyboard and taking it back; what happens is seen live."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from playwright.sync_api import Page, Route

from onemap.store.cluster import Cluster
from tests.e2e.conftest import Visit, Visitor

type Report = Callable[..., str]

HERE = "990101001001"


@pytest.fixture(scope="module")
def city(cluster: Cluster, server_url: str) -> Iterator[psycopg.Connection]:
    """The database of the server under test."""
    assert server_url
    with psycopg.connect(os.environ.get("ONEMAP_TEST_DATABASE_URL") or cluster.url_of("e2e"), autocommit=True) as db:
        yield db


@pytest.fixture
def report(city: psycopg.Connection) -> Iterator[Report]:
    """
    ``report(title)`` puts a new event into grid 10; at the end of the test they are gone.

    A test names it before ``visit``: its pages are closed first, or they would look for events that are gone.
    """
    made: list[str] = []

    def put(title: str, *, level: int = 3, state: str = "triaged", late: str = "0 seconds") -> str:
        number = f"SJ-E2E-{os.getpid()}-{len(made)}-{title}"
        made.append(number)
        city.execute(
            "INSERT INTO core.event (event_no, area_code, grid_code, title, kind, level, state, place, reported_at, "
            "deadline_at, geom) VALUES (%(no)s, %(area)s, %(grid)s, %(title)s, 'gas', %(level)s, %(state)s, '桂花坞 8 栋', "
            "now() - %(late)s::interval, now() + interval '15 minutes', "
            "ST_SetSRID(ST_MakePoint(117.30144, 31.70261), 4490))",
            {
                "no": number,
                "area": HERE,
                "grid": f"{HERE}010",
                "title": title,
                "level": level,
                "state": state,
                "late": late,
            },
        )
        return number

    yield put
    city.execute("DELETE FROM core.event WHERE event_no = ANY(%s)", (made,))


def test_an_event_is_dispatched_by_keyboard_and_taken_back(report: Report, visit: Visit) -> None:
    number = report("燃气异味", level=4)
    visitor = visit(1920, 1080)
    visitor.open(f"?theme=dark&sel=events/{fid_of(visitor, number)}&v=15.5/31.7026/117.3014")
    page = visitor.page
    panel = page.get_by_role("region", name="最近力量")
    rows = panel.locator("ol li")
    rows.first.wait_for()
    answer = visitor.ask(f"/api/events/{number}/responders")
    assert rows.count() == len(answer["candidates"]) <= 5
    first = panel.locator(".post").first.inner_text()
    assert first == "网格员 10", "the officer of the grid comes first, by rule"
    assert "本网格必到" in panel.locator(".why").first.inner_text()
    visitor.settle()
    visitor.picture("responders-1920-dark-zh")

    tasks = tasks_of(visitor, first)
    page.keyboard.press("d")
    page.get_by_role("button", name="确认派遣").wait_for()
    page.keyboard.press("Enter")
    toast = page.locator(".toast")
    page.get_by_text(f"已派遣 {first}").wait_for()
    visitor.until(lambda: state_of(visitor, number) == "dispatched", "the event is dispatched")
    assert tasks_of(visitor, first) == tasks + 1
    page.locator(".card ol li strong", has_text="已派遣").wait_for()

    assert toast.get_by_role("button", name="撤销").is_visible()
    page.keyboard.press("Control+z")
    page.get_by_text(f"已撤销对 {first} 的派遣").wait_for()
    visitor.until(lambda: state_of(visitor, number) == "triaged", "the event is as it was")
    assert tasks_of(visitor, first) == tasks


def test_the_question_goes_away_by_itself_and_another_can_be_chosen(report: Report, visit: Visit) -> None:
    number = report("电梯困人")
    visitor = visit()
    page = visitor.page
    page.clock.install()
    visitor.open(f"?lang=en&sel=events/{fid_of(visitor, number)}")
    rows = page.get_by_role("region", name="Nearest responders").locator("ol button")
    rows.nth(1).click()
    assert rows.nth(1).get_attribute("aria-pressed") == "true"
    second = rows.nth(1).locator(".post").inner_text()
    page.get_by_role("button", name=f"Dispatch {second}").click()
    page.get_by_role("button", name="Confirm dispatch").wait_for()
    page.clock.fast_forward(4100)
    page.get_by_role("button", name=f"Dispatch {second}").wait_for()
    assert state_of(visitor, number) == "triaged"


def test_who_may_not_dispatch_reads_why(report: Report, visit: Visit) -> None:
    number = report("噪声扰民")
    visitor = visit()

    def may_nothing(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "may": []})

    visitor.page.route("**/api/session", may_nothing)
    visitor.open(f"?sel=events/{fid_of(visitor, number)}")
    button = visitor.page.get_by_role("button", name="派遣 ", exact=False)
    button.wait_for()
    assert button.is_disabled()
    assert visitor.page.locator("#dispatch-why").inner_text() == "没有派遣权限"
    visitor.page.keyboard.press("d")
    assert visitor.page.get_by_role("button", name="确认派遣").count() == 0


def test_what_the_server_refuses_is_said_in_its_words(report: Report, visit: Visit) -> None:
    number = report("井盖破损")
    visitor = visit()
    visitor.expected.append("console error: Failed to load resource")
    visitor.open(f"?sel=events/{fid_of(visitor, number)}")
    page = visitor.page

    def refuse(route: Route) -> None:
        body = {"status": 409, "title": "Conflict", "detail": "The post is off duty and cannot be sent."}
        route.fulfill(status=409, content_type="application/problem+json", json=body)

    page.route("**/dispatch", refuse)
    button = page.get_by_role("button", name="派遣 ", exact=False)
    button.click()
    page.get_by_role("button", name="确认派遣").click()
    page.locator(".toast", has_text="The post is off duty and cannot be sent.").wait_for()


def test_the_tab_of_the_staff_lists_who_is_on_duty_and_who_comes_first(report: Report, visit: Visit) -> None:
    number = report("燃气异味")
    visitor = visit()
    visitor.open(f"?sel=events/{fid_of(visitor, number)}")
    page = visitor.page
    page.get_by_role("tab", name="力量").click()
    page.get_by_role("region", name="最近力量").locator("ol li").first.wait_for()
    posts = page.locator("[data-post]")
    posts.first.wait_for()
    tile = page.get_by_role("region", name="指标").get_by_role("button", name="在岗力量")
    assert f"在岗 {posts.count()} 人" in page.get_by_role("region", name="事件与详情").inner_text()
    assert posts.count() == int(tile.locator("b").inner_text())
    first = posts.first.locator(".post").inner_text()
    posts.first.click()
    page.locator(".card[data-layer=responders] h2", has_text=first).wait_for()


def test_a_new_event_comes_into_list_map_and_numbers_by_itself(report: Report, visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    page = visitor.page
    live(page)
    before = listed(page)
    number = report("路面塌陷", level=4)
    page.locator("section li button .title", has_text="路面塌陷").wait_for()
    assert listed(page) == before + 1
    tile = page.get_by_role("region", name="指标").get_by_role("button", name="未结事件")
    visitor.until(lambda: tile.locator("b").inner_text() == str(before + 1), "the indicator follows")
    assert state_of(visitor, number) == "triaged"


def test_while_one_reads_further_down_new_rows_wait_behind_a_pill(report: Report, visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    page = visitor.page
    live(page)
    scroll = page.get_by_role("region", name="事件", exact=True)
    rows = page.locator("section li button[data-fid]")
    top = rows.first.get_attribute("data-fid")
    scroll.evaluate("list => { list.scrollTop = 1000; }")
    visitor.until(lambda: rows.first.get_attribute("data-fid") != top, "rows further down are drawn")
    fids = "rows => rows.map((row) => row.dataset.fid)"
    read = rows.evaluate_all(fids)
    report("一", level=4)
    report("二", level=4)
    pill = page.get_by_role("button", name="条新事件")
    page.get_by_role("button", name="2 条新事件").wait_for()
    assert rows.evaluate_all(fids) == read, "nothing moves under the reader's eye"
    pill.click()
    page.locator("section li button .title", has_text="二").first.wait_for()
    assert scroll.evaluate("list => list.scrollTop") == 0
    pill.wait_for(state="detached")


def test_what_was_missed_while_the_stream_was_lost_is_caught_up(report: Report, visit: Visit) -> None:
    visitor = visit()
    visitor.expected.append("console error: Failed to load resource")
    page = visitor.page
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if "/api/live" in request.url else None)
    visitor.open()
    live(page)
    visitor.page.context.set_offline(True)
    page.locator(".live[data-live=false]").wait_for()
    for i in range(3):
        report(f"断线时 {i}", level=2)
    visitor.page.context.set_offline(False)
    page.get_by_text("已补齐 3 条").wait_for()
    page.locator("section li button .title", has_text="断线时 2").wait_for()
    assert "since=" in streams[-1], "it goes on where it was lost"
    live(page)


def fid_of(visitor: Visitor, event_no: str) -> int:
    """The number of an event on the map."""
    return int(visitor.ask(f"/api/events/{event_no}")["fid"])


def state_of(visitor: Visitor, event_no: str) -> str:
    """Where an event stands."""
    return str(visitor.ask(f"/api/events/{event_no}")["state"])


def tasks_of(visitor: Visitor, post: str) -> int:
    """How much a post has in hand."""
    near = visitor.ask("/api/responders/nearest?point=117.30144,31.70261&k=50")
    return next(int(one["n_tasks"]) for one in near["candidates"] if one["post"] == post)


def live(page: Page) -> None:
    """Wait until the stream flows."""
    page.locator(".live[data-live=true]").wait_for()


def listed(page: Page) -> int:
    """The number at the head of the list."""
    return int("".join(c for c in page.locator("[role=tab]").first.inner_text() if c.isdigit()))
