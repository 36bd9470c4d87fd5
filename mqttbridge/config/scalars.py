"""What a single value says: its type, `${NAME}` from the environment, `!file path`.

Plain values are typed as YAML 1.2 has it: `true` and `false` are the only booleans, so `on`, `off`, `yes` and
`no` stay the texts that device payloads are full of; `012` and `12:30` stay texts as well. A value in quotes is
always text. A key that wants text takes a plain number as it is written (`loading.py` sees to that).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mqttbridge.config.files import UnreadableFile, read_secret
from mqttbridge.config.yaml_tree import Scalar

_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_REFERENCE: Final = re.compile(
    r"\$\$\{"  # the escape: stands for ${ itself
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^${}]*))?\}"
    r"|\$\{"  # anything else that starts like a reference is a slip
)
_SECRET_NAME: Final = re.compile(r"pass|pwd|secret|token|key|credential", re.IGNORECASE)


class ScalarError(Exception):
    """The value cannot be read; its text says why, without the value."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as read.

    Attributes:
        value: typed.
        text: the same as written, after substitution; what a key that wants text takes.
        hidden: whether it may be a secret, so that no message shows it.
    """

    value: str | int | float | bool | None
    text: str
    hidden: bool = False


def typed(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def read_scalar(scalar: Scalar, environ: Mapping[str, str], folder: Path) -> Reading:
    """Reads one scalar of a document that lies in `folder`.

    Raises:
        ScalarError: a variable is not set, a file cannot be read, or the tag is unknown.
    """
    text, hidden = _substitute(scalar.text, environ)
    match scalar.tag:
        case "!file":
            return Reading(content := _file(folder / text), content, hidden=True)
        case "" if scalar.plain:
            return Reading(typed(text), text, hidden)
        case "" | "!" | "tag:yaml.org,2002:str":  # quoted, or said to be text
            return Reading(text, text, hidden)
        case tag:
            raise ScalarError(f"the tag {tag} is unknown: only '!file path' is")


def _file(path: Path) -> str:
    try:
        return read_secret(path)
    except UnreadableFile as error:
        raise ScalarError(f"the file {str(path)!r} cannot be used: {error}") from None


def _substitute(text: str, environ: Mapping[str, str]) -> tuple[str, bool]:
    """The text with its references replaced, and whether one of them sounds like a secret."""
    if "${" not in text:
        return text, False
    hidden = False

    def value(match: re.Match[str]) -> str:
        nonlocal hidden
        if match[0] == "$${":
            return "${"
        name, default = match["name"], match["default"]
        if name is None:
            raise ScalarError("expected ${NAME} or ${NAME:-default}; write $${ for a literal ${")
        hidden = hidden or _SECRET_NAME.search(name) is not None
        found = environ.get(name)
        if default is not None:
            return found or default  # as in a shell, `:-` also covers a variable that is set but empty
        if found is None:
            raise ScalarError(f"the environment variable {name} is not set (${{{name}:-default}} gives a default)")
        return found

    return _REFERENCE.sub(value, text), hidden
