"""`csv`: lines of columns (RFC 4180), each line a point; a column's type goes by its value.

A number is a number, true and false are booleans in any case, nothing is no value, and all else is text. A number
written with leading zeros is an identifier, and stays a text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Final

from mqttbridge.config.formats import CsvConfig
from mqttbridge.config.rules import RuleConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.formats.base import (
    MAX_VALUES,
    InvalidFormat,
    Point,
    PointsFormat,
    check_lines,
    too_many_values,
)
from mqttbridge.mapping.message_names import names_property
from mqttbridge.mapping.payload import parse_text
from mqttbridge.mapping.unusable import Unusable, named

_NUMBER: Final = re.compile(
    r"[+-]?(?:(0|[1-9][0-9]{0,30})|(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?)"
)
# Longer than any number that a device writes, and short enough to be read in no time.
_MAX_NUMBER_CHARS: Final = 100
_WORDS: Final = {"true": True, "false": False}
_NOT_FINITE: Final = frozenset({"nan", "inf", "infinity"})

Row = list[str]


def csv_format(rule: RuleConfig) -> PointsFormat:
    """The format of a rule."""
    if not rule.csv.columns and not rule.csv.header:
        raise InvalidFormat(("csv",), "format csv needs the names of its `columns`, or `header: true`")
    reader = CsvReader(rule.csv, one_line=rule.timestamp is None or names_property(rule.timestamp))
    return PointsFormat(open=lambda _: reader)


class CsvReader:
    """Reads messages of lines. It remembers nothing.

    Args:
        config: columns, delimiter, header.
        one_line: whether a message may have one line only, since nothing says when each was measured.
    """

    def __init__(self, config: CsvConfig, *, one_line: bool) -> None:
        self._columns, self._header, self._delimiter = list(config.columns), config.header, config.delimiter
        self._one_line = one_line

    def read(self, topic: bytes, payload: bytes) -> Sequence[Point]:  # noqa: ARG002  # all is in the payload
        """A point for each line; see `PointsReader`."""
        rows = self._rows(parse_text(payload))
        columns = self._columns
        if self._header:
            header, rows = rows[:1], rows[1:]
            columns = columns or [name.strip() for row in header for name in row]
            _check_different(columns)
        if self._one_line and len(rows) > 1:
            raise Unusable(Reason.MALFORMED, f"{len(rows)} lines, and no `timestamp` column tells their times")
        return [Point(_document(columns, row, number)) for number, row in enumerate(rows, 1 + self._header)]

    def _rows(self, text: str) -> list[Row]:
        check_lines(text)
        if text.count(self._delimiter) > 2 * MAX_VALUES:  # texts in quotes may hold some, and be fine
            raise too_many_values()
        rows: list[Row] = []
        left = MAX_VALUES
        lines = (f"{line}\n" for line in text.split("\n"))
        try:
            for row in csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True, strict=True):
                if not row or row == [""]:
                    continue
                left -= len(row)
                if left < 0:
                    raise too_many_values()
                rows.append(row)
        except csv.Error as error:
            raise Unusable(Reason.MALFORMED, f"not CSV: {error}") from None
        return rows


def _check_different(columns: Sequence[str]) -> None:
    seen: set[str] = set()
    for column in columns:
        if column and column in seen:
            raise Unusable(Reason.DUPLICATE_KEYS, f"the header names the column {named(column)} twice")
        seen.add(column)


def _document(columns: Sequence[str], row: Row, number: int) -> dict[str, Any]:
    if len(row) != len(columns):
        raise Unusable(Reason.MALFORMED, f"line {number} has {len(row)} columns, expected {len(columns)}")
    return {column: _value(text.strip()) for column, text in zip_longest(columns, row) if column}


def _value(text: str) -> float | int | bool | str | None:
    if not text:
        return None
    match = _NUMBER.fullmatch(text) if len(text) <= _MAX_NUMBER_CHARS else None
    if match is not None:
        return int(text) if match[1] else float(text)
    word = text.lower()
    if word in _WORDS:
        return _WORDS[word]
    return float(word) if word.lstrip("+-") in _NOT_FINITE and len(word) < 10 else text
