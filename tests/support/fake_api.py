"""A JSON API on a free loopback port, which answers each query as it is told. See `FakeEventsApi` for the rest."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, Self

from tests.support.fake_events_api import FakeEventsApi, Reply, Request
from tests.support.tls import Certificates


class FakeApi(FakeEventsApi):
    """`respond` makes a reply of a request's query; `script` and `always` come before it."""

    def __init__(
        self,
        respond: Callable[[dict[str, str]], Reply] = lambda _: Reply(200, "{}"),
        *,
        certificates: Certificates | None = None,
    ) -> None:
        super().__init__()
        self.respond, self._scheme = respond, "http"
        if certificates is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificates.server_cert, certificates.server_key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"

    @property
    def url(self) -> str:
        return super().url.replace("http", self._scheme, 1)

    def _usual(self, request: Request) -> Reply:
        return self.respond(dict(request.query))

    def asked(self) -> list[dict[str, str]]:
        """The queries that came, in order."""
        return [dict(request.query) for request in self.requests]


def weather(query: dict[str, str], measured: int = 1_700_000_000) -> Reply:
    """Current weather as OpenWeather answers: known cities, a key that is checked, codes that are texts in errors."""
    if query.get("appid") != "right-key":
        return Reply(401, '{"cod":401, "message": "Invalid API key."}')
    temperatures = {"San Francisco": 61.2, "Los Angeles": 75.9, "Fresno": 93.4}
    city = query.get("q", "")
    if city not in temperatures:
        return Reply(404, '{"cod":"404","message":"city not found"}')
    return Reply(
        200, json.dumps(current_weather(city, temperatures[city], measured)), {"Content-Type": "application/json"}
    )


def current_weather(city: str, temperature: float, measured: int) -> dict[str, Any]:
    return {
        "coord": {"lon": -122.42, "lat": 37.77},
        "weather": [{"id": 801, "main": "Clouds", "description": "few clouds", "icon": "02d"}],
        "base": "stations",
        "main": {
            "temp": temperature,
            "feels_like": 60.1,
            "temp_min": 58,
            "temp_max": 66,
            "pressure": 1015,
            "humidity": 72,
        },
        "visibility": 10000,
        "wind": {"speed": 9.22, "deg": 280},
        "clouds": {"all": 20},
        "dt": measured,
        "sys": {"country": "US", "sunrise": 1699973000, "sunset": 1700009000},
        "timezone": -28800,
        "id": 5391959,
        "name": city,
        "cod": 200,
    }


class RawServer:
    """Answers one connection with some bytes, and then a byte now and then for ever, or its end."""

    def __init__(self, beginning: bytes, *, for_ever: bool = True) -> None:
        self._beginning, self._for_ever = beginning, for_ever
        self._done = threading.Event()
        self.connected = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(self._beginning)
                self.connected.set()
                while self._for_ever and not self._done.wait(0.02):
                    connection.sendall(b"x")
        except OSError:
            pass  # the client hung up, or the test is over
