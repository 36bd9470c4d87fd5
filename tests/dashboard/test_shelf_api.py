"""The shelf's one request: every bucket with its rate and a small line of its most telling stream."""

import time

import pytest

from mqttbridge.dashboard.activity import Activity
from mqttbridge.dashboard.schemas import Buckets
from mqttbridge.dashboard.sparks import Sparks, most_telling
from mqttbridge.dashboard.store import SqliteStore
from mqttbridge.dashboard.store.model import Column, Kind, Latest, StreamInfo

NOW = 1_700_000_000.0


def stream(name, unit="", kind=Kind.NUMBER, age=10.0):
    return StreamInfo(name, kind, unit, Latest("text" if kind is Kind.TEXT else 1.5, NOW - age))


@pytest.mark.parametrize(
    ("streams", "chosen"),
    [
        ([stream("d1.battery", "%"), stream("d1.temperature", "°C"), stream("d1.linkquality")], "d1.temperature"),
        ([stream("a"), stream("z.power", "W")], "z.power"),
        ([stream("temperature", age=90_000), stream("flow")], "flow"),
        ([stream("log", kind=Kind.TEXT), stream("door", kind=Kind.BOOLEAN)], "door"),
        ([stream("b"), stream("a")], "a"),
    ],
)
def test_the_most_telling_stream_is_what_people_look_at_first(streams, chosen):
    assert most_telling(streams, NOW).stream == chosen


def test_a_bucket_of_texts_has_no_line():
    assert most_telling([stream("log", kind=Kind.TEXT)], NOW) is None


def test_buckets_come_with_their_rate_and_with_a_line_when_asked(served):
    now = time.time()
    served.push("home", *({"key": "t", "value": i, "epoch": now - 60 * (5 - i)} for i in range(5)))

    plain = served.get("/api/v1/buckets").json()["buckets"][0]
    answer = served.get("/api/v1/buckets?spark=0").json()
    Buckets.model_validate(answer)
    line = answer["buckets"][0]["spark"]

    assert "spark" not in plain
    assert plain["rate"] > 0
    assert (line["stream"], line["values"], line["value"]) == ("t", [0, 1, 2, 3, 4], 4)
    assert "spark" not in served.get(f"/api/v1/buckets?spark={line['made']}").json()["buckets"][0]
    assert served.get("/api/v1/buckets?spark=x").status_code == 400


def test_a_line_is_made_anew_when_there_is_something_new_and_not_at_each_request(tmp_path):
    clock = [NOW]
    store = SqliteStore(tmp_path, clock=lambda: clock[0])
    sparks = Sparks(store, lambda: clock[0])
    store.append([("b", "t", 1, NOW)])
    first = sparks.of(store.buckets(), 0)["b"]
    store.append([("b", "t", 2, NOW + 1)])

    assert sparks.of(store.buckets(), 0)["b"] is first
    clock[0] += 11
    assert sparks.of(store.buckets(), first["made"])["b"]["values"] == [1, 2]
    clock[0] += 11
    assert sparks.of(store.buckets(), first["made"] + 11) == {}
    store.close()


def test_a_shelf_of_many_buckets_fills_over_some_requests(tmp_path):
    store = SqliteStore(tmp_path, clock=lambda: NOW)
    sparks = Sparks(store, lambda: NOW)
    store.append([(f"b{i}", "t", 1, NOW) for i in range(100)])

    filled = [len(sparks.of(store.buckets(), 0)) for _ in range(3)]

    assert filled == [40, 80, 100]
    store.close()


def test_a_rate_is_of_the_last_minute():
    clock = [0.0]
    activity = Activity(lambda: clock[0])
    clock[0] = 100.0
    activity.note({("b", "s"): Column([1] * 120, [0] * 120), ("c", "s"): Column([1], [0])})

    assert activity.rates() == {"b": 2.0, "c": 1 / 60}
    clock[0] = 170.0
    assert activity.rates() == {}
