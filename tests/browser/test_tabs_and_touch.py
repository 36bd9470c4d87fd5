"""Where the page is looked at: hidden tabs, many tabs, a finger on a phone, a bridge without its broker."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Dashboard, Finger, Tile, climate, expect_state, hide, open_board
from tests.support.configs import EMBEDDED
from tests.support.processes import BridgeProcess, eventually, free_port
from tests.support.relay import Relay

pytestmark = pytest.mark.browser

HELD_FRAMES = 5


def test_seven_tabs_are_all_live(shared_dashboard: Dashboard, context: BrowserContext, bucket: str, now: float) -> None:
    """A browser gives a server six connections; hidden tabs make room."""
    shared_dashboard.push(bucket, climate(now))
    for _ in range(7):
        page = context.new_page()
        open_board(page, shared_dashboard, bucket)
        expect_state(page, "live")
        hide(page, True)


def test_a_hidden_tab_lets_go_of_its_connection_and_catches_up(
    own_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    own_dashboard.push(bucket, climate(now))
    page.clock.install()
    watched = open_board(page, own_dashboard, bucket)
    tile = Tile(page, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-points", "20")
    expect_state(page, "live")

    hide(page, True)
    page.clock.run_for(31_000)
    eventually(lambda: own_dashboard.process.metric("live_viewers") == 0, what="the connection closed")
    own_dashboard.push(bucket, [("kitchen.temperature", 25.5, time.time())])
    hide(page, False)

    expect_state(page, "live")
    expect(tile.value).to_have_text("25.5")
    expect(tile.locator).to_have_attribute("data-points", "21")
    watched.assert_clean()


def test_a_viewer_whose_network_stands_still_or_breaks_misses_nothing_and_holds_up_nobody(
    shared_dashboard: Dashboard, page: Page, context: BrowserContext, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    open_board(page, shared_dashboard, bucket)
    value = Tile(page, "kitchen.temperature").value
    with Relay(urlsplit(shared_dashboard.url).port or 0) as network:
        far = context.new_page()
        far.goto(shared_dashboard.board(bucket).replace(shared_dashboard.url, f"http://127.0.0.1:{network.port}"))
        tile = Tile(far, "kitchen.temperature")
        expect_state(far, "live")
        expect(tile.locator).to_have_attribute("data-points", "20")
        expect_state(page, "live")

        # the bridge waits for no reader: it goes on with the others
        network.hold()
        for i in range(HELD_FRAMES):
            shared_dashboard.push(bucket, [("kitchen.temperature", 30.5 + i, now - 1 + i / 100)])
            expect(value).to_have_text(str(30.5 + i))
        network.flow()
        expect(tile.value).to_have_text(str(29.5 + HELD_FRAMES))
        expect(tile.locator).to_have_attribute("data-points", str(20 + HELD_FRAMES))

        network.break_()
        expect_state(far, "reconnecting")
        shared_dashboard.push(bucket, [("kitchen.temperature", 99.5, now)])
        expect(value).to_have_text("99.5")
        network.mend()
        expect_state(far, "live")
        expect(tile.value).to_have_text("99.5")
        expect(tile.locator).to_have_attribute("data-points", str(21 + HELD_FRAMES))


def test_a_finger_zooms_sideways_and_a_double_tap_goes_back_to_live(
    shared_dashboard: Dashboard, phone: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    open_board(phone, shared_dashboard, bucket)
    tile = Tile(phone, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-points", "20")
    over = tile.locator.locator(".u-over")
    box = over.bounding_box()
    assert box is not None

    finger = Finger(phone)
    y = box["y"] + box["height"] / 2
    begin, *across = [(box["x"] + box["width"] * share, y) for share in (0.1, 0.2, 0.3, 0.5)]
    finger.down(*begin)
    finger.along(*across)
    finger.up()

    expect(phone.locator(".bar")).to_have_attribute("data-mode", "paused")
    over.tap()
    over.tap()
    expect(phone.locator(".bar")).to_have_attribute("data-mode", "live")


def test_a_bridge_that_cannot_reach_its_broker_says_so_on_the_page(tmp_path: Path, page: Page) -> None:
    nowhere = {"url": f"mqtt://127.0.0.1:{free_port()}"}
    bridge = BridgeProcess(tmp_path, {"mqtt": nowhere, "destinations": {"dashboard": EMBEDDED}})
    try:
        bridge.spawn()
        eventually(lambda: bridge.readiness()[0], what="the page is served")
        page.goto(bridge.url)
        expect(page.locator("[data-notice=bridge]")).to_contain_text("No connection to the broker")
    finally:
        bridge.kill()
