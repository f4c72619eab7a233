"""The dashboard in headless Chromium: first map, long tasks while panning, weight, memory over minutes of use.

    .venv/bin/python tests/bench/dashboard.py [--scale 100] [--url http://127.0.0.1:8000] [--minutes 30] [--starts 5]

Without ``--url`` a server is started: with the demo city on a throw-away folder, with ``--scale 100`` on the city that
tests/bench/api.py keeps. WebGL is drawn in software here, so a machine with a graphics card is faster. Results go to
``bench/results/dashboard.json``, by scale; nothing fails.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results" / "dashboard.json"
FLAGS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
SIZE = {"width": 1440, "height": 900}
#: The page's own mark: the map is whole for the first time, its first complete frame handed to the renderer.
MAP = "performance.getEntriesByName('onemap:map')[0]?.startTime"
#: A fence behind that frame tells when the renderer has worked it off: now it can be on the screen.
PAINTED = "performance.getEntriesByName('painted')[0]?.startTime"
FENCE = """(() => {
    const mark = performance.mark.bind(performance);
    performance.mark = (name, ...more) => {
        if (name === 'onemap:map') {
            const gl = document.querySelector('.maplibregl-canvas').getContext('webgl2');
            const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
            gl.flush();
            const done = () => gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED;
            const look = () => done() ? mark('painted') : setTimeout(look, 5);
            look();
        }
        return mark(name, ...more);
    };
})()"""
#: What the issue asks for; the first map by scale.
FIRST_MAP_S, LONGEST_TASK_MS, SCRIPTS_KB = {1: 2.0, 100: 4.0}, 100.0, 450.0
LONG_LIST = 80_000
#: Tasks of more than 50 ms on the page's own thread, from here on.
WATCH = (
    "() => { window.tasks = []; new PerformanceObserver((l) => window.tasks.push(...l.getEntries().map((e) => "
    "e.duration))).observe({ type: 'longtask' }); }"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The page's memory after a collection of garbage."""

    minute: float
    heap_mb: float
    nodes: int
    listeners: int


def main() -> None:
    """Measure and print."""
    options = _options()
    with _server(options) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=list(FLAGS))
        starts = [_first_map(browser, url) for _ in range(options.starts)]
        found = {
            "first_map_s": [first for first, _ in starts],
            "painted_s": [painted for _, painted in starts],
            "scripts_kb": _scripts_kb(browser, url),
            "long_tasks_ms": _long_tasks(browser, url, options.pan_seconds),
            "list": _long_list(browser, url),
            "memory": [asdict(sample) for sample in _memory(browser, url, options.minutes)],
        }
        browser.close()
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**kept, str(options.scale): found}, indent=1) + "\n", "utf-8")
    _print(found, options.scale)


def _print(found: dict[str, Any], scale: int) -> None:
    starts, tasks, rows = found["first_map_s"], found["long_tasks_ms"], found["list"]
    print(f"first map       {statistics.median(starts):7.2f} s   best {min(starts):.2f}, goal {FIRST_MAP_S.get(scale)}")
    print(f"painted         {statistics.median(found['painted_s']):7.2f} s   best {min(found['painted_s']):.2f}")
    print(f"scripts         {found['scripts_kb']:7.0f} kB  gzip, goal {SCRIPTS_KB:.0f}")
    print(
        f"panning         {len(tasks):7d}     long tasks, longest {max(tasks, default=0):.0f} ms, goal {LONGEST_TASK_MS:.0f}"
    )
    print(f"scrolling       {rows['frame_p95_ms']:7.1f} ms  p95 of a frame, longest {rows['frame_longest_ms']:.0f}")
    longest = max(rows["tasks_ms"], default=0)
    print(
        f"{rows['rows']:,} rows   {len(rows['tasks_ms']):9d}     long tasks to the last row, longest {longest:.0f} ms"
    )
    for sample in found["memory"]:
        print(
            f"minute {sample['minute']:8.1f} {sample['heap_mb']:7.1f} MB  {sample['nodes']:6d} nodes {sample['listeners']:6d} listeners"
        )


def _first_map(browser: Browser, url: str) -> tuple[float, float]:
    """Seconds from the start of navigation until the map is whole, and until it is painted; nothing kept from before."""
    with _page(browser) as page:
        page.add_init_script(FENCE)
        page.goto(url)
        page.wait_for_function(f"{PAINTED} !== undefined", timeout=120_000)
        return float(page.evaluate(MAP)) / 1000, float(page.evaluate(PAINTED)) / 1000


def _scripts_kb(browser: Browser, url: str) -> float:
    """Kilobytes of JavaScript at first load, gzip."""
    addresses: set[str] = set()
    with _page(browser) as page:
        page.context.on("request", lambda r: addresses.add(r.url) if r.url.endswith(".js") else None)
        _open(page, url)
        bodies = [page.request.get(address).body() for address in addresses]
    return sum(len(gzip.compress(body)) for body in bodies) / 1000


def _long_tasks(browser: Browser, url: str, seconds: float) -> list[float]:
    """Milliseconds of tasks longer than 50 ms on the page's own thread while the map is dragged about."""
    with _page(browser) as page:
        _open(page, url)
        page.evaluate(WATCH)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _drag(page)
        return [float(x) for x in page.evaluate("window.tasks")]


