"""A destination's own thinning: fewer events, and after a restart of any kind the same ones."""

from hypothesis import given, settings, strategies as st

from mqttbridge.config.spool import SpoolConfig
from mqttbridge.config.thinning import ThinConfig
from mqttbridge.delivery.settlement import Accepted, Kept
from mqttbridge.delivery.uploader import Uploader
from mqttbridge.destinations.base import BatchLimits
from mqttbridge.events import Batch, Position
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool
from tests.support.memory_spool import FakeTime, MemorySpool

START = 1_760_000_040.0  # a whole minute
MINUTES = {"sample": {"every": "1m", "take": "count", "lateness": "0s"}}


class StillTime(FakeTime):
    """Moves only when told: what an uploader does takes no time, and an idle one does not wait."""

    def sleep(self, seconds):
        self.sleeps.append(seconds)


class Cloud:
    """Takes everything unless told otherwise, and remembers it."""

    name = "cloud"

    def __init__(self, *, max_events=4, one_bucket=True):
        self.one_bucket, self.units, self.rules = one_bucket, {}, {}
        self.limits = BatchLimits(max_events, max_bytes=100_000, max_wait=0.0)
        self.accepted = []
        self.is_down = False

    def open(self):
        return None

    def send(self, delivery):
        if self.is_down:
            return Kept("down")
        self.accepted += delivery.events
        self.units |= delivery.units
        self.rules |= delivery.rules
        return Accepted()

    def close(self):
        pass


class Rig:
    def __init__(self, *thin, **options):
        self.thin = [ThinConfig.model_validate(entry) for entry in thin]
        self.time = StillTime(START)
        self.spool = MemorySpool(self.time)
        self.cloud = Cloud(**options)
        self.metrics = Metrics()
        self.start()

    def start(self):
        """A new process: the one before may have ended in any way."""
        self.uploader = Uploader(
            self.cloud, self.spool, self.metrics, thin=self.thin,
            clock=self.time, wall=self.time, sleep=self.time.sleep, luck=lambda: 0.0,
        )  # fmt: skip
        self.uploader.open()

    def add(self, at, *values, bucket="b", stream="s", **options):
        self.time.now = START + at
        self.spool.add(*((bucket, stream, value, START + at) for value in values), **options)

    def work(self, steps=5):
        for _ in range(steps):
            self.uploader.step()

    def got(self):
        return [(value, epoch - START) for _, _, value, epoch in self.cloud.accepted]


def test_a_minute_of_events_is_one_request_for_one_event():
    rig = Rig(MINUTES)
    for second in range(125):
        rig.add(second, 0)
        rig.work()

    assert rig.got() == [(60, 59), (60, 119)]
    assert rig.metrics.dropped.value(reason="thinned_sample", destination="cloud") == 118
    assert rig.metrics.delivered.value(destination="cloud") == 2


def test_the_cursor_stays_before_what_is_still_to_be_thinned_out():
    rig = Rig(MINUTES)
    for second in range(70):
        rig.add(second, 0)
    rig.work()

    assert rig.got() == [(60, 59)]
    assert rig.spool.cursor == Position(61, 0)


def test_it_stays_there_too_while_the_event_is_on_its_way():
    rig = Rig(MINUTES)
    rig.cloud.is_down = True
    for second in range(70):
        rig.add(second, 0)
    rig.work()

    assert rig.spool.cursor == Position(1, 0)


def test_an_interval_ends_without_further_events_once_everything_is_read():
    rig = Rig(MINUTES)
    rig.add(3, 0, 0, units={("b", "s"): "W"})
    rig.work()
    assert rig.got() == []

    rig.time.now = START + 61
    rig.work()
    assert rig.got() == [(2, 3)]
    assert rig.spool.cursor == Position(2, 0)


def test_a_backlog_is_thinned_as_it_would_have_been_live():
    rig = Rig(MINUTES)
    for second in range(0, 300, 10):
        rig.add(second, 0)
    rig.time.now = START + 86_400
    rig.work(20)

    assert rig.got() == [(6, 50), (6, 110), (6, 170), (6, 230), (6, 290)]


