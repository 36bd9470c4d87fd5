from collections import Counter

import pytest

from mqttbridge import Streamer
from mqttbridge.client import shipping
from mqttbridge.delivery.pacing import Backoff
from tests.support.fake_events_api import ACCESS_KEY, FakeEventsApi
from tests.support.processes import free_port
from tests.support.unsent import delivered, in_file


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """A home and a working directory with nothing in them, and an environment that says nothing."""
    for name in ("URL", "ACCESS_KEY", "BUCKET_KEY", "BUCKET_NAME", "BUFFER_SIZE", "SPOOL"):
        monkeypatch.delenv(f"STREAMER_{name}", raising=False)
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    # Pauses between tries are a matter of test_pacing; here they only cost time.
    monkeypatch.setattr(shipping, "Backoff", lambda **_: Backoff(first=0.02, longest=0.05))
    return here


@pytest.fixture
def api():
    with FakeEventsApi(ACCESS_KEY) as server:
        yield server


@pytest.fixture
def make(api):
    """Makes a Streamer for the fake server; all are closed at the end."""
    made = []

    def build(**arguments):
        streamer = Streamer(**{"bucket_key": "b", "access_key": ACCESS_KEY, "url": api.url} | arguments)
        made.append(streamer)
        return streamer

    yield build
    for streamer in made:
        streamer.close(timeout=0)


@pytest.fixture
def spool(somewhere):
    return somewhere / "mqttbridge-unsent.db"


@pytest.fixture
def assert_balance(api, spool):
    """Every event that was sent is delivered or in the file, once."""

    def check(sent):
        found = Counter(delivered(api)) + Counter(in_file(spool)) + Counter(in_file(spool, refused=True))
        assert found == Counter(sent)

    return check


@pytest.fixture
def free_api_port():
    return free_port()
