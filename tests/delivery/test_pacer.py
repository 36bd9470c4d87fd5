from concurrent.futures import ThreadPoolExecutor

from mqttbridge.delivery.pacer import Pacer, Pacers
from mqttbridge.destinations.base import Rate


def test_destinations_of_one_account_share_one_pacer_and_others_do_not():
    pacers = Pacers()
    one = pacers.of(Rate(30, 10.0, "account"))
    assert pacers.of(Rate(30, 10.0, "account")) is one
    assert pacers.of(Rate(30, 10.0, "another")) is not one
    assert pacers.of(None) is None


def test_the_lowest_rate_asked_for_an_account_counts():
    now = [0.0]
    pacers = Pacers(lambda: now[0])
    pacer = pacers.of(Rate(30, 10.0, "account"))
    pacers.of(Rate(1, 10.0, "account"))
    pacers.of(Rate(60, 10.0, "account"))
    assert pacer is not None
    assert [pacer.claim(), pacer.claim()] == [0, 10.0]


def test_an_account_is_not_shown():
    assert "secret" not in repr(Rate(1, 1.0, "secret"))


def test_threads_never_claim_more_than_there_is():
    pacer = Pacer(Rate(50, 10.0, ""), clock=lambda: 0.0)
    with ThreadPoolExecutor(8) as pool:
        delays = list(pool.map(lambda _: pacer.claim(), range(200)))
    assert delays.count(0) == 50


def test_rest_silences_everyone_who_shares_it():
    now = [0.0]
    pacer = Pacer(Rate(5, 10.0, ""), clock=lambda: now[0])
    pacer.rest(4.0)
    assert pacer.claim() == 4.0
    now[0] = 4.0
    assert pacer.claim() == 0
    pacer.answered()
    assert pacer.delay() == 0
