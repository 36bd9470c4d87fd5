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
        (12.345, "12.345"),
        (48.137154, "48.137154"),
        (0.1 + 0.2, "0.3"),
        (21.200000762939453, "21.2"),
        (-0.05, "-0.05"),
        (0.0007, "0.0007"),
        (98765.4, "98,765.4"),
        (1795302317, "1,795,302,317"),
        (1e15, "1.00e15"),
        (0.000012, "1.20e-5"),
    ],
)
def test_numbers_have_the_digits_they_were_sent_with(call: Call, value: float, text: str) -> None:
    assert call("format.js", "return m.formatNumber(x);", value) == text


@pytest.mark.parametrize(
    ("decimals", "spread", "shown"),
    [
        pytest.param(3, 200, 3, id="what was chosen stays"),
        pytest.param(6, 0, 6, id="a place that does not move"),
        pytest.param(6, 0.004, 5, id="a place that moves"),
        pytest.param(6, 30, 2, id="a calculation's remains"),
    ],
)
def test_of_a_long_tail_as_many_decimals_are_shown_as_tell_values_apart(
    call: Call, decimals: int, spread: float, shown: int
) -> None:
    assert call("format.js", "return m.decimalsFor(...x);", [decimals, spread]) == shown


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
    assert call("emoji.js", "await m.fetchTable(); return m.withEmoji(x);", text) == drawn


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


def test_streams_are_grouped_by_device_in_natural_order_and_what_it_says_of_itself_comes_last(call: Call) -> None:
    body = """
        const { Stream } = await import("/static/js/stream.js");
        const streams = x.map((name) => new Stream(name, "number", "", 300));
        return m.groupByDevice(streams).map((g) => [g.device, g.streams.map((s) => s.field)]);"""
    names = ["press-10.b", "press-2.battery", "press-2.b", "uptime", "press-2.a", "a.b.c"]
    assert call("layout.js", body, names) == [
        ["", ["uptime"]],
        ["a.b", ["c"]],
        ["press-2", ["a", "b", "battery"]],
        ["press-10", ["b"]],
    ]


@pytest.mark.parametrize("hash_", ["", "#w=99y", "#w=5m&from=5&to=5", "#from=abc&to=7", "#from=-1&to=5", "#w"])
def test_a_hash_that_makes_no_sense_shows_the_live_window(call: Call, hash_: str) -> None:
    body = "const v = new m.Viewport(); v.readHash(x); return [v.window.id, v.live];"
    assert call("viewport.js", body, hash_) == ["5m", True]


def test_the_usual_pause_of_a_stream_is_that_between_its_bursts(call: Call) -> None:
    body = """
        const usual = (epochs, known) => {
          const rhythm = new m.Rhythm();
          rhythm.learn(known);
          for (const epoch of epochs) rhythm.hear(epoch);
          return rhythm.interval;
        };
        const every = (seconds, count) => Array.from({ length: count }, (_, i) => 1000 + i * seconds);
        return [usual(every(600, 9)), usual(every(0.025, 20)), usual(every(0.1, 900)), usual(every(0.025, 20), 600)];"""
    assert call("rhythm.js", body) == pytest.approx([600, 0, 5, 600], abs=0.2)


@pytest.mark.parametrize(
    ("streams", "window"),
    [
        pytest.param([], "5m", id="nothing known"),
        pytest.param([("number", 2, 5), ("number", 600, 660), ("number", 1, 2)], "5m", id="most speak often"),
        pytest.param([("number", 600, 300)] * 3 + [("number", 1, 2)], "1h", id="a home's sensors"),
        pytest.param([("number", 2, 7200)], "24h", id="silent for hours"),
        pytest.param([("number", None, 9e6)], "7d", id="silent for months"),
        pytest.param([("text", 3600, 9000), ("number", 2, 5)], "5m", id="texts do not count"),
    ],
)
def test_the_first_window_is_the_smallest_with_readings_in_most_charts(
    call: Call, streams: list[tuple[str, float | None, float]], window: str
) -> None:
    summaries = [
        {"kind": kind, "interval": interval, "last": {"value": 1, "epoch": 1e9 - ago}}
        for kind, interval, ago in streams
    ]
    assert call("viewport.js", "return m.windowFor(x, 1e9).id;", summaries) == window


