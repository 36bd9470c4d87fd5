"""One feed a bucket in this process: made for the first who looks on, ended when the last has left."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from functools import partial
from typing import Final

from mqttbridge.client.live.dashboard import Address
from mqttbridge.client.live.feed import Feed
from mqttbridge.client.live.subscription import Subscription

_feeds: Final[dict[tuple[Address, str], Feed]] = {}
_registry = threading.Lock()


def subscribe(
    address: Address, bucket: str, streams: Collection[str], *, backlog: int = 1000, history: float = 3600.0
) -> Subscription:
    """Look on at some streams of a bucket. All in this process who do share one connection; `close` ends it.

    Args:
        address: the dashboard.
        bucket: its key.
        streams: their names; at least one.
        backlog: how many points of each are kept.
        history: seconds of the past to begin with. A stream that has more than twice as many points in them as the
            backlog, or than 600 if that is more, begins thinned to its shape.
    """
    with _registry:
        feed = _feeds.get((address, bucket))
        if feed is None:
            feed = _feeds[address, bucket] = Feed(address, bucket)
        subscription = Subscription(feed, streams, backlog, history, partial(_leave, feed))
        feed.join(subscription)
    return subscription


def _leave(feed: Feed, subscription: Subscription) -> None:
    with _registry:
        if not feed.leave(subscription):
            return
        if _feeds.get((feed.address, feed.bucket)) is feed:
            del _feeds[feed.address, feed.bucket]
    feed.stop()


def _after_fork() -> None:
    """A forked child has none of the threads: who looks on there begins anew."""
    global _registry  # noqa: PLW0603  # the parent's may be held for ever
    _registry = threading.Lock()
    _feeds.clear()


os.register_at_fork(after_in_child=_after_fork)
