"""`sparkplug`: Sparkplug B 3.0, `spBv1.0/group/type/node[/device]`.

Births declare metrics, data call them by alias, deaths end them. A node and a device have a state, the field
`online`: true at birth, false at death, and a node's death is its devices' too. Templates may name `{group}`,
`{node}`, `{device}` (empty for the node itself), and `{origin}`, which is node or node.device.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mqttbridge.config.rules import RuleConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.flatten import MAX_FIELDS
from mqttbridge.mapping.formats.base import Gaps, Names, Point, PointsFormat
from mqttbridge.mapping.formats.sparkplug.metrics import (
    Metric,
    MetricReader,
    Payload,
    integer_of,
    is_template,
)
from mqttbridge.mapping.formats.sparkplug.rebirth import BD_SEQ, kept_births
from mqttbridge.mapping.formats.sparkplug.schema import Schema, load_schema
from mqttbridge.mapping.formats.sparkplug.sessions import Birth, Sessions
from mqttbridge.mapping.payload import parse_json
from mqttbridge.mapping.unusable import Unusable, shown

ONLINE: Final = "online"

_NAMESPACE: Final = "spBv1.0"
_STATE: Final = "STATE"
_OF_NODES: Final = frozenset({"NBIRTH", "NDATA", "NDEATH", "NCMD"})
_OF_DEVICES: Final = frozenset({"DBIRTH", "DDATA", "DDEATH", "DCMD"})
_BIRTHS: Final = frozenset({"NBIRTH", "DBIRTH"})
# Metrics by which a host gives orders; what a birth says of them is no measurement.
_CONTROLS: Final = ("Node Control/", "Device Control/")

_NOTHING: Final = Birth()


class Address(NamedTuple):
    """What a topic says: whose message of which type it is. `device` is empty where it is the node's own."""

    group: str
    kind: str
    node: str
    device: str

    @property
    def key(self) -> tuple[str, str]:
        return self.group, self.node


class Origin(NamedTuple):
    """A node or device, and what is told of it: `labels_of` puts it into words."""

    group: str
    node: str
    device: str


def sparkplug_format(rule: RuleConfig) -> PointsFormat:
    """The format of a rule."""
    schema = load_schema()
    return PointsFormat(
        open=lambda gaps: SparkplugReader(schema, gaps, rebirth=rule.rebirth),
        names=Names("group", "node", "device", "origin"),
        labels=labels_of,
        series="origin",
        has_fields=False,
        own_time=True,
        may_be_silent=True,
    )


def labels_of(origin: Hashable) -> dict[str, str]:
    """What the templates may name."""
    if not isinstance(origin, Origin):
        return {}
    together = f"{origin.node}.{origin.device}" if origin.device else origin.node
    return {"group": origin.group, "node": origin.node, "device": origin.device, "origin": together}


def parse_address(topic: bytes) -> Address:
    """Read a Sparkplug topic; levels before the namespace, such as a bridge's prefix, are passed over.

    Raises:
        Unusable: it is none.
    """
    text = topic.decode()
    levels = text.split("/")
    match levels[levels.index(_NAMESPACE) + 1 :] if _NAMESPACE in levels else ():
        case [kind, host] if kind == _STATE:
            return Address(_STATE, _STATE, host, "")
        case [group, kind, node] if kind in _OF_NODES:
            return Address(group, kind, node, "")
        case [group, kind, node, device] if kind in _OF_DEVICES and device:
            return Address(group, kind, node, device)
        case _:
            raise Unusable(
                Reason.MALFORMED, f"expected a topic spBv1.0/group/type/node or .../device (got {shown(text)})"
            )


