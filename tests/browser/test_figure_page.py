"""A figure's page, drawn by streams: what every viewer sees, and that nothing a stream says is ever more than data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from mqttbridge import Stream
from mqttbridge.dashboard.plotly.tokens import TokenFile
from tests.browser.conftest import Watched
from tests.support.configs import EMBEDDED
from tests.support.processes import BridgeProcess, free_port

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=\"window.broken=1;alert('broken')\">"


class Figures:
    """A bridge whose figures are fed by streams."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.process = BridgeProcess(
            directory,
            {
                "mqtt": None,
                "destinations": {"dashboard": EMBEDDED},
                "plotly": {"listen": f"127.0.0.1:{self.port}"},
            },
        )
        self.tokens = TokenFile(self.process.data_dir)

    def stream(self, figure: str, trace: str, maxpoints: int = 500, mode: str = "lines") -> Stream:
        token = self.tokens.add(figure, trace, maxpoints, mode)
        stream = Stream(token, url=f"http://127.0.0.1:{self.port}")
        stream.open()
        return stream

    def open(self, page: Page, figure: str) -> Watched:
        watched = Watched(self.process.url)
        watched.watch(page)
        page.goto(f"{self.process.url}/f/{quote(figure, safe='')}")
        expect(page.locator("main.figure")).to_have_attribute("data-loaded", "true")
        return watched


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Figures]:
    served = Figures(tmp_path_factory.mktemp("figures"))
    with served.process:
        yield served


def trace(page: Page, label: str) -> Locator:
    quoted = label.replace("\\", "\\\\").replace('"', '\\"')
    return page.locator(f'.figure-legend [data-trace="{quoted}"]')


# Whether the chart shows a colour that only one trace has.
SHOWS_COLOUR = """() => {
  const canvas = document.querySelector(".figure-chart canvas");
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) count += data[i] === 1 && data[i + 1] === 200 && data[i + 2] === 3;
  return count > 100;
}"""


def test_points_titles_and_traces_appear_as_they_are_written(figures: Figures, page: Page) -> None:
    with (
        figures.stream("weather", "in", maxpoints=3) as inside,
        figures.stream("weather", "out", mode="markers") as out,
    ):
        watched = figures.open(page, "weather")
        inside.write({"x": 1, "y": 20}, layout={"title": "Weather", "xaxis": {"title": "hour"}})
        out.write({"x": 1, "y": 7}, layout={"yaxis": {"title": {"text": "°C"}}})

        expect(page.locator("h1")).to_have_text("Weather")
        expect(page.locator("main.figure")).to_have_attribute("data-x-title", "hour")
        expect(page.locator("main.figure")).to_have_attribute("data-y-title", "°C")
        expect(trace(page, "in")).to_have_attribute("data-points", "1")
        expect(trace(page, "out")).to_have_attribute("data-mode", "markers")
        for hour in range(2, 8):
            inside.write({"x": hour, "y": 20 + hour, "line": {"color": "red"}, "mode": "lines+markers"})
        expect(trace(page, "in")).to_have_attribute("data-points", "3")
        expect(trace(page, "in")).to_have_attribute("data-mode", "lines+markers")
        out.write({"x": [1, 2], "y": [3, 4]})
        expect(trace(page, "out")).to_have_attribute("data-points", "2")
        out.write({"marker": {"color": "rgb(1, 200, 3)", "size": 20}})
        page.wait_for_function(SHOWS_COLOUR)  # what is drawn, too
        watched.assert_clean()


def test_a_late_viewer_gets_the_kept_window_and_every_viewer_the_same(
    figures: Figures, context: BrowserContext
) -> None:
    with figures.stream("shared", "t", maxpoints=5) as stream:
        for n in range(9):
            stream.write({"x": f"2026-01-02 03:04:0{n}", "y": n})
        first, second = context.new_page(), context.new_page()
        watched = [figures.open(page, "shared") for page in (first, second)]
        for page in (first, second):
            expect(trace(page, "t")).to_have_attribute("data-points", "5")
        stream.write({"y": [1, 2, 3]})
        # A tab in the background lets go of its connection, and takes up all of it when it is seen again.
        for page in (first, second):
            page.bring_to_front()
            expect(trace(page, "t")).to_have_attribute("data-points", "3")
        for one in watched:
            one.assert_clean()


def test_names_titles_and_categories_are_text_whatever_they_hold(figures: Figures, page: Page) -> None:
    with figures.stream(MARKUP, MARKUP) as stream:
        watched = figures.open(page, MARKUP)
        layout = {"title": MARKUP, "xaxis": {"title": MARKUP}}
        stream.write({"x": MARKUP, "y": 1, "line": {"color": "red;background:url(//x)"}}, layout=layout)
        stream.write({"x": "__proto__", "y": 2})

        expect(page.locator("h1")).to_have_text(MARKUP)
        expect(trace(page, MARKUP)).to_have_attribute("data-points", "2")
        expect(page.locator("img, #app script")).to_have_count(0)
        assert page.evaluate("window.broken") is None
        watched.assert_clean()


def test_figures_stand_on_the_shelf(figures: Figures, page: Page) -> None:
    with figures.stream("on the shelf", "t") as stream:
        stream.write({"y": 1}, layout={"title": "Shelved"})
        watched = Watched(figures.process.url)
        watched.watch(page)
        page.goto(figures.process.url)

        card = page.locator('.card[data-figure="on the shelf"]')
        expect(card.get_by_role("heading")).to_have_text("Shelved")
        card.click()
        expect(trace(page, "t")).to_have_attribute("data-points", "1")
        watched.assert_clean()


def test_a_figure_without_tokens_says_so(figures: Figures, page: Page) -> None:
    page.goto(f"{figures.process.url}/f/nothing")

    expect(page.locator(".nothing")).to_be_visible()
