"""What tiles work out before they draw, called in a real browser: positions, periods, spreads, notes."""

import pytest

from tests.browser.test_page_modules import Call, call

pytestmark = pytest.mark.browser
__all__ = ["call"]


def test_a_position_is_two_numbers_on_earth(call: Call) -> None:
    texts = ["52.52,13.40", " -33.9 ; 151.2 ", "(1,2)", "1.5,2.5,120", "91,0", "0,181", "52.52", "1,234 kWh", "<img>,1"]
    body = "return x.map((text) => m.positionIn(text, 1)).map((p) => p && [p.latitude, p.longitude]);"

    assert call("tiles/positions.js", body, texts) == [
        [52.52, 13.4], [-33.9, 151.2], [1, 2], [1.5, 2.5], None, None, None, None, None,
    ]  # fmt: skip


def test_a_latitude_and_a_longitude_of_one_device_are_a_track(call: Call) -> None:
    body = """
        const stream = (device, field, epochs, values) =>
          ({ kind: "number", device, field, name: `${device}.${field}`, layer: { series: { epochs, values } } });
        return m.tracksOf([
          stream("car", "latitude", [1, 2, 3], [50, 51, 95]), stream("car", "longitude", [1.5, 3], [10, 12]),
          stream("bus", "lat", [1], [5]), stream("bus", "lon", [1], [6]), stream("bus", "speed", [1], [7]),
        ]).map(({ name, positions }) => [name, positions.map((p) => [p.epoch, p.latitude, p.longitude])]);"""

    # No longitude was known at 1, and 95 is no latitude.
    assert call("tiles/positions.js", body) == [["car", [[2, 51, 10]]], ["bus", [[1, 5, 6]]]]


def test_a_tile_is_chosen_by_what_the_device_says_before_the_name_and_the_unit(call: Call) -> None:
    streams = [
        ["number", "%", "level", "humidity"], ["number", "%", "state", "battery"], ["number", "", "total", "energy"],
        ["number", "kWh", "rate", "power"], ["number", "%", "battery", ""], ["boolean", "", "battery", "battery"],
        ["text", "", "mode", "enum"], ["text", "", "mode", ""], ["number", "", "n", "what_comes_next_year"],
    ]  # fmt: skip
    body = """
        return x.map(([kind, unit, field, deviceClass]) =>
          m.typesFor({ kind, unit, field, name: field, deviceClass, last: null })[0].type);"""

    assert call("tiles/registry.js", body, streams) == [
        "line", "liquid", "number", "line", "liquid", "state", "timeline", "log", "line",
    ]  # fmt: skip


def test_a_state_holds_until_the_next_word_and_a_number_only_for_its_usual_time(call: Call) -> None:
    body = """
        const stream = (kind, epochs, values, gap) => ({ kind, gap, layer: { series: { epochs, values } } });
        return [m.periods(stream("text", [0, 10, 20, 30], ["a", "a", "b", "b"]), [5, 40], 35),
          m.periods(stream("number", [0, 10, 60], [1, 1, 1], 20), [0, 100], 100)]
          .map((list) => list.map(({ from, to, value }) => [from, to, value]));"""

    text, number = call("tiles/timeline.js", body)
    assert text == [[5, 20, "a"], [20, 35, "b"]]
    assert number == [[0, 30, 1], [60, 80, 1]]


def test_a_histogram_counts_time_rather_than_points(call: Call) -> None:
    body = """
        const bins = m.spread({ epochs: [0, 1, 2, 3, 10], values: [1, 1, 1, 1, 2] }, [0, 20], 20, 1000);
        const shares = bins.filter(({ share }) => share > 0).map(({ from, share }) => [from, Number(share.toFixed(6))]);
        return [shares, bins.length <= 20, m.spread({ epochs: [], values: [] }, [0, 1], 1, 5)];"""

    assert call("tiles/histogram.js", body) == [[[1, 0.5], [2, 0.5]], True, []]


def test_a_note_becomes_elements_and_never_markup(call: Call) -> None:
    body = """
        const div = document.createElement("div");
        div.append(...m.markdown(x));
        return [div.innerHTML, div.querySelectorAll("script, img").length];"""
    text = (
        "# Title\n\nSome **bold** and *soft* `x < y` text\n"
        "with [a link](https://a.test/) [bad](javascript:alert(1))\n\n"
        "- one\n- <img src=x onerror=alert(1)>\n\n> quote\n\n```\n<script>\n```\n---\n1. first"
    )

    html, elements = call("markdown.js", body, text)

    assert elements == 0
    assert html == (
        "<h4>Title</h4><p>Some <strong>bold</strong> and <em>soft</em> <code>x &lt; y</code> text with "
        '<a href="https://a.test/" rel="noopener noreferrer" target="_blank">a link</a> [bad](javascript:alert(1))</p>'
        "<ul><li>one</li><li>&lt;img src=x onerror=alert(1)&gt;</li></ul><blockquote>quote</blockquote>"
        "<pre><code>&lt;script&gt;</code></pre><hr><ol><li>first</li></ol>"
    )


def test_what_is_written_for_a_control_is_the_value_it_reads_as(call: Call) -> None:
    body = "return x.map(m.meant);"

    assert call("tiles/controls.js", body, ["true", " false ", "21,5", "-3", "ON", "", "1e999"]) == [
        True, False, 21.5, -3, "ON", "", "1e999",
    ]  # fmt: skip


def test_the_worlds_file_is_read_into_shapes(call: Call) -> None:
    body = """
        const { land, borders } = await m.loadWorld();
        const ctx = document.createElement("canvas").getContext("2d");
        return [[52.5, 13.4], [-25, 135], [0, -30], [35, -150]]
          .map(([lat, lon]) => ctx.isPointInPath(land, ...m.project(lat, lon)))
          .concat(borders instanceof Path2D);"""

    assert call("tiles/world.js", body) == [True, True, False, False, True]
