"""One bounded GET or POST: in time from connecting to the last byte, in size, and in where it leads.

A socket's timeout counts anew with each byte, so an answer that trickles in could last for ever. A timer that shuts
the socket down bounds the whole exchange, and a stop ends it the same way. An answer without end (`opened`) is
bounded by its silence instead.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from mqttbridge.destinations.http_outcome import Answer, one_line

# urllib3 quotes whole URLs in its own messages, and a query may hold a key.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# A slash at the end, a new version of a path: who needs more goes round in circles.
_MAX_REDIRECTS: Final = 3
_CHUNK: Final = 64 * 1024


class NoAnswer(Exception):  # noqa: N818  # the field's own term
    """Nothing came that is an answer; the text says why, with secrets masked."""


@dataclass(frozen=True, slots=True)
class Got:
    """What came back. `answer.body` is cut where it is `oversized`."""

    answer: Answer
    oversized: bool


class Endless:
    """An answer whose body comes bit by bit, for as long as the server likes.

    Attributes:
        answer: status and headers; its body is empty.
    """

    def __init__(self, answer: Answer, response: requests.Response, in_words: Callable[[Exception], str]) -> None:
        self.answer = answer
        self._response, self._in_words = response, in_words

    def read(self) -> bytes:
        """What has come, at least a byte; nothing at the answer's end.

        Raises:
            NoAnswer: nothing came for too long, or the connection broke.
        """
        try:
            return bytes(self._response.raw.read1(_CHUNK, decode_content=False))
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise NoAnswer(self._in_words(error)) from error


class HttpClient:
    """Used by one thread, but for `end`.

    Args:
        base: where requests go; proxies and certificates of the environment are looked up for it, once.
        timeout: seconds for a whole exchange.
        max_bytes: of a body.
        mask: takes secrets out of a text; before it is cut, since half a secret is not recognised.
    """

    def __init__(self, base: str, *, timeout: float, max_bytes: int, mask: Callable[[str], str]) -> None:
        self._timeout, self._max_bytes, self._mask = timeout, max_bytes, mask
        self._socket: socket.socket | None = None
        self._expired = self._ended = False
        self._adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        # Connections through a proxy are made elsewhere: there each wait for bytes is bounded, not their sum.
        self._adapter.poolmanager.pool_classes_by_scheme = {
            "http": self._watched(HTTPConnectionPool),
            "https": self._watched(HTTPSConnectionPool),
        }
        with requests.Session() as session:
            self._settings: dict[str, Any] = dict(session.merge_environment_settings(base, {}, True, None, None))

    def get(self, url: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Got:
        """GET, following redirects within the same origin.

        Raises:
            NoAnswer: no connection, none in time, or what came is not HTTP.
        """
        return self._bounded(lambda: self._get(url, params, headers))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Got:
        """POST; a redirect is an answer like any other.

        Raises:
            NoAnswer: no connection, none in time, or what came is not HTTP.
        """
        return self._bounded(lambda: self._exchange(requests.Request("POST", url, dict(headers), data=body).prepare()))

    @contextmanager
    def opened(self, url: str, headers: Mapping[str, str], *, silence: float) -> Iterator[Endless]:
        """An answer that is read as it comes, closed at the end. Redirects are not followed.

        Args:
            url: with its query.
            headers: of the request.
            silence: seconds without a byte after which the connection counts as dead.

        Raises:
            NoAnswer: no connection, none in time, or what came is not HTTP.
        """
        try:
            self._check()
            request = requests.Request("GET", url, dict(headers)).prepare()
            timeout = (self._timeout, silence)
            response = self._adapter.send(request, timeout=timeout, **self._settings)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise NoAnswer(self._in_words(error)) from error
        with response:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise NoAnswer("the answer is compressed, though we asked for it as it is")
            yield Endless(Answer(response.status_code, response.headers, b""), response, self._in_words)

    def end(self) -> None:
        """End the exchange that is under way, if any, and let none begin; from any thread."""
        self._ended = True
        self._cut()

    def close(self) -> None:
        self._adapter.close()

    def _bounded(self, exchange: Callable[[], Got]) -> Got:
        self._expired = False
        timer = threading.Timer(self._timeout, self._expire)
        timer.daemon = True
        timer.start()
        try:
            self._check()
            return exchange()
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise NoAnswer(self._in_words(error)) from error
        finally:
            timer.cancel()

    def _get(self, url: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Got:
        request = requests.Request("GET", url, dict(headers), params=dict(params)).prepare()
        for _ in range(_MAX_REDIRECTS + 1):
            got = self._exchange(request)
            target = urljoin(request.url or "", got.answer.headers.get("Location", ""))
            if got.answer.status not in _REDIRECTS or _origin(target) != _origin(request.url or ""):
                return got
            request = requests.Request("GET", target, dict(headers)).prepare()
        raise NoAnswer(f"more than {_MAX_REDIRECTS} redirects")

    def _exchange(self, request: requests.PreparedRequest) -> Got:
        # Not by a session: that reads the body of a redirect, however long, though it is not to follow it.
        with self._adapter.send(request, timeout=self._timeout, **self._settings) as response:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                # Unpacked, a few bytes can become gigabytes, and we did ask for none of it.
                raise NoAnswer("the answer is compressed, though we asked for it as it is")
            body = bytearray()
            while len(body) <= self._max_bytes and (chunk := response.raw.read1(_CHUNK, decode_content=False)):
                body += chunk
            self._check()
            answer = Answer(response.status_code, response.headers, bytes(body[: self._max_bytes]))
            return Got(answer, oversized=len(body) > self._max_bytes)

    def _expire(self) -> None:
        self._expired = True
        self._cut()

    def _cut(self) -> None:
        if (connected := self._socket) is not None:
            with suppress(OSError):
                # The plain socket's, below TLS, whose own is not made for another thread.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def _check(self) -> None:
        """Raise what a socket that was shut down, or came into being just after that, does not say."""
        if self._expired or self._ended:
            raise TimeoutError("ended")

    def _watched(self, pool: Any) -> Any:
        """The class of connection pools whose connections tell us their socket."""

        class WatchedConnection(pool.ConnectionCls):  # type: ignore[misc]  # a class that is given
            def connect(connection) -> None:  # noqa: N805  # `self` is the client
                super().connect()
                self._socket = connection.sock
                self._check()

        class WatchedPool(pool):  # type: ignore[misc]  # likewise
            ConnectionCls = WatchedConnection

        return WatchedPool

    def _in_words(self, error: Exception) -> str:
        """What went wrong on the way, from the innermost cause: the outer ones repeat the URL."""
        if self._expired or isinstance(error, requests.Timeout):
            return f"no answer within {self._timeout:g} s"
        cause: BaseException = error
        while inner := cause.__cause__ or cause.__context__:
            cause = inner
        return f"no answer: {one_line(self._mask(str(cause))) or type(cause).__name__}"


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
