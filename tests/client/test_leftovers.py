"""The file for what was not delivered: durable, shared between processes, whole after a crash."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mqttbridge.client import leftovers as module
from mqttbridge.client.leftovers import Leftovers, Refusal, Sender
from mqttbridge.client.parcels import Bucket, Parcel
from mqttbridge.errors import SpoolError
from tests.support.unsent import in_file

ROOT = Path(__file__).resolve().parents[2]
ME, OTHER = Sender("http://a", "1"), Sender("http://b", "2")
HOME = Bucket("home", "Home")


def parcel(*values, bucket=HOME):
    return Parcel.of(bucket, [{"key": "t", "value": value, "epoch": 1.0} for value in values])


def values(path, **which):
    return [value for _, _, value in in_file(path, **which)]


@pytest.fixture
def file(spool):
    opened = Leftovers(spool)
    yield opened
    opened.close()


@pytest.fixture
def second(spool):
    opened = Leftovers(spool)
    yield opened
    opened.close()


def test_what_is_added_comes_back_in_order(file):
    file.add(ME, [parcel(1, 2), parcel(3)])
    file.add(ME, [parcel(4)])
    taken = [file.take(ME).parcel for _ in range(3)]

    assert taken == [parcel(1, 2), parcel(3), parcel(4)]
    assert file.take(ME) is None


def test_what_was_under_way_goes_before_the_rest(file, spool):
    file.add(ME, [parcel(3)])
    file.add(ME, [parcel(1), parcel(2)], first=True)

    assert values(spool) == [1, 2, 3]


def test_nothing_is_made_before_it_is_needed(file, spool):
    assert (file.take(ME), file.waiting(ME), file.summary()) == (None, (0, 0), [])
    assert not spool.exists()


def test_nobody_else_may_read_it(file, spool):
    file.add(ME, [parcel(1)])

    assert spool.stat().st_mode & 0o777 == 0o600


def test_a_parcel_is_leased_to_one(file, second):
    file.add(ME, [parcel(1), parcel(2)])

    assert file.take(ME).parcel == parcel(1)
    assert second.take(ME).parcel == parcel(2)
    assert file.take(ME) is second.take(ME) is None
    assert file.waiting(ME) == (2, 2)


def test_a_lease_runs_out(file, second, monkeypatch):
    file.add(ME, [parcel(1)])
    file.take(ME)
    later = time.time() + module.LEASE + 1
    monkeypatch.setattr(module.time, "time", lambda: later)

    assert second.take(ME).parcel == parcel(1)


def test_a_lease_of_the_far_future_counts_for_nothing(file, monkeypatch):
    file.add(ME, [parcel(1)])
    file.take(ME)
    earlier = time.time() - 1_000_000
    monkeypatch.setattr(module.time, "time", lambda: earlier)

    assert file.take(ME).parcel == parcel(1)


def test_what_is_left_of_a_parcel_keeps_its_place(file, spool):
    file.add(ME, [parcel(1, 2, 3, 4), parcel(5)])
    row = file.take(ME)
    file.settle(ME, row, left=[parcel(3), parcel(4)], refusals=[Refusal(parcel(1), "no")])

    assert values(spool) == [3, 4, 5]
    assert values(spool, refused=True) == [1]
    assert file.take(ME).parcel == parcel(3, 4)


def test_a_parcel_that_did_not_get_through_is_free_again(file, second):
    file.add(ME, [parcel(1)])
    row = file.take(ME)
    file.settle(ME, row, left=[row.parcel])

    assert second.take(ME) == row


def test_each_account_gets_its_own(file):
    file.add(ME, [parcel(1)])
    file.add(OTHER, [parcel(2)])

    assert file.take(OTHER).parcel == parcel(2)
    assert file.take(OTHER) is None
    assert [(kept.base, kept.events) for kept in file.summary()] == [("http://a", 1), ("http://b", 1)]


def test_the_refused_are_not_taken_until_they_are_to_be_tried_again(file):
    file.add(ME, [], refusals=[Refusal(parcel(1), "400 Bad Request")])
    assert file.take(ME) is None
    (kept,) = file.summary()
    assert (kept.events, kept.refused, kept.last_refusal) == (0, 1, "400 Bad Request")

    file.retry_refused(ME)

    assert file.take(ME).parcel == parcel(1)


def test_a_file_that_is_full_takes_nothing_and_loses_nothing(spool):
    file = Leftovers(spool, max_bytes=16 * 4096)
    file.add(ME, [parcel(1)])
    with pytest.raises(SpoolError, match="is full"):
        file.add(ME, [parcel("x" * 2000) for _ in range(100)])

    assert values(spool) == [1]
    file.add(ME, [parcel(2)])
    assert values(spool) == [1, 2]
    file.close()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(SpoolError, match="cannot be used"):
        Leftovers(tmp_path / "nowhere" / "x.db").add(ME, [parcel(1)])


def test_several_processes_write_and_send_at_once_and_nothing_is_lost_or_doubled(file, spool):
    program = """
import sys; sys.path.insert(0, sys.argv[1])
from mqttbridge.client.leftovers import Leftovers, Sender
from mqttbridge.client.parcels import Bucket, Parcel
file, me, number = Leftovers(sys.argv[2]), Sender("http://a", "1"), int(sys.argv[3])
for n in range(25):
    file.add(me, [Parcel.of(Bucket("home", ""), [{"key": "t", "value": number + n, "epoch": 1.0}])])
    row = file.take(me)
    print(row.parcel.opened()[0]["value"])
    file.settle(me, row)
"""
    arguments = [sys.executable, "-c", program, str(ROOT), str(spool)]
    processes = [subprocess.Popen([*arguments, str(100 * n)], stdout=subprocess.PIPE, text=True) for n in range(3)]
    taken = [int(line) for process in processes for line in process.communicate(timeout=50)[0].splitlines()]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(taken) == [100 * n + i for n in range(3) for i in range(25)]
    assert file.waiting(ME) == (0, 0)


def test_a_process_killed_at_work_leaves_the_file_whole(file, spool):
    program = """
import sys; sys.path.insert(0, sys.argv[1])
from mqttbridge.client.leftovers import Leftovers, Sender
from mqttbridge.client.parcels import Bucket, Parcel
file, n = Leftovers(sys.argv[2]), 0
while True:
    file.add(Sender("http://a", "1"), [Parcel.of(Bucket("home", ""), [{"key": "t", "value": n, "epoch": 1.0}])])
    print(n, flush=True)
    n += 1
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(ROOT), str(spool)], stdout=subprocess.PIPE, text=True
    )
    for _ in range(20):
        last = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    said = [int(line) for line in process.communicate()[0].splitlines() if line.strip()]

    kept = values(spool) if file.summary() else []
    assert kept[: max([last, *said]) + 1] == list(range(max([last, *said]) + 1))
