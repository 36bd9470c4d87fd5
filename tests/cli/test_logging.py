from __future__ import annotations

import io
import json
import logging
import re
import warnings

import pytest

from mqttbridge.cli.logging import setup_logging, single_line
from mqttbridge.config.logs import LogConfig


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def written(stream: io.StringIO, **config: str) -> io.StringIO:
    setup_logging(LogConfig.model_validate(config), stream)
    return stream


def test_a_terminal_gets_text_with_a_short_name():
    stream = written(Terminal())
    logging.getLogger("mqttbridge.delivery.uploader").warning("cloud: %d events kept", 3)
    line = stream.getvalue()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} WARNING uploader  cloud: 3 events kept\n", line), line


def test_everything_else_gets_one_json_object_a_line():
    stream = written(io.StringIO())
    logging.getLogger("mqttbridge.bridge").info("a\nb")
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"]) == ("info", "mqttbridge.bridge", "a\\nb")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])


def test_the_option_wins_over_what_the_stream_is():
    stream = written(Terminal(), format="json")
    logging.getLogger("x").error("a")
    assert json.loads(stream.getvalue())["message"] == "a"
    stream = written(io.StringIO(), format="text")
    logging.getLogger("x").error("a")
    assert stream.getvalue().endswith("ERROR   x         a\n")


def test_records_below_the_level_are_left_out():
    stream = written(io.StringIO(), level="warning")
    logging.getLogger("mqttbridge.bridge").info("a")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("level", ["debug", "info"])
def test_libraries_never_speak_of_their_workings_which_hold_urls_with_keys(level):
    stream = written(io.StringIO(), level=level)
    logging.getLogger("urllib3.connectionpool").debug('"POST /api/events?accessKey=hunter2"')
    logging.getLogger("uvicorn.access").info("GET /?token=hunter2")
    assert stream.getvalue() == ""


def test_an_exception_is_in_the_same_json_object_or_indented_below_its_line():
    for stream in (written(io.StringIO()), written(Terminal())):
        setup_logging(LogConfig(), stream)
        error = ValueError("evil\n12:00:00.000 ERROR   forged    line")
        logging.getLogger("mqttbridge.x").error("failed", exc_info=error)
        first, *rest = stream.getvalue().splitlines()
        if stream.isatty():
            assert all(line.startswith("    ") for line in rest)
        else:
            assert rest == []
            assert "ValueError: evil" in json.loads(first)["trace"]


def test_what_could_break_a_line_or_steer_a_terminal_is_escaped():
    assert single_line("a\r\n\x1b[31m\x9b\u2028\u202eb\x00°") == "a\\r\\n\\x1b[31m\\x9b\\u2028\\u202eb\\x00°"


def test_setting_up_twice_writes_each_record_once():
    written(first := io.StringIO())
    stream = written(io.StringIO())
    logging.getLogger("x").error("a")
    assert len(stream.getvalue().splitlines()) == 1
    assert first.getvalue() == ""


def test_warnings_of_libraries_are_records_too():
    stream = written(io.StringIO())
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert json.loads(stream.getvalue())["logger"] == "py.warnings"