def test_a_chatty_text_keeps_the_point_where_it_was_first_said(call: Call) -> None:
    body = """
        const s = new m.Series("text", 300);
        s.add([1, 2], ["idle", "heat"]);
        for (let t = 3; t < 5000; t++) { s.add([t], ["heat"]); s.trim(t - 300); }
        return [s.epochs[0], s.epochs[1], s.length < 300];"""
    assert call("series.js", body) == [1, 2, True]


LINE = """
    const { Stream } = await import("/static/js/stream.js");
    const stream = (epochs, values) => {
      const made = new Stream("s", "number", "", 300);
      made.live.series.replace(epochs, values);
      return made;
    };"""


def test_the_scale_holds_the_line_where_it_comes_in_and_goes_out(call: Call) -> None:
    body = f"""{LINE}
        const steady = stream([90, 100, 110, 120], [10, 0, 1, 5]);
        return [m.extentOf(steady, 95, 115), m.extentOf(steady, 121, 130), m.extentOf(steady, 80, 85)];"""
    assert call("charts/line.js", body) == [[0, 5], [5, 5], [None, None]]


def test_a_line_does_not_come_in_over_a_silence(call: Call) -> None:
    body = f"{LINE} return m.extentOf(stream([0, 1, 2, 3, 500, 501], [99, 99, 99, 99, 1, 2]), 400, 600);"
    assert call("charts/line.js", body) == [1, 2]


PATHS = """
    window.Path2D = class {
      said = "";
      moveTo(...to) { this.said += ` M${to.map(Math.round)}`; }
      lineTo(...to) { this.said += ` L${to.map(Math.round)}`; }
    };
    const plot = {
      bbox: { left: 0, top: 0, width: 100, height: 10 },
      scales: { x: { min: 0, max: 100 }, y: { min: -5, max: 5 } },
    };
    const series = (points) => ({ epochs: points.map(([at]) => at), values: points.map(([, value]) => value) });
    const draw = (points, gap) => {
      const { stroke, fill } = m.linePaths(plot, series(points), gap, true);
      return [stroke.said.trim(), fill.said.trim()];
    };
"""


def test_a_line_is_filled_to_zero_and_open_where_it_was_silent(call: Call) -> None:
    body = f"{PATHS} return draw([[10, 1], [11, 2], [90, -3]], 5);"
    assert call("charts/path.js", body) == ["M10,4 L11,3 M90,8", "M10,5 L10,4 L11,3 L11,5 M90,5 L90,8 L90,5"]


def test_of_the_points_in_one_column_of_pixels_the_line_shows_the_extremes_in_their_order(call: Call) -> None:
    body = f"{PATHS} return draw([[1, 0], [2, 0], [2.1, 4], [2.2, 1], [2.3, -4], [2.4, 0], [3, 1]], 5)[0];"
    assert call("charts/path.js", body) == "M1,5 L2,1 L2,9 L3,4"


GROWTH = """
        const ctx = document.createElement("canvas").getContext("2d");
        [ctx.canvas.width, ctx.canvas.height] = [100, 50];
        const pixel = (left, top) => ctx.getImageData(left, top, 1, 1).data[3];
        const s = new series.Series("number", 100);
        s.replace([10, 20], [5, 5]);
        const stream = { layer: { series: s, rollup: null }, gap: 30, get line() { return this.layer.series; } };
        const plot = {
          ctx, width: 100, height: 50, bbox: { left: 0, top: 0, width: 100, height: 50 }, data: [s.epochs, s.values],
          scales: { x: { min: 0, max: 25 }, y: { min: 0, max: 10 } },
          valToPos: (at, scale) => scale === "x" ? at : 50 - at * 5,
        };
        const growth = new m.Growth(stream, { stroke: "rgb(0, 0, 0)", width: 2, area: "rgba(0, 0, 0, 0.1)" });
        ctx.fillRect(2, 2, 4, 4);
        growth.finish(plot);"""


def growing(body: str) -> str:
    return f"const series = await import('/static/js/series.js'); {GROWTH} {body}"


def test_new_values_are_drawn_onto_what_stands_and_their_dot_moves_on(call: Call) -> None:
    body = """
        const dot = pixel(20, 23);
        s.add([40, 60], [5, 9]);
        return [dot, growth.draw(plot), pixel(3, 3), pixel(30, 25), pixel(60, 5), pixel(20, 23)];"""
    assert call("charts/growth.js", growing(body)) == [255, True, 255, 255, 255, 0]


