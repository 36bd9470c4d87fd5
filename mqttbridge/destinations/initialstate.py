"""Initial State's Events API, or any server that speaks it.

Two transports: `json` posts batches with their times; `url` sends one event a request as query parameters, by the
server's clock, for servers or proxies that take nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import quote

import requests
from pydantic_core import PydanticSerializationError, to_json
from urllib3.exceptions import HTTPError

from mqttbridge import __version__
from mqttbridge.config.destinations import InitialStateConfig, Transport
from mqttbridge.delivery.settlement import Accepted, BucketGone, Kept, Prepared, Refused, Settlement
from mqttbridge.destinations.base import BatchLimits, Delivery, Rate
from mqttbridge.destinations.http_exchange import in_words, masked
from mqttbridge.destinations.http_outcome import Answer, one_line, settlement_of
from mqttbridge.errors import ConfigError, Problem
from mqttbridge.events import MAX_NAME_CHARS, EventTuple, Position, Value

# urllib3 quotes whole URLs in its own messages, and with the `url` transport a URL holds the access key.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

# Buckets known to exist there; past it the oldest is created again, which a server answers with "it is there".
_MAX_KNOWN_BUCKETS: Final = 10_000
# An error page is read so far and no longer than a timeout in all.
_MAX_BODY: Final = 64 * 1024

# A bucket key may not hold : " or ', and travels in a header: printable ASCII without them stays as it is.
_KEY_SAFE: Final = "".join(c for c in map(chr, range(0x20, 0x7F)) if c not in ":\"'%")
_DIGEST_CHARS: Final = 16

# Query parameters of the `url` transport with a meaning of their own: no stream can be called so there.
_RESERVED: Final = frozenset({"accessKey", "bucketKey"})


def bucket_key(bucket: str, prefix: str = "") -> str:
    """The key of a bucket: its name after the prefix, percent-encoded where a key may not hold a character.

    Two names never share a key: `%` itself is encoded, and a key longer than allowed is cut and ends in a digest
    of the whole.
    """
    key = quote(prefix + bucket, safe=_KEY_SAFE)
    key = re.sub("^ +| +$", lambda spaces: "%20" * len(spaces[0]), key)  # a header loses them at its ends
    if len(key) <= MAX_NAME_CHARS:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGEST_CHARS]
    return f"{key[: MAX_NAME_CHARS - _DIGEST_CHARS - 1]}~{digest}"


class InitialStateDestination:
    """See `Destination`. A `send` is one request, over one connection that is kept alive.

    Args:
        name: in the configuration.
        config: its section there.
        wall: epoch seconds, for dates in answers.

    Raises:
        ConfigError: the access key or the url cannot be one.
    """

    one_bucket = True

    def __init__(self, name: str, config: InitialStateConfig, *, wall: Callable[[], float] = time.time) -> None:
        self.name = name
        self._config, self._wall = config, wall
        self._access_key = config.access_key.get_secret_value().strip()  # a secret's file ends in a line end
        _check(name, config.url, self._access_key)
        by_url = config.transport is Transport.URL
        account = hashlib.sha256(f"{config.url}\n{self._access_key}".encode()).hexdigest()
        self.limits = BatchLimits(
            max_events=1 if by_url else config.batch.max_events,
            max_bytes=config.batch.max_size,
            max_wait=config.batch.max_wait,
            rate=Rate(config.rate_limit.calls, config.rate_limit.per, account),
        )
        self._send_events = self._send_url if by_url else self._send_json
        self._create_bucket = self._create_by_url if by_url else self._create_by_json
        self._known_buckets: dict[str, None] = {}
        self._session: requests.Session | None = None
        self._settings: dict[str, Any] = {}

    def open(self) -> Position | None:
        """Make the session; nothing is sent yet. The server keeps no cursor of ours."""
        if self._session is None:
            session = requests.Session()
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            # Proxies and certificates of the environment, looked up once and not with each request.
            self._settings = dict(session.merge_environment_settings(self._config.url, {}, True, None, None))
            self._session = session
        return None

    def send(self, delivery: Delivery) -> Settlement:
        """Send the batch, or first create its bucket. All events are of one bucket."""
        bucket = delivery.events[0][0]
        try:
            if bucket not in self._known_buckets:
                return self._prepare(bucket)
            return self._send_events(bucket, delivery.events)
        except (UnicodeEncodeError, PydanticSerializationError) as error:
            return Refused(f"holds text that is no Unicode: {one_line(str(error))}")

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    # --- buckets -------------------------------------------------------------------------------------------

    def _prepare(self, bucket: str) -> Settlement:
        match settlement := self._create_bucket(bucket):
            case Accepted(quiet):
                if len(self._known_buckets) >= _MAX_KNOWN_BUCKETS:
                    del self._known_buckets[next(iter(self._known_buckets))]
                self._known_buckets[bucket] = None
                return Prepared(quiet)
            case Refused(detail, reason):
                # It is the bucket that is at fault, so there is nothing to find by halving the batch.
                return BucketGone(bucket, detail, reason)
            case _:
                return settlement

    def _create_by_json(self, bucket: str) -> Settlement:
        body = to_json({"bucketKey": self._key_of(bucket), "bucketName": bucket[:MAX_NAME_CHARS]})
        return self._request("POST", "/buckets", bucket, body=body)

    def _create_by_url(self, bucket: str) -> Settlement:
        query = {**self._keys(bucket), "bucketName": bucket[:MAX_NAME_CHARS]}
        return self._request("POST", "/buckets", bucket, query=query)

    # --- events --------------------------------------------------------------------------------------------

    def _send_json(self, bucket: str, events: Sequence[EventTuple]) -> Settlement:
        body = to_json([{"key": key, "value": value, "epoch": epoch} for _, key, value, epoch in events])
        if len(body) > self.limits.max_bytes and len(events) > 1:
            return Refused("the batch is larger than max_size")  # halved without asking the server
        return self._request("POST", "/events", bucket, body=body)

    def _send_url(self, bucket: str, events: Sequence[EventTuple]) -> Settlement:
        ((_, stream, value, _),) = events
        if stream in _RESERVED:
            return Refused(f"a stream named {stream!r} cannot be sent with `transport: url`")
        return self._request("GET", "/events", bucket, query={**self._keys(bucket), stream: _as_text(value)})

    # --- one request ---------------------------------------------------------------------------------------

    def _request(
        self, method: str, path: str, bucket: str, *, query: dict[str, str] | None = None, body: bytes | None = None
    ) -> Settlement:
        headers = {"Accept-Version": "~0", "User-Agent": f"mqttbridge/{__version__}", "Accept-Encoding": "identity"}
        if query is None:
            headers |= {
                "X-IS-AccessKey": self._access_key,
                "X-IS-BucketKey": self._key_of(bucket),
                "Content-Type": "application/json",
            }
        request = requests.Request(method, self._config.url + path, headers, None, body, query).prepare()
        try:
            answer = self._exchange(request)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return Kept(self._masked(in_words(error, self._config.timeout)))
        return settlement_of(answer, bucket=bucket, now=self._wall(), quota_pause=self._config.quota_pause)

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        if self._session is None:
            raise RuntimeError("send() before open()")
        timeout = self._config.timeout
        deadline = time.monotonic() + timeout
        with self._session.send(request, timeout=timeout, allow_redirects=False, **self._settings) as response:
            body = bytearray()
            # The status is the answer, whatever becomes of the words after it.
            with suppress(requests.RequestException, HTTPError, OSError):
                # Byte by byte out of a buffer, since a larger read waits until all of it has trickled in; answers
                # are empty when all is well. Leaving early closes the connection.
                for byte in response.iter_content(1):
                    body += byte
                    if len(body) >= _MAX_BODY or time.monotonic() > deadline:
                        break
        text = self._masked(body.decode(errors="replace"))
        return Answer(response.status_code, response.headers, text.encode())

    # --- keys ----------------------------------------------------------------------------------------------

    def _key_of(self, bucket: str) -> str:
        return bucket_key(bucket, self._config.bucket_prefix)

    def _keys(self, bucket: str) -> dict[str, str]:
        return {"accessKey": self._access_key, "bucketKey": self._key_of(bucket)}

    def _masked(self, text: str) -> str:
        """The text without our access key, which errors and error pages like to repeat."""
        return masked(text, self._access_key)


def _check(name: str, url: str, access_key: str) -> None:
    problems = []
    if not access_key or not access_key.isascii() or not access_key.isprintable():
        problems.append(("access_key", "is empty or holds characters that no access key has"))
    try:
        requests.Request("POST", url).prepare()
    except (requests.RequestException, ValueError) as error:
        problems.append(("url", f"cannot be used: {one_line(str(error))}"))
    if problems:
        path = f"destinations.{name}"
        raise ConfigError([Problem("configuration", 0, f"{path}.{key}", what) for key, what in problems])


def _as_text(value: Value) -> str:
    """A value as a query parameter: booleans as JSON writes them, numbers as Python does."""
    return str(value).lower() if isinstance(value, bool) else str(value)
