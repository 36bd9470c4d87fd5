"""Files that Initial State's own client leaves behind: what it missed to send, and what it wrote offline.

`err_missed_events.txt` has a JSON document a line: an array of events, or a bucket that could not be created. Which
bucket the events are of it does not say. The offline file has rows of `epoch,key,value`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json

from mqttbridge.client.lines import Reading, event_of, value_of
from mqttbridge.client.parcels import Bucket, Parcel
from mqttbridge.client.values import bucket_key, bucket_name, storable, stream_name
from mqttbridge.errors import SpoolError

# A flush of the original is one line, however much it holds; beyond this it is some other file.
_MAX_LINE: Final = 16 * 2**20
_MAX_PROBLEMS: Final = 100
_PARCEL_EVENTS: Final = 1_000


@dataclass(slots=True)
class Missed:
    """What a file holds.

    Attributes:
        events: in the file's order.
        buckets: buckets it names.
        problems: (line, what is wrong), the first hundred.
        unreadable: how many lines or events cannot be used.
    """

    events: list[Reading] = field(default_factory=list)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    unreadable: int = 0

    def parcels(self, bucket: Bucket, now: float) -> Iterator[Parcel]:
        """The events, as ones of this bucket; those without a time get `now`."""
        for start in range(0, len(self.events), _PARCEL_EVENTS):
            part = self.events[start : start + _PARCEL_EVENTS]
            yield Parcel.of(
                bucket,
                [{"key": key, "value": value, "epoch": now if at is None else at} for key, value, at in part],
            )

    def note(self, line: int, what: str) -> None:
        """Something cannot be used."""
        self.unreadable += 1
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append((line, what))

    def take(self, line: int, document: Any) -> None:
        """A line's document: events, an event, or a bucket."""
        if isinstance(document, dict) and "bucketKey" in document:
            found = Bucket(bucket_key(str(document["bucketKey"])), bucket_name(str(document.get("bucketName") or "")))
            self.buckets.setdefault(found.key, found)
            return
        for event in document if isinstance(document, list) else [document]:
            try:
                self.events.append(event_of(event))
            except (TypeError, ValueError) as error:
                self.note(line, str(error))


def read_missed(path: Path) -> Missed:
    """Read either kind of file, told apart by the suffix `.csv`. What cannot be used is noted, and the rest is read.

    Raises:
        SpoolError: the file cannot be read.
    """
    missed = Missed()
    try:
        if path.suffix.lower() == ".csv":
            _read_csv(path, missed)
        else:
            _read_lines(path, missed)
    except OSError as error:
        raise SpoolError(f"{path} cannot be read: {error.strerror}") from error
    return missed


def _read_lines(path: Path, missed: Missed) -> None:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_MAX_LINE + 1):
            number += 1
            if len(line) > _MAX_LINE:
                missed.note(number, "too long: this is no file of missed events")
                return
            if not line.strip():
                continue
            try:
                missed.take(number, from_json(line))
            except ValueError as error:
                missed.note(number, f"no JSON, or no bucket: {error}")


def _read_csv(path: Path, missed: Missed) -> None:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = csv.reader(file)
        while True:
            try:
                row = next(rows)
                if not row:
                    continue
                epoch, key, text = row
                value = storable(key, value_of(text))
                missed.events.append(event_of({"key": stream_name(key), "value": value, "epoch": epoch}))
            except StopIteration:
                return
            except (ValueError, TypeError, csv.Error) as error:
                missed.note(rows.line_num, str(error))
