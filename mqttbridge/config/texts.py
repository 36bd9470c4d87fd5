"""Texts that must be fit to be shown on one line."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("no line ends or control characters")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
