"""The demonstration's broker: starts whichever is installed, carries the fleet, and goes when it is told."""

import json
import threading
import time

import paho.mqtt.client as mqtt
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from mqttbridge.demo import broker as broker_module
from mqttbridge.demo.broker import Broker, BrokerFailed
from mqttbridge.demo.fleet import devices, history
from mqttbridge.demo.publisher import Publisher


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request, tmp_path, monkeypatch):
    if request.param == "amqtt":
        monkeypatch.setattr(broker_module, "find_mosquitto", lambda: None)
    with Broker.start(tmp_path) as started:
        assert started.name.lower() == request.param
        yield started


class Subscriber:
    """Collects what arrives; `caught` is set once `count` messages have."""

    def __init__(self, broker, count):
        self.messages = []
        self.caught, self.subscribed = threading.Event(), threading.Event()
        self._count = count
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe("fleet/#", qos=1)
        self._client.loop_start()

    def _on_message(self, _client, _userdata, message):
        self.messages.append(message)
        if len(self.messages) == self._count:
            self.caught.set()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.broker
def test_the_fleet_s_history_and_present_reach_a_subscriber(broker):
    fleet = devices(20)
    since = int(time.time()) - 20
    expected = [(m.topic, m.payload) for m in history(fleet, since, since + 20)]
    failures = []
    subscriber = Subscriber(broker, count=len(expected) + 10)
    publisher = Publisher(broker.port, broker.protocol, fleet, since, on_failure=failures.append)
    try:
        assert subscriber.subscribed.wait(10)
        publisher.start()

        assert publisher.caught_up.wait(30)
        assert subscriber.caught.wait(30)
    finally:
        publisher.stop()
        subscriber.close()

    received = [(m.topic, m.payload) for m in subscriber.messages]
    assert not failures
    assert set(expected) <= set(received)
    availability = [payload for topic, payload in received if topic.endswith("/availability")]
    assert len(availability) >= 2
    assert set(availability) <= {b"online", b"offline"}
    times = [json.loads(payload)["ts"] for topic, payload in received if not topic.endswith("/availability")]
    assert times == sorted(times)


@pytest.mark.broker
def test_a_broker_leaves_no_process_behind(tmp_path):
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with Broker.start(tmp_path):
        running = [c for c in psutil.Process().children(recursive=True) if c.pid not in before]
        assert len(running) == 2

    _gone, alive = psutil.wait_procs(running, timeout=5)
    assert not alive


@pytest.mark.broker
def test_the_broker_listens_on_loopback_alone(broker):
    (daemon,) = psutil.Process(broker._process.pid).children()

    listening = [c.laddr.ip for c in daemon.net_connections("inet") if c.status == psutil.CONN_LISTEN]

    assert listening == ["127.0.0.1"]


@pytest.mark.broker
def test_a_broker_that_dies_says_with_what_code(broker):
    (daemon,) = psutil.Process(broker._process.pid).children()

    daemon.kill()

    assert f"the broker ({broker.name}) ended with code 137" in str(broker.wait())


def test_a_broker_that_does_not_start_says_why(tmp_path, monkeypatch):
    complaint = "import sys; sys.exit('no such option')"
    monkeypatch.setattr(
        broker_module, "_choose", lambda *_: ("Mosquitto", "5", [broker_module.sys.executable, "-c", complaint])
    )

    with pytest.raises(BrokerFailed, match="ended with code 1 while starting: no such option"):
        Broker.start(tmp_path)


def test_without_any_broker_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(broker_module, "find_mosquitto", lambda: None)
    monkeypatch.setattr(broker_module.importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(BrokerFailed, match=r"apt-get install mosquitto.*mqttbridge\[demo\]"):
        Broker.start(tmp_path)
