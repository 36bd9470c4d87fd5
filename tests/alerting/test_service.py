"""Alerts over a real store, real records and real receivers: told once, in order, across failures and restarts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mqttbridge.alerting import dispatcher
from mqttbridge.alerting.desk import Desk
from mqttbridge.alerting.engine import MAX_STREAMS
from mqttbridge.alerting.firings import Outcome
from mqttbridge.alerting.ledger import HISTORY
from mqttbridge.alerting.service import Alerts
from mqttbridge.config.alerts import AlertsConfig, PageRule
from mqttbridge.config.destinations import EmbeddedConfig
from mqttbridge.dashboard import Dashboard
from mqttbridge.dashboard.alerts.desk import NoSuchAlert, NotAcceptable
from mqttbridge.dashboard.records import Conflict
from mqttbridge.dashboard.store import SqliteStore
from mqttbridge.delivery.pacing import Backoff
from mqttbridge.errors import BrokerError, StoreError
from mqttbridge.metrics import Metrics
from tests.support.processes import eventually
from tests.support.receivers import Hook, mail_server, webhook_server

HOT = {"name": "Hot", "stream": "*.t", "when": {"is": ">", "value": 30, "clear": 28}, "actions": ["hook"]}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "_BACKOFF", Backoff(first=0.01, longest=0.02))


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook_server() as hook:
        yield hook


class Watched:
    """Alerts over a dashboard, turned by hand; the clock stands until it is set."""

    def __init__(self, directory: Path, config: dict[str, Any], publish: Any = None) -> None:
        self.now, self.set_by = 1_000_000.0, 0.0
        self.metrics = Metrics()
        self.dashboard = Dashboard(directory, EmbeddedConfig(type="embedded", retention=0), self.metrics)
        self.alerts = Alerts(
            AlertsConfig.model_validate(config),
            self.dashboard.store,
            self.dashboard.records,
            self.metrics,
            publish=publish,
            clock=lambda: self.now,
            monotonic=lambda: self.now - self.set_by,
        )
        self.desk = Desk(self.alerts)
        self.alerts.recall()

    def push(self, *points: tuple[str, Any, float], bucket: str = "b", seen: bool = True) -> None:
        """Stored; and observed, unless the bridge dies just then."""
        columns = self.dashboard.store.append([(bucket, *point) for point in points])
        if seen:
            self.alerts.observe(columns)
            self.alerts.turn()

    def settle(self) -> None:
        """Turn until nobody is left to be told."""
        with self.ticking():
            eventually(lambda: not self.alerts._waiting, what="everybody told")

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Time passes, as the loop sees it."""
        over = threading.Event()

        def run() -> None:
            while not over.wait(0.01):
                self.now += 0.05
                self.alerts.turn()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def outcomes(self) -> list[tuple[str, Outcome]]:
        firings = self.alerts.ledger.firings.values()
        return [(one.about.value, one.outcome) for firing in firings for one in firing.notices]

    def state(self, stream: str, bucket: str = "b") -> str:
        return next(one["state"] for one in self.desk.states(bucket)["states"] if one["stream"] == stream)

    def close(self) -> None:
        self.alerts.stop()
        self.alerts.run()
        self.crash()

    def crash(self) -> None:
        """Nothing more is saved."""
        self.alerts.dispatcher.stop()
        self.dashboard.close()


@pytest.fixture
def watch(tmp_path: Path, hook: Hook) -> Iterator[Any]:
    opened: list[Watched] = []

    def start(publish: Any = None, **section: Any) -> Watched:
        config = {"actions": {"hook": {"type": "webhook", "url": hook.url, "per_minute": 6000}}, "rules": [HOT]}
        opened.append(Watched(tmp_path, {**config, **section}, publish))
        return opened[-1]

    yield start
    for one in opened[-1:]:
        one.close()


