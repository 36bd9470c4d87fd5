"""What everybody starts with: a paho client whose callback only counts. Runs until it is ended."""

from __future__ import annotations

import argparse
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--protocol", choices=("3.1.1", "5"), default="5")
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1)
    options = parser.parse_args()

    counted = 0

    def count(_client: object, _userdata: object, _message: object) -> None:
        nonlocal counted
        counted += 1

    version = mqtt.MQTTv5 if options.protocol == "5" else mqtt.MQTTv311
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="plain", protocol=version)

    def subscribe(*_: object) -> None:
        client.subscribe("fleet/#", options.qos)

    client.on_connect = subscribe
    client.on_message = count
    properties = None
    if options.protocol == "5":
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = 8192  # the bridge's own
    client.connect("127.0.0.1", options.port, properties=properties)
    client.loop_forever(retry_first_connection=False)
    sys.exit(0)


if __name__ == "__main__":
    main()
