"""Server-sent events out of bytes, however the network cuts them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, strategies as st

from mqttbridge.client.live import sse
from mqttbridge.client.live.sse import Sent, SseParser, TooLong

STREAM = (
    b'retry: 3000\nid: ab-1\nevent: hello\ndata: {"now":1}\n\n: ping\n\nid: ab-2\nevent: points\ndata: {}\n\n'
    b"event: points\ndata: one\ndata:two\n\nid: ab-3\n\nevent: resync\ndata: {}\nid: \xc3\xa4\n\n"
)
EVENTS = [
    Sent("hello", "ab-1", b'{"now":1}'),
    Sent("points", "ab-2", b"{}"),
    Sent("points", "", b"one\ntwo"),
    Sent("resync", "", b"{}"),  # an id that no header could carry is none
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_events_are_the_same_however_their_bytes_are_cut(cuts):
    parser, events = SseParser(), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for begin, end in pairwise(edges):
        events += parser.feed(STREAM[begin:end])

    assert events == EVENTS


def test_an_event_without_end_is_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    parser = SseParser()

    assert parser.feed(b"event: points\ndata: " + b"x" * 50) == []
    assert parser.feed(b"x" * 50) == [TooLong()]


@given(st.binary(max_size=200))
def test_whatever_comes_is_events_or_none(data):
    for event in SseParser().feed(data + b"\n\n"):
        assert isinstance(event, Sent)
