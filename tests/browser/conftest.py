"""A real Chromium on the page of a real bridge, fed by its Events API."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect, sync_playwright

from tests.browser.chromium import CHROMIUM, CHROMIUM_ARGS
from tests.support.configs import EMBEDDED
from tests.support.processes import BridgeProcess, eventually

# Longer than a busy machine takes for anything here; only a failing test waits it out.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

Event = tuple[str, Any, float]


class Dashboard:
    """A bridge without a broker: values go in by the Events API, and come out on the page."""

    def __init__(self, directory: Path) -> None:
        self.process = BridgeProcess(directory, {"mqtt": None, "destinations": {"dashboard": EMBEDDED}})
        self._http = requests.Session()
        self._http.trust_env = False
        self._stored: set[str] = set()

    @property
    def url(self) -> str:
        return self.process.url

    def board(self, bucket: str, hash_: str = "") -> str:
        return f"{self.url}/b/{quote(bucket, safe='')}{hash_}"

    def push(self, bucket: str, events: Sequence[Event]) -> None:
        """Send (stream, value, epoch); they are in the spool then, and a moment later on the page.

        The first of a bucket are stored then: a page that is opened before would ask for what is not there yet.
        """
        body = [{"key": stream, "value": value, "epoch": epoch} for stream, value, epoch in events]
        # By parameters, since a header could not carry every name.
        keys = {"bucketKey": bucket, "accessKey": "any"}
        answer = self._http.post(f"{self.url}/api/events", json=body, params=keys, timeout=10)
        assert answer.status_code == 204, answer.text
        if bucket not in self._stored:
            eventually(lambda: bucket in self._buckets(), what="the bucket's first values are stored")
            self._stored.add(bucket)

    def _buckets(self) -> set[str]:
        return {one["key"] for one in self.process.get("/api/v1/buckets").json()["buckets"]}

    def restart(self) -> None:
        self.process.stop()
        self.process.start()


@dataclass
class Watched:
    """What a page must not do, as it happened."""

    origin: str
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        # A server that is down is what some tests are about; the browser reports each refused connection.
        if message.type in {"error", "warning"} and "net::ERR_" not in message.text:
            self.console.append(message.text)

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme != "data" and f"{url.scheme}://{url.netloc}" != self.origin:
            self.foreign.append(request.url)

    def assert_clean(self) -> None:
        """Nothing thrown, nothing the content security policy had to stop, no dialog, no other host."""
        assert self.errors == []
        assert self.console == []
        assert self.dialogs == []
        assert self.foreign == []


class Tile:
    """One stream's tile, by its data attributes: facts rather than pixels."""

    def __init__(self, page: Page, stream: str) -> None:
        quoted = stream.replace("\\", "\\\\").replace('"', '\\"')
        self.locator: Locator = page.locator(f'.tile[data-stream="{quoted}"]')

    @property
    def value(self) -> Locator:
        return self.locator.locator(".tile-number")

    @property
    def points(self) -> int:
        return int(self.locator.get_attribute("data-points") or 0)


def climate(now: float, count: int = 20) -> list[Event]:
    """One value every two seconds until now."""
    return [("kitchen.temperature", 20 + i / 10, now - 2 * (count - i)) for i in range(count)]


def open_board(page: Page, dashboard: Dashboard, bucket: str, hash_: str = "") -> Watched:
    watched = Watched(dashboard.url)
    watched.watch(page)
    page.goto(dashboard.board(bucket, hash_))
    return watched


class Finger:
    """Touches as a screen reports them: nothing is dispatched to elements, the browser finds them."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)

    def _touch(self, kind: str, *points: tuple[float, float]) -> None:
        self._devtools.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        )

    def down(self, x: float, y: float) -> None:
        self._touch("touchStart", (x, y))

    def along(self, *path: tuple[float, float]) -> None:
        for point in path:
            self._touch("touchMove", point)

    def up(self) -> None:
        self._touch("touchEnd")


def middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def expect_state(page: Page, state: str) -> None:
    expect(page.locator(".badge")).to_have_attribute("data-state", state)


def hide(page: Page, hidden: bool) -> None:
    """What a person does by changing to another tab and back: Playwright keeps every page visible."""
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


@pytest.fixture(scope="module")  # Playwright keeps a loop running on this thread; other modules' tests run their own
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "these tests need Chromium: install it, or name it in CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shared_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """For tests that keep to a bucket of their own."""
    dashboard = Dashboard(tmp_path_factory.mktemp("dashboard"))
    with dashboard.process:
        yield dashboard


@pytest.fixture
def own_dashboard(tmp_path: Path) -> Iterator[Dashboard]:
    """For tests that stop it, or need it empty."""
    dashboard = Dashboard(tmp_path)
    with dashboard.process:
        yield dashboard


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    keep_pictures(context, request.node.name)
    context.close()


def keep_pictures(context: BrowserContext, name: str) -> None:
    """What each page ended on, in the directory that SCREENSHOTS names: for whoever looks at a run afterwards."""
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        for i, page in enumerate(context.pages):
            page.screenshot(path=Path(folder) / f"{re.sub(r'[^a-zA-Z0-9]+', '-', name)}-{i}.png")


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page on a phone, with fingers in place of a mouse."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    keep_pictures(context, f"{request.node.name}-phone")
    context.close()


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    """A bucket of the test's own."""
    return str(request.node.name)


@pytest.fixture
def now() -> float:
    return time.time()
