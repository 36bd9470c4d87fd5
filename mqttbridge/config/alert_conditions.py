"""What is watched for in the values of a stream: the `when` of an alert rule."""

from __future__ import annotations

from functools import lru_cache
from math import isfinite
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import SchemaError, SchemaValidator, core_schema

from mqttbridge.config.quantities import DAY, Duration
from mqttbridge.config.section import Section

MAX_PATTERN_CHARS: Final = 250
# Enough for names that nest, few enough that a match is quick whatever a device calls itself.
MAX_STARS: Final = 8


def _finite(number: float) -> float:
    if not isfinite(number):
        raise ValueError("expected a finite number")
    return number


def _pattern(text: str) -> str:
    if text.count("*") > MAX_STARS:
        raise ValueError(f"at most {MAX_STARS} '*'")
    return text


@lru_cache(maxsize=512)
def expression_of(pattern: str) -> SchemaValidator:
    """Finds a regular expression in texts in linear time, by an engine without back-tracking.

    Raises:
        ValueError: not a regular expression, or one that linear time does not allow.
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        raise ValueError(
            f"not a regular expression (look-around and back-references are not offered): {pattern!r}"
        ) from None


Finite = Annotated[float, AfterValidator(_finite)]
Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_CHARS), AfterValidator(_pattern)]


class Threshold(Section):
    """A number is on one side of a bound."""

    is_: Literal[">", ">=", "<", "<="] = Field(alias="is")
    """The comparison, as in `{is: ">", value: 30}`."""
    value: Finite
    """The bound."""
    clear: Finite | None = None
    """It is over only when the number is back at this, on the other side of the bound; default: the bound."""

    @model_validator(mode="after")
    def _clear_is_beyond(self) -> Self:
        if self.clear is not None and (
            self.clear > self.value if self.is_.startswith(">") else self.clear < self.value
        ):
            side = "above" if self.is_.startswith(">") else "below"
            raise ValueError(f"clear ({self.clear:g}) may not be {side} value ({self.value:g}): it would never be over")
        return self


class Equality(Section):
    """A value is, or is not, a given one."""

    is_: Literal["=", "!="] = Field(alias="is")
    """`=` or `!=`."""
    value: bool | Finite | Annotated[str, Field(max_length=2000)]
    """Compared as it is: number with number, text with text, on and off with true and false."""


class Match(Section):
    """A text holds something."""

    is_: Literal["matches"] = Field(alias="is")
    """`matches`, with `text` or `pattern`."""
    text: str | None = Field(None, min_length=1, max_length=500)
    """What the text contains, in any case of letters."""
    pattern: str | None = Field(None, min_length=1, max_length=500)
    """Or a regular expression that is found in it, without look-around and back-references."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.text is None) == (self.pattern is None):
            raise ValueError("give either text or pattern")
        if self.pattern is not None:
            expression_of(self.pattern)
        return self


class Change(Section):
    """A number moves."""

    is_: Literal["changes_by"] = Field(alias="is")
    """`changes_by` a `value`."""
    value: Annotated[Finite, Field(gt=0)]
    """By so much at least, up or down: from the lowest to the highest of `within`, or since the value before."""
    within: Duration | None = Field(None, gt=0, le=7 * DAY)
    """In how long, to a sixtieth of it; null: from one value to the next."""


class Silence(Section):
    """Nothing comes."""

    is_: Literal["no_data"] = Field(alias="is")
    """`no_data`, `after` so long."""
    after: Duration = Field(gt=0)
    """For so long."""


class Circle(Section):
    """A position enters or leaves a circle. The first position that is known only says where it begins."""

    is_: Literal["enters", "leaves"] = Field(alias="is")
    """`enters` fires while it is inside, having been outside; `leaves` the other way round."""
    lat: Annotated[Finite, Field(ge=-90, le=90)]
    """The circle's centre, in degrees."""
    lon: Annotated[Finite, Field(ge=-180, le=180)]
    """Likewise."""
    radius: Annotated[Finite, Field(gt=0, le=2.1e7)]
    """In metres."""
    margin: Annotated[Finite, Field(ge=0, le=1e6)] = 0.0
    """It has come back only when it is so many metres on the other side of the edge: positions jitter."""
    longitude: Pattern | None = None
    """The stream of longitudes where `stream` is one of latitudes, as `*.longitude`; null: `lat,lon` in one text."""


Condition: TypeAlias = Annotated[Threshold | Equality | Match | Change | Silence | Circle, Field(discriminator="is_")]
