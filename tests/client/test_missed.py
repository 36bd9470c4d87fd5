"""What Initial State's own client leaves behind is read, whatever else stands there."""

import pytest

from mqttbridge.client.missed import read_missed
from mqttbridge.client.parcels import Bucket
from mqttbridge.errors import SpoolError


def test_events_and_buckets_are_read_and_the_rest_is_noted(somewhere):
    path = somewhere / "err_missed_events.txt"
    path.write_bytes(
        b'[{"key": "t", "value": 1, "epoch": 5.5}, {"key": "u", "value": "x", "epoch": 6}]\n'
        b'{"bucketKey": "home", "bucketName": "Home"}\n'
        b"\n"
        b'[{"key": "t", "value": NaN, "epoch": 7}, {"key": "t", "value": 2, "epoch": 8}]\n'
        b"[{\n"
        b'{"key": "alone", "value": true}\n'
    )
    missed = read_missed(path)

    assert missed.events == [("t", 1, 5.5), ("u", "x", 6), ("t", 2, 8), ("alone", True, None)]
    assert missed.buckets == {"home": Bucket("home", "Home")}
    assert [line for line, _ in missed.problems] == [4, 5]
    assert missed.unreadable == 2


def test_the_offline_file_is_read(somewhere):
    path = somewhere / "isstreamer_out.csv"
    path.write_text("5.5,t,21.5\n6,door,True\n7,name,grün\nnever,t,1\n8,t\n", encoding="utf-8")
    missed = read_missed(path)

    assert missed.events == [("t", 21.5, 5.5), ("door", True, 6), ("name", "grün", 7)]
    assert [line for line, _ in missed.problems] == [4, 5]


def test_events_become_parcels_of_a_bucket(somewhere):
    path = somewhere / "missed.txt"
    path.write_text("\n".join(f'[{{"key": "t", "value": {n}}}]' for n in range(2500)))
    parcels = list(read_missed(path).parcels(Bucket("b", ""), now=9.0))

    assert [parcel.events for parcel in parcels] == [1000, 1000, 500]
    assert parcels[2].opened()[-1] == {"key": "t", "value": 2499, "epoch": 9.0}


def test_a_file_of_something_else_ends_in_problems(somewhere):
    path = somewhere / "disk.img"
    path.write_bytes(bytes(20 * 2**20))
    missed = read_missed(path)

    assert (missed.events, missed.unreadable) == ([], 1)


def test_a_file_that_is_not_there_is_an_error(somewhere):
    with pytest.raises(SpoolError, match="cannot be read"):
        read_missed(somewhere / "nowhere.txt")
