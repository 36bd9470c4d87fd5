"""The Read API, as Initial State's clients speak it: the latest value of each stream, as a string."""

from __future__ import annotations

import time
from concurrent.futures import Executor

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.access.caller import access_key_of
from mqttbridge.dashboard.http import bucket_key_of, in_thread, json_answer, problem, unavailable
from mqttbridge.dashboard.limits import Limits
from mqttbridge.dashboard.security import Security
from mqttbridge.dashboard.store import Store
from mqttbridge.errors import StoreError
from mqttbridge.events import Value


class ReadApi:
    """Handler of `/data/v1/events/latest`."""

    def __init__(self, store: Store, executor: Executor, security: Security, limits: Limits) -> None:
        self._store, self._executor = store, executor
        self._security, self._limits = security, limits

    async def latest(self, request: Request) -> Response:
        """The latest value and its time for the keys asked for, or for all of the bucket's."""
        key = access_key_of(request)
        account = self._limits.account(key if self._security.may_write(key) else None)
        if wait := self._limits.read(account, time.time()):
            return problem(429, f"this key's reads are used up for now; come again in {wait} s", Retry_After=str(wait))
        bucket = bucket_key_of(request)
        if not bucket:
            return problem(400, "bucketKey is missing")
        keys = set(request.query_params.getlist("key"))
        try:
            streams = await in_thread(self._executor, lambda: self._store.streams(bucket))
        except StoreError as error:
            return unavailable(error)
        return json_answer(
            {
                one.stream: {"value": _as_text(one.last.value), "epoch": one.last.epoch}
                for one in streams
                if not keys or one.stream in keys
            }
        )


def _as_text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
