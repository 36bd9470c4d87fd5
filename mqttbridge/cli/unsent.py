"""`mqttbridge spool replay` and `import`: the files in which Streamers keep what they could not send."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

import click

from mqttbridge.cli import EXIT_FAILURE, EXIT_USAGE
from mqttbridge.cli.account import DEFAULT_URL, key_option, url_option
from mqttbridge.cli.logging import single_line
from mqttbridge.client.leftovers import DEFAULT_FILE, Leftovers, Sender
from mqttbridge.client.missed import read_missed
from mqttbridge.client.parcels import Bucket
from mqttbridge.client.posting import EventsApi
from mqttbridge.client.shipping import Shipper
from mqttbridge.client.values import bucket_key, bucket_name

_EXISTING: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHOWN: Final = 5


def show(file: Path, *, as_json: bool) -> None:
    """Say what is in a Streamer's file, by address and bucket."""
    for kept in Leftovers(file).summary():
        if as_json:
            found = {"url": kept.base, "bucket": kept.bucket.key, "name": kept.bucket.name, "waiting": kept.events}
            click.echo(json.dumps(found | {"refused": kept.refused, "why": kept.last_refusal}))
            continue
        click.echo(f"{single_line(kept.bucket.key)} to {kept.base}: {kept.events:,} waiting, {kept.refused:,} refused")
        if kept.last_refusal:
            click.echo(f"    {single_line(kept.last_refusal)}")


@click.command()
@click.argument("file", type=_EXISTING, default=DEFAULT_FILE)
@url_option(default=None, shown="the one in FILE")
@key_option
@click.option("--all", "everything", is_flag=True, help="Also what was meant for another address or key.")
@click.option("--refused", is_flag=True, help="Try what was refused once more.")
@click.option("--timeout", type=click.FloatRange(min=0), default=3600.0, show_default=True, help="Seconds at most.")
@click.pass_context
def replay(
    ctx: click.Context, file: Path, url: str | None, key: str, *, everything: bool, refused: bool, timeout: float
) -> None:
    """Send what waits in FILE.

    Each event is sent with the time at which it was logged. What does not get through stays in the file.

    Exit codes: 0 all is delivered, 1 something is left, 2 bad usage.
    """
    leftovers = Leftovers(file)
    found = leftovers.summary()
    bases = list(dict.fromkeys(kept.base for kept in found))
    if url is None and len(bases) > 1:
        raise click.UsageError(f"{file} holds events for several addresses, name one by --url: {', '.join(bases)}")
    api = _api(url or next(iter(bases), DEFAULT_URL), key)
    sender = Sender(api.base, api.account)
    if refused:
        leftovers.retry_refused(sender)
    if everything:
        leftovers.hand_over(sender)
    shipper = Shipper(api, leftovers, buffer_size=1, max_wait=0.0, max_pending=1)
    shipper.start()
    stats = shipper.close(timeout)
    left = Leftovers(file).summary()
    others = sum(kept.events for kept in left if kept.account != api.account)
    click.echo(f"{stats.delivered:,} events delivered")
    if stats.kept:
        click.echo(f"{stats.kept:,} are left ({stats.trouble or 'another process is sending them'})", err=True)
    if others:
        click.echo(f"{others:,} are meant for another address or key: --all sends them, too", err=True)
    if stats.refused:
        click.echo(f"{stats.refused:,} were refused: `mqttbridge spool ls {file}` says why", err=True)
    ctx.exit(EXIT_FAILURE if stats.kept or others or stats.refused else 0)


@click.command("import")
@click.argument("missed", type=_EXISTING)
@click.option("--bucket", metavar="KEY", help="Whose events they are; by default the only bucket that MISSED names.")
@click.option("--name", default="", metavar="NAME", help="What the dashboard calls the bucket.")
@click.option("--into", default=DEFAULT_FILE, show_default=True, metavar="FILE", type=click.Path(path_type=Path))
@url_option()
@key_option
@click.pass_context
def import_(
    ctx: click.Context, /, missed: Path, *, bucket: str | None, name: str, into: Path, url: str, key: str
) -> None:
    """Take over what ISStreamer left: its err_missed_events.txt, or the CSV file of its offline mode.

    The events are put into FILE, from where the next Streamer with this address and key, or
    `mqttbridge spool replay`, sends them. MISSED stays as it is; to import it again does no harm, since an event of
    the same stream and time is the same event.
    """
    found = read_missed(missed)
    if bucket is None and len(found.buckets) != 1:
        raise click.UsageError(f"{missed} does not say whose events they are: name the bucket by --bucket")
    try:
        only = next(iter(found.buckets.values()), Bucket("", ""))
        target = Bucket(bucket_key(bucket), bucket_name(name)) if bucket else only
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    api = _api(url, key)
    parcels = list(found.parcels(target, time.time()))
    if parcels:
        leftovers = Leftovers(into)
        leftovers.add(Sender(api.base, api.account), parcels)
        leftovers.close()
    for line, what in found.problems[:_SHOWN]:
        click.echo(f"{missed}:{line}: {single_line(what)}", err=True)
    click.echo(f"{len(found.events):,} events of bucket {target.key!r} are in {into}")
    if found.unreadable:
        click.echo(f"{found.unreadable:,} could not be read", err=True)
        ctx.exit(EXIT_FAILURE)


def _api(url: str, key: str) -> EventsApi:
    try:
        return EventsApi(url, key)
    except ValueError as error:
        click.echo(f"mqttbridge: {error}", err=True)
        raise click.exceptions.Exit(EXIT_USAGE) from error
