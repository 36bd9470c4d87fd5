"""`mqttbridge rejected`: what was refused, and once the rules are mended, through them again."""

from __future__ import annotations

import json
import os
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from mqttbridge.announced import recall_announcements
from mqttbridge.cli import EXIT_FAILURE
from mqttbridge.cli.account import key_option
from mqttbridge.cli.listening import DURATION
from mqttbridge.cli.load import config_option, find_config, load_and_compile
from mqttbridge.cli.style import number, say
from mqttbridge.config.model import Config
from mqttbridge.datadir import DataDir
from mqttbridge.errors import DataDirInUse
from mqttbridge.events import Reason
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.topics import InvalidFilter, parse_filter
from mqttbridge.mapping.unusable import shown
from mqttbridge.metrics import Metrics
from mqttbridge.spool import RejectedRow, Spool
from mqttbridge.spool.inspection import RejectedQuery, SpoolInspector
from mqttbridge.tools.refused import MAX_ROWS, Refused
from mqttbridge.tools.running import RunningBridge

Command = TypeVar("Command", bound=Callable[..., Any])
SPOOL_FILE = "spool.db"
# One line of a list shows the beginning of a payload; `show` has all of it.
_SHOWN_PAYLOAD = 60
_MAX_IDS = 1000


@click.group()
def rejected() -> None:
    """Look at what was refused; send it through the rules again.

    `ls` and `show` read the data directory, whether the bridge runs or not. `replay` and `purge` ask the running
    bridge, or do it themselves when none runs.
    """


def data_dir_options(command: Command) -> Command:
    """Adds `-c FILE` and `--data-dir DIR`."""
    return config_option(
        click.option("--data-dir", metavar="DIR", help="Where the bridge keeps things; wins over the configuration.")(
            command
        )
    )


def filter_options(command: Command) -> Command:
    """Adds what rejected messages can be told apart by, passed as `wanted: RejectedQuery`."""

    @wraps(command)
    def with_query(*, since: float | None, topic: str, rule: str, reason: str | None, **others: Any) -> None:
        if topic:
            try:
                parse_filter(topic)
            except InvalidFilter as error:
                raise click.UsageError(f"--topic: {error}") from None
        from_then_on = 0.0 if since is None else max(0.0, time.time() - since)
        command(wanted=RejectedQuery(reason=reason or "", rule=rule, topic=topic, since=from_then_on), **others)

    for option in (
        click.option("--since", type=DURATION, help="Only what was rejected in the last 1h, 7d, ..."),
        click.option("--topic", metavar="FILTER", default="", help="Only topics that match, with + and #."),
        click.option("--rule", default="", help="Only what this rule rejected."),
        click.option("--reason", type=click.Choice([str(reason) for reason in Reason]), help="Only for this reason."),
    ):
        with_query = option(with_query)
    return with_query  # type: ignore[return-value]  # click calls it by keyword, whatever its signature


