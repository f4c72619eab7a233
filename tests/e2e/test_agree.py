"""List, map, tree and indicator agree, feature by feature, under random filters (screens.md section 7)."""

from __future__ import annotations

import random
from urllib.parse import quote

from tests.e2e.conftest import Visit, Visitor

#: Every part of a filter: times, switches, kinds, states.
TIMES = ("", "6h", "24h", "today", "7d", "30d")
SWITCHES = ("overdue", "view", "closed")
PICKS = ("kind:noise", "kind:gas", "kind:parking", "state:processing", "state:dispatched")
SHORT = ("6h", "24h", "today")
#: Where one looks: all of the community, a part of it, one grid.
VIEWS = ("v=14.4/31.7004/117.3004", "v=15.4/31.7005/117.3010", "v=15/31.7030/117.2960&grid=990101001001007")
ROUNDS = 8

LIST = "section[aria-label=实时事件]"


def test_list_map_tree_and_indicator_hold_the_same_events(visit: Visit) -> None:
    rng = random.Random(20260918)
    visitor = visit(1920, 1080)
    in_view = 0
    for turn in range(ROUNDS):
        # Half of the filters look at the screen only.
        words = {rng.choice(TIMES), *rng.sample(SWITCHES, rng.randint(0, 2)), *rng.sample(PICKS, rng.randint(0, 2))}
        words = (words | {"view"}) if turn % 2 else (words - {"view"})
        hidden = rng.choice(("", "&hide=" + quote("events:1"), "&hide=" + quote("events:2.events:3")))
        if not words & set(SHORT):
            # The table of what is drawn ends at 200 rows.
            words.discard("closed")
        # Everything but what is on screen is seen only where all of the community is.
        view = rng.choice(VIEWS[1:]) if "view" in words else VIEWS[0]
        query = f"?{view}&on=areas.events&ev={quote('.'.join(sorted(words - {''})))}{hidden}"
        if turn == 0:
            visitor.open(query)
            visitor.settle()
        else:
            visitor.turn(query)
        _agree(visitor, query)
        in_view += "view" in words
    assert in_view == ROUNDS // 2


def _agree(visitor: Visitor, query: str) -> None:
    page = visitor.page
    visitor.until(lambda: _in_tree(visitor) == _at_head(visitor), f"tree and list count the same under {query}")
    listed = _listed(visitor)
    assert len(listed) == len(set(listed)), query
    assert len(listed) == _at_head(visitor), query
    assert _drawn(visitor) == set(listed), query
    tile = page.get_by_role("region", name="指标").get_by_role("button", name="未结事件").locator("b").inner_text()
    still = visitor.ask("/api/events?is_open=true&limit=500")["events"]
    n_open = len(set(listed) & {event["fid"] for event in still})
    assert int(tile.replace(",", "")) == n_open, query


def _at_head(visitor: Visitor) -> int:
    text = visitor.page.locator(f"{LIST} header .n").inner_text()
    return int("".join(c for c in text if c.isdigit()))


def _in_tree(visitor: Visitor) -> int:
    box = visitor.page.get_by_role("checkbox", name="显示 事件", exact=True).last
    return int(visitor.page.locator(".row:not(.class)", has=box).locator(".amount").inner_text().replace(",", ""))


def _listed(visitor: Visitor) -> list[int]:
    """Every row, from the first to the last; only those in sight are in the page."""
    return [
        int(fid)
        for fid in visitor.page.evaluate(
            """async (list) => {
                const scroll = document.querySelector(`${list} .scroll`);
                if (!scroll) return [];
                const found = new Set();
                const foot = () => scroll.getBoundingClientRect().bottom;
                const rows = () => [...scroll.querySelectorAll('[data-fid]')];
                const reaches = () => {
                    const last = rows().at(-1)?.getBoundingClientRect().bottom ?? 0;
                    const end = scroll.querySelector('ul').getBoundingClientRect().bottom;
                    return last >= Math.min(foot(), end) - 2 && rows()[0].getBoundingClientRect().top <= foot();
                };
                for (let top = 0; ; top += scroll.clientHeight / 2) {
                    scroll.scrollTop = top;
                    do await new Promise(requestAnimationFrame); while (!reaches());
                    for (const row of rows()) found.add(row.dataset.fid);
                    if (top + scroll.clientHeight >= scroll.scrollHeight) return [...found];
                }
            }""",
            LIST,
        )
    ]


def _drawn(visitor: Visitor) -> set[int]:
    """What the map draws, as its table says."""
    page = visitor.page
    page.keyboard.press("b")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").select_option("events")
    drawn = {int(row.get_attribute("data-fid") or 0) for row in dialog.locator("tr[data-fid]").all()}
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    return drawn
