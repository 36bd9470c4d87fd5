"""The ini files of Initial State's own client: the same places, sections and keys.

[isstreamer.client_config]
access_key = ist_...
default_bucket = home
offline_mode = false
offline_file = ./isstreamer_out.csv

[isstreamer.api_config]
stream_api_base = https://groker.init.st
"""

from __future__ import annotations

import configparser
import logging
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final

from mqttbridge.errors import ConfigError, Problem

log = logging.getLogger("mqttbridge.client")

FILE_NAME: Final = "isstreamer.ini"
DEFAULT_BASE: Final = "https://groker.init.st"

_CLIENT: Final = "isstreamer.client_config"
_API: Final = "isstreamer.api_config"


@dataclass(frozen=True, slots=True)
class IniSettings:
    """What an ini file says, or the defaults. Its repr does not show the key."""

    access_key: str = ""
    default_bucket: str = ""
    offline: bool = False
    offline_file: str = "./isstreamer_out.csv"
    base: str = DEFAULT_BASE

    def __repr__(self) -> str:
        return f"IniSettings(default_bucket={self.default_bucket!r}, offline={self.offline}, base={self.base!r})"


def read_ini(location: str | PathLike[str] | None = None) -> IniSettings:
    """Read the file at `location`; without one, ~/isstreamer.ini or else ./isstreamer.ini, if there is either.

    Raises:
        ConfigError: the named file is not there, or what stands in it cannot be used.
    """
    path = Path(location) if location is not None else _usual_place()
    if path is None:
        return IniSettings()
    # No interpolation: a key may hold a percent sign.
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _unusable(path, "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _unusable(path, "", "is not UTF-8 text") from error
    except configparser.Error as error:
        # The parser quotes the line, which may be the one with the key.
        raise _unusable(path, "", f"is no ini file ({type(error).__name__})", getattr(error, "lineno", 0)) from None
    defaults = IniSettings()
    return IniSettings(
        access_key=parser.get(_CLIENT, "access_key", fallback="").strip(),
        default_bucket=parser.get(_CLIENT, "default_bucket", fallback=""),
        offline=_offline(path, parser.get(_CLIENT, "offline_mode", fallback="false")),
        offline_file=parser.get(_CLIENT, "offline_file", fallback=defaults.offline_file),
        base=_base(path, parser.get(_API, "stream_api_base", fallback=defaults.base)),
    )


def _usual_place() -> Path | None:
    try:
        home = [Path.home()]
    except RuntimeError:  # no home directory
        home = []
    return next((path for place in [*home, Path()] if (path := place / FILE_NAME).exists()), None)


def _offline(path: Path, text: str) -> bool:
    state = configparser.ConfigParser.BOOLEAN_STATES.get(text.strip().lower())
    if state is None:
        raise _unusable(path, f"{_CLIENT}.offline_mode", f"is true or false (got {text!r})")
    if not state and text != "false":
        # The original takes everything but exactly `false` for true: whoever relied on it hears of the change.
        log.warning("%s: offline_mode = %s is read as false: events are sent", path, text)
    return state


def _base(path: Path, text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise _unusable(path, f"{_API}.stream_api_base", f"begins with http:// or https:// (got {text!r})")
    return text


def _unusable(path: Path, key: str, what: str, line: int = 0) -> ConfigError:
    return ConfigError([Problem(str(path), line or 0, key, what)])