def test_a_stop_leaves_open_intervals_to_the_next_start():
    rig = Rig(MINUTES)
    rig.add(0, 0, 0)
    rig.work()
    rig.uploader.stop()
    rig.work(1)
    assert rig.uploader.is_done()
    rig.uploader.close()
    assert rig.got() == []

    rig.start()
    rig.add(30, 0)
    rig.add(60, 0)
    rig.work()
    assert rig.got() == [(3, 30)]


def test_units_of_events_that_were_thinned_out_go_with_the_next_that_is_not():
    rig = Rig({"deadband": 10}, one_bucket=False)
    rig.add(0, 0)
    rig.add(1, 1, units={("b", "s"): "W"})
    rig.add(2, 20)
    rig.work()

    assert rig.got() == [(0, 0), (20, 2)]
    assert rig.cloud.units == {("b", "s"): "W"}


def test_what_was_kept_of_an_older_process_may_be_anything():
    rig = Rig(MINUTES)
    rig.spool.metas["thinned up to cloud"] = "nonsense"
    rig.start()
    rig.add(0, 0)
    rig.add(60, 0)
    rig.work()

    assert rig.got() == [(1, 0)]


def test_a_deadband_leaves_nothing_behind_in_the_spool():
    rig = Rig({"deadband": 1})
    rig.add(0, *[5] * 1000)
    rig.work()

    assert rig.got() == [(5, 0)]
    assert rig.spool.cursor == Position(2, 0)
    assert rig.metrics.dropped.value(reason="thinned_deadband", destination="cloud") == 999


def test_a_real_spool_keeps_what_the_next_process_needs(tmp_path):
    spool = Spool(tmp_path / "spool.db", SpoolConfig(), Metrics(), ("cloud",))
    cloud = Cloud()

    def process():
        thin = [ThinConfig.model_validate(MINUTES)]
        uploader = Uploader(cloud, spool, Metrics(), thin=thin, sleep=lambda seconds: None)
        uploader.stop(deadline=float("inf"))
        uploader.run()

    try:
        for second in (0, 30, 59, 61):
            spool.append([Batch([("b", "s", 0, START + second)])])
        process()
        assert [event[2] for event in cloud.accepted] == [3]
        for second in (90, 125):
            spool.append([Batch([("b", "s", 0, START + second)])])
        process()
        assert [event[2] for event in cloud.accepted] == [3, 2]
        assert spool.stats().kept["cloud"] == 1
    finally:
        spool.close()


def test_what_no_entry_is_for_goes_on_as_it_is():
    rig = Rig(MINUTES | {"streams": "x"})
    rig.add(0, 1, 2, 3)
    rig.work()

    assert rig.got() == [(1, 0), (2, 0), (3, 0)]
    assert rig.spool.cursor == Position(2, 0)


steps = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from("ab"), st.sampled_from("st"), st.booleans(), st.booleans()),
    max_size=40,
)


@settings(max_examples=150)
@given(steps)
def test_a_process_that_dies_at_any_time_changes_nothing_but_repeats(script):
    entries = [
        MINUTES | {"streams": "s"},
        {"streams": "t", "sample": {"every": "90s", "take": "max", "lateness": "0s"}},
    ]
    calm, rough = Rig(*entries), Rig(*entries, max_events=2)
    for rig in (calm, rough):
        at = 0
        for n, (pause, bucket, stream, dies, down) in enumerate(script):
            at += pause
            rig.add(at, n, bucket=bucket, stream=stream)
            if rig is rough:
                rig.cloud.is_down = down
                rig.work(1 + n % 3)
                if dies:
                    rig.start()
            else:
                rig.work()
        rig.cloud.is_down = False
        rig.time.now += 1000
        for _ in range(20):
            rig.work()
            rig.time.now += 300
    assert set(rough.cloud.accepted) == set(calm.cloud.accepted)
    assert calm.spool.cursor == rough.spool.cursor == Position(len(script) + 1, 0)
    assert len(set(calm.cloud.accepted)) == len(calm.cloud.accepted)
    for bucket in "ab":
        for stream in "st":
            times = [epoch for b, s, _, epoch in calm.cloud.accepted if (b, s) == (bucket, stream)]
            assert times == sorted(times)
