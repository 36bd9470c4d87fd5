from __future__ import annotations

from pathlib import Path

import pytest

from mqttbridge.config.files import UnreadableFile, read_text


def test_a_text_is_read_without_its_byte_order_mark(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbfa\xc2\xb0\n")
    assert read_text(path, 100) == "a°\n"


def test_a_byte_that_is_not_utf_8_is_said_with_its_line(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"a: 1\nb: \xb0C\n")
    with pytest.raises(UnreadableFile, match=r"not UTF-8 text \(byte 0xb0\)") as caught:
        read_text(path, 100)
    assert caught.value.line == 2


def test_a_file_beyond_the_bound_is_not_read_to_its_end():
    with pytest.raises(UnreadableFile, match="it is larger than 10 bytes"):
        read_text(Path("/dev/zero"), 10)


def test_a_path_through_a_file_says_what_the_system_says(tmp_path):
    (tmp_path / "f").touch()
    with pytest.raises(UnreadableFile, match="it cannot be read: Not a directory"):
        read_text(tmp_path / "f" / "g", 10)