def change_options(command: Command) -> Command:
    """Adds which messages to change, passed as `wanted`, and how to reach the bridge."""

    @wraps(command)
    def with_choice(*, ids: tuple[int, ...], everything: bool, wanted: RejectedQuery, **others: Any) -> None:
        if everything == bool(ids or wanted.reason or wanted.rule or wanted.topic or wanted.since):
            raise click.UsageError("say which: numbers from `mqttbridge rejected ls`, filters such as --rule, or --all")
        if len(ids) > _MAX_IDS:
            raise click.UsageError(f"at most {_MAX_IDS} numbers at once; use filters or --all")
        command(wanted=replace(wanted, ids=ids, limit=MAX_ROWS, newest_first=False), **others)

    for option in (
        key_option,
        click.argument("ids", type=click.IntRange(1), nargs=-1),
        click.option("--all", "everything", is_flag=True, help="Everything that was rejected."),
        click.option("--url", help="Where the running bridge listens, if not where the configuration says."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text."),
    ):
        with_choice = option(with_choice)
    return filter_options(data_dir_options(with_choice))  # type: ignore[return-value]  # as above


@rejected.command("ls")
@data_dir_options
@filter_options
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def ls(config: Path | None, data_dir: str | None, wanted: RejectedQuery, limit: int, *, as_json: bool) -> None:
    """List what was rejected, newest first."""
    loaded, _ = _load(config, data_dir)
    with SpoolInspector(Path(loaded.data_dir) / SPOOL_FILE) as inspector:
        count = 0
        for row in inspector.rejected(replace(wanted, limit=limit)):
            count += 1
            if as_json:
                click.echo(json.dumps(_as_json(row), ensure_ascii=False))
            else:
                _print_line(row)
        if not as_json:
            click.echo(f"{number(count, 'message')} of {inspector.view().rejected:,} rejected", err=True)


@rejected.command()
@click.argument("ids", type=click.IntRange(1), nargs=-1, required=True)
@data_dir_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def show(ctx: click.Context, ids: tuple[int, ...], config: Path | None, data_dir: str | None, *, as_json: bool) -> None:
    """Show rejected messages whole, by the number that `ls` gives each."""
    loaded, _ = _load(config, data_dir)
    with SpoolInspector(Path(loaded.data_dir) / SPOOL_FILE) as inspector:
        found = list(inspector.rejected(RejectedQuery(ids=ids[:_MAX_IDS], limit=len(ids), newest_first=False)))
    for row in found:
        if as_json:
            click.echo(json.dumps(_as_json(row), ensure_ascii=False))
        else:
            _print_whole(row)
    if missing := sorted(set(ids) - {row.id for row in found}):
        click.echo(f"mqttbridge: there is no {', '.join(map(str, missing))} (any more)", err=True)
        ctx.exit(EXIT_FAILURE)


@rejected.command()
@change_options
def replay(
    config: Path | None, data_dir: str | None, wanted: RejectedQuery, url: str | None, key: str, *, as_json: bool
) -> None:
    """Send rejected messages through the rules again, once; accepted ones leave the rejected.

    Say which: numbers from `ls`, filters, or --all. A running bridge goes by the rules it was started with: restart
    it after they were mended. Each message keeps the time at which it came. Events that a destination refused are
    sent to that destination again.
    """
    with _keeper(*_load(config, data_dir), url, key) as keeper:
        done = _all_of(keeper.replay, wanted)
    if as_json:
        click.echo(json.dumps(done))
        return
    say(
        f"{number(done['accepted'], 'message')} of {done['looked_at']:,} accepted: {number(done['events'], 'event')}",
        fg="green" if done["accepted"] else None,
    )
    for why, count in sorted(done["still_rejected"].items()):
        say(f"  still rejected {count:,} x {why}", fg="red")
    for why, count in sorted(done["left"].items()):
        say(f"  left {count:,} x {why}", fg="yellow")


@rejected.command()
@change_options
def purge(
    config: Path | None, data_dir: str | None, wanted: RejectedQuery, url: str | None, key: str, *, as_json: bool
) -> None:
    """Forget rejected messages for good. Say which: numbers from `ls`, filters, or --all."""
    with _keeper(*_load(config, data_dir), url, key) as keeper:
        done = _all_of(keeper.purge, wanted)
    if as_json:
        click.echo(json.dumps({"purged": done["accepted"]}))
    else:
        say(f"{number(done['accepted'], 'message')} purged")


class Keeper(Protocol):
    """Whoever may write the spool."""

    def replay(self, query: RejectedQuery) -> dict[str, Any]: ...
    def purge(self, query: RejectedQuery) -> dict[str, Any]: ...


class _Here:
    """The command itself, while it holds the data directory's lock."""

    def __init__(self, refused: Refused) -> None:
        self._refused = refused

    def replay(self, query: RejectedQuery) -> dict[str, Any]:
        return self._refused.replay(query).as_json()

    def purge(self, query: RejectedQuery) -> dict[str, Any]:
        return self._refused.purge(query).as_json()


@contextmanager
def _keeper(config: Config, book: Rulebook, url: str | None, key: str) -> Iterator[Keeper]:
    """The running bridge where there is one, else we ourselves, under the lock that keeps one from starting."""
    directory = Path(config.data_dir)
    path = directory / SPOOL_FILE
    with SpoolInspector(path) as inspector:
        known = inspector.destinations()
    if url is not None:
        yield RunningBridge(config.http, url, key)
        return
    try:
        lock = DataDir(directory)
    except DataDirInUse:
        yield RunningBridge(config.http, key=key)
        return
    # Destinations that this configuration does not name keep what waits for them: that is the bridge's to decide.
    destinations = tuple(dict.fromkeys((*config.destinations, *known)))
    try:
        spool = Spool(path, config.spool, Metrics(), destinations)
        try:
            recall_announcements(book, spool)
            yield _Here(Refused(spool, lambda: book, config.destinations))
        finally:
            spool.close()
    finally:
        lock.release()


def _all_of(ask: Callable[[RejectedQuery], dict[str, Any]], query: RejectedQuery) -> dict[str, Any]:
    """Ask until nothing more is meant: one request is bounded."""
    total: dict[str, Any] = {"looked_at": 0, "accepted": 0, "events": 0}
    counts: dict[str, Counter[str]] = {"still_rejected": Counter(), "left": Counter()}
    while True:
        done = ask(query)
        for name in total:
            total[name] += done[name]
        for name, counter in counts.items():
            counter.update(done[name])
        if not done["last_id"] or done["looked_at"] < MAX_ROWS:
            return total | {name: dict(counter) for name, counter in counts.items()}
        query = replace(query, after_id=done["last_id"])


def _load(config: Path | None, data_dir: str | None) -> tuple[Config, Rulebook]:
    return load_and_compile(find_config(config), os.environ, {"data_dir": data_dir} if data_dir else {})


def _as_json(row: RejectedRow) -> dict[str, Any]:
    line: dict[str, Any] = {"id": row.id, "time": row.at, "reason": row.reason, "detail": row.detail,
                            "topic": row.topic, "rule": row.rule, "destination": row.destination}  # fmt: skip
    try:
        line["payload"] = row.payload.decode()
    except UnicodeDecodeError:
        line["payload_base64"] = b64encode(row.payload).decode()
    return line


def _print_line(row: RejectedRow) -> None:
    payload = row.payload[: _SHOWN_PAYLOAD + 1].decode(errors="backslashreplace")
    payload = payload if len(payload) <= _SHOWN_PAYLOAD else payload[:_SHOWN_PAYLOAD] + "..."
    say(f"{row.id:>6}  {_moment(row.at)}  {row.reason}  {_by(row)}  {row.topic}", fg="red")
    say(f"        {row.detail}", bold=True)
    say(f"        {payload}", dim=True)


def _print_whole(row: RejectedRow) -> None:
    say(f"{row.id}", bold=True)
    try:
        payload = row.payload.decode()
    except UnicodeDecodeError:
        payload = f"{row.payload.hex(' ')} (hexadecimal)"
    for label, text in (
        ("time", _moment(row.at)), ("reason", row.reason), ("detail", row.detail), ("by", _by(row)),
        ("topic", row.topic), ("payload", payload or "(empty)"),
    ):  # fmt: skip
        say(f"  {label:<8} {text}")


def _by(row: RejectedRow) -> str:
    if row.destination:
        return f"destination {shown(row.destination)}"
    return f"rule {shown(row.rule)}" if row.rule else "before any rule"


def _moment(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
