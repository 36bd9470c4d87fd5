"""Every answer a server can give, end to end: delivered, rejected and kept together are what was published."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.integration.conftest import NewBridge
from tests.support.configs import events_api, mqtt
from tests.support.fake_events_api import FakeEventsApi
from tests.support.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess, eventually
from tests.support.publishing import publish

pytestmark = pytest.mark.broker

MESSAGES = 30
ACCEPTED = (200, 204)
REFUSED = (400, 413, 422)
KEPT = (302, 401, 402, 403, 404, 408, 409, 425, 429, 500, 502, 503)


def _name(code: int) -> str:
    return f"answers-{code}"


def _settled(bridge: BridgeProcess, destination: str) -> tuple[int, int, int]:
    """(delivered, refused, kept) by the metrics."""
    names = ("events_delivered_total", "events_refused_total", "events_kept")
    delivered, refused, kept = (int(bridge.metric(name, destination=destination)) for name in names)
    return delivered, refused, kept


def test_each_answer_settles_as_the_table_says_and_no_destination_delays_another(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    with ExitStack() as stack:
        destinations = {}
        for code in (*ACCEPTED, *REFUSED, *KEPT):
            api = stack.enter_context(FakeEventsApi())
            api.always(code)
            destinations[_name(code)] = events_api(api.url, access_key=f"key {code}")
        bridge = stack.enter_context(new_bridge({"mqtt": mqtt(broker.url()), "destinations": destinations}))
        publish(broker.port(), [(f"plant/s{n}", str(n)) for n in range(MESSAGES)])

        expected = {_name(code): (MESSAGES, 0, 0) for code in ACCEPTED}
        expected |= {_name(code): (0, MESSAGES, 0) for code in REFUSED}
        expected |= {_name(code): (0, 0, MESSAGES) for code in KEPT}
        eventually(
            lambda: {name: _settled(bridge, name) for name in expected} == expected,
            what=f"settled as {expected}",
        )
        for name in map(_name, KEPT):
            state = bridge.metric("destination_state", destination=name, state="ok")
            assert state == 0, name


def test_one_event_that_is_refused_for_good_does_not_hold_up_the_others(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    with FakeEventsApi() as api:
        api.refuse_streams({"s13"})
        config = {"mqtt": mqtt(broker.url()), "destinations": {"cloud": events_api(api.url)}}
        with new_bridge(config) as bridge:
            publish(broker.port(), [(f"plant/s{n}", str(n)) for n in range(MESSAGES)])
            eventually(lambda: _settled(bridge, "cloud") == (MESSAGES - 1, 1, 0), what="all but one delivered")
            assert sorted(int(e.value) for e in api.events) == [n for n in range(MESSAGES) if n != 13]
            assert bridge.metric("rejected_total", reason="refused") == 1
