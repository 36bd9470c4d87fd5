"""Arranging a board by mouse, keyboard and finger; saved by itself, undone, exported, read-only from the YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Dashboard, Finger, Tile, Watched, climate, expect_state, middle, open_board
from tests.support.configs import EMBEDDED
from tests.support.processes import BridgeProcess

pytestmark = pytest.mark.browser


def fill(dashboard: Dashboard, bucket: str, now: float) -> None:
    others = [("kitchen.humidity", 50, now), ("attic.temperature", 30, now), ("attic.window", True, now)]
    dashboard.push(bucket, [*climate(now), *others])


def arrange(page: Page, dashboard: Dashboard, bucket: str) -> Watched:
    watched = open_board(page, dashboard, bucket)
    page.locator("[data-action=arrange]").click()
    expect(page.locator(".cell")).to_have_count(4)
    return watched


def cell(page: Page, stream: str) -> Locator:
    return page.locator(".cell", has=page.locator(f'[data-stream="{stream}"]'))


def place(page: Page, stream: str) -> list[int]:
    """x, y, w, h."""
    return cell(page, stream).evaluate(
        "e => ['--x', '--y', '--w', '--h'].map((name, i) => Number(e.style.getPropertyValue(name)) - (i < 2 ? 1 : 0))"
    )


def order(page: Page) -> list[str]:
    """The streams as they are read, whatever the order of the elements is while a tile is held."""
    top = "(e) => { const box = e.getBoundingClientRect(); return [box.top, box.left]; }"
    found = page.locator(".cell .tile").evaluate_all(f"all => all.map((e) => [({top})(e), e.dataset.stream])")
    return [stream for _, stream in sorted(found)]


def expect_saved(page: Page) -> None:
    expect(page.locator(".save-state")).to_have_text("Saved")


def test_tiles_are_dragged_resized_by_keys_removed_undone_and_stay(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    fill(shared_dashboard, bucket, now)
    watched = arrange(page, shared_dashboard, bucket)
    assert order(page) == ["attic.temperature", "attic.window", "kitchen.humidity", "kitchen.temperature"]

    # dragged past its neighbour, which makes room
    box = cell(page, "attic.temperature").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 100 + box["width"] / 2, box["y"] + 100)
    page.mouse.move(box["x"] + 100 + box["width"] + 14, box["y"] + 100)
    page.mouse.up()
    assert place(page, "attic.temperature") == [3, 0, 3, 3]
    assert place(page, "attic.window") == [3, 3, 3, 3]

    # pulled at its corner
    x, y = middle(cell(page, "attic.temperature").locator(".cell-size"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 2, y + box["height"] / 3)
    page.mouse.move(x + box["width"] + 14, y + 80)
    page.mouse.up()
    assert place(page, "attic.temperature") == [3, 0, 6, 4]
    page.keyboard.press("Control+z")
    assert place(page, "attic.temperature") == [3, 0, 3, 3]

    # by keyboard, and what happened is said
    grip = cell(page, "kitchen.temperature").locator(".cell-grip")
    grip.focus()
    grip.press("Shift+ArrowDown")
    grip.press("Shift+ArrowLeft")
    assert place(page, "kitchen.temperature") == [9, 0, 2, 4]
    expect(page.locator("[aria-live=assertive]")).to_have_text("kitchen.temperature: column 10, row 1, 2 wide, 4 high")
    grip.press("ArrowRight")
    assert place(page, "kitchen.temperature") == [10, 0, 2, 4]
    expect(grip).to_be_focused()

    # removed, and brought back
    cell(page, "kitchen.humidity").locator("[data-action=remove]").click()
    expect(page.locator(".cell")).to_have_count(3)
    page.keyboard.press("Control+z")
    expect(page.locator(".cell")).to_have_count(4)
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(".cell")).to_have_count(3)
    expect_saved(page)

    # it stays, and a stream that is new comes at the end
    page.reload()
    expect(page.locator(".cell")).to_have_count(3)
    assert place(page, "kitchen.temperature") == [10, 0, 2, 4]
    expect_state(page, "live")
    shared_dashboard.push(bucket, [("garden.rain", 3, now)])
    expect(Tile(page, "garden.rain").value).to_have_text("3")
    assert place(page, "garden.rain")[1] >= 3

    # back to automatic
    page.locator("[data-action=arrange]").click()
    page.locator("[data-action=board]").click()
    page.locator("[data-action=automatic]").click()
    expect_saved(page)
    page.locator("[data-action=done]").click()
    expect(page.locator(".device h2")).to_have_text(["attic", "garden", "kitchen"])
    watched.assert_clean()


def test_a_tile_is_added_and_edited_and_shows_an_expression(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    fill(shared_dashboard, bucket, now)
    watched = arrange(page, shared_dashboard, bucket)

    page.locator("[data-action=add]").click()
    page.locator(".types [data-type=line]").click()
    expect(page.locator(".cell")).to_have_count(5)
    tile = page.locator(".cell[data-lifted=true] .tile")
    expect(tile.locator(".tile-problem")).to_have_text("No stream is chosen for this tile.")
    chooser = page.locator("input[name=stream]")
    chooser.fill("=[kitchen.temprature]*10")
    chooser.press("Enter")
    expect(tile.locator(".tile-problem")).to_contain_text("did you mean [kitchen.temperature]?")
    page.locator(".chosen-expression").click()
    expect(chooser).to_have_value("=[kitchen.temprature]*10")
    chooser.fill("=[kitchen.temperature]*10")
    chooser.press("Enter")
    expect(tile.locator(".tile-number")).to_have_text("219")
    page.locator("input[name=title]").fill("Tenfold")
    page.locator("input[name=unit]").fill("d°C")
    page.locator("[data-action=threshold]").click()
    page.locator(".threshold input").fill("200")
    expect(tile.locator("h3")).to_have_text("Tenfold")
    expect(tile.locator(".tile-unit")).to_have_text("d°C")
    expect(tile).to_have_attribute("data-level", "warning")
    shared_dashboard.push(bucket, [("kitchen.temperature", 30, now + 1)])
    expect(tile.locator(".tile-number")).to_have_text("300")

    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_have_count(0)
    expect_saved(page)
    page.reload()
    shown = Tile(page, "=[kitchen.temperature]*10")
    expect(shown.value).to_have_text("300")
    expect(shown.locator).to_have_attribute("data-points", "21")
    watched.assert_clean()


def test_what_somebody_saves_shows_in_every_tab_and_who_arranges_meanwhile_is_told_and_chooses(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    fill(shared_dashboard, bucket, now)
    arranging, reading = page.context.new_page(), page.context.new_page()
    for one in (page, arranging):
        arrange(one, shared_dashboard, bucket)
    watched = open_board(reading, shared_dashboard, bucket)
    expect(reading.locator(".badge")).to_have_attribute("data-state", "live")
    expect(arranging.locator(".badge")).to_have_attribute("data-state", "live")

    cell(page, "attic.window").locator("[data-action=remove]").click()
    expect_saved(page)
    expect(Tile(reading, "attic.window").locator).to_have_count(0)
    expect(reading.locator("[data-notice=arranged]")).to_be_visible()
    conflict = arranging.locator(".save-conflict")
    expect(conflict).to_contain_text(re.compile(r"saved this board at \d\d:\d\d:\d\d"))
    arranging.locator("[data-action=theirs]").click()
    expect(cell(arranging, "attic.window")).to_have_count(0)

    cell(page, "attic.temperature").locator("[data-action=remove]").click()
    expect(conflict).to_be_visible()
    cell(arranging, "kitchen.humidity").locator("[data-action=remove]").click()
    arranging.locator("[data-action=mine]").click()
    expect_saved(arranging)
    expect(page.locator(".save-conflict")).to_be_visible()

    # A board without a single chart is connected, too.
    address = f"{shared_dashboard.url}/api/v1/buckets/{bucket}/dashboard"
    table = {"id": "a", "type": "table", "streams": ["kitchen.temperature"], "x": 0, "y": 0, "w": 6, "h": 4}
    version = requests.get(address, timeout=10).json()["version"]
    body = {"auto": False, "tiles": [table]}
    saved = requests.put(address, json=body, headers={"If-Match": f'"{version}"'}, timeout=10)
    assert saved.status_code == 200, saved.text
    reading.reload()
    expect(reading.locator(".tile")).to_contain_text("21.9")
    shared_dashboard.push(bucket, [("kitchen.temperature", 44.5, now + 1)])
    expect(reading.locator(".tile")).to_contain_text("44.5")
    watched.assert_clean()


def test_a_board_is_exported_imported_given_a_picture_and_brought_back_to_an_earlier_version(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float, tmp_path: Path
) -> None:
    fill(shared_dashboard, bucket, now)
    watched = arrange(page, shared_dashboard, bucket)
    page.locator("[data-action=board]").click()
    with page.expect_download() as download:
        page.locator("[data-action=save-file]").click()
    file = tmp_path / "board.json"
    download.value.save_as(file)
    exported: dict[str, Any] = json.loads(file.read_text())
    assert len(exported["tiles"]) == 4

    file.write_text(json.dumps(exported | {"title": "Imported", "auto": False, "tiles": exported["tiles"][:2]}))
    page.set_input_files("input[name=import]", file)
    expect(page.locator(".cell")).to_have_count(2)
    expect(page.locator("h1")).to_have_text("Imported")
    expect_saved(page)
    file.write_text('{"tiles": [{"streams": 5}]}')
    page.set_input_files("input[name=import]", file)
    expect(page.locator(".panel-said")).to_have_text("board.json is not a dashboard.")
    expect(page.locator(".cell")).to_have_count(2)

    # a picture from this device goes behind the tiles, and stays there
    Image.new("RGB", (8, 8), "teal").save(tmp_path / "teal.png")
    page.set_input_files("input[name=picture]", tmp_path / "teal.png")
    expect(page.locator(".board-picture")).to_have_js_property("naturalWidth", 8)
    cell(page, "attic.window").locator("[data-action=remove]").click()
    expect(page.locator(".cell")).to_have_count(1)
    expect_saved(page)
    page.reload()
    expect(page.locator(".board-picture")).to_have_js_property("naturalWidth", 8)

    # an earlier version comes back: that which was imported
    page.locator("[data-action=arrange]").click()
    page.locator("[data-action=board]").click()
    page.locator("[data-action=versions]").click()
    page.locator("[data-version='1']").click()
    expect(page.locator(".cell")).to_have_count(2)
    expect(page.locator(".board-picture")).to_have_count(0)
    expect_saved(page)
    watched.assert_clean()


def test_on_a_phone_tiles_are_moved_by_buttons_and_by_a_finger_that_rests_on_them(
    shared_dashboard: Dashboard, phone: Page, bucket: str, now: float
) -> None:
    fill(shared_dashboard, bucket, now)
    watched = arrange(phone, shared_dashboard, bucket)

    cell(phone, "attic.window").get_by_role("button", name="Move attic.window down").tap()
    assert order(phone) == ["attic.temperature", "kitchen.humidity", "attic.window", "kitchen.temperature"]
    for button in phone.locator(".cell").first.locator("button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390

    expect(cell(phone, "attic.window").locator(".cell-grip")).to_be_focused()
    phone.evaluate("scrollTo(0, 0)")

    # held, and dragged past the middle of the next: it takes its place
    finger = Finger(phone)
    held = cell(phone, "attic.temperature")
    x, y = middle(held)
    finger.down(x, y)
    expect(held).to_have_attribute("data-dragged", "true")
    _, below = middle(cell(phone, "kitchen.humidity"))
    finger.along((x, y + 40), (x, below - 20), (x, below + 10))
    expect(phone.locator(".cell").nth(1)).to_have_css("order", "13")
    finger.up()
    expect(held).to_have_attribute("data-dragged", "false")
    assert order(phone) == ["kitchen.humidity", "attic.temperature", "attic.window", "kitchen.temperature"]
    assert phone.evaluate("scrollY") == 0

    # pulled at the bar at its foot: taller, and as wide as it was
    _, _, wide, high = place(phone, "kitchen.humidity")
    x, y = middle(cell(phone, "kitchen.humidity").locator(".cell-size"))
    finger.down(x, y)
    finger.along((x, y + 40), (x, y + 85))
    finger.up()
    expect(held).to_have_attribute("data-dragged", "false")
    assert place(phone, "kitchen.humidity")[2:] == [wide, high + 1]
    expect_saved(phone)

    # a finger that goes on at once scrolls the page
    finger.down(x, 500)
    finger.along((x, 460), (x, 400), (x, 300))
    finger.up()
    phone.wait_for_function("scrollY > 50")
    expect(phone.locator("[data-dragged=true]")).to_have_count(0)
    watched.assert_clean()


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Dashboard]:
    dashboard = Dashboard(tmp_path)
    tiles = [{"streams": ["kitchen.temperature"], "w": 6, "title": "As code"}]
    dashboard.process = BridgeProcess(
        tmp_path,
        {
            "mqtt": None,
            "destinations": {"dashboard": EMBEDDED},
            "dashboards": {"code-*": {"title": "From YAML", "auto": False, "tiles": tiles}},
        },
    )
    with dashboard.process:
        yield dashboard


def test_a_board_of_the_configuration_is_read_only_and_says_so(configured: Dashboard, page: Page, now: float) -> None:
    fill(configured, "code-1", now)
    watched = open_board(page, configured, "code-1")

    expect(page.locator("h1")).to_have_text("From YAML")
    expect(page.locator(".cell h3")).to_have_text(["As code"])
    expect(page.locator("[data-notice=config]")).to_have_text("Arranged in the configuration, and read-only here")
    expect(page.locator("[data-action=arrange]")).to_have_count(0)
    watched.assert_clean()
