"""The demo's configuration takes everything that its fleet publishes, and no model is looser than it looks."""

import pytest

from mqttbridge.cli.load import load_and_compile
from mqttbridge.demo.config import TEMPLATE, write_config
from mqttbridge.demo.fleet import DAY, availability, devices, history
from mqttbridge.events import Reason, Rejected

NOW = 1_790_000_000


@pytest.fixture(scope="module")
def rulebook():
    return load_and_compile(TEMPLATE, {}, {})[1]


def events_of(rulebook, topic, payload):
    routes = rulebook.routes(topic.encode())
    assert len(routes) == 1, topic
    return routes[0].apply(payload, float(NOW))


def test_every_message_of_a_day_becomes_events_measured_when_it_was_sent(rulebook):
    for message in history(devices(), NOW - DAY, NOW):
        events = events_of(rulebook, message.topic, message.payload)

        assert not isinstance(events, Rejected), events
        assert {epoch for _bucket, _stream, _value, epoch in events} == {message.epoch}


def test_every_kind_of_value_is_on_show(rulebook):
    values = {
        stream: value
        for message in history(devices(), NOW - 60, NOW)
        for _bucket, stream, value, _epoch in events_of(rulebook, message.topic, message.payload)
    }

    assert {bool, int, float, str} <= {type(value) for value in values.values()}
    assert len(values) > 50
    assert values["lathe.state"] in {"running", "idle", "fault"}


def test_availability_is_a_stream_of_its_device(rulebook):
    cold_room = next(d for d in devices() if d.name == "cold-room")
    message = availability(cold_room, NOW)

    ((bucket, stream, value, epoch),) = events_of(rulebook, message.topic, message.payload)

    assert (bucket, stream, epoch) == ("brewery", "cold-room.availability", NOW)
    assert value == message.payload.decode()


def test_a_measurement_that_cannot_be_is_rejected(rulebook):
    rejected = events_of(rulebook, "fleet/brewery/cellar/climate", b'{"ts":1790000000,"temperature":99,"humidity":50}')

    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.VALIDATION
    assert "temperature" in rejected.detail


@pytest.mark.parametrize("directory", ["plain", 'with ${dollar} and "quotes" and: colon #'])
def test_the_written_configuration_has_this_runs_addresses(tmp_path, directory):
    (tmp_path / directory).mkdir()

    path = write_config(tmp_path / directory, "mqtt://127.0.0.1:50123", "3.1.1", 8090)

    config, _ = load_and_compile(path, {}, {})

    assert config.mqtt.url == "mqtt://127.0.0.1:50123"
    assert config.mqtt.protocol == "3.1.1"
    assert config.http.address == ("127.0.0.1", 8090)
    assert config.data_dir == str(tmp_path / directory / "data")
