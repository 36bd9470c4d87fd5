"""Families of devices among what was heard: which are there, which topics are theirs, and what of it is no data.

    Heard --signs--> Sign, ... --tried on all that was heard--> Recognized, ... and the topics left for plain rules

A sign is a topic that only one family writes so, with a payload that agrees. What a family then takes is not guessed
from topics: its own rules are asked, and a topic is the family's where they reject nothing of it. Home Assistant's
discovery comes last, and only if it announces what none of the others takes: a device is mapped once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mqttbridge.config.model import Config
from mqttbridge.config.use import Family, UseConfig
from mqttbridge.events import Reason, Rejected
from mqttbridge.mapping import InvalidRules, Route, Rulebook
from mqttbridge.mapping.families import name_of_use
from mqttbridge.mapping.topics import FilterTrie
from mqttbridge.tools.discovery.hearing import BOOLEAN, NUMBER, OBJECT, TEXT, Heard, TopicHeard

Levels = tuple[str, ...]

# Signs of one family at different places beyond this are no households.
_MAX_BASES: Final = 20


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Topics that a proposal leaves out, and why."""

    topic: str
    why: str


@dataclass(slots=True)
class Recognized:
    """A family at one place.

    Attributes:
        use: what stands in the configuration for it.
        sign: the topic that it was first recognized by.
        roots: what the topics begin with that may be its own; beside them others may read alike.
        topics: those that it takes.
    """

    use: UseConfig
    sign: str
    roots: set[Levels] = field(default_factory=set)
    topics: list[TopicHeard] = field(default_factory=list)

    @property
    def messages(self) -> int:
        return sum(topic.messages for topic in self.topics)

    def owns(self, levels: Levels) -> bool:
        return any(levels[:length] in self.roots for length in range(len(levels)))

    def takes(self, rule: str) -> bool:
        """Whether a rule, by its name, is of this family."""
        return rule.startswith(f"{name_of_use(self.use)}: ")


@dataclass(slots=True)
class Sorted:
    """What was heard, sorted: of which family, left out, or for plain rules.

    Attributes:
        families: in the order in which they are to be used.
        left_out: topics by the reason, which stands beside them.
        others: topics for plain rules.
        absent: messages of which a family makes nothing yet, since they refer to what was not heard.
    """

    families: list[Recognized]
    left_out: dict[LeftOut, list[TopicHeard]]
    others: list[TopicHeard]
    absent: int = 0


def sort(heard: Heard) -> Sorted:
    """Recognize the families, and sort the topics by them."""
    found = [one for one in _recognized(heard) if _is_offered(one)]
    announced = [one for one in found if one.use.family is Family.HOMEASSISTANT]
    if announced:
        result = _tried(heard, found)
        if any(topic.levels[-1] != "config" for one in announced for topic in one.topics):
            return result
    return _tried(heard, [one for one in found if one not in announced])


# --- what a family takes -------------------------------------------------------------------------------------------


def _is_offered(one: Recognized) -> bool:
    """Whether what its rules need is installed."""
    try:
        Rulebook(Config(use=(one.use,)))
    except InvalidRules:
        return False
    return True


def _tried(heard: Heard, families: list[Recognized]) -> Sorted:
    """Sort the topics by what the families' own rules make of their messages."""
    result = Sorted([], {}, [])
    for one in families:
        one.topics = []
    trial, useless = _Trial(heard, families), _Useless(families)
    for topic in heard:
        taken_by = trial.family_of(topic)
        if taken_by is not None:
            taken_by.topics.append(topic)
        elif why := useless.why(topic):
            result.left_out.setdefault(why, []).append(topic)
        else:
            result.others.append(topic)
    result.families = [one for one in families if one.topics]
    result.absent = trial.absent
    return result


class _Trial:
    """The families' rules at work on everything that was kept.

    Attributes:
        absent: see `Sorted`.
    """

    def __init__(self, heard: Heard, families: Sequence[Recognized]) -> None:
        self._families = families
        # `use` of nothing is not the same as no `use`, which has the built-in rules.
        self._book = Rulebook(Config(use=tuple(one.use for one in families))) if families else None
        self._usable: dict[str, list[bytes]] = {}
        self._odd: dict[str, list[bytes]] = {}
        self.absent = 0
        for kept, messages in ((self._usable, heard.kept), (self._odd, heard.odd)):
            for message in messages:
                kept.setdefault(message.topic.decode(), []).append(message.payload)
        # First all of it is heard, as a bridge hears what is retained: a value may come before its announcement.
        for topic in heard:
            for payload in self._messages(topic):
                self._apply(topic, payload)

    def family_of(self, topic: TopicHeard) -> Recognized | None:
        """The family that takes a topic and all that was heard of it."""
        routes = self._routes(topic)
        taken_by = next((one for one in self._families if routes and one.takes(routes[0].rule)), None)
        if taken_by is None or not taken_by.owns(topic.levels):
            return None
        absent = 0
        for payload in self._messages(topic):
            reasons = self._apply(topic, payload)
            absent += Reason.NO_BIRTH in reasons
            if reasons - {Reason.NO_BIRTH}:
                return None
        self.absent += absent
        return taken_by

    def _messages(self, topic: TopicHeard) -> Iterable[bytes]:
        return (*self._odd.get(topic.topic, ()), *self._usable.get(topic.topic, ()))

    def _routes(self, topic: TopicHeard) -> Sequence[Route]:
        routes = self._book.routes(topic.topic.encode()) if self._book is not None else ()
        return () if isinstance(routes, Rejected) else routes

    def _apply(self, topic: TopicHeard, payload: bytes) -> set[Reason]:
        """Why it is rejected; empty when it is not."""
        results = [route.apply(payload, 0.0) for route in self._routes(topic)]
        return {result.reason for result in results if isinstance(result, Rejected)}


