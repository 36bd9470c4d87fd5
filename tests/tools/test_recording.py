from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mqttbridge.errors import FileError
from mqttbridge.sources.frames import OVERSIZED
from mqttbridge.tools.recording import Recorded, read_recording, recorded, to_line


@given(
    st.builds(
        Recorded,
        topic=st.binary(min_size=1),
        payload=st.binary(),
        qos=st.sampled_from([0, 1, 2]),
        retained=st.booleans(),
        time=st.floats(0, 4e9),
        cut=st.booleans(),
    )
)
def test_whatever_was_published_comes_back_as_it_was(tmp_path_factory, message):
    path = tmp_path_factory.mktemp("recording") / "r.jsonl"
    path.write_text(to_line(message) + "\n", encoding="utf-8")

    assert list(read_recording(path)) == [message]


def test_a_message_of_the_reader_has_its_flags_in_the_first_byte():
    assert recorded((b"t", b"p", 0x33), 5.0) == Recorded(b"t", b"p", 1, retained=True, time=5.0)
    assert recorded((b"t", b"p", 0x30 | OVERSIZED), 5.0).cut


def test_a_line_that_was_written_by_hand_needs_a_topic_alone(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"topic": "a"}\n\n{"topic": "b", "payload_hex": "ff00"}\n')

    assert [(one.topic, one.payload) for one in read_recording(path)] == [(b"a", b""), (b"b", b"\xff\x00")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not a recorded message"),
        ("[]", "expected an object"),
        ("{}", "topic is missing"),
        ('{"topic": 5}', "topic must be a text"),
        ('{"topic": "a", "payload_base64": "?"}', "not base64"),
        ('{"topic": "a", "time": "now"}', "time must be a number"),
        ('{"topic": "a", "time": NaN}', "time must be a number"),
        ('{"topic": "a", "qos": 7}', "qos must be"),
    ],
)
def test_a_line_that_is_no_message_is_said_with_its_place(tmp_path, line, words):
    path = tmp_path / "r.jsonl"
    path.write_text(f'{{"topic": "a"}}\n{line}\n')

    with pytest.raises(FileError, match=words) as caught:
        list(read_recording(path))
    assert f"{path}:2: " in str(caught.value)


def test_a_line_without_an_end_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("mqttbridge.tools.recording.MAX_LINE_BYTES", 100)
    path = tmp_path / "r.jsonl"
    path.write_text('{"topic": "a", "payload": "' + "x" * 1000)

    with pytest.raises(FileError, match="longer than 100 bytes"):
        list(read_recording(path))


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(FileError, match="cannot read"):
        list(read_recording(tmp_path / "none"))