@pytest.mark.parametrize(
    "news",
    [
        pytest.param("s.add([30], [11])", id="beyond the scale"),
        pytest.param("s.add([15], [5])", id="late"),
        pytest.param("s.add([20], [6])", id="corrected"),
        pytest.param("s.add([90], [5])", id="after a silence"),
        pytest.param("stream.layer = { series: new series.Series('number', 100), rollup: null }", id="another range"),
        pytest.param("for (let i = 0; i < 100; i++) s.add([21 + i / 100], [5])", id="many"),
    ],
)
def test_what_does_not_go_on_with_a_drawing_is_drawn_anew(call: Call, news: str) -> None:
    assert call("charts/growth.js", growing(f"{news}; return growth.draw(plot);")) is False


STANDING = """
        const { Stream } = await import("/static/js/stream.js");
        const root = document.createElement("div");
        root.style = "width: 400px; height: 160px; color: rgb(0, 90, 200)";
        document.body.append(root);
        const [stream, end] = [new Stream("t", "number", "", 300), 1_800_000_300];
        const value = (i) => Math.round(100 * (20 + 2 * Math.sin(i / 7))) / 100;
        const points = (from, to, step = 1) => {
          const epochs = Array.from({ length: Math.round((to - from) / step) }, (_, i) => end + from + i * step);
          return { epochs, values: epochs.map((epoch) => value(epoch - end)) };
        };
        stream.load(points(-300, -20), { boot: "b", seq: 1 });
        const handlers = { onZoom() {}, onReset() {}, onCursor() {}, knownUntil: () => end };
        const plot = m.linePlot(root, stream, handlers);
        const { ctx } = plot.uplot;
        let [seq, redrawn] = [1, 0];
        plot.uplot.hooks.draw.push(() => { redrawn++; });
        const paint = (at = 0) => {
          plot._newsAt = -Infinity;
          plot.paint([end - 300 + at, end + at]);
        };
        const hear = (news) => stream.receive(news, { boot: "b", seq: ++seq });
        const picture = () => ctx.getImageData(0, 0, ctx.canvas.width, ctx.canvas.height).data;
        // Where the edges of lines are softened otherwise is no difference that anybody sees.
        const drift = async () => {
          const stands = picture();
          const before = redrawn;
          plot.uplot.redraw();
          await new Promise(requestAnimationFrame);
          if (redrawn === before) throw new Error("nothing was redrawn");
          const anew = picture();
          let different = 0;
          for (let i = 3; i < anew.length; i += 4) different += Math.abs(anew[i] - stands[i]) > 100;
          return different;
        };
        paint();"""


def test_what_is_drawn_onto_a_picture_makes_the_picture_that_all_of_it_would(call: Call) -> None:
    body = f"""{STANDING}
        const drifts = [await drift()];
        redrawn = 0;
        for (let at = -20; at < -10; at += 0.5) {{ hear(points(at, at + 0.5, 0.5)); paint(); }}
        const drawnOnto = redrawn === 0;
        drifts.push(await drift());
        hear({{ epochs: [end + 40], values: [20] }}); // a device whose clock is ahead
        paint();
        drifts.push(await drift());
        stream.load(points(-300, -20, 0.15), {{ boot: "b", seq: ++seq }});
        paint();
        hear(points(-20, -2, 0.1)); // so many that they are thinned, and the clock moves before news are due
        plot._newsAt = Infinity;
        plot.paint([end - 299, end + 1]);
        hear({{ epochs: [end - 1], values: [20] }});
        paint(1);
        drifts.push(await drift());
        return [drawnOnto, drifts, plot.uplot.data[0] === stream.line.epochs];"""
    assert call("charts/line.js", body) == [True, [0, 0, 0, 0], True]


def test_while_the_page_is_scrolled_what_is_drawn_waits_until_it_is_still(call: Call) -> None:
    body = """
        document.body.style.height = "5000px";
        const root = document.createElement("div");
        root.style.height = "50px";
        document.body.append(root);
        let painted = () => {};
        let paints = 0;
        const tile = { root, shown: false, resized() {}, hide() {}, paint };
        function paint() { tile.shown = true; paints++; painted(); }
        const next = () => new Promise((resolve) => { painted = resolve; });
        new m.Painter().add(tile);
        await next();
        const [before, began] = [paints, performance.now()];
        for (let i = 1; i < 40; i++) {
          scrollTo(0, i);
          await new Promise(requestAnimationFrame);
        }
        const [during, seconds] = [paints - before, (performance.now() - began) / 1000];
        await next();
        return during <= seconds + 2;"""
    assert call("painter.js", body) is True


