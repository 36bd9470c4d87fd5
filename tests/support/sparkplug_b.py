"""Sparkplug B as devices write it: the specification's own schema, nested messages and all, for protobuf.

Written out a second time, and in another way than the product's, so that the one can be held against the other.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_F = descriptor_pb2.FieldDescriptorProto
_FILE = descriptor_pb2.FileDescriptorProto(name="official.proto", package="official", syntax="proto2")


def _message(name: str, /, **fields: tuple[int, Any, bool, bool]) -> None:
    message = _FILE.message_type.add(name=name)
    if any(in_oneof for *_, in_oneof in fields.values()):
        message.oneof_decl.add(name="value")
    for field, (number, kind, repeated, in_oneof) in fields.items():
        made = message.field.add(name=field, number=number)
        made.label = _F.LABEL_REPEATED if repeated else _F.LABEL_OPTIONAL
        if isinstance(kind, str):
            made.type, made.type_name = _F.TYPE_MESSAGE, f".official.{kind}"
        else:
            made.type = kind
        if in_oneof:
            made.oneof_index = 0


def _one(number: int, kind: Any) -> tuple[int, Any, bool, bool]:
    return number, kind, False, False


def _many(number: int, kind: Any) -> tuple[int, Any, bool, bool]:
    return number, kind, True, False


def _either(number: int, kind: Any) -> tuple[int, Any, bool, bool]:
    return number, kind, False, True


def _values(first: int) -> dict[str, tuple[int, Any, bool, bool]]:
    kinds = {
        "int_value": _F.TYPE_UINT32, "long_value": _F.TYPE_UINT64, "float_value": _F.TYPE_FLOAT,
        "double_value": _F.TYPE_DOUBLE, "boolean_value": _F.TYPE_BOOL, "string_value": _F.TYPE_STRING,
    }  # fmt: skip
    return {name: _either(first + index, kind) for index, (name, kind) in enumerate(kinds.items())}


_message("DataSetValue", **_values(1))
_message("Row", elements=_many(1, "DataSetValue"))
_message(
    "DataSet",
    num_of_columns=_one(1, _F.TYPE_UINT64),
    columns=_many(2, _F.TYPE_STRING),
    types=_many(3, _F.TYPE_UINT32),
    rows=_many(4, "Row"),
)
_message("Parameter", name=_one(1, _F.TYPE_STRING), type=_one(2, _F.TYPE_UINT32), **_values(3))
_message(
    "Template",
    version=_one(1, _F.TYPE_STRING),
    metrics=_many(2, "Metric"),
    parameters=_many(3, "Parameter"),
    template_ref=_one(4, _F.TYPE_STRING),
    is_definition=_one(5, _F.TYPE_BOOL),
)
_message(
    "PropertyValue",
    type=_one(1, _F.TYPE_UINT32),
    is_null=_one(2, _F.TYPE_BOOL),
    **_values(3),
    propertyset_value=_either(9, "PropertySet"),
)
_message("PropertySet", keys=_many(1, _F.TYPE_STRING), values=_many(2, "PropertyValue"))
_message(
    "MetaData",
    is_multi_part=_one(1, _F.TYPE_BOOL),
    content_type=_one(2, _F.TYPE_STRING),
    size=_one(3, _F.TYPE_UINT64),
    seq=_one(4, _F.TYPE_UINT64),
    file_name=_one(5, _F.TYPE_STRING),
    file_type=_one(6, _F.TYPE_STRING),
    md5=_one(7, _F.TYPE_STRING),
    description=_one(8, _F.TYPE_STRING),
)
_message(
    "Metric",
    name=_one(1, _F.TYPE_STRING),
    alias=_one(2, _F.TYPE_UINT64),
    timestamp=_one(3, _F.TYPE_UINT64),
    datatype=_one(4, _F.TYPE_UINT32),
    is_historical=_one(5, _F.TYPE_BOOL),
    is_transient=_one(6, _F.TYPE_BOOL),
    is_null=_one(7, _F.TYPE_BOOL),
    metadata=_one(8, "MetaData"),
    properties=_one(9, "PropertySet"),
    **_values(10),
    bytes_value=_either(16, _F.TYPE_BYTES),
    dataset_value=_either(17, "DataSet"),
    template_value=_either(18, "Template"),
)
_message(
    "Payload",
    timestamp=_one(1, _F.TYPE_UINT64),
    metrics=_many(2, "Metric"),
    seq=_one(3, _F.TYPE_UINT64),
    uuid=_one(4, _F.TYPE_STRING),
    body=_one(5, _F.TYPE_BYTES),
)

_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_FILE)


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"official.{name}"))


Payload = _class("Payload")
Metric = _class("Metric")
Template = _class("Template")
DataSet = _class("DataSet")
Row = _class("Row")
DataSetValue = _class("DataSetValue")
PropertySet = _class("PropertySet")
PropertyValue = _class("PropertyValue")


def payload(*metrics: dict[str, Any], **fields: Any) -> bytes:
    """A payload of metrics, each given by its fields; nested messages may be mappings as well."""
    encoded: bytes = Payload(metrics=[Metric(**metric) for metric in metrics], **fields).SerializeToString()
    return encoded
