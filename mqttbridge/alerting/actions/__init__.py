"""Whom to tell. A new kind of action is one file that speaks `base.Action`, and one line in `create`."""

from __future__ import annotations

from mqttbridge.alerting.actions.base import Action, Delivered, Failed, Publish, Refused, Result, Tidings
from mqttbridge.config.alert_actions import (
    ActionConfig,
    AppriseAction,
    EmailAction,
    MqttAction,
    SmtpConfig,
    WebhookAction,
)

__all__ = ["Action", "Delivered", "Failed", "Publish", "Refused", "Result", "Tidings", "create"]


def create(config: ActionConfig, smtp: SmtpConfig | None, publish: Publish | None) -> Action:
    """The action of a section. Each kind's module is imported when it is used: most bridges use one or none.

    Args:
        config: the section.
        smtp: the mail server, for those that send mail.
        publish: how to publish to the broker; None where there is none.

    Raises:
        ConfigError: it needs a package that is not installed.
    """
    match config:
        case WebhookAction():
            from mqttbridge.alerting.actions.webhook import Webhook  # noqa: PLC0415

            return Webhook(config)
        case MqttAction():
            from mqttbridge.alerting.actions.mqtt import MqttMessage  # noqa: PLC0415

            return MqttMessage(config, publish)
        case EmailAction():
            from mqttbridge.alerting.actions.email import Email  # noqa: PLC0415

            if smtp is None:  # the configuration's own check does not let this come here
                raise ValueError("an action of type email needs alerts.smtp")
            return Email(config, smtp)
        case AppriseAction():
            from mqttbridge.alerting.actions.apprise import Apprise  # noqa: PLC0415

            return Apprise(config)
