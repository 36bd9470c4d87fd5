"""`check --rate` and `check --replay`: what the fleet would send, held against what the destinations take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from mqttbridge.config.model import Config
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.compiling import Loc
from mqttbridge.tools import rates
from mqttbridge.tools.recording import read_recording
from mqttbridge.tools.summary import fields_never_filled, summarise

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Estimates:
    """What is known of the fleet's rates."""

    given: tuple[rates.Rate, ...]
    recording: Path | None
    monthly: int

    def warnings(self, config: Config, book: Rulebook) -> list[tuple[Loc, str]]:
        """What the rates would break, and rules and fields of models that no message of the recording fills.

        Raises:
            FileError: the recording cannot be read.
        """
        found: list[tuple[Loc, str]] = []
        unfilled: list[tuple[Loc, str]] = []
        known = list(self.given)
        try:
            if self.recording is not None:
                summary = summarise(book, read_recording(self.recording))
                known += rates.rates_of(summary)
                unfilled = fields_never_filled(config, book)
                found = [
                    (("rules", index), "no message of the recording falls under this rule")
                    for index, count in enumerate(summary.rules.values())
                    if index < len(config.rules) and not count.messages
                ]
            return found + unfilled + list(rates.estimate(config, known, self.monthly))
        except ValueError as error:
            raise click.UsageError(str(error)) from None


def estimate_options(command: Command) -> Command:
    """Adds `--rate`, `--replay` and `--monthly`, passed as `estimates: Estimates`."""

    @wraps(command)
    def with_estimates(*, rate: tuple[str, ...], replay: Path | None, monthly: int, **others: Any) -> None:
        try:
            given = tuple(map(rates.parse_rate, rate))
        except ValueError as error:
            raise click.UsageError(f"--rate: {error}") from None
        command(estimates=Estimates(given, replay, monthly), **others)

    for option in (
        click.option("--monthly", type=click.IntRange(1), default=rates.MONTHLY_EVENTS, show_default=True,
                     help="The events a month of the Initial State plan."),
        click.option("--replay", type=click.Path(path_type=Path), metavar="RECORDING",
                     help="Take the rates from what `mqttbridge record` wrote."),
        click.option("--rate", multiple=True, metavar="RULE=COUNT/min*DEVICES",
                     help="How often a rule's messages come, as in 'climate=4/min*100'; may be repeated."),
    ):  # fmt: skip
        with_estimates = option(with_estimates)
    return with_estimates  # type: ignore[return-value]  # click calls it by keyword
