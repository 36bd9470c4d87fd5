"""The dashboard's own API as a program reads it: one bucket's points, latest values and live stream."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from mqttbridge import __version__
from mqttbridge.client.live.points import Column, Latest, Malformed, read_latest, read_points
from mqttbridge.destinations.http_exchange import masked
from mqttbridge.destinations.http_outcome import Answer, one_line, retry_after
from mqttbridge.sources.http_client import Endless, HttpClient, NoAnswer

TIMEOUT: Final = 10.0
# The server sends a comment every 15 s.
SILENCE: Final = 40.0
# The server's bound of an answer is some 400,000 values.
MAX_ANSWER: Final = 64 * 2**20
_ADVICE: Final = {
    401: "a token is needed, or this one is not known: see http.view_tokens",
    403: "this token may not read here: see http.view_tokens",
}


@dataclass(frozen=True, slots=True)
class Address:
    """A dashboard and what opens it.

    Args:
        url: such as `http://127.0.0.1:8080`; the path of a proxy may follow.
        token: a view token, or a write key; empty where none is asked for.

    Raises:
        ValueError: it is no such URL, or the token holds characters that no token has. The token is not told.
    """

    url: str
    token: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"url must be like http://127.0.0.1:8080 (got {self.url!r})")
        if parts.username is not None:
            raise ValueError("url must not hold a user or password; token is the way")
        if self.token and not (self.token.isascii() and self.token.isprintable()):
            raise ValueError("token holds characters that no token has")
        object.__setattr__(self, "url", self.url.rstrip("/"))


class Refused(NoAnswer):
    """The server said no.

    Attributes:
        status: its status code.
        pause: seconds for which it wants to be left alone; None when it did not say.
    """

    def __init__(self, text: str, status: int, pause: float | None) -> None:
        super().__init__(text)
        self.status, self.pause = status, pause


class Dashboard:
    """Asks about one bucket. Used by one thread, but for `end`.

    Args:
        address: whom to ask.
        bucket: its key.
        timeout: seconds for an answer.
    """

    def __init__(self, address: Address, bucket: str, timeout: float = TIMEOUT) -> None:
        # `.` and `..` mean something in a path, even encoded: the parameter stands in for them.
        dots = bucket in (".", "..")
        self._query = {"bucket": bucket} if dots else {}
        self._base = f"{address.url}/api/v1/buckets/{'-' if dots else quote(bucket, safe='')}"
        self._headers = {"User-Agent": f"mqttbridge/{__version__}", "Accept-Encoding": "identity"}
        if address.token:
            self._headers["Authorization"] = f"Bearer {address.token}"
        mask = partial(masked, access_key=address.token)
        self._mask = mask
        self._client = HttpClient(address.url, timeout=timeout, max_bytes=MAX_ANSWER, mask=mask)

    def points(self, streams: Iterable[str], history: float, fineness: int) -> dict[str, Column]:
        """Points of the last `history` seconds, and later ones; none when there is no such bucket (yet).

        Args:
            streams: which.
            history: seconds.
            fineness: a series of more than twice as many points is thinned to its shape.

        Raises:
            NoAnswer: there is none, or it makes no sense; `Refused`, a kind of it, when the server said no.
        """
        query = [*self._query.items(), ("after", f"{-history:.0f}"), ("points", str(fineness))]
        body = self._get("points", [*query, *(("stream", stream) for stream in streams)])
        if body is None:
            return {}
        points = read_points(body)
        if isinstance(points, Malformed):
            raise NoAnswer(f"that is no dashboard of mqttbridge, check url: {points.why}")
        return points

    def latest(self) -> list[Latest]:
        """Every stream with its newest value; raises like `points`."""
        body = self._get("streams", list(self._query.items()))
        if body is None:
            return []
        latest = read_latest(body)
        if isinstance(latest, Malformed):
            raise NoAnswer(f"that is no dashboard of mqttbridge, check url: {latest.why}")
        return latest

    @contextmanager
    def live(self, last_id: str) -> Iterator[Endless]:
        """The live stream, from `last_id` on when there is one; raises like `points`."""
        headers = self._headers | ({"Last-Event-ID": last_id} if last_id else {})
        with self._client.opened(self._url("live", list(self._query.items())), headers, silence=SILENCE) as endless:
            if endless.answer.status != 200:
                raise self._refused(endless.answer, endless.read()[:2000])
            if not endless.answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                raise NoAnswer("that is no dashboard of mqttbridge, check url")
            yield endless

    def end(self) -> None:
        """End what is under way, and let nothing begin; from any thread."""
        self._client.end()

    def close(self) -> None:
        self._client.close()

    def _url(self, what: str, query: list[tuple[str, str]]) -> str:
        return f"{self._base}/{what}" + (f"?{urlencode(query)}" if query else "")

    def _get(self, what: str, query: list[tuple[str, str]]) -> bytes | None:
        got = self._client.get(self._url(what, query), {}, self._headers)
        # 404 is the answer about a bucket that no event has made yet; a stranger's 404 is no JSON of ours.
        if got.answer.status == 404 and b"no such bucket" in got.answer.body:
            return None
        if got.answer.status != 200:
            raise self._refused(got.answer, got.answer.body)
        if got.oversized:
            raise NoAnswer("the answer is too large: ask for fewer streams")
        return got.answer.body

    def _refused(self, answer: Answer, body: bytes) -> Refused:
        words = one_line(self._mask(body.decode("utf-8", "replace")))
        advice = _ADVICE.get(answer.status, words)
        return Refused(f"status {answer.status}: {advice}", answer.status, retry_after(answer, time.time()))
