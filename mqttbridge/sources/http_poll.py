"""The HTTP poll source: any JSON API's answers become messages on a topic of their own.

To the ingest loop it is a source like the broker's. A poll is one request to one target; its answer is a message,
and only once that is durable is the answer's ETag taken for known, so that a crash cannot make the API say "nothing
new" about something we do not have.
"""

from __future__ import annotations

import base64
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

from mqttbridge import __version__
from mqttbridge.config.sources import HttpPollConfig, Parameter
from mqttbridge.delivery.pacing import Backoff
from mqttbridge.metrics import Metrics
from mqttbridge.sources.frames import KEEP_OF_OVERSIZED, OVERSIZED, Publish
from mqttbridge.sources.http_client import Got, HttpClient, NoAnswer
from mqttbridge.sources.polled import Expectation, Failed, Fresh, Unchanged, meaning_of
from mqttbridge.sources.schedule import Schedule

log = logging.getLogger(__name__)

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# A validator is a few dozen bytes; one that is longer would only be sent back for nothing.
_MAX_VALIDATOR_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class PollStatus:
    """How a source stands, for the log and the status page. Times are epoch seconds; nothing in it is secret."""

    type: str
    url: str
    """Without its query."""
    targets: int
    state: str = "starting"
    """`starting`, `ok` or `failing`: some target, or all of them."""
    detail: str = ""
    since: float = 0.0
    messages: int = 0
    unchanged: int = 0
    failed: int = 0
    last_message: float | None = None
    failing: dict[str, str] = field(default_factory=dict)
    """What is wrong, by target; what is wrong with the whole API is under an empty name."""


@dataclass(slots=True)
class _Target:
    name: str
    topic: bytes
    params: dict[str, str]
    validators: dict[str, str] = field(default_factory=dict)
    """Headers that ask for an answer only if it is another than the last that was stored."""


