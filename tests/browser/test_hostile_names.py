"""Names, units and values are data: whatever they hold, the page shows it as text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard, Tile, Watched

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=\"window.broken=1;alert('broken')\">"
SCRIPT = "</textarea><script>window.broken=1</script><b>bold</b>"


def test_markup_in_names_and_values_stays_text(
    shared_dashboard: Dashboard, page: Page, bucket: str, now: float
) -> None:
    shared_dashboard.push(bucket, [(MARKUP, 1, now), (f"{MARKUP}.note", SCRIPT, now), ("plain", SCRIPT, now)])
    watched = Watched(shared_dashboard.url)
    watched.watch(page)
    page.goto(shared_dashboard.board(bucket))

    expect(Tile(page, "plain").value).to_have_text(SCRIPT)
    expect(Tile(page, "plain").locator.locator(".log li span")).to_have_text(SCRIPT)
    expect(Tile(page, f"{MARKUP}.note").value).to_have_text(SCRIPT)
    expect(page.locator(".device h2", has_text=MARKUP)).to_be_visible()
    expect(page.locator("img, #app script, #app b")).to_have_count(0)
    assert page.evaluate("window.broken") is None
    watched.assert_clean()


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=window.broken=1>",
        "a/b//c",
        "../../etc/passwd",
        "50 % & more?x=1#y",
        "Wohnzimmer 🌡 été",
        "javascript:alert(1)",
        "__proto__",
    ],
)
def test_any_bucket_name_has_a_page(shared_dashboard: Dashboard, page: Page, name: str, now: float) -> None:
    shared_dashboard.push(name, [("temperature", 21.5, now), ("__proto__", 7, now), ("constructor.x", 8, now)])
    watched = Watched(shared_dashboard.url)
    watched.watch(page)
    page.goto(shared_dashboard.url)
    page.locator(".card", has=page.get_by_role("heading", name=name, exact=True)).click()

    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator(".badge")).to_have_attribute("data-state", "live")
    expect(Tile(page, "temperature").value).to_have_text("21.5")
    for stream in ("temperature", "__proto__", "constructor.x"):
        expect(Tile(page, stream).locator).to_have_attribute("data-points", "1")
    shared_dashboard.push(name, [("temperature", 22.5, now + 1), ("__proto__", 9, now + 1)])
    expect(Tile(page, "temperature").value).to_have_text("22.5")
    expect(Tile(page, "__proto__").value).to_have_text("9")
    assert page.evaluate("window.broken") is None
    watched.assert_clean()
