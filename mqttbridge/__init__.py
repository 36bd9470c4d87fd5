"""mqttbridge: from any MQTT broker to a live dashboard, in one command, losing nothing."""

__version__ = "0.1.0"
