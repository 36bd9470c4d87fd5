"""The section of alerts: what to watch, and whom to tell. Rules made on the page have the same shape."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from mqttbridge.config.alert_actions import ActionConfig, EmailAction, SmtpConfig
from mqttbridge.config.alert_conditions import Circle, Condition, Pattern
from mqttbridge.config.quantities import DAY, Duration
from mqttbridge.config.section import Section
from mqttbridge.config.texts import Line
from mqttbridge.config.web_addresses import Origin, WebAddress


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertRuleConfig(Section):
    """One thing to watch over."""

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    """Shown on the page and in what is sent; unique."""
    bucket: Pattern = "*"
    """The bucket's name; `*` in it stands for anything."""
    stream: Pattern
    """The stream's name, likewise. Each stream that it takes has a state of its own."""
    when: Condition
    """What must be true of its values."""
    for_: Duration = Field(0.0, alias="for", le=30 * DAY)
    """How long it must have been true, in the time of the values, before it fires."""
    level: Level = Level.WARNING
    """info, warning or critical."""
    message: Annotated[Line, Field(max_length=500)] = ""
    """What is sent in place of our own words; may hold {name}, {bucket}, {stream}, {value}, {level} and {for}."""
    actions: tuple[Annotated[str, Field(max_length=100)], ...] = Field((), max_length=20)
    """Names of `actions`: whom to tell."""
    tell_when_over: bool = True
    """Whether they are also told when it is over."""
    enabled: bool = True
    """False keeps the rule and does not watch."""

    @model_validator(mode="after")
    def _stars_go_together(self) -> Self:
        if isinstance(self.when, Circle) and self.when.longitude is not None:
            if self.when.longitude.count("*") != self.stream.count("*"):
                raise ValueError("when.longitude needs as many '*' as stream: each stands for the same text in both")
            if self.when.longitude == self.stream:
                raise ValueError("when.longitude is the same stream as stream")
        return self


class PageRule(AlertRuleConfig):
    """A rule as it is made on the page."""

    webhook: WebAddress | None = None
    """Its own webhook, at one of the origins of `alerts.page_webhooks`."""


class AlertsConfig(Section):
    """What to watch over in the dashboard's streams, and whom to tell."""

    actions: dict[str, ActionConfig] = Field(default_factory=dict)
    """Whom to tell, by a name of yours; rules of the page may name them too."""
    smtp: SmtpConfig | None = None
    """For actions of type email."""
    rules: tuple[AlertRuleConfig, ...] = ()
    """What to watch over. More can be made on the page; these are read-only there."""
    evaluate: bool = True
    """Of several bridges over one database one evaluates the rules and tells; false: never this one."""
    page_webhooks: tuple[Origin, ...] = ()
    """Origins that rules made on the page may send webhooks to, as `https://ntfy.sh`; none by default."""

    @field_validator("actions")
    @classmethod
    def _plain_names(cls, actions: dict[str, Any]) -> dict[str, Any]:
        for name in actions:
            if not 0 < len(name) <= 100 or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"an action's name is letters, digits, '-' and '_' (got {name!r})")
        return actions

    @model_validator(mode="after")
    def _what_is_named_is_there(self) -> Self:
        names = [rule.name for rule in self.rules]
        for index, rule in enumerate(self.rules):
            if rule.name in names[:index]:
                raise ValueError(f"two rules are called {rule.name!r}")
            for action in rule.actions:
                if action not in self.actions:
                    known = ", ".join(self.actions) or "none"
                    raise ValueError(
                        f"rule {rule.name!r} names the action {action!r}, which is not there (are: {known})"
                    )
        for name, one in self.actions.items():
            if isinstance(one, EmailAction) and self.smtp is None:
                raise ValueError(f"action {name!r} sends mail, and there is no smtp")
        return self
