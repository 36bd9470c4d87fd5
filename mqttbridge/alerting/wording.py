"""What is said of a rule and of what became of it. Pure.

A template's placeholders are replaced in one pass, so that a name or a value that looks like one stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mqttbridge.alerting.firings import About, Firing
from mqttbridge.config.alert_conditions import Change, Circle, Condition, Equality, Match, Silence, Threshold
from mqttbridge.config.alerts import AlertRuleConfig
from mqttbridge.events import Value

MAX_TEXT_CHARS: Final = 1000
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_NOT_IN_A_LEVEL: Final = re.compile(r"[+#/\x00-\x1f\x7f-\x9f]")
_SIDES: Final = {">": "above", ">=": "at or above", "<": "below", "<=": "at or below"}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


def text_of(rule: AlertRuleConfig, bucket: str, stream: str, value: Value | None) -> str:
    """What is told when the rule fires: its message, or our own words."""
    if rule.message:
        values = {
            "name": rule.name, "bucket": bucket, "stream": stream, "value": in_words(value), "level": rule.level.value,
            "for": duration_in_words(rule.for_),
        }  # fmt: skip
        return filled(rule.message, values)[:MAX_TEXT_CHARS]
    held = f" for {duration_in_words(rule.for_)}" if rule.for_ else ""
    return f"{rule.name}: {bucket} {stream} {_fact(rule.when, value)}{held}"[:MAX_TEXT_CHARS]


def over_text_of(firing: Firing, value: Value | None, at: float) -> str:
    """What is told when it is over."""
    lasted = duration_in_words(max(0.0, at - firing.fired))
    return f"{firing.name}: {firing.bucket} {firing.stream} is back, now {in_words(value)}, after {lasted}"[
        :MAX_TEXT_CHARS
    ]


def condition_in_words(condition: Condition) -> str:
    """The condition, as in `is above 30`."""
    match condition:
        case Threshold():
            return f"is {_SIDES[condition.is_]} {condition.value:g}"
        case Equality():
            return f"is {'' if condition.is_ == '=' else 'not '}{in_words(condition.value)}"
        case Match():
            what = f'"{condition.text}"' if condition.text is not None else f"/{condition.pattern}/"
            return f"has {what} in it"
        case Change():
            within = f" within {duration_in_words(condition.within)}" if condition.within else ""
            return f"changes by {condition.value:g}{within}"
        case Silence():
            return f"says nothing for {duration_in_words(condition.after)}"
        case Circle():
            return f"{condition.is_} the circle of {condition.radius:g} m around {condition.lat:g}, {condition.lon:g}"


def sentence_of(rule: AlertRuleConfig) -> str:
    """The whole rule in one line, as in `greenhouse *.temperature is above 30 for 5 min`."""
    held = f" for {duration_in_words(rule.for_)}" if rule.for_ else ""
    return f"{rule.bucket} {rule.stream} {condition_in_words(rule.when)}{held}"


def duration_in_words(seconds: float) -> str:
    """As in `5 min` or `1 h 30 min`: the two largest units that count."""
    parts, left = [], round(seconds, 1) if seconds < 60 else round(seconds)
    for size, unit in _UNITS:
        if left >= size:
            parts.append(f"{left // size:g} {unit}")
            left %= size
    if left and len(parts) < 2:
        parts.append(f"{left:g} s")
    return " ".join(parts[:2]) or "0 s"


def in_words(value: Value | None) -> str:
    """A value as people read it; at most 200 characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    return value[:200] if isinstance(value, str) else f"{value:.6g}"


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with the placeholders that have a value replaced; others stay as they are."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def topic_of(template: str, values: Mapping[str, str]) -> str:
    """A topic from a template: what a level may not hold becomes `_`, in what is filled in."""
    return filled(template, {name: _NOT_IN_A_LEVEL.sub("_", value) or "_" for name, value in values.items()})


def subject_of(about: About, firing: Firing) -> str:
    """A mail's subject or a notification's title."""
    word = {About.FIRING: firing.level.value.upper(), About.OVER: "OVER", About.TEST: "TEST"}[about]
    return f"[{word}] {firing.name}: {firing.bucket} {firing.stream}"[:200]


def _fact(condition: Condition, value: Value | None) -> str:
    if isinstance(condition, Threshold):
        return f"is {in_words(value)}, {_SIDES[condition.is_]} {condition.value:g}"
    if isinstance(condition, Match):
        return f'says "{in_words(value)}"'
    if isinstance(condition, Change):
        return f"{condition_in_words(condition)}, now {in_words(value)}"
    return condition_in_words(condition)
