"""The time zone of this machine, by its IANA name: a page may show times as the server's logs do."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

LOCALTIME: Final = Path("/etc/localtime")
TIMEZONE: Final = Path("/etc/timezone")


@cache  # it takes a restart to change it for the rest of the process as well
def server_zone() -> str | None:
    """As `TZ`, or else the system says; None where neither has a name."""
    return find_zone(os.environ.get("TZ"), LOCALTIME, TIMEZONE)


def find_zone(variable: str | None, localtime: Path, timezone: Path) -> str | None:
    """The first name that is a zone's: of the variable, of the link, of the file."""
    names = [(variable or "").removeprefix(":")]
    if not names[0]:
        names.append(str(localtime.resolve()).partition("zoneinfo/")[2])
        with suppress(OSError, ValueError):
            names.append(timezone.read_text(encoding="ascii").strip())
    return next((name for name in names if _is_zone(name)), None)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
