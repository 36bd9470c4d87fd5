"""The page for those who do not see it, have no mouse, want nothing to move, or read German."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from mqttbridge import Stream
from mqttbridge.dashboard.plotly.tokens import TokenFile
from tests.browser import showcase
from tests.browser.axe import faults
from tests.browser.conftest import PATIENCE_MS, Dashboard, Watched, expect_state
from tests.support.configs import EMBEDDED
from tests.support.processes import free_port

pytestmark = pytest.mark.browser

BOARD = f"/b/{showcase.BUCKET}#w=24h"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    dashboard = Dashboard(tmp_path_factory.mktemp("house"))
    port = free_port()
    dashboard.process.configure(
        {
            "mqtt": None,
            "destinations": {"dashboard": EMBEDDED},
            "alerts": {"rules": showcase.RULES},
            "plotly": {"listen": f"127.0.0.1:{port}"},
        }
    )
    token = TokenFile(dashboard.process.data_dir).add("waves", "sine", 100, "lines+markers")
    with dashboard.process:
        stream = Stream(token, url=f"http://127.0.0.1:{port}")
        stream.open()
        for x in range(20):
            stream.write({"x": x, "y": x * x % 7})
        showcase.furnish(dashboard, time.time())
        yield dashboard
        stream.close()


def every_tile(page: Page) -> None:
    """Scroll through the board, so that each tile was drawn once."""
    for cell in page.locator(".cell").all():
        cell.scroll_into_view_if_needed()
        expect(cell.locator(".tile-body > *").first).to_be_attached()


def arranging(page: Page) -> None:
    page.locator("[data-action=arrange]").click()
    page.locator("[data-action=edit]").first.click()
    expect(page.get_by_role("dialog", name="Living room")).to_be_visible()


def menu(page: Page) -> None:
    page.locator("[data-action=more]").click()
    expect(page.locator("[data-action=export]")).to_be_visible()


def dialog(action: str) -> Callable[[Page], None]:
    def opened(page: Page) -> None:
        page.locator(f"[data-action={action}]").click()
        expect(page.locator("dialog[open]")).to_be_visible()

    return opened


def as_a_table(page: Page) -> None:
    page.locator("dialog[open] [data-action=close], dialog[open] .dialog-head button").first.click()
    page.locator(".tile .chart[role=img], .tile [role=img]").first.press("t")
    expect(page.get_by_role("dialog", name="as a table")).to_be_visible()


def measuring(page: Page) -> None:
    expect_state(page, "live")
    page.keyboard.press("m")
    expect(page.locator(".measure")).to_be_visible()


def new_alert(page: Page) -> None:
    page.locator("[data-action=new]").first.click()
    expect(page.locator(".alert-form")).to_be_visible()


def shown(selector: str) -> Callable[[Page], None]:
    return lambda page: expect(page.locator(selector).first).to_be_visible()


VIEWS: dict[str, tuple[str, list[Callable[[Page], None]]]] = {
    "shelf": ("/", [shown(".card")]),
    "board": (BOARD, [every_tile, arranging]),
    "dialogs": (BOARD, [measuring, dialog("range"), as_a_table]),
    "waves": (f"/b/{showcase.BUCKET}/waves#w=24h", [shown(".wave[data-loaded=true]")]),
    "source": (f"/b/{showcase.BUCKET}/source#w=24h", [shown("[role=row], tr"), menu, dialog("export")]),
    "alerts": ("/alerts", [shown(".alert-card"), new_alert]),
    "bridge": ("/bridge", [shown("main h2")]),
    "settings": ("/settings", [shown(".settings section")]),
    "login": ("/login", [shown("h1")]),
    "figure": ("/f/waves", [shown("[data-trace=sine]")]),
    "empty": ("/b/nothing-here", [shown("[data-view=welcome]")]),
}


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_grave(page: Page, house: Dashboard, view: str) -> None:
    address, steps = VIEWS[view]
    watched = Watched(house.url)
    watched.watch(page)
    # What fades is measured when it has faded.
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(house.url + address)
    for step in steps:
        step(page)
        assert faults(page) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert faults(page, "color-contrast") == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert faults(page) == []
    assert watched.errors == []


def test_a_chart_is_read_by_keys_and_as_a_table(page: Page, house: Dashboard) -> None:
    page.goto(house.url + BOARD)
    tile = page.locator(".tile", has=page.get_by_role("heading", name="Outside", exact=True))
    expect(tile).to_have_attribute("data-loaded", "true")
    chart = tile.get_by_role("img")
    expect(chart).to_have_attribute("aria-label", re.compile("outside.temperature, .* °C, .* to "))

    # what the cursor is on is said once it stands still
    chart.focus()
    for _ in range(3):
        chart.press("ArrowLeft")
    said = page.locator("[data-said]")
    expect(said).to_have_text(re.compile(r"\d at\s.*\d\d:\d\d:\d\d"))
    assert chart.evaluate("e => getComputedStyle(e).outlineStyle") != "none"

    chart.press("t")
    table = page.get_by_role("dialog", name="Outside: as a table")
    expect(table.locator("tbody tr")).to_have_count(25)
    newest = table.locator("tbody tr").first.text_content()
    expect(table.get_by_role("status")).to_have_text(re.compile(r"^1 . 25 of \d\d"))
    table.get_by_role("button", name="Older").click()
    expect(table.get_by_role("status")).to_have_text(re.compile(r"^26 . 50 of "))
    assert table.locator("tbody tr").first.text_content() != newest

    # the focus stays inside, and goes back to where it was
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))"
        )
    page.keyboard.press("Escape")
    expect(table).to_have_count(0)
    expect(chart).to_be_focused()


def test_nothing_moves_for_those_who_ask_for_it(page: Page, house: Dashboard) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(house.url + BOARD)
    expect_state(page, "live")
    every_tile(page)
    assert page.evaluate("document.getAnimations().length") == 0


def test_a_german_browser_is_spoken_to_in_german_and_no_other_fetches_it(
    browser: Browser, page: Page, house: Dashboard
) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(house.url + BOARD)
    expect(page.locator(".badge")).to_have_text("Live")
    assert not any("/texts/de.js" in url for url in fetched)

    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="de-DE", timezone_id="Europe/Berlin")
    context.set_default_timeout(PATIENCE_MS)
    german = context.new_page()
    german.goto(house.url + BOARD)
    expect(german.locator("html")).to_have_attribute("lang", "de")
    expect(german.get_by_role("button", name="Anhalten")).to_be_visible()
    expect(german.locator(".summary [role=status]")).to_contain_text("14 Datenreihen von")
    number = german.locator(".tile", has=german.get_by_role("heading", name="Rain tank"))
    number.scroll_into_view_if_needed()
    expect(number).to_contain_text(re.compile(r"\d\d,\d"))

    # whoever wants English chooses it, and it stays
    german.goto(f"{house.url}/settings")
    german.get_by_label("Sprache").select_option("en")
    expect(german.get_by_label("Language")).to_have_value("en")
    german.goto(house.url + BOARD)
    expect(german.get_by_role("button", name="Pause")).to_be_visible()
    context.close()
