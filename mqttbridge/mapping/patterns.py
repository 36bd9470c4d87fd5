"""What a level of a topic looks like: a regular expression that takes linear time on any input.

It is matched by the engine behind pydantic, which has no back-tracking (and so no look-around and no
back-references), since topics come from the network and Python's own engine can be made to run for years.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic_core import SchemaError, SchemaValidator, core_schema


class InvalidPattern(ValueError):  # noqa: N818  # names what it is about, as InvalidFilter does
    """Not a regular expression, or one of a kind that linear time does not allow."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; two of one text are equal."""

    text: str
    _validator: SchemaValidator = field(repr=False, compare=False)

    def matches(self, level: str) -> bool:
        """Whether all of the level looks like this."""
        return self._validator.isinstance_python(level)


def parse_pattern(text: str) -> Pattern:
    """Compile a pattern for whole texts.

    Raises:
        InvalidPattern: with what is wrong in plain words.
    """
    try:
        # Each alone first: `a)|(b` is no expression, but would be one within the group.
        SchemaValidator(core_schema.str_schema(pattern=text))
        return Pattern(text, SchemaValidator(core_schema.str_schema(pattern=rf"\A(?:{text})\z")))
    except SchemaError:
        raise InvalidPattern(
            f"not a regular expression (look-around and back-references are not offered): {text!r}"
        ) from None
