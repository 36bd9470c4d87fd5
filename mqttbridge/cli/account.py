"""What the commands that send events share: where to, and with which key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_URL: Final = "http://127.0.0.1:8080"


def url_option(*, default: str | None = DEFAULT_URL, shown: bool | str = True) -> Callable[[Command], Command]:
    """Adds `--url`, passed as `url`."""
    return click.option(
        "--url",
        metavar="URL",
        envvar="STREAMER_URL",
        default=default,
        show_default=shown,
        help="The server: a mqttbridge, or https://groker.init.st for Initial State ($STREAMER_URL).",
    )


def key_option(command: Command) -> Command:
    """Adds `--key`, passed as `key`; empty by default."""
    return click.option(
        "--key",
        metavar="KEY",
        envvar="STREAMER_ACCESS_KEY",
        default="",
        help="The access key, if the server asks for one; better by $STREAMER_ACCESS_KEY than for all to see.",
    )(command)
