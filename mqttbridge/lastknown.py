"""Last known values, so that a retained message that says nothing new is not stored again.

A broker sends retained messages whenever somebody subscribes: without this, each restart and each new connection
would draw an old value at the present time. Values are kept with the route of each topic, which costs the hot path
one assignment, and saved in the spool's file now and then, for the next start.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from pydantic_core import from_json, to_json

from mqttbridge.errors import SpoolError
from mqttbridge.events import EventTuple, Value
from mqttbridge.mapping import Route, Rulebook
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool

log = logging.getLogger(__name__)

# What a crash loses of it costs one repeated value a topic, so saving it seldom spares the disk.
_SAVE_INTERVAL: Final = 30.0
# As many at a time as take a few milliseconds.
_SAVE_STEP: Final = 500


class LastKnown:
    """Used by the ingest thread alone."""

    def __init__(self, rulebook: Rulebook, spool: Spool, metrics: Metrics) -> None:
        self._rulebook, self._spool, self._metrics = rulebook, spool, metrics
        self._unsaved: list[Route] = []
        self._next_save = time.monotonic() + _SAVE_INTERVAL

    def keep(self, route: Route, events: list[EventTuple]) -> None:
        """Note a live message's values."""
        last = route.last
        if last is not None and len(last) > len(events):
            # Not every message carries every field: what is missing in this one is still the last known.
            route.last = list({_name(route, event): event for event in (*last, *events)}.values())
        else:
            route.last = events

    def only_changed(self, route: Route, events: list[EventTuple]) -> list[EventTuple]:
        """Of a retained message's events, those that differ from what was last known of their streams."""
        if route.last is not None:
            known: dict[str, Value] = {_name(route, event): event[2] for event in route.last}
        else:
            known = self._saved(route)
        if route.several and len({event[:2] for event in events}) < len(events):
            self.keep(route, events)
            return events  # a history: each of its points may be new, whatever the last one was
        changed = [event for event in events if not _same(known.get(_name(route, event)), event[2])]
        if len(changed) < len(events):
            self._metrics.dropped.add(len(events) - len(changed), reason="retained_unchanged")
        self.keep(route, events)
        return changed

    def _saved(self, route: Route) -> dict[str, Value]:
        try:
            saved = self._spool.known(_key(route))
            return from_json(saved) if saved else {}
        except (SpoolError, ValueError) as error:  # then nothing is known, and a value may be stored twice
            log.debug("what was last known of %s cannot be read: %s", route.topic, error)
            return {}

    def save_when_due(self) -> None:
        """Save some of what changed, once the interval is over; called each turn of the loop."""
        if self._unsaved:
            self._save_some()
        elif time.monotonic() >= self._next_save:
            self._gather()

    def save_all(self) -> None:
        """Save everything, at the end."""
        self._gather()
        while self._unsaved and self._save_some():
            pass

    def _gather(self) -> None:
        self._next_save = time.monotonic() + _SAVE_INTERVAL
        self._unsaved = [route for route in self._rulebook.known_routes() if route.last is not route.saved]

    def _save_some(self) -> bool:
        some, rest = self._unsaved[:_SAVE_STEP], self._unsaved[_SAVE_STEP:]
        try:
            self._spool.remember(
                (_key(route), to_json({_name(route, event): event[2] for event in route.last or ()}).decode())
                for route in some
            )
        except SpoolError as error:
            log.debug("last known values wait: %s", error)
            return False
        for route in some:
            route.saved = route.last
        self._unsaved = rest
        return True


def _key(route: Route) -> str:
    return "\n".join((route.topic, route.rule, *route.named_by))


def _name(route: Route, event: EventTuple) -> str:
    """A stream's name among those of its route, which most often are all in one bucket."""
    return f"{event[0]}\n{event[1]}" if route.several else event[1]


def _same(known: Value | None, value: Value) -> bool:
    return known == value and isinstance(known, bool) == isinstance(value, bool)
