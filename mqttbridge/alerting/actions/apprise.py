"""Any of the services that apprise knows: Telegram, Signal, Matrix, Pushover and a hundred more."""

from __future__ import annotations

import logging
from typing import Any

from mqttbridge.alerting.actions.base import Delivered, Failed, Result, Tidings
from mqttbridge.config.alert_actions import AppriseAction
from mqttbridge.errors import ConfigError, Problem

log = logging.getLogger(__name__)


class Apprise:
    """One of apprise's addresses.

    Args:
        config: its section.

    Raises:
        ConfigError: apprise is not installed, or it is not one address that it knows.
    """

    def __init__(self, config: AppriseAction) -> None:
        try:
            import apprise  # noqa: PLC0415  # an extra, of many modules
        except ImportError:
            raise _problem("type: apprise needs pip install 'mqttbridge[apprise]'") from None
        # Its own words may have the address in them, which is a secret.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        self._apprise: Any = apprise.Apprise()
        if not self._apprise.add(config.url.get_secret_value()) or len(self._apprise) != 1:
            # It takes several, but does not say which of them was told.
            raise _problem("apprise wants one address here, of a form that it knows")

    def send(self, tidings: Tidings) -> Result:
        """Notify once; apprise says no more than whether that went well."""
        try:
            went_well = self._apprise.notify(body=tidings.text, title=tidings.subject)
        except Exception as error:  # a hundred services, each with ways of its own
            log.debug("apprise failed", exc_info=True)
            return Failed(f"apprise: {type(error).__name__}")
        return Delivered() if went_well else Failed("apprise: the service did not take it")

    def close(self) -> None:
        """Nothing: each of its services has a timeout."""


def _problem(what: str) -> ConfigError:
    return ConfigError([Problem("configuration", 0, "alerts.actions", what)])
