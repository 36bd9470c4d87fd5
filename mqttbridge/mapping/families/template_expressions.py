"""The filters and tests of Home Assistant's templates that take a regular expression, each paid for before it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import Undefined
from jinja2.exceptions import UndefinedError

from mqttbridge.mapping.families.template_budget import MAX_TEXT, Budget, TooMuch
from mqttbridge.mapping.families.template_patterns import Expression, parse_expression

# Nanoseconds, some three a step, by those that a unit of the budget may take.
_STEPS_A_UNIT: Final = 100
# To read an expression that was not met before.
_PARSE_COST: Final = 1_500
_MAX_KNOWN: Final = 500
_MAX_REPLACEMENT: Final = 200


class Expressions:
    """Regular expressions of templates, each read once, and run on the budget of the rendering."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._known: dict[tuple[str, bool], Expression] = {}

    @property
    def filters(self) -> Mapping[str, Callable[..., Any]]:
        """By the names that templates use."""
        return {
            "regex_match": self._matches,
            "regex_search": self._found,
            "regex_replace": self._replaced,
            "regex_findall": self._all,
            "regex_findall_index": self._nth,
        }

    @property
    def tests(self) -> Mapping[str, Callable[..., bool]]:
        """By the names that templates use after `is`."""
        return {"match": self._matches, "search": self._found}

    def _ready(self, text: str, expression: Any, ignorecase: Any) -> re.Pattern[str]:
        """The expression, paid for."""
        key = (str(expression), bool(ignorecase))
        if (known := self._known.get(key)) is None:
            self._budget.charge(_PARSE_COST)
            known = parse_expression(key[0], ignore_case=key[1])
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[key] = known
        self._budget.pay_for(text)
        self._budget.charge(1 + known.steps(len(text)) // _STEPS_A_UNIT)
        return known.compiled

    def _matches(self, value: Any, find: Any = "", ignorecase: Any = False) -> bool:
        text = _text(value)
        return self._ready(text, find, ignorecase).match(text) is not None

    def _found(self, value: Any, find: Any = "", ignorecase: Any = False) -> bool:
        text = _text(value)
        return self._ready(text, find, ignorecase).search(text) is not None

    def _replaced(self, value: Any, find: Any = "", replace: Any = "", ignorecase: Any = False) -> str:
        text, put = _text(value), str(replace)
        if len(put) > _MAX_REPLACEMENT or len(put) * (len(text) + 1) > MAX_TEXT:  # what it makes at most, about
            raise TooMuch("makes too long a text")
        return self._ready(text, find, ignorecase).sub(put, text)

    def _all(self, value: Any, find: Any = "", ignorecase: Any = False) -> list[Any]:
        text = _text(value)
        found: list[Any] = self._ready(text, find, ignorecase).findall(text)
        return found

    def _nth(self, value: Any, find: Any = "", index: Any = 0, ignorecase: Any = False) -> Any:
        return self._all(value, find, ignorecase)[int(index)]


def _text(value: Any) -> str:
    if isinstance(value, Undefined):
        raise UndefinedError("the value is undefined")
    return str(value)
