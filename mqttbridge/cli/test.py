"""`mqttbridge test`: messages with known outcomes through their rules."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mqttbridge.cli import EXIT_FAILURE, EXIT_USAGE
from mqttbridge.cli.load import load_and_compile
from mqttbridge.cli.style import number, say
from mqttbridge.errors import BridgeError
from mqttbridge.mapping import Rulebook
from mqttbridge.tools import golden

# A change of a rule may touch every line; the first few tell what it does.
_SHOWN = 10


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR")
@click.option("--update", is_flag=True, help="Write each expected.jsonl anew; then read the difference.")
@click.pass_context
def test(ctx: click.Context, folder: Path, *, update: bool) -> None:
    """Run messages with known outcomes through their rules.

    \b
    DIR is a case, or has cases below it. A case is a folder with
      config.yaml      the rules
      messages.jsonl   {"topic": "a/b", "payload": "21.5"} a line, or what `mqttbridge record` wrote
      expected.jsonl   what becomes of each; --update writes it

    Exit codes: 0 all is as expected, 1 something is not, 2 there is no case.
    """  # noqa: D301  # \b is click's mark for a block to leave as it is
    cases = golden.cases_in(folder)
    if not cases:
        say(f"{folder}: there is no case: no folder with {golden.CONFIG} and {golden.MESSAGES}", fg="red")
        ctx.exit(EXIT_USAGE)
    failed = sum(not (_update(case) if update else _run(case)) for case in cases)
    if not update or failed:
        say(f"{number(len(cases), 'case')}: {failed or 'none'} failed", fg="red" if failed else "green", bold=True)
    if failed:
        ctx.exit(EXIT_FAILURE)


def _load(path: Path) -> Rulebook:
    return load_and_compile(path, os.environ)[1]


def _update(case: Path) -> bool:
    try:
        say(f"{'written' if golden.update(case, _load) else 'the same'}  {case}")
    except BridgeError as error:
        return _broken(case, error)
    return True


def _run(case: Path) -> bool:
    try:
        found = golden.differences(case, _load)
    except BridgeError as error:
        return _broken(case, error)
    say(f"{'FAILED' if found else 'ok':<6}  {case}", fg="red" if found else "green")
    for one in found[:_SHOWN]:
        _print(one)
    if len(found) > _SHOWN:
        say(f"  and {number(len(found) - _SHOWN, 'further difference')}")
    return not found


def _broken(case: Path, error: BridgeError) -> bool:
    say(f"FAILED  {case}", fg="red")
    for line in str(error).splitlines():
        say(f"  {line}")
    return False


def _print(one: golden.Difference) -> None:
    say(f"  {golden.MESSAGES}:{one.line}: {_shortened(one.message or '(no such message)')}")
    if one.expected is None or one.got is None:
        where, text = ("- ", one.expected) if one.got is None else ("+ ", one.got)
        say(f"    {where}{_shortened(text or '')}", fg="red" if one.got is None else "green")
        return
    expected, got = list(_parts(one.expected)), list(_parts(one.got))
    for part in expected:
        if part not in got:
            say(f"    - {part}", fg="red")
    for part in got:
        if part not in expected:
            say(f"    + {part}", fg="green")


def _parts(outcomes: str) -> Iterator[str]:
    """An outcome in lines that can be told apart: one an event."""
    try:
        decoded = json.loads(outcomes)
    except ValueError:
        yield f"not JSON: {_shortened(outcomes)}"
        return
    if not decoded:
        yield "no rule takes it"
    for outcome in decoded if isinstance(decoded, list) else [decoded]:
        yield from _of_rule(outcome)


def _of_rule(outcome: Any) -> Iterator[str]:
    if not isinstance(outcome, dict):
        yield _shortened(json.dumps(outcome, ensure_ascii=False))
        return
    rule = f"`{outcome.get('rule', '')}`"
    for event in outcome.get("events", ()):
        yield f"{rule}: {_shortened(json.dumps(event, ensure_ascii=False))}"
    if "events" not in outcome or not outcome["events"]:
        yield f"{rule}: {outcome.get('rejected', 'no events')} {outcome.get('detail', '')}".rstrip()
    for key in ("to", "units"):
        if key in outcome:
            yield f"{rule}: {key} {json.dumps(outcome[key], ensure_ascii=False, sort_keys=True)}"


def _shortened(text: str) -> str:
    return text if len(text) <= 160 else text[:160] + "..."
