"""The page's pure modules, called in a real browser: points in the window, thinning, layout, words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Route

import mqttbridge.dashboard

pytestmark = pytest.mark.browser

STATIC = Path(mqttbridge.dashboard.__file__).parent / "static"

Call = Callable[..., Any]


@pytest.fixture
def call(context: BrowserContext) -> Call:
    """Runs a function body with the module's exports as `m` and one argument as `x`; no server is needed."""
    page = context.new_page()

    def serve(route: Route) -> None:
        path = route.request.url.partition("/static/")[2]
        if path:
            route.fulfill(path=STATIC / path, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route("**/*", serve)
    page.goto("http://page.test/")

    def run(module: str, body: str, argument: Any = None) -> Any:
        return page.evaluate(f"async (x) => {{ const m = await import('/static/js/{module}'); {body} }}", argument)

    return run


def test_points_stay_in_order_of_time_however_they_come(call: Call) -> None:
    body = """
        const s = new m.Series("number", 300);
        s.replace([1, 3, 5], [10, 30, 50]);
        s.add([4, 7, 2], [40, 70, 20]);
        return [s.epochs, s.values];"""
    assert call("series.js", body) == [[1, 2, 3, 4, 5, 7], [10, 20, 30, 40, 50, 70]]


def test_a_time_that_is_there_already_takes_the_new_value(call: Call) -> None:
    body = """
        const s = new m.Series("number", 300);
        s.replace([1, 2, 3], [10, 20, 30]);
        s.add([2, 3], [21, 31]);
        return [s.epochs, s.values];"""
    assert call("series.js", body) == [[1, 2, 3], [10, 21, 31]]


def test_a_flood_of_points_stays_bounded_and_keeps_its_spikes(call: Call) -> None:
    body = """
        const s = new m.Series("number", 300);
        let most = 0;
        for (let i = 0; i < 100000; i++) {
          s.add([1e9 + i / 400], [i === 50000 ? 1000 : Math.sin(i)]);
          most = Math.max(most, s.length);
        }
        return [most, m.MAX_POINTS, Math.max(...s.values), s.epochs.at(-1)];"""
    most, bound, peak, newest = call("series.js", body)
    assert most <= bound + 1
    assert peak == 1000
    assert newest == 1e9 + 99999 / 400


def test_a_state_that_flickers_is_bounded_by_its_newest_changes(call: Call) -> None:
    body = """
        const s = new m.Series("boolean", 300);
        for (let i = 0; i < 10000; i++) s.add([i], [i % 2 === 0]);
        return [s.length <= m.MAX_POINTS, s.epochs.at(-1)];"""
    assert call("series.js", body) == [True, 9999]


def test_thinning_twice_changes_nothing(call: Call) -> None:
    body = """
        const epochs = Array.from({ length: 5000 }, (_, i) => i / 7);
        const values = epochs.map((t) => Math.sin(t * 3) + Math.cos(t / 5));
        const keep = m.m4(epochs, values, 3);
        const [e, v] = [keep.map((i) => epochs[i]), keep.map((i) => values[i])];
        return [keep.length < epochs.length, m.m4(e, v, 3).length === e.length];"""
    assert call("series.js", body) == [True, True]


def test_trimming_keeps_the_point_that_the_line_comes_from(call: Call) -> None:
    body = """
        const s = new m.Series("number", 300);
        s.replace(Array.from({ length: 500 }, (_, i) => i), new Array(500).fill(0));
        s.trim(300.5);
        return s.epochs[0];"""
    assert call("series.js", body) == 300


@pytest.mark.parametrize(
    ("intervals", "silence"),
    [
        pytest.param([1.0] * 60, 60, id="steady"),
        pytest.param([0.01, 60.0] * 30, 400, id="bursts of two a minute"),
        pytest.param([1.0, 1.2, 0.8, 3.0] * 15, 40, id="jitter"),
    ],
)
def test_a_gap_is_a_silence_and_not_the_usual_pause(call: Call, intervals: list[float], silence: float) -> None:
    epochs = [0.0]
    for interval in intervals:
        epochs.append(epochs[-1] + interval)
    body = "const s = new m.Series('number', 300); s.replace(x, x); return s.gap;"
    assert max(intervals) < call("series.js", body, epochs) < silence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (21.5, "21.5"),
        (21.456789, "21.46"),
        (-0.05, "-0.05"),
        (1234.5678, "1,234.6"),
        (98765.4, "98,765"),
        (1e15, "1.00e15"),
        (0.000012, "1.20e-5"),
    ],
)
def test_numbers_have_no_more_digits_than_one_can_use(call: Call, value: float, text: str) -> None:
    assert call("format.js", "return m.formatNumber(x);", value) == text


