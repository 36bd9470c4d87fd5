"""Controls on the page: a value goes to a stream and, where allowed, to a topic of the broker."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest

from mqttbridge.dashboard.controls_api import MAX_UNCONFIRMED
from mqttbridge.errors import BrokerError
from tests.support.dashboards import serve

PATH = "/api/v1/buckets/home/value"


class Broker:
    def __init__(self):
        self.published = []
        self.down = False
        self.confirms = threading.Event()
        self.confirms.set()

    def publish(self, topic, payload, qos, retain):
        assert self.confirms.wait(30)
        if self.down:
            raise BrokerError("no connection to the broker")
        self.published.append((topic, payload, qos, retain))


@pytest.fixture(scope="module")
def broker():
    return Broker()


@pytest.fixture(scope="module")
def served(tmp_path_factory, broker):
    http = {"publish_topics": ["home/+/set", "scenes/#"]}
    with serve(tmp_path_factory.mktemp("controls"), http, publish=broker.publish) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(served, broker):
    served.spool.events.clear()
    broker.published.clear()
    broker.down = False


def say(served, **said):
    return served.post(PATH, json=said)


@pytest.mark.parametrize("value", [True, False, 0, 21.5, -3, "boost", ""])
def test_a_value_of_each_kind_is_stored_as_what_it_is(served, value):
    assert say(served, stream="heater", value=value).status_code == 204

    ((bucket, stream, stored, _),) = served.spool.events
    assert (bucket, stream, stored, type(stored)) == ("home", "heater", value, type(value))


@pytest.mark.parametrize(
    ("value", "payload"), [(True, b"true"), (False, b"false"), (21.5, b"21.5"), (3, b"3"), ("grün", "grün".encode())]
)
def test_a_topic_that_is_allowed_gets_the_value_as_devices_read_it(served, broker, value, payload):
    assert say(served, stream="heater", value=value, topic="home/heater/set", retain=True).status_code == 204

    assert broker.published == [("home/heater/set", payload, 1, True)]
    assert len(served.spool.events) == 1


@pytest.mark.parametrize("topic", ["home/heater", "home/a/b/set", "other", "home/+/set", "#", "$SYS/x", "scenes/\0"])
def test_any_other_topic_is_refused_and_nothing_is_stored(served, broker, topic):
    answer = say(served, stream="heater", value=True, topic=topic)

    assert answer.status_code == 403
    assert "publish_topics" in answer.json()["error"]
    assert broker.published == []
    assert served.spool.events == []


def test_what_the_broker_does_not_take_is_not_stored_either(served, broker):
    broker.down = True

    answer = say(served, stream="heater", value=True, topic="scenes/evening")

    assert answer.status_code == 503
    assert "no connection to the broker" in answer.json()["error"]
    assert served.spool.events == []


def test_a_broker_that_confirms_nothing_holds_up_presses_alone_and_a_bounded_number_of_them(served, broker):
    broker.confirms.clear()
    with ThreadPoolExecutor(MAX_UNCONFIRMED + 1) as people:
        presses = [
            people.submit(say, served, stream="heater", value=n, topic="scenes/evening")
            for n in range(MAX_UNCONFIRMED + 1)
        ]
        (refused,) = wait(presses, 30, FIRST_COMPLETED).done
        assert refused.result().status_code == 503
        assert "has not confirmed" in refused.result().json()["error"]

        assert served.get("/api/v1/buckets").status_code == 200
        assert say(served, stream="heater", value=1).status_code == 204
        broker.confirms.set()

    assert sum(press.result().status_code == 204 for press in presses) == len(broker.published) == MAX_UNCONFIRMED


def test_a_full_spool_says_so(served):
    served.spool.full = True
    try:
        assert say(served, stream="heater", value=1).status_code == 503
    finally:
        served.spool.full = False


@pytest.mark.parametrize(
    "said",
    [
        {"value": 1},
        {"stream": "", "value": 1},
        {"stream": "s" * 1000, "value": 1},
        {"stream": "s"},
        {"stream": "s", "value": None},
        {"stream": "s", "value": [1]},
        {"stream": "s", "value": "x" * 3000},
        {"stream": "s", "value": 1, "topic": ""},
        {"stream": "s", "value": 1, "retain": "yes"},
        {"stream": "s", "value": 1, "else": 2},
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_wrong(served, said):
    answer = served.post(PATH, json=said)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert served.spool.events == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b'{"stream": "s", "value": NaN}'])
def test_a_body_that_is_no_such_object_is_refused(served, body):
    assert served.post(PATH, data=body).status_code == 400


def test_without_a_broker_there_is_nothing_to_publish_to(tmp_path):
    with serve(tmp_path, {"publish_topics": ["#"]}) as alone:
        answer = say(alone, stream="s", value=1, topic="a")

        assert answer.status_code == 409
        assert say(alone, stream="s", value=1).status_code == 204
