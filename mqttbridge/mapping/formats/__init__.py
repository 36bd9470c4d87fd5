"""Payload formats, each in a module of its own; this is their registry.

| format      | takes                                                                            | gives               |
| ----------- | -------------------------------------------------------------------------------- | ------------------- |
| `json`      | any JSON, a bare value as well                                                   | a document          |
| `number`    | `21.5`, `-3`, `+5`, `.5`, `007`, `1e3`                                           | a bare number       |
| `boolean`   | true/false, on/off, yes/no, 1/0, online/offline, open/closed, or words of yours  | a bare boolean      |
| `text`      | any UTF-8                                                                        | a bare text         |
| `auto`      | JSON where it is JSON, true/false in any case, else text                         | any of these        |
| `csv`       | lines of named columns                                                           | a point a line      |
| `influx`    | InfluxDB's line protocol                                                         | a point a line      |
| `cbor`      | one CBOR data item                                                               | a document          |
| `msgpack`   | one MessagePack object                                                           | a document          |
| `hex`       | a frame in hex digits, read by a layout                                          | an object           |
| `struct`    | a frame, read by a layout                                                        | an object           |
| `sparkplug` | Sparkplug B: births, deaths and data of edge nodes and devices, and host states  | a point a device    |

A new format is a module here, a member of `PayloadFormat`, and a line in `_FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mqttbridge.config.rules import PayloadFormat, RuleConfig
from mqttbridge.mapping.formats.base import DocumentFormat, Format, Gaps, InvalidFormat, PointsFormat, PointsReader
from mqttbridge.mapping.formats.boolean import boolean_format
from mqttbridge.mapping.formats.cbor import cbor_format
from mqttbridge.mapping.formats.csv import csv_format
from mqttbridge.mapping.formats.frame import hex_format, struct_format
from mqttbridge.mapping.formats.influx import influx_format
from mqttbridge.mapping.formats.msgpack import msgpack_format
from mqttbridge.mapping.formats.sparkplug import sparkplug_format
from mqttbridge.mapping.payload import parse_auto, parse_json, parse_number, parse_text

__all__ = ["DocumentFormat", "Format", "Gaps", "InvalidFormat", "PointsFormat", "PointsReader", "format_of"]

_FORMATS: Final[dict[PayloadFormat, Callable[[RuleConfig], Format]]] = {
    PayloadFormat.AUTO: lambda _: DocumentFormat(parse_auto),
    PayloadFormat.JSON: lambda _: DocumentFormat(parse_json),
    PayloadFormat.NUMBER: lambda _: DocumentFormat(parse_number, has_fields=False),
    PayloadFormat.TEXT: lambda _: DocumentFormat(parse_text, has_fields=False),
    PayloadFormat.BOOLEAN: boolean_format,
    PayloadFormat.CSV: csv_format,
    PayloadFormat.INFLUX: influx_format,
    PayloadFormat.CBOR: cbor_format,
    PayloadFormat.MSGPACK: msgpack_format,
    PayloadFormat.HEX: hex_format,
    PayloadFormat.STRUCT: struct_format,
    PayloadFormat.SPARKPLUG: sparkplug_format,
}


def format_of(rule: RuleConfig) -> Format:
    """The payload format of a rule, as the rule configures it.

    Raises:
        InvalidFormat: it cannot be used that way, or a library is missing.
    """
    return _FORMATS[rule.format](rule)
