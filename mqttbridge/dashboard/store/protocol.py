"""What a store of the dashboard's history is: the destination appends, the HTTP side reads, retention forgets.

Every engine offers these methods and these values (model.py), and passes tests/dashboard/store/test_store_contract.py.
What all of them promise:

- A point is a (series, time) pair, times being whole microseconds. Of two values at one time the later one stays,
  so a batch that is stored twice changes nothing, and delivery may repeat what it is not sure of.
- `append` returns after its points are durable; the cursor never runs ahead of them.
- A value comes back as it went in: integer, real, boolean or text.
- Every method may be called from any thread. Readers see each batch whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from mqttbridge.dashboard.store.model import BucketInfo, Column, Row, Statistics, StreamInfo, StreamKey
from mqttbridge.events import EventTuple, Position


class Store(Protocol):
    """The dashboard's history.

    Raises:
        StoreError: from every method: the store cannot be read or written now.
    """

    @property
    def cursor(self) -> Position | None:
        """How far into the spool the stored points reach; None while nothing was ever stored from one."""

    def append(
        self,
        events: Sequence[EventTuple],
        units: Mapping[StreamKey, str] | None = None,
        end: Position | None = None,
    ) -> dict[StreamKey, Column]:
        """Store the events, then move the cursor to `end`.

        Returns:
            What was stored, by stream, with its kind and unit: for those who watch.

        Raises:
            StoreError: it may be tried again.
            ValueError, OverflowError: an event cannot be stored ever; nothing of the batch was.
        """

    def made_by(self, rules: Mapping[StreamKey, str]) -> None:
        """Know which rules make streams, before their points come: a rule may say how long those are kept.

        It is known durably once a stream has a point, and remembered for those that have none yet or no more.
        """

    def maintain(self) -> None:
        """Let go of what is past its retention, a little at a time; called once a second, also when nothing comes."""

    def create_bucket(self, key: str, name: str | None = None, tags: Sequence[str] = ()) -> bool:
        """Make a bucket, or name and tag one that events made. False when it exists: the first name and tags win."""

    def buckets(self) -> list[BucketInfo]:
        """Every bucket, that with the newest point first."""

    def bucket_name(self, bucket: str) -> str | None:
        """The name a bucket is shown by; None when there is no such bucket."""

    def streams(self, bucket: str) -> list[StreamInfo]:
        """The bucket's streams by name, each with its newest value; none when there is no such bucket."""

    def latest(self) -> dict[str, list[StreamInfo]]:
        """The streams of every bucket, as `streams` gives them; buckets without a stream lack."""

    def intervals(self, bucket: str) -> dict[str, float]:
        """The usual seconds between a stream's readings, by stream; those that said too little to tell lack."""

    def points(
        self, bucket: str, streams: Collection[str], after: float, before: float | None = None, buckets: int = 600
    ) -> dict[str, Column]:
        """Points of streams (all when none is named) between two times in epoch seconds, to be drawn as lines.

        Each series is cut into at most `buckets` buckets of time, of four points at most: M4 on an absolute grid.
        Few points come as they are. The point before `after` comes along; without `before` so do points stamped in
        the future. Of a range too wide to read each point of, least and greatest come from rollups: their values
        are exact, their places right within a minute or an hour.
        """

    def statistics(
        self, bucket: str, streams: Collection[str], after: float, before: float | None = None, buckets: int = 600
    ) -> dict[str, Statistics]:
        """What each cell of time holds of numbers and booleans; without a number, no cell.

        Cells are as wide as people count (1 s, 15 min, a day), so that there are at most `buckets`, and lie on an
        absolute grid. The first and last may reach beyond `after` and `before`: cells are whole.
        """

    def rows(self, bucket: str, streams: Collection[str], after: float, before: float) -> Iterator[Sequence[Row]]:
        """Every point from `after` to before `before`, in order of time, then of stream; in batches of bounded size.

        Nothing is held between two batches but where the reading stands, so a download may take its time.
        """

    def delete_stream(self, bucket: str, stream: str) -> bool:
        """Delete a stream with all of its points. False when there is none. What comes later makes it anew."""

    def delete_bucket(self, bucket: str) -> bool:
        """Delete a bucket with its streams, name and tags. False when there is none."""

    def size(self, bucket: str | None = None) -> int:
        """Bytes on disk: of everything, or of the points of one bucket (without what is shared)."""

    def close(self) -> None:
        """Write what waits to be written, and close. After the last reader."""