@pytest.mark.parametrize(
    ("least", "greatest", "decimals", "share"),
    [
        pytest.param(83.97, 83.98, 2, (0, 0.1), id="one step of the last digit is no cliff"),
        pytest.param(0.0001, 0.0007, 4, (0.25, 1), id="small numbers are not flat"),
        pytest.param(12.345, 12.350, 3, (0.2, 1), id="a meter that moves"),
        pytest.param(20, 24, 1, (0.7, 1), id="usual"),
    ],
)
def test_a_scale_fits_what_moves(
    call: Call, least: float, greatest: float, decimals: int, share: tuple[float, float]
) -> None:
    low, high = call("charts/line.js", "return m.yRange(...x);", [least, greatest, decimals])
    assert share[0] < (greatest - least) / (high - low) <= share[1]


def test_rejected_messages_are_counted_for_a_while_and_over_a_restart(call: Call) -> None:
    body = """
        const recently = new m.RecentlyRejected();
        return x.map(([count, minute]) => recently.count(count, minute * 60000));"""
    seen = [[7, 0], [7, 1], [9, 2], [9, 4], [9, 8], [2, 9], [3, 10]]
    assert call("views/bridge-notice.js", body, seen) == [0, 0, 2, 2, 0, 2, 3]


def test_a_text_is_found_by_its_path_with_its_values_and_in_its_plural_form(call: Call) -> None:
    body = """
        const { en } = await import("/static/texts/en.js");
        en.probe = { plain: "from {from} to {to}", many: { one: "{count} stream", other: "{count} streams" } };
        return [m.t("probe.plain", { from: 1, to: "2" }), m.t("probe.many", { count: 1 }),
          m.t("probe.many", { count: 0 }), m.t("probe.missing"), m.t("probe.plain", { from: "{to}" })];"""
    assert call("i18n.js", body) == ["from 1 to 2", "1 stream", "0 streams", "probe.missing", "from {to} to {to}"]


GRID = """
    const tile = (id, x, y, w, h) => ({ id, x, y, w, h });
    const show = (tiles) => Object.fromEntries(tiles.map(({ id, x, y, w, h }) => [id, [x, y, w, h]]));
"""


def test_tiles_without_a_place_come_after_the_last_and_none_overlap(call: Call) -> None:
    body = GRID + "return show(m.arrange([tile('a', 0, 4, 6, 3), tile('b', 3, 1, 6, 2), tile('c', null, null, 4, 3)]));"
    assert call("board/grid.js", body) == {"b": [3, 0, 6, 2], "a": [0, 2, 6, 3], "c": [6, 2, 4, 3]}


def test_a_tile_that_is_moved_pushes_what_is_in_its_way_down(call: Call) -> None:
    board = "const all = [tile('a', 0, 0, 4, 3), tile('b', 4, 0, 4, 3), tile('c', 4, 3, 4, 3)];"
    body = (
        GRID
        + board
        + "return [show(m.move(all, 'a', 4, 0)), show(m.move(all, 'a', 99, -5)), show(m.move(all, 'c', 4, 0))];"
    )
    assert call("board/grid.js", body) == [
        {"a": [4, 0, 4, 3], "b": [4, 3, 4, 3], "c": [4, 6, 4, 3]},
        {"b": [4, 0, 4, 3], "a": [8, 0, 4, 3], "c": [4, 3, 4, 3]},
        {"a": [0, 0, 4, 3], "c": [4, 0, 4, 3], "b": [4, 3, 4, 3]},
    ]


def test_a_tile_keeps_its_least_size_and_stays_on_the_board(call: Call) -> None:
    body = (
        GRID
        + """
        const all = [tile('a', 8, 0, 3, 3)];
        const size = { minW: 2, minH: 2 };
        return [show(m.resize(all, 'a', 9, 1, size)), show(m.resize(all, 'a', 0, 900, size))];"""
    )
    assert call("board/grid.js", body) == [{"a": [8, 0, 4, 2]}, {"a": [8, 0, 2, 100]}]


