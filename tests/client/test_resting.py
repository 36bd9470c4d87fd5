import pytest

from mqttbridge.client.resting import PAUSE_FOR_HUMANS, Rest
from mqttbridge.delivery.pacing import Backoff
from mqttbridge.delivery.settlement import Kept


@pytest.fixture
def rest():
    return Rest(Backoff(first=1.0, longest=8.0))


def test_our_pauses_grow_with_each_failure_up_to_a_bound(rest):
    pauses = []
    for _ in range(5):
        rest.failed(100.0, Kept("503"), 1.0)
        pauses.append(rest.until - 100.0)

    assert pauses == [1, 2, 4, 8, 8]


def test_a_pause_the_server_asks_for_is_its_to_choose(rest):
    rest.failed(100.0, Kept("429", retry_after=33.0), 1.0, longest=1.0)
    assert rest.until == 133.0

    rest.cut_short(101.0)
    assert rest.until == 133.0


def test_a_pause_of_ours_may_be_cut_short(rest):
    for _ in range(4):
        rest.failed(100.0, Kept("503"), 1.0)
    rest.cut_short(101.0)
    assert (rest.until, rest.failures) == (101.0, 0)

    rest.failed(101.0, Kept("503"), 1.0, longest=0.5)
    assert rest.until == 101.5


def test_what_only_a_human_can_mend_is_tried_seldom(rest):
    rest.failed(100.0, Kept("401", pause=True), 0.0)

    assert rest.until == 100.0 + PAUSE_FOR_HUMANS


def test_trouble_is_new_once_and_ends_once(rest):
    assert [rest.failed(1.0, Kept(detail), 0.5) for detail in ("503", "503", "429")] == [True, False, True]
    assert rest.trouble == "429"
    assert [rest.went_well(2.0, 0.0) for _ in range(2)] == [True, False]
    assert (rest.trouble, rest.failures) == ("", 0)


def test_a_spent_rate_limit_is_no_trouble_and_is_waited_out(rest):
    assert rest.went_well(1.0, quiet=5.0) is False
    rest.cut_short(2.0)

    assert (rest.until, rest.trouble) == (6.0, "")
