"""A bucket's page in a real browser: history, live values, restarts, pausing, windows."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Dashboard, Tile, climate, expect_state, open_board

pytestmark = pytest.mark.browser


def test_who_comes_for_the_first_time_is_told_once_how_to_zoom_arrange_alert_and_share(
    shared_dashboard: Dashboard, page: Page, phone: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    for one, zoom in ((page, "drag across a chart"), (phone, "drag sideways over a chart")):
        open_board(one, shared_dashboard, bucket)
        hints = one.locator(".hints")
        expect(hints).to_contain_text(zoom)
        expect(hints.locator("strong")).to_have_text(["Zoom:", "Arrange:", "Alerts:", "Share:"])
        # what they speak of is there to be seen
        for action in ("arrange", "share"):
            expect(one.locator(f"[data-action={action}]")).to_be_in_viewport()
        expect(one.locator(".tile-alert").first).to_be_in_viewport()
        one.locator("[data-action=hints-seen]").click()
        expect(hints).to_have_count(0)
        one.reload()
        expect(one.locator(".tile").first).to_be_visible()
        expect(hints).to_have_count(0)


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

    page.route("**/js/pack-board-page.js", as_before_an_upgrade)
    with page.expect_event("load"):
        own_dashboard.restart()


def as_before_an_upgrade(route: Route) -> None:
    """The page's request for a script, as if the page were of an earlier version."""
    route.continue_(url=re.sub("/v-[^/]+/", "/v-0/", route.request.url))


