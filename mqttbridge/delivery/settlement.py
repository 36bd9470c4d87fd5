"""What a destination says of a batch: accepted, refused for good, or kept for later.

Refused for good is bisected by the uploader down to the single event that is at fault; kept means nothing is
settled, the events stay in the spool and are sent again. Whatever is not known to be accepted or refused is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from mqttbridge.events import Reason


@dataclass(frozen=True, slots=True)
class Accepted:
    """Every event of the batch is there.

    Attributes:
        quiet: seconds in which the destination wants nothing more, because a rate limit is spent or to catch its
            breath; 0 is none.
    """

    quiet: float = 0.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request was needed first (a bucket had to be created) and went well: send the batch again.

    A `send` is one request at most, so that each is counted and paced alike.

    Attributes:
        quiet: as `Accepted.quiet`.
    """

    quiet: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """The batch will never be taken as it is: halve it, or reject it when it is one event.

    Attributes:
        detail: the server's words, for the Rejected row and the log.
        reason: how the Rejected row is labelled.
    """

    detail: str
    reason: Reason = Reason.REFUSED


@dataclass(frozen=True, slots=True)
class BucketGone:
    """The destination will not take this bucket: its events are rejected from now on, said once.

    Only for destinations whose batches are of one bucket.

    Attributes:
        bucket: our name of it.
        detail: the server's words.
        reason: how the Rejected rows are labelled.
    """

    bucket: str
    detail: str
    reason: Reason = Reason.BUCKET_REMOVED


@dataclass(frozen=True, slots=True)
class Kept:
    """Nothing was settled; try again later.

    Attributes:
        detail: what happened, in words for the log and the status page.
        retry_after: seconds the server asked us to wait, if it did.
        pause: true where trying again soon is pointless (401, 402, 403): the destination is `paused`, not
            `retrying`, and an operator is told.
    """

    detail: str
    retry_after: float | None = None
    pause: bool = False


Settlement: TypeAlias = Accepted | Prepared | Refused | BucketGone | Kept
