"""One row a figure, one table a run, and what machine it was measured on."""

from __future__ import annotations

import datetime as dt
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: what was measured.
        figure: the bridge's own figure, with its unit.
        beside: what ran beside it in the same run, and its figure.
        ratio: the bridge's figure over the other's; machines are noisy, ratios less so.
        cpu: CPU seconds of the bridge's process during the measurement.
        target: what it should reach.
        met: whether it did; None where there is no target.
    """

    what: str
    figure: str
    beside: str = ""
    ratio: float | None = None
    cpu: float | None = None
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        return (
            self.what,
            self.figure,
            self.beside,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            "" if self.cpu is None else f"{self.cpu:.1f} s",
            self.target,
            {None: "", True: "yes", False: "**no**"}[self.met],
        )


HEADINGS = ("what", "bridge", "beside it", "ratio", "bridge CPU", "target", "met")


def machine() -> str:
    """The date and the class of machine, in a line."""
    memory = psutil.virtual_memory().total / 2**30
    today = dt.datetime.now(dt.UTC).date().isoformat()
    load = os.getloadavg()[0]
    return (
        f"{today}, {os.cpu_count()} cores {platform.machine()}, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, load before the run {load:.1f}"
    )


def table(rows: Iterable[Row]) -> str:
    """A Markdown table, aligned so that a terminal shows it as well."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    written = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    written.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(written)


def show(rows: Sequence[Row]) -> None:
    print(f"\n{machine()}\n\n{table(rows)}")


def rate(per_second: float, unit: str = "msg/s") -> str:
    return f"{per_second:,.0f} {unit}"


def median(values: Iterable[float]) -> float:
    return statistics.median(values)
