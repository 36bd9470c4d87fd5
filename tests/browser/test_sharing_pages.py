"""Signing in, the settings, share links, frames of other sites and the picture, as a person meets them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mqttbridge.alerting.desk import Desk
from mqttbridge.alerting.service import Alerts
from mqttbridge.config.alerts import AlertsConfig
from tests.browser.axe import faults
from tests.browser.conftest import PATIENCE_MS, Watched, keep_pictures
from tests.support.dashboards import Served, serve

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
BUCKET = "Haus & Hof"
PATH = "/b/Haus%20%26%20Hof"


class OtherSite:
    """A page of another origin (another host name, too) with whatever is to be in it."""

    def __init__(self) -> None:
        self.page = b""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, site: OtherSite, *others: object) -> None:
        self._site = site
        super().__init__(*others)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self._site.page)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def other_site() -> Iterator[OtherSite]:
    site = OtherSite()
    yield site
    site.close()


def without_rules(served: Served) -> Desk:
    assert served.dashboard is not None
    return Desk(Alerts(AlertsConfig(), served.dashboard.store, served.dashboard.records, served.metrics))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, other_site: OtherSite) -> Iterator[Served]:
    http = {"write_keys": ["the-key"], "view_tokens": ["just-looking"], "embed_origins": [other_site.url]}
    with serve(tmp_path_factory.mktemp("sharing"), http, make_alerts=without_rules) as running:
        now = time.time()
        for bucket, streams in ((BUCKET, 17), ("other", 1)):
            running.post(
                "/api/events",
                params={"bucketKey": bucket, "accessKey": "the-key"},
                json=[
                    {"key": f"kitchen.temperature{n}", "value": 20 + i / 10, "epoch": now - 40 + 2 * i}
                    for n in range(streams)
                    for i in range(20)
                ],
            )
        yield running


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def sized(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=request.param, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    keep_pictures(context, request.node.name)
    context.close()


def watched(page: Page, served: Served) -> Watched:
    watching = Watched(served.url)
    watching.watch(page)
    return watching


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_one_signs_in_makes_and_revokes_keys_and_signs_out(sized, guarded):
    page = sized.new_page()
    page.goto(f"{guarded.url}/settings")
    sign_in(page, "guess")
    expect(page.get_by_role("alert")).to_contain_text("not known")  # the refusal is in the console, as it should be
    watching = watched(page, guarded)
    sign_in(page, "the-key")
    expect(page.get_by_text("You may do everything.")).to_be_visible()
    assert page.url == f"{guarded.url}/settings"

    keys = page.locator("[data-section=keys]")
    expect(keys.get_by_text("in the configuration")).to_have_count(2)
    keys.get_by_label("Label").fill("<b>Wall</b>")
    keys.get_by_role("button", name="Make a key").click()
    secret = keys.locator(".once input").input_value()
    entry = keys.locator(".entry", has_text="<b>Wall</b>")
    expect(entry).to_be_visible()
    assert guarded.get("/api/v1/buckets", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    assert_fits(page)

    tokens = page.locator("[data-section=tokens]")
    tokens.get_by_label("Figure").fill("weather")
    tokens.get_by_label("Trace").fill("outside")
    tokens.get_by_role("button", name="Make a token").click()
    expect(tokens.locator(".entry", has_text="weather / outside")).to_be_visible()
    watching.assert_clean()

    page.evaluate("window.confirm = () => true")
    entry.get_by_role("button", name="Revoke").click()
    expect(entry).to_have_count(0)
    assert guarded.get("/api/v1/buckets", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    page.evaluate("window.confirm = () => true")
    tokens.get_by_role("button", name="Revoke").click()
    expect(tokens.locator(".entry")).to_have_count(0)
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("[data-view=login] form")).to_be_visible()
    page.goto(f"{guarded.url}{PATH}")
    expect(page.locator("[data-view=login] form")).to_be_visible()


def test_a_board_is_shared_looked_at_and_taken_back(sized, guarded, browser):
    page = sized.new_page()
    page.goto(f"{guarded.url}/login?next={PATH.replace('%', '%25')}%231h")
    watching = watched(page, guarded)
    sign_in(page, "the-key")
    page.locator("[data-action=share]").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Label").fill("Hallway")
    dialog.get_by_label("Good for").select_option("a_day")
    dialog.get_by_role("button", name="Make a link").click()
    link = dialog.get_by_label("Link", exact=False).first.input_value()
    assert link.startswith(f"{guarded.url}{PATH}?token=share-")
    expect(dialog.locator(".entry", has_text="Hallway").first).to_contain_text("until")
    assert_fits(page)

    guest = browser.new_context(viewport=PHONE)
    guest.set_default_timeout(PATIENCE_MS)
    visit = guest.new_page()
    visit.goto(link)
    expect(visit.locator(".tile").first).to_be_visible()
    assert "token" not in visit.url
    assert faults(visit) == []
    visit.goto(f"{guarded.url}/b/other")
    expect(visit.locator("[data-view=login] form")).to_be_visible()

    page.evaluate("window.confirm = () => true")
    dialog.locator(".entry").first.get_by_role("button", name="Revoke").click()
    expect(dialog.locator(".entry")).to_have_count(0)
    visit.goto(link)
    expect(visit.get_by_role("alert")).to_contain_text("This link is over")
    guest.close()

    with page.expect_download() as saved:
        dialog.get_by_role("button", name="Save as a picture").click()
    assert saved.value.suggested_filename == "Haus-Hof.png"
    with Image.open(saved.value.path()) as picture:
        assert picture.format == "PNG"
        assert picture.width == page.viewport_size["width"]
        assert picture.height > page.viewport_size["height"]  # the whole board, not what is in sight of it
        last_tile = picture.convert("HSV").crop((0, picture.height - 150, picture.width, picture.height))
        assert max(last_tile.getchannel("S").tobytes()) > 150  # its line is drawn
    watching.assert_clean()


def test_an_allowed_site_shows_a_board_in_a_frame_and_nothing_else(page, guarded, other_site):
    made = guarded.post(f"/api/v1/buckets{PATH[2:]}/links", json={}, headers={"Authorization": "Bearer the-key"}).json()
    other_site.page = f'<iframe src="{guarded.url}{made["embed"]}" width=700 height=500></iframe>'.encode()

    page.goto(other_site.url)

    frame = page.frame_locator("iframe")
    expect(frame.locator(".tile").first).to_be_visible()
    for part in (".bar-time", ".bar-more", ".tabs"):
        expect(frame.locator(part)).to_be_hidden()
    expect(frame.locator(".badge")).to_have_attribute("data-state", "live")  # by its link alone: no cookie was set
    assert page.context.cookies() == []
    assert faults(page.frames[1]) == []

    other_site.page = f'<iframe src="{guarded.url}{made["url"]}" width=700 height=500></iframe>'.encode()
    with page.expect_event("console", lambda message: "frame-ancestors" in message.text):
        page.goto(other_site.url)


def test_the_first_key_is_made_by_the_address_in_the_log(page, tmp_path, monkeypatch):
    monkeypatch.setattr("mqttbridge.dashboard.security.is_loopback", lambda _: False)
    with serve(tmp_path) as served:
        page.goto(served.server.first_key_url)
        watching = watched(page, served)
        expect(page.get_by_text("Nobody has a key yet.", exact=False).first).to_be_visible()
        assert "first=" not in page.url
        page.get_by_label("Label").fill("Ann")
        page.get_by_role("button", name="Make my key").click()
        expect(page.locator(".once input")).not_to_have_value("")
        page.get_by_role("link", name="Go on").click()
        expect(page.locator("[data-view=shelf]")).to_have_attribute("data-loaded", "true")
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_text("Signed in with the key “Ann”.", exact=False)).to_be_visible()
        watching.assert_clean()
