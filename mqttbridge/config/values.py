"""The sections that say what is made of a field's value, and which fields are made of others."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mqttbridge.config.quantities import Duration
from mqttbridge.config.section import Section


class Counter(StrEnum):
    RATE = "rate"
    DELTA = "delta"


class ValueConfig(Section):
    """What is made of a field's value, in this order: map, counter, scale, offset, unit to unit, round."""

    unit: str = Field("", max_length=16)
    """Unit in which the device sends it."""
    to: str | None = Field(None, min_length=1, max_length=16)
    """Unit to convert it to, which is then the stream's."""
    scale: float | None = Field(None, allow_inf_nan=False)
    """Factor."""
    offset: float | None = Field(None, allow_inf_nan=False)
    """Added after `scale`."""
    round: int | None = Field(None, ge=-12, le=12)
    """Decimal places to keep."""
    map: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """What each value of the payload stands for, as in {"ON": 1, "OFF": 0}."""
    otherwise: str | int | float | bool | None = None
    """What a value that is not in `map` becomes; default: its message is rejected."""
    counter: Counter | None = None
    """The value is a running total: `delta` makes events of its growth, `rate` of its growth in time."""
    per: Duration = Field(1.0, gt=0)
    """The time in which a `rate` is given."""
    wraps_at: int | None = Field(None, ge=2, le=2**64)
    """Where the device's counter starts again at 0, such as 4294967296; a fall is else taken for a reset."""


class DerivedConfig(Section):
    """A field made of others. As a text alone it is the expression."""

    expr: str = Field(min_length=1, max_length=500)
    """Such as `temperature - (100 - humidity) / 5`; see docs/mapping.md."""
    unit: str = Field("", max_length=16)
    """For the dashboard to show."""
    round: int | None = Field(None, ge=-12, le=12)
    """Decimal places to keep."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The short form is valid, too."""
        whole = handler.resolve_ref_schema(handler(schema))
        text = {"type": "string", "minLength": 1, "maxLength": 500, "description": "The expression alone."}
        return {"anyOf": [text, dict(whole)]}

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        return {"expr": given} if isinstance(given, str) else given