def test_a_page_that_is_older_than_the_server_loads_itself_anew_when_it_lacks_a_part(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    open_board(page, shared_dashboard, bucket)
    old = re.compile(r"/static/v-[^/]+/js/share/dialog\.js")
    page.route(old, as_before_an_upgrade)

    with page.expect_event("load"):
        page.get_by_role("button", name="Share").click()
    page.unroute(old)

    expect(Tile(page, "kitchen.temperature").locator).to_have_attribute("data-points", "20")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("dialog")).to_be_visible()


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
    expect_state(page, "paused")
    shared_dashboard.push(bucket, [("kitchen.temperature", 25.5, time.time()), ("attic.humidity", 61, time.time())])
    expect(Tile(page, "attic.humidity").locator).to_be_visible()  # so the other value is here as well, and waits
    expect(tile.value).to_have_text("21.9")
    expect(tile.locator.locator(".tile-age")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    expect(tile.locator).to_have_attribute("data-points", "20")

    page.locator("[data-action=live]").click()
    expect(page.locator(".bar")).to_have_attribute("data-mode", "live")
    expect_state(page, "live")
    expect(tile.value).to_have_text("25.5")
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
    watched = open_board(page, shared_dashboard, bucket, f"#w=5m&from={now - 21:.1f}&to={now - 11:.1f}")

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


def clock(epoch: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(epoch))


def test_a_text_shows_when_it_was_first_said_whatever_the_window(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    said = [("idle", 3000), ("heat", 2000), ("heat", 240), ("heat", 120), ("heat", 10)]
    shared_dashboard.push(bucket, [("mode", text, now - ago) for text, ago in said])
    watched = open_board(page, shared_dashboard, bucket, "#w=5m")
    lines = Tile(page, "mode").locator.locator(".log li")

    expect(lines).to_have_text([f"{clock(now - 2000)}heat"])
    page.get_by_role("button", name="1 h").click()
    expect(lines).to_have_text([f"{clock(now - 2000)}heat", f"{clock(now - 3000)}idle"])
    page.goto(shared_dashboard.board(bucket, f"#w=5m&from={now - 200:.1f}&to={now - 150:.1f}"))
    expect(Tile(page, "mode").locator).to_have_attribute("data-loaded", "true")
    expect(lines).to_have_text([f"{clock(now - 2000)}heat"])
    watched.assert_clean()


def test_a_text_whose_beginning_is_not_known_was_said_before_the_window(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, [("mode", "heat", now - 2000), ("mode", "heat", now - 10)])
    open_board(page, shared_dashboard, bucket, "#w=5m")

    expect(Tile(page, "mode").locator.locator(".log li")).to_have_text(re.compile(r"^before \d\d:\d\d:\d\dheat$"))


def test_a_slow_stream_is_not_stale_in_a_short_window_and_opens_in_one_that_shows_it(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    slow = [("hall.temperature", 21 + n / 10, now - 660 - 600 * n) for n in range(12)]
    stopped = [("hall.humidity", 50, now - 7200 - 600 * n) for n in range(12)]
    burst = [("hall.pressure", 1000 + n, now - 200 + n / 40) for n in range(20)]
    shared_dashboard.push(bucket, [*slow, *stopped, *burst])
    open_board(page, shared_dashboard, bucket)

    expect(page.locator("[data-window='1h']")).to_have_attribute("aria-pressed", "true")
    for window in ("1 h", "5 min"):
        page.get_by_role("button", name=window).click()
        expect(Tile(page, "hall.temperature").locator).to_have_attribute("data-loaded", "true")
        expect(Tile(page, "hall.temperature").locator).to_have_attribute("data-state", "fresh")
        expect(Tile(page, "hall.pressure").locator).to_have_attribute("data-state", "fresh")
        expect(Tile(page, "hall.humidity").locator).to_have_attribute("data-state", "quiet")


def test_every_digit_of_a_meter_and_of_a_large_count_is_seen(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(
        bucket,
        [
            *(("home.energy", value, now - ago) for value, ago in ((12.345, 60), (12.35, 5))),
            ("home.latitude", 48.137154, now),
            *(("home.serial", value, now - ago) for value, ago in ((1795302310, 60), (1795302317, 5))),
        ],
    )
    page.set_viewport_size({"width": 900, "height": 900})
    open_board(page, shared_dashboard, bucket)

    expect(Tile(page, "home.energy").value).to_have_text("12.350")
    expect(Tile(page, "home.energy").locator.locator(".tile-extent")).to_have_text("12.345 \u2013 12.350")
    expect(Tile(page, "home.latitude").value).to_have_text("48.137154")
    serial = Tile(page, "home.serial")
    expect(serial.value).to_have_text("1,795,302,317")
    expect(serial.locator.locator(".tile-extent")).to_have_text("1,795,302,310 \u2013 1,795,302,317")
    for part in (".tile-number", ".tile-extent"):
        assert serial.locator.locator(part).evaluate("e => e.scrollWidth <= e.clientWidth + 1"), part


def test_a_zoom_into_the_past_shows_the_values_of_then(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, [*climate(now), ("mode", "idle", now - 30), ("mode", "heat", now - 4)])
    open_board(page, shared_dashboard, bucket, f"#w=5m&from={now - 21:.1f}&to={now - 11:.1f}")

    expect_state(page, "paused")
    expect(Tile(page, "kitchen.temperature").value).to_have_text("21.4")
    expect(Tile(page, "mode").value).to_have_text("idle")
    expect(Tile(page, "mode").locator.locator(".tile-age")).to_have_text(clock(now - 30))


def test_the_browsers_back_undoes_a_window_and_a_pause(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    page.goto(shared_dashboard.url)
    open_board(page, shared_dashboard, bucket)
    expect_state(page, "live")
    page.get_by_role("button", name="1 h").click()
    page.locator("[data-action=pause]").click()
    expect_state(page, "paused")

    page.go_back()
    expect_state(page, "live")
    expect(page.locator("[data-window='1h']")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator("[data-window='5m']")).to_have_attribute("aria-pressed", "true")
    page.go_forward()
    expect(page.locator("[data-window='1h']")).to_have_attribute("aria-pressed", "true")
    expect(Tile(page, "kitchen.temperature").locator).to_have_attribute("data-points", "20")


def test_a_slash_goes_to_the_search_that_says_when_it_finds_nothing(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, [(f"room-{n}.temperature", n, now) for n in range(15)])
    open_board(page, shared_dashboard, bucket)
    expect(page.locator(".tile")).to_have_count(15)

    page.keyboard.press("/")
    page.keyboard.type("room-14")
    expect(page.locator(".tile")).to_have_count(1)
    page.keyboard.type("x")

    expect(page.locator(".nothing")).to_have_text("No stream's name has “room-14x” in it.")


def test_the_badge_and_a_line_tell_of_a_bridge_in_trouble_and_of_rejected_messages(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, climate(now))
    status = {"now": now, "broker": {"state": "connected"}, "counts": {"rejected": 3}}
    page.clock.install()
    page.route("**/api/v1/status", lambda route: route.fulfill(json=status))
    open_board(page, shared_dashboard, bucket)
    expect_state(page, "live")

    status |= {"broker": {"state": "connecting", "detail": "refused"}, "counts": {"rejected": 15}}
    page.clock.run_for(11_000)

    expect(page.locator("[data-notice=bridge]")).to_contain_text("No connection to the broker (connecting: refused).")
    expect_state(page, "trouble")
    expect(page.locator(".badge")).to_have_text("No broker")
    expect(page.locator("[data-notice=rejected]")).to_contain_text("12 messages were rejected in the last minutes")