def test_it_is_told_once_that_it_fires_and_once_that_it_is_over(watch, hook):
    watched = watch()
    watched.push(("x.t", 31.0, 1.0), ("x.t", 32.0, 2.0), ("y.other", 99.0, 2.0))
    watched.push(("x.t", 20.0, 3.0), ("x.t", 20.5, 4.0))
    watched.settle()

    assert [body["state"] for _, body in hook.requests] == ["firing", "over"]
    first, second = (body for _, body in hook.requests)
    assert (first["stream"], first["value"], first["fired"]) == ("x.t", 31.0, 1.0)
    assert first["text"] == "Hot: b x.t is 31, above 30"
    assert (second["value"], second["over"]) == (20.0, 3.0)
    assert watched.metrics.alerts_fired.total() == 1


def test_a_receiver_that_fails_is_tried_again_with_the_same_key(watch, hook):
    hook.answers = [500, 429, 302, 401, 200]
    watched = watch()
    watched.push(("x.t", 31.0, 1.0))
    watched.settle()

    assert len(hook.requests) == 5
    assert len(hook.accepted) == 1
    assert watched.outcomes() == [("firing", Outcome.DELIVERED)]
    assert watched.metrics.alert_notices.value(action="hook", outcome="failed") == 4


def test_a_notice_that_is_refused_is_not_tried_again_and_its_end_is_not_told(watch, hook):
    hook.answers = [422]
    watched = watch()
    watched.push(("x.t", 31.0, 1.0), ("x.t", 20.0, 2.0))
    watched.settle()

    assert len(hook.requests) == 1
    assert watched.outcomes() == [("firing", Outcome.REFUSED), ("over", Outcome.NEEDLESS)]


def test_what_cannot_be_delivered_in_its_time_is_given_up(watch, hook):
    hook.answers = [500] * 1000
    watched = watch(actions={"hook": {"type": "webhook", "url": hook.url, "expire": "1s", "per_minute": 6000}})
    watched.push(("x.t", 31.0, 1.0))
    watched.settle()

    assert watched.outcomes() == [("firing", Outcome.EXPIRED)]


def test_points_that_were_stored_and_not_evaluated_before_a_crash_are_evaluated_after_it(watch, hook):
    before = watch()
    before.push(("x.t", 20.0, 1.0))
    before.alerts._save(before.now)
    before.push(("x.t", 31.0, 2.0), ("x.t", 20.0, 3.0), ("x.t", 33.0, 4.0), seen=False)
    before.crash()
    after = watch()
    after.settle()

    assert [body["state"] for _, body in hook.requests].count("firing") == 2
    assert after.state("x.t") == "firing"


def test_a_crash_between_a_firing_and_its_state_makes_it_no_second_time(watch, hook, monkeypatch):
    before = watch()
    before.push(("x.t", 20.0, 1.0))
    before.alerts._save(before.now)
    monkeypatch.setattr(before.alerts.ledger, "save_states", lambda _: None)
    before.push(("x.t", 31.0, 2.0))
    before.settle()
    before.crash()
    after = watch()
    after.settle()

    assert len(hook.requests) == 1
    assert after.state("x.t") == "firing"


def test_a_crash_before_the_answer_was_recorded_tells_it_again_under_the_same_key(watch, hook, monkeypatch):
    before = watch()
    monkeypatch.setattr(before.alerts, "_settled", lambda *_: None)
    before.alerts.dispatcher._settle = before.alerts._settled
    before.push(("x.t", 31.0, 2.0))
    eventually(hook.came.is_set, what="told")
    before.crash()
    after = watch()
    after.settle()

    assert len(hook.accepted) == 1
    assert len(hook.requests) >= 2


