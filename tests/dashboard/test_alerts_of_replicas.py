"""Several bridges over one database: one of them evaluates alerts and tells, and when it is gone another does."""

import pytest

from mqttbridge.alerting import dispatcher
from mqttbridge.alerting.desk import Desk
from mqttbridge.alerting.service import Alerts
from mqttbridge.config.alerts import AlertsConfig, PageRule
from mqttbridge.config.destinations import EmbeddedConfig
from mqttbridge.dashboard import Dashboard
from mqttbridge.delivery.pacing import Backoff
from mqttbridge.metrics import Metrics
from tests.support.processes import eventually
from tests.support.receivers import webhook_server

NOW = 1_800_000_000.0
HOT = {"name": "Hot", "stream": "*", "when": {"is": ">", "value": 30}, "actions": ["hook"]}


@pytest.fixture
def hook(monkeypatch):
    monkeypatch.setattr(dispatcher, "_BACKOFF", Backoff(first=0.01, longest=0.02))
    with webhook_server() as hook:
        yield hook


class Replica:
    """The parts of a bridge that alerts have to do with, turned by hand."""

    def __init__(self, directory, store, config):
        directory.mkdir()
        self.now, self.set_by = NOW, 0.0
        self.metrics = Metrics()
        self.dashboard = Dashboard(directory, EmbeddedConfig(type="embedded", store=store), Metrics())
        self.alerts = Alerts(
            AlertsConfig.model_validate(config),
            self.dashboard.store,
            self.dashboard.records,
            self.metrics,
            clock=lambda: self.now,
            monotonic=lambda: self.now - self.set_by,
        )
        self.dashboard.observe, self.dashboard.lost = self.alerts.observe, self.alerts.missed
        self.desk = Desk(self.alerts)
        self.alerts.recall()
        self.is_open = True

    def push(self, value, at, stream="t"):
        self.alerts.observe(self.dashboard.store.append([("b", stream, value, NOW + at)]))

    def turn(self):
        self.now += 1.01
        self.alerts.turn()

    def state(self, stream="t"):
        self.turn()
        return {one["stream"]: one["state"] for one in self.desk.states("b")["states"]}.get(stream)

    def stop(self):
        if self.is_open:
            self.alerts.stop()
            self.alerts.run()
            self.alerts.close()
            self.crash()

    def crash(self):
        """Nothing more is said to anybody."""
        if self.is_open:
            self.is_open = False
            self.alerts.dispatcher.stop()
            self.dashboard.close()


class Bridges:
    """Replicas over one schema."""

    def __init__(self, tmp_path, postgres, hook):
        self.schema, self._postgres, self._directory, self._hook = postgres.new_schema(), postgres, tmp_path, hook
        self._made = []

    def start(self, **alerts):
        action = {"type": "webhook", "url": self._hook.url, "per_minute": 6000}
        store = {"type": "postgres", "url": self._postgres.url, "schema": self.schema}
        config = {"actions": {"hook": action}, "rules": [HOT], **alerts}
        self._made.append(Replica(self._directory / str(len(self._made)), store, config))
        return self._made[-1]

    def time_out(self):
        """Who watches could not say so for long."""
        self._postgres.execute(f"UPDATE {self.schema}.records SET at = 0 WHERE kind = 'lease'")

    def told(self, *states):
        """Wait until so much was told, and see that it was told once."""

        def all_told():
            for one in self._made:
                if one.is_open:
                    one.turn()
            return len(self._hook.requests) >= len(states)

        eventually(all_told, what=f"{states} are told")
        assert [body["state"] for _, body in self._hook.requests] == list(states)

    def close(self):
        for one in self._made:
            one.stop()


@pytest.fixture
def bridges(tmp_path, postgres, hook):
    several = Bridges(tmp_path, postgres, hook)
    yield several
    several.close()


def test_a_firing_is_told_once_whichever_bridge_stored_it_and_all_show_it(bridges):
    one, other = bridges.start(), bridges.start()

    other.push(31, 1)
    one.push(20, 1, "u")

    bridges.told("firing")
    assert [replica.metrics.alerts_on_duty.value() for replica in (one, other)] == [1, 0]
    for replica in (one, other):
        eventually(lambda on=replica: on.state() == "firing", what="the page shows that it fires")
        assert [firing["stream"] for firing in replica.desk.history(10, None)["firings"]] == ["t"]
    one.push(20, 2)
    bridges.told("firing", "over")
    eventually(lambda: other.state() == "ok", what="the page shows that it is over")


