"""What the page asks of alerts and changes in them: rules, silences, history, tests, previews."""

from __future__ import annotations

import secrets as random_names
from concurrent.futures import Future, TimeoutError as NotYet
from dataclasses import asdict
from typing import Any, Final

from mqttbridge.alerting.actions import Delivered, Failed, Result
from mqttbridge.alerting.dispatcher import own_webhook, tidings_of
from mqttbridge.alerting.engine import PAGE_WEBHOOK, Engine, Entry, Outcomes
from mqttbridge.alerting.firings import About, Firing, firing_to_json
from mqttbridge.alerting.ledger import SilencePeriod
from mqttbridge.alerting.machine import State, StreamState
from mqttbridge.alerting.matching import StreamKey, pair_of, stars_of
from mqttbridge.alerting.rules import body_of
from mqttbridge.alerting.service import Alerts
from mqttbridge.alerting.standings import WORST_FIRST, is_silenced
from mqttbridge.alerting.wording import sentence_of
from mqttbridge.config.alerts import AlertRuleConfig, PageRule
from mqttbridge.config.web_addresses import origin_of
from mqttbridge.dashboard.alerts.desk import NoSuchAlert, NotAcceptable

MAX_PAGE_RULES: Final = 500
MAX_SILENCES: Final = 500
_SHOWN_STATES: Final = 200
_TEST_SECONDS: Final = 30.0
# A day of so many streams is read in well under a second.
_PREVIEWED: Final = 20
_PREVIEW_SECONDS: Final = 86_400.0
_PREVIEW_BUCKETS: Final = 2000


