"""What a payload format is: a way from bytes to one document, or to several points in time.

A format of documents is a function. One of points is opened once a rule, so that it may remember what earlier
messages said (Sparkplug's births); what it remembers is an explicit value of the rulebook, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from mqttbridge.events import Reason
from mqttbridge.mapping.payload import Parser
from mqttbridge.mapping.unusable import Unusable

# Mapping as many takes 20 to 40 ms, each at a time and with a unit of its own. More is a dump of something else, or a
# backlog to be sent in parts.
MAX_VALUES: Final = 3_000
MAX_LINES: Final = 2_500

_NO_UNITS: Final[Mapping[str, str]] = MappingProxyType({})


class InvalidFormat(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """A rule's format cannot be used as it is configured.

    Attributes:
        path: the rule's key that is at fault, such as ("csv", "columns").
    """

    def __init__(self, path: tuple[str, ...], what: str) -> None:
        super().__init__(what)
        self.path = path


class Point(NamedTuple):
    """One of the measurements of a message.

    Attributes:
        document: its values, as a document format gives them.
        epoch: when it was measured, in epoch seconds; None where the format does not say.
        origin: whose it is, in the format's own terms; `PointsFormat.labels` says it in words.
        units: units of its fields, where the message says them.
    """

    document: Any
    epoch: float | None = None
    origin: Hashable = None
    units: Mapping[str, str] = _NO_UNITS


@dataclass(slots=True)
class Gaps:
    """What formats miss, as far as they can tell; the ingest loop takes it.

    Attributes:
        count: how many times a sequence number was not the one after the last: messages never came.
        latest: the last time, in words.
        rebirths: topics to order births on, of nodes that have to say anew what their data mean.
    """

    count: int = 0
    latest: str = ""
    rebirths: set[str] = field(default_factory=set)

    def found(self, where: str) -> None:
        """Count one more."""
        self.count += 1
        self.latest = where


class PointsReader(Protocol):
    """A format of points at work for one rule."""

    def read(self, topic: bytes, payload: bytes) -> Sequence[Point]:
        """The points of one message, in its order; none where it says nothing that is a value.

        Raises:
            Unusable: the message is to be rejected.
        """


@dataclass(frozen=True, slots=True)
class DocumentFormat:
    """One document a message.

    Attributes:
        parse: from bytes to the document.
        has_fields: whether the document can be an object: a model and a `timestamp` need one.
    """

    parse: Parser
    has_fields: bool = True


class Names:
    """The names that a format gives to templates: fixed ones, and all that begin with one of the prefixes."""

    def __init__(self, *fixed: str, prefixes: tuple[str, ...] = ()) -> None:
        self._fixed, self._prefixes = fixed, prefixes

    def with_(self, names: Iterable[str]) -> Names:
        """These names and others, which stand first when they are told."""
        return Names(*names, *self._fixed, prefixes=self._prefixes)

    def __len__(self) -> int:
        return len(self._fixed) + len(self._prefixes)

    def __contains__(self, name: object) -> bool:
        return name in self._fixed or (isinstance(name, str) and self.may_be_missing(name))

    def may_be_missing(self, name: str) -> bool:
        """Whether not every message has a value for it, so that it is an error when a template needs one."""
        return any(name.startswith(prefix) and len(name) > len(prefix) for prefix in self._prefixes)

    def __iter__(self) -> Iterator[str]:
        """For people: a prefix is shown as `tag.NAME`."""
        yield from self._fixed
        yield from (f"{prefix}NAME" for prefix in self._prefixes)


def _no_labels(origin: Hashable) -> dict[str, str]:  # noqa: ARG001  # there is one origin only
    return {}


@dataclass(frozen=True, slots=True)
class PointsFormat:
    """Any number of points a message.

    Attributes:
        open: makes a reader; it counts what is missing in the `Gaps`.
        names: what the templates may name beside the topic's captures.
        labels: those names' values for a point's origin, empty for what is missing; it may raise `Unusable`.
        series: the name that tells all origins apart; where the templates use none of the names, it goes before
            the field, so that two origins never share a stream. Empty where there is one origin only.
        has_fields: whether a model can check a point.
        own_time: whether the points have times of their own, so that the rule's `timestamp` has no meaning.
        may_be_silent: whether a message may well have no points at all, and is not rejected for it.
    """

    open: Callable[[Gaps], PointsReader]
    names: Names = field(default_factory=Names)
    labels: Callable[[Hashable], dict[str, str]] = _no_labels
    series: str = ""
    has_fields: bool = True
    own_time: bool = False
    may_be_silent: bool = False


class _NoPoints:
    def read(self, topic: bytes, payload: bytes) -> Sequence[Point]:  # noqa: ARG002  # a reader's signature
        return ()


def no_points(gaps: Gaps) -> PointsReader:  # noqa: ARG001  # an opener's signature
    """A reader that never finds anything."""
    return _NoPoints()


Format: TypeAlias = DocumentFormat | PointsFormat


def load_library(module: str, extra: str) -> ModuleType:
    """Import a library that only some formats need: nobody else pays for it in start-up time and memory.

    Raises:
        InvalidFormat: it is not installed, with what to do.
    """
    try:
        return import_module(module)
    except ImportError as error:
        what = f"needs the extra {extra!r}, which is not installed: pip install 'mqttbridge[{extra}]' ({error})"
        raise InvalidFormat(("format",), what) from None


def unique_object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object of pairs whose keys all differ.

    Raises:
        Unusable: a key stands twice.
    """
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise Unusable(Reason.DUPLICATE_KEYS, f"the key {str(key)[:60]!r} stands twice in one object")
        made[key] = value
    return made


def not_empty(payload: bytes) -> bytes:
    """The payload itself.

    Raises:
        Unusable: there is nothing in it.
    """
    if not payload:
        raise Unusable(Reason.EMPTY_PAYLOAD, "the payload is empty")
    return payload


def check_lines(text: str) -> None:
    """Look at a text of lines before any work is done for them.

    Raises:
        Unusable: there are more lines than a message may have points.
    """
    if text.count("\n") > MAX_LINES:
        raise Unusable(Reason.TOO_MANY_FIELDS, f"more than {MAX_LINES} lines in one message")


def too_many_values() -> Unusable:
    """A message of points has a bound on their values, as one of a document has on its fields."""
    return Unusable(Reason.TOO_MANY_FIELDS, f"more than {MAX_VALUES} values in one message")
