"""A simulated fleet: what each device would report at a time, and when it would.

Everything here is a pure function of a device and of the time, so history can be computed as well as the
present, a restart goes on where the last run stopped, and two runs at the same time agree. No clock, socket,
file or thread: the publisher brings those.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Final, NamedTuple, TypeAlias

DAY: Final = 86_400
HOUR: Final = 3_600
RECENT: Final = 300  # as far back as the shortest chart shows, history is as dense as the present

SITES: Final = ("brewery", "greenhouse", "workshop")
MINIMUM_DEVICES: Final = 20
MAXIMUM_DEVICES: Final = 200  # their history of two days is some 200,000 messages

# A flaky device is away for a good half minute in every four: often enough for a visitor to see it go and
# come back, long enough for the page to say that the values are old.
OUTAGE_PERIOD: Final = 240
OUTAGE_SECONDS: Final = 40

# Devices that report a state say so on every change and, so that their age tells something, at this beat.
STATE_BEAT: Final = 10

Reading: TypeAlias = dict[str, float | bool | str]


class Message(NamedTuple):
    """What a device publishes. `epoch` is when it measured, in whole seconds since 1970."""

    epoch: int
    topic: str
    payload: bytes
    retain: bool = False


class Kind(Enum):
    """What a device is, which says what it reports."""

    CLIMATE = "climate"  # on batteries
    AIR = "air"  # climate with CO2, on mains
    METER = "meter"
    MACHINE = "machine"
    PUMP = "pump"
    DOOR = "door"
    MOTION = "motion"


@dataclass(frozen=True, slots=True)
class Device:
    """One device at one site.

    Attributes:
        base: the level its main value swings around: degrees Celsius, watts or litres a minute.
        interval: seconds between two of its reports.
        flaky: whether it drops out now and then.
    """

    site: str
    name: str
    kind: Kind
    base: float = 0.0
    interval: int = 2
    flaky: bool = False

    @property
    def topic(self) -> str:
        return f"fleet/{self.site}/{self.name}"


_DEVICES: Final = (
    Device("greenhouse", "bed-1", Kind.CLIMATE, 24.5),
    Device("greenhouse", "bed-2", Kind.CLIMATE, 23.8),
    Device("greenhouse", "bed-3", Kind.CLIMATE, 26.1, flaky=True),
    Device("greenhouse", "nursery", Kind.AIR, 27.2),
    Device("greenhouse", "outdoor", Kind.CLIMATE, 13.0),
    Device("greenhouse", "irrigation", Kind.PUMP, 38.0, interval=1),
    Device("greenhouse", "roof-vent", Kind.DOOR),
    Device("greenhouse", "mains", Kind.METER, 2_400.0, interval=1),
    Device("brewery", "cold-room", Kind.CLIMATE, 4.0, flaky=True),
    Device("brewery", "cellar", Kind.CLIMATE, 11.5),
    Device("brewery", "malt-store", Kind.CLIMATE, 17.0),
    Device("brewery", "taproom", Kind.AIR, 20.5),
    Device("brewery", "glycol-pump", Kind.PUMP, 62.0, interval=1),
    Device("brewery", "bottling-line", Kind.MACHINE, 5_200.0, interval=1),
    Device("brewery", "loading-gate", Kind.DOOR),
    Device("brewery", "mains", Kind.METER, 14_500.0, interval=1),
    Device("workshop", "hall", Kind.AIR, 19.0),
    Device("workshop", "office", Kind.AIR, 21.5),
    Device("workshop", "paint-booth", Kind.CLIMATE, 22.5),
    Device("workshop", "lathe", Kind.MACHINE, 3_100.0, interval=1),
    Device("workshop", "mill", Kind.MACHINE, 4_400.0, interval=1),
    Device("workshop", "compressor", Kind.MACHINE, 7_500.0, interval=1),
    Device("workshop", "front-door", Kind.DOOR),
    Device("workshop", "yard", Kind.MOTION),
    Device("workshop", "mains", Kind.METER, 9_800.0, interval=1),
)


def devices(count: int = len(_DEVICES)) -> tuple[Device, ...]:
    """The fleet: the first `count` devices, with more climate sensors where a larger fleet is asked for."""
    extra = (
        Device(SITES[n % len(SITES)], f"sensor-{n + 1:04}", Kind.CLIMATE, 18.0 + n % 9)
        for n in range(len(_DEVICES), count)
    )
    return (*_DEVICES[:count], *extra)


def is_online(device: Device, epoch: int) -> bool:
    """Whether the device is there at this time; only flaky ones ever are not."""
    if not device.flaky:
        return True
    return (epoch + _hash(device.topic, 0) % OUTAGE_PERIOD) % OUTAGE_PERIOD >= OUTAGE_SECONDS


def reports(device: Device, epoch: int) -> Iterator[Message]:
    """Everything the device has to say at this time, one message a channel."""
    for channel in _CHANNELS[device.kind]:
        yield _message(device, channel, epoch)


def availability(device: Device, epoch: int) -> Message:
    """What stands, retained, at the device's availability topic."""
    state = b"online" if is_online(device, epoch) else b"offline"
    return Message(epoch, f"{device.topic}/availability", state, retain=True)


