"""The end of the log, in memory, for whoever looks at the bridge from a browser. Bounded in lines and in their length.

It has what the log has, from the level that the configuration names, so what is masked there is masked here.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import Final

MAX_LINES: Final = 500
MAX_CHARS: Final = 1000

# C0 and C1 controls, the line separators, and the marks that reorder what is read (Unicode's bidi controls).
_UNSAFE: Final = [*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
_ESCAPES: Final = {code: repr(chr(code))[1:-1] for code in _UNSAFE}


def single_line(text: str) -> str:
    """The text with everything escaped that could break its line or steer a terminal."""
    return text.translate(_ESCAPES)


@dataclass(frozen=True, slots=True)
class Line:
    """One record. `id` only grows, `at` is in epoch seconds, `level` as in `warning`."""

    id: int
    at: float
    level: str
    part: str
    message: str


class LogTail(logging.Handler):
    """Keeps the last records of this process; `install` and `remove` it."""

    def __init__(self, lines: int = MAX_LINES) -> None:
        super().__init__()
        self._lines: deque[Line] = deque(maxlen=lines)
        self._last_id = 0

    def install(self) -> None:
        """Hear what every logger says."""
        logging.getLogger().addHandler(self)

    def remove(self) -> None:
        """Hear nothing more; harmless when it was never installed."""
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record; logging holds this handler's lock."""
        try:
            message = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                message += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        except Exception:  # noqa: BLE001  # as logging's own handlers: a record that cannot be told stops nobody
            self.handleError(record)
            return
        self._last_id += 1
        self._lines.append(
            Line(
                self._last_id,
                record.created,
                record.levelname.lower(),
                record.name.rpartition(".")[2],
                single_line(message[:MAX_CHARS]),
            )
        )

    def after(self, id_: int) -> list[Line]:
        """The lines since the one with this number, the oldest first; 0 for all that are kept."""
        self.acquire()
        try:
            return [line for line in self._lines if line.id > id_]
        finally:
            self.release()