def test_ticks_on_an_axis_can_be_told_apart(call: Call) -> None:
    body = "return x.map(([tick, step]) => m.formatTick(tick, step));"
    ticks = [[84.075, 0.005], [84.07, 0.005], [1500, 250], [0.25, 0.25], [-5, 2.5], [20_000_000, 1_000_000]]
    assert call("format.js", body, ticks) == ["84.075", "84.070", "1,500", "0.25", "-5.0", "20,000,000"]


def test_ages_are_in_the_unit_one_thinks_in(call: Call) -> None:
    body = "return x.map(m.formatAgo);"
    ages = [-3, 2, 42, 600, 7200, 200_000]
    assert call("format.js", body, ages) == ["just now", "just now", "42 s ago", "10 min ago", "2 h ago", "2 d ago"]


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        (":house: Living room", "🏠 Living room"),
        ("cold :snowflake::snowman:!", "cold ❄️⛄!"),
        (":+1:", "👍"),
        (":no_such_thing:", ":no_such_thing:"),
        (":constructor: :__proto__:", ":constructor: :__proto__:"),
        ("a4:de:fr:10:100:ab", "a4:de:fr:10:100:ab"),
        ("12:100:30", "12:100:30"),
        ("été:beer:", "été:beer:"),
        ("::", "::"),
        ("<b>:beer:</b>", "<b>🍺</b>"),
    ],
)
def test_names_of_emoji_are_drawn_and_nothing_else_is_touched(call: Call, text: str, drawn: str) -> None:
    assert call("emoji.js", "return m.withEmoji(x);", text) == drawn


@pytest.mark.parametrize(
    ("width", "sizes", "columns"),
    [
        pytest.param(1384, [4, 4, 4], 4, id="four fields a device"),
        pytest.param(1384, [3, 3, 3], 3, id="three fields a device leave no hole"),
        pytest.param(1384, [2, 2, 2, 2], 4, id="two devices a row"),
        pytest.param(1384, [3, 1, 3, 1, 3, 1], 4, id="what fits fills the rests of earlier rows"),
        pytest.param(366, [3, 3], 1, id="a phone"),
    ],
)
def test_columns_are_chosen_so_that_rows_are_full(call: Call, width: int, sizes: list[int], columns: int) -> None:
    assert call("layout.js", "return m.columnsFor(...x);", [width, sizes]) == columns


def test_streams_are_grouped_by_device_in_natural_order(call: Call) -> None:
    body = """
        const { Stream } = await import("/static/js/stream.js");
        const streams = x.map((name) => new Stream(name, "number", "", 300));
        return m.groupByDevice(streams).map((g) => [g.device, g.streams.map((s) => s.field)]);"""
    names = ["press-10.b", "press-2.b", "uptime", "press-2.a", "a.b.c"]
    assert call("layout.js", body, names) == [
        ["", ["uptime"]],
        ["a.b", ["c"]],
        ["press-2", ["a", "b"]],
        ["press-10", ["b"]],
    ]


@pytest.mark.parametrize("hash_", ["", "#w=99y", "#w=5m&from=5&to=5", "#from=abc&to=7", "#from=-1&to=5", "#w"])
def test_a_hash_that_makes_no_sense_shows_the_live_window(call: Call, hash_: str) -> None:
    body = "const v = new m.Viewport(); v.readHash(x); return [v.window.id, v.live];"
    assert call("viewport.js", body, hash_) == ["5m", True]