def live(fleet: Sequence[Device], epoch: int) -> Iterator[Message]:
    """What the fleet publishes in this second."""
    for device in fleet:
        online = is_online(device, epoch)
        if device.flaky and online != is_online(device, epoch - 1):
            yield availability(device, epoch)
        if online:
            for channel in _CHANNELS[device.kind]:
                if _is_due(device, channel, epoch):
                    yield _message(device, channel, epoch)


def history(fleet: Sequence[Device], since: int, now: int) -> Iterator[Message]:
    """What the fleet published from `since` until before `now`, at most two days of it, in order of time.

    Two days, so that yesterday can be seen beside today. The further back the wider the steps: a chart of a day has
    room for a point in some minutes only, and where two densities meet on one chart, they are near enough for
    neither to look like a gap.
    """
    for begin, end, step in (
        (now - 2 * DAY, now - DAY, 600),
        (now - DAY, now - HOUR, 300),
        (now - HOUR, now - RECENT, 10),
    ):
        first = max(begin, since)
        for epoch in range(first + -first % step, end, step):
            for device in fleet:
                if is_online(device, epoch):
                    yield from reports(device, epoch)
    for epoch in range(max(now - RECENT, since), now):
        yield from (message for message in live(fleet, epoch) if not message.retain)


def _is_due(device: Device, channel: Channel, epoch: int) -> bool:
    if channel.state is not None and channel.state(device, epoch) != channel.state(device, epoch - 1):
        return True
    interval = device.interval if channel.state is None else STATE_BEAT
    return (epoch + _hash(device.topic, 1)) % interval == 0


def _message(device: Device, channel: Channel, epoch: int) -> Message:
    payload = json.dumps({"ts": epoch, **channel.read(device, epoch)}, separators=(",", ":"))
    return Message(epoch, f"{device.topic}/{channel.level}", payload.encode())


# --- what the devices measure ----------------------------------------------------------------------------


def _climate(device: Device, epoch: int) -> Reading:
    swing = 7.0 if device.name == "outdoor" else 2.2
    temperature = (
        device.base
        + swing * _day(epoch)
        + 0.9 * _wobble(device, "t", epoch, 1_200)
        + 0.12 * _wobble(device, "t'", epoch, 15)
    )
    humidity = 58.0 - 1.6 * swing * _day(epoch) + 6.0 * _wobble(device, "h", epoch, 1_800)
    reading: Reading = {
        "temperature": round(temperature, 2),
        "humidity": round(min(99.0, max(15.0, humidity + 0.5 * _wobble(device, "h'", epoch, 20))), 1),
    }
    if device.kind is Kind.CLIMATE:
        reading["battery"] = round(_battery(device, epoch), 1)
    return reading


def _air(device: Device, epoch: int) -> Reading:
    crowd = max(0.0, _day(epoch)) * 420 + 130 * (1 + _wobble(device, "people", epoch, 900))
    return {**_climate(device, epoch), "co2": round(425 + crowd + 9 * _wobble(device, "co2", epoch, 12))}


