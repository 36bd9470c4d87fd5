"""Takes the pictures of docs/dashboard.md: `make pictures`. They are of the page as it is, on the showcase's house."""

from __future__ import annotations

import io
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser import showcase
from tests.browser.chromium import CHROMIUM, CHROMIUM_ARGS
from tests.browser.conftest import PATIENCE_MS, Dashboard
from tests.support.configs import EMBEDDED, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually
from tests.support.publishing import Publisher

PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
DESKTOP: Final = (1280, 800)
PHONE: Final = (390, 780)
MAX_BYTES: Final = 60_000
# A small chart of the bridge's page shows five minutes: so much of it is drawn.
FLOW_S: Final = 150
_HOUSE: Final = f"/b/{showcase.BUCKET}"


@dataclass(frozen=True)
class Shot:
    """One picture: where the page is, and what was done to it."""

    address: str
    prepare: Callable[[Page], None] = lambda _page: None
    size: tuple[int, int] = DESKTOP
    dark: bool = False


def _measure(page: Page) -> None:
    page.keyboard.press("m")
    plot = page.locator(".tile[data-loaded=true] .u-over").first
    box = plot.bounding_box()
    assert box
    for share in (0.3, 0.75):
        page.mouse.click(box["x"] + share * box["width"], box["y"] + 20)
    expect(page.locator(".measure tbody tr").first).to_be_visible()


def _arrange(page: Page) -> None:
    _click("[data-action=arrange]")(page)
    page.locator("[data-action=edit]").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _stray(page: Page) -> None:
    """A rule is proposed for a topic that none takes; what was rejected stands below."""
    page.locator("[data-action=listen]").click()
    stray = page.locator('[data-topic="weather/roof/wind"]')
    page.wait_for_timeout(10_000)
    stray.locator("[data-action=propose]").click()
    expect(stray.locator("[data-proposal=rule]")).to_be_visible()
    page.locator("#unmatched").evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 70)")


def _click(selector: str) -> Callable[[Page], None]:
    return lambda page: page.locator(selector).first.click()


def _see(selector: str) -> Callable[[Page], None]:
    return lambda page: expect(page.locator(selector).first).to_be_visible()


SHOTS: Final[dict[str, Shot]] = {
    "shelf": Shot("/", _see(".card")),
    "board": Shot(f"{_HOUSE}#w=24h"),
    "tiles": Shot(f"{_HOUSE}#w=24h", lambda page: page.evaluate("scrollTo(0, 5000)")),
    "phone": Shot(f"{_HOUSE}#w=24h", size=PHONE, dark=True),
    "time": Shot(f"{_HOUSE}#w=24h&compare=1d", _click("[data-action=range]")),
    "measure": Shot(f"{_HOUSE}#w=24h", _measure),
    "arrange": Shot(f"{_HOUSE}#w=24h", _arrange),
    "share": Shot(f"{_HOUSE}#w=24h", _click("[data-action=share]")),
    "waves": Shot(f"{_HOUSE}/waves#w=24h", _see(".wave[data-loaded=true]")),
    "source": Shot(f"{_HOUSE}/source#w=24h", _see("[role=row], tbody tr")),
    "alerts": Shot("/alerts", _see(".alert-card")),
    "bridge": Shot("/bridge", _see("main h2")),  # the last two: by then there was a while of traffic
    "stray": Shot("/bridge", _stray),
}


_DRAWN: Final = """() => document.querySelector(".badge[data-state=connecting]") === null
  && (document.querySelector(".board") === null || document.querySelector(".tile") !== null)
  && [...document.querySelectorAll(".tile")].every((tile) => {
  const { top, bottom } = tile.getBoundingClientRect();
  const away = bottom < 0 || top > innerHeight;
  const drawn = tile.querySelector(".tile-body > *") !== null;
  return away || (drawn && (tile.dataset.loaded === "true" || tile.querySelector("canvas") === null));
})"""


def _settled(page: Page) -> None:
    """Each tile in view has its points, and was drawn with them."""
    expect(page.locator("main")).to_be_visible()
    eventually(lambda: page.evaluate(_DRAWN), what="all tiles drawn")
    page.wait_for_timeout(1000)  # charts draw ten times a second, a map after its coasts have come
    eventually(lambda: page.evaluate(_DRAWN), what="what was scrolled to drawn")


def _packed(png: bytes) -> bytes:
    """A palette is enough for a page, and a third of the size."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (128, 64, 32):
        packed = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() <= MAX_BYTES:
            break
    return packed.getvalue()


@contextmanager
def _traffic(port: int) -> Iterator[None]:
    """Messages at a broker, second by second."""
    over = threading.Event()

    def flow() -> None:
        with Publisher(port) as publisher:
            second = 0
            while not over.wait(1):
                publisher.publish(showcase.traffic(second))
                second += 1

    thread = threading.Thread(target=flow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def take(folder: Path) -> None:
    """Write every picture into the folder."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Mosquitto(Path(directory) / "broker") as broker,
        sync_playwright() as playwright,
    ):
        dashboard = Dashboard(Path(directory) / "bridge")
        settings = {
            "mqtt": mqtt(broker.url()),
            "destinations": {"dashboard": EMBEDDED},
            "alerts": {"rules": showcase.RULES},
            **showcase.MAPPING,
        }
        dashboard.process.configure(settings)
        with dashboard.process, _traffic(broker.port()):
            now = time.time()
            showcase.furnish(dashboard, now)
            showcase.neighbours(dashboard, now)
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
            for name, shot in SHOTS.items():
                width, height = shot.size
                context = chromium.new_context(
                    viewport={"width": width, "height": height},
                    locale="en-GB",
                    timezone_id="UTC",
                    color_scheme="dark" if shot.dark else "light",
                    reduced_motion="reduce",
                    has_touch=shot.size == PHONE,
                )
                context.set_default_timeout(PATIENCE_MS)
                page = context.new_page()
                if name == "bridge":
                    page.wait_for_timeout(max(0, now + FLOW_S - time.time()) * 1000)
                page.goto(dashboard.url + shot.address)
                _settled(page)
                if (hints := page.locator("[data-action=hints-seen]")).count():
                    hints.click()
                shot.prepare(page)
                _settled(page)
                (folder / f"{name}.png").write_bytes(_packed(page.screenshot()))
                context.close()
            chromium.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
