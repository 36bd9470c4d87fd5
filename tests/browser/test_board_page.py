"""A bucket's page in a real browser: history, live values, restarts, pausing, windows."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard, Tile, climate, expect_state, open_board

pytestmark = pytest.mark.browser


def test_history_is_drawn_when_the_page_opens(shared_dashboard: Dashboard, page: Page, bucket: str, now: float) -> None:
    shared_dashboard.push(bucket, [*climate(now), ("kitchen.window", True, now - 30), ("kitchen.note", "dry", now - 9)])
    watched = open_board(page, shared_dashboard, bucket)

    temperature = Tile(page, "kitchen.temperature")
    expect(temperature.locator).to_have_attribute("data-points", "20")
    expect(temperature.locator).to_have_attribute("data-loaded", "true")
    expect(temperature.value).to_have_text("21.9")
    expect(temperature.locator.locator("canvas")).to_be_visible()
    expect(Tile(page, "kitchen.window").value).to_have_text("on")
    expect(Tile(page, "kitchen.note").value).to_have_text("dry")
    expect(Tile(page, "kitchen.note").locator.locator(".log li")).to_have_count(1)
    expect(page.locator(".device h2")).to_have_text("kitchen")
    expect_state(page, "live")
    watched.assert_clean()


def test_a_new_value_arrives_without_a_reload(shared_dashboard: Dashboard, page: Page, bucket: str, now: float) -> None:
    shared_dashboard.push(bucket, climate(now))
    watched = open_board(page, shared_dashboard, bucket)
    tile = Tile(page, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-points", "20")
    expect_state(page, "live")

    shared_dashboard.push(bucket, [("kitchen.temperature", 25.5, time.time())])

    expect(tile.value).to_have_text("25.5")
    expect(tile.locator).to_have_attribute("data-points", "21")
    watched.assert_clean()


def test_a_stream_that_is_new_gets_its_tile_by_itself(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    watched = open_board(page, shared_dashboard, bucket)
    expect_state(page, "live")

    shared_dashboard.push(bucket, [("attic.humidity", 61, time.time())])

    expect(Tile(page, "attic.humidity").value).to_have_text("61")
    expect(Tile(page, "attic.humidity").locator).to_have_attribute("data-points", "1")
    expect(page.locator(".device h2")).to_have_text(["attic", "kitchen"])
    watched.assert_clean()


def test_a_restarted_server_is_noticed_and_nothing_is_lost_or_doubled(
    own_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    own_dashboard.push(bucket, climate(now))
    watched = open_board(page, own_dashboard, bucket)
    tile = Tile(page, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-points", "20")
    expect_state(page, "live")

    own_dashboard.process.stop()
    expect_state(page, "reconnecting")
    expect(tile.locator).to_have_attribute("data-state", "stale")
    own_dashboard.process.start()
    own_dashboard.push(bucket, [("kitchen.temperature", 26.5, time.time())])

    expect(tile.value).to_have_text("26.5")
    expect_state(page, "live")
    expect(tile.locator).to_have_attribute("data-state", "fresh")
    own_dashboard.push(bucket, [("kitchen.temperature", 27.5, time.time())])
    expect(tile.value).to_have_text("27.5")
    expect(tile.locator).to_have_attribute("data-points", "22")
    watched.assert_clean()


def test_a_connection_that_broke_says_since_when_the_page_is_stale(
    own_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    own_dashboard.push(bucket, climate(now))
    page.clock.install()
    open_board(page, own_dashboard, bucket)
    expect_state(page, "live")

    own_dashboard.process.stop()
    expect_state(page, "reconnecting")
    page.clock.run_for(15_000)

    expect_state(page, "stale")
    expect(page.locator(".badge")).to_have_text(re.compile(r"Stale since \d\d:\d\d:\d\d"))
    expect(page.locator(".board")).to_have_attribute("data-stale", "true")


def test_a_paused_page_stands_still_and_has_kept_everything_when_it_goes_live(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    watched = open_board(page, shared_dashboard, bucket)
    tile = Tile(page, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-points", "20")
    expect_state(page, "live")

    page.locator("[data-action=pause]").click()
    expect(page.locator(".bar")).to_have_attribute("data-mode", "paused")
    shared_dashboard.push(bucket, [("kitchen.temperature", 25.5, time.time())])
    expect(tile.value).to_have_text("25.5")
    expect(tile.locator).to_have_attribute("data-points", "20")

    page.locator("[data-action=live]").click()
    expect(page.locator(".bar")).to_have_attribute("data-mode", "live")
    expect(tile.locator).to_have_attribute("data-points", "21")
    watched.assert_clean()


def test_a_longer_window_fetches_its_history_and_stands_in_the_address(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    # Of these, the window of five minutes has the last one only: the point that its line comes from.
    earlier = [("kitchen.temperature", 18.5, now - 1800 + i) for i in range(10)]
    shared_dashboard.push(bucket, [*earlier, *climate(now)])
    watched = open_board(page, shared_dashboard, bucket)
    tile = Tile(page, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-points", "21")

    page.get_by_role("button", name="1 h").click()

    expect(tile.locator).to_have_attribute("data-points", "30")
    expect(page).to_have_url(re.compile("#w=1h$"))
    page.reload()
    expect(tile.locator).to_have_attribute("data-points", "30")
    expect(page.locator("[data-window='1h']")).to_have_attribute("aria-pressed", "true")
    watched.assert_clean()


def test_dragging_over_a_chart_zooms_and_a_double_click_goes_back_to_live(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, [*climate(now), ("kitchen.window", True, now - 200)])
    watched = open_board(page, shared_dashboard, bucket)
    tile = Tile(page, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-points", "20")
    over = tile.locator.locator(".u-over")
    box = over.bounding_box()
    assert box is not None

    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.1, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, y)
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.up()

    expect(page.locator(".bar")).to_have_attribute("data-mode", "paused")
    expect(page).to_have_url(re.compile(r"#w=5m&from=\d+\.\d&to=\d+\.\d$"))
    expect(tile.locator).to_have_attribute("data-points", "0")
    expect(tile.locator).to_have_attribute("data-loaded", "true")
    over.dblclick()
    expect(page.locator(".bar")).to_have_attribute("data-mode", "live")
    expect(tile.locator).to_have_attribute("data-points", "20")
    watched.assert_clean()


def test_a_shared_address_shows_the_range_it_names(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    watched = open_board(page, shared_dashboard, bucket, f"#w=5m&from={now - 21:.1f}&to={now - 10:.1f}")

    tile = Tile(page, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-loaded", "true")
    expect(page.locator(".bar")).to_have_attribute("data-mode", "paused")
    assert 6 <= tile.points <= 7  # those in the range, and the one that the line comes from
    watched.assert_clean()


def test_the_keyboard_moves_along_a_chart_and_changes_the_window(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    watched = open_board(page, shared_dashboard, bucket)
    tile = Tile(page, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-points", "20")

    chart = tile.locator.locator(".chart")
    chart.focus()
    chart.press("ArrowLeft")
    expect(tile.locator.locator(".tile-extent")).to_contain_text("21.9 at ")
    chart.press("ArrowLeft")
    expect(tile.locator.locator(".tile-extent")).to_contain_text("21.8 at ")
    chart.press("3")
    expect(page.locator("[data-window='24h']")).to_have_attribute("aria-pressed", "true")
    watched.assert_clean()
