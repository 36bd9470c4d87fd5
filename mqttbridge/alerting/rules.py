"""Rules by id: those of the configuration, whose ids are made of their names, and those of the page."""

from __future__ import annotations

import logging
from hashlib import blake2b
from typing import Any

from pydantic import ValidationError

from mqttbridge.alerting.engine import Entry
from mqttbridge.config.alerts import PageRule
from mqttbridge.dashboard.records import Record

log = logging.getLogger(__name__)


def config_id(name: str) -> str:
    """The id of a configuration's rule: as long as it keeps its name it keeps its states and history."""
    return f"c{blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=6).hexdigest()}"


def body_of(rule: PageRule) -> dict[str, Any]:
    """A rule as JSON values, as it is written: keys by their names in the configuration, durations in seconds."""
    return rule.model_dump(mode="json", by_alias=True)


def entry_of(record: Record) -> Entry | None:
    """The rule that a record holds; None for one that a later version of the bridge understands."""
    try:
        rule = PageRule.model_validate(dict(record.body))
    except ValidationError:
        log.exception("the alert rule %r that was made on the page cannot be read; it is left out", record.key)
        return None
    return Entry(record.key, rule, "page", record.version)