def _long_list(browser: Browser, url: str) -> dict[str, Any]:
    """The list of all events, closed ones too: frames while one scrolls, and long tasks on the way to its last row."""
    with _page(browser) as page:
        _open(page, f"{url}/?on=areas&ev=closed")
        page.wait_for_selector("section li button[data-fid]")
        frames: list[float] = page.evaluate(
            """async () => {
                const list = document.querySelector('section li button[data-fid]').closest('.scroll');
                const found = [];
                let last = performance.now();
                for (let i = 0; i < 240; i += 1) {
                    list.scrollTop += 90;
                    await new Promise(requestAnimationFrame);
                    const now = performance.now();
                    found.push(now - last);
                    last = now;
                }
                return found.slice(5);
            }"""
        )
        page.evaluate(WATCH)
        rows: int = page.evaluate(
            """async ([most, patience]) => {
                const list = document.querySelector('section li button[data-fid]').closest('.scroll');
                const height = list.querySelector('li').getBoundingClientRect().height;
                const rows = () => Math.round(list.querySelector('ul').getBoundingClientRect().height / height);
                for (let grown = performance.now(), n = 0; rows() < most && performance.now() - grown < patience;) {
                    list.scrollTop = list.scrollHeight;
                    await new Promise((done) => setTimeout(done, 30));
                    if (rows() > n) [n, grown] = [rows(), performance.now()];
                }
                return rows();
            }""",
            [LONG_LIST, 5_000],
        )
        tasks = [float(x) for x in page.evaluate("window.tasks")]
    return {
        "frame_p95_ms": statistics.quantiles(frames, n=20)[-1],
        "frame_longest_ms": max(frames),
        "rows": rows,
        "tasks_ms": tasks,
    }


def _memory(browser: Browser, url: str, minutes: float) -> list[Sample]:
    """What the page holds, once at the start and once a minute, while someone works."""
    with _page(browser) as page:
        _open(page, f"{url}/?lang=zh&theme=light")
        session = page.context.new_cdp_session(page)
        acts = (_drag, _zoom, _select, _drill, _filter, _theme, _print_dialog, _table)
        for act in acts:
            act(page)
        begin = time.monotonic()
        samples = [_sample(session, 0.0)]
        turn = 0
        while time.monotonic() - begin < minutes * 60:
            acts[turn % len(acts)](page)
            turn += 1
            passed = (time.monotonic() - begin) / 60
            if passed >= samples[-1].minute + min(1.0, minutes / 5):
                samples.append(_sample(session, passed))
        return samples


def _sample(session: CDPSession, minute: float) -> Sample:
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    counters = session.send("Memory.getDOMCounters")
    return Sample(round(minute, 2), round(heap, 1), counters["nodes"], counters["jsEventListeners"])


def _drag(page: Page) -> None:
    page.mouse.move(700, 500)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(700 + 18 * step, 500 + 6 * (step % 5))
    page.mouse.up()
    page.mouse.move(900, 500)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(900 - 18 * step, 500 - 6 * (step % 5))
    page.mouse.up()


def _zoom(page: Page) -> None:
    for key in ("+", "+", "-", "-", "0"):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)
        page.wait_for_timeout(250)


def _select(page: Page) -> None:
    rows = page.locator("section li button[data-fid]")
    if rows.count() > 0:
        rows.first.click()
        page.wait_for_timeout(400)
    page.keyboard.press("Escape")


def _drill(page: Page) -> None:
    page.evaluate(
        "() => { history.pushState(null, '', '?area=990101001001&grid=990101001001010&lang=zh&theme=light'); "
        "dispatchEvent(new PopStateEvent('popstate')); }"
    )
    page.wait_for_timeout(500)
    page.go_back()
    page.wait_for_timeout(300)


def _filter(page: Page) -> None:
    chip = page.get_by_role("button", name="超期", exact=False).first
    for _ in range(2):
        chip.click()
        page.wait_for_timeout(300)


def _theme(page: Page) -> None:
    for _ in range(2):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Shift+D")
        page.wait_for_timeout(800)


def _print_dialog(page: Page) -> None:
    page.keyboard.press("Control+p")
    page.locator("dialog figure[data-work=ready]").wait_for(timeout=60_000)
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")


def _table(page: Page) -> None:
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("b")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")


def _open(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".map[data-drawn=true]", timeout=120_000)


@contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZE, locale="zh-CN", timezone_id="Asia/Shanghai")  # type: ignore[arg-type]
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def _server(options: argparse.Namespace) -> Iterator[str]:
    """Where a server answers: the one named, or one of our own for as long as it is needed."""
    if options.url:
        yield options.url.rstrip("/")
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        kept = options.cities / f"onemap-city{options.scale}" if options.scale > 1 else Path(folder)
        environment = {
            **os.environ, "ONEMAP_DATA": str(kept), "ONEMAP_PORT": str(port), "ONEMAP_DATABASE_URL": "",
            "ONEMAP_DEMO": str(options.scale) if options.scale > 1 else "default",
        }  # fmt: skip
        command = [sys.executable, "-m", "onemap.cli.main", "run"]
        server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(lambda: _ready(f"http://127.0.0.1:{port}/readyz"))
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(60)


def _wait(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 3_600
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("The server was not ready within an hour.")
        time.sleep(0.5)


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _chromium() -> str:
    for name in ("chromium", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    if fetched := sorted(cache.glob("chromium*/chrome-linux*/chrome")):
        return str(fetched[-1])
    raise FileNotFoundError("No Chromium is installed here; 'make setup' says why.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onemap-bench"
    parser.add_argument("--url", help="a server that runs already")
    parser.add_argument("--scale", type=int, default=1, help="how many times the demo city; 100 is made and kept")
    parser.add_argument("--cities", default=Path(os.environ.get("ONEMAP_BENCH_CITIES") or cache), type=Path)
    parser.add_argument("--starts", type=int, default=5, help="cold starts of the page")
    parser.add_argument("--pan-seconds", type=float, default=10, help="how long the map is dragged")
    parser.add_argument("--minutes", type=float, default=2, help="how long someone works for the memory run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
