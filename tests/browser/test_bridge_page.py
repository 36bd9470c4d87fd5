"""The bridge's own page in a real browser, over a real broker: flow, strays, rejected messages, log, clocks."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.support.configs import EMBEDDED, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess, free_port
from tests.support.publishing import publish

pytestmark = [pytest.mark.browser, pytest.mark.broker]


class Running:
    """A broker and a bridge whose cloud is down."""

    def __init__(self, broker: Mosquitto, process: BridgeProcess) -> None:
        self.broker, self.process = broker, process

    def open(self, page: Page, path: str = "/bridge") -> Watched:
        watched = Watched(self.process.url)
        watched.watch(page)
        page.goto(self.process.url + path)
        return watched


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("bridge-page")
    with Mosquitto(directory / "broker") as broker:
        cloud = {"type": "initialstate", "url": f"http://127.0.0.1:{free_port()}/api", "access_key": "very-secret"}
        config = {
            "mqtt": mqtt(broker.url()),
            "destinations": {"dashboard": EMBEDDED, "cloud": cloud},
            "models": {"Climate": {"temperature": {"type": "float", "le": 50, "unit": "°C"}}},
            "rules": [
                {"name": "climate", "topic": "fleet/{site}/{device}/climate", "model": "Climate",
                 "bucket": "{site}", "stream": "{device}.{field}"},
            ],
        }  # fmt: skip
        with BridgeProcess(directory / "bridge", config) as process:
            yield Running(broker, process)


def test_the_flow_the_rules_and_what_was_rejected_are_shown(running: Running, page: Page) -> None:
    messages = [(f"fleet/brewery/d{number}/climate", '{"temperature": 20}') for number in range(3)]
    publish(running.broker.port(), [*messages, ("fleet/brewery/hot/climate", '{"temperature": 99}')])
    watched = running.open(page)

    expect(page.locator('[data-station="received"]')).to_contain_text("4 messages")
    expect(page.locator('[data-branch="rejected"] b')).to_have_text("1")
    expect(page.locator('[data-station="to dashboard"]')).to_have_attribute("data-state", "ok")
    expect(page.locator('[data-destination="cloud"] .state')).to_have_text("Trying again")
    expect(page.locator('[data-destination="cloud"]')).to_contain_text("Nothing is lost")
    expect(page.locator('[data-rule="climate"] .number').nth(0)).to_have_text("4")
    expect(page.locator(".bar .badge")).to_have_attribute("data-state", "live")

    row = page.locator("[data-rejected]")
    expect(row).to_contain_text("must be at most 50")
    row.locator("[data-action=replay]").click()
    expect(page.locator("#rejected [role=status]")).to_contain_text("0 of 1 accepted by the rules · 1 validation")
    row.locator("[data-action=purge]").click()
    expect(page.locator("[data-rejected]")).to_have_count(0)
    expect(page.locator("#log li[data-level=warning]").first).to_contain_text("rejected")
    assert "very-secret" not in page.content()
    watched.assert_clean()


def test_a_rule_is_made_of_a_topic_that_nobody_takes(running: Running, page: Page) -> None:
    power = [(f"home/{room}/<b>power</b>", '{"power": 7.5, "voltage": 230}') for room in ("kitchen", "hall")]
    publish(running.broker.port(), power, retain=True)
    watched = running.open(page, "/bridge#unmatched")
    page.locator("[data-action=listen]").click()

    stray = page.locator('[data-topic="home/kitchen/<b>power</b>"]')
    expect(stray).to_contain_text('{"power": 7.5, "voltage": 230}')
    stray.locator("[data-action=propose]").click()

    expect(stray.locator("[data-proposal=rule] code")).to_contain_text('topic: "home/{room}/<b>power</b>"')
    expect(stray).to_contain_text("maps 2 of 2 messages")
    watched.assert_clean()


def test_a_message_that_nobody_sent_is_explained(running: Running, page: Page) -> None:
    watched = running.open(page)
    page.get_by_label("Topic", exact=True).fill("fleet/brewery/d1/climate")
    page.get_by_label("Payload").fill('{"temperature": 21.5}')
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("[data-verdict=mapped]")).to_contain_text("brewery / d1.temperature = 21.5")

    page.get_by_label("Topic", exact=True).fill("fleet/brewery/d1/Climate")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("[data-verdict=unmatched]")).to_contain_text("The nearest is climate")
    watched.assert_clean()


def test_a_phone_scrolls_down_only(running: Running, phone: Page) -> None:
    running.open(phone)
    expect(phone.locator(".station").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_clock_that_is_off_is_said(running: Running, page: Page) -> None:
    page.clock.set_system_time(time.time() + 600)
    running.open(page, "/")
    expect(page.locator("[data-notice=clock]")).to_contain_text("10 min ahead")


def test_a_bridge_that_is_gone_is_said_and_its_figures_step_back(running: Running, page: Page) -> None:
    running.open(page)
    expect(page.locator(".bar .badge")).to_have_attribute("data-state", "live")
    running.process.stop()
    expect(page.locator(".bar .badge")).to_have_attribute("data-state", "reconnecting")
    expect(page.locator("main")).to_have_attribute("data-stale", "true")

    running.process.start()

    expect(page.locator(".bar .badge")).to_have_attribute("data-state", "live")