def test_when_the_one_that_watches_dies_another_goes_on_where_it_stood(bridges, hook):
    one, other = bridges.start(), bridges.start()
    one.push(31, 1)
    bridges.told("firing")
    one.crash()
    other.push(20, 2)  # while nobody watches
    other.push(32, 3, "u")
    other.turn()
    assert len(hook.requests) == 1

    bridges.time_out()
    other.alerts._note_release()

    eventually(lambda: other.turn() or len(hook.requests) >= 3, what="the rest is told")
    told = sorted((body["stream"], body["state"]) for _, body in hook.requests)
    assert told == [("t", "firing"), ("t", "over"), ("u", "firing")]


def test_one_that_stops_in_order_leaves_it_to_another_at_once(bridges):
    one, other = bridges.start(), bridges.start()
    one.push(31, 1)
    bridges.told("firing")

    one.stop()
    other.push(20, 2)

    bridges.told("firing", "over")


def test_one_that_was_taken_over_from_neither_tells_nor_writes(bridges, monkeypatch):
    one, other = bridges.start(), bridges.start()
    one.push(20, 1)
    one.turn()
    with monkeypatch.context() as stuck:
        stuck.setattr(one.alerts._duty, "ask", lambda: True)  # it was suspended, and does not know
        bridges.time_out()
        other.alerts._note_release()
        eventually(lambda: other.turn() or other.alerts._on_duty, what="the other takes over")
        one.push(31, 2)
        one.turn()
        assert list(one.alerts.ledger.firings) == list(one.alerts._unkept) != []

    bridges.told("firing")
    one.turn()
    assert one.alerts._unkept == {}
    assert one.state() == "firing"


def test_one_that_finds_its_lease_free_again_learns_what_another_did_meanwhile(bridges, hook, monkeypatch):
    one, other = bridges.start(), bridges.start()
    one.push(20, 1)
    one.turn()
    with monkeypatch.context() as cut_off:
        cut_off.setattr(one.alerts._duty, "ask", lambda: 1)
        bridges.time_out()
        other.alerts._note_release()
        eventually(lambda: other.turn() or other.alerts._on_duty, what="the other takes over")
        one.push(31, 2)
        one.turn()
        other.dashboard.store.append([("b", "t", 31, NOW + 2)])
        other.alerts.missed()
        eventually(lambda: other.turn() or len(hook.requests) == 1, what="the other tells")
        other.stop()

    one.turn()
    assert one.alerts._on_duty
    one.push(20, 3)
    bridges.told("firing", "over")
    assert len(one.desk.history(10, None)["firings"]) == 1


def test_rules_and_silences_made_where_nobody_watches_count_where_somebody_does(bridges, hook):
    one, other = bridges.start(rules=[]), bridges.start(rules=[])
    one.push(31, 1)
    rule = PageRule.model_validate({**HOT, "name": "Made here"})

    made = other.desk.create(rule)["id"]
    bridges.told("firing")
    other.desk.silence(made, None, None, 3600, "")
    eventually(lambda: one.turn() or one.alerts.ledger.silences, what="the silence counts")
    one.push(20, 2)
    eventually(lambda: one.turn() or one.desk.history(1, None)["firings"][0]["over"], what="it is over")
    other.desk.remove(made, 1)

    eventually(lambda: one.turn() or not one.desk.overview(secrets=True)["rules"], what="the rule is gone")
    assert len(hook.requests) == 1


def test_a_bridge_that_is_not_to_evaluate_only_shows(bridges):
    shows = bridges.start(evaluate=False)
    watches = bridges.start()

    shows.push(31, 1)

    bridges.told("firing")
    eventually(lambda: shows.state() == "firing", what="the page shows that it fires")
    assert watches.alerts._on_duty


def test_what_the_one_that_watches_was_not_told_it_reads(bridges):
    one, other = bridges.start(), bridges.start()
    other.dashboard.store.append([("b", "t", 20, NOW)])
    eventually(lambda: one.state() == "ok", what="the first value was judged")
    one.dashboard.observe = lambda _: None  # nothing comes through
    other.push(31, 1)

    one.dashboard._lose()

    bridges.told("firing")
