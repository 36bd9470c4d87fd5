"""`mqttbridge check`: everything that is wrong with a configuration, or a short summary of it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from mqttbridge.cli import EXIT_USAGE
from mqttbridge.cli.estimates import Estimates, estimate_options
from mqttbridge.cli.load import find_config, load_whole
from mqttbridge.cli.logging import single_line
from mqttbridge.config.environment import CONFIG_VARIABLE
from mqttbridge.config.model import Config
from mqttbridge.config.rules import BUILT_IN_RULES
from mqttbridge.errors import ConfigError
from mqttbridge.mapping.linting import lint


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False, envvar=CONFIG_VARIABLE)
@click.option("-c", "--config", "named", type=click.Path(path_type=Path), metavar="FILE", help="The same as FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--strict", is_flag=True, help="Exit code 2 for warnings, too.")
@estimate_options
@click.pass_context
def check(
    ctx: click.Context, file: Path | None, named: Path | None, estimates: Estimates, *, as_json: bool, strict: bool
) -> None:
    """Say everything that is wrong with a configuration.

    FILE is ./config.yaml if there is one, else the MQTTBRIDGE_... variables are checked alone. Each problem has
    its place: `file:line: key: what is wrong (got value)`. Nothing is connected to or written.

    Warned of is what is allowed and hardly meant: a rule that is never reached, a capture, model or destination
    that nothing uses, and, with --rate or --replay, more events than Initial State's plan takes.

    Exit codes: 0 nothing is wrong, 2 something is.
    """
    path = find_config(named or file)
    try:
        loaded, book = load_whole(path, os.environ)
    except ConfigError as error:
        _print_problems(error, as_json=as_json)
        ctx.exit(EXIT_USAGE)
    config = loaded.config
    found = [*lint(config, book), *estimates.warnings(config, book)]
    warnings = [replace(loaded.problem(loc, what), what=what) for loc, what in found]
    if as_json:
        told = {"ok": True, "problems": [], "warnings": [asdict(one) for one in warnings]}
        click.echo(json.dumps(told | {"summary": summarise(config)}))
    else:
        _print_summary(path, config)
        for one in warnings:
            click.echo(single_line(f"warning: {one}"))
    if warnings and strict:
        ctx.exit(EXIT_USAGE)


def summarise(config: Config) -> dict[str, Any]:
    """What a configuration amounts to, without secrets."""
    mqtt, http = config.mqtt, config.http
    polled = [f"{name} (every {source.every:g} s)" for name, source in config.sources.items()]
    return {
        "broker": f"{mqtt.url} as {mqtt.client_id!r}, QoS {mqtt.qos}" if mqtt else None,
        **({"sources": polled} if polled else {}),
        "rules": [rule.name or f"rule {number}" for number, rule in enumerate(config.rules, 1)],
        **({"families": [str(use.family) for use in config.use]} if config.use else {}),
        "models": list(config.models),
        "destinations": [f"{name} ({destination.type})" for name, destination in config.destinations.items()],
        "dashboard": f"http://{http.listen}" if http.enabled else None,
        "data": config.data_dir,
    }


def _print_summary(path: Path | None, config: Config) -> None:
    defaults = " Everything is at its default." if config == Config() else ""
    click.echo(f"{path or 'Defaults and environment'}: nothing is wrong.{defaults}")
    words = {what: _in_words(value) for what, value in summarise(config).items()}
    if config.rules == BUILT_IN_RULES:
        words["rules"] = "built in: every topic; its first level is the bucket, the rest the stream"
    for what, value in words.items():
        click.echo(f"  {what:<13} {single_line(value)}")


def _print_problems(error: ConfigError, *, as_json: bool) -> None:
    if as_json:
        problems = [asdict(problem) for problem in error.problems]
        click.echo(json.dumps({"ok": False, "problems": problems}))
        return
    click.echo(str(error))
    count = len(error.problems)
    click.echo(f"{count} problem{'s' if count > 1 else ''} found.", err=True)


def _in_words(value: str | list[str] | None) -> str:
    if isinstance(value, list):
        shown = [*value[:5], *(["..."] if len(value) > 5 else [])]
        return f"{len(value)}: {', '.join(shown)}" if value else "none"
    return value or "none"
