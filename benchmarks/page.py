"""What the board costs a browser: first paint, bytes, frames and processor while it scrolls, memory.

Frames are counted at one time and the processor is watched at another: counting alone makes a page work for each frame.
Frames, heap after a collection and sizes are Chromium's own; its processor time is the operating system's, since
Chromium's counters go on while others have the processor. The browser has no graphics card here, so it draws with the
processor that everything else shares.
"""

from __future__ import annotations

import argparse
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import requests
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from benchmarks import fleet
from benchmarks.report import Row, median, show
from benchmarks.running import bridge, workspace
from tests.browser.chromium import CHROMIUM, CHROMIUM_ARGS
from tests.support.processes import BridgeProcess

CHARTS, DAY, STEP = 20, 86_400, 10
LIVE_CHARTS, UPDATES = 50, 10
LIVE_SECONDS = 5.0
SOAK_SECONDS = 60.0
SOAK_POINTS = 8 * 3600  # a stream: eight hours of one a second
SOAK_STREAMS = 10

FIRST_PAINT_S, WIRE_KB, FRAMES, CORE_SHARE, HEAP_MIB = 1.0, 120, 50, 0.30, 10
CONFIG = {"mqtt": None, "destinations": fleet.EMBEDDED, "log": {"format": "text", "level": "warning"}}

DRAWN = """count => {
  const tiles = [...document.querySelectorAll('.tile')];
  return tiles.length >= count && tiles.slice(0, count).every(
    (tile) => tile.dataset.loaded === 'true' && tile.querySelector('canvas'));
}"""
COUNT_FRAMES = """() => {
  window.counted = 0;
  const count = () => { window.counted += 1; window.counting = requestAnimationFrame(count); };
  count();
}"""
FRAMES_COUNTED = "() => { cancelAnimationFrame(window.counting); return window.counted; }"


class Feeder:
    """Pushes values of a bucket, at once or in the background."""

    def __init__(self, process: BridgeProcess, bucket: str) -> None:
        self._url, self._bucket = f"{process.url}/api/events", bucket
        self._session = requests.Session()
        self._session.trust_env = False
        self._stop = threading.Event()

    def push(self, events: Sequence[tuple[str, float, float]]) -> None:
        for part in itertools.batched(events, 5000) if hasattr(itertools, "batched") else _batched(events, 5000):
            body = [{"key": stream, "value": value, "epoch": epoch} for stream, value, epoch in part]
            answer = self._session.post(self._url, params={"bucketKey": self._bucket}, json=body, timeout=30)
            answer.raise_for_status()

    @contextmanager
    def streaming(self, streams: int, per_second: float, batch: int = 1) -> Iterator[None]:
        """`batch` values a stream, so many times a second."""

        def run() -> None:
            began, turn = time.perf_counter(), 0
            while not self._stop.wait(max(0.0, turn / per_second - (time.perf_counter() - began))):
                now = time.time()
                self.push(
                    [
                        (name(stream), value(stream, now + k / 1000), now - (batch - 1 - k) / per_second / batch)
                        for stream in range(streams)
                        for k in range(batch)
                    ]
                )
                turn += 1

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
            self._session.close()


