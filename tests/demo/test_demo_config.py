"""The demo's configuration takes everything that its fleet publishes, and no model is looser than it looks."""

import json
from pathlib import Path

import pytest
import requests

from mqttbridge.cli.load import load_and_compile
from mqttbridge.demo.config import TEMPLATE, write_config
from mqttbridge.demo.fleet import DAY, availability, devices, history
from mqttbridge.demo.weather import Recording, weather_server
from mqttbridge.events import Reason, Rejected

NOW = 1_790_000_000
OPENWEATHER = Path(__file__).parents[2] / "examples" / "openweather.yaml"


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
    assert config.sources == {}


def test_with_weather_it_polls_what_the_example_polls_and_makes_the_same_streams(tmp_path):
    path = write_config(tmp_path, "mqtt://127.0.0.1:50123", "5", 8090, "http://127.0.0.1:8091/data/2.5/weather")
    config, rulebook = load_and_compile(path, {}, {})
    example, examples_rulebook = load_and_compile(OPENWEATHER, {"OPENWEATHER_KEY": "any"}, {})
    source, recording = config.sources["weather"], Recording()

    assert source.url == "http://127.0.0.1:8091/data/2.5/weather"
    assert source.targets == example.sources["weather"].targets
    for city, query in source.targets.items():
        status, answer = recording.answer({"appid": "any", **query}, NOW)
        topic, payload = f"http/weather/{city}", json.dumps(answer).encode()
        events = events_of(rulebook, topic, payload)
        assert status == 200
        assert len(events) == 6
        assert events == events_of(examples_rulebook, topic, payload)
    assert load_and_compile(TEMPLATE, {}, {})[0].rules == config.rules[:-1]


def test_the_weather_is_asked_for_over_http():
    with weather_server() as url:
        answer = requests.get(url, params={"appid": "any", "q": "Fresno,US"}, timeout=10)
        assert answer.json()["name"] == "Fresno"
        assert requests.get(url.replace("weather", "forecast"), timeout=10).status_code == 404


def test_the_weather_changes_from_answer_to_answer_and_errors_are_the_originals():
    recording = Recording()

    def temperature(now):
        return recording.answer({"appid": "any", "q": "Fresno,US"}, now)[1]["main"]["temp"]

    assert len({temperature(NOW + 10 * n) for n in range(6)}) == 6
    assert temperature(NOW) == temperature(NOW + 24 * 60)  # a day of it takes 24 minutes
    assert recording.answer({"q": "Fresno"}, NOW)[0] == 401
    assert recording.answer({"appid": "any", "q": "Atlantis"}, NOW)[1]["cod"] == "404"
    assert recording.answer({"appid": "any"}, NOW)[1]["cod"] == "400"
