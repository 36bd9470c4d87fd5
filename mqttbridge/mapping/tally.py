"""What each rule has taken so far, for whoever watches the bridge: a few stores a message, nothing more."""

from __future__ import annotations

from typing import Final


class Tally:
    """One rule's messages. The ingest loop writes it, anybody may read it.

    Attributes:
        rule: its name; of devices that announce their rules, what they all are called.
        filter: what it subscribes to; empty for theirs.
        messages: how many it took, since the process started.
        rejected: how many of them it rejected.
        topic: of the last of them; empty before the first.
        at: when that came, epoch seconds.
    """

    __slots__ = ("at", "filter", "messages", "rejected", "rule", "topic")

    def __init__(self, rule: str, filter_: str = "") -> None:
        self.rule, self.filter = rule, filter_
        self.messages = self.rejected = 0
        self.topic = b""
        self.at = 0.0


# Of routes that nobody counts: those that tools try, and those that stand within another route.
UNCOUNTED: Final = Tally("")