def _batched(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def name(stream: int) -> str:
    return f"room-{stream:02}.temperature"


def value(stream: int, at: float) -> float:
    return round(20 + stream / 10 + 3 * math.sin(at / 3000 + stream) + math.sin(at * 7 + stream) / 5, 2)


def first_paint(browser: Browser, process: BridgeProcess, rounds: int) -> tuple[float, float, float]:
    """Seconds from navigation until every chart is drawn; KB of the page's files on the wire, and of a second visit."""
    now = time.time()
    history = [
        (name(stream), value(stream, now - back), now - back)
        for stream in range(CHARTS)
        for back in range(DAY, 0, -STEP)
    ]
    Feeder(process, "day").push(history)
    visits = []
    for _ in range(rounds):
        context = browser.new_context(viewport={"width": 1440, "height": 2200})
        visits.append((*visit(context, process), visit(context, process)[1]))
        context.close()
    took, first, second = (median(figures) for figures in zip(*visits, strict=True))
    return took, first, second


def visit(context: BrowserContext, process: BridgeProcess) -> tuple[float, float]:
    """Seconds until every chart is drawn, and KB of the page's files as they came over the wire."""
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Network.enable")
    urls: dict[str, str] = {}
    sizes: dict[str, float] = {}
    cdp.on("Network.responseReceived", lambda event: urls.__setitem__(event["requestId"], event["response"]["url"]))
    cdp.on("Network.loadingFinished", lambda event: sizes.__setitem__(event["requestId"], event["encodedDataLength"]))
    page.goto(f"{process.url}/b/day#w=24h", wait_until="commit")
    page.wait_for_function(DRAWN, arg=CHARTS, polling="raf", timeout=60_000)
    took = page.evaluate("performance.now()") / 1000
    page.wait_for_load_state()
    page.close()
    return took, sum(size for request, size in sizes.items() if "/api/" not in urls.get(request, "")) / 1000


@dataclass(frozen=True, slots=True)
class Share:
    """Of a core: what a page's process takes while values stream in, and its main thread alone."""

    core: float
    main: float


def live(browser: Browser, process: BridgeProcess, seconds: float, rounds: int) -> tuple[float, Share, Share]:
    """Frames a second while it is scrolled, what that costs, and what standing still does: medians of rounds."""
    feeder = Feeder(process, "busy")
    now = time.time()
    feeder.push(
        [
            (name(stream), value(stream, now - back), now - back)
            for stream in range(LIVE_CHARTS)
            for back in range(300, 0, -1)
        ]
    )
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{process.url}/b/busy#w=5m")
    page.wait_for_function(DRAWN, arg=8)
    with feeder.streaming(LIVE_CHARTS, UPDATES):
        page.mouse.move(700, 500)
        scroller = Scroller(page)
        turns = [
            (
                frames(page, seconds, scroller.go),
                share_of(page, seconds, scroller.go),
                share_of(page, seconds, lambda: None),
            )
            for _ in range(rounds)
        ]
    context.close()
    counted, scrolled, still = zip(*turns, strict=True)
    return median(counted), median_share(scrolled), median_share(still)


class Scroller:
    """Scrolls a page down and up again, a step at a time."""

    def __init__(self, page: Page) -> None:
        self._page, self._step = page, 40

    def go(self) -> None:
        self._page.mouse.wheel(0, self._step)
        at, end = self._page.evaluate("[scrollY, document.documentElement.scrollHeight - innerHeight]")
        self._step = -40 if at >= end - 1 else 40 if at <= 0 else self._step


def frames(page: Page, seconds: float, act: Callable[[], None]) -> float:
    """Frames a second while something is done to the page. To count them makes it work for each."""
    page.evaluate(COUNT_FRAMES)
    elapsed = keep(page, seconds, act)
    return float(page.evaluate(FRAMES_COUNTED)) / elapsed


def share_of(page: Page, seconds: float, act: Callable[[], None]) -> Share:
    """What the page's process takes meanwhile, nobody counting."""
    browser = page.context.browser
    assert browser is not None
    renderers = browser.new_browser_cdp_session()
    before = processor_seconds(renderers)
    elapsed = keep(page, seconds, act)
    core, main = (after - then for then, after in zip(before, processor_seconds(renderers), strict=True))
    renderers.detach()
    return Share(core / elapsed, main / elapsed)


def keep(page: Page, seconds: float, act: Callable[[], None]) -> float:
    """Do it twenty times a second; returns the seconds that it took."""
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        act()
        page.wait_for_timeout(50)
    return time.perf_counter() - began


def median_share(shares: Sequence[Share]) -> Share:
    return Share(median([one.core for one in shares]), median([one.main for one in shares]))


def soak(browser: Browser, process: BridgeProcess, seconds: float) -> tuple[float, float]:
    """MiB of heap after a fifth of the points of eight hours, and after all of them."""
    per_second = 4.0
    batch = max(1, round(SOAK_POINTS / seconds / per_second))
    feeder = Feeder(process, "soak")
    feeder.push([(name(stream), 20.0, time.time()) for stream in range(SOAK_STREAMS)])
    context = browser.new_context(viewport={"width": 1440, "height": 2200})
    page = context.new_page()
    page.goto(f"{process.url}/b/soak#w=5m")
    page.wait_for_function("count => document.querySelectorAll('.tile').length >= count", arg=SOAK_STREAMS)
    cdp = context.new_cdp_session(page)
    with feeder.streaming(SOAK_STREAMS, per_second, batch):
        page.wait_for_timeout(seconds * 1000 / 5)
        early = heap(cdp)
        page.wait_for_timeout(seconds * 1000 * 4 / 5)
        late = heap(cdp)
    context.close()
    return early, late


def processor_seconds(cdp: CDPSession) -> tuple[float, float]:
    """What the pages' processes have used, and their main threads. One page is open; a spare process uses nothing."""
    found = cdp.send("SystemInfo.getProcessInfo")["processInfo"]
    pids = [int(one["id"]) for one in found if one["type"] == "renderer"]
    threads = [(pid, one) for pid in pids for one in psutil.Process(pid).threads()]
    main = sum(one.user_time + one.system_time for pid, one in threads if one.id == pid)
    return sum(one.user_time + one.system_time for _, one in threads), main


def heap(cdp: CDPSession) -> float:
    cdp.send("HeapProfiler.enable")
    cdp.send("HeapProfiler.collectGarbage")
    return float(cdp.send("Runtime.getHeapUsage")["usedSize"] / 2**20)


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    with workspace() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        with bridge(directory / "bridge", CONFIG) as process:
            paint, wire, again = first_paint(browser, process, rounds)
            per_second, scrolled, still = live(browser, process, max(2.0, LIVE_SECONDS * share), rounds)
            heaps = _soaked(browser, process, max(5.0, SOAK_SECONDS * share))
        browser.close()
    return [
        Row(
            f"page: navigation to {CHARTS} charts of 24 h drawn",
            f"{paint:.2f} s",
            target=f"<= {FIRST_PAINT_S:g} s",
            met=paint <= FIRST_PAINT_S,
        ),
        Row(
            "page: its files on the wire, compressed and with headers",
            f"{wire:.0f} KB",
            f"a second visit {again:.1f} KB",
            target=f"<= {WIRE_KB} KB",
            met=wire <= WIRE_KB,
        ),
        Row(
            f"page: {LIVE_CHARTS} charts, {UPDATES} updates/s each, scrolling",
            f"{per_second:.0f} frames/s",
            target=f">= {FRAMES}",
            met=per_second >= FRAMES,
        ),
        Row(
            "page: its process meanwhile",
            f"{scrolled.core:.0%} of a core",
            f"its main thread {scrolled.main:.0%}",
            target=f"<= {CORE_SHARE:.0%}",
            met=scrolled.core <= CORE_SHARE,
        ),
        Row(
            "page: its process while it stands still",
            f"{still.core:.0%} of a core",
            f"its main thread {still.main:.0%}",
            target=f"<= {CORE_SHARE:.0%}",
            met=still.core <= CORE_SHARE,
        ),
        heaps,
    ]


def soak_rows(seconds: float) -> list[Row]:
    """The soak alone."""
    with workspace() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        with bridge(directory / "bridge", CONFIG) as process:
            heaps = _soaked(browser, process, seconds)
        browser.close()
    return [heaps]


def _soaked(browser: Browser, process: BridgeProcess, seconds: float) -> Row:
    early, late = soak(browser, process, seconds)
    return Row(
        f"page: heap, {SOAK_STREAMS} streams, 8 h of points in {seconds:g} s",
        f"{late:.1f} MiB",
        f"after a fifth {early:.1f} MiB",
        target=f"+ <= {HEAP_MIB} MiB",
        met=late - early <= HEAP_MIB,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    show(rows(rounds=options.rounds, share=options.share))
