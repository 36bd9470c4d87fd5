"""A rule of the configuration, compiled: how the bytes of a message become named values at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mqttbridge.config.thinning import ThinConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.extras import Extras
from mqttbridge.mapping.flatten import SCALAR, Fields, flatten
from mqttbridge.mapping.message_names import MessageName
from mqttbridge.mapping.models import FlatModel, Model, Points
from mqttbridge.mapping.payload import Parser
from mqttbridge.mapping.properties import properties_of
from mqttbridge.mapping.series import Series
from mqttbridge.mapping.structured import StructuredModel
from mqttbridge.mapping.templates import Template
from mqttbridge.mapping.timestamps import Clock
from mqttbridge.mapping.topics import TopicFilter
from mqttbridge.mapping.unusable import Unusable
from mqttbridge.mapping.values import SCALAR_NAME, Values


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """Everything about a rule that no message changes."""

    name: str
    to: tuple[str, ...]
    goes_on: bool
    filter: TopicFilter
    bucket: Template
    stream: Template
    parse: Parser
    # Whether that is plain JSON, so that a model may read the bytes itself.
    parses_json: bool
    # How a message comes apart into several points, each with a document of its own; then `parse` is not asked.
    series: Series | None
    timestamp: Clock | None
    model: Model | None
    unit: str
    # What of each message its bucket and stream are named by; seldom anything.
    named_by: tuple[MessageName, ...]
    # Fields that say when and whose the others are, and so make no events of their own where no model says so.
    about: tuple[str, ...]
    # What is done with fields that the model does not name; None ignores them.
    extras: Extras | None
    # Whether a message makes points at several times, so that it is read by `read_points` and not by `read`.
    has_points: bool
    # What is made of the fields' values, and of which events there are enough.
    values: Values | None
    thin: tuple[ThinConfig, ...]
    # Whether a message may have nothing to store, as with families: a model's own judgement, and no mistake.
    may_be_empty: bool = False
    # What a topic's own device has said of it makes another rule of this one; None where devices say nothing.
    for_topic: Callable[[CompiledRule, str], CompiledRule] | None = None
    # Whether it tells the stores of each of its streams, since some rule says how long those are kept.
    tells_streams: bool = False
    # What its fields are, where a device says so in Home Assistant's words.
    device_classes: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs_properties(self) -> bool:
        """Whether it takes anything from the message's MQTT 5 properties."""
        return (
            any(name.in_properties for name in self.named_by)
            or (self.timestamp is not None and self.timestamp.in_properties)
            or (isinstance(self.model, StructuredModel) and self.model.needs_properties)
        )

    @property
    def read_at_once(self) -> Callable[[bytes], Fields | None] | None:
        """The short way for the common case, a flat model whose time is arrival: fields or None, see `read` then."""
        if self.parses_json and self.timestamp is None and self.extras is None:
            return self.model.fields_at_once if isinstance(self.model, FlatModel) and self.model.at_once else None
        return None

    def read(self, payload: bytes, arrival: float) -> tuple[Fields, float]:
        """Fields and time of one payload.

        Raises:
            Unusable: the message is to be rejected.
        """
        return self.read_document(self.parse(payload), payload, arrival)

    def read_document(self, document: Any, payload: bytes, arrival: float) -> tuple[Fields, float]:
        """Fields and time of a document that was parsed already.

        Args:
            document: what the rule's format makes of the payload, or one of its points.
            payload: the whole message, for its properties.
            arrival: the time where the rule reads none, in epoch seconds.

        Raises:
            Unusable: the message is to be rejected.
        """
        timestamp = self.timestamp
        if timestamp is None:
            epoch = arrival
        else:
            epoch = timestamp.read(properties_of(payload) if timestamp.in_properties else document, arrival)
        if self.model is not None:
            fields = self.model.fields(document, payload)
            if self.extras is not None:
                fields = self.extras.added(fields, document)
        else:
            fields = flatten(document)
            if self.about:
                for field in self.about:
                    fields.pop(field, None)
        if not fields and not self.may_be_empty:
            raise Unusable(Reason.NO_VALUES, "there is nothing to store in the payload")
        return fields, epoch

    def read_points(self, payload: bytes, arrival: float) -> Points:
        """Fields of one payload at each of the times that it tells of; at least one.

        Raises:
            Unusable: the message is to be rejected.
        """
        document = self.parse(payload)
        epoch = arrival
        if self.timestamp is not None:
            epoch = self.timestamp.read(properties_of(payload) if self.timestamp.in_properties else document, arrival)
        assert isinstance(self.model, StructuredModel)  # noqa: S101  # no other has points
        points = self.model.points(document, payload, epoch, self.extras)
        if not points:
            raise Unusable(Reason.NO_VALUES, "there is nothing to store in the payload")
        return points

    def pieces_of(self, known: Mapping[str, str]) -> tuple[str, ...]:
        """The pieces of a stream's name between the places of its field.

        Raises:
            Unusable: no name can be made of what is known.
        """
        return self.stream.bind(known) if self.series is None else self.series.pieces(self.stream, known)

    def stream_of(self, field: str, pieces: Sequence[str]) -> str:
        """Name of a field's stream on a topic, from the stream's template as bound to that topic.

        Where the template has no place for the field it goes to the end, unless it is the only one there is.
        """
        if len(pieces) > 1:
            return self.stream.join(field or SCALAR_NAME, pieces)
        template = pieces[0]
        if field == SCALAR or (self.model is not None and field == self.model.sole_field):
            return template
        return f"{template}.{field}" if template else field

    def unit_of(self, field: str) -> str:
        """Unit of a field's stream, empty where nothing says it."""
        made = self.values.unit_of(field) if self.values is not None else ""
        return made or (self.model.unit_of(field) if self.model is not None else "") or self.unit
