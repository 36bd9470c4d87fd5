"""The shelf of buckets in a real browser: cards, search, and what a first visitor is told."""

from __future__ import annotations

import time

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Dashboard, Tile, Watched
from tests.support.processes import eventually

pytestmark = pytest.mark.browser


def open_shelf(page: Page, dashboard: Dashboard) -> Watched:
    watched = Watched(dashboard.url)
    watched.watch(page)
    page.goto(dashboard.url)
    return watched


def test_a_first_visitor_is_told_how_to_send_and_sees_it_arrive(own_dashboard: Dashboard, page: Page) -> None:
    watched = open_shelf(page, own_dashboard)
    expect(page.get_by_role("heading", name="No values yet")).to_be_visible()
    expect(page.locator(".command").nth(0)).to_contain_text(
        f"curl '{own_dashboard.url}/api/events?bucketKey=hello&room.temperature=21.5'"
    )
    expect(page.locator(".command").nth(1)).to_contain_text("mqttbridge run --broker mqtt://")

    own_dashboard.push("hello", [("room.temperature", 21.5, time.time())])

    expect(page.locator("[data-bucket=hello]")).to_contain_text("1 stream")
    expect(page.locator("[data-bucket=hello] .card-last")).to_have_attribute("data-live", "true")
    watched.assert_clean()


def test_the_page_of_a_bucket_without_values_fills_by_itself(own_dashboard: Dashboard, page: Page) -> None:
    page.goto(own_dashboard.board("greenhouse"))
    expect(page.get_by_role("heading", name="No values in this bucket yet")).to_be_visible()
    expect(page.locator(".badge")).to_have_attribute("data-state", "live")

    own_dashboard.push("greenhouse", [("moisture", 33, time.time())])

    expect(Tile(page, "moisture").value).to_have_text("33")
    expect(Tile(page, "moisture").locator).to_have_attribute("data-points", "1")


def test_first_values_that_come_between_the_answer_and_the_connection_are_seen(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    def answer_late(route: Route) -> None:
        nothing_yet = route.fetch()
        shared_dashboard.push(bucket, [("moisture", 33, now)])
        eventually(lambda: shared_dashboard.process.last_values(bucket), what="stored")
        route.fulfill(response=nothing_yet)

    page.route(f"**/api/v1/buckets/{bucket}/streams*", answer_late, times=1)
    page.goto(shared_dashboard.board(bucket))

    expect(Tile(page, "moisture").value).to_have_text("33")


def test_a_card_leads_to_its_bucket_and_search_finds_it_among_many(own_dashboard: Dashboard, page: Page) -> None:
    now = time.time()
    for i in range(7):
        own_dashboard.push(f"hall-{i}", [("temperature", 20 + i, now)])
    watched = open_shelf(page, own_dashboard)
    expect(page.locator(".card")).to_have_count(7)

    page.get_by_role("searchbox").fill("LL-3")
    expect(page.locator(".card")).to_have_count(1)
    page.locator(".card").click()

    expect(page.locator("h1")).to_have_text("hall-3")
    expect(Tile(page, "temperature").value).to_have_text("23")
    watched.assert_clean()


def test_a_server_that_is_gone_is_said_and_forgotten_when_it_is_back(own_dashboard: Dashboard, page: Page) -> None:
    own_dashboard.push("hello", [("room.temperature", 21.5, time.time())])
    watched = open_shelf(page, own_dashboard)
    expect(page.locator(".card")).to_have_count(1)

    own_dashboard.process.stop()
    expect(page.locator("[data-notice=connection]")).to_be_visible()
    own_dashboard.process.start()

    expect(page.locator("[data-notice=connection]")).to_have_count(0)
    expect(page.locator(".card")).to_have_count(1)
    watched.assert_clean()


def test_the_chosen_theme_is_remembered(shared_dashboard: Dashboard, page: Page) -> None:
    watched = open_shelf(page, shared_dashboard)
    page.get_by_role("button", name="Change to dark colours").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.get_by_role("button", name="Change to light colours")).to_be_visible()
    watched.assert_clean()


def test_a_phone_scrolls_down_only(shared_dashboard: Dashboard, phone: Page, bucket: str, now: float) -> None:
    shared_dashboard.push(bucket, [("a-rather-long-name-of-a-device.temperature", -1234.567, now), ("on", True, now)])
    for url in (shared_dashboard.url, shared_dashboard.board(bucket)):
        phone.goto(url)
        expect(phone.locator("[data-loaded=true]").first).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_emoji_names_and_tags_are_drawn_on_the_shelf_and_the_board(
    shared_dashboard: Dashboard, page: Page, bucket: str
) -> None:
    created = requests.post(
        f"{shared_dashboard.url}/api/buckets",
        json={"bucketKey": bucket, "bucketName": ":house: Home", "tags": ["attic", ":beer:", "<b>bold</b>"]},
        timeout=10,
    )
    assert created.status_code == 201
    shared_dashboard.push(bucket, [(":sunny: outside.:thermometer:", 21, time.time()), ("sky", ":cloud:", time.time())])
    watched = open_shelf(page, shared_dashboard)
    card = page.locator(f"[data-bucket={bucket}]")
    expect(card.get_by_role("heading")).to_have_text("🏠 Home")
    expect(card.locator(".card-tags li")).to_have_text(["attic", "🍺", "<b>bold</b>"])

    card.click()

    expect(page.locator("h1")).to_have_text("🏠 Home")
    expect(page).to_have_title("🏠 Home · mqttbridge")
    expect(page.locator(".device h2")).to_have_text(["\u00a0", "☀️ outside"])
    expect(Tile(page, ":sunny: outside.:thermometer:").locator.get_by_role("heading")).to_have_text("🌡️")
    expect(Tile(page, "sky").value).to_have_text("☁️")
    expect(Tile(page, "sky").locator.locator(".log li span")).to_have_text("☁️")
    watched.assert_clean()
