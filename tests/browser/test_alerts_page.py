"""Alerts as a person makes, reads, silences and removes them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Dashboard, Tile, Watched, open_board
from tests.support.configs import EMBEDDED
from tests.support.processes import BridgeProcess, eventually
from tests.support.receivers import Hook, webhook_server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    with webhook_server() as hook:
        yield hook


@pytest.fixture(scope="module")
def alerted(tmp_path_factory: pytest.TempPathFactory, hook: Hook) -> Iterator[Dashboard]:
    directory = tmp_path_factory.mktemp("alerted")
    dashboard = Dashboard(directory)
    rule = {"name": "<b>Of the file</b>", "stream": "nothing", "when": {"is": "no_data", "after": "1h"}}
    alerts = {"actions": {"chat": {"type": "webhook", "url": hook.url}}, "rules": [rule]}
    dashboard.process.configure({"mqtt": None, "destinations": {"dashboard": EMBEDDED}, "alerts": alerts})
    with dashboard.process:
        yield dashboard


def stored(process: BridgeProcess, bucket: str, stream: str) -> None:
    eventually(lambda: stream in process.last_values(bucket), what="stored")


def test_from_a_tile_to_an_alert_that_fires_is_silenced_and_removed(
    page: Page, alerted: Dashboard, hook: Hook, bucket: str, now: float
) -> None:
    alerted.push(bucket, [("oven.t", 20.0 + i, now - 60 + i) for i in range(20)])
    stored(alerted.process, bucket, "oven.t")
    watched = open_board(page, alerted, bucket)
    tile = Tile(page, "oven.t")
    tile.locator.hover()
    tile.locator.locator(".tile-alert").click()

    form = page.locator(".alert-form")
    expect(form.locator("[name=stream]")).to_have_value("oven.t")
    form.locator("[name=value]").fill("35")
    expect(form.locator(".alert-preview")).to_contain_text("When oven.t of")
    expect(form.locator(".alert-preview")).to_contain_text(
        "Would have fired once in the last day. It would be firing now."
    )
    form.locator("[data-action=test]").click()
    expect(form.locator(".notice-mark[data-outcome=delivered]")).to_be_visible()
    form.locator("[name=name]").fill("Oven <i>hot</i>")
    form.locator("[data-action=save]").click()

    card = page.locator('.alert-card[data-rule="Oven <i>hot</i>"]')
    expect(card).to_have_attribute("data-state", "firing")
    expect(page.locator(".firing .notice-mark[data-outcome=delivered]")).to_be_visible()
    assert [body["state"] for _, body in hook.requests] == ["test", "firing"]

    page.goto(alerted.url)
    on_shelf = page.locator(f'.card-place:has([data-bucket="{bucket}"]) .card-alert')
    expect(on_shelf).to_have_text("firing")
    on_shelf.click()
    expect(card).to_be_visible()
    expect(form).to_have_count(0)
    page.goto(alerted.board(bucket))
    expect(tile.locator.locator(".tile-alert")).to_have_attribute("data-alert", "firing")
    tile.locator.locator(".tile-alert").click()
    expect(card).to_be_visible()
    expect(form).to_have_count(0)
    card.locator("[data-action=silence]").select_option("3600")
    expect(card.locator("[data-action=end-silence]")).to_be_visible()
    alerted.push(bucket, [("oven.t", 20.0, now + 1)])
    expect(card).to_have_attribute("data-state", "ok")
    expect(page.locator(".firing .notice-mark[data-outcome=silenced]")).to_be_visible()
    card.locator("[data-action=remove]").click()
    card.locator("[data-action=remove-sure]").click()
    expect(card).to_have_count(0)
    expect(page.locator(".firing")).to_contain_text("Oven <i>hot</i>")
    watched.assert_clean()


def test_a_state_is_told_at_once_on_the_board_the_shelf_and_the_list_and_again_after_a_restart(
    context: BrowserContext, alerted: Dashboard, bucket: str, now: float
) -> None:
    alerted.push(bucket, [("press.bar", 2.0, now - 30)])
    stored(alerted.process, bucket, "press.bar")
    rule = {"name": bucket, "bucket": bucket, "stream": "press.bar", "when": {"is": ">", "value": 5}}
    made = requests.post(f"{alerted.url}/api/v1/alerts/rules", json=rule, timeout=10)
    assert made.status_code == 201, made.text
    board, shelf, list_ = (context.new_page() for _ in range(3))
    asked: list[str] = []
    board.on("request", lambda request: asked.append(request.url))
    board.goto(alerted.board(bucket))
    shelf.goto(alerted.url)
    list_.goto(f"{alerted.url}/alerts")
    tile = board.locator(".tile-alert")
    card = shelf.locator(f'.card-place:has([data-bucket="{bucket}"]) .card-alert')
    entry = list_.locator(f'.alert-card[data-rule="{bucket}"]')
    expect(tile).to_have_attribute("data-alert", "ok")
    expect(card).to_have_attribute("data-alert", "ok")
    expect(entry).to_have_attribute("data-state", "ok")

    for value, state in ((9.0, "firing"), (1.0, "ok")):
        alerted.push(bucket, [("press.bar", value, time.time())])
        for one, name in ((tile, "data-alert"), (card, "data-alert"), (entry, "data-state")):
            expect(one).to_have_attribute(name, state)
    assert not any(url.endswith("/alerts") for url in asked)

    alerted.push(bucket, [("press.bar", 8.0, time.time())])
    expect(tile).to_have_attribute("data-alert", "firing")
    alerted.process.stop()
    expect(board.locator(".badge")).not_to_have_attribute("data-state", "live")
    alerted.process.start()
    gone = requests.delete(f"{alerted.url}/api/v1/alerts/rules/{made.json()['id']}", timeout=10)
    assert gone.status_code == 204
    expect(tile).to_have_attribute("data-alert", "none")
    expect(card).to_have_count(0)
    expect(entry).to_have_count(0)


def test_a_mistake_is_told_in_words_and_an_alert_of_the_file_is_only_shown(page: Page, alerted: Dashboard) -> None:
    watched = Watched(alerted.url)
    watched.watch(page)
    page.goto(f"{alerted.url}/alerts")
    page.locator("[data-action=new]").click()
    form = page.locator(".alert-form")
    form.locator("[name=stream]").fill("a*")
    form.locator("[name=is]").select_option("matches")
    form.locator("[name=pattern]").fill("(")
    form.locator("[data-action=save]").click()
    expect(form.locator("[data-notice=form]")).to_contain_text("not a regular expression")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)

    page.locator(".alert-card [data-action=edit]").click()
    expect(form.locator("[data-action=save]")).to_have_count(0)
    expect(form.locator("[name=stream]")).to_be_disabled()
    assert watched.errors == []
    assert watched.dialogs == []


def test_on_a_phone_every_field_is_reached_and_nothing_runs_out_of_the_screen(phone: Page, alerted: Dashboard) -> None:
    phone.goto(f"{alerted.url}/alerts")
    phone.locator("[data-action=new]").tap()
    form = phone.locator(".alert-form")
    for kind in ("changes_by", "no_data", "enters"):
        form.locator("[name=is]").select_option(kind)
        wide = phone.evaluate("document.querySelector('.alert-form').scrollWidth - innerWidth")
        assert wide <= 0
    form.locator("[name=radius]").scroll_into_view_if_needed()
    expect(form.locator("[data-action=save]")).to_be_in_viewport()
    box = form.locator("[data-action=save]").bounding_box()
    assert box is not None
    assert box["height"] >= 40
