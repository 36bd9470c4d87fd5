"""What payloads must look like."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from mqttbridge.config.quantities import Duration
from mqttbridge.config.values import ValueConfig


class FieldType(StrEnum):
    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    STR = "str"
    DATETIME = "datetime"
    ENUM = "enum"
    OBJECT = "object"


class TimeOf(StrEnum):
    FIRST = "first"
    LAST = "last"


class FieldConfig(ValueConfig):
    """One field of a model: its type, its bounds, where it stands in the payload, what is made of its value."""

    type: Annotated[FieldType | str, Field(union_mode="left_to_right")]
    """float, int, bool, str, datetime, enum (one of `choices`), object (of `fields`), or another model of `models`."""
    ge: float | None = None
    """A number must be at least this."""
    le: float | None = None
    """A number must be at most this."""
    gt: float | None = None
    """A number must be above this."""
    lt: float | None = None
    """A number must be below this."""
    choices: tuple[str | int | float | bool, ...] | None = None
    """The values to choose from."""
    pattern: str | None = None
    """Regular expression that the whole text must match."""
    max_length: int | None = Field(None, ge=1, le=2000)
    """The most characters a text may have."""
    lenient: bool = False
    """Takes a number or boolean that stands in a text, as `"21.5"`, and a text that is a number or boolean."""
    optional: bool = False
    """May be missing or null; then it makes no event."""
    default: str | int | float | bool | None = None
    """Used when the field is missing or null."""
    path: str | None = None
    """Where the field stands, as in `sensors[0].value`; `[*]` takes each item; default: a key of its own name."""
    as_: str | None = Field(None, alias="as")
    """With `[*]`: template of each item's name, from `{index}`, `{field}` and payload paths as `{sensors[*].name}`."""
    interval: Duration | None = Field(None, gt=0)
    """With `[*]`: the items are points of one stream, this far apart in time."""
    time_of: TimeOf = TimeOf.LAST
    """With `interval`: the item that the message's time belongs to."""
    fields: dict[str, FieldConfig] | None = None
    """The fields of an `object`."""
    variants: dict[str, str] | None = None
    """By this field's value: the model of the payload's further fields."""
    store: bool = True
    """Whether it makes events; false only checks it."""


ModelConfig = dict[str, FieldConfig]
