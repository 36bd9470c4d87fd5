"""The Panel example as a visitor sees it: plots move without reload, Refresh fetches, another column does not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml
from playwright.sync_api import Page, expect

from mqttbridge.demo.weather import weather_server
from tests.browser.conftest import PATIENCE_MS, Watched
from tests.support.processes import BridgeProcess, eventually, free_port

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "examples" / "panel_weather" / "app.py"

# The columns of the lines that are drawn, each with how many points it has.
LINES = """() => {
  const models = Bokeh.documents.flatMap((one) => [...one._all_models.values()]);
  const drawn = {};
  for (const { data } of models.filter((model) => model.type === "ColumnDataSource")) {
    const columns = data instanceof Map ? Object.fromEntries(data) : data;
    for (const name of ["Temperature", "Humidity", "Wind Speed"]) {
      if ("time" in columns && name in columns) drawn[name] = columns.time.length;
    }
  }
  return drawn;
}"""
TITLED = """(title) => Bokeh.documents.some((one) =>
  [...one._all_models.values()].some((model) => model.type === "Title" && model.text === title))"""
GROWN = f"(before) => Object.entries(({LINES})()).filter(([name, count]) => count > before[name]).length === 3"


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[BridgeProcess]:
    config = yaml.safe_load((ROOT / "examples/openweather.yaml").read_text().replace("${OPENWEATHER_KEY}", "any"))
    with weather_server() as url:
        config["sources"]["weather"] |= {"url": url, "every": "1s", "jitter": "0s"}
        with BridgeProcess(tmp_path / "bridge", config) as process:
            yield process


@pytest.fixture
def app(bridge: BridgeProcess, tmp_path: Path) -> Iterator[str]:
    """The example's URL, served by the command that is written in it."""
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", APP, "--port", str(port), "--address", "127.0.0.1"]
    environment = {**os.environ, "DASHBOARD_URL": bridge.url, "PYTHONPATH": str(ROOT), "NO_PROXY": "*"}
    with (tmp_path / "panel.log").open("w+b") as log:
        served = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path)

        def answers() -> bool:
            assert served.poll() is None, (tmp_path / "panel.log").read_text()
            try:
                return requests.get(f"http://127.0.0.1:{port}/liveness", timeout=10).status_code < 500
            except requests.ConnectionError:
                return False

        try:
            eventually(answers, what="panel serves", timeout=3 * PATIENCE_MS / 1000)
            yield f"http://127.0.0.1:{port}"
        finally:
            served.terminate()
            served.wait(20)
    assert "app.py" not in (tmp_path / "panel.log").read_text()  # it would stand in a traceback


def test_plots_move_by_themselves_and_refresh_fetches(app: str, bridge: BridgeProcess, page: Page) -> None:
    eventually(lambda: len(bridge.last_values("weather")) == 42, what="seven cities with six streams each")
    watched = Watched(app)
    watched.watch(page)
    page.goto(f"{app}/app")

    # Streaming: each line grows, on the page that was loaded once.
    page.wait_for_function(f"() => window.Bokeh?.documents.length && Object.keys(({LINES})()).length === 3")
    page.evaluate("window.loadedOnce = true")
    for _ in range(2):
        page.wait_for_function(GROWN, arg=page.evaluate(LINES))
    assert page.evaluate("window.loadedOnce")
    assert bridge.metric("live_viewers") == 1

    # Refresh: the column chooses among what was fetched, the button fetches.
    page.locator(".bk-tab").get_by_text("Refresh").click()
    expect(page.get_by_text(re.compile("Fetched 1 times"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Fresno"))).to_be_visible()
    page.get_by_label("Column").select_option("Humidity")
    page.wait_for_function(TITLED, arg="Humidity")
    expect(page.get_by_text(re.compile("Fetched 1 times"))).to_be_visible()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text(re.compile("Fetched 2 times"))).to_be_visible()
    foreign = [url for url in watched.foreign if not url.startswith("blob:")]  # made by the page itself
    assert (watched.errors, watched.dialogs, foreign) == ([], [], [])
