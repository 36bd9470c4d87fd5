"""A Sparkplug payload's bytes become metrics: decoded one by one, templates taken apart into their members."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from mqttbridge.config.formats import Compression
from mqttbridge.events import Reason
from mqttbridge.mapping.formats.base import MAX_VALUES, not_empty, too_many_values
from mqttbridge.mapping.formats.compression import unpack
from mqttbridge.mapping.formats.sparkplug.schema import Schema
from mqttbridge.mapping.formats.sparkplug.sessions import Birth
from mqttbridge.mapping.formats.sparkplug.values import DataType, value_of
from mqttbridge.mapping.unusable import Unusable, named

# What a template's members are parted by, as the specification parts the folders of a metric's name.
_SLASH: Final = "/"
_MAX_TEMPLATE_DEPTH: Final = 8
# A birth declares as many metrics, though it may not have as many values.
MAX_DECLARED: Final = 10_000
_COMPRESSED: Final = "SPBV1.0_COMPRESSED"
# Of the known properties (section 6.4.8) the one that says something about the stream.
_UNIT: Final = "engUnit"
_MAX_UNIT_CHARS: Final = 16
_NOTHING_BORN: Final = Birth()


class Metric(NamedTuple):
    """One metric of a message, or one member of a template.

    Attributes:
        name: folders and template members parted by `/`.
        datatype: its number in the specification.
        alias: the number that data calls it by; None when there is none.
        value: a document; None when it is null.
        milliseconds: when it was measured, since 1970; None where the payload's time holds.
        unit: from its properties; empty when they do not say.
    """

    name: str
    datatype: int
    alias: int | None
    value: Any
    milliseconds: int | None
    unit: str


class Payload(NamedTuple):
    """One decoded payload, its metrics still packed."""

    milliseconds: int | None
    seq: int | None
    metrics: tuple[bytes, ...]


class MetricReader:
    """Decodes payloads and metrics by the schema. It remembers nothing."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def payload(self, data: bytes) -> Payload:
        """A payload, unpacked if it is compressed.

        Raises:
            Unusable: no Sparkplug payload, or too many metrics.
        """
        message = _decoded(self._schema.payload, not_empty(data))
        if message.uuid == _COMPRESSED:
            message = _decoded(self._schema.payload, unpack(message.body, Compression.AUTO))
        if len(message.metrics) > MAX_DECLARED:
            raise too_many_values()
        return Payload(
            message.timestamp if message.HasField("timestamp") else None,
            message.seq if message.HasField("seq") else None,
            tuple(message.metrics),
        )

    def metrics(self, payload: Payload, born: Birth) -> list[Metric]:
        """The payload's metrics, with the names and types that the birth gave them.

        Raises:
            Unusable: not Sparkplug, a value not of its type, or an alias without a birth.
        """
        if len(payload.metrics) > MAX_VALUES:
            raise too_many_values()
        metrics: list[Metric] = []
        for data in payload.metrics:
            metrics += self._metric(data, born, MAX_VALUES - len(metrics))
        return metrics

    def declared(self, payload: Payload) -> tuple[list[Metric], Unusable | None]:
        """The metrics of a birth: those that can be read, and why another cannot.

        What a birth declares holds for all the data after it, even if the birth's own values are refused.
        """
        if len(payload.metrics) > MAX_VALUES:
            return self._names(payload), too_many_values()
        metrics: list[Metric] = []
        refused: Unusable | None = None
        for data in payload.metrics:
            try:
                metrics += self._metric(data, _NOTHING_BORN, MAX_VALUES - len(metrics))
            except Unusable as unusable:
                refused = refused or unusable
        return metrics, refused

    def _names(self, payload: Payload) -> list[Metric]:
        """The metrics of a birth without their values, and without what is inside of templates."""
        names: list[Metric] = []
        for data in payload.metrics:
            message = _decoded(self._schema.metric, data)
            if message.name and message.datatype:
                alias = message.alias if message.HasField("alias") else None
                names.append(Metric(message.name, message.datatype, alias, None, None, ""))
        return names

    def _metric(self, data: bytes, born: Birth, most: int) -> list[Metric]:
        """One metric; of a template, its members too."""
        message = _decoded(self._schema.metric, data)
        alias = message.alias if message.HasField("alias") else None
        name = message.name
        if not name:
            declared = born.by_alias.get(alias) if alias is not None else None
            if declared is None:
                raise Unusable(Reason.NO_BIRTH, f"no birth seen that declares the metric with alias {alias}")
            name = declared.name
        if message.WhichOneof("value") != "template_value":  # one, as most are
            metrics = [self._plain(message, name, alias, born)]
        else:
            metrics = list(islice(self._taken_apart(message, name, alias, born, depth=0), most + 1))
        if len(metrics) > most:
            raise too_many_values()
        return metrics

    def _taken_apart(self, message: Any, name: str, alias: int | None, born: Birth, *, depth: int) -> Iterator[Metric]:
        yield self._plain(message, name, alias, born)
        if message.WhichOneof("value") == "template_value" and not message.is_null:
            yield from self._members(message.template_value, name, born, depth)

    def _plain(self, message: Any, name: str, alias: int | None, born: Birth) -> Metric:
        """One metric; a template without its members, whose value is none of its own."""
        datatype = message.datatype
        if not datatype:
            declared = born.by_name.get(name)
            if declared is None:
                raise Unusable(Reason.NO_BIRTH, f"no birth seen that says the type of {named(name)}")
            datatype = declared.datatype
        milliseconds = message.timestamp if message.HasField("timestamp") else None
        member = message.WhichOneof("value")
        if message.is_null or member is None or member == "template_value":
            value = None
        elif member == "dataset_value":
            value = self._rows(message.dataset_value, name)
        else:
            value = value_of(message, datatype, name)
        unit = self._unit(message.properties) if message.properties else ""
        return Metric(name, datatype, alias, value, milliseconds, unit)

    def _members(self, data: bytes, name: str, born: Birth, depth: int) -> Iterator[Metric]:
        if depth >= _MAX_TEMPLATE_DEPTH:
            raise Unusable(Reason.MALFORMED, f"{named(name)}: templates nested deeper than {_MAX_TEMPLATE_DEPTH}")
        template = _decoded(self._schema.template, data)
        if template.is_definition:
            return  # it declares a type, and holds no value of anything
        for member in template.metrics:
            message = _decoded(self._schema.metric, member)
            yield from self._taken_apart(message, f"{name}{_SLASH}{message.name}", None, born, depth=depth + 1)

    def _rows(self, data: bytes, name: str) -> list[dict[str, Any]]:
        """A data set as a list of objects."""
        dataset = _decoded(self._schema.dataset, data)
        columns = list(zip(dataset.columns, dataset.types, strict=False))
        if len(columns) * len(dataset.rows) > MAX_VALUES:
            raise too_many_values()
        return [self._row(row, columns, name) for row in dataset.rows]

    def _row(self, data: bytes, columns: list[tuple[str, int]], name: str) -> dict[str, Any]:
        cells = _decoded(self._schema.row, data).elements
        if len(cells) != len(columns):
            raise Unusable(Reason.MALFORMED, f"{named(name)}: a row of {len(cells)} cells, expected {len(columns)}")
        return {
            column: value_of(_decoded(self._schema.dataset_value, cell), datatype, f"{name}.{column}")
            for (column, datatype), cell in zip(columns, cells, strict=True)
        }

    def _unit(self, data: bytes) -> str:
        properties = _decoded(self._schema.property_set, data)
        for key, value in zip(properties.keys, properties.values, strict=False):
            if key == _UNIT:
                unit: str = _decoded(self._schema.property_value, value).string_value
                return unit if len(unit) <= _MAX_UNIT_CHARS and unit.isprintable() else ""
        return ""


def integer_of(metric: Metric) -> int | None:
    """The metric's value where it is a whole number."""
    return metric.value if type(metric.value) is int else None


def is_template(metric: Metric) -> bool:
    """Whether it stands for a template, whose members follow as metrics of their own."""
    return metric.datatype == DataType.TEMPLATE


def _decoded(message_class: Any, data: bytes) -> Any:
    try:
        return message_class.FromString(data)
    except Exception as error:  # protobuf's decoders differ in what they raise, and in what they say
        raise Unusable(Reason.MALFORMED, "not Sparkplug B: the payload is no protobuf message of its kind") from error
