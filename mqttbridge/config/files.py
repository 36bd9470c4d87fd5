"""Text files of a bounded size, and why one cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MAX_SECRET_BYTES: Final = 64 * 2**10  # the longest keys and certificates are a tenth of it


class UnreadableFile(Exception):  # noqa: N818  # names a state of the file
    """The file cannot be used; its text says why, without what is in it.

    Attributes:
        line: where in the file, or 0.
    """

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


def read_text(path: Path, max_bytes: int) -> str:
    """The whole text, which may begin with a byte order mark.

    Raises:
        UnreadableFile: it cannot be read, is too large or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise UnreadableFile("there is no such file") from None
    except IsADirectoryError:
        raise UnreadableFile("it is a directory, not a file") from None
    except OSError as error:
        raise UnreadableFile(f"it cannot be read: {error.strerror}") from None
    except ValueError:
        raise UnreadableFile("that is not a file's name") from None  # a NUL or half a character in it
    if len(content) > max_bytes:
        raise UnreadableFile(f"it is larger than {max_bytes} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(f"it is not UTF-8 text (byte 0x{content[error.start]:02x})", line) from None


def read_secret(path: Path) -> str:
    """The text of a secret's file, without the line end that editors put there.

    Raises:
        UnreadableFile: as `read_text`.
    """
    return read_text(path, MAX_SECRET_BYTES).removesuffix("\n").removesuffix("\r")
