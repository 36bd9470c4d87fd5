"""Every kind of tile as a person meets it: on a board that somebody arranged, in the menu, and made by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Dashboard, Tile, Watched, expect_state, open_board
from tests.support.configs import EMBEDDED, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually
from tests.support.publishing import Watcher

pytestmark = [pytest.mark.browser, pytest.mark.broker]

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
KINDS = [
    "line", "state", "log", "number", "gauge", "thermostat", "liquid", "bar", "histogram", "timeline", "table", "map",
    "image", "note", "button", "switch", "slider", "field",
]  # fmt: skip


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[Dashboard]:
    """A bridge with a broker to publish to."""
    dashboard = Dashboard(tmp_path_factory.mktemp("home"))
    config = {"mqtt": mqtt(broker.url()), "destinations": {"dashboard": EMBEDDED}}
    dashboard.process.configure({**config, "http": {"publish_topics": ["home/+/set"]}})
    with dashboard.process:
        yield dashboard


def fill(dashboard: Dashboard, bucket: str, now: float) -> None:
    steps = [(i, now - 100 + 5 * i) for i in range(20)]
    dashboard.push(
        bucket,
        [event for i, at in steps for event in [
            ("room.temperature", 20 + i / 10, at), ("room.wanted", 21.5, at), ("room.humidity", 40 + i % 5, at),
            ("room.battery", 80 - i, at), ("room.window", i % 4 < 2, at), ("room.mode", "auto" if i < 9 else "eco", at),
            ("van.lat", 52.5 + i / 500, at), ("van.lon", 13.4 + i / 400, at), ("cam.picture", PIXEL, at),
        ]],
    )  # fmt: skip


def tile(kind: str, streams: list[str], x: int, y: int, **settings: Any) -> dict[str, Any]:
    size = {"w": 3, "h": 3}
    return {"id": kind, "type": kind, "title": "", "streams": streams, "x": x, "y": y, **size, **settings}


def every_kind() -> dict[str, Any]:
    tiles = [
        tile("line", ["room.temperature", "room.wanted"], 0, 0, thresholds=[{"at": 21.8, "level": "warning"}]),
        tile("state", ["room.window"], 3, 0),
        tile("log", ["room.mode"], 6, 0),
        tile("number", ["room.humidity"], 9, 0, unit="% rH"),
        tile("gauge", ["room.temperature"], 0, 3, min=0, max=50),
        tile("thermostat", ["room.temperature", "room.wanted"], 3, 3),
        tile("liquid", ["room.battery"], 6, 3),
        tile("bar", ["room.humidity"], 9, 3, options={"of": "greatest"}),
        tile("histogram", ["room.temperature"], 0, 6),
        tile("timeline", ["room.window", "room.mode"], 3, 6),
        tile("table", ["room.temperature", "room.mode", "room.window"], 6, 6),
        tile("map", ["van.lat", "van.lon"], 9, 6),
        tile("image", ["cam.picture"], 0, 9),
        tile("note", [], 3, 9, options={"text": "# Rounds\n\n- *look* at <b>it</b>"}),
        tile("button", ["bell.ring"], 6, 9, title="Bell", options={"label": "Ring", "value": "7"}),
        tile("switch", ["lamp.on"], 9, 9, title="Lamp", options={"topic": "home/lamp/set", "retain": True}),
        tile("slider", ["blind.at"], 0, 12, title="Blind", min=0, max=100, options={"step": 5}),
        tile("field", ["sign.text"], 3, 12, title="Sign", options={"topic": "home/sign/forbidden"}),
    ]
    return {"title": "", "auto": False, "columns": 12, "background": None, "hidden": [], "tiles": tiles}


def save(dashboard: Dashboard, bucket: str, document: dict[str, Any]) -> None:
    eventually(lambda: "cam.picture" in dashboard.process.last_values(bucket), what="stored")
    with requests.Session() as session:
        session.trust_env = False
        answer = session.put(
            f"{dashboard.url}/api/v1/buckets/{bucket}/dashboard",
            data=json.dumps(document),
            headers={"If-Match": '"0"', "Content-Type": "application/json"},
            timeout=10,
        )
    assert answer.status_code == 200, answer.text


def shown(page: Page, kind: str) -> Locator:
    found = page.locator(f'.tile[data-tile="{kind}"]')
    found.scroll_into_view_if_needed()
    return found


def look_at_every_kind(page: Page) -> None:
    """What each says, by its texts and roles."""
    expect(shown(page, "line").locator(".legend li")).to_have_count(2)
    expect(shown(page, "line").locator("canvas")).to_be_visible()
    expect(shown(page, "line")).to_have_attribute("data-level", "warning")
    expect(shown(page, "state").locator(".tile-number")).to_have_text("off")
    expect(shown(page, "state").locator(".tile-extent")).to_have_text(re.compile(r"on \d+ %"))
    expect(shown(page, "log").locator(".log li")).to_have_count(2)
    expect(shown(page, "number").locator(".big-value")).to_have_text("44% rH")
    expect(shown(page, "gauge").get_by_role("img")).to_have_attribute("aria-label", re.compile(r"21\.9"))
    expect(shown(page, "thermostat").locator(".gauge-number")).to_have_text("21.9")
    expect(shown(page, "liquid").locator(".gauge-number")).to_have_text("61")
    expect(shown(page, "bar").locator('.bars-one[title*=": 44"]').first).to_be_visible()
    expect(shown(page, "histogram").locator(".histogram-bin").first).to_be_visible()
    expect(shown(page, "timeline").locator(".timeline-names span")).to_have_text(["window", "mode"])
    expect(shown(page, "table").locator(".tile-cell")).to_have_text(["21.9", "eco", "off"])
    expect(shown(page, "map").locator(".map-words")).to_contain_text("52.538")
    expect(shown(page, "image").locator("img")).to_have_js_property("naturalWidth", 1)
    expect(shown(page, "note").locator("h4")).to_have_text("Rounds")
    expect(shown(page, "note").locator("li")).to_have_text("look at <b>it</b>")
    expect(shown(page, "button").get_by_role("button", name="Ring")).to_be_visible()
    expect(shown(page, "switch").get_by_role("switch", name="Lamp")).to_have_attribute("aria-checked", "false")
    expect(shown(page, "slider").get_by_role("slider", name="Blind")).to_have_attribute("step", "5")
    expect(shown(page, "field").get_by_role("textbox", name="Sign")).to_be_visible()
    assert page.locator(".tile").evaluate_all("all => all.filter((e) => e.querySelector('.tile-problem')).length") <= 1


def test_every_kind_shows_its_values_and_controls_say_theirs_to_a_stream_and_a_topic(
    home: Dashboard, broker: Mosquitto, page: Page, now: float
) -> None:
    fill(home, "kinds", now)
    save(home, "kinds", every_kind())
    watched = open_board(page, home, "kinds")
    expect(page.locator(".tile")).to_have_count(len(KINDS))
    look_at_every_kind(page)

    with Watcher(broker.port(), "home/#") as watcher:
        shown(page, "button").get_by_role("button", name="Ring").click()
        expect(shown(page, "button").locator(".control-note")).to_have_text("7")
        switch = shown(page, "switch").get_by_role("switch")
        switch.click()
        expect(switch).to_have_attribute("aria-checked", "true")
        slider = shown(page, "slider").get_by_role("slider")
        slider.focus()
        slider.press("End")
        slider.press("ArrowLeft")
        expect(shown(page, "slider").locator("output")).to_have_text("95")
        eventually(
            lambda: (
                home.process.last_values("kinds").items() >= {"bell.ring": 7, "lamp.on": True, "blind.at": 95}.items()
            ),
            what="said to the streams",
        )
        eventually(lambda: watcher.seen == [("home/lamp/set", b"true")], what="published")
    watched.assert_clean()

    # One that may not publish there says so, and nothing is stored.
    shown(page, "field").get_by_role("textbox").fill("closed")
    shown(page, "field").get_by_role("button", name="Send").click()
    expect(shown(page, "field").locator(".control-note")).to_contain_text("http.publish_topics")
    assert "sign.text" not in home.process.last_values("kinds")


def test_every_kind_looks_right_on_a_phone(home: Dashboard, phone: Page, now: float) -> None:
    fill(home, "phone", now)
    save(home, "phone", every_kind())
    watched = open_board(phone, home, "phone")
    look_at_every_kind(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for control in phone.locator(".control :is(button, input)").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 40
    watched.assert_clean()


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desktop", "phone"])
def test_every_kind_is_added_from_the_menu_and_its_options_work(
    home: Dashboard, browser: Browser, bucket: str, now: float, size: tuple[int, int]
) -> None:
    bucket = f"menu-{size[0]}"
    fill(home, bucket, now)
    save(home, bucket, {**every_kind(), "tiles": []})
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", has_touch=width < 640)
    page = context.new_page()
    watched = Watched(home.url)
    watched.watch(page)
    page.goto(home.board(bucket))
    page.locator("[data-action=arrange]").click()
    tiles = page.locator(".cell .tile")
    for count, kind in enumerate(KINDS, 1):
        page.locator("[data-action=add]").click()
        page.locator(f".types [data-type={kind}]").click()
        expect(tiles).to_have_count(count)
        expect(page.locator(".panel select[name=type]")).to_have_value(kind)
        edit(page, kind)
        page.locator(".panel-head button").click()
    expect(page.locator(".save-state")).to_have_text("Saved")
    page.locator("[data-action=done]").click()

    assert {one.get_attribute("data-type") for one in tiles.all()} == set(KINDS)
    of = {kind: page.locator(f'.tile[data-type="{kind}"]') for kind in KINDS}
    of["bar"].scroll_into_view_if_needed()
    expect(of["bar"].locator(".bars-one").first).to_be_visible()
    titles = of["bar"].locator(".bars-one").evaluate_all("all => all.map((e) => e.title)")
    assert any(re.search(r": ([1-9]|1\d|20)( %)?$", title) for title in titles)  # counts, not the values about 42
    of["note"].scroll_into_view_if_needed()
    expect(of["note"].locator("h4")).to_have_text("Rounds")
    of["button"].scroll_into_view_if_needed()
    expect(of["button"].locator(".control-press")).to_have_text("Ring")
    of["button"].locator(".control-press").click()
    eventually(lambda: home.process.last_values(bucket).get("bell.ring") == 7, what="said to a stream that was new")
    watched.assert_clean()
    context.close()


def edit(page: Page, kind: str) -> None:
    """What its editor has: a stream, and the options of its own."""
    panel = page.locator(".panel")
    tile = page.locator(".cell[data-lifted=true] .tile")
    stream = {
        "state": "room.window", "log": "room.mode", "timeline": "room.window", "image": None, "note": None,
        "switch": "room.window", "field": "room.mode", "button": None, "map": "van.lat", "bar": "room.humidity",
    }.get(kind, "room.temperature")  # fmt: skip
    if stream:
        panel.locator("input[name=stream]").fill(stream)
        panel.locator("input[name=stream]").press("Enter")
        expect(tile).to_have_attribute("data-stream", stream)
    if kind == "map":
        panel.locator("input[name=stream]").fill("van.lon")
        panel.locator("input[name=stream]").press("Enter")
        expect(tile.locator(".map-words")).to_contain_text("52.538")
    elif kind == "bar":
        panel.locator("select[name=of]").select_option("count")
    elif kind == "note":
        panel.locator("textarea[name=text]").fill("# Rounds")
    elif kind == "image":
        panel.locator("input[name=every]").fill("60")
        panel.locator("input[name=url]").fill("/static/favicon.svg")
        expect(tile.locator("img[src*='favicon.svg']")).to_have_js_property("complete", True)
        expect(tile.locator(".tile-problem")).to_be_hidden()
    elif kind == "button":
        expect(tile.locator(".control-note")).to_have_text("No stream is chosen for this tile.")
        panel.locator("input[name=stream]").fill("bell.ring")
        panel.locator("[data-action=new-stream]").click()
        panel.locator("input[name=label]").fill("Ring")
        panel.locator("input[name=value]").fill("7")
        panel.locator("input[name=topic]").fill("home/bell/set")
        panel.locator("input[name=retain]").check()
        expect(tile.locator(".control-press")).to_have_text("Ring")


def test_a_board_makes_itself_by_what_streams_are(home: Dashboard, page: Page, bucket: str, now: float) -> None:
    bucket = "itself"
    said = [("temperature", 21.5), ("battery", 71), ("latitude", 52.52), ("longitude", 13.4), ("state", "driving")]
    home.push(bucket, [(f"van.{field}", value, now) for field, value in said])
    home.push(bucket, [("dog.position", "52.51,13.39", now), ("hut.door", True, now)])
    home.push(bucket, [(f"hall.light{i}", i % 2 == 0, now) for i in range(3)])
    watched = open_board(page, home, bucket)
    expect_state(page, "live")

    expect(page.locator(".device h2")).to_have_text(["dog", "hall", "hut", "van"])
    kinds = {"dog.position": "map", "hut.door": "state", "hall.light0": "timeline"}
    kinds |= {"van.latitude": "map", "van.temperature": "line", "van.state": "log"}
    for stream, kind in kinds.items():
        expect(Tile(page, stream).locator).to_have_attribute("data-type", kind)
    expect(page.locator(".tile")).to_have_count(len(kinds) + 1)  # the battery, whose unit nobody said
    expect(Tile(page, "hall.light0").locator.locator(".timeline-names span")).to_have_count(3)
    expect(Tile(page, "van.latitude").locator.locator(".map-words")).to_contain_text("52.52")

    # What it made stays when somebody begins to arrange it.
    page.locator("[data-action=arrange]").click()
    expect(page.locator(".cell")).to_have_count(len(kinds) + 1)
    watched.assert_clean()


def test_a_long_line_is_a_band_from_least_to_greatest(home: Dashboard, page: Page, now: float) -> None:
    hour = 3600.0
    home.push("long", [("well.level", i % 10, now - 6 * 24 * hour + 900 * i) for i in range(6 * 24 * 4)])
    eventually(lambda: home.process.last_values("long") == {"well.level": 5}, what="the history is stored")
    watched = open_board(page, home, "long", "#w=7d")
    well = Tile(page, "well.level").locator
    expect(well).to_have_attribute("data-rolled-up", "true")
    expect(well.locator(".tile-extent")).to_have_text(re.compile("0 . 9"))
    box = well.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(well.locator(".tile-extent")).to_contain_text(re.compile(r"\d . \d.*, mean \d.* at"))

    # An hour of it is drawn point by point.
    page.get_by_role("button", name="1 h").click()
    expect(well).to_have_attribute("data-rolled-up", "false")
    watched.assert_clean()
