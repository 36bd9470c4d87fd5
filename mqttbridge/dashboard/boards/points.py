"""Points of expressions, read from the store, and from then on worked out live."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from mqttbridge.dashboard.boards.derived import Derived
from mqttbridge.dashboard.boards.expressions import Evaluation, parse, unknown_streams, window_of
from mqttbridge.dashboard.store import Column, Store
from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.mapping.expressions import Expression, InvalidExpression

MAX_EXPRESSIONS: Final = 20
"""Of one request."""

# Inputs are read this much more finely than the result is shown: their extremes need not fall together.
_FINER: Final = 4
_MOST_BUCKETS: Final = 4000


@dataclass(frozen=True, slots=True)
class Window:
    """What part of time is shown, in epoch seconds, and how finely.

    Attributes:
        after: the beginning.
        before: the end; None: what lies ahead of now comes along.
        end: the end that is shown.
        buckets: how many buckets of time a series is cut into at most.
    """

    after: float
    before: float | None
    end: float
    buckets: int


def expressions_of(
    texts: Collection[str], store: Store, derived: Derived, bucket: str, window: Window
) -> tuple[dict[str, Column], dict[str, str]]:
    """The points of each expression, by its text, and what is wrong with those that have none, in words.

    Args:
        texts: the expressions.
        store: where their streams are.
        derived: who works them out live from now on.
        bucket: whose streams they are.
        window: what is shown.

    Raises:
        StoreError: the store cannot be read now.
    """
    parsed: dict[str, Expression] = {}
    errors: dict[str, str] = {}
    latest = {one.stream: one.last.value for one in store.streams(bucket)}
    for text in texts:
        try:
            expression = parse(text)
            if missing := unknown_streams(expression, latest):
                errors[text] = missing
            else:
                parsed[text] = expression
        except InvalidExpression as error:
            errors[text] = str(error)
    _watch(parsed, store, derived, bucket)
    names = frozenset().union(*(expression.names for expression in parsed.values()))
    finer = min(_FINER * window.buckets, _MOST_BUCKETS)
    columns = store.points(bucket, names, window.after, window.before, finer) if names else {}
    start, end = int(window.after * MICROSECONDS), int(window.end * MICROSECONDS)
    found = {}
    for text, expression in parsed.items():
        evaluation = Evaluation(expression)
        column = evaluation.over(columns)
        found[text] = window_of(column, start, end, window.buckets)
        if evaluation.problem and not column.times:
            errors[text] = evaluation.problem
    return found, errors


def _watch(parsed: dict[str, Expression], store: Store, derived: Derived, bucket: str) -> None:
    """Work them out live, so that nothing is missed between the points read after this and the next frame.

    In this order: what comes before the last values are known is in the points, what comes after is in a frame.
    """
    watched = [derived.watch(text, expression) for text, expression in parsed.items()]
    if watched:
        for one in store.streams(bucket):
            for evaluation in watched:
                evaluation.seed(one.stream, one.last.value)