def _meter(device: Device, epoch: int) -> Reading:
    voltage = 230.0 + 2.2 * _wobble(device, "grid", epoch, 600) + 0.8 * _wobble(device, "u", epoch, 4)
    load = 0.55 + 0.25 * _day(epoch) + 0.12 * _wobble(device, "p", epoch, 300)
    power = device.base * (load + 0.04 * _wobble(device, "p'", epoch, 5))
    return {
        "voltage": round(voltage, 1),
        "current": round(power / voltage, 2),
        "power": round(power, 1),
        "frequency": round(50.0 + 0.02 * _wobble(device, "f", epoch, 30), 3),
    }


def _machine(device: Device, epoch: int) -> Reading:
    state = _machine_state(device, epoch)
    load = {"running": 0.82 + 0.1 * _wobble(device, "load", epoch, 7), "idle": 0.06, "fault": 0.0}[state]
    return {
        "power": round(device.base * load, 1),
        "temperature": round(41.0 + 14.0 * _wobble(device, "spindle", epoch, 700), 1),
    }


def _state(device: Device, epoch: int) -> Reading:
    return {"state": _machine_state(device, epoch)}


def _pump(device: Device, epoch: int) -> Reading:
    running = _hash(device.topic, epoch // 75) % 100 < 60
    flow = device.base * (1 + 0.04 * _wobble(device, "flow", epoch, 6)) if running else 0.0
    return {"running": running, "flow": round(flow, 1)}


def _door(device: Device, epoch: int) -> Reading:
    return {"open": _is_disturbed(device, epoch)}


def _motion(device: Device, epoch: int) -> Reading:
    light = 20 + 9_000 * max(0.0, _day(epoch)) * (1 + 0.2 * _wobble(device, "cloud", epoch, 240))
    return {"motion": _is_disturbed(device, epoch), "illuminance": round(light)}


def _machine_state(device: Device, epoch: int) -> str:
    # A minute and a half a turn: a visitor sees a machine change while reading the first page.
    turn = _hash(device.topic, epoch // 90) % 100
    return "running" if turn < 68 else "idle" if turn < 93 else "fault"


def _is_disturbed(device: Device, epoch: int) -> bool:
    return _hash(device.topic, epoch // 25) % 100 < 22


def _battery(device: Device, epoch: int) -> float:
    """Percent left: from full to a fifth in a month, then somebody changes the cells."""
    month = 30 * DAY
    return 100.0 - 80.0 * ((epoch + _hash(device.topic, 2) % month) % month) / month


def _day(epoch: int) -> float:
    """The daily curve, -1 at three in the morning to 1 at three in the afternoon (UTC)."""
    return math.sin(2 * math.pi * (epoch - 9 * HOUR) / DAY)


def _wobble(device: Device, what: str, epoch: int, period: int) -> float:
    """Smooth noise between -1 and 1 that turns about once a period: chance at whole periods, eased between."""
    turn, into = divmod(epoch, period)
    before, after = (_hash(f"{device.topic} {what}", n) / 2**31 - 1 for n in (turn, turn + 1))
    share = into / period
    return before + (after - before) * share * share * (3 - 2 * share)


def _hash(text: str, number: int) -> int:
    """32 bits that look like chance and are the same in every process."""
    return int.from_bytes(blake2b(b"%s %d" % (text.encode(), number), digest_size=4).digest())


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic of a device.

    Attributes:
        level: the last level of the topic.
        state: for what changes rarely: reported on every change and at a slow beat, not at the interval.
    """

    level: str
    read: Callable[[Device, int], Reading]
    state: Callable[[Device, int], str | bool] | None = None


_CHANNELS: Final[dict[Kind, tuple[Channel, ...]]] = {
    Kind.CLIMATE: (Channel("climate", _climate),),
    Kind.AIR: (Channel("climate", _air),),
    Kind.METER: (Channel("meter", _meter),),
    Kind.MACHINE: (Channel("machine", _machine), Channel("state", _state, _machine_state)),
    Kind.PUMP: (Channel("pump", _pump),),
    Kind.DOOR: (Channel("event", _door, _is_disturbed),),
    Kind.MOTION: (Channel("event", _motion, _is_disturbed),),
}
