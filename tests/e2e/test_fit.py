"""No word is cut and nothing lies outside its parent, at five sizes and 125 %, in both languages (screens.md section 7)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.e2e.conftest import Visit, Visitor

#: CSS pixels; the last two are 1920 x 1080 and 1440 x 900 at 125 %.
SIZES = ((1920, 1080), (1440, 900), (1280, 720), (390, 844), (360, 740), (1536, 864), (1152, 720))
DRESSES = (("dark", "zh"), ("light", "en"), ("light", "zh"), ("dark", "en"))

#: Elements whose words are cut off, that are wider than their parent, or that lie outside the window.
TROUBLES = """() => {
  const name = (e) => `${e.tagName.toLowerCase()}.${e.className?.baseVal ?? e.className} "${e.textContent.trim().slice(0, 40)}"`;
  const seen = (e) => e.offsetParent !== null && e.getClientRects().length > 0
    && getComputedStyle(e).visibility !== 'hidden' && !e.closest('.visually-hidden, .tip, .gone');
  const scrolls = (e) => { for (let p = e.parentElement; p; p = p.parentElement)
    if (/auto|scroll/.test(getComputedStyle(p).overflowX) && p.scrollWidth > p.clientWidth + 1) return true; return false; };
  const found = [];
  const words = 'button, h1, h2, h3, dt, dd, th, td, label, legend, output, .sub, .title, .value, .name, .amount, .badge, '
    + '.demo, .chip, .n, .state, .place, time, p, a, option';
  for (const e of document.querySelectorAll(words)) {
    if (!seen(e) || e.closest('.maplibregl-map')) continue;
    const style = getComputedStyle(e);
    if (style.display !== 'inline' && style.overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1
        && !/auto|scroll/.test(style.overflowX)) found.push(`cut: ${name(e)}`);
  }
  for (const e of document.querySelectorAll('section *, header *, dialog *, [role=toolbar] *')) {
    if (!seen(e) || e.closest('svg') || scrolls(e)) continue;
    const style = getComputedStyle(e);
    if (style.position === 'absolute' || style.position === 'fixed' || style.display === 'inline') continue;
    const own = e.getBoundingClientRect(), outer = e.parentElement.getBoundingClientRect();
    if (own.width > outer.width + 1.5 && outer.width > 0 && getComputedStyle(e.parentElement).display !== 'contents')
      found.push(`wider than its parent: ${name(e)}`);
    if (own.right > innerWidth + 1 || own.left < -1) found.push(`outside the window: ${name(e)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
  return [...new Set(found)];
}"""


@pytest.mark.parametrize(("theme", "language"), DRESSES, ids=str)
def test_every_word_fits(visit: Visit, theme: str, language: str) -> None:
    visitor = visit(*SIZES[0])
    # Little to draw: the panels are looked at, not the map.
    filters = quote("closed.overdue.7d")
    visitor.open(f"?theme={theme}&lang={language}&on=areas.grids.events&area=990101001001&ev={filters}")
    page = visitor.page
    troubles: dict[str, list[str]] = {}

    def look(what: str) -> None:
        if found := page.evaluate(TROUBLES):
            troubles[f"{what} {page.viewport_size}"] = found

    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("w => document.documentElement.clientWidth === w", arg=width)
        _rested(visitor)
        look("page")
        page.keyboard.press("t")
        _rested(visitor)
        look("time bar")
        page.keyboard.press("t")
        for key, what in (("?", "help"), ("Control+p", "print")):
            page.keyboard.press(key)
            page.locator("dialog[open]").wait_for()
            look(what)
            page.keyboard.press("Escape")
            page.locator("dialog[open]").wait_for(state="detached")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        visitor.turn(f"?theme={theme}&lang={language}&on=areas.grids.events&sel=grids/{_a_grid(visitor)}")
        page.locator(".card dl").first.wait_for()
        _rested(visitor)
        look("card")
    assert troubles == {}


def _rested(visitor: Visitor) -> None:
    """Two frames after the last change of size: panels have found their place."""
    visitor.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _a_grid(visitor: Visitor) -> int:
    found = visitor.ask("/ogc/collections/grids/items?f=json&limit=1")
    return int(found["features"][0]["id"])
