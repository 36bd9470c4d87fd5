"""What is too old goes: whole files when their time is over, and a little at a time what is to go sooner.

What is past its retention is not shown from that moment on, though its file may stay for the rest of its span. Of
buckets that are kept for a shorter time than others the chunks are deleted, some at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from mqttbridge.dashboard.store.catalogue import Catalogue
from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.dashboard.store.rollup import HOUR
from mqttbridge.dashboard.store.series import NEVER, Series

if TYPE_CHECKING:
    from mqttbridge.dashboard.store.span import Span

SECONDS_BETWEEN: Final = 1.0
SERIES_PER_SWEEP: Final = 2000
# Chunks of a series that are deleted in one transaction: 4 MB of file, some 20 ms.
CHUNKS_PER_SWEEP: Final = 1000


T = TypeVar("T")


class Swept(Protocol):
    """What retention asks of the store; all of it under the store's lock."""

    @property
    def spans(self) -> Sequence[Span]: ...
    @property
    def catalogue(self) -> Catalogue: ...
    def drop(self, span: Span) -> None: ...
    def sweep(self, span: Span, ids: Sequence[int], cutoff: int, limit: int) -> int: ...
    def forget(self, series: Sequence[Series]) -> None: ...


class Retention:
    """How long points are kept.

    Args:
        keep: seconds; 0 keeps them for ever.
        by: seconds for buckets that match a pattern; the first that matches counts.
        by_rule: seconds for streams that a rule makes, by its name; these go before those of their bucket.
    """

    def __init__(self, keep: float, by: Mapping[str, float], by_rule: Mapping[str, float] | None = None) -> None:
        self._keep, self._by, self._by_rule = keep, dict(by), dict(by_rule or {})
        every = (keep, *by.values(), *self._by_rule.values())
        self.longest = 0.0 if 0 in every else max(every)
        self._shortest = min(filter(None, every), default=0.0)
        self._due = 0.0
        self._round: list[Series] = []
        self._spans: list[Span] = []
        self._swept: dict[Span, int] = {}  # in which hour a span had nothing left to go
        self._seconds_of = lru_cache(maxsize=4096)(self._look_up)

    def floor(self, bucket: str, now: float, rule: str = "") -> int:
        """The time, in microseconds, before which points of the bucket, or of a rule's stream, are past retention."""
        keep = self._by_rule.get(rule) if rule else None
        if keep is None:
            keep = self._seconds_of(bucket) if self._by else self._keep
        return int((now - keep) * MICROSECONDS) if keep else NEVER

    def latest_floor(self, now: float) -> int:
        """The time, in microseconds, from which on nothing is past its retention, whatever its bucket and rule."""
        return int((now - self._shortest) * MICROSECONDS) if self._shortest else NEVER

    def parted(self, series: Iterable[T], of: Callable[[T], tuple[str, str]], now: float) -> list[tuple[int, list[T]]]:
        """Series by the time before which they are past their retention: of a bucket mostly one.

        Args:
            series: of any engine.
            of: a series' bucket and rule.
            now: epoch seconds.
        """
        found: dict[int, list[T]] = {}
        for one in series:
            bucket, rule = of(one)
            found.setdefault(self.floor(bucket, now, rule), []).append(one)
        return list(found.items())

    def sweep(self, store: Swept, now: float) -> None:
        """Delete some of what is too old, at most once a second."""
        if not (self._keep or self._by or self._by_rule) or self._due - SECONDS_BETWEEN <= now < self._due:
            return  # a time before that is of a clock that was set back
        self._due = now + SECONDS_BETWEEN
        if self.longest:
            for span in [one for one in store.spans if one.end <= (now - self.longest) * MICROSECONDS]:
                store.drop(span)
        self._forget_series(store, now)
        if self._by or self._by_rule:
            self._sweep_span(store, now)

    def _forget_series(self, store: Swept, now: float) -> None:
        """Series go with their last point."""
        if not self._round:
            self._round = store.catalogue.all()
        some, self._round = self._round[:SERIES_PER_SWEEP], self._round[SERIES_PER_SWEEP:]
        gone = [
            one
            for one in some
            if one.newest < self.floor(one.key[0], now, one.rule) and store.catalogue.series(one.id) is one
        ]
        if gone:
            store.forget(gone)

    def _sweep_span(self, store: Swept, now: float) -> None:
        """Of one span a second, what is to go before its file does."""
        if not self._spans:
            self._spans = list(store.spans)
        if not self._spans:
            return
        span = self._spans.pop()
        if span not in store.spans:
            return
        hour = int(now // 3600)
        if self._swept.get(span) == hour:
            return
        whole = int((now - self.longest) * MICROSECONDS) if self.longest else NEVER
        is_done = True
        for cutoff, series in self.parted(store.catalogue.all(), bucket_and_rule, now):
            # By whole hours, so that the rollups that chunks share go together.
            if cutoff > max(whole, span.start):
                deleted = store.sweep(span, [one.id for one in series], cutoff // HOUR * HOUR, CHUNKS_PER_SWEEP)
                is_done = is_done and deleted < CHUNKS_PER_SWEEP
        if is_done:
            self._swept = {one: at for one, at in self._swept.items() if one in store.spans} | {span: hour}

    def _look_up(self, bucket: str) -> float:
        return next((keep for pattern, keep in self._by.items() if fnmatchcase(bucket, pattern)), self._keep)


def bucket_and_rule(series: Series) -> tuple[str, str]:
    """What says how long a series of the files is kept."""
    return series.key[0], series.rule
