"""The spool against a simple twin in memory: whatever happens, each destination gets each event until it settles it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mqttbridge.config.spool import SpoolConfig
from mqttbridge.events import Batch, EventTuple, Position
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool

DESTINATIONS = ("a", "b")


class SpoolMachine(RuleBasedStateMachine):
    """`waiting` is the twin: the events that each destination has not settled yet, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.waiting: dict[str, list[EventTuple]] = {name: [] for name in DESTINATIONS}
        self.number = 0
        self.open()

    def open(self) -> None:
        self.spool = Spool(self.directory / "spool.db", SpoolConfig(), Metrics(), DESTINATIONS)
        self.readers = {name: self.spool.reader(name) for name in DESTINATIONS}
        self.positions = {name: reader.position for name, reader in self.readers.items()}

    def close(self) -> None:
        for reader in self.readers.values():
            reader.close()
        self.spool.close()

    @rule(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3), to=st.sampled_from([(), ("a",), ("b",)]))
    def append(self, sizes: list[int], to: tuple[str, ...]) -> None:
        for size in sizes:
            events: list[EventTuple] = [("bucket", "stream", self.number + n, 1.5) for n in range(size)]
            self.number += size
            self.spool.append([Batch(events, to)])
            for name in to or DESTINATIONS:
                self.waiting[name] += events

    @rule(name=st.sampled_from(DESTINATIONS), share=st.floats(0, 1), past_the_end=st.booleans())
    def settle(self, name: str, share: float, past_the_end: bool) -> None:
        """Settle some of what is read, at a position inside or at the end of a row, written either way."""
        rows = self.readers[name].read(self.positions[name], 10**6)
        ends = [
            (row.start.seq, row.start.offset + n + 1, row.end if n + 1 == len(row.events) else None)
            for row in rows
            for n in range(len(row.events))
        ]
        count = int(share * len(ends))
        if count:
            seq, offset, end = ends[count - 1]
            position = end if end is not None and past_the_end else Position(seq, offset)
            self.spool.settle(name, position)
            self.positions[name] = position
            del self.waiting[name][:count]

    @rule()
    def maintain(self) -> None:
        self.spool._file.trim_soon()
        self.spool.maintain()

    @rule()
    def restart(self) -> None:
        self.close()
        self.open()

    @precondition(lambda self: self.number)
    @rule()
    def crash(self) -> None:
        """The files as they are on disk go on elsewhere: cursors that were not committed fall back."""
        copy = Path(tempfile.mkdtemp())
        for file in self.directory.iterdir():
            shutil.copy(file, copy / file.name)
        self.close()
        shutil.rmtree(self.directory)
        self.directory = copy
        before = self.waiting
        self.open()
        self.waiting = {name: self.read(name) for name in DESTINATIONS}
        for name in DESTINATIONS:
            repeated = len(self.waiting[name]) - len(before[name])
            assert repeated >= 0, "an event that was never settled is gone"
            assert self.waiting[name][repeated:] == before[name]

    def read(self, name: str) -> list[EventTuple]:
        return [event for row in self.readers[name].read(self.positions[name], 10**6) for event in row.events]

    @invariant()
    def each_destination_still_gets_what_it_has_not_settled(self) -> None:
        for name in DESTINATIONS:
            assert self.read(name) == self.waiting[name]
        assert self.spool.stats().kept == {name: len(self.waiting[name]) for name in DESTINATIONS}

    def teardown(self) -> None:
        self.close()
        shutil.rmtree(self.directory)


TestSpoolModel = SpoolMachine.TestCase
TestSpoolModel.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
