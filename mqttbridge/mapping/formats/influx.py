"""`influx`: InfluxDB's line protocol, `measurement,tag=value field=1.5,other=2i 1760000000000000000`.

Several lines a message, a point each. Templates may name `{measurement}`, a tag as `{tag.host}`, all tags' values
as `{tags}`, and `{series}`, which is both.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any, Final

from mqttbridge.config.formats import Precision
from mqttbridge.config.rules import RuleConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.formats.base import MAX_VALUES, Names, Point, PointsFormat, check_lines, too_many_values
from mqttbridge.mapping.payload import parse_text
from mqttbridge.mapping.unusable import Unusable, named, shown

# What has matched is never tried again (`++`), so that matching takes time by the text's length.
_SERIES: Final = re.compile(r"((?:[^ \\\n]++|\\.)++) ++")
_FIELD: Final = re.compile(r'((?:[^,= \\\n]++|\\.)++)=("(?:[^"\\]++|\\.)*+"|[^", \n]++)', re.DOTALL)
_TIME: Final = re.compile(r" ++(-?[0-9]{1,19})?+ *+(?=\n|$)")
_TAG: Final = re.compile(r",((?:[^,= \\]++|\\.)++)=((?:[^,= \\]++|\\.)++)")
_MEASUREMENT: Final = re.compile(r"(?:[^, \\]++|\\.)++")
_ESCAPE: Final = re.compile(r"\\([,= ])")
_STRING_ESCAPE: Final = re.compile(r'\\(["\\])')
_COMMENT_OR_BLANK: Final = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|$)")

# A stream's name is far shorter, so a longer series could never be told from others by it.
_MAX_SERIES_CHARS: Final = 2_000

_INTEGER: Final = re.compile(r"([+-]?[0-9]{1,20})[iu]")
_FLOAT: Final = re.compile(r"(?=.{1,100}\Z)[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_BOOLEANS: Final = dict.fromkeys(("t", "T", "true", "True", "TRUE"), True) | dict.fromkeys(
    ("f", "F", "false", "False", "FALSE"), False
)
_PER_SECOND: Final = {
    Precision.NANOSECONDS: 10**9,
    Precision.MICROSECONDS: 10**6,
    Precision.MILLISECONDS: 10**3,
    Precision.SECONDS: 1,
}


def influx_format(rule: RuleConfig) -> PointsFormat:
    """The format of a rule."""
    reader = InfluxReader(_PER_SECOND[rule.influx.precision])
    return PointsFormat(
        open=lambda _: reader,
        names=Names("measurement", "tags", "series", prefixes=("tag.",)),
        labels=labels_of,
        series="series",
        own_time=True,
    )


class InfluxReader:
    """Reads messages of lines. It remembers nothing.

    Args:
        per_second: what a timestamp counts, as so many a second.
    """

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second

    def read(self, topic: bytes, payload: bytes) -> Sequence[Point]:  # noqa: ARG002  # all is in the payload
        """A point for each line; see `PointsReader`."""
        text = parse_text(payload)
        check_lines(text)
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        points: list[Point] = []
        position, values = 0, 0
        while position < len(text):
            if blank := _COMMENT_OR_BLANK.match(text, position):
                position = blank.end()
                continue
            series = _SERIES.match(text, position)
            if series is None:
                raise _malformed(len(points), "expected `measurement,tag=value field=value`", text[position:])
            if series.end() - series.start() > _MAX_SERIES_CHARS:
                raise Unusable(
                    Reason.BAD_NAME,
                    f"line {len(points) + 1}: measurement and tags take more than {_MAX_SERIES_CHARS} characters",
                )
            document, position = _fields(text, series.end(), len(points))
            values += len(document)
            if values > MAX_VALUES:
                raise too_many_values()
            epoch = None
            if (time := _TIME.match(text, position)) is not None:
                position = time.end()
                # By an integer: a float could not hold the nanoseconds.
                epoch = int(time[1]) / self._per_second if time[1] else None
            if text[position : position + 1] not in {"", "\n"}:
                raise _malformed(len(points), "expected a timestamp or the line's end", text[position:])
            position += 1
            points.append(Point(document, epoch, series[1]))
        return points


def _fields(text: str, position: int, line: int) -> tuple[dict[str, Any], int]:
    """The fields that begin at a position, and where they end."""
    document: dict[str, Any] = {}
    while True:
        field = _FIELD.match(text, position)
        if field is None:
            raise _malformed(line, "expected field=value", text[position:])
        key = _unescaped(field[1])
        if key in document:
            raise Unusable(Reason.DUPLICATE_KEYS, f"line {line + 1}: the field {named(key)} stands twice")
        document[key] = _value(field[2], key, line)
        position = field.end()
        if text[position : position + 1] != ",":
            return document, position
        position += 1


def _value(text: str, key: str, line: int) -> float | int | bool | str:
    if text[0] == '"':
        return _STRING_ESCAPE.sub(r"\1", text[1:-1]) if "\\" in text else text[1:-1]
    if _FLOAT.fullmatch(text):
        return float(text)
    if integer := _INTEGER.fullmatch(text):
        return int(integer[1])
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    raise _malformed(line, f"{named(key)}: expected a number, true, false or a text in quotes", text)


def labels_of(origin: Hashable) -> dict[str, str]:
    """What the templates may name, of a line's `measurement,tag=value,...` as it stands.

    Raises:
        Unusable: no measurement, a broken tag.
    """
    text = str(origin)
    measurement = _MEASUREMENT.match(text)
    if measurement is None:
        raise Unusable(Reason.MALFORMED, f"a line has no measurement (got {shown(text)})")
    tags: dict[str, str] = {}
    position = measurement.end()
    while position < len(text):
        tag = _TAG.match(text, position)
        if tag is None:
            raise Unusable(Reason.MALFORMED, f"expected tag=value (got {shown(text[position:])})")
        tags[_unescaped(tag[1])] = _unescaped(tag[2])
        position = tag.end()
    # In the order of their keys, as InfluxDB has them: two writers of one series may order them differently.
    values = [tags[key] for key in sorted(tags)]
    name = _unescaped(measurement[0])
    labels = _Labels(measurement=name, tags=".".join(values), series=".".join([name, *values]))
    labels.update((f"tag.{key}", value) for key, value in tags.items())
    return labels


class _Labels(dict[str, str]):
    def __missing__(self, name: str) -> str:
        if not name.startswith("tag."):
            raise KeyError(name)
        return ""


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def _malformed(line: int, what: str, rest: str) -> Unusable:
    return Unusable(Reason.MALFORMED, f"line {line + 1}: {what} (got {shown(rest[:100])})")
