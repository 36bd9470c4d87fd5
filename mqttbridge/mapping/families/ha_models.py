"""The models of the rules that Home Assistant's discovery makes: what payloads tell of entities and devices."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import from_json

from mqttbridge.events import Reason
from mqttbridge.mapping.families.ha_entities import Availability, Told
from mqttbridge.mapping.families.value_templates import Template
from mqttbridge.mapping.flatten import SCALAR, Fields
from mqttbridge.mapping.unusable import Unusable

_MAX_STATE_BYTES: Final = 64 * 1024


class Memo:
    """A payload's variables, parsed once for all the entities that it tells of."""

    def __init__(self) -> None:
        self._payload: bytes | None = None
        self._variables: Mapping[str, Any] = {}
        self.arrival = 0.0

    def now(self) -> datetime:
        """The time at which the message came."""
        return datetime.fromtimestamp(self.arrival, UTC)

    def variables(self, payload: bytes) -> Mapping[str, Any]:
        """What a template sees: `value`, `value_json` where it is JSON, and `now`.

        Raises:
            Unusable: no UTF-8, or too long.
        """
        if payload is self._payload:
            return self._variables
        if len(payload) > _MAX_STATE_BYTES:
            raise Unusable(Reason.PAYLOAD_TOO_LARGE, f"a state has at most {_MAX_STATE_BYTES} bytes")
        try:
            variables: dict[str, Any] = {"value": payload.decode(), "now": self.now}
        except UnicodeDecodeError as error:
            raise Unusable(Reason.NOT_UTF8, f"byte {error.start} of the payload is not UTF-8") from None
        with suppress(ValueError):
            variables["value_json"] = from_json(payload)
        self._payload, self._variables = payload, variables
        return variables


@dataclass(frozen=True, slots=True)
class Arrival:
    """Each message's time is its arrival, which its templates may ask for."""

    memo: Memo
    in_properties: bool = False

    def read(self, document: Any, arrival: float) -> float:  # noqa: ARG002
        self.memo.arrival = arrival
        return arrival


@dataclass(frozen=True, slots=True)
class ValueOf:
    told: Told
    template: Template | None

    def read(self, variables: Mapping[str, Any]) -> Fields:
        raw = self.template(variables) if self.template else variables["value"]
        if self.told.whole:
            raw = _object(raw) if self.template else variables.get("value_json", raw)
        fields = self.told.read(raw)
        if self.told.field != SCALAR and SCALAR in fields:
            fields[self.told.field] = fields.pop(SCALAR)
        return fields


def _object(raw: Any) -> Any:
    """The JSON object that a template wrote as text; anything else as it is."""
    if isinstance(raw, str) and raw.startswith("{"):
        try:
            return from_json(raw.encode())
        except ValueError:
            return raw
    return raw


@dataclass(frozen=True, slots=True)
class States:
    """What one topic tells of one entity."""

    memo: Memo
    values: tuple[ValueOf, ...]
    sole_field: str | None = None

    def unit_of(self, field: str) -> str:
        return next((value.told.unit for value in self.values if value.told.field == field), "")

    def fields(self, document: Any, payload: bytes) -> Fields:  # noqa: ARG002
        if not payload:
            return {}
        variables = self.memo.variables(payload)
        fields: Fields = {}
        for value in self.values:
            fields |= value.read(variables)
        return fields


@dataclass(frozen=True, slots=True)
class Word:
    """How one topic says it."""

    availability: Availability
    template: Template | None

    def read(self, variables: Mapping[str, Any]) -> bool | None:
        raw = self.template(variables) if self.template else variables["value"]
        return {self.availability.offline: False, self.availability.online: True}.get(str(raw).strip())


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a device is there, by all the topics that say so: its own, and those of the bridge it hangs on."""

    stream: str
    mode: str
    words: Mapping[str, Word]
    of: set[str] = field(default_factory=set)  # announcements that speak of it
    said: dict[str, bool] = field(default_factory=dict)

    def hear(self, topic: str, here: bool) -> bool:
        self.said[topic] = here
        match self.mode:
            case "all":
                return all(self.said.values())
            case "any":
                return any(self.said.values())
            case _:
                return here


@dataclass(frozen=True, slots=True)
class Available:
    """What one topic says of a device's availability."""

    memo: Memo
    presence: Presence
    topic: str
    sole_field: str | None = None

    def unit_of(self, field: str) -> str:  # noqa: ARG002
        return ""

    def fields(self, document: Any, payload: bytes) -> Fields:  # noqa: ARG002
        if not payload or (here := self.presence.words[self.topic].read(self.memo.variables(payload))) is None:
            return {}
        return {SCALAR: "online" if self.presence.hear(self.topic, here) else "offline"}
