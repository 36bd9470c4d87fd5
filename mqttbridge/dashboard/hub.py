"""The live hub: what was stored goes to everybody who watches, and nobody who watches slowly holds it up.

The promise is a snapshot and then deltas with no gap and no duplicate. It rests on three orders:

- the store's transaction is committed before `publish` is called;
- `position` is taken before the snapshot is read, so whatever the snapshot may lack is in a later frame;
- `position` also opens the bucket's channel, so frames are made and kept from then on, though nobody
  watches yet.

A point can be in the snapshot and in a frame after it: the page knows points by their times. A viewer whose
gap is no longer in the ring, who was too slow, or whom another boot of the bridge served, is told to `resync`.

What is not points is a note, as how alerts stand: of each name the last one is kept, as a broker keeps a retained
message. Every `hello` has them, and whoever is slow gets the last one alone.

`publish`, `note`, `position` and `derived` may be called from any thread; everything else runs on the loop's thread.
The lock guards what both sides touch: the channels, what is pending in them, the notes and the last frame's number.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from mqttbridge.dashboard.boards.derived import Derived
from mqttbridge.dashboard.framequeue import FrameQueue, broadcast
from mqttbridge.dashboard.frames import encode, merge, series_of, thin
from mqttbridge.dashboard.store.model import Column, StreamKey

# A frame at once when the hub was idle. After it a pause of 20 times what making and sending it costs, so the
# hub takes some 5 % of a core however much comes in, and never more than a quarter of a second.
PAUSE_FACTOR: Final = 20
MAX_PAUSE: Final = 0.25
SEND_COST: Final = 50e-6  # seconds that a viewer's task takes to send a frame, as measured with uvicorn and h11

RING_BYTES: Final = 4 * 2**20
RING_SECONDS: Final = 120.0
EVERYWHERE: Final = ""
"""Stands for no bucket but the whole dashboard, where notes are made and watched; no bucket is named so."""
LEASE: Final = 60.0  # seconds a channel stays open after a snapshot or its last viewer
MAX_LEASED: Final = 64  # channels open without a viewer: snapshots of many buckets must not make work for long


class Viewer(FrameQueue):
    """One browser that watches a bucket."""

    def __init__(self, channel: _Channel, *, closed: bool = False) -> None:
        super().__init__(closed=closed)
        self.channel = channel


@dataclass(slots=True, eq=False)
class _Channel:
    """One bucket that is watched, or may be within the lease.

    Attributes:
        floor: a viewer that has seen frames up to here or later can be given exactly what it lacks.
        derived: the expressions that somebody watches.
    """

    bucket: str
    floor: int
    until: float
    pending: dict[str, Column] = field(default_factory=dict)
    viewers: set[Viewer] = field(default_factory=set)
    derived: Derived = field(default_factory=Derived)


@dataclass(frozen=True, slots=True)
class _Frame:
    seq: int
    at: float
    channel: _Channel
    data: bytes


class Hub:
    """Frames of points for those who watch a bucket.

    Args:
        clock: seconds since 1970, for the page's clock.
        boot: what tells this run's frames from another's; default: random.
    """

    def __init__(self, clock: Callable[[], float] = time.time, boot: str | None = None) -> None:
        self._clock = clock
        self._boot = boot or secrets.token_hex(4)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._channels: dict[str, _Channel] = {}
        self._notes: dict[str, dict[str, Any]] = {}
        self._scheduled = False
        self._seq = 0
        self._ring: deque[_Frame] = deque()
        self._ring_bytes = 0
        self._not_before = 0.0
        self.viewers = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Frames are made and viewers served on this loop from now on."""
        self._loop = loop

    def publish(self, columns: Mapping[StreamKey, Column]) -> None:
        """Show points that have just been committed. The columns are the hub's from now on."""
        loop = self._loop
        if loop is None or not self._channels:
            return
        with self._lock:
            touched = False
            for (bucket, stream), column in columns.items():
                channel = self._channels.get(bucket)
                if channel is not None:
                    merge(channel.pending, stream, column)
                    touched = True
            if not touched or self._scheduled:
                return
            self._scheduled = True
        try:
            loop.call_soon_threadsafe(self._pace)
        except RuntimeError:  # the loop was closed: nobody watches any more
            self._loop = None

    def note(self, bucket: str, name: str, content: Any) -> None:
        """Tell those who watch a bucket, and whoever comes later; None: there is nothing of this name any more.

        Args:
            bucket: or `EVERYWHERE`.
            name: of the event.
            content: a JSON value.
        """
        with self._lock:
            notes = {**self._notes.get(bucket, {}), name: content}
            self._notes[bucket] = {known: one for known, one in notes.items() if one is not None}
            if not self._notes[bucket]:
                del self._notes[bucket]
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed: nobody watches any more
                self._loop.call_soon_threadsafe(self._tell, bucket, name)

    def doubt(self, name: str) -> None:
        """What was noted under a name may be otherwise now, in whatever bucket; who watches one has to ask."""
        with self._lock:
            buckets = [bucket for bucket, channel in self._channels.items() if channel.viewers]
        for bucket in buckets:
            self.note(bucket, name, None)

    def lose(self) -> None:
        """Say that points may have been stored that were not published: those who watch need a new snapshot."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop was closed: nobody watches any more
                loop.call_soon_threadsafe(self._resync_all)

    def position(self, bucket: str) -> str:
        """The id to resume from after a snapshot that is read after this call. From any thread."""
        self._open(bucket)
        return self._id()

    def derived(self, bucket: str) -> Derived:
        """The expressions that are worked out live for a bucket, as long as its channel is open. From any thread."""
        return self._open(bucket).derived

    def subscribe(self, name: str, last_id: str | None) -> Viewer:
        """A viewer of a bucket, with what it missed since `last_id` in its queue; without an id, from now on."""
        channel = self._open(name)
        seen = self._seq if last_id is None else self._seen(last_id)
        viewer = Viewer(channel, closed=self._loop is None)
        channel.viewers.add(viewer)
        self.viewers += 1
        notes = self._notes.get(name, {})
        hello = encode("hello", {"now": self._clock(), **notes}, self._id() if last_id is None else None)
        viewer.put(b"retry: %d\n" % (2500 + secrets.randbelow(2000)) + hello)
        if seen is None or seen < channel.floor:
            viewer.put(self._resync())
        else:
            missed = [frame.data for frame in self._ring if frame.channel is channel and frame.seq > seen]
            if missed:
                viewer.put(b"".join(missed))
        return viewer

    def unsubscribe(self, viewer: Viewer) -> None:
        """The viewer is gone; its channel stays open for the lease, so that it may resume."""
        viewer.channel.viewers.discard(viewer)
        viewer.channel.until = self._now() + LEASE
        self.viewers -= 1

    def close(self) -> None:
        """Say goodbye to every viewer; nobody is served any more."""
        self._loop = None
        for channel in self._channels.values():
            for viewer in channel.viewers:
                viewer.close()

    def _now(self) -> float:
        return 0.0 if self._loop is None else self._loop.time()

    def _next(self) -> int:
        with self._lock:
            self._seq += 1
            return self._seq

    def _id(self, seq: int | None = None) -> str:
        return f"{self._boot}-{self._seq if seq is None else seq}"

    def _seen(self, last_id: str) -> int | None:
        """The number in an id of this boot; None for any other text."""
        boot, _, seq = last_id.rpartition("-")
        known = boot == self._boot and seq.isascii() and seq.isdigit() and len(seq) < 20 and int(seq) <= self._seq
        return int(seq) if known else None

    def _tell(self, bucket: str, name: str) -> None:
        """Give the note as it is now to those who watch."""
        channel = self._channels.get(bucket)
        if channel is None or not channel.viewers:
            return
        frame = encode(name, {"now": self._clock(), name: self._notes.get(bucket, {}).get(name)}, None)
        for viewer in channel.viewers:
            viewer.note(name, frame)

    def _resync_all(self) -> None:
        floor = self._next()
        with self._lock:
            channels = list(self._channels.values())
        for channel in channels:
            channel.floor = floor
            for viewer in channel.viewers:
                viewer.frames.clear()
                viewer.put(self._resync())

    def _resync(self) -> bytes:
        return encode("resync", {}, self._id())

    def _open(self, bucket: str) -> _Channel:
        until = self._now() + LEASE
        with self._lock:
            channel = self._channels.get(bucket)
            if channel is None:
                # Points came and went while no channel was open: no id given out before may resume from here.
                self._seq += 1
                channel = self._channels[bucket] = _Channel(bucket, self._seq, until)
                leased = [other for other in self._channels.values() if not other.viewers and other is not channel]
                if len(leased) >= MAX_LEASED:
                    del self._channels[min(leased, key=lambda other: other.until).bucket]
            channel.until = until
        return channel

    def _pace(self) -> None:
        """Make the frames now, or when the pause after the last ones is over."""
        if self._loop is None:
            return
        wait = self._not_before - self._loop.time()
        if wait > 0:
            self._loop.call_later(wait, self._flush)
        else:
            self._flush()

    def _flush(self) -> None:
        if self._loop is None:
            return
        began = self._loop.time()
        with self._lock:
            self._scheduled = False
            work = []
            for channel in list(self._channels.values()):
                if not channel.viewers and channel.until < began:
                    del self._channels[channel.bucket]
                elif channel.pending:
                    work.append((channel, channel.pending))
                    channel.pending = {}
        queued = sum(self._send(channel, pending, began) for channel, pending in work)
        self._trim(began)
        cost = self._loop.time() - began + queued * SEND_COST
        self._not_before = began + min(PAUSE_FACTOR * cost, MAX_PAUSE)

    def _send(self, channel: _Channel, pending: Mapping[str, Column], now: float) -> int:
        """One frame, encoded once, for the ring and every viewer; returns how many of their tasks have it to send."""
        seq = self._next()
        columns = {stream: thin(column) for stream, column in pending.items()}
        frame = {"now": self._clock(), "series": {stream: series_of(column) for stream, column in columns.items()}}
        if derived := channel.derived.of(columns):
            frame["derived"] = {text: series_of(thin(column)) for text, column in derived.items()}
        data = encode("points", frame, self._id(seq))
        self._ring.append(_Frame(seq, now, channel, data))
        self._ring_bytes += len(data)
        return broadcast(channel.viewers, data, self._resync)

    def _trim(self, now: float) -> None:
        while self._ring and (self._ring_bytes > RING_BYTES or self._ring[0].at < now - RING_SECONDS):
            frame = self._ring.popleft()
            self._ring_bytes -= len(frame.data)
            frame.channel.floor = frame.seq
