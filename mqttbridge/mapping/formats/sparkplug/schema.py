"""The messages of Sparkplug B 3.0 (section 6.4.1), for protobuf.

Messages within messages are declared as bytes, which is the same on the wire: each is decoded by itself, and only
once their number was seen, so that a small payload cannot ask for a million objects. What no event is made of
(metadata, template parameters, extensions) is left out, and skipped by protobuf as unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mqttbridge.mapping.formats.base import load_library

# Name, number, type as protobuf calls it; `*` is repeated, `|` a member of the message's oneof `value`.
_MESSAGES: Final = {
    "Payload": "timestamp 1 uint64, metrics 2 *bytes, seq 3 uint64, uuid 4 string, body 5 bytes",
    "Metric": "name 1 string, alias 2 uint64, timestamp 3 uint64, datatype 4 uint32, is_historical 5 bool, "
    "is_transient 6 bool, is_null 7 bool, properties 9 bytes, int_value 10 |uint32, long_value 11 |uint64, "
    "float_value 12 |float, double_value 13 |double, boolean_value 14 |bool, string_value 15 |string, "
    "bytes_value 16 |bytes, dataset_value 17 |bytes, template_value 18 |bytes",
    "PropertySet": "keys 1 *string, values 2 *bytes",
    "PropertyValue": "type 1 uint32, is_null 2 bool, string_value 8 |string",
    "DataSet": "num_of_columns 1 uint64, columns 2 *string, types 3 *uint32, rows 4 *bytes",
    "Row": "elements 1 *bytes",
    "DataSetValue": "int_value 1 |uint32, long_value 2 |uint64, float_value 3 |float, double_value 4 |double, "
    "boolean_value 5 |bool, string_value 6 |string",
    "Template": "version 1 string, metrics 2 *bytes, template_ref 4 string, is_definition 5 bool",
}
_PACKAGE: Final = "mqttbridge.sparkplug"


@dataclass(frozen=True, slots=True)
class Schema:
    """The message classes; `Any`, since protobuf makes them at run time."""

    payload: Any
    metric: Any
    property_set: Any
    property_value: Any
    dataset: Any
    row: Any
    dataset_value: Any
    template: Any


def load_schema() -> Schema:
    """Make the message classes.

    Raises:
        InvalidFormat: protobuf is not installed.
    """
    descriptor_pb2 = load_library("google.protobuf.descriptor_pb2", "sparkplug")
    descriptor_pool = load_library("google.protobuf.descriptor_pool", "sparkplug")
    message_factory = load_library("google.protobuf.message_factory", "sparkplug")
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if "|" in fields:
            message.oneof_decl.add(name="value")
        for field in fields.split(", "):
            _add(message, *field.split(" "), kinds=descriptor_pb2.FieldDescriptorProto)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return Schema(
        *(message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES)
    )


def _add(message: Any, name: str, number: str, kind: str, *, kinds: Any) -> None:
    field = message.field.add(
        name=name,
        number=int(number),
        type=getattr(kinds, f"TYPE_{kind.lstrip('*|').upper()}"),
        label=kinds.LABEL_REPEATED if kind[0] == "*" else kinds.LABEL_OPTIONAL,
    )
    if kind[0] == "|":
        field.oneof_index = 0
