"""`mqttbridge token`: who may stream to which trace of which figure."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import click

from mqttbridge.cli import EXIT_FAILURE
from mqttbridge.cli.load import config_option, find_config, load_and_compile
from mqttbridge.cli.logging import single_line
from mqttbridge.dashboard.plotly.tokens import MODES, Token, TokenFile
from mqttbridge.dashboard.plotly.update import DEFAULT_POINTS

ACTIONS = ("add", "ls", "rm")


@click.command()
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("which", required=False)
@config_option
@click.option("--data-dir", metavar="DIR", help="Where the tokens are kept.  [default: ./mqttbridge-data]")
@click.option("--figure", metavar="NAME", help="add: the figure to stream to; also the bucket of its points.")
@click.option("--trace", metavar="NAME", help="add: the trace in it; also the stream of its points.")
@click.option("--maxpoints", default=DEFAULT_POINTS, show_default=True, help="add: points on screen, up to 10000.")
@click.option("--mode", type=click.Choice(MODES), default="lines", show_default=True, help="add: how it is drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.pass_context
def token(
    ctx: click.Context,
    action: str,
    which: str | None,
    *,
    config: Path | None,
    data_dir: str | None,
    figure: str | None,
    trace: str | None,
    maxpoints: int,
    mode: str,
    as_json: bool,
) -> None:
    """Say who may stream to which trace of which figure, by Plotly's streaming API.

    \b
    add [TOKEN]  makes a token for --figure and --trace, or takes one that a program has already; prints it once
    ls           lists what there is: ids, figures and traces, never a token
    rm TOKEN     removes one, named by its id or itself; its stream is ended

    A running bridge takes notice within a second. Tokens are kept hashed in the data directory.
    """  # noqa: D301  # \b is click's mark for a block to leave as it is
    tokens = TokenFile(_data_dir(config, data_dir))
    if action == "ls":
        _list(tokens.all(), as_json=as_json)
    elif action == "add":
        if not figure or not trace:
            raise click.UsageError("token add needs --figure and --trace")
        try:
            made = tokens.add(figure, trace, maxpoints, mode, which)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        click.echo(json.dumps({"token": made, "figure": figure, "trace": trace}) if as_json else made)
    else:
        if not which:
            raise click.UsageError("token rm needs the id or the token")
        removed = tokens.remove(which)
        if removed is None:
            click.echo("mqttbridge: there is no such token: see `mqttbridge token ls`", err=True)
            ctx.exit(EXIT_FAILURE)
        click.echo(json.dumps(_shown(removed)) if as_json else f"removed {_line(removed)}")


def _data_dir(config: Path | None, data_dir: str | None) -> Path:
    overrides: dict[str, Any] = {"data_dir": data_dir} if data_dir else {}
    loaded, _ = load_and_compile(find_config(config), os.environ, overrides)
    return Path(loaded.data_dir)


def _list(tokens: list[Token], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_shown(one) for one in tokens]))
        return
    for one in tokens:
        click.echo(_line(one))
    if not tokens:
        click.echo("There are no tokens: mqttbridge token add --figure NAME --trace NAME", err=True)


def _line(one: Token) -> str:
    day = time.strftime("%Y-%m-%d", time.localtime(one.created))
    return f"{one.id}  {day}  {single_line(one.figure)} / {single_line(one.trace)}  {one.mode}, {one.maxpoints} points"


def _shown(one: Token) -> dict[str, Any]:
    return {
        "id": one.id,
        "figure": one.figure,
        "trace": one.trace,
        "maxpoints": one.maxpoints,
        "mode": one.mode,
        "created": one.created,
    }
