"""`mqttbridge record`: what is published, as JSON lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

import click

from mqttbridge.cli.listening import Listening, listening_options
from mqttbridge.cli.style import Progress, number
from mqttbridge.errors import FileError
from mqttbridge.tools.recording import Recorded, to_line


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@listening_options
@click.option("--count", type=click.IntRange(1), help="How many messages at most.")
@click.option("--force", is_flag=True, help="Write over FILE if it exists.")
def record(file: Path | None, listening: Listening, count: int | None, *, force: bool) -> None:
    """Write what is published as JSON lines, to FILE or standard output.

    Topic, payload (base64 where it is no text), QoS, retained flag and time of each message, for
    `mqttbridge explain --replay FILE`, `discover --replay` and `check --replay`. It listens in a session of its own:
    a running bridge is not disturbed.
    """
    messages = listening.messages(listening.mqtt(), "record")
    if file is None:
        _record(sys.stdout, messages, count)
        return
    if file.exists() and not force:
        raise FileError(f"{file} exists; give another name, or --force to write over it")
    messages = chain([next(messages, None)], messages)  # connected: no file is made for a broker that is not there
    try:
        with file.open("w", encoding="utf-8") as out:
            _record(out, messages, count)
    except OSError as error:
        raise FileError(f"cannot write {file}: {error.strerror}") from error


def _record(out: TextIO, messages: Iterator[Recorded | None], count: int | None) -> None:
    progress, written, began = Progress(), 0, time.monotonic()
    for message in messages:
        if message is not None:
            out.write(to_line(message) + "\n")
            written += 1
            if written == count:
                break
        else:
            out.flush()
            progress.show(f"{number(written, 'message')} in {time.monotonic() - began:.0f} s; Ctrl-C ends it")
    out.flush()
    progress.end()
    click.echo(f"{number(written, 'message')} recorded", err=True)
