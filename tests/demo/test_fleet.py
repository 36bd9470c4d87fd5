"""The simulated fleet: believable, deterministic, and never outside what the demo's models accept."""

import itertools
import json
from collections import Counter

import pytest

from mqttbridge.demo.fleet import (
    DAY,
    HOUR,
    MAXIMUM_DEVICES,
    MINIMUM_DEVICES,
    OUTAGE_PERIOD,
    OUTAGE_SECONDS,
    SITES,
    Kind,
    availability,
    devices,
    history,
    is_online,
    live,
    reports,
)

NOON = 1_790_000_000 // DAY * DAY + 12 * HOUR


def readings(device, epoch):
    return {m.topic.rsplit("/", 1)[1]: json.loads(m.payload) for m in reports(device, epoch)}


def test_there_are_at_least_twenty_devices_at_three_sites():
    fleet = devices()

    assert len(fleet) >= MINIMUM_DEVICES
    assert {device.site for device in fleet} == set(SITES)
    assert min(Counter(device.site for device in fleet).values()) >= 5
    assert {device.kind for device in fleet} == set(Kind)


@pytest.mark.parametrize("count", [MINIMUM_DEVICES, 25, 100, MAXIMUM_DEVICES])
def test_a_fleet_has_as_many_devices_as_asked_for_and_no_two_share_a_topic(count):
    topics = {device.topic for device in devices(count)}

    assert len(topics) == count


def test_a_larger_fleet_begins_with_the_same_devices():
    assert devices(100)[:25] == devices(25)


def test_the_same_time_gives_the_same_reports():
    assert list(live(devices(), NOON)) == list(live(devices(), NOON))


def test_every_value_stays_within_what_is_physically_sensible():
    bounds = {
        "temperature": (-5, 60), "humidity": (15, 99), "battery": (19, 100), "co2": (400, 1500),
        "voltage": (220, 240), "current": (0, 100), "power": (0, 20_000), "frequency": (49.9, 50.1),
        "flow": (0, 100), "illuminance": (0, 15_000),
    }  # fmt: skip
    for device in devices(100):
        for epoch in range(NOON - 30 * DAY, NOON, 4 * HOUR + 7):
            for values in readings(device, epoch).values():
                for name, value in values.items():
                    if name in bounds:
                        low, high = bounds[name]
                        assert low <= value <= high, (device, name)


def test_temperature_follows_the_day():
    outdoor = next(device for device in devices() if device.name == "outdoor")

    afternoon = readings(outdoor, NOON + 3 * HOUR)["climate"]["temperature"]
    night = readings(outdoor, NOON - 9 * HOUR)["climate"]["temperature"]

    assert afternoon - night > 8


def test_neighbouring_values_are_near_each_other():
    bed = devices()[0]
    temperatures = [readings(bed, NOON + second)["climate"]["temperature"] for second in range(600)]

    assert max(abs(a - b) for a, b in itertools.pairwise(temperatures)) < 0.1
    assert len(set(temperatures)) > 20


def test_a_battery_drains_slowly():
    bed = devices()[0]
    levels = [readings(bed, NOON + hour * HOUR)["climate"]["battery"] for hour in range(24)]

    assert levels == sorted(levels, reverse=True)
    assert 1 < levels[0] - levels[-1] < 5


def test_machines_go_through_their_states():
    lathe = next(device for device in devices() if device.name == "lathe")
    states = {readings(lathe, NOON + second)["state"]["state"] for second in range(0, 2 * HOUR, 90)}

    assert states == {"running", "idle", "fault"}


def test_a_change_of_state_is_published_at_once_and_repeated_at_a_slow_beat():
    door = next(device for device in devices() if device.kind is Kind.DOOR)
    sent = [(m.epoch, json.loads(m.payload)["open"]) for s in range(600) for m in live([door], NOON + s)]
    truth = [readings(door, NOON + second)["event"]["open"] for second in range(600)]

    changes = {NOON + s for s in range(1, 600) if truth[s] != truth[s - 1]}
    assert changes
    assert changes <= {epoch for epoch, _ in sent}
    assert max(b - a for (a, _), (b, _) in itertools.pairwise(sent)) <= 10


def test_a_flaky_device_is_silent_while_it_is_away_and_says_when_it_goes_and_returns():
    cold_room = next(device for device in devices() if device.name == "cold-room")
    sent = [m for second in range(OUTAGE_PERIOD) for m in live([cold_room], NOON + second)]
    said = [m for m in sent if m.topic == "fleet/brewery/cold-room/availability"]

    assert {m.payload for m in said} == {b"online", b"offline"}
    assert all(m.retain for m in said)
    assert sum(not is_online(cold_room, NOON + s) for s in range(OUTAGE_PERIOD)) == OUTAGE_SECONDS
    assert all(is_online(cold_room, m.epoch) for m in sent if m not in said)
    assert [availability(cold_room, m.epoch) for m in said] == said


def test_history_covers_two_days_in_order_and_ends_where_the_present_begins():
    epochs = [message.epoch for message in history(devices(), 0, NOON)]

    assert epochs == sorted(epochs)
    assert NOON - 2 * DAY <= epochs[0] <= NOON - 2 * DAY + 600
    assert epochs[-1] == NOON - 1
    assert max(b - a for a, b in itertools.pairwise(epochs)) <= 600


def test_history_repeats_no_measurement():
    sent = [(message.epoch, message.topic) for message in history(devices(), 0, NOON)]

    assert len(sent) == len(set(sent))


def test_history_goes_on_where_a_former_run_stopped():
    since = NOON - 2 * HOUR

    everything = history(devices(), 0, NOON)

    assert list(history(devices(), since, NOON)) == [m for m in everything if m.epoch >= since]


def test_history_holds_no_availability_since_that_has_no_time_of_its_own():
    assert not any(message.retain for message in history(devices(), 0, NOON))