class Desk:
    """Answers for the alerts of one bridge; see `AlertsDesk`."""

    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts

    # -- looking

    def overview(self, *, secrets: bool) -> dict[str, Any]:
        """Every rule with its states, the actions and the silences."""
        alerts = self._alerts
        with alerts.lock:
            troubles = alerts.dispatcher.troubles()
            now = alerts.clock()
            return {
                "now": now,
                "rules": [self._shown(entry, now, secrets=secrets) for entry in alerts.engine.entries.values()],
                "actions": [
                    {"name": name, "type": action.type, "trouble": troubles.get(name, "")}
                    for name, action in alerts.config.actions.items()
                ],
                "silences": [asdict(one) for one in alerts.ledger.silences if one.until > now],
                "page_webhooks": list(alerts.config.page_webhooks),
                "forgotten": alerts.ledger.forgotten,
            }

    def states(self, bucket: str) -> dict[str, Any]:
        """How a bucket's streams stand."""
        alerts = self._alerts
        with alerts.lock:
            now = alerts.clock()
            found = [
                {
                    "rule": entry.id,
                    "name": entry.rule.name,
                    "level": entry.rule.level,
                    "stream": stream,
                    "state": state.state,
                    "since": state.since,
                    "value": state.value,
                    "silenced": self._is_silenced(entry, (of, stream), now),
                }
                for entry in alerts.engine.entries.values()
                for (of, stream), state in entry.states.items()
                if of == bucket and entry.rule.enabled
            ]
            return {"now": now, "states": found}

    def history(self, limit: int, rule: str | None) -> dict[str, Any]:
        """Firings, the newest first."""
        alerts = self._alerts
        with alerts.lock:
            firings = [one for one in alerts.ledger.firings.values() if rule in (None, one.rule)]
            firings.sort(key=lambda one: one.fired, reverse=True)
            return {"now": alerts.clock(), "firings": [_told(firing) for firing in firings[:limit]]}

    def preview(self, rule: PageRule) -> dict[str, Any]:
        """What a rule would have done on the last day; on an engine of its own, without telling anybody."""
        alerts, store = self._alerts, self._alerts.store
        keys: list[StreamKey] = [
            (bucket.key, info.stream)
            for bucket in store.buckets()
            if stars_of(rule.bucket, bucket.key) is not None
            for info in store.streams(bucket.key)
            if stars_of(rule.stream, info.stream) is not None
        ]
        engine = Engine({})
        entry = Entry("preview", rule.model_copy(update={"enabled": True}), "page")
        engine.put(entry)
        now, made = alerts.clock(), Outcomes()
        for bucket, stream in keys[:_PREVIEWED]:
            names = [name for name in (stream, pair_of(rule, stream)) if name is not None]
            columns = store.points(bucket, names, now - _PREVIEW_SECONDS, None, _PREVIEW_BUCKETS)
            engine.batch(
                (
                    ((bucket, name), list(zip(column.epochs, column.values, strict=True)))
                    for name, column in columns.items()
                ),
                now,
                made,
            )
        return {
            "sentence": sentence_of(rule),
            "streams": len(keys),
            "looked_at": min(len(keys), _PREVIEWED),
            "firings": made.fired,
            "firing_now": sum(state.state is State.FIRING for state in entry.states.values()),
            "examples": [f"{bucket} {stream}" for bucket, stream in keys[:5]],
        }

    # -- rules

    def create(self, rule: PageRule) -> dict[str, Any]:
        """A new rule of the page."""
        alerts = self._alerts
        with alerts.lock:
            if sum(one.source == "page" for one in alerts.engine.entries.values()) >= MAX_PAGE_RULES:
                raise NotAcceptable(f"there may be {MAX_PAGE_RULES} rules at most")
            self._check(rule, None)
            record = alerts.ledger.put_rule(f"p{random_names.token_hex(6)}", body_of(rule), 0)
            alerts.take_rules()
            return {"id": record.key, "version": record.version}

    def change(self, name: str, rule: PageRule, expected: int | None) -> dict[str, Any]:
        """Another rule in the place of one; its states stay where it watches for the same."""
        alerts = self._alerts
        with alerts.lock:
            rule = _with_webhook_of(self._of_page(name).rule, rule)
            self._check(rule, name)
            record = alerts.ledger.put_rule(name, body_of(rule), expected)
            alerts.take_rules()
            return {"id": name, "version": record.version}

    def remove(self, name: str, expected: int | None) -> None:
        """A rule of the page is gone; its firings stay in the history."""
        alerts = self._alerts
        with alerts.lock:
            self._of_page(name)
            alerts.ledger.delete_rule(name, expected)
            alerts.take_rules()

    def forget_bucket(self, bucket: str) -> int:
        """A bucket is gone. Rules for more than it, and those of the configuration, stay and let its streams go."""
        alerts = self._alerts
        with alerts.lock:
            alerts.forget_bucket(bucket)
            entries = alerts.engine.entries.values()
            own = [entry.id for entry in entries if entry.source == "page" and entry.rule.bucket == bucket]
            for name in own:
                alerts.ledger.delete_rule(name, None)
            alerts.take_rules()
        return len(own)

    # -- silences

    def silence(
        self, rule: str, bucket: str | None, stream: str | None, seconds: float, comment: str
    ) -> dict[str, Any]:
        """Tell nobody for so long."""
        alerts = self._alerts
        with alerts.lock:
            if rule not in alerts.engine.entries:
                raise NoSuchAlert("there is no such rule")
            now = alerts.clock()
            one = SilencePeriod(random_names.token_hex(6), rule, bucket, stream, now, now + seconds, comment)
            # A new one takes the place of another of the same: it may be shorter.
            ended = {
                other.id
                for other in alerts.ledger.silences
                if other.until <= now or (other.rule, other.bucket, other.stream) == (rule, bucket, stream)
            }
            if len(alerts.ledger.silences) - len(ended) >= MAX_SILENCES:
                raise NotAcceptable(f"there may be {MAX_SILENCES} silences at most")
            alerts.ledger.silence(one)
            alerts.ledger.unsilence(ended)
            return asdict(one)

    def unsilence(self, silence: str) -> None:
        """End a silence: what still fires is told now."""
        alerts = self._alerts
        with alerts.lock:
            if all(one.id != silence for one in alerts.ledger.silences):
                raise NoSuchAlert("there is no such silence")
            alerts.ledger.unsilence({silence})
            alerts.take_rules()

    # -- trying

    def test(self, rule: PageRule) -> dict[str, Any]:
        """Tell a rule's actions that this is a test."""
        alerts = self._alerts
        entry = Entry("test", rule, "page")
        with alerts.lock:
            entry.rule = rule = self._with_kept_webhook(rule)
            self._check_told(rule)
            if not entry.told:
                raise NotAcceptable("the rule tells nobody: choose an action")
            tidings = tidings_of(_for_test(rule, alerts.clock()), About.TEST)
            sent: list[tuple[str, Future[Result] | str]] = [
                (action, alerts.dispatcher.test(_where(action, rule), tidings)) for action in entry.told
            ]
        return {"notices": [_tested(action, outcome, alerts.clock()) for action, outcome in sent]}

    # -- the rest

    def _of_page(self, name: str) -> Entry:
        entry = self._alerts.engine.entries.get(name)
        if entry is None:
            raise NoSuchAlert("there is no such rule")
        if entry.source != "page":
            raise NotAcceptable("this rule is of the configuration file: change it there")
        return entry

    def _check(self, rule: PageRule, name: str | None) -> None:
        alerts = self._alerts
        if any(one.rule.name == rule.name and one.id != name for one in alerts.engine.entries.values()):
            raise NotAcceptable(f"name: there is a rule {rule.name!r} already")
        self._check_told(rule)

    def _check_told(self, rule: PageRule) -> None:
        alerts = self._alerts
        for action in rule.actions:
            if action not in alerts.config.actions:
                raise NotAcceptable(f"there is no action {action!r}; actions are made in the configuration file")
        if rule.webhook is not None:
            allowed = alerts.config.page_webhooks
            if "*" not in allowed and origin_of(rule.webhook) not in allowed:
                where = ", ".join(allowed) or "none is"
                raise NotAcceptable(f"webhook: only origins of alerts.page_webhooks may be used here ({where})")

    def _with_kept_webhook(self, rule: PageRule) -> PageRule:
        """A rule under test may be one that is kept, its webhook not shown in full."""
        for entry in self._alerts.engine.entries.values():
            if entry.rule.name == rule.name:
                return _with_webhook_of(entry.rule, rule)
        return rule

    def _is_silenced(self, entry: Entry, key: StreamKey, now: float) -> bool:
        return is_silenced(entry, key, (one for one in self._alerts.ledger.silences if one.until > now))

    def _shown(self, entry: Entry, now: float, *, secrets: bool) -> dict[str, Any]:
        states = sorted(entry.states.items(), key=lambda one: (WORST_FIRST[one[1].state], one[0]))
        body = body_of(PageRule.model_validate(entry.rule.model_dump(by_alias=True)))
        if body["webhook"] is not None and not secrets:
            body["webhook"] = masked(body["webhook"])
        return {
            "id": entry.id,
            "version": entry.version,
            "editable": entry.source == "page",
            "rule": body,
            "sentence": sentence_of(entry.rule),
            "counts": {state.value: sum(one.state is state for one in entry.states.values()) for state in State},
            "states": [
                _state(key, state, silenced=self._is_silenced(entry, key, now)) for key, state in states[:_SHOWN_STATES]
            ],
        }


