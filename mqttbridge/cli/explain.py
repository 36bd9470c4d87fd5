"""`mqttbridge explain`: what the rules make of a message, and why."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from mqttbridge.cli.load import config_option, find_config, load_and_compile
from mqttbridge.cli.style import number, say
from mqttbridge.mapping.explaining import Explanation, Outcome, Passed, as_json, explain as explain_message
from mqttbridge.mapping.unusable import shown
from mqttbridge.tools import summary
from mqttbridge.tools.recording import read_recording

# A page of rules that did not match says enough; --json has them all.
_MAX_PASSED = 8


@click.command()
@click.argument("topic", required=False)
@click.argument("payload", required=False)
@config_option
@click.option("--hex", "as_hex", is_flag=True, help="PAYLOAD is given in hexadecimal.")
@click.option("--replay", type=click.Path(path_type=Path), metavar="FILE",
              help="Instead of one message: a summary of those that `mqttbridge record` wrote to FILE.")  # fmt: skip
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object instead of text.")
def explain(
    topic: str | None, payload: str | None, config: Path | None, replay: Path | None, *, as_hex: bool, as_json_: bool
) -> None:
    """Say what the rules make of a message, and why.

    \b
    PAYLOAD is text; `-` reads it from standard input. For example:
      mqttbridge explain fleet/a/d1/climate '{"temperature": 21.5}'

    Shown are the rule that takes it and why those above it do not, what its captures stand for, the payload as
    the model has it, and the events; or the exact reason why it is rejected; or, when no rule takes it, the one that
    came nearest. Nothing is connected to, stored or sent.
    """  # noqa: D301  # \b is click's mark for a block to leave as it is
    if (topic is None) == (replay is None):
        raise click.UsageError("give a TOPIC and a PAYLOAD, or --replay FILE")
    _, book = load_and_compile(find_config(config), os.environ)
    if replay is not None:
        found = summary.summarise(book, read_recording(replay))
        if as_json_:
            click.echo(json.dumps(summary.as_json(found), ensure_ascii=False))
        else:
            _print_summary(found)
        return
    explanation = explain_message(book, _topic_bytes(topic or ""), _payload_bytes(payload, as_hex=as_hex), time.time())
    if as_json_:
        click.echo(json.dumps(as_json(explanation), ensure_ascii=False))
    else:
        print_explanation(explanation)


def print_explanation(explanation: Explanation) -> None:
    """The explanation as text."""
    for one in explanation.passed[-_MAX_PASSED:] if explanation.outcomes else ():
        say(f"not `{one.rule}`: {one.why}", dim=True)
    for outcome in explanation.outcomes:
        _print_outcome(outcome)
    if explanation.not_asked:
        names = ", ".join(f"`{name}`" for name in explanation.not_asked[:_MAX_PASSED])
        say(f"not asked, since the message was taken above: {names}", dim=True)
    if (rejected := explanation.rejected) is not None:
        by = f" by `{rejected.rule}`" if rejected.rule else ""
        say(f"rejected{by}: {rejected.reason}: {rejected.detail}", fg="red")
    elif not explanation.outcomes:
        _print_unmatched(explanation.passed, explanation.nearest)


def _print_outcome(outcome: Outcome) -> None:
    say(f"`{outcome.rule}` takes it ({outcome.topic_filter})", bold=True)
    if outcome.captures:
        _row("captures", ", ".join(f"{name} = {text}" for name, text in outcome.captures.items()))
    if (rejected := outcome.rejected) is not None:
        say(f"  rejected  {rejected.reason}: {rejected.detail}", fg="red")
        return
    for place, (name, value) in enumerate(outcome.fields.items()):
        unit = f" {outcome.units[name]}" if name in outcome.units else ""
        _row("" if place else "payload", f"{name or 'value'} = {shown(value)}{unit}")
    at = datetime.fromtimestamp(outcome.epoch, UTC).isoformat(timespec="milliseconds")
    _row("time", at.replace("+00:00", "Z"))
    _row("goes to", ", ".join(outcome.to) or "every destination")
    for place, (bucket, stream, value, _) in enumerate(outcome.events):
        say(f"  {'' if place else 'events':<9} {bucket} / {stream} = {shown(value)}", fg="green")
    if not outcome.events:
        _row("events", "none")


def _print_unmatched(passed: tuple[Passed, ...], nearest: Passed | None) -> None:
    say("no rule takes it", fg="yellow", bold=True)
    if nearest is not None:
        say(f"  nearest   matches `{nearest.rule}` but for {nearest.why}")
    for one in passed[:_MAX_PASSED]:
        if nearest is None or one.rule != nearest.rule:
            say(f"  not `{one.rule}`: {one.why}", dim=True)


def _print_summary(found: summary.Summary) -> None:
    share = 100 * found.mapped / found.messages if found.messages else 0.0
    say(f"{number(found.messages, 'message')} in {found.seconds:,.0f} s: {found.mapped:,} mapped ({share:.1f} %), "
        f"{found.rejected:,} rejected, {found.unmatched.total():,} unmatched")  # fmt: skip
    width = max(map(len, found.rules), default=0)
    for name, count in found.rules.items():
        say(f"  {name:<{width}}  {number(count.messages, 'message')}, {number(count.events, 'event')}, "
            f"{number(len(count.topics), 'topic')}, {number(len(count.streams), 'stream')}",
            dim=not count.messages)  # fmt: skip
        for reason, times in count.rejected.most_common():
            topic, detail = count.example[reason]
            say(f"    rejected {times:,} x {reason}, first on {topic}: {detail}", fg="red")
    for topic, times in found.unmatched.most_common(summary.MAX_TOPICS):
        near = found.nearest[topic]
        why = f": matches `{near.rule}` but for {near.why}" if near else ""
        say(f"  unmatched {times:,} x {topic}{why}", fg="yellow")
    if (more := len(found.unmatched) - summary.MAX_TOPICS) > 0:
        say(f"  and {number(more, 'further topic')} unmatched", fg="yellow")


def _row(label: str, text: str) -> None:
    say(f"  {label:<9} {text}")


def _topic_bytes(topic: str) -> bytes:
    return topic.encode("utf-8", "surrogateescape")  # as the terminal gave it


def _payload_bytes(payload: str | None, *, as_hex: bool) -> bytes:
    if payload is None:
        raise click.UsageError("give a PAYLOAD, which may be empty ('') or '-' for standard input")
    if payload == "-":
        return sys.stdin.buffer.read()
    if as_hex:
        try:
            return bytes.fromhex(payload)
        except ValueError as error:
            raise click.UsageError(f"--hex: {error}") from None
    return payload.encode("utf-8", "surrogateescape")