def test_reading_order_is_changed_one_by_one(call: Call) -> None:
    body = (
        GRID
        + """
        const all = [tile('a', 0, 0, 6, 3), tile('b', 6, 0, 6, 3), tile('c', 0, 3, 12, 2)];
        const ids = (tiles) => tiles.map(({ id }) => id).join('');
        return [ids(m.reorder(all, 'b', -1)), ids(m.reorder(all, 'c', -1)), ids(m.reorder(all, 'a', 1)),
          ids(m.reorder(all, 'a', -1)), ids(m.reorder(all, 'c', 1))];"""
    )
    moved = call("board/grid.js", body)
    assert moved == ["bac", moved[1], "bac", "abc", "abc"]
    assert moved[1].index("c") < moved[1].index("b")


def test_whatever_is_moved_no_two_tiles_overlap_and_no_room_is_left_above(call: Call) -> None:
    body = (
        GRID
        + """
        let seed = 7;
        const random = (most) => (seed = (seed * 48271) % 2147483647) % most;
        const some = (_, i) => tile(String(i), null, null, 1 + random(6), 1 + random(4));
        let all = m.arrange(Array.from({ length: 30 }, some));
        const problems = [];
        for (let step = 0; step < 300; step++) {
          const id = String(random(30));
          all = step % 3 ? m.move(all, id, random(12), random(20))
            : step % 2 ? m.reorder(all, id, 1) : m.resize(all, id, 1 + random(12), 1 + random(5), { minW: 1, minH: 1 });
          for (const a of all) {
            if (a.x < 0 || a.x + a.w > 12) problems.push([step, a.id, "outside"]);
            const others = all.filter((b) => b !== a && b.x < a.x + a.w && a.x < b.x + b.w);
            if (others.some((b) => a.y < b.y + b.h && b.y < a.y + a.h)) problems.push([step, a.id, "over another"]);
            if (a.y > 0 && !others.some((b) => b.y + b.h === a.y)) problems.push([step, a.id, "room above"]);
          }
        }
        return [all.length, problems];"""
    )
    assert call("board/grid.js", body) == [30, []]


@pytest.mark.parametrize(
    ("hash_", "window", "reach"),
    [
        pytest.param("#from=-6h", "6h", None, id="a window of any length"),
        pytest.param("#w=90m", "90m", None, id="by its name"),
        pytest.param("#from=-6h&to=now", "6h", None, id="up to now"),
        pytest.param("#from=-6h&to=-1h", "5m", 5 * 3600, id="relative to now"),
        pytest.param("#w=1h&from=2026-01-02T03:04:05Z&to=2026-01-02T03:05:05%2B00:00", "1h", 60, id="ISO 8601"),
        pytest.param("#from=1767225600&to=1767225601.5", "5m", 1.5, id="epoch seconds"),
        pytest.param("#from=-1h&to=-6h", "5m", None, id="the wrong way round"),
        pytest.param("#from=-200y&to=-100y", "5m", None, id="longer than anything"),
    ],
)
def test_a_hash_names_a_window_or_a_range(call: Call, hash_: str, window: str, reach: float | None) -> None:
    body = """
        const v = new m.Viewport();
        v.readHash(x);
        const again = new m.Viewport();
        again.readHash(v.toHash());
        const length = ({ range }) => range && range[1] - range[0];
        return [v.window.id, length(v), again.window.id, length(again)];"""
    assert call("viewport.js", body, hash_) == [window, pytest.approx(reach), window, pytest.approx(reach)]


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "-6", "-6x", "25:00", "1e99", "2026-01-02T99:99:99Z", "-99999y"]
)
def test_what_is_no_time_is_none(call: Call, text: str) -> None:
    assert call("moment.js", "return m.parseMoment(x, 1767225600);", text) is None


