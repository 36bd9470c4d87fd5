"""Points go from the log into chunks with rollups, and no answer changes by it, however late and often they come."""

import math
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from mqttbridge.dashboard.store import SqliteStore, chunks, reading, sealing, tail
from mqttbridge.dashboard.store.rollup import HOUR
from mqttbridge.events import Position

NOW = 1_800_000_000.0
DAY = 86400.0


@pytest.fixture
def small(monkeypatch):
    """Sizes by which a test of some thousand points goes through all that happens to millions."""
    monkeypatch.setattr(tail, "GENERATION_BYTES", 2000)
    monkeypatch.setattr(chunks, "FULL", 64)
    monkeypatch.setattr(sealing, "FAN_IN", 4)
    monkeypatch.setattr(sealing, "LEAST_ROLLED", 8)
    monkeypatch.setattr(chunks, "PER_READ", 3)


def naive_cells(points, width):
    """What every cell holds, from a dict of the points: time in microseconds -> value."""
    cells = {}
    for time in sorted(points):
        if not isinstance(points[time], str):
            cells.setdefault(time // width * width, []).append(points[time])
    return {
        start: (len(values), min(values), max(values), math.fsum(values), values[0], values[-1])
        for start, values in cells.items()
    }


def cells_of(statistics):
    columns = (
        statistics.counts,
        statistics.minima,
        statistics.maxima,
        (pytest.approx(total, abs=1e-6) for total in statistics.sums),
        statistics.firsts,
        statistics.lasts,
    )
    return dict(zip(statistics.starts, zip(*columns, strict=True), strict=True))


def shuffled(luck, count, span):
    """Points of several paces over `span` seconds: mostly in order, some late, some twice with another value."""
    step = span / count
    points = [(NOW - span + n * step, round(luck.gauss(20, 5), 1)) for n in range(count)]
    for _ in range(count // 10):
        at = luck.randrange(count)
        points.insert(luck.randrange(at, min(count, at + luck.choice((5, 400)))), (points[at][0], luck.randint(0, 99)))
    for _ in range(count // 20):
        at = luck.randrange(count)
        points.insert(luck.randrange(at, count), (points[at][0] - step / 2, 7.5))
    return points


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from((300.0, 20_000.0, 9 * DAY)))
def test_statistics_and_rows_are_those_of_the_points_themselves(seed, span):
    luck = random.Random(seed)
    patch = pytest.MonkeyPatch()
    with tempfile.TemporaryDirectory() as directory, patch.context() as context:
        small.__wrapped__(context)
        store = SqliteStore(Path(directory) / "d", 28 * DAY, lambda: NOW)
        said = {"a": {}, "b": {}}
        events = []
        for stream in said:
            events += [("x", stream, value, time) for time, value in shuffled(luck, luck.randrange(20, 900), span)]
        if luck.random() < 0.5:
            luck.shuffle(events)
        while events:
            size = luck.randrange(1, 150)
            batch, events = events[:size], events[size:]
            store.append(batch, {}, Position(len(events), 0))
            for _, stream, value, time in batch:
                said[stream][int(time * 1e6 + 0.5)] = value
            if luck.random() < 0.03:
                store.close()
                store = SqliteStore(Path(directory) / "d", 28 * DAY, lambda: NOW)

        rows = [row for batch in store.rows("x", (), 0, NOW + 1) for row in batch]
        assert rows == sorted((time, stream, value) for stream in said for time, value in said[stream].items())
        for buckets in (7, 60, 700):
            for stream, statistics in store.statistics("x", (), NOW - 2 * span, NOW, buckets).items():
                assert cells_of(statistics) == naive_cells(said[stream], statistics.width)
        context.setattr(reading, "RAW_CHUNKS", 0)  # lines from rollups, where there are enough points
        for buckets in (5, 100):
            for stream, line in store.points("x", (), NOW - 2 * span, NOW, buckets).items():
                assert line.times == sorted(line.times)
                assert line.values[0] == said[stream][min(said[stream])]
                assert line.values[-1] == said[stream][max(said[stream])]
                assert min(line.values) == min(said[stream].values())
                assert max(line.values) == max(said[stream].values())
        store.close()


def test_a_year_is_drawn_without_reading_a_point(tmp_path, small, monkeypatch):
    store = SqliteStore(tmp_path / "d", 0.0, lambda: NOW)
    for week in range(52):
        start = NOW - 364 * DAY + week * 7 * DAY
        store.append([("b", "s", float(n % 50), start + n * 600) for n in range(1008)])
    for span in store.spans:
        span.seal_all()
    monkeypatch.setattr(reading, "RAW_CHUNKS", 1)
    loaded = []
    load = chunks.load
    monkeypatch.setattr(chunks, "load", lambda db, wanted: load(db, (loaded.append(one) or one for one in wanted)))

    line = store.points("b", ["s"], NOW - 364 * DAY, NOW, 100)["s"]
    statistics = store.statistics("b", ["s"], NOW - 364 * DAY, NOW, 400)["s"]

    assert (min(line.values), max(line.values)) == (0.0, 49.0)
    assert statistics.width == 24 * HOUR
    assert sum(statistics.counts) == 52 * 1008
    assert sum(chunk.points for chunk in loaded) < 1008  # the last ones, too few for a rollup
    store.close()


def test_sums_beyond_all_numbers_are_sealed_and_read_like_others(tmp_path):
    store = SqliteStore(tmp_path / "d", 0.0, lambda: NOW)
    most = 1.7e308
    store.append([("b", "both", most if n // 60 % 2 else -most, NOW - 7200 + n) for n in range(3600)])
    store.append([("b", "up", most, NOW - 7200 + n) for n in range(3600)])

    for span in store.spans:
        span.seal_all()

    for width in (7200, 30 * DAY):  # by minute, by hour
        found = store.statistics("b", (), NOW - width, NOW, 10)
        assert all(map(math.isfinite, found["both"].sums + found["up"].sums))
        assert max(found["up"].maxima) == most
        assert store.points("b", (), NOW - width, NOW, 10)["both"].times
    store.close()
