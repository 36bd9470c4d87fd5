"""What the commands that listen to a broker share: its options, and hearing messages for a while."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from mqttbridge.cli.load import config_option, find_config, load_and_compile
from mqttbridge.cli.logging import setup_logging
from mqttbridge.cli.run import stop_on_signals
from mqttbridge.config.logs import LogConfig, LogLevel
from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.config.quantities import parse_duration
from mqttbridge.tools.recording import Recorded, recorded

Command = TypeVar("Command", bound=Callable[..., Any])

# How often a command that waits looks at the clock and at Ctrl-C.
_STEP_SECONDS: Final = 0.25


class DurationType(click.ParamType[float]):
    """`30s`, `5m`, `12h`; seconds to the command."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION: Final = DurationType()


@dataclass(frozen=True, slots=True)
class Listening:
    """What to listen to, and for how long (None: until Ctrl-C)."""

    config: Path | None
    broker: str | None
    filters: tuple[str, ...]
    seconds: float | None

    def mqtt(self) -> MqttConfig:
        """The broker, with user name and password where the configuration or the environment has them.

        Raises:
            ConfigError: what there is of a configuration cannot be used.
        """
        overrides = {"mqtt": {"url": self.broker}} if self.broker else {}
        loaded, _ = load_and_compile(find_config(self.config), os.environ, overrides)
        if loaded.mqtt is None:
            raise click.UsageError("the configuration has `mqtt: null`; name a broker with --broker")
        return loaded.mqtt

    def messages(self, mqtt: MqttConfig, role: str) -> Iterator[Recorded | None]:
        """Messages as they come, and None a few times a second, until the time is over or Ctrl-C.

        Raises:
            BrokerError: the broker cannot be listened to.
        """
        from mqttbridge.sources.listener import Listener  # noqa: PLC0415  # paho: only for who really listens

        setup_logging(LogConfig(level=LogLevel.WARNING))
        stop = threading.Event()
        stop_on_signals(stop)
        listener = Listener(mqtt, self.filters, role)
        try:
            listener.connect()
            ends = time.monotonic() + (float("inf") if self.seconds is None else self.seconds)
            while not stop.is_set() and (left := ends - time.monotonic()) > 0:
                messages = listener.hear(min(_STEP_SECONDS, left))
                now = time.time()
                for message in messages:
                    yield recorded(message, now)
                yield None
        finally:
            listener.close()


def listening_options(command: Command) -> Command:
    """Adds `-c`, `--broker`, `--topic` and `--for`, passed as `listening: Listening`."""

    @wraps(command)
    def with_listening(
        *, config: Path | None, broker: str | None, topic: tuple[str, ...], seconds: float | None, **others: Any
    ) -> None:
        command(listening=Listening(config, broker, topic or ("#",), seconds), **others)

    for option in (
        click.option("--for", "seconds", type=DURATION, help="How long, as in 60s or 5m; Ctrl-C ends it earlier."),
        click.option(
            "--topic", multiple=True, metavar="FILTER", help="What to listen to; may be repeated.  [default: #]"
        ),
        click.option(
            "--broker", metavar="URL", help="The broker, as in mqtt://localhost; wins over the configuration."
        ),
    ):
        with_listening = option(with_listening)
    return config_option(with_listening)  # type: ignore[return-value]  # click calls it by keyword
