"""Opening what an earlier run left: files are looked over, and the catalogue is told what only the spans' logs know."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mqttbridge.dashboard.store import files
from mqttbridge.dashboard.store.catalogue import Catalogue
from mqttbridge.dashboard.store.model import newest
from mqttbridge.dashboard.store.ranges import limits_of
from mqttbridge.dashboard.store.span import Span
from mqttbridge.dashboard.store.spans import Spans
from mqttbridge.events import Position

CATALOGUE: Final = "catalogue.db"


def open_files(directory: Path, length: int, clock: Callable[[], float]) -> tuple[Catalogue, Spans, Position | None]:
    """The catalogue, all spans, and how far into the spool what they hold reaches; damaged files are set aside.

    Args:
        directory: where the files are.
        length: of new spans, in microseconds.
        clock: seconds since 1970.

    Raises:
        sqlite3.Error, OSError, StoreError: they cannot be opened.
    """
    deadline = time.monotonic() + files.CHECK_SECONDS
    catalogue, lost = _open_catalogue(directory / CATALOGUE, deadline)
    spans = Spans(directory, length, catalogue.key_of)
    for path in sorted(directory.glob("*.db"), reverse=True):  # the newest are looked over first
        limits = limits_of(path.name)
        if limits is None:
            continue
        span = spans.found(path, *limits)
        try:
            span.check(max(0.0, deadline - time.monotonic()))
            if lost:
                for id_, key, at, value in span.newest_values():
                    catalogue.saw(catalogue.adopt(id_, key, clock()), at, value)
        except sqlite3.DatabaseError as error:
            if not files.is_damage(error):
                raise
            span.set_aside(str(error))
            continue
        _recall(span, catalogue)
        if not span.tail.fresh:
            span.close()
        spans.add(span)
    for span in spans.all:
        if span.is_open:
            spans.used(span)
    reached = [at for at in (catalogue.cursor, *(span.position for span in spans.all)) if at is not None]
    cursor = max(reached, default=None)
    if lost:
        catalogue.save(cursor)
    return catalogue, spans, cursor


def _open_catalogue(path: Path, deadline: float) -> tuple[Catalogue, bool]:
    """The catalogue, and whether a damaged one was lost."""
    catalogue = None
    try:
        catalogue = Catalogue(path)
        catalogue.check(max(0.0, deadline - time.monotonic()))
    except sqlite3.DatabaseError as error:
        if not files.is_damage(error):
            raise
        if catalogue is not None:
            catalogue.close()
        files.set_aside(path, str(error), "names, units and tags are lost, buckets and streams are not")
        return Catalogue(path), True
    return catalogue, False


def _recall(span: Span, catalogue: Catalogue) -> None:
    """What a span's log tells that the catalogue has not saved."""
    for id_, (times, values) in span.tail.fresh.items():
        series = catalogue.series(id_)
        if series is not None:
            at = newest(times)
            catalogue.saw(series, times[at], values[at])
