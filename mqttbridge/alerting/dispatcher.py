"""Telling: which notice goes out when, and what its outcome means. A few threads for all actions.

One notice of an action is under way at a time, so what is over is never told before that it fired. What came of an
attempt is recorded (by `settle`) before the action is used again. After a crash between the two the notice goes out
once more, with the same idempotency key: at least once, and once for receivers that know the key.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final, TypeAlias

from pydantic import SecretStr

from mqttbridge.alerting.actions import Action, Failed, Publish, Refused, Result, Tidings, create
from mqttbridge.alerting.engine import PAGE_WEBHOOK
from mqttbridge.alerting.firings import About, Firing, Notice, Outcome, idempotency_key
from mqttbridge.alerting.wording import in_words, subject_of
from mqttbridge.config.alert_actions import ActionConfig, WebhookAction
from mqttbridge.config.alerts import AlertsConfig
from mqttbridge.delivery.pacer import Pacer
from mqttbridge.delivery.pacing import Backoff
from mqttbridge.destinations.base import Rate

log = logging.getLogger(__name__)

# Slow receivers must not hold up the others: more than one at a time, and few, since they only wait.
SENDERS: Final = 4
# Webhooks of the page's rules, by address; those that are not used any more make room.
_MAX_PAGE_CHANNELS: Final = 50
# What is under way at the end is given a moment: cut off, it would be told once more after the next start.
GRACE_SECONDS: Final = 2.0
_BACKOFF: Final = Backoff(first=2.0, longest=300.0)

Settle: TypeAlias = Callable[[Firing, Notice, Result], None]


@dataclass(slots=True)
class _Channel:
    """An action and how it is doing. Times are epoch seconds.

    Attributes:
        rests_until: nothing is sent before, by the monotonic clock, since it failed.
    """

    name: str
    config: ActionConfig
    action: Action
    pace: Pacer
    busy: bool = False
    failures: int = 0
    rests_until: float = 0.0
    trouble: str = ""


class Dispatcher:
    """Used under its owner's lock, but calls `settle` and `wake` without it.

    Args:
        config: the actions.
        settle: told what came of an attempt; on a sender's thread.
        wake: called when an action is free again; on a sender's thread.
        publish: how to publish to the broker; None where there is none.
        luck: uniform in [0, 1).

    Raises:
        ConfigError: an action cannot be used.
    """

    def __init__(
        self,
        config: AlertsConfig,
        settle: Settle,
        wake: Callable[[], None],
        publish: Publish | None,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self._config, self._settle, self._wake = config, settle, wake
        self._publish, self._luck = publish, luck
        self._pool: ThreadPoolExecutor | None = None
        self._channels: dict[str, _Channel] = {}
        self._stopped = False
        self._under_way: set[Future[object]] = set()
        for name, section in config.actions.items():
            self._channels[name] = self._open(name, section)

    def pump(self, firings: Iterable[Firing], silenced: Callable[[Firing], bool], now: float) -> list[Firing]:
        """Send what can be sent now. Returns the firings of which a notice was settled without being sent."""
        settled = []
        waiting: dict[str, list[tuple[int, float, Firing, Notice]]] = {}
        for firing in firings:
            quiet = silenced(firing)
            for notice in firing.notices:
                if notice.outcome is not Outcome.WAITING:
                    continue
                if outcome := self._without_sending(firing, notice, now, quiet=quiet):
                    notice.outcome, notice.at = outcome, now
                    settled.append(firing)
                elif not quiet and _is_its_turn(firing, notice):
                    # What failed less goes first: one notice that a receiver chokes on does not hold up the others.
                    where = _channel_name(firing, notice)
                    waiting.setdefault(where, []).append((notice.attempts, firing.fired, firing, notice))
        for where, candidates in waiting.items():
            _, _, firing, notice = min(candidates, key=lambda one: one[:2])
            self._start(where, firing, notice)
        return settled

    def test(self, where: str, tidings: Tidings) -> Future[Result] | str:
        """Send at once, by a name of `actions` or `webhook:ADDRESS`; or why that cannot be done now."""
        channel = self._channel(where)
        if channel is None:
            return "there is no such action"
        if channel.busy or channel.pace.claim() > 0:
            return "it is at work: try again in a moment"
        channel.busy = True

        def work() -> Result:
            try:
                return channel.action.send(tidings)
            finally:
                channel.pace.answered()
                channel.busy = False
                self._wake()

        return self._senders().submit(work)

    def troubles(self) -> Mapping[str, str]:
        """Why nothing gets through, by the action's name; none where all is well."""
        return {name: channel.trouble for name, channel in self._channels.items() if channel.trouble}

    def stop(self) -> None:
        """End what is under way; what is not told waits for the next start."""
        self._stopped = True
        if self._pool is None:
            return
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(self._under_way, GRACE_SECONDS)
        for channel in self._channels.values():
            channel.action.close()

    # -- one notice

    def _without_sending(self, firing: Firing, notice: Notice, now: float, *, quiet: bool) -> Outcome | None:
        """How a notice is settled by what is known; None when it is to be sent, or to wait."""
        if quiet:
            # It is told after the silence if it still fires then.
            return Outcome.SILENCED if firing.over is not None else None
        if notice.about is About.OVER:
            first = _of_firing(firing, notice)
            if first is None or first.outcome not in (Outcome.WAITING, Outcome.DELIVERED):
                return Outcome.NEEDLESS
        channel = self._channel(_channel_name(firing, notice))
        if channel is None:
            notice.detail = "there is no such action any more"
            return Outcome.REFUSED
        if now > notice.made + channel.config.expire:
            return Outcome.EXPIRED
        return None

    def _start(self, where: str, firing: Firing, notice: Notice) -> None:
        channel = self._channel(where)
        if channel is None or channel.busy or monotonic() < channel.rests_until or self._stopped:
            return
        if channel.pace.claim() > 0:
            return
        channel.busy = True
        tidings = tidings_of(firing, notice.about)
        under_way: Future[object] = self._senders().submit(self._send, channel, firing, notice, tidings)
        self._under_way = {one for one in self._under_way if not one.done()} | {under_way}

    def _send(self, channel: _Channel, firing: Firing, notice: Notice, tidings: Tidings) -> None:
        try:
            result = channel.action.send(tidings)
        except Exception:
            log.exception("the action %r failed in an unexpected way", channel.name)
            result = Failed("it failed in an unexpected way; the log says how")
        self._judge(channel, result)
        try:
            if not (self._stopped and isinstance(result, Failed)):
                self._settle(firing, notice, result)
        finally:
            channel.pace.answered()
            channel.busy = False
            self._wake()

    def _judge(self, channel: _Channel, result: Result) -> None:
        if not isinstance(result, Failed):
            if channel.trouble:
                log.info("the action %r works again", channel.name)
            channel.failures, channel.trouble, channel.rests_until = 0, "", 0.0
            return
        channel.failures += 1
        pause = _BACKOFF.pause(channel.failures, self._luck())
        channel.rests_until = monotonic() + max(pause, result.retry_after or 0.0)
        if not channel.trouble and not self._stopped:
            log.warning("the action %r fails: %s; it is tried again", channel.name, result.detail)
        channel.trouble = result.detail

    # -- channels

    def _channel(self, where: str) -> _Channel | None:
        found = self._channels.get(where)
        if found is None and where.startswith(_OWN):
            idle = [name for name, one in self._channels.items() if name.startswith(_OWN) and not one.busy]
            if len(idle) >= _MAX_PAGE_CHANNELS:
                del self._channels[idle[0]]
            section = WebhookAction(type="webhook", url=SecretStr(where.removeprefix(_OWN)))
            found = self._channels[where] = self._open("webhook", section)
        return found

    def _open(self, name: str, section: ActionConfig) -> _Channel:
        action = create(section, self._config.smtp, self._publish)
        return _Channel(name, section, action, Pacer(Rate(section.per_minute, 60.0, name)))

    def _senders(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(SENDERS, "alert-send")
        return self._pool


_OWN: Final = "webhook:"


def own_webhook(url: str) -> str:
    """How `test` is told of a webhook that is no action of the configuration."""
    return f"{_OWN}{url}"


def settle_notice(notice: Notice, result: Result, now: float) -> None:
    """Write down what came of an attempt."""
    notice.attempts += 1
    notice.at, notice.detail = now, result.detail
    if isinstance(result, Refused):
        notice.outcome = Outcome.REFUSED
    elif not isinstance(result, Failed):
        notice.outcome = Outcome.DELIVERED


def tidings_of(firing: Firing, about: About) -> Tidings:
    """What is told of a firing."""
    key = idempotency_key(firing.id, about)
    text = firing.over_text if about is About.OVER else firing.text
    value = firing.over_value if about is About.OVER else firing.value
    at = firing.over if about is About.OVER and firing.over is not None else firing.fired
    return Tidings(
        key=key,
        about=about,
        subject=subject_of(about, firing),
        text=text,
        values={
            "key": key,
            "id": firing.id,
            "state": about.value,
            "name": firing.name,
            "level": firing.level.value,
            "bucket": firing.bucket,
            "stream": firing.stream,
            "value": in_words(value),
            "since": _iso(firing.began),
            "at": _iso(at),
            "text": text,
            "subject": subject_of(about, firing),
        },
        body={
            "key": key,
            "id": firing.id,
            "state": about.value,
            "rule": firing.rule,
            "name": firing.name,
            "level": firing.level.value,
            "bucket": firing.bucket,
            "stream": firing.stream,
            "value": value,
            "began": firing.began,
            "fired": firing.fired,
            "over": firing.over if about is About.OVER else None,
            "text": text,
        },
    )


def _iso(epoch: float) -> str:
    try:
        return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):  # a device may claim any year
        return f"{epoch:.0f}"


def _channel_name(firing: Firing, notice: Notice) -> str:
    if notice.action != PAGE_WEBHOOK:
        return notice.action
    return own_webhook(firing.webhook or "")


def _of_firing(firing: Firing, notice: Notice) -> Notice | None:
    """The notice that told the same action that it fired."""
    return next((one for one in firing.notices if one.action == notice.action and one.about is About.FIRING), None)


def _is_its_turn(firing: Firing, notice: Notice) -> bool:
    first = _of_firing(firing, notice)
    return notice.about is About.FIRING or first is None or first.outcome is not Outcome.WAITING