def masked(webhook: str) -> str:
    """An address without what may be a token."""
    return f"{origin_of(webhook)}/***"


def _with_webhook_of(before: AlertRuleConfig, rule: PageRule) -> PageRule:
    """The rule with the address it had where only its masked form came back."""
    kept = before.webhook if isinstance(before, PageRule) else None
    return rule.model_copy(update={"webhook": kept}) if kept is not None and rule.webhook == masked(kept) else rule


def _state(key: StreamKey, state: StreamState, *, silenced: bool) -> dict[str, Any]:
    return {
        "bucket": key[0],
        "stream": key[1],
        "state": state.state,
        "since": state.since,
        "last": state.last,
        "value": state.value,
        "silenced": silenced,
    }


def _told(firing: Firing) -> dict[str, Any]:
    body = firing_to_json(firing)
    for key in ("tell_when_over", "webhook"):
        del body[key]
    for notice in body["notices"]:
        del notice["made"]
    return body


def _for_test(rule: AlertRuleConfig, now: float) -> Firing:
    return Firing(
        id=f"test-{random_names.token_hex(8)}",
        rule="test",
        name=rule.name,
        level=rule.level,
        bucket=rule.bucket,
        stream=rule.stream,
        began=now,
        fired=now,
        value=None,
        text=f"This is a test of the alert {rule.name}: {sentence_of(rule)}",
        over=None,
        over_text="",
        notices=[],
    )


def _where(action: str, rule: PageRule) -> str:
    return own_webhook(rule.webhook or "") if action == PAGE_WEBHOOK else action


def _tested(action: str, outcome: Future[Result] | str, now: float) -> dict[str, Any]:
    if isinstance(outcome, str):
        result: Result = Failed(outcome)
    else:
        try:
            result = outcome.result(_TEST_SECONDS)
        except NotYet:
            result = Failed(f"no answer within {_TEST_SECONDS:g} s")
    match result:
        case Delivered():
            word = "delivered"
        case Failed():
            word = "failed"
        case _:
            word = "refused"
    return {"action": action, "about": "test", "outcome": word, "attempts": 1, "detail": result.detail, "at": now}
