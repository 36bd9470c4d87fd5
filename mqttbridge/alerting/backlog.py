"""What the store has and the rules have not seen: after a start, a crash, or more than evaluation could follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from mqttbridge.alerting.engine import Engine, Entry, Outcomes
from mqttbridge.alerting.matching import StreamKey, pair_of, stars_of
from mqttbridge.dashboard.store import Kind, Store, StreamInfo
from mqttbridge.dashboard.store.model import MICROSECONDS

# Into how many buckets of time what was missed is cut at most, each of four points (M4).
_BUCKETS: Final = 10_000
_MICROSECOND: Final = 1e-6


class Backlog:
    """Works what is stored through the rules. Used under its owner's lock; StoreError when it cannot be read now."""

    def __init__(self, store: Store, engine: Engine, clock: Callable[[], float]) -> None:
        self._store, self._engine, self._clock = store, engine, clock

    def catch_up(
        self, entries: Iterable[Entry], new_since: Callable[[StreamKey], float | None], made: Outcomes
    ) -> None:
        """Evaluate what the store has and the rules have not seen.

        Of streams that are new to a rule, what came since `new_since`, and the last value at least.
        """
        entries = [entry for entry in entries if entry.rule.enabled]
        if not entries:
            return
        for bucket in [one.key for one in self._store.buckets()]:
            concerned = [entry for entry in entries if stars_of(entry.rule.bucket, bucket) is not None]
            for info in self._store.streams(bucket) if concerned else ():
                key = (bucket, info.stream)
                for entry in concerned:
                    if stars_of(entry.rule.stream, info.stream) is None or not self._engine.has_room(entry, key):
                        continue
                    state = entry.states.get(key)
                    if state is None or state.last is None:
                        self._begin(entry, key, info, new_since(key), made)
                    elif info.last.epoch > state.last:
                        self._evaluate_since(entry, key, info, state.last, made)

    def _begin(self, entry: Entry, key: StreamKey, info: StreamInfo, since: float | None, made: Outcomes) -> None:
        last = info.last
        if (since is not None and since < last.epoch) or pair_of(entry.rule, info.stream) is not None:
            after = last.epoch if since is None else min(since, last.epoch)
            self._evaluate_since(entry, key, info, after - _MICROSECOND, made)
        else:  # by far the most of them, and each look into the store would cost milliseconds
            self._engine.batch([(key, [(last.epoch, last.value)])], self._clock(), made, only=entry)

    def _evaluate_since(self, entry: Entry, key: StreamKey, info: StreamInfo, after: float, made: Outcomes) -> None:
        bucket, stream = key
        pair = pair_of(entry.rule, stream)
        if pair is None and info.kind is Kind.TEXT:
            # Every one: of texts a line shows but the newest, and any of them may be the one that is looked for.
            for rows in self._store.rows(bucket, [stream], after, info.last.epoch + 1):
                points = [(at / MICROSECONDS, value) for at, _, value in rows if at / MICROSECONDS > after]
                self._engine.batch([(key, points)], self._clock(), made, only=entry)
            return
        names = [stream] if pair is None else [stream, pair]
        columns = self._store.points(bucket, names, after, None, _BUCKETS)
        batch = [
            ((bucket, name), [point for point in zip(column.epochs, column.values, strict=True) if point[0] > after])
            for name, column in columns.items()
        ]
        self._engine.batch(batch, self._clock(), made, only=entry)
