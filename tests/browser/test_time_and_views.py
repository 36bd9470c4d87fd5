"""Time, Waves, Source and the download in a real browser, as a person uses them."""

from __future__ import annotations

import csv
import io
import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard, Tile, climate, expect_state, open_board
from tests.support.processes import eventually

pytestmark = pytest.mark.browser


def span_of(page: Page) -> tuple[float, float]:
    found = re.search(r"from=([\d.]+)&to=([\d.]+)", page.evaluate("location.hash"))
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)


def expect_span(page: Page, first: float, last: float, within: float = 2) -> None:
    """Once the hand rests: a slow one is followed on the way, too."""
    wanted = pytest.approx((first, last), abs=within)
    eventually(lambda: span_of(page) == wanted, what=f"the range {first:.1f} to {last:.1f}")


def middle_of(page: Page, selector: str) -> tuple[float, float, float]:
    """Left edge, middle height and width of a chart's plotting area."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"], box["y"] + box["height"] / 2, box["width"]


def open_view(page: Page, dashboard: Dashboard, bucket: str, view: str, hash_: str = "") -> Any:
    watched = open_board(page, dashboard, bucket, f"/{view}{hash_}")
    expect(page.locator(f"[data-view={view}]")).to_have_attribute("data-loaded", "true")
    return watched


def test_a_range_is_written_chosen_and_compared_by_the_clock_one_likes(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(
        bucket, [("kitchen.temperature", 20 + n % 5, now - 86400 * 1.2 + n * 600) for n in range(172)]
    )
    watched = open_board(page, shared_dashboard, bucket, "#from=-6h")
    tile = Tile(page, "kitchen.temperature")
    expect_state(page, "live")
    expect(page.locator("[data-window='6h']")).to_have_attribute("aria-pressed", "true")
    expect(tile.locator).to_have_attribute("data-loaded", "true")
    assert 35 <= tile.points <= 38

    page.goto(shared_dashboard.board(bucket, "#from=-4h&to=-1h"))
    expect_state(page, "paused")
    expect(page).to_have_url(re.compile("from=-4h&to=-1h$"))
    page.locator("[data-action=range]").click()
    dialog = page.locator("[data-dialog=range]")
    expect(dialog.locator("[name=from]")).to_have_value("-4h")
    dialog.locator("[name=from]").fill("yesterday-ish")
    dialog.locator("[data-action=show]").click()
    expect(dialog.get_by_role("alert")).to_have_text("“yesterday-ish” is not a time.")
    dialog.locator("select").select_option("utc")
    dialog.locator("[name=from]").fill(time.strftime("%Y-%m-%d %H:%M", time.gmtime(now - 7200)))
    dialog.locator("[name=to]").fill(time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(now - 3600)))
    dialog.locator("[data-action=show]").click()
    expect(dialog).to_have_count(0)
    expect(page).to_have_url(re.compile(r"to=\d"))
    first, last = span_of(page)
    assert (first, last) == (int((now - 7200) // 60) * 60, int((now - 3600) // 60) * 60)

    page.locator("[data-action=range]").click()
    dialog.locator("[data-move=out]").click()
    expect(page).not_to_have_url(re.compile(f"from={first:.1f}"))
    assert span_of(page) == (first - 1800, last + 1800)
    with page.expect_request(lambda request: f"after={first - 1800 - 86400:.0f}&" in request.url):
        dialog.locator("[data-compare='1d']").click()
    expect(page).to_have_url(re.compile("compare=1d$"))
    shown = page.locator("[data-notice=held]").inner_text()
    dialog.locator("select").select_option("other")
    dialog.locator("input[list]").fill("Asia/Tokyo")
    dialog.locator("input[list]").press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator("[data-notice=held]")).not_to_have_text(shown)
    expect(page.locator("[data-notice=held]")).to_contain_text(
        time.strftime("%H:%M", time.gmtime(first - 1800 + 9 * 3600))
    )
    page.reload()
    expect(page.locator("[data-notice=held]")).to_contain_text(
        time.strftime("%H:%M", time.gmtime(first - 1800 + 9 * 3600))
    )
    watched.assert_clean()


def test_a_hand_moves_the_range_and_two_cursors_tell_what_lies_between(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, [*climate(now, 200), ("kitchen.window", True, now - 200)])
    watched = open_board(page, shared_dashboard, bucket, f"#w=5m&from={now - 300:.1f}&to={now - 100:.1f}")
    tile = Tile(page, "kitchen.temperature")
    expect(tile.locator).to_have_attribute("data-loaded", "true")
    left, y, width = middle_of(page, ".tile[data-stream='kitchen.temperature'] .u-over")

    page.mouse.move(left + width / 2, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    expect_span(page, now - 200 - 49, now - 200 + 49)
    first, last = span_of(page)

    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(left + width * 0.75, y, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect_span(page, first - (last - first) / 4, last - (last - first) / 4)
    expect(tile.locator).to_have_attribute("data-loaded", "true")

    page.goto(shared_dashboard.board(bucket, f"#w=5m&from={now - 300:.1f}&to={now - 100:.1f}"))
    expect(tile.locator).to_have_attribute("data-points", re.compile(r"^10\d$"))  # so it is drawn as well
    page.keyboard.press("m")
    panel = page.locator("[data-panel=measure]")
    expect(panel).to_contain_text("Click a chart where the measurement begins.")
    page.mouse.click(left + width * 0.25, y)
    page.mouse.click(left + width * 0.75, y)
    row = panel.locator("tr[data-stream='kitchen.temperature'] td")
    expect(row.first).to_have_text(re.compile("^(49|50|51)$"))
    expect(panel.locator(".measure-length")).to_have_text(re.compile(r"1 min (39|40|41) s"))
    figures = row.all_inner_texts()
    page.reload()
    expect(row.first).to_have_text(figures[0])
    page.locator("[data-action=measure-end]").click()
    expect(page).not_to_have_url(re.compile("marks"))
    watched.assert_clean()


def test_waves_stand_on_one_axis_under_one_crosshair(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    told = [("kitchen.window", n % 2 == 0, now - 280 + 40 * n) for n in range(7)]
    told += [("kitchen.mode", ("heat", "idle")[n % 2], now - 290 + 60 * n) for n in range(5)]
    shared_dashboard.push(bucket, [*climate(now, 150), *told])
    watched = open_board(page, shared_dashboard, bucket, f"#w=5m&from={now - 300:.1f}&to={now:.1f}")
    page.locator("[data-tab=waves]").click()
    expect(page).to_have_url(re.compile(f"/waves#w=5m&from={now - 300:.1f}"))
    waves = page.locator(".wave")
    expect(waves).to_have_count(3)
    for n in range(3):
        expect(waves.nth(n)).to_have_attribute("data-loaded", "true")
    values = page.locator(".wave-value")
    expect(values).to_have_text(["heat", "34.9", "on"])

    edges = page.locator(".wave .u-over").evaluate_all(
        "all => all.map((e) => Math.round(e.getBoundingClientRect().left))"
    )
    assert len(set(edges)) == 1
    left, y, width = middle_of(page, ".wave[data-stream='kitchen.temperature'] .u-over")
    page.mouse.move(left + width * 0.5, y)
    expect(values.nth(0)).to_have_attribute("data-cursor", "true")
    expect(values.nth(1)).to_have_text(re.compile(r"^27\.[345]$"))
    expect(page.locator(".waves-time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))

    chart = page.locator(".wave[data-stream='kitchen.temperature'] .chart")
    chart.focus()
    chart.press("a")
    for _ in range(2):
        chart.press("PageDown")
    chart.press("b")
    figures = page.locator(".wave[data-stream='kitchen.temperature'] .wave-figures")
    expect(figures).to_have_text(re.compile(r"^mean 29\.\d+ · 27\.\d \u2013 31\.\d · (39|40|41) values$"))
    expect(page.locator(".wave[data-stream='kitchen.window'] .wave-figures")).to_contain_text("% on")

    page.locator(".wave-row", has=page.locator("[data-stream='kitchen.window']")).hover()
    page.get_by_role("button", name="Move kitchen.window up").click()
    page.locator("[data-height=l]").click()
    page.reload()
    expect(page.locator(".wave h2")).to_have_text(["kitchen.mode", "kitchen.window", "kitchen.temperature"])
    expect(page.locator(".waves-l")).to_have_count(1)
    watched.assert_clean()


def test_the_source_is_every_row_filtered_live_and_as_a_file(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    for part in range(3):
        rows = [("a.count", n, now - 3000 + n / 4) for n in range(part * 3000, part * 3000 + 3000)]
        shared_dashboard.push(bucket, rows)
    shared_dashboard.push(bucket, [("b.note", "=cmd", now - 100), ("b.note", "Rain", now - 50)])
    watched = open_view(page, shared_dashboard, bucket, "source", "#w=1h")
    rows = page.locator(".source-body .source-row")
    table = page.locator(".source-table")
    expect(rows.first).to_contain_text("Rain")
    assert rows.count() < 100

    scroll = page.locator(".source-scroll")
    scroll.focus()
    for fetched in ("2200", "4200", "6200", "8200"):
        expect(table).to_have_attribute("data-rows", fetched)
        scroll.evaluate("e => { e.scrollTop = e.scrollHeight; }")
    expect(table).to_have_attribute("aria-rowcount", "9003")
    scroll.evaluate("e => { e.scrollTop = e.scrollHeight; }")
    expect(page.locator("[aria-rowindex='9003']")).to_contain_text("a.count")
    assert rows.count() < 100

    shared_dashboard.push(bucket, [("b.note", "Sun", time.time())])
    page.get_by_role("button", name="↑ 1 new row").click()
    expect(page.locator("[aria-rowindex='2']")).to_contain_text("Sun")
    page.locator("[data-action=pause]").click()
    expect_state(page, "paused")
    shared_dashboard.push(bucket, [("b.note", "Fog", time.time())])
    page.locator("[data-action=live]").click()
    expect(page.locator("[aria-rowindex='2']")).to_contain_text("Fog")

    page.locator("[name=least]").fill("8990")
    expect(table).to_have_attribute("data-rows", "10")
    page.locator("[data-action=clear-filter]").click()
    page.locator("[name=text]").fill("rain")
    expect(table).to_have_attribute("data-rows", "1")
    page.locator("[data-action=clear-filter]").click()
    page.locator(".picker summary").click()
    page.locator("[name=stream][value='b.note']").check()
    expect(table).to_have_attribute("data-rows", "4")
    page.locator("[name=text]").fill("&o#g")
    expect(table).to_have_attribute("data-rows", "0")
    page.locator("[name=text]").fill("fog")
    expect(table).to_have_attribute("data-rows", "1")
    page.reload()
    expect(page.locator("[name=text]")).to_have_value("fog")
    expect(page.locator(".picker summary")).to_have_text("1 stream")
    expect(table).to_have_attribute("data-rows", "1")
    assert page.url.endswith("/source?stream=b.note&text=fog#w=1h")
    page.locator("[name=text]").fill("")
    expect(table).to_have_attribute("data-rows", "4")

    page.locator("[data-action=more]").click()
    page.locator("[data-action=export]").click()
    with page.expect_download() as download:
        page.locator("[data-action=download]").click()
    expect(page.locator(".export-foot")).to_contain_text("is complete")
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert [row[2] for row in csv.reader(io.StringIO(saved))] == ["value", "'=cmd", "Rain", "Sun", "Fog"]
    assert download.value.suggested_filename.endswith(".csv")
    page.route("**/export?*", lambda route: route.abort())
    page.locator("[data-action=download]").click()
    expect(page.locator("[data-dialog=export]").get_by_role("alert")).to_contain_text("nothing was saved")
    watched.assert_clean()


def test_on_a_phone_two_fingers_zoom_and_every_view_fits(
    shared_dashboard: Dashboard, phone: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, [*climate(now, 140), ("kitchen.mode", "heat", now - 100)])
    watched = open_board(phone, shared_dashboard, bucket, f"#w=5m&from={now - 280:.1f}&to={now:.1f}")
    expect(Tile(phone, "kitchen.temperature").locator).to_have_attribute("data-loaded", "true")
    Tile(phone, "kitchen.temperature").locator.scroll_into_view_if_needed()
    left, y, width = middle_of(phone, ".tile[data-stream='kitchen.temperature'] .u-over")
    touch = phone.context.new_cdp_session(phone)

    def fingers(kind: str, *places: float) -> None:
        points = [{"x": left + width * place, "y": y, "id": n} for n, place in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 0.4)
    fingers("touchStart", 0.4, 0.6)
    for step in range(1, 5):
        fingers("touchMove", 0.4 - step * 0.05, 0.6 + step * 0.05)
    fingers("touchEnd")
    expect_span(phone, now - 140 - 280 / 6, now - 140 + 280 / 6, within=8)
    first, last = span_of(phone)

    for view in ("waves", "source"):
        phone.locator(f"[data-tab={view}]").tap()
        expect(phone.locator(f"[data-view={view}]")).to_have_attribute("data-loaded", "true")
        assert span_of(phone) == (first, last)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        phone.locator("[data-action=range]").tap()
        expect(phone.locator("[data-dialog=range]")).to_be_in_viewport(ratio=0.9)
        small = phone.locator("button:visible, .tabs a").evaluate_all(
            "all => all.map((e) => e.getBoundingClientRect()).filter(({height}) => height < 36).length"
        )
        assert small == 0
        phone.locator("[data-dialog=range] .dialog-head button").tap()
    watched.assert_clean()