class HttpPollSource:
    """See ingest.Source. Used by one thread, but for `wake` and `status`.

    Args:
        name: in the configuration.
        config: its section there.
        metrics: polls are counted here.
        clock: monotonic seconds.
        wall: epoch seconds.
        luck: uniform in [0, 1), for jitter.
    """

    def __init__(
        self,
        name: str,
        config: HttpPollConfig,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self._name, self._config, self._metrics = name, config, metrics
        self._clock, self._wall, self._luck = clock, wall, luck
        self._targets = [
            _Target(target, config.topic_of(name, target).encode(), _as_texts(config.params | params))
            for target, params in (config.targets or {"": {}}).items()
        ]
        self._secret_params, self._headers, self._masks = _authentication(config)
        self._expectation = Expectation(config.expect)
        backoff = Backoff(first=config.retry.min, longest=config.retry.max)
        self._schedule = Schedule(
            [luck() for _ in self._targets], clock(), every=config.every, jitter=config.jitter, backoff=backoff
        )
        self._client = HttpClient(config.url, timeout=config.timeout, max_bytes=config.max_size, mask=self._masked)
        self._stopped = threading.Event()
        self._unstored: tuple[_Target, dict[str, str]] | None = None
        """The target whose message was handed out and not acknowledged yet, with the validators of its answer."""
        parts = urlsplit(config.url)
        self.status = PollStatus(
            config.type, f"{parts.scheme}://{parts.netloc}{parts.path}", len(self._targets), since=wall()
        )
        if self._masks and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            log.warning("source %r sends secrets unencrypted: use https:// if the API has it", name)

    def poll(self, timeout: float) -> list[Publish]:
        """The answer of the target whose turn it is, after waiting up to `timeout` seconds for that.

        The request itself takes up to the configured timeout. Never raises for what an API or a network does.
        """
        if self._unstored is not None:
            return []  # one answer a commit: what is here must not wait for what the next request brings
        number, due = self._schedule.next()
        if self._stopped.wait(min(timeout, max(0.0, due - self._clock()))) or due > self._clock():
            return []
        target = self._targets[number]
        try:
            got = self._ask(target)
        except NoAnswer as error:
            self._failed(number, Failed(str(error), of_all=True))
            return []
        if self._stopped.is_set():
            return []
        match meaning_of(got.answer, self._expectation, self._masked, oversized=got.oversized, now=self._wall()):
            case Failed() as failed:
                self._failed(number, failed)
                return []
            case Unchanged():
                self._answered(number, "unchanged")
                return []
            case Fresh(payload):
                self._answered(number, "message")
                self._unstored = target, _validators(got)
                if got.oversized:
                    return [(target.topic, payload[:KEEP_OF_OVERSIZED], OVERSIZED)]
                return [(target.topic, payload, 0)]

    def acknowledge(self) -> None:
        """Take what `poll` returned for stored."""
        if self._unstored is not None:
            target, validators = self._unstored
            target.validators = validators
            self._unstored = None

    def subscribe(self, filters: Sequence[str]) -> None:
        """Nothing: what is asked stands in the configuration."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Nothing: an API takes no orders."""

    def keep_alive(self) -> None:
        """Nothing to do: there is no connection that must not fall asleep."""

    def wake(self) -> None:
        """Stop: end a `poll` that waits or asks; from another thread."""
        self._stopped.set()
        self._client.end()

    def close(self) -> None:
        self._client.close()

    # --- one request ---------------------------------------------------------------------------------------

    def _ask(self, target: _Target) -> Got:
        return self._client.get(
            self._config.url, target.params | self._secret_params, self._headers | target.validators
        )

    def _answered(self, number: int, outcome: str) -> None:
        self._schedule.answered(number, self._clock(), self._luck())
        self._metrics.polls.add(source=self._name, outcome=outcome)
        name, status = self._targets[number].name, self.status
        if status.failing.keys() & {"", name}:
            log.info("source %r%s works again", self._name, _of(name))
        left = {key: what for key, what in status.failing.items() if key not in {"", name}}
        if outcome == "message":
            status = replace(status, messages=status.messages + 1, last_message=self._wall())
        else:
            status = replace(status, unchanged=status.unchanged + 1)
        self._set(status, left)

    def _failed(self, number: int, failed: Failed) -> None:
        if self._stopped.is_set():
            return
        self._schedule.failed(
            number, self._clock(), self._luck(), of_all=failed.of_all, at_least=failed.retry_after or 0.0
        )
        self._metrics.polls.add(source=self._name, outcome="failed")
        detail, status = failed.detail, self.status
        key = "" if failed.of_all else self._targets[number].name
        if key not in status.failing:
            log.warning("source %r%s fails: %s; asked again later", self._name, _of(key), detail)
        self._set(replace(status, failed=status.failed + 1), status.failing | {key: detail})

    def _set(self, status: PollStatus, failing: dict[str, str]) -> None:
        state = "failing" if failing else "ok"
        detail = "; ".join(f"{name}: {what}" if name else what for name, what in list(failing.items())[:3])
        since = status.since if state == status.state else self._wall()
        self.status = replace(status, state=state, detail=detail, since=since, failing=failing)

    def _masked(self, text: str) -> str:
        """The text without our secrets, which errors and error pages like to repeat."""
        for secret in self._masks:
            text = text.replace(secret, "***")
        return text


def _authentication(config: HttpPollConfig) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """The query parameters and headers of each request, and what of it must not be shown, longest first."""
    auth = config.auth
    query = {name: secret.get_secret_value() for name, secret in auth.query.items()}
    hidden = {name: secret.get_secret_value() for name, secret in auth.headers.items()}
    secrets = [*query.values(), *hidden.values()]
    if auth.bearer is not None:
        hidden["Authorization"] = f"Bearer {auth.bearer.get_secret_value()}"
        secrets.append(auth.bearer.get_secret_value())
    if auth.username is not None and auth.password is not None:
        pair = f"{auth.username}:{auth.password.get_secret_value()}"
        encoded = base64.b64encode(pair.encode()).decode()
        hidden["Authorization"] = f"Basic {encoded}"
        secrets += [auth.password.get_secret_value(), encoded]
    headers = {"User-Agent": f"mqttbridge/{__version__}", "Accept": "application/json, */*;q=0.5"}
    headers |= config.headers | hidden | {"Accept-Encoding": "identity"}
    masks = {
        form for secret in secrets if secret for form in (secret, quote(secret), quote(secret, ""), quote_plus(secret))
    }
    return query, headers, sorted(masks, key=len, reverse=True)


def _validators(got: Got) -> dict[str, str]:
    if got.oversized:
        return {}
    asked_back = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
    found = {ours: got.answer.headers.get(theirs, "") for ours, theirs in asked_back.items()}
    return {
        name: text
        for name, text in found.items()
        if 0 < len(text) <= _MAX_VALIDATOR_CHARS and text.isprintable() and text.isascii()
    }


def _as_texts(params: dict[str, Parameter]) -> dict[str, str]:
    """Parameters as they stand in a query: booleans as JSON writes them."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in params.items()}


def _of(target: str) -> str:
    return f", target {target!r}" if target else ""
