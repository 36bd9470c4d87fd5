"""Asking the bridge that runs, over its HTTP API, to do what only the process that holds the spool may do."""

from __future__ import annotations

import json
from dataclasses import asdict
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from mqttbridge.config.http import HttpConfig
from mqttbridge.errors import BridgeError, DataDirError
from mqttbridge.spool.inspection import RejectedQuery

_TIMEOUT: Final = 60.0
_MAX_ANSWER: Final = 2**20


class RunningBridge:
    """The bridge that holds the data directory's lock, as far as its HTTP address is known.

    Args:
        config: where it listens, and its keys.
        url: where it listens when that is not what the configuration says.
        key: one that may change things; the first of the configuration's when empty.

    Raises:
        DataDirError: it has no HTTP API.
    """

    def __init__(self, config: HttpConfig, url: str | None = None, key: str = "") -> None:
        if url is None and not config.enabled:
            raise DataDirError("a bridge runs on this data_dir without HTTP (http.enabled is false): stop it first")
        host, port = config.address
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # any address: ask this machine
        self._url = (url or (f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")).rstrip("/")
        self._key = key or (config.write_keys[0].get_secret_value() if config.write_keys else "")
        self._open = build_opener(ProxyHandler({})).open  # it is on this machine

    def replay(self, query: RejectedQuery) -> dict[str, Any]:
        """See `Refused.replay`.

        Raises:
            BridgeError: the bridge cannot be asked, or says no.
        """
        return self._post("/api/v1/rejected/replay", query)

    def purge(self, query: RejectedQuery) -> dict[str, Any]:
        """See `Refused.purge`."""
        return self._post("/api/v1/rejected/purge", query)

    def _post(self, path: str, query: RejectedQuery) -> dict[str, Any]:
        body = {name: value for name, value in asdict(query).items() if name != "newest_first"}
        headers = {"Content-Type": "application/json"} | ({"X-IS-AccessKey": self._key} if self._key else {})
        request = Request(self._url + path, json.dumps(body).encode(), headers)  # noqa: S310  # http by construction
        try:
            with self._open(request, timeout=_TIMEOUT) as answer:
                answered: dict[str, Any] = json.loads(answer.read(_MAX_ANSWER))
                return answered
        except HTTPError as error:
            with error:
                said = error.read(1000).decode(errors="replace")
            if error.code in (401, 403):
                what = "does not take this key" if self._key else "asks for a key"
                raise BridgeError(
                    f"the running bridge at {self._url} {what}: give one of role admin with --key or "
                    "$STREAMER_ACCESS_KEY; they are made at /settings, or are http.write_keys of its configuration. "
                    "Or stop the bridge first"
                ) from None
            raise BridgeError(f"the running bridge at {self._url} answers {error.code}: {said}") from None
        except (OSError, ValueError, HTTPException) as error:
            why = getattr(error, "reason", None) or error
            raise BridgeError(
                f"a bridge runs on this data_dir, but it cannot be asked at {self._url}: {why}. Name its address "
                "with --url, or stop it first"
            ) from error
