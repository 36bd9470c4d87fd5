"""The ini files of the original: its places and keys, without its traps."""

import pytest

from mqttbridge import Streamer
from mqttbridge.client.ini import IniSettings, read_ini
from mqttbridge.errors import ConfigError

WHOLE = """
[isstreamer.client_config]
access_key = ist_%key%
default_bucket = From the file
offline_mode = false
offline_file = here.csv
[isstreamer.api_config]
stream_api_base = http://127.0.0.1:1
"""


@pytest.fixture
def write(somewhere):
    def to(text, place=None):
        path = (place or somewhere) / "isstreamer.ini"
        path.write_text(text, encoding="utf-8")
        return path

    return to


def test_without_a_file_the_defaults_hold():
    assert read_ini() == IniSettings("", "", offline=False, offline_file="./isstreamer_out.csv")
    assert read_ini().base == "https://groker.init.st"


def test_every_key_is_read(write):
    write(WHOLE)
    with Streamer() as streamer:
        assert streamer.AccessKey == "ist_%key%"
        assert streamer.BucketName == "From the file"
        assert streamer.StreamApiBase == "http://127.0.0.1:1"
        assert not streamer.Offline
    assert "ist_" not in repr(read_ini())


def test_arguments_win(write):
    write(WHOLE)
    with Streamer("Mine", access_key="mine", url="http://127.0.0.1:2") as streamer:
        assert (streamer.BucketName, streamer.AccessKey) == ("Mine", "mine")
        assert streamer.StreamApiBase == "http://127.0.0.1:2"


def test_home_wins_over_here_and_a_named_file_over_both(write, tmp_path):
    named = write("[isstreamer.client_config]\naccess_key = named\n", tmp_path)
    write("[isstreamer.client_config]\naccess_key = here\n")
    assert read_ini().access_key == "here"
    write("[isstreamer.client_config]\naccess_key = home\n", tmp_path / "home")
    assert read_ini().access_key == "home"
    assert read_ini(str(named)).access_key == "named"


def test_the_address_alone_will_do(write):
    write("[isstreamer.api_config]\nstream_api_base = http://localhost:8080\n")

    assert read_ini().base == "http://localhost:8080"


@pytest.mark.parametrize("text", ["False", "FALSE", "no", "off", "0", " false"])
def test_offline_mode_false_is_false_and_its_new_meaning_is_said(write, caplog, text):
    write(f"[isstreamer.client_config]\noffline_mode = {text}\n")

    assert read_ini().offline is False
    assert ("is read as false" in caplog.text) == (text.strip() != "false")


@pytest.mark.parametrize("text", ["true", "True", "yes", "on", "1"])
def test_offline_mode_true_is_true(write, caplog, text):
    write(f"[isstreamer.client_config]\noffline_mode = {text}\n")

    assert read_ini().offline is True
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[isstreamer.client_config]\noffline_mode = maybe\n", "offline_mode: is true or false (got 'maybe')"),
        ("[isstreamer.api_config]\nstream_api_base = host\n", "stream_api_base: begins with http:// or https://"),
        ("access_key = secret\n", "is no ini file (MissingSectionHeaderError)"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(write, text, words):
    path = write(text)

    with pytest.raises(ConfigError) as refused:
        read_ini()
    assert str(path.name) in str(refused.value)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_named_file_that_is_not_there_is_an_error():
    with pytest.raises(ConfigError, match=r"nowhere\.ini: cannot be read: No such file"):
        Streamer(ini_file_location="nowhere.ini")


def test_a_file_that_is_no_text_is_an_error(somewhere):
    (somewhere / "isstreamer.ini").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        read_ini()