def test_times_are_read_and_written_by_the_clock_that_is_chosen(call: Call) -> None:
    body = """
        const { chooseZone } = await import("/static/js/zone.js");
        const { formatTime } = await import("/static/js/format.js");
        const said = [];
        for (const zone of x) {
          said.push(chooseZone("other", zone));
          for (const text of ["2026-03-29 01:59:59", "2026-03-29 03:00", "2026-10-25 12:00", "12:00"]) {
            const { at } = m.parseMoment(text, 1767225600);
            said.push(m.writeMoment(at) + " " + new Date(at * 1000).toISOString().slice(5, 16) + " " + formatTime(at));
          }
        }
        return said;"""
    assert call("moment.js", body, ["Europe/Berlin", "America/New_York", "Nowhere/Land"]) == [
        True,
        "2026-03-29 01:59:59 03-29T00:59 01:59:59",
        "2026-03-29 03:00:00 03-29T01:00 03:00:00",
        "2026-10-25 12:00:00 10-25T11:00 12:00:00",
        "2026-01-01 12:00:00 01-01T11:00 12:00:00",
        True,
        "2026-03-29 01:59:59 03-29T05:59 01:59:59",
        "2026-03-29 03:00:00 03-29T07:00 03:00:00",
        "2026-10-25 12:00:00 10-25T16:00 12:00:00",
        "2025-12-31 12:00:00 12-31T17:00 12:00:00",
        False,
        "2026-03-29 01:59:59 03-29T05:59 01:59:59",
        "2026-03-29 03:00:00 03-29T07:00 03:00:00",
        "2026-10-25 12:00:00 10-25T16:00 12:00:00",
        "2025-12-31 12:00:00 12-31T17:00 12:00:00",
    ]


def test_lengths_of_time_are_said_in_two_words_at_most(call: Call) -> None:
    lengths = [0.25, 9.876, 59, 60, 3600, 3661, 90_000, 86_460]
    said = ["0.25 s", "9.88 s", "59 s", "1 min", "1 h", "1 h 1 min", "1 d 1 h", "1 d"]
    assert call("moment.js", "return x.map(m.readDuration);", lengths) == said


def test_waves_keep_the_order_they_were_given(call: Call) -> None:
    body = """
        const streams = x.map((name) => ({ name }));
        const order = new m.Order("b");
        order.move(streams, streams[2], -1);
        order.move(order.of(streams), streams[0], -1);
        const names = (o, list) => o.of(list).map(({ name }) => name).join("");
        const more = [{ name: "0" }, ...streams];
        return [names(order, streams), names(new m.Order("b"), more), names(new m.Order("c"), streams)];"""
    assert call("waves/order.js", body, ["a", "b", "c"]) == ["acb", "acb0", "abc"]


def test_a_small_line_is_open_where_nothing_came_and_a_state_holds_until_the_next(call: Call) -> None:
    body = "return m.sparkPath(x.xs, x.ys, [0, 100], x.how);"
    line = call("charts/spark.js", body, {"xs": [0, 10, 90], "ys": [0, 1, 0], "how": {"gap": 20}})
    state = call("charts/spark.js", body, {"xs": [0, 50], "ys": [0, 1], "how": {"steps": True}})

    assert line == "M0.0 26.0h0.01L10.0 2.0M90.0 26.0h0.01"
    assert state == "M0.0 26.0h0.01H50.0V2.0H100"


def test_what_a_clock_ahead_of_ours_stamped_is_in_the_future(call: Call) -> None:
    assert call("format.js", "return [30, -30, -90].map(m.formatAgo);") == ["30 s ago", "just now", "in the future"]


@pytest.mark.parametrize(
    ("stream", "device_class", "said"),
    [
        pytest.param("door.open", "", ["open", "closed"], id="by its name"),
        pytest.param("hall.contact", "window", ["open", "closed"], id="by what its device says"),
        pytest.param("yard.motion", "", ["detected", "clear"], id="motion"),
        pytest.param("pump.running", "problem", ["on", "off"], id="a device knows better than a name"),
        pytest.param("reopen", "", ["on", "off"], id="part of a word is no name"),
    ],
)
def test_on_and_off_are_said_as_people_say_them(call: Call, stream: str, device_class: str, said: list[str]) -> None:
    body = "return [true, false].map((value) => m.sayState(value, {name: x[0], deviceClass: x[1]}));"
    assert call("said.js", body, [stream, device_class]) == said


@pytest.mark.parametrize(("columns", "width"), [(1, 4), (3, 4), (4, 3), (6, 3)])
def test_to_begin_to_arrange_keeps_the_width_of_the_tiles_on_view(call: Call, columns: int, width: int) -> None:
    body = """
        const { Stream } = await import("/static/js/stream.js");
        const names = ["a.battery", "a.temperature", "b.open"];
        const streams = new Map(names.map((name) => [name, new Stream(name, "number", "%", 300)]));
        const arrangement = new m.Arrangement({ bucket: "b", streams });
        arrangement.noteColumns(x);
        return arrangement.tiles().map(({ w, h, streams: [name] }) => [name, w, h]);"""
    names = ["a.temperature", "a.battery", "b.open"]
    assert call("board/arrangement.js", body, columns) == [[name, width, 3] for name in names]
