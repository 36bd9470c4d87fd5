"""What is on screen outlives a restart, and spoilt files do no harm."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mqttbridge.dashboard.plotly.figures import Figures
from mqttbridge.dashboard.plotly.keeper import Keeper
from mqttbridge.dashboard.plotly.tokens import Token
from mqttbridge.dashboard.plotly.update import Update, XKind
from mqttbridge.dashboard.plotly.windows import DIRECTORY, Kept, WindowFiles
from tests.support.processes import eventually
from tests.support.streams import RawStream, serve_streams

NOW = 1_790_000_000.0


def figures(*tokens: Token) -> Figures:
    made = Figures(lambda _name, _whole: None)
    made.sync(tokens)
    return made


def token(trace: str = "t", maxpoints: int = 5, mode: str = "lines") -> Token:
    return Token(f"digest of {trace}", "f", trace, maxpoints, mode)


def shown(these: Figures) -> dict:
    figure = these.get("f")
    assert figure is not None
    return {**figure.shown(), "last": figure.last}


def keep(these: Figures, directory: Path) -> None:
    asyncio.run(Keeper(these, WindowFiles(directory)).stop())


def restored(directory: Path, *tokens: Token) -> Figures:
    made = figures(*tokens)
    asyncio.run(Keeper(made, WindowFiles(directory)).restore())
    return made


def test_a_viewer_after_a_restart_gets_the_kept_window(tmp_path: Path) -> None:
    with serve_streams(tmp_path) as served:
        made = served.add(maxpoints=3)
        with RawStream(served.plotly.port, made) as stream:
            for n in range(5):
                stream.write(x=f"2026-01-02 03:04:0{n}", y=n, line={"color": "red"}, layout={"title": "T"})
            stream.end()
            assert stream.status == 200
        before = served.figure()
    with serve_streams(tmp_path) as served:
        after = served.figure()
        assert after | {"now": 0} == before | {"now": 0}
        assert after["traces"]["t"]["y"] == [2, 3, 4]
        with RawStream(served.plotly.port, made) as stream:
            stream.write(x="2026-01-02 03:04:06", y=6)
            eventually(lambda: served.figure()["traces"]["t"]["y"] == [3, 4, 6], what="the next point after them")


@pytest.mark.parametrize(
    "updates",
    [
        [Update(y=1), Update(y=2), Update(x=7, y=None)],
        [Update(x="<b>", y=1), Update(x="b", y=2, style={"mode": "markers", "marker": {"size": 7.0}})],
        [Update(x=[1, 2], y=[3, 4], layout={"xaxis": {"title": "X", "range": [0.0, 9.0]}, "yaxis": {"range": None}})],
    ],
)
def test_every_kind_of_window_is_as_it_was(tmp_path: Path, updates: list[Update]) -> None:
    before = figures(token("a"), token("b"))
    for update in updates:
        before.write(token("a"), update, NOW)
    before.resize(token("b"), 9)
    keep(before, tmp_path)
    after = restored(tmp_path, token("a"), token("b"))

    assert shown(after) == shown(before)
    for one in (before, after):
        one.write(token("a"), Update(y=5), NOW)
    assert shown(after) == shown(before)


def test_only_what_changed_is_written_again(tmp_path: Path) -> None:
    these = figures(token("a"), token("b"))
    these.write(token("a"), Update(y=1), NOW)
    these.write(token("b"), Update(y=1), NOW)
    keep(these, tmp_path)
    for file in (tmp_path / DIRECTORY).iterdir():
        file.unlink()
    these.write(token("b"), Update(y=2), NOW)
    keep(these, tmp_path)

    assert [kept.trace for kept in WindowFiles(tmp_path).load({("f", "a"), ("f", "b")})] == ["b"]


def test_the_window_goes_with_its_token_and_the_tokens_maxpoints_has_the_say(tmp_path: Path) -> None:
    these = figures(token("a"), token("b"))
    for n in range(5):
        these.write(token("a"), Update(y=n), NOW)
    these.write(token("b"), Update(y=1), NOW)
    keep(these, tmp_path)

    smaller = restored(tmp_path, token("a", maxpoints=2)).get("f")
    assert smaller is not None
    assert [y for _, y in smaller.traces["a"].points] == [3, 4]
    assert len(list((tmp_path / DIRECTORY).iterdir())) == 1


def test_a_removed_token_takes_its_file_with_it_at_once(tmp_path: Path) -> None:
    async def program() -> None:
        these = figures(token("a"), token("b"))
        keeper = Keeper(these, WindowFiles(tmp_path))
        these.write(token("a"), Update(y=1), NOW)
        await keeper.keep()
        these.sync([token("b")])
        await keeper.keep()

    asyncio.run(program())
    assert list((tmp_path / DIRECTORY).iterdir()) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda _: b"",
        lambda text: text.replace(b'"number"', b'"category"'),
        lambda text: text.replace(b'"maxpoints":5', b'"maxpoints":50000'),
        lambda text: text.replace(b'"trace":"t"', b'"trace":"u"'),
        lambda text: text.replace(b"[0.0,1.0]", b"[0.0,NaN]"),
    ],
)
def test_a_spoilt_file_is_a_window_that_begins_empty(tmp_path: Path, spoil) -> None:
    these = figures(token())
    these.write(token(), Update(y=1), NOW)
    keep(these, tmp_path)
    (file,) = (tmp_path / DIRECTORY).iterdir()
    text = file.read_bytes()
    file.write_bytes(spoil(text))
    assert file.read_bytes() != text

    assert list(shown(restored(tmp_path, token()))["traces"]["t"]["x"]) == []


def test_looks_from_a_file_are_no_more_than_a_line_may_say(tmp_path: Path) -> None:
    evil = {"mode": "lines", "line": {"color": "url(//evil)"}, "layout": {"title": "T", "shapes": [1]}}
    WindowFiles(tmp_path).save([Kept("f", "t", 5, 5, XKind.NUMBER, 1, [(0.0, 1.0)], evil, NOW)])
    after = shown(restored(tmp_path, token()))

    assert after["layout"] == {"title": "T"}
    assert after["traces"]["t"]["style"] == {"mode": "lines"}


def test_where_nothing_can_be_written_that_is_said_once(tmp_path: Path, caplog) -> None:
    (tmp_path / DIRECTORY).write_text("a file where the directory should be")
    these = figures(token())
    files = WindowFiles(tmp_path)
    for _ in range(2):
        these.write(token(), Update(y=1), NOW)
        asyncio.run(Keeper(these, files).stop())

    assert caplog.text.count("are not kept") == 1
    assert shown(restored(tmp_path, token()))["traces"]["t"]["x"] == []


def test_a_file_that_cannot_be_removed_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / DIRECTORY / "odd.json").mkdir(parents=True)

    assert WindowFiles(tmp_path).load([("f", "t")]) == []
