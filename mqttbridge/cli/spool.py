"""`mqttbridge spool`: a look into the queue between the broker and the destinations."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path

import click

from mqttbridge.cli import EXIT_FAILURE, unsent
from mqttbridge.cli.load import find_config, load_and_compile
from mqttbridge.cli.rejected import SPOOL_FILE, data_dir_options
from mqttbridge.cli.style import number, say
from mqttbridge.spool.inspection import SpoolInspector


@click.group()
def spool() -> None:
    """See what waits to be delivered: in the bridge's queue, and in the files of Streamers.

    A look into the queue is read-only, so the bridge may run meanwhile.
    """
    logging.basicConfig(format="mqttbridge: %(message)s", level=logging.WARNING)


spool.add_command(unsent.replay)
spool.add_command(unsent.import_)


@spool.command()
@data_dir_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def stats(config: Path | None, data_dir: str | None, *, as_json: bool) -> None:
    """Say how much waits, for whom, and since when."""
    with _inspector(config, data_dir) as inspector:
        view = inspector.view()
    if as_json:
        waiting = {one.destination: one.events for one in view.waiting}
        click.echo(json.dumps({"rows": view.rows, "events": view.events, "bytes": view.bytes, "oldest": view.oldest,
                               "newest": view.newest, "rejected": view.rejected, "waiting": waiting}))  # fmt: skip
        return
    say(f"{number(view.events, 'event')} in {number(view.rows, 'row')}, {view.bytes / 2**20:.1f} MiB")
    for one in view.waiting:
        say(f"  {one.destination:<12} {number(one.events, 'event')} waiting")
    if view.oldest is not None:
        say(f"  oldest       {max(0.0, time.time() - view.oldest):,.0f} s ago")
    say(f"  rejected     {number(view.rejected, 'message')}; see `mqttbridge rejected ls`")


@spool.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_dir_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line; for a FILE.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many rows, oldest first.")
def ls(file: Path | None, config: Path | None, data_dir: str | None, *, as_json: bool, limit: int) -> None:
    """List the queue's oldest rows: each is what one commit held for the same destinations.

    With FILE: what a Streamer or `mqttbridge stream` left there, by address and bucket.
    """
    if file is not None:
        unsent.show(file, as_json=as_json)
        return
    with _inspector(config, data_dir) as inspector:
        for row in inspector.rows(limit):
            stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(row.created))
            to = ", ".join(row.destinations) or "every destination"
            first = f"{row.events[0][0]} / {row.events[0][1]}" if row.events else "nothing"
            say(f"{row.seq}  {stamp}  {number(len(row.events), 'event')} to {to}, first {first}")


@spool.command()
@data_dir_options
@click.pass_context
def verify(ctx: click.Context, config: Path | None, data_dir: str | None) -> None:
    """Read the whole file and say what is wrong with it; exit code 1 if something is."""
    with _inspector(config, data_dir) as inspector:
        faults, rows = inspector.faults(), inspector.view().rows
    for fault in faults:
        say(fault, fg="red")
    if faults:
        ctx.exit(EXIT_FAILURE)
    say(f"{number(rows, 'row')}: nothing is wrong")


@spool.command()
@data_dir_options
def export(config: Path | None, data_dir: str | None) -> None:
    """Print every event in the spool as one JSON object a line. Some may be delivered already."""
    with _inspector(config, data_dir) as inspector:
        for row in inspector.rows():
            for bucket, stream, value, epoch in row.events:
                event = {"bucket": bucket, "stream": stream, "value": value, "epoch": epoch}
                click.echo(json.dumps(event | {"to": row.destinations}, ensure_ascii=False))


def _inspector(config: Path | None, data_dir: str | None) -> SpoolInspector:
    overrides = {"data_dir": data_dir} if data_dir else {}
    loaded, _ = load_and_compile(find_config(config), os.environ, overrides)
    return SpoolInspector(Path(loaded.data_dir) / SPOOL_FILE)
