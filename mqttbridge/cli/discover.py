"""`mqttbridge discover`: a configuration from what is published."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from mqttbridge.cli import EXIT_FAILURE
from mqttbridge.cli.listening import Listening, listening_options
from mqttbridge.cli.style import Progress, number
from mqttbridge.errors import FileError
from mqttbridge.tools.discovery import Heard, Proposal, propose
from mqttbridge.tools.recording import Recorded, read_recording

_DEFAULT_SECONDS = 60.0


@click.command()
@listening_options
@click.option("--replay", type=click.Path(path_type=Path), metavar="RECORDING",
              help="Take what `mqttbridge record` wrote, instead of listening.")  # fmt: skip
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write the proposal here instead of to standard output.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over FILE if it exists.")
@click.pass_context
def discover(ctx: click.Context, listening: Listening, replay: Path | None, write: Path | None, *, force: bool) -> None:
    """Listen to a broker and propose a configuration for it.

    Families of devices that are known, such as Zigbee2MQTT or Tasmota, become a line of `use` each. Of the rest, levels
    of topics that vary become captures, payloads become models with types, units and bounds, and each guess has its
    reason in a comment. It listens for --for (a minute, or until Ctrl-C) in a session of its own; the longer, the
    better it knows what may be missing. The proposal is tried on all that was heard before it is shown.

    Exit codes: 0 there is a proposal, 1 nothing was heard, or nothing that can be stored.
    """
    if write is not None and write.exists() and not force:
        raise FileError(f"{write} exists; give another name, or --force to write over it")
    if replay is not None:
        heard, broker = _hear(read_recording(replay), _DEFAULT_SECONDS), {}
    else:
        mqtt = listening.mqtt()
        seconds = listening.seconds or _DEFAULT_SECONDS
        heard = _hear(replace(listening, seconds=seconds).messages(mqtt, "discover"), seconds)
        broker = {"url": mqtt.url}
        if mqtt.username:
            broker |= {"username": mqtt.username, "password": "${MQTT_PASSWORD}"}
    proposal = propose(heard, broker or {"url": "mqtt://localhost:1883"}) if heard.kept or heard.odd else None
    if proposal is None or not (proposal.rules or proposal.families):
        what = "nothing was heard" if not heard.messages else f"{number(heard.messages, 'message')}, none to be stored"
        click.echo(f"mqttbridge: {what}: listen longer (--for 10m), or to other topics (--topic)", err=True)
        ctx.exit(EXIT_FAILURE)
    if write is None:
        click.echo(proposal.text, nl=False)
    else:
        write.write_text(proposal.text, encoding="utf-8")
    _tell(proposal, heard, write)


def _hear(messages: Iterable[Recorded | None], seconds: float) -> Heard:
    heard, progress, began = Heard(), Progress(), time.monotonic()
    for message in messages:
        if message is not None:
            heard.hear(message)
        else:
            left = max(0.0, seconds - (time.monotonic() - began))
            progress.show(
                f"listening, {left:.0f} s to go: {number(heard.messages, 'message')}, "
                f"{number(len(heard.topics), 'topic')}; Ctrl-C ends it"
            )
    progress.end()
    return heard


def _tell(proposal: Proposal, heard: Heard, write: Path | None) -> None:
    tried = "" if heard.all_kept else " that were kept to try it on"
    share = 100 * proposal.mapped / proposal.meant if proposal.meant else 0.0
    where = f"{write}: " if write else ""
    others = f", {proposal.left_out:,} left out on purpose" if proposal.left_out else ""
    others += f", {proposal.unusable:,} hold nothing to store" if proposal.unusable else ""
    families = "family" if proposal.families == 1 else "families"
    made = [f"{proposal.families} {families} of devices"] * bool(proposal.families)
    made += [number(proposal.rules, "rule")] * bool(proposal.rules or not proposal.families)
    click.echo(
        f"{where}{', '.join(made)}; maps {proposal.mapped:,} of {number(proposal.meant, 'message')}"
        f"{tried} ({share:.1f} %){others}",
        err=True,
    )
