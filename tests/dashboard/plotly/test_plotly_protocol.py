"""The wire protocol, byte by byte: what real clients send, however the network cuts it."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mqttbridge.dashboard.plotly import protocol
from mqttbridge.dashboard.plotly.protocol import End, Head, Line, Malformed, StreamParser

# On a busy machine an example may take its time: what counts is what comes out.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nHost: b\r\nplotly-streamtoken: tok\r\n\r\n"
LIMIT = 64


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def parse(*pieces: bytes, limit: int = LIMIT) -> list:
    parser = StreamParser(limit)
    return reduce(lambda events, piece: events + parser.feed(piece), pieces, [])


def lines(events: list) -> list[bytes]:
    return [event.text for event in events if isinstance(event, Line)]


def test_a_classic_client_is_understood_with_two_hosts_and_its_stray_line_end():
    body = chunk(b'{"x": 1}\n') + chunk(b"\n") + chunk(b'{"x": 2}\n') + b"\r\n0\r\n\r\n"

    head, *rest = parse(HEAD + body)

    assert head.method == "POST"
    assert head.headers == {"host": "a", "transfer-encoding": "chunked", "plotly-streamtoken": "tok"}
    assert rest == [Line(b'{"x": 1}'), Line(b""), Line(b'{"x": 2}'), End()]


@unhurried
@given(
    texts=st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"").strip()), max_size=8),
    chunks=st.lists(st.integers(1, 30), max_size=12),
    cuts=st.lists(st.integers(1, 50), max_size=40),
    stray=st.booleans(),
)
def test_chunks_and_reads_may_cut_a_line_anywhere(texts, chunks, cuts, stray):
    data = b"".join(text + b"\n" for text in texts)
    body = b""
    for size in [*chunks, 10_000]:
        piece, data = data[:size], data[size:]
        body += chunk(piece) if piece else b""
    wire = HEAD + body + (b"\r\n" if stray else b"") + b"0\r\n\r\n"
    pieces = []
    for cut in [*cuts, len(wire)]:
        pieces.append(wire[:cut])
        wire = wire[cut:]

    events = parse(*pieces)

    assert lines(events) == texts
    assert isinstance(events[0], Head)
    assert events[-1] == End()


@unhurried
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_whatever_comes_nothing_is_raised_nor_kept_beyond_its_bounds(pieces):
    parser = StreamParser(LIMIT)
    for piece in [HEAD, *pieces]:
        parser.feed(piece)

        assert len(parser._line) <= LIMIT
        assert len(parser._buffer) <= protocol.MAX_CHUNK_HEAD_BYTES + 200
    parser.eof()


@unhurried
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_head_of_any_bytes_is_a_head_or_malformed(pieces):
    events = parse(*pieces, b"\r\n\r\n")

    assert len([event for event in events if isinstance(event, Head | Malformed)]) <= 2


def test_a_body_with_a_length_ends_by_itself():
    wire = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}\n\n[1]\n9 and more"

    assert parse(wire)[1:] == [Line(b"{}"), Line(b""), Line(b"[1]"), Line(b"9"), End()]


def test_a_body_without_any_ends_with_the_connection():
    parser = StreamParser(LIMIT)

    assert parser.feed(b"POST / HTTP/1.0\n\n{}\n{")[1:] == [Line(b"{}")]
    assert parser.feed(b"}") == []
    assert parser.eof() == [Line(b"{}"), End()]


def test_a_connection_cut_within_a_chunk_has_no_end_and_half_a_line_is_none():
    parser = StreamParser(LIMIT)

    assert lines(parser.feed(HEAD + b"20\r\n{}\n{half")) == [b"{}"]
    assert parser.eof() == []


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (b"GARBAGE\r\n\r\n", "no HTTP/1.1 request"),
        (b"GET / HTTP/2\r\n\r\n", "no HTTP/1.1 request"),
        (b"POST / HTTP/1.1\r\nno colon\r\n\r\n", "no name"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "no length"),
        (b"POST / HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", "no length"),
        (b"x" * 20_000, "longer than"),
        (HEAD + b"zz\r\n", "hexadecimal"),
        (HEAD + b"-5\r\n", "hexadecimal"),
        (HEAD + b"f" * 16 + b"\r\n", "hexadecimal"),
        (HEAD + b"1" * 2000, "no end"),
        (HEAD + chunk(b"x" * (LIMIT + 1)), "longer than 64"),
        (HEAD + chunk(b"\n" + b"x" * (LIMIT + 1) + b"\n"), "longer than 64"),
        (HEAD + b"fffffffffff\r\n" + b"x" * 100, "longer than 64"),
    ],
)
def test_what_is_malformed_is_said_and_ends_it(wire, why):
    *_, last = parse(wire, b"{}\n", b"0\r\n\r\n")

    assert isinstance(last, Malformed)
    assert why in last.why


def test_a_line_of_just_the_limit_is_taken_and_the_limit_may_rise():
    parser = StreamParser(LIMIT)
    parser.feed(HEAD)

    assert lines(parser.feed(chunk(b"x" * LIMIT + b"\n"))) == [b"x" * LIMIT]
    parser.max_line = 100
    assert lines(parser.feed(chunk(b"x" * 100 + b"\n"))) == [b"x" * 100]


def test_a_chunk_may_have_an_extension_and_the_last_one_trailers():
    assert parse(HEAD + b"3;a=b\r\n{}\n\r\n0\r\nX: y\r\n\r\n")[1:] == [Line(b"{}"), End()]


def test_the_clients_words_are_the_servers():
    from mqttbridge.client import plotly_link  # noqa: PLC0415  # the other side

    for name in ("SESSION_HEADER", "FIRST_HEADER", "MAXPOINTS_HEADER"):
        assert getattr(plotly_link, name) == getattr(protocol, name)