# --- what of it is no data -----------------------------------------------------------------------------------------

_COMMANDS: Final = "commands to devices"
_LEFT_OUT: Final[Sequence[tuple[Family | None, str, str]]] = (
    (Family.ZIGBEE2MQTT, "bridge/#", "Zigbee2MQTT's own lists and log"),
    (Family.ZIGBEE2MQTT, "+/set/#", _COMMANDS),
    (Family.ZIGBEE2MQTT, "+/get/#", _COMMANDS),
    (Family.ZIGBEE2MQTT, "+/+/set", _COMMANDS),
    (Family.ZIGBEE2MQTT, "+/+/get", _COMMANDS),
    (Family.TASMOTA, "cmnd/#", _COMMANDS),
    (Family.TASMOTA, "tele/+/INFO1", "what a Tasmota device says of itself as it starts"),
    (Family.TASMOTA, "tele/+/INFO2", "what a Tasmota device says of itself as it starts"),
    (Family.TASMOTA, "tele/+/INFO3", "what a Tasmota device says of itself as it starts"),
    (Family.TASMOTA, "stat/+/RESULT", "answers to commands, which stat/+/POWER and tele/+/STATE repeat"),
    (Family.SHELLY, "shellies/announce", "what a Shelly says of itself as it starts"),
    (Family.SHELLY, "shellies/+/announce", "what a Shelly says of itself as it starts"),
    (Family.SHELLY, "shellies/+/info", "what a Shelly says of itself"),
    (Family.SHELLY, "shellies/command", _COMMANDS),
    (Family.SHELLY, "shellies/+/command", _COMMANDS),
    (Family.SHELLY, "shellies/+/+/+/command", _COMMANDS),
    (Family.SHELLY, "+/rpc", "questions to devices"),
    (Family.ESPHOME, "+/+/+/command", _COMMANDS),
    (Family.ESPHOME, "+/debug", "ESPHome's log"),
    (Family.OWNTRACKS, "+/+/cmd", _COMMANDS),
    (Family.TTN, "+/devices/+/down/#", _COMMANDS),
    (None, "tasmota/discovery/#", "Tasmota's discovery: what its messages say as well"),
    (None, "homeassistant/+/+/config", "Home Assistant's discovery: descriptions of devices"),
    (None, "homeassistant/+/+/+/config", "Home Assistant's discovery: descriptions of devices"),
    (None, "mqttbridge/+/availability", "whether a bridge is there"),
)


class _Useless:
    """Topics that no family takes and that are of no use as values over time."""

    def __init__(self, families: Sequence[Recognized]) -> None:
        self._why: list[LeftOut] = []
        for family, below, why in _LEFT_OUT:
            bases = [""] if family is None else [_base(one.use) for one in families if one.use.family is family]
            for base in bases:
                self._why.append(LeftOut(f"{base}/{below}" if base else below, why))
        self._trie = FilterTrie(one.topic.split("/") for one in self._why)

    def why(self, topic: TopicHeard) -> LeftOut | None:
        """Why it is left out; None where it may well be of use."""
        places = self._trie.matching(topic.levels)
        return self._why[places[0]] if places else None


# --- signs ---------------------------------------------------------------------------------------------------------

Place = tuple[Levels, Levels]
"""The levels before the family's own, and those that its topics there begin with."""

_USUAL: Final[Mapping[Family, str]] = {
    Family.ZIGBEE2MQTT: "zigbee2mqtt", Family.TASMOTA: "", Family.SHELLY: "", Family.ESPHOME: "",
    Family.OWNTRACKS: "owntracks", Family.TTN: "v3", Family.SPARKPLUG: "spBv1.0", Family.HOMEASSISTANT: "homeassistant",
}  # fmt: skip


def _base(use: UseConfig) -> str:
    return _USUAL[use.family] if use.base is None else use.base


def _zigbee2mqtt(topic: TopicHeard, _: Heard) -> Place | None:
    levels = topic.levels
    if len(levels) > 2 and levels[-2:] in {("bridge", "devices"), ("bridge", "info"), ("bridge", "logging")}:
        return levels[:-2], levels[:-2]
    is_device = len(levels) == 2 and levels[0] == "zigbee2mqtt" and "linkquality" in topic.fields
    return (levels[:1], levels[:1]) if is_device else None


