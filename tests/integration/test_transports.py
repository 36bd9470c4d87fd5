"""The bridge against Mosquitto over every transport it offers, in both protocol versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import NewBridge
from tests.support.configs import mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually
from tests.support.publishing import publish
from tests.support.tls import Certificates, issue

pytestmark = pytest.mark.broker

# More than the bridge's window at the broker (20 for MQTT 3.1.1), so that it has to be refilled again and again.
MESSAGES = 500
SCHEMES = ("mqtt", "mqtts", "ws", "wss")


@pytest.fixture(scope="module")
def every_transport(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Mosquitto]:
    directory = tmp_path_factory.mktemp("every_transport")
    with Mosquitto(directory, schemes=SCHEMES, certificates=certificates) as broker:
        yield broker


@pytest.fixture(scope="module")
def mutual_tls(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Mosquitto]:
    directory = tmp_path_factory.mktemp("mutual_tls")
    with Mosquitto(directory, schemes=("mqtt", "mqtts"), certificates=certificates, require_certificate=True) as broker:
        yield broker


def _everything_arrives(bridge_settings: dict, broker: Mosquitto, new_bridge: NewBridge) -> None:
    published = {f"s{n}": n * 0.5 for n in range(MESSAGES)}
    with new_bridge({"mqtt": bridge_settings}) as bridge:
        publish(broker.port(), ((f"plant/{stream}", str(value)) for stream, value in published.items()))
        eventually(lambda: len(bridge.last_values("plant")) == MESSAGES, what="every stream is there")
        assert bridge.last_values("plant") == published
        assert bridge.metric("rejected_total") == 0


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_published_message_arrives(
    scheme: str, protocol: str, every_transport: Mosquitto, certificates: Certificates, new_bridge: NewBridge
) -> None:
    settings = mqtt(
        every_transport.url(scheme),
        client_id=f"{scheme} {protocol}",
        protocol=protocol,
        **({"tls": {"ca_file": str(certificates.ca)}} if scheme in {"mqtts", "wss"} else {}),
    )
    _everything_arrives(settings, every_transport, new_bridge)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_every_published_message_arrives_where_the_broker_asks_for_our_certificate(
    protocol: str, mutual_tls: Mosquitto, certificates: Certificates, new_bridge: NewBridge
) -> None:
    tls = {
        "ca_file": str(certificates.ca),
        "cert_file": str(certificates.client_cert),
        "key_file": str(certificates.client_key),
    }
    settings = mqtt(mutual_tls.url("mqtts"), client_id=f"mutual {protocol}", protocol=protocol, tls=tls)
    _everything_arrives(settings, mutual_tls, new_bridge)


def test_a_broker_certified_by_somebody_else_is_refused_with_the_reason(
    every_transport: Mosquitto, certificates: Certificates, new_bridge: NewBridge
) -> None:
    tls = {"ca_file": str(certificates.other_ca)}
    bridge = new_bridge({"mqtt": mqtt(every_transport.url("mqtts"), tls=tls)})
    bridge.spawn()
    eventually(lambda: bridge.unready("certificate"), what="/readyz names the certificate")
    assert "certificate was not accepted: self-signed certificate in certificate chain" in bridge.log()
    assert "Traceback" not in bridge.log()


def test_a_certificate_for_another_host_is_refused_with_the_reason(tmp_path: Path, new_bridge: NewBridge) -> None:
    elsewhere = issue(tmp_path, server=("elsewhere.example",))
    with Mosquitto(tmp_path / "broker", schemes=("mqtts",), certificates=elsewhere) as broker:
        bridge = new_bridge({"mqtt": mqtt(broker.url("mqtts"), tls={"ca_file": str(elsewhere.ca)})})
        bridge.spawn()
        eventually(lambda: bridge.unready("hostname mismatch"), what="/readyz names the mismatch")
        assert "hostname mismatch" in bridge.log().lower()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_wrong_password_is_said_and_tried_again(
    protocol: str, tmp_path_factory: pytest.TempPathFactory, new_bridge: NewBridge
) -> None:
    with Mosquitto(tmp_path_factory.mktemp("passwords"), users={"bridge": "right"}) as broker:
        bridge = new_bridge({"mqtt": mqtt(broker.url(), protocol=protocol, username="bridge", password="not the one")})
        bridge.spawn()
        eventually(lambda: bridge.unready("authori"), what="/readyz says not authorized")
        refused = broker.log().count("not authorised")
        eventually(lambda: broker.log().count("not authorised") > refused + 2, what="tried again")
        assert "authori" in bridge.log()
        assert "not the one" not in bridge.log()
