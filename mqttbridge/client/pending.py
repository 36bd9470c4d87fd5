"""Events on their way out, in the order in which they were logged.

    under way  <  in the file  <  in memory          older on the left

A batch is taken from the file while there is anything in it, else from memory. When memory is full, all of it goes
to the end of the file in one transaction; what was under way and did not get through goes to its front. So order
holds through overflow, a dead server and the end of the program.

The policy at the bounds: memory holds `max_pending` events or 16 MB of long texts, then the file takes them; when that
is full or cannot be written, the newest events are dropped, counted and said.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from mqttbridge.client.leftovers import Leftovers, Refusal, Row, Sender
from mqttbridge.client.parcels import Bucket, Logged, Parcel
from mqttbridge.errors import SpoolError

log = logging.getLogger("mqttbridge.client")

T = TypeVar("T")

# How many events a parcel in the file holds: some 300 KB, a request's worth.
_FILED_EVENTS: Final = 5_000
# While others hold what is in the file, and after the disk refused: how long until we ask again, in seconds.
_FILE_REST: Final = 5.0
# Numbers are all of a size, and counted; texts are measured from this length on, in characters.
LONG_TEXT: Final = 256
_MAX_TEXT: Final = 16 * 2**20


@dataclass(slots=True)
class Work:
    """A batch under way: in one piece, or in several after a server refused the whole.

    Attributes:
        bucket: whose events they are.
        pieces: what is not settled yet; none when only the bucket is to be created.
        row: where in the file it came from; None from memory.
        refusals: what was refused for good.
    """

    bucket: Bucket
    pieces: deque[Parcel] = field(default_factory=deque)
    row: Row | None = None
    refusals: list[Refusal] = field(default_factory=list)


class Pending:
    """See the module's text. `add` may be called by any thread; everything else under the owner's lock.

    Args:
        sender: whose events these are.
        leftovers: the file; None where there shall be none.
        max_pending: how many events memory holds.
        attend: called by `add`, in its thread, when there are as many events as `attend_at` asks for.
    """

    def __init__(
        self, sender: Sender, leftovers: Leftovers | None, max_pending: int, attend: Callable[[], None]
    ) -> None:
        self.memory: deque[Logged] = deque()
        self.attend_at = max_pending
        self.taken = 0
        """How many events left memory to be sent or filed."""
        self.refused = self.dropped = 0
        self.filed = 0
        """Parcels in the file that are ours to send."""
        self._sender, self._leftovers, self._attend = sender, leftovers, attend
        self._max_pending = max_pending
        self._ask_file_at = 0.0
        self._file_trouble = ""
        self._text = 0

    def add(self, event: Logged) -> None:
        """Queue an event. This is the hot path: no lock, and seldom more than an append."""
        self.memory.append(event)
        if len(self.memory) >= self.attend_at:
            self._attend()

    def expect_text(self, chars: int) -> None:
        """Say that an event with a long text comes next. An estimate that errs upwards is good enough, so: no lock."""
        self._text += chars
        if self._text > _MAX_TEXT:
            self.attend_at = 1  # whoever adds next makes room

    # --- taking and settling -------------------------------------------------------------------------------

    def look_into_file(self) -> None:
        """See what is in the file for us: an earlier run may have left it."""
        self.filed, _ = self._ask(lambda file: file.waiting(self._sender), (self.filed, 0))

    def file_in(self, now: float) -> float | None:
        """Seconds until there may be something to take from the file; None when it holds nothing of ours."""
        return max(0.0, self._ask_file_at - now) if self.filed else None

    def take(self, most: int) -> Work | None:
        """The oldest events, at most so many from memory; None while what is next is in other hands."""
        if self.filed:
            if (row := self._ask(lambda file: file.take(self._sender), None)) is not None:
                return Work(row.parcel.bucket, deque([row.parcel]), row)
            # Another process is at it. It may die over it, so we ask again, and go on with ours meanwhile.
            self.look_into_file()
            self._ask_file_at = time.monotonic() + _FILE_REST
        if not self.memory:
            return None
        parcel = Parcel.pack(self._pop(most))
        return Work(parcel.bucket, deque([parcel]))

    def finish(self, work: Work) -> None:
        """All of it is settled: delivered, or refused."""
        self._settle(work)
        if work.row is not None:
            self.filed = max(0, self.filed - 1)

    def put_back(self, work: Work) -> Work | None:
        """It did not get through. A row waits in the file again; anything else is returned, to be the next."""
        if work.row is None:
            return work
        self._settle(work)
        return None

    def _settle(self, work: Work) -> None:
        row, refusals = work.row, work.refusals
        refused = sum(refusal.parcel.events for refusal in refusals)
        self.refused += refused
        if row is not None:
            # Where this fails the lease runs out, and the parcel is sent again: twice rather than never.
            self._ask(lambda file: file.settle(self._sender, row, left=work.pieces, refusals=refusals), None)
        elif refusals and not self._keep((), refusals=refusals):
            self._drop(refused)

    # --- from memory to the file ---------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether memory holds all that it may."""
        return len(self.memory) >= self._max_pending or self._text > _MAX_TEXT

    def spill(self) -> None:
        """Make room in memory."""
        disk_rests = self._file_trouble and time.monotonic() < self._ask_file_at
        if not disk_rests and self._file_memory():
            return
        self._ask_file_at = time.monotonic() + _FILE_REST
        excess = len(self.memory) - self._max_pending if self._text <= _MAX_TEXT else 1
        for _ in range(excess):
            self.memory.pop()
        if excess > 0:
            self._drop(excess)

    def put_away(self, work: Work | None) -> None:
        """The end: everything that is not settled goes into the file."""
        if work is not None and self.put_back(work) is not None:
            self._settle(work)
            if self._keep(work.pieces, first=True):
                self.filed += len(work.pieces)
            else:
                self._drop(sum(piece.events for piece in work.pieces))
        if not self._file_memory():
            self._drop(len(self.memory))
            self.memory.clear()

    def left(self) -> int:
        """How many events are in the file, ours to send."""
        return self._ask(lambda file: file.waiting(self._sender), (0, 0))[1]

    def after_fork(self) -> None:
        """In a forked child: what waits is the parent's to send, and so is what it put into the file."""
        self.memory.clear()
        self.taken = self.refused = self.dropped = self.filed = self._text = 0
        self.attend_at = 1
        if self._leftovers is not None:
            self._leftovers.after_fork()

    def close(self) -> None:
        """Let go of the file."""
        if self._leftovers is not None:
            self._leftovers.close()

    def _file_memory(self) -> bool:
        """Put all of memory behind what the file holds. False where it could not be; it stays in memory then."""
        events = self.memory.copy()
        if not events:
            return True
        count, parcels = len(events), []
        while events:
            parcels.append(Parcel.pack(_pop(events, _FILED_EVENTS)))
        if not self._keep(parcels):
            return False
        for _ in range(count):
            self.memory.popleft()
        self.taken += count
        self.filed += len(parcels)
        self._text = 0
        return True

    def _pop(self, most: int) -> list[Logged]:
        events = _pop(self.memory, most)
        self.taken += len(events)
        if not self.memory:
            self._text = 0
        return events

    # --- the file, and what if it fails --------------------------------------------------------------------

    def _keep(
        self, parcels: Sequence[Parcel] | deque[Parcel], *, refusals: Sequence[Refusal] = (), first: bool = False
    ) -> bool:
        def add(file: Leftovers) -> bool:
            file.add(self._sender, list(parcels), refusals=refusals, first=first)
            return True

        return not (parcels or refusals) or self._ask(add, otherwise=False)

    def _ask(self, action: Callable[[Leftovers], T], otherwise: T) -> T:
        """The file's answer, or `otherwise` where there is no file or it fails, which is said once."""
        if self._leftovers is None:
            return otherwise
        try:
            answer = action(self._leftovers)
        except SpoolError as error:
            if not self._file_trouble:
                log.error("%s", error)  # noqa: TRY400  # the text says it all
            self._file_trouble = str(error)
            return otherwise
        self._file_trouble = ""
        if self._leftovers.set_aside is not None:
            log.error("%s was damaged; it is now %s", self._leftovers.path, self._leftovers.set_aside)
            self._leftovers.set_aside = None
        return answer

    def _drop(self, count: int) -> None:
        if count and not self.dropped:
            why = self._file_trouble or "memory is full, and there is no file to keep them in"
            log.error("events are dropped from now on, the newest first: %s", why)
        self.dropped += count


def _pop(events: deque[Logged], most: int) -> list[Logged]:
    """The oldest events of one bucket, at least one."""
    popped = [events.popleft()]
    bucket = popped[0][0]
    for _ in range(min(most - 1, len(events))):
        if events[0][0] is not bucket:
            break
        popped.append(events.popleft())
    return popped
