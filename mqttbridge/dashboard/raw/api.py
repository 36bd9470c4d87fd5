"""Handlers of `/api/v1/buckets/{bucket}/events`, `/summary` and `/export`."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from itertools import chain
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.api import no_dashboard
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.http import bucket_of, in_thread, json_answer, problem, unavailable
from mqttbridge.dashboard.raw import browse, query
from mqttbridge.dashboard.raw.export import Download, Exports
from mqttbridge.dashboard.raw.formats import Csv, Encoder, JsonLines
from mqttbridge.dashboard.raw.query import BadQuery
from mqttbridge.dashboard.raw.summary import TooMany, summaries
from mqttbridge.dashboard.store import Store
from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.errors import StoreError

DEFAULT_ROWS: Final = 500
MAX_ROWS: Final = 5000
_FRESH: Final = {"Cache-Control": "no-store"}
_FORMATS: Final = ("csv", "jsonl", "parquet")


class MissingExtra(Exception):  # noqa: N818  # a state of the installation
    """What is asked for needs an extra that is not installed."""


class RawApi:
    """A bucket's points as they were stored."""

    def __init__(self, backend: Backend, executor: Executor) -> None:
        self._store = None if backend.dashboard is None else backend.dashboard.store
        self._executor, self._exports = executor, Exports()

    async def events(self, request: Request) -> Response:
        """Points of all streams in order of time, a page of them."""

        def answer(store: Store) -> Response:
            params, now = request.query_params, time.time()
            asked = query.range_of(bucket_of(request), params, now)
            wanted = query.filter_of(params)
            limit = query.whole(params, "limit", DEFAULT_ROWS, MAX_ROWS)
            cursor = browse.Cursor.parse(params["cursor"]) if params.get("cursor") else None
            newest_first = query.choice(params, "order", "desc", "asc") == "desc"
            page = browse.page(store, asked, wanted, limit, cursor, newest_first=newest_first)
            units = units_of(store, asked.bucket)
            return json_answer(
                {
                    "now": now,
                    "rows": [(at / MICROSECONDS, stream, value) for at, stream, value in page.rows],
                    "units": {stream: units[stream] for stream in {row[1] for row in page.rows} if units.get(stream)},
                    "next": None if page.next is None else str(page.next),
                },
                headers=_FRESH,
            )

        return await self._answer(request, answer)

    async def summary(self, request: Request) -> Response:
        """Count, least, mean and greatest of each stream in a range."""

        def answer(store: Store) -> Response:
            now = time.time()
            asked = query.range_of(bucket_of(request), request.query_params, now)
            streams = {
                stream: {
                    "count": one.count,
                    "least": one.least,
                    "mean": one.mean,
                    "greatest": one.greatest,
                    "first": one.first and {"epoch": one.first[0], "value": one.first[1]},
                    "last": one.last and {"epoch": one.last[0], "value": one.last[1]},
                }
                for stream, one in summaries(store, asked).items()
            }
            return json_answer({"now": now, "streams": streams}, headers=_FRESH)

        return await self._answer(request, answer)

    async def export(self, request: Request) -> Response:
        """A range as a file."""
        if self._exports.full:
            return problem(503, "as many downloads are running as may: come again", Retry_After="30")

        def answer(store: Store) -> Response:
            params = request.query_params
            kind = query.choice(params, "format", *_FORMATS)
            asked = query.range_of(bucket_of(request), params, time.time())
            encoder = encoder_of(kind)(units_of(store, asked.bucket))
            batches = iter(store.rows(asked.bucket, asked.streams, asked.after, asked.before))
            first = next(batches, ())  # where this fails there is still an answer to give
            return Download(asked, encoder, chain([first], batches), self._executor, self._exports)

        return await self._answer(request, answer)

    async def _answer(self, request: Request, make: Callable[[Store], Response]) -> Response:
        """The answer, made beside the event loop; what is wrong in its words."""
        if self._store is None:
            return no_dashboard()
        store = self._store

        def work() -> Response:
            if store.bucket_name(bucket_of(request)) is None:
                return problem(404, "there is no such bucket (yet)")
            return make(store)

        try:
            return await in_thread(self._executor, work)
        except (BadQuery, TooMany) as error:
            return problem(400, str(error))
        except MissingExtra as error:
            return problem(501, str(error))
        except StoreError as error:
            return unavailable(error)


def units_of(store: Store, bucket: str) -> dict[str, str]:
    """The unit of each stream of a bucket, by name."""
    return {one.stream: one.unit for one in store.streams(bucket)}


def encoder_of(kind: str) -> Callable[[dict[str, str]], Encoder]:
    """What makes a file of a format.

    Raises:
        MissingExtra: it needs what is not installed.
    """
    if kind == "csv":
        return Csv
    if kind == "jsonl":
        return JsonLines
    try:
        from mqttbridge.dashboard.raw.parquet import Parquet  # noqa: PLC0415  # an extra, of 60 MiB
    except ImportError as error:
        raise MissingExtra('Parquet needs an extra: pip install "mqttbridge[parquet]"; or take csv, jsonl') from error
    return Parquet
