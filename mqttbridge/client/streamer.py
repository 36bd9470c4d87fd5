"""`Streamer`: log values from any Python program, and lose none. A drop-in for `ISStreamer.Streamer.Streamer`.

    from mqttbridge import Streamer

    with Streamer(bucket_name="Kitchen", bucket_key="kitchen", url="http://127.0.0.1:8080") as streamer:
        streamer.log("temperature", 21.5)

Whatever the original takes is taken. docs/coming-from.md says what is better.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, Final, Self

from mqttbridge.client import ini, values
from mqttbridge.client.leftovers import DEFAULT_FILE, Leftovers
from mqttbridge.client.objects import fields_of
from mqttbridge.client.offline import CsvFile
from mqttbridge.client.parcels import Bucket, Logged
from mqttbridge.client.pending import LONG_TEXT
from mqttbridge.client.posting import API_VERSION, EventsApi
from mqttbridge.client.shipping import Shipper, Stats
from mqttbridge.events import INT64_MAX, INT64_MIN, MAX_NAME_CHARS

log = logging.getLogger("mqttbridge.client")

# Some 15 MB of numbers. Beyond it the file takes what waits, so a long outage costs disk and no memory.
MAX_PENDING: Final = 100_000
# At the end of a program: long enough for a slow network, short enough for a person who pressed Ctrl-C.
CLOSE_TIMEOUT: Final = 10.0
FLUSH_TIMEOUT: Final = 30.0
# The year 5138 in seconds: whoever sends more counts in milliseconds.
_NOT_SECONDS: Final = 1e11


class Streamer:
    """Sends events to a bucket, from any thread, and keeps what cannot be sent.

    Args:
        bucket_name: what the dashboard shows; by default the ini file's `default_bucket`.
        bucket_key: which bucket; a random one by default.
        access_key: by default the ini file's; may be empty where the server asks for none.
        ini_file_location: by default ~/isstreamer.ini or ./isstreamer.ini, if there is either.
        debug_level: what is printed: 1 each event, 2 requests, 3 answers. It changes nothing else; keys never show.
        buffer_size: events in a batch.
        offline: write a CSV file instead of sending; by default the ini file's `offline_mode`.
        use_async: false makes the `log` that fills a batch wait until the batch is out.
        url: the server; by default the ini file's `stream_api_base`, or https://groker.init.st.
        max_wait: seconds an event may wait for its batch to fill.
        spool: the file for what cannot be delivered; None is no file. Made when first needed. Programs may share it.
        max_pending: events held in memory; more go to the file, as do texts of more than 16 MB in all.
        timeout: seconds to wait for a server's answer.

    Raises:
        ConfigError: the ini file is missing or wrong.
        ValueError: an argument cannot be used.
    """

    ApiVersion = API_VERSION

    def __init__(  # noqa: PLR0917  # the original's signature
        self,
        bucket_name: str = "",
        bucket_key: str = "",
        access_key: str = "",
        ini_file_location: str | os.PathLike[str] | None = None,
        debug_level: int = 0,
        buffer_size: int = 10,
        offline: bool | None = None,
        use_async: bool = True,
        *,
        url: str = "",
        max_wait: float = 5.0,
        spool: str | os.PathLike[str] | None = DEFAULT_FILE,
        max_pending: int = MAX_PENDING,
        timeout: float = 20.0,
    ) -> None:
        if buffer_size < 1 or max_pending < 1 or not max_wait >= 0 or not timeout > 0:
            raise ValueError("buffer_size, max_pending and timeout are positive, max_wait is not negative")
        settings = ini.read_ini(ini_file_location)
        self._printer = _Printer(debug_level)
        self._base, self._access_key = url or settings.base, access_key or settings.access_key
        self._buffer_size, self._max_wait, self._max_pending = buffer_size, max_wait, max(max_pending, buffer_size)
        self._timeout = timeout
        self._spool = Path(spool).expanduser().absolute() if spool is not None else None
        self.Offline = settings.offline if offline is None else bool(offline)
        self.Async = bool(use_async)
        self.IsClosed = False
        self._bad_epoch_said = False
        self._csv = CsvFile(settings.offline_file) if self.Offline else None
        self._shipper: Shipper | None = None
        self._opening = threading.Lock()
        self._bucket = _bucket(bucket_name or settings.default_bucket, bucket_key)
        if self._csv is None:
            self._open().announce(self._bucket)
        else:
            self._printer.tell(0, f"Working in offline mode: events go to {self._csv.path}")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, **arguments: Any) -> Self:
        """A Streamer by the environment: `STREAMER_URL`, `STREAMER_ACCESS_KEY`, `STREAMER_BUCKET_KEY`,
        `STREAMER_BUCKET_NAME`, `STREAMER_BUFFER_SIZE` and `STREAMER_SPOOL`, each optional; arguments win.

        Raises:
            ConfigError, ValueError: as the constructor.
        """  # noqa: D205  # the variables are the summary
        found: dict[str, Any] = {
            name: value
            for name in ("url", "access_key", "bucket_key", "bucket_name", "buffer_size", "spool")
            if (value := environ.get(f"STREAMER_{name.upper()}"))
        }
        if "buffer_size" in found:
            try:
                found["buffer_size"] = int(found["buffer_size"])
            except ValueError:
                raise ValueError(f"STREAMER_BUFFER_SIZE is a number (got {found['buffer_size']!r})") from None
        return cls(**(found | arguments))

    # --- logging -------------------------------------------------------------------------------------------

    def log(self, key: str, value: Any, epoch: float | datetime | None = None) -> None:
        """Queue an event for the current bucket. Takes a microsecond and never waits for the network.

        The call that finds memory full puts all of it into the file, which takes as long as the disk does.

        Args:
            key: the stream, up to 250 characters.
            value: a number, boolean or text of up to 2000 characters.
            epoch: when it was, in seconds since 1970; now by default.

        Raises:
            TypeError, ValueError: it could never be delivered: NaN, infinite, too long, no value at all. Nothing
                is queued.
        """
        # Nearly every call is a short text and a finite number: they are spared the calls.
        kind = type(value)
        if kind is float:
            if not isfinite(value):
                values.storable(key, value)
        elif kind is int:
            if not INT64_MIN <= value <= INT64_MAX:
                values.storable(key, value)
        elif kind is not bool:
            value = values.storable(key, value)
            if isinstance(value, str) and len(value) > LONG_TEXT and self._shipper is not None:
                self._shipper.pending.expect_text(len(value))
        if type(key) is not str or not key.isascii() or not 0 < len(key) <= MAX_NAME_CHARS:
            key = values.stream_name(key)
        event = (self._bucket, key, value, time.time() if epoch is None else self._seconds(epoch))
        if self._printer.level:
            self._printer.event(event)
        shipper = self._shipper
        if shipper is None:
            self._log_elsewhere(event)
            return
        shipper.pending.add(event)
        if not self.Async and len(shipper.pending.memory) >= self._buffer_size:
            shipper.flush(FLUSH_TIMEOUT)

    def log_object(self, obj: Any, key_prefix: str | None = None, epoch: float | datetime | None = None) -> None:
        """Log the fields of an object, all at one time: all of them or, on an error, none.

        A mapping `{"a": 1}` is `dict_a`, a list `list_0`, anything with fields or properties `ClassName_field`;
        what is nested goes on the same way, as `dict_a_b`.

        Args:
            obj: a mapping, sequence, named tuple, dataclass, pydantic model, attrs class, or any object.
            key_prefix: instead of the class's name; "" is no prefix.
            epoch: as `log` has it.

        Raises:
            TypeError, ValueError: a field could never be delivered, or `obj` has none.
        """
        when = time.time() if epoch is None else self._seconds(epoch)
        fields = [(values.stream_name(key), values.storable(key, value)) for key, value in fields_of(obj, key_prefix)]
        for key, value in fields:
            self.log(key, value, when)

    def flush(self, timeout: float = FLUSH_TIMEOUT) -> bool:
        """Send what was logged so far, and wait for it.

        Returns false when the server does not take it now or not within `timeout` seconds: it is kept, and goes
        out as soon as it can.
        """
        shipper = self._shipper
        return shipper is None or shipper.flush(timeout)

    def close(self, timeout: float = CLOSE_TIMEOUT) -> Stats | None:
        """Deliver what waits, for `timeout` seconds at most. What is left goes to the spool file, and is said.

        As with the original, a Streamer that was closed may be used again. Returns how it ended; None offline.
        """
        self.IsClosed = True
        if self._csv is not None:
            self._csv.close()
        if self._shipper is None:
            return None
        self._finalizer.detach()
        shipper, self._shipper = self._shipper, None
        return _close(shipper, self._spool, timeout)

    def stats(self) -> Stats | None:
        """How it stands; None offline or closed."""
        return None if self._shipper is None else self._shipper.stats()

    # --- buckets -------------------------------------------------------------------------------------------

    def set_bucket(self, bucket_name: str = "", bucket_key: str | None = "", retries: int = 3) -> None:  # noqa: ARG002
        """Log into another bucket from now on; what was logged before stays where it was meant to go.

        Args:
            bucket_name: what the dashboard shows.
            bucket_key: which one; a new random one by default.
            retries: taken, as the original takes it, for nothing.

        Raises:
            ValueError: there are no such buckets.
        """
        self._bucket = _bucket(bucket_name, bucket_key)
        if self._shipper is not None:
            self._shipper.announce(self._bucket)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Streamer(bucket_key={self.BucketKey!r}, url={self.StreamApiBase!r})"

    # --- what programs touch -------------------------------------------------------------------------------

    @property
    def BucketKey(self) -> str:  # noqa: N802  # the original's names, here and below
        """The key of the bucket that is logged into; set it to log into another of the same name."""
        return self._bucket.key

    @BucketKey.setter
    def BucketKey(self, key: str) -> None:  # noqa: N802
        self.set_bucket(self._bucket.name, key)

    @property
    def BucketName(self) -> str:  # noqa: N802
        """The name of the bucket that is logged into."""
        return self._bucket.name

    @BucketName.setter
    def BucketName(self, name: str) -> None:  # noqa: N802
        self.set_bucket(name, self._bucket.key)

    @property
    def AccessKey(self) -> str:  # noqa: N802
        """The access key, in clear: do not print it. May be set."""
        return self._access_key

    @AccessKey.setter
    def AccessKey(self, key: str) -> None:  # noqa: N802
        self._access_key = key
        self._move()

    @property
    def StreamApiBase(self) -> str:  # noqa: N802
        """Where events go: scheme, host and port. May be set."""
        return self._base

    @StreamApiBase.setter
    def StreamApiBase(self, url: str) -> None:  # noqa: N802
        self._base = url
        self._move()

    @property
    def BufferSize(self) -> int:  # noqa: N802
        """Events in a batch; may be changed at any time."""
        return self._buffer_size

    @BufferSize.setter
    def BufferSize(self, size: int) -> None:  # noqa: N802
        if size < 1:
            raise ValueError("a batch holds at least one event")
        self._buffer_size = size
        if self._shipper is not None:
            self._shipper.buffer_size = size

    @property
    def DebugLevel(self) -> int:  # noqa: N802
        """What is printed; see the constructor."""
        return self._printer.level

    @DebugLevel.setter
    def DebugLevel(self, level: int) -> None:  # noqa: N802
        self._printer.level = level

    @property
    def LogQueue(self) -> deque[Logged]:  # noqa: N802
        """A copy of what waits in memory: (bucket, stream, value, epoch), the oldest first."""
        return deque() if self._shipper is None else self._shipper.pending.memory.copy()

    # --- the less usual ways -------------------------------------------------------------------------------

    def _open(self) -> Shipper:
        api = EventsApi(self._base, self._access_key, timeout=self._timeout, tell=self._printer.tell)
        self._base = api.base
        leftovers = Leftovers(self._spool) if self._spool is not None else None
        if self._spool is not None and not os.access(self._spool.parent, os.W_OK):
            log.warning("%s cannot be written: name another file by `spool`", self._spool)
        shipper = Shipper(
            api, leftovers, buffer_size=self._buffer_size, max_wait=self._max_wait, max_pending=self._max_pending
        )
        shipper.start()
        # Also at the interpreter's end. It must not hold the Streamer itself, or that would never be collected.
        self._finalizer = weakref.finalize(self, _close, shipper, self._spool, CLOSE_TIMEOUT)
        self._shipper, self.IsClosed = shipper, False
        return shipper

    def _log_elsewhere(self, event: Logged) -> None:
        """Offline, or after `close`."""
        if self._csv is not None:
            _, stream, value, epoch = event
            self._csv.add(stream, value, epoch)
            self.IsClosed = False
            return
        with self._opening:
            shipper = self._shipper or self._open()
        shipper.pending.add(event)

    def _move(self) -> None:
        """Address or key were changed: what was logged before goes out as it was meant to."""
        if self._csv is None:
            self.close()
            self._open().announce(self._bucket)

    def _seconds(self, epoch: Any) -> float:
        """A time given by the caller. One that cannot be is now, as with the original, but said."""
        if isinstance(epoch, datetime):
            return (epoch if epoch.tzinfo else epoch.astimezone()).timestamp()
        try:
            seconds = float(epoch)
        except (TypeError, ValueError, OverflowError):
            seconds = float("nan")
        if abs(seconds) < _NOT_SECONDS:  # false for NaN
            return seconds
        if not self._bad_epoch_said:
            kind = type(epoch).__name__
            log.warning("an epoch (%s, %g) is no time in seconds since 1970: the present is used", kind, seconds)
            self._bad_epoch_said = True
        return time.time()


def _bucket(name: str, key: str | None) -> Bucket:
    return Bucket(values.bucket_key(key or str(uuid.uuid4())), values.bucket_name(name))


class _Printer:
    """What `debug_level` shows, on standard output as the original does."""

    def __init__(self, level: int) -> None:
        self.level = level

    def tell(self, level: int, text: str) -> None:
        if self.level >= level:
            print(text, flush=True)  # noqa: T201  # that is what it is for

    def event(self, event: Logged) -> None:
        _, stream, value, epoch = event
        try:
            when = f"{datetime.fromtimestamp(epoch, UTC).astimezone():%Y-%m-%d %H:%M:%S.%f}"
        except (ValueError, OverflowError, OSError):  # a time before all calendars is a time
            when = f"{epoch:f}"
        self.tell(1, f"{when}: {stream} {value}")


def _close(shipper: Shipper, spool: Path | None, timeout: float) -> Stats:
    stats = shipper.close(timeout)
    if stats.kept:
        log.warning(
            "%d events are not delivered (%s). They are in %s: the next Streamer there sends them, "
            "or `mqttbridge spool replay %s`",
            stats.kept,
            stats.trouble or "not enough time",
            spool,
            spool,
        )
    if stats.dropped:
        log.error("%d events are lost: they could not be kept (%s)", stats.dropped, stats.trouble)
    return stats
