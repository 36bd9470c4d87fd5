"""`mqttbridge stream`: push what a pipe says."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, BinaryIO, Final, NoReturn

import click

from mqttbridge.cli import EXIT_FAILURE, EXIT_USAGE
from mqttbridge.cli.account import key_option, url_option
from mqttbridge.client.leftovers import DEFAULT_FILE
from mqttbridge.client.lines import MAX_LINE, LineReader, Reading, Unreadable
from mqttbridge.client.streamer import Streamer

# A pipe can wait: after so many events reading pauses until the server has them, or says that it takes none.
_AHEAD: Final = 5_000
_PROGRESS_SECONDS: Final = 0.5
_PROBLEMS_SHOWN: Final = 5


@click.command()
@click.option("--bucket", required=True, metavar="KEY", help="The bucket's key.")
@click.option("--name", default="", metavar="NAME", help="What the dashboard calls the bucket.")
@click.option("--stream", metavar="NAME", help="The stream, where lines are bare values; begins the fields' names.")
@click.option("--columns", is_flag=True, help="The first line names the streams, each other line has a value for each.")
@click.option("--skip", type=click.IntRange(min=0), default=0, metavar="LINES", help="Pass over the first lines.")
@url_option()
@key_option
@click.option("--spool", default=DEFAULT_FILE, show_default=True, metavar="FILE", help="Keeps what cannot be sent.")
@click.pass_context
def stream(
    ctx: click.Context, /, *, bucket: str, name: str, url: str, key: str, skip: int, spool: str, **lines: Any
) -> None:
    """Read values from standard input and push them to a dashboard.

    A line is a value (with --stream), `stream value`, a JSON object whose fields are streams, or an event
    `{"key": ..., "value": ..., "epoch": ...}`. Lines that are none of these are said and passed over.

    Exit codes: 0 all is delivered, 1 something is not (it is kept, see `mqttbridge spool`), 2 bad usage.
    """
    logging.basicConfig(format="mqttbridge: %(message)s", level=logging.WARNING)
    try:
        streamer = Streamer(name, bucket, key, url=url, spool=spool, offline=False, max_wait=1.0)
    except ValueError as error:
        click.echo(f"mqttbridge: {error}", err=True)
        ctx.exit(EXIT_USAGE)
    signal.signal(signal.SIGTERM, _interrupt)
    meter = _Meter(streamer)
    ahead = 0
    try:
        for readings in _read(sys.stdin.buffer, LineReader(**lines), meter, skip):
            for reading in readings:
                streamer.log(*reading)
            meter.update(len(readings))
            ahead += len(readings)
            if ahead >= _AHEAD:
                streamer.flush()
                ahead = 0
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    stats = streamer.close()
    meter.end()
    assert stats is not None  # noqa: S101  # for type checkers: this one is not offline
    summary = f"{stats.delivered:,} events delivered"
    summary += "".join(
        f", {count:,} {what}"
        for count, what in (
            (stats.kept, "kept"),
            (stats.refused, "refused"),
            (stats.dropped, "lost"),
            (meter.unreadable, "lines not understood"),
        )
        if count
    )
    click.echo(summary, err=True)
    ctx.exit(EXIT_FAILURE if stats.kept or stats.refused or stats.dropped else 0)


def _read(source: BinaryIO, reader: LineReader, meter: _Meter, skip: int) -> Iterator[Sequence[Reading]]:
    """The readings of each line. A line that is too long is passed over without being held in memory."""
    whole = True
    while line := source.readline(MAX_LINE + 1):
        begins, whole = whole, line.endswith(b"\n")
        if not begins:
            continue
        if skip:
            skip -= 1
            continue
        match found := reader.read(line):
            case Unreadable(why):
                meter.complain(why)
            case _:
                yield found


class _Meter:
    """What the user sees: progress on a terminal, and the first few lines that were not understood."""

    def __init__(self, streamer: Streamer) -> None:
        self.unreadable = self._events = 0
        self._streamer, self._shown, self._next = streamer, sys.stderr.isatty(), 0.0

    def update(self, events: int) -> None:
        self._events += events
        if self._shown and (now := time.monotonic()) >= self._next:
            self._next = now + _PROGRESS_SECONDS
            stats = self._streamer.stats()
            if stats is not None:
                trouble = f" ({stats.trouble})" if stats.trouble else ""
                text = f"{self._events:,} events, {stats.delivered:,} delivered{trouble}"
                click.echo(f"\r\033[K{text[:100]}", nl=False, err=True)

    def complain(self, why: str) -> None:
        self.unreadable += 1
        if self.unreadable <= _PROBLEMS_SHOWN:
            self.end()
            click.echo(f"mqttbridge: a line is passed over: {why}", err=True)
        if self.unreadable == _PROBLEMS_SHOWN:
            click.echo("mqttbridge: further ones are only counted", err=True)

    def end(self) -> None:
        """Leave the progress line."""
        if self._shown and self._events:
            click.echo("\r\033[K", nl=False, err=True)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
