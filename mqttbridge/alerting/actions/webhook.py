"""An HTTP POST of JSON. Redirects are not followed: where it goes was chosen by who configured it."""

from __future__ import annotations

import time
from typing import Final

from pydantic_core import to_json

from mqttbridge import __version__
from mqttbridge.alerting.actions.base import Delivered, Failed, Refused, Result, Tidings
from mqttbridge.alerting.wording import filled
from mqttbridge.config.alert_actions import WebhookAction
from mqttbridge.destinations.http_outcome import one_line, retry_after
from mqttbridge.sources.http_client import HttpClient, NoAnswer

# Nothing but the status counts; the rest is for the words in the history.
_MAX_ANSWER: Final = 16 * 1024
# That the notice itself is wrong. A wrong key or address may be mended within the day, so those are tried again.
_NEVER: Final = frozenset({400, 410, 413, 415, 422})


class Webhook:
    """One address to post to.

    Args:
        config: its section.
    """

    def __init__(self, config: WebhookAction) -> None:
        self._config = config
        self._url = config.url.get_secret_value()
        secrets = [self._url, *(text.get_secret_value() for text in config.headers.values())]
        self._secrets = [secret for secret in secrets if secret]
        self._http = HttpClient(self._url, timeout=config.timeout, max_bytes=_MAX_ANSWER, mask=self._masked)

    def send(self, tidings: Tidings) -> Result:
        """POST once."""
        fields = self._config.fields
        body = {name: filled(text, tidings.values) for name, text in fields.items()} if fields else tidings.body
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"mqttbridge/{__version__}",
            "Idempotency-Key": tidings.key,
            "Accept-Encoding": "identity",
            **{name: text.get_secret_value() for name, text in self._config.headers.items()},
        }
        try:
            answer = self._http.post(self._url, to_json(body), headers).answer
        except NoAnswer as error:
            return Failed(str(error))
        said = one_line(self._masked(answer.body.decode(errors="replace")))
        words = f"{answer.status}{f': {said}' if said else ''}"
        if 200 <= answer.status < 300:
            return Delivered(str(answer.status))
        if answer.status in _NEVER:
            return Refused(words)
        return Failed(words, retry_after(answer, time.time()))

    def close(self) -> None:
        self._http.end()

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text