class SparkplugReader:
    """The host's side of Sparkplug for one rule: it knows what was born, in its `Sessions`.

    To the rulebook it is an announcer, whose births hold across restarts.

    Args:
        schema: the messages.
        gaps: told what is missing.
        rebirth: whether births are ordered where they are missing.
    """

    def __init__(self, schema: Schema, gaps: Gaps, *, rebirth: bool) -> None:
        self._schema, self._gaps, self._rebirth = schema, gaps, rebirth
        self._metrics = MetricReader(schema)
        self._sessions = Sessions(gaps)
        self._births: tuple[int, dict[str, bytes]] = (0, {})

    @property
    def changes(self) -> int:
        """How often what was born has changed."""
        return self._sessions.changes

    @property
    def announcements(self) -> Mapping[str, bytes]:
        """Births by topic, of everything that is alive; they declare, and have no values."""
        if self._births[0] != self.changes:
            self._births = self.changes, kept_births(self._schema, self._sessions)
        return self._births[1]

    @property
    def filters(self) -> tuple[()]:
        """Nothing beside the rule's own."""
        return ()

    def rules_for(self, topic: str) -> tuple[()]:  # noqa: ARG002  # an announcer's signature
        """None: births are about topics that the rule takes anyway."""
        return ()

    def read(self, topic: bytes, payload: bytes) -> Sequence[Point]:
        """Points by the time of their metrics; see `PointsReader`."""
        address = parse_address(topic)
        match address.kind:
            case "STATE":
                return [_host_state(address, payload)]
            case "NCMD" | "DCMD":
                return []  # an order is no measurement
            case "NDEATH":
                return self._node_death(address, self._metrics.payload(payload))
            case _:
                return self._of_session(address, self._metrics.payload(payload), topic)

    def _of_session(self, address: Address, payload: Payload, topic: bytes) -> list[Point]:
        """A birth, data, or a device's death: what counts in a node's sequence."""
        if address.kind in _BIRTHS:
            try:
                return self._birth(address, payload, topic)
            finally:
                self._follow(address, payload, topic)  # which counts from here
        # Before the metrics are looked at: a message that is rejected has come, too.
        self._follow(address, payload, topic)
        if address.kind == "DDEATH":
            self._sessions.device_died(address.key, address.device)
            return [_state(Origin(*address.key, address.device), payload.milliseconds, online=False)]
        try:
            return self._data(address, payload)
        except Unusable as unusable:
            if unusable.reason is Reason.NO_BIRTH:
                self._order_births(topic)
            raise

    def _follow(self, address: Address, payload: Payload, topic: bytes) -> None:
        if payload.seq is not None and not self._sessions.follow(address.key, payload.seq):
            self._order_births(topic)

    def _order_births(self, topic: bytes) -> None:
        """Have the node asked for its births and its devices', on the topic of its commands."""
        if self._rebirth:
            levels = topic.decode().split("/")
            place = levels.index(_NAMESPACE) + 2
            self._gaps.rebirths.add("/".join((*levels[:place], "NCMD", levels[place + 1])))

    def _birth(self, address: Address, payload: Payload, topic: bytes) -> list[Point]:
        birth, bd_seq = Birth(topic.decode()), None
        metrics, refused = self._metrics.declared(payload)
        for metric in metrics:
            birth.declare(metric.name, metric.datatype, metric.alias)
            if metric.name == BD_SEQ:
                bd_seq = integer_of(metric)
        if address.device:
            self._sessions.device_born(address.key, address.device, birth)
        else:
            self._sessions.node_born(address.key, birth, bd_seq)
        if refused is not None:
            raise refused
        origin = Origin(*address.key, address.device)
        return [_state(origin, payload.milliseconds, online=True), *_points(origin, metrics, payload.milliseconds)]

    def _data(self, address: Address, payload: Payload) -> list[Point]:
        node = self._sessions.node(address.key)
        born = node.births.get(address.device, _NOTHING) if node is not None else _NOTHING
        metrics = self._metrics.metrics(payload, born)
        return _points(Origin(*address.key, address.device), metrics, payload.milliseconds)

    def _node_death(self, address: Address, payload: Payload) -> list[Point]:
        """The node's death and its devices'. Its time is unknown: the broker sends what was left at connecting."""
        node = self._sessions.node(address.key)
        devices = [device for device in node.births if device] if node is not None else []
        if node is not None and node.bd_seq is not None:
            died = next((m for m in self._metrics.metrics(payload, _NOTHING) if m.name == BD_SEQ), None)
            if died is not None and integer_of(died) != node.bd_seq:
                raise Unusable(
                    Reason.NO_BIRTH, f"the death of session {died.value}, but the node was born as {node.bd_seq}"
                )
        self._sessions.forget(address.key)
        return [_state(Origin(*address.key, device), None, online=False) for device in ("", *devices)]


def _host_state(address: Address, payload: bytes) -> Point:
    """A host application's state: JSON in 3.0, a word before that."""
    origin = Origin(address.group, address.node, "")
    word = payload.strip().upper()
    if word in {b"ONLINE", b"OFFLINE"}:
        return _state(origin, None, online=word == b"ONLINE")
    match parse_json(payload):
        case {"online": bool(online), "timestamp": int(milliseconds)} if type(milliseconds) is int:
            return _state(origin, milliseconds, online=online)
        case {"online": bool(online)}:
            return _state(origin, None, online=online)
        case other:
            raise Unusable(Reason.MALFORMED, f'expected {{"online": true or false}} (got {shown(other)})')


def _state(origin: Origin, milliseconds: int | None, *, online: bool) -> Point:
    return Point({ONLINE: online}, _seconds(milliseconds), origin)


def _points(origin: Origin, metrics: Sequence[Metric], milliseconds: int | None) -> list[Point]:
    """A point for each time that metrics were measured at; a second value at one time goes to a point of its own."""
    documents: dict[tuple[int | None, int, int], tuple[dict[str, Any], dict[str, str]]] = {}
    times: dict[tuple[int | None, str], int] = {}
    for index, metric in enumerate(metrics):
        if metric.value is None or _is_protocol(metric) or is_template(metric):
            continue
        field = metric.name.replace("/", ".")
        moment = milliseconds if metric.milliseconds is None else metric.milliseconds
        times[moment, field] = time = times.get((moment, field), -1) + 1
        # A birth may have more metrics than a document may have fields.
        key = moment, time, index // MAX_FIELDS
        if (known := documents.get(key)) is None:
            known = documents[key] = {}, {}
        document, units = known
        document[field] = metric.value
        if metric.unit:
            units[field] = metric.unit
    return [Point(document, _seconds(key[0]), origin, units) for key, (document, units) in documents.items()]


def _is_protocol(metric: Metric) -> bool:
    return metric.name == BD_SEQ or metric.name.startswith(_CONTROLS)


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
