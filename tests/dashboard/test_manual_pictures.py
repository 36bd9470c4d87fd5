"""The manual shows what `make pictures` takes, all of it, and no picture is heavy."""

from __future__ import annotations

import re
from pathlib import Path

from tests.browser.pictures import MAX_BYTES, PICTURES, SHOTS

MANUAL = PICTURES.parent / "dashboard.md"


def test_each_picture_is_taken_by_the_script_shown_in_the_manual_and_small() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(pictures/([\w-]+)\.png\)", MANUAL.read_text("utf-8"))
    taken: list[Path] = sorted(PICTURES.glob("*"))
    assert sorted(shown) == sorted(SHOTS)
    assert [path.name for path in taken] == sorted(f"{name}.png" for name in SHOTS)
    assert [path.name for path in taken if path.stat().st_size > MAX_BYTES] == []
