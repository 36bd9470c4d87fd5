"""The shapes of alerts' requests and answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mqttbridge.dashboard.schemas import Epoch, Model, Scalar
from mqttbridge.events import MAX_NAME_CHARS

StateName = Literal["unknown", "ok", "pending", "firing"]


class AlertState(Model):
    """How one stream stands under one rule. Times are those of the values."""

    bucket: str
    stream: str
    state: StateName
    since: Epoch | None
    last: Epoch | None
    """The newest value's time."""
    value: Scalar | None
    silenced: bool


class AlertRule(Model):
    """One rule."""

    id: str
    version: int
    """For `If-Match`; 0 for a rule of the configuration."""
    editable: bool
    """False for rules of the configuration."""
    rule: dict[str, Any]
    """As a PageRule, with durations in seconds. Its webhook is shown in full only to those who may change it."""
    sentence: str
    counts: dict[StateName, int]
    states: list[AlertState]
    """The first 200, those that fire first."""


class AlertAction(Model):
    """Whom rules may tell."""

    name: str
    type: Literal["webhook", "mqtt", "email", "apprise"]
    trouble: str
    """Why nothing gets through now; empty when all is well."""


class AlertSilence(Model):
    """Until when nobody is told."""

    id: str
    rule: str
    bucket: str | None
    stream: str | None
    """Null: every stream of the rule."""
    made: Epoch
    until: Epoch
    comment: str


class Alerts(Model):
    """Everything there is to know of alerts."""

    now: Epoch
    rules: list[AlertRule]
    actions: list[AlertAction]
    silences: list[AlertSilence]
    page_webhooks: list[str]
    """Origins that a rule of the page may have a webhook at; `*` is any."""
    forgotten: int
    """Firings that were forgotten before they were over and told, since the start: more than 1000 at once."""


class BucketAlert(Model):
    """How one stream of the bucket stands under one rule."""

    rule: str
    name: str
    level: Literal["info", "warning", "critical"]
    stream: str
    state: StateName
    since: Epoch | None
    value: Scalar | None
    silenced: bool


class BucketAlerts(Model):
    """How a bucket's streams stand."""

    now: Epoch
    states: list[BucketAlert]


class AlertNotice(Model):
    """What came of telling one action."""

    action: str
    about: Literal["firing", "over", "test"]
    outcome: Literal["waiting", "delivered", "refused", "expired", "silenced", "needless", "failed"]
    attempts: int
    detail: str
    at: Epoch | None


class AlertFiring(Model):
    """One time that a rule fired."""

    id: str
    rule: str
    name: str
    level: Literal["info", "warning", "critical"]
    bucket: str
    stream: str
    value: Scalar | None
    began: Epoch
    fired: Epoch
    over: Epoch | None
    over_value: Scalar | None
    text: str
    over_text: str
    notices: list[AlertNotice]


class AlertHistory(Model):
    """Firings, the newest first."""

    now: Epoch
    firings: list[AlertFiring]


class RuleWritten(Model):
    """A rule as it is now kept."""

    id: str
    version: int


class NewSilence(Model):
    """Tell nobody for a while."""

    rule: Annotated[str, Field(max_length=100)]
    bucket: Annotated[str, Field(max_length=MAX_NAME_CHARS)] | None = None
    stream: Annotated[str, Field(max_length=MAX_NAME_CHARS)] | None = None
    """With `bucket`: of this stream only."""
    seconds: Annotated[float, Field(gt=0, le=366 * 86400)]
    comment: Annotated[str, Field(max_length=200)] = ""


class Tested(Model):
    """What came of a test, by action."""

    notices: list[AlertNotice]


class AlertPreview(Model):
    """What a rule would have done on the last day, as far as the thinned history tells."""

    sentence: str
    streams: int
    """How many it takes."""
    looked_at: int
    """Of how many of them the day was looked at."""
    firings: int
    firing_now: int
    examples: list[str]
    """Names of some of the streams."""
