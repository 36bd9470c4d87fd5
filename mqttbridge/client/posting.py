"""Requests to an Events API: one try each, and what the answer means. Nothing here raises for what a network does."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from pydantic_core import to_json
from urllib3.exceptions import HTTPError

from mqttbridge import __version__
from mqttbridge.client.parcels import Bucket, Parcel
from mqttbridge.delivery.settlement import Kept, Refused, Settlement
from mqttbridge.destinations.http_exchange import in_words, masked
from mqttbridge.destinations.http_outcome import Answer, settlement_of

# The API's limit is 1 MB, headers not counted.
MAX_BODY: Final = 950_000
# After 402 nothing helps but time or money: often enough to notice either.
_QUOTA_PAUSE: Final = 600.0
# An error page is read so far and no longer than a timeout in all.
_MAX_ANSWER: Final = 64 * 1024

API_VERSION: Final = "<=0.0.4"


class EventsApi:
    """One account at one server, over one connection that is kept alive. Used by one thread.

    Args:
        base: scheme, host and port; the path of a proxy may follow, and `/api` is understood.
        access_key: may be empty where the server asks for none.
        timeout: seconds for a connection, and for each wait for an answer.
        tell: hears of requests (level 2) and the words of answers (level 3); never of a key.

    Raises:
        ValueError: the base is no URL, or the key holds characters that no key has. The key is not told.
    """

    def __init__(
        self, base: str, access_key: str, *, timeout: float = 20.0, tell: Callable[[int, str], None] | None = None
    ) -> None:
        self.base = base.strip().rstrip("/").removesuffix("/api")
        self.access_key = access_key.strip()
        self._timeout, self._tell = timeout, tell or (lambda _level, _text: None)
        parts = urlsplit(self.base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"url must be like http://host:port (got {base!r})")
        if not self.access_key.isascii() or not (self.access_key.isprintable() or not self.access_key):
            raise ValueError("access_key holds characters that no access key has")
        # urllib3 would take credentials in the URL for the key's place and show them in errors.
        if parts.username is not None:
            raise ValueError("url must not hold a user or password; access_key is the way")
        self._session: requests.Session | None = None
        self._settings: dict[str, Any] = {}

    @property
    def account(self) -> str:
        """Tells accounts apart without showing their keys: events that wait belong to one."""
        return hashlib.sha256(f"{self.base}\n{self.access_key}".encode()).hexdigest()[:32]

    def create(self, bucket: Bucket) -> Settlement:
        """Create the bucket; one that is there already is as good."""
        return self._post("/api/buckets", bucket, to_json({"bucketKey": bucket.key, "bucketName": bucket.name}))

    def send(self, parcel: Parcel) -> Settlement:
        """Send the events of a parcel."""
        if len(parcel.body) > MAX_BODY and parcel.events > 1:
            return Refused("larger than a request may be")  # halved without asking the server
        return self._post("/api/events", parcel.bucket, parcel.body)

    def close(self) -> None:
        """Let go of the connection; a later request makes a new one."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def after_fork(self) -> None:
        """In a forked child: the connection is the parent's, so let go of it without a word."""
        self._session = None

    def _post(self, path: str, bucket: Bucket, body: bytes) -> Settlement:
        headers: dict[str, str | bytes] = {
            "Content-Type": "application/json",
            "User-Agent": f"mqttbridge/{__version__}",
            "Accept-Version": API_VERSION,
            "Accept-Encoding": "identity",
            "X-IS-BucketKey": bucket.key.encode(),
        }
        if self.access_key:
            headers["X-IS-AccessKey"] = self.access_key
        self._tell(2, f"POST {self.base}{path}, {len(body)} bytes, bucket {bucket.key!r}")
        try:
            answer = self._exchange(requests.Request("POST", self.base + path, headers, data=body).prepare())
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            settlement: Settlement = Kept(self._masked(in_words(error, self._timeout)))
            self._tell(2, f"no answer: {settlement}")
            return settlement
        self._tell(2, f"answer {answer.status}")
        self._tell(3, f"its words: {answer.body.decode(errors='replace')!r}")
        return settlement_of(answer, bucket=bucket.key, now=time.time(), quota_pause=_QUOTA_PAUSE)

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        deadline = time.monotonic() + self._timeout
        session = self._session or self._connect()
        with session.send(request, timeout=self._timeout, allow_redirects=False, **self._settings) as response:
            body = bytearray()
            # The status is the answer, whatever becomes of the words after it. A byte at a time out of a buffer:
            # a larger read would wait until all of it has trickled in.
            with suppress(requests.RequestException, HTTPError, OSError):
                for byte in response.iter_content(1):
                    body += byte
                    if len(body) >= _MAX_ANSWER or time.monotonic() > deadline:
                        break
        return Answer(response.status_code, response.headers, self._masked(body.decode(errors="replace")).encode())

    def _connect(self) -> requests.Session:
        session = requests.Session()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        # Proxies and certificates of the environment, looked up once and not with each request.
        self._settings = dict(session.merge_environment_settings(self.base, {}, True, None, None))
        self._session = session
        return session

    def _masked(self, text: str) -> str:
        """The text without our key, which errors and error pages like to repeat."""
        return masked(text, self.access_key)
