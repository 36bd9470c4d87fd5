"""The end of the log, in memory."""

import logging

import pytest

from mqttbridge.logtail import MAX_CHARS, LogTail

log = logging.getLogger("mqttbridge.some.part")


@pytest.fixture
def tail():
    tail = LogTail(lines=3)
    tail.install()
    yield tail
    tail.remove()


def test_the_last_lines_are_kept_and_what_follows_one_can_be_asked_for(tail):
    for number in range(5):
        log.warning("line %d", number)

    kept = tail.after(0)

    assert [(line.part, line.level, line.message) for line in kept] == [
        ("part", "warning", f"line {number}") for number in (2, 3, 4)
    ]
    assert [line.message for line in tail.after(kept[0].id)] == ["line 3", "line 4"]


def test_a_line_stays_one_line_and_is_cut(tail):
    log.warning("%s", "a\n\x1b[31mb\u202e" + "x" * 10_000)

    (line,) = tail.after(0)

    assert line.message.startswith("a\\n\\x1b[31mb\\u202e")
    assert len(line.message) < MAX_CHARS + 50


def test_an_exception_is_named(tail):
    try:
        int("of no use")
    except ValueError:
        log.exception("it failed")

    assert tail.after(0)[-1].message == ("it failed (ValueError: invalid literal for int() with base 10: 'of no use')")


def test_nothing_is_heard_after_it_is_removed(tail):
    tail.remove()
    log.warning("unheard")

    assert tail.after(0) == []