def test_nobody_is_told_before_the_firing_is_kept(watch, hook, monkeypatch):
    watched = watch()

    def full(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(watched.dashboard.records, "put_all", full)
        watched.push(("x.t", 31.0, 1.0))
        watched.alerts.turn()
        assert hook.requests == []
    watched.alerts.turn()
    watched.settle()
    assert len(hook.requests) == 1


def test_silence_fires_by_the_clock_and_survives_a_restart_without_counting_it(watch):
    rule = {"name": "Silent", "stream": "*", "when": {"is": "no_data", "after": "60s"}}
    before = watch(rules=[rule])
    before.push(("x", 1.0, 1.0))
    before.now += 50
    before.close()
    after = watch(rules=[rule])
    after.now += 10_000
    after.alerts.recall()
    after.now += 5
    after.alerts.turn()
    assert after.state("x") == "ok"
    after.now += 6
    after.alerts.turn()
    assert after.state("x") == "firing"


@pytest.mark.parametrize("gain", [56 * 365 * 86_400.0, -86_400.0], ids=["forward", "back"])
def test_a_clock_that_is_set_is_no_silence_and_what_was_counted_of_one_stays(watch, gain):
    watched = watch(rules=[{"name": "Silent", "stream": "*", "when": {"is": "no_data", "after": "60s"}}])
    watched.push(("x", 1.0, 1.0))
    watched.now += 50
    watched.alerts.turn()
    watched.now, watched.set_by = watched.now + gain, gain
    watched.alerts.turn()
    assert watched.state("x") == "ok"
    watched.now += 11
    watched.alerts.turn()
    assert watched.state("x") == "firing"


def test_who_waits_to_be_told_does_so_while_the_clock_is_set(watch, hook):
    hook.answers = [500, 500]
    watched = watch()
    watched.push(("x.t", 31.0, 1.0))
    watched.now, watched.set_by = watched.now + 1e9, 1e9
    watched.settle()
    assert watched.outcomes() == [("firing", Outcome.DELIVERED)]


def test_states_are_kept_though_the_clock_was_set_back(watch):
    before = watch()
    before.push(("x.t", 20.0, 1.0))
    before.now += 31
    before.alerts.turn()
    before.now, before.set_by = before.now - 1e6, -1e6
    before.push(("x.t", 21.0, 2.0))
    before.alerts.turn()
    (hot,) = before.alerts.engine.entries.values()
    (state,) = before.alerts.ledger.states(hot.id, hot.fingerprint).values()
    assert state.last == 2.0


def test_a_silenced_alert_is_told_when_the_silence_ends_if_it_still_fires(watch, hook):
    watched = watch()
    rule = next(iter(watched.alerts.engine.entries))
    silence = watched.desk.silence(rule, "b", "x.t", 3600, "")
    watched.push(("x.t", 31.0, 1.0), ("y.t", 31.0, 1.0), ("y.t", 20.0, 2.0))
    with watched.ticking():
        eventually(lambda: len(hook.requests) == 2, what="the other stream is told of")
    watched.desk.unsilence(silence["id"])
    watched.settle()

    assert [body["stream"] for _, body in hook.requests] == ["y.t", "y.t", "x.t"]


def test_what_was_silenced_all_the_time_is_never_told(watch, hook):
    watched = watch()
    watched.desk.silence(next(iter(watched.alerts.engine.entries)), None, None, 3600, "")
    watched.push(("x.t", 31.0, 1.0), ("x.t", 20.0, 2.0))
    watched.settle()

    assert hook.requests == []
    assert {outcome for _, outcome in watched.outcomes()} == {Outcome.SILENCED}


def test_a_rule_of_the_page_is_kept_and_begins_with_the_last_values(watch, hook):
    watched = watch(rules=[])
    watched.push(("x.t", 31.0, 1.0))
    made = watched.desk.create(PageRule.model_validate(HOT))
    assert watched.state("x.t") == "firing"
    watched.close()
    again = watch(rules=[])
    again.settle()
    assert again.state("x.t") == "firing"
    assert len(hook.requests) == 1

    calmer = PageRule.model_validate({**HOT, "when": {"is": ">", "value": 50}})
    with pytest.raises(Conflict):
        again.desk.change(made["id"], calmer, 7)
    again.desk.change(made["id"], calmer, made["version"])
    assert again.state("x.t") == "ok"
    assert all(one.over is not None for one in again.alerts.ledger.firings.values())
    again.desk.remove(made["id"], 2)
    with pytest.raises(NoSuchAlert):
        again.desk.remove(made["id"], None)
    assert again.desk.states("b")["states"] == []


def test_the_page_sends_webhooks_to_allowed_origins_only_and_shows_them_to_editors_only(watch, hook):
    origin = hook.url.removesuffix("/hook")
    watched = watch(rules=[], actions={}, page_webhooks=[origin])
    own = {**HOT, "actions": [], "webhook": f"{hook.url}?token=secret"}
    for elsewhere in ("http://127.0.0.1:1/hook", "https://example.org/"):
        with pytest.raises(NotAcceptable, match="page_webhooks"):
            watched.desk.create(PageRule.model_validate({**own, "webhook": elsewhere}))
        with pytest.raises(NotAcceptable, match="page_webhooks"):
            watched.desk.test(PageRule.model_validate({**own, "webhook": elsewhere}))
    made = watched.desk.create(PageRule.model_validate(own))
    assert "secret" not in str(watched.desk.overview(secrets=False))
    shown = watched.desk.overview(secrets=False)["rules"][0]["rule"]
    watched.desk.change(made["id"], PageRule.model_validate(shown), None)
    assert watched.desk.overview(secrets=True)["rules"][0]["rule"]["webhook"] == own["webhook"]
    watched.push(("x.t", 31.0, 1.0))
    watched.settle()
    assert len(hook.requests) == 1
    assert watched.desk.test(PageRule.model_validate(own))["notices"][0]["outcome"] == "delivered"


def test_a_preview_says_what_would_have_been_and_changes_nothing(watch, hook):
    watched = watch(rules=[])
    points = [("x.t", 31.0 if i % 10 == 0 else 20.0, watched.now - 3600 + i) for i in range(40)]
    watched.push(*points)
    told = watched.desk.preview(PageRule.model_validate(HOT))
    assert (told["streams"], told["firings"], told["firing_now"]) == (1, 4, 0)
    assert watched.desk.history(10, None)["firings"] == []


def test_a_rule_watches_a_bounded_number_of_streams_and_the_history_is_bounded(watch):
    watched = watch(rules=[{**HOT, "actions": []}])
    watched.push(*((f"{i}.t", 31.0, 1.0) for i in range(MAX_STREAMS + 10)))
    (entry,) = watched.alerts.engine.entries.values()
    assert len(entry.states) == MAX_STREAMS
    assert len(entry.turned_away) == 10
    watched.push(*((f"{i}.t", 20.0, 2.0) for i in range(50)))
    watched.push(*((f"{i}.t", 31.0, 3.0) for i in range(50)))
    assert len(watched.alerts.ledger.firings) == HISTORY
    assert len(watched.dashboard.records.all("alert-firing")) == HISTORY


def test_a_firing_that_is_over_at_once_needs_no_room_that_open_ones_have(watch):
    watched = watch(rules=[{**HOT, "actions": []}, {**HOT, "name": "Other", "stream": "*.u", "actions": []}])
    watched.push(*((f"{i}.t", 31.0, 1.0) for i in range(HISTORY)))

    watched.push(("x.u", 31.0, 2.0), ("x.u", 20.0, 3.0))

    assert len(watched.dashboard.records.all("alert-firing")) == HISTORY
    assert [one["stream"] for one in watched.desk.history(1, None)["firings"]] == ["x.u"]


def test_firings_beyond_the_bound_are_forgotten_and_that_is_said_once_counted_and_shown(watch, caplog):
    watched = watch(rules=[{**HOT, "actions": []}, {**HOT, "name": "Other", "stream": "*.u", "actions": []}])
    watched.push(*((f"{i}.t", 31.0, 1.0) for i in range(HISTORY)))
    assert watched.desk.overview(secrets=False)["forgotten"] == 0

    watched.push(*((f"{i}.u", 31.0, 2.0) for i in range(7)))

    assert watched.desk.overview(secrets=False)["forgotten"] == 7
    assert watched.metrics.alerts_forgotten.value() == 7
    assert caplog.text.count("are forgotten untold") == 1


def test_of_texts_that_were_missed_each_is_judged(watch):
    watched = watch(rules=[{"name": "Log", "stream": "log", "when": {"is": "matches", "text": "error"}}])
    watched.push(("log", "up", 1.0))
    watched.push(*(("log", f"{'error' if i == 50 else 'line'} {i}", 100.0 + i) for i in range(1000)), seen=False)
    watched.crash()

    again = watch(rules=[{"name": "Log", "stream": "log", "when": {"is": "matches", "text": "error"}}])

    assert [one["value"] for one in again.desk.history(10, None)["firings"]] == ["error 50"]


def test_beginning_to_watch_looks_into_the_store_for_no_stream_by_itself(watch, monkeypatch):
    watched = watch(rules=[])
    watched.push(*((f"{i}.t", 31.0, 1.0) for i in range(MAX_STREAMS + 10)))
    watched.crash()
    monkeypatch.setattr(SqliteStore, "points", None)

    again = watch()

    (entry,) = again.alerts.engine.entries.values()
    assert len(entry.states) == MAX_STREAMS
    assert again.metrics.alerts_fired.total() == MAX_STREAMS


def test_a_stream_that_was_deleted_fires_no_more_and_makes_room(watch, hook):
    watched = watch()
    watched.push(("x.t", 31.0, 1.0), ("y.t", 31.0, 1.0))
    watched.settle()
    assert watched.dashboard.store.delete_stream("b", "x.t")

    watched.now += 700
    watched.alerts.turn()
    watched.settle()

    (entry,) = watched.alerts.engine.entries.values()
    assert list(entry.states) == [("b", "y.t")]
    assert {one["stream"]: one["over"] is None for one in watched.desk.history(9, None)["firings"]} == {
        "x.t": False,
        "y.t": True,
    }
    assert len(hook.keys) == 2  # nobody is told that it is over: nobody knows


def test_a_flood_that_cannot_be_followed_is_read_back_from_the_store(watch, monkeypatch):
    monkeypatch.setattr("mqttbridge.alerting.inbox.MAX_WAITING", 3)
    watched = watch()
    watched.push(*(("x.t", 20.0 + (i == 50) * 20, float(i)) for i in range(100)))
    assert watched.metrics.alerts_fired.total() == 1
    assert watched.state("x.t") == "ok"


def test_what_comes_after_a_gap_in_a_flood_does_not_close_it(watch, monkeypatch):
    monkeypatch.setattr("mqttbridge.alerting.inbox.MAX_WAITING", 3)
    watched = watch()
    for points in ([(20.0, 1.0)], [(20.0, 2.0), (40.0, 3.0), (40.0, 4.0), (20.0, 5.0)], [(20.0, 6.0)]):
        watched.alerts.observe(watched.dashboard.store.append([("b", "x.t", *point) for point in points]))
    watched.alerts.turn()
    assert watched.metrics.alerts_fired.total() == 1
    assert watched.state("x.t") == "ok"


def test_streams_that_no_rule_watches_are_let_go_at_once(watch):
    watched = watch()
    columns = watched.dashboard.store.append([("b", "x.humidity", 99.0, 1.0)])
    watched.alerts.observe(columns)
    assert watched.alerts._inbox.take() == ([], {})


def test_a_position_of_two_streams_leaves_its_circle(watch):
    circle = {"is": "leaves", "lat": 0, "lon": 0, "radius": 1000, "longitude": "*.lon"}
    watched = watch(rules=[{"name": "Away", "stream": "*.lat", "when": circle}])
    watched.push(("van.lat", 0.0, 1.0), ("van.lon", 0.001, 1.0))
    watched.push(("van.lat", 0.0, 2.0))
    watched.push(("van.lon", 0.5, 2.0))
    assert watched.state("van.lat") == "firing"


def test_of_a_bucket_that_is_deleted_nothing_fires_and_its_own_rules_go(watch, hook):
    watched = watch()
    own = watched.desk.create(PageRule.model_validate({**HOT, "name": "Own", "bucket": "b"}))
    watched.push(("x.t", 31.0, 1.0))
    watched.push(("x.t", 31.0, 1.0), bucket="other")

    assert watched.desk.forget_bucket("b") == 1
    assert watched.desk.states("b")["states"] == []
    assert watched.state("x.t", "other") == "firing"
    ends = {one.rule: one.over_text for one in watched.alerts.ledger.firings.values() if one.bucket == "b"}
    assert own["id"] in ends
    assert set(ends.values()) == {"the stream is gone"}


# -- the other actions


def test_a_mail_is_sent_and_again_after_a_temporary_no(watch):
    with mail_server() as box:
        box.answers = ["451 later"]
        watched = watch(
            actions={"mail": {"type": "email", "to": ["me@example.org", "you@example.org"]}},
            smtp={"host": "127.0.0.1", "port": box.port, "security": "none", "sender": "bridge@example.org"},
            rules=[{**HOT, "name": "Heiß\u2028", "level": "critical", "actions": ["mail"]}],
        )
        watched.push(("x.t", 31.0, 1.0), bucket="Küche")
        watched.settle()
        (mail,) = box.mails

    assert mail["To"] == "me@example.org, you@example.org"
    assert mail["Message-ID"].endswith("-firing@example.org>")
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert "Küche x.t is 31, above 30" in payload.decode()


def test_a_mail_that_the_server_will_never_take_is_refused(watch):
    with mail_server() as box:
        box.answers = ["550 no such user"]
        watched = watch(
            actions={"mail": {"type": "email", "to": ["me@example.org"]}},
            smtp={"host": "127.0.0.1", "port": box.port, "security": "none", "sender": "bridge@example.org"},
            rules=[{**HOT, "actions": ["mail"]}],
        )
        watched.push(("x.t", 31.0, 1.0))
        watched.settle()

    assert watched.outcomes() == [("firing", Outcome.REFUSED)]


def test_a_message_goes_to_a_topic_of_its_own_and_again_when_the_broker_was_away(watch):
    published: list[tuple[str, bytes, int, bool]] = []

    def publish(topic: str, payload: bytes, qos: int, retain: bool) -> None:
        if not published:
            published.append(("", b"", 0, False))
            raise BrokerError("there is no connection to a broker")
        published.append((topic, payload, qos, retain))

    watched = watch(
        publish=publish,
        actions={"siren": {"type": "mqtt", "topic": "alarms/{stream}", "payload": "{state} {value}", "retain": True}},
        rules=[{**HOT, "actions": ["siren"]}],
    )
    watched.push(("a/+/x.t", 31.0, 1.0))
    watched.settle()

    assert published[1:] == [("alarms/a___x.t", b"firing 31", 1, True)]


def test_fields_of_ones_own_and_headers_go_with_a_webhook(watch, hook):
    section = {"type": "webhook", "url": hook.url, "headers": {"X-Key": "k"}, "fields": {"text": '{name}: "{value}"'}}
    watched = watch(actions={"hook": section})
    watched.push(("x.t", 31.0, 1.0))
    watched.settle()

    assert hook.requests[0][1] == {"text": 'Hot: "31"'}
    assert hook.headers[0]["X-Key"] == "k"
