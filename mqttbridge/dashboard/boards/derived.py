"""Live values of the expressions that somebody watches, bucket by bucket."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from mqttbridge.dashboard.boards.expressions import Evaluation
from mqttbridge.dashboard.store.model import Column
from mqttbridge.mapping.expressions import Expression

MAX_WATCHED: Final = 200
"""Expressions of one bucket that are worked out live; past it the one that was asked for longest ago is not."""


class Derived:
    """The expressions of one bucket. `watch` is called from any thread, `of` from the hub's alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._evaluations: OrderedDict[str, Evaluation] = OrderedDict()

    def watch(self, text: str, expression: Expression) -> Evaluation:
        """Work it out from now on. Seed what is returned with the streams' last values."""
        with self._lock:
            known = self._evaluations.setdefault(text, Evaluation(expression))
            self._evaluations.move_to_end(text)
            if len(self._evaluations) > MAX_WATCHED:
                self._evaluations.popitem(last=False)
            return known

    def of(self, columns: Mapping[str, Column]) -> dict[str, Column]:
        """The expressions' new values, by their text, for a frame's columns (each in order of time)."""
        with self._lock:
            concerned = [
                (text, one) for text, one in self._evaluations.items() if not one.expression.names.isdisjoint(columns)
            ]
        found = ((text, one.over(columns)) for text, one in concerned)
        return {text: column for text, column in found if column.times}
