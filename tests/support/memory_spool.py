"""A spool in memory, for tests of what reads from it: the signatures of `mqttbridge.spool`, and a time of its own.

Nothing here waits: `FakeTime` moves when somebody sleeps, so a test of hours takes milliseconds and is the same
each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mqttbridge.errors import SpoolError
from mqttbridge.events import EventTuple, Position, Rejected
from mqttbridge.spool import Row


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


class MemorySpool:
    """Rows, one cursor, Rejected. `faults` are raised by the next calls of `settle`, one each."""

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.rows: list[Row] = []
        self.cursor = Position(1, 0)
        self.rejected: list[Rejected] = []
        self.faults: list[SpoolError] = []
        self.read_faults: list[SpoolError] = []
        self.metas: dict[str, str] = {}
        self.woken = 0
        self.on_wait: Callable[[], None] = lambda: None
        """Called when a reader waits: where a test lets things happen meanwhile."""

    def add(self, *events: EventTuple, units: dict[tuple[str, str], str] | None = None) -> None:
        """Append one row."""
        seq = len(self.rows) + 1
        self.rows.append(Row(self.time.now, list(events), units or {}, Position(seq, 0), Position(seq + 1, 0)))

    def reader(self, destination: str, start: Position | None = None) -> MemoryReader:
        return MemoryReader(self, max(start or self.cursor, self.cursor))

    def settle(self, destination: str, position: Position, rejected: Sequence[Rejected] = ()) -> None:
        if self.faults:
            raise self.faults.pop(0)
        assert position >= self.cursor, "a cursor never moves back"
        self.cursor = position
        self.rejected += rejected

    def meta(self, key: str) -> str | None:
        return self.metas.get(key)

    def set_meta(self, key: str, value: str) -> None:
        self.metas[key] = value

    def wake(self) -> None:
        self.woken += 1

    def events_before_cursor(self) -> list[EventTuple]:
        """What a new process would not read again."""
        seq, offset = self.cursor
        settled = [event for row in self.rows[: seq - 1] for event in row.events]
        return settled + (self.rows[seq - 1].events[:offset] if seq <= len(self.rows) else [])


class MemoryReader:
    def __init__(self, spool: MemorySpool, position: Position) -> None:
        self._spool, self.position = spool, position
        self.reads = 0
        self.closed = False

    def read(self, after: Position, max_events: int) -> list[Row]:
        self.reads += 1
        if self._spool.read_faults:
            raise self._spool.read_faults.pop(0)
        found: list[Row] = []
        for row in self._spool.rows[max(after.seq - 1, 0) :]:
            offset = after.offset if row.start.seq == after.seq else 0
            if found and sum(len(one.events) for one in found) + len(row.events) > max_events:
                break
            if offset < len(row.events) or not row.events:
                start = Position(row.start.seq, offset)
                found.append(Row(row.created, row.events[offset:], row.units, start, row.end))
        return found

    def wait(self, after: Position, timeout: float) -> bool:
        before = len(self._spool.rows)
        self._spool.on_wait()
        if len(self._spool.rows) == before:
            self._spool.time.sleep(timeout)
            return False
        return True

    def close(self) -> None:
        self.closed = True
