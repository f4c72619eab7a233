"""The keyboard alone: find an event, drill to a grid, open a card, print; nothing is touched (screens.md section 7)."""

from __future__ import annotations

from tests.e2e.conftest import Visit, Visitor

FOCUSED = "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).trim()"


def test_a_whole_errand_without_a_mouse(visit: Visit) -> None:
    visitor = visit(1440, 900)
    visitor.open("?theme=light&lang=zh&on=areas.grids.events")
    page = visitor.page

    # Select an event: Tab to the list, arrows in it, Enter.
    _tab_to(visitor, "document.activeElement.matches('section li button[data-fid]')")
    page.keyboard.press("ArrowDown")
    fid = page.evaluate("document.activeElement.dataset.fid")
    page.keyboard.press("Enter")
    card = page.locator(".card[data-layer=events]")
    card.wait_for()
    assert card.get_attribute("data-fid") == fid
    assert f"sel=events/{fid}" in page.url
    page.keyboard.press("Escape")
    card.wait_for(state="detached")

    # The next event and the one before, by their keys.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.locator(".card[data-layer=events]").wait_for()
    page.keyboard.press("Escape")

    # Drill to a grid through the breadcrumb.
    page.evaluate("document.activeElement.blur()")
    _tab_to(visitor, f"{FOCUSED}.startsWith('全部 29 个网格')")
    page.keyboard.press("Enter")
    _tab_to(visitor, f"{FOCUSED} === '网格 07'")
    page.keyboard.press("Enter")
    page.wait_for_function("location.search.includes('grid=990101001001007')")
    visitor.settle()

    # A card of what is on the map, through the table.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("b")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    _tab_to(visitor, "document.activeElement.tagName === 'SELECT'")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.value === 'grids'")
    _tab_to(visitor, "document.activeElement.closest('tr[data-fid]') !== null")
    page.keyboard.press("Enter")
    page.locator(".card[data-layer=grids]").wait_for()

    # Print: the dialog takes the focus, keeps it, and gives it back.
    page.keyboard.press("Control+p")
    page.wait_for_selector("dialog figure[data-work=ready]")
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    _tab_to(visitor, f"{FOCUSED} === '下载 PDF'")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename.endswith(".pdf")
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")


def _tab_to(visitor: Visitor, holds: str) -> None:
    """Press Tab until the focus is where a sentence of JavaScript holds."""
    for _ in range(150):
        if visitor.page.evaluate(f"() => {{ const at = document.activeElement; return at !== null && ({holds}); }}"):
            return
        visitor.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {holds}.")
