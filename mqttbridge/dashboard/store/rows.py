"""Every point of many streams in order of time, a batch at a time.

Points are keyed by series and then time, so there is no order of time over all series to read along. A batch is
one slice of time, sorted: of what it holds the first rows are taken. Slices grow where points are few and shrink
where they are many, so neither an empty year nor a second full of points costs more than a batch should.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.store import reader
from mqttbridge.dashboard.store.model import MICROSECONDS, Kind, Row

ROWS: Final = 5000

# A slice that gave fewer rows than this makes the next one wider.
_FEW: Final = ROWS // 4
_FIRST_WIDTH: Final = MICROSECONDS
_GROWTH: Final = 4

_NEXT: Final = (
    "SELECT min(at) FROM (SELECT (SELECT min(ts) FROM points WHERE series = s.value AND ts >= :start) AS at"
    " FROM json_each(:ids) AS s)"
)
# One flat list, for the reason told in reader.py: time, number of the stream in :ids, value.
_SLICE: Final = f"""
SELECT '[' || coalesce(group_concat(ts || ',' || place || ',' || {reader.JSON_VALUE}), '') || ']' FROM (
    SELECT p.ts AS ts, s.key AS place, p.value AS value
    FROM json_each(:ids) AS s CROSS JOIN points AS p ON p.series = s.value AND p.ts >= :start AND p.ts < :end
    WHERE p.ts > :start OR s.key > :skip
    ORDER BY p.ts, s.key LIMIT :rows)
"""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to before `end`, in microseconds since 1970."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reading stands.

    Attributes:
        time: microseconds; earlier ones have been read.
        stream: at that time, this stream and those before it by name have been read; None: no stream has.
        width: of the next slice, in microseconds.
    """

    time: int
    stream: str | None = None
    width: int = _FIRST_WIDTH


def read(
    db: sqlite3.Connection, bucket: str, wanted: Collection[str], span: Span, place: Place
) -> tuple[Sequence[Row], Place | None]:
    """The next rows (perhaps none) of the wanted streams, or of all, and where to go on; None at the end."""
    series = [one for one in reader.series(db, bucket) if not wanted or one[1] in wanted]
    ids, names = to_json([one[0] for one in series]).decode(), [one[1] for one in series]
    (following,) = db.execute(_NEXT, {"ids": ids, "start": place.time}).fetchone()
    if following is None or following >= span.end:
        return [], None
    # Streams may come and go between two batches: the place is kept by name, which stays.
    skip = -1 if following > place.time or place.stream is None else sum(name <= place.stream for name in names) - 1
    end = min(following + place.width, span.end)
    asked = {"ids": ids, "start": following, "end": end, "skip": skip, "rows": ROWS}
    flat = from_json(db.execute(_SLICE, asked).fetchone()[0])
    booleans = [one[3] == Kind.BOOLEAN for one in series]
    batch = [
        (time, names[at], bool(value) if booleans[at] and value in (0, 1) else value)
        for time, at, value in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    ]
    if len(batch) == ROWS:
        time, stream, _ = batch[-1]
        return batch, Place(time, stream, max(1, place.width // _GROWTH))
    grown = place.width * _GROWTH if len(batch) < _FEW else place.width
    return batch, None if end >= span.end else Place(end, None, grown)