def _tasmota(topic: TopicHeard, _: Heard) -> Place | None:
    levels = topic.levels
    if len(levels) == 4 and levels[:2] == ("tasmota", "discovery") and levels[3] == "config":
        return (), ()  # it says itself where its topics are
    if len(levels) > 2 and levels[-3] == "tele" and levels[-1] in {"SENSOR", "STATE"} and "Time" in topic.fields:
        return levels[:-3], levels[:-3]
    return None


def _shelly(topic: TopicHeard, heard: Heard) -> Place | None:
    levels = topic.levels
    if "shellies" in levels and len(levels) - levels.index("shellies") > 2:
        before = levels[: levels.index("shellies")]
        if (
            levels[-1] in {"online", "announce", "relay", "0"}
            and f"{'/'.join(levels[: len(before) + 2])}/online" in heard.topics
        ):
            return before, (*before, "shellies")
    if levels[-2:] == ("events", "rpc") and len(levels) > 2:
        source = topic.fields.get("src")
        if source is not None and any(text.startswith("shelly") for text in source.texts):
            return levels[:-3], levels[:-2]
    return None


def _esphome(topic: TopicHeard, heard: Heard) -> Place | None:
    levels = topic.levels
    if len(levels) < 4 or levels[-1] != "state" or levels[-3] not in _ESPHOME or not topic.kinds <= _BARE:
        return None
    node = "/".join(levels[:-3])
    beside = (heard.topics.get(f"{node}/{word}") for word in ("status", "debug"))
    return (
        (levels[:-4], levels[:-3]) if any(one is not None and one.kinds <= {BOOLEAN, TEXT} for one in beside) else None
    )


_BARE: Final = {BOOLEAN, NUMBER, TEXT}
_ESPHOME: Final = frozenset({"sensor", "binary_sensor", "switch", "text_sensor", "number", "select", "fan", "cover"})


def _owntracks(topic: TopicHeard, _: Heard) -> Place | None:
    said = topic.fields.get("_type")
    levels = topic.levels
    is_one = len(levels) > 2 and said is not None and not {"location", "transition"}.isdisjoint(said.texts)
    return (_before(levels, "owntracks"),) * 2 if is_one and "owntracks" in levels else None


def _ttn(topic: TopicHeard, _: Heard) -> Place | None:
    levels = topic.levels
    is_uplink = len(levels) > 4 and levels[-3] == "devices" and levels[-1] == "up"
    if is_uplink and any(name.startswith("uplink_message.") for name in topic.fields):
        return levels[:-4], levels[:-4]
    return None


def _sparkplug(topic: TopicHeard, _: Heard) -> Place | None:
    return (_before(topic.levels, "spBv1.0"),) * 2 if "spBv1.0" in topic.levels[:-2] else None


def _homeassistant(topic: TopicHeard, _: Heard) -> Place | None:
    levels = topic.levels
    if levels[-1] != "config" or OBJECT not in topic.kinds or not _ANNOUNCED & topic.fields.keys():
        return None
    for length in (3, 4):
        if len(levels) > length and levels[-length] in _COMPONENTS:
            return levels[:-length], ()
    return None


_ANNOUNCED: Final = frozenset(
    {"state_topic", "stat_t", "name", "device.name", "dev.name", "unique_id", "uniq_id", "json_attributes_topic"}
)
_COMPONENTS: Final = frozenset({
    "alarm_control_panel", "binary_sensor", "climate", "cover", "device", "device_tracker", "event", "fan",
    "humidifier", "light", "lock", "number", "select", "sensor", "siren", "switch", "text", "update", "vacuum",
    "valve", "water_heater",
})  # fmt: skip


def _before(levels: Levels, last: str) -> Levels:
    return levels[: levels.index(last) + 1]


_SIGNS: Final[Mapping[Family, Callable[[TopicHeard, Heard], Place | None]]] = {
    Family.ZIGBEE2MQTT: _zigbee2mqtt,
    Family.TASMOTA: _tasmota,
    Family.SHELLY: _shelly,
    Family.ESPHOME: _esphome,
    Family.OWNTRACKS: _owntracks,
    Family.TTN: _ttn,
    Family.SPARKPLUG: _sparkplug,
    Family.HOMEASSISTANT: _homeassistant,
}


def _recognized(heard: Heard) -> Iterator[Recognized]:
    """Every family at every place where there is a sign of it."""
    for family, sign in _SIGNS.items():
        places: dict[str, Recognized] = {}
        for topic in heard:
            place = sign(topic, heard)
            if place is None:
                continue
            base, root = "/".join(place[0]), place[1]
            if base not in places:
                if len(places) >= _MAX_BASES or not _is_plain(place[0]):
                    continue
                use = UseConfig(family=family, base=None if base == _USUAL[family] else base)
                places[base] = Recognized(use, topic.topic)
            places[base].roots.add(root)
        for one in places.values():
            if family is Family.ESPHOME:
                one.roots.add(("homeassistant",))  # its units are announced there
            yield one


def _is_plain(levels: Levels) -> bool:
    """Whether they can stand before topics in a configuration."""
    return not any(set(level) & set("+#{}$") or not level.isprintable() for level in levels) and levels != ("",)
