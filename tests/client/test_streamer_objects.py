"""`log_object`: every kind of object becomes fields, all of them or none."""

import dataclasses
import threading
from collections import OrderedDict, UserDict, deque, namedtuple
from types import SimpleNamespace
from typing import NamedTuple

import psutil
import pydantic
import pytest

from mqttbridge.client.objects import fields_of
from tests.support.unsent import delivered


class Point(NamedTuple):
    x: float
    y: float


@dataclasses.dataclass
class Room:
    name: str
    climate: dict
    nothing: None = None


class Reading(pydantic.BaseModel):
    temperature: float
    inner: Point
    tags: list[str] = ["a", "b"]


class Attrs:
    """As the attrs library marks its classes."""

    __attrs_attrs__ = (SimpleNamespace(name="volts"), SimpleNamespace(name="amps"))

    def __init__(self):
        self.volts, self.amps = 230, 1.5


class Sensor:
    __slots__ = ("_bus", "depth", "unset")

    def __init__(self):
        self._bus, self.depth = threading.Lock(), 3

    @property
    def temperature(self):
        return 21.5

    @property
    def humidity(self):
        return 48

    def read(self):
        return 1


class Machine:
    limit = 10  # the class's own, not the object's

    def __init__(self):
        self.speed, self.lock, self.parts, self._secret = 7, threading.Lock(), {"a": 1}, "x"


@pytest.mark.parametrize(
    ("obj", "fields"),
    [
        ({"a": 1, "b": "two"}, [("dict_a", 1), ("dict_b", "two")]),
        ({1: True}, [("dict_1", True)]),
        ([1.5, "x"], [("list_0", 1.5), ("list_1", "x")]),
        ((1, 2), [("tuple_0", 1), ("tuple_1", 2)]),
        (deque([4]), [("deque_0", 4)]),
        (OrderedDict(a=1), [("OrderedDict_a", 1)]),
        (UserDict(a=1), [("UserDict_a", 1)]),
        (Point(1, 2), [("Point_x", 1), ("Point_y", 2)]),
        (namedtuple("Old", "a b")(1, 2), [("Old_a", 1), ("Old_b", 2)]),  # noqa: PYI024
        (
            {"a": {"b": {"c": 1}}, "list": [{"x": 1}, 2]},
            [("dict_a_b_c", 1), ("dict_list_0_x", 1), ("dict_list_1", 2)],
        ),
        (Room("hall", {"t": 20}), [("Room_name", "hall"), ("Room_climate_t", 20)]),
        (
            Reading(temperature=1, inner=Point(2, 3)),
            [
                ("Reading_temperature", 1.0),
                ("Reading_inner_x", 2),
                ("Reading_inner_y", 3),
                ("Reading_tags_0", "a"),
                ("Reading_tags_1", "b"),
            ],
        ),
        (Attrs(), [("Attrs_volts", 230), ("Attrs_amps", 1.5)]),
        (Sensor(), [("Sensor_humidity", 48), ("Sensor_temperature", 21.5), ("Sensor_depth", 3)]),
        (Machine(), [("Machine_speed", 7), ("Machine_parts_a", 1)]),
        ({"a": None}, []),
        ({}, []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_fields_of(obj, fields):
    assert fields_of(obj) == fields


@pytest.mark.parametrize(("prefix", "name"), [(None, "dict_a"), ("p", "p_a"), ("", "a")])
def test_a_prefix_replaces_the_name_of_the_class(prefix, name):
    assert fields_of({"a": 1}, prefix) == [(name, 1)]


@pytest.mark.parametrize("snapshot", [psutil.virtual_memory, psutil.cpu_times, psutil.disk_io_counters])
def test_what_psutil_returns_is_taken(make, api, snapshot):
    found = snapshot()
    with make(buffer_size=100) as streamer:
        streamer.log_object(found, key_prefix="")

    assert [stream for _, stream, _ in delivered(api)] == list(found._fields)
    assert len({event.epoch for event in api.events}) == 1


@pytest.mark.parametrize("value", [1, "text", None, b"bytes", True])
def test_a_bare_value_is_no_object(make, value):
    with pytest.raises(TypeError, match="`log` takes a value"):
        make().log_object(value)


@pytest.mark.parametrize(
    ("obj", "error", "words"),
    [
        ({"good": 1, "bad": float("nan")}, ValueError, "'dict_bad': nan"),
        ({"good": 1, "bad": object()}, TypeError, "'dict_bad': a object"),
        ({"k" * 260: 1}, ValueError, "a stream's name has 265"),
        (dict.fromkeys(map(str, range(1001)), 1), ValueError, "more than 1000 fields"),
    ],
    ids=["nan", "object", "name", "size"],
)
def test_one_bad_field_and_nothing_is_logged(make, obj, error, words):
    streamer = make()

    with pytest.raises(error, match=words):
        streamer.log_object(obj)
    assert not streamer.LogQueue


def test_an_object_that_holds_itself_is_refused():
    loop = {}
    loop["self"] = loop

    with pytest.raises(ValueError, match="does it hold itself"):
        fields_of(loop)


@pytest.mark.parametrize("innermost", [["x"], []])
def test_the_bound_on_fields_is_a_bound_on_the_work(innermost):
    billion_laughs = innermost
    for _ in range(9):
        billion_laughs = [billion_laughs] * 10

    with pytest.raises(ValueError, match="more than 1000 fields"):
        fields_of(billion_laughs)
