from __future__ import annotations

import pytest

from mqttbridge.config.model import Config
from mqttbridge.mapping import Rulebook
from mqttbridge.tools.rates import Rate, estimate, parse_rate, rates_of
from mqttbridge.tools.recording import Recorded
from mqttbridge.tools.summary import summarise

CONFIG = Config.model_validate(
    {
        "destinations": {"dashboard": {"type": "embedded"}, "cloud": {"type": "initialstate", "access_key": "k"}},
        "models": {"Climate": {"t": {"type": "float"}, "h": {"type": "float"}, "b": {"type": "int", "optional": True}}},
        "rules": [
            {"name": "climate", "topic": "a/{d}", "model": "Climate", "bucket": "b", "stream": "{d}.{field}"},
            {"name": "power", "topic": "p/{d}", "format": "number", "bucket": "b", "stream": "{d}"},
            {"name": "local", "topic": "l/{d}", "bucket": "b", "stream": "{d}", "to": ["dashboard"]},
        ],
    }
)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("climate=4/min*100", Rate("climate", 240, 100)),
        ("climate=0.5/s", Rate("climate", 1800)),
        ("a=b=2/h", Rate("a=b", 2)),
        ("x=24/d", Rate("x", 1)),
    ],
)
def test_a_rate_is_messages_of_a_device_and_how_many_devices(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "climate", "climate=fast/min", "climate=4/fortnight", "=4/min", "climate=4/min*x"]
)
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="RULE=COUNT/min"):
        parse_rate(text)


def said(*rates: Rate, monthly: int = 25_000) -> dict[str, str]:
    return {".".join(map(str, loc)): what for loc, what in estimate(CONFIG, rates, monthly)}


def test_the_plans_month_is_held_against_the_rate():
    assert said(Rate("power", 240)) == {
        "rules.1": "rule `power`: about 240 events/h per device; the monthly 25,000 of `cloud` go in 4 days"
    }


def test_a_message_is_as_many_events_as_its_model_has_fields_that_are_always_there():
    assert "about 480 events/h per device (48,000 for all 100)" in said(Rate("climate", 240, 100))["rules.0"]


def test_more_than_the_destination_takes_is_said():
    assert "the spool would fill" in said(Rate("power", 3600, 100))["destinations.cloud"]


def test_a_rate_within_the_plan_is_no_matter_and_a_rule_that_sends_elsewhere_neither():
    assert said(Rate("power", 30), Rate("local", 1_000_000)) == {}
    assert said(Rate("power", 240), monthly=3_000_000) == {}


def test_a_rate_of_a_rule_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="no rule 'powr'"):
        said(Rate("powr", 5))


def test_a_recording_tells_the_rates():
    messages = [Recorded(f"p/d{n % 2}".encode(), b"1", time=float(n)) for n in range(61)]
    summary = summarise(Rulebook(CONFIG), messages)
    (rate,) = rates_of(summary)
    assert (rate.rule, rate.devices, rate.events, round(rate.messages)) == ("power", 2, 1.0, 1830)


def test_a_recording_of_a_moment_tells_none():
    with pytest.raises(ValueError, match="too short"):
        rates_of(summarise(Rulebook(CONFIG), [Recorded(b"p/x", b"1", time=1.0)]))
