"""Orders to Sparkplug nodes to be born again are seldom, whatever comes in."""

import pytest

from mqttbridge.rebirths import Rebirths


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def asked():
    return []


@pytest.fixture
def rebirths(clock, asked):
    return Rebirths(lambda topic, _: asked.append(topic), clock)


def test_a_node_is_asked_once_a_minute(rebirths, clock, asked):
    for clock.now in (1000.0, 1001.0, 1059.0, 1060.0, 1061.0):
        rebirths.order({"a"})
    assert asked == ["a", "a"]


def test_a_plant_is_asked_a_few_nodes_at_a_time(rebirths, clock, asked):
    plant = {f"{node:02}" for node in range(25)}
    for clock.now, count in ((1000.0, 10), (1000.5, 10), (1001.0, 20), (1002.0, 25), (1003.0, 25)):
        rebirths.order(set(plant))
        assert len(asked) == count
    assert set(asked) == plant


def test_what_was_wanted_is_forgotten_once_it_was_looked_at(rebirths):
    wanted = {"a", "b"}
    rebirths.order(wanted)
    assert wanted == set()


def test_nodes_that_were_asked_are_remembered_within_bounds(rebirths, clock, asked, monkeypatch):
    monkeypatch.setattr("mqttbridge.rebirths._MAX_NODES", 2)
    for node in "abca":
        clock.now += 1
        rebirths.order({node})
    assert asked == ["a", "b", "c", "a"]
