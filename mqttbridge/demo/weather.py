"""A stand-in for OpenWeather's API: a day over seven cities, kept in `weather.json` and played an hour a minute.

It answers as the original does, errors included, so that what polls it may be pointed at the original instead.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

PATH: Final = "/data/2.5/weather"
_RECORDING: Final = Path(__file__).with_name("weather.json")
# Of the clock, for an hour of the recording: slow enough to look like weather, fast enough to watch.
_SECONDS_AN_HOUR: Final = 60.0


class Recording:
    """A day's weather over some cities."""

    def __init__(self) -> None:
        self._cities: dict[str, Any] = json.loads(_RECORDING.read_text(encoding="utf-8"))

    def answer(self, query: Mapping[str, str], now: float) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to a query, at this time in epoch seconds."""
        if not query.get("appid"):
            return 401, {"cod": 401, "message": "Invalid API key."}
        if not query.get("q"):
            return 400, {"cod": "400", "message": "Nothing to geocode"}
        city = self._cities.get(query["q"].removesuffix(",US"))
        if city is None:
            return 404, {"cod": "404", "message": "city not found"}
        answer: dict[str, Any] = deepcopy(city["answer"])
        answer["dt"] = int(now)
        for field, hours in city["hours"].items():
            part, name = field.split(".")
            answer[part][name] = _at(hours, now)
        return 200, answer


def _at(hours: list[float], now: float) -> float:
    """Between the two hours that are next to this time."""
    hour, share = divmod(now / _SECONDS_AN_HOUR % len(hours), 1.0)
    before, after = list(pairwise([*hours, hours[0]]))[int(hour)]
    return round(before + share * (after - before), 2)


class _Handler(BaseHTTPRequestHandler):
    # An answer to a connection that is kept, as API clients like it.
    protocol_version = "HTTP/1.1"
    timeout = 60

    def __init__(self, recording: Recording, *connection: Any) -> None:
        self._recording = recording
        super().__init__(*connection)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        status, body = 404, {"cod": "404", "message": "Internal error"}
        if url.path == PATH:
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            status, body = self._recording.answer(query, time.time())
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


@contextmanager
def weather_server(port: int = 0) -> Iterator[str]:
    """Serve it on loopback, at any free port by default; the URL to ask."""
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, Recording()))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="demo-weather", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PATH}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
