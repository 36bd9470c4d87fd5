"""What the rendering of a template may cost: a budget that whatever goes through a sequence pays from."""

from __future__ import annotations

from typing import Any, Final

# A unit takes less than a microsecond: the worst template on the worst payload stays below 50 ms.
BUDGET: Final = 20_000
MAX_TEXT: Final = 65_536
_CHARS_A_UNIT: Final = 8


class TooMuch(Exception):  # noqa: N818  # never leaves the templates' modules
    """A rendering went past its bounds."""


class Budget:
    """What is left for the rendering that is under way."""

    def __init__(self) -> None:
        self.left = 0

    def begin(self) -> None:
        """A rendering begins: all of it is there."""
        self.left = BUDGET

    def charge(self, cost: int) -> None:
        """Pay for some work.

        Raises:
            TooMuch: there is not so much left.
        """
        self.left -= cost
        if self.left < 0:
            raise TooMuch("takes too long")

    def pay_for(self, value: Any) -> Any:
        """Pay for going through a value; the value itself.

        Raises:
            TooMuch: there is not so much left.
        """
        self.charge(self.weight(value))
        return value

    def weight(self, value: Any) -> int:
        """What it costs to go through a value, and all that is in it; once it is more than is left, that will do."""
        weight, waiting = 0, [value]
        while waiting and weight <= self.left:
            match waiting.pop():
                case str() as text:
                    weight += 1 + len(text) // _CHARS_A_UNIT
                case dict() as items:
                    weight += 1 + len(items)
                    waiting += items.values()
                case list() | tuple() as items:
                    weight += 1
                    waiting += items
                case _:
                    weight += 1
        return weight
