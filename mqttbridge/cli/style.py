"""How results look: colours on a terminal alone, and nothing from the network that could steer it."""

from __future__ import annotations

import sys
from typing import Any

import click

from mqttbridge.cli.logging import single_line


def say(text: str = "", **style: Any) -> None:
    """One line of a result; click leaves the colours out where the output is no terminal."""
    click.echo(click.style(single_line(text), **style) if style else single_line(text))


def number(count: float, what: str) -> str:
    """`1 message`, `2,500 messages`."""
    return f"{count:,.0f} {what}{'' if count == 1 else 's'}"


class Progress:
    """One line on stderr that is written over and over, on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()
        self._width = 0

    def show(self, text: str) -> None:
        if self._shows:
            text = single_line(text)[:100]
            click.echo("\r" + text.ljust(self._width), nl=False, err=True)
            self._width = len(text)

    def end(self) -> None:
        """Clear the line."""
        if self._shows and self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)
            self._width = 0
