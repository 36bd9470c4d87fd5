"""The user's own pydantic models, `package.module:Model`: code of theirs, so it may do anything.

Whatever it raises rejects the message and nothing else. What it accepts is brought back to what JSON can hold,
and flattened and checked like any other payload.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any, get_args
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import ValidationError, to_json

from mqttbridge.events import Reason
from mqttbridge.mapping.flatten import Fields, flatten
from mqttbridge.mapping.models import InvalidModel
from mqttbridge.mapping.unusable import Unusable
from mqttbridge.mapping.validation import message_of, unusable


@dataclass(frozen=True, slots=True)
class ImportedModel:
    """A model of the user's own code."""

    model: type[BaseModel]
    units: Mapping[str, str]
    sole_field: str | None
    reads_documents: bool = False

    def of_documents(self) -> ImportedModel:
        """The same model for payloads that are not JSON: their document is written as JSON for it."""
        return replace(self, reads_documents=True)

    def unit_of(self, field: str) -> str:
        # The items of a list share what the model says of them.
        return self.units.get(".".join(part for part in field.split(".") if not part.isdecimal()), "")

    def fields(self, document: Any, payload: bytes) -> Fields:
        try:
            # From the bytes, not the document: pydantic reads a datetime from JSON where it would not from a str.
            if self.reads_documents:
                payload = to_json(document, inf_nan_mode="constants")
            plain = _plain(self.model.model_validate_json(payload).model_dump(warnings=False))
        except ValidationError as error:
            raise unusable(error) from None
        except Exception as error:
            raise Unusable(Reason.MODEL_FAILED, f"{self.model.__name__} raised {message_of(error)}") from error
        return flatten(plain)


def imported_model(reference: str) -> ImportedModel:
    """Import the model that `package.module:Model` names.

    Raises:
        InvalidModel: it cannot be imported, or is no pydantic model.
    """
    module_name, _, attribute = reference.partition(":")
    try:
        model = import_module(module_name)
        for part in attribute.split("."):
            model = getattr(model, part)
    except Exception as error:  # the module runs the user's code
        raise InvalidModel([((), f"cannot import {reference!r}: {message_of(error)}")]) from error
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        raise InvalidModel([((), f"{reference!r} is not a pydantic model")])
    names = list(model.model_fields)
    return ImportedModel(model, dict(_units(model, "", ())), names[0] if len(names) == 1 else None)


def _units(model: type[BaseModel], prefix: str, inside: tuple[type, ...]) -> Iterator[tuple[str, str]]:
    """Units by field, from `Field(json_schema_extra={"unit": ...})`, of models within the model as well."""
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and isinstance(unit := extra.get("unit"), str):
            yield prefix + name, unit
        for inner in _models_in(field.annotation):
            if inner not in (*inside, model):
                yield from _units(inner, f"{prefix}{name}.", (*inside, model))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation such as `Position`, `Position | None`, `list[Position]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _plain(value: Any) -> Any:
    """What JSON can hold, of what `model_dump` gives."""
    match value:
        case None | bool():
            return value
        case Enum():
            return _plain(value.value)
        case int():
            return int(value)
        case float() | Decimal():
            return float(value)
        case str():
            value.encode()  # a lone surrogate could not be written anywhere
            return str(value)
        case Mapping():
            return {str(_plain(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"no event can hold a {type(value).__name__}")
