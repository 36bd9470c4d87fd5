"""Messages of several points: each point goes the way of a message of its own, through a route of its origin's.

    payload --PointsReader.read--> Point, Point, ... --Route.events_of(document)--> events

A point's origin (a line's measurement and tags, a Sparkplug device) gives the templates names beside the topic's
captures, so buckets and streams are worked out once an origin, and kept, in the room that topics share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mqttbridge.config.formats import Compression
from mqttbridge.events import EventTuple
from mqttbridge.mapping.formats import Gaps, PointsFormat, PointsReader
from mqttbridge.mapping.formats.base import Point
from mqttbridge.mapping.formats.compression import unpack
from mqttbridge.mapping.templates import Template
from mqttbridge.mapping.timestamps import Timestamp

Pieces = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """What a rule of a format of points has that others have not.

    Attributes:
        format: the format.
        compression: how payloads are packed.
        clock: holds points' own times against the rule's window.
        prefixed: whether the templates name nothing of an origin, so that its name goes before the field's.
    """

    format: PointsFormat
    compression: Compression
    clock: Timestamp
    prefixed: bool

    def open(self, gaps: Gaps) -> OpenSeries:
        """A reader for the rule, which remembers what it must for as long as the rulebook lives."""
        reader = self.format.open(gaps)
        return OpenSeries(self, reader, self.compression)

    def pieces(self, stream: Template, labels: Mapping[str, str]) -> Pieces:
        """The pieces of a stream's name between the places of its field, for one origin."""
        pieces = stream.bind(labels)
        if not self.prefixed:
            return pieces
        series = labels[self.format.series]
        if len(pieces) == 1:  # the field goes to the end, after the origin
            return (f"{pieces[0]}.{series}",)
        return (*(f"{piece}{series}." for piece in pieces[:-1]), pieces[-1])


class OpenSeries(NamedTuple):
    """A rule's series, and the reader that is at work for it."""

    series: Series
    reader: PointsReader
    compression: Compression

    def read(self, topic: bytes, payload: bytes) -> Sequence[Point]:
        """The points of one message, however it is packed; see `PointsReader`."""
        packed = self.compression is not Compression.NONE
        return self.reader.read(topic, unpack(payload, self.compression) if packed else payload)


def series_of(
    format_: PointsFormat, compression: Compression, templates: Sequence[Template], clock: Timestamp
) -> Series:
    """Compile the part of a rule that its format of points asks for.

    Args:
        format_: the format.
        compression: the rule's.
        templates: the rule's, of bucket and stream.
        clock: see `Series`.
    """
    named = any(name in format_.names for template in templates for name in template.names)
    return Series(format_, compression, clock, prefixed=bool(format_.series) and not named)


def without_clashes(events: list[EventTuple]) -> list[EventTuple]:
    """The events, those of one stream at one time a microsecond apart: a store would keep only one of them."""
    if len({(bucket, stream, epoch) for bucket, stream, _, epoch in events}) == len(events):
        return events
    seen: dict[tuple[str, str, float], int] = {}
    apart: list[EventTuple] = []
    for bucket, stream, value, epoch in events:
        repeats = seen.get((bucket, stream, epoch), 0)
        seen[bucket, stream, epoch] = repeats + 1
        apart.append((bucket, stream, value, epoch + repeats / 1e6))
    return apart


def as_it_is(document: Any) -> Any:
    """Stands for a parser where there is none: the documents of points are parsed with their message."""
    return document
