"""The words of the domain: what flows from a broker's message to a destination's settlement.

Events travel by the hundred thousand a second, so an event is a plain tuple at run time; `Event` names its
parts for readers and type checkers, and code that builds events on the hot path builds bare tuples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias, final

Value: TypeAlias = float | int | bool | str

# Limits of the Events API (bucket key 250, value 2000); the stream key is documented as 100 by the API
# reference and as 250 by its official client, which sends up to that: the wider one is accepted here.
MAX_NAME_CHARS: Final = 250
MAX_TEXT_CHARS: Final = 2000

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1


class Event(NamedTuple):
    """One value of one stream at one time. `epoch` is in seconds since 1970, UTC."""

    bucket: str
    stream: str
    value: Value
    epoch: float


# What the hot path builds: the same four parts without the cost of a named constructor.
EventTuple: TypeAlias = tuple[str, str, Value, float]


class PayloadWithProperties(bytes):
    """A payload and the MQTT 5 properties that came with it, as they stand in the packet.

    Sources make these only where a rule asks for properties: to everybody else it is the payload's bytes.
    """

    properties: bytes

    @classmethod
    def of(cls, payload: bytes, properties: bytes) -> PayloadWithProperties:
        """The payload with its properties."""
        made = cls(payload)
        made.properties = properties
        return made


class Reason(StrEnum):
    """Why a message or an event was rejected; also the metric's label, so the set is small and fixed."""

    TOPIC_NOT_UTF8 = "topic_not_utf8"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    EMPTY_PAYLOAD = "empty_payload"
    NOT_UTF8 = "not_utf8"
    MALFORMED = "malformed"  # not the format the rule names: broken JSON, "abc" as a number
    DUPLICATE_KEYS = "duplicate_keys"
    VALIDATION = "validation"  # well-formed, but the model says no
    NOT_FINITE = "not_finite"  # NaN or an infinity
    INTEGER_TOO_LARGE = "integer_too_large"  # beyond 64 bits
    TEXT_TOO_LONG = "text_too_long"
    TOO_MANY_FIELDS = "too_many_fields"
    NO_VALUES = "no_values"  # well-formed, but there is nothing to store in it
    BAD_NAME = "bad_name"  # a bucket or stream name that came out empty, too long or not allowed
    BAD_TIMESTAMP = "bad_timestamp"
    EXPRESSION_FAILED = "expression_failed"  # a derived field has no value for this message
    NO_BIRTH = "no_birth"  # Sparkplug data that no birth certificate explains
    REFUSED = "refused"  # a destination said no to this event, for good
    BUCKET_REMOVED = "bucket_removed"  # the destination's bucket was deleted there
    MODEL_FAILED = "model_failed"  # the user's own model raised something unexpected


@final  # so that `type(x) is Rejected` decides, the quickest of checks
@dataclass(frozen=True, slots=True)
class Rejected:
    """A message or an event that will not be delivered, kept for inspection with its reason.

    `topic` and `payload` are the message's own (payload cut to what is worth keeping); an event that a
    destination refused has its bucket and stream joined by `/` as topic and itself as JSON payload.
    """

    reason: Reason
    detail: str
    topic: str
    payload: bytes
    rule: str = ""
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that go to the same destinations, in order.

    Attributes:
        events: at least one.
        to: names of the destinations; empty means every one that is configured.
        units: units of streams met for the first time, by (bucket, stream); the dashboard labels with them.
        rules: the rules that made such streams, where some rule says how long its streams are kept.
    """

    events: Sequence[EventTuple]
    to: tuple[str, ...] = ()
    units: Mapping[tuple[str, str], str] = field(default_factory=dict)
    rules: Mapping[tuple[str, str], str] = field(default_factory=dict)


class Position(NamedTuple):
    """How far a destination has come: rows before `seq` are settled, and `offset` events of row `seq`."""

    seq: int
    offset: int
