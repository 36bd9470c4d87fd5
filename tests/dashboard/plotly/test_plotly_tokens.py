"""Stream tokens: kept hashed, changed by one process and noticed by another."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from mqttbridge.dashboard.plotly.tokens import FILE, TokenFile
from mqttbridge.errors import DataDirError


def test_a_token_is_found_by_itself_and_stands_nowhere(tmp_path):
    token = TokenFile(tmp_path).add("weather", "inside", 80, "markers")
    found = TokenFile(tmp_path).find(token)

    assert found is not None
    assert (found.figure, found.trace, found.maxpoints, found.mode) == ("weather", "inside", 80, "markers")
    assert len(token) == 20
    for path in tmp_path.iterdir():
        assert token not in path.read_text()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_what_another_process_adds_and_removes_is_noticed(tmp_path):
    here, there = TokenFile(tmp_path), TokenFile(tmp_path)
    assert here.all() == []
    token = there.add("f", "t", 500, "lines")

    assert here.find(token) is not None
    version = here.version
    assert there.remove(token[:0] + here.all()[0].id) is not None
    assert here.refresh()
    assert here.version > version
    assert here.find(token) is None
    assert there.remove("unknown") is None


def test_a_known_token_can_be_taken_over_and_given_another_trace(tmp_path):
    tokens = TokenFile(tmp_path)

    assert tokens.add("f", "t", 500, "lines", "a3yx8ev3pg") == "a3yx8ev3pg"
    tokens.add("f", "u", 500, "lines", "a3yx8ev3pg")
    assert [one.trace for one in tokens.all()] == ["u"]


@pytest.mark.parametrize(
    ("figure", "trace", "maxpoints", "token", "why"),
    [
        ("", "t", 1, None, "figure's name"),
        ("f", "x" * 251, 1, None, "trace's name"),
        ("..", "t", 1, None, "figure's name"),
        ("f", "a\nb", 1, None, "trace's name"),
        ("f", "t", -1, None, "from 0 to 10000"),
        ("f", "t", 10_001, None, "from 0 to 10000"),
        ("f", "t", 1, "short", "ASCII characters"),
        ("f", "t", 1, "with a space", "ASCII characters"),
        ("f", "taken", 1, None, "has a token"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(*, tmp_path, figure, trace, maxpoints, token, why):
    tokens = TokenFile(tmp_path)
    tokens.add("f", "taken", 500, "lines")

    with pytest.raises(ValueError, match=why):
        tokens.add(figure, trace, maxpoints, "lines", token)
    assert len(tokens.all()) == 1


def test_writers_at_the_same_time_lose_none_of_each_others_tokens(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: TokenFile(tmp_path).add("f", str(n), 500, "lines"), range(20)))

    assert {one.trace for one in TokenFile(tmp_path).all()} == {str(n) for n in range(20)}


@pytest.mark.parametrize("text", ["", "{", "{}", json.dumps([{"digest": 1}])])
def test_a_damaged_file_is_said_and_left_alone(tmp_path, text):
    (tmp_path / FILE).write_text(text)

    with pytest.raises(DataDirError, match="damaged"):
        TokenFile(tmp_path).add("f", "t", 500, "lines")
    assert (tmp_path / FILE).read_text() == text
